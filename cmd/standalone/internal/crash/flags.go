package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/standalone/internal/crash/tally"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/intake"
)

// senders is how many flags are on their way at once: each sender hands the next one in when it knows
// the case of the last.
const senders = 26

// makeFlag makes the next flag: mostly of a new account, now and then of one that was flagged before.
func (l *load) makeFlag(seed uint64) casefile.Flag {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.flags
	l.flags++
	owner := n
	if n > 10 && l.rng.IntN(100) < 12 {
		owner = n - 1 - l.rng.IntN(10)
	}
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
	account := casefile.Account{ID: fmt.Sprintf("acct-%d", owner), Handle: fmt.Sprintf("invented_%d_%x", owner, uint32(owner)*2654435761)}
	f := casefile.Flag{
		ID: fmt.Sprintf("crash-%d-%d", seed, n), Platform: []string{"keeps", "asks", "mute"}[owner%3], Account: account,
		Detector: casefile.Detector{Name: "crash", Version: "1"},
		Reasons:  []casefile.Reason{{Rule: "praise", Policy: casefile.VE08, Weight: 7, Detail: "score 7 of 6"}},
		At:       at,
	}
	for i := range 1 + n%2 {
		f.Evidence = append(f.Evidence, casefile.Event{
			Kind: casefile.EventPost, Platform: f.Platform, ID: fmt.Sprintf("post-%d-%d", n, i), Account: casefile.Account{ID: account.ID},
			Text: fmt.Sprintf("[praise of a designated group] %d.%d", n, i), Lang: "en", At: at,
		})
	}
	return f
}

// send hands flags in, one after the other, until nothing new is begun any more.
func (l *load) send(ctx context.Context, seed uint64) {
	for ctx.Err() == nil && !l.drains() {
		f := l.makeFlag(seed)
		data, err := json.Marshal(f)
		if err != nil {
			l.fail(fmt.Errorf("encode a flag: %w", err))
			return
		}
		l.flight.flag(1)
		err = l.handIn(ctx, f, data)
		l.flight.flag(-1)
		if err != nil && ctx.Err() == nil {
			l.fail(err)
			return
		}
	}
}

// handIn hands one flag in until it is accepted, writes that down, and waits until its case is known.
func (l *load) handIn(ctx context.Context, f casefile.Flag, data []byte) error {
	submit := func(ctx context.Context) (intake.Result, error) { return l.client("detector").SubmitFlag(ctx, data) }
	answer, _, err := insist(ctx, submit)
	if err != nil {
		return fmt.Errorf("hand flag %s in: %w", f.ID, err)
	}
	l.accept(f, answer.Case)
	for answer.Case == "" {
		if !pause(ctx, 200*time.Millisecond) {
			return ctx.Err()
		}
		status, _, err := insist(ctx, func(ctx context.Context) (review.FlagStatus, error) {
			return l.client("detector").FlagStatus(ctx, f.Platform, f.ID)
		})
		if err != nil {
			return fmt.Errorf("ask for flag %s: %w", f.ID, err)
		}
		answer.Case = status.Case
	}
	if !l.chance(5) {
		return nil
	}
	// Now and then a sender does not believe it: the same id must get the same answer, for ever.
	repeated, _, err := insist(ctx, submit)
	if err != nil {
		return fmt.Errorf("hand flag %s in again: %w", f.ID, err)
	}
	l.accept(f, repeated.Case)
	return nil
}

func (l *load) accept(f casefile.Flag, ref casefile.CaseRef) {
	err := l.accepted.add(tally.Accepted{Platform: f.Platform, ID: f.ID, Key: l.flagOf(f.Platform, f.ID), Account: f.Account.ID, Case: ref})
	if err != nil {
		l.fail(err)
	}
}
