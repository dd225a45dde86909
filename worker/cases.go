package worker

import (
	"context"
	"errors"
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// Cases reaches the workflows of cases, takedowns, appeals and reinstatements; it is the desk's and the
// intake's way to them. Errors are *casefile.Error: CodeUnavailable where the engine does not answer,
// which says nothing of what became of a verb; a refusal's own code otherwise.
type Cases struct {
	Client client.Client
	// Refused puts foreign runs on record; nil leaves them alone, with an error.
	Refused *activities.StartRefuser
}

// SignalFlag tells an account's workflow of a receipt row, starting it if it does not run.
func (c *Cases) SignalFlag(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey) error {
	_, err := c.Client.SignalWithStartWorkflow(ctx, casefile.CaseWorkflowID(platform, account),
		workflows.SignalFlag, workflows.FlagSignal{Flag: flag},
		client.StartWorkflowOptions{
			TaskQueue: workflows.TaskQueueCases,
			// An account's next case has the same id; nor may a forged run that failed keep it taken.
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		},
		workflows.CaseWorkflowType, workflows.CaseInput{Platform: platform, Account: account})
	if err != nil {
		return fmt.Errorf("signal the account's workflow: %w", unavailable(err))
	}
	return nil
}

// Update sends a verb on a case and waits for its answer.
func (c *Cases) Update(ctx context.Context, platform string, account casefile.AccountKey, name, verbID string, args any) (workflows.VerbResult, error) {
	return update[workflows.VerbResult](ctx, c, casefile.CaseWorkflowID(platform, account), name, verbID, args, "this case is not open")
}

// UpdateAppeal sends a verb on an appeal and waits for its answer.
func (c *Cases) UpdateAppeal(ctx context.Context, appeal, name, verbID string, args any) (workflows.AppealResult, error) {
	return update[workflows.AppealResult](ctx, c, casefile.AppealWorkflowID(appeal), name, verbID, args, "this appeal is not open")
}

// UpdateSettle sends a person's word on an uncertain act and waits for its answer. appeal is "" for an
// act of the decision's takedown, the end of a timed act included; for one that is being taken back, it
// is the appeal that was upheld. The verb's signed word must be about the same one's ledger chain.
func (c *Cases) UpdateSettle(ctx context.Context, ref casefile.CaseRef, appeal string, args workflows.SettleArgs) (workflows.SettleResult, error) {
	id := casefile.TakedownWorkflowID(ref, args.Decision)
	if appeal != "" {
		id = casefile.ReinstatementWorkflowID(appeal)
	}
	return update[workflows.SettleResult](ctx, c, id, workflows.UpdateSettle, args.ID, args, "this act is not waited for")
}

// update sends an Update; gone is said where no run takes it.
func update[R any](ctx context.Context, c *Cases, id, name, verbID string, args any, gone string) (R, error) {
	var res, none R
	handle, err := c.Client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateID: verbID, UpdateName: name, Args: []any{args}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &res)
	}
	if err != nil {
		return none, refusal(err, gone)
	}
	return res, nil
}

// StartAppeal starts the workflow of an appeal whose row stands. One that runs, or has come to its end,
// is left alone.
func (c *Cases) StartAppeal(ctx context.Context, appeal string) error {
	_, err := c.startAppeal(ctx, appeal, false)
	return err
}

// The starts below take evenDone: to start also where a run of the id has come to its end, which the
// caller knows not to have been ours.

func (c *Cases) startAppeal(ctx context.Context, appeal string, evenDone bool) (started bool, err error) {
	return c.start(ctx, casefile.AppealWorkflowID(appeal), workflows.AppealWorkflowType, workflows.AppealInput{Appeal: appeal}, evenDone)
}

// startTakedown starts a proven decision's takedown; started is false where one runs, or has come to its
// end.
func (c *Cases) startTakedown(ctx context.Context, in workflows.TakedownInput, evenDone bool) (started bool, err error) {
	return c.start(ctx, casefile.TakedownWorkflowID(in.Decision.Case, in.Decision.ID), workflows.TakedownWorkflowType, in, evenDone)
}

// startReinstatement starts the reinstatement of an upheld appeal, as startTakedown does a takedown.
func (c *Cases) startReinstatement(ctx context.Context, in workflows.ReinstatementInput, evenDone bool) (started bool, err error) {
	return c.start(ctx, casefile.ReinstatementWorkflowID(in.Ruling.Appeal), workflows.ReinstatementWorkflowType, in, evenDone)
}

