package recordstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// fillQueue puts cases in queue "q" and returns them in its order; a case in another queue and one
// that is claimed are put beside.
func (b bench) fillQueue() []casefile.CaseRef {
	b.t.Helper()
	rows := []struct {
		ref                  casefile.CaseRef
		severity, confidence int
		due                  time.Time
	}{
		{"A0000-00007", 7, 3, at(90)},
		{"A0000-00006", 7, 1, at(10)},
		{"A0000-00005", 4, 3, at(50)},
		{"A0000-00009", 4, 3, at(60)},
		{"B0000-00001", 4, 3, at(60)},
		{"A0000-00001", 4, 0, at(5)},
		{"A0000-00000", 0, 3, at(5)},
	}
	var order []casefile.CaseRef
	for i := range rows {
		order = append(order, rows[i].ref)
	}
	for i, n := range []int{3, 0, 6, 2, 5, 1, 4} { // put in another order
		r := rows[n]
		b.queued(i, r.ref, route("q", r.severity, r.confidence, r.due), at(-n))
	}
	b.queued(50, "OTHER-00001", route("other", 7, 3, at(1)), start)
	claimed := b.queued(51, "CLAIM-00001", route("q", 7, 3, at(1)), start)
	claimed.State, claimed.Revision = casefile.StateClaimed, 2
	b.project(claimed, start)
	return order
}

func queueOrder(t *testing.T, b bench) {
	order := b.fillQueue()
	for limit := 1; limit <= len(order)+1; limit++ {
		require.Equal(t, order, walk(t, limit, func(after string, limit int) ([]records.Case, string, error) {
			return b.QueueCases(b.ctx(), "q", after, limit)
		}))
	}
	cases, next, err := b.QueueCases(b.ctx(), "empty", "", 5)
	require.NoError(t, err)
	require.Empty(t, cases)
	require.Empty(t, next)
	for _, want := range order {
		ref, ok, err := b.ReserveNext(b.ctx(), records.Reservation{Queue: "q", Person: "p-one", Now: start, Hold: time.Minute})
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, want, ref)
	}
	_, ok, err := b.ReserveNext(b.ctx(), records.Reservation{Queue: "q", Person: "p-one", Now: start, Hold: time.Minute})
	require.NoError(t, err)
	require.False(t, ok)
}

func queueCounts(t *testing.T, b bench) {
	counts, err := b.Queues(b.ctx())
	require.NoError(t, err)
	require.Empty(t, counts)
	late, soon := time.Now().UTC().Add(-time.Hour).Truncate(time.Second), time.Now().UTC().Add(time.Hour).Truncate(time.Second)
	b.queued(1, "A0000-00001", route("b", 7, 1, soon), at(3))
	b.queued(2, "A0000-00002", route("b", 7, 2, late), at(2))
	b.queued(3, "A0000-00003", route("b", 2, 1, soon.Add(time.Hour)), at(1))
	b.queued(4, "A0000-00004", route("d", 1, 1, soon), at(4))
	claim := func(c records.Case) {
		c.State, c.Revision = casefile.StateClaimed, 2
		b.project(c, start)
	}
	for i, queue := range []string{"a", "b", "b", "c", "e"} {
		claim(b.queued(10+i, casefile.CaseRef(fmt.Sprintf("C0000-%05d", i)), route(queue, 7, 1, late), at(-9)))
	}
	b.closed(b.queued(20, "Z0000-00001", route("z", 7, 1, late), at(-9)), start)
	counts, err = b.Queues(b.ctx())
	require.NoError(t, err)
	none := map[int]int{}
	require.Equal(t, []records.QueueCount{
		{Queue: "a", Claimed: 1, BySevere: none},
		{Queue: "b", Waiting: 3, Claimed: 2, Oldest: ptr(at(1)), NextDue: &late, Overdue: 1, BySevere: map[int]int{7: 2, 2: 1}},
		{Queue: "c", Claimed: 1, BySevere: none},
		{Queue: "d", Waiting: 1, Oldest: ptr(at(4)), NextDue: &soon, BySevere: map[int]int{1: 1}},
		{Queue: "e", Claimed: 1, BySevere: none},
	}, counts)
}

