package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

var policyTeam = casefile.Actor{Person: "p-policy", Role: casefile.RolePolicy}

func erase(id string) func() any {
	return func() any { return workflows.EraseArgs{Verb: verb(id, policyTeam), Erasure: "ERASURE-1"} }
}

// TestPromise09EraseClosesTheCase: also one that somebody holds.
func TestPromise09EraseClosesTheCase(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	unnamed := s.send(3*time.Minute, workflows.UpdateErase, "v3", func() any { return workflows.EraseArgs{Verb: verb("v3", policyTeam)} })
	closed := s.send(4*time.Minute, workflows.UpdateErase, "v4", erase("v4"))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	unnamed.refused(t, casefile.CodeInvalid, "erasure")
	closed.accepted(t)
	require.Len(t, s.archived, 1)
	require.Equal(t, casefile.CloseErased, s.archived[0].State.CloseReason)
	require.Empty(t, s.takedowns)
	last := s.entries[len(s.entries)-1]
	require.Equal(t, []any{casefile.EntryClosed, policyTeam}, []any{last.Type, last.Actor})
	require.Equal(t, casefile.StateClosed, s.projected[len(s.projected)-1].State.State)
}

// TestPromise09EraseWaitsForADecision: what is decided is carried out.
func TestPromise09EraseWaitsForADecision(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1").within(10 * time.Minute)
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08)))
	refused := s.send(3*time.Minute, workflows.UpdateErase, "v3", erase("v3"))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	refused.refused(t, casefile.CodeState, "")
	require.Equal(t, casefile.CloseDecided, s.archived[0].State.CloseReason)
	require.Len(t, s.takedowns, 1)
}
