package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/workflows"
)

// Work is the role that runs the workflows, with the reads and writes of our own stores as local
// activities, and keeps the index up with the records.
type Work struct {
	worker    worker.Worker
	projector *projector.Projector
	log       *slog.Logger
	cancel    context.CancelFunc
	done      sync.WaitGroup
}

// WorkOptions are what the work role is made of.
type WorkOptions struct {
	Client     client.Client
	Activities *activities.Work
	Projector  *projector.Projector
	Log        *slog.Logger
}

// stickyTimeout is how long a case waits for the process that last ran it before any other takes it
// up: after a restart, the first verb of each case takes so long (5 s if nothing is said).
const stickyTimeout = time.Second

// NewWork makes the role.
func NewWork(o WorkOptions) *Work {
	w := newWorker(o.Client, workflows.TaskQueueCases, nil, worker.Options{
		MaxConcurrentWorkflowTaskPollers: 8,
		StickyScheduleToStartTimeout:     stickyTimeout,
	})
	RegisterWorkflows(w)
	for name, fn := range map[string]any{
		workflows.ActivityTakeIn:     o.Activities.TakeIn,
		workflows.ActivityAssess:     o.Activities.Assess,
		workflows.ActivityProject:    o.Activities.Project,
		workflows.ActivityFixEntries: o.Activities.FixEntries,
		workflows.ActivityArchive:    o.Activities.Archive,
		workflows.ActivityFinish:     o.Activities.Finish,
	} {
		w.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	return &Work{worker: w, projector: o.Projector, log: o.Log}
}

// RegisterWorkflows registers every workflow type; replay tests use it as well.
func RegisterWorkflows(r worker.WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(workflows.Case, workflow.RegisterOptions{Name: workflows.CaseWorkflowType})
	r.RegisterWorkflowWithOptions(workflows.Takedown, workflow.RegisterOptions{Name: workflows.TakedownWorkflowType})
}

// Start starts polling and projecting.
func (w *Work) Start(context.Context) error {
	err := w.worker.Start()
	if err != nil {
		return fmt.Errorf("start the work role: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.done.Go(func() { w.projector.Run(ctx) })
	return nil
}

// Stop stops both and waits for what is under way.
func (w *Work) Stop(context.Context) error {
	if w.cancel == nil {
		return nil
	}
	w.worker.Stop()
	w.cancel()
	w.done.Wait()
	return nil
}
