package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// TestCloseWhileTheRunContinuesAsNew: a close that is accepted while the ledger keeps the run from continuing
// as new is not forgotten by the next run.
func TestCloseWhileTheRunContinuesAsNew(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.env.RegisterActivityWithOptions(func(ctx context.Context, ask workflows.AppendAsk) (workflows.AppendAnswer, error) {
		for _, e := range ask.Entries {
			if e.Event == casefile.NewEventID(casefile.CaseChain(ref), 3) {
				time.Sleep(500 * time.Millisecond) // the ledger takes its time
			}
		}
		return s.append(ctx, ask)
	}, activity.RegisterOptions{Name: workflows.ActivityAppend, DisableAlreadyRegisteredCheck: true})
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateHold, "v2", func() any {
		return workflows.HoldArgs{Verb: verb("v2", reviewer), Claim: 1, Until: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)}
	})
	s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(workflows.SignalContinue, nil) }, 2*time.Minute+50*time.Millisecond)
	closed := s.send(2*time.Minute+150*time.Millisecond, workflows.UpdateClose, "v3", closeAs("v3", reviewer, 1, 1))
	s.run(workflows.CaseInput{}, "f1")
	closed.accepted(t)
	archived := s.archived
	if err := s.env.GetWorkflowError(); err != nil {
		next := continued(t, err)
		again := newStage(t, "f1")
		again.entries = s.entries
		again.env.RegisterDelayedCallback(again.env.CancelWorkflow, 10*time.Hour)
		again.run(next)
		archived = again.archived
		t.Log(again.states(), next.State.CloseReason)
	}
	require.Len(t, archived, 1, "the close was answered: the case closes")
}

// 2: a lead has put a deadline off; a later flag of the very same route takes it back.
func TestPromise05NoFlagUndoesALeadsDeadline(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newStage(t, "f1", "f2")
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(10*time.Minute, workflows.UpdateMoveDeadline, "w1", func() any {
		return workflows.MoveDeadlineArgs{Verb: verb("w1", lead), Deadline: casefile.DeadlineDecision, To: start.Add(90 * time.Hour), Reason: because}
	})
	s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: "f2"}) }, 50*time.Hour)
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 60*time.Hour)
	s.run(workflows.CaseInput{}, "f1")
	last := s.projected[len(s.projected)-1].State
	require.Equal(t, start.Add(90*time.Hour), last.Route.DecideBy, "only a lead moves a deadline")
	require.Empty(t, last.Missed)
	var notes []casefile.HandlingNote
	for _, p := range s.projected {
		notes = append(notes, p.State.Handled...)
	}
	require.Len(t, notes, 1, "projected once")
	require.Equal(t, casefile.HandlingNote{ID: "w1", What: casefile.HandlingDeadline, Person: lead.Person, Role: lead.Role, At: start.Add(10 * time.Minute),
		Deadline: casefile.DeadlineDecision, Until: notes[0].Until, Words: because.Words}, notes[0])
}

// 4: drafts that went along over continue-as-new are never appended by themselves.
func TestDraftsGoOnOverContinueAsNew(t *testing.T) {
	t.Parallel()
	first := newStage(t, "f1")
	first.env.RegisterDelayedCallback(func() { first.env.SignalWorkflow(workflows.SignalContinue, nil) }, 2*time.Minute)
	first.run(workflows.CaseInput{}, "f1")
	next := continued(t, first.env.GetWorkflowError())
	next.State.Chain.Drafts = []workflows.PendingDraft{{Event: casefile.NewEventID(next.State.Chain.Name, next.State.Chain.Seq+1), At: first.env.Now(),
		Draft: casefile.Draft{Type: casefile.EntryHandled, Actor: lead, Handled: &casefile.HandledBody{What: casefile.HandlingEscalated, Queue: "lead", Digest: "d"}}}}
	s := newStage(t, "f1")
	s.entries = first.entries
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 2*time.Hour)
	s.run(next)
	require.Len(t, s.entries, len(first.entries)+1, "what was drafted in the run before is appended without waiting for another verb")
}

// TestThreatClockAfterDowntimePagesOnce: workers were down for three days. People are paged once for it, not once for each
// quarter of an hour that has passed.
func TestThreatClockAfterDowntimePagesOnce(t *testing.T) {
	t.Parallel()
	first := newStage(t, "f1")
	first.send(1*time.Minute, workflows.UpdateEscalate, "v1", func() any {
		return workflows.EscalateArgs{Verb: verb("v1", reviewer), Threat: true, Reason: because}
	})
	first.env.RegisterDelayedCallback(func() { first.env.SignalWorkflow(workflows.SignalContinue, nil) }, 2*time.Minute)
	first.run(workflows.CaseInput{}, "f1")
	next := continued(t, first.env.GetWorkflowError())
	s := newStage(t, "f1")
	s.entries = first.entries
	s.env.SetStartTime(first.env.Now().Add(72 * time.Hour))
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, time.Minute)
	s.run(next)
	pages := 0
	for _, x := range s.tellings() {
		if x.Page {
			pages++
		}
	}
	require.LessOrEqual(t, pages, 2)
	require.Less(t, len(s.entries), 10)
}

// TestOpinionWhileTheRunContinuesAsNew: an opinion without a grace time that comes while the ledger keeps the
// run from continuing as new is decided, not left hanging.
func TestOpinionWhileTheRunContinuesAsNew(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.env.RegisterActivityWithOptions(func(ctx context.Context, ask workflows.AppendAsk) (workflows.AppendAnswer, error) {
		for _, e := range ask.Entries {
			if _, n, _ := e.Event.Split(); n == 3 || n == 4 {
				time.Sleep(500 * time.Millisecond) // the ledger takes its time
			}
		}
		return s.append(ctx, ask)
	}, activity.RegisterOptions{Name: workflows.ActivityAppend, DisableAlreadyRegisteredCheck: true})
	hold := func(id string) func() any {
		return func() any {
			return workflows.HoldArgs{Verb: verb(id, reviewer), Claim: 1, Until: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)}
		}
	}
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateHold, "v2", hold("v2"))
	s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(workflows.SignalContinue, nil) }, 2*time.Minute+50*time.Millisecond)
	s.send(2*time.Minute+150*time.Millisecond, workflows.UpdateHold, "v3", hold("v3"))
	given := s.send(2*time.Minute+750*time.Millisecond, workflows.UpdateOpinion, "v4", opinion("v4", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08)))
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 365*24*time.Hour)
	s.run(workflows.CaseInput{}, "f1")
	require.Equal(t, casefile.StateDecided, given.accepted(t).State)
	next := continued(t, s.env.GetWorkflowError())
	again := newStage(t, "f1")
	again.entries = s.entries
	again.run(next)
	require.Len(t, again.takedowns, 1)
}
