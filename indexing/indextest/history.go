package indextest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

func postsAreListed(t *testing.T, x indexing.Index) {
	repost := post("2", keyA, day0.Add(time.Minute), "two")
	repost.Event.RepostOf = "99"
	reply := post("3", keyA, day0.Add(2*time.Minute), "three")
	reply.Event.ReplyTo = "98"
	reply.Event.Media = []casefile.Media{{Type: "image", SHA256: "00ff"}}
	reply.Event.URLs = []string{"https://example.org/"}
	res := put(t, x, reply, post("1", keyA, day0, "one"), repost, post("4", keyB, day0, "four"))
	require.Equal(t, indexing.PostResult{Stored: 4}, res)

	h := history(t, x, keyA)
	first, last := day0, day0.Add(2*time.Minute)
	require.Equal(t, indexing.AccountHistory{
		Posts: 3, Reposts: 1, Replies: 1, First: &first, Last: &last,
		Newest: []casefile.Event{reply.Event, repost.Event, post("1", keyA, day0, "one").Event},
	}, h)

	h, err := x.AccountHistory(t.Context(), platform, keyA, 1)
	require.NoError(t, err)
	require.Equal(t, 3, h.Posts, "the limit bounds the list, not the count")
	require.Equal(t, []string{"three"}, texts(h.Newest))
	h, err = x.AccountHistory(t.Context(), platform, keyA, 0)
	require.NoError(t, err)
	require.Equal(t, 3, h.Posts)
	require.Empty(t, h.Newest)

	h = history(t, x, "cccccccccccccccccccccccccccccccc")
	require.Equal(t, indexing.AccountHistory{}, h, "an account without posts in a known stream has none")

	c, err := x.Coverage(t.Context(), platform)
	require.NoError(t, err)
	require.Equal(t, indexing.Coverage{From: day0, To: last, Posts: 4}, c)
}

