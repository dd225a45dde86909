package worker

import (
	"context"
	"sync"
	"time"
)

// Loop is a role that does one thing until it is stopped.
type Loop struct {
	run    func(ctx context.Context)
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewLoop makes a role of run, which returns once its context ends.
func NewLoop(run func(ctx context.Context)) *Loop { return &Loop{run: run} }

// Start begins; the end of ctx does not stop it. Call it once.
func (l *Loop) Start(ctx context.Context) error {
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.done.Go(func() { l.run(ctx) })
	return nil
}

// Stop ends it and waits for what is under way.
func (l *Loop) Stop(context.Context) error {
	if l.cancel != nil {
		l.cancel()
		l.done.Wait()
	}
	return nil
}

// every calls do at once and then every pause, until ctx ends.
func every(ctx context.Context, pause time.Duration, do func(ctx context.Context)) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		do(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
