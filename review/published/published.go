// Package published reads a published log in its order: as far as the checkpoint published last goes, and
// no further. It checks nothing, for what it is read for is served with its own proof.
package published

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

// Limits of what is read of a log at once.
const (
	maxCheckpointBytes = 64 << 10
	maxBundleBytes     = layout.EntryBundleWidth * (2 + 1<<16 - 1)
)

// Log is a published log.
type Log struct {
	Source verify.Source
}

// Size is how many entries the checkpoint published last covers; 0 before there is one. CodeUnavailable
// where the log cannot be read.
func (l Log) Size(ctx context.Context) (uint64, error) {
	text, err := l.Source.Read(ctx, layout.CheckpointPath, maxCheckpointBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, unavailable("read the log's checkpoint", err)
	}
	lines := strings.SplitN(string(text), "\n", 4)
	if len(lines) < 4 {
		return 0, unavailable("read the log's checkpoint", errors.New("it lacks lines"))
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return 0, unavailable("read the log's checkpoint", fmt.Errorf("its size: %w", err))
	}
	return size, nil
}

// Entries gives the bytes of entries in their order, from index from on, out of a log of size entries: at
// least one and no more than one file of the log holds. from lies below size. CodeUnavailable where the
// log cannot be read.
func (l Log) Entries(ctx context.Context, from, size uint64) ([][]byte, error) {
	n := from / layout.EntryBundleWidth
	data, err := l.bundle(ctx, n, layout.PartialTileSize(0, n, size))
	if err != nil {
		return nil, unavailable("read a file of the log's entries", err)
	}
	var bundle api.EntryBundle
	err = bundle.UnmarshalText(data)
	if err != nil {
		return nil, unavailable("read a file of the log's entries", err)
	}
	first := n * layout.EntryBundleWidth
	width := min(size-first, layout.EntryBundleWidth)
	if uint64(len(bundle.Entries)) < width {
		return nil, unavailable("read a file of the log's entries", fmt.Errorf("it holds %d of %d", len(bundle.Entries), width))
	}
	return bundle.Entries[from-first : width], nil
}

// bundle reads a file of entries. A partial one goes once the full one is there.
func (l Log) bundle(ctx context.Context, n uint64, partial uint8) ([]byte, error) {
	data, err := l.Source.Read(ctx, layout.EntriesPath(n, partial), maxBundleBytes)
	if partial > 0 && errors.Is(err, fs.ErrNotExist) {
		return l.Source.Read(ctx, layout.EntriesPath(n, 0), maxBundleBytes)
	}
	return data, err
}

func unavailable(op string, err error) error {
	return &casefile.Error{Code: casefile.CodeUnavailable, Op: op, Message: "the log cannot be read now", Err: err}
}
