// Package postgres keeps the records in a PostgreSQL database, which any number of processes may
// write to at once: the store of production.
//
// A write whose connection is lost is carried out again on another, for as long as there is one to be
// had. One that fails with CodeUnavailable, or whose context ends, may have been carried out: every
// write can be repeated (records.Store).
package postgres

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

// Options say which database and how.
type Options struct {
	// URL names the database: postgres://user:password@host:port/database, with settings behind a "?".
	// It is a secret: no error and no log line shows its password.
	URL string
	// MaxConns bounds the connections of this process, that of the change feed not counted; 0 means 10.
	MaxConns int
	// Logger gets migrations and what befalls the change feed; nil for silence.
	Logger *slog.Logger
}

const defaultMaxConns = 10

// Store is the records in a PostgreSQL database. Make it with Open. All methods are safe for
// concurrent use.
type Store struct {
	*relational.Store
	engine *engine
	feed   *relational.Feed
	closed atomic.Bool
	stop   context.CancelFunc // of the listener
	ended  sync.WaitGroup
}

var _ records.Store = (*Store)(nil)

// Open connects to the database and migrates its schema. CodeInvalid when the URL cannot be read;
// CodeUnavailable when the database does not answer or lets nobody in; CodeState when the schema is
// newer than this program.
func Open(ctx context.Context, o Options) (*Store, error) {
	config, err := parse(o.URL)
	if err != nil {
		return nil, err
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxConns < 0 {
		return nil, casefile.Invalid("max_conns", "must not be negative")
	}
	conns := o.MaxConns
	if conns == 0 {
		conns = defaultMaxConns
	}
	err = migrate(ctx, config, logger)
	if err != nil {
		return nil, relational.Coded(ctx, fault, "open records", err)
	}
	feed := relational.NewFeed()
	l := &listener{config: config, feed: feed, logger: logger}
	hears, err := l.connect(ctx)
	if err != nil {
		return nil, relational.Coded(ctx, fault, "listen to records", err)
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(time.Hour)
	e := &engine{db: db}
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{Store: relational.New(e), engine: e, feed: feed, stop: stop}
	s.ended.Go(func() { l.run(listening, hears) })
	return s, nil
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	rows, err := s.engine.Query(ctx, "SELECT 1")
	if err == nil {
		err = rows.Close()
	}
	return relational.Coded(ctx, s.engine.Fault, "ping records", err)
}

// Scrub gives the space of dead rows free, so that what they held is overwritten by and by. Until then,
// and in PostgreSQL's own write-ahead log and its copies, a destroyed key's wrapped bytes may be found:
// docs/erasure.md says what makes them useless.
func (s *Store) Scrub(ctx context.Context) error {
	for _, table := range []string{"account_keys", "account_handles", "taken_down_handles", "decided_items", "legal_holds", "break_glass"} {
		_, err := s.engine.db.ExecContext(ctx, "VACUUM "+table)
		if err != nil {
			return relational.Coded(ctx, s.engine.Fault, "scrub records", err)
		}
	}
	return nil
}

// Changes returns a channel that gets changes until ctx ends or the store closes, and is closed then.
func (s *Store) Changes(ctx context.Context) <-chan records.Change { return s.feed.Changes(ctx) }

// Close ends every feed and closes the connections; writes under way come to their end. Later calls
// get CodeUnavailable. Closing twice is no error.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.engine.closed.Store(true)
	s.stop()
	s.ended.Wait()
	s.feed.Close()
	return s.engine.db.Close()
}
