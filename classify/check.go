package classify

import (
	"math"

	"github.com/docket-triage/docket/casefile"
)

// Check refuses a score that is no answer to what was asked: of another account or model, with a number
// outside its range, a policy that there is not, or a post or place in it that was not among those given.
// A scorer on another machine may answer anything; what fails here is a failure of the source, never a
// score. The error is CodeInternal and quotes nothing.
func (s Score) Check(platform, account string, model Model, posts []casefile.Event) error {
	bad := func(what string) error {
		return casefile.Errorf(casefile.CodeInternal, "the scorer's answer is none: %s", what)
	}
	switch {
	case s.Platform != platform || s.Account != account:
		return bad("it is of another account")
	case s.Model != model:
		return bad("it is of another model")
	case !share(s.Score):
		return bad("the score is not from 0 to 1")
	case s.Posts < 0 || s.Posts > len(posts):
		return bad("it counts posts that were not given")
	}
	for code, p := range s.Policies {
		if !code.Valid() || !share(p) {
			return bad("a policy is unknown, or its share not from 0 to 1")
		}
	}
	texts := map[string]int{}
	for _, e := range posts {
		texts[e.ID] = len(e.Text)
	}
	for _, p := range s.Top {
		size, given := texts[p.Post]
		if !given || !share(p.Score) {
			return bad("a post was not given, or its score is not from 0 to 1")
		}
		for _, t := range p.Terms {
			if t.Start < 0 || t.End < t.Start || t.End > size || math.IsNaN(t.Weight) || math.IsInf(t.Weight, 0) {
				return bad("a term stands outside its post, or has no weight")
			}
		}
	}
	return nil
}

// share says whether a number is from 0 to 1; what is not a number is not.
func share(p float64) bool { return p >= 0 && p <= 1 && !math.IsNaN(p) }
