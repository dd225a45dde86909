package api

import (
	"context"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// AppealBody hands an appeal in.
type AppealBody struct {
	Notice string `json:"notice" doc:"The number printed on the notice of the decision"`
	Words  string `json:"words" doc:"The complaint: 1 to 8000 characters; sealed"`
}

// RulingBody decides an appeal: the form's own fields, what fences it, and the preview confirmed.
type RulingBody struct {
	casefile.AppealForm
	Claim   int    `json:"claim" doc:"Number of the claim"`
	Preview string `json:"preview,omitempty" doc:"Token of the preview that the person confirmed"`
}

// AppealNamed is the appeal of an address.
type AppealNamed struct {
	Appeal string `path:"appeal" maxLength:"64"`
}

// AppealInput is the input of a verb on an appeal without a body.
type AppealInput struct {
	AppealNamed
	Keyed
}

func (v AppealInput) call() review.AppealCall {
	return review.AppealCall{Appeal: v.Appeal, Key: v.Key}
}

// appealBodyInput is the input of a verb on an appeal with a body.
type appealBodyInput struct {
	AppealInput
	RawBody []byte
}

func (v appealBodyInput) raw() []byte { return v.RawBody }

// keyedBody is a body with an idempotency key.
type keyedBody struct {
	Keyed
	RawBody []byte
}

func (b keyedBody) raw() []byte { return b.RawBody }

func (a *API) openAppeal(ctx context.Context, who access.Who, in *keyedBody, body AppealBody) (review.AppealOpened, error) {
	return a.o.Desk.OpenAppeal(ctx, who, review.OpenAppealCall{Number: body.Notice, Words: body.Words, Key: in.Key})
}

type appealsInput struct {
	State string `query:"state" doc:"open, claimed, decided, rejected, upheld, reinstated or incomplete; all if left out"`
	Page
}

func (a *API) appeals(ctx context.Context, who access.Who, in *appealsInput) (review.AppealPage, error) {
	return a.o.Desk.OpenAppeals(ctx, who, casefile.AppealState(in.State), in.Cursor, in.Limit)
}

func (a *API) showAppeal(ctx context.Context, who access.Who, in *AppealNamed) (review.AppealView, error) {
	return a.o.Desk.Appeal(ctx, who, in.Appeal)
}

// NextAppeal is the answer to whoever asked for the next appeal.
type NextAppeal struct {
	Claimed *review.AppealAnswer `json:"claimed,omitempty" doc:"The claimed appeal; left out when there is none for the caller"`
}

func (a *API) nextAppeal(ctx context.Context, who access.Who, in *Keyed) (NextAppeal, error) {
	claimed, ok, err := a.o.Desk.NextAppeal(ctx, who, in.Key)
	if err != nil || !ok {
		return NextAppeal{}, err
	}
	return NextAppeal{Claimed: &claimed}, nil
}

func (a *API) claimAppeal(ctx context.Context, who access.Who, in *AppealInput) (review.AppealAnswer, error) {
	return a.o.Desk.ClaimAppeal(ctx, who, in.call())
}

func (a *API) releaseAppeal(ctx context.Context, who access.Who, in *appealBodyInput, body ClaimBody) (review.AppealAnswer, error) {
	return a.o.Desk.ReleaseAppeal(ctx, who, in.call(), body.Claim)
}

func (a *API) previewRuling(ctx context.Context, who access.Who, in *appealBodyInput, form casefile.AppealForm) (review.Preview, error) {
	return a.o.Desk.PreviewRuling(ctx, who, in.Appeal, form)
}

func (a *API) ruleAppeal(ctx context.Context, who access.Who, in *appealBodyInput, body RulingBody) (review.AppealAnswer, error) {
	return a.o.Desk.RuleAppeal(ctx, who, review.RuleAppealCall{
		AppealCall: in.call(), Claim: body.Claim, Form: body.AppealForm, Preview: body.Preview,
	})
}
