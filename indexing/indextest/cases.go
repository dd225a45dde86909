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

// caseDoc is a synthetic case; n orders it in time and names it.
func caseDoc(n int, text string) indexing.CaseDoc {
	return indexing.CaseDoc{
		Ref:      casefile.CaseRef(fmt.Sprintf("%05d-AAAAA", n)),
		Platform: platform, Account: keyA, AccountID: fmt.Sprintf("id%d", n), Handle: fmt.Sprintf("handle_%d", n),
		State: casefile.StateQueued, Queue: "standard", OpenedAt: day0.Add(time.Duration(n) * time.Second),
		Rules: []string{"rule-1"}, Policies: []casefile.PolicyCode{casefile.VE05}, Text: text, Revision: 1,
	}
}

func higherRevisionWins(t *testing.T, x indexing.Index) {
	due := day0.Add(time.Hour)
	second := caseDoc(1, "second words")
	second.Revision, second.State, second.DueAt, second.Action = 2, casefile.StateDecided, &due, casefile.L3
	second.Names, second.Severity, second.DecidedState = "A Name", 3, "done"
	for _, order := range [][]indexing.CaseDoc{
		{caseDoc(1, "first words"), second},
		{second, caseDoc(1, "first words")},
		{second, second},
	} {
		putCases(t, x, order...)
		page := search(t, x, indexing.CaseQuery{})
		require.Equal(t, indexing.CasePage{Cases: []indexing.CaseDoc{second}, Total: 1}, page)
		require.Empty(t, search(t, x, indexing.CaseQuery{Text: "first"}).Cases)
		require.Len(t, search(t, x, indexing.CaseQuery{Text: "second"}).Cases, 1)
	}
	moved := second
	moved.Revision, moved.OpenedAt = 3, day0.Add(-time.Hour)
	putCases(t, x, caseDoc(0, "another"), moved)
	page := search(t, x, indexing.CaseQuery{})
	require.Equal(t, []string{"00000-AAAAA", "00001-AAAAA"}, refs(page.Cases), "a case moves with its opening time")
	require.Equal(t, 2, page.Total)
}

func oldWordsGo(t *testing.T, x indexing.Index) {
	doc := caseDoc(1, "alpha beta")
	putCases(t, x, doc, caseDoc(2, "alpha gamma"))
	doc.Revision, doc.Text, doc.State, doc.Queue = 2, "beta delta", casefile.StateClosed, ""
	putCases(t, x, doc)
	for text, want := range map[string][]string{
		"alpha": {"00002-AAAAA"}, "beta": {"00001-AAAAA"}, "delta": {"00001-AAAAA"}, "alpha beta": {},
	} {
		require.Equal(t, want, refs(search(t, x, indexing.CaseQuery{Text: text}).Cases), text)
	}
	require.Equal(t, []string{"00002-AAAAA"}, refs(search(t, x, indexing.CaseQuery{State: casefile.StateQueued}).Cases))
	require.Equal(t, []string{"00002-AAAAA"}, refs(search(t, x, indexing.CaseQuery{Queue: "standard"}).Cases))
}

