package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// The bare workflow that a case's life is compared with: three activities that do nothing, one signal.
const (
	bareQueue    = "bench-bare"
	bareSignal   = "go"
	bareWorkflow = "BenchBare"
	bareActivity = "BenchNothing"
)

func runBare(ctx workflow.Context) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for range 2 {
		err := workflow.ExecuteActivity(ctx, bareActivity).Get(ctx, nil)
		if err != nil {
			return err
		}
	}
	workflow.GetSignalChannel(ctx, bareSignal).Receive(ctx, nil)
	return workflow.ExecuteActivity(ctx, bareActivity).Get(ctx, nil)
}

// startBare polls for bare workflows on the same server, over the same client and with as many pollers
// as the work role.
func startBare(cl client.Client) (worker.Worker, error) {
	w := worker.New(cl, bareQueue, worker.Options{MaxConcurrentWorkflowTaskPollers: 8})
	w.RegisterWorkflowWithOptions(runBare, workflow.RegisterOptions{Name: bareWorkflow})
	w.RegisterActivityWithOptions(func(context.Context) error { return nil }, activity.RegisterOptions{Name: bareActivity})
	err := w.Start()
	if err != nil {
		return nil, fmt.Errorf("start the bare workflow's worker: %w", err)
	}
	return w, nil
}

// bare runs one bare workflow to its end and gives its id.
func bare(ctx context.Context, cl client.Client) (string, error) {
	id := "bench-bare-" + casefile.NewID()
	run, err := cl.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: bareQueue}, bareWorkflow)
	if err != nil {
		return id, fmt.Errorf("start a bare workflow: %w", err)
	}
	err = cl.SignalWorkflow(ctx, id, "", bareSignal, nil)
	if err != nil {
		return id, fmt.Errorf("signal a bare workflow: %w", err)
	}
	err = run.Get(ctx, nil)
	if err != nil {
		return id, fmt.Errorf("wait for a bare workflow: %w", err)
	}
	return id, nil
}
