package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// clockSkew is how far this role's clock may be behind the one that woke the workflow up.
const clockSkew = time.Minute

// EndAct ends a timed act whose time has come: by its reverse, once, or by nothing where a stronger act
// stands in its place or it was taken back already.
func (a *Actor) EndAct(ctx context.Context, ask workflows.EndActAsk) (casefile.ActOutcome, error) {
	w, err := a.authorize(ctx, ask.Takedown)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	err = a.checkAct(ctx, w, ask.Act)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	err = a.checkEnd(ask.Act)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	done, err := a.row(ctx, ask.Act, casefile.Do)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	undo, err := a.planUndo(ctx, done)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	if undo.State == casefile.ActPlanned && undo.StartedAt == nil {
		over, err := a.superseded(ctx, w, done)
		if err != nil {
			return casefile.ActOutcome{}, err
		}
		if over {
			return a.conclude(ctx, w, a.outcome(step{act: done.Act, dir: casefile.Undo}, casefile.ActSkipped, "", whySuperseded))
		}
	}
	return a.takeBack(ctx, w, done)
}

// superseded says whether an act of another decision stands in the place of one that comes to its end.
func (a *Actor) superseded(ctx context.Context, w warrant, done records.ActRow) (bool, error) {
	if done.State != casefile.ActDone {
		return false, nil
	}
	others, err := a.Records.AccountActs(ctx, w.decision.Account)
	if err != nil {
		return false, fmt.Errorf("list what stands against the account: %w", err)
	}
	return slices.ContainsFunc(others, func(row records.ActRow) bool {
		return row.Act.Decision != done.Act.Decision && row.Act.Replaces(done.Act)
	}), nil
}

// checkEnd refuses to end an act before its time. Where the clocks are only a little apart, it asks to
// be called again when the time has come.
func (a *Actor) checkEnd(act casefile.Act) error {
	if act.Until == nil {
		return casefile.Errorf(casefile.CodeState, "this act has no end")
	}
	left := act.Until.Sub(a.Now())
	switch {
	case left <= 0:
		return nil
	case left <= clockSkew:
		return enforce.WithRetryAfter(casefile.Errorf(casefile.CodeUnavailable, "the act ends in a moment"), left)
	}
	return casefile.Errorf(casefile.CodeState, "the act has not come to its end")
}

// planUndo writes the reverse of an act down as planned, with the undo record that was written before
// the act; the row that stands is returned.
func (a *Actor) planUndo(ctx context.Context, done records.ActRow) (records.ActRow, error) {
	stand, err := a.Records.PlanActs(ctx, []records.ActRow{{
		Act: done.Act, Direction: casefile.Undo, State: casefile.ActPlanned, Undo: done.Undo, UndoDigest: done.UndoDigest, PlannedAt: a.Now(),
	}})
	if err != nil {
		return records.ActRow{}, fmt.Errorf("write the reverse of act %d down: %w", done.Act.Number, err)
	}
	return stand[0], nil
}

// takeBack takes an act back, once, by its undo record: nothing but what this act imposed, which is the
// platform's to see to. done is the row of doing it; its reverse is planned.
func (a *Actor) takeBack(ctx context.Context, w warrant, done records.ActRow) (casefile.ActOutcome, error) {
	s := step{act: done.Act, dir: casefile.Undo}
	undo, err := a.row(ctx, done.Act, casefile.Undo)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	if undo.State != casefile.ActPlanned {
		return a.standing(ctx, w, s)
	}
	if undo.StartedAt == nil { // else an attempt was made: only its outcome is of interest
		why, err := a.needless(ctx, w, done)
		if err != nil {
			return casefile.ActOutcome{}, err
		}
		if why != "" {
			return a.conclude(ctx, w, a.outcome(s, casefile.ActSkipped, "", why))
		}
	}
	if !slices.Contains(w.platform.Capabilities().Undo, done.Act.Kind) {
		return a.conclude(ctx, w, a.outcome(s, casefile.ActFailed, "", whyCannotUndo))
	}
	record, err := openProven[enforce.UndoRecord](ctx, a.Sealer, w.decision.Account, evidence.KindUndo, undo.Undo, undo.UndoDigest)
	if err != nil {
		return casefile.ActOutcome{}, a.onRecord(ctx, w.decision, unproven("open the undo record", err))
	}
	request := w.request(done.Act, casefile.Undo)
	s.send = func(ctx context.Context) (string, error) { return w.platform.Undo(ctx, request, record) }
	return a.once(ctx, w, s)
}

// needless says by a code why an act needs no reverse; "" where it does.
func (a *Actor) needless(ctx context.Context, w warrant, done records.ActRow) (string, error) {
	switch {
	case done.State == casefile.ActDone:
	case done.State == casefile.ActUncertain, done.State == casefile.ActPlanned && done.StartedAt != nil:
		// It may have happened: unless the platform knows that it did not, it is taken back.
		happened, _, why, err := a.look(ctx, w.platform, w.request(done.Act, casefile.Do))
		if err != nil {
			return "", fmt.Errorf("look act %d up before it is taken back: %w", done.Act.Number, err)
		}
		if !happened && why == "" {
			return whyNotDone, nil
		}
	default:
		return whyNotDone, nil
	}
	return "", nil
}

