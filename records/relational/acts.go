package relational

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	actColumns = `decision, number, direction, kind, target, until, state, undo, undo_digest, planned_at, started_at, ended_at,
	reference, why, tries, last_error, tried_at, settled_by`
	selectActsBetween = "SELECT " + actColumns + " FROM acts WHERE decision > ? AND decision <= ? ORDER BY decision, number, direction"

	selectAct = "SELECT " + actColumns + " FROM acts WHERE decision = ? AND number = ? AND direction = ?"
)

func scanAct(r scanner) (records.ActRow, error) {
	var a records.ActRow
	err := r.Scan(&a.Act.Decision, &a.Act.Number, &a.Direction, &a.Act.Kind, &a.Act.Target, toOptionalTime{&a.Act.Until}, &a.State,
		&a.Undo, &a.UndoDigest, toTime{&a.PlannedAt}, toOptionalTime{&a.StartedAt}, toOptionalTime{&a.EndedAt}, &a.Reference, &a.Why,
		&a.Tries, &a.LastError, toOptionalTime{&a.TriedAt}, &a.SettledBy)
	return a, err
}

func (t *tx) act(ctx context.Context, a casefile.Act, d casefile.Direction) (records.ActRow, error) {
	row, err := one(ctx, t, scanAct, selectAct, a.Decision, a.Number, d)
	if err != nil {
		return records.ActRow{}, missing(err, "act")
	}
	if row.Act.Kind != a.Kind || row.Act.Target != a.Target {
		return records.ActRow{}, casefile.Errorf(casefile.CodeConflict, "another act was planned under this number")
	}
	return row, nil
}

// PlanActs writes act rows as planned, if absent, and returns those that stand, in the order
// given. CodeNotFound when the decision has no row.
func (s *Store) PlanActs(ctx context.Context, acts []records.ActRow) ([]records.ActRow, error) {
	stand, err := do(ctx, s.engine, func(ctx context.Context, t *tx) ([]records.ActRow, error) {
		var out []records.ActRow
		for _, a := range acts {
			n, err := t.changed(ctx, `INSERT INTO acts (decision, number, direction, kind, target, until, state, undo, undo_digest, planned_at)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (decision, number, direction) DO NOTHING`,
				a.Act.Decision, a.Act.Number, a.Direction, a.Act.Kind, a.Act.Target, microsOrNull(a.Act.Until),
				casefile.ActPlanned, a.Undo, a.UndoDigest, micros(a.PlannedAt))
			if t.fault(err) == FaultOrphan {
				return nil, casefile.Errorf(casefile.CodeNotFound, "no such decision")
			}
			if err != nil {
				return nil, err
			}
			row, err := one(ctx, t, scanAct, selectAct, a.Act.Decision, a.Act.Number, a.Direction)
			if err != nil {
				return nil, err
			}
			if n > 0 {
				t.actChanged(a.Act, a.Direction)
			}
			out = append(out, row)
		}
		return out, nil
	})
	return stand, s.coded(ctx, "plan acts", err)
}

func (t *tx) actChanged(a casefile.Act, d casefile.Direction) {
	t.Tell(records.Change{Kind: records.ChangeAct, ID: a.Key(d)})
	t.Tell(records.Change{Kind: records.ChangeDecision, ID: a.Decision})
}

// BeginAct marks an attempt begun. started is false when an attempt was begun before and its
// outcome never written. CodeState when the act already has its outcome; CodePaused, with nothing
// written, while a switch of acts that covers the decision's platform is off; CodeNotFound when it was
// not planned; CodeConflict when another kind of act or target was planned under its number.
func (s *Store) BeginAct(ctx context.Context, act casefile.Act, d casefile.Direction, now time.Time) (started bool, row records.ActRow, err error) {
	type begun struct {
		started bool
		row     records.ActRow
	}
	// Each statement sees what was committed before it: what the switches say once they are locked is
	// what whoever had them before has made of them.
	b, err := doApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) (begun, error) {
		row, err := t.act(ctx, act, d)
		if err != nil {
			return begun{}, err
		}
		if row.State != casefile.ActPlanned {
			return begun{}, hasOutcome(row)
		}
		err = t.requireActsOn(ctx, act.Decision)
		if err != nil {
			return begun{}, err
		}
		n, err := t.changed(ctx, `UPDATE acts SET started_at = ? WHERE decision = ? AND number = ? AND direction = ?
			AND state = 'planned' AND started_at IS NULL`, micros(now), act.Decision, act.Number, d)
		if err != nil {
			return begun{}, err
		}
		row, err = t.act(ctx, act, d)
		switch {
		case err != nil:
			return begun{}, err
		case row.State != casefile.ActPlanned:
			return begun{}, hasOutcome(row)
		case n == 0:
			return begun{false, row}, nil
		}
		t.actChanged(act, d)
		return begun{true, row}, nil
	})
	return b.started, b.row, s.coded(ctx, "begin act", err)
}

func hasOutcome(row records.ActRow) error {
	return casefile.Errorf(casefile.CodeState, "the act has its outcome: %s", row.State)
}

// EndAct writes an act's outcome; the first one stands and is returned. CodeNotFound and
// CodeConflict as for BeginAct; CodeInvalid for an outcome that is none.
func (s *Store) EndAct(ctx context.Context, outcome casefile.ActOutcome) (records.ActRow, error) {
	switch {
	case outcome.State == casefile.ActPlanned || outcome.State == "":
		return records.ActRow{}, casefile.Invalid("state", "not an outcome")
	case outcome.At.IsZero():
		return records.ActRow{}, casefile.Invalid("at", "required")
	}
	row, err := do(ctx, s.engine, func(ctx context.Context, t *tx) (records.ActRow, error) {
		row, err := t.act(ctx, outcome.Act, outcome.Direction)
		if err != nil || row.State != casefile.ActPlanned {
			return row, err
		}
		_, err = t.Exec(ctx, `UPDATE acts SET state = ?, ended_at = ?, reference = ?, why = ?
			WHERE decision = ? AND number = ? AND direction = ?`,
			outcome.State, micros(outcome.At), outcome.Reference, outcome.Why, outcome.Act.Decision, outcome.Act.Number, outcome.Direction)
		if err != nil {
			return records.ActRow{}, err
		}
		t.actChanged(outcome.Act, outcome.Direction)
		return t.act(ctx, outcome.Act, outcome.Direction)
	})
	return row, s.coded(ctx, "end act", err)
}

// Acts lists a decision's act rows by number and direction, do before undo.
func (s *Store) Acts(ctx context.Context, decision string) ([]records.ActRow, error) {
	list, err := all(ctx, s.engine, scanAct, "SELECT "+actColumns+" FROM acts WHERE decision = ? ORDER BY number, direction", decision)
	return list, s.coded(ctx, "list acts", err)
}
