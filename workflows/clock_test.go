package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// tellings lists what people were told of.
func (s *stage) tellings() []workflows.Telling {
	var out []workflows.Telling
	for _, p := range s.projected {
		out = append(out, p.Tellings...)
	}
	return out
}

func kinds(all []workflows.Telling) []string {
	var out []string
	for _, t := range all {
		out = append(out, t.Kind)
	}
	return out
}

// last is the state as it was last projected in the given queue; it fails where there is none.
func (s *stage) lastIn(queue string) workflows.CaseState {
	s.t.Helper()
	for i := len(s.projected) - 1; i >= 0; i-- {
		if s.projected[i].State.Queue == queue {
			return s.projected[i].State
		}
	}
	s.t.Fatalf("never stood in %s", queue)
	return workflows.CaseState{}
}

// TestDeadlinesOfACaseNobodyTouches: at half of each deadline it rises and its team is told, at the
// end it goes to the lead's queue and onto the ledger.
func TestDeadlinesOfACaseNobodyTouches(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 72*time.Hour)
	s.run(workflows.CaseInput{}, "f1")
	require.Equal(t, []string{"case.half_due", "case.deadline_missed", "case.half_due", "case.deadline_missed"}, kinds(s.tellings()))
	require.Equal(t, []casefile.EntryType{casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryDeadline, casefile.EntryDeadline}, s.types())
	last := s.lastIn("lead")
	require.True(t, last.Raised)
	require.Equal(t, []casefile.DeadlineKind{casefile.DeadlineTouch, casefile.DeadlineDecision}, last.Missed)
	seen := map[string]bool{}
	for _, x := range s.tellings() {
		require.False(t, seen[x.ID], "each telling has an id of its own")
		seen[x.ID] = true
	}
}

// TestDeadlinesStandStill: snoozing, holding, handing over and escalating move no deadline; a lead
// does, with a reason.
func TestDeadlinesStandStill(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newStage(t, "f1")
	s.settings.Lease = time.Hour
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateHold, "v2", func() any {
		return workflows.HoldArgs{Verb: verb("v2", reviewer), Claim: 1, Until: start.Add(20 * time.Hour)}
	})
	s.send(3*time.Minute, workflows.UpdateSnooze, "v3", func() any {
		return workflows.SnoozeArgs{Verb: verb("v3", reviewer), Claim: 1, Until: start.Add(47 * time.Hour)}
	})
	s.send(4*time.Minute, workflows.UpdateClaim, "v4", claim("v4", reviewer))
	s.send(5*time.Minute, workflows.UpdateHandOver, "v5", func() any {
		return workflows.HandOverArgs{Verb: verb("v5", reviewer), Claim: 2, To: other.Person, Reason: because}
	})
	notHis := s.send(6*time.Minute, workflows.UpdateClaim, "v6", claim("v6", third))
	s.send(7*time.Minute, workflows.UpdateClaim, "v7", claim("v7", other))
	s.send(8*time.Minute, workflows.UpdateEscalate, "v8", func() any { return workflows.EscalateArgs{Verb: verb("v8", other), Reason: because} })
	junior := s.send(9*time.Minute, workflows.UpdateMoveDeadline, "v9", func() any {
		return workflows.MoveDeadlineArgs{Verb: verb("v9", senior), Deadline: casefile.DeadlineDecision, To: start.Add(90 * time.Hour), Reason: because}
	})
	mute := s.send(9*time.Minute, workflows.UpdateMoveDeadline, "w0", func() any {
		return workflows.MoveDeadlineArgs{Verb: verb("w0", lead), Deadline: casefile.DeadlineDecision, To: start.Add(90 * time.Hour)}
	})
	s.send(10*time.Minute, workflows.UpdateMoveDeadline, "w1", func() any {
		return workflows.MoveDeadlineArgs{Verb: verb("w1", lead), Deadline: casefile.DeadlineDecision, To: start.Add(90 * time.Hour), Reason: because}
	})
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 100*time.Hour)
	s.run(workflows.CaseInput{}, "f1")
	notHis.refused(t, casefile.CodeState, "")
	junior.refused(t, casefile.CodeForbidden, "")
	mute.refused(t, casefile.CodeInvalid, "reason")
	var decideBy []time.Time
	for _, p := range s.projected {
		if n := len(decideBy); n == 0 || !decideBy[n-1].Equal(p.State.Route.DecideBy) {
			decideBy = append(decideBy, p.State.Route.DecideBy)
		}
	}
	require.Equal(t, []time.Time{start.Add(48 * time.Hour), start.Add(90 * time.Hour)}, decideBy)
	var what []string
	for _, e := range s.entries {
		if e.Type == casefile.EntryHandled {
			what = append(what, string(e.Body))
		}
	}
	require.Len(t, what, 5)
	require.Equal(t, "lead", s.projected[len(s.projected)-1].State.Queue)
	require.Equal(t, casefile.EntryDeadline, s.entries[len(s.entries)-1].Type)
}

