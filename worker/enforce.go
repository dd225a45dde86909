package worker

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/workflows"
)

// Enforce is the role that acts on platforms, the only one with their credentials.
type Enforce struct {
	worker worker.Worker
}

// NewEnforce makes the role.
func NewEnforce(cl client.Client, a *activities.Actor) *Enforce {
	w := newWorker(cl, workflows.TaskQueueActions, final, worker.Options{DisableWorkflowWorker: true})
	for name, fn := range map[string]any{
		workflows.ActivityPrepareActs: a.PrepareActs,
		workflows.ActivityDoAct:       a.DoAct,
		workflows.ActivityEndAct:      a.EndAct,
		workflows.ActivityPrepareUndo: a.PrepareUndo,
		workflows.ActivityUndoAct:     a.UndoAct,
		workflows.ActivitySettleAct:   a.SettleAct,
		workflows.ActivityNotify:      a.Notify,
		workflows.ActivityNotifyUndo:  a.NotifyUndo,
	} {
		w.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	return &Enforce{worker: w}
}

// Start starts polling.
func (e *Enforce) Start(context.Context) error {
	err := e.worker.Start()
	if err != nil {
		return fmt.Errorf("start the enforce role: %w", err)
	}
	return nil
}

// Stop stops polling and waits for what is under way.
func (e *Enforce) Stop(context.Context) error {
	e.worker.Stop()
	return nil
}
