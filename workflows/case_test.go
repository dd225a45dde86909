package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

func TestCaseFromFlagToClosed(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	claimed := s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	decided := s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08)))
	s.within(time.Minute).run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())

	require.Equal(t, 1, claimed.accepted(t).Claim.Number)
	res := decided.accepted(t)
	require.Equal(t, casefile.StateDecided, res.State)
	require.Equal(t, "v2", res.Decision)
	require.Equal(t, []casefile.EntryType{casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryOpinion, casefile.EntryDecision, casefile.EntryClosed}, s.types())
	require.Equal(t, []casefile.State{casefile.StateQueued, casefile.StateClaimed, casefile.StateDecided, casefile.StateProven, casefile.StateClosed}, s.states())
	for i := 1; i < len(s.projected); i++ {
		require.Equal(t, s.projected[i-1].State.Revision+1, s.projected[i].State.Revision, "every projection has a revision of its own")
	}
	require.Len(t, s.takedowns, 1)
	require.Equal(t, casefile.EntryHash(s.takedowns[0].Bundle.Entry), s.archived[0].State.DecisionHash)
	last := s.projected[len(s.projected)-1]
	require.Equal(t, casefile.Address("file"), last.File)
	require.NotNil(t, last.ClosedAt)
	require.Equal(t, 5, last.State.Chain.Seq)
}

func TestCaseDecisionOfL0HasNoTakedown(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L0, casefile.VE00)))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Empty(t, s.takedowns)
	require.Equal(t, casefile.DecisionDone, s.archived[0].State.DecisionState)
}

func TestCaseThatTookNothingInOpensNoCase(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]casefile.FlagKey{"forged signal": {"forged"}, "start without a signal": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "f1")
			s.run(workflows.CaseInput{}, flags...)
			require.NoError(t, s.env.GetWorkflowError())
			require.Empty(t, s.projected)
			require.Empty(t, s.entries)
		})
	}
}

// TestPromise03NewFlagsMergeAndRefuseOldSight: new evidence refuses an opinion that was formed without it.
func TestPromise03NewFlagsMergeAndRefuseOldSight(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1", "f2")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	for i, after := range []time.Duration{2 * time.Minute, 3 * time.Minute} {
		s.env.RegisterDelayedCallback(func() {
			s.env.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: []casefile.FlagKey{"f2", "f2"}[i]})
		}, after)
	}
	stale := s.send(4*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L1, casefile.VE12)))
	fresh := s.send(5*time.Minute, workflows.UpdateOpinion, "v3", opinion("v3", reviewer, 1, 2, judgement(casefile.L1, casefile.VE12)))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	stale.refused(t, casefile.CodeNewEvidence, "")
	require.Equal(t, 2, fresh.accepted(t).EvidenceRevision, "the same flag again changes nothing")
	require.Equal(t, 2, s.assessed)
}

// TestPromise03ClaimIsFenced: a claim counts for its holder and its number alone, and as long as its lease runs.
func TestPromise03ClaimIsFenced(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	taken := s.send(2*time.Minute, workflows.UpdateClaim, "v2", claim("v2", other))
	foreign := s.send(3*time.Minute, workflows.UpdateRelease, "v3", func() any { return workflows.ReleaseArgs{Verb: verb("v3", other), Claim: 1} })
	// A heartbeat at 8 minutes keeps the lease of 10 until 18; at 20 it has run out.
	s.send(8*time.Minute, workflows.UpdateHeartbeat, "v4", func() any { return workflows.HeartbeatArgs{Verb: verb("v4", reviewer), Claim: 1} })
	held := s.send(15*time.Minute, workflows.UpdateClaim, "v5", claim("v5", other))
	next := s.send(20*time.Minute, workflows.UpdateClaim, "v6", claim("v6", other))
	late := s.send(21*time.Minute, workflows.UpdateOpinion, "v7", opinion("v7", reviewer, 1, 1, judgement(casefile.L1, casefile.VE12)))
	// The first holder claims the case again: what they began under the claim before counts no more.
	s.send(22*time.Minute, workflows.UpdateRelease, "v8", func() any { return workflows.ReleaseArgs{Verb: verb("v8", other), Claim: 2} })
	s.send(23*time.Minute, workflows.UpdateClaim, "v9", claim("v9", reviewer))
	before := s.send(24*time.Minute, workflows.UpdateOpinion, "v10", opinion("v10", reviewer, 1, 1, judgement(casefile.L1, casefile.VE12)))
	s.send(25*time.Minute, workflows.UpdateClose, "v11", func() any {
		return workflows.CloseArgs{Verb: verb("v11", reviewer), Claim: 3, EvidenceRevision: 1, Reason: casefile.CloseDuplicate}
	})
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	before.refused(t, casefile.CodeStaleClaim, "")
	taken.refused(t, casefile.CodeState, "")
	foreign.refused(t, casefile.CodeStaleClaim, "")
	held.refused(t, casefile.CodeState, "")
	require.Equal(t, 2, next.accepted(t).Claim.Number)
	late.refused(t, casefile.CodeStaleClaim, "")
	require.Equal(t, casefile.CloseDuplicate, s.archived[0].State.CloseReason)
}