func TestHoldKeepsTheClaimWithoutInput(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := newStage(t, "f1")
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	tooLong := s.send(2*time.Minute, workflows.UpdateHold, "v2", func() any {
		return workflows.HoldArgs{Verb: verb("v2", reviewer), Claim: 1, Until: start.Add(30 * time.Hour)}
	})
	s.send(3*time.Minute, workflows.UpdateHold, "v3", func() any {
		return workflows.HoldArgs{Verb: verb("v3", reviewer), Claim: 1, Until: start.Add(10 * time.Hour)}
	})
	s.send(4*time.Minute, workflows.UpdateHeartbeat, "v4", func() any { return workflows.HeartbeatArgs{Verb: verb("v4", reviewer), Claim: 1} })
	held := s.send(9*time.Hour, workflows.UpdateClaim, "v5", claim("v5", other))
	force := s.send(9*time.Hour+time.Minute, workflows.UpdateForceRelease, "v6", func() any { return workflows.ForceReleaseArgs{Verb: verb("v6", senior), Reason: because} })
	s.send(9*time.Hour+2*time.Minute, workflows.UpdateForceRelease, "v7", func() any { return workflows.ForceReleaseArgs{Verb: verb("v7", lead), Reason: because} })
	free := s.send(9*time.Hour+3*time.Minute, workflows.UpdateClaim, "v8", claim("v8", other))
	s.send(9*time.Hour+4*time.Minute, workflows.UpdateForceRelease, "v9", func() any {
		return workflows.ForceReleaseArgs{Verb: verb("v9", admin), Disabled: true}
	})
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 10*time.Hour)
	s.run(workflows.CaseInput{}, "f1")
	tooLong.refused(t, casefile.CodeInvalid, "until")
	held.refused(t, casefile.CodeState, "")
	force.refused(t, casefile.CodeForbidden, "")
	require.Equal(t, 2, free.accepted(t).Claim.Number)
	require.Equal(t, casefile.StateQueued, s.projected[len(s.projected)-1].State.State)
}

