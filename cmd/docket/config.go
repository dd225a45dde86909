package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/review"
)

func configCommand(g *global) *cobra.Command {
	return group("config", "Check a configuration, or print an example", configCheck(g), configExample())
}

func configExample() *cobra.Command {
	return &cobra.Command{
		Use: "example", Short: "Print a configuration file with every key and comments", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Example())
			return err
		},
	}
}

// checked is what was found of one role.
type checked struct {
	Role   config.Role    `json:"role"`
	OK     bool           `json:"ok"`
	Faults []review.Fault `json:"faults,omitempty"`
	Notes  []string       `json:"notes,omitempty"`
}

func configCheck(g *global) *cobra.Command {
	var c configured
	var roles []string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find what is wrong with a configuration, role by role",
		Long: `Find what is wrong with a configuration, role by role, as far as this machine's files tell: keys,
rules, secrets and certificates. Nothing is connected to and nothing written. Each role's machine
needs only what that role needs: name the role there.`,
		Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			which := config.Roles
			if len(roles) > 0 {
				which = nil
			}
			for _, r := range roles {
				if !slices.Contains(config.Roles, config.Role(r)) {
					return misuse("there is no role %q; the roles are %s", r, roleNames())
				}
				which = append(which, config.Role(r))
			}
			cfg, err := c.load(g, cmd)
			if err != nil {
				return err
			}
			good := true
			var found []checked
			for _, role := range which {
				one := checked{Role: role}
				one.Notes, err = assembly.Inspect(cmd.Context(), cfg, role)
				one.OK = err == nil
				good = good && one.OK
				one.Faults, err = faultsOf(err)
				if err != nil {
					return err
				}
				found = append(found, one)
			}
			err = g.print(cmd.OutOrStdout(), found, func(w io.Writer) { showChecked(w, found) })
			if err == nil && !good {
				err = errSaid
			}
			return err
		},
	}
	c.register(cmd)
	cmd.Flags().StringArrayVar(&roles, "role", nil, "check for this role alone; repeatable")
	return cmd
}

// faultsOf takes the faults out of an error; any other error comes back.
func faultsOf(err error) ([]review.Fault, error) {
	var all casefile.Faults
	if err == nil {
		return nil, nil
	}
	if !errors.As(err, &all) {
		return nil, err
	}
	var out []review.Fault
	for _, f := range all {
		message := f.Message
		if f.Err != nil {
			message += ": " + f.Err.Error()
		}
		out = append(out, review.Fault{Field: f.Field, Message: message})
	}
	return out, nil
}

func showChecked(w io.Writer, found []checked) {
	for _, c := range found {
		state := "ok"
		if !c.OK {
			state = fmt.Sprintf("faults: %d", len(c.Faults))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\n", c.Role, state)
		for _, f := range c.Faults {
			_, _ = fmt.Fprintf(w, "\t%s: %s\n", plain(f.Field), plain(f.Message))
		}
		for _, n := range c.Notes {
			_, _ = fmt.Fprintf(w, "\tnote: %s\n", plain(n))
		}
	}
}

func roleNames() string {
	names := make([]string, len(config.Roles))
	for i, r := range config.Roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}
