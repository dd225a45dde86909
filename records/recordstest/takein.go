package recordstest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	case1 casefile.CaseRef = "CASE0-00001"
	case2 casefile.CaseRef = "CASE0-00002"
	case3 casefile.CaseRef = "CASE0-00003"
)

func takeInOpens(t *testing.T, b bench) {
	row := b.put("f1", accountKeyOf(1), start)
	in := b.take("f1", accountKeyOf(1), case1, at(1))
	row.Status, row.Case, row.AcceptedAt = records.FlagAccepted, case1, ptr(at(1))
	require.Equal(t, records.TakenIn{
		Receipt: row, Outcome: records.TakenNow, Case: case1, Ordinal: 1, OpenedAt: at(1), Opened: true,
	}, in)
	stands, err := b.Flag(b.ctx(), "f1")
	require.NoError(t, err)
	require.Equal(t, row, stands)
	require.Equal(t, records.Case{
		Ref: case1, Account: accountKeyOf(1), Platform: platform, Ordinal: 1, State: casefile.StateNew, OpenedAt: at(1),
	}, b.row(case1))
	a, err := b.Account(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Equal(t, records.Account{Account: accountKeyOf(1), Platform: platform, Ordinal: 1, OpenCase: case1}, a)
}

func takeInMerges(t *testing.T, b bench) {
	b.openCase("f2", accountKeyOf(1), case1, start)
	b.put("f1", accountKeyOf(1), at(-1))
	in := b.take("f1", accountKeyOf(1), case2, at(1))
	require.Equal(t, records.TakenNow, in.Outcome)
	require.Equal(t, case1, in.Case)
	require.Equal(t, case1, in.Receipt.Case)
	require.Equal(t, start, in.OpenedAt)
	require.False(t, in.Opened)
	_, err := b.Case(b.ctx(), case2)
	b.code(casefile.CodeNotFound, err)
	rows, err := b.CaseFlags(b.ctx(), case1)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, casefile.FlagKey("f1"), rows[0].Flag, "oldest first")
	require.Equal(t, casefile.FlagKey("f2"), rows[1].Flag)
	rows, err = b.CaseFlags(b.ctx(), case2)
	require.NoError(t, err)
	require.Empty(t, rows)
}

func promise02AfterClosing(t *testing.T, b bench) {
	c := b.openCase("f1", accountKeyOf(1), case1, start)
	b.closed(c, at(5))
	b.put("f2", accountKeyOf(1), at(6))
	in := b.take("f2", accountKeyOf(1), case2, at(7))
	require.Equal(t, records.TakenNow, in.Outcome)
	require.True(t, in.Opened)
	require.Equal(t, case2, in.Case)
	require.Equal(t, 2, in.Ordinal)
	require.Equal(t, case1, in.Previous)
	require.Zero(t, in.Revision, "a new case has no projection yet")
	c2 := b.row(case2)
	require.Equal(t, case1, c2.Previous)
	require.Equal(t, 2, c2.Ordinal)
	again := b.take("f1", accountKeyOf(1), case3, at(8))
	require.Equal(t, records.DroppedOther, again.Outcome, "a flag stays in its closed case for ever")
	require.Equal(t, case1, again.Receipt.Case)
	require.Equal(t, case2, again.Case, "and the answer tells of the open one")
	require.False(t, again.Opened)
	b.closed(c2, at(9))
	again = b.take("f1", accountKeyOf(1), case3, at(10))
	require.Equal(t, records.DroppedOther, again.Outcome)
	require.Empty(t, again.Case, "no case is open")
	require.Equal(t, case2, again.Previous)
	_, err := b.Case(b.ctx(), case3)
	b.code(casefile.CodeNotFound, err)
}