func filtersRestrict(t *testing.T, x indexing.Index) {
	one, two, three := caseDoc(1, "grey banner"), caseDoc(2, "grey flag"), caseDoc(3, "white flag")
	one.State, one.Queue = casefile.StateClosed, ""
	one.Policies, one.Action = []casefile.PolicyCode{casefile.VE05, casefile.VE08}, casefile.L6
	two.Queue, two.Platform, two.Policies = "urgent-p0", "other", []casefile.PolicyCode{casefile.VE08}
	three.Queue, three.Policies = "urgent_p0", nil
	putCases(t, x, one, two, three)
	for name, tc := range map[string]struct {
		q    indexing.CaseQuery
		want []string
	}{
		"nothing":            {indexing.CaseQuery{}, []string{"00003-AAAAA", "00002-AAAAA", "00001-AAAAA"}},
		"spaces":             {indexing.CaseQuery{Text: "  "}, []string{"00003-AAAAA", "00002-AAAAA", "00001-AAAAA"}},
		"state":              {indexing.CaseQuery{State: casefile.StateClosed}, []string{"00001-AAAAA"}},
		"queue":              {indexing.CaseQuery{Queue: "urgent-p0"}, []string{"00002-AAAAA"}},
		"queue, whole only":  {indexing.CaseQuery{Queue: "urgent"}, []string{}},
		"queue, case counts": {indexing.CaseQuery{Queue: "URGENT-P0"}, []string{}},
		"policy":             {indexing.CaseQuery{Policy: casefile.VE08}, []string{"00002-AAAAA", "00001-AAAAA"}},
		"action":             {indexing.CaseQuery{Action: casefile.L6}, []string{"00001-AAAAA"}},
		"platform":           {indexing.CaseQuery{Platform: platform}, []string{"00003-AAAAA", "00001-AAAAA"}},
		"text and policy":    {indexing.CaseQuery{Text: "grey", Policy: casefile.VE08, Platform: "other"}, []string{"00002-AAAAA"}},
		"none fits":          {indexing.CaseQuery{Text: "white", Policy: casefile.VE08}, []string{}},
		"text is no filter":  {indexing.CaseQuery{Text: "closed"}, []string{}},
		"hostile filter":     {indexing.CaseQuery{Queue: `urgent" OR state : "closed`}, []string{}},
	} {
		page := search(t, x, tc.q)
		require.Equal(t, tc.want, refs(page.Cases), name)
		require.Equal(t, len(tc.want), page.Total, name)
	}
}

func wordsAreFound(t *testing.T, x indexing.Index) {
	doc := caseDoc(1, "Die Straße nach 北京; gr\u200dey Ваnnеr! جَبْهَة 🏴🔥 don’t_stop x-y 日本語")
	doc.Ref, doc.Handle, doc.AccountID, doc.Names = "7K2QX-9MDT4", "Some_Handle.bsky", "did:plc:abc123", "Ｗｉｄｅ Name"
	putCases(t, x, doc, caseDoc(2, "nothing of it"))
	for _, text := range []string{
		"strasse", "STRASSE", "grey banner", "banner grey", "جبهة", "🔥", "🏴 🔥", "北京", "日本語", "7K2QX-9MDT4", "7k2qx9mdt4",
		"7k2qx", "some_handle", "@Some_Handle.bsky", "did:plc:abc123", "wide", "don't", "stop", "(grey)", "x-y", "grey grey",
	} {
		require.Equal(t, []string{"7K2QX-9MDT4"}, refs(search(t, x, indexing.CaseQuery{Text: text}).Cases), text)
	}
	for _, text := range []string{"stras", "grey*", "gre?", "grey nothing", "東", "🚩", "7k2qx-9mdt5"} {
		want := []string{}
		if text == "grey*" {
			want = []string{"7K2QX-9MDT4"} // the star is no sign of anything, so this is the word
		}
		require.Equal(t, want, refs(search(t, x, indexing.CaseQuery{Text: text}).Cases), text)
	}
}

// Hostile are query texts that mean something to some query language; to a search they are words.
var Hostile = []string{
	`" OR NEAR(`, `") OR 1=1 --`, `text : "grey"`, `{state} : "queued"`, `NOT grey`, `-grey`, `grey AND`, `NEAR(grey banner, 2)`,
	`'; DROP TABLE case_doc; --`, `grey" "banner`, `^grey`, `case_text`, `rowid:1`, "grey\x00banner", "\xff\xfe grey", `\u0022`, `${jndi:x}`,
	`{"query":{"match_all":{}}}`, `_exists_:state`, `state:queued OR queue:*`, `<b>grey</b>`, "grey\u202ebanner", `OR`, `NEAR`, `""""`, `*`,
}

func hostileText(t *testing.T, x indexing.Index) {
	putCases(t, x, caseDoc(1, "grey banner"), caseDoc(2, "or near not and text state"))
	for _, text := range Hostile {
		q := indexing.CaseQuery{Text: text, Platform: platform}
		tokens, err := indexing.QueryTokens(text)
		page, searchErr := x.Search(t.Context(), q)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(searchErr), "%q", text)
			continue
		}
		require.NoError(t, searchErr, "%q", text)
		want := []string{}
		for _, d := range []indexing.CaseDoc{caseDoc(2, "or near not and text state"), caseDoc(1, "grey banner")} {
			if matches(d, q, tokens) {
				want = append(want, string(d.Ref))
			}
		}
		require.Equal(t, want, refs(page.Cases), "%q", text)
	}
	require.Equal(t, 2, search(t, x, indexing.CaseQuery{}).Total)
	for _, text := range Hostile {
		doc := caseDoc(3, text)
		doc.Handle, doc.Queue = text, text
		err := x.PutCase(t.Context(), doc)
		require.NoError(t, err, "%q", text)
	}
}

