package ledger

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
)

// MaxEntryBytes is the longest entry that Append takes; the format of the log ends at 65,535.
const MaxEntryBytes = 60_000

// link is one entry of a call with its place in its chain.
type link struct {
	at    int // position in the call
	chain string
	seq   int
	prev  string
	hash  string
	fixed casefile.FixedEntry
}

func (k link) receipt(index uint64) casefile.Receipt {
	return casefile.Receipt{Event: k.fixed.Event, Hash: k.hash, Index: index}
}

// Append puts entries on the log in their order and returns their receipts, once the log holds them
// durably. Each is handed on when the former's index is known, so that no number of a chain ever
// stands in the log without the lower ones, and no entry before one that it answers to. Calls do
// not wait for each other unless they are about the same chain.
//
// An entry that the log has already gets its old receipt. Errors: CodeInvalid for bytes that are
// no canonical entry, or entries of one chain that do not follow each other in the call;
// CodeTooLarge beyond MaxEntryBytes; CodeConflict, with an alarm, for a known event id with other
// bytes or an entry that names another predecessor than the log holds; CodeState, with an alarm,
// for an entry whose predecessor is missing; CodeUnavailable when the log cannot be written. After
// an error, or when ctx ends, some of the entries may be in the log: the same call again settles it.
func (l *Log) Append(ctx context.Context, entries []casefile.FixedEntry) ([]casefile.Receipt, error) {
	runs, err := linkRuns(entries)
	if err != nil {
		return nil, fmt.Errorf("append to ledger: %w", err)
	}
	receipts := make([]casefile.Receipt, len(entries))
	for _, run := range runs {
		err = l.appendRun(ctx, run, receipts)
		if err != nil {
			return nil, fmt.Errorf("append to ledger: %w", err)
		}
	}
	return receipts, nil
}

// linkRuns checks a call's entries and splits them into runs of one chain each.
func linkRuns(entries []casefile.FixedEntry) ([][]link, error) {
	var runs [][]link
	last := map[string]link{} // of each chain
	for i, fixed := range entries {
		k, err := parseLink(fixed)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the call: %w", i, err)
		}
		k.at = i
		before, seen := last[k.chain]
		if seen && (k.seq != before.seq+1 || k.prev != before.hash) {
			return nil, casefile.Invalid("prev", "entries %s and %s of one call do not follow each other", before.fixed.Event, k.fixed.Event)
		}
		last[k.chain] = k
		if i > 0 && runs[len(runs)-1][0].chain == k.chain {
			runs[len(runs)-1] = append(runs[len(runs)-1], k)
			continue
		}
		runs = append(runs, []link{k})
	}
	return runs, nil
}

func parseLink(fixed casefile.FixedEntry) (link, error) {
	if len(fixed.Data) > MaxEntryBytes {
		return link{}, casefile.Errorf(casefile.CodeTooLarge, "an entry has at most %d bytes, this one %d", MaxEntryBytes, len(fixed.Data))
	}
	e, err := casefile.ParseEntry(fixed.Data)
	if err != nil {
		return link{}, fmt.Errorf("parse entry: %w", err)
	}
	if e.Event != fixed.Event {
		return link{}, casefile.Invalid("event", "the entry's bytes are of another event")
	}
	chain, seq, err := e.Event.Split()
	if err != nil {
		return link{}, fmt.Errorf("parse entry: %w", err)
	}
	if e.Event != casefile.NewEventID(chain, seq) {
		return link{}, casefile.Invalid("event", "the number of an event id has no sign and no leading zero")
	}
	if seq == 1 && e.Prev != "" {
		return link{}, casefile.Invalid("prev", "a chain's first entry has no predecessor")
	}
	return link{chain: chain, seq: seq, prev: e.Prev, hash: fixed.Hash(), fixed: fixed}, nil
}

// appendRun appends entries of one chain and fills their receipts in.
func (l *Log) appendRun(ctx context.Context, links []link, receipts []casefile.Receipt) error {
	err := l.begin()
	if err != nil {
		return err
	}
	unlock, err := l.chains.lock(ctx, links[0].chain)
	if err != nil {
		l.inflight.Done()
		return err
	}
	release := func() {
		unlock()
		l.inflight.Done()
	}
	pending, err := l.appendLinks(ctx, links, receipts)
	if pending == nil {
		release()
		return err
	}
	// The caller has left, but its last entry is under way: the chain stays locked until it is done.
	go func() {
		<-pending.done
		release()
	}()
	return err
}

// appendLinks does appendRun's work under the chain's lock. pending is an entry that is still
// under way when ctx ended, else nil.
func (l *Log) appendLinks(ctx context.Context, links []link, receipts []casefile.Receipt) (pending *item, err error) {
	first, last := links[0], links[len(links)-1]
	generation := l.generation.Load()
	known, err := l.table.places(ctx, first.chain, first.seq-1, last.seq)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "the ledger's event table cannot be read", Err: err}
	}
	for _, k := range links {
		if p, ok := known[k.seq]; ok {
			if p.hash != k.hash {
				l.alarm(ctx, Alarm{Kind: AlarmConflict, Event: k.fixed.Event, Known: p.hash, Offered: k.hash})
				return nil, casefile.Errorf(casefile.CodeConflict, "the log holds %s with other bytes", k.fixed.Event)
			}
			receipts[k.at] = k.receipt(p.index)
			continue
		}
		err = l.checkPredecessor(ctx, k, known)
		if err != nil {
			return nil, err
		}
		it := &item{link: k, generation: generation, done: make(chan struct{})}
		select {
		case l.submit <- it:
		case <-ctx.Done():
			return nil, fmt.Errorf("hand an entry on: %w", ctx.Err())
		}
		select {
		case <-it.done:
		case <-ctx.Done():
			return it, fmt.Errorf("wait for an entry's index: %w", ctx.Err())
		}
		if it.err != nil {
			return nil, it.err
		}
		known[k.seq] = place{seq: k.seq, index: it.index, hash: k.hash}
		receipts[k.at] = k.receipt(it.index)
	}
	return nil, nil
}

func (l *Log) checkPredecessor(ctx context.Context, k link, known map[int]place) error {
	if k.seq == 1 {
		return nil
	}
	p, ok := known[k.seq-1]
	if !ok {
		l.alarm(ctx, Alarm{Kind: AlarmGap, Event: k.fixed.Event, Offered: k.hash})
		return casefile.Errorf(casefile.CodeState, "the entry before %s is not in the log", k.fixed.Event)
	}
	if p.hash != k.prev {
		l.alarm(ctx, Alarm{Kind: AlarmFork, Event: k.fixed.Event, Known: p.hash, Offered: k.prev})
		return casefile.Errorf(casefile.CodeConflict, "%s names another entry before it than the log holds", k.fixed.Event)
	}
	return nil
}
