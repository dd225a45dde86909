package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Work is the role that runs the workflows, with the reads and writes of our own stores as local
// activities, and keeps the index up with the records.
type Work struct {
	worker     worker.Worker
	projector  *projector.Projector
	refusals   *refusals
	background []Role
	log        *slog.Logger
	cancel     context.CancelFunc
	done       sync.WaitGroup
}

// WorkOptions are what the work role is made of.
type WorkOptions struct {
	Client     client.Client
	Activities *activities.Work
	Projector  *projector.Projector
	// Keys are those under which the API's signed verbs count. Without any, no verb counts.
	Keys casefile.AssertionKeys
	// Now is the clock that signed verbs are held to and refusals are dated by; nil means time.Now.
	Now func() time.Time
	// Verify, where it is set, is asked in place of Keys.
	Verify Verify
	// Refused puts a refused verb on record; nil writes it to the records of Activities.
	Refused func(ctx context.Context, r records.Refusal) error
	// Watch is the one in Client's connection; nil for none.
	Watch *EngineWatch
	// Background runs beside the worker until it stops: the sender of tellings, reconciling, the watch
	// over acts.
	Background []Role
	Log        *slog.Logger
}

func (o WorkOptions) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// stickyTimeout is how long a case waits for the process that last ran it before any other takes it
// up: after a restart, the first verb of each case takes so long (5 s if nothing is said).
const stickyTimeout = time.Second

// NewWork makes the role.
func NewWork(o WorkOptions) *Work {
	verify := o.Verify
	if verify == nil {
		verify = func(a *casefile.Assertion, use casefile.Use) error { return o.Keys.Check(a, use, o.now()) }
	}
	put := o.Refused
	if put == nil {
		put = o.Activities.Records.PutRefusal
	}
	r := newRefusals(verify, put, o.Log)
	r.refuseStart = activities.StartRefuser{Records: o.Activities.Records, Log: o.Log, Now: o.Activities.Now}.Refuse
	if o.Watch != nil {
		o.Watch.refusals.Store(r)
	}
	r.now = o.now
	w := newWorker(o.Client, workflows.TaskQueueCases, nil, worker.Options{
		MaxConcurrentWorkflowTaskPollers: 8,
		StickyScheduleToStartTimeout:     stickyTimeout,
		Interceptors:                     []interceptor.WorkerInterceptor{&refusalInterceptor{refusals: r}},
	})
	RegisterWorkflows(w, verify)
	for name, fn := range map[string]any{
		workflows.ActivityTakeIn:        o.Activities.TakeIn,
		workflows.ActivityAssess:        o.Activities.Assess,
		workflows.ActivityProject:       o.Activities.Project,
		workflows.ActivityProjectAppeal: o.Activities.ProjectAppeal,
		workflows.ActivityFixEntries:    o.Activities.FixEntries,
		workflows.ActivityArchive:       o.Activities.Archive,
		workflows.ActivityFinish:        o.Activities.Finish,
		workflows.ActivityFinishUndo:    o.Activities.FinishUndo,
		workflows.ActivityDropStart:     o.Activities.DropStart,
		workflows.ActivityTakeAppeal:    o.Activities.TakeAppeal,
		workflows.ActivityOrderReview:   o.Activities.OrderReview,
	} {
		w.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
	return &Work{worker: w, projector: o.Projector, refusals: r, background: o.Background, log: o.Log}
}

// Verify refuses a verb without the API's signed word for exactly this use of it, as
// casefile.AssertionKeys.Check does.
type Verify func(a *casefile.Assertion, use casefile.Use) error

// RegisterWorkflows registers every workflow type; replay tests use it as well. verify is never asked
// on replay; nil lets no verb count.
func RegisterWorkflows(r worker.WorkflowRegistry, verify Verify) {
	w := workflows.Workflows{Verify: verify}
	for name, fn := range map[string]any{
		workflows.CaseWorkflowType:          w.Case,
		workflows.TakedownWorkflowType:      w.Takedown,
		workflows.AppealWorkflowType:        w.Appeal,
		workflows.ReinstatementWorkflowType: w.Reinstatement,
	} {
		r.RegisterWorkflowWithOptions(fn, workflow.RegisterOptions{Name: name})
	}
	r.RegisterDynamicWorkflow(w.Unknown, workflow.DynamicRegisterOptions{})
}

// Start starts polling, projecting and what runs beside them. After an error nothing of it runs.
func (w *Work) Start(ctx context.Context) error {
	w.refusals.start()
	for i, b := range w.background {
		err := b.Start(ctx)
		if err != nil {
			err = errors.Join(err, stopAll(ctx, w.background[:i]))
			w.refusals.stop()
			return fmt.Errorf("start the work role: %w", err)
		}
	}
	err := w.worker.Start()
	if err != nil {
		err = errors.Join(err, stopAll(ctx, w.background))
		w.refusals.stop()
		return fmt.Errorf("start the work role: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	w.done.Go(func() { w.projector.Run(ctx) })
	return nil
}

func stopAll(ctx context.Context, roles []Role) error {
	var err error
	for _, r := range roles {
		err = errors.Join(err, r.Stop(ctx))
	}
	return err
}

// Stop stops everything and waits for what is under way.
func (w *Work) Stop(ctx context.Context) error {
	if w.cancel == nil {
		return nil
	}
	w.worker.Stop()
	w.cancel()
	w.done.Wait()
	err := stopAll(ctx, w.background)
	w.refusals.stop()
	if err != nil {
		return fmt.Errorf("stop the work role: %w", err)
	}
	return nil
}
