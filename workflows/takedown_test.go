package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
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
}

func newField(t *testing.T) *field {
	var suite testsuite.WorkflowTestSuite
	f := &field{stage: &stage{t: t, env: suite.NewTestWorkflowEnvironment()}, outcomes: map[int]casefile.ActState{}}
	f.env.SetStartTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	f.env.RegisterWorkflowWithOptions(workflows.Takedown, workflow.RegisterOptions{Name: workflows.TakedownWorkflowType})
	for name, fn := range map[string]any{
		workflows.ActivityPrepareActs: f.prepare, workflows.ActivityDoAct: f.do, workflows.ActivityNotify: f.notify,
		workflows.ActivityFinish: f.finish, workflows.ActivityFixEntries: f.fix, workflows.ActivityAppend: f.appendInOrder,
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
	return casefile.ActOutcome{Act: ask.Act, Direction: ask.Direction, State: state, At: time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)}, nil
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
		ID: "d1", Case: ref, Platform: platform, Account: account, Judgement: judgement(casefile.L4, casefile.VE08),
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

func TestTakedownStopsAtWhatIsUncertain(t *testing.T) {
	t.Parallel()
	for state, want := range map[casefile.ActState]casefile.DecisionState{
		casefile.ActUncertain: casefile.DecisionUncertain, casefile.ActFailed: casefile.DecisionFailed,
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.outcomes[1] = state
			f.run()
			require.NoError(t, f.env.GetWorkflowError())
			require.Equal(t, []string{"prepare", "append", "act", "append", "finish"}, f.order, "no second act, nobody told")
			require.Equal(t, want, f.finished[0].State)
		})
	}
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
