package telling_test

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
)

var busy = &telling.Failure{Code: telling.CodeBusy}

func TestMemoryAnswersTheSuite(t *testing.T) {
	t.Parallel()
	tellingtest.Exercise(t, func(*testing.T) telling.Outbox { return &tellingtest.Memory{} })
}

func TestRoute(t *testing.T) {
	t.Parallel()
	page := func(team string) telling.Message {
		m := tellingtest.Example(telling.KindThreat, 1)
		m.Team = team
		return m
	}
	notice := func(team string) telling.Message {
		m := tellingtest.Example(telling.KindHalfDue, 1)
		m.Team = team
		return m
	}
	for name, c := range map[string]struct {
		message telling.Message
		told    []string
		team    string
	}{
		"a page to the default team":              {page("desk"), []string{"pager", "mail"}, "desk"},
		"a page to nobody in particular":          {page(""), []string{"pager", "mail"}, "desk"},
		"a page to a team that is not configured": {page("Somebody's name"), []string{"pager", "mail"}, "desk"},
		"a page to a team with a list":            {page("night"), []string{"pager"}, "night"},
		"a page to a team without a list":         {page("legal"), []string{"pager", "mail"}, "legal"},
		"a notice to a team with a list":          {notice("legal"), []string{"chat"}, "legal"},
		"a notice to a team without a list":       {notice("night"), []string{"mail"}, "night"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.routed(c.message)
			told := []string{}
			for channel, s := range map[string]*stub{"pager": b.pager, "mail": b.mail, "chat": b.chat} {
				for b.tell(channel) {
				}
				if len(s.got) > 0 {
					told = append(told, channel)
					want := c.message
					want.Team = c.team
					require.Equal(t, []telling.Message{want}, s.got, "the team that is told is named, no other")
					require.Equal(t, tellingtest.Sent, b.delivery(c.message, channel).State)
				}
			}
			require.ElementsMatch(t, c.told, told)
			require.NotContains(t, b.said.String(), "Somebody")
		})
	}
}

func TestRouteInBatches(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for i := range 101 {
		b.put(tellingtest.Example(telling.KindHalfDue, i))
	}
	more, err := b.Route(t.Context())
	require.NoError(t, err)
	require.True(t, more)
	more, err = b.Route(t.Context())
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, map[string]float64{"docket_telling_waiting mail notice": 101}, b.figures(), "of age nothing yet")
}

// TestToldNobody: with nothing configured everything is told nowhere, and so is what a newer version
// wrote; neither waits for ever, and both are counted.
func TestToldNobody(t *testing.T) {
	t.Parallel()
	off := newBed(t, func(o *telling.Options) { o.Config, o.Channels = telling.Config{}, nil })
	off.routed(tellingtest.Example(telling.KindThreat, 1))
	require.Equal(t, map[string]float64{"docket_telling_nowhere_total page": 1}, off.figures())

	b := newBed(t)
	newer := tellingtest.Example(telling.KindHalfDue, 1)
	newer.Kind, newer.Urgency = "case.canary words", "canary"
	b.outbox.PutUnchecked(newer)
	_, err := b.Route(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"docket_telling_nowhere_total unknown": 1}, b.figures())
	require.Contains(t, b.said.String(), "told nobody")
	require.NotContains(t, b.said.String(), "canary")
}

func TestNew(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	_, err := telling.New(telling.Options{Outbox: b.outbox, Config: config(), Channels: map[string]telling.Channel{"pager": b.pager}})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	bad := config()
	bad.BaseURL = ""
	_, err = telling.New(telling.Options{Outbox: b.outbox, Config: bad})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	_, err = telling.New(telling.Options{Outbox: b.outbox, Metrics: b.registry})
	require.ErrorContains(t, err, "register")
	_, err = b.Tell(t.Context(), "nobody")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
}