func TestCaseOpinionRefusals(t *testing.T) {
	t.Parallel()
	unanswered := judgement(casefile.L1, casefile.VE12)
	delete(unanswered.Mitigations, casefile.M3)
	for name, c := range map[string]struct {
		judgement casefile.Judgement
		code      casefile.Code
		field     string
	}{
		"one mitigation missing":  {unanswered, casefile.CodeInvalid, "mitigations.M3"},
		"VE-00 with an action":    {judgement(casefile.L4, casefile.VE00), casefile.CodeInvalid, "action"},
		"unclear reference as L5": {judgement(casefile.L5, casefile.VE12), casefile.CodeInvalid, "action"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "f1")
			s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
			bad := s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, c.judgement))
			s.send(3*time.Minute, workflows.UpdateClose, "v3", func() any {
				return workflows.CloseArgs{Verb: verb("v3", reviewer), Claim: 1, EvidenceRevision: 1, Reason: casefile.CloseTest}
			})
			s.run(workflows.CaseInput{}, "f1")
			require.NoError(t, s.env.GetWorkflowError())
			bad.refused(t, c.code, c.field)
			require.NotContains(t, s.types(), casefile.EntryOpinion)
		})
	}
}

func TestCaseWithdrawWithinGrace(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08)))
	withdraw := func(id string, who casefile.Actor) func() any {
		return func() any { return workflows.WithdrawArgs{Verb: verb(id, who), Decision: "v2"} }
	}
	foreign := s.send(150*time.Second, workflows.UpdateWithdraw, "v3", withdraw("v3", other))
	back := s.send(3*time.Minute, workflows.UpdateWithdraw, "v4", withdraw("v4", reviewer))
	again := s.send(4*time.Minute, workflows.UpdateClaim, "v5", claim("v5", reviewer))
	s.send(5*time.Minute, workflows.UpdateOpinion, "v6", opinion("v6", reviewer, 2, 1, judgement(casefile.L1, casefile.VE12)))
	late := s.send(20*time.Minute, workflows.UpdateWithdraw, "v7", withdraw("v7", reviewer))
	s.within(5*time.Minute).run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	foreign.refused(t, casefile.CodeForbidden, "")
	require.Equal(t, casefile.StateQueued, back.accepted(t).State)
	require.Equal(t, 2, again.accepted(t).Claim.Number)
	require.Empty(t, late.result.Case, "the run has ended before")
	require.Equal(t, []casefile.EntryType{
		casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryOpinion, casefile.EntryWithdrawn,
		casefile.EntryOpinion, casefile.EntryDecision, casefile.EntryClosed,
	}, s.types())
	require.Len(t, s.takedowns, 1)
	require.Equal(t, "v6", s.takedowns[0].Decision.ID)
	require.Len(t, s.takedowns[0].Decision.Opinions, 1)
}

func TestCaseLateFlagOpensTheNextCase(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1", "f2")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L1, casefile.VE12)))
	s.env.RegisterDelayedCallback(func() {
		s.env.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: "f2"})
	}, 3*time.Minute)
	s.within(5*time.Minute).run(workflows.CaseInput{}, "f1")
	next := continued(t, s.env.GetWorkflowError())
	require.Nil(t, next.State)
	require.Equal(t, []casefile.FlagKey{"f2"}, next.Pending)
	require.False(t, s.taken["f2"], "the decided case does not take the late flag in")
	require.Equal(t, casefile.StateClosed, s.projected[len(s.projected)-1].State.State)
}

func TestCaseContinuesAsNewDrained(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	done := s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(workflows.SignalContinue, nil) }, 2*time.Minute)
	s.run(workflows.CaseInput{}, "f1")
	next := continued(t, s.env.GetWorkflowError())
	require.Equal(t, 1, done.accepted(t).Claim.Number)
	require.Empty(t, next.State.Chain.Drafts)
	require.Empty(t, next.State.Chain.Fixed)

	// The fresh run knows the verbs of the one before: a retry gets the first answer.
	again := newStage(t, "f1")
	again.taken["f1"] = true
	again.entries = s.entries
	retried := again.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	again.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L1, casefile.VE12)))
	again.run(next)
	require.NoError(t, again.env.GetWorkflowError())
	require.Equal(t, done.result.Revision, retried.accepted(t).Revision)
	require.Equal(t, casefile.EntryClosed, again.entries[len(again.entries)-1].Type)
}

func continued(t *testing.T, err error) workflows.CaseInput {
	t.Helper()
	var can *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &can)
	var next workflows.CaseInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(can.Input, &next))
	return next
}
