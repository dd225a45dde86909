package worker

import (
	"context"
	"errors"
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// Cases reaches the cases' workflows; it is the desk's and the intake's way to them.
type Cases struct {
	Client   client.Client
	Settings workflows.Settings
}

// SignalFlag tells an account's workflow of a receipt row, starting it if it does not run.
func (c *Cases) SignalFlag(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey) error {
	_, err := c.Client.SignalWithStartWorkflow(ctx, casefile.CaseWorkflowID(platform, account),
		workflows.SignalFlag, workflows.FlagSignal{Flag: flag},
		client.StartWorkflowOptions{
			TaskQueue:             workflows.TaskQueueCases,
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		},
		workflows.CaseWorkflowType, workflows.CaseInput{Platform: platform, Account: account, Settings: c.Settings})
	if err != nil {
		return fmt.Errorf("signal the account's workflow: %w", unavailable(err))
	}
	return nil
}

// Update sends a verb and waits for its answer. Refusals come as *casefile.Error.
func (c *Cases) Update(ctx context.Context, platform string, account casefile.AccountKey, name, verbID string, args any) (workflows.VerbResult, error) {
	var res workflows.VerbResult
	handle, err := c.Client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: casefile.CaseWorkflowID(platform, account), UpdateID: verbID, UpdateName: name,
		Args: []any{args}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &res)
	}
	if err != nil {
		return workflows.VerbResult{}, refusal(err)
	}
	return res, nil
}

// refusal turns a refused Update's error back into the domain's.
func refusal(err error) error {
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
		return casefile.Errorf(casefile.CodeState, "this case is not open")
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
