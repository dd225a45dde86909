package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/workflows"
)

// Codes of why an act is uncertain, failed or skipped, beside those of errors.
const (
	whyNoLookup    = "no_lookup"      // the platform cannot say whether it happened
	whyNotSeen     = "not_seen"       // the platform does not see it; it may still be under way there
	whyFallen      = "fallen"         // the decision fell on appeal before the act was done
	whySuperseded  = "superseded"     // a stronger act of another decision stands in its place
	whyNotDone     = "not_done"       // there is nothing to take back: the act did not happen
	whyNotStanding = "not_standing"   // there is nothing to take back: somebody else has lifted it
	whyCannotUndo  = "cannot_undo"    // the platform has no reverse of the act
	whyNotHappened = "did_not_happen" // established afterwards
)

// noAnswer is noted of an act before it is sent once more to a platform that does not keep keys apart.
// Where it still stands at the next attempt, this one was cut off: the act may have happened.
const noAnswer = "no_answer"

// underWay is how long an attempt that was begun may still be carried out somewhere: twice what the
// workflow gives one.
const underWay = 30 * time.Second

// step is one direction of one act on its way.
type step struct {
	act  casefile.Act
	dir  casefile.Direction
	send func(ctx context.Context) (reference string, err error)
}

// DoAct does one planned act, once: an attempt whose outcome was never written is sent again only where
// the platform keeps keys apart; elsewhere it is looked up, and what cannot be established is uncertain.
func (a *Actor) DoAct(ctx context.Context, ask workflows.DoActAsk) (casefile.ActOutcome, error) {
	w, err := a.authorize(ctx, ask.Takedown)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	err = a.checkAct(ctx, w, ask.Act)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	request := w.request(ask.Act, casefile.Do)
	return a.once(ctx, w, step{act: ask.Act, dir: casefile.Do, send: func(ctx context.Context) (string, error) {
		return w.platform.Do(ctx, request)
	}})
}

// once takes one step of a planned act, and gives the outcome that stands where there is one.
func (a *Actor) once(ctx context.Context, w warrant, s step) (casefile.ActOutcome, error) {
	started, row, err := a.Records.BeginAct(ctx, s.act, s.dir, a.Now())
	if casefile.ErrorCode(err) == casefile.CodeState {
		return a.standing(ctx, w, s)
	}
	if err != nil {
		return casefile.ActOutcome{}, fmt.Errorf("note that the act begins: %w", err)
	}
	s.begun(ctx)
	out, err := a.attempt(ctx, w, s, started, &row)
	if err != nil {
		noted := a.note(ctx, &row, noteOf(err))
		if noted != nil {
			a.Log.WarnContext(ctx, "an attempt at an act is not noted", "decision", s.act.Decision, "number", s.act.Number, "code", string(casefile.ErrorCode(noted)))
		}
		return casefile.ActOutcome{}, err
	}
	return a.conclude(ctx, w, out)
}

// note notes an attempt with a code. Each note is later than the one before, whatever the clocks of two
// processes say: the records pass over an older one.
func (a *Actor) note(ctx context.Context, row *records.ActRow, code string) error {
	at := a.Now()
	if row.TriedAt != nil && !at.After(*row.TriedAt) {
		at = row.TriedAt.Add(time.Microsecond)
	}
	err := a.Records.NoteAttempt(ctx, row.Act, row.Direction, code, at)
	if err == nil {
		row.TriedAt = &at
	}
	return err
}

// noteOf is the code under which an attempt is noted. Only unavailable says that nothing was begun.
func noteOf(err error) string {
	code := string(casefile.ErrorCode(err))
	var l lookupError
	if errors.As(err, &l) {
		return "lookup_" + code
	}
	return code
}

// conclude writes an outcome down; the first one stands.
func (a *Actor) conclude(ctx context.Context, w warrant, out casefile.ActOutcome) (casefile.ActOutcome, error) {
	row, err := a.Records.EndAct(ctx, out)
	if err != nil {
		return casefile.ActOutcome{}, fmt.Errorf("write the act's outcome: %w", err)
	}
	written(ctx, out.Direction)
	a.said(ctx, w, row)
	return outcomeOf(row), a.tellUncertain(ctx, w, row)
}

func (a *Actor) said(ctx context.Context, w warrant, row records.ActRow) {
	a.Log.InfoContext(ctx, "act", "case", string(w.decision.Case), "decision", w.decision.ID, "number", row.Act.Number,
		"kind", string(row.Act.Kind), "direction", string(row.Direction), "state", string(row.State), "why", row.Why)
}

// standing is the outcome that an act has already.
func (a *Actor) standing(ctx context.Context, w warrant, s step) (casefile.ActOutcome, error) {
	row, err := a.row(ctx, s.act, s.dir)
	if err != nil {
		return casefile.ActOutcome{}, err
	}
	return outcomeOf(row), a.tellUncertain(ctx, w, row)
}

// row reads one direction of an act; CodeNotFound where it was never planned.
func (a *Actor) row(ctx context.Context, act casefile.Act, dir casefile.Direction) (records.ActRow, error) {
	rows, err := a.Records.Acts(ctx, act.Decision)
	if err != nil {
		return records.ActRow{}, fmt.Errorf("read the decision's acts: %w", err)
	}
	for _, row := range rows {
		if row.Act.Number == act.Number && row.Direction == dir {
			return row, nil
		}
	}
	return records.ActRow{}, casefile.Errorf(casefile.CodeNotFound, "act %d was not planned", act.Number)
}

