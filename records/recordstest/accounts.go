package recordstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func accountKey(t *testing.T, b bench) {
	_, err := b.AccountKey(b.ctx(), accountKeyOf(1))
	b.code(casefile.CodeNotFound, err)
	first := records.WrappedKey{Account: accountKeyOf(1), Platform: platform, Wrapped: []byte{0, 1, 2}, KeyID: "k1", At: start}
	got, err := b.PutAccountKey(b.ctx(), first)
	require.NoError(t, err)
	require.Equal(t, first, got)
	other := first
	other.Wrapped, other.KeyID = []byte{9}, "k2"
	got, err = b.PutAccountKey(b.ctx(), other)
	require.NoError(t, err)
	require.Equal(t, first, got)
	got, err = b.AccountKey(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Equal(t, first, got)
	_, err = b.PutAccountKey(b.ctx(), records.WrappedKey{Account: accountKeyOf(2), Platform: platform, KeyID: "k1", At: start})
	b.code(casefile.CodeInvalid, err)
}

func accountKeyRace(t *testing.T, b bench) {
	const callers = 20
	got, errs := make([]records.WrappedKey, callers), make([]error, callers)
	race(callers, func(i int) {
		got[i], errs[i] = b.PutAccountKey(b.ctx(), records.WrappedKey{
			Account: accountKeyOf(1), Platform: platform, Wrapped: []byte{byte(i)}, KeyID: "k", At: start,
		})
	})
	for i := range callers {
		require.NoError(t, errs[i])
		require.Equal(t, got[0], got[i], "all get the key of the first")
	}
}

func accountProfile(t *testing.T, b bench) {
	_, err := b.Account(b.ctx(), accountKeyOf(1))
	b.code(casefile.CodeNotFound, err)
	b.put("f1", accountKeyOf(1), start)
	a, err := b.Account(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Equal(t, records.Account{Account: accountKeyOf(1), Platform: platform}, a)
	for _, step := range []struct {
		profile casefile.Address
		asOf    time.Time
		stands  casefile.Address
	}{{"a", at(5), "a"}, {"older", at(4), "a"}, {"same", at(5), "a"}, {"newer", at(6), "newer"}} {
		require.NoError(t, b.SetProfile(b.ctx(), platform, accountKeyOf(1), step.profile, step.asOf))
		a, err = b.Account(b.ctx(), accountKeyOf(1))
		require.NoError(t, err)
		require.Equal(t, step.stands, a.Profile)
	}
	require.NoError(t, b.SetProfile(b.ctx(), platform, accountKeyOf(2), "before", start))
	b.put("f2", accountKeyOf(2), start)
	a, err = b.Account(b.ctx(), accountKeyOf(2))
	require.NoError(t, err)
	require.Equal(t, casefile.Address("before"), a.Profile, "a profile set before the flag's row stands")
}

func accountStrikes(t *testing.T, b bench) {
	var want []records.Strike
	for i := range 3 {
		ref := casefile.CaseRef(fmt.Sprintf("CASE0-0000%d", i))
		c, d := b.decided(1, ref, fmt.Sprintf("d%d", i))
		s := records.Strike{Account: c.Account, Decision: d.ID, At: at(i), ExpiresAt: at(100 + i)}
		require.NoError(t, b.AdvanceDecision(b.ctx(), d.ID, casefile.DecisionDone, "", &s, at(i)))
		want = append([]records.Strike{s}, want...)
		b.closed(c, at(10))
	}
	for _, look := range []struct {
		name string
		now  time.Time
		want []records.Strike
	}{
		{"all run", at(50), want},
		{"a strike has lapsed at its end", at(100), want[:2]},
		{"all have lapsed", at(200), nil},
	} {
		got, err := b.Strikes(b.ctx(), accountKeyOf(1), look.now)
		require.NoError(t, err)
		require.Equal(t, look.want, got, look.name)
	}
	got, err := b.Strikes(b.ctx(), accountKeyOf(2), at(50))
	require.NoError(t, err)
	require.Empty(t, got)
}

func accountLookAlikes(t *testing.T, b bench) {
	put := func(n int, platform string, hashes ...string) {
		require.NoError(t, b.PutTakenDownHandle(b.ctx(), accountKeyOf(n), platform, hashes, start))
	}
	put(2, platform, "h1", "h2")
	put(2, platform, "h1", "h2")
	put(1, platform, "h1")
	put(3, platform, "h3")
	put(4, "elsewhere", "h1")
	for _, look := range []struct {
		name   string
		hashes []string
		want   []casefile.AccountKey
	}{
		{"one, though it shares two", []string{"h1", "h2", "h9"}, []casefile.AccountKey{accountKeyOf(2)}},
		{"several in order", []string{"h3", "h2"}, []casefile.AccountKey{accountKeyOf(2), accountKeyOf(3)}},
		{"none", []string{"h9"}, nil},
		{"no hashes", nil, nil},
	} {
		got, err := b.LookAlikes(b.ctx(), accountKeyOf(1), platform, look.hashes)
		require.NoError(t, err)
		require.Equal(t, look.want, got, look.name)
	}
}
