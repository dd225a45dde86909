package review

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// PendingActView is an act that has not come to a good end: codes only.
type PendingActView struct {
	ActView
	Case     casefile.CaseRef `json:"case"`
	Platform string           `json:"platform"`
	Stage    records.ActStage `json:"stage"`
	// AgeSeconds is how long ago it was planned.
	AgeSeconds int `json:"age_seconds"`
}

// ActPage is one page of acts.
type ActPage struct {
	Acts []PendingActView `json:"acts"`
	Next string           `json:"next,omitempty"`
}

// PendingActs lists the acts that have not come to a good end, of a platform ("" for all) and a stage
// ("" for all), the longest waiting first.
func (d *Desk) PendingActs(ctx context.Context, who access.Who, platform string, stage records.ActStage, cursor string, limit int) (ActPage, error) {
	err := who.Require(access.ActList)
	if err != nil {
		return ActPage{}, err
	}
	if platform != "" && !casefile.ValidPlatform(platform) {
		return ActPage{}, casefile.Invalid("platform", "not the name of a platform")
	}
	switch stage {
	case "", records.ActWaiting, records.ActRetrying, records.ActUncertain, records.ActFailed:
	default:
		return ActPage{}, casefile.Invalid("stage", "one of waiting, retrying, uncertain, failed")
	}
	acts, next, err := d.o.Records.PendingActs(ctx, platform, stage, cursor, pageLimit(limit))
	if err != nil {
		return ActPage{}, fmt.Errorf("list acts: %w", err)
	}
	page := ActPage{Acts: make([]PendingActView, 0, len(acts)), Next: next}
	for _, a := range acts {
		page.Acts = append(page.Acts, PendingActView{
			ActView: actView(a.ActRow), Case: a.Case, Platform: a.Platform, Stage: a.Stage,
			AgeSeconds: int(max(0, d.now().Sub(a.PlannedAt)/time.Second)),
		})
	}
	return page, nil
}

// SettleCall establishes the outcome of an uncertain act, by a person who looked.
type SettleCall struct {
	Decision  string
	Number    int
	Direction casefile.Direction
	Done      bool   // the act happened; else it did not
	Reason    string // words: what was looked at, and what was seen; sealed
	Key       string
}

// SettleAnswer is the act as it stands then.
type SettleAnswer struct {
	workflows.SettleResult
	// Key is the idempotency key under which the verb counts once; made here if the caller gave none.
	Key string `json:"verb_id"`
}

// Settle says how an uncertain act ended. The platform is asked once more where it can be; what it
// knows goes before what the person saw. CodeInvalid on fields decision, number, direction and reason;
// CodeState when the act is not uncertain; *Unknown.
func (d *Desk) Settle(ctx context.Context, who access.Who, call SettleCall) (SettleAnswer, error) {
	actor, err := who.ActorFor(access.ActSettle)
	if err != nil {
		return SettleAnswer{}, err
	}
	k, err := key(call.Key)
	if err != nil {
		return SettleAnswer{}, err
	}
	switch {
	case call.Number < 1:
		return SettleAnswer{}, casefile.Invalid("number", "acts count from 1")
	case call.Direction != casefile.Do && call.Direction != casefile.Undo:
		return SettleAnswer{}, casefile.Invalid("direction", "do or undo")
	}
	decision, err := d.decisionOf(ctx, call.Decision)
	if err != nil {
		return SettleAnswer{}, err
	}
	reason, err := d.reason(ctx, decision.Account, call.Reason)
	if err != nil {
		return SettleAnswer{}, err
	}
	act := casefile.Act{Decision: decision.ID, Number: call.Number}
	id, err := d.verbID(who.Person, workflows.UpdateSettle, act.Key(call.Direction)+" "+strconv.FormatBool(call.Done), k)
	if err != nil {
		return SettleAnswer{}, err
	}
	runs, err := d.runsOf(ctx, decision, call.Direction)
	if err != nil {
		return SettleAnswer{}, err
	}
	verb := workflows.Verb{ID: id, Case: decision.Case, Actor: actor}
	for _, r := range runs {
		var args workflows.SettleArgs
		args, err = signed(d, who, workflows.UpdateSettle, r.chain, verb, func(v workflows.Verb) workflows.SettleArgs {
			return workflows.SettleArgs{
				Verb: v, Decision: decision.ID, Number: call.Number, Direction: call.Direction, Done: call.Done, Reason: reason,
			}
		})
		if err != nil {
			return SettleAnswer{}, err
		}
		var result workflows.SettleResult
		result, err = d.settle(ctx, r.appeal, k, args)
		if err == nil {
			return SettleAnswer{SettleResult: result, Key: k}, nil
		}
		if casefile.ErrorCode(err) != casefile.CodeState {
			return SettleAnswer{}, err
		}
	}
	return SettleAnswer{}, err
}

func (d *Desk) settle(ctx context.Context, appeal, k string, args workflows.SettleArgs) (workflows.SettleResult, error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.VerbTimeout)
	defer cancel()
	result, err := d.o.Workflows.UpdateSettle(ctx, args.Case, appeal, args)
	if err != nil {
		return workflows.SettleResult{}, outcome(ctx, k, err)
	}
	return result, nil
}

// decisionOf reads a decision; CodeInvalid on field decision where there is none.
func (d *Desk) decisionOf(ctx context.Context, id string) (casefile.Decision, error) {
	none := casefile.Invalid("decision", "there is no decision of this id")
	if id == "" || len(id) > maxNumberBytes {
		return casefile.Decision{}, none
	}
	row, err := d.o.Records.Decision(ctx, id)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return casefile.Decision{}, none
	}
	if err != nil {
		return casefile.Decision{}, fmt.Errorf("read a decision: %w", err)
	}
	return row.Decision, nil
}

// actRun is a workflow that acts for a decision: the takedown, or the reinstatement of an appeal.
type actRun struct{ appeal, chain string }

// runsOf lists the workflows that may wait for the outcome of an act. Undoing is the reinstatement's
// that an appeal brought about, or the takedown's own, where a timed act came to its end.
func (d *Desk) runsOf(ctx context.Context, decision casefile.Decision, direction casefile.Direction) ([]actRun, error) {
	takedown := actRun{chain: casefile.TakedownChain(decision.ID)}
	if direction == casefile.Do {
		return []actRun{takedown}, nil
	}
	appeals, err := d.o.Records.DecisionAppeals(ctx, decision.ID)
	if err != nil {
		return nil, fmt.Errorf("read a decision's appeals: %w", err)
	}
	var runs []actRun
	for _, a := range appeals {
		switch a.State {
		case casefile.AppealUpheld, casefile.AppealIncomplete, casefile.AppealReinstated:
			runs = append(runs, actRun{a.ID, casefile.ReinstatementChain(a.ID)})
		}
	}
	return append(runs, takedown), nil
}
