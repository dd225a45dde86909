package recordstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// next reserves the next case of queue "q". Without a time to hold it for it is free again at once.
func (b bench) next(r records.Reservation) casefile.CaseRef {
	b.t.Helper()
	if r.Queue == "" {
		r.Queue = "q"
	}
	if r.Now.IsZero() {
		r.Now = start
	}
	ref, ok, err := b.ReserveNext(b.ctx(), r)
	require.NoError(b.t, err)
	require.Equal(b.t, ok, ref != "")
	if r.Hold == 0 {
		require.NoError(b.t, b.FreeReservation(b.ctx(), ref, r.Person))
	}
	return ref
}

// change projects a case once more, changed.
func (b bench) change(ref casefile.CaseRef, how func(c *records.Case)) records.Case {
	b.t.Helper()
	c := b.row(ref)
	how(&c)
	c.Revision++
	b.project(c, at(1))
	return b.row(ref)
}

// took projects a case once more, with parts that somebody took.
func (b bench) took(ref casefile.CaseRef, parts ...records.PartRow) {
	b.t.Helper()
	c := b.row(ref)
	c.Revision++
	for i := range parts {
		parts[i].Case, parts[i].At = ref, at(1)
	}
	require.NoError(b.t, b.Project(b.ctx(), records.Projection{Case: c, Parts: parts, Now: at(1)}))
}

// queuePersonal holds ReserveNext to whom it may offer a case: the one that stands second is for
// anybody.
func queuePersonal(t *testing.T, b bench) {
	const first, second = case1, case2
	one, two, lead := records.Reservation{Person: "p-one"}, records.Reservation{Person: "p-two"}, records.Reservation{Person: "p-lead", Lead: true}
	when := func(r records.Reservation, minutes int) records.Reservation {
		r.Now = at(minutes)
		return r
	}
	b.queued(1, first, route("q", 7, 3, at(60)), start)
	b.queued(2, second, route("q", 1, 1, at(60)), start)
	offers := func(why string, want map[casefile.CaseRef][]records.Reservation) {
		t.Helper()
		for ref, list := range want {
			for _, r := range list {
				require.Equal(t, ref, b.next(r), "%s: %+v", why, r)
			}
		}
	}
	type offer = map[casefile.CaseRef][]records.Reservation
	offers("nothing is the matter", offer{first: {one, two, lead}})

	b.change(first, func(c *records.Case) { c.NotBefore = ptr(at(30)) })
	offers("snoozed", offer{second: {one, two, lead, when(one, 29)}, first: {when(one, 30), when(lead, 31)}})
	b.change(first, func(c *records.Case) { c.NotBefore = nil })

	b.change(first, func(c *records.Case) { c.AssignedTo = "p-two" })
	offers("handed over", offer{second: {one, lead}, first: {two}})
	b.change(first, func(c *records.Case) { c.AssignedTo = "" })

	b.change(first, func(c *records.Case) { c.Stage = casefile.StageAdjudication })
	offers("adjudication", offer{second: {one, two}, first: {lead}})
	b.change(first, func(c *records.Case) { c.Stage = casefile.StageOpinion })

	b.took(first, records.PartRow{Person: "p-one", Part: records.PartFlag}, records.PartRow{Person: "p-one", Part: records.PartClaim})
	offers("other parts are no hindrance", offer{first: {one, two, lead}})
	b.took(first, records.PartRow{Person: "p-one", Part: records.PartOpinion}, records.PartRow{Person: "p-lead", Part: records.PartOpinion})
	offers("judged by oneself, a lead or not", offer{second: {one, lead}, first: {two}})
	b.change(first, func(c *records.Case) { c.Round = 1 })
	offers("the next round begins anew", offer{first: {one, two, lead}})
	b.took(first, records.PartRow{Person: "p-two", Part: records.PartOpinion, Round: 1})
	offers("judged in this round", offer{second: {two}, first: {one, lead}})

	skip := one
	skip.Skip = []casefile.CaseRef{first}
	offers("skipped", offer{second: {skip}})
	skip.Skip = []casefile.CaseRef{second, first}
	require.Empty(t, b.next(skip))
	aheadOfTime(t, b)
}

