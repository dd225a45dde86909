package workflows_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

var (
	third  = casefile.Actor{Person: "p-third", Role: casefile.RoleReviewer}
	senior = casefile.Actor{Person: "p-senior", Role: casefile.RoleSenior}
	lead   = casefile.Actor{Person: "p-lead", Role: casefile.RoleLead}
	admin  = casefile.Actor{Person: "p-admin", Role: casefile.RoleAdmin}
)

var because = workflows.Reason{Words: "words", Digest: "reason-digest"}

// TestPromise04TwoPeopleEndAnAccount: L6 stands on two opinions formed apart, and on nothing less.
func TestPromise04TwoPeopleEndAnAccount(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	first := s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L6, casefile.VE03)))
	again := s.send(3*time.Minute, workflows.UpdateClaim, "v3", claim("v3", reviewer))
	s.send(4*time.Minute, workflows.UpdateClaim, "v4", claim("v4", other))
	second := s.send(5*time.Minute, workflows.UpdateOpinion, "v5", opinion("v5", other, 2, 1, judgement(casefile.L6, casefile.VE03)))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, casefile.StateQueued, first.accepted(t).State, "it stands in its queue like any other")
	require.Empty(t, first.result.Decision)
	again.refused(t, casefile.CodeForbidden, "")
	require.Equal(t, casefile.StateDecided, second.accepted(t).State)
	require.Len(t, s.takedowns, 1)
	d := s.takedowns[0].Decision
	require.Equal(t, casefile.ByTwoOpinions, d.DecidedBy)
	require.Equal(t, []casefile.Person{reviewer.Person, other.Person}, []casefile.Person{d.Opinions[0].Person, d.Opinions[1].Person})
	require.Equal(t, []casefile.EventID{"case.7K2QX-9MDT4/3", "case.7K2QX-9MDT4/4"}, d.OpinionEvents)
}

// TestPromise04TheFirstOpinionIsBlind: until the second is in, nothing that the workflow writes holds
// the first: not its ledger entry, and no projection but as an opinion to be sealed.
func TestPromise04TheFirstOpinionIsBlind(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	j := judgement(casefile.L6, casefile.VE04)
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, j))
	s.send(4*time.Minute, workflows.UpdateClaim, "v4", claim("v4", other))
	s.send(5*time.Minute, workflows.UpdateRelease, "v5", func() any { return workflows.ReleaseArgs{Verb: verb("v5", other), Claim: 2} })
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 10*time.Minute)
	s.run(workflows.CaseInput{}, "f1")
	for _, e := range s.entries {
		require.NotContains(t, string(e.Body), "VE-04")
		require.NotContains(t, string(e.Body), "L6")
	}
	var plain, before workflows.CaseState
	for _, p := range s.projected {
		if p.State.State != casefile.StateQueued {
			continue
		}
		if len(p.State.Opinions) == 0 {
			before = p.State
			continue
		}
		plain = p.State
	}
	require.Equal(t, before.Queue, plain.Queue)
	require.Equal(t, before.Stage, plain.Stage)
	require.Equal(t, before.Route, plain.Route)
	require.Nil(t, plain.Decision)
}

// TestPromise04WhereTwoDiffer: a lead who sees both decides, and ends an account only where one of the
// two spoke for it.
func TestPromise04WhereTwoDiffer(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L6, casefile.VE03)))
	s.send(3*time.Minute, workflows.UpdateClaim, "v3", claim("v3", other))
	differ := s.send(4*time.Minute, workflows.UpdateOpinion, "v4", opinion("v4", other, 2, 1, judgement(casefile.L5, casefile.VE08)))
	another := s.send(5*time.Minute, workflows.UpdateClaim, "v5", claim("v5", third))
	s.send(6*time.Minute, workflows.UpdateClaim, "v6", claim("v6", lead))
	s.send(7*time.Minute, workflows.UpdateOpinion, "v7", opinion("v7", lead, 3, 1, judgement(casefile.L6, casefile.VE03)))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, casefile.StateQueued, differ.accepted(t).State)
	another.refused(t, casefile.CodeForbidden, "")
	d := s.takedowns[0].Decision
	require.Equal(t, casefile.ByAdjudication, d.DecidedBy)
	require.Equal(t, 2, d.Standing)
	require.Equal(t, casefile.L6, d.Action)
	var adjudication workflows.ProjectAsk
	for _, p := range s.projected {
		if p.State.Stage == casefile.StageAdjudication && adjudication.State.Ref == "" {
			adjudication = p
		}
	}
	require.Equal(t, "lead", adjudication.State.Queue)
	require.Len(t, adjudication.Opinions, 2, "now both are shown")
	require.Len(t, adjudication.Tellings, 1)
}

