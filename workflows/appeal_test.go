package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// court runs appeals and reinstatements over activities that keep what they were asked.
type court struct {
	*stage
	taken    workflows.TakeAppealAnswer
	shown    []workflows.ProjectAppealAsk
	undone   []int // act numbers in the order in which they were taken back
	outcomes map[int]casefile.ActState
	ended    []workflows.FinishUndoAsk
	told     int
	refuse   error
	down     map[int]int // how often the platform is down for an act's reverse, by number
	mute     int         // how often it takes no notice
}

func newCourt(t *testing.T) *court {
	var suite testsuite.WorkflowTestSuite
	c := &court{stage: &stage{t: t, env: suite.NewTestWorkflowEnvironment()}, outcomes: map[int]casefile.ActState{}, down: map[int]int{}}
	c.env.SetTestTimeout(30 * time.Second)
	c.env.SetStartTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	d := casefile.Decision{
		ID: "d1", Case: ref, Platform: platform, Account: account, Judgement: judgement(casefile.L6, casefile.VE03), DecidedBy: casefile.ByTwoOpinions,
		DecidedAt:     time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC),
		Opinions:      []casefile.Opinion{{ID: "d0", Person: reviewer.Person}, {ID: "d1", Person: other.Person}},
		OpinionEvents: []casefile.EventID{"case.x/3", "case.x/4"},
	}
	c.taken = workflows.TakeAppealAnswer{
		Known: true, Kind: casefile.AppealByAccount, DueAt: c.env.Now().Add(casefile.AppealTime), Digest: "complaint",
		Opened: lead, Decision: workflows.ProvenDecision{Decision: d, Bundle: casefile.Bundle{Entry: []byte("{}")}},
		Parts: []casefile.Person{reviewer.Person, other.Person, "p-detector"}, Settings: workflows.Settings{Lease: time.Hour}, Team: "review",
	}
	w := workflows.Workflows{Verify: verify}
	c.env.RegisterWorkflowWithOptions(w.Appeal, workflow.RegisterOptions{Name: workflows.AppealWorkflowType})
	c.env.RegisterWorkflowWithOptions(w.Reinstatement, workflow.RegisterOptions{Name: workflows.ReinstatementWorkflowType})
	for name, fn := range map[string]any{
		workflows.ActivityTakeAppeal: func(context.Context, workflows.TakeAppealAsk) (workflows.TakeAppealAnswer, error) {
			return c.taken, nil
		},
		workflows.ActivityProjectAppeal: c.show, workflows.ActivityDropStart: c.dropStart, workflows.ActivityFixEntries: c.fix,
		workflows.ActivityAppend: c.append, workflows.ActivityChainHead: c.chainHead, workflows.ActivityPrepareUndo: c.prepareUndo,
		workflows.ActivityUndoAct: c.undo, workflows.ActivityFinishUndo: c.finishUndo, workflows.ActivityNotifyUndo: c.notifyUndo,
		workflows.ActivitySettleAct: c.settleAct,
	} {
		c.env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	return c
}

func (c *court) show(_ context.Context, ask workflows.ProjectAppealAsk) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown = append(c.shown, ask)
	return nil
}

func (c *court) prepareUndo(_ context.Context, ask workflows.PrepareUndoAsk) (workflows.PrepareActsAnswer, error) {
	if c.refuse != nil {
		return workflows.PrepareActsAnswer{}, c.refuse
	}
	var a workflows.PrepareActsAnswer
	acts := casefile.PlanActs(ask.Reinstatement.Takedown.Decision, 0)
	for i := len(acts) - 1; i >= 0; i-- {
		a.Acts = append(a.Acts, workflows.PreparedAct{Act: acts[i], UndoDigest: "undo"})
	}
	return a, nil
}

func (c *court) undo(_ context.Context, ask workflows.UndoActAsk) (casefile.ActOutcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.undone = append(c.undone, ask.Act.Number)
	if c.down[ask.Act.Number] > 0 {
		c.down[ask.Act.Number]--
		return casefile.ActOutcome{}, temporal.NewApplicationError("down", string(casefile.CodeUnavailable), nil)
	}
	state := c.outcomes[ask.Act.Number]
	if state == "" {
		state = casefile.ActUndone
	}
	return casefile.ActOutcome{Act: ask.Act, Direction: casefile.Undo, State: state, At: c.env.Now()}, nil
}

