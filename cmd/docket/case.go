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

func caseCommand(g *global) *cobra.Command {
	return group("case", "List, open, claim and decide cases",
		caseQueues(g), caseList(g), caseFind(g), caseShow(g), caseNext(g), caseClaim(g), caseRelease(g),
		caseComment(g), caseOpinion(g), caseWithdraw(g), caseClose(g), caseReopen(g), caseSnooze(g), caseHold(g), caseHandOver(g), caseTakers(g),
		caseEscalate(g), caseDeadline(g), caseForceRelease(g), caseRefer(g))
}

func caseQueues(g *global) *cobra.Command {
	return &cobra.Command{
		Use: "queues", Short: "Show what waits in each queue", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.client()
			if err != nil {
				return err
			}
			queues, err := c.Queues(cmd.Context())
			if err != nil {
				return err
			}
			return g.print(cmd.OutOrStdout(), queues, func(w io.Writer) {
				_, _ = fmt.Fprintln(w, "QUEUE\tWAITING\tCLAIMED\tOVERDUE\tSNOOZED\tOLDEST\tNEXT DUE\tTEAM")
				for _, q := range queues {
					_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", plain(q.Name), q.Waiting, q.Claimed, q.Overdue, q.Snoozed, when(q.Oldest), when(q.NextDue), orDash(q.Team))
				}
			})
		},
	}
}

// marks are what sets a case apart from others in a list.
func marks(c review.CaseRow) []string {
	var out []string
	if c.Threat {
		out = append(out, "THREAT TO LIFE")
	}
	if c.Stage == casefile.StageAdjudication {
		out = append(out, "two opinions differ")
	}
	for _, m := range c.Missed {
		out = append(out, "missed "+string(m))
	}
	if c.Raised && !c.Threat && len(c.Missed) == 0 {
		out = append(out, "half of its time is over")
	}
	if c.SnoozedUntil != nil {
		out = append(out, "snoozed until "+when(c.SnoozedUntil))
	}
	if c.AssignedTo != "" {
		out = append(out, "handed over to "+string(c.AssignedTo))
	}
	if c.Restricted != "" {
		out = append(out, "restricted to "+string(c.Restricted))
	}
	return out
}

func (g *global) printPage(out io.Writer, page review.CasePage) error {
	return g.print(out, page, func(w io.Writer) {
		if len(page.Cases) == 0 {
			_, _ = fmt.Fprintln(w, "no cases")
			return
		}
		_, _ = fmt.Fprintln(w, "CASE\tSTATE\tQUEUE\tSEV\tCONF\tDUE\tOPENED\tFLAGS\tHOLDER\tMARKS")
		for _, c := range page.Cases {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%d\t%s\t%s\n",
				c.Case, c.State, c.Queue, c.Severity, c.Confidence, when(c.DueAt), when(&c.OpenedAt), c.Flags, c.Holder, strings.Join(marks(c), ", "))
		}
		if page.Total != nil {
			_, _ = fmt.Fprintf(w, "%d found\n", *page.Total)
		}
		if page.Next != "" {
			_, _ = fmt.Fprintf(w, "more: --cursor %s\n", page.Next)
		}
	})
}

func caseList(g *global) *cobra.Command {
	var state, queue, cursor string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List cases by state, or a queue in its order", Args: takes(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if state != "" && queue != "" {
				return misuse("--state and --queue do not go together: a queue holds the cases that wait or are claimed")
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			var page review.CasePage
			if queue != "" {
				page, err = c.QueueCases(cmd.Context(), queue, cursor, limit)
			} else {
				page, err = c.Cases(cmd.Context(), casefile.State(state), cursor, limit)
			}
			if err != nil {
				return err
			}
			return g.printPage(cmd.OutOrStdout(), page)
		},
	}
	f := cmd.Flags()
	f.StringVar(&state, "state", "", "only cases in this state: new, queued, claimed, decided, proven or closed")
	f.StringVar(&queue, "queue", "", "this queue, in the order in which its cases are handed out")
	f.StringVar(&cursor, "cursor", "", "go on where an earlier page ended")
	f.IntVar(&limit, "limit", 0, "cases on the page (default 50, at most 200)")
	return cmd
}

// maxFindBytes bounds the words read from standard input.
const maxFindBytes = 4096

func caseFind(g *global) *cobra.Command {
	var q review.Query
	var state, policy, action string
	cmd := &cobra.Command{
		Use: "find [WORDS|-]", Short: "Look for cases by number, notice, account id, handle, profile address or words of the evidence", Args: takes(0, 1),
		Long: `Look for cases by number, by the number on a notice, by account id, by a handle that the account has or had, by
the address of its profile, or by words of the evidence.

What stands on a command line shows in this machine's process list and the shell's history: give -
and write handles and words on standard input.`,
		Example: "  docket case find 7K2QX-9MDT4\n  docket case find - < words.txt",
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			q.Text, err = findWords(cmd, args)
			if err != nil {
				return err
			}
			q.State, q.Policy, q.Action = casefile.State(state), casefile.PolicyCode(policy), casefile.Action(action)
			c, err := g.client()
			if err != nil {
				return err
			}
			page, err := c.Find(cmd.Context(), q)
			if err != nil {
				return err
			}
			return g.printPage(cmd.OutOrStdout(), page)
		},
	}
	f := cmd.Flags()
	f.StringVar(&state, "state", "", "only cases in this state: new, queued, claimed, decided, proven or closed")
	f.StringVar(&q.Queue, "queue", "", "only cases of this queue")
	f.StringVar(&policy, "policy", "", "only cases with this policy code, such as VE-08")
	f.StringVar(&action, "action", "", "only cases decided with this action, such as L5")
	f.StringVar(&q.Platform, "platform", "", "only cases of this platform")
	f.StringVar(&q.Cursor, "cursor", "", "go on where an earlier page ended")
	f.IntVar(&q.Limit, "limit", 0, "cases on the page (default 50, at most 200)")
	return cmd
}

func findWords(cmd *cobra.Command, args []string) (string, error) {
	switch {
	case len(args) == 0:
		return "", nil
	case args[0] != "-":
		return args[0], nil
	}
	data, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxFindBytes+1))
	if err != nil {
		return "", fmt.Errorf("read the words: %w", err)
	}
	words := strings.TrimSpace(string(data))
	switch {
	case words == "":
		return "", misuse("no words on standard input")
	case len(data) > maxFindBytes:
		return "", misuse("more than %d bytes on standard input", maxFindBytes)
	}
	return words, nil
}

// onCase makes a command whose one argument is a case number.
func onCase(g *global, use, short string, do func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " CASE", Short: short, Args: takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := casefile.ParseCaseRef(args[0])
			if err != nil {
				return err
			}
			c, err := g.client()
			if err != nil {
				return err
			}
			return do(cmd, c, ref)
		},
	}
}

func caseShow(g *global) *cobra.Command {
	var purpose string
	cmd := onCase(g, "show", "Open a case; the look goes on record", func(cmd *cobra.Command, c *client.Client, ref casefile.CaseRef) error {
		v, err := c.Case(cmd.Context(), ref, purpose)
		if err != nil {
			return err
		}
		if g.json {
			return g.print(cmd.OutOrStdout(), v, nil)
		}
		return showCase(cmd.OutOrStdout(), v)
	})
	cmd.Flags().StringVar(&purpose, "purpose", "", "why: review, appeal, support, policy or audit (default: the usual one of your role)")
	return cmd
}
