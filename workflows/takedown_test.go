package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// field runs the takedown workflow over activities that keep the order of what happened.
type field struct {
	*stage
	order    []string
	outcomes map[int]casefile.ActState // of acts by number; done if unnamed
	refuse   error                     // of PrepareActs
	finished []workflows.FinishAsk
	ended    []time.Time
	decided  casefile.Judgement
}

func newField(t *testing.T) *field {
	var suite testsuite.WorkflowTestSuite
	f := &field{stage: &stage{t: t, env: suite.NewTestWorkflowEnvironment()}, outcomes: map[int]casefile.ActState{}, decided: judgement(casefile.L4, casefile.VE08)}
	f.env.SetStartTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	f.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: casefile.TakedownWorkflowID(ref, "d1")})
	f.env.RegisterWorkflowWithOptions(workflows.Workflows{Verify: verify}.Takedown, workflow.RegisterOptions{Name: workflows.TakedownWorkflowType})
	for name, fn := range map[string]any{
		workflows.ActivityPrepareActs: f.prepare, workflows.ActivityDoAct: f.do, workflows.ActivityNotify: f.notify,
		workflows.ActivityEndAct: f.end, workflows.ActivitySettleAct: f.settleAct, workflows.ActivityDropStart: f.dropStart,
		workflows.ActivityFinish: f.finish, workflows.ActivityFixEntries: f.fix, workflows.ActivityAppend: f.appendInOrder,
		workflows.ActivityChainHead: f.chainHead,
	} {
		f.env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	return f
}

func (f *field) prepare(_ context.Context, ask workflows.PrepareActsAsk) (workflows.PrepareActsAnswer, error) {
	f.order = append(f.order, "prepare")
	if f.refuse != nil {
		return workflows.PrepareActsAnswer{}, f.refuse
	}
	var a workflows.PrepareActsAnswer
	for _, act := range casefile.PlanActs(ask.Takedown.Decision, 2) {
		a.Acts = append(a.Acts, workflows.PreparedAct{Act: act, UndoDigest: "undo"})
	}
	return a, nil
}

func (f *field) do(_ context.Context, ask workflows.DoActAsk) (casefile.ActOutcome, error) {
	f.order = append(f.order, "act")
	state := f.outcomes[ask.Act.Number]
	if state == "" {
		state = casefile.ActDone
	}
	return casefile.ActOutcome{Act: ask.Act, Direction: casefile.Do, State: state, At: time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)}, nil
}

func (f *field) end(_ context.Context, ask workflows.EndActAsk) (casefile.ActOutcome, error) {
	f.order = append(f.order, "end")
	f.ended = append(f.ended, f.env.Now())
	return casefile.ActOutcome{Act: ask.Act, Direction: casefile.Undo, State: casefile.ActDone, At: f.env.Now()}, nil
}

func (f *field) settleAct(_ context.Context, ask workflows.SettleActAsk) (casefile.ActOutcome, error) {
	f.order = append(f.order, "settle")
	out := casefile.ActOutcome{Act: ask.Act, Direction: ask.Direction, State: casefile.ActFailed, Why: "did_not_happen", By: ask.Person, At: f.env.Now()}
	if ask.Done {
		out.State, out.Why = casefile.ActDone, ""
	}
	return out, nil
}

func (f *field) notify(context.Context, workflows.NotifyAsk) (workflows.NotifyAnswer, error) {
	f.order = append(f.order, "notify")
	return workflows.NotifyAnswer{State: casefile.NoticeSent}, nil
}

func (f *field) finish(_ context.Context, ask workflows.FinishAsk) error {
	f.order = append(f.order, "finish")
	f.finished = append(f.finished, ask)
	return nil
}

func (f *field) appendInOrder(ctx context.Context, ask workflows.AppendAsk) (workflows.AppendAnswer, error) {
	f.order = append(f.order, "append")
	return f.append(ctx, ask)
}

