package worker

import (
	"context"
	"errors"
	"fmt"

	enums "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// ForeignWhy is the code for why a run under one of our ids cannot be one that we started. Whoever reaches
// the engine may start such a run, and it would keep the true one from its id for as long as it stands.
type ForeignWhy string

// The codes, as a refused start has them on the ledger.
const (
	ForeignType     ForeignWhy = "type"     // another workflow's
	ForeignQueue    ForeignWhy = "queue"    // on a task queue that the role work does not poll
	ForeignSchedule ForeignWhy = "schedule" // it has a schedule, retries or a delay, and waits for its time
	ForeignPinned   ForeignWhy = "pinned"   // it is held to a version of workers; ours have none
)

// reasonForeign and reasonBehind are what the engine is told for why a run was terminated.
const (
	reasonForeign = "foreign: this run was not started by Docket"
	reasonBehind  = "behind: the records know more than this run, its case is started again"
)

// foreignByDescription judges a run by what the engine tells of it.
func foreignByDescription(workflowID string, info *workflowpb.WorkflowExecutionInfo) ForeignWhy {
	start := workflows.StartOf(workflowID)
	switch {
	case start.Kind == "":
		return "" // not an id of ours
	case info.GetType().GetName() != start.Kind:
		return ForeignType
	case info.GetTaskQueue() != workflows.TaskQueueCases:
		return ForeignQueue
	case info.GetVersioningInfo().GetVersioningOverride() != nil:
		return ForeignPinned
	}
	return ""
}

// foreignByStart judges a run whose first task had or has to wait for its time by how it was started. One of
// ours waits for a moment where it continued as new soon after it began, and never else.
func (c *Cases) foreignByStart(ctx context.Context, workflowID, run string) (ForeignWhy, error) {
	events := c.Client.GetWorkflowHistory(ctx, workflowID, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	if !events.HasNext() {
		return "", nil
	}
	first, err := events.Next()
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return "", nil // deleted meanwhile
	}
	if err != nil {
		return "", fmt.Errorf("read how a run was started: %w", unavailable(err))
	}
	if scheduledStart(first.GetWorkflowExecutionStartedEventAttributes()) {
		return ForeignSchedule, nil
	}
	return "", nil
}

func scheduledStart(s *historypb.WorkflowExecutionStartedEventAttributes) bool {
	return s.GetCronSchedule() != "" || s.GetRetryPolicy() != nil ||
		s.GetInitiator() == enums.CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED && s.GetFirstWorkflowTaskBackoff().AsDuration() > 0
}

// evict puts a foreign run on record and then ends it, and no other run of its id: a true one that was
// started meanwhile goes on.
func (c *Cases) evict(ctx context.Context, workflowID string, run Run) error {
	if c.Refused == nil {
		return casefile.Errorf(casefile.CodeInternal, "a foreign run can be put on record nowhere")
	}
	ask := workflows.StartOf(workflowID)
	ask.Why = string(run.Foreign)
	err := c.Refused.Refuse(ctx, run.ID, ask)
	if err != nil {
		return fmt.Errorf("put a foreign run on record: %w", err)
	}
	if run.State != RunRunning {
		return nil
	}
	return c.terminate(ctx, workflowID, run.ID, reasonForeign)
}

// Reclaim ends a run under an account's workflow id that is none of ours, and puts it on record, so that the
// next signal starts the true one. It does nothing where there is no such run.
func (c *Cases) Reclaim(ctx context.Context, platform string, account casefile.AccountKey) error {
	id := casefile.CaseWorkflowID(platform, account)
	run, err := c.Describe(ctx, id)
	if err != nil || run.Foreign == "" || run.State != RunRunning {
		return err
	}
	return c.evict(ctx, id, run)
}
