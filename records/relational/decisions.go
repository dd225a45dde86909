package relational

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	decisionColumns = "decision, state, counter, event, hash, bundle, why, updated_at"
	selectDecision  = "SELECT " + decisionColumns + " FROM decisions WHERE id = ?"

	selectEveryDecision = "SELECT " + decisionColumns + " FROM decisions WHERE id > ? ORDER BY id LIMIT ?"

	selectUnfinished = "SELECT " + decisionColumns + ` FROM decisions WHERE id IN (
		SELECT id FROM decisions WHERE unfinished = 1 UNION ALL SELECT decision FROM notices WHERE state = 'planned'
	) AND id > ? ORDER BY id LIMIT ?`
)

func scanDecision(r scanner) (records.DecisionRow, error) {
	var d records.DecisionRow
	err := r.Scan(toJSON{&d.Decision}, &d.State, &d.Counter, &d.Event, &d.Hash, toJSON{&d.Bundle}, &d.Why, toTime{&d.UpdatedAt})
	return d, err
}

// Decision returns a row; CodeNotFound if there is none.
func (s *Store) Decision(ctx context.Context, id string) (records.DecisionRow, error) {
	d, err := one(ctx, s.engine, scanDecision, selectDecision, id)
	return d, s.coded(ctx, "read decision", missing(err, "decision"))
}

// CaseDecisions lists a case's decisions, the newest first.
func (s *Store) CaseDecisions(ctx context.Context, ref casefile.CaseRef) ([]records.DecisionRow, error) {
	list, err := all(ctx, s.engine, scanDecision, "SELECT "+decisionColumns+" FROM decisions WHERE case_ref = ? ORDER BY seq DESC", ref)
	return list, s.coded(ctx, "list a case's decisions", err)
}

// UnfinishedDecisions lists decisions whose takedown may have something left to do, by id.
func (s *Store) UnfinishedDecisions(ctx context.Context, after string, limit int) ([]records.DecisionRow, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanDecision, selectUnfinished, after, limit)
	return list, s.coded(ctx, "list unfinished decisions", err)
}

// EveryDecision lists all decisions by id, with their acts.
func (s *Store) EveryDecision(ctx context.Context, after string, limit int) ([]records.DecidedActs, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	rows, err := all(ctx, s.engine, scanDecision, selectEveryDecision, after, limit)
	if err != nil || len(rows) == 0 {
		return nil, s.coded(ctx, "list decisions", err)
	}
	acts, err := all(ctx, s.engine, scanAct, selectActsBetween, after, rows[len(rows)-1].Decision.ID)
	if err != nil {
		return nil, s.coded(ctx, "list decisions' acts", err)
	}
	of := map[string][]records.ActRow{}
	for _, a := range acts {
		of[a.Act.Decision] = append(of[a.Act.Decision], a)
	}
	out := make([]records.DecidedActs, len(rows))
	for i, d := range rows {
		out[i] = records.DecidedActs{DecisionRow: d, Acts: of[d.Decision.ID]}
	}
	return out, nil
}

// unfinished says of a row, for its column, that its takedown may have something left to do; its
// notice aside.
func unfinished(d records.DecisionRow) bool {
	switch d.State {
	case casefile.DecisionRecorded, casefile.DecisionExecuting, casefile.DecisionUncertain:
		return true
	case casefile.DecisionDone:
		acts := casefile.PlanActs(d.Decision, d.Decision.Relied())
		return slices.ContainsFunc(acts, func(a casefile.Act) bool { return a.Until != nil })
	}
	return false
}

// moves lists what may follow each state of a decision. A late retry of an earlier step finds its
// move missing here: what a takedown has reached is never taken back by it. What was uncertain goes
// on to whatever a person has established. A takedown that failed or stopped may be started anew.
var moves = map[casefile.DecisionState][]casefile.DecisionState{
	casefile.DecisionGrace: {casefile.DecisionWithdrawn, casefile.DecisionRecorded, casefile.DecisionExecuting,
		casefile.DecisionDone, casefile.DecisionUncertain, casefile.DecisionFailed},
	casefile.DecisionRecorded: {casefile.DecisionExecuting, casefile.DecisionDone, casefile.DecisionUncertain,
		casefile.DecisionFailed, casefile.DecisionUndone},
	casefile.DecisionExecuting: {casefile.DecisionDone, casefile.DecisionUncertain, casefile.DecisionFailed, casefile.DecisionUndone},
	casefile.DecisionUncertain: {casefile.DecisionExecuting, casefile.DecisionDone, casefile.DecisionFailed, casefile.DecisionEnded,
		casefile.DecisionUndone},
	casefile.DecisionFailed: {casefile.DecisionExecuting, casefile.DecisionDone, casefile.DecisionUncertain, casefile.DecisionUndone},
	casefile.DecisionDone:   {casefile.DecisionUncertain, casefile.DecisionFailed, casefile.DecisionEnded, casefile.DecisionUndone},
	casefile.DecisionEnded:  {casefile.DecisionUndone},
}