func queueReserve(t *testing.T, b bench) {
	order := b.fillQueue()
	next := func(person casefile.Person, now time.Time, skip ...casefile.CaseRef) casefile.CaseRef {
		ref, ok, err := b.ReserveNext(b.ctx(), records.Reservation{Queue: "q", Person: person, Skip: skip, Now: now, Hold: 10 * time.Second})
		require.NoError(t, err)
		require.Equal(t, ref != "", ok)
		return ref
	}
	require.Equal(t, order[0], next("p-one", start))
	require.Equal(t, order[1], next("p-two", start))
	require.Equal(t, order[2], next("p-one", start), "one's own reservation is passed over too")
	require.Equal(t, order[5], next("p-one", start, order[3], order[4]), "skipped cases are passed over")
	require.Empty(t, next("p-one", start, order...))
	require.NoError(t, b.FreeReservation(b.ctx(), order[0], "p-two"))
	require.Equal(t, order[3], next("p-two", start), "only the person who reserved frees")
	require.NoError(t, b.FreeReservation(b.ctx(), order[0], "p-one"))
	require.NoError(t, b.FreeReservation(b.ctx(), order[0], "p-one"))
	require.NoError(t, b.FreeReservation(b.ctx(), case3, "p-one"))
	require.Equal(t, order[0], next("p-two", start))
	require.Equal(t, order[0], next("p-one", start.Add(10*time.Second)), "a reservation ends by itself")
	c := b.row(order[0])
	require.Equal(t, casefile.Person("p-one"), c.ReservedBy)
	require.Equal(t, ptr(start.Add(20*time.Second)), c.ReservedUntil)
}

func queueReservationStands(t *testing.T, b bench) {
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	_, ok, err := b.ReserveNext(b.ctx(), records.Reservation{Queue: "q", Person: "p-one", Now: start, Hold: time.Minute})
	require.NoError(t, err)
	require.True(t, ok)
	c.Revision, c.Flags = 2, 2
	b.project(c, start)
	got := b.row(case1)
	require.Equal(t, 2, got.Flags)
	require.Equal(t, casefile.Person("p-one"), got.ReservedBy)
	require.Equal(t, ptr(start.Add(time.Minute)), got.ReservedUntil)
	_, ok, err = b.ReserveNext(b.ctx(), records.Reservation{Queue: "q", Person: "p-two", Now: start, Hold: time.Minute})
	require.NoError(t, err)
	require.False(t, ok)
}

func promise03FiftyCallers(t *testing.T, b bench) {
	const callers, cases = 50, 60
	for i := range cases {
		b.queued(i, casefile.CaseRef(fmt.Sprintf("CASE0-%05d", i)), route("q", i%8, i%4, at(60+i%3)), start)
	}
	got, ok, errs := make([]casefile.CaseRef, callers), make([]bool, callers), make([]error, callers)
	race(callers, func(i int) {
		got[i], ok[i], errs[i] = b.ReserveNext(b.ctx(), records.Reservation{Queue: "q", Person: casefile.Person(fmt.Sprintf("p-%d", i)), Now: start, Hold: time.Minute})
	})
	order, _, err := b.QueueCases(b.ctx(), "q", "", callers)
	require.NoError(t, err)
	for i := range callers {
		require.NoError(t, errs[i])
		require.True(t, ok[i])
	}
	require.ElementsMatch(t, refs(order), got, "fifty callers get the first fifty cases, each a different one")
	for i, ref := range got {
		require.Equal(t, casefile.Person(fmt.Sprintf("p-%d", i)), b.row(ref).ReservedBy)
	}
}
