package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
)

// reasonFlag gives a command the file of its reason: words in an argument would show in the process list.
func reasonFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "reason-file", "-", "file with the reason, - for standard input (words in an argument would show in the process list)")
}

// readWords reads somebody's words; what they are is for whoever gave none.
func readWords(cmd *cobra.Command, file, what string) (string, error) {
	data, err := readInput(cmd, file)
	if err != nil {
		return "", err
	}
	words := strings.TrimSpace(string(data))
	if words == "" {
		from := "in " + file
		if file == "-" {
			from = "on standard input"
		}
		return "", misuse("no words %s; %s is needed", from, what)
	}
	return words, nil
}

// whenFlags are the two ways to name a time ahead.
type whenFlags struct {
	at string
	in time.Duration
}

func (f *whenFlags) register(cmd *cobra.Command, at, in, what string) {
	cmd.Flags().StringVar(&f.at, at, "", what+", as a time (2026-03-02T10:00:00Z)")
	cmd.Flags().DurationVar(&f.in, in, 0, what+", as a duration from now (90m, 24h)")
}

func (f *whenFlags) time(at, in string) (time.Time, error) {
	switch {
	case (f.at == "") == (f.in == 0):
		return time.Time{}, misuse("name the time with either --%s or --%s", at, in)
	case f.in < 0:
		return time.Time{}, misuse("--%s must lie ahead", in)
	case f.in > 0:
		return time.Now().Add(f.in).UTC().Truncate(time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, f.at)
	if err != nil {
		return time.Time{}, misuse("--%s is not a time like 2026-03-02T10:00:00Z", at)
	}
	return t.UTC(), nil
}

// sent sends a verb on a case with the number of the caller's claim.
type sent func(c *client.Client, call review.VerbCall, claim int) (review.VerbAnswer, error)

// heldVerb makes a command for a verb on a case that the caller holds. ready reads options and files
// before anything is asked of the API.
func heldVerb(g *global, key *verbKey, use, short string, ready func(cmd *cobra.Command) (sent, error)) *cobra.Command {
	return onCase(g, use, short, func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		send, err := ready(cmd)
		if err != nil {
			return err
		}
		claim, err := key.held(cmd, c, ref)
		if err != nil {
			return err
		}
		a, err := send(c, key.call(ref), claim)
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	})
}

func caseSnooze(g *global) *cobra.Command {
	return untilVerb(g, "snooze", "Give a case back to its queue, to be offered to nobody until a time (at most 7 days)", (*client.Client).Snooze)
}

func caseHold(g *global) *cobra.Command {
	return untilVerb(g, "hold", "Keep a case without input until a time (at most 24 hours)", (*client.Client).Hold)
}

func untilVerb(g *global, use, short string, do func(*client.Client, context.Context, review.VerbCall, int, time.Time) (review.VerbAnswer, error)) *cobra.Command {
	var key verbKey
	var when whenFlags
	cmd := heldVerb(g, &key, use, short, func(cmd *cobra.Command) (sent, error) {
		until, err := when.time("until", "for")
		return func(c *client.Client, call review.VerbCall, claim int) (review.VerbAnswer, error) {
			return do(c, cmd.Context(), call, claim, until)
		}, err
	})
	when.register(cmd, "until", "for", "until when")
	return key.on(cmd)
}

func caseHandOver(g *global) *cobra.Command {
	var key verbKey
	var to, queue, file string
	cmd := heldVerb(g, &key, "hand-over", "Give a case that you hold to somebody else, or to another queue", func(cmd *cobra.Command) (sent, error) {
		if (to == "") == (queue == "") {
			return nil, misuse("name either a person with --to or a queue with --queue")
		}
		reason, err := readWords(cmd, file, "a reason")
		return func(c *client.Client, call review.VerbCall, claim int) (review.VerbAnswer, error) {
			return c.HandOver(cmd.Context(), review.HandOverCall{VerbCall: call, Claim: claim, To: to, Queue: queue, Reason: reason})
		}, err
	})
	cmd.Flags().StringVar(&to, "to", "", "login or pseudonym of whoever takes it")
	cmd.Flags().StringVar(&queue, "queue", "", "the queue that it goes to")
	reasonFlag(cmd, &file)
	return key.on(cmd)
}

