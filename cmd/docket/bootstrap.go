package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
)

// bootstrapCommand adds a person past the API, which takes somebody to ask it.
func bootstrapCommand(g *global) *cobra.Command {
	var c configured
	p := access.NewPerson{}
	var roles []string
	var token bool
	cmd := &cobra.Command{
		Use:   "bootstrap LOGIN --name NAME --role ROLE",
		Short: "Add the first people of a deployment, straight to the records",
		Long: `Add somebody straight to the records, with the configuration of the role serve: the first
administrator, or a detector's service account. It prints a login link, good once and for 15 minutes;
with --token, and for a service, an API token instead. Somebody who is there already stays as they
are and gets a new link or token. Like every change of people it goes on the ledger.`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Login = args[0]
			for _, r := range roles {
				p.Roles = append(p.Roles, casefile.Role(r))
			}
			err := p.Check()
			if err != nil {
				return err
			}
			cfg, err := c.load(g, cmd)
			if err == nil {
				err = cfg.Check(config.RoleServe)
			}
			if err != nil {
				return err
			}
			made, err := bootstrap(cmd.Context(), cfg, p, token)
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), made, func(w io.Writer) { made.show(w) })
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&p.Name, "name", "", "the person's name")
	cmd.Flags().StringVar(&p.Team, "team", "", "the person's team")
	cmd.Flags().BoolVar(&token, "token", false, "print an API token, good for 90 days, instead of a login link")
	cmd.Flags().StringArrayVar(&roles, "role", nil, "a role; repeatable. service stands for a program, alone")
	return cmd
}

// introduced is somebody who can come in now.
type introduced struct {
	Login  string          `json:"login"`
	Person casefile.Person `json:"person"`
	Roles  []casefile.Role `json:"roles"`
	// Link is a login link (its path alone where the address is not known), or Token an API token; each is shown this once.
	Link  string `json:"login_link,omitempty"`
	Token string `json:"token,omitempty"`
}

func (i introduced) show(w io.Writer) {
	_, _ = fmt.Fprintf(w, "login\t%s\nperson\t%s\n", plain(i.Login), plain(string(i.Person)))
	if i.Token != "" {
		_, _ = fmt.Fprintf(w, "token\t%s\n", i.Token)
		return
	}
	if strings.HasPrefix(i.Link, "http") {
		_, _ = fmt.Fprintf(w, "link\t%s\ngood\tonce, for 15 minutes\n", i.Link)
		return
	}
	_, _ = fmt.Fprintf(w, "link\t%s, at the address of the console, once, for 15 minutes\n", i.Link)
}

func bootstrap(ctx context.Context, cfg config.Config, p access.NewPerson, token bool) (made introduced, err error) {
	process := assembly.New(cfg, slog.New(slog.DiscardHandler), config.RoleServe)
	defer func() { err = errors.Join(err, process.Stop(context.WithoutCancel(ctx))) }()
	who, err := process.Access(ctx)
	if err != nil {
		return introduced{}, err
	}
	rows, err := who.EnsurePeople(ctx, []access.NewPerson{p})
	if err != nil {
		return introduced{}, err
	}
	row := rows[0]
	made = introduced{Login: row.Login, Person: row.Person, Roles: row.Roles}
	if token || slices.Contains(row.Roles, casefile.RoleService) {
		made.Token, err = who.NewAPIToken(ctx, row.Person)
		return made, err
	}
	code, err := who.NewLoginLink(ctx, row.Login)
	made.Link = "/login?code=" + code
	return made, err
}
