package postgres

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
	"github.com/docket-triage/docket/records/relational"
)

func testStore(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{URL: url})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func readMeta(ctx context.Context, q relational.Querier, name string) (string, error) {
	rows, err := q.Query(ctx, "SELECT value FROM meta WHERE name = ?", name)
	if err != nil {
		return "", err
	}
	var value string
	for rows.Next() {
		err = errors.Join(err, rows.Scan(&value))
	}
	return value, errors.Join(err, rows.Err(), rows.Close())
}

func writeMeta(ctx context.Context, c relational.Conn, name, value string) error {
	_, err := c.Exec(ctx, `INSERT INTO meta (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// meet returns a function that lets both of two writes read before either writes, the first time.
func meet() func(round int) {
	here := make(chan struct{})
	return func(round int) {
		if round > 1 {
			return
		}
		select {
		case here <- struct{}{}:
		case <-here:
		}
	}
}

// Of two writes that each read what the other writes, one runs again: they are as if one came after
// the other, which no lock on a row would see to.
func TestSerialWritesAreSerial(t *testing.T) {
	t.Parallel()
	s := testStore(t, postgrestest.Database(t))
	met := meet()
	write := func(reads, writes string) func() error {
		return func() error {
			round := 0
			return s.engine.Write(t.Context(), relational.Serial, func(ctx context.Context, c relational.Conn) error {
				round++
				v, err := readMeta(ctx, c, reads)
				if err != nil {
					return err
				}
				met(round)
				return writeMeta(ctx, c, writes, "after "+v)
			})
		}
	}
	done := make(chan error, 2)
	for _, w := range []func() error{write("a", "b"), write("b", "a")} {
		go func() { done <- w() }()
	}
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	a, err := s.Meta(t.Context(), "a")
	require.NoError(t, err)
	b, err := s.Meta(t.Context(), "b")
	require.NoError(t, err)
	require.Contains(t, [][2]string{{"after ", "after after "}, {"after after ", "after "}}, [2]string{a, b})
}

// Under a lock, a write sees all that was committed while it waited.
func TestLockedWritesSeeEachOther(t *testing.T) {
	t.Parallel()
	s := testStore(t, postgrestest.Database(t))
	const writes = 20
	done := make(chan error)
	for range writes {
		go func() {
			done <- s.engine.Write(t.Context(), relational.WatchTables, func(ctx context.Context, c relational.Conn) error {
				v, err := readMeta(ctx, c, "k")
				if err != nil {
					return err
				}
				return writeMeta(ctx, c, "k", v+"x")
			})
		}()
	}
	for range writes {
		require.NoError(t, <-done)
	}
	v, err := s.Meta(t.Context(), "k")
	require.NoError(t, err)
	require.Len(t, v, writes)
}

// A key that another transaction took unseen is looked at again before it is called taken.
func TestTakenIsLookedAtTwice(t *testing.T) {
	t.Parallel()
	s := testStore(t, postgrestest.Database(t))
	rounds := 0
	err := s.engine.Write(t.Context(), relational.Serial, func(ctx context.Context, c relational.Conn) error {
		rounds++
		v, err := readMeta(ctx, c, "k")
		if err != nil || v != "" {
			return err
		}
		_, err = s.SetMetaIfAbsent(ctx, "k", "theirs")
		require.NoError(t, err)
		_, err = c.Exec(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", "k", "ours")
		if err != nil && fault(err) == relational.FaultTaken {
			return casefile.Errorf(casefile.CodeConflict, "taken")
		}
		return err
	})
	require.NoError(t, err)
	require.Equal(t, 2, rounds)
	rounds = 0
	err = s.engine.Write(t.Context(), relational.Serial, func(ctx context.Context, c relational.Conn) error {
		rounds++
		_, err := c.Exec(ctx, "INSERT INTO meta (name, value) VALUES (?, ?)", "k", "ours")
		return err
	})
	require.Equal(t, relational.FaultTaken, fault(err))
	require.Equal(t, 2, rounds)
}

// A lock that somebody holds for too long is told as the database being unavailable.
func TestLockedOut(t *testing.T) {
	t.Parallel()
	s := testStore(t, postgrestest.Database(t)+"&lock_timeout=50ms")
	lock, err := s.engine.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = lock.ExecContext(t.Context(), "LOCK TABLE meta")
	require.NoError(t, err)
	_, err = s.SetMetaIfAbsent(t.Context(), "k", "v")
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), "%v", err)
	require.NoError(t, lock.Rollback())
	_, err = s.SetMetaIfAbsent(t.Context(), "k", "v")
	require.NoError(t, err)
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	list, err := payloads(nil)
	require.NoError(t, err)
	require.Empty(t, list)
	change := records.Change{Kind: records.ChangeFlag, Flag: "f1", Case: "CASE0-00001"}
	other := records.Change{Kind: records.ChangeDecision, ID: "d1"}
	list, err = payloads([]records.Change{change, other})
	require.NoError(t, err)
	require.Equal(t, []string{`{"kind":"flag","case":"CASE0-00001","flag":"f1"}`, `{"kind":"decision","id":"d1"}`}, list)
	require.Equal(t, change, decode(list[0]))
	require.Equal(t, other, decode(list[1]))
	for _, many := range [][]records.Change{
		make([]records.Change, maxTold+1),
		{other, {Kind: records.ChangeFlag, Flag: casefile.FlagKey(make([]byte, maxPayload))}},
	} {
		list, err = payloads(many)
		require.NoError(t, err)
		require.Equal(t, []string{"{}"}, list)
	}
	require.Equal(t, records.Change{}, decode("{}"))
	require.Equal(t, records.Change{}, decode("what another version says"))
}

func TestFaults(t *testing.T) {
	t.Parallel()
	require.Equal(t, relational.FaultOther, fault(sql.ErrNoRows))
	require.Equal(t, relational.FaultDown, fault(context.DeadlineExceeded))
	require.Equal(t, relational.FaultDown, fault(sql.ErrConnDone))
	require.False(t, lost(sql.ErrNoRows))
}
