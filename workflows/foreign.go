package workflows

import (
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// StartOf says which workflow of ours a workflow id belongs to: Kind, Platform and Thing of the ask; Kind is
// "" for an id of another form. Platform and Thing are as the id has them: anybody may have made it.
func StartOf(workflowID string) DropStartAsk {
	head, rest, _ := strings.Cut(workflowID, "/")
	switch head {
	case "case":
		platform, account, err := casefile.ParseCaseWorkflowID(workflowID)
		if err != nil {
			platform, account = "", ""
		}
		return DropStartAsk{Kind: CaseWorkflowType, Platform: platform, Thing: string(account)}
	case "takedown":
		_, decision, _ := strings.Cut(rest, "/")
		return DropStartAsk{Kind: TakedownWorkflowType, Thing: decision}
	case "appeal":
		return DropStartAsk{Kind: AppealWorkflowType, Thing: rest}
	case "reinstatement":
		return DropStartAsk{Kind: ReinstatementWorkflowType, Thing: rest}
	}
	return DropStartAsk{}
}

// Unknown takes every run of a type that is none of ours: it puts it on record and fails it, where the SDK
// would try it again for ever. It looks at nothing that it was given.
func (Workflows) Unknown(ctx workflow.Context, _ converter.EncodedValues) error {
	ask := StartOf(workflow.GetInfo(ctx).WorkflowExecution.ID)
	ask.Why = "type"
	return drop(ctx, ask)
}
