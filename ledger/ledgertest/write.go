package ledgertest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// Entries gives the log's entries from index from on, n of them at most: those of one life after the
// other, the last one's cut off at size.
func Entries(from, n, size int) ([]casefile.FixedEntry, error) {
	end := min(from+n, size)
	var out []casefile.FixedEntry
	for life := from / LifeEntries; life*LifeEntries < end; life++ {
		entries, err := Life(life)
		if err != nil {
			return nil, err
		}
		first := life * LifeEntries
		out = append(out, entries[max(0, from-first):min(LifeEntries, end-first)]...)
	}
	return out, nil
}

// Write writes a log of size entries into dir, which must not hold one: entry bundles, tiles and a
// checkpoint signed by signer. Nothing of it is synced, and it has none of the writer's own files, so
// that a writer cannot go on with it. It returns the bytes of all entries.
func Write(ctx context.Context, dir string, signer note.Signer, size int) (bytes int64, err error) {
	leaves := make([]tlog.Hash, size)
	bundles := (size + tileWidth - 1) / tileWidth
	counts := make([]int64, bundles)
	next := make(chan int)
	var all sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for i := range errs {
		all.Go(func() {
			for n := range next {
				if errs[i] == nil {
					counts[n], errs[i] = writeBundle(dir, n, size, leaves)
				}
			}
		})
	}
	for n := range bundles {
		if ctx.Err() != nil {
			break
		}
		next <- n
	}
	close(next)
	all.Wait()
	err = errors.Join(append(errs, ctx.Err())...)
	if err != nil {
		return 0, fmt.Errorf("write a log: %w", err)
	}
	for _, n := range counts {
		bytes += n
	}
	root, err := writeTiles(dir, leaves)
	if err != nil {
		return 0, fmt.Errorf("write a log: %w", err)
	}
	checkpoint, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, root)}, signer)
	if err != nil {
		return 0, fmt.Errorf("sign a log's checkpoint: %w", err)
	}
	return bytes, put(dir, "checkpoint", checkpoint)
}

// writeBundle writes the nth entry bundle and notes its leaves.
func writeBundle(dir string, n, size int, leaves []tlog.Hash) (int64, error) {
	entries, err := Entries(n*tileWidth, tileWidth, size)
	if err != nil {
		return 0, err
	}
	var data []byte
	for i, e := range entries {
		data = binary.BigEndian.AppendUint16(data, uint16(len(e.Data)))
		data = append(data, e.Data...)
		leaves[n*tileWidth+i] = tlog.RecordHash(e.Data)
	}
	return int64(len(data) - 2*len(entries)), put(dir, path(-1, n, len(entries)), data)
}

// writeTiles writes every tile of hashes and gives the root.
func writeTiles(dir string, row []tlog.Hash) (tlog.Hash, error) {
	var edges []tlog.Hash // of the tree's right edge, the smallest subtree first
	for level := 0; len(row) > 0; level++ {
		var up []tlog.Hash
		for n := 0; n*tileWidth < len(row); n++ {
			tile := row[n*tileWidth : min(len(row), (n+1)*tileWidth)]
			data := make([]byte, 0, len(tile)*tlog.HashSize)
			for _, h := range tile {
				data = append(data, h[:]...)
			}
			err := put(dir, path(level, n, len(tile)), data)
			if err != nil {
				return tlog.Hash{}, err
			}
			if len(tile) == tileWidth {
				up = append(up, subtree(tile))
				continue
			}
			for width := 1; width < tileWidth; width *= 2 { // the subtrees from the right
				if len(tile)&width != 0 {
					edges = append(edges, subtree(tile[len(tile)-width:]))
					tile = tile[:len(tile)-width]
				}
			}
		}
		row = up
	}
	if len(edges) == 0 {
		return tlog.TreeHash(0, nil)
	}
	root := edges[0]
	for _, h := range edges[1:] {
		root = tlog.NodeHash(h, root)
	}
	return root, nil
}

// subtree is the root over hashes whose number is a power of two.
func subtree(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	return tlog.NodeHash(subtree(hashes[:len(hashes)/2]), subtree(hashes[len(hashes)/2:]))
}

// path is a tile's in a tlog-tiles log; level -1 is that of the entries.
func path(level, n, width int) string {
	p := strings.Replace(tlog.Tile{H: tileHeight, L: level, N: int64(n), W: width}.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
	return strings.Replace(p, "tile/data/", "tile/entries/", 1)
}

func put(dir, name string, data []byte) error {
	full := filepath.Join(dir, filepath.FromSlash(name))
	err := os.MkdirAll(filepath.Dir(full), 0o755)
	if err == nil {
		err = os.WriteFile(full, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
