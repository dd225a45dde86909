package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/relational"
)

// trial is a writer on a table of its own, that notes how many changes each batch told.
type trial struct {
	*writer
	path string
	mu   sync.Mutex
	told []int
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	tr := &trial{path: filepath.Join(t.TempDir(), "w.db")}
	db := openRaw(t, tr.path)
	db.SetMaxOpenConns(1)
	_, err := db.ExecContext(t.Context(), "CREATE TABLE n (n INTEGER NOT NULL PRIMARY KEY) STRICT")
	require.NoError(t, err)
	tr.writer = newWriter(db, func(c []records.Change) {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		tr.told = append(tr.told, len(c))
	})
	t.Cleanup(func() { require.NoError(t, tr.close()) })
	return tr
}

func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(1)")
	require.NoError(t, err)
	return db
}

func (tr *trial) insert(ctx context.Context, n int, after error) error {
	return tr.write(ctx, func(ctx context.Context, c relational.Conn) error {
		c.Tell(records.Change{Kind: records.ChangeCase})
		_, err := c.Exec(ctx, "INSERT INTO n (n) VALUES (?)", n)
		return errors.Join(err, after)
	})
}

func (tr *trial) rows(t *testing.T) []int {
	t.Helper()
	var list []int
	err := tr.write(t.Context(), func(ctx context.Context, c relational.Conn) error {
		rows, err := c.Query(ctx, "SELECT n FROM n ORDER BY n")
		if err != nil {
			return err
		}
		for rows.Next() {
			var n int
			err = rows.Scan(&n)
			if err != nil {
				return errors.Join(err, rows.Close())
			}
			list = append(list, n)
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	require.NoError(t, err)
	return list
}

// together makes the calls wait behind a write that runs, so that they share the next transaction.
func (tr *trial) together(t *testing.T, calls ...func() error) []error {
	t.Helper()
	running, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		_ = tr.write(context.Background(), func(context.Context, relational.Conn) error {
			close(running)
			<-release
			return nil
		})
	})
	<-running
	errs := make([]error, len(calls))
	for i, call := range calls {
		group.Go(func() { errs[i] = call() })
		for len(tr.queued()) < i+1 {
			runtime.Gosched() // the call is on its way into the queue
		}
	}
	close(release)
	group.Wait()
	return errs
}

func (tr *trial) queued() []*write {
	tr.writer.mu.Lock()
	defer tr.writer.mu.Unlock()
	return tr.waiting
}

func TestWriterSharesTransactions(t *testing.T) {
	t.Parallel()
	tr := newTrial(t)
	var calls []func() error
	var want []int
	for i := range maxBatch + 10 {
		calls = append(calls, func() error { return tr.insert(t.Context(), i, nil) })
		want = append(want, i)
	}
	for _, err := range tr.together(t, calls...) {
		require.NoError(t, err)
	}
	require.Equal(t, []int{0, maxBatch, 10}, tr.told)
	require.Equal(t, want, tr.rows(t))
}

func TestWriterGivesEachItsOwnResult(t *testing.T) {
	t.Parallel()
	tr := newTrial(t)
	refused := casefile.Errorf(casefile.CodeConflict, "refused")
	errs := tr.together(t,
		func() error { return tr.insert(t.Context(), 1, nil) },
		func() error { return tr.insert(t.Context(), 2, refused) },
		func() error { return tr.insert(t.Context(), 1, nil) },
		func() error { return tr.insert(t.Context(), 2, nil) },
	)
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], refused)
	require.Equal(t, relational.FaultTaken, fault(errs[2]), "a broken constraint is its own writer's fault: %v", errs[2])
	require.NoError(t, errs[3], "what a refused write left is gone when the next one runs")
	require.Equal(t, []int{1, 2}, tr.rows(t))
	require.Equal(t, []int{0, 2}, tr.told[:2], "changes of refused writes are not told")
	err := tr.insert(t.Context(), 9, refused)
	require.ErrorIs(t, err, refused)
	require.Equal(t, []int{1, 2}, tr.rows(t), "nor does a write alone leave anything")
}

func TestWriterPassesOverThoseWhoLeft(t *testing.T) {
	t.Parallel()
	tr := newTrial(t)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	errs := tr.together(t,
		func() error { return tr.insert(t.Context(), 1, nil) },
		func() error {
			left <- tr.insert(ctx, 2, nil)
			return nil
		},
		func() error {
			cancel()
			require.ErrorIs(t, <-left, context.Canceled, "nobody waits longer than their context")
			return tr.insert(t.Context(), 3, nil)
		},
	)
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, []int{1, 3}, tr.rows(t))
}

func TestWriterSurvivesLostTransaction(t *testing.T) {
	t.Parallel()
	tr := newTrial(t)
	// SQLite rolls a whole transaction back when the disk is full; this does the same.
	lose := func() error {
		return tr.write(t.Context(), func(ctx context.Context, c relational.Conn) error {
			_, err := c.(*tx).w.conn.ExecContext(ctx, "ROLLBACK")
			return errors.Join(err, errors.New("lost"))
		})
	}
	errs := tr.together(t,
		func() error { return tr.insert(t.Context(), 1, nil) },
		lose,
		func() error { return tr.insert(t.Context(), 3, nil) },
	)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(errs[0]), "not committed, and told so")
	require.ErrorContains(t, errs[1], "lost")
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(errs[2]))
	require.Empty(t, tr.rows(t))
	require.NoError(t, tr.insert(t.Context(), 4, nil))
	require.Error(t, lose())
	require.NoError(t, tr.insert(t.Context(), 5, nil))
	require.Equal(t, []int{4, 5}, tr.rows(t))
}

func TestWriterLockedOut(t *testing.T) {
	t.Parallel()
	tr := newTrial(t)
	other := openRaw(t, tr.path)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	lock, err := other.Conn(t.Context())
	require.NoError(t, err)
	_, err = lock.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	err = relational.Coded(t.Context(), fault, "insert", tr.insert(t.Context(), 1, nil))
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), "%v", err)
	_, err = lock.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, lock.Close())
	require.NoError(t, tr.insert(t.Context(), 2, nil))
	require.Equal(t, []int{2}, tr.rows(t))
}

func TestWriterCloseCarriesOutWhatWaits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records.db")
	s, err := Open(t.Context(), Options{Path: path})
	require.NoError(t, err)
	var group sync.WaitGroup
	const callers = 50
	errs := make([]error, callers)
	for i := range callers {
		group.Go(func() { _, errs[i] = s.SetMetaIfAbsent(t.Context(), fmt.Sprint(i), "v") })
	}
	require.NoError(t, s.Close())
	group.Wait()
	again, err := Open(t.Context(), Options{Path: path})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, again.Close()) })
	for i, err := range errs {
		v, readErr := again.Meta(t.Context(), fmt.Sprint(i))
		require.NoError(t, readErr)
		if err == nil {
			require.Equal(t, "v", v)
			continue
		}
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
		require.Empty(t, v)
	}
}
