package ledger

import (
	"context"
	"fmt"

	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"

	"github.com/docket-triage/docket/casefile"
)

const bundleWidth = layout.EntryBundleWidth

// Prove waits until a published checkpoint covers the entry at index, and gives its proof. It ends
// with ctx; an index that the log does not hold yet is waited for like any other. A log that is
// closed meanwhile gives a CodeUnavailable error.
func (l *Log) Prove(ctx context.Context, index uint64) (casefile.Bundle, error) {
	checkpoint, size, err := l.published.wait(ctx, l.ended, index)
	if err != nil {
		return casefile.Bundle{}, fmt.Errorf("prove entry %d: %w", index, err)
	}
	entries, err := l.readBundle(ctx, index/bundleWidth, size)
	if err != nil {
		return casefile.Bundle{}, fmt.Errorf("prove entry %d: %w", index, err)
	}
	proofs, err := client.NewProofBuilder(ctx, size, l.reader.ReadTile)
	if err != nil {
		return casefile.Bundle{}, fmt.Errorf("prove entry %d: %w", index, err)
	}
	path, err := proofs.InclusionProof(ctx, index)
	if err != nil {
		return casefile.Bundle{}, fmt.Errorf("prove entry %d: %w", index, err)
	}
	return casefile.Bundle{
		Format: casefile.BundleFormat, Entry: entries[index%bundleWidth], Index: index,
		Path: path, Checkpoint: string(checkpoint),
	}, nil
}

// readBundle reads the nth entry bundle as it is in a log of size entries, or longer.
func (l *Log) readBundle(ctx context.Context, n, size uint64) ([][]byte, error) {
	raw, err := l.reader.ReadEntryBundle(ctx, n, layout.PartialTileSize(0, n, size))
	if err != nil {
		return nil, fmt.Errorf("read entry bundle %d: %w", n, err)
	}
	var bundle api.EntryBundle
	err = bundle.UnmarshalText(raw)
	if err != nil {
		return nil, fmt.Errorf("parse entry bundle %d: %w", n, err)
	}
	if want := min(bundleWidth, size-n*bundleWidth); uint64(len(bundle.Entries)) < want {
		return nil, casefile.Errorf(casefile.CodeInternal, "entry bundle %d holds %d entries instead of %d", n, len(bundle.Entries), want)
	}
	return bundle.Entries, nil
}

// Receipt gives the receipt of an event. An event that is not in the log is a CodeNotFound error.
func (l *Log) Receipt(ctx context.Context, event casefile.EventID) (casefile.Receipt, error) {
	chain, seq, err := event.Split()
	if err != nil {
		return casefile.Receipt{}, fmt.Errorf("find receipt: %w", err)
	}
	known, err := l.table.places(ctx, chain, seq, seq)
	if err != nil {
		return casefile.Receipt{}, fmt.Errorf("find receipt: %w", err)
	}
	p, ok := known[seq]
	if !ok {
		return casefile.Receipt{}, casefile.Errorf(casefile.CodeNotFound, "%s is not in the log", event)
	}
	return casefile.Receipt{Event: event, Hash: p.hash, Index: p.index}, nil
}

// Checkpoint gives the checkpoint published last, a signed note.
func (l *Log) Checkpoint(ctx context.Context) (string, error) {
	raw, err := l.reader.ReadCheckpoint(ctx)
	if err != nil {
		return "", fmt.Errorf("read the log's checkpoint: %w", err)
	}
	return string(raw), nil
}

// Size is the number of entries in the log, those included that no checkpoint covers yet.
func (l *Log) Size(ctx context.Context) (uint64, error) {
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the log's size: %w", err)
	}
	return size, nil
}

// Entries reads the entries from index from up to but not including to, or to the log's end. All of
// them are held in memory: ask for a few thousand at a time. Entries that no checkpoint covers yet
// are among them.
func (l *Log) Entries(ctx context.Context, from, to uint64) ([]casefile.FixedEntry, error) {
	size, err := l.Size(ctx)
	if err != nil {
		return nil, err
	}
	to = min(to, size)
	if from >= to {
		return nil, nil
	}
	out := make([]casefile.FixedEntry, 0, to-from)
	for n := from / bundleWidth; n*bundleWidth < to; n++ {
		entries, err := l.readBundle(ctx, n, size)
		if err != nil {
			return nil, err
		}
		start := n * bundleWidth
		for i := max(from, start); i < min(to, start+bundleWidth); i++ {
			data := entries[i-start]
			e, err := casefile.ParseEntry(data)
			if err != nil {
				return nil, fmt.Errorf("parse entry %d of the log: %w", i, err)
			}
			out = append(out, casefile.FixedEntry{Event: e.Event, Data: data})
		}
	}
	return out, nil
}
