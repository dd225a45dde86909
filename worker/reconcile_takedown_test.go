package worker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// A run of a stranger's workflow took the takedown's id and "came to its end": nothing was planned, nothing done.
func TestReconcileFindsASquattedTakedown(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	row := n.decided("AAAAA-AAAAA", casefile.L5, casefile.DecisionRecorded)
	n.cluster.runs[casefile.TakedownWorkflowID("AAAAA-AAAAA", row.Decision.ID)] = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	require.Len(t, n.once().Found, 1, "a proven decision that nobody carries out is found")
}

// A timed act whose end is uncertain waits in its takedown for a person; the takedown is deleted.
func TestReconcileUncertainEndOfALostTakedown(t *testing.T) {
	t.Parallel()
	n := newTown(t)
	row := n.decided("AAAAA-AAAAA", casefile.L5, casefile.DecisionDone)
	act := casefile.PlanActs(row.Decision, 1)[0]
	for _, dir := range []casefile.Direction{casefile.Do, casefile.Undo} {
		_, err := n.store.PlanActs(t.Context(), []records.ActRow{{Act: act, Direction: dir, State: casefile.ActPlanned, Undo: "undo", UndoDigest: "digest", PlannedAt: noon}})
		require.NoError(t, err)
	}
	_, err := n.store.EndAct(t.Context(), casefile.ActOutcome{Act: act, Direction: casefile.Do, State: casefile.ActDone, At: noon})
	require.NoError(t, err)
	later := noon.Add(8 * 24 * time.Hour)
	_, err = n.store.EndAct(t.Context(), casefile.ActOutcome{Act: act, Direction: casefile.Undo, State: casefile.ActUncertain, At: later, Why: "no_lookup"})
	require.NoError(t, err)
	require.NoError(t, n.store.AdvanceDecision(t.Context(), row.Decision.ID, casefile.DecisionUncertain, "no_lookup", nil, later))
	require.Len(t, n.once().Found, 1, "somebody must be able to settle it: only the takedown's workflow takes that word")
}
