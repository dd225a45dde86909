package api

import (
	"context"
	"net/http"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// erasureRoutes are the rows of the table about keeping and erasing an account's data.
var erasureRoutes = []Route{
	{Method: http.MethodGet, Path: "/v1/holds", Name: "hold.list", Permission: access.ErasureRead,
		Summary: "Legal holds that stand; with a case named, all of its account's", register: answer((*API).holds)},
	{Method: http.MethodPost, Path: "/v1/holds", Name: "hold.add", Permission: access.HoldManage,
		Summary: "Put a legal hold on an account: nothing of it is erased while it stands", register: answerBody((*API).addHold), body: HoldBody{}},
	{Method: http.MethodPost, Path: "/v1/holds/end", Name: "hold.end", Permission: access.HoldManage,
		Summary: "End a legal hold", register: answerBody((*API).endHold), body: EndHoldBody{}},
	{Method: http.MethodGet, Path: "/v1/erasures", Name: "erasure.list", Permission: access.ErasureRead,
		Summary: "Erasures and how far they have come, in the order in which they were asked for", register: answer((*API).erasures)},
	{Method: http.MethodPost, Path: "/v1/erasures", Name: "account.erase", Permission: access.AccountErase,
		Summary: "Erase an account; refused, with every reason in faults, while something is outstanding", register: answerBody((*API).erase), body: EraseBody{}},
	{Method: http.MethodGet, Path: "/v1/erasures/accounts", Name: "erasure.accounts", Permission: access.ErasureWatch,
		Summary: "Which accounts a detector must forget, by their keyed hashes", register: answer((*API).erasedAccounts)},
	{Method: http.MethodGet, Path: "/v1/erasures/{erasure}", Name: "erasure.show", Permission: access.ErasureRead,
		Summary: "One erasure", register: answer((*API).erasure)},
}

// AccountBody names an account: by one of its cases, or by platform and account id.
type AccountBody struct {
	Case     casefile.CaseRef `json:"case,omitempty" doc:"Number of one of the account's cases; either this, or platform and account"`
	Platform string           `json:"platform,omitempty"`
	Account  string           `json:"account,omitempty" doc:"The account's id on the platform"`
}

func (b AccountBody) named() review.AccountNamed {
	return review.AccountNamed{Case: b.Case, Platform: b.Platform, Account: b.Account}
}

// HoldBody puts a legal hold on an account.
type HoldBody struct {
	AccountBody
	Basis string    `json:"basis" doc:"Which order or law asks for it: 1 to 4000 characters; sealed"`
	Until time.Time `json:"until" doc:"A time ahead"`
}

// EndHoldBody ends a legal hold.
type EndHoldBody struct {
	AccountBody
	Hold   string `json:"hold,omitempty" doc:"Left out, the only one that stands on the account"`
	Reason string `json:"reason" doc:"1 to 4000 characters; sealed"`
}

// EraseBody asks for an account's erasure.
type EraseBody struct {
	AccountBody
	Reason string `json:"reason" doc:"1 to 4000 characters; sealed, and kept: name nobody in it"`
}

// HoldList is the answer with holds.
type HoldList struct {
	Holds []review.HoldView `json:"holds"`
}

// ErasureList is one page of erasures.
type ErasureList struct {
	Erasures []review.ErasureView `json:"erasures"`
	Next     int64                `json:"next,omitempty"`
}

// ErasedAccountList is one page of accounts to be forgotten. Next is where to go on.
type ErasedAccountList struct {
	Accounts []review.ErasedAccount `json:"accounts"`
	Next     int64                  `json:"next"`
}

type holdsInput struct {
	Case string `query:"case" maxLength:"20" doc:"Number of a case"`
}

func (a *API) holds(ctx context.Context, who access.Who, in *holdsInput) (HoldList, error) {
	holds, err := a.o.Desk.Holds(ctx, who, casefile.CaseRef(in.Case))
	return HoldList{Holds: holds}, err
}

func (a *API) addHold(ctx context.Context, who access.Who, in *keyedBody, body HoldBody) (review.HoldView, error) {
	return a.o.Desk.AddHold(ctx, who, review.HoldCall{AccountNamed: body.named(), Basis: body.Basis, Until: body.Until, Key: in.Key})
}

func (a *API) endHold(ctx context.Context, who access.Who, _ *bodyInput, body EndHoldBody) (review.HoldView, error) {
	return a.o.Desk.EndHold(ctx, who, review.EndHoldCall{AccountNamed: body.named(), Hold: body.Hold, Reason: body.Reason})
}

func (a *API) erase(ctx context.Context, who access.Who, in *keyedBody, body EraseBody) (review.ErasureView, error) {
	return a.o.Desk.Erase(ctx, who, review.EraseCall{AccountNamed: body.named(), Reason: body.Reason, Key: in.Key})
}

type afterInput struct {
	After int64 `query:"after" minimum:"0" doc:"Go on behind this number"`
	Limit int   `query:"limit" minimum:"0" maximum:"200"`
}

func (a *API) erasures(ctx context.Context, who access.Who, in *afterInput) (ErasureList, error) {
	list, next, err := a.o.Desk.Erasures(ctx, who, in.After, in.Limit)
	return ErasureList{Erasures: list, Next: next}, err
}

func (a *API) erasedAccounts(ctx context.Context, who access.Who, in *afterInput) (ErasedAccountList, error) {
	list, next, err := a.o.Desk.ErasedAccounts(ctx, who, in.After, in.Limit)
	return ErasedAccountList{Accounts: list, Next: next}, err
}

type erasureNamed struct {
	Erasure string `path:"erasure" maxLength:"100"`
}

func (a *API) erasure(ctx context.Context, who access.Who, in *erasureNamed) (review.ErasureView, error) {
	return a.o.Desk.Erasure(ctx, who, in.Erasure)
}
