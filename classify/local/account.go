package local

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
)

// An account's score is a weighted mean of its highest distinct posts: the highest counts for half,
// each next one for half of the one before (docs/formats/account-score.md).
const (
	maxPosts     = 200 // the newest distinct posts that are read
	topPosts     = 5   // that make the score
	repostFactor = 0.5 // what a repost's probability counts for: sharing is not saying
)

var _ classify.Scorer = (*Model)(nil)

// candidate is a distinct post of an account.
type candidate struct {
	event  casefile.Event
	folded string
	factor float64
	p      []float64 // by head, with the factor in
}

// ScoreAccount implements classify.Scorer. Of a post with edits the last version counts, unless it
// was deleted; equal texts count once, as the account's own if it ever said them itself. The error
// is CodeInvalid where no post has words.
func (m *Model) ScoreAccount(ctx context.Context, platform string, account casefile.Account, posts []casefile.Event) (classify.Score, error) {
	candidates := distinct(posts)
	scored := candidates[:0]
	for _, c := range candidates {
		err := ctx.Err()
		if err != nil {
			return classify.Score{}, fmt.Errorf("score an account: %w", err)
		}
		c.p = m.probabilities(c.folded)
		if c.p == nil {
			continue
		}
		for i := range c.p {
			c.p[i] *= c.factor
		}
		scored = append(scored, c)
		if len(scored) == maxPosts {
			break
		}
	}
	if len(scored) == 0 {
		return classify.Score{}, casefile.Invalid("posts", "no post with words to score")
	}
	score := classify.Score{
		Platform: platform, Account: account.ID, Posts: len(scored), Model: m.Model(),
		Score: round(combine(scored, 0)), Policies: make(map[casefile.PolicyCode]float64, len(m.heads)-1),
	}
	for i, h := range m.heads[1:] {
		score.Policies[h.Policy] = round(combine(scored, i+1))
	}
	slices.SortStableFunc(scored, func(a, b candidate) int { return cmp.Compare(b.p[0], a.p[0]) })
	for _, c := range scored[:min(len(scored), topPosts)] {
		score.Top = append(score.Top, classify.PostScore{Post: c.event.ID, Score: round(c.p[0]), Terms: m.Explain(c.event.Text)})
	}
	return score, nil
}

// combine makes one probability of the posts' for a head.
func combine(posts []candidate, head int) float64 {
	ps := make([]float64, len(posts))
	for i, c := range posts {
		ps[i] = c.p[head]
	}
	slices.SortFunc(ps, func(a, b float64) int { return cmp.Compare(b, a) })
	sum, weights, weight := 0.0, 0.0, 1.0
	for _, p := range ps[:min(len(ps), topPosts)] {
		sum += weight * p
		weights += weight
		weight /= 2
	}
	return sum / weights
}

// distinct gives an account's posts, newest first, each text once.
func distinct(posts []casefile.Event) []candidate {
	latest := make(map[string]casefile.Event)
	for _, e := range posts {
		switch e.Kind {
		case casefile.EventPost, casefile.EventEdit, casefile.EventDelete, "":
		default:
			continue
		}
		old, ok := latest[e.ID]
		if !ok || later(e, old) {
			latest[e.ID] = e
		}
	}
	events := make([]casefile.Event, 0, len(latest))
	for _, e := range latest {
		if e.Kind != casefile.EventDelete {
			events = append(events, e)
		}
	}
	slices.SortFunc(events, func(a, b casefile.Event) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(a.ID, b.ID))
	})
	byText := make(map[string]int)
	var out []candidate
	for _, e := range events {
		c := candidate{event: e, folded: folded(e.Text), factor: 1}
		if e.RepostOf != "" || strings.HasPrefix(e.Text, "RT @") {
			c.factor = repostFactor
		}
		key := textKey(c.folded)
		at, seen := byText[key]
		switch {
		case !seen:
			byText[key] = len(out)
			out = append(out, c)
		case c.factor > out[at].factor:
			out[at] = c
		}
	}
	return out
}

// later reports whether a is the later event of a post than b; at one time a deletion is later
// than an edit, and an edit than a post.
func later(a, b casefile.Event) bool {
	if !a.At.Equal(b.At) {
		return a.At.After(b.At)
	}
	rank := map[casefile.EventKind]int{casefile.EventEdit: 1, casefile.EventDelete: 2}
	return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), strings.Compare(a.Text, b.Text)) > 0
}

// textKey is what makes two posts one: their words, without the mark of a repost.
func textKey(folded string) string {
	var b strings.Builder
	for i, w := range classify.Words(folded) {
		s := folded[w.Start:w.End]
		if i == 0 && s == "rt" {
			continue
		}
		b.WriteString(s)
		b.WriteByte(' ')
	}
	return b.String()
}
