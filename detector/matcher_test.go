package detector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
)

// naiveFind is the oracle: it tries every term at every place, in both channels.
func naiveFind(rules []Rule, text string) (out []termHit) {
	folded := fold.String(text)
	inside := func(s string, last bool) bool {
		r, n := utf8.DecodeRuneInString(s)
		if last {
			r, n = utf8.DecodeLastRuneInString(s)
		}
		return n > 0 && inWord(r)
	}
	for i, r := range rules {
		for j, term := range r.Terms {
			pattern := fold.String(term.Text)
			for start := 0; start+len(pattern) <= len(folded); start++ {
				end := start + len(pattern)
				leet := len(pattern) >= minLeetBytes && fold.LeetMatch([]byte(folded[start:end]), pattern)
				if folded[start:end] != pattern && !leet {
					continue
				}
				cutsWord := inside(pattern, false) && inside(folded[:start], true) || inside(pattern, true) && inside(folded[end:], false)
				if term.Whole && cutsWord {
					continue
				}
				out = append(out, termHit{Rule: i, Term: j, Start: start, End: end, Field: FieldPost, Leet: leet})
			}
		}
	}
	return out
}

func sorted(hits []termHit) []termHit {
	slices.SortFunc(hits, func(a, b termHit) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Term, b.Term), cmp.Compare(a.Start, b.Start), boolInt(a.Leet)-boolInt(b.Leet))
	})
	return hits
}

func FuzzMatcher(f *testing.F) {
	f.Add("he,she,hers", "ushers say h3rs, he!", true)
	f.Add("grey banner,banner,الراية", "The Gr3y  Bаnner والراية", false)
	f.Add("1iron,iron,lron", "1ron 11ron iron", true)
	f.Add("ab,ab,a-b", "ab a_b", true)
	f.Fuzz(func(t *testing.T, list, text string, whole bool) {
		if len(list) > 200 || len(text) > 400 {
			t.Skip("the oracle is slow")
		}
		rule := Rule{ID: "r", Policy: casefile.VE08, Where: []Field{FieldPost}, Within: WithinPost}
		for word := range strings.SplitSeq(list, ",") {
			if len(fold.String(word)) >= 2 {
				rule.Terms = append(rule.Terms, Term{Text: word, Weight: 1, Whole: whole})
			}
		}
		rules := []Rule{rule}
		var s scratch
		newMatcher(rules, true).find(&s, FieldPost, text, "")
		require.Equal(t, sorted(naiveFind(rules, text)), sorted(s.hits))
	})
}

func TestReadCountsTermsOnceAndKeepsSpansFew(t *testing.T) {
	t.Parallel()
	r := load(t, "version: 1\nrules: [{id: a, policy: VE-08, max_post: 3, terms: [{text: one, weight: 1}, {text: two, weight: 5}]}]")
	read := func(text string) reading {
		var s scratch
		r.matcher.find(&s, FieldPost, text, "")
		return r.matcher.read(r.Rules, r.Settings, s.hits)
	}
	got := read(strings.Repeat("one ", 50)).hits[0]
	require.InDelta(t, 1, got.Weight, 0)
	require.Equal(t, 1, got.Terms)
	require.Len(t, got.Spans, maxSpans)
	require.InDelta(t, 3, read("one two").hits[0].Weight, 0, "the most one post gives")
	require.Empty(t, read("three").hits)
}

func BenchmarkFind(b *testing.B) {
	rules := []Rule{{ID: "r", Where: []Field{FieldPost}}}
	for i := range 2000 {
		rules[0].Terms = append(rules[0].Terms, Term{Text: fmt.Sprintf("term %c%c%d of it", 'a'+i%26, 'a'+i/26%26, i), Weight: 1, Whole: true})
	}
	m := newMatcher(rules, true)
	text := "Officials said the front issued a statement today, in terms of which nothing changes for anyone here. #news"
	var s scratch
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.hits = s.hits[:0]
		m.find(&s, FieldPost, text, "en")
	}
}

func BenchmarkProcess(b *testing.B) {
	d := New(load(b, smallRules))
	events := make([]casefile.Event, 4096)
	for i := range events {
		text := fmt.Sprintf("Officials said the front issued statement %d today, in terms of which nothing changes here. #news", i)
		if i%100 == 0 {
			text = medium + fmt.Sprint(i)
		}
		events[i] = event(fmt.Sprint("p", i), fmt.Sprint("a", i%1000), i, text)
	}
	for i := 0; b.Loop(); i++ {
		d.Process(&events[i%len(events)])
	}
}