// matches is the plain meaning of a query.
func matches(d indexing.CaseDoc, q indexing.CaseQuery, tokens []string) bool {
	have := indexing.DocTokens(d)
	for _, tok := range tokens {
		if !slices.Contains(have, tok) {
			return false
		}
	}
	return (q.State == "" || q.State == d.State) && (q.Queue == "" || q.Queue == d.Queue) &&
		(q.Policy == "" || slices.Contains(d.Policies, q.Policy)) && (q.Action == "" || q.Action == d.Action) &&
		(q.Platform == "" || q.Platform == d.Platform)
}

// order is the order of every list of cases.
func order(a, b indexing.CaseDoc) int {
	if c := b.OpenedAt.Truncate(time.Millisecond).Compare(a.OpenedAt.Truncate(time.Millisecond)); c != 0 {
		return c
	}
	return strings.Compare(string(a.Ref), string(b.Ref))
}

// walk reads a query's pages to the end.
func walk(t *testing.T, x indexing.Index, q indexing.CaseQuery, after func(page int)) []indexing.CaseDoc {
	t.Helper()
	var all []indexing.CaseDoc
	for page := 0; ; page++ {
		require.Less(t, page, 500, "the pages do not end")
		p := search(t, x, q)
		all = append(all, p.Cases...)
		if p.Next == "" {
			return all
		}
		require.NotEmpty(t, p.Cases)
		q.Cursor = p.Next
		if after != nil {
			after(page)
		}
	}
}

func pagesFollow(t *testing.T, x indexing.Index) {
	rng := rand.New(rand.NewPCG(11, 1))
	var docs []indexing.CaseDoc
	for i := range 60 {
		d := caseDoc(i, "grey")
		d.Ref = casefile.NewCaseRef()
		// A few milliseconds hold many cases each; what is below a millisecond does not order.
		d.OpenedAt = day0.Add(time.Duration(rng.IntN(5)) * time.Millisecond).Add(time.Duration(rng.IntN(1000)) * time.Microsecond)
		docs = append(docs, d)
	}
	putCases(t, x, docs...)
	slices.SortFunc(docs, order)
	for _, limit := range []int{1, 7, 12, 59, 60, 200} {
		for _, text := range []string{"", "grey"} {
			q := indexing.CaseQuery{Text: text, Limit: limit}
			require.Equal(t, refs(docs), refs(walk(t, x, q, nil)), "limit %d text %q", limit, text)
			require.Equal(t, 60, search(t, x, q).Total)
		}
	}
	require.Len(t, search(t, x, indexing.CaseQuery{}).Cases, indexing.DefaultLimit)
}

func pagesAreStable(t *testing.T, x indexing.Index) {
	for i := range 20 {
		putCases(t, x, caseDoc(i, "grey"))
	}
	got := walk(t, x, indexing.CaseQuery{Text: "grey", Limit: 3}, func(page int) {
		putCases(t, x, caseDoc(1000+page, "grey")) // newer than where the reader stands
		d := caseDoc(10, "grey, and more")
		d.Revision = 2 + page
		putCases(t, x, d)
	})
	want := []string{}
	for i := 19; i >= 0; i-- {
		want = append(want, fmt.Sprintf("%05d-AAAAA", i))
	}
	require.Equal(t, want, refs(got), "nothing twice, nothing left out")
}