// TestForceReleaseFreesWhatWasHandedOver: a case that waits for somebody who was disabled is anybody's
// again; the verb for one person's case touches nobody else's.
func TestForceReleaseFreesWhatWasHandedOver(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	free := func(id string, of casefile.Person) func() any {
		return func() any {
			return workflows.ForceReleaseArgs{Verb: verb(id, admin), Disabled: true, Person: of}
		}
	}
	nobody := s.send(time.Minute, workflows.UpdateForceRelease, "v0", free("v0", other.Person))
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateHandOver, "v2", func() any {
		return workflows.HandOverArgs{Verb: verb("v2", reviewer), Claim: 1, To: other.Person, Reason: because}
	})
	kept := s.send(3*time.Minute, workflows.UpdateClaim, "v3", claim("v3", reviewer))
	wrong := s.send(4*time.Minute, workflows.UpdateForceRelease, "v4", free("v4", reviewer.Person))
	s.send(5*time.Minute, workflows.UpdateForceRelease, "v5", free("v5", other.Person))
	freed := s.send(6*time.Minute, workflows.UpdateClaim, "v6", claim("v6", reviewer))
	late := s.send(7*time.Minute, workflows.UpdateForceRelease, "v7", free("v7", other.Person))
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 8*time.Minute)
	s.run(workflows.CaseInput{}, "f1")
	nobody.refused(t, casefile.CodeState, "")
	kept.refused(t, casefile.CodeState, "")
	wrong.refused(t, casefile.CodeState, "")
	require.Equal(t, 2, freed.accepted(t).Claim.Number)
	late.refused(t, casefile.CodeState, "")
	require.Equal(t, casefile.StateClaimed, s.projected[len(s.projected)-1].State.State)
	require.Contains(t, string(s.entries[len(s.entries)-1].Body), string(casefile.HandlingDisabled))
}

// TestThreatToLife: it comes before everything, pages, and pages again until somebody takes it up.
func TestThreatToLife(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(1*time.Minute, workflows.UpdateEscalate, "v1", func() any {
		return workflows.EscalateArgs{Verb: verb("v1", reviewer), Threat: true, Reason: because}
	})
	again := s.send(2*time.Minute, workflows.UpdateEscalate, "v2", func() any {
		return workflows.EscalateArgs{Verb: verb("v2", reviewer), Threat: true, Reason: because}
	})
	s.send(50*time.Minute, workflows.UpdateClaim, "v3", claim("v3", lead))
	s.send(51*time.Minute, workflows.UpdateClose, "v4", closeAs("v4", lead, 1, 1))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	again.refused(t, casefile.CodeState, "")
	pages := 0
	for _, x := range s.tellings() {
		if x.Page {
			pages++
		}
	}
	require.Equal(t, 1+1+3, pages, "at once, at half, and at each quarter of an hour that nobody came")
	require.True(t, s.lastIn("lead").Threat)
}

// TestThreatClockComesBack: a threat to life that nobody has in hand any more pages again, whether the
// lease of who took it up ran out or somebody else's long hold ended; who holds the case and goes on with
// it has it in hand.
func TestThreatClockComesBack(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	threat := func(id string, who casefile.Actor) func() any {
		return func() any { return workflows.EscalateArgs{Verb: verb(id, who), Threat: true, Reason: because} }
	}
	pages := func(s *stage) (at []time.Duration) {
		for _, p := range s.projected {
			for _, x := range p.Tellings {
				if x.Page && x.Kind != "case.threat" {
					at = append(at, x.DueAt.Sub(start))
				}
			}
		}
		return at
	}
	t.Run("a lease ran out", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "f1")
		s.send(1*time.Minute, workflows.UpdateEscalate, "v1", threat("v1", reviewer))
		s.send(2*time.Minute, workflows.UpdateClaim, "v2", claim("v2", lead)) // and goes home: until 12:12
		s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 40*time.Minute)
		s.run(workflows.CaseInput{}, "f1")
		require.Equal(t, []time.Duration{27 * time.Minute, 27 * time.Minute}, pages(s), "at half of it, and at its end")
	})
	t.Run("somebody else holds it", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "f1")
		s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
		s.send(2*time.Minute, workflows.UpdateHold, "v2", func() any {
			return workflows.HoldArgs{Verb: verb("v2", reviewer), Claim: 1, Until: start.Add(20 * time.Hour)}
		})
		s.send(3*time.Minute, workflows.UpdateEscalate, "v3", threat("v3", other))
		s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 40*time.Minute)
		s.run(workflows.CaseInput{}, "f1")
		require.Equal(t, []time.Duration{18 * time.Minute, 18 * time.Minute, 33 * time.Minute}, pages(s))
	})
	t.Run("the holder goes on", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "f1")
		s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
		s.send(3*time.Minute, workflows.UpdateEscalate, "v3", threat("v3", other))
		for n := range 8 {
			id := fmt.Sprint("h", n)
			s.send(time.Duration(4+5*n)*time.Minute, workflows.UpdateHeartbeat, id, func() any { return workflows.HeartbeatArgs{Verb: verb(id, reviewer), Claim: 1} })
		}
		s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 40*time.Minute)
		s.run(workflows.CaseInput{}, "f1")
		require.Empty(t, pages(s))
	})
}

