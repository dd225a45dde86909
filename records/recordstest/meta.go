package recordstest

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func metaFirstValueStands(t *testing.T, b bench) {
	v, err := b.Meta(b.ctx(), "identity_key_fingerprint")
	require.NoError(t, err)
	require.Empty(t, v)
	v, err = b.SetMetaIfAbsent(b.ctx(), "identity_key_fingerprint", "first")
	require.NoError(t, err)
	require.Equal(t, "first", v)
	v, err = b.SetMetaIfAbsent(b.ctx(), "identity_key_fingerprint", "second")
	require.NoError(t, err)
	require.Equal(t, "first", v)
	v, err = b.Meta(b.ctx(), "identity_key_fingerprint")
	require.NoError(t, err)
	require.Equal(t, "first", v)
	v, err = b.Meta(b.ctx(), "other")
	require.NoError(t, err)
	require.Empty(t, v)
}

func metaRacingValues(t *testing.T, b bench) {
	const callers = 20
	got, errs := make([]string, callers), make([]error, callers)
	race(callers, func(i int) { got[i], errs[i] = b.SetMetaIfAbsent(b.ctx(), "k", fmt.Sprint(i)) })
	for i := range callers {
		require.NoError(t, errs[i])
		require.Equal(t, got[0], got[i])
	}
}

func metaPing(t *testing.T, b bench) {
	require.NoError(t, b.Ping(b.ctx()))
	require.NoError(t, b.Close())
	b.code(casefile.CodeUnavailable, b.Ping(b.ctx()))
	_, err := b.SetMetaIfAbsent(b.ctx(), "k", "v")
	b.code(casefile.CodeUnavailable, err)
	_, err = b.Meta(b.ctx(), "k")
	b.code(casefile.CodeUnavailable, err)
	_, _, _, err = b.WatchDigest(b.ctx())
	b.code(casefile.CodeUnavailable, err)
	_, err = b.LookAlikes(b.ctx(), accountKeyOf(1), platform, []string{"h"})
	b.code(casefile.CodeUnavailable, err)
	require.NoError(t, b.Close(), "closing twice is no error")
}

func metaEndedContext(t *testing.T, b bench) {
	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	_, err := b.SetMetaIfAbsent(ctx, "k", "v")
	require.ErrorIs(t, err, context.Canceled)
	_, err = b.Meta(ctx, "k")
	require.ErrorIs(t, err, context.Canceled)
	v, err := b.Meta(b.ctx(), "k")
	require.NoError(t, err)
	require.Empty(t, v, "a call whose context had ended writes nothing")
}

// metaOddText holds stores to the same answer for what no row can have: nothing but that.
func metaOddText(t *testing.T, b bench) {
	for _, odd := range []string{"\x00", "a\x00b", "\xff", "a\xc3"} {
		_, err := b.Case(b.ctx(), casefile.CaseRef(odd))
		require.Contains(t, []casefile.Code{casefile.CodeNotFound, casefile.CodeInvalid}, casefile.ErrorCode(err), "%q: %v", odd, err)
		_, err = b.PersonByLogin(b.ctx(), odd)
		require.Contains(t, []casefile.Code{casefile.CodeNotFound, casefile.CodeInvalid}, casefile.ErrorCode(err), "%q: %v", odd, err)
	}
	const long = "a text in quotes: 'x' \"y\" \\ ? ?1 $1 -- /* */ \u2028 \U0001F600"
	v, err := b.SetMetaIfAbsent(b.ctx(), long, long)
	require.NoError(t, err)
	require.Equal(t, long, v)
}
