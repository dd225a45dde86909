package recordstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func (b bench) endAct(a casefile.Act, d casefile.Direction, state casefile.ActState, minutes int) records.ActRow {
	b.t.Helper()
	row, err := b.EndAct(b.ctx(), casefile.ActOutcome{Act: a, Direction: d, State: state, At: at(minutes), Why: "why"})
	require.NoError(b.t, err)
	return row
}

func actPending(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	two, _ := b.decided(2, case2, "d2")
	_, err := b.Case(b.ctx(), case1)
	require.NoError(t, err)
	// d1: one of each stage, and one that came to a good end; d2: one that waits since before all.
	var acts []records.ActRow
	for n := range 6 {
		a := plannedAct(n+1, casefile.Do)
		a.PlannedAt = at(10 + n)
		acts = append(acts, a)
	}
	undo := plannedAct(6, casefile.Undo)
	undo.PlannedAt = at(15)
	b.plan(append(acts, undo)...)
	old := plannedAct(1, casefile.Do)
	old.Act.Decision, old.PlannedAt = "d2", at(1)
	b.plan(old)
	_, _, err = b.BeginAct(b.ctx(), acts[1].Act, casefile.Do, at(20))
	require.NoError(t, err)
	b.endAct(acts[2].Act, casefile.Do, casefile.ActUncertain, 21)
	b.endAct(acts[3].Act, casefile.Do, casefile.ActFailed, 22)
	b.endAct(acts[4].Act, casefile.Do, casefile.ActDone, 23)
	b.endAct(acts[5].Act, casefile.Do, casefile.ActSkipped, 24)

	type found struct {
		key   string
		stage records.ActStage
	}
	read := func(platform string, stage records.ActStage, limit int) (out []found) {
		t.Helper()
		after := ""
		for {
			list, next, err := b.PendingActs(b.ctx(), platform, stage, after, limit)
			require.NoError(t, err)
			for _, p := range list {
				out = append(out, found{p.Act.Key(p.Direction), p.Stage})
			}
			if next == "" {
				return out
			}
			require.Len(t, list, limit)
			after = next
		}
	}
	all := []found{
		{"d2/1/do", records.ActWaiting}, {"d1/1/do", records.ActWaiting}, {"d1/2/do", records.ActRetrying}, {"d1/3/do", records.ActUncertain},
		{"d1/4/do", records.ActFailed}, {"d1/6/undo", records.ActWaiting},
	}
	for limit := 1; limit <= 7; limit++ {
		require.Equal(t, all, read("", "", limit), "the longest waiting first")
		require.Equal(t, all, read(platform, "", limit))
		require.Equal(t, []found{all[0], all[1], all[5]}, read("", records.ActWaiting, limit))
		require.Equal(t, all[2:3], read(platform, records.ActRetrying, limit))
		require.Equal(t, all[3:4], read("", records.ActUncertain, limit))
		require.Equal(t, all[4:5], read("", records.ActFailed, limit))
		require.Empty(t, read("elsewhere", "", limit))
	}
	list, _, err := b.PendingActs(b.ctx(), "", "", "", 1)
	require.NoError(t, err)
	require.Equal(t, []records.PendingAct{{ActRow: old, Case: case2, Platform: platform, Account: two.Account, Stage: records.ActWaiting}}, list)
	_, _, err = b.PendingActs(b.ctx(), "", "late", "", 1)
	b.code(casefile.CodeInvalid, err)
	_, _, err = b.PendingActs(b.ctx(), "", "", "", 0)
	b.code(casefile.CodeInvalid, err)
	_, _, err = b.PendingActs(b.ctx(), "", "", "next page", 1)
	requireCursorFault(t, err, "no cursor")

	// What a decision's end left behind is waited for by nobody.
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionFailed, "x", nil, at(30)))
	require.Equal(t, []found{all[0], all[2], all[3], all[4], all[5]}, read("", "", 10), "what was never begun will not be")
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionUndone, "", nil, at(31)))
	require.Equal(t, []found{all[0], all[2], all[3], all[5]}, read("", "", 10), "what failed was taken back with the rest")
}

