package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
)

// checkSigner refuses a log whose checkpoint another key signed: going on with a second key would
// leave every consumer with a log it cannot check.
func (l *Log) checkSigner(ctx context.Context, signer note.Signer) error {
	raw, err := os.ReadFile(filepath.Join(l.dir, layout.CheckpointPath))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the log's checkpoint: %w", err)
	}
	_, err = note.Open(raw, note.VerifierList(resigner{signer}))
	if err != nil {
		l.alarm(ctx, Alarm{Kind: AlarmRollback})
		return &casefile.Error{Code: casefile.CodeConflict, Message: "the log's checkpoint was not signed with this key", Err: err}
	}
	return nil
}

// resigner verifies a signature by making it again: Ed25519 always gives the same.
type resigner struct{ note.Signer }

// Verify reports whether sig is what the signer gives for msg.
func (r resigner) Verify(msg, sig []byte) bool {
	again, err := r.Sign(msg)
	return err == nil && string(again) == string(sig)
}

// checkLength refuses a log that is shorter than it has been, by its checkpoint and by the table,
// or whose last covered entry is another one.
func (l *Log) checkLength(ctx context.Context) error {
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return fmt.Errorf("read the log's size: %w", err)
	}
	raw, err := l.reader.ReadCheckpoint(ctx)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the log's checkpoint: %w", err)
	}
	var published uint64
	if err == nil {
		published, err = checkpointSize(raw)
		if err != nil {
			return err
		}
	}
	covered, err := l.table.covered(ctx)
	if err != nil {
		return err
	}
	if size < published || size < covered {
		l.alarm(ctx, Alarm{Kind: AlarmRollback})
		return casefile.Errorf(casefile.CodeConflict, "the log holds %d entries, but held %d: it was rolled back", size, max(published, covered))
	}
	if covered == 0 {
		return nil
	}
	last, err := l.Entries(ctx, covered-1, covered)
	if err != nil {
		return err
	}
	k, err := parseLink(last[0])
	if err != nil {
		return err
	}
	known, err := l.table.places(ctx, k.chain, k.seq, k.seq)
	if err != nil {
		return err
	}
	if p := known[k.seq]; p.hash != k.hash || p.index >= covered {
		l.alarm(ctx, Alarm{Kind: AlarmRollback, Event: k.fixed.Event, Known: p.hash, Offered: k.hash})
		return casefile.Errorf(casefile.CodeConflict, "the log holds another entry at %d than its table of events: one of them was replaced", covered-1)
	}
	return nil
}

// catchUp enters into the table what the log holds beyond it, and clears away what a failed write
// left beside the log.
func (l *Log) catchUp(ctx context.Context) error {
	covered, err := l.table.covered(ctx)
	if err != nil {
		return err
	}
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return fmt.Errorf("read the log's size: %w", err)
	}
	err = l.clearLeftovers(size)
	if err != nil {
		return err
	}
	for covered < size {
		next := min(size, (covered/bundleWidth+1)*bundleWidth)
		entries, err := l.Entries(ctx, covered, next)
		if err != nil {
			return err
		}
		rows, err := l.tailRows(ctx, covered, entries)
		if err != nil {
			return err
		}
		err = l.table.add(ctx, rows, next)
		if err != nil {
			return err
		}
		covered = next
	}
	return nil
}

func (l *Log) tailRows(ctx context.Context, from uint64, entries []casefile.FixedEntry) ([]row, error) {
	rows := make([]row, 0, len(entries))
	for i, fixed := range entries {
		k, err := parseLink(fixed)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the log: %w", from+uint64(i), err)
		}
		known, err := l.table.places(ctx, k.chain, k.seq, k.seq)
		if err != nil {
			return nil, err
		}
		if p, ok := known[k.seq]; ok && p.hash != k.hash {
			l.alarm(ctx, Alarm{Kind: AlarmConflict, Event: k.fixed.Event, Known: p.hash, Offered: k.hash})
		}
		rows = append(rows, row{chain: k.chain, place: place{seq: k.seq, index: from + uint64(i), hash: k.hash}})
	}
	return rows, nil
}

// checkpointSize reads the size out of a checkpoint of our own.
func checkpointSize(raw []byte) (uint64, error) {
	lines := strings.SplitN(string(raw), "\n", 3)
	var size uint64
	if len(lines) == 3 {
		_, err := fmt.Sscanf(lines[1], "%d", &size)
		if err == nil {
			return size, nil
		}
	}
	return 0, casefile.Errorf(casefile.CodeInternal, "the log's checkpoint is malformed")
}