// PrepareUndo lists the acts of a decision that fell which are to be taken back, the last first, and
// writes their reverses down as planned: every act that was done and not taken back since, and every
// act of which it is not known. An act that has just been sent is waited for.
func (a *Actor) PrepareUndo(ctx context.Context, ask workflows.PrepareUndoAsk) (workflows.PrepareActsAnswer, error) {
	crashpoint.Reach("37") // the reinstatement that asks has been started
	w, err := a.authorizeUndo(ctx, ask.Reinstatement)
	if err != nil {
		return workflows.PrepareActsAnswer{}, err
	}
	rows, err := a.Records.Acts(ctx, w.decision.ID)
	if err != nil {
		return workflows.PrepareActsAnswer{}, fmt.Errorf("list the decision's acts: %w", err)
	}
	var answer workflows.PrepareActsAnswer
	for _, done := range slices.Backward(rows) {
		if done.Direction != casefile.Do || !mayStand(done, rows) {
			continue
		}
		err = a.checkAct(ctx, w, done.Act)
		if err != nil {
			return workflows.PrepareActsAnswer{}, err
		}
		undo, err := a.planUndo(ctx, done)
		if err != nil {
			return workflows.PrepareActsAnswer{}, err
		}
		wait := underWay - a.Now().Sub(undo.PlannedAt)
		if done.State == casefile.ActPlanned && wait > 0 {
			err = casefile.Errorf(casefile.CodeUnavailable, "act %d may still be under way", done.Act.Number)
			return workflows.PrepareActsAnswer{}, enforce.WithRetryAfter(err, wait)
		}
		answer.Acts = append(answer.Acts, workflows.PreparedAct{Act: undo.Act, UndoDigest: undo.UndoDigest})
	}
	crashpoint.Reach("38")
	return answer, nil
}

// mayStand says of the row of doing an act that it was done, or may have been, and is not known to have
// been taken back.
func mayStand(done records.ActRow, rows []records.ActRow) bool {
	switch {
	case done.State == casefile.ActDone, done.State == casefile.ActUncertain:
	case done.State == casefile.ActPlanned && done.StartedAt != nil:
	default:
		return false
	}
	reverse := reverseOf(done)
	return !slices.ContainsFunc(rows, func(r records.ActRow) bool {
		return reverse(r) && (r.State == casefile.ActDone || r.State == casefile.ActUndone || r.State == casefile.ActSkipped)
	})
}

func reverseOf(done records.ActRow) func(records.ActRow) bool {
	return func(r records.ActRow) bool { return r.Direction == casefile.Undo && r.Act.Number == done.Act.Number }
}

// UndoAct takes one act of a decision that fell back, once, by its undo record.
func (a *Actor) UndoAct(ctx context.Context, ask workflows.UndoActAsk) (casefile.ActOutcome, error) {
	w, err := a.authorizeUndo(ctx, ask.Reinstatement)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	err = a.checkAct(ctx, w, ask.Act)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	done, err := a.row(ctx, ask.Act, casefile.Do)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	return a.takeBack(ctx, w, done)
}

// SettleAct writes the outcome of an uncertain act down that a person established. Where the platform
// can say what happened, it is asked once more, and what it knows goes before what the person saw.
func (a *Actor) SettleAct(ctx context.Context, ask workflows.SettleActAsk) (casefile.ActOutcome, error) {
	w, err := a.authorize(ctx, ask.Takedown)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	err = a.checkAct(ctx, w, ask.Act)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	switch {
	case ask.Direction != casefile.Do && ask.Direction != casefile.Undo:
		return casefile.ActOutcome{}, casefile.Invalid("direction", "do or undo")
	case ask.Person == "":
		return casefile.ActOutcome{}, casefile.Invalid("person", "required: who looked")
	}
	s := step{act: ask.Act, dir: ask.Direction}
	happened, reference, why, err := a.look(ctx, w.platform, w.request(ask.Act, ask.Direction))
	out := a.outcome(s, casefile.ActFailed, "", whyNotHappened)
	knows := err == nil && why == ""
	if !knows { // nor can a platform that does not answer say: the person has looked
		happened, out.By = ask.Done, ask.Person
	}
	if happened {
		out.State, out.Reference, out.Why = casefile.ActDone, reference, ""
	}
	if knows && happened != ask.Done {
		a.Log.WarnContext(ctx, "the platform knows otherwise than the person who looked", "decision", w.decision.ID, "number", ask.Act.Number, "done", happened)
	}
	row, err := a.Records.SettleAct(ctx, out)
	if err != nil {
		return casefile.ActOutcome{}, fmt.Errorf("write down what became of an uncertain act: %w", err)
	}
	crashpoint.Reach("30")
	a.said(ctx, w, row)
	return outcomeOf(row), nil
}
