package recordstest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func (b bench) unappended(limit int) []records.OutboxEntry {
	b.t.Helper()
	rows, err := b.Unappended(b.ctx(), limit)
	require.NoError(b.t, err)
	return rows
}

func (b bench) fillOutbox(n int) []records.OutboxEntry {
	b.t.Helper()
	for i := range n {
		err := b.PutOutbox(b.ctx(), records.OutboxEntry{
			ID: 99, Seq: 99, Fixed: []byte("x"), Type: casefile.EntryPolicy, At: at(i),
			Actor: casefile.Actor{Person: "p-one", Role: casefile.RolePolicy}, Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)),
		})
		require.NoError(b.t, err)
	}
	rows := b.unappended(n + 1)
	require.Len(b.t, rows, n)
	return rows
}

func ledgerOutboxRows(t *testing.T, b bench) {
	require.Empty(t, b.unappended(10))
	rows := b.fillOutbox(3)
	for i, r := range rows {
		require.Equal(t, records.OutboxEntry{
			ID: r.ID, Type: casefile.EntryPolicy, At: at(i),
			Actor: casefile.Actor{Person: "p-one", Role: casefile.RolePolicy}, Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)),
		}, r)
	}
	require.Less(t, rows[0].ID, rows[1].ID)
	require.Less(t, rows[1].ID, rows[2].ID)
	require.Equal(t, rows[:2], b.unappended(2))
	b.code(casefile.CodeInvalid, b.PutOutbox(b.ctx(), records.OutboxEntry{Type: casefile.EntryPolicy, Body: json.RawMessage("{"), At: start}))
	_, err := b.Unappended(b.ctx(), 0)
	b.code(casefile.CodeInvalid, err)

	b.code(casefile.CodeState, b.AppendedOutbox(b.ctx(), rows[0].ID, 0))
	fixed, err := b.FixOutbox(b.ctx(), rows[0].ID, 1, []byte("one"))
	require.NoError(t, err)
	require.NoError(t, b.AppendedOutbox(b.ctx(), rows[0].ID, 0))
	require.NoError(t, b.AppendedOutbox(b.ctx(), rows[0].ID, 0))
	b.code(casefile.CodeConflict, b.AppendedOutbox(b.ctx(), rows[0].ID, 1))
	b.code(casefile.CodeNotFound, b.AppendedOutbox(b.ctx(), 9999, 1))
	require.Equal(t, rows[1:], b.unappended(10))
	again, err := b.FixOutbox(b.ctx(), rows[0].ID, 7, []byte("other"))
	require.NoError(t, err)
	fixed.Index = ptr(uint64(0))
	require.Equal(t, fixed, again, "the row tells that it stands in the log, and where")
}

func ledgerOutboxRepeats(t *testing.T, b bench) {
	e := records.OutboxEntry{Type: casefile.EntryPolicy, Actor: casefile.System, Body: json.RawMessage(`{}`), At: start}
	for range 2 {
		require.NoError(t, b.PutOutbox(b.ctx(), e))
	}
	require.Len(t, b.unappended(10), 2, "without a key each is a row of its own, however alike")
	e.Key = "k"
	for range 3 {
		require.NoError(t, b.PutOutbox(b.ctx(), e))
		require.Len(t, b.unappended(10), 3)
	}
}