// TestAChannelOfItsOwn: mail that fails neither holds the pager up nor has it told again.
func TestAChannelOfItsOwn(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	m := tellingtest.Example(telling.KindThreat, 1)
	m.Team = "desk"
	b.mail.always(0, busy)
	b.routed(m)
	require.True(t, b.tell("mail"))
	require.True(t, b.tell("pager"))
	b.clock.pass(time.Hour)
	for range 5 {
		b.tell("pager")
		b.tell("mail")
		b.clock.pass(time.Hour)
	}
	require.Equal(t, []string{m.ID}, b.pager.ids())
	require.Equal(t, tellingtest.Sent, b.delivery(m, "pager").State)
	require.Len(t, b.mail.ids(), 6)
	d := b.delivery(m, "mail")
	require.Equal(t, tellingtest.Waiting, d.State)
	require.Equal(t, 6, d.Attempts)
	require.Equal(t, telling.CodeBusy, d.Code)
	require.Equal(t, map[string]float64{
		"docket_telling_told_total pager page":            1,
		"docket_telling_failed_total mail busy":           6,
		"docket_telling_waiting mail page":                1,
		"docket_telling_oldest_waiting_seconds mail page": (6 * time.Hour).Seconds(),
	}, b.figures())

	b.mail.always(0, nil)
	require.True(t, b.tell("mail"))
	require.Equal(t, tellingtest.Sent, b.delivery(m, "mail").State)
	require.False(t, b.tell("mail"))
}

func TestNextTry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failure  error
		attempts int
		low, up  time.Duration
		code     telling.Code
	}{
		"the first":                 {busy, 1, 500 * time.Millisecond, time.Second, telling.CodeBusy},
		"the fourth":                {busy, 4, 4 * time.Second, 8 * time.Second, telling.CodeBusy},
		"the hundredth":             {busy, 100, telling.MaxBackOff / 2, telling.MaxBackOff, telling.CodeBusy},
		"asked for patience":        {&telling.Failure{Code: telling.CodeBusy, RetryAfter: 7 * time.Minute}, 1, 7 * time.Minute, 7 * time.Minute, telling.CodeBusy},
		"asked for too much":        {&telling.Failure{Code: telling.CodeBusy, RetryAfter: 1000 * time.Hour}, 1, telling.MaxRetryAfter, telling.MaxRetryAfter, telling.CodeBusy},
		"asked for less than usual": {&telling.Failure{Code: telling.CodeBusy, RetryAfter: time.Second}, 100, telling.MaxBackOff / 2, telling.MaxBackOff, telling.CodeBusy},
		"no failure of a channel":   {errors.New("canary words"), 1, 500 * time.Millisecond, time.Second, telling.CodeInternal},
		"out of time":               {context.DeadlineExceeded, 1, 500 * time.Millisecond, time.Second, telling.CodeTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			m := tellingtest.Example(telling.KindThreat, 1)
			b.routed(m)
			for range c.attempts - 1 {
				require.NoError(t, b.outbox.TellingFailed(t.Context(), m.ID, "pager", telling.CodeBusy, now))
			}
			b.pager.always(0, c.failure)
			require.True(t, b.tell("pager"))
			d := b.delivery(m, "pager")
			require.Equal(t, c.attempts, d.Attempts)
			require.Equal(t, c.code, d.Code)
			require.GreaterOrEqual(t, d.At.Sub(now), c.low)
			require.LessOrEqual(t, d.At.Sub(now), c.up)
			require.NotContains(t, b.said.String(), "canary")
		})
	}
}

