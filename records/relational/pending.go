package relational

import (
	"context"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// standing says of an act a that it was not taken back. The end of a timed act that a stronger one
// stands in the place of is skipped: then it is over as well.
const standing = `NOT EXISTS (SELECT 1 FROM acts u WHERE u.decision = a.decision AND u.number = a.number
	AND u.direction = 'undo' AND u.state IN ('done', 'undone', 'skipped'))`

// ofActs are actColumns of the table under the name a.
var ofActs = "a." + strings.Join(strings.Fields(actColumns), " a.")

// stages are the acts of each stage.
var stages = map[records.ActStage]string{
	records.ActWaiting:   " AND a.state = 'planned' AND a.started_at IS NULL",
	records.ActRetrying:  " AND a.state = 'planned' AND a.started_at IS NOT NULL",
	records.ActUncertain: " AND a.state = 'uncertain'",
	records.ActFailed:    " AND a.state = 'failed'",
}

func stageOf(a records.ActRow) records.ActStage {
	switch {
	case a.State == casefile.ActUncertain:
		return records.ActUncertain
	case a.State == casefile.ActFailed:
		return records.ActFailed
	case a.StartedAt != nil:
		return records.ActRetrying
	}
	return records.ActWaiting
}

// pendingActs names its index, and a CROSS JOIN keeps SQLite to the order of the tables: without
// statistics its planner takes another table for the better way in. An act that its decision's end has left behind is not waited for: one never begun before the decision
// failed, and one that failed before everything was taken back.
func pendingActs(platform string, stage records.ActStage, after bool) string {
	text := "SELECT " + ofActs + `, c.ref, c.platform, c.account
	FROM acts a INDEXED BY acts_pending CROSS JOIN decisions d CROSS JOIN cases c
	WHERE d.id = a.decision AND c.ref = d.case_ref AND a.state IN ('planned', 'uncertain', 'failed')
		AND NOT (a.direction = 'do' AND a.state = 'planned' AND a.started_at IS NULL AND d.state IN ('withdrawn', 'failed', 'ended', 'undone'))
		AND NOT (a.direction = 'do' AND a.state = 'failed' AND d.state = 'undone')` + stages[stage]
	if platform != "" {
		text += " AND c.platform = ?"
	}
	if after {
		text += " AND (a.planned_at, a.decision, a.number, a.direction) > (?, ?, ?, ?)"
	}
	return text + " ORDER BY a.planned_at, a.decision, a.number, a.direction LIMIT ?"
}

// PendingActs lists acts that have not come to a good end, of a platform ("" for all) and stage ("" for
// all), the longest waiting first, after a cursor. Acts that are left behind are not listed: never
// begun before their decision failed, or failed before everything was taken back.
func (s *Store) PendingActs(ctx context.Context, platform string, stage records.ActStage, after string, limit int) (acts []records.PendingAct, next string, err error) {
	err = checkLimit(limit)
	if err != nil {
		return nil, "", err
	}
	if _, known := stages[stage]; !known && stage != "" {
		return nil, "", casefile.Invalid("stage", "not a stage of an act")
	}
	var args []any
	if platform != "" {
		args = append(args, platform)
	}
	if after != "" {
		c, err := decodeCursor[actCursor](after)
		if err != nil {
			return nil, "", err
		}
		args = append(args, c.PlannedAt, c.Decision, c.Number, c.Direction)
	}
	acts, err = all(ctx, s.engine, func(r scanner) (records.PendingAct, error) {
		var p records.PendingAct
		row, err := scanAct(with{r, []any{&p.Case, &p.Platform, &p.Account}})
		p.ActRow, p.Stage = row, stageOf(row)
		return p, err
	}, pendingActs(platform, stage, after != ""), append(args, limit+1)...)
	if err != nil {
		return nil, "", s.coded(ctx, "list pending acts", err)
	}
	return page(acts, limit, func(p records.PendingAct) any {
		return actCursor{p.PlannedAt.UnixMicro(), p.Act.Decision, p.Act.Number, p.Direction}
	})
}

// with scans further columns behind those that a scan asks for.
type with struct {
	scanner
	behind []any
}

// Scan scans dst and what stands behind it.
func (w with) Scan(dst ...any) error { return w.scanner.Scan(append(dst, w.behind...)...) }

// NoteAttempt counts an attempt at an act that came to nothing, with the code of its error; attempts are
// told apart by their times. An act that has its outcome is left as it is. CodeNotFound and CodeConflict
// as for BeginAct.
func (s *Store) NoteAttempt(ctx context.Context, act casefile.Act, d casefile.Direction, code string, now time.Time) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		_, err := t.act(ctx, act, d)
		if err != nil {
			return err
		}
		n, err := t.changed(ctx, `UPDATE acts SET tries = tries + 1, last_error = ?1, tried_at = ?2
			WHERE decision = ?3 AND number = ?4 AND direction = ?5 AND state = 'planned' AND (tried_at IS NULL OR tried_at < ?2)`,
			code, micros(now), act.Decision, act.Number, d)
		if err != nil {
			return err
		}
		if n > 0 {
			t.actChanged(act, d)
		}
		return nil
	})
	return s.coded(ctx, "note an attempt at an act", err)
}

