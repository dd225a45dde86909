package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// Takedown carries one decision out: it has the enforce role write down how to undo each act, puts
// the plan on the ledger, does the acts in order, puts the outcome on the ledger and then has the
// person concerned told. The enforce role checks the decision's proof in every step; this workflow
// cannot vouch for anything.
func Takedown(ctx workflow.Context, in TakedownInput) error {
	d := in.Decision
	chain := &Chain{Name: casefile.TakedownChain(d.ID), Cause: casefile.EntryHash(in.Bundle.Entry)}
	n := &numberer{chain: chain, platform: d.Platform, account: d.Account}
	workflow.Go(ctx, n.run)

	var prepared PrepareActsAnswer
	err := workflow.ExecuteActivity(actOptions(ctx), ActivityPrepareActs, PrepareActsAsk{Takedown: in}).Get(ctx, &prepared)
	if err != nil {
		return abandon(ctx, n, d, err)
	}
	plan := &casefile.PlannedBody{Decision: d.ID, Platform: d.Platform}
	for _, p := range prepared.Acts {
		plan.Acts = append(plan.Acts, casefile.PlannedAct{Number: p.Act.Number, Kind: p.Act.Kind, Until: p.Act.Until, Undo: p.UndoDigest})
	}
	n.draft(ctx, casefile.Draft{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: plan})
	err = n.drain(ctx)
	if err != nil {
		return err
	}

	outcomes, state, why := doActs(ctx, in, prepared.Acts)
	err = conclude(ctx, n, d, outcomes, state, why)
	if err != nil {
		return err
	}
	notice := d.Opinions[0].Notice
	if notice == nil || state != casefile.DecisionDone {
		return nil
	}
	var told NotifyAnswer
	err = workflow.ExecuteActivity(actOptions(ctx), ActivityNotify, NotifyAsk{Takedown: in}).Get(ctx, &told)
	if err != nil {
		return err
	}
	n.draft(ctx, casefile.Draft{Type: casefile.EntryNotice, Actor: casefile.System,
		Notice: &casefile.NoticeBody{Number: notice.Number, Decision: d.ID, State: told.State, Digest: notice.Digest}})
	return n.drain(ctx)
}

// conclude puts the outcome of the acts on the ledger and records it, before anything else is
// waited for: what was done stands there whether or not the person can be told of it.
func conclude(ctx workflow.Context, n *numberer, d casefile.Decision, outcomes []casefile.ActOutcome, state casefile.DecisionState, why string) error {
	n.draft(ctx, casefile.Draft{Type: casefile.EntryActsOutcome, Actor: casefile.System,
		Outcome: &casefile.OutcomeBody{Decision: d.ID, Direction: casefile.Do, Outcomes: outcomes}})
	err := n.drain(ctx)
	if err != nil {
		return err
	}
	return workflow.ExecuteLocalActivity(localOptions(ctx), ActivityFinish, FinishAsk{Decision: d, State: state, Why: why}).Get(ctx, nil)
}

// doActs does the acts in order and stops at the first that did not succeed: what is uncertain or
// refused goes to a person before anything else is done.
func doActs(ctx workflow.Context, in TakedownInput, acts []PreparedAct) ([]casefile.ActOutcome, casefile.DecisionState, string) {
	var outcomes []casefile.ActOutcome
	for _, p := range acts {
		var out casefile.ActOutcome
		ask := DoActAsk{Takedown: in, Act: p.Act, Direction: casefile.Do}
		err := workflow.ExecuteActivity(actOptions(ctx), ActivityDoAct, ask).Get(ctx, &out)
		if err != nil {
			out = casefile.ActOutcome{Act: p.Act, Direction: casefile.Do, State: casefile.ActFailed, At: workflow.Now(ctx), Why: errorType(err)}
		}
		outcomes = append(outcomes, out)
		switch out.State {
		case casefile.ActDone:
		case casefile.ActUncertain:
			return outcomes, casefile.DecisionUncertain, out.Why
		default:
			return outcomes, casefile.DecisionFailed, out.Why
		}
	}
	return outcomes, casefile.DecisionDone, ""
}

// abandon records that a takedown cannot begin, and fails the workflow so that operators see it. What
// the actor found unproven may be forged: it leaves ledger and row alone, the actor has the refusal
// on record.
func abandon(ctx workflow.Context, n *numberer, d casefile.Decision, cause error) error {
	if errorType(cause) == string(casefile.CodeUnproven) {
		return cause
	}
	err := conclude(ctx, n, d, nil, casefile.DecisionFailed, "prepare."+errorType(cause))
	if err != nil {
		return err
	}
	return cause
}
