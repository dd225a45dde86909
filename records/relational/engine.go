// Package relational is what relational databases have in common as the records' home: the schema,
// its migrations, and every method of records.Store in the SQL that they share. What differs from
// one database to the next is an Engine: records/sqlite and records/postgres have one each, and
// make a records.Store of it.
//
// Statements and migrations are written once, in SQLite's SQL; Dialect puts them into PostgreSQL's.
package relational

import (
	"context"
	"database/sql"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Engine is one kind of database.
type Engine interface {
	// Querier reads, each statement by itself.
	Querier
	// Snapshot reads several statements from one state of the database.
	Snapshot(ctx context.Context, read func(Querier) error) error
	// Write carries run out in a transaction, which is committed when run returns nil and Write
	// returns nil. Then the changes that run told are told to the feed. An engine may run it more than
	// once, each time in a new transaction, and also once more after one that was committed, when it
	// could not learn of that. So run depends on nothing but the rows that it reads, and where it finds
	// its own work done it changes nothing.
	Write(ctx context.Context, apart Apart, run func(ctx context.Context, c Conn) error) error
	// Fault classifies an error that the database gave.
	Fault(err error) Fault
}

// Querier reads. Statements that differ only in their arguments are the same text each time, so
// that an engine can keep them prepared.
type Querier interface {
	Query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// Conn is where a write's transaction runs.
type Conn interface {
	// Querier reads what the transaction itself wrote, too.
	Querier
	Exec(ctx context.Context, text string, args ...any) (sql.Result, error)
	// Tell announces a change once the transaction is committed.
	Tell(c records.Change)
}

// Apart says how a write is kept apart from others at the same time, those of other processes
// included. An engine that carries out one write at a time needs not be told.
type Apart string

// The ways of keeping writes apart.
const (
	// Serial writes are as if they ran one after another. It is the rule.
	Serial Apart = ""
	// EachStatement is for writes of which every statement is right by itself, whatever others
	// commit between two of them. They wait for others at single rows only.
	EachStatement Apart = "each statement"
	// WatchTables is for writes to views and refusals, which all go on from the last row: one of
	// these writes runs at a time.
	WatchTables Apart = "views and refusals"
	// OutboxNumbers is for writes that number rows of the ledger outbox: one runs at a time.
	OutboxNumbers Apart = "numbers of ledger_outbox"
)

// AccountRows is for writes to the rows of one account and its cases, which all say so: one of them
// runs at a time for each account, and each of their statements sees what those before have
// committed. They would do as serial writes. But serial writes get into each other's way where they
// read neighbours in an index, and these are the ones of which there are many at a time.
func AccountRows(account casefile.AccountKey) Apart { return Apart("account " + account) }

// Fault says what an error of the database means.
type Fault int

// The faults.
const (
	FaultOther  Fault = iota
	FaultDown         // the database does not answer or cannot, or a lock is held for too long
	FaultTaken        // a key or a uniqueness constraint is broken
	FaultOrphan       // a foreign key names no row
	FaultValue        // the database cannot keep a value: text with a zero byte, or not in UTF-8
)

// Store answers all of records.Store that is rows alone. An adapter adds the feed, Ping and Close.
type Store struct {
	engine Engine
}

// New makes a store on an engine whose schema stands.
func New(e Engine) *Store { return &Store{engine: e} }

// do carries run out as a serial write and returns its result.
func do[T any](ctx context.Context, e Engine, run func(ctx context.Context, t *tx) (T, error)) (T, error) {
	return doApart(ctx, e, Serial, run)
}

// doApart is do for a write that is kept apart in another way.
func doApart[T any](ctx context.Context, e Engine, apart Apart, run func(ctx context.Context, t *tx) (T, error)) (T, error) {
	var zero, result T
	err := e.Write(ctx, apart, func(ctx context.Context, c Conn) error {
		v, err := run(ctx, &tx{Conn: c, engine: e})
		if err != nil {
			return err
		}
		result = v
		return nil
	})
	if err != nil {
		// The write may still be under way, for a caller who left: result is not ours to read.
		return zero, err
	}
	return result, nil
}

// exec is do for a write without a result.
func exec(ctx context.Context, e Engine, run func(ctx context.Context, t *tx) error) error {
	return execApart(ctx, e, Serial, run)
}

func execApart(ctx context.Context, e Engine, apart Apart, run func(ctx context.Context, t *tx) error) error {
	_, err := doApart(ctx, e, apart, func(ctx context.Context, t *tx) (struct{}, error) { return struct{}{}, run(ctx, t) })
	return err
}

// tx is the transaction that a write runs in.
type tx struct {
	Conn
	engine Engine
}

// changed runs a statement and gives the number of rows that it wrote.
func (t *tx) changed(ctx context.Context, text string, args ...any) (int64, error) {
	res, err := t.Exec(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// fault is FaultOther for nil as well.
func (t *tx) fault(err error) Fault {
	if err == nil {
		return FaultOther
	}
	return t.engine.Fault(err)
}