// TestGiveUp: a notice is given up after a day, having been tried at least once; a page never.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	notice, page := tellingtest.Example(telling.KindReferred, 1), tellingtest.Example(telling.KindThreat, 1)
	notice.Team, page.Team = "desk", "desk"
	b.mail.always(0, busy)
	b.routed(notice, page)
	b.clock.pass(telling.GiveUp - time.Second)
	require.True(t, b.tell("mail"))
	require.True(t, b.tell("mail"))
	require.Equal(t, tellingtest.Waiting, b.delivery(notice, "mail").State)
	b.clock.pass(time.Minute)
	require.True(t, b.tell("mail"))
	require.True(t, b.tell("mail"))
	d := b.delivery(notice, "mail")
	require.Equal(t, tellingtest.Undelivered, d.State)
	require.Equal(t, telling.CodeBusy, d.Code)
	require.Equal(t, 1.0, b.figures()["docket_telling_undelivered_total mail notice"])
	for range 10 {
		b.clock.pass(30 * 24 * time.Hour)
		require.True(t, b.tell("mail"))
		require.False(t, b.tell("mail"))
	}
	require.Equal(t, tellingtest.Waiting, b.delivery(page, "mail").State)

	late := tellingtest.Example(telling.KindReferred, 2)
	b.mail.always(0, nil)
	b.routed(late)
	b.clock.pass(time.Hour)
	for b.tell("mail") {
	}
	require.Equal(t, tellingtest.Sent, b.delivery(late, "mail").State, "old when it was first tried")
	require.Equal(t, tellingtest.Sent, b.delivery(page, "mail").State)
}

func TestMissedAddressesAreCounted(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.routed(tellingtest.Example(telling.KindHalfDue, 1))
	b.mail.always(2, nil)
	require.True(t, b.tell("mail"))
	require.Equal(t, 2.0, b.figures()["docket_telling_missed_addresses_total mail"])
}

// holes is an outbox that fails where a test says.
type holes struct {
	telling.Outbox
	mu   sync.Mutex
	fail map[string]error
}

func (h *holes) set(method string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail == nil {
		h.fail = map[string]error{}
	}
	h.fail[method] = err
}

// err is why a method fails: a store does also once the context has ended.
func (h *holes) err(ctx context.Context, method string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return cmp.Or(h.fail[method], ctx.Err())
}

func (h *holes) UnroutedTellings(ctx context.Context, limit int) ([]telling.Message, error) {
	if err := h.err(ctx, "UnroutedTellings"); err != nil {
		return nil, err
	}
	return h.Outbox.UnroutedTellings(ctx, limit)
}

func (h *holes) RouteTelling(ctx context.Context, id string, channels []string, at time.Time) error {
	if err := h.err(ctx, "RouteTelling"); err != nil {
		return err
	}
	return h.Outbox.RouteTelling(ctx, id, channels, at)
}

func (h *holes) RerouteTellings(ctx context.Context) error {
	if err := h.err(ctx, "RerouteTellings"); err != nil {
		return err
	}
	return h.Outbox.RerouteTellings(ctx)
}

func (h *holes) TakeTelling(ctx context.Context, channel string, at, until time.Time) (telling.Row, bool, error) {
	if err := h.err(ctx, "TakeTelling"); err != nil {
		return telling.Row{}, false, err
	}
	return h.Outbox.TakeTelling(ctx, channel, at, until)
}

func (h *holes) TellingSent(ctx context.Context, id, channel string, at time.Time) error {
	if err := h.err(ctx, "TellingSent"); err != nil {
		return err
	}
	return h.Outbox.TellingSent(ctx, id, channel, at)
}

func (h *holes) TellingFailed(ctx context.Context, id, channel string, code telling.Code, at time.Time) error {
	if err := h.err(ctx, "TellingFailed"); err != nil {
		return err
	}
	return h.Outbox.TellingFailed(ctx, id, channel, code, at)
}

func (h *holes) TellingUndelivered(ctx context.Context, id, channel string, code telling.Code, at time.Time) error {
	if err := h.err(ctx, "TellingUndelivered"); err != nil {
		return err
	}
	return h.Outbox.TellingUndelivered(ctx, id, channel, code, at)
}

