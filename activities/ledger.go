package activities

import (
	"context"
	"fmt"

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

// ChainHead finds a chain's last entry in the log, for a case whose run was lost.
func (l *Ledger) ChainHead(ctx context.Context, ask workflows.ChainHeadAsk) (workflows.ChainHeadAnswer, error) {
	var head workflows.ChainHeadAnswer
	for {
		r, err := l.Log.Receipt(ctx, casefile.NewEventID(ask.Chain, head.Seq+1))
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			return head, nil
		}
		if err != nil {
			return workflows.ChainHeadAnswer{}, fmt.Errorf("look a chain's head up: %w", err)
		}
		head.Seq, head.Hash = head.Seq+1, r.Hash
	}
}
