// Package systemchain puts on the log what belongs to no case or takedown: the outbox of the
// records, and every minute the running digest of the tables of views and refusals. It is the one
// numberer of the chain "system".
package systemchain

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// batch is how many rows are taken at once, lookAgain after how long the outbox is looked at even
// without a notice, backOff the pause after a failure.
const (
	batch     = 100
	lookAgain = 5 * time.Second
	backOff   = time.Second
)

// Records is what the writer reads and writes.
type Records interface {
	records.LedgerOutbox
	records.Feed
	WatchDigest(ctx context.Context) (hash string, views, refusals int64, err error)
}

// Log appends; *ledger.Log is one.
type Log interface {
	Append(ctx context.Context, entries []casefile.FixedEntry) ([]casefile.Receipt, error)
}

// Writer numbers, fixes and appends.
type Writer struct {
	Records Records
	Log     Log
	Logger  *slog.Logger
	// WatchEvery is the time between two digests of views and refusals; 0 means a minute.
	WatchEvery time.Duration

	digested string
}

// Run writes the chain until ctx ends.
func (w *Writer) Run(ctx context.Context) {
	every := w.WatchEvery
	if every <= 0 {
		every = time.Minute
	}
	next := time.Now().Add(every)
	changes := w.Records.Changes(ctx)
	for {
		if time.Now().After(next) {
			next = time.Now().Add(every)
			err := w.Watch(ctx)
			if err != nil {
				w.Logger.ErrorContext(ctx, "digest of views not written", "code", string(casefile.ErrorCode(err)))
			}
		}
		more, err := w.Drain(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			w.Logger.ErrorContext(ctx, "system chain not written", "code", string(casefile.ErrorCode(err)))
			records.WaitChange(ctx, changes, backOff)
			continue
		}
		if !more && !records.WaitChange(ctx, changes, min(lookAgain, time.Until(next)), records.ChangeOutbox) {
			return
		}
	}
}

// Watch puts the running digest of views and refusals in the outbox, if it changed.
func (w *Writer) Watch(ctx context.Context) error {
	hash, views, refusals, err := w.Records.WatchDigest(ctx)
	if err != nil {
		return fmt.Errorf("digest views and refusals: %w", err)
	}
	if hash == w.digested || views+refusals == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"digest": hash, "views": views, "refusals": refusals})
	if err != nil {
		return fmt.Errorf("encode the digest: %w", err)
	}
	err = w.Records.PutOutbox(ctx, records.OutboxEntry{Type: casefile.EntryViews, Actor: casefile.System, Body: body, At: time.Now().UTC()})
	if err != nil {
		return fmt.Errorf("hand the digest to the outbox: %w", err)
	}
	w.digested = hash
	return nil
}

// Drain appends one batch of rows in order; more says that the outbox may hold more.
func (w *Writer) Drain(ctx context.Context) (more bool, err error) {
	rows, err := w.Records.Unappended(ctx, batch)
	if err != nil {
		return false, fmt.Errorf("read the ledger outbox: %w", err)
	}
	if len(rows) == 0 {
		return false, nil
	}
	rows, err = w.fix(ctx, rows)
	if err != nil {
		return false, err
	}
	fixed := make([]casefile.FixedEntry, 0, len(rows))
	for _, row := range rows {
		fixed = append(fixed, casefile.FixedEntry{Event: casefile.NewEventID(casefile.SystemChain, row.Seq), Data: row.Fixed})
	}
	receipts, err := w.Log.Append(ctx, fixed)
	if err != nil {
		return false, fmt.Errorf("append the system chain: %w", err)
	}
	for i, r := range receipts {
		err = w.Records.AppendedOutbox(ctx, rows[i].ID, r.Index)
		if err != nil {
			return false, fmt.Errorf("note an appended row: %w", err)
		}
	}
	return len(rows) == batch, nil
}

// fix gives each row its number and bytes, stored before anything is appended, and puts the rows in
// the order of their numbers: a row that became visible late may stand behind one of a higher id.
func (w *Writer) fix(ctx context.Context, rows []records.OutboxEntry) ([]records.OutboxEntry, error) {
	seq, head, err := w.Records.OutboxHead(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the head of the system chain: %w", err)
	}
	prev := ""
	if seq > 0 {
		prev = casefile.EntryHash(head)
	}
	for i, row := range rows {
		if row.Fixed != nil {
			continue
		}
		pos := casefile.Position{Event: casefile.NewEventID(casefile.SystemChain, seq+1), Prev: prev, At: row.At}
		e, err := casefile.FixBody(row.Type, row.Actor, pos, row.Body)
		if err != nil {
			return nil, err
		}
		row, err = w.Records.FixOutbox(ctx, row.ID, seq+1, e.Data)
		if err != nil {
			return nil, fmt.Errorf("fix a row's bytes: %w", err)
		}
		rows[i], seq, prev = row, row.Seq, casefile.EntryHash(row.Fixed)
	}
	slices.SortFunc(rows, func(a, b records.OutboxEntry) int { return a.Seq - b.Seq })
	return rows, nil
}
