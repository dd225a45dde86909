package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

func closeAs(id string, who casefile.Actor, claim, evidence int) func() any {
	return func() any {
		return workflows.CloseArgs{Verb: verb(id, who), Claim: claim, EvidenceRevision: evidence, Reason: casefile.CloseTest}
	}
}

// TestCaseFlagTakenByALostAttempt: a flag that an attempt took in before it was lost is evidence all
// the same, with its entry, and counts once.
func TestCaseFlagTakenByALostAttempt(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1", "f2")
	s.taken["f1"], s.taken["f2"] = true, true
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: "f2"}) }, 2*time.Minute)
	stale := s.send(3*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L1, casefile.VE12)))
	s.send(4*time.Minute, workflows.UpdateClose, "v3", closeAs("v3", reviewer, 1, 2))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	stale.refused(t, casefile.CodeNewEvidence, "")
	require.Equal(t, []casefile.EntryType{casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryClosed}, s.types())
}

// TestCaseOfALostRunGoesOn: a new flag takes up a case whose run was terminated: revisions, claim
// numbers and the ledger's chain go on where they stood.
func TestCaseOfALostRunGoesOn(t *testing.T) {
	t.Parallel()
	first := newStage(t, "f1")
	first.env.RegisterDelayedCallback(first.env.CancelWorkflow, time.Minute)
	first.run(workflows.CaseInput{}, "f1")
	require.Len(t, first.entries, 2)

	s := newStage(t, "f1", "f2")
	s.entries = first.entries
	s.lost = workflows.TakeInAnswer{Revision: 7, EvidenceRevision: 1, LastClaim: 3}
	next := s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateClose, "v2", closeAs("v2", reviewer, 4, 2))
	s.run(workflows.CaseInput{}, "f2")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, 4, next.accepted(t).Claim.Number)
	require.Equal(t, 8, s.projected[0].State.Revision)
	require.Equal(t, []casefile.EntryType{
		casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryRestarted, casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryClosed,
	}, s.types())
}

// TestCaseGoesOnBehindAnEntryUnderWay: an entry of the lost run comes in after the log was asked where
// the chain stands, and the case goes on behind it.
func TestCaseGoesOnBehindAnEntryUnderWay(t *testing.T) {
	t.Parallel()
	first := newStage(t, "f1")
	first.env.RegisterDelayedCallback(first.env.CancelWorkflow, time.Minute)
	first.run(workflows.CaseInput{}, "f1")

	s := newStage(t, "f1", "f2")
	s.entries = first.entries
	s.underWay = []casefile.Entry{{Event: casefile.NewEventID(casefile.CaseChain(ref), 3), Type: casefile.EntryOpinion}}
	s.lost = workflows.TakeInAnswer{Revision: 7, EvidenceRevision: 1, LastClaim: 3}
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateClose, "v2", closeAs("v2", reviewer, 4, 2))
	s.run(workflows.CaseInput{}, "f2")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, []casefile.EntryType{
		casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryOpinion, casefile.EntryRestarted, casefile.EntryFlagAccepted, casefile.EntryRoute,
		casefile.EntryClosed,
	}, s.types())
	data, err := casefile.Canonical(s.entries[2])
	require.NoError(t, err)
	require.Equal(t, casefile.EntryHash(data), s.entries[3].Prev)
}

// TestCaseOfALostRunKeepsHowItWasHandled: where it stood, for whom it waited, the deadline that a lead set,
// and the one that was missed, which is not missed again.
func TestCaseOfALostRunKeepsHowItWasHandled(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newStage(t, "f1")
	s.env.SetStartTime(start.Add(50 * time.Hour)) // both of the route's own deadlines have passed
	s.lost = workflows.TakeInAnswer{Revision: 7, EvidenceRevision: 1, LastClaim: 3, Kept: &workflows.Kept{
		Queue: "lead", Moved: true, Raised: true, Missed: []casefile.DeadlineKind{casefile.DeadlineTouch}, Led: []casefile.DeadlineKind{casefile.DeadlineDecision},
		DueAt: start.Add(24 * time.Hour), DecideBy: start.Add(90 * time.Hour), AssignedTo: other.Person,
	}}
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 10*time.Hour)
	s.run(workflows.CaseInput{}, "f1")
	last := s.projected[len(s.projected)-1].State
	require.Equal(t, "lead", last.Queue)
	require.True(t, last.Raised)
	require.Equal(t, start.Add(90*time.Hour), last.Route.DecideBy)
	require.Equal(t, []casefile.DeadlineKind{casefile.DeadlineTouch}, last.Missed)
	require.Equal(t, other.Person, last.AssignedTo)
	require.NotContains(t, s.types(), casefile.EntryDeadline)
	require.NotContains(t, kinds(s.tellings()), "case.deadline_missed")
}