func (f *field) run() {
	d := casefile.Decision{
		ID: "d1", Case: ref, Platform: platform, Account: account, Judgement: f.decided,
		DecidedBy: casefile.ByOneOpinion, DecidedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Opinions:      []casefile.Opinion{{ID: "d1", Person: reviewer.Person, Relied: 2, Notice: &casefile.NoticeRef{Number: "N1", Text: "a", Digest: "n"}}},
		OpinionEvents: []casefile.EventID{"case.x/3"},
	}
	f.env.ExecuteWorkflow(workflows.TakedownWorkflowType, workflows.TakedownInput{Decision: d, Bundle: casefile.Bundle{Entry: []byte("{}")}})
}

func TestTakedownAnnouncesActsAndRecords(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.run()
	require.NoError(t, f.env.GetWorkflowError())
	require.Equal(t, []string{"prepare", "append", "act", "act", "append", "finish", "notify", "append"}, f.order)
	require.Equal(t, []casefile.EntryType{casefile.EntryActsPlanned, casefile.EntryActsOutcome, casefile.EntryNotice}, f.types())
	require.Equal(t, casefile.EntryHash([]byte("{}")), f.entries[0].Cause, "the chain answers to the decision's entry")
	require.Empty(t, f.entries[1].Cause)
	require.Equal(t, casefile.DecisionDone, f.finished[0].State)
}

// TestTakedownGoesOnBehindALostRun: the log holds an entry of this chain already, of a lost run or of this
// one before it was reset, so that the new one's first is the second.
func TestTakedownGoesOnBehindALostRun(t *testing.T) {
	t.Parallel()
	f := newField(t)
	lost := casefile.Entry{Event: casefile.NewEventID(casefile.TakedownChain("d1"), 1), Type: casefile.EntryActsPlanned}
	f.entries = append(f.entries, lost)
	f.run()
	require.NoError(t, f.env.GetWorkflowError())
	require.Len(t, f.entries, 4)
	data, err := casefile.Canonical(lost)
	require.NoError(t, err)
	require.Equal(t, casefile.NewEventID(casefile.TakedownChain("d1"), 2), f.entries[1].Event)
	require.Equal(t, casefile.EntryHash(data), f.entries[1].Prev)
	require.Empty(t, f.entries[1].Cause)
	require.Equal(t, casefile.DecisionDone, f.finished[0].State)
}

func TestTakedownStopsAtWhatIsRefused(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.decided = judgement(casefile.L6, casefile.VE03)
	f.outcomes[1] = casefile.ActFailed
	f.run()
	require.NoError(t, f.env.GetWorkflowError())
	require.Equal(t, []string{"prepare", "append", "act", "append", "finish"}, f.order, "no second act, nobody told")
	require.Equal(t, casefile.DecisionFailed, f.finished[0].State)
}

// TestTakedownTellsOfWhatWasDone: a post that its author deleted first keeps no other up, and whoever had
// something done to them is told of it, although not all of it could be done.
func TestTakedownTellsOfWhatWasDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action casefile.Action
		fails  int
	}{"the first post": {casefile.L4, 1}, "the last post": {casefile.L4, 2}, "the second act on the account": {casefile.L6, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.decided = judgement(c.action, casefile.VE03)
			f.outcomes[c.fails] = casefile.ActFailed
			f.run()
			require.NoError(t, f.env.GetWorkflowError())
			require.Equal(t, []string{"prepare", "append", "act", "act", "append", "finish", "notify", "append"}, f.order)
			require.Equal(t, casefile.DecisionFailed, f.finished[0].State)
			require.Len(t, f.finished, 1)
		})
	}
}

// settle sends a person's word on an uncertain act.
func (f *field) settle(after time.Duration, id string, a workflows.SettleArgs) *answer {
	return f.sendOn(after, workflows.UpdateSettle, id, casefile.TakedownChain("d1"), func() any {
		a.Verb = workflows.Verb{ID: id, Case: ref, Actor: reviewer}
		return a
	})
}