// tellUncertain has people told of an act that waits for one of them.
func (a *Actor) tellUncertain(ctx context.Context, w warrant, row records.ActRow) error {
	if row.State != casefile.ActUncertain {
		return nil
	}
	err := a.Records.PutTelling(ctx, records.TellingRow{
		ID: telling.ID(telling.KindActUncertain, row.Act.Key(row.Direction)), Kind: string(telling.KindActUncertain),
		Page: suspends(w.decision.Action), Platform: w.decision.Platform, Case: w.decision.Case, Subject: w.decision.ID, At: a.Now(),
	})
	if err != nil {
		return fmt.Errorf("have people told of an uncertain act: %w", err)
	}
	return nil
}

// attempt asks the platform. Its error means: not known, try again.
func (a *Actor) attempt(ctx context.Context, w warrant, s step, first bool, row *records.ActRow) (casefile.ActOutcome, error) {
	caps := w.platform.Capabilities()
	if s.dir == casefile.Do {
		// Looked at behind the beginning: what takes the decision's acts back sees that this one began.
		fell, err := fallen(ctx, a.Records, w.decision.ID)
		switch {
		case err != nil && first:
			return casefile.ActOutcome{}, err
		case err != nil: // what was sent before stays unknown
			return casefile.ActOutcome{}, lookupError{err}
		}
		if fell {
			return a.leaveUndone(ctx, w, s, first, *row)
		}
	}
	if !first && !caps.Idempotent {
		if row.LastError != string(casefile.CodeUnavailable) {
			return a.establish(ctx, w, s) // it may have happened, or happen yet
		}
		err := a.note(ctx, row, noAnswer)
		if err != nil {
			return casefile.ActOutcome{}, fmt.Errorf("note that the act is sent once more: %w", err)
		}
	}
	reference, err := s.send(ctx)
	code := casefile.ErrorCode(err)
	switch {
	case err == nil:
		s.sent(ctx)
		return a.outcome(s, casefile.ActDone, reference, ""), nil
	case again(err, caps):
		return casefile.ActOutcome{}, fmt.Errorf("send act %d (%s): %w", s.act.Number, s.dir, err)
	case code == casefile.CodeUncertain, code == casefile.CodeInternal:
		return a.establish(ctx, w, s)
	case code == casefile.CodeConflict: // something else was done under this very key
		return a.outcome(s, casefile.ActUncertain, "", string(code)), nil
	case code == casefile.CodeState && s.dir == casefile.Undo:
		return a.outcome(s, casefile.ActSkipped, "", whyNotStanding), nil
	}
	return a.outcome(s, casefile.ActFailed, "", string(code)), nil
}

func (a *Actor) outcome(s step, state casefile.ActState, reference, why string) casefile.ActOutcome {
	return casefile.ActOutcome{Act: s.act, Direction: s.dir, State: state, At: a.Now(), Reference: reference, Why: why}
}

// lookupError marks the error of a look-up: it says nothing of what was sent before.
type lookupError struct{ err error }

func (l lookupError) Error() string { return l.err.Error() }
func (l lookupError) Unwrap() error { return l.err }

// look asks the platform whether the step was carried out. known is false, with a code, where it
// cannot say.
func (a *Actor) look(ctx context.Context, p enforce.Platform, r enforce.Request) (done bool, reference, why string, err error) {
	if !p.Capabilities().Lookup {
		return false, "", whyNoLookup, nil
	}
	done, reference, err = p.Lookup(ctx, r)
	code := casefile.ErrorCode(err)
	switch {
	case err == nil:
		return done, reference, "", nil
	case code == casefile.CodeUnavailable, code == casefile.CodeInternal:
		return false, "", "", lookupError{err}
	}
	return false, "", "lookup_" + string(code), nil
}

// establish finds out what became of an attempt without making another: the act is done where the
// platform says so, and uncertain otherwise.
func (a *Actor) establish(ctx context.Context, w warrant, s step) (casefile.ActOutcome, error) {
	done, reference, why, err := a.look(ctx, w.platform, w.request(s.act, s.dir))
	switch {
	case err != nil:
		return casefile.ActOutcome{}, fmt.Errorf("look act %d (%s) up: %w", s.act.Number, s.dir, err)
	case done:
		return a.outcome(s, casefile.ActDone, reference, ""), nil
	case why == "":
		why = whyNotSeen
	}
	return a.outcome(s, casefile.ActUncertain, "", why), nil
}

// leaveUndone ends an act of a decision that fell on appeal: it is not sent any more. What an earlier
// attempt has done is established, so that it can be taken back.
func (a *Actor) leaveUndone(ctx context.Context, w warrant, s step, first bool, row records.ActRow) (casefile.ActOutcome, error) {
	idempotent := w.platform.Capabilities().Idempotent
	if first || !idempotent && row.LastError == string(casefile.CodeUnavailable) {
		return a.outcome(s, casefile.ActSkipped, "", whyFallen), nil
	}
	out, err := a.establish(ctx, w, s)
	if err != nil || out.Why != whyNotSeen || !idempotent {
		return out, err
	}
	last := *row.StartedAt
	if row.TriedAt != nil && row.TriedAt.After(last) {
		last = *row.TriedAt
	}
	if wait := underWay - a.Now().Sub(last); wait > 0 {
		err = casefile.Errorf(casefile.CodeUnavailable, "an attempt at the act may still be under way")
		return casefile.ActOutcome{}, lookupError{enforce.WithRetryAfter(err, wait)}
	}
	return a.outcome(s, casefile.ActSkipped, "", whyFallen), nil
}

func outcomeOf(row records.ActRow) casefile.ActOutcome {
	out := casefile.ActOutcome{Act: row.Act, Direction: row.Direction, State: row.State, Reference: row.Reference, Why: row.Why, By: row.SettledBy}
	if row.EndedAt != nil {
		out.At = *row.EndedAt
	}
	return out
}