func (c *court) settleAct(_ context.Context, ask workflows.SettleActAsk) (casefile.ActOutcome, error) {
	return casefile.ActOutcome{Act: ask.Act, Direction: ask.Direction, State: casefile.ActUndone, By: ask.Person, At: c.env.Now()}, nil
}

func (c *court) finishUndo(_ context.Context, ask workflows.FinishUndoAsk) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = append(c.ended, ask)
	return nil
}

func (c *court) notifyUndo(context.Context, workflows.NotifyUndoAsk) (workflows.NotifyAnswer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mute > 0 {
		c.mute--
		return workflows.NotifyAnswer{}, temporal.NewApplicationError("down", string(casefile.CodeUnavailable), nil)
	}
	c.told++
	return workflows.NotifyAnswer{State: casefile.NoticeSent}, nil
}

func (c *court) verb(after time.Duration, name, id string, args func() any) *answer {
	return c.sendOn(after, name, id, casefile.AppealChain("A1"), args)
}

func takeAppeal(id string, who casefile.Actor) func() any {
	return func() any { return workflows.AppealClaimArgs{Verb: workflows.Verb{ID: id, Actor: who}, Appeal: "A1"} }
}

func rule(id string, who casefile.Actor, claim int, o casefile.AppealOutcome) func() any {
	return func() any {
		return workflows.AppealRuleArgs{
			Verb: workflows.Verb{ID: id, Actor: who}, Appeal: "A1", Claim: claim, Outcome: o, Form: "form", Digest: "digest",
			Notice: &casefile.NoticeRef{Number: "N2", Text: "t", Digest: "d"},
		}
	}
}

func (c *court) open() {
	// What an upheld appeal starts runs in the same environment, under its own id.
	c.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: casefile.AppealWorkflowID("A1")})
	c.env.ExecuteWorkflow(workflows.AppealWorkflowType, workflows.AppealInput{Appeal: "A1"})
}

// TestPromise04AppealIsDecidedBySomebodyElse: whoever took part is refused, from the claim on.
func TestPromise04AppealIsDecidedBySomebodyElse(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	author := c.verb(1*time.Hour, workflows.UpdateAppealClaim, "v1", takeAppeal("v1", reviewer))
	second := c.verb(1*time.Hour, workflows.UpdateAppealClaim, "v2", takeAppeal("v2", other))
	source := c.verb(1*time.Hour, workflows.UpdateAppealClaim, "v3", takeAppeal("v3", casefile.Actor{Person: "p-detector", Role: casefile.RoleReviewer}))
	service := c.verb(1*time.Hour, workflows.UpdateAppealClaim, "v4", takeAppeal("v4", casefile.Actor{Person: "p-machine", Role: casefile.RoleService}))
	elsewhere := c.sendOn(1*time.Hour, workflows.UpdateAppealClaim, "v5", casefile.AppealChain("A2"), takeAppeal("v5", third))
	early := c.verb(1*time.Hour, workflows.UpdateAppealRule, "v6", rule("v6", third, 1, casefile.OutcomeUpheld))
	c.verb(2*time.Hour, workflows.UpdateAppealClaim, "v7", takeAppeal("v7", third))
	held := c.verb(2*time.Hour+time.Minute, workflows.UpdateAppealClaim, "v8", takeAppeal("v8", lead))
	c.verb(2*time.Hour+2*time.Minute, workflows.UpdateAppealRule, "v9", rule("v9", third, 1, casefile.OutcomeRejected))
	c.open()
	require.NoError(t, c.env.GetWorkflowError())
	for _, a := range []*answer{author, second, source, service, elsewhere} {
		a.refused(t, casefile.CodeForbidden, "")
	}
	early.refused(t, casefile.CodeStaleClaim, "")
	held.refused(t, casefile.CodeState, "")
	require.Equal(t, []casefile.EntryType{casefile.EntryAppealOpened, casefile.EntryAppealRuling, casefile.EntryNotice}, c.types())
	require.Equal(t, casefile.EntryHash([]byte("{}")), c.entries[0].Cause)
	require.Equal(t, casefile.AppealRejected, c.shown[len(c.shown)-1].State.State)
	require.NotNil(t, c.shown[len(c.shown)-1].Bundle)
	require.Equal(t, 1, c.told)
	require.Empty(t, c.undone)
}

