package recordstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func plannedAct(number int, d casefile.Direction) records.ActRow {
	return records.ActRow{
		Act:       casefile.Act{Decision: "d1", Number: number, Kind: casefile.ActLimit, Target: -1, Until: ptr(at(600))},
		Direction: d, State: casefile.ActPlanned, Undo: "undo", UndoDigest: "undo-digest", PlannedAt: at(6),
	}
}

func (b bench) plan(rows ...records.ActRow) {
	b.t.Helper()
	got, err := b.PlanActs(b.ctx(), rows)
	require.NoError(b.t, err)
	require.Equal(b.t, rows, got)
}

func actPlan(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	one, two, undo := plannedAct(1, casefile.Do), plannedAct(2, casefile.Do), plannedAct(1, casefile.Undo)
	two.Act.Kind, two.Act.Target, two.Act.Until, two.Undo, two.UndoDigest = casefile.ActRemovePost, 3, nil, "", ""
	b.plan(two, undo, one)
	again := one
	again.Undo, again.PlannedAt, again.State = "other", at(9), casefile.ActDone
	got, err := b.PlanActs(b.ctx(), []records.ActRow{again, two})
	require.NoError(t, err)
	require.Equal(t, []records.ActRow{one, two}, got, "what was planned first stands")
	got, err = b.Acts(b.ctx(), "d1")
	require.NoError(t, err)
	require.Equal(t, []records.ActRow{one, undo, two}, got)
	orphan := one
	orphan.Act.Decision = "none"
	_, err = b.PlanActs(b.ctx(), []records.ActRow{orphan})
	b.code(casefile.CodeNotFound, err)
	got, err = b.Acts(b.ctx(), "none")
	require.NoError(t, err)
	require.Empty(t, got)
}

func promise07Begin(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	row := plannedAct(1, casefile.Do)
	_, _, err := b.BeginAct(b.ctx(), row.Act, casefile.Do, at(7))
	b.code(casefile.CodeNotFound, err)
	b.plan(row, plannedAct(1, casefile.Undo))
	other := row.Act
	other.Kind = casefile.ActSuspend
	_, _, err = b.BeginAct(b.ctx(), other, casefile.Do, at(7))
	b.code(casefile.CodeConflict, err)
	started, got, err := b.BeginAct(b.ctx(), row.Act, casefile.Do, at(7))
	require.NoError(t, err)
	require.True(t, started)
	row.StartedAt = ptr(at(7))
	require.Equal(t, row, got)
	started, got, err = b.BeginAct(b.ctx(), row.Act, casefile.Do, at(8))
	require.NoError(t, err)
	require.False(t, started, "begun before, and no outcome written: nobody acts again unasked")
	require.Equal(t, row, got)
	ended, err := b.EndAct(b.ctx(), casefile.ActOutcome{Act: row.Act, Direction: casefile.Do, State: casefile.ActDone, At: at(9), Reference: "ref"})
	require.NoError(t, err)
	row.State, row.EndedAt, row.Reference = casefile.ActDone, ptr(at(9)), "ref"
	require.Equal(t, row, ended)
	_, _, err = b.BeginAct(b.ctx(), row.Act, casefile.Do, at(10))
	b.code(casefile.CodeState, err)
	started, _, err = b.BeginAct(b.ctx(), row.Act, casefile.Undo, at(11))
	require.NoError(t, err)
	require.True(t, started, "the other direction is an act of its own")
}

func promise07RacingBegin(t *testing.T, b bench) {
	const callers = 20
	b.decided(1, case1, "d1")
	row := plannedAct(1, casefile.Do)
	b.plan(row)
	started, errs := make([]bool, callers), make([]error, callers)
	race(callers, func(i int) { started[i], _, errs[i] = b.BeginAct(b.ctx(), row.Act, casefile.Do, at(7)) })
	n := 0
	for i := range callers {
		require.NoError(t, errs[i])
		if started[i] {
			n++
		}
	}
	require.Equal(t, 1, n)
}

func actFirstOutcomeStands(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	row := plannedAct(1, casefile.Do)
	outcome := casefile.ActOutcome{Act: row.Act, Direction: casefile.Do, State: casefile.ActUncertain, At: at(8), Why: "timeout"}
	_, err := b.EndAct(b.ctx(), outcome)
	b.code(casefile.CodeNotFound, err)
	b.plan(row)
	for _, none := range []casefile.ActState{casefile.ActPlanned, ""} {
		bad := outcome
		bad.State = none
		_, err = b.EndAct(b.ctx(), bad)
		b.code(casefile.CodeInvalid, err)
	}
	first, err := b.EndAct(b.ctx(), outcome)
	require.NoError(t, err)
	row.State, row.EndedAt, row.Why = casefile.ActUncertain, ptr(at(8)), "timeout"
	require.Equal(t, row, first)
	later := outcome
	later.State, later.At, later.Why, later.Reference = casefile.ActDone, at(9), "", "ref"
	again, err := b.EndAct(b.ctx(), later)
	require.NoError(t, err)
	require.Equal(t, first, again)
	rows, err := b.Acts(b.ctx(), "d1")
	require.NoError(t, err)
	require.Equal(t, []records.ActRow{first}, rows)
}
