package recordstest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

var bundle = &casefile.Bundle{
	Format: casefile.BundleFormat, Entry: []byte(`{"v":1}`), Index: 7, Path: [][]byte{{1}, {2, 3}}, Checkpoint: "checkpoint\n",
}

func (b bench) decisionRow(id string) records.DecisionRow {
	b.t.Helper()
	row, err := b.Decision(b.ctx(), id)
	require.NoError(b.t, err)
	return row
}

func decisionProject(t *testing.T, b bench) {
	c, d := b.decided(1, case1, "d1")
	want := records.DecisionRow{Decision: d, State: casefile.DecisionGrace, Counter: 1, UpdatedAt: at(5)}
	require.Equal(t, want, b.decisionRow("d1"))
	project := func(minutes int, row records.DecisionRow) {
		c.Revision++
		require.NoError(t, b.Project(b.ctx(), records.Projection{Case: c, Decision: &row, Now: at(minutes)}))
	}
	project(6, records.DecisionRow{Decision: d, State: casefile.DecisionGrace, Counter: 40})
	require.Equal(t, want, b.decisionRow("d1"), "the same again moves no counter")
	project(7, records.DecisionRow{Decision: d, State: casefile.DecisionGrace, Event: "case.x/4", Hash: "h4"})
	want.Event, want.Hash, want.Counter, want.UpdatedAt = "case.x/4", "h4", 2, at(7)
	require.Equal(t, want, b.decisionRow("d1"))
	project(8, records.DecisionRow{Decision: d, State: casefile.DecisionRecorded, Event: "case.x/4", Hash: "h4", Bundle: bundle})
	want.State, want.Bundle, want.Counter, want.UpdatedAt = casefile.DecisionRecorded, bundle, 3, at(8)
	require.Equal(t, want, b.decisionRow("d1"))
	project(9, records.DecisionRow{Decision: d, State: casefile.DecisionRecorded})
	require.Equal(t, want, b.decisionRow("d1"), "event and proof are not taken back")

	// A withdrawn decision stays listed beside the next one.
	two := b.queued(2, case2, route("q", 1, 1, at(60)), start)
	first, second := decision("z-first", two, at(1)), decision("a-second", two, at(2))
	for i, row := range []records.DecisionRow{
		{Decision: first, State: casefile.DecisionGrace}, {Decision: first, State: casefile.DecisionWithdrawn, Why: "withdrawn"},
		{Decision: second, State: casefile.DecisionGrace},
	} {
		two.Revision++
		require.NoError(t, b.Project(b.ctx(), records.Projection{Case: two, Decision: &row, Now: at(i)}))
	}
	rows, err := b.CaseDecisions(b.ctx(), case2)
	require.NoError(t, err)
	require.Equal(t, []records.DecisionRow{
		{Decision: second, State: casefile.DecisionGrace, Counter: 1, UpdatedAt: at(2)},
		{Decision: first, State: casefile.DecisionWithdrawn, Why: "withdrawn", Counter: 2, UpdatedAt: at(1)},
	}, rows)
	_, err = b.Decision(b.ctx(), "none")
	b.code(casefile.CodeNotFound, err)
	rows, err = b.CaseDecisions(b.ctx(), case3)
	require.NoError(t, err)
	require.Empty(t, rows)
}

func decisionAdvance(t *testing.T, b bench) {
	c, d := b.decided(1, case1, "d1")
	strike := &records.Strike{Account: c.Account, Decision: "d1", At: at(9), ExpiresAt: at(99)}
	b.code(casefile.CodeNotFound, b.AdvanceDecision(b.ctx(), "none", casefile.DecisionExecuting, "", nil, at(6)))
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionExecuting, "", nil, at(6)))
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionExecuting, "again", strike, at(7)))
	want := records.DecisionRow{Decision: d, State: casefile.DecisionExecuting, Counter: 2, UpdatedAt: at(6)}
	require.Equal(t, want, b.decisionRow("d1"))
	strikes, err := b.Strikes(b.ctx(), c.Account, at(10))
	require.NoError(t, err)
	require.Empty(t, strikes, "a repeat of the same state changes nothing")
	b.code(casefile.CodeInvalid, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionDone, "", &records.Strike{Decision: "d2"}, at(8)))
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionUncertain, "timeout", nil, at(8)))
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionDone, "", strike, at(9)))
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionDone, "", strike, at(10)))
	want.State, want.Counter, want.UpdatedAt = casefile.DecisionDone, 4, at(9)
	require.Equal(t, want, b.decisionRow("d1"))
	strikes, err = b.Strikes(b.ctx(), c.Account, at(10))
	require.NoError(t, err)
	require.Equal(t, []records.Strike{*strike}, strikes)
}