// queueThreat: a threat to life goes before everything, in whatever queue it stands and whatever queue
// is asked for, but not to whom it is not for.
func queueThreat(t *testing.T, b bench) {
	b.queued(1, case1, route("q", 7, 3, at(1)), start)
	b.queued(2, case2, route("leads", 2, 1, at(50)), start)
	b.queued(3, case3, route("leads", 0, 0, at(40)), start)
	threat := func(ref casefile.CaseRef) {
		c := b.change(ref, func(c *records.Case) { c.Rank, c.Threat, c.Raised = 0, true, true })
		require.Equal(t, records.RankThreat, c.Rank, "a rank that nobody gave is worked out")
	}
	threat(case2)
	one, lead := records.Reservation{Person: "p-one"}, records.Reservation{Person: "p-lead", Lead: true}
	in := func(queue string, r records.Reservation) records.Reservation {
		r.Queue = queue
		return r
	}
	for _, queue := range []string{"q", "leads", "nobody's"} {
		require.Equal(t, case2, b.next(in(queue, one)), queue)
	}
	threat(case3)
	require.Equal(t, case2, b.next(one), "of two threats the more confident one first")
	cases, _, err := b.QueueCases(b.ctx(), "leads", "", 5)
	require.NoError(t, err)
	require.Equal(t, []casefile.CaseRef{case2, case3}, refs(cases))

	skip := one
	skip.Skip = []casefile.CaseRef{case2}
	require.Equal(t, case3, b.next(skip))
	b.change(case2, func(c *records.Case) { c.Stage = casefile.StageAdjudication })
	require.Equal(t, case3, b.next(one), "a lead's case is a lead's, a threat or not")
	require.Equal(t, case2, b.next(lead))
	b.change(case3, func(c *records.Case) { c.AssignedTo = "p-two" })
	require.Equal(t, case1, b.next(one), "nor is one that was handed over to somebody else")
	require.Equal(t, case3, b.next(records.Reservation{Person: "p-two"}))
	b.change(case3, func(c *records.Case) { c.AssignedTo = "" })
	b.took(case3, records.PartRow{Person: "p-one", Part: records.PartOpinion})
	require.Equal(t, case1, b.next(one), "nor one that one has judged oneself")
	b.change(case3, func(c *records.Case) { c.NotBefore, c.Round = ptr(at(30)), 1 })
	require.Equal(t, case1, b.next(one))

	hold := records.Reservation{Person: "p-two", Now: at(30), Hold: time.Minute}
	require.Equal(t, case3, b.next(hold))
	hold.Person = "p-three"
	require.Equal(t, case1, b.next(hold), "a reserved one is somebody else's")
	b.closed(b.row(case2), at(31))
	require.Empty(t, b.next(in("leads", lead)), "a closed one is nobody's")
}

func promise03RacingThreats(t *testing.T, b bench) {
	const callers, threats = 20, 8
	for i := range callers {
		c := b.queued(i, casefile.CaseRef(fmt.Sprintf("CASE0-%05d", i)), route(fmt.Sprintf("q%d", i%3), 1, 1, at(60)), start)
		if i < threats {
			b.change(c.Ref, func(c *records.Case) { c.Rank, c.Threat = records.RankThreat, true })
		}
	}
	got, errs := make([]casefile.CaseRef, callers), make([]error, callers)
	race(callers, func(i int) {
		got[i], _, errs[i] = b.ReserveNext(b.ctx(), records.Reservation{
			Queue: "q0", Person: casefile.Person(fmt.Sprintf("p-%d", i)), Now: start, Hold: time.Hour,
		})
	})
	seen, of := map[casefile.CaseRef]bool{}, 0
	for i := range callers {
		require.NoError(t, errs[i])
		if got[i] == "" {
			continue
		}
		require.False(t, seen[got[i]], "a case is reserved for one")
		seen[got[i]] = true
		if b.row(got[i]).Threat {
			of++
		}
	}
	require.Equal(t, threats, of, "no threat is left behind")
}

func queueRank(t *testing.T, b bench) {
	b.queued(1, case1, route("q", 4, 0, at(10)), start)
	b.queued(2, case2, route("q", 3, 3, at(90)), start)
	b.queued(3, case3, route("q", 4, 1, at(20)), start)
	order := func() []casefile.CaseRef {
		return walk(t, 1, func(after string, limit int) ([]records.Case, string, error) {
			return b.QueueCases(b.ctx(), "q", after, limit)
		})
	}
	require.Equal(t, []casefile.CaseRef{case3, case1, case2}, order())
	c := b.change(case2, func(c *records.Case) { c.Raised, c.Rank = true, 0 })
	require.Equal(t, 4, c.Rank)
	require.Equal(t, 3, c.Route.Severity, "raising changes the place, not what policy said")
	require.Equal(t, []casefile.CaseRef{case2, case3, case1}, order(), "at half of its time a case rises by a step")
	require.Equal(t, case2, b.next(records.Reservation{Person: "p-one"}))
	counts, err := b.Queues(b.ctx())
	require.NoError(t, err)
	require.Equal(t, map[int]int{4: 2, 3: 1}, counts[0].BySevere)
	for severity := range 8 {
		require.Equal(t, severity, records.RankOf(severity, false, false))
		require.Equal(t, severity+1, records.RankOf(severity, true, false))
		require.Equal(t, records.RankThreat, records.RankOf(severity, severity%2 == 0, true))
		require.Less(t, records.RankOf(severity, true, false), records.RankThreat)
	}
}

