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

func appealCommand(g *global) *cobra.Command {
	return group("appeal", "Hand appeals in, list, claim and decide them",
		appealOpen(g), appealList(g), appealShow(g), appealNext(g), appealClaim(g), appealRelease(g), appealPreview(g), appealRule(g))
}

// onAppeal makes a command whose one argument is an appeal's id.
func onAppeal(g *global, use, short string, do func(cmd *cobra.Command, c *client.Client, appeal string) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " APPEAL", Short: short, Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			return do(cmd, c, args[0])
		},
	}
}

func appealOpen(g *global) *cobra.Command {
	var key verbKey
	var file string
	cmd := &cobra.Command{
		Use: "open NOTICE", Short: "Hand an appeal in, by the number on the notice; the complaint is read from a file", Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			words, err := readWords(cmd, file, "the complaint")
			if err != nil {
				return err
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			a, err := c.OpenAppeal(cmd.Context(), review.OpenAppealCall{Number: args[0], Words: words, Key: key.key})
			if err != nil {
				return doubtful(err, key.key)
			}
			return g.print(cmd.OutOrStdout(), a, func(w io.Writer) {
				_, _ = fmt.Fprintf(w, "appeal\t%s\nstate\t%s\ndue\t%s\nkey\t%s\n", plain(a.Appeal), a.State, when(&a.DueAt), plain(a.Key))
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "-", "file with the complaint (words in an argument would show in the process list)")
	return key.on(cmd)
}

func appealList(g *global) *cobra.Command {
	var state, cursor string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List appeals, the one due first before the others", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			page, err := c.Appeals(cmd.Context(), casefile.AppealState(state), cursor, limit)
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), page, func(w io.Writer) {
				if len(page.Appeals) == 0 {
					_, _ = fmt.Fprintln(w, "no appeals")
					return
				}
				_, _ = fmt.Fprintln(w, "APPEAL\tCASE\tKIND\tSTATE\tDUE\tHOLDER\tOUTCOME\tMARKS")
				for _, a := range page.Appeals {
					var marks []string
					if a.Late {
						marks = append(marks, "late")
					}
					if a.Part {
						marks = append(marks, "not for you: you took part")
					}
					_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
						plain(a.Appeal), a.Case, a.Kind, a.State, when(&a.DueAt), a.Holder, outcomeText(a.Kind, a.Outcome), strings.Join(marks, ", "))
				}
				if page.Next != "" {
					_, _ = fmt.Fprintf(w, "more: --cursor %s\n", page.Next)
				}
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only appeals in this state, such as open or upheld")
	cmd.Flags().StringVar(&cursor, "cursor", "", "go on where an earlier page ended")
	cmd.Flags().IntVar(&limit, "limit", 0, "appeals on the page (default 50, at most 200)")
	return cmd
}

func appealShow(g *global) *cobra.Command {
	return onAppeal(g, "show", "Open an appeal with its case; the look goes on record", func(cmd *cobra.Command, c *client.Client, appeal string) error {
		v, err := c.Appeal(cmd.Context(), appeal)
		if err != nil {
			return err
		}
		if g.json {
			return g.print(cmd.OutOrStdout(), v, nil)
		}
		return showAppeal(cmd.OutOrStdout(), v)
	})
}

func showAppeal(out io.Writer, v review.AppealView) error {
	p := &printer{out: out}
	p.line("Appeal %s  %s  %s  opened %s  due %s", plain(v.Appeal), v.Kind, v.State, when(&v.OpenedAt), when(&v.DueAt))
	if v.Notice != "" {
		p.line("Against the decision of notice %s", plain(v.Notice))
	}
	if v.Claim != nil {
		p.line("Held by %s (claim %d) until %s", v.Claim.Person, v.Claim.Number, when(&v.Claim.ExpiresAt))
	}
	for _, m := range v.Missing {
		p.line("! %s", plain(m))
	}
	if v.Words != "" {
		p.head("The complaint")
		p.line("%s", strings.TrimSuffix(quoted(v.Words), "\n"))
	}
	if r := v.Ruling; r != nil {
		p.head("Ruling")
		p.line("  %s", outcomeText(v.Kind, r.Outcome))
		p.line("  ruled by %s (%s) at %s: %s", r.Person, r.Role, when(&r.At), plain(r.Rationale))
		if r.Event != "" {
			p.line("  proof: entry %s, hash %s", r.Event, r.Hash)
		}
		if r.Notice != "" {
			p.line("  notice %s:\n%s", plain(r.NoticeNo), strings.TrimSuffix(quoted(r.Notice), "\n"))
		}
	}
	p.line("")
	if p.err != nil {
		return p.err
	}
	return showCase(out, v.View)
}

// outcomeText says what a ruling means for what it is about: an emergency order is not "upheld" by the
// outcome of that name, it falls.
func outcomeText(kind casefile.AppealKind, outcome casefile.AppealOutcome) string {
	emergency := kind == casefile.AppealEmergency
	switch {
	case outcome == casefile.OutcomeUpheld && emergency:
		return "the order falls: the suspension is taken back"
	case outcome == casefile.OutcomeRejected && emergency:
		return "the order stands"
	case outcome == casefile.OutcomeUpheld:
		return "upheld: the decision is taken back"
	case outcome == casefile.OutcomeRejected:
		return "rejected: the decision stands"
	}
	return plain(string(outcome))
}

func (g *global) printAppeal(out io.Writer, kind casefile.AppealKind, a review.AppealAnswer) error {
	return g.print(out, a, func(w io.Writer) {
		_, _ = fmt.Fprintf(w, "appeal\t%s\nstate\t%s\n", plain(a.Appeal), a.State)
		if a.Claim != nil {
			_, _ = fmt.Fprintf(w, "claim\t%d until %s\n", a.Claim.Number, when(&a.Claim.ExpiresAt))
		}
		if a.Outcome != "" {
			_, _ = fmt.Fprintf(w, "outcome\t%s\n", outcomeText(kind, a.Outcome))
		}
		_, _ = fmt.Fprintf(w, "key\t%s\n", plain(a.Key))
	})
}

func appealNext(g *global) *cobra.Command {
	var key verbKey
	return key.on(&cobra.Command{
		Use: "next", Short: "Claim the appeal that is due first among those you may decide; JSON is null when there is none", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			a, ok, err := c.NextAppeal(cmd.Context(), key.key)
			if err != nil {
				return doubtful(err, key.key)
			}
			if ok {
				return g.printAppeal(cmd.OutOrStdout(), "", a)
			}
			return g.print(cmd.OutOrStdout(), nil, func(w io.Writer) {
				_, _ = fmt.Fprintln(w, "no appeal waits that you may decide")
			})
		},
	})
}

func appealClaim(g *global) *cobra.Command {
	var key verbKey
	return key.on(onAppeal(g, "claim", "Claim an appeal, or keep it for longer", func(cmd *cobra.Command, c *client.Client, appeal string) error {
		a, err := c.ClaimAppeal(cmd.Context(), key.appeal(appeal))
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAppeal(cmd.OutOrStdout(), "", a)
	}))
}

// appeal is the verb on an appeal.
func (k *verbKey) appeal(id string) review.AppealCall {
	return review.AppealCall{Appeal: id, Key: k.key}
}

// heldAppeal reads the kind of an appeal and the number of the claim that the caller holds now, as held
// does for a case.
func (k *verbKey) heldAppeal(cmd *cobra.Command, c *client.Client, appeal string) (casefile.AppealKind, int, error) {
	v, err := c.Appeal(cmd.Context(), appeal)
	switch {
	case err != nil:
		return "", 0, err
	case v.Mine:
		return v.Kind, v.Claim.Number, nil
	case k.again:
		return v.Kind, 0, nil
	}
	return "", 0, casefile.Errorf(casefile.CodeStaleClaim, "you do not hold this appeal: claim it first")
}

func appealRelease(g *global) *cobra.Command {
	var key verbKey
	return key.on(onAppeal(g, "release", "Give an appeal back", func(cmd *cobra.Command, c *client.Client, appeal string) error {
		kind, claim, err := key.heldAppeal(cmd, c, appeal)
		if err != nil {
			return err
		}
		a, err := c.ReleaseAppeal(cmd.Context(), key.appeal(appeal), claim)
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAppeal(cmd.OutOrStdout(), kind, a)
	}))
}

// rulingFlags are the form of a ruling.
type rulingFlags struct{ outcome, file string }

func (f *rulingFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.outcome, "outcome", "", "upheld (the decision is taken back) or rejected (it stands); of an emergency order falls or stands (required)")
	cmd.Flags().StringVar(&f.file, "rationale-file", "-", "file with the rationale, - for standard input")
}

