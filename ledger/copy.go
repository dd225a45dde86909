package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

const (
	// CheckpointCopyFile is the name of the newest checkpoint in the folder of Options.CheckpointCopy.
	CheckpointCopyFile = "checkpoint"
	// copyDraftFile holds a copy that is being written; a crash may leave it.
	copyDraftFile = ".checkpoint.new"

	// copyEvery is how often the checkpoint is read while the log holds more than the copy covers:
	// twice as often as the log publishes at most.
	copyEvery = MinCheckpointInterval / 2
	// copyAgain is the pause after a copy that failed.
	copyAgain = time.Second
)

// checkpointCopy keeps the newest checkpoint in a second place, which whoever rewrites the log's
// folder does not reach.
type checkpointCopy struct {
	dir      string
	signer   note.Signer
	read     func(context.Context) ([]byte, error) // the published checkpoint
	size     func(context.Context) (uint64, error) // of the log
	readTile func(ctx context.Context, level, index uint64, p uint8) ([]byte, error)
	logger   *slog.Logger
	alarm    func(context.Context, Alarm)

	grown  chan struct{} // holds one token when the log may have grown
	copied uint64        // size that the copy covers
	failed bool          // the last copy failed

	stop, stopped chan struct{}
}

// keptCheckpoint is a checkpoint of this log.
type keptCheckpoint struct {
	raw  []byte
	size uint64
	root tlog.Hash
}

// open checks a checkpoint's signature and reads it.
func (c *checkpointCopy) open(ctx context.Context, raw []byte) (keptCheckpoint, error) {
	cp, _, _, err := client.FetchCheckpoint(ctx, func(context.Context) ([]byte, error) { return raw, nil }, resigner{c.signer}, c.signer.Name())
	if err != nil {
		return keptCheckpoint{}, fmt.Errorf("open a checkpoint: %w", err)
	}
	if len(cp.Hash) != tlog.HashSize {
		return keptCheckpoint{}, errors.New("open a checkpoint: its root is malformed")
	}
	return keptCheckpoint{raw: raw, size: cp.Size, root: tlog.Hash(cp.Hash)}, nil
}

// kept reads the copy; nil where there is none yet.
func (c *checkpointCopy) kept(ctx context.Context) (*keptCheckpoint, error) {
	raw, err := os.ReadFile(filepath.Join(c.dir, CheckpointCopyFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "the copied checkpoint cannot be read", Err: err}
	}
	k, err := c.open(ctx, raw)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeConflict, Message: "the copied checkpoint in " + c.dir + " was not signed by this log", Err: err}
	}
	return &k, nil
}

// check refuses a log that does not begin with what the copied checkpoint covers: it was rolled back,
// forked or written anew, perhaps with its own key. Without a copy there is nothing to hold it to.
func (c *checkpointCopy) check(ctx context.Context) error {
	err := os.Mkdir(c.dir, 0o755)
	if err != nil && !errors.Is(err, os.ErrExist) {
		return &casefile.Error{Code: casefile.CodeUnavailable, Message: "the folder of the checkpoint's copy cannot be made", Err: err}
	}
	kept, err := c.kept(ctx)
	if err != nil {
		if casefile.ErrorCode(err) == casefile.CodeConflict {
			c.alarm(ctx, Alarm{Kind: AlarmRollback})
		}
		return err
	}
	size, err := c.size(ctx)
	if err != nil {
		return fmt.Errorf("read the log's size: %w", err)
	}
	switch {
	case kept == nil:
		if size > 0 {
			c.logger.WarnContext(ctx, "the second place holds no checkpoint: nothing shows whether the log was rewritten", slog.String("dir", c.dir))
		}
		return nil
	case size < kept.size:
		c.alarm(ctx, Alarm{Kind: AlarmRollback})
		return casefile.Errorf(casefile.CodeConflict, "the log holds %d entries, but the checkpoint copied to %s covers %d: it was rolled back", size, c.dir, kept.size)
	}
	root, err := c.rootAt(ctx, kept.size, size)
	if err != nil {
		return fmt.Errorf("compare the log with the copied checkpoint: %w", err)
	}
	if root != kept.root {
		c.alarm(ctx, Alarm{Kind: AlarmRollback})
		return casefile.Errorf(casefile.CodeConflict, "the log's first %d entries are not those that the checkpoint copied to %s covers: it was rewritten", kept.size, c.dir)
	}
	c.copied = kept.size
	return nil
}

