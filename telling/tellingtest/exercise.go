// Package tellingtest holds outboxes of tellings to what package telling asks of them, and has one in
// memory for tests.
package tellingtest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/telling"
)

var start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// Example is a sound message of a kind, the nth of its kind. Notices of cases but for threats.
func Example(kind telling.Kind, n int) telling.Message {
	due := start.Add(time.Hour)
	m := telling.Message{
		ID: telling.ID(kind, fmt.Sprint(n)), Kind: kind, Urgency: telling.Notice, Team: "night", Queue: "general",
		Platform: "synthetic", Case: casefile.CaseRef(fmt.Sprintf("7K2QX-%05d", n)), At: start, DueAt: &due,
	}
	switch kind {
	case telling.KindThreat:
		m.Urgency = telling.Page
	case telling.KindBreakerTripped:
		m.Case, m.DueAt = "", nil
	case telling.KindActLate, telling.KindActUncertain, telling.KindOrderReview, telling.KindAppealReceived:
		m.Subject = fmt.Sprintf("3V6D8Q4M1N7P2R5T9W0X%06d", n)
	}
	return m
}

// Exercise holds an outbox, opened empty by open for each test, to package telling's interface.
func Exercise(t *testing.T, open func(t *testing.T) telling.Outbox) {
	t.Helper()
	for name, exercise := range map[string]func(t *testing.T, b bench){
		"put":         put,
		"route":       route,
		"take":        take,
		"order":       order,
		"final":       final,
		"undelivered": undelivered,
		"reroute":     reroute,
		"waiting":     waiting,
		"unknown":     unknown,
		"racing":      racing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exercise(t, bench{Outbox: open(t), t: t})
		})
	}
}

type bench struct {
	telling.Outbox
	t *testing.T
}

func (b bench) put(messages ...telling.Message) {
	b.t.Helper()
	for _, m := range messages {
		require.NoError(b.t, b.PutTelling(b.t.Context(), m))
	}
}

func (b bench) route(m telling.Message, channels ...string) {
	b.t.Helper()
	require.NoError(b.t, b.RouteTelling(b.t.Context(), m.ID, channels, start))
}

func (b bench) unrouted(limit int) []string {
	b.t.Helper()
	list, err := b.UnroutedTellings(b.t.Context(), limit)
	require.NoError(b.t, err)
	out := []string{}
	for _, m := range list {
		out = append(out, m.ID)
	}
	return out
}

// take takes what is due at now, for a minute; "" for nothing.
func (b bench) take(channel string, now time.Time) telling.Row {
	b.t.Helper()
	row, ok, err := b.TakeTelling(b.t.Context(), channel, now, now.Add(time.Minute))
	require.NoError(b.t, err)
	require.Equal(b.t, ok, row.ID != "")
	return row
}

func (b bench) waiting() []telling.Waiting {
	b.t.Helper()
	list, err := b.TellingsWaiting(b.t.Context())
	require.NoError(b.t, err)
	return list
}

func put(t *testing.T, b bench) {
	one, two := Example(telling.KindHalfDue, 1), Example(telling.KindThreat, 2)
	b.put(one, two)
	require.Equal(t, []string{one.ID, two.ID}, b.unrouted(10))
	require.Equal(t, []string{one.ID}, b.unrouted(1))

	list, err := b.UnroutedTellings(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, []telling.Message{one}, list, "as it was put")

	again := one
	again.Queue = "other"
	b.put(again)
	list, err = b.UnroutedTellings(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []telling.Message{one, two}, list, "the same id again changes nothing")

	bad := one
	bad.ID, bad.Queue = telling.ID(one.Kind, "bad"), "somebody's own words"
	err = b.PutTelling(t.Context(), bad)
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	require.Len(t, b.unrouted(10), 2)
}

func route(t *testing.T, b bench) {
	one, two := Example(telling.KindHalfDue, 1), Example(telling.KindHalfDue, 2)
	b.put(one, two)
	b.route(one, "pager", "mail")
	b.route(two)
	require.Empty(t, b.unrouted(10))
	b.put(one)
	require.Empty(t, b.unrouted(10), "the same id again is not routed again")
	require.Equal(t, one.ID, b.take("pager", start).ID)
	require.Equal(t, one.ID, b.take("mail", start).ID, "each channel has its own state")
	require.Empty(t, b.take("other", start))
}

func take(t *testing.T, b bench) {
	one := Example(telling.KindHalfDue, 1)
	b.put(one)
	b.route(one, "mail")
	row := b.take("mail", start)
	require.Equal(t, telling.Row{Message: one, Channel: "mail"}, row)
	require.Empty(t, b.take("mail", start.Add(59*time.Second)), "it is held")
	require.Equal(t, one.ID, b.take("mail", start.Add(time.Minute)).ID, "whoever held it has died")

	next := start.Add(2 * time.Minute)
	require.NoError(t, b.TellingFailed(t.Context(), one.ID, "mail", telling.CodeBusy, next))
	require.Empty(t, b.take("mail", next.Add(-time.Microsecond)))
	row = b.take("mail", next)
	require.Equal(t, 1, row.Attempts)
}

func order(t *testing.T, b bench) {
	var all []telling.Message
	for i, kind := range []telling.Kind{telling.KindHalfDue, telling.KindHalfDue, telling.KindThreat, telling.KindThreat, telling.KindThreat} {
		all = append(all, Example(kind, i))
	}
	b.put(all...)
	for _, m := range all {
		b.route(m, "mail")
	}
	// The two pages that failed come behind the fresh one, the one that may go sooner first.
	require.NoError(t, b.TellingFailed(t.Context(), all[2].ID, "mail", telling.CodeBusy, start.Add(20*time.Second)))
	require.NoError(t, b.TellingFailed(t.Context(), all[3].ID, "mail", telling.CodeBusy, start.Add(10*time.Second)))
	require.NoError(t, b.TellingFailed(t.Context(), all[0].ID, "mail", telling.CodeBusy, start))
	now := start.Add(30 * time.Second)
	for _, want := range []int{4, 3, 2, 1, 0} {
		require.Equal(t, all[want].ID, b.take("mail", now).ID)
	}
	require.Empty(t, b.take("mail", now))
}

