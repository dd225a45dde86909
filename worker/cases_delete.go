package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
)

// delete asks the engine to delete every run of a workflow that it lists, and the last one, which it may
// not list yet; one that runs is ended by it. left is how many there were: the engine deletes in its own
// time, so whoever wants them gone asks again until it is 0.
func (c *Cases) delete(ctx context.Context, namespace, workflowID string) (left int, err error) {
	runs := map[string]bool{}
	last, err := c.Describe(ctx, workflowID)
	if err != nil {
		return 0, err
	}
	if last.ID != "" {
		runs[last.ID] = true
	}
	// An id is made of platform names, keyed hashes and random letters; a quote would end the question.
	query := "WorkflowId = '" + strings.ReplaceAll(workflowID, "'", "''") + "'"
	for token := []byte(nil); ; {
		res, err := c.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, Query: query, NextPageToken: token})
		if err != nil {
			return 0, fmt.Errorf("list the runs of a workflow: %w", unavailable(err))
		}
		for _, x := range res.GetExecutions() {
			runs[x.GetExecution().GetRunId()] = true
		}
		token = res.GetNextPageToken()
		if len(token) == 0 {
			break
		}
	}
	for run := range runs {
		_, err = c.Client.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
			Namespace: namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: run},
		})
		var gone *serviceerror.NotFound
		if err != nil && !errors.As(err, &gone) {
			return 0, fmt.Errorf("delete a run of a workflow: %w", unavailable(err))
		}
	}
	return len(runs), nil
}