func totalStops(t *testing.T, x indexing.Index) {
	const n = indexing.MaxTotal + 50
	var wg sync.WaitGroup
	work := make(chan int)
	errs := make(chan error, n)
	for range 64 {
		wg.Go(func() {
			for i := range work {
				d := caseDoc(i, "grey")
				if i < 7 {
					d.Queue = "urgent"
				}
				errs <- x.PutCase(t.Context(), d)
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	refresh(t, x)
	require.Equal(t, indexing.MaxTotal, search(t, x, indexing.CaseQuery{}).Total)
	page := search(t, x, indexing.CaseQuery{Text: "grey", Limit: 1})
	require.Equal(t, indexing.MaxTotal, page.Total)
	require.Equal(t, fmt.Sprintf("%05d-AAAAA", n-1), string(page.Cases[0].Ref))
	require.Equal(t, 7, search(t, x, indexing.CaseQuery{Text: "grey", Queue: "urgent"}).Total)
}

func badQuestions(t *testing.T, x indexing.Index) {
	putCases(t, x, caseDoc(1, "grey"))
	many := make([]string, indexing.MaxQueryTokens+1)
	for i := range many {
		many[i] = fmt.Sprintf("word%d", i)
	}
	for name, tc := range map[string]struct {
		q     indexing.CaseQuery
		field string
	}{
		"limit below":  {indexing.CaseQuery{Limit: -1}, "limit"},
		"limit above":  {indexing.CaseQuery{Limit: indexing.MaxLimit + 1}, "limit"},
		"cursor":       {indexing.CaseQuery{Cursor: "not a cursor"}, "cursor"},
		"empty cursor": {indexing.CaseQuery{Cursor: "AA"}, "cursor"},
		"no word":      {indexing.CaseQuery{Text: `"!?"`}, "text"},
		"too many":     {indexing.CaseQuery{Text: strings.Join(many, " ")}, "text"},
	} {
		_, err := x.Search(t.Context(), tc.q)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
		var e *casefile.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, tc.field, e.Field, name)
	}
	for name, d := range map[string]indexing.CaseDoc{
		"no reference": {OpenedAt: day0}, "no opening": {Ref: "X"}, "far future": {Ref: "X", OpenedAt: indexing.MaxOpenedAt.Add(time.Hour)},
	} {
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(x.PutCase(t.Context(), d)), name)
	}
	require.Equal(t, 1, search(t, x, indexing.CaseQuery{}).Total)
}

// agreesWithPlainSearch asks random questions of random cases and compares with reading them all.
func agreesWithPlainSearch(t *testing.T, x indexing.Index) {
	rng := rand.New(rand.NewPCG(3, 14))
	words := strings.Fields("grey banner flag front street march news study against victim аrea المدينة 🔥 北 x1 don't a-b")
	pick := func() string { return words[rng.IntN(len(words))] }
	states := []casefile.State{casefile.StateQueued, casefile.StateClaimed, casefile.StateClosed}
	queues := []string{"urgent", "standard", "low-1", ""}
	docs := make([]indexing.CaseDoc, 300)
	for i := range docs {
		d := caseDoc(rng.IntN(200), strings.Join([]string{pick(), pick(), pick(), pick()}, " "))
		d.Ref = casefile.CaseRef(fmt.Sprintf("%05d-BBBBB", i))
		d.State, d.Queue = states[rng.IntN(3)], queues[rng.IntN(4)]
		d.Policies = []casefile.PolicyCode{casefile.PolicyCodes[rng.IntN(4)], casefile.PolicyCodes[4+rng.IntN(4)]}
		d.Action = append(casefile.Actions, "")[rng.IntN(len(casefile.Actions)+1)]
		docs[i] = d
	}
	putCases(t, x, docs...)
	slices.SortFunc(docs, order)
	some := func(s string) string {
		if rng.IntN(3) > 0 {
			return ""
		}
		return s
	}
	for i := range 200 {
		q := indexing.CaseQuery{
			Text:   strings.TrimSpace(some(pick()) + " " + some(pick())),
			State:  casefile.State(some(string(states[rng.IntN(3)]))),
			Queue:  some(queues[rng.IntN(4)]),
			Policy: casefile.PolicyCode(some(string(casefile.PolicyCodes[rng.IntN(8)]))),
			Action: casefile.Action(some(string(casefile.Actions[rng.IntN(8)]))),
			Limit:  1 + rng.IntN(30),
		}
		tokens, err := indexing.QueryTokens(q.Text)
		require.NoError(t, err)
		want := []string{}
		for _, d := range docs {
			if matches(d, q, tokens) {
				want = append(want, string(d.Ref))
			}
		}
		require.Equal(t, want, refs(walk(t, x, q, nil)), "question %d: %+v", i, q)
		require.Equal(t, len(want), search(t, x, q).Total, "question %d: %+v", i, q)
	}
}
