package relational

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// lockAccount locks the account's row; CodeNotFound if there is none. An erasure, and what must not come
// between its look and its deed, are kept apart as AccountRows; the lock holds up what refers to the row.
func (t *tx) lockAccount(ctx context.Context, account casefile.AccountKey) error {
	_, err := one(ctx, t, scanAccount, selectAccount+"/*postgres: FOR UPDATE*/", account)
	return missing(err, "account")
}

// refuseErased is CodeState while the account is being erased, and for a case ("" for none) whose
// account was erased since.
func (t *tx) refuseErased(ctx context.Context, account casefile.AccountKey, ref casefile.CaseRef) error {
	n, err := one(ctx, t, scanInt, `SELECT (SELECT COUNT(*) FROM erasures WHERE account = ? AND state IN ('closing', 'destroyed'))
		+ (SELECT COUNT(*) FROM cases WHERE ref = ? AND erased_at IS NOT NULL)`, account, ref)
	if err != nil || n == 0 {
		return err
	}
	return casefile.Errorf(casefile.CodeState, "the account was erased, or is being erased")
}

// bars are the reasons why an account cannot be erased at now, each with what it is about.
func (t *tx) bars(ctx context.Context, account casefile.AccountKey, now time.Time) ([]casefile.ErasureReason, error) {
	scan := func(bar casefile.ErasureBar) func(scanner) (casefile.ErasureReason, error) {
		return func(r scanner) (casefile.ErasureReason, error) {
			x := casefile.ErasureReason{Bar: bar}
			err := r.Scan(toText[casefile.CaseRef]{&x.Case}, toText[string]{&x.Decision}, &x.Act, toText[string]{&x.Appeal}, toText[string]{&x.Hold}, toOptionalTime{&x.Until})
			return x, err
		}
	}
	var out []casefile.ErasureReason
	for _, q := range barQueries {
		args := []any{account, micros(now)}
		if q.bar == casefile.BarWindow {
			args = append(args, casefile.AppealWindow.Microseconds())
		}
		found, err := all(ctx, t, scan(q.bar), q.text, args[:q.args]...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// barQueries find the reasons of each kind: case, decision, act, appeal, hold, until. An act planned for a
// decision that failed for good waits for nothing.
var barQueries = []struct {
	bar  casefile.ErasureBar
	args int
	text string
}{
	{casefile.BarDecision, 1, `SELECT ref, decision, 0, '', '', NULL FROM cases WHERE account = ?1 AND state IN ('decided', 'proven')`},
	{casefile.BarTakedown, 1, `SELECT c.ref, d.id, 0, '', '', NULL FROM cases c JOIN decisions d ON d.case_ref = c.ref
		WHERE c.account = ?1 AND c.state = 'closed' AND (d.state IN ('recorded', 'executing', 'uncertain')
			OR EXISTS (SELECT 1 FROM notices n WHERE n.decision = d.id AND n.state = 'planned')
			OR d.state <> 'failed' AND EXISTS (SELECT 1 FROM acts a WHERE a.decision = d.id AND a.state = 'planned'))
		ORDER BY d.seq`},
	{casefile.BarUncertain, 1, `SELECT c.ref, d.id, a.number, '', '', NULL FROM cases c JOIN decisions d ON d.case_ref = c.ref
			JOIN acts a ON a.decision = d.id
		WHERE c.account = ?1 AND a.state = 'uncertain' ORDER BY d.seq, a.number, a.direction`},
	{casefile.BarTimed, 1, `SELECT c.ref, d.id, a.number, '', '', a.until FROM cases c JOIN decisions d ON d.case_ref = c.ref
			JOIN acts a ON a.decision = d.id
		WHERE c.account = ?1 AND d.unfinished = 1 AND a.direction = 'do' AND a.until IS NOT NULL AND a.state = 'done' AND ` + standing + `
		ORDER BY d.seq, a.number`},
	{casefile.BarAppeal, 1, `SELECT case_ref, decision, 0, id, '', NULL FROM appeals
		WHERE account = ?1 AND state IN ('open', 'claimed', 'decided', 'upheld') ORDER BY opened_at, id`},
	{casefile.BarWindow, 3, `SELECT c.ref, d.id, 0, '', '', n.state_at + ?3 FROM cases c JOIN decisions d ON d.case_ref = c.ref
			JOIN notices n ON n.decision = d.id
		WHERE c.account = ?1 AND n.state <> 'planned' AND n.state_at + ?3 >= ?2 AND d.state <> 'undone' AND d.bundle IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM appeals x WHERE x.decision = d.id AND x.kind = 'appeal')
		ORDER BY d.seq`},
	{casefile.BarHold, 2, `SELECT '', '', 0, '', id, until FROM legal_holds
		WHERE account = ?1 AND ended_at IS NULL AND until > ?2 ORDER BY at, id`},
}
