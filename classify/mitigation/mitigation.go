// Package mitigation looks for signs of a legitimate context in an account's profile and posts:
// news, research, counter-speech, documentation. A sign is a reason for a person to look; it never
// excuses anything by itself, and the absence of one says nothing.
package mitigation

import (
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/detector/fold"
)

// Version changes whenever the shipped lists, or how texts are compared with them, do.
const Version = "signs-1/" + fold.Version

// maxItems bounds the items of each mitigation in a Result.
const maxItems = 10

// Result is what was found.
type Result struct {
	// Counts holds the number of posts and profile fields with a sign, for each mitigation that was
	// looked for: M1 to M4. The others are not in it, because unknown is not zero.
	Counts map[casefile.Mitigation]int
	// Items are the places: of each mitigation the profile first, then the newest posts, at most
	// ten. Label is the mitigation's code.
	Items []casefile.FindingItem
}

// Values gives the counts as the values of a mitigations finding.
func (r Result) Values() map[string]float64 {
	v := make(map[string]float64, len(r.Counts))
	for m, n := range r.Counts {
		v[string(m)] = float64(n)
	}
	return v
}

// Find looks with the lists that ship with Docket. A Result without counts says that they do not
// load, which a test rules out.
func Find(account casefile.Account, posts []casefile.Event) Result {
	lists, err := Default()
	if err != nil {
		return Result{}
	}
	return lists.Find(account, posts)
}

// Signs gives the counts of Find.
func Signs(account casefile.Account, posts []casefile.Event) map[casefile.Mitigation]int {
	return Find(account, posts).Counts
}

// Find looks in the display name, the bio and every post. Of a post with edits the last version
// counts, unless it was deleted.
func (l *Lists) Find(account casefile.Account, posts []casefile.Event) Result {
	res := Result{Counts: make(map[casefile.Mitigation]int)}
	items := make(map[casefile.Mitigation][]casefile.FindingItem)
	for _, m := range l.mitigations {
		res.Counts[m] = 0
	}
	look := func(in place, text, post string, at *time.Time) {
		spans := l.spans(in, text)
		for _, m := range l.mitigations {
			if spans[m] == nil {
				continue
			}
			res.Counts[m]++
			if len(items[m]) < maxItems {
				items[m] = append(items[m], casefile.FindingItem{Label: string(m), Post: post, Text: text, At: at, Spans: spans[m]})
			}
		}
	}
	look(inProfile, account.DisplayName, "", nil)
	look(inProfile, account.Bio, "", nil)
	for _, e := range standing(posts) {
		look(inPost, e.Text, e.ID, &e.At)
	}
	for _, m := range l.mitigations {
		res.Items = append(res.Items, items[m]...)
	}
	return res
}

// standing gives the last version of each post that was not deleted, newest first.
func standing(posts []casefile.Event) []casefile.Event {
	latest := make(map[string]casefile.Event)
	for _, e := range posts {
		switch e.Kind {
		case casefile.EventPost, casefile.EventEdit, casefile.EventDelete, "":
		default:
			continue
		}
		old, ok := latest[e.ID]
		if !ok || compare(e, old) < 0 {
			latest[e.ID] = e
		}
	}
	var out []casefile.Event
	for _, e := range latest {
		if e.Kind != casefile.EventDelete {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, compare)
	return out
}

// compare puts later events first; at one time a deletion before an edit before a post.
func compare(a, b casefile.Event) int {
	if c := b.At.Compare(a.At); c != 0 {
		return c
	}
	if a.ID != b.ID {
		return strings.Compare(a.ID, b.ID)
	}
	rank := map[casefile.EventKind]int{casefile.EventEdit: 1, casefile.EventDelete: 2}
	if c := rank[b.Kind] - rank[a.Kind]; c != 0 {
		return c
	}
	return strings.Compare(b.Text, a.Text)
}

// spans gives the places of the signs in a text, by mitigation, in the order of the text.
func (l *Lists) spans(in place, text string) map[casefile.Mitigation][]casefile.Span {
	f := fold.String(text)
	list := classify.Words(f)
	var places []fold.Span
	var hits []*term
	for i, w := range list {
		for _, t := range l.starting(f[w.Start:w.End]) {
			if t.in&in == 0 || !t.matches(f, list[i:]) {
				continue
			}
			places = append(places, fold.Span{Start: w.Start, End: list[i+len(t.words)-1].End})
			hits = append(hits, t)
		}
	}
	if hits == nil {
		return nil
	}
	out := make(map[casefile.Mitigation][]casefile.Span)
	for i, p := range fold.Spans(text, places) {
		m := hits[i].mitigation
		have := out[m]
		if n := len(have); n > 0 && p.Start < have[n-1].End {
			// Of signs that overlap the longest stands.
			if p.End > have[n-1].End && p.Start == have[n-1].Start {
				have[n-1] = casefile.Span{Start: p.Start, End: p.End, Term: hits[i].text}
			}
			continue
		}
		out[m] = append(have, casefile.Span{Start: p.Start, End: p.End, Term: hits[i].text})
	}
	return out
}
