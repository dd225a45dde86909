package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
)

// waits calls while another transaction has made a change that is not committed, and commits that once
// the call waits for it.
func waits(t *testing.T, at, change string, call func() error) {
	t.Helper()
	other, watcher := beside(t, at), beside(t, at)
	tx, err := other.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), change)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- call() }()
	require.Eventually(t, func() bool {
		var waiting bool
		err := watcher.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waiting)
		require.NoError(t, err)
		return waiting
	}, patience, 5*time.Millisecond)
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, <-done)
}

// A projection that comes while its decision's takedown writes takes nothing of that back.
func TestProjectionWaitsForTakedown(t *testing.T) {
	t.Parallel()
	at := postgrestest.Database(t)
	s := open(t, postgres.Options{URL: at})
	require.NoError(t, work(t.Context(), s, 0, 1))
	const ref, account = "CASE0-00000", "a0-0"
	d := casefile.Decision{ID: "d1", Case: ref}
	project := func(revision int, row records.DecisionRow) error {
		return s.Project(t.Context(), records.Projection{Now: now, Decision: &row,
			Case: records.Case{Ref: ref, Account: account, State: casefile.StateDecided, Revision: revision}})
	}
	require.NoError(t, project(2, records.DecisionRow{Decision: d, State: casefile.DecisionGrace}))
	waits(t, at, "UPDATE decisions SET state = 'executing', counter = counter + 1", func() error {
		return project(3, records.DecisionRow{Decision: d, State: casefile.DecisionRecorded, Event: "case.x/1", Hash: "h"})
	})
	row, err := s.Decision(t.Context(), "d1")
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionExecuting, row.State)
	require.Equal(t, casefile.EventID("case.x/1"), row.Event)
	require.Equal(t, 3, row.Counter)
}

// The only case of a queue is waited for while a projection is at it, not taken for none.
func TestNextWaitsForTheOnlyCase(t *testing.T) {
	t.Parallel()
	at := postgrestest.Database(t)
	s := open(t, postgres.Options{URL: at})
	require.NoError(t, work(t.Context(), s, 0, 1))
	waits(t, at, "UPDATE cases SET flags = 2", func() error {
		ref, ok, err := s.ReserveNext(t.Context(), records.Reservation{Queue: "q", Person: "p", Now: now, Hold: time.Minute})
		require.True(t, ok)
		require.Equal(t, casefile.CaseRef("CASE0-00000"), ref)
		return err
	})
	c, err := s.Case(t.Context(), "CASE0-00000")
	require.NoError(t, err)
	require.Equal(t, 2, c.Flags)
	require.Equal(t, casefile.Person("p"), c.ReservedBy)
	// One that leaves the queue meanwhile is not offered.
	require.NoError(t, s.FreeReservation(t.Context(), c.Ref, "p"))
	waits(t, at, "UPDATE cases SET state = 'decided'", func() error {
		_, ok, err := s.ReserveNext(t.Context(), records.Reservation{Queue: "q", Person: "p", Now: now, Hold: time.Minute})
		require.False(t, ok)
		return err
	})
}
