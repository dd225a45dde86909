package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/review/intake"
)

func flagCommand(g *global) *cobra.Command {
	return group("flag", "Hand flags in and ask how far they have come", flagSubmit(g), flagShow(g))
}

func flagSubmit(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "submit FILE|-",
		Short: "Hand in the flags of a file, one JSON object a line; a bad line spoils no other",
		Long: `Hand in the flags of a file, one JSON object a line (docs/formats/flag.md), and print an answer for
each line. A bad line spoils no other; with any, the exit status is 1. To hand the same file in
again is harmless: a flag counts once.`,
		Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("open the flags: %w", err)
				}
				defer func() { _ = f.Close() }()
				in = f
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			taken, refused, last := 0, 0, 0
			err = c.SubmitFlags(cmd.Context(), in, func(r intake.LineResult) error {
				last = r.Line
				if r.Error == nil {
					taken++
				} else {
					refused++
				}
				return showLine(g, out, r)
			})
			if err != nil && last > 0 {
				return fmt.Errorf("the answers end at line %d, hand the file in again: %w", last, err)
			}
			if err != nil {
				return err
			}
			if !g.json {
				_, _ = fmt.Fprintf(out, "%d flags accepted, %d refused\n", taken, refused)
			}
			if refused > 0 {
				return errSaid
			}
			return nil
		},
	}
}

func showLine(g *global, out io.Writer, r intake.LineResult) error {
	if g.json {
		return printLine(out, r)
	}
	var err error
	switch {
	case r.Error != nil && r.Error.Field != "":
		_, err = fmt.Fprintf(out, "line %d: refused: %s: %s\n", r.Line, plain(r.Error.Field), plain(r.Error.Message))
	case r.Error != nil:
		_, err = fmt.Fprintf(out, "line %d: refused: %s\n", r.Line, plain(r.Error.Message))
	case r.Case == "":
		_, err = fmt.Fprintf(out, "line %d: %s %s\n", r.Line, r.Status, plain(r.ID))
	default:
		_, err = fmt.Fprintf(out, "line %d: %s %s case %s\n", r.Line, r.Status, plain(r.ID), r.Case)
	}
	return err
}

func flagShow(g *global) *cobra.Command {
	var platform string
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Say how far a flag has come",
		Args:  takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			s, err := c.FlagStatus(cmd.Context(), platform, args[0])
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), s, func(w io.Writer) {
				_, _ = fmt.Fprintf(w, "flag\t%s\nplatform\t%s\nstatus\t%s\n", plain(s.ID), s.Platform, s.Status)
				if s.Case != "" {
					_, _ = fmt.Fprintf(w, "case\t%s\n", s.Case)
				}
			})
		},
	}
	cmd.Flags().StringVar(&platform, "platform", "", "the flag's platform, where ids of several platforms may be equal")
	return cmd
}