func TestPromise04NoAdjudicatorEndsAnAccountAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.deciding.TwoActions = []casefile.Action{casefile.L5, casefile.L3}
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE03)))
	s.send(3*time.Minute, workflows.UpdateClaim, "v3", claim("v3", other))
	s.send(4*time.Minute, workflows.UpdateOpinion, "v4", opinion("v4", other, 2, 1, judgement(casefile.L5, casefile.VE08)))
	s.send(6*time.Minute, workflows.UpdateClaim, "v6", claim("v6", lead))
	alone := s.send(7*time.Minute, workflows.UpdateOpinion, "v7", opinion("v7", lead, 3, 1, judgement(casefile.L6, casefile.VE03)))
	s.send(8*time.Minute, workflows.UpdateOpinion, "v8", opinion("v8", lead, 3, 1, judgement(casefile.L5, casefile.VE08)))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	alone.refused(t, casefile.CodeNeedsSecond, "action")
	require.Equal(t, casefile.L5, s.takedowns[0].Decision.Action)
}

// TestPromise04AShareIsSecondedLikeTheRest: a decision that needs one opinion is seconded in the same way.
func TestPromise04AShareIsSecondedLikeTheRest(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.deciding = casefile.Deciding{SamplePermille: 50, Draw: 3, LeadQueue: "lead"}
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	first := s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L1, casefile.VE12)))
	s.send(3*time.Minute, workflows.UpdateClaim, "v3", claim("v3", other))
	s.send(4*time.Minute, workflows.UpdateOpinion, "v4", opinion("v4", other, 2, 1, judgement(casefile.L1, casefile.VE12)))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, casefile.StateQueued, first.accepted(t).State)
	require.Equal(t, casefile.ByTwoOpinions, s.takedowns[0].Decision.DecidedBy)
}

// TestPromise04ClosingLosesNoOpinion: whoever closes a case without knowing of an opinion on it puts it
// before a lead, who sees nothing of it either, and decides it.
func TestPromise04ClosingLosesNoOpinion(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateOpinion, "v2", opinion("v2", reviewer, 1, 1, judgement(casefile.L6, casefile.VE03)))
	s.send(3*time.Minute, workflows.UpdateClaim, "v3", claim("v3", other))
	closed := s.send(4*time.Minute, workflows.UpdateClose, "v4", closeAs("v4", other, 2, 1))
	s.send(5*time.Minute, workflows.UpdateClaim, "v5", claim("v5", lead))
	again := s.send(6*time.Minute, workflows.UpdateClose, "v6", closeAs("v6", lead, 3, 1))
	s.send(7*time.Minute, workflows.UpdateOpinion, "v7", opinion("v7", lead, 3, 1, judgement(casefile.L6, casefile.VE03)))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, casefile.StateQueued, closed.accepted(t).State)
	require.Equal(t, "lead", s.projected[4].State.Queue)
	again.refused(t, casefile.CodeState, "")
	for _, p := range s.projected {
		require.NotEqual(t, casefile.StageAdjudication, p.State.Stage, "nobody was shown the first opinion")
	}
	require.Equal(t, casefile.ByTwoOpinions, s.takedowns[0].Decision.DecidedBy, "each formed without sight of the other")
}

