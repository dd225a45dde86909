package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
)

var now = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// patience bounds how long a test waits for what must come.
const patience = time.Minute

// persist repeats a call while the database does not answer.
func persist(ctx context.Context, call func() error) error {
	for {
		err := call()
		if casefile.ErrorCode(err) != casefile.CodeUnavailable || ctx.Err() != nil {
			return err
		}
	}
}

// work is what one worker of these tests does: cases from flag to queue, each with a view, and an
// outbox row. It returns how many.
func work(ctx context.Context, s *postgres.Store, worker, cases int) error {
	for n := range cases {
		flag, account := casefile.FlagKey(fmt.Sprintf("f%d-%d", worker, n)), casefile.AccountKey(fmt.Sprintf("a%d-%d", worker, n))
		ref := casefile.CaseRef(fmt.Sprintf("CASE%d-%05d", worker, n))
		for _, call := range []func() error{
			func() error {
				_, _, err := s.PutFlag(ctx, records.FlagReceipt{Flag: flag, Account: account, Platform: "example", At: now})
				return err
			},
			func() error {
				in, err := s.TakeIn(ctx, "example", account, flag, ref, now)
				if err == nil && in.Case != ref {
					return fmt.Errorf("flag %s is in case %s", flag, in.Case)
				}
				return err
			},
			func() error {
				return s.Project(ctx, records.Projection{Now: now, Case: records.Case{
					Ref: ref, Account: account, State: casefile.StateQueued, Revision: 1,
					Route: casefile.Route{Queue: "q", Severity: n % 5, DueAt: now},
				}})
			},
			func() error {
				return s.PutView(ctx, records.View{Person: "p", Case: ref, Purpose: "review", At: now, Key: string(ref)})
			},
			func() error {
				return s.PutOutbox(ctx, records.OutboxEntry{
					Type: casefile.EntryPolicy, Actor: casefile.System, Body: json.RawMessage(fmt.Sprintf("%q", ref)), At: now, Key: string(ref),
				})
			},
		} {
			err := persist(ctx, call)
			if err != nil {
				return fmt.Errorf("case %s: %w", ref, err)
			}
		}
	}
	return nil
}

// requireWorked holds the records to everything that the workers did, once.
func requireWorked(t *testing.T, s *postgres.Store, workers, cases int) {
	t.Helper()
	all := workers * cases
	st, err := s.FlagStats(t.Context(), time.Time{})
	require.NoError(t, err)
	require.Equal(t, records.FlagStats{Flags: all, Cases: all, Accounts: all}, st)
	queues, err := s.Queues(t.Context())
	require.NoError(t, err)
	require.Equal(t, all, queues[0].Waiting)
	rows, err := s.Unappended(t.Context(), 2*all)
	require.NoError(t, err)
	require.Len(t, rows, all)
	bodies := map[string]bool{}
	for _, r := range rows {
		bodies[string(r.Body)] = true
	}
	require.Len(t, bodies, all)
	views, err := s.Views(t.Context(), "", 0, 2*all)
	require.NoError(t, err)
	require.Len(t, views, all)
	seen, hash := map[casefile.CaseRef]bool{}, ""
	for i, v := range views {
		require.EqualValues(t, i+1, v.Seq)
		seen[v.Case] = true
		hash, err = v.RunningHash(hash)
		require.NoError(t, err)
	}
	require.Len(t, seen, all)
	got, _, _, err := s.WatchDigest(t.Context())
	require.NoError(t, err)
	require.Equal(t, hash, got)
}

