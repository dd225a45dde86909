package activities_test

import (
	"crypto/ed25519"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// flow runs the real workflows over the real activities, with skipped time, one workflow after the
// other: what one starts is kept and run next.
type flow struct {
	*bed
	takedowns      []workflows.TakedownInput
	reinstatements []workflows.ReinstatementInput
	answers        map[string]any
	refused        map[string]error
}

var flowKey = ed25519.NewKeyFromSeed([]byte("a seed of a key that signs flows"))

func newFlow(t *testing.T) *flow {
	t.Helper()
	b := newBed(t)
	b.work.Settings = workflows.Settings{Lease: 10 * time.Minute, Grace: time.Minute}
	return &flow{bed: b, answers: map[string]any{}, refused: map[string]error{}}
}

// env is where the next workflow runs, at a time of its own that the activities share.
func (f *flow) env(id string, kind string) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	e := suite.NewTestWorkflowEnvironment()
	e.SetTestTimeout(time.Minute)
	e.SetStartTime(f.clock())
	e.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id})
	clock := func() time.Time { return e.Now().UTC() }
	f.work.Now, f.actor.Now = clock, clock
	keys := casefile.AssertionKeys{"flow": flowKey.Public().(ed25519.PublicKey)}
	w := workflows.Workflows{Verify: func(a *casefile.Assertion, use casefile.Use) error { return keys.Check(a, use, morning) }}
	for name, fn := range map[string]any{
		workflows.CaseWorkflowType: w.Case, workflows.AppealWorkflowType: w.Appeal,
		workflows.TakedownWorkflowType: w.Takedown, workflows.ReinstatementWorkflowType: w.Reinstatement,
	} {
		if name != kind {
			continue
		}
		e.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name})
	}
	if kind != workflows.TakedownWorkflowType {
		e.RegisterWorkflowWithOptions(func(_ workflow.Context, in workflows.TakedownInput) error {
			f.takedowns = append(f.takedowns, in)
			return nil
		}, workflow.RegisterOptions{Name: workflows.TakedownWorkflowType})
	}
	if kind != workflows.ReinstatementWorkflowType {
		e.RegisterWorkflowWithOptions(func(_ workflow.Context, in workflows.ReinstatementInput) error {
			f.reinstatements = append(f.reinstatements, in)
			return nil
		}, workflow.RegisterOptions{Name: workflows.ReinstatementWorkflowType})
	}
	for name, fn := range map[string]any{
		workflows.ActivityTakeIn: f.work.TakeIn, workflows.ActivityAssess: f.work.Assess, workflows.ActivityProject: f.work.Project,
		workflows.ActivityProjectAppeal: f.work.ProjectAppeal, workflows.ActivityFixEntries: f.work.FixEntries, workflows.ActivityArchive: f.work.Archive,
		workflows.ActivityFinish: f.work.Finish, workflows.ActivityFinishUndo: f.work.FinishUndo, workflows.ActivityDropStart: f.work.DropStart,
		workflows.ActivityTakeAppeal: f.work.TakeAppeal, workflows.ActivityOrderReview: f.work.OrderReview,
		workflows.ActivityAppend: f.led.Append, workflows.ActivityChainHead: f.led.ChainHead,
		workflows.ActivityPrepareActs: f.actor.PrepareActs, workflows.ActivityDoAct: f.actor.DoAct, workflows.ActivityEndAct: f.actor.EndAct,
		workflows.ActivityPrepareUndo: f.actor.PrepareUndo, workflows.ActivityUndoAct: f.actor.UndoAct, workflows.ActivitySettleAct: f.actor.SettleAct,
		workflows.ActivityNotify: f.actor.Notify, workflows.ActivityNotifyUndo: f.actor.NotifyUndo,
	} {
		e.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	return e
}

// send sends a verb with the API's signed word at a time after the start; args are made then.
func (f *flow) send(e *testsuite.TestWorkflowEnvironment, after time.Duration, name, id, on string, args func() any) {
	e.RegisterDelayedCallback(func() {
		a := args()
		out := reflect.New(reflect.TypeOf(a)).Elem()
		out.Set(reflect.ValueOf(a))
		head := out.FieldByName("Verb").Addr().Interface().(*workflows.Verb)
		digest, err := casefile.ArgumentDigest(a)
		require.NoError(f.t, err)
		word, err := casefile.Assertion{Person: head.Actor.Person, Role: head.Actor.Role, Verb: name, On: on, ID: id, Digest: digest, Expires: morning.Add(time.Minute)}.Sign("flow", flowKey)
		require.NoError(f.t, err)
		head.Assertion = &word
		e.UpdateWorkflow(name, id, &testsuite.TestUpdateCallback{
			OnReject: func(err error) { f.refused[id] = err }, OnAccept: func() {},
			OnComplete: func(answer any, err error) { f.answers[id], f.refused[id] = answer, err },
		}, out.Interface())
	}, after)
}

