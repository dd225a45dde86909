package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/transparency-dev/tessera"

	"github.com/docket-triage/docket/casefile"
)

// item is one entry on its way into the log. index and err may be read once done is closed.
type item struct {
	link
	generation uint64
	index      uint64
	err        error
	done       chan struct{}
}

// sequence hands entries to Tessera in groups: one group is under way, and whatever comes
// meanwhile forms the next. A group never holds two entries of one chain, since Append has one of
// a chain under way at a time; Tessera may therefore order it as it likes.
func (l *Log) sequence(linger time.Duration) {
	defer close(l.stopped)
	ctx := context.Background()
	expected := 1
	for {
		select {
		case it := <-l.submit:
			group := l.gather(it, expected, linger)
			expected = len(group)
			l.write(ctx, group)
		case <-l.stop:
			return
		}
	}
}

// gather collects a group. Callers who were answered together tend to come back together: it waits
// until as many are there as last time, but no longer than linger. A lone caller never waits.
func (l *Log) gather(first *item, expected int, linger time.Duration) []*item {
	group := []*item{first}
	timeout := time.NewTimer(linger)
	defer timeout.Stop()
	for len(group) < maxGroup {
		if len(group) >= expected && len(l.submit) == 0 {
			return group
		}
		select {
		case it := <-l.submit:
			group = append(group, it)
		case <-timeout.C:
			return group
		}
	}
	return group
}

// write appends a group, enters it into the table and answers its callers.
func (l *Log) write(ctx context.Context, group []*item) {
	defer func() {
		for _, it := range group {
			close(it.done)
		}
	}()
	fresh := make([]*item, 0, len(group))
	for _, it := range group {
		if it.generation != l.generation.Load() {
			it.err = casefile.Errorf(casefile.CodeUnavailable, "the ledger recovered from a failed write; try again")
			continue
		}
		fresh = append(fresh, it)
	}
	err := l.writeFresh(ctx, fresh)
	if l.copy != nil {
		l.copy.wake()
	}
	if err == nil {
		return
	}
	l.logger.ErrorContext(ctx, "writing to the ledger failed", slog.Any("error", err))
	for _, it := range fresh {
		it.err = &casefile.Error{Code: casefile.CodeUnavailable, Message: "the ledger cannot be written", Err: err}
	}
	// What the log holds now is only known after a look at it; what callers looked up before is not.
	err = l.catchUp(ctx)
	if err != nil {
		l.logger.ErrorContext(ctx, "reading the ledger's tail failed", slog.Any("error", err))
	}
	l.generation.Add(1)
}

func (l *Log) writeFresh(ctx context.Context, group []*item) error {
	if len(group) == 0 {
		return nil
	}
	covered, err := l.table.covered(ctx)
	if err != nil {
		return err
	}
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return fmt.Errorf("read the log's size: %w", err)
	}
	if covered != size {
		return fmt.Errorf("the event table covers %d of %d entries", covered, size)
	}
	futures := make([]tessera.IndexFuture, len(group))
	for i, it := range group {
		futures[i] = l.appender.Add(ctx, tessera.NewEntry(it.fixed.Data))
	}
	rows := make([]row, len(group))
	for i, it := range group {
		index, ferr := futures[i]()
		if ferr != nil {
			err = fmt.Errorf("add to the log: %w", ferr)
			continue
		}
		it.index = index.Index
		rows[i] = row{chain: it.chain, place: place{seq: it.seq, index: index.Index, hash: it.hash}}
	}
	if err != nil {
		return err
	}
	return l.table.add(ctx, rows, covered+uint64(len(group)))
}