func (h *holes) TellingsWaiting(ctx context.Context) ([]telling.Waiting, error) {
	if err := h.err(ctx, "TellingsWaiting"); err != nil {
		return nil, err
	}
	return h.Outbox.TellingsWaiting(ctx)
}

var down = casefile.Errorf(casefile.CodeUnavailable, "the records are down")

func holed(t *testing.T) (*bed, *holes) {
	t.Helper()
	h := &holes{}
	b := newBed(t, func(o *telling.Options) {
		h.Outbox, o.Outbox = o.Outbox, h
	})
	return b, h
}

// TestTheOutboxIsDown: each of its failures is an error that says what was attempted and keeps its code.
func TestTheOutboxIsDown(t *testing.T) {
	t.Parallel()
	for method, c := range map[string]struct {
		says   string
		answer error
	}{
		"UnroutedTellings":   {"list the tellings to route", nil},
		"RouteTelling":       {"route a telling", nil},
		"TakeTelling":        {"take a telling", nil},
		"TellingSent":        {"note a telling that was told", nil},
		"TellingFailed":      {"note a telling that failed", busy},
		"TellingUndelivered": {"note a telling that was given up", busy},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			b, h := holed(t)
			m := tellingtest.Example(telling.KindHalfDue, 1)
			if method == "TellingUndelivered" {
				m.At = now.Add(-48 * time.Hour)
			}
			b.put(m)
			h.set(method, down)
			b.mail.always(0, c.answer)
			_, err := b.Route(t.Context())
			if err == nil {
				_, err = b.Tell(t.Context(), "mail")
			}
			require.ErrorContains(t, err, c.says)
			require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
		})
	}
	b, h := holed(t)
	h.set("TellingsWaiting", down)
	_, err := b.registry.Gather()
	require.ErrorContains(t, err, "down", "a scrape says so")
}

// TestToldButNotNoted: what was told is not told again because the outbox could not be written.
func TestToldButNotNoted(t *testing.T) {
	t.Parallel()
	b, h := holed(t)
	m := tellingtest.Example(telling.KindThreat, 1)
	b.routed(m)
	h.set("TellingSent", down)
	_, err := b.Tell(t.Context(), "pager")
	require.Error(t, err)
	b.clock.pass(time.Hour)
	_, err = b.Tell(t.Context(), "pager")
	require.Error(t, err)
	h.set("TellingSent", nil)
	b.clock.pass(time.Hour)
	require.True(t, b.tell("pager"))
	require.False(t, b.tell("pager"))
	require.Equal(t, []string{m.ID}, b.pager.ids())
	require.Equal(t, tellingtest.Delivery{State: tellingtest.Sent, At: now}, b.delivery(m, "pager"), "noted with the time at which it was told")
	require.Equal(t, 1.0, b.figures()["docket_telling_told_total pager page"])
}

// TestBrokenOff: an attempt that ends because the process ends is no fault of the channel.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	b, h := holed(t)
	m := tellingtest.Example(telling.KindThreat, 1)
	b.routed(m)
	ctx, stop := context.WithCancel(t.Context())
	b.pager.answer(func(ctx context.Context, _ telling.Message) (int, error) {
		stop()
		<-ctx.Done()
		return 0, ctx.Err()
	})
	_, err := b.Tell(ctx, "pager")
	require.NoError(t, err)
	require.Equal(t, tellingtest.Delivery{State: tellingtest.Waiting, Attempts: 1, Code: telling.CodeStopped, At: now}, b.delivery(m, "pager"))
	require.Zero(t, b.figures()["docket_telling_failed_total pager stopped"])

	h.set("TellingFailed", down)
	ctx, stop = context.WithCancel(t.Context())
	_, err = b.Tell(ctx, "pager")
	require.ErrorContains(t, err, "broken off")

	h.set("TellingFailed", nil)
	b.clock.pass(time.Hour)
	ctx, stop = context.WithCancel(t.Context())
	b.pager.answer(func(context.Context, telling.Message) (int, error) { stop(); return 0, nil })
	_, err = b.Tell(ctx, "pager")
	require.NoError(t, err)
	require.Equal(t, tellingtest.Sent, b.delivery(m, "pager").State, "told at the last moment, and noted")
}

