package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// Takedown carries one decision out: it has the enforce role write down how to undo each act, puts
// the plan on the ledger, does the acts in order, puts the outcome on the ledger, has the person
// concerned told, and ends timed acts when their time has come. The enforce role checks the decision's
// proof in every step; this workflow cannot vouch for anything.
func (w Workflows) Takedown(ctx workflow.Context, in TakedownInput) error {
	d := in.Decision
	why := scheduled(ctx, casefile.TakedownWorkflowID(d.Case, d.ID))
	if why != "" {
		return drop(ctx, DropStartAsk{Kind: TakedownWorkflowType, Platform: d.Platform, Thing: d.ID, Why: why})
	}
	t := &takedownRun{in: in, acts: &actRun{w: w, decision: d.ID, on: casefile.TakedownChain(d.ID)}}
	t.acts.chain = &numberer{
		chain:    &Chain{Name: casefile.TakedownChain(d.ID), Cause: casefile.EntryHash(in.Bundle.Entry)},
		platform: d.Platform, account: d.Account, renumbers: true,
	}
	t.acts.settleAsk = func(ctx workflow.Context, act casefile.Act, dir casefile.Direction, a SettleArgs) (casefile.ActOutcome, error) {
		ask := SettleActAsk{Takedown: in, Act: act, Direction: dir, Done: a.Done, Person: a.Actor.Person}
		var out casefile.ActOutcome
		err := workflow.ExecuteActivity(actOptions(ctx), ActivitySettleAct, ask).Get(ctx, &out)
		return out, err
	}
	err := t.acts.handleSettle(ctx)
	if err != nil {
		return err
	}
	workflow.Go(ctx, t.acts.chain.run)
	err = t.run(ctx)
	if err != nil {
		return err
	}
	return t.acts.leave(ctx)
}

type takedownRun struct {
	in   TakedownInput
	acts *actRun
}

func (t *takedownRun) run(ctx workflow.Context) error {
	d, n := t.in.Decision, t.acts.chain
	var prepared PrepareActsAnswer
	err := workflow.ExecuteActivity(actOptions(ctx), ActivityPrepareActs, PrepareActsAsk{Takedown: t.in}).Get(ctx, &prepared)
	if err != nil {
		return t.abandon(ctx, err)
	}
	n.draft(ctx, casefile.Draft{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: planned(d, prepared.Acts)})
	err = n.drain(ctx)
	if err != nil {
		return err
	}
	outcomes, state, code, err := t.do(ctx, prepared.Acts)
	if err != nil {
		return err
	}
	err = t.conclude(ctx, casefile.Do, outcomes, state, code)
	if err != nil || state != casefile.DecisionDone && !t.partlyDone(ctx, outcomes) {
		return err
	}
	err = t.notify(ctx)
	if err != nil {
		return err
	}
	return t.endTimed(ctx, prepared.Acts)
}

func planned(d casefile.Decision, acts []PreparedAct) *casefile.PlannedBody {
	plan := &casefile.PlannedBody{Decision: d.ID, Platform: d.Platform}
	for _, p := range acts {
		plan.Acts = append(plan.Acts, casefile.PlannedAct{Number: p.Act.Number, Kind: p.Act.Kind, Until: p.Act.Until, Undo: p.UndoDigest})
	}
	return plan
}

// partlyDone says whether something was done that the person concerned is told of, and may appeal
// against, although an act was refused.
func (t *takedownRun) partlyDone(ctx workflow.Context, outcomes []casefile.ActOutcome) bool {
	done := slices.ContainsFunc(outcomes, func(o casefile.ActOutcome) bool { return o.State == casefile.ActDone })
	return done && versionOf(ctx, versionPartlyDone)
}

// do does the acts in order and stops at the first that was refused; a post that could not be removed
// (its author may have been there first) does not keep the others up. What is uncertain waits for a
// person who establishes it, before anything else is done.
func (t *takedownRun) do(ctx workflow.Context, acts []PreparedAct) (outcomes []casefile.ActOutcome, state casefile.DecisionState, why string, err error) {
	state = casefile.DecisionDone
	for _, p := range acts {
		out := casefile.ActOutcome{}
		err := workflow.ExecuteActivity(actOptions(ctx), ActivityDoAct, DoActAsk{Takedown: t.in, Act: p.Act}).Get(ctx, &out)
		if err != nil {
			out = casefile.ActOutcome{Act: p.Act, Direction: casefile.Do, State: casefile.ActFailed, At: workflow.Now(ctx), Why: errorType(err)}
		}
		if out.State == casefile.ActUncertain {
			out, err = t.settled(ctx, outcomes, out)
			if err != nil {
				return nil, "", "", err
			}
		}
		outcomes = append(outcomes, out)
		if out.State == casefile.ActDone {
			continue
		}
		state, why = casefile.DecisionFailed, out.Why
		if p.Act.Kind != casefile.ActRemovePost || why == string(casefile.CodeUnproven) || !versionOf(ctx, versionPartlyDone) {
			break
		}
	}
	return outcomes, state, why, nil
}

