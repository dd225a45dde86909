package recordstest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func promise12Digest(t *testing.T, b bench) {
	hash, views, refusals, err := b.WatchDigest(b.ctx())
	require.NoError(t, err)
	require.Empty(t, hash)
	require.Zero(t, views)
	require.Zero(t, refusals)

	v1 := records.View{Seq: 1, Person: "p-one", Case: case1, Purpose: "review", At: at(1)}
	r2 := records.Refusal{Seq: 2, Person: "", Case: "", Verb: "claim", Code: casefile.CodeForbidden, At: at(2)}
	v3 := records.View{Seq: 3, Person: "p-two", Case: case2, Purpose: "audit", At: at(3)}
	v4 := records.View{Seq: 4, Person: "p-two", Case: case1, Purpose: "audit", At: at(3)}
	r5 := records.Refusal{Seq: 5, Person: "p-one", Case: case1, Verb: "opinion", Code: casefile.CodeStaleClaim, At: at(4)}
	want := ""
	step := func(next func(string) (string, error), put func() error) {
		t.Helper()
		require.NoError(t, put())
		want, err = next(want)
		require.NoError(t, err)
		hash, _, _, err := b.WatchDigest(b.ctx())
		require.NoError(t, err)
		require.Equal(t, want, hash)
	}
	view := func(v records.View) {
		t.Helper()
		step(v.RunningHash, func() error {
			v.Seq = 77 // the store numbers
			return b.PutView(b.ctx(), v)
		})
	}
	refusal := func(r records.Refusal) {
		t.Helper()
		step(r.RunningHash, func() error {
			r.Seq = 77
			return b.PutRefusal(b.ctx(), r)
		})
	}
	view(v1)
	refusal(r2)
	view(v3)
	view(v4)
	refusal(r5)
	_, views, refusals, err = b.WatchDigest(b.ctx())
	require.NoError(t, err)
	require.EqualValues(t, 3, views)
	require.EqualValues(t, 2, refusals)

	for _, look := range []struct {
		name  string
		ref   casefile.CaseRef
		after int64
		limit int
		want  []records.View
	}{
		{"all", "", 0, 10, []records.View{v1, v3, v4}},
		{"a case's", case1, 0, 10, []records.View{v1, v4}},
		{"after", "", 1, 10, []records.View{v3, v4}},
		{"limit", "", 0, 2, []records.View{v1, v3}},
		{"none", case3, 0, 10, nil},
	} {
		got, err := b.Views(b.ctx(), look.ref, look.after, look.limit)
		require.NoError(t, err)
		require.Equal(t, look.want, got, look.name)
	}
	got, err := b.Refusals(b.ctx(), 0, 10)
	require.NoError(t, err)
	require.Equal(t, []records.Refusal{r2, r5}, got)
	got, err = b.Refusals(b.ctx(), 2, 1)
	require.NoError(t, err)
	require.Equal(t, []records.Refusal{r5}, got)
}

func watchRacing(t *testing.T, b bench) {
	const callers = 30
	errs := make([]error, callers)
	race(callers, func(i int) {
		if i%3 == 0 {
			errs[i] = b.PutRefusal(b.ctx(), records.Refusal{Person: "p-one", Verb: fmt.Sprint(i), Code: casefile.CodeState, At: at(i)})
			return
		}
		errs[i] = b.PutView(b.ctx(), records.View{Person: "p-one", Case: case1, Purpose: fmt.Sprint(i), At: at(i)})
	})
	for _, err := range errs {
		require.NoError(t, err)
	}
	views, err := b.Views(b.ctx(), "", 0, callers)
	require.NoError(t, err)
	refusals, err := b.Refusals(b.ctx(), 0, callers)
	require.NoError(t, err)
	hash := ""
	for seq := int64(1); seq <= callers; seq++ {
		switch {
		case len(views) > 0 && views[0].Seq == seq:
			hash, err = views[0].RunningHash(hash)
			views = views[1:]
		default:
			require.NotEmpty(t, refusals)
			require.Equal(t, seq, refusals[0].Seq)
			hash, err = refusals[0].RunningHash(hash)
			refusals = refusals[1:]
		}
		require.NoError(t, err)
	}
	got, _, _, err := b.WatchDigest(b.ctx())
	require.NoError(t, err)
	require.Equal(t, hash, got)
}

// watchRepeats puts the same again, as a caller does who got no answer: it is there once.
func watchRepeats(t *testing.T, b bench) {
	v := records.View{Person: "p-one", Case: case1, Purpose: "review", At: at(1)}
	r := records.Refusal{Person: "p-one", Case: case1, Verb: "claim", Code: casefile.CodeState, At: at(1)}
	for range 2 {
		require.NoError(t, b.PutView(b.ctx(), v))
		require.NoError(t, b.PutRefusal(b.ctx(), r))
	}
	_, views, refusals, err := b.WatchDigest(b.ctx())
	require.NoError(t, err)
	require.Equal(t, []int64{2, 2}, []int64{views, refusals}, "without a key each is one of its own, however alike")
	v.Key, r.Key = "k", "k"
	var digests []string
	for range 3 {
		require.NoError(t, b.PutView(b.ctx(), v))
		require.NoError(t, b.PutRefusal(b.ctx(), r))
		hash, views, refusals, err := b.WatchDigest(b.ctx())
		require.NoError(t, err)
		require.Equal(t, []int64{3, 3}, []int64{views, refusals})
		digests = append(digests, hash)
	}
	require.Equal(t, digests[0], digests[1])
	require.Equal(t, digests[0], digests[2])
	v.Key = "another"
	require.NoError(t, b.PutView(b.ctx(), v))
	_, views, _, err = b.WatchDigest(b.ctx())
	require.NoError(t, err)
	require.EqualValues(t, 4, views)
}
