package verify

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

// MaxTail is how many entries Tail gives at most.
const MaxTail = 10_000

// TailEntry is one of a log's last entries.
type TailEntry struct {
	Index uint64         `json:"index"`
	Hash  string         `json:"hash"` // EntryHash
	Entry casefile.Entry `json:"entry"`
}

// Tail gives the last n entries that the log's checkpoint covers, oldest first, each checked to be
// in its tree; n outside 1 to MaxTail is a CodeInvalid error. It does not check the rest of the
// log: Log does. A log that fails gives a CodeUnproven error that names the file; other errors are
// Log's.
func Tail(ctx context.Context, src Source, vkey string, n int) ([]TailEntry, error) {
	if n < 1 || n > MaxTail {
		return nil, casefile.Invalid("n", "from 1 to %d entries", MaxTail)
	}
	c, fault, err := readCheckpoint(ctx, src, vkey)
	if err != nil {
		return nil, fmt.Errorf("read the log's tail: %w", err)
	}
	if fault != nil {
		return nil, unproven("%s", fault)
	}
	var out []TailEntry
	err = eachEntry(ctx, src, c, c.Size-min(c.Size, uint64(n)), func(e TailEntry) error {
		out = append(out, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Entries hands every entry that the log's checkpoint covers to visit, in order, each checked to be in its
// tree; an error of visit ends it. Errors are otherwise Tail's.
func Entries(ctx context.Context, src Source, vkey string, visit func(TailEntry) error) error {
	_, err := EntriesFrom(ctx, src, vkey, 0, visit)
	return err
}

// EntriesFrom is Entries from an index on, and tells how many entries the checkpoint covers: the index
// to go on from. An index beyond that gives no entry and is no error.
func EntriesFrom(ctx context.Context, src Source, vkey string, from uint64, visit func(TailEntry) error) (size uint64, err error) {
	c, fault, err := readCheckpoint(ctx, src, vkey)
	if err != nil {
		return 0, fmt.Errorf("read the log's entries: %w", err)
	}
	if fault != nil {
		return 0, unproven("%s", fault)
	}
	return c.Size, eachEntry(ctx, src, c, from, visit)
}

// eachEntry hands the entries from index first on to visit.
func eachEntry(ctx context.Context, src Source, c Checkpoint, first uint64, visit func(TailEntry) error) error {
	if first >= c.Size {
		return nil
	}
	leaves, err := readLeaves(ctx, src, c, first)
	if err != nil {
		return err
	}
	for bundle := int64(first / tileWidth); uint64(bundle)*tileWidth < c.Size; bundle++ {
		start := uint64(bundle) * tileWidth
		width := widthOf(entryLevel, bundle, c.Size)
		data, file, err := readTile(ctx, src, entryLevel, bundle, width)
		fault, err := readFault(file, err)
		if err != nil {
			return fmt.Errorf("read the log's entries: %w", err)
		}
		if fault != nil {
			return unproven("%s", fault)
		}
		entries, _ := parseEntries(data) // what cannot be read is missing below
		for index := max(start, first); index < start+uint64(width); index++ {
			if index-start >= uint64(len(entries)) || tlog.RecordHash(entries[index-start]) != leaves[index-first] {
				return unproven("%s: entry %d is not that of the log's tree", file, index)
			}
			e, err := casefile.ParseEntry(entries[index-start])
			if err != nil {
				return unproven("%s: entry %d is not canonical", file, index)
			}
			err = visit(TailEntry{Index: index, Hash: casefile.EntryHash(entries[index-start]), Entry: e})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// readLeaves gives the leaf hashes from index first on, as the checkpoint covers them.
func readLeaves(ctx context.Context, src Source, c Checkpoint, first uint64) ([]tlog.Hash, error) {
	indexes := make([]int64, 0, c.Size-first)
	for i := first; i < c.Size; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, int64(i)))
	}
	leaves, err := hashReader(ctx, src, c).ReadHashes(indexes)
	if err != nil {
		return nil, hashError(err)
	}
	return leaves, nil
}
