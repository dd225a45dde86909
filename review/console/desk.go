package console

import (
	"context"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// Desk is what the pages ask of the review desk; *review.Desk has it.
type Desk interface {
	Queues(ctx context.Context, who access.Who) ([]review.QueueView, error)
	QueueCases(ctx context.Context, who access.Who, queue, cursor string, limit int) (review.CasePage, error)
	Held(ctx context.Context, who access.Who) ([]review.CaseRow, error)
	ListCases(ctx context.Context, who access.Who, state casefile.State, cursor string, limit int) (review.CasePage, error)
	Find(ctx context.Context, who access.Who, q review.Query) (review.CasePage, error)
	Next(ctx context.Context, who access.Who, queue, key string) (review.VerbAnswer, bool, error)
	Case(ctx context.Context, who access.Who, ref casefile.CaseRef, purpose string) (review.CaseView, error)
	Standing(ctx context.Context, who access.Who, ref casefile.CaseRef) (review.Standing, error)
	Claim(ctx context.Context, who access.Who, call review.VerbCall) (review.VerbAnswer, error)
	Heartbeat(ctx context.Context, who access.Who, call review.VerbCall, claim int) (review.VerbAnswer, error)
	Release(ctx context.Context, who access.Who, call review.VerbCall, claim int) (review.VerbAnswer, error)
	Comment(ctx context.Context, who access.Who, call review.VerbCall, text string) (review.VerbAnswer, error)
	Preview(ctx context.Context, who access.Who, ref casefile.CaseRef, form casefile.OpinionForm) (review.Preview, error)
	Opinion(ctx context.Context, who access.Who, call review.OpinionCall) (review.VerbAnswer, error)
	Withdraw(ctx context.Context, who access.Who, call review.VerbCall, decision string) (review.VerbAnswer, error)
	Close(ctx context.Context, who access.Who, call review.CloseCall) (review.VerbAnswer, error)
	Reopen(ctx context.Context, who access.Who, call review.VerbCall) (review.Reopened, error)
	Proof(ctx context.Context, who access.Who, ref casefile.CaseRef) (casefile.Bundle, error)
	Views(ctx context.Context, who access.Who, ref casefile.CaseRef, after int64, limit int) ([]review.ViewRow, int64, error)
	Refusals(ctx context.Context, who access.Who, after int64, limit int) ([]review.RefusalRow, int64, error)
	Refuse(ctx context.Context, r review.Refusal) error
}

var _ Desk = (*review.Desk)(nil)

// Sessions is what the pages ask of package access; *access.Access has it.
type Sessions interface {
	UseLogin(ctx context.Context, code string) (access.Login, error)
	Session(ctx context.Context, session string) (access.Who, error)
	Logout(ctx context.Context, session string) error
}

var _ Sessions = (*access.Access)(nil)