func TestReferralRestrictsAndHasItsReceipt(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	refer := func(id string, k casefile.ReferralKind) func() any {
		return func() any { return workflows.ReferArgs{Verb: verb(id, reviewer), Claim: 1, Kind: k, Reason: because} }
	}
	s.send(2*time.Minute, workflows.UpdateRefer, "v2", refer("v2", casefile.ReferChildSafety))
	twice := s.send(3*time.Minute, workflows.UpdateRefer, "v3", refer("v3", casefile.ReferChildSafety))
	nowhere := s.send(3*time.Minute, workflows.UpdateRefer, "v4", refer("v4", "elsewhere"))
	s.send(4*time.Minute, workflows.UpdateClose, "v5", closeAs("v5", reviewer, 1, 1))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	twice.refused(t, casefile.CodeState, "")
	nowhere.refused(t, casefile.CodeInvalid, "kind")
	x := s.archived[0].State.Referrals
	require.Len(t, x, 1)
	require.Equal(t, casefile.EventID("case.7K2QX-9MDT4/3"), x[0].Event)
	require.Equal(t, casefile.EntryReferred, s.entries[2].Type)
}

// TestUnknownFindingsLowerNothing: a second flag whose findings could not be had leaves severity,
// queue and deadlines where they were; a person's move stands as well.
func TestUnknownFindingsLowerNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1", "f2", "f3")
	s.answers = func(a *workflows.AssessAnswer) {
		if s.assessed == 2 {
			a.Findings = []casefile.FindingCode{{Kind: casefile.FindingScore, Status: casefile.StatusFailed}}
			a.Route.Severity, a.Route.Queue, a.Route.DecideBy = 1, "borderline", a.Route.DecideBy.Add(24*time.Hour)
		}
		if s.assessed == 3 {
			a.Route.Severity, a.Route.Queue, a.Route.DueAt = 7, "threat", a.Route.DueAt.Add(-23*time.Hour)
		}
	}
	for i, f := range []casefile.FlagKey{"f2", "f3"} {
		s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: f}) }, time.Duration(i+1)*time.Minute)
	}
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 10*time.Minute)
	s.run(workflows.CaseInput{}, "f1")
	require.Len(t, s.projected, 3)
	require.Equal(t, 4, s.projected[1].State.Route.Severity)
	require.Equal(t, "speech", s.projected[1].State.Queue)
	require.Equal(t, s.projected[0].State.Route.DecideBy, s.projected[1].State.Route.DecideBy)
	require.Equal(t, 7, s.projected[2].State.Route.Severity)
	require.Equal(t, "threat", s.projected[2].State.Queue)
	require.Equal(t, s.projected[0].State.Route.DueAt.Add(-23*time.Hour), s.projected[2].State.Route.DueAt)
}

// TestUnknownFindingsLowerNoConfidence: the scorer is down when a second flag comes. Within its severity
// the case keeps its place.
func TestUnknownFindingsLowerNoConfidence(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1", "f2")
	s.answers = func(a *workflows.AssessAnswer) {
		if s.assessed == 2 {
			a.Findings = []casefile.FindingCode{{Kind: casefile.FindingScore, Status: casefile.StatusFailed}}
			a.Route.Confidence = 0
		}
	}
	s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: "f2"}) }, time.Minute)
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 10*time.Minute)
	s.run(workflows.CaseInput{}, "f1")
	require.Len(t, s.projected, 2)
	require.Equal(t, 2, s.projected[1].State.Route.Confidence)
}
