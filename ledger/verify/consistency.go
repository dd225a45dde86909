package verify

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

// Consistency checks that the log still begins with everything that an older checkpoint, kept from
// before, vouched for: that it was not rolled back, forked or written anew, not even with its own
// key. It returns the log's checkpoint of now. A log that fails gives a CodeUnproven error; other
// errors are Log's.
func Consistency(ctx context.Context, old string, src Source, vkey string) (Checkpoint, error) {
	before, err := OpenCheckpoint(old, vkey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open the older checkpoint: %w", err)
	}
	now, fault, err := readCheckpoint(ctx, src, vkey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("verify consistency: %w", err)
	}
	if fault != nil {
		return Checkpoint{}, unproven("%s", fault)
	}
	switch {
	case now.Size < before.Size:
		return Checkpoint{}, unproven("the log was rolled back: it held %d entries and now holds %d", before.Size, now.Size)
	case before.Size == 0:
		return now, nil // every log begins with nothing
	}
	proof, err := tlog.ProveTree(int64(now.Size), int64(before.Size), hashReader(ctx, src, now))
	if err != nil {
		return Checkpoint{}, hashError(err)
	}
	err = tlog.CheckTree(proof, int64(now.Size), now.Root, int64(before.Size), before.Root)
	if err != nil {
		return Checkpoint{}, &casefile.Error{
			Code:    casefile.CodeUnproven,
			Message: "the log was rewritten: its first entries are not those that the older checkpoint vouched for",
			Err:     err,
		}
	}
	return now, nil
}

// hashReader reads hashes of the tree below a checkpoint; those it gives are sure.
func hashReader(ctx context.Context, src Source, c Checkpoint) tlog.HashReader {
	return tlog.TileHashReader(c.tree(), tileReader(func(t tlog.Tile) ([]byte, error) {
		row, _, fault, err := readHashes(ctx, src, t.L, t.N, t.W)
		if err != nil {
			return nil, err
		}
		if fault != nil {
			return nil, unproven("%s", fault)
		}
		data := make([]byte, 0, len(row)*tlog.HashSize)
		for _, h := range row {
			data = append(data, h[:]...)
		}
		return data, nil
	}))
}

// hashError keeps the errors of a source as they are; what else a hash reader says means that the
// tiles do not lead to the checkpoint.
func hashError(err error) error {
	var typed *casefile.Error
	if errors.As(err, &typed) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &casefile.Error{Code: casefile.CodeUnproven, Message: "the log's tiles are not those that its checkpoint covers", Err: err}
}

// tileReader makes a tlog.TileReader of a function that reads one tile.
type tileReader func(tlog.Tile) ([]byte, error)

// Height is that of every tlog-tiles tile.
func (r tileReader) Height() int { return tileHeight }

// ReadTiles reads tiles one after the other.
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		var err error
		out[i], err = r(t)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SaveTiles keeps nothing.
func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
