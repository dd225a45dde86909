package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/workflows"
)

// Log is what the ledger role's activities need of the log; *ledger.Log is one.
type Log interface {
	Append(ctx context.Context, entries []casefile.FixedEntry) ([]casefile.Receipt, error)
	Prove(ctx context.Context, index uint64) (casefile.Bundle, error)
	Receipt(ctx context.Context, event casefile.EventID) (casefile.Receipt, error)
}

// Ledger is the ledger role's activities: the only writer of the log.
type Ledger struct {
	Log Log
}

// Append appends entries in order; equal ones that are there already are answered with their old
// receipt. With Prove set it waits until a signed checkpoint covers that entry.
func (l *Ledger) Append(ctx context.Context, ask workflows.AppendAsk) (workflows.AppendAnswer, error) {
	taken, err := l.taken(ctx, ask)
	if err != nil || taken {
		return workflows.AppendAnswer{Taken: taken}, err
	}
	receipts, err := l.Log.Append(ctx, ask.Entries)
	if ask.Fence && casefile.ErrorCode(err) == casefile.CodeConflict {
		return workflows.AppendAnswer{Taken: true}, nil
	}
	if err != nil {
		// Whatever the log refuses (a fork, a gap) it has raised an alarm for. The chain waits here
		// until a person has put it right: failing the workflow for good would lose the case.
		return workflows.AppendAnswer{}, &casefile.Error{Code: casefile.CodeUnavailable, Op: "append to the ledger", Message: "the entry is not in the log", Err: err}
	}
	answer := workflows.AppendAnswer{Receipts: receipts}
	for _, r := range receipts {
		if ask.Prove == "" || r.Event != ask.Prove {
			continue
		}
		b, err := l.Log.Prove(ctx, r.Index)
		if err != nil {
			return workflows.AppendAnswer{}, fmt.Errorf("prove entry %s: %w", r.Event, err)
		}
		answer.Bundle = &b
	}
	appended(ask.Entries)
	return answer, nil
}

// taken says of a fence whether the log holds other bytes under its number. It is asked before they
// are appended, since the log raises an alarm for a fork.
func (l *Ledger) taken(ctx context.Context, ask workflows.AppendAsk) (bool, error) {
	if !ask.Fence {
		return false, nil
	}
	for _, f := range ask.Entries {
		r, err := l.Log.Receipt(ctx, f.Event)
		switch {
		case casefile.ErrorCode(err) == casefile.CodeNotFound:
			continue
		case err != nil:
			return false, fmt.Errorf("look a fence's number up: %w", err)
		case r.Hash != f.Hash():
			return true, nil
		}
	}
	return false, nil
}

// ChainHead finds a chain's last entry in the log, for a case whose run was lost, and the proof of the
// decision that it ends with, if it was asked for it.
func (l *Ledger) ChainHead(ctx context.Context, ask workflows.ChainHeadAsk) (workflows.ChainHeadAnswer, error) {
	var head workflows.ChainHeadAnswer
	var entries []casefile.Receipt
	for {
		r, err := l.Log.Receipt(ctx, casefile.NewEventID(ask.Chain, head.Seq+1))
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			break
		}
		if err != nil {
			return workflows.ChainHeadAnswer{}, fmt.Errorf("look a chain's head up: %w", err)
		}
		head.Seq, head.Hash = head.Seq+1, r.Hash
		entries = append(entries, r)
	}
	if !ask.Decision {
		return head, nil
	}
	var err error
	head.Decision, err = l.lastDecision(ctx, entries)
	if head.Decision != nil {
		head.Decides = head.Decision.Decides()
	}
	return head, err
}

// lastDecision proves the decision that a chain ends with; nil where it ends otherwise. Each run that was
// lost since has left an entry behind it.
func (l *Ledger) lastDecision(ctx context.Context, entries []casefile.Receipt) (*casefile.Bundle, error) {
	for _, r := range slices.Backward(entries) {
		b, err := l.Log.Prove(ctx, r.Index)
		if err != nil {
			return nil, fmt.Errorf("prove entry %s: %w", r.Event, err)
		}
		e, err := casefile.ParseEntry(b.Entry)
		if err != nil {
			return nil, fmt.Errorf("read entry %s: %w", r.Event, err)
		}
		switch e.Type {
		case casefile.EntryDecision:
			return &b, nil
		case casefile.EntryRestarted:
		default:
			return nil, nil
		}
	}
	return nil, nil
}
