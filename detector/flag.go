package detector

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
)

// Name is the detector's name in its flags.
const Name = "docket"

// Bounds of a flag, under those of casefile: some room is left for what is added on the way.
const (
	maxFlagBytes = casefile.MaxFlagBytes - 64<<10
	maxFlagTerms = 500
)

// flag makes a flag of an account that has reached the threshold. What it names is marked and never
// makes another flag.
func (d *Detector) flag(a *account) (casefile.Flag, bool) {
	shares, score := a.shares(d.rules)
	s := d.rules.Settings
	if score < s.Threshold {
		return casefile.Flag{}, false
	}
	if !a.FlaggedAt.IsZero() && a.Last.Before(a.FlaggedAt.Add(s.CoolDown)) && !d.urgent(shares) {
		return casefile.Flag{}, false
	}
	evidence := evidenceOf(a, shares, d.rules)
	f := casefile.Flag{
		Platform: a.Platform,
		Account:  a.Account,
		Detector: casefile.Detector{Name: Name, Version: d.rules.Version},
		At:       a.Last,
	}
	ids, names := []string{}, []string{}
	for _, c := range evidence {
		c.Flagged = true
		ids = append(ids, c.evidenceID())
	}
	slices.SortStableFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.rule, b.rule))
	})
	room := maxFlagTerms
	for _, sh := range shares {
		r := d.rules.Rules[sh.rule]
		names = append(names, r.ID)
		terms := d.matches(sh, room)
		room -= len(terms)
		f.Reasons = append(f.Reasons, casefile.Reason{
			Rule:   r.ID,
			Policy: r.Policy,
			Weight: round(sh.score),
			Detail: detail(sh, score, s.Threshold),
			Terms:  terms,
		})
		d.stats.FlagsByRule[r.ID]++
	}
	f.ID = flagID(a.Platform, a.Account.ID, d.rules.Version, names, ids)
	attach(&f, evidence)
	a.FlaggedAt = a.Last
	d.stats.Flags++
	return f, true
}

func (d *Detector) urgent(shares []share) bool {
	return slices.ContainsFunc(shares, func(s share) bool { return d.rules.Rules[s.rule].Urgent })
}

// evidenceOf are the posts (and the profile) that the shares rest on, and those that hold what a
// rule requires in the window, oldest first.
func evidenceOf(a *account, shares []share, rules *Rules) []*contribution {
	used := map[*contribution]bool{}
	var required uint64
	for _, s := range shares {
		for _, c := range s.from {
			used[c] = true
		}
		if s.profile != nil {
			used[s.profile] = true
		}
		if s.windowed {
			required |= rules.matcher.rules[s.rule].requires
		}
	}
	var out []*contribution
	for _, c := range append([]*contribution{a.Profile}, a.Posts...) {
		if c != nil && !c.Flagged && (used[c] || c.Groups&required != 0) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *contribution) int {
		return cmp.Or(a.Event.At.Compare(b.Event.At), strings.Compare(a.Event.ID, b.Event.ID))
	})
	return out
}

// evidenceID names a piece of evidence. A post that was edited is other evidence when it says
// something else, and so is a profile, and a profile that came back.
func (c *contribution) evidenceID() string {
	switch {
	case c.Profile:
		return fmt.Sprintf("profile#%s@%d", digestHex(c.Digest), c.Event.At.Unix())
	case c.Edited:
		return c.Event.ID + "#" + digestHex(c.Digest)
	}
	return c.Event.ID
}

func digestHex(d uint64) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, d))
}

// flagID is made of the claim alone. Each part goes in with its length, so that no two claims give
// the same bytes.
func flagID(platform, accountID, version string, rules, evidence []string) string {
	slices.Sort(rules)
	slices.Sort(evidence)
	h := sha256.New()
	part := func(s string) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	part(platform)
	part(accountID)
	part(version)
	for _, list := range [][]string{rules, evidence} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(list))))
		for _, s := range list {
			part(s)
		}
	}
	return "f-" + strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:20]))
}

// matches gives the places of a rule's terms in the original texts of its posts, at most room.
func (d *Detector) matches(s share, room int) []casefile.Match {
	var out []casefile.Match
	for _, c := range s.from {
		for _, h := range c.Hits {
			if h.Rule != s.rule {
				continue
			}
			folded := make([]fold.Span, len(h.Spans))
			for i, t := range h.Spans {
				folded[i] = fold.Span{Start: t.Start, End: t.End}
			}
			for i, sp := range fold.Spans(c.Event.Text, folded) {
				if len(out) >= room {
					return out
				}
				term := d.rules.Rules[s.rule].Terms[h.Spans[i].Term].Text
				out = append(out, casefile.Match{Post: c.Event.ID, Term: term, Start: sp.Start, End: sp.End})
			}
		}
	}
	return out
}

// detail says what the rule saw, in numbers alone.
func detail(s share, score, threshold float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "score %.1f >= %.1f; %.1f of it from", score, threshold, s.score)
	if n := len(s.from); n > 0 {
		first, last := s.from[0].Event.At, s.from[0].Event.At
		for _, c := range s.from {
			if c.Event.At.Before(first) {
				first = c.Event.At
			}
			if c.Event.At.After(last) {
				last = c.Event.At
			}
		}
		fmt.Fprintf(&b, " %s", count(n, "post"))
		if n > 1 {
			fmt.Fprintf(&b, " in %s", last.Sub(first).Round(time.Minute))
		}
	}
	if s.profile != nil {
		if len(s.from) > 0 {
			b.WriteString(" and")
		}
		b.WriteString(" the profile")
	}
	fmt.Fprintf(&b, ", %s", count(s.terms, "term"))
	return b.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// attach adds the evidence posts to a flag, those that weigh most first, as far as they fit, and
// puts them in order. What does not fit is said in the first reason.
func attach(f *casefile.Flag, evidence []*contribution) {
	posts := slices.DeleteFunc(slices.Clone(evidence), func(c *contribution) bool { return c.Profile })
	byWeight := slices.Clone(posts)
	slices.SortStableFunc(byWeight, func(a, b *contribution) int { return cmp.Compare(b.value(), a.value()) })
	used := jsonSize(f)
	fits := map[*contribution]bool{}
	for _, c := range byWeight {
		n := jsonSize(c.Event) + 1
		if len(fits) < casefile.MaxFlagEvidence && used+n <= maxFlagBytes {
			fits[c] = true
			used += n
		}
	}
	for _, c := range posts {
		if fits[c] {
			f.Evidence = append(f.Evidence, c.Event)
		}
	}
	if left := len(posts) - len(fits); left > 0 {
		f.Reasons[0].Detail += fmt.Sprintf("; %s did not fit in the flag", count(left, "post"))
	}
}

// jsonSize is how long v is in JSON; something that has no JSON form fits nowhere.
func jsonSize(v any) int {
	raw, err := json.Marshal(v)
	if err != nil {
		return casefile.MaxFlagBytes
	}
	return len(raw)
}
