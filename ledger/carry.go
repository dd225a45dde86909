package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/transparency-dev/tessera"

	"github.com/docket-triage/docket/casefile"
)

// Carry starts a log in opts.Dir with the entries of another, in their order, and closes it under a
// checkpoint that covers them all; it gives their number. With the same signer the log becomes the
// same one: its root is that of the other's tree. CodeState where the folder holds a log already; an
// error of entries ends it and leaves the folder unfinished. Other errors are Open's and Append's.
func Carry(ctx context.Context, opts Options, entries iter.Seq2[casefile.FixedEntry, error]) (size uint64, err error) {
	l, err := Open(ctx, opts)
	if err != nil {
		return 0, fmt.Errorf("carry a log over: %w", err)
	}
	defer func() {
		err = errors.Join(err, l.Close(context.WithoutCancel(ctx)))
	}()
	size, err = l.Size(ctx)
	if err == nil && size > 0 {
		err = casefile.Errorf(casefile.CodeState, "the folder %s holds a log of %d entries already", opts.Dir, size)
	}
	if err != nil {
		return 0, fmt.Errorf("carry a log over: %w", err)
	}
	group := make([]link, 0, maxGroup)
	flush := func() error {
		err := l.carryGroup(ctx, size, group)
		size += uint64(len(group))
		group = group[:0]
		return err
	}
	for fixed, err := range entries {
		if err != nil {
			return size, fmt.Errorf("read the log to carry over: %w", err)
		}
		k, err := parseLink(fixed)
		if err != nil {
			return size, fmt.Errorf("carry a log over: %w", err)
		}
		group = append(group, k)
		if len(group) == maxGroup {
			err = flush()
			if err != nil {
				return size, fmt.Errorf("carry a log over: %w", err)
			}
		}
	}
	err = flush()
	if err != nil {
		return size, fmt.Errorf("carry a log over: %w", err)
	}
	return size, nil
}

// carryGroup adds entries behind the first size ones. Nobody else appends: the log gives them the
// order in which they come, which is looked at all the same.
func (l *Log) carryGroup(ctx context.Context, size uint64, group []link) error {
	if len(group) == 0 {
		return nil
	}
	futures := make([]tessera.IndexFuture, len(group))
	for i, k := range group {
		futures[i] = l.appender.Add(ctx, tessera.NewEntry(k.fixed.Data))
	}
	rows := make([]row, len(group))
	for i, k := range group {
		index, err := futures[i]()
		if err != nil {
			return fmt.Errorf("add to the log: %w", err)
		}
		if index.Index != size+uint64(i) {
			return casefile.Errorf(casefile.CodeInternal, "entry %d came to stand at %d", size+uint64(i), index.Index)
		}
		rows[i] = row{chain: k.chain, place: place{seq: k.seq, index: index.Index, hash: k.hash}}
	}
	return l.table.add(ctx, rows, size+uint64(len(group)))
}
