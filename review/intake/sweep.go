package intake

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/docket-triage/docket/casefile"
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
	var looked []casefile.FlagKey
	// Whatever becomes of the sweep, the next one looks at each of these later and later: a flag that
	// waits behind a decided case is signalled by its workflow's own end.
	defer func() {
		noted := d.o.Records.NoteSwept(context.WithoutCancel(ctx), looked, d.o.Now().UTC())
		if noted != nil {
			d.o.Log.LogAttrs(ctx, slog.LevelWarn, "a sweep of pending flags could not be noted", slog.String("error", casefile.PlainError(noted)))
		}
	}()
	for _, row := range rows {
		looked = append(looked, row.Flag)
		there, err := d.sealed(ctx, row)
		if err != nil {
			return signalled, fmt.Errorf("look for a pending flag's content: %w", err)
		}
		if !there {
			d.metrics.swept.WithLabelValues("missing").Inc()
			continue
		}
		err = d.reclaim(ctx, row)
		if err != nil {
			return signalled, err
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

func (d *Door) reclaim(ctx context.Context, row records.FlagReceipt) error {
	if d.o.Reclaim == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.o.SignalTimeout)
	defer cancel()
	err := d.o.Reclaim(ctx, row.Platform, row.Account)
	if err != nil {
		return fmt.Errorf("look who runs under an account's id: %w", err)
	}
	return nil
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
	done chan struct{} // closed at the end
}

// NewSweeper makes a sweeper of d; it does nothing before Start.
func NewSweeper(d *Door) *Sweeper { return &Sweeper{door: d} }

// Start begins sweeping, at once and then every Options.SweepEvery, until Stop: the end of ctx does
// not stop it. It does not fail. Call it once.
func (s *Sweeper) Start(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		tick := time.NewTicker(s.door.o.SweepEvery)
		defer tick.Stop()
		for {
			n, err := s.door.Sweep(ctx)
			if err != nil && ctx.Err() == nil {
				s.door.o.Log.LogAttrs(ctx, slog.LevelWarn, "sweep of pending flags stopped", slog.Int("signalled", n), slog.String("error", casefile.PlainError(err)))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}

// Stop ends sweeping and waits, until ctx ends, for the sweep under way, whose calls are cut short.
func (s *Sweeper) Stop(ctx context.Context) error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the sweeper: %w", ctx.Err())
	}
}
