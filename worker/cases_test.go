package worker

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// engine is a Temporal client that answers Updates and signals as it is told and keeps what it got.
type engine struct {
	client.Client
	sendErr, getErr error
	result          any

	update   client.UpdateWorkflowOptions
	id       string
	signal   string
	arg      any
	options  client.StartWorkflowOptions
	workflow any
	args     []any
}

func (e *engine) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	e.update = o
	if e.sendErr != nil {
		return nil, e.sendErr
	}
	return updateHandle{engine: e}, nil
}

type updateHandle struct {
	client.WorkflowUpdateHandle
	engine *engine
}

func (h updateHandle) Get(_ context.Context, out any) error {
	if h.engine.getErr != nil {
		return h.engine.getErr
	}
	reflect.ValueOf(out).Elem().Set(reflect.ValueOf(h.engine.result))
	return nil
}

func (e *engine) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	e.options, e.workflow, e.args = o, workflow, args
	return nil, e.sendErr
}

func (e *engine) SignalWithStartWorkflow(_ context.Context, id, signal string, arg any, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	e.id, e.signal, e.arg, e.options, e.workflow, e.args = id, signal, arg, o, workflow, args
	return nil, e.sendErr
}

func TestSignalFlag(t *testing.T) {
	t.Parallel()
	e := &engine{}
	c := &Cases{Client: e}
	require.NoError(t, c.SignalFlag(t.Context(), "synthetic", "keyedhash", "flagkey"))
	require.Equal(t, "case/synthetic/keyedhash", e.id)
	require.Equal(t, workflows.SignalFlag, e.signal)
	require.Equal(t, workflows.FlagSignal{Flag: "flagkey"}, e.arg)
	require.Equal(t, workflows.TaskQueueCases, e.options.TaskQueue)
	require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, e.options.WorkflowIDReusePolicy, "an account's next case has the same id")
	require.Equal(t, workflows.CaseWorkflowType, e.workflow)
	require.Equal(t, []any{workflows.CaseInput{Platform: "synthetic", Account: "keyedhash"}}, e.args, "the times come with the answer that opens the case")

	for _, down := range []error{serviceerror.NewUnavailable("down"), &serviceerror.ResourceExhausted{Message: "full"}, serviceerror.NewDeadlineExceeded("late"), context.DeadlineExceeded} {
		e.sendErr = down
		err := c.SignalFlag(t.Context(), "synthetic", "keyedhash", "flagkey")
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), "%T", down)
		require.ErrorIs(t, err, down)
	}
	e.sendErr = errors.New("odd")
	require.Equal(t, casefile.CodeInternal, casefile.ErrorCode(c.SignalFlag(t.Context(), "synthetic", "keyedhash", "flagkey")))
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	e := &engine{result: workflows.VerbResult{Case: "7K2QX-9MDT4", State: casefile.StateClaimed, Revision: 3}}
	c := &Cases{Client: e}
	got, err := c.Update(t.Context(), "synthetic", "keyedhash", workflows.UpdateClaim, "VERB1", workflows.ClaimArgs{})
	require.NoError(t, err)
	require.Equal(t, e.result, got)
	require.Equal(t, client.UpdateWorkflowOptions{
		WorkflowID: "case/synthetic/keyedhash", UpdateID: "VERB1", UpdateName: workflows.UpdateClaim,
		Args: []any{workflows.ClaimArgs{}}, WaitForStage: client.WorkflowUpdateStageCompleted,
	}, e.update, "the Update's id is the verb's: it counts once")
}

// TestUpdateOfOthersThanCases goes to the workflow of the thing that the verb is about.
func TestUpdateOfOthersThanCases(t *testing.T) {
	t.Parallel()
	appeal := workflows.AppealResult{Appeal: "APPEAL1", State: casefile.AppealClaimed}
	e := &engine{result: appeal}
	c := &Cases{Client: e}
	got, err := c.UpdateAppeal(t.Context(), "APPEAL1", workflows.UpdateAppealClaim, "VERB1", workflows.AppealClaimArgs{Appeal: "APPEAL1"})
	require.NoError(t, err)
	require.Equal(t, appeal, got)
	require.Equal(t, client.UpdateWorkflowOptions{
		WorkflowID: "appeal/APPEAL1", UpdateID: "VERB1", UpdateName: workflows.UpdateAppealClaim,
		Args: []any{workflows.AppealClaimArgs{Appeal: "APPEAL1"}}, WaitForStage: client.WorkflowUpdateStageCompleted,
	}, e.update)
	e.getErr = serviceerror.NewNotFound("gone")
	_, err = c.UpdateAppeal(t.Context(), "APPEAL1", workflows.UpdateAppealClaim, "VERB1", workflows.AppealClaimArgs{})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "this appeal is not open")

	args := workflows.SettleArgs{Verb: workflows.Verb{ID: "VERB2"}, Decision: "DECISION1", Number: 2, Direction: casefile.Undo, Done: true}
	settled := workflows.SettleResult{Decision: "DECISION1", Number: 2, State: casefile.ActDone, Of: casefile.Undo}
	for appeal, id := range map[string]string{"": "takedown/7K2QX-9MDT4/DECISION1", "APPEAL1": "reinstatement/APPEAL1"} {
		e = &engine{result: settled}
		got, err := (&Cases{Client: e}).UpdateSettle(t.Context(), "7K2QX-9MDT4", appeal, args)
		require.NoError(t, err)
		require.Equal(t, settled, got)
		require.Equal(t, client.UpdateWorkflowOptions{
			WorkflowID: id, UpdateID: "VERB2", UpdateName: workflows.UpdateSettle, Args: []any{args}, WaitForStage: client.WorkflowUpdateStageCompleted,
		}, e.update)
	}
}

