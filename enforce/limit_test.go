package enforce_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

// counted is a platform that notes when it was asked for what.
type counted struct {
	mu    sync.Mutex
	start time.Time
	asked []string
	err   error
}

func (c *counted) note(what string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, fmt.Sprintf("%s %s", what, time.Since(c.start)))
	return c.err
}

func (c *counted) Name() string { return "counted" }
func (c *counted) Capabilities() enforce.Capabilities {
	return enforce.Capabilities{Acts: []casefile.ActKind{casefile.ActWarn}, Idempotent: true}
}
func (c *counted) Prepare(context.Context, enforce.Request) (enforce.UndoRecord, error) {
	return enforce.UndoRecord{Kind: casefile.ActWarn}, c.note("prepare")
}
func (c *counted) Do(context.Context, enforce.Request) (string, error) { return "done", c.note("do") }
func (c *counted) Undo(context.Context, enforce.Request, enforce.UndoRecord) (string, error) {
	return "undone", c.note("undo")
}
func (c *counted) Lookup(context.Context, enforce.Request) (bool, string, error) {
	return true, "found", c.note("lookup")
}
func (c *counted) Notify(context.Context, casefile.AccountRef, casefile.Notice) error {
	return c.note("notify")
}

func limit(t *testing.T, r enforce.Rate) (enforce.Platform, *counted) {
	t.Helper()
	inner := &counted{start: time.Now()}
	p, err := enforce.Limit(inner, r)
	require.NoError(t, err)
	return p, inner
}

// TestLimitCountsEverything: whatever the platform is asked takes a turn, and what it answers is
// handed on.
func TestLimitCountsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, inner := limit(t, enforce.Rate{PerSecond: 2, Burst: 2})
		require.Equal(t, "counted", p.Name())
		require.Equal(t, inner.Capabilities(), p.Capabilities())
		u, err := p.Prepare(t.Context(), enforce.Request{})
		require.NoError(t, err)
		require.Equal(t, casefile.ActWarn, u.Kind)
		done, err := p.Do(t.Context(), enforce.Request{})
		require.NoError(t, err)
		require.Equal(t, "done", done)
		undone, err := p.Undo(t.Context(), enforce.Request{}, u)
		require.NoError(t, err)
		require.Equal(t, "undone", undone)
		found, reference, err := p.Lookup(t.Context(), enforce.Request{})
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, "found", reference)
		require.NoError(t, p.Notify(t.Context(), casefile.AccountRef{}, casefile.Notice{}))
		require.Equal(t, []string{"prepare 0s", "do 0s", "undo 500ms", "lookup 1s", "notify 1.5s"}, inner.asked)
		inner.err = errors.New("the platform's own")
		_, err = p.Do(t.Context(), enforce.Request{})
		require.ErrorIs(t, err, inner.err)
	})
}

// TestLimitBeyondTheDeadline: a turn that would come too late is not taken: the error says when to
// come again, and the turns of others do not move.
func TestLimitBeyondTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, inner := limit(t, enforce.Rate{PerSecond: 0.1, Burst: 1})
		_, err := p.Do(t.Context(), enforce.Request{})
		require.NoError(t, err)
		soon, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		ask := map[string]func() error{
			"prepare": func() error { _, err := p.Prepare(soon, enforce.Request{}); return err },
			"do":      func() error { _, err := p.Do(soon, enforce.Request{}); return err },
			"undo":    func() error { _, err := p.Undo(soon, enforce.Request{}, enforce.UndoRecord{}); return err },
			"lookup":  func() error { _, _, err := p.Lookup(soon, enforce.Request{}); return err },
			"notify":  func() error { return p.Notify(soon, casefile.AccountRef{}, casefile.Notice{}) },
		}
		for name, ask := range ask {
			err := ask()
			require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), name)
			after, ok := enforce.RetryAfter(err)
			require.True(t, ok, name)
			require.InDelta(t, 10*time.Second, after, float64(time.Microsecond), name)
		}
		require.Equal(t, []string{"do 0s"}, inner.asked)
		_, err = p.Do(t.Context(), enforce.Request{})
		require.NoError(t, err)
		require.Equal(t, []string{"do 0s", "do 10s"}, inner.asked)
	})
}

// TestLimitGivenUp: who gives up while waiting hands the turn to the next.
func TestLimitGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, inner := limit(t, enforce.Rate{PerSecond: 1, Burst: 1})
		_, err := p.Do(t.Context(), enforce.Request{})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		var gaveUp error
		var all sync.WaitGroup
		all.Go(func() { _, gaveUp = p.Do(ctx, enforce.Request{}) })
		synctest.Wait()
		cancel()
		all.Wait()
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(gaveUp))
		require.ErrorIs(t, gaveUp, context.Canceled)
		_, told := enforce.RetryAfter(gaveUp)
		require.False(t, told)
		_, err = p.Do(ctx, enforce.Request{})
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
		require.NoError(t, p.Notify(t.Context(), casefile.AccountRef{}, casefile.Notice{}))
		require.Equal(t, []string{"do 0s", "notify 1s"}, inner.asked)
	})
}

// TestLimitManyCallers: in any second no more go than the rate allows after the burst.
func TestLimitManyCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, inner := limit(t, enforce.Rate{PerSecond: 10, Burst: 5})
		var all sync.WaitGroup
		for range 25 {
			all.Go(func() {
				_, err := p.Do(t.Context(), enforce.Request{})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		require.Len(t, inner.asked, 25)
		require.InDelta(t, 2*time.Second, time.Since(inner.start), float64(time.Microsecond), "5 at once, then 20 at 10 a second")
	})
}

func TestRateValidate(t *testing.T) {
	t.Parallel()
	require.NoError(t, enforce.Rate{PerSecond: 0.5, Burst: 1}.Validate())
	for field, rates := range map[string][]enforce.Rate{
		"per_second": {{PerSecond: 0, Burst: 1}, {PerSecond: -1, Burst: 1}, {PerSecond: math.NaN(), Burst: 1}, {PerSecond: math.Inf(1), Burst: 1}},
		"burst":      {{PerSecond: 1}, {PerSecond: 1, Burst: -1}},
	} {
		for _, r := range rates {
			_, err := enforce.Limit(&counted{}, r)
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "%+v", r)
			require.ErrorContains(t, err, field)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	base := casefile.Errorf(casefile.CodeUnavailable, "later")
	err := fmt.Errorf("do act 1: %w", enforce.WithRetryAfter(fmt.Errorf("ask: %w", base), 90*time.Second))
	after, ok := enforce.RetryAfter(err)
	require.True(t, ok)
	require.Equal(t, 90*time.Second, after)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	require.EqualError(t, err, "do act 1: ask: later")
	require.ErrorIs(t, err, base)
	after, ok = enforce.RetryAfter(enforce.WithRetryAfter(base, -time.Second))
	require.True(t, ok)
	require.Zero(t, after)
	_, ok = enforce.RetryAfter(base)
	require.False(t, ok)
	_, ok = enforce.RetryAfter(nil)
	require.False(t, ok)
	require.NoError(t, enforce.WithRetryAfter(nil, time.Second))
}