// TestPromise04AShareOfClosingsGoesToALead: so that a closing that goes to one tells nothing of an opinion.
// The lead, who is told of none, closes the case, or decides it.
func TestPromise04AShareOfClosingsGoesToALead(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.deciding = casefile.Deciding{SamplePermille: 50, Draw: 3, LeadQueue: "lead"}
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	first := s.send(2*time.Minute, workflows.UpdateClose, "v2", closeAs("v2", reviewer, 1, 1))
	s.send(3*time.Minute, workflows.UpdateClaim, "v3", claim("v3", lead))
	s.send(4*time.Minute, workflows.UpdateClose, "v4", closeAs("v4", lead, 2, 1))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, casefile.StateQueued, first.accepted(t).State)
	require.Equal(t, "lead", s.projected[2].State.Queue)
	require.Equal(t, casefile.CloseTest, s.archived[0].State.CloseReason)
	require.Equal(t, lead.Person, s.entries[len(s.entries)-1].Actor.Person)
}

func TestPromise04EmergencyOrder(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1").within(time.Hour)
	order := func(id string, who casefile.Actor, n int, j casefile.Judgement) func() any {
		return func() any {
			a := opinion(id, who, n, 1, j)().(workflows.OpinionArgs)
			a.Emergency = true
			return a
		}
	}
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	junior := s.send(2*time.Minute, workflows.UpdateOpinion, "v2", order("v2", reviewer, 1, judgement(casefile.L5, casefile.VE01)))
	s.send(3*time.Minute, workflows.UpdateRelease, "v3", func() any { return workflows.ReleaseArgs{Verb: verb("v3", reviewer), Claim: 1} })
	s.send(4*time.Minute, workflows.UpdateClaim, "v4", claim("v4", senior))
	end := s.send(5*time.Minute, workflows.UpdateOpinion, "v5", order("v5", senior, 2, judgement(casefile.L6, casefile.VE01)))
	s.send(6*time.Minute, workflows.UpdateOpinion, "v6", order("v6", senior, 2, judgement(casefile.L5, casefile.VE01)))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	junior.refused(t, casefile.CodeForbidden, "")
	end.refused(t, casefile.CodeInvalid, "action")
	d := s.takedowns[0].Decision
	require.Equal(t, casefile.ByEmergency, d.DecidedBy)
	require.Less(t, s.env.Now().Sub(d.DecidedAt), time.Minute, "at once, without a grace time")
	require.Equal(t, []workflows.AppealInput{{Appeal: "REVIEW-1"}}, s.appeals)
	require.Equal(t, d.DecidedAt.Add(24*time.Hour), s.reviews[0].DueAt)
}

// TestPromise04ForgedVerbsChangeNothing: what the API did not sign, or signed for something else, is
// refused before it touches anything.
func TestPromise04ForgedVerbsChangeNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	wrong := func(change func(*workflows.OpinionArgs)) func() any {
		return func() any {
			a := sign(workflows.UpdateOpinion, casefile.CaseChain(ref), opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08))()).(workflows.OpinionArgs)
			change(&a)
			return a
		}
	}
	forged := map[string]*answer{
		"no signature":          s.send(2*time.Minute, workflows.UpdateOpinion, "a1", wrong(func(a *workflows.OpinionArgs) { a.Assertion = &casefile.Assertion{} })),
		"another judgement":     s.send(2*time.Minute, workflows.UpdateOpinion, "a2", wrong(func(a *workflows.OpinionArgs) { a.Judgement.Days = 365 })),
		"another person":        s.send(2*time.Minute, workflows.UpdateOpinion, "a3", wrong(func(a *workflows.OpinionArgs) { a.Actor = other })),
		"another role":          s.send(2*time.Minute, workflows.UpdateOpinion, "a4", wrong(func(a *workflows.OpinionArgs) { a.Actor.Role = casefile.RoleLead })),
		"another id":            s.send(2*time.Minute, workflows.UpdateOpinion, "a5", wrong(func(a *workflows.OpinionArgs) { a.ID = "another" })),
		"a signature of before": s.send(2*time.Minute, workflows.UpdateOpinion, "a6", wrong(func(a *workflows.OpinionArgs) { a.Assertion.Expires = a.Assertion.Expires.Add(time.Hour) })),
		"another case": s.sendOn(2*time.Minute, workflows.UpdateOpinion, "a7", casefile.CaseChain("00000-00000"),
			opinion("v2", reviewer, 1, 1, judgement(casefile.L5, casefile.VE08))),
	}
	s.send(3*time.Minute, workflows.UpdateClose, "v3", closeAs("v3", reviewer, 1, 1))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	for name, a := range forged {
		require.Error(t, a.rejected, "%s: refused by the validator, so that nothing of it is in the history", name)
		a.refused(t, casefile.CodeForbidden, "")
	}
	require.NotContains(t, s.types(), casefile.EntryOpinion)
}

