package recordstest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// patience bounds how long a test waits for what must come.
const patience = 10 * time.Second

func nextChange(t *testing.T, changes <-chan records.Change) records.Change {
	t.Helper()
	select {
	case c, ok := <-changes:
		require.True(t, ok, "the feed has ended")
		return c
	case <-time.After(patience):
		require.FailNow(t, "no change came")
		return records.Change{}
	}
}

// expect reads changes until each of want came.
func expect(t *testing.T, changes <-chan records.Change, want ...records.Change) {
	t.Helper()
	missing := map[records.Change]bool{}
	for _, w := range want {
		missing[w] = true
	}
	for len(missing) > 0 {
		delete(missing, nextChange(t, changes))
	}
}

func feedTells(t *testing.T, b bench) {
	one, two := b.Changes(b.ctx()), b.Changes(b.ctx())
	all := func(want ...records.Change) {
		t.Helper()
		expect(t, one, want...)
		expect(t, two, want...)
	}
	flag := records.Change{Kind: records.ChangeFlag, Flag: "f1"}
	b.put("f1", accountKeyOf(1), start)
	all(flag)
	flag.Case = case1
	b.take("f1", accountKeyOf(1), case1, start)
	all(flag, records.Change{Kind: records.ChangeCase, Case: case1})
	c := b.row(case1)
	d := decision("d1", c, start)
	c.State, c.Revision, c.Route = casefile.StateQueued, 1, route("q", 1, 1, at(60))
	require.NoError(t, b.Project(b.ctx(), records.Projection{Case: c, Decision: &records.DecisionRow{Decision: d, State: casefile.DecisionGrace}, Now: start}))
	all(flag, records.Change{Kind: records.ChangeCase, Case: case1}, records.Change{Kind: records.ChangeIndex, Case: case1},
		records.Change{Kind: records.ChangeDecision, Case: case1, ID: "d1"}, records.Change{Kind: records.ChangeIndex, ID: "d1"})
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionExecuting, "", nil, start))
	all(records.Change{Kind: records.ChangeDecision, Case: case1, ID: "d1"}, records.Change{Kind: records.ChangeIndex, ID: "d1"})
	rows := b.fillOutbox(1)
	all(records.Change{Kind: records.ChangeOutbox, ID: fmt.Sprint(rows[0].ID)})
}

func feedNothingOnFailure(t *testing.T, b bench) {
	b.openCase("f1", accountKeyOf(1), case1, start)
	changes := b.Changes(b.ctx())
	b.put("f2", accountKeyOf(2), start)
	// A feed between processes may tell of what was written before it was asked for.
	expect(t, changes, records.Change{Kind: records.ChangeFlag, Flag: "f2"})
	_, err := b.TakeIn(b.ctx(), platform, accountKeyOf(2), "f2", case1, start)
	b.code(casefile.CodeConflict, err)
	_, created, err := b.PutFlag(b.ctx(), flagOf("f2", accountKeyOf(2), start))
	require.NoError(t, err)
	require.False(t, created)
	b.put("f3", accountKeyOf(3), start)
	require.Equal(t, records.Change{Kind: records.ChangeFlag, Flag: "f3"}, nextChange(t, changes), "nothing was told before it")
}

func feedSlowReader(t *testing.T, b bench) {
	const writes = 3000 // more than any reader is kept changes for
	slow := b.Changes(b.ctx())
	errs := make([]error, 20)
	race(len(errs), func(i int) {
		for n := range writes / len(errs) {
			_, _, err := b.PutFlag(b.ctx(), flagOf(fmt.Sprintf("f%d-%d", i, n), accountKeyOf(i), start))
			if err != nil {
				errs[i] = err
			}
		}
	})
	for _, err := range errs {
		require.NoError(t, err, "a reader that does not read holds nobody up")
	}
	got := 0
	for nextChange(t, slow).Kind != "" {
		got++
	}
	require.Less(t, got, writes)
	// The rest may still be on its way, and more of it than is kept: each loss is told.
	for n := 0; ; n++ {
		key := fmt.Sprintf("after%d", n)
		b.put(key, accountKeyOf(99), start)
		c := nextChange(t, slow)
		for c.Kind != "" && c.Flag != casefile.FlagKey(key) {
			c = nextChange(t, slow)
		}
		if c.Kind != "" {
			return
		}
	}
}

func feedEnds(t *testing.T, b bench) {
	ctx, cancel := context.WithCancel(b.ctx())
	changes, other := b.Changes(ctx), b.Changes(b.ctx())
	cancel()
	ended(t, changes)
	b.put("f1", accountKeyOf(1), start)
	expect(t, other, records.Change{Kind: records.ChangeFlag, Flag: "f1"})
	ended(t, b.Changes(ctx))
	require.NoError(t, b.Close())
	ended(t, other)
	ended(t, b.Changes(b.ctx()))
}

func ended(t *testing.T, changes <-chan records.Change) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, ok := <-changes:
			if !ok {
				return
			}
		case <-deadline:
			require.FailNow(t, "the feed did not end")
		}
	}
}
