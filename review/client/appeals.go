package client

import (
	"context"
	"strconv"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
)

// OpenAppeal hands an appeal in.
func (c *Client) OpenAppeal(ctx context.Context, call review.OpenAppealCall) (review.AppealOpened, error) {
	var out review.AppealOpened
	err := c.post(ctx, &out, api.AppealBody{Notice: call.Number, Words: call.Words}, call.Key, "appeals")
	return out, err
}

// Appeals lists appeals by state ("" for all), the one due first before the others.
func (c *Client) Appeals(ctx context.Context, state casefile.AppealState, cursor string, limit int) (review.AppealPage, error) {
	var out review.AppealPage
	err := c.get(ctx, &out, values("state", string(state), "cursor", cursor, "limit", strconv.Itoa(limit)), "appeals")
	return out, err
}

// Appeal opens an appeal with its case.
func (c *Client) Appeal(ctx context.Context, appeal string) (review.AppealView, error) {
	var out review.AppealView
	err := c.get(ctx, &out, nil, "appeals", appeal)
	return out, err
}

// NextAppeal claims the next appeal that the caller may decide; ok is false when there is none.
func (c *Client) NextAppeal(ctx context.Context, key string) (answer review.AppealAnswer, ok bool, err error) {
	var out api.NextAppeal
	err = c.post(ctx, &out, nil, key, "appeals", "next")
	if err != nil || out.Claimed == nil {
		return review.AppealAnswer{}, false, err
	}
	return *out.Claimed, true, nil
}

func (c *Client) appealVerb(ctx context.Context, call review.AppealCall, name string, body any) (review.AppealAnswer, error) {
	var out review.AppealAnswer
	err := c.post(ctx, &out, body, call.Key, "appeals", call.Appeal, name)
	return out, err
}

// ClaimAppeal claims an appeal.
func (c *Client) ClaimAppeal(ctx context.Context, call review.AppealCall) (review.AppealAnswer, error) {
	return c.appealVerb(ctx, call, "claim", nil)
}

// ReleaseAppeal gives an appeal back.
func (c *Client) ReleaseAppeal(ctx context.Context, call review.AppealCall, claim int) (review.AppealAnswer, error) {
	return c.appealVerb(ctx, call, "release", api.ClaimBody{Claim: claim})
}

// PreviewRuling says what a ruling would bring about.
func (c *Client) PreviewRuling(ctx context.Context, appeal string, form casefile.AppealForm) (review.Preview, error) {
	var out review.Preview
	err := c.post(ctx, &out, form, "", "appeals", appeal, "preview")
	return out, err
}

// RuleAppeal decides an appeal.
func (c *Client) RuleAppeal(ctx context.Context, call review.RuleAppealCall) (review.AppealAnswer, error) {
	return c.appealVerb(ctx, call.AppealCall, "rule", api.RulingBody{AppealForm: call.Form, Claim: call.Claim, Preview: call.Preview})
}
