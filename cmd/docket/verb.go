package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
)

// verbKey is the idempotency key of one verb.
type verbKey struct {
	key string
	// again says that the caller named the key: the verb may have counted before.
	again bool
}

// on gives the command a --key. The key is made here when none is given, so that it can be told
// whatever becomes of the call.
func (k *verbKey) on(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&k.key, "key", "", "idempotency key: the same verb with the same key counts once (default: a random one)")
	do := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if strings.ContainsFunc(k.key, unicode.IsControl) {
			return misuse("--key must not hold control characters")
		}
		k.again = k.key != ""
		if !k.again {
			k.key = casefile.NewID()
		}
		return do(cmd, args)
	}
	return cmd
}

// call is the verb on a case.
func (k *verbKey) call(ref casefile.CaseRef) review.VerbCall {
	return review.VerbCall{Case: ref, Key: k.key}
}

func (g *global) printAnswer(out io.Writer, a review.VerbAnswer) error {
	return g.print(out, a, func(w io.Writer) { showAnswer(w, a) })
}

func showAnswer(w io.Writer, a review.VerbAnswer) {
	_, _ = fmt.Fprintf(w, "case\t%s\nstate\t%s\nevidence revision\t%d\n", a.Case, a.State, a.EvidenceRevision)
	if a.Claim != nil {
		_, _ = fmt.Fprintf(w, "claim\t%d until %s\n", a.Claim.Number, when(&a.Claim.ExpiresAt))
	}
	if a.Decision != "" {
		_, _ = fmt.Fprintf(w, "decision\t%s\n", a.Decision)
	}
	if a.GraceUntil != nil {
		_, _ = fmt.Fprintf(w, "can be withdrawn until\t%s\n", a.GraceUntil.UTC().Format("2006-01-02 15:04:05Z"))
	}
	if a.Referral != "" {
		_, _ = fmt.Fprintf(w, "receipt\t%s\n", plain(string(a.Referral)))
	}
	_, _ = fmt.Fprintf(w, "key\t%s\n", plain(a.Key))
}

func caseNext(g *global) *cobra.Command {
	var key verbKey
	return key.on(&cobra.Command{
		Use: "next QUEUE", Short: "Claim the next case of a queue; JSON is null when none waits", Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			a, ok, err := c.Next(cmd.Context(), args[0], key.key)
			if err != nil {
				return doubtful(err, key.key)
			}
			if ok {
				return g.printAnswer(cmd.OutOrStdout(), a)
			}
			return g.print(cmd.OutOrStdout(), nil, func(w io.Writer) {
				_, _ = fmt.Fprintf(w, "no case waits in a queue %s%s\n", plain(args[0]), elsewhere(cmd.Context(), c))
			})
		},
	})
}

// elsewhere says which queues hold cases, for whoever mistyped one.
func elsewhere(ctx context.Context, c *client.Client) string {
	queues, err := c.Queues(ctx)
	var names []string
	for _, q := range queues {
		if q.Waiting > 0 {
			names = append(names, plain(q.Name))
		}
	}
	if err != nil || len(names) == 0 {
		return ""
	}
	return "; cases wait in " + strings.Join(names, ", ")
}

func caseClaim(g *global) *cobra.Command {
	var key verbKey
	return key.on(onCase(g, "claim", "Claim a case", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		a, err := c.Claim(cmd.Context(), key.call(ref))
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	}))
}

// held reads the number of the claim that the caller holds now. A verb that is sent again may have
// ended its claim itself: it goes with none, and counts only if it counted before.
func (k *verbKey) held(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) (int, error) {
	v, err := c.Case(cmd.Context(), ref, "")
	switch {
	case err != nil:
		return 0, err
	case v.Mine:
		return v.Claim.Number, nil
	case k.again:
		return 0, nil
	}
	return 0, casefile.Errorf(casefile.CodeStaleClaim, "you do not hold case %s: claim it first", ref)
}