// TestCaseOfALostRunVoidsOpinions: what was said in a run that was lost counts no more.
func TestCaseOfALostRunVoidsOpinions(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.lost = workflows.TakeInAnswer{Revision: 7, EvidenceRevision: 1, LastClaim: 3, VoidIDs: []string{"v0"}, Round: 2}
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateClose, "v2", closeAs("v2", reviewer, 4, 2))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, casefile.EntryRestarted, s.entries[0].Type)
	require.Equal(t, []string{"v0"}, s.projected[0].State.Voided)
	require.Equal(t, 3, s.projected[0].State.Round)
	require.Empty(t, s.projected[1].State.Voided, "said once")
}

// TestCaseOfALostRunGoesOnFromItsProof: a decision that is on the ledger is carried out although the
// run that made it is gone; a flag that came meanwhile waits for the next case.
func TestCaseOfALostRunGoesOnFromItsProof(t *testing.T) {
	t.Parallel()
	first := newStage(t, "f1")
	first.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	first.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08)))
	first.run(workflows.CaseInput{}, "f1")
	require.NoError(t, first.env.GetWorkflowError())
	require.Len(t, first.takedowns, 1)

	s := newStage(t, "f1", "f2")
	s.entries = first.entries[:4] // up to the decision
	s.lost = workflows.TakeInAnswer{Revision: 4, EvidenceRevision: 1, LastClaim: 1, Proven: (*workflows.ProvenDecision)(&first.takedowns[0])}
	s.run(workflows.CaseInput{}, "f2")
	next := continued(t, s.env.GetWorkflowError())
	require.Equal(t, []casefile.FlagKey{"f2"}, next.Pending)
	require.Equal(t, first.takedowns, s.takedowns)
	require.Equal(t, casefile.EntryClosed, s.entries[len(s.entries)-1].Type)
	require.Equal(t, []casefile.State{casefile.StateProven, casefile.StateClosed}, s.states())
}

