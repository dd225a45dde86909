package indexing

import "github.com/docket-triage/docket/casefile"

// Check refuses a history that cannot be: counts below zero or above their whole, more posts than were asked
// for, posts of another platform, a last post before the first. An engine on another machine may answer
// anything; what fails here is a failure of the source. The error is CodeInternal.
func (h AccountHistory) Check(platform string, limit int) error {
	for _, e := range h.Newest {
		if e.Platform != platform || e.ID == "" {
			return casefile.Errorf(casefile.CodeInternal, "the history of an account holds posts of another platform")
		}
	}
	switch {
	case h.Posts < 0, h.Reposts < 0, h.Replies < 0, h.Reposts > h.Posts, h.Replies > h.Posts:
		return casefile.Errorf(casefile.CodeInternal, "the history of an account has counts that cannot be")
	case len(h.Newest) > limit, len(h.Newest) > h.Posts:
		return casefile.Errorf(casefile.CodeInternal, "the history of an account holds more posts than it can")
	case (h.First == nil) != (h.Last == nil), h.First != nil && h.Last.Before(*h.First):
		return casefile.Errorf(casefile.CodeInternal, "the history of an account ends before it begins")
	}
	return nil
}

// Check refuses a coverage that cannot be. The error is CodeInternal.
func (c Coverage) Check() error {
	if c.Posts < 0 || c.Outside < 0 || c.To.Before(c.From) {
		return casefile.Errorf(casefile.CodeInternal, "the window of history cannot be")
	}
	return nil
}
