package verify

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// The shape of a tlog-tiles log.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	maxEntry   = 1<<16 - 1

	// entryLevel stands for entry bundles where a level of hash tiles is asked for.
	entryLevel = -1

	maxTileBytes    = tileWidth * tlog.HashSize
	maxEntriesBytes = tileWidth * (2 + maxEntry)
)

// tilePath is a tile's path in a tlog-tiles log: as tlog writes it, but without the height, which
// is always 8, and with "entries" for what tlog calls "data".
func tilePath(level int, n int64, width int) string {
	path := tlog.Tile{H: tileHeight, L: level, N: n, W: width}.Path()
	path = strings.Replace(path, fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

// parseEntries splits an entry bundle: each entry follows its length, two bytes big-endian. The
// entries share data's memory.
func parseEntries(data []byte) ([][]byte, error) {
	var out [][]byte
	for len(data) > 0 {
		if len(data) < 2 {
			return out, errors.New("ends within a length")
		}
		n := int(binary.BigEndian.Uint16(data))
		data = data[2:]
		if len(data) < n {
			return out, errors.New("ends within an entry")
		}
		if len(out) == tileWidth {
			return out, fmt.Errorf("holds more than %d entries", tileWidth)
		}
		out = append(out, data[:n:n])
		data = data[n:]
	}
	return out, nil
}

// parseHashes splits a hash tile.
func parseHashes(data []byte) ([]tlog.Hash, error) {
	if len(data)%tlog.HashSize != 0 || len(data) > maxTileBytes {
		return nil, fmt.Errorf("has %d bytes, which is no tile of hashes", len(data))
	}
	out := make([]tlog.Hash, len(data)/tlog.HashSize)
	for i := range out {
		out[i] = tlog.Hash(data[i*tlog.HashSize : (i+1)*tlog.HashSize])
	}
	return out, nil
}

// widthOf is how many of a tile's places a log of size entries fills: 0 when the log has no such tile.
func widthOf(level int, n int64, size uint64) int {
	if level == entryLevel {
		level = 0
	}
	filled := int64(size>>(tileHeight*level)) - n*tileWidth
	return int(max(0, min(filled, tileWidth)))
}

// subtree is the hash of a full subtree over the given hashes, whose number is a power of two.
func subtree(hashes []tlog.Hash) tlog.Hash {
	row := append([]tlog.Hash(nil), hashes...)
	for len(row) > 1 {
		for i := range len(row) / 2 {
			row[i] = tlog.NodeHash(row[2*i], row[2*i+1])
		}
		row = row[:len(row)/2]
	}
	return row[0]
}