func ledgerOutboxNumbers(t *testing.T, b bench) {
	rows := b.fillOutbox(3)
	seq, fixed, err := b.OutboxHead(b.ctx())
	require.NoError(t, err)
	require.Zero(t, seq)
	require.Empty(t, fixed)
	_, err = b.FixOutbox(b.ctx(), 9999, 1, []byte("x"))
	b.code(casefile.CodeNotFound, err)
	_, err = b.FixOutbox(b.ctx(), rows[0].ID, 1, nil)
	b.code(casefile.CodeInvalid, err)
	for _, gap := range []int{0, 2} {
		_, err = b.FixOutbox(b.ctx(), rows[0].ID, gap, []byte("x"))
		b.code(casefile.CodeConflict, err)
	}
	got, err := b.FixOutbox(b.ctx(), rows[0].ID, 1, []byte("one"))
	require.NoError(t, err)
	want := rows[0]
	want.Seq, want.Fixed = 1, []byte("one")
	require.Equal(t, want, got)
	got, err = b.FixOutbox(b.ctx(), rows[0].ID, 2, []byte("other"))
	require.NoError(t, err)
	require.Equal(t, want, got, "fixed bytes stand")
	_, err = b.FixOutbox(b.ctx(), rows[1].ID, 1, []byte("fork"))
	b.code(casefile.CodeConflict, err)

	const callers = 10
	errs := make([]error, callers)
	race(callers, func(i int) { _, errs[i] = b.FixOutbox(b.ctx(), rows[1+i%2].ID, 2, []byte(fmt.Sprint(i%2))) })
	lost := 0
	for _, err := range errs {
		if err != nil {
			b.code(casefile.CodeConflict, err)
			lost++
		}
	}
	require.Equal(t, callers/2, lost, "one of the two rows gets the number")
	seq, fixed, err = b.OutboxHead(b.ctx())
	require.NoError(t, err)
	require.Equal(t, 2, seq)
	require.Len(t, fixed, 1)
}

func indexOutboxEntries(t *testing.T, b bench) {
	changes := func() []records.IndexChange {
		list, err := b.IndexChanges(b.ctx(), 10)
		require.NoError(t, err)
		for i := range list {
			require.NotZero(t, list[i].ID)
		}
		return list
	}
	require.Empty(t, changes())
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	first := changes()
	require.Equal(t, []records.IndexChange{{ID: first[0].ID, Case: case1, Revision: 1}}, first)
	c.Revision = 5
	b.project(c, start)
	c.Revision = 3
	b.project(c, start)
	again := changes()
	require.Equal(t, []records.IndexChange{{ID: first[0].ID, Case: case1, Revision: 5}}, again, "several changes are one entry")
	require.NoError(t, b.IndexedUpTo(b.ctx(), first[0]))
	require.Equal(t, again, changes(), "the row changed again since")
	require.NoError(t, b.IndexedUpTo(b.ctx(), again[0]))
	require.Empty(t, changes())
	require.NoError(t, b.IndexedUpTo(b.ctx(), again[0]))

	_, d := b.decided(2, case2, "d1")
	require.NoError(t, b.AdvanceDecision(b.ctx(), d.ID, casefile.DecisionExecuting, "", nil, start))
	list := changes()
	require.Len(t, list, 2)
	require.Less(t, list[0].ID, list[1].ID)
	require.Equal(t, case2, list[0].Case)
	require.Equal(t, 2, list[0].Revision)
	require.Equal(t, "d1", list[1].Decision)
	require.Empty(t, list[1].Case)
	require.Equal(t, 2, list[1].Revision)
	require.NotEqual(t, first[0].ID, list[0].ID, "an id is never used again")
	limited, err := b.IndexChanges(b.ctx(), 1)
	require.NoError(t, err)
	require.Equal(t, list[:1], limited)
	_, err = b.IndexChanges(b.ctx(), 0)
	b.code(casefile.CodeInvalid, err)
}

func indexOutboxRequeue(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	b.openCase("f2", accountKeyOf(2), case2, start)
	list, err := b.IndexChanges(b.ctx(), 10)
	require.NoError(t, err)
	require.NoError(t, b.IndexedUpTo(b.ctx(), list[0]))
	for range 2 {
		require.NoError(t, b.RequeueIndex(b.ctx()))
		list, err = b.IndexChanges(b.ctx(), 10)
		require.NoError(t, err)
		entries := map[string]int{}
		for _, c := range list {
			entries[string(c.Case)+c.Decision] = c.Revision
		}
		require.Len(t, list, 3)
		require.Equal(t, map[string]int{string(case1): 2, string(case2): 0, "d1": 1}, entries)
	}
}
