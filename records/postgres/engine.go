package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

// longestPause bounds the pause before a write that failed because of others is tried again.
const longestPause = 64 * time.Millisecond

// engine is PostgreSQL as package relational uses it.
type engine struct {
	db     *sql.DB
	texts  sync.Map // statements as package relational has them, to PostgreSQL's
	closed atomic.Bool
}

// statement puts a statement into PostgreSQL's SQL.
func (e *engine) statement(text string) string {
	if known, ok := e.texts.Load(text); ok {
		return known.(string)
	}
	made := relational.PostgreSQL.Statement(text)
	e.texts.Store(text, made)
	return made
}

// values makes plain values of arguments of named types, whose own methods pgx would ask otherwise.
func values(args []any) ([]any, error) {
	plain := make([]any, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		plain[i] = v
	}
	return plain, nil
}

// queryer is what a database and a transaction have in common.
type queryer interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

func (e *engine) query(ctx context.Context, q queryer, text string, args []any) (*sql.Rows, error) {
	plain, err := values(args)
	if err != nil {
		return nil, err
	}
	return q.QueryContext(ctx, e.statement(text), plain...)
}

// Query reads.
func (e *engine) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if e.closed.Load() {
		return nil, relational.ErrClosed
	}
	return e.query(ctx, e.db, text, args)
}

// Snapshot reads several statements from one state of the database.
func (e *engine) Snapshot(ctx context.Context, read func(relational.Querier) error) error {
	if e.closed.Load() {
		return relational.ErrClosed
	}
	tx, err := e.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	err = read(&conn{engine: e, tx: tx})
	if err != nil {
		_ = tx.Rollback() // nothing was written; the reading error is the one to tell
		return err
	}
	return tx.Commit()
}

// Fault classifies an error.
func (e *engine) Fault(err error) relational.Fault {
	f := fault(err)
	if f == relational.FaultOther && e.closed.Load() {
		return relational.FaultDown // database/sql has no error of its own for a closed database
	}
	return f
}

// Write carries run out, as often as it takes. Serial writes are SERIALIZABLE transactions, of which
// PostgreSQL lets one fail where two get into each other's way; that one runs again, in the end until
// lockTimeout is over. The others are READ COMMITTED, in which every statement sees what was
// committed before it: after waiting for a lock, too.
func (e *engine) Write(ctx context.Context, apart relational.Apart, run func(ctx context.Context, c relational.Conn) error) error {
	deadline := time.Now().Add(lockTimeout)
	taken := false
	for pause := time.Millisecond; ; pause = min(2*pause, longestPause) {
		if e.closed.Load() {
			return relational.ErrClosed
		}
		c := &conn{engine: e}
		err := c.attempt(ctx, apart, run)
		switch {
		case err == nil:
			return nil
		case again(err):
		case c.taken && !taken:
			// The row that has the key may be one that this transaction did not see yet, and that run
			// makes another answer of once it does. With a new transaction it is seen.
			taken = true
		default:
			return err
		}
		if time.Now().After(deadline) {
			return err
		}
		err = wait(ctx, rand.N(pause))
		if err != nil {
			return err
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// conn is the transaction that one attempt at a write runs in.
type conn struct {
	engine  *engine
	tx      *sql.Tx
	changes []records.Change
	taken   bool // a statement broke a key
}

func (c *conn) attempt(ctx context.Context, apart relational.Apart, run func(ctx context.Context, c relational.Conn) error) error {
	level := sql.LevelReadCommitted
	if apart == relational.Serial {
		level = sql.LevelSerializable
	}
	tx, err := c.engine.db.BeginTx(ctx, &sql.TxOptions{Isolation: level})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	c.tx = tx
	err = c.fill(ctx, apart, run)
	if err != nil {
		// Where the connection is lost or ctx has ended this fails; the server rolls back by itself.
		_ = tx.Rollback()
		return err
	}
	err = tx.Commit()
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// fill does all of a transaction but its beginning and its end.
func (c *conn) fill(ctx context.Context, apart relational.Apart, run func(ctx context.Context, c relational.Conn) error) error {
	if apart != relational.Serial && apart != relational.EachStatement {
		_, err := c.tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1, $2)", lockSpace, lockNumber(string(apart)))
		if err != nil {
			return fmt.Errorf("wait for other writes: %w", err)
		}
	}
	err := run(ctx, c)
	if err != nil {
		return err
	}
	return c.announce(ctx)
}

// lockSpace keeps our advisory locks apart from those of others in the same database.
const lockSpace int32 = 0x446f636b

func lockNumber(name string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash takes every byte
	return int32(h.Sum32())
}

// Query reads.
func (c *conn) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	rows, err := c.engine.query(ctx, c.tx, text, args)
	return rows, c.note(err)
}

// Exec writes.
func (c *conn) Exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	plain, err := values(args)
	if err != nil {
		return nil, err
	}
	res, err := c.tx.ExecContext(ctx, c.engine.statement(text), plain...)
	return res, c.note(err)
}

// note remembers that a key was broken: run may have made an error of its own of it.
func (c *conn) note(err error) error {
	if err != nil && fault(err) == relational.FaultTaken {
		c.taken = true
	}
	return err
}

// Tell announces a change once the transaction is committed.
func (c *conn) Tell(change records.Change) { c.changes = append(c.changes, change) }
