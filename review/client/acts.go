package client

import (
	"context"
	"strconv"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
)

// Acts lists the acts that have not come to a good end, of a platform and a stage ("" for all).
func (c *Client) Acts(ctx context.Context, platform string, stage records.ActStage, cursor string, limit int) (review.ActPage, error) {
	var out review.ActPage
	err := c.get(ctx, &out, values("platform", platform, "stage", string(stage), "cursor", cursor, "limit", strconv.Itoa(limit)), "acts")
	return out, err
}

// PauseActs stops acts, of a platform or with "" all.
func (c *Client) PauseActs(ctx context.Context, platform, reason string) (review.SwitchAnswer, error) {
	var out review.SwitchAnswer
	err := c.post(ctx, &out, api.ActsBody{Platform: platform, Reason: reason}, "", "acts", "pause")
	return out, err
}

// ResumeActs lets acts go on.
func (c *Client) ResumeActs(ctx context.Context, platform, reason string) (review.SwitchAnswer, error) {
	var out review.SwitchAnswer
	err := c.post(ctx, &out, api.ActsBody{Platform: platform, Reason: reason}, "", "acts", "resume")
	return out, err
}

// Settle says how an uncertain act ended.
func (c *Client) Settle(ctx context.Context, call review.SettleCall) (review.SettleAnswer, error) {
	outcome := api.OutcomeNotDone
	if call.Done {
		outcome = api.OutcomeDone
	}
	var out review.SettleAnswer
	err := c.post(ctx, &out, api.SettleBody{
		Decision: call.Decision, Number: call.Number, Direction: call.Direction, Outcome: outcome, Reason: call.Reason,
	}, call.Key, "acts", "settle")
	return out, err
}

// Switches shows switches and breakers.
func (c *Client) Switches(ctx context.Context) (review.SwitchesView, error) {
	var out review.SwitchesView
	err := c.get(ctx, &out, nil, "switches")
	return out, err
}

// Banner is what every page says of switches.
func (c *Client) Banner(ctx context.Context) (review.Banner, error) {
	var out review.Banner
	err := c.get(ctx, &out, nil, "banner")
	return out, err
}

// SetAutomation lets automatic rules decide, or stops them.
func (c *Client) SetAutomation(ctx context.Context, on bool, reason string) (review.SwitchView, error) {
	var out review.SwitchView
	err := c.post(ctx, &out, api.AutomationBody{On: &on, Reason: reason}, "", "automation")
	return out, err
}

// Breakers lists breakers.
func (c *Client) Breakers(ctx context.Context) ([]review.BreakerView, error) {
	var out api.BreakerList
	err := c.get(ctx, &out, nil, "breakers")
	return out.Breakers, err
}

// ArmBreaker arms a breaker that tripped.
func (c *Client) ArmBreaker(ctx context.Context, rule string) (review.BreakerView, error) {
	var out review.BreakerView
	err := c.post(ctx, &out, nil, "", "breakers", rule, "arm")
	return out, err
}