// SettleAct writes the outcome of an uncertain act that was established since: done, or failed. A
// repeat of the same outcome is answered with the row that stands. CodeState when the act is not
// uncertain; CodeNotFound and CodeConflict as for BeginAct.
func (s *Store) SettleAct(ctx context.Context, outcome casefile.ActOutcome) (records.ActRow, error) {
	switch {
	case outcome.State != casefile.ActDone && outcome.State != casefile.ActFailed:
		return records.ActRow{}, casefile.Invalid("state", "an uncertain act was done, or it failed")
	case outcome.At.IsZero():
		return records.ActRow{}, casefile.Invalid("at", "required")
	}
	row, err := do(ctx, s.engine, func(ctx context.Context, t *tx) (records.ActRow, error) {
		row, err := t.act(ctx, outcome.Act, outcome.Direction)
		if err != nil {
			return records.ActRow{}, err
		}
		if row.State != casefile.ActUncertain {
			return t.settledBefore(ctx, row, outcome)
		}
		_, err = t.Exec(ctx, `UPDATE acts SET state = ?1, ended_at = ?2, settled_at = ?2, reference = ?3, why = ?4, settled_by = ?5
			WHERE decision = ?6 AND number = ?7 AND direction = ?8`, outcome.State, micros(outcome.At), outcome.Reference, outcome.Why,
			outcome.By, outcome.Act.Decision, outcome.Act.Number, outcome.Direction)
		if err != nil {
			return records.ActRow{}, err
		}
		t.actChanged(outcome.Act, outcome.Direction)
		return t.act(ctx, outcome.Act, outcome.Direction)
	})
	return row, s.coded(ctx, "settle act", err)
}

// settledBefore answers a repeat; whatever else is not uncertain is refused.
func (t *tx) settledBefore(ctx context.Context, row records.ActRow, outcome casefile.ActOutcome) (records.ActRow, error) {
	n, err := one(ctx, t, scanInt, `SELECT COUNT(*) FROM acts WHERE decision = ? AND number = ? AND direction = ?
		AND state = ? AND settled_at IS NOT NULL`, outcome.Act.Decision, outcome.Act.Number, outcome.Direction, outcome.State)
	if err != nil || n > 0 {
		return row, err
	}
	return records.ActRow{}, casefile.Errorf(casefile.CodeState, "this act is not uncertain: it is %s", row.State)
}

// AccountActs lists the acts done on an account by all its decisions and not undone since, the newest
// first.
func (s *Store) AccountActs(ctx context.Context, account casefile.AccountKey) ([]records.ActRow, error) {
	list, err := all(ctx, s.engine, scanAct, "SELECT "+ofActs+` FROM cases c JOIN decisions d ON d.case_ref = c.ref JOIN acts a ON a.decision = d.id
		WHERE c.account = ? AND a.direction = 'do' AND a.state = 'done' AND `+standing+`
		ORDER BY a.ended_at DESC, d.seq DESC, a.number DESC`, account)
	return list, s.coded(ctx, "list an account's acts", err)
}
