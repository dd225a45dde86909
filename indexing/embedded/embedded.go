// Package embedded keeps the index in one SQLite file with FTS5: the default of standalone, for
// hundreds of thousands of cases and millions of posts on one machine.
package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

// Options set an index up. The zero value is the default.
type Options struct {
	// Fast lets a power cut take the last case documents too, as it always may the last posts. A
	// crash of the process alone loses neither.
	Fast bool
	// Readers is the number of connections that read at once; 0 means 4.
	Readers int
	// Now tells the time by which events with a wrong clock are known; nil means time.Now.
	Now func() time.Time
}

// Index is an open index. Safe for concurrent use by one process; a second process may not open
// the same file.
type Index struct {
	opts  Options
	read  *sql.DB
	write *sql.DB

	requests chan *request
	closing  chan struct{}
	stopped  chan struct{}
	close    sync.Once
	closeErr error
}

var _ indexing.Index = (*Index)(nil)

// Open opens the index in a file, making it if it is absent. Errors: CodeState where a newer
// version of Docket wrote the file, else CodeUnavailable.
func Open(ctx context.Context, path string, opts Options) (*Index, error) {
	if opts.Readers <= 0 {
		opts.Readers = 4
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	write, err := connect(path, 1,
		"journal_mode(wal)", "synchronous(normal)", "secure_delete(on)", "busy_timeout(5000)",
		"cache_size(-65536)", "temp_store(memory)", "journal_size_limit(67108864)")
	if err != nil {
		return nil, unavailable("open the index", err)
	}
	err = migrate(ctx, write)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := connect(path, opts.Readers, "query_only(1)", "busy_timeout(5000)", "cache_size(-16384)")
	if err != nil {
		return nil, errors.Join(unavailable("open the index", err), write.Close())
	}
	x := &Index{
		opts: opts, read: read, write: write,
		requests: make(chan *request, maxBatch),
		closing:  make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	w, err := newWriter(ctx, x)
	if err != nil {
		return nil, errors.Join(unavailable("open the index", err), read.Close(), write.Close())
	}
	go w.run()
	return x, nil
}

// connect opens a pool on the file. The driver is given the pragmas with each connection.
func connect(path string, conns int, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the index file: %w", err)
	}
	// The file holds words. SQLite gives its side files the mode of the database.
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the index file: %w", err)
	}
	err = f.Close()
	if err != nil {
		return nil, fmt.Errorf("make the index file: %w", err)
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// Ping reports whether the index answers; CodeUnavailable if not.
func (x *Index) Ping(ctx context.Context) error {
	if x.isClosing() {
		return errClosed
	}
	var one int
	err := x.read.QueryRowContext(ctx, "SELECT 1 FROM meta").Scan(&one)
	if err != nil {
		return unavailable("ping the index", err)
	}
	return nil
}

// Close waits for the writes under way and closes the file. What was asked after it is refused.
func (x *Index) Close() error {
	x.close.Do(func() {
		close(x.closing)
		<-x.stopped
		x.closeErr = errors.Join(x.read.Close(), x.write.Close())
	})
	return x.closeErr
}

func (x *Index) isClosing() bool {
	select {
	case <-x.closing:
		return true
	default:
		return false
	}
}

var errClosed = casefile.Errorf(casefile.CodeUnavailable, "the index is closed")

// unavailable gives an engine's error its code; the caller's own cancellation stays itself, and so
// do errors that have a code.
func unavailable(op string, err error) error {
	var coded *casefile.Error
	if errors.As(err, &coded) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &casefile.Error{Code: casefile.CodeUnavailable, Op: op, Message: "the index cannot be used", Err: err}
}
