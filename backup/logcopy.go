package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/transparency-dev/tessera/api/layout"

	"github.com/docket-triage/docket/ledger/verify"
)

// The longest tile and entry bundle of a log.
const (
	maxTile    = layout.TileWidth * 32
	maxEntries = layout.EntryBundleWidth * (2 + 1<<16)
)

// copyLog hands every tile and entry bundle that a checkpoint of size entries covers to put. All that it
// covers is there before it is published, and none of it changes after.
func copyLog(ctx context.Context, src verify.Source, size uint64, put func(name string, data []byte) error) error {
	for level := uint64(0); ; level++ {
		filled := size >> (layout.TileHeight * level)
		if filled == 0 {
			return nil
		}
		for n := uint64(0); n*layout.TileWidth < filled; n++ {
			width := layout.PartialTileSize(level, n, size)
			err := copyTile(ctx, src, layout.TilePath(level, n, width), layout.TilePath(level, n, 0), maxTile, put)
			if err == nil && level == 0 {
				err = copyTile(ctx, src, layout.EntriesPath(n, width), layout.EntriesPath(n, 0), maxEntries, put)
			}
			if err != nil {
				return err
			}
		}
	}
}

// copyTile copies a tile, or the full one that took its place: it begins with the same.
func copyTile(ctx context.Context, src verify.Source, name, full string, limit int64, put func(name string, data []byte) error) error {
	data, err := src.Read(ctx, name, limit)
	if errors.Is(err, fs.ErrNotExist) && name != full {
		name = full
		data, err = src.Read(ctx, name, limit)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return put(name, data)
}