// settled puts on record that an act is uncertain, and waits for a person.
func (t *takedownRun) settled(ctx workflow.Context, before []casefile.ActOutcome, out casefile.ActOutcome) (casefile.ActOutcome, error) {
	err := t.conclude(ctx, casefile.Do, append(slices.Clone(before), out), casefile.DecisionUncertain, out.Why)
	if err != nil {
		return out, err
	}
	return t.acts.await(ctx, out)
}

// conclude puts outcomes on the ledger and records them, before anything else is waited for: what
// was done stands there whether or not the person can be told of it.
func (t *takedownRun) conclude(ctx workflow.Context, dir casefile.Direction, outcomes []casefile.ActOutcome, state casefile.DecisionState, why string) error {
	n := t.acts.chain
	n.draft(ctx, casefile.Draft{Type: casefile.EntryActsOutcome, Actor: casefile.System,
		Outcome: &casefile.OutcomeBody{Decision: t.in.Decision.ID, Direction: dir, Outcomes: outcomes}})
	err := n.drain(ctx)
	if err != nil {
		return err
	}
	return workflow.ExecuteLocalActivity(localOptions(ctx), ActivityFinish, FinishAsk{Decision: t.in.Decision, State: state, Why: why}).Get(ctx, nil)
}

func (t *takedownRun) notify(ctx workflow.Context) error {
	notice := t.in.Decision.Notice()
	if notice == nil {
		return nil
	}
	var told NotifyAnswer
	err := workflow.ExecuteActivity(actOptions(ctx), ActivityNotify, NotifyAsk{Takedown: t.in}).Get(ctx, &told)
	if err != nil {
		return err
	}
	n := t.acts.chain
	n.draft(ctx, casefile.Draft{Type: casefile.EntryNotice, Actor: casefile.System,
		Notice: &casefile.NoticeBody{Number: notice.Number, Decision: t.in.Decision.ID, State: told.State, Digest: notice.Digest}})
	return n.drain(ctx)
}

// endTimed ends timed acts when their time has come.
func (t *takedownRun) endTimed(ctx workflow.Context, acts []PreparedAct) error {
	timed := slices.DeleteFunc(slices.Clone(acts), func(p PreparedAct) bool { return p.Act.Until == nil })
	slices.SortStableFunc(timed, func(a, b PreparedAct) int { return a.Act.Until.Compare(*b.Act.Until) })
	var outcomes []casefile.ActOutcome
	state, why := casefile.DecisionEnded, ""
	for _, p := range timed {
		err := sleepUntil(ctx, *p.Act.Until)
		if err != nil {
			return err
		}
		var out casefile.ActOutcome
		err = workflow.ExecuteActivity(actOptions(ctx), ActivityEndAct, EndActAsk{Takedown: t.in, Act: p.Act}).Get(ctx, &out)
		if err != nil {
			out = casefile.ActOutcome{Act: p.Act, Direction: casefile.Undo, State: casefile.ActFailed, At: workflow.Now(ctx), Why: errorType(err)}
		}
		if out.State == casefile.ActUncertain {
			err = t.conclude(ctx, casefile.Undo, append(slices.Clone(outcomes), out), casefile.DecisionUncertain, out.Why)
			if err == nil {
				out, err = t.acts.await(ctx, out)
			}
			if err != nil {
				return err
			}
		}
		if out.State == casefile.ActFailed {
			state, why = casefile.DecisionFailed, out.Why
		}
		outcomes = append(outcomes, out)
	}
	if len(outcomes) == 0 {
		return nil
	}
	return t.conclude(ctx, casefile.Undo, outcomes, state, why)
}

// sleepUntil sleeps until t; a timer of the server's, which survives restarts.
func sleepUntil(ctx workflow.Context, t time.Time) error {
	d := t.Sub(workflow.Now(ctx))
	if d <= 0 {
		return nil
	}
	err := workflow.Sleep(ctx, d)
	if err != nil {
		return fmt.Errorf("wait for the end of an act: %w", err)
	}
	return nil
}

// abandon records that a takedown cannot begin, and fails the workflow so that operators see it. What
// the actor found unproven may be forged: it leaves ledger and row alone, the actor has the refusal
// on record.
func (t *takedownRun) abandon(ctx workflow.Context, cause error) error {
	if errorType(cause) == string(casefile.CodeUnproven) {
		return cause
	}
	err := t.conclude(ctx, casefile.Do, nil, casefile.DecisionFailed, "prepare."+errorType(cause))
	if err != nil {
		return err
	}
	return cause
}
