package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/transparency-dev/tessera/api/layout"
)

// clearLeftovers removes the files of a batch that a crash or a full disk ended before the tree
// took it in. No checkpoint ever covered them. Left alone, a partial file among them would stay
// beside the log's own with entries that the log holds elsewhere, and a check of every file in the
// folder would have to call it a fault. Nothing may be writing meanwhile.
func (l *Log) clearLeftovers(size uint64) error {
	for level := uint64(0); ; level++ {
		filled := size >> (layout.TileHeight * level)
		for n := filled / bundleWidth; n <= filled/bundleWidth+maxGroup/bundleWidth+1; n++ {
			paths := []string{layout.TilePath(level, n, 0)}
			if level == 0 {
				paths = append(paths, layout.EntriesPath(n, 0))
			}
			for _, path := range paths {
				err := l.clearTile(path, int64(filled)-int64(n*bundleWidth))
				if err != nil {
					return err
				}
			}
		}
		if filled == 0 { // a batch that was not taken in may have begun one level more
			return nil
		}
	}
}

// clearTile removes those files of a tile that hold more than the filled places.
func (l *Log) clearTile(path string, filled int64) error {
	full := filepath.Join(l.dir, filepath.FromSlash(path))
	if filled < bundleWidth {
		err := os.Remove(full)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an unfinished file of the log: %w", err)
		}
	}
	names, err := os.ReadDir(full + ".p")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list unfinished files of the log: %w", err)
	}
	for _, name := range names {
		width, err := strconv.ParseInt(name.Name(), 10, 64)
		if err != nil || width <= filled {
			continue
		}
		err = os.Remove(filepath.Join(full+".p", name.Name()))
		if err != nil {
			return fmt.Errorf("remove an unfinished file of the log: %w", err)
		}
	}
	return nil
}
