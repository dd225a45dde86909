package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// TestPromise04OnePersonDecidesNoL6: whoever reaches the workflow, one person's L6 changes nothing.
func TestPromise04OnePersonDecidesNoL6(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	alone := s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L6, casefile.VE03)))
	service := s.send(3*time.Minute, workflows.UpdateOpinion, "v3",
		opinion("v3", casefile.Actor{Person: reviewer.Person, Role: casefile.RoleService}, 1, 1, judgement(casefile.L1, casefile.VE12)))
	s.send(4*time.Minute, workflows.UpdateClose, "v4", func() any {
		return workflows.CloseArgs{Verb: verb("v4", reviewer), Claim: 1, EvidenceRevision: 1, Reason: casefile.CloseTest}
	})
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	alone.refused(t, casefile.CodeNeedsSecond, "action")
	service.refused(t, casefile.CodeForbidden, "")
	require.Empty(t, s.takedowns)
	require.NotContains(t, s.types(), casefile.EntryOpinion)
}

// TestPromise06NothingDecidesByItself: a case that nobody touches stays in its queue, whatever its
// findings and however long it waits.
func TestPromise06NothingDecidesByItself(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(365*24*time.Hour, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(365*24*time.Hour+time.Minute, workflows.UpdateClose, "v2", func() any {
		return workflows.CloseArgs{Verb: verb("v2", reviewer), Claim: 1, EvidenceRevision: 1, Reason: casefile.CloseTest}
	})
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Empty(t, s.takedowns)
	require.Equal(t, []casefile.EntryType{casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryClosed}, s.types())
	require.Equal(t, reviewer, s.entries[2].Actor, "who closed it stands on the ledger")
	require.Equal(t, []casefile.State{casefile.StateQueued, casefile.StateClaimed, casefile.StateClosed}, s.states())
}
