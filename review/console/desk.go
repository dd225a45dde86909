package console

import (
	"context"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

// Desk is what the pages ask of the review desk; *review.Desk has it.
type Desk interface {
	cases
	judging
	handling
	keeping
	appeals
	acts
	staff
	Watch(ctx context.Context, who access.Who) (<-chan review.Change, error)
	Views(ctx context.Context, who access.Who, ref casefile.CaseRef, after int64, limit int) ([]review.ViewRow, int64, error)
	Refusals(ctx context.Context, who access.Who, after int64, limit int) ([]review.RefusalRow, int64, error)
	Refuse(ctx context.Context, r review.Refusal) error
}

// cases finds and shows cases.
type cases interface {
	Queues(ctx context.Context, who access.Who) ([]review.QueueView, error)
	QueueCases(ctx context.Context, who access.Who, queue, cursor string, limit int) (review.CasePage, error)
	Held(ctx context.Context, who access.Who) ([]review.CaseRow, error)
	HandedTo(ctx context.Context, who access.Who) ([]review.CaseRow, error)
	ListCases(ctx context.Context, who access.Who, state casefile.State, cursor string, limit int) (review.CasePage, error)
	Find(ctx context.Context, who access.Who, q review.Query) (review.CasePage, error)
	Case(ctx context.Context, who access.Who, ref casefile.CaseRef, purpose string) (review.CaseView, error)
	Standing(ctx context.Context, who access.Who, ref casefile.CaseRef) (review.Standing, error)
	Proof(ctx context.Context, who access.Who, ref casefile.CaseRef) (casefile.Bundle, error)
}

// judging takes cases and decides them.
type judging interface {
	Next(ctx context.Context, who access.Who, queue, key string) (review.VerbAnswer, bool, error)
	Claim(ctx context.Context, who access.Who, call review.VerbCall) (review.VerbAnswer, error)
	Heartbeat(ctx context.Context, who access.Who, call review.VerbCall, claim int) (review.VerbAnswer, error)
	Release(ctx context.Context, who access.Who, call review.VerbCall, claim int) (review.VerbAnswer, error)
	Comment(ctx context.Context, who access.Who, call review.VerbCall, text string) (review.VerbAnswer, error)
	Preview(ctx context.Context, who access.Who, call review.PreviewCall) (review.Preview, error)
	Opinion(ctx context.Context, who access.Who, call review.OpinionCall) (review.VerbAnswer, error)
	Withdraw(ctx context.Context, who access.Who, call review.VerbCall, decision string) (review.VerbAnswer, error)
	Close(ctx context.Context, who access.Who, call review.CloseCall) (review.VerbAnswer, error)
	Reopen(ctx context.Context, who access.Who, call review.VerbCall) (review.Reopened, error)
}

// handling is what people do with a case beside judging it.
type handling interface {
	Snooze(ctx context.Context, who access.Who, call review.VerbCall, claim int, until time.Time) (review.VerbAnswer, error)
	Hold(ctx context.Context, who access.Who, call review.VerbCall, claim int, until time.Time) (review.VerbAnswer, error)
	HandOver(ctx context.Context, who access.Who, call review.HandOverCall) (review.VerbAnswer, error)
	Takers(ctx context.Context, who access.Who, ref casefile.CaseRef) ([]review.Taker, error)
	Escalate(ctx context.Context, who access.Who, call review.EscalateCall) (review.VerbAnswer, error)
	Refer(ctx context.Context, who access.Who, call review.ReferCall) (review.VerbAnswer, error)
	MoveDeadline(ctx context.Context, who access.Who, call review.DeadlineCall) (review.VerbAnswer, error)
	ForceRelease(ctx context.Context, who access.Who, call review.VerbCall, reason string) (review.VerbAnswer, error)
	BreakGlass(ctx context.Context, who access.Who, ref casefile.CaseRef, reason string, lasts time.Duration) (review.GlassView, error)
}

// keeping puts holds on accounts and erases them.
type keeping interface {
	AddHold(ctx context.Context, who access.Who, call review.HoldCall) (review.HoldView, error)
	EndHold(ctx context.Context, who access.Who, call review.EndHoldCall) (review.HoldView, error)
	Erase(ctx context.Context, who access.Who, call review.EraseCall) (review.ErasureView, error)
}

// appeals decides on appeals.
type appeals interface {
	OpenAppeals(ctx context.Context, who access.Who, state casefile.AppealState, cursor string, limit int) (review.AppealPage, error)
	Appeal(ctx context.Context, who access.Who, id string) (review.AppealView, error)
	NextAppeal(ctx context.Context, who access.Who, key string) (review.AppealAnswer, bool, error)
	ClaimAppeal(ctx context.Context, who access.Who, call review.AppealCall) (review.AppealAnswer, error)
	ReleaseAppeal(ctx context.Context, who access.Who, call review.AppealCall, claim int) (review.AppealAnswer, error)
	PreviewRuling(ctx context.Context, who access.Who, appeal string, form casefile.AppealForm) (review.Preview, error)
	RuleAppeal(ctx context.Context, who access.Who, call review.RuleAppealCall) (review.AppealAnswer, error)
}

// acts shows, stops and settles what is done on platforms, and what rules do by themselves.
type acts interface {
	PendingActs(ctx context.Context, who access.Who, platform string, stage records.ActStage, cursor string, limit int) (review.ActPage, error)
	Settle(ctx context.Context, who access.Who, call review.SettleCall) (review.SettleAnswer, error)
	Banner(ctx context.Context, who access.Who) (review.Banner, error)
	Switches(ctx context.Context, who access.Who) (review.SwitchesView, error)
	PauseActs(ctx context.Context, who access.Who, platform, reason string) (review.SwitchAnswer, error)
	ResumeActs(ctx context.Context, who access.Who, platform, reason string) (review.SwitchAnswer, error)
	SetAutomation(ctx context.Context, who access.Who, on bool, reason string) (review.SwitchView, error)
	ArmBreaker(ctx context.Context, who access.Who, rule string) (review.BreakerView, error)
	Reconcile(ctx context.Context, who access.Who) (review.ReconcileAnswer, error)
}

// staff manages people, and what they did by exception.
type staff interface {
	Names(ctx context.Context, who access.Who, people ...casefile.Person) (map[casefile.Person]string, error)
	People(ctx context.Context, who access.Who) ([]review.PersonView, error)
	AddPerson(ctx context.Context, who access.Who, call review.NewPersonCall) (review.Introduced, error)
	DisablePerson(ctx context.Context, who access.Who, name string) (review.Disabled, error)
	EnablePerson(ctx context.Context, who access.Who, name string) (review.PersonView, error)
	ResetPerson(ctx context.Context, who access.Who, name string) (review.Introduced, error)
	BrokenGlass(ctx context.Context, who access.Who, open bool, limit int) (review.GlassPage, error)
	ReviewGlass(ctx context.Context, who access.Who, id string, justified bool) error
}

var _ Desk = (*review.Desk)(nil)

// Sessions is what the pages ask of package access; *access.Access has it.
type Sessions interface {
	UseLogin(ctx context.Context, code string) (access.Login, error)
	Session(ctx context.Context, session string) (access.Who, error)
	Logout(ctx context.Context, session string) error
}

var _ Sessions = (*access.Access)(nil)