// TestPromise04ForgedStartsChangeNothing: a state comes from the run before or from nobody, and no run
// of ours has another id. Schedules and retry policies are tried on a real server.
func TestPromise04ForgedStartsChangeNothing(t *testing.T) {
	t.Parallel()
	forgedState := &workflows.CaseState{Ref: ref, State: casefile.StateDecided, Decision: &casefile.Decision{ID: "forged", Case: ref, Judgement: judgement(casefile.L6, casefile.VE03)}}
	for name, c := range map[string]struct {
		id      string
		state   *workflows.CaseState
		pending []casefile.FlagKey
		why     string
	}{
		"a state":         {state: forgedState, why: "state"},
		"flags that wait": {pending: []casefile.FlagKey{"f1"}, why: "state"},
		"another id":      {id: "case/synthetic/another", why: "mismatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, "f1")
			if c.id != "" {
				s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: c.id})
			}
			s.env.ExecuteWorkflow(workflows.CaseWorkflowType, workflows.CaseInput{Platform: platform, Account: account, State: c.state, Pending: c.pending})
			require.Error(t, s.env.GetWorkflowError(), "it fails, so that its id stays free")
			require.Equal(t, []workflows.DropStartAsk{{Kind: workflows.CaseWorkflowType, Platform: platform, Thing: string(account), Why: c.why}}, s.dropped)
			require.Empty(t, s.projected)
			require.Empty(t, s.entries)
			require.Empty(t, s.takedowns)
			require.Empty(t, s.taken)
		})
	}
}

// TestPromise06NothingDecidesByItself: a case that nobody touches stays in a queue, whatever its
// findings and however long it waits.
func TestPromise06NothingDecidesByItself(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(365*24*time.Hour, workflows.UpdateClaim, "v1", claim("v1", lead))
	s.send(365*24*time.Hour+time.Minute, workflows.UpdateClose, "v2", closeAs("v2", lead, 1, 1))
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Empty(t, s.takedowns)
	require.Equal(t, []casefile.EntryType{casefile.EntryFlagAccepted, casefile.EntryRoute, casefile.EntryDeadline, casefile.EntryDeadline, casefile.EntryClosed}, s.types())
	require.Equal(t, lead, s.entries[4].Actor, "who closed it stands on the ledger")
	require.Equal(t, []casefile.State{casefile.StateQueued, casefile.StateClaimed, casefile.StateClosed}, s.states())
}

