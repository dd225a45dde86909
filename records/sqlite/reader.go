package sqlite

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	"github.com/docket-triage/docket/records/relational"
)

// maxStatements bounds how many statements a connection keeps prepared. Those of lists of many
// lengths could otherwise be more and more.
const maxStatements = 500

// reader is the pool of reading connections with its prepared statements.
type reader struct {
	db     *sql.DB
	closed atomic.Bool
	mu     sync.Mutex
	stmts  map[string]*sql.Stmt
}

func newReader(db *sql.DB) *reader { return &reader{db: db, stmts: map[string]*sql.Stmt{}} }

// Query reads.
func (r *reader) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := r.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return r.db.QueryContext(ctx, text, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// prepare gives the statement of a text, nil when it is not to be kept.
func (r *reader) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	if r.closed.Load() {
		return nil, relational.ErrClosed
	}
	r.mu.Lock()
	stmt, full := r.stmts[text], len(r.stmts) >= maxStatements
	r.mu.Unlock()
	if stmt != nil || full {
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

// Snapshot reads several statements from one state of the database.
func (r *reader) Snapshot(ctx context.Context, read func(relational.Querier) error) error {
	if r.closed.Load() {
		return relational.ErrClosed
	}
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	err = read(snapshot{tx})
	if err != nil {
		_ = tx.Rollback() // nothing was written; the reading error is the one to tell
		return err
	}
	return tx.Commit()
}

type snapshot struct{ tx *sql.Tx }

func (s snapshot) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, text, args...)
}