// toil runs workers until they are done, and disturbs them each time that so many more changes were
// told: some work is done in between, or none would ever be.
func toil(t *testing.T, stores []*postgres.Store, workers, cases, every int, disturb func()) {
	t.Helper()
	changes := stores[0].Changes(t.Context())
	var group sync.WaitGroup
	errs := make([]error, workers)
	done := make(chan struct{})
	for i := range workers {
		group.Go(func() { errs[i] = work(t.Context(), stores[i%len(stores)], i, cases) })
	}
	go func() {
		group.Wait()
		close(done)
	}()
	told := 0
	for working := true; working; {
		select {
		case <-done:
			working = false
		case <-changes:
			if told++; told%every == 0 {
				disturb()
			}
		}
	}
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// Connections that are ended all the time, in two processes' stores, lose nothing and double nothing;
// and no caller notices.
func TestTerminatedConnections(t *testing.T) {
	t.Parallel()
	const workers, cases = 6, 25
	at := postgrestest.Database(t)
	stores := []*postgres.Store{open(t, postgres.Options{URL: at}), open(t, postgres.Options{URL: at})}
	admin := beside(t, at)
	ended := 0
	toil(t, stores, workers, cases, 3, func() {
		var hit bool
		// One that is in the middle of something, or about to commit.
		err := admin.QueryRow(t.Context(), `SELECT COALESCE((SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
				AND (state <> 'idle' OR query ILIKE 'commit') ORDER BY random() LIMIT 1), false)`).Scan(&hit)
		require.NoError(t, err)
		if hit {
			ended++
		}
	})
	require.Positive(t, ended)
	t.Logf("%d connections ended", ended)
	requireWorked(t, stores[0], workers, cases)
}

// A server that is killed and comes back, several times, loses nothing that was answered, and doubles
// nothing.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	const workers, cases = 4, 25
	server := postgrestest.Start(t, false)
	at := server.Database(t)
	stores := []*postgres.Store{open(t, postgres.Options{URL: at}), open(t, postgres.Options{URL: at})}
	kills := 0
	toil(t, stores, workers, cases, 100, func() {
		kills++
		server.Kill(t)
		server.Restart(t)
	})
	require.Positive(t, kills)
	t.Logf("killed %d times", kills)
	requireWorked(t, stores[1], workers, cases)
}

// While the server is away every call says so, and later calls find it again.
func TestServerAway(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, false)
	s := open(t, postgres.Options{URL: server.Database(t)})
	_, err := s.SetMetaIfAbsent(t.Context(), "k", "v")
	require.NoError(t, err)
	server.Stop(t)
	for name, call := range map[string]func() error{
		"ping":  func() error { return s.Ping(t.Context()) },
		"read":  func() error { _, err := s.Meta(t.Context(), "k"); return err },
		"count": func() error { _, err := s.Queues(t.Context()); return err },
		"write": func() error { _, err := s.SetMetaIfAbsent(t.Context(), "k", "v"); return err },
		"view":  func() error { return s.PutView(t.Context(), records.View{Person: "p", Case: "c", At: now}) },
		"next": func() error {
			_, _, err := s.ReserveNext(t.Context(), records.Reservation{Queue: "q", Person: "p", Now: now, Hold: time.Minute})
			return err
		},
	} {
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(call()), name)
	}
	server.Restart(t)
	v, err := s.Meta(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "v", v)
}

// A feed whose connection was lost says to look at everything once it has another, and goes on.
func TestFeedReconnects(t *testing.T) {
	t.Parallel()
	at := postgrestest.Database(t)
	s, other := open(t, postgres.Options{URL: at}), open(t, postgres.Options{URL: at})
	changes := s.Changes(t.Context())
	put := func(key casefile.FlagKey) records.Change {
		_, _, err := other.PutFlag(t.Context(), records.FlagReceipt{Flag: key, Account: "a", Platform: "example", At: now})
		require.NoError(t, err)
		return records.Change{Kind: records.ChangeFlag, Flag: key}
	}
	next := func() records.Change {
		select {
		case c := <-changes:
			return c
		case <-time.After(patience):
			require.FailNow(t, "no change came")
			return records.Change{}
		}
	}
	require.Equal(t, put("f1"), next(), "what another process wrote")
	var ended int
	err := beside(t, at).QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE 'LISTEN%'`).Scan(&ended)
	require.NoError(t, err)
	require.Equal(t, 2, ended, "both stores'")
	require.Equal(t, records.Change{}, next())
	require.Equal(t, put("f2"), next())
}
