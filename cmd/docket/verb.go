package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
)

// keyFlag lets a verb be sent again after a time-out without counting twice.
func keyFlag(cmd *cobra.Command, key *string) *cobra.Command {
	cmd.Flags().StringVar(key, "key", "", "idempotency key: the same verb with the same key counts once")
	return cmd
}

func (g *global) printAnswer(out io.Writer, a review.VerbAnswer) error {
	return g.print(out, a, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "case\t%s\nstate\t%s\nevidence revision\t%d\n", a.Case, a.State, a.EvidenceRevision)
		if a.Claim != nil {
			_, _ = fmt.Fprintf(w, "claim\t%d until %s\n", a.Claim.Number, when(&a.Claim.ExpiresAt))
		}
		if a.Decision != "" {
			_, _ = fmt.Fprintf(w, "decision\t%s\n", a.Decision)
		}
		if a.GraceUntil != nil {
			_, _ = fmt.Fprintf(w, "can be withdrawn until\t%s\n", a.GraceUntil.UTC().Format("2006-01-02 15:04:05"))
		}
		_, _ = fmt.Fprintf(w, "key\t%s\n", a.Key)
	})
}

func caseNext(g *global) *cobra.Command {
	var key string
	return keyFlag(&cobra.Command{
		Use: "next QUEUE", Short: "Claim the next case of a queue", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			a, ok, err := c.Next(cmd.Context(), args[0], key)
			if err != nil {
				return err
			}
			if !ok {
				return g.print(cmd.OutOrStdout(), nil, func(w io.Writer) { _, _ = fmt.Fprintln(w, "no case waits in this queue") })
			}
			return g.printAnswer(cmd.OutOrStdout(), a)
		},
	}, &key)
}

func caseClaim(g *global) *cobra.Command {
	var key string
	return keyFlag(onCase(g, "claim", "Claim a case", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		a, err := c.Claim(cmd.Context(), review.VerbCall{Case: ref, Key: key})
		if err != nil {
			return err
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	}), &key)
}

// held reads the claim and evidence revision that the caller holds now.
func held(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) (review.CaseView, error) {
	v, err := c.Case(cmd.Context(), ref, "")
	if err != nil {
		return v, err
	}
	if !v.Mine {
		return v, fmt.Errorf("you do not hold case %s: claim it first", ref)
	}
	return v, nil
}

func caseRelease(g *global) *cobra.Command {
	var key string
	return keyFlag(onCase(g, "release", "Give a case back to its queue", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		v, err := held(cmd, c, ref)
		if err != nil {
			return err
		}
		a, err := c.Release(cmd.Context(), review.VerbCall{Case: ref, Key: key}, v.Claim.Number)
		if err != nil {
			return err
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	}), &key)
}

func caseComment(g *global) *cobra.Command {
	var key, file string
	cmd := onCase(g, "comment", "Add a comment, read from a file or standard input", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		text, err := readInput(cmd, file)
		if err != nil {
			return err
		}
		a, err := c.Comment(cmd.Context(), review.VerbCall{Case: ref, Key: key}, string(text))
		if err != nil {
			return err
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	})
	cmd.Flags().StringVar(&file, "file", "-", "file with the words (words in an argument would show in the process list)")
	return keyFlag(cmd, &key)
}

func readInput(cmd *cobra.Command, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the input: %w", err)
	}
	return data, nil
}

func caseOpinion(g *global) *cobra.Command {
	var key, file string
	var preview bool
	var seen int
	cmd := onCase(g, "opinion", "Give an opinion from a JSON form, or see what it would bring about", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		data, err := readInput(cmd, file)
		if err != nil {
			return err
		}
		var form casefile.OpinionForm
		err = json.Unmarshal(data, &form)
		if err != nil {
			return fmt.Errorf("read the opinion form: %w", err)
		}
		p, err := c.Preview(cmd.Context(), ref, form)
		if err != nil {
			return err
		}
		if preview || len(p.Faults) > 0 {
			err = g.print(cmd.OutOrStdout(), p, func(w io.Writer) { showPreview(w, p) })
			if err == nil && len(p.Faults) > 0 {
				err = errSaid
			}
			return err
		}
		v, err := held(cmd, c, ref)
		if err != nil {
			return err
		}
		if seen == 0 {
			seen = v.EvidenceRevision
		}
		a, err := c.Opinion(cmd.Context(), review.OpinionCall{
			VerbCall: review.VerbCall{Case: ref, Key: key}, Claim: v.Claim.Number, EvidenceRevision: seen, Form: form, Preview: p.Token,
		})
		if err != nil {
			return err
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	})
	f := cmd.Flags()
	f.StringVar(&file, "file", "-", "file with the form (docs/formats/opinion.md)")
	f.BoolVar(&preview, "preview", false, "only show the consequences and the exact notice")
	f.IntVar(&seen, "evidence-revision", 0, "the evidence revision you looked at (default: the one of now)")
	return keyFlag(cmd, &key)
}

func showPreview(w io.Writer, p review.Preview) {
	for _, f := range p.Faults {
		_, _ = fmt.Fprintf(w, "fault\t%s: %s\n", f.Field, f.Message)
	}
	for _, c := range p.Consequences {
		_, _ = fmt.Fprintf(w, "- %s\n", c)
	}
	if p.Notice != "" {
		_, _ = fmt.Fprintf(w, "\nNotice, exactly as it would be sent:\n\n%s\n", p.Notice)
	}
}

func caseWithdraw(g *global) *cobra.Command {
	var key string
	return keyFlag(onCase(g, "withdraw", "Take your own decision back within its grace time", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		a, err := c.Withdraw(cmd.Context(), review.VerbCall{Case: ref, Key: key}, "")
		if err != nil {
			return err
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	}), &key)
}

func caseClose(g *global) *cobra.Command {
	var key, reason string
	cmd := onCase(g, "close", "Close a case without a decision", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		v, err := held(cmd, c, ref)
		if err != nil {
			return err
		}
		a, err := c.Close(cmd.Context(), review.CloseCall{
			VerbCall: review.VerbCall{Case: ref, Key: key}, Claim: v.Claim.Number, EvidenceRevision: v.EvidenceRevision, Reason: casefile.CloseReason(reason),
		})
		if err != nil {
			return err
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	})
	cmd.Flags().StringVar(&reason, "reason", "", "duplicate, out_of_scope, account_gone or test")
	return keyFlag(cmd, &key)
}

func caseReopen(g *global) *cobra.Command {
	var key string
	return keyFlag(onCase(g, "reopen", "Open the account of a closed case again, with its evidence", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		r, err := c.Reopen(cmd.Context(), review.VerbCall{Case: ref, Key: key})
		if err != nil {
			return err
		}
		return g.print(cmd.OutOrStdout(), r, func(w io.Writer) { _, _ = fmt.Fprintf(w, "new case\t%s\n", r.Case) })
	}), &key)
}
