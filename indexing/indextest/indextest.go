// Package indextest is what every engine of package indexing must do: one suite for all of them.
package indextest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

// Refresher is an engine that shows what was written only after a while, and at once when asked.
type Refresher interface {
	Refresh(ctx context.Context) error
}

// Exercise runs every behaviour of an index. open gives an empty one, which the test's cleanup
// closes.
func Exercise(t *testing.T, open func(t *testing.T) indexing.Index) {
	t.Helper()
	for name, run := range map[string]func(*testing.T, indexing.Index){
		"posts are counted and listed":             postsAreListed,
		"the latest event of a post wins":          latestEventWins,
		"the order of arrival does not matter":     orderDoesNotMatter,
		"posts come again without effect":          postsComeAgain,
		"an account that is gone keeps history":    goneKeepsHistory,
		"the window follows the stream":            windowFollowsTheStream,
		"platforms are apart":                      platformsAreApart,
		"a wrong clock moves nothing":              wrongClock,
		"a bad post spoils its batch only":         badPost,
		"many write at once":                       manyWrite,
		"a forgotten account stays forgotten":      forgottenStays,
		"unknown is not zero":                      unknownIsNotZero,
		"the higher revision wins":                 higherRevisionWins,
		"a new revision takes the old words out":   oldWordsGo,
		"filters restrict":                         filtersRestrict,
		"words are found however they are written": wordsAreFound,
		"hostile text is only text":                hostileText,
		"pages follow each other":                  pagesFollow,
		"pages are stable while documents change":  pagesAreStable,
		"the total stops at its limit":             totalStops,
		"bad questions are named":                  badQuestions,
		"answers agree with a plain search":        agreesWithPlainSearch,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, open(t))
		})
	}
}

// day0 is the day that the synthetic streams begin.
var day0 = time.Date(2024, 1, 20, 8, 0, 0, 0, time.UTC)

const (
	platform = "synthetic"
	keyA     = casefile.AccountKey("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	keyB     = casefile.AccountKey("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
)

func post(id string, key casefile.AccountKey, at time.Time, text string) indexing.Post {
	return indexing.Post{Account: key, Event: casefile.Event{
		Kind: casefile.EventPost, Platform: platform, ID: id, Text: text, At: at,
		Account: casefile.Account{ID: "id-of-" + string(key[:1]), Handle: "handle_" + string(key[:1])},
	}}
}

func as(kind casefile.EventKind, p indexing.Post) indexing.Post {
	p.Event.Kind = kind
	return p
}

func put(t *testing.T, x indexing.Index, posts ...indexing.Post) indexing.PostResult {
	t.Helper()
	res, err := x.PutPosts(t.Context(), posts)
	require.NoError(t, err)
	refresh(t, x)
	return res
}

func history(t *testing.T, x indexing.Index, key casefile.AccountKey) indexing.AccountHistory {
	t.Helper()
	h, err := x.AccountHistory(t.Context(), platform, key, 1000)
	require.NoError(t, err)
	return h
}

func texts(events []casefile.Event) []string {
	out := []string{}
	for _, e := range events {
		out = append(out, e.Text)
	}
	return out
}

func putCases(t *testing.T, x indexing.Index, docs ...indexing.CaseDoc) {
	t.Helper()
	for _, d := range docs {
		require.NoError(t, x.PutCase(t.Context(), d))
	}
	refresh(t, x)
}

func search(t *testing.T, x indexing.Index, q indexing.CaseQuery) indexing.CasePage {
	t.Helper()
	page, err := x.Search(t.Context(), q)
	require.NoError(t, err)
	return page
}

func refs(docs []indexing.CaseDoc) []string {
	out := []string{}
	for _, d := range docs {
		out = append(out, string(d.Ref))
	}
	return out
}

func refresh(t *testing.T, x indexing.Index) {
	t.Helper()
	if r, ok := x.(Refresher); ok {
		require.NoError(t, r.Refresh(t.Context()))
	}
}