func final(t *testing.T, b bench) {
	one := Example(telling.KindThreat, 1)
	b.put(one)
	b.route(one, "pager", "mail")
	require.NoError(t, b.TellingSent(t.Context(), one.ID, "pager", start))
	require.NoError(t, b.TellingSent(t.Context(), one.ID, "pager", start))
	late := start.Add(time.Hour)
	require.NoError(t, b.TellingFailed(t.Context(), one.ID, "pager", telling.CodeBusy, start))
	require.NoError(t, b.TellingUndelivered(t.Context(), one.ID, "pager", telling.CodeBusy, start))
	require.Empty(t, b.take("pager", late), "sent is sent")
	b.route(one, "pager", "mail")
	require.Empty(t, b.take("pager", late), "also when it is routed again")
	require.Equal(t, one.ID, b.take("mail", late).ID, "what one channel has told is not told on another")
}

func undelivered(t *testing.T, b bench) {
	one := Example(telling.KindHalfDue, 1)
	b.put(one)
	b.route(one, "mail")
	require.NoError(t, b.TellingUndelivered(t.Context(), one.ID, "mail", telling.CodeBusy, start))
	require.NoError(t, b.TellingFailed(t.Context(), one.ID, "mail", telling.CodeBusy, start))
	require.Empty(t, b.take("mail", start.Add(time.Hour)))
	require.Empty(t, b.waiting())
	require.NoError(t, b.RerouteTellings(t.Context()))
	require.Empty(t, b.unrouted(10), "nothing of it is open")
}

func reroute(t *testing.T, b bench) {
	open, done, fresh := Example(telling.KindThreat, 1), Example(telling.KindThreat, 2), Example(telling.KindThreat, 3)
	b.put(open, done, fresh)
	b.route(open, "pager", "mail", "old")
	b.route(done, "pager")
	require.NoError(t, b.TellingSent(t.Context(), done.ID, "pager", start))
	require.NoError(t, b.TellingSent(t.Context(), open.ID, "pager", start))
	require.NoError(t, b.TellingFailed(t.Context(), open.ID, "mail", telling.CodeBusy, start))

	require.NoError(t, b.RerouteTellings(t.Context()))
	require.Equal(t, []string{open.ID, fresh.ID}, b.unrouted(10), "what is done is left alone")
	b.route(open, "pager", "mail", "new")
	b.route(fresh, "pager")
	require.Equal(t, 1, b.take("mail", start).Attempts, "attempts stay counted")
	require.Equal(t, open.ID, b.take("new", start).ID)
	require.Empty(t, b.take("old", start.Add(time.Hour)), "a channel that is no longer named is dropped")
	require.Equal(t, fresh.ID, b.take("pager", start).ID, "what was sent stays sent")
	require.Empty(t, b.take("pager", start))

	require.NoError(t, b.TellingSent(t.Context(), open.ID, "old", start))
	require.Empty(t, b.take("old", start.Add(time.Hour)))
}

func waiting(t *testing.T, b bench) {
	require.Empty(t, b.waiting())
	one, two, three, page := Example(telling.KindHalfDue, 1), Example(telling.KindHalfDue, 2), Example(telling.KindHalfDue, 3), Example(telling.KindThreat, 4)
	two.At = start.Add(-time.Hour)
	b.put(one, two, three, page)
	require.ElementsMatch(t, []telling.Waiting{
		{Urgency: telling.Notice, Count: 3, OldestAt: two.At},
		{Urgency: telling.Page, Count: 1, OldestAt: start},
	}, b.waiting())
	b.route(one, "mail")
	b.route(two, "mail")
	b.route(three)
	b.route(page, "pager", "mail")
	b.take("mail", start)
	require.NoError(t, b.TellingSent(t.Context(), page.ID, "pager", start))
	require.ElementsMatch(t, []telling.Waiting{
		{Channel: "mail", Urgency: telling.Notice, Count: 2, OldestAt: two.At},
		{Channel: "mail", Urgency: telling.Page, Count: 1, OldestAt: start},
	}, b.waiting())
}

func unknown(t *testing.T, b bench) {
	ctx := t.Context()
	require.NoError(t, b.RouteTelling(ctx, "nobody", []string{"mail"}, start))
	require.NoError(t, b.TellingSent(ctx, "nobody", "mail", start))
	require.NoError(t, b.TellingFailed(ctx, "nobody", "mail", telling.CodeBusy, start))
	require.NoError(t, b.TellingUndelivered(ctx, "nobody", "mail", telling.CodeBusy, start))
	require.Empty(t, b.take("mail", start))
	require.Empty(t, b.waiting())
}

// racing: of many who take at once, each message goes to one.
func racing(t *testing.T, b bench) {
	const messages, takers = 20, 4
	for i := range messages {
		m := Example(telling.KindHalfDue, i)
		b.put(m)
		b.route(m, "mail")
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	taken := map[string]int{}
	for range takers {
		all.Go(func() {
			for {
				row, ok, err := b.TakeTelling(t.Context(), "mail", start, start.Add(time.Minute))
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
	require.Len(t, taken, messages)
	for id, times := range taken {
		require.Equal(t, 1, times, id)
	}
}