func caseTakers(g *global) *cobra.Command {
	return onCase(g, "takers", "List to whom a case that you hold may be handed over", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		takers, err := c.Takers(cmd.Context(), ref)
		if err != nil {
			return err
		}
		return g.print(cmd.OutOrStdout(), takers, func(w io.Writer) {
			if len(takers) == 0 {
				_, _ = fmt.Fprintln(w, "nobody else takes cases from its queue")
				return
			}
			_, _ = fmt.Fprintln(w, "PERSON\tLOGIN\tNAME\tROLES\tTEAM")
			for _, t := range takers {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.Person, orDash(t.Login), plain(t.Name), rolesOf(t.Roles), orDash(t.Team))
			}
		})
	})
}

func caseRefer(g *global) *cobra.Command {
	var key verbKey
	var kind, file string
	cmd := heldVerb(g, &key, "refer", "Refer a case that you hold to another team; the case goes on", func(cmd *cobra.Command) (sent, error) {
		if !casefile.ReferralKind(kind).Valid() {
			return nil, misuse("--to must be one of child_safety, self_harm, legal, policy_team")
		}
		reason, err := readWords(cmd, file, "a reason")
		return func(c *client.Client, call review.VerbCall, claim int) (review.VerbAnswer, error) {
			return c.Refer(cmd.Context(), review.ReferCall{VerbCall: call, Claim: claim, Kind: casefile.ReferralKind(kind), Reason: reason})
		}, err
	})
	cmd.Long = `Refer a case that you hold to another team; the case goes on. A referral to child_safety or self_harm
restricts the case from then on to its holder, to leads and to that team. The receipt that is printed
is the event on the ledger that proves the referral.`
	cmd.Flags().StringVar(&kind, "to", "", "child_safety, self_harm, legal or policy_team (required)")
	reasonFlag(cmd, &file)
	return key.on(cmd)
}

func caseEscalate(g *global) *cobra.Command {
	var key verbKey
	var threat bool
	var file string
	cmd := onCase(g, "escalate", "Give a case to the lead's queue", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		reason, err := readWords(cmd, file, "a reason")
		if err != nil {
			return err
		}
		a, err := c.Escalate(cmd.Context(), review.EscalateCall{VerbCall: key.call(ref), Threat: threat, Reason: reason})
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	})
	cmd.Long = `Give a case to the lead's queue. With --threat-to-life, somebody's life is in danger: the case jumps
every queue and people are paged. It takes no claim.`
	cmd.Flags().BoolVar(&threat, "threat-to-life", false, "somebody's life is in danger")
	reasonFlag(cmd, &file)
	return key.on(cmd)
}

func caseDeadline(g *global) *cobra.Command {
	var key verbKey
	var kind, file string
	var ahead whenFlags
	cmd := onCase(g, "deadline", "Move a case's deadline; a lead's", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		if !casefile.DeadlineKind(kind).Valid() {
			return misuse("--deadline must be touch or decision")
		}
		to, err := ahead.time("to", "in")
		if err != nil {
			return err
		}
		reason, err := readWords(cmd, file, "a reason")
		if err != nil {
			return err
		}
		a, err := c.MoveDeadline(cmd.Context(), review.DeadlineCall{VerbCall: key.call(ref), Deadline: casefile.DeadlineKind(kind), To: to, Reason: reason})
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.print(cmd.OutOrStdout(), a, func(w io.Writer) {
			showAnswer(w, a)
			if !key.again { // the time that counts is that of the first call
				_, _ = fmt.Fprintf(w, "deadline %s\t%s\n", kind, when(&to))
			}
		})
	})
	cmd.Flags().StringVar(&kind, "deadline", "", "touch or decision (required)")
	ahead.register(cmd, "to", "in", "the new deadline, at most 90 days ahead")
	reasonFlag(cmd, &file)
	return key.on(cmd)
}

func caseForceRelease(g *global) *cobra.Command {
	var key verbKey
	var file string
	cmd := onCase(g, "force-release", "End somebody else's claim; a lead's", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		reason, err := readWords(cmd, file, "a reason")
		if err != nil {
			return err
		}
		a, err := c.ForceRelease(cmd.Context(), key.call(ref), reason)
		if err != nil {
			return doubtful(err, key.key)
		}
		return g.printAnswer(cmd.OutOrStdout(), a)
	})
	reasonFlag(cmd, &file)
	return key.on(cmd)
}