// TestPromise07UncertainWaitsForAPerson: what could not be established stops the takedown until a
// person who looked says what happened; then it goes on, or not.
func TestPromise07UncertainWaitsForAPerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct { // of L6: a post would keep no other up
		done  bool
		order []string
		want  []casefile.DecisionState
	}{
		"it happened": {true, []string{"prepare", "append", "act", "append", "finish", "settle", "act", "append", "finish", "notify", "append"}, []casefile.DecisionState{casefile.DecisionUncertain, casefile.DecisionDone}},
		"it did not":  {false, []string{"prepare", "append", "act", "append", "finish", "settle", "append", "finish"}, []casefile.DecisionState{casefile.DecisionUncertain, casefile.DecisionFailed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.decided = judgement(casefile.L6, casefile.VE03)
			f.outcomes[1] = casefile.ActUncertain
			reason := workflows.Reason{Words: "w", Digest: "d"}
			wrong := f.settle(time.Hour, "s0", workflows.SettleArgs{Decision: "d1", Number: 2, Direction: casefile.Do, Done: true, Reason: reason})
			mute := f.settle(time.Hour, "s1", workflows.SettleArgs{Decision: "d1", Number: 1, Direction: casefile.Do, Done: true})
			forged := f.sendOn(time.Hour, workflows.UpdateSettle, "s2", casefile.TakedownChain("another"), func() any {
				return workflows.SettleArgs{Verb: workflows.Verb{ID: "s2", Case: ref, Actor: reviewer}, Decision: "d1", Number: 1, Direction: casefile.Do, Done: true, Reason: reason}
			})
			f.settle(40*24*time.Hour, "s3", workflows.SettleArgs{Decision: "d1", Number: 1, Direction: casefile.Do, Done: c.done, Reason: reason})
			f.run()
			require.NoError(t, f.env.GetWorkflowError())
			wrong.refused(t, casefile.CodeState, "")
			mute.refused(t, casefile.CodeInvalid, "reason")
			forged.refused(t, casefile.CodeForbidden, "")
			require.Equal(t, c.order, f.order)
			var got []casefile.DecisionState
			for _, x := range f.finished {
				got = append(got, x.State)
			}
			require.Equal(t, c.want, got)
			require.Contains(t, f.types(), casefile.EntryActSettled)
		})
	}
}

// TestTakedownEndsTimedActs: a suspension ends by itself when its time has come, however long that is.
func TestTakedownEndsTimedActs(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.decided = judgement(casefile.L5, casefile.VE08)
	f.run()
	require.NoError(t, f.env.GetWorkflowError())
	require.Equal(t, []string{"prepare", "append", "act", "append", "finish", "notify", "append", "end", "append", "finish"}, f.order)
	require.Equal(t, time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC), f.ended[0].UTC(), "30 days after the decision")
	require.Equal(t, casefile.DecisionEnded, f.finished[1].State)
}

// TestTakedownOfAnotherIDIsDropped: a start under another id than the decision's is nobody's.
func TestTakedownOfAnotherIDIsDropped(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "takedown/else/where"})
	f.run()
	require.Error(t, f.env.GetWorkflowError())
	require.Empty(t, f.order)
	require.Equal(t, []workflows.DropStartAsk{{Kind: workflows.TakedownWorkflowType, Platform: platform, Thing: "d1", Why: "mismatch"}}, f.dropped)
}

func TestTakedownRefusedByTheActorChangesNothing(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.refuse = temporal.NewNonRetryableApplicationError("refused", string(casefile.CodeUnproven), nil)
	f.run()
	require.Error(t, f.env.GetWorkflowError())
	require.Equal(t, []string{"prepare"}, f.order)
}

func TestTakedownThatCannotBeginIsOnRecord(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.refuse = temporal.NewNonRetryableApplicationError("refused", string(casefile.CodeInvalid), nil)
	f.run()
	require.Error(t, f.env.GetWorkflowError())
	require.Equal(t, []string{"prepare", "append", "finish"}, f.order)
	require.Equal(t, []casefile.EntryType{casefile.EntryActsOutcome}, f.types())
	require.Equal(t, casefile.DecisionFailed, f.finished[0].State)
	require.Equal(t, "prepare.invalid", f.finished[0].Why)
}
