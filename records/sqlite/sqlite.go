// Package sqlite keeps the records in one SQLite file: the store of standalone, and the reference
// for package records' other adapters. Pure Go (modernc.org/sqlite), in WAL mode.
//
// One connection writes. Writes that arrive together share a transaction and so its fsync; each
// has a savepoint of its own and gets its own result after the commit. A pool of connections reads.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

// Options say where the records are kept and how.
type Options struct {
	// Path is the database file; it is made with mode 0600 if it does not exist. Beside it stand
	// two files of SQLite's own, with -wal and -shm at the end of their names.
	Path string
	// Fast commits with synchronous=NORMAL: a power cut may lose the last writes, but damages
	// nothing. Without it every answered write is on the disk (FULL).
	Fast bool
	// Logger gets migrations; nil for silence.
	Logger *slog.Logger
}

const (
	busyTimeoutMillis = 5000
	maxReaders        = 8
)

// engine is SQLite as package relational uses it.
type engine struct {
	*reader
	writer *writer
}

// Write carries run out. SQLite carries out one write at a time, so apart says nothing to it.
func (e engine) Write(ctx context.Context, _ relational.Apart, run func(ctx context.Context, c relational.Conn) error) error {
	return e.writer.write(ctx, run)
}

// Fault classifies an error of SQLite.
func (e engine) Fault(err error) relational.Fault { return fault(err) }

// Store is the records in a SQLite file. Make it with Open. All methods are safe for concurrent use.
//
// A write whose context ends while it waits returns the context's error and may still be carried
// out; every write is such that the caller can repeat it.
type Store struct {
	*relational.Store
	engine engine
	feed   *relational.Feed
	closed atomic.Bool
}

var _ records.Store = (*Store)(nil)

// Open opens or makes the records at o.Path and migrates their schema. CodeState when the schema is
// newer than this program; CodeInvalid when no path is given; CodeUnavailable when the file cannot
// be opened.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Path == "" {
		return nil, casefile.Invalid("path", "required: the file to keep the records in")
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("find records file: %w", err)
	}
	// SQLite gives its side files the mode of the database, which it would make for all to read.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeUnavailable, Op: "open records", Message: "the file cannot be opened", Err: err}
	}
	err = f.Close()
	if err != nil {
		return nil, fmt.Errorf("open records: %w", err)
	}
	writeDB, err := sql.Open("sqlite", dsn(path, o.Fast, false))
	if err != nil {
		return nil, fmt.Errorf("open records for writing: %w", err)
	}
	writeDB.SetMaxOpenConns(1)
	err = prepare(ctx, writeDB, logger)
	if err != nil {
		return nil, errors.Join(relational.Coded(ctx, fault, "open records", err), writeDB.Close())
	}
	readDB, err := sql.Open("sqlite", dsn(path, o.Fast, true))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open records for reading: %w", err), writeDB.Close())
	}
	readDB.SetMaxOpenConns(maxReaders)
	readDB.SetMaxIdleConns(maxReaders)
	feed := relational.NewFeed()
	e := engine{reader: newReader(readDB), writer: newWriter(writeDB, feed.Publish)}
	return &Store{Store: relational.New(e), engine: e, feed: feed}, nil
}

func prepare(ctx context.Context, db *sql.DB, logger *slog.Logger) error {
	var mode string
	err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
	if err != nil {
		return fmt.Errorf("read journal mode: %w", err)
	}
	if mode != "wal" {
		return casefile.Errorf(casefile.CodeUnavailable, "the file system of the records does not allow a write-ahead log (journal mode %q)", mode)
	}
	err = relational.Migrate(ctx, db, relational.SQLite, logger)
	if err != nil {
		return err
	}
	return clean(ctx, db)
}

// cleaned is the file's user_version once nothing is left in it of rows that were deleted or changed
// before secure_delete was on.
const cleaned = 1

// clean rewrites, once, a file that an earlier Docket wrote without secure_delete.
func clean(ctx context.Context, db *sql.DB) error {
	var version int
	err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	if err != nil {
		return fmt.Errorf("read whether the records file is clean: %w", err)
	}
	if version >= cleaned {
		return nil
	}
	_, err = db.ExecContext(ctx, "VACUUM")
	if err != nil {
		return fmt.Errorf("clean the records file: %w", err)
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", cleaned))
	if err != nil {
		return fmt.Errorf("note that the records file is clean: %w", err)
	}
	return nil
}

// dsn makes the driver's URI. A path is escaped in it, so that no character of it is taken for
// a parameter.
func dsn(path string, fast, readOnly bool) string {
	sync := "FULL"
	if fast {
		sync = "NORMAL"
	}
	q := url.Values{}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeoutMillis))
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", fmt.Sprintf("synchronous(%s)", sync))
	q.Add("_pragma", "foreign_keys(1)")
	q.Add("_pragma", "secure_delete(on)") // what an erasure takes away is overwritten
	q.Add("_pragma", "temp_store(MEMORY)")
	q.Add("_pragma", "cache_size(-16000)") // KiB
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	rows, err := s.engine.Query(ctx, "SELECT 1")
	if err == nil {
		err = rows.Close()
	}
	return relational.Coded(ctx, fault, "ping records", err)
}

// Scrub empties the write-ahead log: the file itself holds nothing of what was deleted or changed, since
// secure_delete is on. CodeUnavailable while a reader still needs the log.
func (s *Store) Scrub(ctx context.Context) error {
	busy, err := checkpoint(ctx, s.engine)
	if err == nil && busy {
		return casefile.Errorf(casefile.CodeUnavailable, "the records' write-ahead log is in use")
	}
	return relational.Coded(ctx, fault, "scrub records", err)
}

func checkpoint(ctx context.Context, e engine) (busy bool, err error) {
	rows, err := e.Query(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		var pages, done int
		err = rows.Scan(&busy, &pages, &done)
	}
	return busy, errors.Join(err, rows.Err())
}

// Changes returns a channel that gets changes until ctx ends or the store closes, and is closed then.
func (s *Store) Changes(ctx context.Context) <-chan records.Change { return s.feed.Changes(ctx) }

// Close carries out the writes that wait, ends every feed and closes the file. Later calls get
// CodeUnavailable. Closing twice is no error.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	err := s.engine.writer.close()
	s.feed.Close()
	return errors.Join(err, s.engine.reader.close())
}
