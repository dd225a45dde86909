package client

import (
	"context"
	"strconv"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
)

func accountBody(n review.AccountNamed) api.AccountBody {
	return api.AccountBody{Case: n.Case, Platform: n.Platform, Account: n.Account}
}

// AddHold puts a legal hold on an account.
func (c *Client) AddHold(ctx context.Context, call review.HoldCall) (review.HoldView, error) {
	var out review.HoldView
	err := c.post(ctx, &out, api.HoldBody{AccountBody: accountBody(call.AccountNamed), Basis: call.Basis, Until: call.Until}, call.Key, "holds")
	return out, err
}

// EndHold ends a legal hold.
func (c *Client) EndHold(ctx context.Context, call review.EndHoldCall) (review.HoldView, error) {
	var out review.HoldView
	err := c.post(ctx, &out, api.EndHoldBody{AccountBody: accountBody(call.AccountNamed), Hold: call.Hold, Reason: call.Reason}, "", "holds", "end")
	return out, err
}

// Holds lists the holds that stand, or with a case all of its account's.
func (c *Client) Holds(ctx context.Context, ref casefile.CaseRef) ([]review.HoldView, error) {
	var out api.HoldList
	err := c.get(ctx, &out, values("case", string(ref)), "holds")
	return out.Holds, err
}

// Erase asks for an account's erasure.
func (c *Client) Erase(ctx context.Context, call review.EraseCall) (review.ErasureView, error) {
	var out review.ErasureView
	err := c.post(ctx, &out, api.EraseBody{AccountBody: accountBody(call.AccountNamed), Reason: call.Reason}, call.Key, "erasures")
	return out, err
}

// Erasure shows one erasure.
func (c *Client) Erasure(ctx context.Context, id string) (review.ErasureView, error) {
	var out review.ErasureView
	err := c.get(ctx, &out, nil, "erasures", id)
	return out, err
}

// Erasures lists erasures behind a sequence number; next is 0 on the last page.
func (c *Client) Erasures(ctx context.Context, after int64, limit int) (list []review.ErasureView, next int64, err error) {
	var out api.ErasureList
	err = c.get(ctx, &out, values("after", strconv.FormatInt(after, 10), "limit", strconv.Itoa(limit)), "erasures")
	return out.Erasures, out.Next, err
}

// ErasedAccounts tells which accounts a detector must forget, behind a sequence number, and where to go on.
func (c *Client) ErasedAccounts(ctx context.Context, after int64) (list []review.ErasedAccount, next int64, err error) {
	var out api.ErasedAccountList
	err = c.get(ctx, &out, values("after", strconv.FormatInt(after, 10)), "erasures", "accounts")
	return out.Accounts, out.Next, err
}
