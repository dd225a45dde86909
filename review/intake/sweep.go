package intake

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/docket-triage/docket/records"
)

// sweepBatch bounds one sweep; the next one goes on.
const sweepBatch = 1000

// Sweep signals the rows that have been pending for longer than Options.SweepAfter and whose flag
// is sealed, and returns how many. It stops at the first signal that fails.
func (d *Door) Sweep(ctx context.Context) (int, error) {
	rows, err := d.o.Records.PendingFlags(ctx, d.o.Now().UTC().Add(-d.o.SweepAfter), sweepBatch)
	if err != nil {
		return 0, fmt.Errorf("list pending flags: %w", err)
	}
	signalled := 0
	for _, row := range rows {
		there, err := d.sealed(ctx, row)
		if err != nil {
			return signalled, fmt.Errorf("look for a pending flag's content: %w", err)
		}
		if !there {
			d.metrics.swept.WithLabelValues("missing").Inc()
			continue
		}
		err = d.send(ctx, row)
		if err != nil {
			return signalled, err
		}
		d.metrics.swept.WithLabelValues("signalled").Inc()
		signalled++
	}
	return signalled, nil
}

// sealed reports whether the row can be taken in: a request to reopen has nothing sealed of its own.
func (d *Door) sealed(ctx context.Context, row records.FlagReceipt) (bool, error) {
	if row.Reopens != "" {
		return true, nil
	}
	return d.o.Sealer.Exists(ctx, row.Account, row.Sealed)
}

// Sweeper runs Door.Sweep again and again.
type Sweeper struct {
	door *Door
	stop context.CancelFunc
	done sync.WaitGroup
}

// NewSweeper makes a sweeper of d; it does nothing before Start.
func NewSweeper(d *Door) *Sweeper { return &Sweeper{door: d} }

// Start begins sweeping, at once and then every Options.SweepEvery, until Stop or the end of ctx.
// Call it once.
func (s *Sweeper) Start(ctx context.Context) {
	ctx, s.stop = context.WithCancel(ctx)
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		tick := time.NewTicker(s.door.o.SweepEvery)
		defer tick.Stop()
		for {
			n, err := s.door.Sweep(ctx)
			if err != nil && ctx.Err() == nil {
				s.door.o.Log.LogAttrs(ctx, slog.LevelWarn, "sweep of pending flags stopped", slog.Int("signalled", n), slog.Any("error", err))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
}

// Stop ends sweeping and waits for the sweep under way.
func (s *Sweeper) Stop() {
	if s.stop == nil {
		return
	}
	s.stop()
	s.done.Wait()
}

var _ Records = (records.Store)(nil)