func (f *rulingFlags) form(cmd *cobra.Command) (casefile.AppealForm, error) {
	outcome := casefile.AppealOutcome(f.outcome)
	switch f.outcome {
	case "falls":
		outcome = casefile.OutcomeUpheld
	case "stands":
		outcome = casefile.OutcomeRejected
	}
	if !outcome.Valid() {
		return casefile.AppealForm{}, misuse("--outcome must be upheld or rejected; of an emergency order falls or stands")
	}
	words, err := readWords(cmd, f.file, "a rationale")
	return casefile.AppealForm{Outcome: outcome, Rationale: words}, err
}

func appealPreview(g *global) *cobra.Command {
	var f rulingFlags
	cmd := onAppeal(g, "preview", "See what a ruling would bring about, the exact notice included", func(cmd *cobra.Command, c *client.Client, appeal string) error {
		form, err := f.form(cmd)
		if err != nil {
			return err
		}
		p, err := c.PreviewRuling(cmd.Context(), appeal, form)
		if err != nil {
			return err
		}
		return g.printPreview(cmd.OutOrStdout(), p, "To rule so")
	})
	f.register(cmd)
	return cmd
}

func appealRule(g *global) *cobra.Command {
	var key verbKey
	var f rulingFlags
	var confirm string
	cmd := onAppeal(g, "rule", "Decide an appeal that you hold", func(cmd *cobra.Command, c *client.Client, appeal string) error {
		form, err := f.form(cmd)
		if err != nil {
			return err
		}
		kind, claim, err := key.heldAppeal(cmd, c, appeal)
		if err != nil {
			return err
		}
		a, err := c.RuleAppeal(cmd.Context(), review.RuleAppealCall{AppealCall: key.appeal(appeal), Claim: claim, Form: form, Preview: confirm})
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAppeal(cmd.OutOrStdout(), kind, a)
	})
	cmd.Long = `Decide an appeal that you hold. Nobody who took part in its case may. --confirm with the token that
"docket appeal preview" printed sends that very notice. A ruling cannot be withdrawn.

--outcome stands is the same as rejected, falls the same as upheld: of the review of an emergency order,
the order stands, or it falls and the suspension is taken back.`
	f.register(cmd)
	cmd.Flags().StringVar(&confirm, "confirm", "", "token of the preview that you confirm")
	return key.on(cmd)
}
