package recordstest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func tellingOf(n int) records.TellingRow {
	return records.TellingRow{
		ID: fmt.Sprintf("T%d", n), Kind: "case.half_due", Team: "night", Queue: "general", Platform: platform, Case: caseRefOf(n),
		Subject: fmt.Sprintf("D%d", n), DueAt: ptr(at(60)), At: at(n),
	}
}

func pageOf(n int) records.TellingRow {
	r := tellingOf(n)
	r.Kind, r.Page = "case.threat", true
	return r
}

func (b bench) tell(rows ...records.TellingRow) {
	b.t.Helper()
	for _, r := range rows {
		require.NoError(b.t, b.PutTelling(b.ctx(), r))
	}
}

func (b bench) routeTo(r records.TellingRow, channels ...string) {
	b.t.Helper()
	require.NoError(b.t, b.RouteTelling(b.ctx(), r.ID, channels, start))
}

func (b bench) unrouted() (ids []string) {
	b.t.Helper()
	list, err := b.UnroutedTellings(b.ctx(), 100)
	require.NoError(b.t, err)
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

// takeTold takes what is due at now, for a minute; the zero row for nothing.
func (b bench) takeTold(channel string, now time.Time) records.TellingOnChannel {
	b.t.Helper()
	row, ok, err := b.TakeTelling(b.ctx(), channel, now, now.Add(time.Minute))
	require.NoError(b.t, err)
	require.Equal(b.t, ok, row.ID != "")
	return row
}

func (b bench) waitingTold() []records.TellingsWaiting {
	b.t.Helper()
	list, err := b.TellingsWaiting(b.ctx())
	require.NoError(b.t, err)
	return list
}

func tellingPut(t *testing.T, b bench) {
	one, two := tellingOf(1), pageOf(2)
	two.Case, two.DueAt, two.Subject, two.Team, two.Queue, two.Platform = "", nil, "", "", "", ""
	b.tell(one, two)
	again := one
	again.Queue, again.Page = "other", true
	b.tell(again)
	list, err := b.UnroutedTellings(b.ctx(), 10)
	require.NoError(t, err)
	require.Equal(t, []records.TellingRow{one, two}, list, "the same id again changes nothing")
	list, err = b.UnroutedTellings(b.ctx(), 1)
	require.NoError(t, err)
	require.Equal(t, []records.TellingRow{one}, list)
	_, err = b.UnroutedTellings(b.ctx(), 0)
	b.code(casefile.CodeInvalid, err)
	for name, bad := range map[string]records.TellingRow{"id": {Kind: "k", At: start}, "kind": {ID: "x", At: start}, "at": {ID: "x", Kind: "k"}} {
		err := b.PutTelling(b.ctx(), bad)
		b.code(casefile.CodeInvalid, err)
		require.ErrorContains(t, err, name)
	}
}

func tellingTake(t *testing.T, b bench) {
	one, none := tellingOf(1), tellingOf(2)
	b.tell(one, none)
	b.routeTo(one, "pager", "mail")
	b.routeTo(none)
	require.Empty(t, b.unrouted())
	b.tell(one)
	require.Empty(t, b.unrouted(), "the same id again is not routed again")
	require.Equal(t, records.TellingOnChannel{TellingRow: one, Channel: "pager"}, b.takeTold("pager", start))
	require.Equal(t, one.ID, b.takeTold("mail", start).ID, "each channel has its own state")
	require.Empty(t, b.takeTold("other", start))
	require.Empty(t, b.takeTold("mail", start.Add(59*time.Second)), "it is held")
	require.Equal(t, one.ID, b.takeTold("mail", start.Add(time.Minute)).ID, "whoever held it has died")
	next := at(9)
	for range 2 {
		require.NoError(t, b.TellingFailed(b.ctx(), one.ID, "mail", "busy", next), "once for each next try")
	}
	require.Empty(t, b.takeTold("mail", next.Add(-time.Microsecond)))
	require.Equal(t, 1, b.takeTold("mail", next).Attempts)
	require.NoError(t, b.TellingFailed(b.ctx(), one.ID, "mail", "busy", at(20)))
	require.Equal(t, 2, b.takeTold("mail", at(20)).Attempts)
}

func tellingOrder(t *testing.T, b bench) {
	all := []records.TellingRow{tellingOf(0), tellingOf(1), pageOf(2), pageOf(3), pageOf(4)}
	b.tell(all...)
	for _, r := range all {
		b.routeTo(r, "mail")
	}
	// The two pages that failed come behind the fresh one, the one that may go sooner first.
	for _, f := range []struct{ n, seconds int }{{2, 20}, {3, 10}, {0, 0}} {
		require.NoError(t, b.TellingFailed(b.ctx(), all[f.n].ID, "mail", "busy", start.Add(time.Duration(f.seconds)*time.Second)))
	}
	now := start.Add(30 * time.Second)
	for _, want := range []int{4, 3, 2, 1, 0} {
		require.Equal(t, all[want].ID, b.takeTold("mail", now).ID)
	}
	require.Empty(t, b.takeTold("mail", now))

	// Having been taken by somebody who died is no failure: it keeps its place.
	first, second := tellingOf(5), tellingOf(6)
	b.tell(first, second)
	b.routeTo(first, "pager")
	b.routeTo(second, "pager")
	require.Equal(t, first.ID, b.takeTold("pager", now).ID)
	require.Equal(t, first.ID, b.takeTold("pager", now.Add(time.Minute)).ID)
}

func tellingFinal(t *testing.T, b bench) {
	one, two := pageOf(1), tellingOf(2)
	b.tell(one, two)
	b.routeTo(one, "pager", "mail")
	b.routeTo(two, "mail")
	late := at(600)
	for range 2 {
		require.NoError(t, b.TellingSent(b.ctx(), one.ID, "pager", start))
		require.NoError(t, b.TellingUndelivered(b.ctx(), two.ID, "mail", "busy", start))
	}
	for _, again := range []func() error{
		func() error { return b.TellingFailed(b.ctx(), one.ID, "pager", "busy", start) },
		func() error { return b.TellingUndelivered(b.ctx(), one.ID, "pager", "busy", start) },
		func() error { return b.TellingFailed(b.ctx(), two.ID, "mail", "busy", start) },
		func() error { return b.TellingSent(b.ctx(), two.ID, "mail", start) },
	} {
		require.NoError(t, again())
	}
	b.routeTo(one, "pager", "mail")
	b.routeTo(two, "mail")
	require.Empty(t, b.takeTold("pager", late), "sent is sent, also when it is routed again")
	require.Equal(t, one.ID, b.takeTold("mail", late).ID, "what one channel has told is not told on another")
	require.Empty(t, b.takeTold("mail", late), "undelivered is the end as well")
	require.NoError(t, b.RerouteTellings(b.ctx()))
	require.Equal(t, []string{one.ID}, b.unrouted())
	for _, nobody := range []error{
		b.RouteTelling(b.ctx(), "nobody", []string{"mail"}, start), b.TellingSent(b.ctx(), "nobody", "mail", start),
		b.TellingFailed(b.ctx(), "nobody", "mail", "busy", start), b.TellingUndelivered(b.ctx(), "nobody", "mail", "busy", start),
	} {
		require.NoError(t, nobody)
	}
}

func tellingReroute(t *testing.T, b bench) {
	open, done, fresh := pageOf(1), pageOf(2), pageOf(3)
	b.tell(open, done, fresh)
	b.routeTo(open, "pager", "mail", "old", "gone")
	b.routeTo(done, "pager")
	require.NoError(t, b.TellingSent(b.ctx(), done.ID, "pager", start))
	require.NoError(t, b.TellingSent(b.ctx(), open.ID, "pager", start))
	require.NoError(t, b.TellingFailed(b.ctx(), open.ID, "mail", "busy", start))
	require.NoError(t, b.RerouteTellings(b.ctx()))
	require.Equal(t, []string{open.ID, fresh.ID}, b.unrouted(), "what is done is left alone")
	b.routeTo(open, "pager", "mail", "new")
	b.routeTo(fresh, "pager")
	require.Equal(t, 1, b.takeTold("mail", start).Attempts, "attempts stay counted")
	require.Equal(t, open.ID, b.takeTold("new", start).ID)
	require.Empty(t, b.takeTold("old", at(60)), "a channel that is no longer named is dropped")
	require.Equal(t, fresh.ID, b.takeTold("pager", start).ID, "what was sent stays sent")
	require.Empty(t, b.takeTold("pager", start))

	// Somebody was telling it on a channel that was dropped meanwhile.
	require.NoError(t, b.TellingSent(b.ctx(), open.ID, "old", start))
	b.routeTo(open, "mail", "new", "old", "gone")
	require.Empty(t, b.takeTold("old", at(60)), "it is not told again")
	require.Equal(t, open.ID, b.takeTold("gone", at(60)).ID, "a channel that is named again waits again")
}

func tellingWaiting(t *testing.T, b bench) {
	require.Empty(t, b.waitingTold())
	one, two, three, page := tellingOf(1), tellingOf(2), tellingOf(3), pageOf(4)
	two.At = at(-60)
	b.tell(one, two, three, page)
	require.Equal(t, []records.TellingsWaiting{{Page: true, Count: 1, OldestAt: at(4)}, {Count: 3, OldestAt: at(-60)}}, b.waitingTold())
	b.routeTo(one, "mail")
	b.routeTo(two, "mail")
	b.routeTo(three)
	b.routeTo(page, "pager", "mail")
	b.takeTold("mail", start)
	require.NoError(t, b.TellingSent(b.ctx(), page.ID, "pager", start))
	want := []records.TellingsWaiting{{Channel: "mail", Page: true, Count: 1, OldestAt: at(4)}, {Channel: "mail", Count: 2, OldestAt: at(-60)}}
	require.Equal(t, want, b.waitingTold())
	require.NoError(t, b.RerouteTellings(b.ctx()))
	for i := range want {
		want[i].Channel = ""
	}
	require.Equal(t, want, b.waitingTold(), "what waits to be routed is counted there and nowhere else")
}

// tellingRacing: of many who take at once, each telling goes to one.
func tellingRacing(t *testing.T, b bench) {
	const tellings, takers = 20, 4
	for n := range tellings {
		b.tell(tellingOf(n))
		b.routeTo(tellingOf(n), "mail")
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	taken := map[string]int{}
	for range takers {
		all.Go(func() {
			for {
				row, ok, err := b.TakeTelling(b.ctx(), "mail", start, at(1))
				if err != nil || !ok {
					return
				}
				mu.Lock()
				taken[row.ID]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	require.Len(t, taken, tellings)
	for id, times := range taken {
		require.Equal(t, 1, times, id)
	}
}

// feedTellsHandling: appeals, acts, switches and tellings are told of by their keys.
func feedTellsHandling(t *testing.T, b bench) {
	_, d := b.decided(1, case1, "d1")
	changes := b.Changes(b.ctx())
	appeal := records.Change{Kind: records.ChangeAppeal, Case: case1, ID: "a1"}
	a := b.putAppeal(appealOf("a1", d, at(500)))
	expect(t, changes, appeal)
	b.rule(a, casefile.OutcomeUpheld)
	expect(t, changes, appeal)
	require.NoError(t, b.EndAppeal(b.ctx(), "a1", casefile.AppealReinstated, "", at(30)))
	expect(t, changes, appeal)
	row := plannedAct(1, casefile.Do)
	act := []records.Change{{Kind: records.ChangeAct, ID: "d1/1/do"}, {Kind: records.ChangeDecision, ID: "d1"}}
	b.plan(row)
	expect(t, changes, act...)
	_, _, err := b.BeginAct(b.ctx(), row.Act, casefile.Do, at(7))
	require.NoError(t, err)
	expect(t, changes, act...)
	require.NoError(t, b.NoteAttempt(b.ctx(), row.Act, casefile.Do, "busy", at(8)))
	expect(t, changes, act...)
	b.endAct(row.Act, casefile.Do, casefile.ActUncertain, 9)
	expect(t, changes, act...)
	_, err = b.SettleAct(b.ctx(), casefile.ActOutcome{Act: row.Act, Direction: casefile.Do, State: casefile.ActDone, At: at(10)})
	require.NoError(t, err)
	expect(t, changes, act...)
	require.NoError(t, b.SetSwitch(b.ctx(), switchTo(records.SwitchActs, false, 1)))
	expect(t, changes, records.Change{Kind: records.ChangeSwitch, ID: "acts"})
	b.openMany(1)
	require.Equal(t, answered{leave: true}, b.automatic("r1", 0, records.BreakerLimits{}, at(1)))
	expect(t, changes, records.Change{Kind: records.ChangeSwitch, ID: "r1"})
	b.tell(tellingOf(1))
	expect(t, changes, records.Change{Kind: records.ChangeTelling, ID: "T1"})
}