func takeInDropped(t *testing.T, b bench) {
	b.put("f1", accountKeyOf(1), start)
	for _, forged := range []struct {
		name     string
		platform string
		account  casefile.AccountKey
		flag     casefile.FlagKey
	}{
		{"no row", platform, accountKeyOf(1), "unknown"},
		{"another account's row", platform, accountKeyOf(2), "f1"},
		{"another platform's row", "elsewhere", accountKeyOf(1), "f1"},
	} {
		in, err := b.TakeIn(b.ctx(), forged.platform, forged.account, forged.flag, case1, start)
		require.NoError(t, err, forged.name)
		require.Equal(t, records.TakenIn{Outcome: records.DroppedNoRow}, in, forged.name)
	}
	_, err := b.Case(b.ctx(), case1)
	b.code(casefile.CodeNotFound, err)
	row, err := b.Flag(b.ctx(), "f1")
	require.NoError(t, err)
	require.Equal(t, records.FlagPending, row.Status)
}

func takeInTakenNumber(t *testing.T, b bench) {
	b.openCase("f1", accountKeyOf(1), case1, start)
	b.put("f2", accountKeyOf(2), start)
	_, err := b.TakeIn(b.ctx(), platform, accountKeyOf(2), "f2", case1, start)
	b.code(casefile.CodeConflict, err)
	require.ErrorContains(t, err, "propose another")
	row, err := b.Flag(b.ctx(), "f2")
	require.NoError(t, err)
	require.Equal(t, records.FlagPending, row.Status, "nothing was taken in")
	a, err := b.Account(b.ctx(), accountKeyOf(2))
	require.NoError(t, err)
	require.Zero(t, a.Ordinal)
	_, err = b.TakeIn(b.ctx(), platform, accountKeyOf(2), "f2", "", start)
	b.code(casefile.CodeInvalid, err)
	in := b.take("f2", accountKeyOf(2), case2, start)
	require.True(t, in.Opened)
	require.Equal(t, 1, in.Ordinal)
}

func takeInHeads(t *testing.T, b bench) {
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	c.Revision, c.EvidenceRevision = 7, 3
	b.project(c, at(1))
	b.put("f2", accountKeyOf(1), at(2))
	in := b.take("f2", accountKeyOf(1), case2, at(2))
	require.Equal(t, 7, in.Revision)
	require.Equal(t, 3, in.EvidenceRevision)
}

