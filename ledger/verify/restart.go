package verify

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

// errRead ends the reading of a log's first entries.
var errRead error = casefile.Errorf(casefile.CodeInternal, "read")

// restart is what one entry says of the log whose place its own took.
type restart struct {
	view  entryView
	body  casefile.LogRestartedBody
	tree  treeRange // over the entries that were carried over, as far as they came
	ended bool      // all came
}

// restartCheck holds a log to what it says of the one whose place it took: such entries stand at its
// very beginning, the newest first, and what each says was carried over follows unchanged.
type restartCheck struct {
	fault func(v *entryView, kind FaultKind, format string, args ...any)
	all   []*restart
	lost  bool // an entry could not be read: no root below can be made
}

// first is what the log says of itself; nil where it is nobody's successor.
func (c *restartCheck) first() *casefile.LogRestartedBody {
	if len(c.all) == 0 {
		return nil
	}
	return &c.all[0].body
}

func (c *restartCheck) add(v *entryView, leaf tlog.Hash) {
	for _, r := range c.all {
		c.carried(r, leaf)
	}
	ours := v.err == nil && strings.HasPrefix(v.chain, casefile.LogChain(""))
	if v.err != nil || !ours && v.typ != casefile.EntryLogRestarted {
		return
	}
	body, ok := parseRestart(v)
	switch {
	case !ours || v.typ != casefile.EntryLogRestarted || v.seq != 1:
		c.fault(v, FaultRestart, "an entry about a log whose place was taken stands alone on a chain of its own")
	case !ok:
		c.fault(v, FaultRestart, "it does not say of what log it took the place")
	case v.index != uint64(len(c.all)):
		c.fault(v, FaultRestart, "only the first entry of a log says whose place it took")
	default:
		r := &restart{view: *v, body: body}
		c.all = append(c.all, r)
		c.close(r)
	}
}

// carried counts an entry among those that a restart carried over.
func (c *restartCheck) carried(r *restart, leaf tlog.Hash) {
	if r.ended {
		return
	}
	r.tree.add(leaf)
	c.close(r)
}

func (c *restartCheck) close(r *restart) {
	if r.tree.size < r.body.Carried {
		return
	}
	r.ended = true
	root := r.tree.root()
	if !c.lost && hex.EncodeToString(root[:]) != r.body.CarriedRoot {
		c.fault(&r.view, FaultRestart, "the %d entries behind it are not those of the log %q, whose place it says it took", r.body.Carried, r.body.Origin)
	}
}

func (c *restartCheck) finish() {
	for _, r := range c.all {
		if !r.ended && !c.lost {
			c.fault(&r.view, FaultRestart, "it says that %d entries were carried over, and %d follow", r.body.Carried, r.tree.size)
		}
	}
}

func parseRestart(v *entryView) (casefile.LogRestartedBody, bool) {
	var b casefile.LogRestartedBody
	err := json.Unmarshal(v.entry.Body, &b)
	_, root := parseDigest(b.Root)
	_, carried := parseDigest(b.CarriedRoot)
	sound := err == nil && root && carried && b.Origin != "" && b.Carried <= b.Size
	return b, sound && (b.Carried < b.Size || b.Root == b.CarriedRoot)
}

// treeRange is the Merkle tree over leaves that come one by one, in a hash for every bit of its size.
type treeRange struct {
	size  uint64
	whole []tlog.Hash // of whole subtrees, the largest first
}

func (t *treeRange) add(leaf tlog.Hash) {
	for n := t.size; n&1 == 1; n >>= 1 {
		leaf = tlog.NodeHash(t.whole[len(t.whole)-1], leaf)
		t.whole = t.whole[:len(t.whole)-1]
	}
	t.whole = append(t.whole, leaf)
	t.size++
}

func (t *treeRange) root() tlog.Hash {
	if t.size == 0 {
		empty, _ := tlog.TreeHash(0, nil)
		return empty
	}
	root := t.whole[len(t.whole)-1]
	for i := len(t.whole) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.whole[i], root)
	}
	return root
}