// queueCountsHandled: what is snoozed is counted apart, and a case that somebody has held is late by
// the deadline of its decision.
func queueCountsHandled(t *testing.T, b bench) {
	now := time.Now().UTC().Truncate(time.Second)
	late, soon, later := now.Add(-time.Hour), now.Add(time.Hour), now.Add(2*time.Hour)
	r := route("q", 4, 1, late)
	r.DecideBy = soon
	b.queued(1, case1, r, at(1))
	count := func() records.QueueCount {
		t.Helper()
		counts, err := b.Queues(b.ctx())
		require.NoError(t, err)
		require.Len(t, counts, 1)
		return counts[0]
	}
	want := records.QueueCount{Queue: "q", Waiting: 1, Overdue: 1, Oldest: ptr(at(1)), NextDue: &late, BySevere: map[int]int{4: 1}}
	require.Equal(t, want, count(), "nobody has looked at it in time")
	b.change(case1, func(c *records.Case) {
		c.State, c.Claim = casefile.StateClaimed, &casefile.Claim{Number: 1, Person: "p-one", GrantedAt: start, ExpiresAt: at(15)}
	})
	b.change(case1, func(c *records.Case) { c.State, c.Claim = casefile.StateQueued, nil })
	want.Overdue, want.NextDue = 0, &soon
	require.Equal(t, want, count(), "somebody has: now it is its decision that has a deadline")
	b.change(case1, func(c *records.Case) { c.Route.DecideBy = late })
	want.Overdue, want.NextDue = 1, &late
	require.Equal(t, want, count())
	b.change(case1, func(c *records.Case) { c.Route.DecideBy = time.Time{} })
	require.Equal(t, want, count(), "without a deadline of its decision the other one stands")

	// A part says of a case that it was held, too: a run that was lost may have shown no claim since.
	held := r
	held.DecideBy = later
	b.queued(2, case2, held, at(0))
	b.took(case2, records.PartRow{Person: "p-two", Part: records.PartClaim})
	want.Waiting, want.Oldest, want.BySevere = 2, ptr(at(0)), map[int]int{4: 2}
	require.Equal(t, want, count())

	b.change(case1, func(c *records.Case) { c.NotBefore = &soon })
	require.Equal(t, records.QueueCount{
		Queue: "q", Waiting: 1, Snoozed: 1, Oldest: ptr(at(0)), NextDue: &later, BySevere: map[int]int{4: 1},
	}, count())
	b.change(case2, func(c *records.Case) { c.NotBefore = &soon })
	require.Equal(t, records.QueueCount{Queue: "q", Snoozed: 2, BySevere: map[int]int{}}, count(), "a queue in which everything is snoozed is shown")
	b.change(case1, func(c *records.Case) { c.NotBefore = &late })
	require.Equal(t, 1, count().Snoozed, "it is over by itself")
	cases, _, err := b.QueueCases(b.ctx(), "q", "", 10)
	require.NoError(t, err)
	require.Len(t, cases, 2, "a listing shows what is snoozed as well")
}

// aheadOfTime: what a clock that was an hour ahead has reserved is held for as long as that clock shows, and
// offered to others once the clock is right; clocks that differ a little change nothing.
func aheadOfTime(t *testing.T, b bench) {
	t.Helper()
	const hold = 5 * time.Second
	b.queued(5, "CASE5-AHEAD", route("ahead", 4, 1, at(1)), at(0))
	reserve := func(person casefile.Person, now time.Time) bool {
		_, ok, err := b.ReserveNext(b.ctx(), records.Reservation{Queue: "ahead", Person: person, Now: now, Hold: hold})
		require.NoError(t, err)
		return ok
	}
	require.True(t, reserve("p-one", start.Add(time.Hour)))
	require.False(t, reserve("p-two", start.Add(time.Hour)))
	require.False(t, reserve("p-two", start.Add(time.Hour-30*time.Second)), "half a minute behind")
	require.True(t, reserve("p-two", start), "an hour behind")
	require.False(t, reserve("p-one", start))
}
