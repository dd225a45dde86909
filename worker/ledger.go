package worker

import (
	"context"
	"fmt"
	"sync"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/systemchain"
	"github.com/docket-triage/docket/workflows"
)

// Ledger is the role that writes the log, the only one that does: what workflows append, and the
// system chain from the outbox of the records.
type Ledger struct {
	worker worker.Worker
	chain  *systemchain.Writer
	log    *ledger.Log
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewLedger makes the role. It owns the log from here on: Stop closes it.
func NewLedger(cl client.Client, log *ledger.Log, chain *systemchain.Writer) *Ledger {
	w := newWorker(cl, workflows.TaskQueueLedger, nil, worker.Options{DisableWorkflowWorker: true})
	a := &activities.Ledger{Log: log}
	w.RegisterActivityWithOptions(a.Append, activity.RegisterOptions{Name: workflows.ActivityAppend})
	w.RegisterActivityWithOptions(a.ChainHead, activity.RegisterOptions{Name: workflows.ActivityChainHead})
	return &Ledger{worker: w, chain: chain, log: log}
}

// Start starts polling and the system chain.
func (l *Ledger) Start(context.Context) error {
	err := l.worker.Start()
	if err != nil {
		return fmt.Errorf("start the ledger role: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.done.Go(func() { l.chain.Run(ctx) })
	return nil
}

// Stop stops both, waits for what is under way and closes the log.
func (l *Ledger) Stop(ctx context.Context) error {
	if l.cancel != nil {
		l.worker.Stop()
		l.cancel()
		l.done.Wait()
	}
	err := l.log.Close(ctx)
	if err != nil {
		return fmt.Errorf("close the log: %w", err)
	}
	return nil
}