// running runs a sender by the bubble's own clock until the test ends.
func running(t *testing.T, change ...func(o *telling.Options)) *bed {
	t.Helper()
	b := newBed(t, append([]func(o *telling.Options){func(o *telling.Options) { o.Now = time.Now }}, change...)...)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return b
}

// fresh is a page or notice of this moment.
func fresh(kind telling.Kind, n int) telling.Message {
	m := tellingtest.Example(kind, n)
	m.Team, m.At = "desk", time.Now()
	return m
}

// TestRunWakes: a notice from the outbox is enough, and without one it is looked at all the same.
func TestRunWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{})
		b := running(t, func(o *telling.Options) { o.Wake = wake })
		synctest.Wait()
		began := time.Now()
		b.put(fresh(telling.KindThreat, 1))
		wake <- struct{}{}
		synctest.Wait()
		require.Len(t, b.pager.ids(), 1)
		require.Len(t, b.mail.ids(), 1)
		require.Zero(t, time.Since(began))

		b.put(fresh(telling.KindThreat, 2))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, b.pager.ids(), 2)

		close(wake)
		b.put(fresh(telling.KindThreat, 3))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, b.pager.ids(), 3)
	})
}

// TestRunHangingChannel: a mail server that never answers does not keep the pager.
func TestRunHangingChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := running(t)
		b.mail.answer(func(ctx context.Context, _ telling.Message) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		b.put(fresh(telling.KindThreat, 1))
		time.Sleep(3 * time.Second)
		for i := range 10 {
			m := fresh(telling.KindThreat, 100+i)
			b.put(m)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			require.Contains(t, b.pager.ids(), m.ID)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		d := b.delivery(fresh(telling.KindThreat, 1), "mail")
		require.Equal(t, telling.CodeTimeout, d.Code)
		require.Equal(t, tellingtest.Waiting, d.State)
	})
}

// TestRunBrokenChannel: a channel that is down is asked now and then, not once for every message, and
// once it is up everything comes through, pages first.
func TestRunBrokenChannel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := running(t)
		b.mail.always(0, &telling.Failure{Code: telling.CodeUnreachable})
		for i := range 50 {
			b.put(fresh(telling.KindHalfDue, i))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		tried := len(b.mail.ids())
		require.Greater(t, tried, 100, "at least twice a minute")
		require.Less(t, tried, 300, "and not 50 times as often")

		up := time.Now()
		b.mail.always(0, nil)
		b.put(fresh(telling.KindThreat, 1))
		time.Sleep(32 * time.Second)
		synctest.Wait()
		page := telling.ID(telling.KindThreat, "1")
		require.Equal(t, page, b.mail.ids()[tried], "a page goes before what has waited")
		time.Sleep(telling.MaxBackOff)
		synctest.Wait()
		require.Len(t, b.mail.ids(), tried+51)
		require.Less(t, b.mail.times()[tried].Sub(up), 31*time.Second)
	})
}

// TestRunForgives: a channel that worked again is not left alone for long after its next fault.
func TestRunForgives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := running(t)
		b.pager.always(0, &telling.Failure{Code: telling.CodeUnreachable})
		b.put(fresh(telling.KindThreat, 1))
		time.Sleep(time.Hour)
		b.pager.always(0, nil)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		tried := len(b.pager.ids())
		b.pager.answer(func(context.Context, telling.Message) (int, error) {
			b.pager.always(0, nil)
			return 0, &telling.Failure{Code: telling.CodeUnreachable}
		})
		b.put(fresh(telling.KindThreat, 2))
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.Len(t, b.pager.ids(), tried+2)
	})
}