func promise02SameAgain(t *testing.T, b bench) {
	b.put("f1", accountKeyOf(1), start)
	first := b.take("f1", accountKeyOf(1), case1, at(1))
	for _, propose := range []casefile.CaseRef{case1, case2} {
		again := b.take("f1", accountKeyOf(1), propose, at(9))
		want := first
		want.Outcome = records.TakenBefore
		require.Equal(t, want, again, "a repeat gives the same case, also as the one that it opened")
	}
	b.put("f2", accountKeyOf(1), start)
	second := b.take("f2", accountKeyOf(1), case2, at(2))
	want := second
	want.Outcome = records.TakenBefore
	require.Equal(t, want, b.take("f2", accountKeyOf(1), case3, at(9)))
	require.False(t, want.Opened)
	cases, err := b.AccountCases(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Len(t, cases, 1)
}

// promise03EveryOpenState: whichever open state a case is in, a flag of its account opens no other.
func promise03EveryOpenState(t *testing.T, b bench) {
	c := b.openCase("first", accountKeyOf(1), case1, start)
	for i, state := range casefile.States {
		if !state.Open() {
			continue
		}
		if state != casefile.StateNew {
			c.State, c.Revision, c.Route = state, c.Revision+1, route("q", 1, 1, at(60))
			b.project(c, at(i))
		}
		key := "f-" + string(state)
		b.put(key, accountKeyOf(1), at(i))
		in := b.take(key, accountKeyOf(1), case2, at(i))
		require.False(t, in.Opened, state)
		require.Equal(t, case1, in.Case, state)
		want := records.TakenNow
		if state == casefile.StateProven {
			want = records.TakenLater
		}
		require.Equal(t, want, in.Outcome, state)
	}
	cases, err := b.AccountCases(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Len(t, cases, 1)
}

// promise03OneOpenCase races different flags of one account, each with a proposal of its own.
func promise03OneOpenCase(t *testing.T, b bench) {
	const callers = 40
	for i := range callers {
		b.put(fmt.Sprintf("f%d", i), accountKeyOf(1), at(i))
	}
	got, errs := make([]records.TakenIn, callers), make([]error, callers)
	race(callers, func(i int) {
		got[i], errs[i] = b.TakeIn(b.ctx(), platform, accountKeyOf(1), casefile.FlagKey(fmt.Sprintf("f%d", i)),
			casefile.CaseRef(fmt.Sprintf("CASE0-%05d", i)), at(60))
	})
	opened := 0
	for i := range callers {
		require.NoError(t, errs[i])
		require.Equal(t, records.TakenNow, got[i].Outcome)
		require.Equal(t, got[0].Case, got[i].Case)
		if got[i].Opened {
			opened++
		}
	}
	require.Equal(t, 1, opened)
	cases, err := b.AccountCases(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Len(t, cases, 1)
	rows, err := b.CaseFlags(b.ctx(), got[0].Case)
	require.NoError(t, err)
	require.Len(t, rows, callers)
}

// promise03RacingAccounts races the same proposal by different accounts.
func promise03RacingAccounts(t *testing.T, b bench) {
	const callers = 20
	for i := range callers {
		b.put(fmt.Sprintf("f%d", i), accountKeyOf(i), start)
	}
	errs := make([]error, callers)
	race(callers, func(i int) {
		_, errs[i] = b.TakeIn(b.ctx(), platform, accountKeyOf(i), casefile.FlagKey(fmt.Sprintf("f%d", i)), case1, start)
	})
	opened := 0
	for _, err := range errs {
		if err == nil {
			opened++
			continue
		}
		b.code(casefile.CodeConflict, err)
	}
	require.Equal(t, 1, opened, "one account gets the number")
	pending, err := b.PendingFlags(b.ctx(), at(60), callers)
	require.NoError(t, err)
	require.Len(t, pending, callers-1)
}

// promise03RacingClose races the closing of a case with flags that come in.
func promise03RacingClose(t *testing.T, b bench) {
	const flags = 20
	c := b.openCase("first", accountKeyOf(1), "CASE0-99999", start)
	for i := range flags {
		b.put(fmt.Sprintf("f%d", i), accountKeyOf(1), start)
	}
	c.State, c.Revision, c.ClosedAt, c.CloseReason = casefile.StateClosed, 1, ptr(at(5)), casefile.CloseDuplicate
	got, errs := make([]records.TakenIn, flags), make([]error, flags)
	var closing error
	race(flags+1, func(i int) {
		if i == flags {
			closing = b.Project(b.ctx(), records.Projection{Case: c, Now: at(5)})
			return
		}
		got[i], errs[i] = b.TakeIn(b.ctx(), platform, accountKeyOf(1), casefile.FlagKey(fmt.Sprintf("f%d", i)),
			casefile.CaseRef(fmt.Sprintf("CASE0-%05d", i)), at(5))
	})
	require.NoError(t, closing)
	for i := range flags {
		require.NoError(t, errs[i])
		row, err := b.Flag(b.ctx(), casefile.FlagKey(fmt.Sprintf("f%d", i)))
		require.NoError(t, err)
		require.Equal(t, got[i].Case, row.Case)
	}
	cases, err := b.AccountCases(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	open := 0
	for _, c := range cases {
		if c.State.Open() {
			open++
		}
	}
	require.LessOrEqual(t, open, 1)
	require.LessOrEqual(t, len(cases), 2)
	a, err := b.Account(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Equal(t, c.Ref, a.LastCase)
	require.Equal(t, len(cases), a.Ordinal)
}
