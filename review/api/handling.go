package api

import (
	"context"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// UntilBody puts a case off, or keeps it, until a time.
type UntilBody struct {
	Claim int       `json:"claim" doc:"Number of the claim"`
	Until time.Time `json:"until" doc:"A time ahead"`
}

// HandOverBody gives a case to a person or to a queue.
type HandOverBody struct {
	Claim  int    `json:"claim" doc:"Number of the claim"`
	To     string `json:"to,omitempty" doc:"Login or pseudonym; either this or a queue"`
	Queue  string `json:"queue,omitempty"`
	Reason string `json:"reason" doc:"1 to 4000 characters; sealed"`
}

// EscalateBody gives a case to the lead's queue.
type EscalateBody struct {
	ThreatToLife bool   `json:"threat_to_life,omitempty" doc:"Somebody's life is in danger: the case jumps every queue and people are paged"`
	Reason       string `json:"reason" doc:"1 to 4000 characters; sealed"`
}

// DeadlineBody moves a deadline.
type DeadlineBody struct {
	Deadline casefile.DeadlineKind `json:"deadline" enum:"touch,decision"`
	To       time.Time             `json:"to" doc:"A time at most 90 days ahead"`
	Reason   string                `json:"reason" doc:"1 to 4000 characters; sealed"`
}

// ReasonBody says why.
type ReasonBody struct {
	Reason string `json:"reason" doc:"1 to 4000 characters; sealed"`
}

// ReferBody refers a case to another team.
type ReferBody struct {
	Claim  int                   `json:"claim" doc:"Number of the claim"`
	Kind   casefile.ReferralKind `json:"kind" enum:"child_safety,self_harm,legal,policy_team"`
	Reason string                `json:"reason" doc:"What the team needs to know: 1 to 4000 characters; sealed"`
}

func (a *API) snooze(ctx context.Context, who access.Who, in *verbBodyInput, body UntilBody) (review.VerbAnswer, error) {
	return a.o.Desk.Snooze(ctx, who, in.call(), body.Claim, body.Until)
}

func (a *API) hold(ctx context.Context, who access.Who, in *verbBodyInput, body UntilBody) (review.VerbAnswer, error) {
	return a.o.Desk.Hold(ctx, who, in.call(), body.Claim, body.Until)
}

// TakerList is the answer with those to whom a case may be handed over.
type TakerList struct {
	Takers []review.Taker `json:"takers"`
}

func (a *API) takers(ctx context.Context, who access.Who, in *Named) (TakerList, error) {
	takers, err := a.o.Desk.Takers(ctx, who, in.ref())
	return TakerList{Takers: takers}, err
}

func (a *API) handOver(ctx context.Context, who access.Who, in *verbBodyInput, body HandOverBody) (review.VerbAnswer, error) {
	return a.o.Desk.HandOver(ctx, who, review.HandOverCall{
		VerbCall: in.call(), Claim: body.Claim, To: body.To, Queue: body.Queue, Reason: body.Reason,
	})
}

func (a *API) escalate(ctx context.Context, who access.Who, in *verbBodyInput, body EscalateBody) (review.VerbAnswer, error) {
	return a.o.Desk.Escalate(ctx, who, review.EscalateCall{VerbCall: in.call(), Threat: body.ThreatToLife, Reason: body.Reason})
}

func (a *API) moveDeadline(ctx context.Context, who access.Who, in *verbBodyInput, body DeadlineBody) (review.VerbAnswer, error) {
	return a.o.Desk.MoveDeadline(ctx, who, review.DeadlineCall{VerbCall: in.call(), Deadline: body.Deadline, To: body.To, Reason: body.Reason})
}

func (a *API) forceRelease(ctx context.Context, who access.Who, in *verbBodyInput, body ReasonBody) (review.VerbAnswer, error) {
	return a.o.Desk.ForceRelease(ctx, who, in.call(), body.Reason)
}

func (a *API) refer(ctx context.Context, who access.Who, in *verbBodyInput, body ReferBody) (review.VerbAnswer, error) {
	return a.o.Desk.Refer(ctx, who, review.ReferCall{VerbCall: in.call(), Claim: body.Claim, Kind: body.Kind, Reason: body.Reason})
}