func caseRelease(g *global) *cobra.Command {
	var key verbKey
	return key.on(onCase(g, "release", "Give a case back to its queue", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		claim, err := key.held(cmd, c, ref)
		if err != nil {
			return err
		}
		a, err := c.Release(cmd.Context(), key.call(ref), claim)
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	}))
}

func caseComment(g *global) *cobra.Command {
	var key verbKey
	var file string
	cmd := onCase(g, "comment", "Add a comment, read from a file or standard input", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		text, err := readInput(cmd, file)
		if err != nil {
			return err
		}
		a, err := c.Comment(cmd.Context(), key.call(ref), strings.TrimRight(string(text), "\r\n"))
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	})
	cmd.Flags().StringVar(&file, "file", "-", "file with the words (words in an argument would show in the process list)")
	return key.on(cmd)
}

// maxInputBytes bounds a form or a comment read from a file: more than the API takes.
const maxInputBytes = 1 << 20

func readInput(cmd *cobra.Command, file string) ([]byte, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read the input: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxInputBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the input: %w", err)
	}
	if len(data) > maxInputBytes {
		return nil, casefile.Errorf(casefile.CodeTooLarge, "the input is longer than %d bytes", maxInputBytes)
	}
	return data, nil
}

// parseForm reads an opinion form; a field that is not one is a mistake that must not pass.
func parseForm(data []byte) (casefile.OpinionForm, error) {
	var form casefile.OpinionForm
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(&form)
	if errors.Is(err, io.EOF) {
		return form, misuse("the opinion form is empty")
	}
	if err != nil {
		return form, misuse("read the opinion form: %v", err)
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return form, misuse("read the opinion form: something follows it")
	}
	return form, nil
}

// seenFlag is the fence against deciding on evidence that one has not seen. It has no default: the
// revision of now would be no fence.
func seenFlag(cmd *cobra.Command, seen *int) {
	cmd.Flags().IntVar(seen, "evidence-revision", 0, "the evidence revision that you looked at (required)")
}

func needSeen(seen int) error {
	if seen < 1 {
		return misuse("say which evidence you looked at with --evidence-revision N: docket case show prints the number")
	}
	return nil
}

func caseOpinion(g *global) *cobra.Command {
	var key verbKey
	var file, confirm string
	var preview, emergency bool
	var seen int
	cmd := onCase(g, "opinion", "Give an opinion from a JSON form, or see what it would bring about", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		if !preview {
			err := needSeen(seen)
			if err != nil {
				return err
			}
		}
		data, err := readInput(cmd, file)
		if err != nil {
			return err
		}
		form, err := parseForm(data)
		if err != nil {
			return err
		}
		if preview {
			return g.preview(cmd, c, review.PreviewCall{Case: ref, Form: form, Emergency: emergency})
		}
		claim, err := key.held(cmd, c, ref)
		if err != nil {
			return err
		}
		a, err := c.Opinion(cmd.Context(), review.OpinionCall{
			VerbCall: key.call(ref), Claim: claim, EvidenceRevision: seen, Form: form, Preview: confirm, Emergency: emergency,
		})
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	})
	cmd.Long = `Give an opinion on a case that you hold, from a JSON form (docs/formats/opinion.md), or see with
--preview what it would bring about, the exact notice included. --confirm with the token that
--preview printed sends that very notice.`
	cmd.Example = "  docket case opinion 7K2QX-9MDT4 --file form.json --preview\n" +
		"  docket case opinion 7K2QX-9MDT4 --file form.json --evidence-revision 2 --confirm TOKEN"
	f := cmd.Flags()
	f.StringVar(&file, "file", "-", "file with the form")
	f.BoolVar(&preview, "preview", false, "only show the consequences and the exact notice")
	f.StringVar(&confirm, "confirm", "", "token of the preview that you confirm")
	f.BoolVar(&emergency, "emergency", false, "order L5 at once; somebody else reviews it within a day (senior or lead)")
	seenFlag(cmd, &seen)
	return key.on(cmd)
}

