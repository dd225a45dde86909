package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docket-triage/docket/records/relational"
)

const (
	// lockTimeout is how long a statement waits for a lock, and a write for others to let it through.
	lockTimeout = 5 * time.Second
	// longestPause bounds the pause before something that failed because of others is tried again.
	longestPause = 64 * time.Millisecond
)

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
func (e *engine) Query(ctx context.Context, text string, args ...any) (rows *sql.Rows, err error) {
	err = e.persist(ctx, func() error {
		rows, err = e.query(ctx, e.db, text, args)
		return err
	})
	return rows, err
}

// Snapshot reads several statements from one state of the database.
func (e *engine) Snapshot(ctx context.Context, read func(relational.Querier) error) error {
	var tx *sql.Tx
	err := e.persist(ctx, func() (err error) {
		tx, err = e.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
		return err
	})
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

// persist tries again while others are in the way, or a connection was lost that can be replaced, in
// the end until lockTimeout is over.
func (e *engine) persist(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(lockTimeout)
	for pause := time.Millisecond; ; pause = min(2*pause, longestPause) {
		if e.closed.Load() {
			return relational.ErrClosed
		}
		err := try()
		if err == nil || !inTheWay(err) && !lost(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		err = wait(ctx, rand.N(pause))
		if err != nil {
			return err
		}
	}
}

// Write carries run out, as often as it takes. Serial writes are SERIALIZABLE transactions, of which
// PostgreSQL lets one fail where two get into each other's way. The others are READ COMMITTED, in
// which every statement sees what was committed before it: after waiting for a lock, too.
func (e *engine) Write(ctx context.Context, apart relational.Apart, run func(ctx context.Context, c relational.Conn) error) error {
	taken := false
	return e.persist(ctx, func() error {
		c := &conn{engine: e}
		err := c.attempt(ctx, apart, run)
		if err != nil && c.taken && !taken {
			// The row that has the key may be one that this transaction did not see yet, and of which run
			// makes another answer once it does. A new transaction sees it.
			taken = true
			c = &conn{engine: e}
			err = c.attempt(ctx, apart, run)
		}
		return err
	})
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