// TestAppealOfSomebodyDisabledIsFree: an administrator ends that claim, by its number, and no other.
func TestAppealOfSomebodyDisabledIsFree(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	free := func(id string, who casefile.Actor, n int) func() any {
		return func() any {
			return workflows.AppealReleaseArgs{Verb: workflows.Verb{ID: id, Actor: who}, Appeal: "A1", Claim: n, Disabled: true}
		}
	}
	early := c.verb(time.Minute, workflows.UpdateAppealRelease, "v0", free("v0", admin, 1))
	c.verb(2*time.Minute, workflows.UpdateAppealClaim, "v1", takeAppeal("v1", third))
	leads := c.verb(3*time.Minute, workflows.UpdateAppealRelease, "v2", free("v2", lead, 1))
	c.verb(4*time.Minute, workflows.UpdateAppealRelease, "v3", free("v3", admin, 1))
	c.verb(5*time.Minute, workflows.UpdateAppealClaim, "v4", takeAppeal("v4", lead))
	late := c.verb(6*time.Minute, workflows.UpdateAppealRelease, "v5", free("v5", admin, 1))
	c.verb(7*time.Minute, workflows.UpdateAppealRule, "v6", rule("v6", lead, 2, casefile.OutcomeRejected))
	c.open()
	require.NoError(t, c.env.GetWorkflowError())
	early.refused(t, casefile.CodeState, "")
	leads.refused(t, casefile.CodeForbidden, "")
	late.refused(t, casefile.CodeState, "")
	require.Equal(t, lead.Person, c.entries[1].Actor.Person)
}

// TestPromise08AnUpheldAppealTakesEverythingBack: the last act first, one failure not stopping the rest.
func TestPromise08AnUpheldAppealTakesEverythingBack(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]casefile.ActState{"all of it": "", "all but what fails": casefile.ActFailed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCourt(t)
			c.outcomes[2] = fails
			c.verb(2*time.Hour, workflows.UpdateAppealClaim, "v1", takeAppeal("v1", third))
			c.verb(3*time.Hour-time.Minute, workflows.UpdateAppealRule, "v2", rule("v2", third, 1, casefile.OutcomeUpheld))
			in := c.reinstatement()
			c.env.ExecuteWorkflow(workflows.ReinstatementWorkflowType, in)
			require.NoError(t, c.env.GetWorkflowError())
			require.Equal(t, []int{2, 1}, c.undone, "the last first, and both whatever becomes of one")
			require.Equal(t, []casefile.EntryType{casefile.EntryActsPlanned, casefile.EntryActsOutcome, casefile.EntryNotice}, c.types())
			want := casefile.AppealReinstated
			if fails != "" {
				want = casefile.AppealIncomplete
			}
			require.Equal(t, want, c.ended[0].State)
			require.Equal(t, 1, c.told)
		})
	}
}

// TestPromise08WhatCannotBeTakenBackYetHoldsNothingUp: the platform refuses one act's reverse for a long
// time. The others are taken back, the strike as well, and the person is told, before it answers.
func TestPromise08WhatCannotBeTakenBackYetHoldsNothingUp(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.down[2] = 9 // more than the first pass tries; the SDK's environment stops at ten
	c.env.ExecuteWorkflow(workflows.ReinstatementWorkflowType, c.reinstatement())
	require.NoError(t, c.env.GetWorkflowError())
	require.Equal(t, []int{2, 2, 2, 2, 1, 2}, c.undone[:6], "the other act has its turn")
	require.Equal(t, 2, c.undone[len(c.undone)-1])
	require.Equal(t, []casefile.EntryType{casefile.EntryActsPlanned, casefile.EntryActsOutcome, casefile.EntryNotice, casefile.EntryActsOutcome}, c.types())
	require.Equal(t, []casefile.AppealState{casefile.AppealIncomplete, casefile.AppealReinstated}, []casefile.AppealState{c.ended[0].State, c.ended[1].State})
	require.Equal(t, 1, c.told)
	require.Contains(t, string(c.entries[1].Body), "planned")
}