func (c *Cases) start(ctx context.Context, id, kind string, in any, evenDone bool) (bool, error) {
	// A run that our workflows dropped has failed; a true one that ended well is not done again.
	reuse := enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
	if evenDone {
		reuse = enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	_, err := c.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: workflows.TaskQueueCases,
		WorkflowIDReusePolicy:                    reuse,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
	}, kind, in)
	var already *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &already) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("start a workflow (%s): %w", kind, unavailable(err))
	}
	return true, nil
}

// RunState says how the last run of a workflow stands.
type RunState string

// The states of a run.
const (
	RunNone    RunState = "none"    // there is none, or it was deleted
	RunRunning RunState = "running" // it runs
	RunDone    RunState = "done"    // it came to its end
	RunFailed  RunState = "failed"  // it failed, timed out, or was terminated or cancelled
)

// Run is the last run of a workflow.
type Run struct {
	ID    string // of the run; "" where there is none
	State RunState
	// Foreign says why it cannot be one that we started; "" where it can.
	Foreign ForeignWhy
}

// Describe says how the last run of a workflow stands.
func (c *Cases) Describe(ctx context.Context, workflowID string) (Run, error) {
	res, err := c.Client.DescribeWorkflowExecution(ctx, workflowID, "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return Run{State: RunNone}, nil
	}
	if err != nil {
		return Run{}, fmt.Errorf("describe a workflow: %w", unavailable(err))
	}
	info := res.GetWorkflowExecutionInfo()
	run := Run{ID: info.GetExecution().GetRunId(), State: RunFailed, Foreign: foreignByDescription(workflowID, info)}
	switch info.GetStatus() {
	case enums.WORKFLOW_EXECUTION_STATUS_RUNNING, enums.WORKFLOW_EXECUTION_STATUS_PAUSED:
		run.State = RunRunning
	case enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
		run.State = RunDone
	}
	if run.Foreign == "" && run.State == RunRunning && info.GetExecutionTime().AsTime().After(info.GetStartTime().AsTime()) {
		run.Foreign, err = c.foreignByStart(ctx, workflowID, run.ID)
		if err != nil {
			return Run{}, err
		}
	}
	return run, nil
}

// Running says whether an account's case workflow runs.
func (c *Cases) Running(ctx context.Context, platform string, account casefile.AccountKey) (bool, error) {
	run, err := c.Describe(ctx, casefile.CaseWorkflowID(platform, account))
	return run.State == RunRunning, err
}

// state asks a run of an account's case workflow what it knows.
func (c *Cases) state(ctx context.Context, platform string, account casefile.AccountKey, run string) (workflows.CaseState, error) {
	var s workflows.CaseState
	value, err := c.Client.QueryWorkflow(ctx, casefile.CaseWorkflowID(platform, account), run, workflows.QueryState)
	if err == nil {
		err = value.Get(&s)
	}
	if err != nil {
		return workflows.CaseState{}, fmt.Errorf("ask a case's workflow: %w", unavailable(err))
	}
	return s, nil
}

// terminate ends one run of a workflow and no other of its id.
func (c *Cases) terminate(ctx context.Context, workflowID, run, reason string) error {
	err := c.Client.TerminateWorkflow(ctx, workflowID, run, reason)
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("terminate a run of a workflow: %w", unavailable(err))
	}
	return nil
}

// refusal turns a refused Update's error back into the domain's.
func refusal(err error, nobody string) error {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		var d workflows.RefusalDetails
		code := casefile.Code(app.Type())
		if app.HasDetails() && app.Details(&d) == nil {
			return &casefile.Error{Code: code, Field: d.Field, Message: d.Message}
		}
		if code == casefile.CodeUnavailable {
			return casefile.Errorf(code, "try again")
		}
		return fmt.Errorf("send the verb: %w", err)
	}
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return casefile.Errorf(casefile.CodeState, "%s", nobody)
	}
	return fmt.Errorf("send the verb: %w", unavailable(err))
}

// unavailable marks errors of a Temporal that is down or overloaded.
func unavailable(err error) error {
	var down *serviceerror.Unavailable
	var full *serviceerror.ResourceExhausted
	var late *serviceerror.DeadlineExceeded
	if errors.As(err, &down) || errors.As(err, &full) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded) {
		return &casefile.Error{Code: casefile.CodeUnavailable, Message: "the workflow engine does not answer", Err: err}
	}
	return err
}
