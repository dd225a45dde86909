package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

// maxBatch bounds how many writes share a transaction, so that none waits long for the others.
const maxBatch = 256

// writer carries writes out one after another on one connection. Those that wait while a commit
// runs go together into the next transaction: with synchronous=FULL a commit costs an fsync, and so
// it costs one for all of them. A single write waits for nobody.
type writer struct {
	db      *sql.DB
	publish func([]records.Change)
	stopped chan struct{}
	wake    chan struct{} // holds at most one token: something waits, or the writer closes

	mu      sync.Mutex
	waiting []*write
	closed  bool

	// Only the loop uses these.
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// write is one caller's work. It runs at most once.
type write struct {
	gone <-chan struct{} // closed when the caller has left
	run  func(ctx context.Context, c relational.Conn) error
	done chan error // gets the result, after the commit
}

func newWriter(db *sql.DB, publish func([]records.Change)) *writer {
	w := &writer{
		db: db, publish: publish, stopped: make(chan struct{}), wake: make(chan struct{}, 1),
		stmts: map[string]*sql.Stmt{},
	}
	go w.loop()
	return w
}

// write carries run out in a transaction and returns once that is committed. run must depend on
// nothing but the rows it reads: it has no part in what else shares its transaction.
func (w *writer) write(ctx context.Context, run func(ctx context.Context, c relational.Conn) error) error {
	err := ctx.Err()
	if err != nil {
		return err
	}
	wr := &write{gone: ctx.Done(), run: run, done: make(chan error, 1)}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return relational.ErrClosed
	}
	w.waiting = append(w.waiting, wr)
	w.mu.Unlock()
	w.signal()
	select {
	case err = <-wr.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) loop() {
	defer close(w.stopped)
	for {
		batch, closed := w.take()
		switch {
		case len(batch) > 0:
			w.commit(context.Background(), batch)
		case closed:
			return
		default:
			<-w.wake
		}
	}
}

func (w *writer) take() (batch []*write, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.waiting), maxBatch)
	batch = w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	if len(w.waiting) == 0 {
		w.waiting = nil
	}
	return batch, w.closed
}

// commit carries a batch out and gives every caller its result.
func (w *writer) commit(ctx context.Context, batch []*write) {
	results := make([]error, len(batch))
	changes, err := w.transact(ctx, batch, results)
	if err != nil {
		for i := range results {
			if results[i] == nil {
				results[i] = err
			}
		}
	}
	w.publish(changes)
	for i, wr := range batch {
		wr.done <- results[i]
	}
}

// transact runs a batch in one transaction. It writes each write's own error into results; an
// error that it returns stands for all the others, none of which was committed.
func (w *writer) transact(ctx context.Context, batch []*write, results []error) ([]records.Change, error) {
	t := &tx{w: w}
	err := w.begin(ctx)
	if err != nil {
		return nil, err
	}
	committing := false
	for i, wr := range batch {
		select {
		case <-wr.gone:
			results[i] = context.Canceled // nobody waits for it
			continue
		default:
		}
		results[i], err = w.apply(ctx, t, wr, len(batch) > 1)
		if err != nil {
			w.reset()
			return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "a shared transaction was lost", Err: err}
		}
		committing = committing || results[i] == nil
	}
	end := "COMMIT"
	if !committing {
		end = "ROLLBACK"
	}
	_, err = t.Exec(ctx, end)
	if err != nil {
		w.reset()
		return nil, fmt.Errorf("commit: %w", err)
	}
	return t.changes, nil
}

// apply runs one write. Its failure takes back what it wrote and nothing else; broken is not nil
// when the transaction itself is lost.
func (w *writer) apply(ctx context.Context, t *tx, wr *write, shared bool) (result, broken error) {
	if !shared {
		return wr.run(ctx, t), nil
	}
	told := len(t.changes)
	_, broken = t.Exec(ctx, "SAVEPOINT one")
	if broken != nil {
		return nil, broken
	}
	result = wr.run(ctx, t)
	if result != nil {
		t.changes = t.changes[:told]
		_, broken = t.Exec(ctx, "ROLLBACK TO one")
		if broken != nil {
			// SQLite itself rolled the transaction back (disk full, I/O error): result says why.
			return result, broken
		}
	}
	_, broken = t.Exec(ctx, "RELEASE one")
	return result, broken
}

func (w *writer) begin(ctx context.Context) error {
	if w.conn == nil {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		w.conn = conn
	}
	_, err := (&tx{w: w}).Exec(ctx, "BEGIN IMMEDIATE")
	if err != nil {
		w.reset()
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// reset gives the connection up, whatever state it is in; the next batch gets a clean one.
func (w *writer) reset() {
	if w.conn == nil {
		return
	}
	for text, stmt := range w.stmts {
		_ = stmt.Close() // the connection goes anyway
		delete(w.stmts, text)
	}
	// Outside a transaction this fails, which is as good.
	_, _ = w.conn.ExecContext(context.Background(), "ROLLBACK")
	_ = w.conn.Close()
	w.conn = nil
}

// close carries out what waits and closes the database.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
	<-w.stopped
	w.reset()
	return w.db.Close()
}

// tx is the transaction that a write runs in. It keeps statements prepared from write to write.
type tx struct {
	w       *writer
	changes []records.Change
}

// Tell announces a change once the transaction is committed.
func (t *tx) Tell(c records.Change) { t.changes = append(t.changes, c) }

// Query reads.
func (t *tx) Query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := t.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return t.w.conn.QueryContext(ctx, text, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// Exec writes.
func (t *tx) Exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	stmt, err := t.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return t.w.conn.ExecContext(ctx, text, args...)
	}
	return stmt.ExecContext(ctx, args...)
}

// prepare gives the statement of a text, nil when it is not to be kept.
func (t *tx) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	stmt := t.w.stmts[text]
	if stmt != nil || len(t.w.stmts) >= maxStatements {
		return stmt, nil
	}
	stmt, err := t.w.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	t.w.stmts[text] = stmt
	return stmt, nil
}
