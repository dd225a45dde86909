package reviewtest

import (
	"context"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// StartAppeal notes that an appeal's workflow was started.
func (w *Workflows) StartAppeal(ctx context.Context, appeal string) error {
	if w.Before != nil {
		err := w.Before(ctx, "start")
		if err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = append(w.started, appeal)
	return nil
}

// UpdateAppeal carries a verb on an appeal out.
func (w *Workflows) UpdateAppeal(ctx context.Context, appeal, name, verbID string, args any) (workflows.AppealResult, error) {
	return take(ctx, w, name, casefile.AppealChain(appeal), verbID, args, func() (workflows.AppealResult, error) { return w.applyAppeal(ctx, appeal, args) })
}

func (w *Workflows) applyAppeal(ctx context.Context, appeal string, args any) (workflows.AppealResult, error) {
	row, err := w.Records.Appeal(ctx, appeal)
	if err != nil {
		return workflows.AppealResult{}, err
	}
	v, err := head(args)
	if err != nil {
		return workflows.AppealResult{}, err
	}
	parts, err := w.Records.Parts(ctx, row.Case)
	switch {
	case err != nil:
		return workflows.AppealResult{}, err
	case !row.State.Open():
		return workflows.AppealResult{}, casefile.Errorf(casefile.CodeState, "this appeal is decided")
	case slices.ContainsFunc(parts, func(p records.PartRow) bool { return p.Person == v.Actor.Person }):
		return workflows.AppealResult{}, casefile.Errorf(casefile.CodeForbidden, "you took part in this case: somebody else decides the appeal")
	}
	now := w.Clock.Now()
	holds := func(number int) bool {
		return row.Claim.Live(now) && row.Claim.Number == number && row.Claim.Person == v.Actor.Person
	}
	stale := casefile.Errorf(casefile.CodeStaleClaim, "you do not hold this appeal any more; claim it again")
	switch a := args.(type) {
	case workflows.AppealClaimArgs:
		switch {
		case row.Claim.Live(now) && row.Claim.Person != v.Actor.Person:
			err = casefile.Errorf(casefile.CodeState, "somebody else holds this appeal")
		case row.Claim.Live(now):
			row.Claim.ExpiresAt = now.Add(w.Lease)
		default:
			row.Claim = &casefile.Claim{Number: row.Revision + 1, Person: v.Actor.Person, Role: v.Actor.Role, GrantedAt: now, ExpiresAt: now.Add(w.Lease)}
			row.State = casefile.AppealClaimed
		}
	case workflows.AppealReleaseArgs:
		switch {
		case !a.Disabled && !holds(a.Claim):
			return workflows.AppealResult{}, stale
		case a.Disabled && v.Actor.Role != casefile.RoleAdmin:
			return workflows.AppealResult{}, casefile.Errorf(casefile.CodeForbidden, "an administrator ends the claim of somebody who was disabled")
		case a.Disabled && (row.Claim == nil || row.Claim.Number != a.Claim):
			return workflows.AppealResult{}, casefile.Errorf(casefile.CodeState, "this claim has ended")
		}
		row.Claim, row.State = nil, casefile.AppealOpen
	case workflows.AppealRuleArgs:
		if !holds(a.Claim) {
			return workflows.AppealResult{}, stale
		}
		row.Ruling = &casefile.AppealRuling{
			ID: a.ID, Appeal: row.ID, Kind: row.Kind, Decision: row.Decision, DecisionHash: "hash", Case: row.Case, Platform: row.Platform,
			Account: row.Account, Outcome: a.Outcome, Person: v.Actor.Person, Role: v.Actor.Role, At: now, Form: a.Form, Digest: a.Digest, Notice: a.Notice,
		}
		row.State, row.Claim = casefile.AppealDecided, nil
	default:
		err = casefile.Errorf(casefile.CodeInternal, "no such verb on an appeal")
	}
	if err != nil {
		return workflows.AppealResult{}, err
	}
	err = w.Records.ProjectAppeal(ctx, records.AppealProjection{
		ID: row.ID, State: row.State, Revision: row.Revision + 1, Late: row.Late, Claim: row.Claim, Ruling: row.Ruling, Now: now,
	})
	if err != nil {
		return workflows.AppealResult{}, err
	}
	result := workflows.AppealResult{Appeal: row.ID, State: row.State, Claim: row.Claim}
	if row.Ruling != nil {
		result.Outcome = row.Ruling.Outcome
	}
	return result, nil
}

// UpdateSettle settles an uncertain act of a decision's takedown, or of an appeal's reinstatement.
func (w *Workflows) UpdateSettle(ctx context.Context, _ casefile.CaseRef, appeal string, args workflows.SettleArgs) (workflows.SettleResult, error) {
	on := casefile.TakedownChain(args.Decision)
	if appeal != "" {
		on = casefile.ReinstatementChain(appeal)
	}
	return take(ctx, w, workflows.UpdateSettle, on, args.ID, args, func() (workflows.SettleResult, error) {
		acts, err := w.Records.Acts(ctx, args.Decision)
		if err != nil {
			return workflows.SettleResult{}, err
		}
		i := slices.IndexFunc(acts, func(a records.ActRow) bool { return a.Act.Number == args.Number && a.Direction == args.Direction })
		if i < 0 || acts[i].State != casefile.ActUncertain || (appeal == "") != (args.Direction == casefile.Do) {
			return workflows.SettleResult{}, casefile.Errorf(casefile.CodeState, "this act is not uncertain")
		}
		outcome := casefile.ActOutcome{Act: acts[i].Act, Direction: args.Direction, State: casefile.ActFailed, At: w.Clock.Now(), Why: "settled", By: args.Actor.Person}
		if args.Done {
			outcome.State = casefile.ActDone
		}
		row, err := w.Records.SettleAct(ctx, outcome)
		return workflows.SettleResult{Decision: args.Decision, Number: args.Number, State: row.State, Of: args.Direction}, err
	})
}
