package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"

	"github.com/docket-triage/docket/casefile"
)

// Defaults and limits of Options.
const (
	DefaultBatchMaxAge        = 5 * time.Millisecond
	DefaultCheckpointInterval = 100 * time.Millisecond
	MinCheckpointInterval     = 100 * time.Millisecond // Tessera's own on a folder
)

// maxGroup is how many entries go to the log together at most.
const maxGroup = 1024

// flushAfter is how long Tessera waits for more once it has the first entry of a group: long
// enough to hand it the rest.
const flushAfter = time.Millisecond

// Options say where a log is and who signs it.
type Options struct {
	// Dir is the log's folder, made if it is missing. It needs real locks and renames: no network
	// file system.
	Dir string
	// Signer signs checkpoints; its name is the log's origin. A log keeps its signer for life.
	Signer note.Signer
	// BatchMaxAge is how long the first entry of a batch waits at most for as much company as the
	// batch before it had; 0 means DefaultBatchMaxAge. Entries that come while a batch is being
	// written form the next one in any case, so little is won by more.
	BatchMaxAge time.Duration
	// CheckpointInterval is the time between two published checkpoints at least;
	// 0 means DefaultCheckpointInterval, less than MinCheckpointInterval is an error.
	CheckpointInterval time.Duration
	// Logger takes the log's own messages, Tessera's among them; nil discards them. Tessera logs by
	// one logger for the whole process: the first Open sets it.
	Logger *slog.Logger
	// CheckpointCopy is a folder, best on another machine's disk, where each published checkpoint is
	// copied to, over the one before: whoever rewrites Dir with the log's own key is found by it. "" for
	// none. It is made if its parent is there. Open refuses a log that does not begin with what the copy
	// covers; a copy that fails later is an alarm, and is tried again.
	CheckpointCopy string
	// OnAlarm is called with every alarm, in the goroutine that found it; nil for none. Alarms are
	// logged at error in any case.
	OnAlarm func(Alarm)
}

func (o Options) validate() error {
	var f casefile.Faults
	if o.Dir == "" {
		f = append(f, casefile.Invalid("dir", "the ledger needs a folder"))
	}
	if o.Signer == nil {
		f = append(f, casefile.Invalid("signer", "the ledger needs a key"))
	}
	if o.CheckpointCopy != "" && filepath.Clean(o.CheckpointCopy) == filepath.Clean(o.Dir) {
		f = append(f, casefile.Invalid("checkpoint_copy", "must be another folder than the log's"))
	}
	if o.BatchMaxAge < 0 {
		f = append(f, casefile.Invalid("batch_max_age", "cannot be negative"))
	}
	if o.CheckpointInterval != 0 && o.CheckpointInterval < MinCheckpointInterval {
		f = append(f, casefile.Invalid("checkpoint_interval", "at least %s", MinCheckpointInterval))
	}
	return f.Err()
}

// Log is an open log. It is safe for concurrent use. Close it.
type Log struct {
	dir     string
	logger  *slog.Logger
	onAlarm func(Alarm)

	appender *tessera.Appender
	reader   tessera.LogReader
	shutdown func(context.Context) error
	cancel   context.CancelFunc
	lock     *os.File

	table     *eventTable
	chains    chainLocks
	published publication
	copy      *checkpointCopy // nil for none

	submit     chan *item
	stop       chan struct{} // closed to end the sequencer
	stopped    chan struct{} // closed by the sequencer
	ended      chan struct{} // closed at the end of Close
	generation atomic.Uint64 // grows when what callers looked up may be out of date

	mu       sync.Mutex
	closed   bool
	inflight sync.WaitGroup
}

// sendTesseraLogs points Tessera's process-wide logger at the first log's.
var sendTesseraLogs sync.Once