// rootAt is the root of the log's first entries, by the tiles of a log of size entries.
func (c *checkpointCopy) rootAt(ctx context.Context, first, size uint64) (tlog.Hash, error) {
	if first == 0 {
		return sha256.Sum256(nil), nil
	}
	nodes, err := client.FetchRangeNodes(ctx, first, func(ctx context.Context, level, index uint64, p uint8) ([]byte, error) {
		// The partial tiles of then may be gone: the tile of now begins with the same hashes.
		data, err := c.readTile(ctx, level, index, layout.PartialTileSize(level, index, size))
		if err == nil && p > 0 {
			data = data[:min(len(data), int(p)*tlog.HashSize)]
		}
		return data, err
	})
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("read the log's tiles: %w", err)
	}
	root := tlog.Hash(nodes[len(nodes)-1])
	for i := len(nodes) - 2; i >= 0; i-- {
		root = tlog.NodeHash(tlog.Hash(nodes[i]), root)
	}
	return root, nil
}

// wake says that the log may have grown.
func (c *checkpointCopy) wake() {
	select {
	case c.grown <- struct{}{}:
	default:
	}
}

// run copies each new checkpoint until stop.
func (c *checkpointCopy) run(ctx context.Context) {
	defer close(c.stopped)
	for {
		pause := c.once(ctx)
		var again <-chan time.Time
		if pause > 0 {
			again = time.After(pause)
		}
		select {
		case <-c.grown:
		case <-again:
			continue
		case <-c.stop:
			c.once(ctx)
			return
		}
		// The checkpoint comes a while after the entries.
		select {
		case <-time.After(copyEvery):
		case <-c.stop:
			c.once(ctx)
			return
		}
	}
}

// once copies the published checkpoint if it is newer, and says after what pause to look again; 0 for
// once the log has grown.
func (c *checkpointCopy) once(ctx context.Context) time.Duration {
	err := c.copy(ctx)
	if err != nil {
		if !c.failed {
			c.alarm(ctx, Alarm{Kind: AlarmCopy})
		}
		c.failed = true
		c.logger.ErrorContext(ctx, "the checkpoint was not copied to its second place", slog.String("dir", c.dir), slog.Any("error", err))
		return copyAgain
	}
	if c.failed {
		c.failed = false
		c.logger.InfoContext(ctx, "the checkpoint is copied to its second place again", slog.String("dir", c.dir))
	}
	size, err := c.size(ctx)
	if err != nil || size > c.copied {
		return copyEvery
	}
	return 0
}

func (c *checkpointCopy) copy(ctx context.Context) error {
	raw, err := c.read(ctx)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the checkpoint: %w", err)
	}
	now, err := c.open(ctx, raw)
	if err != nil {
		return err
	}
	kept, err := c.kept(ctx)
	switch {
	case err != nil:
		return err
	case kept != nil && kept.size > now.size:
		return casefile.Errorf(casefile.CodeConflict, "the copy covers %d entries, the log's checkpoint %d", kept.size, now.size)
	case kept != nil && kept.size == now.size && kept.root != now.root:
		return casefile.Errorf(casefile.CodeConflict, "the copy covers %d other entries than the log's checkpoint", kept.size)
	case kept == nil || !bytes.Equal(kept.raw, raw):
		err = c.put(raw)
		if err != nil {
			return err
		}
	}
	c.copied = now.size
	return nil
}

// put writes the copy so that a crash leaves the old one or the new one.
func (c *checkpointCopy) put(raw []byte) error {
	draft := filepath.Join(c.dir, copyDraftFile)
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write the copy: %w", err)
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(draft, filepath.Join(c.dir, CheckpointCopyFile))
	}
	if err == nil {
		err = syncFolder(c.dir)
	}
	if err != nil {
		return fmt.Errorf("write the copy: %w", err)
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
