package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// ErasedDoor tells which accounts were erased, behind a sequence number, and where to go on; it is the API
// of the serve role, over HTTP.
type ErasedDoor interface {
	ErasedAccounts(ctx context.Context, after int64) (list []review.ErasedAccount, next int64, err error)
}

// ErasedAccounts asks the serve role which accounts were erased.
func (d Door) ErasedAccounts(ctx context.Context, after int64) ([]review.ErasedAccount, int64, error) {
	return d.Client.ErasedAccounts(ctx, after)
}

const forgetEvery = 30 * time.Second

// forgetting has the detector forget erased accounts, and its snapshot on the disk with it, until ctx ends:
// also once the stream has.
func (d *Detect) forgetting(ctx context.Context) {
	pause := d.o.ForgetEvery
	if pause <= 0 {
		pause = forgetEvery
	}
	every(ctx, pause, func(ctx context.Context) {
		err := d.forget(ctx)
		if err != nil && ctx.Err() == nil {
			d.o.Log.WarnContext(ctx, "erased accounts are forgotten later", "code", string(casefile.ErrorCode(err)))
		}
	})
}

// forget goes through the erasures since the last one that it knows of.
func (d *Detect) forget(ctx context.Context) error {
	for {
		d.mu.Lock()
		after := d.o.Detector.Erased()
		d.mu.Unlock()
		list, next, err := d.o.Erased.ErasedAccounts(ctx, after)
		if err != nil {
			return fmt.Errorf("ask which accounts were erased: %w", err)
		}
		if next <= after {
			return nil
		}
		err = d.drop(list, next)
		if err != nil {
			return err
		}
	}
}

// drop forgets the accounts between two batches, and writes the snapshot anew: the one on the disk holds
// their words, whether or not a window does.
func (d *Detect) drop(list []review.ErasedAccount, next int64) error {
	erased := make(map[casefile.AccountKey]bool, len(list))
	for _, a := range list {
		erased[a.Account] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ahead {
		return casefile.Errorf(casefile.CodeUnavailable, "a batch was not handed on whole")
	}
	d.o.Detector.ForgetErased(next, func(ref casefile.AccountRef) bool { return erased[d.o.Identity.Account(ref)] })
	err := d.o.Rewrite(string(d.token))
	if err != nil {
		return fmt.Errorf("write the detector's snapshot without erased accounts: %w", err)
	}
	return nil
}
