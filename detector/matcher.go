package detector

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/detector/literal"
)

// maxSpans bounds the places remembered for one rule in one post.
const maxSpans = 20

// minLeetBytes is the shortest term looked for with digits for letters; shorter ones meet numbers
// and model names everywhere.
const minLeetBytes = 4

// matcher finds the terms of all rules in one text. It is immutable; the buffers are the caller's.
type matcher struct {
	rules    []matchRule
	literals []matchLiteral
	plain    *literal.Set
	leet     *literal.Set // nil when not wanted
	leetIDs  [][]int      // per pattern of leet: literals
}

type matchRule struct {
	language string
	fields   uint8 // mask over the places in fields
	group    uint64
	requires uint64
	unless   uint64
	weighs   bool // some term has a weight
}

// matchLiteral is one folded literal and the terms that it stands for.
type matchLiteral struct {
	text               string
	wordStart, wordEnd bool // its first or last rune is part of a word
	terms              []termRef
}

type termRef struct {
	rule, term int
	whole      bool
}

func newMatcher(rules []Rule, leet bool) *matcher {
	m := &matcher{}
	groups := map[string]uint64{}
	mask := func(names ...string) (all uint64) {
		for _, g := range names {
			if g == "" {
				continue
			}
			if groups[g] == 0 {
				groups[g] = 1 << len(groups)
			}
			all |= groups[g]
		}
		return all
	}
	known := map[string]int{}
	for i, r := range rules {
		mr := matchRule{language: r.Language, group: mask(r.Group), requires: mask(r.Requires...), unless: mask(r.Unless...)}
		for _, f := range r.Where {
			mr.fields |= fieldBit(f)
		}
		for j, t := range r.Terms {
			mr.weighs = mr.weighs || t.Weight > 0
			text := fold.String(t.Text)
			id, ok := known[text]
			if !ok {
				id = len(m.literals)
				known[text] = id
				first, _ := utf8.DecodeRuneInString(text)
				last, _ := utf8.DecodeLastRuneInString(text)
				m.literals = append(m.literals, matchLiteral{text: text, wordStart: inWord(first), wordEnd: inWord(last)})
			}
			m.literals[id].terms = append(m.literals[id].terms, termRef{rule: i, term: j, whole: t.Whole})
		}
		m.rules = append(m.rules, mr)
	}
	texts := make([]string, len(m.literals))
	for i, l := range m.literals {
		texts[i] = l.text
	}
	m.plain = literal.New(texts)
	if leet {
		m.buildLeet(texts)
	}
	return m
}

// buildLeet builds the second automaton over the patterns with letters and signs of a class brought
// together. Several literals may come to the same pattern.
func (m *matcher) buildLeet(texts []string) {
	var patterns []string
	known := map[string]int{}
	for id, text := range texts {
		if len(text) < minLeetBytes {
			continue
		}
		b := []byte(text)
		fold.Leet(b)
		at, ok := known[string(b)]
		if !ok {
			at = len(patterns)
			known[string(b)] = at
			patterns = append(patterns, string(b))
			m.leetIDs = append(m.leetIDs, nil)
		}
		m.leetIDs[at] = append(m.leetIDs[at], id)
	}
	m.leet = literal.New(patterns)
}

func fieldBit(f Field) uint8 { return 1 << slices.Index(fields, f) }

// inWord reports whether a rune is part of a word.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }

// termHit is one term found in one field: byte offsets into the field's folded text.
type termHit struct {
	Rule  int   `json:"r"`
	Term  int   `json:"t"`
	Start int   `json:"s"`
	End   int   `json:"e"`
	Field Field `json:"f"`
	Leet  bool  `json:"l,omitempty"`
}

// scratch is what one goroutine needs to match.
type scratch struct {
	folded, leet []byte
	hits         []termHit
}

