package indextest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

// forgottenStays: whoever reads the stream again brings nothing of it back; what is posted later is stored.
func forgottenStays(t *testing.T, x indexing.Index) {
	old := []indexing.Post{post("1", keyA, day0, "one"), post("2", keyA, day0.Add(time.Minute), "two")}
	put(t, x, append(old, post("3", keyB, day0, "three"))...)
	at := day0.Add(time.Hour)
	for range 2 {
		require.NoError(t, x.ForgetAccount(t.Context(), platform, keyA, at))
	}
	require.NoError(t, x.ForgetAccount(t.Context(), platform, keyA, day0), "an earlier time takes nothing back")
	refresh(t, x)
	require.Equal(t, indexing.AccountHistory{}, history(t, x, keyA))
	require.Equal(t, []string{"three"}, texts(history(t, x, keyB).Newest))
	c, err := x.Coverage(t.Context(), platform)
	require.NoError(t, err)
	require.Equal(t, 1, c.Posts)

	res := put(t, x, append(old, as(casefile.EventEdit, post("1", keyA, at, "one, edited")))...)
	require.Equal(t, indexing.PostResult{Outside: 3}, res)
	require.Equal(t, indexing.AccountHistory{}, history(t, x, keyA))
	other := post("1", keyA, day0, "one elsewhere")
	other.Event.Platform = "elsewhere"
	require.Equal(t, indexing.PostResult{Stored: 1}, put(t, x, other), "platforms are apart")
	res = put(t, x, post("4", keyA, at.Add(time.Second), "four"))
	require.Equal(t, indexing.PostResult{Stored: 1}, res)
	require.Equal(t, []string{"four"}, texts(history(t, x, keyA).Newest))

	require.NoError(t, x.ForgetAccount(t.Context(), "never seen", keyA, at))
	res, err = x.PutPosts(t.Context(), []indexing.Post{func() indexing.Post {
		p := post("1", keyA, day0, "one")
		p.Event.Platform = "never seen"
		return p
	}()})
	require.NoError(t, err)
	require.Equal(t, indexing.PostResult{Outside: 1}, res)
	require.NoError(t, x.Scrub(t.Context()))
	for _, bad := range []struct {
		field string
		err   error
	}{
		{"platform", x.ForgetAccount(t.Context(), "", keyA, at)},
		{"account", x.ForgetAccount(t.Context(), platform, "", at)},
		{"at", x.ForgetAccount(t.Context(), platform, keyA, time.Time{})},
	} {
		var e *casefile.Error
		require.ErrorAs(t, bad.err, &e)
		require.Equal(t, []any{casefile.CodeInvalid, bad.field}, []any{e.Code, e.Field})
	}
}
