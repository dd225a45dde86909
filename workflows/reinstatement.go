package workflows

import (
	"errors"
	"slices"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// Reinstatement takes back everything that a decision's takedown did, the last act first. One that
// cannot be taken back does not stop the rest. Everything that it needs stands in the records and the
// sealed store, so that it works long after the takedown's history is gone. The enforce role checks
// the proofs of the decision and of the ruling in every step.
func (w Workflows) Reinstatement(ctx workflow.Context, in ReinstatementInput) error {
	d, ruling := in.Takedown.Decision, in.Ruling
	why := scheduled(ctx, casefile.ReinstatementWorkflowID(ruling.Appeal))
	if why != "" {
		return drop(ctx, DropStartAsk{Kind: ReinstatementWorkflowType, Platform: d.Platform, Thing: ruling.Appeal, Why: why})
	}
	chain := casefile.ReinstatementChain(ruling.Appeal)
	acts := &actRun{w: w, decision: d.ID, on: chain}
	acts.chain = &numberer{chain: &Chain{Name: chain, Cause: casefile.EntryHash(in.Bundle.Entry)}, platform: d.Platform, account: d.Account, renumbers: true}
	acts.settleAsk = func(ctx workflow.Context, act casefile.Act, dir casefile.Direction, a SettleArgs) (casefile.ActOutcome, error) {
		ask := SettleActAsk{Takedown: in.Takedown, Act: act, Direction: dir, Done: a.Done, Person: a.Actor.Person}
		var out casefile.ActOutcome
		err := workflow.ExecuteActivity(actOptions(ctx), ActivitySettleAct, ask).Get(ctx, &out)
		return out, err
	}
	err := acts.handleSettle(ctx)
	if err != nil {
		return err
	}
	workflow.Go(ctx, acts.chain.run)
	err = reinstate(ctx, in, acts)
	if err != nil {
		return err
	}
	return acts.leave(ctx)
}

func reinstate(ctx workflow.Context, in ReinstatementInput, acts *actRun) error {
	d, n := in.Takedown.Decision, acts.chain
	var prepared PrepareActsAnswer
	err := workflow.ExecuteActivity(actOptions(ctx), ActivityPrepareUndo, PrepareUndoAsk{Reinstatement: in}).Get(ctx, &prepared)
	if err != nil {
		return err // unproven: the actor has the refusal on record
	}
	n.draft(ctx, casefile.Draft{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: planned(d, prepared.Acts)})
	err = n.drain(ctx)
	if err != nil {
		return err
	}
	passes := versionOf(ctx, versionUndoPasses)
	outcomes := undoAll(ctx, in, prepared.Acts, passes)
	err = concludeUndo(ctx, in, n, outcomes)
	if err != nil {
		return err
	}
	if passes {
		acts.waitFor(outcomes)
	}
	if !begun(outcomes) {
		// Nothing could be taken back yet (acts are paused, the platform is down): the person is told
		// when something was.
		err = undoRest(ctx, in, acts, outcomes)
		if err != nil {
			return err
		}
	}
	err = notifyUndo(ctx, in, n)
	if err != nil {
		return err
	}
	err = undoRest(ctx, in, acts, outcomes)
	if err != nil {
		return err
	}
	return settleRest(ctx, in, acts, outcomes)
}

// undoAll takes the acts back in the order given, each whatever became of the one before. One that
// cannot be taken back for now is left as planned: undoRest comes back to it.
func undoAll(ctx workflow.Context, in ReinstatementInput, acts []PreparedAct, passes bool) []casefile.ActOutcome {
	outcomes := make([]casefile.ActOutcome, 0, len(acts))
	for _, p := range acts {
		options := actOptions(ctx)
		if passes {
			options = workflow.WithRetryPolicy(options, firstPass)
		}
		future := workflow.ExecuteActivity(options, ActivityUndoAct, UndoActAsk{Reinstatement: in, Act: p.Act})
		outcomes = append(outcomes, undone(ctx, future, p.Act, passes))
	}
	return outcomes
}

// firstPass is how often an act is tried before the others have their turn.
var firstPass = temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second, MaximumAttempts: 4}