// TreeRoot is the root over entries in their order, as a checkpoint of a log of them names it.
func TreeRoot(entries [][]byte) tlog.Hash {
	var t treeRange
	for _, e := range entries {
		t.add(tlog.RecordHash(e))
	}
	return t.root()
}

// Successor explains a kept checkpoint that another key signed: where the log took the place of the
// one that the checkpoint is of, it compares the two. It gives the checkpoint where the log carries
// everything that the checkpoint covers, unchanged; else a CodeUnproven error that says what differs. known
// is false where the checkpoint is of no log that this one names: then nothing was compared.
//
// The checkpoint's signature is not looked at: the log carries the very entries of its root, whoever
// signed it, or it does not.
func Successor(ctx context.Context, kept string, src Source, vkey string) (old Checkpoint, known bool, err error) {
	old, err = parseCheckpoint(kept)
	if err != nil {
		return Checkpoint{}, false, nil
	}
	var named []restart
	err = Entries(ctx, src, vkey, func(t TailEntry) error {
		if t.Entry.Type != casefile.EntryLogRestarted || t.Index != uint64(len(named)) {
			return errRead
		}
		v := entryView{entry: t.Entry}
		body, ok := parseRestart(&v)
		if !ok {
			return errRead
		}
		named = append(named, restart{body: body})
		return nil
	})
	if err != nil && !errors.Is(err, errRead) {
		return Checkpoint{}, false, err
	}
	at := -1
	for i, r := range named {
		if r.body.Origin == old.Origin {
			at = i
			break
		}
	}
	if at < 0 {
		return old, false, nil
	}
	body := named[at].body
	if old.Size > body.Carried {
		return old, true, unproven("the log %q was lost, and this log took its place (entry %d): of the %d entries that the earlier checkpoint covers, it carries the first %d; "+
			"the last checkpoint known then covered %d", body.Origin, at, old.Size, body.Carried, body.Size)
	}
	var tree treeRange
	_, err = EntriesFrom(ctx, src, vkey, uint64(at)+1, func(t TailEntry) error {
		if tree.size == old.Size {
			return errRead
		}
		data, err := casefile.Canonical(t.Entry)
		if err == nil {
			tree.add(tlog.RecordHash(data))
		}
		return err
	})
	if err != nil && !errors.Is(err, errRead) {
		return Checkpoint{}, true, err
	}
	if tree.root() != old.Root {
		return old, true, unproven("this log took the place of %q (entry %d), and does not carry the %d entries that the earlier checkpoint covers: they were rewritten", body.Origin, at, old.Size)
	}
	return old, true, nil
}

// KeptSuccessor compares the checkpoints kept in a file or a folder, which Kept did not take because they are
// not all signed with vkey, with a log: those that are by Consistency, the others by Successor. It gives the
// largest. known is false, without an error, where one of them is of no log that this one names.
func KeptSuccessor(ctx context.Context, path string, src Source, vkey string) (largest KeptCheckpoint, known bool, err error) {
	files, err := keptAt(path)
	if err != nil {
		return KeptCheckpoint{}, false, err
	}
	for _, file := range files {
		text, err := readKept(file)
		if err != nil {
			return KeptCheckpoint{}, false, fmt.Errorf("read the earlier checkpoint %s: %w", file, err)
		}
		c, err := OpenCheckpoint(text, vkey)
		if err == nil {
			_, err = Consistency(ctx, text, src, vkey)
		} else {
			c, known, err = Successor(ctx, text, src, vkey)
			if err == nil && !known {
				return KeptCheckpoint{}, false, nil
			}
		}
		if err != nil {
			return KeptCheckpoint{}, true, fmt.Errorf("compare with the earlier checkpoint %s: %w", file, err)
		}
		if largest.File == "" || c.Size >= largest.Size {
			largest = KeptCheckpoint{Checkpoint: c, File: file, Text: text}
		}
	}
	return largest, true, nil
}
