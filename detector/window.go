package detector

import (
	"container/list"
	"math"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// contribution is one post, or the profile, in which rules found something.
type contribution struct {
	Event   casefile.Event `json:"event"`
	Digest  uint64         `json:"digest"`           // of the text, links and names left out
	Groups  uint64         `json:"groups,omitempty"` // groups found in it
	Hits    []ruleHit      `json:"hits,omitempty"`   //
	Factor  float64        `json:"factor"`           // under 1 for a repost
	Flagged bool           `json:"flagged,omitempty"`
	Edited  bool           `json:"edited,omitempty"`
	Profile bool           `json:"profile,omitempty"`
}

// value is the most that the contribution can give.
func (c *contribution) value() float64 {
	v := 0.0
	for _, h := range c.Hits {
		v += h.Weight
	}
	return v * c.Factor
}

// account is the window of one account.
type account struct {
	key       string
	Platform  string           `json:"platform"`
	Account   casefile.Account `json:"account"`
	Last      time.Time        `json:"last"` // newest event
	Profile   *contribution    `json:"profile,omitempty"`
	ProfileOf uint64           `json:"profile_of"` // digest of the profile that was read last
	Posts     []*contribution  `json:"posts,omitempty"`
	FlaggedAt time.Time        `json:"flagged_at,omitzero"`
	place     *list.Element
}

// forgetOld drops the posts that have left the window.
func (a *account) forgetOld(window time.Duration) {
	oldest := a.Last.Add(-window)
	kept := a.Posts[:0]
	for _, c := range a.Posts {
		if !c.Event.At.Before(oldest) {
			kept = append(kept, c)
		}
	}
	clear(a.Posts[len(kept):])
	a.Posts = kept
}

// add puts a post into the window. When there are too many, flagged ones go first, then those that
// count least, then the oldest.
func (a *account) add(c *contribution, most int) {
	a.Posts = append(a.Posts, c)
	if len(a.Posts) <= most {
		return
	}
	worst := 0
	for i, p := range a.Posts {
		w := a.Posts[worst]
		if p.Flagged != w.Flagged {
			if p.Flagged {
				worst = i
			}
			continue
		}
		if p.value() < w.value() {
			worst = i
		}
	}
	a.Posts = append(a.Posts[:worst], a.Posts[worst+1:]...)
}

// post finds the newest reading of a post.
func (a *account) post(id string) (at int, c *contribution) {
	for i := len(a.Posts) - 1; i >= 0; i-- {
		if a.Posts[i].Event.ID == id {
			return i, a.Posts[i]
		}
	}
	return -1, nil
}

func (a *account) drop(at int) { a.Posts = append(a.Posts[:at], a.Posts[at+1:]...) }

// says reports whether the window holds a post of the same words.
func (a *account) says(digest uint64) bool {
	for _, p := range a.Posts {
		if p.Digest == digest {
			return true
		}
	}
	return false
}

// empty reports whether nothing is left to know of the account.
func (a *account) empty() bool { return len(a.Posts) == 0 && a.Profile == nil }

// groups are all groups found in the window, flagged or not.
func (a *account) groups() uint64 {
	var all uint64
	for _, c := range a.Posts {
		all |= c.Groups
	}
	if a.Profile != nil {
		all |= a.Profile.Groups
	}
	return all
}

// share is what one rule gives an account's score, and from what.
type share struct {
	rule     int
	score    float64
	terms    int
	from     []*contribution // posts
	profile  *contribution
	windowed bool
}

// shares computes what each rule gives at the time of the newest event. What has been flagged
// counts no more.
func (a *account) shares(rules *Rules) (out []share, score float64) {
	groups := a.groups()
	by := make(map[int]int)
	count := func(c *contribution) {
		if c.Flagged {
			return
		}
		factor := c.Factor
		if !c.Profile {
			factor *= decay(a.Last.Sub(c.Event.At), rules.Settings.HalfLife)
		}
		for _, h := range c.Hits {
			requires := rules.matcher.rules[h.Rule].requires
			if requires != 0 && requires&groups == 0 || h.Weight == 0 {
				continue
			}
			i, ok := by[h.Rule]
			if !ok {
				i = len(out)
				by[h.Rule] = i
				out = append(out, share{rule: h.Rule, windowed: rules.Rules[h.Rule].Within == WithinWindow})
			}
			s := &out[i]
			s.score += h.Weight * factor
			s.terms += h.Terms
			if c.Profile {
				s.profile = c
			} else {
				s.from = append(s.from, c)
			}
		}
	}
	for _, c := range a.Posts {
		count(c)
	}
	if a.Profile != nil {
		count(a.Profile)
	}
	for i := range out {
		out[i].score = min(out[i].score, rules.Rules[out[i].rule].MaxTotal)
		score += out[i].score
	}
	return out, score
}

func decay(age, halfLife time.Duration) float64 {
	if age <= 0 {
		return 1
	}
	return math.Exp2(-float64(age) / float64(halfLife))
}