// preview shows what an opinion would do; a form with faults is an error.
func (g *global) preview(cmd *cobra.Command, c *client.Client, call review.PreviewCall) error {
	p, err := c.Preview(cmd.Context(), call)
	if err != nil {
		return err
	}
	return g.printPreview(cmd.OutOrStdout(), p, "To give this opinion")
}

func (g *global) printPreview(out io.Writer, p review.Preview, confirm string) error {
	err := g.print(out, p, func(w io.Writer) { showPreview(w, p, confirm) })
	if err == nil && len(p.Faults) > 0 {
		err = errSaid
	}
	return err
}

func showPreview(w io.Writer, p review.Preview, confirm string) {
	for _, f := range p.Faults {
		_, _ = fmt.Fprintf(w, "fault in %s: %s\n", plain(f.Field), plain(f.Message))
	}
	for _, c := range p.Consequences {
		_, _ = fmt.Fprintf(w, "- %s\n", plain(c))
	}
	if r := p.Recommendation; r != nil {
		_, _ = fmt.Fprintf(w, "\nPolicy recommends: %s\n%s\n", recommended(*r), plain(r.Reason))
	}
	if p.Notice != "" {
		_, _ = fmt.Fprintf(w, "\nNotice, exactly as it would be sent:\n%s", quoted(p.Notice))
	}
	if p.Token != "" {
		_, _ = fmt.Fprintf(w, "\n%s: --confirm %s\n", confirm, p.Token)
	}
}

// recommended is the recommended step in short.
func recommended(r review.RecommendationView) string {
	switch {
	case r.Action == "":
		return "nothing"
	case r.Days > 0:
		return fmt.Sprintf("%s for %d days", r.Action, r.Days)
	}
	return string(r.Action)
}

func caseWithdraw(g *global) *cobra.Command {
	var key verbKey
	return key.on(onCase(g, "withdraw", "Take a decision back within its grace time, where it rests on your opinion", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		a, err := c.Withdraw(cmd.Context(), key.call(ref), "")
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	}))
}

func caseClose(g *global) *cobra.Command {
	var key verbKey
	var reason string
	var seen int
	cmd := onCase(g, "close", "Close a case without a decision", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		if !casefile.CloseReason(reason).Valid() {
			return misuse("--reason must be one of duplicate, out_of_scope, account_gone, test")
		}
		err := needSeen(seen)
		if err != nil {
			return err
		}
		claim, err := key.held(cmd, c, ref)
		if err != nil {
			return err
		}
		a, err := c.Close(cmd.Context(), review.CloseCall{
			VerbCall: key.call(ref), Claim: claim, EvidenceRevision: seen, Reason: casefile.CloseReason(reason),
		})
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.print(cmd.OutOrStdout(), a, func(w io.Writer) { // its state is still the one before
			_, _ = fmt.Fprintf(w, "case\t%s\nis being closed as\t%s\nkey\t%s\n", a.Case, reason, plain(a.Key))
		})
	})
	cmd.Flags().StringVar(&reason, "reason", "", "duplicate, out_of_scope, account_gone or test (required)")
	seenFlag(cmd, &seen)
	return key.on(cmd)
}

func caseReopen(g *global) *cobra.Command {
	var key verbKey
	return key.on(onCase(g, "reopen", "Open the account of a closed case again, with its evidence", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		r, err := c.Reopen(cmd.Context(), key.call(ref))
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.print(cmd.OutOrStdout(), r, func(w io.Writer) {
			if r.Case == "" {
				_, _ = fmt.Fprintf(w, "accepted; the new case is not known yet: the same command with --key %s has it\n", plain(r.Key))
				return
			}
			_, _ = fmt.Fprintf(w, "new case\t%s\n", r.Case)
		})
	}))
}