// TestStart: what stands or came to its end is left alone, so that repeats are harmless; what failed,
// as every forged start does, keeps no true one out.
func TestStart(t *testing.T) {
	t.Parallel()
	takedown := workflows.TakedownInput{Decision: casefile.Decision{ID: "DECISION1", Case: "7K2QX-9MDT4"}}
	reinstatement := workflows.ReinstatementInput{Takedown: takedown, Ruling: casefile.AppealRuling{Appeal: "APPEAL1"}}
	starts := map[string]struct {
		start func(c *Cases) (bool, error)
		id    string
		kind  string
		in    any
	}{
		"appeal": {func(c *Cases) (bool, error) { return true, c.StartAppeal(t.Context(), "APPEAL1") }, "appeal/APPEAL1",
			workflows.AppealWorkflowType, workflows.AppealInput{Appeal: "APPEAL1"}},
		"takedown": {func(c *Cases) (bool, error) { return c.startTakedown(t.Context(), takedown, false) }, "takedown/7K2QX-9MDT4/DECISION1",
			workflows.TakedownWorkflowType, takedown},
		"reinstatement": {func(c *Cases) (bool, error) { return c.startReinstatement(t.Context(), reinstatement, false) }, "reinstatement/APPEAL1",
			workflows.ReinstatementWorkflowType, reinstatement},
	}
	for name, s := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &engine{}
			c := &Cases{Client: e}
			started, err := s.start(c)
			require.NoError(t, err)
			require.True(t, started)
			require.Equal(t, client.StartWorkflowOptions{
				ID: s.id, TaskQueue: workflows.TaskQueueCases, WorkflowExecutionErrorWhenAlreadyStarted: true,
				WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
			}, e.options)
			require.Equal(t, s.kind, e.workflow)
			require.Equal(t, []any{s.in}, e.args)

			e.sendErr = serviceerror.NewWorkflowExecutionAlreadyStarted("again", "request", "run")
			started, err = s.start(c)
			require.NoError(t, err)
			require.Equal(t, name == "appeal", started)
			e.sendErr = serviceerror.NewUnavailable("down")
			_, err = s.start(c)
			require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
		})
	}
}

func TestUpdateRefused(t *testing.T) {
	t.Parallel()
	details := workflows.RefusalDetails{Field: "days", Message: "L3 limits features for 1 to 30 days", EvidenceRevision: 4}
	cases := map[string]struct {
		err     error
		code    casefile.Code
		field   string
		message string
	}{
		"with field and message": {temporal.NewNonRetryableApplicationError("days: x", "invalid", nil, details), casefile.CodeInvalid, "days", details.Message},
		"wrapped":                {fmt.Errorf("update: %w", temporal.NewNonRetryableApplicationError("x", "new_evidence", nil, workflows.RefusalDetails{Message: "look again"})), casefile.CodeNewEvidence, "", "look again"},
		"needs a second":         {temporal.NewNonRetryableApplicationError("x", "needs_second", nil, workflows.RefusalDetails{Field: "action", Message: "two people"}), casefile.CodeNeedsSecond, "action", "two people"},
		"the case is moving":     {temporal.NewNonRetryableApplicationError("x", "unavailable", nil, workflows.RefusalDetails{Message: "send the verb again"}), casefile.CodeUnavailable, "", "send the verb again"},
		"an outage on the way":   {temporal.NewApplicationError("activity failed: unavailable", "unavailable"), casefile.CodeUnavailable, "", "try again"},
		"an activity's failure":  {temporal.NewNonRetryableApplicationError("activity failed: state", "state", nil), casefile.CodeInternal, "", ""},
		"completed meanwhile":    {temporal.NewNonRetryableApplicationError("completed", "AcceptedUpdateCompletedWorkflow", nil), casefile.CodeInternal, "", ""},
		"no such workflow":       {serviceerror.NewNotFound("workflow execution already completed"), casefile.CodeState, "", "this case is not open"},
		"Temporal is down":       {serviceerror.NewUnavailable("down"), casefile.CodeUnavailable, "", "the workflow engine does not answer"},
		"Temporal is full":       {&serviceerror.ResourceExhausted{Message: "full"}, casefile.CodeUnavailable, "", "the workflow engine does not answer"},
		"Temporal is late":       {client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.DeadlineExceeded), casefile.CodeUnavailable, "", "the workflow engine does not answer"},
		"the caller left":        {client.NewWorkflowUpdateServiceTimeoutOrCanceledError(context.Canceled), casefile.CodeInternal, "", ""},
		"anything else":          {errors.New("odd"), casefile.CodeInternal, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for when, e := range map[string]*engine{"sending": {sendErr: c.err}, "waiting": {getErr: c.err}} {
				got, err := (&Cases{Client: e}).Update(t.Context(), "synthetic", "keyedhash", workflows.UpdateOpinion, "VERB1", nil)
				require.Zero(t, got, when)
				require.Equal(t, c.code, casefile.ErrorCode(err), when)
				if c.code == casefile.CodeInternal {
					require.ErrorIs(t, err, c.err, when)
					continue
				}
				var refused *casefile.Error
				require.ErrorAs(t, err, &refused, when)
				require.Equal(t, c.field, refused.Field, when)
				require.Equal(t, c.message, refused.Message, when)
			}
		})
	}
}