// TestPromise08NobodyIsToldBeforeAnythingIsTakenBack: acts are paused when the appeal is upheld.
func TestPromise08NobodyIsToldBeforeAnythingIsTakenBack(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.down[1], c.down[2] = 6, 6
	c.env.ExecuteWorkflow(workflows.ReinstatementWorkflowType, c.reinstatement())
	require.NoError(t, c.env.GetWorkflowError())
	require.Equal(t, []casefile.EntryType{casefile.EntryActsPlanned, casefile.EntryActsOutcome, casefile.EntryActsOutcome, casefile.EntryNotice}, c.types())
	require.Equal(t, 1, c.told)
}

// TestReinstatementGoesOnBehindALostRun: what the log holds of the chain stands.
func TestReinstatementGoesOnBehindALostRun(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.entries = append(c.entries, casefile.Entry{Event: casefile.NewEventID(casefile.ReinstatementChain("A1"), 1), Type: casefile.EntryActsPlanned})
	c.env.ExecuteWorkflow(workflows.ReinstatementWorkflowType, c.reinstatement())
	require.NoError(t, c.env.GetWorkflowError())
	require.Len(t, c.entries, 4)
	require.Equal(t, casefile.NewEventID(casefile.ReinstatementChain("A1"), 2), c.entries[1].Event)
	require.Equal(t, casefile.AppealReinstated, c.ended[0].State)
}

// TestAppealProvesWhatALostRunAccepted: a ruling that was answered is proven by the run that takes the
// lost one's place, and nobody is asked again.
func TestAppealProvesWhatALostRunAccepted(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.taken.Revision, c.taken.LastClaim = 3, 1
	c.taken.Ruling = &casefile.AppealRuling{
		ID: "r1", Appeal: "A1", Kind: casefile.AppealByAccount, Decision: "d1", Case: ref, Platform: platform, Account: account,
		Outcome: casefile.OutcomeRejected, Person: third.Person, Role: third.Role, Form: "form", Digest: "digest",
		Notice: &casefile.NoticeRef{Number: "N2", Text: "t", Digest: "d"},
	}
	c.entries = append(c.entries, casefile.Entry{Event: casefile.NewEventID(casefile.AppealChain("A1"), 1), Type: casefile.EntryAppealOpened})
	c.open()
	require.NoError(t, c.env.GetWorkflowError())
	require.Equal(t, []casefile.EntryType{casefile.EntryAppealOpened, casefile.EntryAppealRuling, casefile.EntryNotice}, c.types())
	require.Equal(t, casefile.NewEventID(casefile.AppealChain("A1"), 2), c.entries[1].Event)
	require.Equal(t, third.Person, c.entries[1].Actor.Person)
	require.Equal(t, casefile.AppealRejected, c.shown[len(c.shown)-1].State.State)
}

func (c *court) reinstatement() workflows.ReinstatementInput {
	c.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: casefile.ReinstatementWorkflowID("A1")})
	return workflows.ReinstatementInput{
		Takedown: workflows.TakedownInput(c.taken.Decision), Bundle: casefile.Bundle{Entry: []byte("ruling")},
		Ruling: casefile.AppealRuling{ID: "r1", Appeal: "A1", Decision: "d1", Outcome: casefile.OutcomeUpheld, Notice: &casefile.NoticeRef{Number: "N2", Digest: "d"}},
	}
}

// TestPromise07UncertainUndoIsSettledWhileTheNoticeWaits: the platform takes no notices for a while.
func TestPromise07UncertainUndoIsSettledWhileTheNoticeWaits(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.outcomes[1], c.mute = casefile.ActUncertain, 8
	settled := c.sendOn(30*time.Second, workflows.UpdateSettle, "s1", casefile.ReinstatementChain("A1"), func() any {
		require.Zero(t, c.told)
		return workflows.SettleArgs{Verb: workflows.Verb{ID: "s1", Actor: lead}, Decision: "d1", Number: 1, Direction: casefile.Undo, Done: true, Reason: because}
	})
	c.env.ExecuteWorkflow(workflows.ReinstatementWorkflowType, c.reinstatement())
	require.NoError(t, c.env.GetWorkflowError())
	require.NoError(t, settled.rejected)
	require.NoError(t, settled.err)
	require.Equal(t, 1, c.told)
	require.Equal(t, casefile.AppealReinstated, c.ended[len(c.ended)-1].State)
}

