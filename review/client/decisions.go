package client

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/docket-triage/docket/review"
)

// The types of the feed of decisions, for systems that know no more of Docket than this client.
type (
	DecisionFeed   = review.DecisionFeed
	ProvenDecision = review.ProvenDecision
	Salt           = review.Salt
	Withheld       = review.Withheld
)

// FeedFrom is the cursor before the log's first entry.
const FeedFrom = review.FeedFrom

// DecisionsAfter gives proven decisions behind an index of the log (FeedFrom for its beginning), in the
// log's order. limit 0 means the API's own. Where there is none, it waits for one, at most for wait in
// whole seconds.
func (c *Client) DecisionsAfter(ctx context.Context, after int64, limit int, wait time.Duration) (DecisionFeed, error) {
	q := url.Values{"after": {strconv.FormatInt(after, 10)}, "wait": {strconv.Itoa(int(wait / time.Second))}}
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	var out DecisionFeed
	err := c.get(ctx, &out, q, "decisions")
	return out, err
}