// find appends to s.hits what stands in one field. lang is the post's language, "" when unknown.
// s.folded holds the folded text afterwards.
func (m *matcher) find(s *scratch, field Field, text, lang string) {
	s.folded = fold.Append(s.folded[:0], text)
	bit := fieldBit(field)
	add := func(id, start, end int, leet bool) {
		l := &m.literals[id]
		whole := (!l.wordStart || !wordBefore(s.folded, start)) && (!l.wordEnd || !wordAfter(s.folded, end))
		for _, ref := range l.terms {
			r := &m.rules[ref.rule]
			if r.fields&bit == 0 || ref.whole && !whole || !speaks(r.language, lang) {
				continue
			}
			s.hits = append(s.hits, termHit{Rule: ref.rule, Term: ref.term, Start: start, End: end, Field: field, Leet: leet})
		}
	}
	m.plain.Each(s.folded, func(id, start, end int) bool {
		add(id, start, end, false)
		return true
	})
	if m.leet == nil || !fold.HasLeet(s.folded) {
		return
	}
	s.leet = append(s.leet[:0], s.folded...)
	fold.Leet(s.leet)
	m.leet.Each(s.leet, func(pattern, start, end int) bool {
		for _, id := range m.leetIDs[pattern] {
			if fold.LeetMatch(s.folded[start:end], m.literals[id].text) {
				add(id, start, end, true)
			}
		}
		return true
	})
}

func wordBefore(text []byte, at int) bool {
	r, _ := utf8.DecodeLastRune(text[:at])
	return at > 0 && inWord(r)
}

func wordAfter(text []byte, at int) bool {
	r, _ := utf8.DecodeRune(text[at:])
	return at < len(text) && inWord(r)
}

// speaks reports whether a rule for a language applies to a text. A text whose language nobody
// told may be in any.
func speaks(rule, lang string) bool {
	if rule == "" || lang == "" || lang == "und" {
		return true
	}
	primary, _, _ := strings.Cut(lang, "-")
	return strings.EqualFold(primary, rule)
}

// ruleHit is what one rule gives for one post or profile.
type ruleHit struct {
	Rule   int       `json:"r"`
	Weight float64   `json:"w"`
	Spans  []termHit `json:"s"`
	Terms  int       `json:"n"` // different terms found
}

// reading is what a matcher has to say of one post or profile.
type reading struct {
	groups uint64
	hits   []ruleHit // rules that apply, in order; those whose requirement may lie elsewhere in the window included
}

// read draws the hits of one post or profile together: each term counts once, a rule no more than
// its maximum, and rules taken away by their exceptions or lacking what they require go out.
func (m *matcher) read(rules []Rule, s Settings, hits []termHit) reading {
	var out reading
	if len(hits) == 0 {
		return out
	}
	slices.SortStableFunc(hits, func(a, b termHit) int {
		if a.Rule != b.Rule {
			return a.Rule - b.Rule
		}
		if a.Term != b.Term {
			return a.Term - b.Term
		}
		return boolInt(a.Leet) - boolInt(b.Leet)
	})
	for i := 0; i < len(hits); {
		rule := hits[i].Rule
		rh := ruleHit{Rule: rule}
		last := -1
		for ; i < len(hits) && hits[i].Rule == rule; i++ {
			h := hits[i]
			if h.Term != last {
				w := rules[rule].Terms[h.Term].Weight
				if h.Leet {
					w *= s.LeetFactor
				}
				rh.Weight += w
				rh.Terms++
				last = h.Term
			}
			if len(rh.Spans) < maxSpans {
				rh.Spans = append(rh.Spans, h)
			}
		}
		rh.Weight = min(rh.Weight, rules[rule].MaxPost)
		out.groups |= m.rules[rule].group
		out.hits = append(out.hits, rh)
	}
	out.hits = slices.DeleteFunc(out.hits, func(h ruleHit) bool {
		r := &m.rules[h.Rule]
		missing := r.requires != 0 && rules[h.Rule].Within == WithinPost && r.requires&out.groups == 0
		return rules[h.Rule].Policy == casefile.VE00 || missing || r.unless&out.groups != 0
	})
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