// run runs a workflow to its end and moves the bed's clock on to it.
func (f *flow) run(e *testsuite.TestWorkflowEnvironment, kind string, in any) {
	f.t.Helper()
	e.ExecuteWorkflow(kind, in)
	require.True(f.t, e.IsWorkflowCompleted())
	require.NoError(f.t, e.GetWorkflowError())
	f.mu.Lock()
	f.now = e.Now().UTC()
	f.mu.Unlock()
}

func (f *flow) refusal(id string) {
	f.t.Helper()
	require.Error(f.t, f.refused[id], id)
}

func (f *flow) accepted(ids ...string) {
	f.t.Helper()
	for _, id := range ids {
		require.NoError(f.t, f.refused[id], id)
		require.Contains(f.t, f.answers, id)
	}
}

// TestFlow leads one account from its flag through two blind opinions, its end on the platform, and an
// upheld appeal back to where it was, with every workflow, activity and store real.
func TestFlow(t *testing.T) {
	t.Parallel()
	f := newFlow(t)
	account := f.key("a-17")
	flag := f.submit(flagOf("f1", post("p1", postText, 1)))
	opened := f.env(casefile.CaseWorkflowID(platform, account), workflows.CaseWorkflowType)
	l := &life{bed: f.bed, account: account}
	ref := func() casefile.CaseRef {
		row, err := f.records.Account(t.Context(), account)
		require.NoError(t, err)
		l.s.Ref, l.s.EvidenceRevision = row.OpenCase, 1
		return row.OpenCase
	}
	who := func(p casefile.Person, role casefile.Role) casefile.Actor {
		return casefile.Actor{Person: p, Role: role}
	}
	verb := func(id string, by casefile.Actor) workflows.Verb {
		return workflows.Verb{ID: id, Case: ref(), Actor: by}
	}
	var chain string
	claim := func(at time.Duration, id string, by casefile.Actor) {
		opened.RegisterDelayedCallback(func() {
			chain = casefile.CaseChain(ref())
			f.send(opened, 0, workflows.UpdateClaim, id, chain, func() any { return workflows.ClaimArgs{Verb: verb(id, by)} })
		}, at)
	}
	judge := func(at time.Duration, id string, by casefile.Actor, claim int) {
		opened.RegisterDelayedCallback(func() {
			o := l.opinion(by.Person, judgement(casefile.L6), "p1")
			n := l.notice(casefile.NewID(), id, judgement(casefile.L6))
			f.send(opened, 0, workflows.UpdateOpinion, id, chain, func() any {
				return workflows.OpinionArgs{Verb: verb(id, by), Claim: claim, EvidenceRevision: 1, Judgement: judgement(casefile.L6), Relied: 1, Form: o.Form, Digest: o.Digest, Notice: n}
			})
		}, at)
	}
	anna, bert := who("p-anna0000", casefile.RoleReviewer), who("p-bert0000", casefile.RoleReviewer)
	claim(time.Minute, "CLAIM1", anna)
	judge(2*time.Minute, "OPINION1", anna, 1)
	claim(3*time.Minute, "CLAIM2", anna) // whoever gave an opinion does not give the second
	opened.RegisterDelayedCallback(func() {
		shown, err := f.records.Opinions(t.Context(), ref())
		require.NoError(t, err)
		require.Empty(t, shown, "the second person sees nothing of the first")
		blind, err := f.records.BlindOpinions(t.Context(), ref())
		require.NoError(t, err)
		require.Len(t, blind, 1)
		row, err := f.records.Case(t.Context(), ref())
		require.NoError(t, err)
		require.Equal(t, casefile.StateQueued, row.State)
	}, 3*time.Minute+30*time.Second)
	claim(4*time.Minute, "CLAIM3", bert)
	judge(5*time.Minute, "OPINION2", bert, 2)
	opened.RegisterDelayedCallback(func() { opened.SignalWorkflow(workflows.SignalFlag, workflows.FlagSignal{Flag: flag}) }, 0)
	f.run(opened, workflows.CaseWorkflowType, workflows.CaseInput{Platform: platform, Account: account})
	f.accepted("CLAIM1", "OPINION1", "CLAIM3", "OPINION2")
	f.refusal("CLAIM2")
	require.Len(t, f.takedowns, 1)
	in := f.takedowns[0]
	require.Equal(t, casefile.ByTwoOpinions, in.Decision.DecidedBy)
	row, err := f.records.Case(t.Context(), in.Decision.Case)
	require.NoError(t, err)
	require.Equal(t, casefile.StateClosed, row.State)
	require.Equal(t, map[casefile.Person][]records.Part{
		"p-detector": {records.PartFlag}, "p-anna0000": {records.PartClaim, records.PartOpinion}, "p-bert0000": {records.PartClaim, records.PartOpinion},
	}, (&life{bed: f.bed, s: workflows.CaseState{Ref: row.Ref}}).parts())

	takedown := f.env(casefile.TakedownWorkflowID(row.Ref, in.Decision.ID), workflows.TakedownWorkflowType)
	f.run(takedown, workflows.TakedownWorkflowType, in)
	require.Equal(t, map[string]string{"terminated": "true", "identifiers_blocked": "true"}, f.state())
	decided, err := f.records.Decision(t.Context(), in.Decision.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionDone, decided.State)

	appealed := f.appeal(in)
	on := casefile.AppealChain(appealed.ID)
	appeal := f.env(casefile.AppealWorkflowID(appealed.ID), workflows.AppealWorkflowType)
	dora := who("p-dora0000", casefile.RoleSenior)
	f.send(appeal, time.Hour, workflows.UpdateAppealClaim, "OWN", on, func() any {
		return workflows.AppealClaimArgs{Verb: workflows.Verb{ID: "OWN", Case: row.Ref, Actor: anna}, Appeal: appealed.ID}
	})
	f.send(appeal, 2*time.Hour, workflows.UpdateAppealClaim, "TAKE", on, func() any {
		return workflows.AppealClaimArgs{Verb: workflows.Verb{ID: "TAKE", Case: row.Ref, Actor: dora}, Appeal: appealed.ID}
	})
	appeal.RegisterDelayedCallback(func() {
		form, digest := l.seal(account, "opinion", casefile.AppealForm{Outcome: casefile.OutcomeUpheld, Rationale: rationale})
		n := casefile.Notice{Number: casefile.NewID(), Decision: in.Decision.ID, Case: row.Ref, Lang: "en", Text: "[the appeal was right]"}
		told := &casefile.NoticeRef{Number: n.Number}
		told.Text, told.Digest = l.seal(account, "notice", n)
		f.send(appeal, 0, workflows.UpdateAppealRule, "RULING", on, func() any {
			return workflows.AppealRuleArgs{Verb: workflows.Verb{ID: "RULING", Case: row.Ref, Actor: dora}, Appeal: appealed.ID, Claim: 1, Outcome: casefile.OutcomeUpheld, Form: form, Digest: digest, Notice: told}
		})
	}, 2*time.Hour+time.Minute)
	f.run(appeal, workflows.AppealWorkflowType, workflows.AppealInput{Appeal: appealed.ID})
	f.refusal("OWN")
	f.accepted("TAKE", "RULING")
	require.Len(t, f.reinstatements, 1)

	back := f.env(casefile.ReinstatementWorkflowID(appealed.ID), workflows.ReinstatementWorkflowType)
	f.run(back, workflows.ReinstatementWorkflowType, f.reinstatements[0])
	require.Empty(t, f.state(), "nothing stands against the account")
	decided, err = f.records.Decision(t.Context(), in.Decision.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionUndone, decided.State)
	ended, err := f.records.Appeal(t.Context(), appealed.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.AppealReinstated, ended.State)
	lines := f.done()
	require.Equal(t, "[the appeal was right]", lines[len(lines)-1].Notice.Text)
	strikes, err := f.records.Strikes(t.Context(), account, f.clock())
	require.NoError(t, err)
	require.Empty(t, strikes)
	require.Empty(t, f.refusals())

	// The same evidence again is answered with a decision only while one stands.
	again := f.take(account, f.submit(flagOf("f2", post("p1", postText, 1))))
	answer, _ := f.fresh(account, again.Ref)
	require.Empty(t, answer.AlreadyDecided)
}
