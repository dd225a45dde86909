package client

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
)

// Snooze gives a case back to its queue, to be offered to nobody until a time.
func (c *Client) Snooze(ctx context.Context, call review.VerbCall, claim int, until time.Time) (review.VerbAnswer, error) {
	return c.verb(ctx, call, "snooze", api.UntilBody{Claim: claim, Until: until})
}

// Hold keeps a case until a time without input.
func (c *Client) Hold(ctx context.Context, call review.VerbCall, claim int, until time.Time) (review.VerbAnswer, error) {
	return c.verb(ctx, call, "hold", api.UntilBody{Claim: claim, Until: until})
}

// HandOver gives a case to another person or queue.
func (c *Client) HandOver(ctx context.Context, call review.HandOverCall) (review.VerbAnswer, error) {
	return c.verb(ctx, call.VerbCall, "hand-over", api.HandOverBody{Claim: call.Claim, To: call.To, Queue: call.Queue, Reason: call.Reason})
}

// Takers lists to whom a case that the caller holds may be handed over.
func (c *Client) Takers(ctx context.Context, ref casefile.CaseRef) ([]review.Taker, error) {
	var out api.TakerList
	err := c.get(ctx, &out, nil, "cases", string(ref), "takers")
	return out.Takers, err
}

// Escalate gives a case to the lead's queue, or calls a threat to life.
func (c *Client) Escalate(ctx context.Context, call review.EscalateCall) (review.VerbAnswer, error) {
	return c.verb(ctx, call.VerbCall, "escalate", api.EscalateBody{ThreatToLife: call.Threat, Reason: call.Reason})
}

// MoveDeadline moves a case's deadline.
func (c *Client) MoveDeadline(ctx context.Context, call review.DeadlineCall) (review.VerbAnswer, error) {
	return c.verb(ctx, call.VerbCall, "deadline", api.DeadlineBody{Deadline: call.Deadline, To: call.To, Reason: call.Reason})
}

// ForceRelease ends somebody else's claim.
func (c *Client) ForceRelease(ctx context.Context, call review.VerbCall, reason string) (review.VerbAnswer, error) {
	return c.verb(ctx, call, "force-release", api.ReasonBody{Reason: reason})
}

// Refer refers a case to another team.
func (c *Client) Refer(ctx context.Context, call review.ReferCall) (review.VerbAnswer, error) {
	return c.verb(ctx, call.VerbCall, "refer", api.ReferBody{Claim: call.Claim, Kind: call.Kind, Reason: call.Reason})
}