// Open opens the log in a folder, or starts one. It reads what the table of events does not cover
// yet: the tail after a crash, everything if the table was lost. Errors: CodeInvalid for the
// options; CodeState if another process writes the log, or its table is of a newer version;
// CodeConflict, with an alarm, if the log was signed by another key, is shorter than it was, or
// was replaced, or does not begin with what the copied checkpoint covers; CodeUnavailable if that
// cannot be read.
func Open(ctx context.Context, opts Options) (*Log, error) {
	err := opts.validate()
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if opts.BatchMaxAge == 0 {
		opts.BatchMaxAge = DefaultBatchMaxAge
	}
	if opts.CheckpointInterval == 0 {
		opts.CheckpointInterval = DefaultCheckpointInterval
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	sendTesseraLogs.Do(func() { klog.SetSlogLogger(opts.Logger) })
	l := &Log{
		dir: opts.Dir, logger: opts.Logger, onAlarm: opts.OnAlarm,
		submit: make(chan *item, maxGroup), stop: make(chan struct{}), stopped: make(chan struct{}), ended: make(chan struct{}),
	}
	err = l.open(ctx, opts)
	if err != nil {
		l.release()
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	go l.sequence(opts.BatchMaxAge)
	if l.copy != nil {
		go l.copy.run(context.WithoutCancel(ctx))
	}
	return l, nil
}

func (l *Log) open(ctx context.Context, opts Options) error {
	err := os.MkdirAll(opts.Dir, 0o755)
	if err != nil {
		return fmt.Errorf("make the ledger's folder: %w", err)
	}
	l.lock, err = lockWriter(opts.Dir)
	if err != nil {
		return err
	}
	err = l.checkSigner(ctx, opts.Signer)
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: opts.Dir})
	if err != nil {
		return fmt.Errorf("open the log's storage: %w", err)
	}
	// Tessera's background work outlives the caller's context: Close ends it.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.appender, l.shutdown, l.reader, err = tessera.NewAppender(work, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(opts.Signer).
		WithBatching(maxGroup, flushAfter).
		WithCheckpointInterval(opts.CheckpointInterval).
		WithCheckpointRepublishInterval(0).
		WithGarbageCollectionInterval(10*time.Second))
	if err != nil {
		return fmt.Errorf("start the log's appender: %w", err)
	}
	l.published.read = l.reader.ReadCheckpoint
	l.table, err = openTable(ctx, opts.Dir)
	if err != nil {
		return err
	}
	err = l.checkLength(ctx)
	if err != nil {
		return err
	}
	if opts.CheckpointCopy != "" {
		l.copy = &checkpointCopy{
			dir: opts.CheckpointCopy, signer: opts.Signer, read: l.reader.ReadCheckpoint, size: l.Size, readTile: l.reader.ReadTile,
			logger: l.logger, alarm: l.alarm,
			grown: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
		}
		err = l.copy.check(ctx)
		if err != nil {
			return err
		}
	}
	return l.catchUp(ctx)
}

// release gives up whatever open got hold of.
func (l *Log) release() {
	if l.cancel != nil {
		l.cancel()
	}
	if l.table != nil {
		err := l.table.close()
		if err != nil {
			l.logger.Warn("closing the ledger's event table failed", slog.Any("error", err))
		}
	}
	if l.lock != nil {
		_ = l.lock.Close()
	}
}

// begin counts a call in; every call that may append ends with l.inflight.Done.
func (l *Log) begin() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return casefile.Errorf(casefile.CodeUnavailable, "the ledger is closed")
	}
	l.inflight.Add(1)
	return nil
}

// Close refuses further appends, waits for those that are under way and for a checkpoint that
// covers them and is copied, and frees the folder. If ctx ends first, entries of unanswered appends may or may
// not be in the log; a retry settles it. A second Close does nothing.
func (l *Log) Close(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()

	drained := make(chan struct{})
	go func() {
		l.inflight.Wait()
		close(l.stop)
		<-l.stopped
		close(drained)
	}()
	var errs []error
	select {
	case <-drained:
		err := l.shutdown(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("wait for the last checkpoint: %w", err))
		}
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("wait for appends under way: %w", ctx.Err()))
	}
	close(l.ended)
	if l.copy != nil {
		close(l.copy.stop)
		select {
		case <-l.copy.stopped:
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("wait for the last checkpoint's copy: %w", ctx.Err()))
		}
	}
	l.release()
	err := errors.Join(errs...)
	if err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}