func actAttempts(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	row := plannedAct(1, casefile.Do)
	note := func(code string, when time.Time) error {
		return b.NoteAttempt(b.ctx(), row.Act, casefile.Do, code, when)
	}
	b.code(casefile.CodeNotFound, note("unavailable", at(7)))
	b.plan(row)
	other := row.Act
	other.Kind = casefile.ActSuspend
	b.code(casefile.CodeConflict, b.NoteAttempt(b.ctx(), other, casefile.Do, "x", at(7)))
	require.NoError(t, note("unavailable", at(7)))
	require.NoError(t, note("unavailable", at(7)), "the same attempt, told again")
	require.NoError(t, note("timeout", at(8)))
	row.Tries, row.LastError, row.TriedAt = 2, "timeout", ptr(at(8))
	stands := func(want records.ActRow) {
		t.Helper()
		list, err := b.Acts(b.ctx(), "d1")
		require.NoError(t, err)
		require.Equal(t, []records.ActRow{want}, list)
	}
	stands(row)
	row = b.endAct(row.Act, casefile.Do, casefile.ActDone, 9)
	require.Equal(t, 2, row.Tries)
	require.NoError(t, note("late", at(10)))
	stands(row)
}

// promise07Settle: the first outcome stands, but that of an uncertain act until somebody has
// established it, once.
func promise07Settle(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	acts := []records.ActRow{plannedAct(1, casefile.Do), plannedAct(2, casefile.Do), plannedAct(3, casefile.Do), plannedAct(1, casefile.Undo)}
	b.plan(acts...)
	outcome := func(a records.ActRow, state casefile.ActState, minutes int) casefile.ActOutcome {
		return casefile.ActOutcome{Act: a.Act, Direction: a.Direction, State: state, At: at(minutes), Reference: "ref", By: "p-lead"}
	}
	refused := func(o casefile.ActOutcome, want casefile.Code) {
		t.Helper()
		_, err := b.SettleAct(b.ctx(), o)
		b.code(want, err)
	}
	refused(outcome(acts[0], casefile.ActDone, 8), casefile.CodeState) // planned
	b.endAct(acts[1].Act, casefile.Do, casefile.ActDone, 8)
	refused(outcome(acts[1], casefile.ActDone, 9), casefile.CodeState) // done without anybody's word
	uncertain := b.endAct(acts[0].Act, casefile.Do, casefile.ActUncertain, 8)
	for _, state := range []casefile.ActState{casefile.ActPlanned, casefile.ActUncertain, casefile.ActSkipped, casefile.ActUndone, ""} {
		refused(outcome(acts[0], state, 9), casefile.CodeInvalid)
	}
	refused(casefile.ActOutcome{Act: acts[0].Act, Direction: casefile.Do, State: casefile.ActDone}, casefile.CodeInvalid)
	missing := outcome(acts[0], casefile.ActDone, 9)
	missing.Act.Number = 9
	refused(missing, casefile.CodeNotFound)
	other := outcome(acts[0], casefile.ActDone, 9)
	other.Act.Kind = casefile.ActTerminate
	refused(other, casefile.CodeConflict)
	got, err := b.EndAct(b.ctx(), outcome(acts[0], casefile.ActDone, 9))
	require.NoError(t, err)
	require.Equal(t, uncertain, got, "an attempt's outcome settles nothing")

	want := uncertain
	want.State, want.EndedAt, want.Reference, want.Why, want.SettledBy = casefile.ActDone, ptr(at(9)), "ref", "", "p-lead"
	got, err = b.SettleAct(b.ctx(), outcome(acts[0], casefile.ActDone, 9))
	require.NoError(t, err)
	require.Equal(t, want, got)
	again := outcome(acts[0], casefile.ActDone, 10)
	again.By = "p-other"
	got, err = b.SettleAct(b.ctx(), again)
	require.NoError(t, err)
	require.Equal(t, want, got, "a repeat is answered with what stands")
	refused(outcome(acts[0], casefile.ActFailed, 11), casefile.CodeState)
	_, _, err = b.BeginAct(b.ctx(), acts[0].Act, casefile.Do, at(12))
	b.code(casefile.CodeState, err)

	// Nobody need have said so: the platform may know by now.
	b.endAct(acts[3].Act, casefile.Undo, casefile.ActUncertain, 8)
	failed := outcome(acts[3], casefile.ActFailed, 12)
	failed.By, failed.Why = "", "not_done"
	for range 2 {
		got, err = b.SettleAct(b.ctx(), failed)
		require.NoError(t, err)
		require.Equal(t, casefile.ActFailed, got.State)
		require.Empty(t, got.SettledBy)
	}

	const callers = 10
	b.endAct(acts[2].Act, casefile.Do, casefile.ActUncertain, 8)
	errs := make([]error, callers)
	race(callers, func(i int) {
		state := []casefile.ActState{casefile.ActDone, casefile.ActFailed}[i%2]
		_, errs[i] = b.SettleAct(b.ctx(), outcome(acts[2], state, 13))
	})
	lost := 0
	for _, err := range errs {
		if err != nil {
			b.code(casefile.CodeState, err)
			lost++
		}
	}
	require.Equal(t, callers/2, lost, "one of the two outcomes stands")
}