// undone is what became of one act; planned where later means that it can still be taken back.
func undone(ctx workflow.Context, future workflow.Future, act casefile.Act, later bool) casefile.ActOutcome {
	var out casefile.ActOutcome
	err := future.Get(ctx, &out)
	if err == nil {
		return out
	}
	out = casefile.ActOutcome{Act: act, Direction: casefile.Undo, State: casefile.ActFailed, At: workflow.Now(ctx), Why: errorType(err)}
	var ended *temporal.ActivityError
	if later && errors.As(err, &ended) && ended.RetryState() != enums.RETRY_STATE_NON_RETRYABLE_FAILURE {
		out.State = casefile.ActPlanned
	}
	return out
}

// begun says whether anything came of the acts, or nothing was to be done at all.
func begun(outcomes []casefile.ActOutcome) bool {
	return len(outcomes) == 0 || slices.ContainsFunc(outcomes, func(o casefile.ActOutcome) bool { return o.State != casefile.ActPlanned })
}

// undoRest takes back what could not be taken back in its turn, each for itself and for as long as it
// takes, and puts on record what came of it.
func undoRest(ctx workflow.Context, in ReinstatementInput, acts *actRun, outcomes []casefile.ActOutcome) error {
	left := workflow.NewSelector(ctx)
	n := 0
	for i, o := range outcomes {
		if o.State != casefile.ActPlanned {
			continue
		}
		n++
		future := workflow.ExecuteActivity(actOptions(ctx), ActivityUndoAct, UndoActAsk{Reinstatement: in, Act: o.Act})
		left.AddFuture(future, func(f workflow.Future) {
			outcomes[i] = undone(ctx, f, o.Act, false)
			acts.waitFor(outcomes)
		})
	}
	if n == 0 {
		return nil
	}
	for range n {
		left.Select(ctx)
	}
	return concludeUndo(ctx, in, acts.chain, outcomes)
}

func concludeUndo(ctx workflow.Context, in ReinstatementInput, n *numberer, outcomes []casefile.ActOutcome) error {
	n.draft(ctx, casefile.Draft{Type: casefile.EntryActsOutcome, Actor: casefile.System,
		Outcome: &casefile.OutcomeBody{Decision: in.Takedown.Decision.ID, Direction: casefile.Undo, Outcomes: slices.Clone(outcomes)}})
	err := n.drain(ctx)
	if err != nil {
		return err
	}
	ask := FinishUndoAsk{Decision: in.Takedown.Decision, Appeal: in.Ruling.Appeal, State: casefile.AppealReinstated}
	for _, o := range outcomes {
		if o.State == casefile.ActUncertain || o.State == casefile.ActFailed || o.State == casefile.ActPlanned {
			ask.State, ask.Why = casefile.AppealIncomplete, o.Why
			break
		}
	}
	return workflow.ExecuteLocalActivity(localOptions(ctx), ActivityFinishUndo, ask).Get(ctx, nil)
}

func notifyUndo(ctx workflow.Context, in ReinstatementInput, n *numberer) error {
	notice := in.Ruling.Notice
	if notice == nil {
		return nil
	}
	var told NotifyAnswer
	err := workflow.ExecuteActivity(actOptions(ctx), ActivityNotifyUndo, NotifyUndoAsk{Reinstatement: in}).Get(ctx, &told)
	if err != nil {
		return err
	}
	n.draft(ctx, casefile.Draft{Type: casefile.EntryNotice, Actor: casefile.System,
		Notice: &casefile.NoticeBody{Number: notice.Number, Decision: in.Takedown.Decision.ID, State: told.State, Digest: notice.Digest}})
	return n.drain(ctx)
}

// settleRest waits for a person to establish what is uncertain, and records the end then.
func settleRest(ctx workflow.Context, in ReinstatementInput, acts *actRun, outcomes []casefile.ActOutcome) error {
	acts.waitFor(outcomes)
	if len(acts.waiting) == 0 {
		return nil
	}
	err := workflow.Await(ctx, func() bool {
		for _, o := range acts.waiting {
			if o.State == casefile.ActUncertain {
				return false
			}
		}
		return !acts.busy
	})
	if err != nil {
		return err
	}
	return concludeUndo(ctx, in, acts.chain, outcomes)
}
