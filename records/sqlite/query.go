package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
)

// querier reads: the pool of readers, or the transaction of a write, which sees its own rows.
type querier interface {
	query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

type scanner interface {
	Scan(dst ...any) error
}

// one reads one row; sql.ErrNoRows if there is none.
func one[T any](ctx context.Context, q querier, scan func(scanner) (T, error), text string, args ...any) (T, error) {
	var zero T
	list, err := all(ctx, q, scan, text, args...)
	if err != nil {
		return zero, err
	}
	if len(list) == 0 {
		return zero, sql.ErrNoRows
	}
	return list[0], nil
}

// all reads every row.
func all[T any](ctx context.Context, q querier, scan func(scanner) (T, error), text string, args ...any) (list []T, err error) {
	rows, err := q.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() {
		closeErr := rows.Close()
		if err == nil && closeErr != nil {
			list, err = nil, closeErr
		}
	}()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("scan row: %w", err)
		}
		list = append(list, v)
	}
	err = rows.Err()
	if err != nil {
		return nil, err
	}
	return list, nil
}

func scanInt(r scanner) (int, error) {
	var n int
	err := r.Scan(&n)
	return n, err
}

func scanText[S ~string](r scanner) (S, error) {
	var s S
	err := r.Scan(toText[S]{&s})
	return s, err
}

// reader is the pool of reading connections with its prepared statements. Only constant texts go
// through query; those with lists in them go through queryOnce and are not kept.
type reader struct {
	db     *sql.DB
	closed atomic.Bool
	mu     sync.Mutex
	stmts  map[string]*sql.Stmt
}

func newReader(db *sql.DB) *reader { return &reader{db: db, stmts: map[string]*sql.Stmt{}} }

func (r *reader) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := r.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (r *reader) queryOnce(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if r.closed.Load() {
		return nil, errClosed
	}
	return r.db.QueryContext(ctx, text, args...)
}

func (r *reader) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if r.closed.Load() {
		return nil, errClosed
	}
	r.mu.Lock()
	stmt := r.stmts[text]
	r.mu.Unlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := r.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first := r.stmts[text]; first != nil {
		// Another caller was first; its statement is kept, and closing ours loses nothing.
		return first, stmt.Close()
	}
	r.stmts[text] = stmt
	return stmt, nil
}

func (r *reader) close() error {
	r.closed.Store(true)
	return r.db.Close()
}

// once makes a querier of queryOnce.
type once struct{ r *reader }

func (o once) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return o.r.queryOnce(ctx, text, args...)
}

// snapshot reads several statements from one state of the database.
func (r *reader) snapshot(ctx context.Context, read func(querier) error) error {
	if r.closed.Load() {
		return errClosed
	}
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	err = read(txQuerier{tx})
	if err != nil {
		_ = tx.Rollback() // nothing was written; the reading error is the one to tell
		return err
	}
	return tx.Commit()
}

type txQuerier struct{ tx *sql.Tx }

func (t txQuerier) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, text, args...)
}

// placeholders is "?, ?, ..." for a list of n.
func placeholders(n int) string {
	if n == 0 {
		return ""
	}
	b := make([]byte, 0, 3*n)
	for i := range n {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, '?')
	}
	return string(b)
}
