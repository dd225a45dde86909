package api

import (
	"context"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// Page are the parameters of a list.
type Page struct {
	Cursor string `query:"cursor" doc:"The next of an earlier page"`
	Limit  int    `query:"limit" minimum:"0" maximum:"200" doc:"Rows on the page; 50 if left out"`
}

// Keyed is the header of every verb.
type Keyed struct {
	Key string `header:"Idempotency-Key" maxLength:"200" doc:"The verb's id: the same verb with the same id counts once, however often it is sent"`
}

// Named is the case of an address.
type Named struct {
	Case string `path:"case" maxLength:"40" doc:"Case number, as people write it"`
}

func (n Named) ref() casefile.CaseRef { return casefile.CaseRef(n.Case) }

// VerbInput is the input of a verb without a body.
type VerbInput struct {
	Named
	Keyed
}

func (v VerbInput) call() review.VerbCall { return review.VerbCall{Case: v.ref(), Key: v.Key} }

// verbBodyInput is the input of a verb with a body.
type verbBodyInput struct {
	VerbInput
	RawBody []byte
}

func (v verbBodyInput) raw() []byte { return v.RawBody }

// bodyInput is a body alone.
type bodyInput struct {
	RawBody []byte
}

func (b bodyInput) raw() []byte { return b.RawBody }

// ClaimBody names the claim that a verb stands on.
type ClaimBody struct {
	Claim int `json:"claim" doc:"Number of the claim"`
}

// CommentBody is a comment.
type CommentBody struct {
	Text string `json:"text" doc:"1 to 4000 characters"`
}

// OpinionBody is an opinion: the form's own fields, what fences it, and the preview confirmed.
type OpinionBody struct {
	casefile.OpinionForm
	Claim            int    `json:"claim" doc:"Number of the claim"`
	EvidenceRevision int    `json:"evidence_revision" doc:"The case's evidence revision that the person had before their eyes"`
	Preview          string `json:"preview,omitempty" doc:"Token of the preview that the person confirmed"`
	Emergency        bool   `json:"emergency,omitempty" doc:"Order L5 at once, reviewed by somebody else within a day; a senior's or a lead's"`
}

// PreviewBody is an opinion that is not given yet.
type PreviewBody struct {
	casefile.OpinionForm
	Emergency bool `json:"emergency,omitempty" doc:"As in the opinion"`
}

// WithdrawBody names the decision to withdraw.
type WithdrawBody struct {
	Decision string `json:"decision,omitempty" doc:"The decision; left out, the one that stands"`
}

// CloseBody closes a case without a decision.
type CloseBody struct {
	Claim            int                  `json:"claim" doc:"Number of the claim"`
	EvidenceRevision int                  `json:"evidence_revision" doc:"The case's evidence revision that the person had before their eyes"`
	Reason           casefile.CloseReason `json:"reason" enum:"duplicate,out_of_scope,account_gone,test"`
}

// QueueList is the answer with all queues.
type QueueList struct {
	Queues []review.QueueView `json:"queues"`
}

func (a *API) queues(ctx context.Context, who access.Who, _ *struct{}) (QueueList, error) {
	queues, err := a.o.Desk.Queues(ctx, who)
	return QueueList{Queues: queues}, err
}

type queueInput struct {
	Queue string `path:"queue" maxLength:"100"`
	Page
}

func (a *API) queueCases(ctx context.Context, who access.Who, in *queueInput) (review.CasePage, error) {
	return a.o.Desk.QueueCases(ctx, who, in.Queue, in.Cursor, in.Limit)
}

type nextInput struct {
	Queue string `path:"queue" maxLength:"100"`
	Keyed
}

// Next is the answer of a queue that was asked for its next case.
type Next struct {
	Claimed *review.VerbAnswer `json:"claimed,omitempty" doc:"The claimed case; left out when none waits"`
}

func (a *API) next(ctx context.Context, who access.Who, in *nextInput) (Next, error) {
	claimed, ok, err := a.o.Desk.Next(ctx, who, in.Queue, in.Key)
	if err != nil || !ok {
		return Next{}, err
	}
	return Next{Claimed: &claimed}, nil
}

type listInput struct {
	State string `query:"state" doc:"new, queued, claimed, decided, proven or closed; all if left out"`
	Page
}

func (a *API) listCases(ctx context.Context, who access.Who, in *listInput) (review.CasePage, error) {
	return a.o.Desk.ListCases(ctx, who, casefile.State(in.State), in.Cursor, in.Limit)
}

func (a *API) findCases(ctx context.Context, who access.Who, _ *bodyInput, q review.Query) (review.CasePage, error) {
	return a.o.Desk.Find(ctx, who, q)
}

type showInput struct {
	Named
	Purpose string `query:"purpose" doc:"review, appeal, support, policy or audit; the caller's usual one if left out. break_glass stands in the answer where broken glass opened the case"`
}

func (a *API) showCase(ctx context.Context, who access.Who, in *showInput) (review.CaseView, error) {
	return a.o.Desk.Case(ctx, who, in.ref(), in.Purpose)
}

func (a *API) claim(ctx context.Context, who access.Who, in *VerbInput) (review.VerbAnswer, error) {
	return a.o.Desk.Claim(ctx, who, in.call())
}

func (a *API) heartbeat(ctx context.Context, who access.Who, in *verbBodyInput, body ClaimBody) (review.VerbAnswer, error) {
	return a.o.Desk.Heartbeat(ctx, who, in.call(), body.Claim)
}

func (a *API) release(ctx context.Context, who access.Who, in *verbBodyInput, body ClaimBody) (review.VerbAnswer, error) {
	return a.o.Desk.Release(ctx, who, in.call(), body.Claim)
}

func (a *API) comment(ctx context.Context, who access.Who, in *verbBodyInput, body CommentBody) (review.VerbAnswer, error) {
	return a.o.Desk.Comment(ctx, who, in.call(), body.Text)
}

func (a *API) preview(ctx context.Context, who access.Who, in *verbBodyInput, body PreviewBody) (review.Preview, error) {
	return a.o.Desk.Preview(ctx, who, review.PreviewCall{Case: in.ref(), Form: body.OpinionForm, Emergency: body.Emergency})
}

func (a *API) opinion(ctx context.Context, who access.Who, in *verbBodyInput, body OpinionBody) (review.VerbAnswer, error) {
	return a.o.Desk.Opinion(ctx, who, review.OpinionCall{
		VerbCall: in.call(), Claim: body.Claim, EvidenceRevision: body.EvidenceRevision, Form: body.OpinionForm, Preview: body.Preview,
		Emergency: body.Emergency,
	})
}

func (a *API) withdraw(ctx context.Context, who access.Who, in *verbBodyInput, body WithdrawBody) (review.VerbAnswer, error) {
	return a.o.Desk.Withdraw(ctx, who, in.call(), body.Decision)
}

func (a *API) closeCase(ctx context.Context, who access.Who, in *verbBodyInput, body CloseBody) (review.VerbAnswer, error) {
	return a.o.Desk.Close(ctx, who, review.CloseCall{
		VerbCall: in.call(), Claim: body.Claim, EvidenceRevision: body.EvidenceRevision, Reason: body.Reason,
	})
}

func (a *API) reopen(ctx context.Context, who access.Who, in *VerbInput) (review.Reopened, error) {
	return a.o.Desk.Reopen(ctx, who, in.call())
}

func (a *API) proof(ctx context.Context, who access.Who, in *Named) (casefile.Bundle, error) {
	return a.o.Desk.Proof(ctx, who, in.ref())
}
