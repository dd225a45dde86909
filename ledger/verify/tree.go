package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

// The tree is built up from the entries and compared with every stored tile on the way. Where the
// two differ, either may be the one at fault: both are carried upward as alternatives, each with
// the faults it would mean, until a hash that is sure (in the end the checkpoint's root) says
// which of them was true.

// alternative is one possible content of a tile.
type alternative struct {
	row   []tlog.Hash
	blame []Fault // what is wrong with the log if this is the true content
}

// choice is one possible hash of a place in a tile.
type choice struct {
	hash  tlog.Hash
	blame []Fault
}

// child is a place in a tile: the hashes that it may have by what lies below it, the one made from
// the entries alone first, and the faults that it means if none of them is true. A place that
// nothing is known about has no choices.
type child struct {
	choices []choice
	wrong   []Fault
}

func (c child) find(h tlog.Hash) *choice {
	for i := range c.choices {
		if c.choices[i].hash == h {
			return &c.choices[i]
		}
	}
	return nil
}

// alternatives lists what a tile may hold, by what is stored (nil if that is unreadable) and by its
// places: the rows made from the entries, and the stored one where that differs.
func alternatives(file string, stored []tlog.Hash, children []child) []alternative {
	var out []alternative
	add := func(a alternative) {
		for _, b := range out {
			if slices.Equal(a.row, b.row) {
				return
			}
		}
		out = append(out, a)
	}
	if stored != nil {
		a := alternative{row: stored}
		for i, c := range children {
			match := c.find(stored[i])
			if match != nil {
				a.blame = append(a.blame, match.blame...)
				continue
			}
			a.blame = append(a.blame, c.wrong...)
		}
		a.blame = onePerFile(a.blame)
		add(a)
	}
	for _, keep := range []bool{true, false} {
		a, ok := recomputed(file, stored, children, keep)
		if ok {
			add(a)
		}
	}
	return out
}

// recomputed is the alternative that the stored tile is wrong: each place has a hash made from
// below. keep takes the stored hash where that is one of them, else the first always counts.
func recomputed(file string, stored []tlog.Hash, children []child, keep bool) (alternative, bool) {
	a := alternative{row: make([]tlog.Hash, len(children))}
	if stored != nil {
		a.blame = append(a.blame, Fault{Kind: FaultHash, File: file, What: "its hashes are not those that the log's entries give"})
	}
	for i, c := range children {
		if len(c.choices) == 0 {
			return alternative{}, false
		}
		pick := &c.choices[0]
		if keep && stored != nil {
			match := c.find(stored[i])
			if match != nil {
				pick = match
			}
		}
		a.row[i] = pick.hash
		a.blame = append(a.blame, pick.blame...)
	}
	a.blame = onePerFile(a.blame)
	return a, true
}

// onePerFile keeps the first fault of each file.
func onePerFile(faults []Fault) []Fault {
	var out []Fault
	for _, f := range faults {
		if !slices.ContainsFunc(out, func(g Fault) bool { return g.File == f.File }) {
			out = append(out, f)
		}
	}
	return out
}

// treeCheck grows the tree from the left and checks its tiles as they fill up.
type treeCheck struct {
	src    Source
	levels []*edge
	report func(Fault)
}

// edge is the tile at the right edge of one level.
type edge struct {
	n        int64
	children []child
	partial  []alternative // of the last tile, when that is not full
	width    int           // of the last tile, when that is not full
}

func (t *treeCheck) edge(level int) *edge {
	for len(t.levels) <= level {
		t.levels = append(t.levels, &edge{})
	}
	return t.levels[level]
}

// addBundle checks the hash tile above an entry bundle and takes it into the tree.
func (t *treeCheck) addBundle(ctx context.Context, b *bundleResult) error {
	children := make([]child, b.width)
	for i := range min(len(b.leaves), b.width) {
		index := b.first() + uint64(i)
		children[i] = child{
			choices: []choice{{hash: b.leaves[i]}},
			wrong:   []Fault{{Kind: FaultHash, File: b.entriesFile, Index: &index, What: "its bytes are not those that the log's tree covers"}},
		}
	}
	wrong := wrongTile(b.tileFile, b.stored)
	if b.leaves != nil {
		wrong = append(wrong, Fault{Kind: FaultHash, File: b.entriesFile, What: "its entries are not those that the log's tree covers"})
	}
	return t.closeTile(ctx, 0, b.n, tileContent{file: b.tileFile, stored: b.stored, children: children, wrong: wrong})
}

// tileContent is a tile as it is stored and as it is made from below.
type tileContent struct {
	file     string
	stored   []tlog.Hash // nil if unreadable
	children []child
	wrong    []Fault // if neither is true
}

func wrongTile(file string, stored []tlog.Hash) []Fault {
	if stored == nil {
		return nil
	}
	return []Fault{{Kind: FaultHash, File: file, What: "its hashes are not those that the log's tree covers"}}
}

// closeTile settles what a tile may hold. A full one becomes a place of its parent, a partial one
// stays at the edge.
func (t *treeCheck) closeTile(ctx context.Context, level int, n int64, c tileContent) error {
	alts := alternatives(c.file, c.stored, c.children)
	if len(alts) == 1 && c.stored != nil {
		err := t.checkLeftovers(ctx, level, n, c)
		if err != nil {
			return err
		}
	}
	if len(c.children) < tileWidth {
		e := t.edge(level)
		e.partial, e.width = alts, len(c.children)
		return nil
	}
	place := child{wrong: c.wrong}
	// From the entries first: recomputed rows come last among the alternatives.
	for _, a := range slices.Backward(alts) {
		place.choices = append(place.choices, choice{hash: subtree(a.row), blame: a.blame})
	}
	up := t.edge(level + 1)
	up.children = append(up.children, place)
	if len(up.children) < tileWidth {
		return nil
	}
	return t.closeUpper(ctx, level+1)
}