// latestEventWins plays every order of the events of one post.
func latestEventWins(t *testing.T, x indexing.Index) {
	at := func(min int) time.Time { return day0.Add(time.Duration(min) * time.Minute) }
	for name, tc := range map[string]struct {
		events []indexing.Post
		want   []string
	}{
		"edit":                               {[]indexing.Post{post("", keyA, at(0), "first"), as(casefile.EventEdit, post("", keyA, at(1), "second"))}, []string{"second"}},
		"two edits":                          {[]indexing.Post{post("", keyA, at(0), "first"), as(casefile.EventEdit, post("", keyA, at(2), "third")), as(casefile.EventEdit, post("", keyA, at(1), "second"))}, []string{"third"}},
		"deletion":                           {[]indexing.Post{post("", keyA, at(0), "first"), as(casefile.EventDelete, post("", keyA, at(1), ""))}, nil},
		"edit then deletion":                 {[]indexing.Post{post("", keyA, at(0), "first"), as(casefile.EventEdit, post("", keyA, at(1), "second")), as(casefile.EventDelete, post("", keyA, at(2), ""))}, nil},
		"posted anew":                        {[]indexing.Post{post("", keyA, at(0), "first"), as(casefile.EventDelete, post("", keyA, at(1), "")), post("", keyA, at(2), "again")}, []string{"again"}},
		"deletion at one time with its post": {[]indexing.Post{post("", keyA, at(0), "first"), as(casefile.EventDelete, post("", keyA, at(0), ""))}, nil},
		"edit at one time with its post":     {[]indexing.Post{post("", keyA, at(0), "first"), as(casefile.EventEdit, post("", keyA, at(0), "second"))}, []string{"second"}},
	} {
		for i, order := range permutations(len(tc.events)) {
			key := casefile.AccountKey(strings.ReplaceAll(fmt.Sprintf("%s-%d", name, i), " ", "-"))
			for _, k := range order {
				p := tc.events[k]
				p.Account, p.Event.ID = key, string(key)
				put(t, x, p)
			}
			h := history(t, x, key)
			require.Equal(t, len(tc.want), h.Posts, "%s in order %v", name, order)
			require.ElementsMatch(t, tc.want, texts(h.Newest), "%s in order %v", name, order)
		}
	}
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for i := range n {
			out = append(out, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return out
}

// orderDoesNotMatter shuffles one stream of three months, and cuts it into batches, in several
// ways: platforms of their own within the index, so that they must all end alike.
func orderDoesNotMatter(t *testing.T, x indexing.Index) {
	rng := rand.New(rand.NewPCG(7, 7))
	keys := []casefile.AccountKey{keyA, keyB}
	var stream []indexing.Post
	for i := range 150 {
		at := day0.Add(time.Duration(rng.Int64N(int64(75 * 24 * time.Hour)))).Truncate(time.Microsecond)
		p := post(fmt.Sprintf("p%d", i), keys[i%2], at, fmt.Sprintf("text %d", i))
		if i%5 == 0 {
			p.Event.RepostOf = "1"
		}
		stream = append(stream, p)
		if i%4 == 0 {
			later := at.Add(time.Duration(rng.Int64N(int64(10 * 24 * time.Hour)))).Truncate(time.Microsecond)
			kind := casefile.EventEdit
			if i%8 == 0 {
				kind = casefile.EventDelete
			}
			p.Event.Kind, p.Event.At, p.Event.Text = kind, later, fmt.Sprintf("text %d %s", i, kind)
			stream = append(stream, p)
		}
	}
	type result struct {
		A, B     indexing.AccountHistory
		Coverage indexing.Coverage
	}
	play := func(name string) result {
		for rest := stream; len(rest) > 0; {
			n := min(1+rng.IntN(40), len(rest))
			batch := slices.Clone(rest[:n])
			for i := range batch {
				batch[i].Event.Platform = name
			}
			_, err := x.PutPosts(t.Context(), batch)
			require.NoError(t, err)
			rest = rest[n:]
		}
		refresh(t, x)
		var r result
		var err error
		r.A, err = x.AccountHistory(t.Context(), name, keyA, 1000)
		require.NoError(t, err)
		r.B, err = x.AccountHistory(t.Context(), name, keyB, 1000)
		require.NoError(t, err)
		r.Coverage, err = x.Coverage(t.Context(), name)
		require.NoError(t, err)
		r.Coverage.Outside = 0 // events outside are counted when they come, an edited post's at each
		for _, h := range []indexing.AccountHistory{r.A, r.B} {
			for i := range h.Newest {
				h.Newest[i].Platform = ""
			}
		}
		return r
	}
	slices.SortStableFunc(stream, func(a, b indexing.Post) int { return a.Event.At.Compare(b.Event.At) })
	want := play("in-order")
	require.NotZero(t, want.A.Posts)
	require.Equal(t, want.A.Posts+want.B.Posts, want.Coverage.Posts)
	require.Less(t, want.Coverage.Posts, 100, "most of the stream lies before the window")
	slices.Reverse(stream)
	require.Equal(t, want, play("in-reverse"))
	for i := range 8 {
		rng.Shuffle(len(stream), func(a, b int) { stream[a], stream[b] = stream[b], stream[a] })
		require.Equal(t, want, play(fmt.Sprintf("shuffle-%d", i)))
	}
}

func postsComeAgain(t *testing.T, x indexing.Index) {
	batch := []indexing.Post{post("1", keyA, day0, "one"), post("2", keyA, day0.Add(time.Hour), "two")}
	for range 3 {
		require.Equal(t, 2, put(t, x, batch...).Stored)
	}
	put(t, x, batch[0], batch[0])
	require.Equal(t, 2, history(t, x, keyA).Posts)
	c, err := x.Coverage(t.Context(), platform)
	require.NoError(t, err)
	require.Equal(t, 2, c.Posts)
}

func goneKeepsHistory(t *testing.T, x indexing.Index) {
	gone := as(casefile.EventAccountGone, post("", keyA, day0.Add(time.Hour), ""))
	profile := as(casefile.EventAccount, post("", keyA, day0.Add(2*time.Hour), ""))
	res := put(t, x, post("1", keyA, day0, "one"), gone, profile)
	require.Equal(t, indexing.PostResult{Stored: 1}, res)
	require.Equal(t, []string{"one"}, texts(history(t, x, keyA).Newest))
	c, err := x.Coverage(t.Context(), platform)
	require.NoError(t, err)
	require.Equal(t, day0.Add(2*time.Hour), c.To, "every event tells the stream's time")
}

func windowFollowsTheStream(t *testing.T, x indexing.Index) {
	newest := time.Date(2024, 3, 15, 12, 30, 0, 0, time.UTC)
	start := indexing.WindowStart(newest)
	put(t, x, post("jan", keyA, day0, "january"), post("in", keyA, start, "first in"), post("before", keyA, start.Add(-time.Microsecond), "last out"))
	require.Equal(t, 3, history(t, x, keyA).Posts)

	res := put(t, x, post("new", keyA, newest, "newest"))
	require.Equal(t, indexing.PostResult{Stored: 1}, res)
	require.Equal(t, []string{"newest", "first in"}, texts(history(t, x, keyA).Newest))

	res = put(t, x, post("late", keyA, start.Add(-time.Hour), "came late"), post("jan2", keyA, day0, "came very late"))
	require.Equal(t, indexing.PostResult{Outside: 2}, res)
	h := history(t, x, keyA)
	require.Equal(t, 2, h.Posts)
	require.Equal(t, start, *h.First)
	c, err := x.Coverage(t.Context(), platform)
	require.NoError(t, err)
	require.Equal(t, indexing.Coverage{From: start, To: newest, Posts: 2, Outside: 4}, c)
}

func platformsAreApart(t *testing.T, x indexing.Index) {
	other := post("1", keyA, day0.Add(365*24*time.Hour), "elsewhere")
	other.Event.Platform = "other"
	put(t, x, post("1", keyA, day0, "here"), other)
	require.Equal(t, []string{"here"}, texts(history(t, x, keyA).Newest))
	h, err := x.AccountHistory(t.Context(), "other", keyA, 10)
	require.NoError(t, err)
	require.Equal(t, []string{"elsewhere"}, texts(h.Newest))
}

func wrongClock(t *testing.T, x indexing.Index) {
	put(t, x, post("1", keyA, day0, "one"))
	future := post("2", keyA, time.Now().Add(indexing.MaxAhead+time.Hour).Truncate(time.Microsecond), "from the future")
	require.Equal(t, indexing.PostResult{Stored: 1, Outside: 1}, put(t, x, future, post("3", keyA, day0.Add(time.Hour), "three")))
	require.Equal(t, indexing.PostResult{Outside: 1}, put(t, x, future))
	require.Equal(t, []string{"three", "one"}, texts(history(t, x, keyA).Newest))
	c, err := x.Coverage(t.Context(), platform)
	require.NoError(t, err)
	require.Equal(t, day0.Add(time.Hour), c.To)
	require.Equal(t, 2, c.Outside)
}

func badPost(t *testing.T, x indexing.Index) {
	put(t, x, post("1", keyA, day0, "one"))
	noAccount := post("3", keyA, day0, "three")
	noAccount.Account = ""
	for name, tc := range map[string]struct {
		bad   indexing.Post
		field string
	}{
		"without id":       {post("", keyA, day0, "two"), "posts[1].event.id"},
		"without time":     {post("2", keyA, time.Time{}, "two"), "posts[1].event.at"},
		"without account":  {noAccount, "posts[1].account"},
		"without platform": {func() indexing.Post { p := post("2", keyA, day0, "two"); p.Event.Platform = ""; return p }(), "posts[1].event.platform"},
	} {
		_, err := x.PutPosts(t.Context(), []indexing.Post{post("good", keyA, day0, "good"), tc.bad})
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
		var e *casefile.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, tc.field, e.Field, name)
	}
	refresh(t, x)
	require.Equal(t, 1, history(t, x, keyA).Posts)
	require.Equal(t, indexing.PostResult{}, put(t, x))
}

func manyWrite(t *testing.T, x indexing.Index) {
	const writers, each = 8, 25
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				// Every post is written by two writers, each with an edit of its own.
				p := post(fmt.Sprintf("p%d-%d", w/2, i), keyA, day0.Add(time.Duration(i)*time.Minute), "first")
				e := as(casefile.EventEdit, p)
				e.Event.At, e.Event.Text = p.Event.At.Add(time.Duration(w)*time.Second), fmt.Sprintf("edit %d", w)
				_, err := x.PutPosts(t.Context(), []indexing.Post{p, e})
				if err != nil {
					errs[w] = err
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	refresh(t, x)
	h := history(t, x, keyA)
	require.Equal(t, writers/2*each, h.Posts)
	for _, e := range h.Newest {
		require.Contains(t, []string{"edit 1", "edit 3", "edit 5", "edit 7"}, e.Text)
	}
}

func unknownIsNotZero(t *testing.T, x indexing.Index) {
	h, err := x.AccountHistory(t.Context(), platform, keyA, 10)
	require.NoError(t, err)
	require.Zero(t, h)
	c, err := x.Coverage(t.Context(), platform)
	require.NoError(t, err)
	require.Zero(t, c, "says that nothing is known")
	put(t, x, as(casefile.EventAccount, post("", keyB, day0, "")))
	c, err = x.Coverage(t.Context(), platform)
	require.NoError(t, err)
	require.Equal(t, indexing.Coverage{From: day0, To: day0}, c, "says that there is nothing")
	require.NoError(t, x.Ping(t.Context()))
}