// TestRunKeepsToRetryAfter: a receiver that asks for patience gets it, for every message.
func TestRunKeepsToRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := running(t)
		b.pager.always(0, &telling.Failure{Code: telling.CodeBusy, RetryAfter: 10 * time.Minute})
		b.put(fresh(telling.KindThreat, 1), fresh(telling.KindThreat, 2))
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		require.Len(t, b.pager.ids(), 1)
		b.pager.always(0, nil)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		require.Len(t, b.pager.ids(), 3)
		at := b.pager.times()
		require.GreaterOrEqual(t, at[1].Sub(at[0]), 10*time.Minute)
	})
}

// TestRunRefusedMessage: one message that a receiver refuses holds up no other.
func TestRunRefusedMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := running(t)
		poison := fresh(telling.KindThreat, 1)
		b.pager.answer(func(_ context.Context, m telling.Message) (int, error) {
			if m.ID == poison.ID {
				return 0, &telling.Failure{Code: telling.CodeRefused}
			}
			return 0, nil
		})
		b.put(poison)
		time.Sleep(time.Hour)
		for i := range 5 {
			m := fresh(telling.KindThreat, 10+i)
			b.put(m)
			time.Sleep(4 * time.Second)
			synctest.Wait()
			require.Contains(t, b.pager.ids(), m.ID)
		}
		require.Equal(t, tellingtest.Waiting, b.delivery(poison, "pager").State)
	})
}

// TestRunGoesByTheNewConfiguration: what waited for a channel that is gone goes to the new one.
func TestRunGoesByTheNewConfiguration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		outbox := &tellingtest.Memory{}
		m := fresh(telling.KindThreat, 1)
		require.NoError(t, outbox.PutTelling(t.Context(), m))
		require.NoError(t, outbox.RouteTelling(t.Context(), m.ID, []string{"old-pager", "mail"}, time.Now()))
		require.NoError(t, outbox.TellingSent(t.Context(), m.ID, "mail", time.Now()))
		h := &holes{Outbox: outbox}
		h.set("RerouteTellings", down)
		b := running(t, func(o *telling.Options) { o.Outbox = h })
		time.Sleep(time.Minute)
		require.Empty(t, b.pager.ids())
		h.set("RerouteTellings", nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []string{m.ID}, b.pager.ids())
		require.Empty(t, b.mail.ids())
		_, ok := outbox.Delivery(m.ID, "old-pager")
		require.False(t, ok)
	})
}

// TestRunOutlivesTheOutbox: whatever of the outbox is down for a while, everything is told after it.
func TestRunOutlivesTheOutbox(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"RerouteTellings", "UnroutedTellings", "RouteTelling", "TakeTelling", "TellingSent"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := &holes{}
				h.set(method, down)
				b := running(t, func(o *telling.Options) { h.Outbox, o.Outbox = o.Outbox, h })
				m := fresh(telling.KindThreat, 1)
				require.NoError(t, h.PutTelling(t.Context(), m))
				time.Sleep(10 * time.Minute)
				h.set(method, nil)
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				require.Equal(t, []string{m.ID}, b.pager.ids(), "told once")
				d, _ := h.Outbox.(*tellingtest.Memory).Delivery(m.ID, "pager")
				require.Equal(t, tellingtest.Sent, d.State)
				require.Contains(t, b.said.String(), "code=unavailable")
			})
		})
	}
}

// TestRunTwice: two senders on one outbox tell everything once.
func TestRunTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		outbox := &tellingtest.Memory{}
		one := running(t, func(o *telling.Options) { o.Outbox = outbox })
		two := running(t, func(o *telling.Options) { o.Outbox = outbox })
		for i := range 20 {
			require.NoError(t, outbox.PutTelling(t.Context(), fresh(telling.KindThreat, i)))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, append(one.pager.ids(), two.pager.ids()...), 20)
		require.Len(t, append(one.mail.ids(), two.mail.ids()...), 20)
	})
}
