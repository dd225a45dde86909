package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// maxBatch is the most requests that share one transaction.
const maxBatch = 64

// request is one caller's write. do runs inside a savepoint of its own, so that its failure takes
// nothing else with it.
type request struct {
	ctx     context.Context
	durable bool
	do      func(ctx context.Context, w *writer) error
	done    chan error // buffered
}

// submit hands a write to the writer and waits for its commit. After a cancelled wait the write may
// still happen; every write here may be repeated.
func (x *Index) submit(ctx context.Context, durable bool, do func(context.Context, *writer) error) error {
	r := &request{ctx: ctx, durable: durable, do: do, done: make(chan error, 1)}
	select {
	case x.requests <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-x.closing:
		return errClosed
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-x.stopped:
		select {
		case err := <-r.done:
			return err
		default:
			return errClosed
		}
	}
}

// writer is the one goroutine that writes. Requests that wait together are committed together.
type writer struct {
	x       *Index
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	durable bool // the connection's synchronous is FULL
	// purging says that months may be left to drop.
	purging bool
}

func newWriter(ctx context.Context, x *Index) (*writer, error) {
	conn, err := x.write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &writer{x: x, conn: conn, stmts: make(map[string]*sql.Stmt), purging: true}, nil
}

func (w *writer) run() {
	defer close(w.x.stopped)
	// The writer outlives every caller; a caller's cancellation must not tear another's transaction.
	ctx := context.Background()
	for {
		batch := w.next()
		if batch == nil {
			break
		}
		if len(batch) > 0 {
			w.commit(ctx, batch)
		}
		if w.purging {
			more, err := w.purge(ctx)
			// A purge that failed is taken up again with the next write.
			w.purging = more || (err != nil && len(batch) > 0)
		}
	}
	for _, s := range w.stmts {
		_ = s.Close()
	}
	_ = w.conn.Close()
}

// next waits for requests and takes all that are there: none at once while there is something to
// purge, nil once the index is closing and no request is left.
func (w *writer) next() []*request {
	batch := []*request{}
	if !w.purging {
		select {
		case r := <-w.x.requests:
			batch = append(batch, r)
		case <-w.x.closing:
		}
	}
	for len(batch) < maxBatch {
		select {
		case r := <-w.x.requests:
			batch = append(batch, r)
			continue
		default:
		}
		break
	}
	if len(batch) == 0 && w.x.isClosing() {
		return nil
	}
	return batch
}

// commit runs the requests in one transaction and answers each.
func (w *writer) commit(ctx context.Context, batch []*request) {
	durable := false
	for _, r := range batch {
		durable = durable || r.durable
	}
	errs := make([]error, len(batch))
	err := w.transact(ctx, durable && !w.x.opts.Fast, func() error {
		for i, r := range batch {
			errs[i] = r.ctx.Err()
			if errs[i] != nil {
				continue
			}
			err := w.inSavepoint(ctx, r, &errs[i])
			if err != nil {
				return err
			}
		}
		return nil
	})
	for i, r := range batch {
		r.done <- errors.Join(errs[i], err)
	}
}

// inSavepoint runs one request; its own failure goes to failed, the engine's is returned.
func (w *writer) inSavepoint(ctx context.Context, r *request, failed *error) error {
	err := w.exec(ctx, "SAVEPOINT one")
	if err != nil {
		return err
	}
	*failed = r.do(ctx, w)
	if *failed != nil {
		err = w.exec(ctx, "ROLLBACK TO one")
		if err != nil {
			return err
		}
	}
	return w.exec(ctx, "RELEASE one")
}

// transact runs do in a transaction. durable means that it must outlive a power cut.
func (w *writer) transact(ctx context.Context, durable bool, do func() error) error {
	if durable != w.durable {
		mode := "NORMAL"
		if durable {
			mode = "FULL"
		}
		_, err := w.conn.ExecContext(ctx, "PRAGMA synchronous = "+mode)
		if err != nil {
			return fmt.Errorf("set synchronous: %w", err)
		}
		w.durable = durable
	}
	err := w.exec(ctx, "BEGIN IMMEDIATE")
	if err != nil {
		return err
	}
	err = do()
	if err == nil {
		err = w.exec(ctx, "COMMIT")
	}
	if err != nil {
		return errors.Join(err, w.exec(ctx, "ROLLBACK"))
	}
	return nil
}

// stmt gives the prepared form of a statement.
func (w *writer) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	s := w.stmts[query]
	if s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare a statement: %w", err)
	}
	w.stmts[query] = s
	return s, nil
}

func (w *writer) exec(ctx context.Context, query string, args ...any) error {
	_, err := w.execCount(ctx, query, args...)
	return err
}

// execCount runs a statement and tells how many rows it changed.
func (w *writer) execCount(ctx context.Context, query string, args ...any) (int64, error) {
	s, err := w.stmt(ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("write to the index: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("write to the index: %w", err)
	}
	return n, nil
}

// queryRow reads one row; sql.ErrNoRows stays recognisable.
func (w *writer) queryRow(ctx context.Context, query string, args []any, into ...any) error {
	s, err := w.stmt(ctx, query)
	if err != nil {
		return err
	}
	err = s.QueryRowContext(ctx, args...).Scan(into...)
	if err != nil {
		return fmt.Errorf("read from the index: %w", err)
	}
	return nil
}