func actsOfAccount(t *testing.T, b bench) {
	one, _ := b.decided(1, case1, "d1")
	b.closed(one, at(6))
	b.decided(1, case2, "d2")
	b.decided(2, case3, "d3")
	act := func(decision string, number int, kind casefile.ActKind, state casefile.ActState, minutes int) records.ActRow {
		a := records.ActRow{Act: casefile.Act{Decision: decision, Number: number, Kind: kind, Target: -1}, Direction: casefile.Do, State: casefile.ActPlanned, PlannedAt: at(6)}
		b.plan(a)
		if state == casefile.ActPlanned {
			return a
		}
		return b.endAct(a.Act, casefile.Do, state, minutes)
	}
	undo := func(a records.ActRow, state casefile.ActState) {
		a.Direction = casefile.Undo
		a = records.ActRow{Act: a.Act, Direction: casefile.Undo, State: casefile.ActPlanned, PlannedAt: at(30)}
		b.plan(a)
		if state != casefile.ActPlanned {
			b.endAct(a.Act, casefile.Undo, state, 31)
		}
	}
	warn := act("d1", 1, casefile.ActWarn, casefile.ActDone, 10)
	limit := act("d2", 1, casefile.ActLimit, casefile.ActDone, 12)
	suspend := act("d2", 2, casefile.ActSuspend, casefile.ActDone, 11)
	act("d2", 3, casefile.ActLabel, casefile.ActFailed, 13)
	act("d2", 4, casefile.ActLabel, casefile.ActUncertain, 13)
	act("d2", 5, casefile.ActLabel, casefile.ActPlanned, 13)
	act("d3", 1, casefile.ActTerminate, casefile.ActDone, 14)
	check := func(want ...records.ActRow) {
		t.Helper()
		got, err := b.AccountActs(b.ctx(), accountKeyOf(1))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	check(limit, suspend, warn)
	undo(limit, casefile.ActUncertain)
	undo(suspend, casefile.ActPlanned)
	check(limit, suspend, warn) // not taken back yet, as far as anybody knows
	_, err := b.SettleAct(b.ctx(), casefile.ActOutcome{Act: limit.Act, Direction: casefile.Undo, State: casefile.ActDone, At: at(40), By: "p-lead"})
	require.NoError(t, err)
	check(suspend, warn)
	b.endAct(suspend.Act, casefile.Undo, casefile.ActSkipped, 41)
	check(warn)
	list, err := b.AccountActs(b.ctx(), accountKeyOf(9))
	require.NoError(t, err)
	require.Empty(t, list)
}

// decisionEnds: what was uncertain goes on to any end, what is done may end or be taken back, and
// nothing goes back.
func decisionEnds(t *testing.T, b bench) {
	n := 0
	fresh := func(way ...casefile.DecisionState) string {
		n++
		id := "d" + string(rune('a'+n))
		b.decided(n, casefile.CaseRef("CASE0-0000"+string(rune('A'+n))), id)
		for i, state := range way {
			require.NoError(t, b.AdvanceDecision(b.ctx(), id, state, "", nil, at(6+i)))
		}
		return id
	}
	const (
		recorded, executing, uncertain = casefile.DecisionRecorded, casefile.DecisionExecuting, casefile.DecisionUncertain
		done, ended, undone, failed    = casefile.DecisionDone, casefile.DecisionEnded, casefile.DecisionUndone, casefile.DecisionFailed
	)
	for _, end := range []casefile.DecisionState{done, failed, ended, undone} {
		id := fresh(executing, uncertain)
		require.NoError(t, b.AdvanceDecision(b.ctx(), id, end, "", nil, at(20)))
		require.Equal(t, end, b.decisionRow(id).State)
	}
	id := fresh(executing, done, ended)
	for _, back := range []casefile.DecisionState{casefile.DecisionGrace, casefile.DecisionWithdrawn, recorded, executing, done, uncertain, failed} {
		b.code(casefile.CodeState, b.AdvanceDecision(b.ctx(), id, back, "", nil, at(20)))
	}
	require.NoError(t, b.AdvanceDecision(b.ctx(), id, undone, "", nil, at(21)), "an appeal may still be upheld")
	for _, back := range []casefile.DecisionState{casefile.DecisionGrace, recorded, executing, uncertain, done, ended, failed} {
		b.code(casefile.CodeState, b.AdvanceDecision(b.ctx(), id, back, "", nil, at(22)))
	}
	for _, back := range []casefile.DecisionState{casefile.DecisionGrace, casefile.DecisionWithdrawn, recorded} {
		b.code(casefile.CodeState, b.AdvanceDecision(b.ctx(), fresh(executing, uncertain), back, "", nil, at(20)))
	}
}