// TestPromise07UncertainUndoWaits: a reinstatement with an uncertain reverse stays open for a person.
func TestPromise07UncertainUndoWaits(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.outcomes[1] = casefile.ActUncertain
	c.sendOn(60*24*time.Hour, workflows.UpdateSettle, "s1", casefile.ReinstatementChain("A1"), func() any {
		return workflows.SettleArgs{Verb: workflows.Verb{ID: "s1", Actor: lead}, Decision: "d1", Number: 1, Direction: casefile.Undo, Done: true, Reason: because}
	})
	c.env.ExecuteWorkflow(workflows.ReinstatementWorkflowType, c.reinstatement())
	require.NoError(t, c.env.GetWorkflowError())
	require.Equal(t, []casefile.AppealState{casefile.AppealIncomplete, casefile.AppealReinstated}, []casefile.AppealState{c.ended[0].State, c.ended[1].State})
}

func TestReinstatementRefusedByTheActorChangesNothing(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.refuse = temporal.NewNonRetryableApplicationError("refused", string(casefile.CodeUnproven), nil)
	c.env.ExecuteWorkflow(workflows.ReinstatementWorkflowType, c.reinstatement())
	require.Error(t, c.env.GetWorkflowError())
	require.Empty(t, c.entries)
	require.Empty(t, c.undone)
	require.Empty(t, c.ended)
}

// TestAppealStartsItsReinstatement: an upheld ruling starts it, and it alone.
func TestAppealStartsItsReinstatement(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	started := false
	c.env.OnWorkflow(workflows.ReinstatementWorkflowType, mock.Anything, mock.Anything).Return(func(_ workflow.Context, in workflows.ReinstatementInput) error {
		started = true
		require.Equal(t, casefile.OutcomeUpheld, in.Ruling.Outcome)
		require.Equal(t, "d1", in.Takedown.Decision.ID)
		require.Equal(t, casefile.EntryHash([]byte("{}")), in.Ruling.DecisionHash)
		return nil
	})
	c.verb(2*time.Hour, workflows.UpdateAppealClaim, "v1", takeAppeal("v1", third))
	c.verb(3*time.Hour-time.Minute, workflows.UpdateAppealRule, "v2", rule("v2", third, 1, casefile.OutcomeUpheld))
	c.open()
	require.NoError(t, c.env.GetWorkflowError())
	require.True(t, started)
	require.Equal(t, casefile.AppealUpheld, c.shown[len(c.shown)-1].State.State)
	require.Equal(t, 0, c.told, "the reinstatement tells, once everything is back")
}

// TestAppealHasItsOwnDeadline: its team is told at half of it, and it is late at its end; a lease that
// runs out gives it back.
func TestAppealHasItsOwnDeadline(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.verb(2*time.Hour, workflows.UpdateAppealClaim, "v1", takeAppeal("v1", third))
	c.verb(20*24*time.Hour, workflows.UpdateAppealClaim, "v2", takeAppeal("v2", lead))
	c.verb(20*24*time.Hour+time.Minute, workflows.UpdateAppealRule, "v3", rule("v3", lead, 2, casefile.OutcomeRejected))
	c.open()
	require.NoError(t, c.env.GetWorkflowError())
	var told []string
	states := []casefile.AppealState{}
	for _, p := range c.shown {
		told = append(told, kinds(p.Tellings)...)
		if n := len(states); n == 0 || states[n-1] != p.State.State {
			states = append(states, p.State.State)
		}
	}
	require.Equal(t, []string{"appeal.received", "case.half_due", "case.deadline_missed"}, told)
	require.Equal(t, []casefile.AppealState{
		casefile.AppealOpen, casefile.AppealClaimed, casefile.AppealOpen, casefile.AppealClaimed, casefile.AppealDecided, casefile.AppealRejected,
	}, states)
	require.Equal(t, []casefile.EntryType{casefile.EntryAppealOpened, casefile.EntryDeadline, casefile.EntryAppealRuling, casefile.EntryNotice}, c.types())
}

func TestAppealWithoutARowIsDropped(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.taken.Known = false
	c.open()
	require.Error(t, c.env.GetWorkflowError())
	require.Equal(t, []workflows.DropStartAsk{{Kind: workflows.AppealWorkflowType, Thing: "A1", Why: "no_row"}}, c.dropped)
	require.Empty(t, c.entries)
	require.Empty(t, c.shown)
}
