package ledger

import (
	"context"
	"fmt"
	"sync"

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

// Append puts entries on the log and returns their receipts in the same order, once the log holds
// them durably. Entries of one chain follow each other: the next is handed on when the former's
// index is known, so that no number ever stands in the log without the lower ones. Chains do not
// wait for each other.
//
// An entry that the log has already gets its old receipt. Errors: CodeInvalid for bytes that are
// no canonical entry, or entries of one call that do not follow each other; CodeTooLarge beyond
// MaxEntryBytes; CodeConflict, with an alarm, for a known event id with other bytes or an entry
// that names another predecessor than the log holds; CodeState, with an alarm, for an entry whose
// predecessor is missing; CodeUnavailable when the log cannot be written. After an error, or when
// ctx ends, some of the entries may be in the log: the same call again settles it.
func (l *Log) Append(ctx context.Context, entries []casefile.FixedEntry) ([]casefile.Receipt, error) {
	chains, err := linkChains(entries)
	if err != nil {
		return nil, fmt.Errorf("append to ledger: %w", err)
	}
	receipts := make([]casefile.Receipt, len(entries))
	if len(chains) == 1 {
		err = l.appendChain(ctx, chains[0], receipts)
		if err != nil {
			return nil, fmt.Errorf("append to ledger: %w", err)
		}
		return receipts, nil
	}
	errs := make([]error, len(chains))
	var wg sync.WaitGroup
	for i, links := range chains {
		wg.Go(func() { errs[i] = l.appendChain(ctx, links, receipts) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("append to ledger: %w", err)
		}
	}
	return receipts, nil
}

// linkChains checks a call's entries and sorts them by chain, in the call's order.
func linkChains(entries []casefile.FixedEntry) ([][]link, error) {
	var chains [][]link
	byName := map[string]int{}
	for i, fixed := range entries {
		k, err := parseLink(fixed)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the call: %w", i, err)
		}
		k.at = i
		c, seen := byName[k.chain]
		if !seen {
			byName[k.chain] = len(chains)
			chains = append(chains, []link{k})
			continue
		}
		last := chains[c][len(chains[c])-1]
		if k.seq != last.seq+1 || k.prev != last.hash {
			return nil, casefile.Invalid("prev", "entries %s and %s of one call do not follow each other", last.fixed.Event, k.fixed.Event)
		}
		chains[c] = append(chains[c], k)
	}
	return chains, nil
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

// appendChain appends a call's entries of one chain and fills their receipts in.
func (l *Log) appendChain(ctx context.Context, links []link, receipts []casefile.Receipt) error {
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

// appendLinks does appendChain's work under the chain's lock. pending is an entry that is still
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
