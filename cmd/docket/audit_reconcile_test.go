package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/worker"
)

func TestAuditReconcile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Contains(t, b.as("lead", "audit", "reconcile").bad(t), "reconcile.run")
	r := b.as("auditor", "audit", "reconcile")
	require.Equal(t, 1, r.code, "this one was not compared")
	require.Regexp(t, `(?m)^result +NOT COMPARED with the log$`, r.out)

	whole := worker.LedgerReport{Compared: true, Entries: 12, Decisions: 3, Acts: 4, Appeals: 1, InFlight: 2}
	differs, damaged, stopped := whole, whole, whole
	differs.Differences = []worker.Difference{{Missing: worker.MissingRow, Type: casefile.EntryActsPlanned, Event: "takedown.D/1", Decision: "D", Act: 2, Direction: casefile.Do, What: "gone"}}
	stopped.Differences, stopped.Stopped = []worker.Difference{{Type: casefile.EntryAppealRuling, Appeal: "A\x1b[2J", What: "gone"}}, true
	damaged.Faults = []verify.Fault{{Kind: verify.FaultHash, File: "tile/0/000", What: "bad"}}
	for name, c := range map[string]struct {
		ledger worker.LedgerReport
		code   int
		want   []string
	}{
		"agrees":       {whole, 0, []string{`compared +3 decisions, 4 acts, 1 appeals with 12 entries$`, `under way +2$`, `result +records and log agree$`, `missing +case AAAAA-AAAAA, started again$`, `behind +takedown D, NOT STARTED: unavailable$`}},
		"differs":      {differs, 1, []string{`DIFFERENCE +acts_planned takedown\.D/1, decision D, act 2 \(do\): gone$`, `result +THEY DIFFER: 1 differences, 0 faults of the log$`}},
		"a lot":        {stopped, 1, []string{`DIFFERENCE +appeal_ruling, appeal A[^\x1b]*: gone$`, `result +THEY DIFFER: 1 differences and more$`}},
		"damaged":      {damaged, 1, []string{`FAULT +tile/0/000: bad$`, `result +THEY DIFFER: 0 differences, 1 faults of the log$`}},
		"no key":       {worker.LedgerReport{Code: casefile.CodeNotFound}, 1, []string{`NOT COMPARED with the log: the serve role needs ledger.url and ledger.verifier_key$`}},
		"another key":  {worker.LedgerReport{Code: casefile.CodeUnproven, Faults: damaged.Faults}, 1, []string{`FAULT +tile/0/000: bad$`, `NOT COMPARED with the log: unproven$`}},
		"no log there": {worker.LedgerReport{Code: casefile.CodeUnavailable}, 1, []string{`NOT COMPARED with the log: unavailable$`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Options.Reconciler = review.ReconcilerFunc[worker.Report](func(context.Context) (worker.Report, error) {
				return worker.Report{Cases: 5, Ledger: &c.ledger, Found: []worker.Found{
					{Kind: worker.FoundMissing, Thing: worker.FoundCase, ID: "AAAAA-AAAAA", Started: true},
					{Kind: worker.FoundBehind, Thing: worker.FoundTakedown, ID: "D", Code: casefile.CodeUnavailable},
				}}, nil
			})
			*b.Desk = *review.New(b.Options)
			r := b.as("auditor", "audit", "reconcile")
			require.Equal(t, c.code, r.code, r.err)
			for _, want := range c.want {
				require.Regexp(t, `(?m)^`+`.*`+want, r.out)
			}
			r = b.as("auditor", "audit", "reconcile", "--json")
			require.Equal(t, c.code, r.code)
			var report worker.Report
			r.code = 0
			r.decode(t, &report)
			require.Equal(t, 5, report.Cases)
			require.Equal(t, c.ledger, *report.Ledger)
		})
	}
}