func decisionNeverBack(t *testing.T, b bench) {
	c, d := b.decided(1, case1, "d1")
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionExecuting, "", nil, at(6)))
	c.Revision++
	err := b.Project(b.ctx(), records.Projection{Case: c, Now: at(7),
		Decision: &records.DecisionRow{Decision: d, State: casefile.DecisionRecorded, Event: "case.x/4", Hash: "h4", Bundle: bundle}})
	require.NoError(t, err)
	want := records.DecisionRow{Decision: d, State: casefile.DecisionExecuting, Counter: 3, Event: "case.x/4", Hash: "h4", Bundle: bundle, UpdatedAt: at(7)}
	require.Equal(t, want, b.decisionRow("d1"), "a late projection brings the proof, and leaves the takedown's state")
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionDone, "", nil, at(8)))
	for _, back := range []casefile.DecisionState{casefile.DecisionGrace, casefile.DecisionWithdrawn, casefile.DecisionRecorded, casefile.DecisionExecuting} {
		b.code(casefile.CodeState, b.AdvanceDecision(b.ctx(), "d1", back, "", nil, at(9)))
	}
	require.Equal(t, casefile.DecisionDone, b.decisionRow("d1").State)
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionUndone, "", nil, at(10)))
	require.Equal(t, casefile.DecisionUndone, b.decisionRow("d1").State)
}

// decisionRacing races projections of a case with its takedown: neither takes back what the other wrote.
func decisionRacing(t *testing.T, b bench) {
	const rounds = 10
	for i := range rounds {
		id := fmt.Sprintf("d%d", i)
		c, d := b.decided(i, casefile.CaseRef(fmt.Sprintf("CASE0-0000%d", i)), id)
		errs := make([]error, 2)
		race(2, func(n int) {
			if n == 0 {
				errs[n] = b.AdvanceDecision(b.ctx(), id, casefile.DecisionExecuting, "", nil, at(6))
				return
			}
			p := c
			p.Revision++
			errs[n] = b.Project(b.ctx(), records.Projection{Case: p, Now: at(6),
				Decision: &records.DecisionRow{Decision: d, State: casefile.DecisionGrace, Event: "case.x/4", Hash: "h4", Bundle: bundle}})
		})
		require.NoError(t, errs[0])
		require.NoError(t, errs[1])
		require.Equal(t, records.DecisionRow{
			Decision: d, State: casefile.DecisionExecuting, Counter: 3, Event: "case.x/4", Hash: "h4", Bundle: bundle, UpdatedAt: at(6),
		}, b.decisionRow(id))
	}
}

// every checks that all decisions are listed, by id, each with its acts.
func (b bench) every(t *testing.T, want ...string) {
	t.Helper()
	for limit := 1; limit < 4; limit++ {
		var ids []string
		for after := ""; ; {
			rows, err := b.EveryDecision(b.ctx(), after, limit)
			require.NoError(t, err)
			for _, row := range rows {
				after = row.Decision.ID
				ids = append(ids, after)
				require.Equal(t, b.decisionRow(after), row.DecisionRow)
				acts, err := b.Acts(b.ctx(), after)
				require.NoError(t, err)
				require.ElementsMatch(t, acts, row.Acts)
			}
			if len(rows) < limit {
				break
			}
		}
		require.Equal(t, want, ids)
	}
}

func decisionUnfinished(t *testing.T, b bench) {
	all := func() []string {
		t.Helper()
		var ids []string
		for after := ""; ; {
			rows, err := b.UnfinishedDecisions(b.ctx(), after, 1)
			require.NoError(t, err)
			if len(rows) == 0 {
				return ids
			}
			require.Len(t, rows, 1)
			after = rows[0].Decision.ID
			require.Equal(t, b.decisionRow(after), rows[0])
			ids = append(ids, after)
		}
	}
	advance := func(id string, s casefile.DecisionState) {
		t.Helper()
		require.NoError(t, b.AdvanceDecision(b.ctx(), id, s, "", nil, at(20)))
	}
	_, err := b.UnfinishedDecisions(b.ctx(), "", 0)
	b.code(casefile.CodeInvalid, err)
	_, err = b.EveryDecision(b.ctx(), "", 0)
	b.code(casefile.CodeInvalid, err)
	b.every(t)
	c, _ := b.decided(1, case1, "d1")
	b.every(t, "d1")
	require.Empty(t, all(), "it may still be withdrawn")
	advance("d1", casefile.DecisionRecorded)
	two := b.queued(2, case2, route("q", 1, 1, at(60)), start)
	timed := decision("d0", two, at(1))
	timed.Action, timed.Days = casefile.L5, 7
	two.Revision++
	require.NoError(t, b.Project(b.ctx(), records.Projection{Case: two, Decision: &records.DecisionRow{Decision: timed, State: casefile.DecisionRecorded}, Now: at(2)}))
	require.Equal(t, []string{"d0", "d1"}, all())
	for _, s := range []casefile.DecisionState{casefile.DecisionExecuting, casefile.DecisionUncertain} {
		advance("d1", s)
		require.Equal(t, []string{"d0", "d1"}, all(), s)
	}
	n := noticeRow("N1", "d1", c.Ref)
	_, err = b.PutNotice(b.ctx(), n)
	require.NoError(t, err)
	advance("d1", casefile.DecisionDone)
	require.Equal(t, []string{"d0", "d1"}, all(), "the person was not told")
	require.NoError(t, b.SetNoticeState(b.ctx(), "N1", casefile.NoticeSent, at(21)))
	advance("d0", casefile.DecisionDone)
	require.Equal(t, []string{"d0"}, all(), "its act ends by itself")
	advance("d0", casefile.DecisionEnded)
	require.Empty(t, all())
}
