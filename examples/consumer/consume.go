package main

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// State is all that the workflow knows: it goes from run to run.
type State struct {
	// After is the index of the log's entry that was looked at last, -1 for none.
	After int64 `json:"after"`
	// Acted counts the decisions that were acted on, Refused those that were not because of their proof,
	// Passed those that are nothing to act on.
	Acted   int `json:"acted"`
	Refused int `json:"refused"`
	Passed  int `json:"passed"`
	// LastRefusal says of the refused one that came last which it was and why.
	LastRefusal string `json:"last_refusal,omitempty"`
	// Parts is how many parts of the feed a run looks at before it continues as new.
	Parts int `json:"parts"`
}

// Names of the query that gives the State, and of the workflow.
const (
	queryState   = "state"
	workflowName = "docket-consumer"
)

// part is what Look found in a part of the feed. It names no account: a workflow's history is no place for one.
type part struct {
	Next    int64     `json:"next"`
	Verdict []verdict `json:"verdicts"`
}

// verdict is what came of the check of one decision.
type verdict struct {
	Index    uint64 `json:"index"`
	Decision string `json:"decision"`
	// Refused says why it must not be acted on, Passed why there is nothing to act on.
	Refused string `json:"refused,omitempty"`
	Passed  string `json:"passed,omitempty"`
}

// Consume follows the feed for ever: each decision whose proof holds is acted on, each other one is
// refused, counted and left.
func Consume(ctx workflow.Context, s State) error {
	err := workflow.SetQueryHandler(ctx, queryState, func() (State, error) { return s, nil })
	if err != nil {
		return fmt.Errorf("answer queries: %w", err)
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: feedWait + time.Minute,
		// As long as it takes: whatever fails here may come back, and no decision is left out.
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: time.Minute},
	})
	var a *Activities
	for range s.Parts {
		var p part
		err := workflow.ExecuteActivity(ctx, a.Look, s.After).Get(ctx, &p)
		if err != nil {
			return fmt.Errorf("look at the feed: %w", err)
		}
		for _, v := range p.Verdict {
			if v.Refused == "" && v.Passed == "" {
				err = workflow.ExecuteActivity(ctx, a.Act, v.Index).Get(ctx, &v)
				if err != nil {
					return fmt.Errorf("act on decision %s: %w", v.Decision, err)
				}
			}
			s.count(v)
			s.After = int64(v.Index)
		}
		s.After = p.Next
	}
	return workflow.NewContinueAsNewError(ctx, workflowName, s)
}

func (s *State) count(v verdict) {
	switch {
	case v.Refused != "":
		s.Refused++
		s.LastRefusal = fmt.Sprintf("decision %s at index %d: %s", v.Decision, v.Index, v.Refused)
	case v.Passed != "":
		s.Passed++
	default:
		s.Acted++
	}
}
