package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// Workflows are the workflow functions, with what their validators need.
type Workflows struct {
	// Verify refuses a verb whose signed word is missing, is not the API's, has expired or is of
	// something else: casefile.AssertionKeys.Check. Only validators ask it, which are not run on
	// replay: so a history replays after the key was rotated.
	Verify func(a *casefile.Assertion, use casefile.Use) error
}

// check holds a verb to the API's signed word. on is the ledger chain of the thing that it is about.
func (w Workflows) check(name, on string, v Verb, args any) error {
	if w.Verify == nil {
		return casefile.Errorf(casefile.CodeForbidden, "no verb counts here: there is nothing to check its signature with")
	}
	return w.Verify(v.Assertion, casefile.Use{Verb: name, On: on, ID: v.ID, By: v.Actor, Args: args})
}

// checkPerson refuses a verb that is no person's.
func checkPerson(v Verb) error {
	if v.Actor.Person == "" || v.Actor.Role == casefile.RoleService || !v.Actor.Role.Valid() {
		return casefile.Errorf(casefile.CodeForbidden, "a verb is a person's")
	}
	return nil
}

// errForged ends a run that the API or another workflow of ours did not start.
const errForged = "forged_start"

// scheduled says why a run cannot be one that we started: ours have no schedule, no retry policy and
// the id that their input gives. A run that the server starts by itself for a schedule or a retry
// looks like one that continued, so these come first.
func scheduled(ctx workflow.Context, id string) string {
	info := workflow.GetInfo(ctx)
	switch {
	case info.CronSchedule != "" || info.RetryPolicy != nil:
		return "schedule"
	case info.WorkflowExecution.ID != id:
		return "mismatch"
	}
	return ""
}

// drop puts a forged start on record and fails the run, so that its id stays free for a true one.
func drop(ctx workflow.Context, ask DropStartAsk) error {
	err := workflow.ExecuteLocalActivity(localOptions(ctx), ActivityDropStart, ask).Get(ctx, nil)
	if err != nil {
		return err
	}
	return temporal.NewNonRetryableApplicationError("this run was not started by the API", errForged, nil)
}
