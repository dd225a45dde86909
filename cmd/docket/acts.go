package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
)

func actsCommand(g *global) *cobra.Command {
	return group("acts", "See which acts hang, stop acts and let them go on, settle what is uncertain",
		actsList(g), actsSwitch(g, "pause", "Stop acts, all or one platform's: once this has answered, none starts", (*client.Client).PauseActs),
		actsSwitch(g, "resume", "Let acts go on", (*client.Client).ResumeActs), actsSettle(g))
}

func actsList(g *global) *cobra.Command {
	var platform, stage, cursor string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List acts that have not come to a good end, the longest waiting first", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			page, err := c.Acts(cmd.Context(), platform, records.ActStage(stage), cursor, limit)
			if err != nil {
				return err
			}
			banner, err := c.Banner(cmd.Context())
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), page, func(w io.Writer) {
				for _, p := range banner.Paused {
					_, _ = fmt.Fprintf(w, "PAUSED\t%s since %s by %s\n", plain(p.Name), when(p.Since), p.By)
				}
				showActs(w, page)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&platform, "platform", "", "only acts on this platform")
	f.StringVar(&stage, "stage", "", "waiting, retrying, uncertain or failed")
	f.StringVar(&cursor, "cursor", "", "go on where an earlier page ended")
	f.IntVar(&limit, "limit", 0, "acts on the page (default 50, at most 200)")
	return cmd
}

func showActs(w io.Writer, page review.ActPage) {
	if len(page.Acts) == 0 {
		_, _ = fmt.Fprintln(w, "no acts")
		return
	}
	_, _ = fmt.Fprintln(w, "DECISION\tACT\tDIRECTION\tKIND\tPLATFORM\tCASE\tSTAGE\tAGE\tTRIES\tLAST ERROR\tWHY")
	for _, a := range page.Acts {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", plain(a.Act.Decision), a.Act.Number, a.Direction, a.Act.Kind, plain(a.Platform),
			a.Case, a.Stage, time.Duration(a.AgeSeconds)*time.Second, a.Tries, plain(a.LastError), plain(a.Why))
	}
	if page.Next != "" {
		_, _ = fmt.Fprintf(w, "more: --cursor %s\n", page.Next)
	}
}

func actsSwitch(g *global, use, short string, set func(*client.Client, context.Context, string, string) (review.SwitchAnswer, error)) *cobra.Command {
	var platform, file string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			reason, err := readWords(cmd, file, "a reason")
			if err != nil {
				return err
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			a, err := set(c, cmd.Context(), platform, reason)
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), a, func(w io.Writer) {
				showSwitch(w, a.Switch)
				_, _ = fmt.Fprintf(w, "acts waiting\t%d\n", a.Waiting)
				for _, name := range a.Paused {
					_, _ = fmt.Fprintf(w, "still paused by\t%s\n", plain(name))
				}
			})
		},
	}
	cmd.Flags().StringVar(&platform, "platform", "", "only acts on this platform (default: all acts)")
	reasonFlag(cmd, &file)
	return cmd
}

func showSwitch(w io.Writer, s review.SwitchView) {
	state := "off"
	if s.On {
		state = "on"
	}
	_, _ = fmt.Fprintf(w, "%s\t%s since %s by %s\n", plain(s.Name), state, when(s.Since), orDash(string(s.By)))
	if s.Reason != "" {
		_, _ = fmt.Fprintf(w, "reason\t%s\n", plain(s.Reason))
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return plain(s)
}

func actsSettle(g *global) *cobra.Command {
	var key verbKey
	var undo bool
	var outcome, file string
	cmd := &cobra.Command{
		Use: "settle DECISION ACT", Short: "Say how an uncertain act ended, after looking on the platform", Args: takes(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.Atoi(args[1])
			if err != nil || number < 1 {
				return misuse("acts count from 1: docket acts list prints their numbers")
			}
			if outcome != "done" && outcome != "not-done" {
				return misuse("--outcome must be done or not-done")
			}
			reason, err := readWords(cmd, file, "a reason")
			if err != nil {
				return err
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			direction := casefile.Do
			if undo {
				direction = casefile.Undo
			}
			a, err := c.Settle(cmd.Context(), review.SettleCall{
				Decision: args[0], Number: number, Direction: direction, Done: outcome == "done", Reason: reason, Key: key.key,
			})
			if err != nil {
				return doubtful(err, key.key)
			}
			return g.print(cmd.OutOrStdout(), a, func(w io.Writer) {
				_, _ = fmt.Fprintf(w, "decision\t%s\nact\t%d (%s)\nstate\t%s\nkey\t%s\n", plain(a.Decision), a.Number, a.Of, a.State, plain(a.Key))
			})
		},
	}
	cmd.Long = `Say how an uncertain act ended, after looking on the platform. The platform is asked once more where it
can be: what it knows goes before what you say. The reason says what was looked at, and what was seen.`
	cmd.Flags().BoolVar(&undo, "undo", false, "the act's taking back, not the act itself")
	cmd.Flags().StringVar(&outcome, "outcome", "", "done or not-done (required)")
	reasonFlag(cmd, &file)
	return key.on(cmd)
}

func automationCommand(g *global) *cobra.Command {
	return group("automation", "Let automatic rules decide, or stop them",
		automationShow(g), automationSet(g, true, "on", "Let automatic rules decide"), automationSet(g, false, "off", "Stop automatic rules"))
}

func automationShow(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show every switch, with its reason, and every breaker", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			v, err := c.Switches(cmd.Context())
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), v, func(w io.Writer) {
				for _, s := range v.Switches {
					showSwitch(w, s)
				}
				if len(v.Breakers) > 0 {
					showBreakers(w, v.Breakers)
				}
			})
		},
	}
}

func automationSet(g *global, on bool, use, short string) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			reason, err := readWords(cmd, file, "a reason")
			if err != nil {
				return err
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			s, err := c.SetAutomation(cmd.Context(), on, reason)
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), s, func(w io.Writer) { showSwitch(w, s) })
		},
	}
	reasonFlag(cmd, &file)
	return cmd
}

func breakerCommand(g *global) *cobra.Command {
	return group("breaker", "See the breakers of automatic rules, and arm one that tripped", breakerList(g), breakerArm(g))
}

func breakerList(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the breaker of every rule that ever counted", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			all, err := c.Breakers(cmd.Context())
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), all, func(w io.Writer) { showBreakers(w, all) })
		},
	}
}

func showBreakers(w io.Writer, all []review.BreakerView) {
	if len(all) == 0 {
		_, _ = fmt.Fprintln(w, "no breakers: no automatic rule ever counted")
		return
	}
	_, _ = fmt.Fprintln(w, "RULE\tHOUR\tDECIDED\tASSESSED\tTRIPPED\tWHY\tARMED\tBY")
	for _, b := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", plain(b.Rule), when(&b.Hour), b.Count, b.Cases, when(b.Tripped), orDash(b.Why), when(b.ArmedAt), orDash(string(b.ArmedBy)))
	}
}

func breakerArm(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "arm RULE", Short: "Arm the breaker of a rule that tripped", Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			b, err := c.ArmBreaker(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), b, func(w io.Writer) { showBreakers(w, []review.BreakerView{b}) })
		},
	}
}