// TestCaseOfALostRunGoesOnFromTheLedger: the run was lost after its decision was put on the ledger and
// before the records had the proof, or while the entry was still on its way.
func TestCaseOfALostRunGoesOnFromTheLedger(t *testing.T) {
	t.Parallel()
	first := newStage(t, "f1")
	first.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	first.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08)))
	first.run(workflows.CaseInput{}, "f1")
	require.NoError(t, first.env.GetWorkflowError())
	require.Len(t, first.takedowns, 1)
	require.Equal(t, casefile.EntryDecision, first.entries[3].Type)

	again := func(underWay int) *stage {
		s := newStage(t, "f1", "f2")
		s.entries, s.underWay = slices.Clone(first.entries[:4-underWay]), slices.Clone(first.entries[4-underWay:4])
		s.lost = workflows.TakeInAnswer{Revision: 3, EvidenceRevision: 1, LastClaim: 1, VoidIDs: []string{"v2"}, Unproven: &first.takedowns[0].Decision}
		return s
	}
	for underWay := range 2 {
		s := again(underWay)
		s.run(workflows.CaseInput{}, "f2")
		next := continued(t, s.env.GetWorkflowError())
		require.Equal(t, []casefile.FlagKey{"f2"}, next.Pending, "for the account's next case")
		require.Empty(t, s.taken)
		require.Equal(t, first.takedowns, s.takedowns)
		require.Equal(t, []casefile.EntryType{casefile.EntryDecision, casefile.EntryRestarted, casefile.EntryClosed}, s.types()[3:])
		require.Equal(t, []casefile.State{casefile.StateProven, casefile.StateClosed}, s.states())
		require.Empty(t, s.projected[0].State.Voided)
	}

	// The decision never reached the ledger: it is judged again, and what was said is void.
	s := again(1)
	s.underWay = nil
	s.lost.Kept = &workflows.Kept{Queue: "lead", Moved: true, Missed: []casefile.DeadlineKind{casefile.DeadlineTouch}}
	s.send(time.Minute, workflows.UpdateClaim, "v8", claim("v8", reviewer))
	s.send(2*time.Minute, workflows.UpdateClose, "v9", closeAs("v9", reviewer, 2, 2))
	s.run(workflows.CaseInput{}, "f2")
	require.NoError(t, s.env.GetWorkflowError())
	require.Empty(t, s.takedowns)
	require.Equal(t, []string{"v2"}, s.projected[0].State.Voided)
	require.Equal(t, "lead", s.projected[0].State.Queue, "and stands where it stood")
	require.Equal(t, []casefile.DeadlineKind{casefile.DeadlineTouch}, s.projected[0].State.Missed)
	require.Equal(t, []casefile.EntryType{casefile.EntryRestarted, casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryClosed}, s.types()[3:])

	// Another decision's entry is not this one's.
	s = again(0)
	other := first.takedowns[0].Decision
	other.ID = "v7"
	s.lost.Unproven = &other
	s.send(time.Minute, workflows.UpdateClaim, "v8", claim("v8", reviewer))
	s.send(2*time.Minute, workflows.UpdateClose, "v9", closeAs("v9", reviewer, 2, 2))
	s.run(workflows.CaseInput{}, "f2")
	require.NoError(t, s.env.GetWorkflowError())
	require.Empty(t, s.takedowns)
}

// TestCaseWithdrawnWhileTheGraceEnds: verbs queue up behind a slow projection while the grace time
// ends. Whichever comes first, a withdrawn decision's case is never archived as if it were decided.
func TestCaseWithdrawnWhileTheGraceEnds(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08)))
	comment := func(id string) func() any {
		return func() any { return workflows.CommentArgs{Verb: verb(id, other), Text: "words"} }
	}
	s.send(2*time.Minute+29*time.Second, workflows.UpdateComment, "c1", comment("c1"))
	back := s.send(2*time.Minute+29*time.Second, workflows.UpdateWithdraw, "v3", func() any { return workflows.WithdrawArgs{Verb: verb("v3", reviewer), Decision: "v2"} })
	s.send(2*time.Minute+29*time.Second, workflows.UpdateComment, "c2", comment("c2"))
	s.send(10*time.Minute, workflows.UpdateClaim, "v4", claim("v4", other))
	s.send(11*time.Minute, workflows.UpdateClose, "v5", closeAs("v5", other, 2, 1))
	s.within(30*time.Second).run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	if back.rejected == nil && back.err == nil {
		require.Empty(t, s.takedowns)
		require.Equal(t, casefile.CloseTest, s.archived[0].State.CloseReason)
		return
	}
	back.refused(t, casefile.CodeState, "")
	require.Len(t, s.takedowns, 1)
}

// TestCaseFloodIsTakenInByPortions: hundreds of flags of one account at once all become evidence, a
// portion at a time, with the case in its queue after the first.
func TestCaseFloodIsTakenInByPortions(t *testing.T) {
	t.Parallel()
	var flags []casefile.FlagKey
	for i := range 120 {
		flags = append(flags, casefile.FlagKey(rune('a'+i%26))+casefile.FlagKey(rune('0'+i/26)))
	}
	s := newStage(t, flags...)
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateClose, "v2", closeAs("v2", reviewer, 1, len(flags)))
	s.run(workflows.CaseInput{}, flags...)
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, len(flags)+s.assessed+1, len(s.entries))
	require.Greater(t, s.assessed, 3)
	require.Equal(t, casefile.StateQueued, s.projected[0].State.State)
}
