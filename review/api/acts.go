package api

import (
	"context"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

type actsInput struct {
	Platform string `query:"platform" doc:"Only acts on this platform"`
	Stage    string `query:"stage" doc:"waiting, retrying, uncertain or failed; all if left out"`
	Page
}

func (a *API) acts(ctx context.Context, who access.Who, in *actsInput) (review.ActPage, error) {
	return a.o.Desk.PendingActs(ctx, who, in.Platform, records.ActStage(in.Stage), in.Cursor, in.Limit)
}

// ActsBody names the acts to stop or to let go on, and says why.
type ActsBody struct {
	Platform string `json:"platform,omitempty" doc:"Only acts on this platform; left out, all acts"`
	Reason   string `json:"reason" doc:"1 to 4000 characters; sealed"`
}

func (a *API) pauseActs(ctx context.Context, who access.Who, _ *bodyInput, body ActsBody) (review.SwitchAnswer, error) {
	return a.o.Desk.PauseActs(ctx, who, body.Platform, body.Reason)
}

func (a *API) resumeActs(ctx context.Context, who access.Who, _ *bodyInput, body ActsBody) (review.SwitchAnswer, error) {
	return a.o.Desk.ResumeActs(ctx, who, body.Platform, body.Reason)
}

// Outcome is what a person found of an uncertain act.
type Outcome string

// The outcomes.
const (
	OutcomeDone    Outcome = "done"
	OutcomeNotDone Outcome = "not_done"
)

// SettleBody says how an uncertain act ended.
type SettleBody struct {
	Decision  string             `json:"decision"`
	Number    int                `json:"number" doc:"The act's, from 1"`
	Direction casefile.Direction `json:"direction" enum:"do,undo"`
	Outcome   Outcome            `json:"outcome" enum:"done,not_done" doc:"Whether it happened"`
	Reason    string             `json:"reason" doc:"What was looked at, and what was seen: 1 to 4000 characters; sealed"`
}

func (a *API) settleAct(ctx context.Context, who access.Who, in *keyedBody, body SettleBody) (review.SettleAnswer, error) {
	if body.Outcome != OutcomeDone && body.Outcome != OutcomeNotDone {
		return review.SettleAnswer{}, casefile.Invalid("outcome", "required: done or not_done")
	}
	return a.o.Desk.Settle(ctx, who, review.SettleCall{
		Decision: body.Decision, Number: body.Number, Direction: body.Direction, Done: body.Outcome == OutcomeDone, Reason: body.Reason, Key: in.Key,
	})
}

func (a *API) switches(ctx context.Context, who access.Who, _ *struct{}) (review.SwitchesView, error) {
	return a.o.Desk.Switches(ctx, who)
}

func (a *API) banner(ctx context.Context, who access.Who, _ *struct{}) (review.Banner, error) {
	return a.o.Desk.Banner(ctx, who)
}

// AutomationBody lets automatic rules decide, or stops them.
type AutomationBody struct {
	On     *bool  `json:"on" doc:"Required"`
	Reason string `json:"reason" doc:"1 to 4000 characters; sealed"`
}

func (a *API) automation(ctx context.Context, who access.Who, _ *bodyInput, body AutomationBody) (review.SwitchView, error) {
	if body.On == nil {
		return review.SwitchView{}, casefile.Invalid("on", "required: true or false")
	}
	return a.o.Desk.SetAutomation(ctx, who, *body.On, body.Reason)
}

// BreakerList is the answer with all breakers.
type BreakerList struct {
	Breakers []review.BreakerView `json:"breakers"`
}

func (a *API) breakers(ctx context.Context, who access.Who, _ *struct{}) (BreakerList, error) {
	breakers, err := a.o.Desk.Breakers(ctx, who)
	return BreakerList{Breakers: breakers}, err
}

type breakerNamed struct {
	Rule string `path:"rule" maxLength:"100"`
}

func (a *API) armBreaker(ctx context.Context, who access.Who, in *breakerNamed) (review.BreakerView, error) {
	return a.o.Desk.ArmBreaker(ctx, who, in.Rule)
}