// TestPromise06ARuleDecidesOnlyWhatNobodyTouched: a rule's judgement counts on a fresh case alone, can
// be withdrawn by a lead, and stands on the ledger as the rule's.
func TestPromise06ARuleDecidesOnlyWhatNobodyTouched(t *testing.T) {
	t.Parallel()
	byRule := func(a *workflows.AssessAnswer) {
		j := casefile.Judgement{Action: casefile.L1, Policies: []casefile.PolicyCode{casefile.VE09}, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
		for _, m := range casefile.Mitigations {
			j.Mitigations[m] = casefile.AnswerNotAssessed
		}
		a.Automatic = &workflows.Automatic{Rule: "weak-propaganda", Judgement: j, Decision: "AUTO-1", Notice: &casefile.NoticeRef{Number: "N1", Text: "t", Digest: "d"}}
	}
	t.Run("decided", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "f1").within(time.Hour)
		s.answers = byRule
		s.run(workflows.CaseInput{}, "f1")
		require.NoError(t, s.env.GetWorkflowError())
		d := s.takedowns[0].Decision
		require.Equal(t, casefile.ByAutomation, d.DecidedBy)
		require.Equal(t, "weak-propaganda", d.Rule)
		require.Empty(t, d.Opinions)
		require.Equal(t, casefile.System, s.entries[2].Actor)
	})
	t.Run("withdrawn by a lead", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "f1").within(time.Hour)
		s.answers = byRule
		withdraw := func(id string, who casefile.Actor) func() any {
			return func() any { return workflows.WithdrawArgs{Verb: verb(id, who), Decision: "AUTO-1"} }
		}
		junior := s.send(10*time.Minute, workflows.UpdateWithdraw, "v1", withdraw("v1", reviewer))
		s.send(20*time.Minute, workflows.UpdateWithdraw, "v2", withdraw("v2", lead))
		s.send(30*time.Minute, workflows.UpdateClaim, "v3", claim("v3", reviewer))
		s.send(31*time.Minute, workflows.UpdateClose, "v4", closeAs("v4", reviewer, 1, 1))
		s.run(workflows.CaseInput{}, "f1")
		require.NoError(t, s.env.GetWorkflowError())
		junior.refused(t, casefile.CodeForbidden, "")
		require.Empty(t, s.takedowns)
	})
	t.Run("not once somebody has touched it", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "f1", "f2")
		s.answers = func(a *workflows.AssessAnswer) {
			if s.assessed > 1 {
				byRule(a)
			}
		}
		s.send(time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
		s.env.RegisterDelayedCallback(func() { s.env.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: "f2"}) }, 2*time.Minute)
		s.send(3*time.Minute, workflows.UpdateClose, "v3", closeAs("v3", reviewer, 1, 2))
		s.run(workflows.CaseInput{}, "f1")
		require.NoError(t, s.env.GetWorkflowError())
		require.Empty(t, s.takedowns)
		require.Equal(t, casefile.CloseTest, s.archived[0].State.CloseReason)
	})
}

// TestCaseAlreadyDecided: a case with nothing new closes by itself and belongs to the decision that
// had all of it before it.
func TestCaseAlreadyDecided(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.answers = func(a *workflows.AssessAnswer) { a.AlreadyDecided = "DECISION-0" }
	s.run(workflows.CaseInput{}, "f1")
	require.NoError(t, s.env.GetWorkflowError())
	require.Equal(t, []casefile.State{casefile.StateClosed}, s.states(), "it never stands in a queue")
	require.Equal(t, casefile.CloseAlreadyDecided, s.archived[0].State.CloseReason)
	last := s.entries[len(s.entries)-1]
	require.Equal(t, casefile.EntryClosed, last.Type)
	require.Contains(t, string(last.Body), "DECISION-0")
	require.Equal(t, casefile.System, last.Actor)
}

// TestPromise10PayloadsHoldCodesOnly: no projection or entry draft of the workflow has a place for words.
func TestPromise10PayloadsHoldCodesOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t, "f1")
	s.send(1*time.Minute, workflows.UpdateClaim, "v1", claim("v1", reviewer))
	s.send(2*time.Minute, workflows.UpdateEscalate, "v2", func() any { return workflows.EscalateArgs{Verb: verb("v2", reviewer), Reason: because} })
	s.env.RegisterDelayedCallback(s.env.CancelWorkflow, 3*time.Minute)
	s.run(workflows.CaseInput{}, "f1")
	raw, err := json.Marshal(s.entries)
	require.NoError(t, err)
	require.False(t, strings.Contains(string(raw), "reason-digest"), "a digest stands on the ledger as a commitment alone")
}
