package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
)

func peopleCommand(g *global) *cobra.Command {
	return group("people", "List and manage staff", peopleList(g), peopleAdd(g), peopleDisable(g), peopleEnable(g), peopleReset(g))
}

func peopleList(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the staff, with names where you see them", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			people, err := c.People(cmd.Context())
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), people, func(w io.Writer) {
				_, _ = fmt.Fprintln(w, "PERSON\tLOGIN\tNAME\tROLES\tTEAM\tACTIVE")
				for _, p := range people {
					_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%t\n", p.Person, orDash(p.Login), plain(p.Name), rolesOf(p.Roles), orDash(p.Team), p.Active)
				}
			})
		},
	}
}

func rolesOf(roles []casefile.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ",")
}

// onPerson makes a command whose one argument is a login or a pseudonym.
func onPerson(g *global, use, short string, do func(cmd *cobra.Command, c *client.Client, person string) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " PERSON", Short: short, Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			return do(cmd, c, args[0])
		},
	}
}

// printIntroduced prints the whole address of a login link; in JSON it stands as the API gives it.
func (g *global) printIntroduced(out io.Writer, c *client.Client, i review.Introduced) error {
	return g.print(out, i, func(w io.Writer) {
		made := introduced{Login: i.Login, Person: i.Person, Roles: i.Roles, Token: i.Token}
		if i.LoginLink != "" {
			made.Link = strings.TrimRight(c.Base, "/") + i.LoginLink
		}
		made.show(w)
	})
}

func peopleAdd(g *global) *cobra.Command {
	var call review.NewPersonCall
	var roles []string
	cmd := &cobra.Command{
		Use: "add LOGIN --name NAME --role ROLE", Short: "Add somebody", Args: takes(1, 1),
		Long: `Add somebody. It prints a login link, good once and for 15 minutes, or for a service an API token.
Either is shown this once.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			call.Login = args[0]
			for _, r := range roles {
				call.Roles = append(call.Roles, casefile.Role(r))
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			made, err := c.AddPerson(cmd.Context(), call)
			if err != nil {
				return err
			}
			return g.printIntroduced(cmd.OutOrStdout(), c, made)
		},
	}
	cmd.Flags().StringVar(&call.Name, "name", "", "the person's name")
	cmd.Flags().StringVar(&call.Team, "team", "", "the person's team")
	cmd.Flags().StringArrayVar(&roles, "role", nil, "a role; repeatable. service stands for a program, alone")
	return cmd
}

func peopleDisable(g *global) *cobra.Command {
	return onPerson(g, "disable", "End what somebody may do: tokens, sessions and claims, at once", func(cmd *cobra.Command, c *client.Client, person string) error {
		d, err := c.DisablePerson(cmd.Context(), person)
		if err != nil {
			return err
		}
		return g.print(cmd.OutOrStdout(), d, func(w io.Writer) {
			_, _ = fmt.Fprintf(w, "person\t%s\nactive\tfalse\n", d.Person)
			for _, ref := range d.Released {
				_, _ = fmt.Fprintf(w, "released\t%s\n", ref)
			}
			for _, appeal := range d.Appeals {
				_, _ = fmt.Fprintf(w, "released appeal\t%s\n", appeal)
			}
			for _, appeal := range d.NotReleasedAppeals {
				_, _ = fmt.Fprintf(w, "NOT RELEASED\tappeal %s: give the command again, or wait for the end of the lease\n", appeal)
			}
			for _, ref := range d.NotReleased {
				_, _ = fmt.Fprintf(w, "NOT RELEASED\t%s: give the command again, or wait for the end of the lease\n", ref)
			}
		})
	})
}

func peopleEnable(g *global) *cobra.Command {
	return onPerson(g, "enable", "Let somebody come back; they need a new login link (reset)", func(cmd *cobra.Command, c *client.Client, person string) error {
		p, err := c.EnablePerson(cmd.Context(), person)
		if err != nil {
			return err
		}
		return g.print(cmd.OutOrStdout(), p, func(w io.Writer) { _, _ = fmt.Fprintf(w, "person\t%s\nactive\ttrue\n", p.Person) })
	})
}

func peopleReset(g *global) *cobra.Command {
	return onPerson(g, "reset", "End every token and session of somebody and print a new login link or token", func(cmd *cobra.Command, c *client.Client, person string) error {
		made, err := c.ResetPerson(cmd.Context(), person)
		if err != nil {
			return err
		}
		return g.printIntroduced(cmd.OutOrStdout(), c, made)
	})
}

func glassCommand(g *global) *cobra.Command {
	return group("glass", "Open a case without the right to it, and review who did", glassOpen(g), glassList(g), glassReview(g))
}

func glassOpen(g *global) *cobra.Command {
	var minutes int
	var file string
	cmd := onCase(g, "open", "Open a case to yourself for a reason and a short time; it goes on the ledger and somebody reviews it", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		reason, err := readWords(cmd, file, "a reason")
		if err != nil {
			return err
		}
		b, err := c.BreakGlass(cmd.Context(), ref, reason, minutes)
		if err != nil {
			return err
		}
		return g.print(cmd.OutOrStdout(), b, func(w io.Writer) {
			_, _ = fmt.Fprintf(w, "glass\t%s\ncase\t%s\nopen until\t%s\n", plain(b.ID), b.Case, when(&b.Until))
		})
	})
	cmd.Flags().IntVar(&minutes, "minutes", 15, "for how long, 1 to 60")
	reasonFlag(cmd, &file)
	return cmd
}

func glassList(g *global) *cobra.Command {
	var all bool
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List what was opened so and not reviewed yet, with the reasons", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			page, err := c.BrokenGlass(cmd.Context(), all, limit)
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), page, func(w io.Writer) {
				if len(page.Glass) == 0 {
					_, _ = fmt.Fprintln(w, "nothing to review")
					return
				}
				_, _ = fmt.Fprintln(w, "GLASS\tPERSON\tCASE\tAT\tUNTIL\tREVIEWED BY\tJUSTIFIED\tREASON")
				for _, b := range page.Glass {
					justified := "-"
					if b.ReviewedBy != "" {
						justified = fmt.Sprint(b.Justified)
					}
					_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain(b.ID), b.Person, b.Case, when(&b.At), when(&b.Until), orDash(string(b.ReviewedBy)), justified, plain(b.Reason))
				}
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also what was reviewed")
	cmd.Flags().IntVar(&limit, "limit", 0, "rows (default 50, at most 200)")
	return cmd
}

func glassReview(g *global) *cobra.Command {
	var yes, no bool
	cmd := &cobra.Command{
		Use: "review GLASS --justified|--not-justified", Short: "Say once whether there was good reason; never of yourself", Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if yes == no {
				return misuse("say either --justified or --not-justified")
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			r, err := c.ReviewGlass(cmd.Context(), args[0], yes)
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), r, func(w io.Writer) { _, _ = fmt.Fprintf(w, "glass\t%s\njustified\t%t\n", plain(r.ID), r.Justified) })
		},
	}
	cmd.Flags().BoolVar(&yes, "justified", false, "there was good reason")
	cmd.Flags().BoolVar(&no, "not-justified", false, "there was none")
	return cmd
}
