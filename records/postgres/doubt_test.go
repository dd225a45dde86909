package postgres

import (
	"bytes"
	"net"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
)

// cutter stands between a store and its server and cuts a connection at a commit: before the server
// gets it, or before the store gets the answer.
type cutter struct {
	cuts   atomic.Int64 // how many commits to cut at
	before atomic.Bool
	after  func() // called once the server has answered, before the cut; may be nil
}

// cut puts a cutter in front of a database and returns the URL to reach it through it.
func (c *cutter) cut(t *testing.T, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	require.NoError(t, err)
	const socket = ".s.PGSQL.5432"
	server, dir := filepath.Join(u.Query().Get("host"), socket), t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, socket))
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			go c.carry(client, server)
		}
	}()
	u.RawQuery = url.Values{"host": {dir}}.Encode()
	return u.String()
}

// carry carries one connection's bytes. A commit is a message of its own, and so is its answer.
func (c *cutter) carry(client net.Conn, path string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("unix", path)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var cutting atomic.Bool
	go func() {
		defer func() { _ = client.Close() }()
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			if cutting.Load() && bytes.Contains(buffer[:n], []byte("COMMIT\x00")) {
				if c.after != nil {
					c.after()
				}
				return
			}
			if err != nil {
				return
			}
			_, err = client.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], []byte("commit\x00")) && c.cuts.Add(-1) >= 0 {
			if c.before.Load() {
				return
			}
			cutting.Store(true)
		}
		_, err = server.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}

var now = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// plannedAct makes a case with a decision of which one act is planned.
func plannedAct(t *testing.T, s *Store) casefile.Act {
	t.Helper()
	_, _, err := s.PutFlag(t.Context(), records.FlagReceipt{Flag: "f1", Account: "a1", Platform: "example", At: now})
	require.NoError(t, err)
	in, err := s.TakeIn(t.Context(), "example", "a1", "f1", "CASE0-00001", now)
	require.NoError(t, err)
	require.NoError(t, s.Project(t.Context(), records.Projection{
		Case:     records.Case{Ref: in.Case, Account: "a1", State: casefile.StateDecided, Revision: 1},
		Decision: &records.DecisionRow{Decision: casefile.Decision{ID: "d1", Case: in.Case}, State: casefile.DecisionRecorded}, Now: now,
	}))
	act := casefile.Act{Decision: "d1", Number: 1, Kind: casefile.ActLimit}
	_, err = s.PlanActs(t.Context(), []records.ActRow{{Act: act, Direction: casefile.Do, PlannedAt: now}})
	require.NoError(t, err)
	return act
}

// A write whose connection is lost at its commit is there once.
func TestLostCommits(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} {
		var c cutter
		c.before.Store(before)
		s := testStore(t, c.cut(t, postgrestest.Database(t)))
		view := records.View{Person: "p", Case: "CASE0-00001", Purpose: "review", At: now}
		for n := range 6 {
			// What is carried out again is cut again.
			c.cuts.Store(int64(n % 3))
			require.NoError(t, s.PutView(t.Context(), view))
			require.LessOrEqual(t, c.cuts.Load(), int64(0))
			c.cuts.Store(int64(n % 3))
			require.NoError(t, s.PutPerson(t.Context(), records.PersonRow{Person: "p", Login: "p", Active: n%2 == 0}, now))
			require.LessOrEqual(t, c.cuts.Load(), int64(0))
		}
		views, err := s.Views(t.Context(), "", 0, 100)
		require.NoError(t, err)
		require.Len(t, views, 6, "cut before the server got it: %t", before)
		rows, err := s.Unappended(t.Context(), 100)
		require.NoError(t, err)
		require.Len(t, rows, 6)
		act := plannedAct(t, s)
		c.cuts.Store(1)
		started, row, err := s.BeginAct(t.Context(), act, casefile.Do, now)
		require.NoError(t, err)
		require.Equal(t, before, started, "one that may have begun the act is told to find out what became of it")
		require.Equal(t, now, *row.StartedAt)
	}
}

// Where the server stays away as well, the caller is told, and the same call again is answered with
// what stands.
func TestLostCommitAndServer(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, false)
	var c cutter
	s := testStore(t, c.cut(t, server.Database(t)))
	flag := records.FlagReceipt{Flag: "f1", Account: "a1", Platform: "example", At: now}
	c.after = func() { server.Kill(t) }
	c.cuts.Store(1)
	_, _, err := s.PutFlag(t.Context(), flag)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), "%v", err)
	server.Restart(t)
	row, created, err := s.PutFlag(t.Context(), flag)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, records.FlagPending, row.Status)
}