// closeUpper compares the tile at the edge of a level above the lowest with the stored one.
func (t *treeCheck) closeUpper(ctx context.Context, level int) error {
	e := t.edge(level)
	c := tileContent{children: e.children}
	n := e.n
	e.children, e.n = nil, e.n+1
	stored, file, fault, err := readHashes(ctx, t.src, level, n, len(c.children))
	if err != nil {
		return err
	}
	if fault != nil {
		t.report(*fault)
	}
	c.file, c.stored, c.wrong = file, stored, wrongTile(file, stored)
	return t.closeTile(ctx, level, n, c)
}

// checkLeftovers compares a tile's other partial files, which the checkpoint does not need, with it.
func (t *treeCheck) checkLeftovers(ctx context.Context, level int, n int64, c tileContent) error {
	src, ok := t.src.(leftovers)
	if !ok {
		return nil
	}
	widths, err := src.widths(level, n)
	if err != nil {
		return err
	}
	for _, w := range widths {
		file := tilePath(level, n, w)
		if file == c.file || w > len(c.stored) {
			continue
		}
		data, err := t.src.Read(ctx, file, maxTileBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the writer tidied it away meanwhile
		}
		fault, err := readFault(file, err)
		if err != nil {
			return err
		}
		if fault != nil {
			t.report(*fault)
			continue
		}
		row, err := parseHashes(data)
		if err != nil || !slices.Equal(row, c.stored[:w]) {
			t.report(Fault{Kind: FaultHash, File: file, What: "its hashes are not those of the tile that took its place"})
		}
	}
	return nil
}

// finish closes what is left at the edges and compares the root. It reports the faults of the
// alternatives that the checkpoint confirms.
func (t *treeCheck) finish(ctx context.Context, want Checkpoint) error {
	for level := 1; level < len(t.levels); level++ {
		if len(t.levels[level].children) == 0 {
			continue
		}
		err := t.closeUpper(ctx, level)
		if err != nil {
			return err
		}
	}
	var rows [][]alternative
	known := true
	for _, e := range slices.Backward(t.levels) {
		if e.width == 0 {
			continue
		}
		known = known && len(e.partial) > 0
		rows = append(rows, e.partial)
	}
	if known {
		picked, ok := pickRoot(rows, want.Root)
		if ok {
			t.blame(picked)
			return nil
		}
		t.report(Fault{Kind: FaultCheckpoint, File: checkpointFile, What: "its root is not that of the log's entries"})
	}
	// Nothing is sure. What is stored is doubted least.
	var likely []alternative
	for _, alts := range rows {
		if len(alts) > 0 {
			likely = append(likely, alts[0])
		}
	}
	t.blame(likely)
	return nil
}

func (t *treeCheck) blame(alts []alternative) {
	for _, a := range alts {
		for _, f := range a.blame {
			t.report(f)
		}
	}
}

// pickRoot looks for the alternatives, one of each row from the highest level down, that give the
// root: the earliest of each row first.
func pickRoot(rows [][]alternative, want tlog.Hash) ([]alternative, bool) {
	picked := make([]alternative, 0, len(rows))
	var try func() bool
	try = func() bool {
		if len(picked) == len(rows) {
			return root(picked) == want
		}
		for _, a := range rows[len(picked)] {
			picked = append(picked, a)
			if try() {
				return true
			}
			picked = picked[:len(picked)-1]
		}
		return false
	}
	if try() {
		return picked, true
	}
	return nil, false
}

// root is the root of the tree whose right edge the rows are, from the highest level down.
func root(rows []alternative) tlog.Hash {
	var nodes []tlog.Hash
	for _, r := range rows {
		row := r.row
		for half := tileWidth / 2; half > 0; half /= 2 {
			if len(row) >= half {
				nodes = append(nodes, subtree(row[:half]))
				row = row[half:]
			}
		}
	}
	if len(nodes) == 0 {
		empty, _ := tlog.TreeHash(0, nil) // does not fail for no entries
		return empty
	}
	h := nodes[len(nodes)-1]
	for _, n := range slices.Backward(nodes[:len(nodes)-1]) {
		h = tlog.NodeHash(n, h)
	}
	return h
}

// readHashes reads a stored tile, cut to width. A file that cannot serve is a fault; err is for
// what keeps the check from going on.
func readHashes(ctx context.Context, src Source, level int, n int64, width int) (row []tlog.Hash, file string, fault *Fault, err error) {
	data, file, err := readTile(ctx, src, level, n, width)
	fault, err = readFault(file, err)
	if fault != nil || err != nil {
		return nil, file, fault, err
	}
	row, err = parseHashes(data)
	if err == nil && len(row) < width {
		err = fmt.Errorf("holds %d hashes instead of %d", len(row), width)
	}
	if err != nil {
		return nil, file, &Fault{Kind: FaultFormat, File: file, What: err.Error()}, nil
	}
	return row[:width], file, nil, nil
}

// readFault sorts an error of reading into a fault of the log and what keeps the check from going on.
func readFault(file string, err error) (*Fault, error) {
	switch {
	case err == nil:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return &Fault{Kind: FaultMissing, File: file, What: "the file is missing"}, nil
	case casefile.ErrorCode(err) == casefile.CodeTooLarge:
		return &Fault{Kind: FaultFormat, File: file, What: "the file is too long"}, nil
	}
	return nil, fmt.Errorf("read %s: %w", file, err)
}