func canMove(from, to casefile.DecisionState) bool {
	for _, s := range moves[from] {
		if s == to {
			return true
		}
	}
	return false
}

// AdvanceDecision moves a decision's row on, raising its counter, with the strike that it gives, if
// any, in one transaction. Repeats of the same state change nothing. CodeNotFound if there is no
// such decision; CodeState for a step back.
func (s *Store) AdvanceDecision(ctx context.Context, id string, state casefile.DecisionState, why string, strike *records.Strike, now time.Time) error {
	if strike != nil && strike.Decision != id {
		return casefile.Invalid("strike.decision", "the strike is another decision's")
	}
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		row, err := one(ctx, t, scanDecision, selectDecision, id)
		if err != nil {
			return missing(err, "decision")
		}
		if row.State == state {
			return nil
		}
		if !canMove(row.State, state) {
			return casefile.Errorf(casefile.CodeState, "a decision that is %s does not become %s", row.State, state)
		}
		row.State, row.Why = state, why
		err = t.updateDecision(ctx, row, now)
		if err != nil || strike == nil {
			return err
		}
		_, err = t.Exec(ctx, "INSERT INTO strikes (decision, account, at, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (decision) DO NOTHING",
			id, strike.Account, micros(strike.At), micros(strike.ExpiresAt))
		return err
	})
	return s.coded(ctx, "advance decision", err)
}

// projectDecision writes a case's decision. A projection never takes back what a takedown has
// reached meanwhile, nor a proof.
func (t *tx) projectDecision(ctx context.Context, d records.DecisionRow, now time.Time) error {
	// The row is its takedown's as well, which does not wait for the account's other writes.
	old, err := one(ctx, t, scanDecision, selectDecision+"/*postgres: FOR UPDATE*/", d.Decision.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return t.insertDecision(ctx, d, now)
	}
	if err != nil {
		return err
	}
	if old.Decision.Case != d.Decision.Case {
		return casefile.Errorf(casefile.CodeConflict, "the decision is another case's")
	}
	next := old
	next.Decision = d.Decision
	if canMove(old.State, d.State) {
		next.State, next.Why = d.State, d.Why
	}
	if d.Event != "" {
		next.Event, next.Hash = d.Event, d.Hash
	}
	if d.Bundle != nil {
		next.Bundle = d.Bundle
	}
	same, err := sameDecision(old, next)
	if err != nil || same {
		return err
	}
	return t.updateDecision(ctx, next, now)
}

func sameDecision(a, b records.DecisionRow) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("compare decisions: %w", err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("compare decisions: %w", err)
	}
	return bytes.Equal(x, y), nil
}

func (t *tx) insertDecision(ctx context.Context, d records.DecisionRow, now time.Time) error {
	body, err := jsonText(d.Decision)
	if err != nil {
		return err
	}
	bundle, err := jsonText(d.Bundle)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO decisions (id, case_ref, decision, state, counter, event, hash, bundle, why, updated_at, unfinished)
		VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)`,
		d.Decision.ID, d.Decision.Case, body, d.State, d.Event, d.Hash, bundle, d.Why, micros(now), bit(unfinished(d)))
	if err != nil {
		return err
	}
	return t.decisionChanged(ctx, d.Decision, 1)
}

// updateDecision writes the row back with its counter raised.
func (t *tx) updateDecision(ctx context.Context, d records.DecisionRow, now time.Time) error {
	body, err := jsonText(d.Decision)
	if err != nil {
		return err
	}
	bundle, err := jsonText(d.Bundle)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE decisions SET decision = ?, state = ?, counter = ?, event = ?, hash = ?, bundle = ?, why = ?, updated_at = ?,
		unfinished = ? WHERE id = ?`, body, d.State, d.Counter+1, d.Event, d.Hash, bundle, d.Why, micros(now), bit(unfinished(d)), d.Decision.ID)
	if err != nil {
		return err
	}
	return t.decisionChanged(ctx, d.Decision, d.Counter+1)
}

func (t *tx) decisionChanged(ctx context.Context, d casefile.Decision, counter int) error {
	t.Tell(records.Change{Kind: records.ChangeDecision, Case: d.Case, ID: d.ID})
	return t.indexDecision(ctx, d.ID, counter)
}
