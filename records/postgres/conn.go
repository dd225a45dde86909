package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

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
		// If the connection was lost, it may have been committed all the same. Then run finds its work
		// done when it runs again (relational.Engine). To ask the server for the transaction's outcome
		// would be no better: a server that crashed gives the number of one it forgot to another.
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
