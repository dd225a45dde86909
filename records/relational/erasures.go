package relational

import (
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
	erasureColumns = `seq, id, account, platform, name, reason, by_person, by_role, at, state, again, destroyed_at, ended_at,
	cases, flags, objects, bars`
	selectErasure = "SELECT " + erasureColumns + " FROM erasures WHERE id = ?"

	selectErasuresUnderWay = "SELECT " + erasureColumns + " FROM erasures WHERE state IN ('closing', 'destroyed') ORDER BY seq LIMIT ?"
	selectAccountErasures  = "SELECT " + erasureColumns + " FROM erasures WHERE account = ? ORDER BY seq"
)

func scanErasure(r scanner) (records.ErasureRow, error) {
	var e records.ErasureRow
	err := r.Scan(&e.Seq, &e.ID, &e.Account, &e.Platform, &e.Name, &e.Reason, &e.By.Person, &e.By.Role, toTime{&e.At}, &e.State, &e.Again,
		toOptionalTime{&e.DestroyedAt}, toOptionalTime{&e.EndedAt}, &e.Cases, &e.Flags, &e.Objects, toJSON{&e.Bars})
	return e, err
}

func checkErasure(e records.ErasureRow) error {
	switch {
	case e.ID == "":
		return casefile.Invalid("id", "required")
	case e.Name == "":
		return casefile.Invalid("name", "required")
	case !e.Again && e.By.Person == "":
		return casefile.Invalid("by", "required: a person")
	case !e.Again && len(e.Reason) == 0:
		return casefile.Invalid("reason", "required")
	case e.At.IsZero():
		return casefile.Invalid("at", "required")
	}
	return nil
}

// BeginErasure writes a row, as closing, unless something keeps the account from being erased: then it
// writes nothing and gives every reason. Where one of the account is under way, that one is returned, and
// so is a row of the same id in whatever state. With e.Again nothing keeps it. CodeNotFound for an account
// that no flag ever named.
func (s *Store) BeginErasure(ctx context.Context, e records.ErasureRow) (records.ErasureRow, []casefile.ErasureReason, error) {
	err := checkErasure(e)
	if err != nil {
		return records.ErasureRow{}, nil, err
	}
	type begun struct {
		row  records.ErasureRow
		bars []casefile.ErasureReason
	}
	b, err := doApart(ctx, s.engine, AccountRows(e.Account), func(ctx context.Context, t *tx) (begun, error) {
		err := t.lockAccount(ctx, e.Account)
		if err != nil {
			return begun{}, err
		}
		stands, err := t.erasureOf(ctx, e)
		if err != nil || stands.ID != "" {
			return begun{row: stands}, err
		}
		if !e.Again {
			bars, err := t.bars(ctx, e.Account, e.At)
			if err != nil || len(bars) > 0 {
				return begun{bars: bars}, err
			}
		}
		_, err = t.Exec(ctx, `INSERT INTO erasures (id, account, platform, name, reason, by_person, by_role, at, state, again)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			e.ID, e.Account, e.Platform, e.Name, e.Reason, e.By.Person, e.By.Role, micros(e.At), casefile.ErasureClosing, bit(e.Again))
		if err != nil {
			return begun{}, err
		}
		t.Tell(records.Change{Kind: records.ChangeErasure, ID: e.ID})
		row, err := one(ctx, t, scanErasure, selectErasure, e.ID)
		return begun{row: row}, err
	})
	return b.row, b.bars, s.coded(ctx, "begin an erasure", err)
}

// erasureOf gives the row that stands in the way of another: one of the same id, or one of the account that
// is under way; the zero row if there is none. To one that was read from the ledger, what has destroyed
// nothing yet gives way: it takes its own row over, and stops another's.
func (t *tx) erasureOf(ctx context.Context, e records.ErasureRow) (records.ErasureRow, error) {
	row, err := one(ctx, t, scanErasure, selectErasure, e.ID)
	switch {
	case err == nil && e.Again && row.State == casefile.ErasureClosing:
		_, err = t.Exec(ctx, "UPDATE erasures SET again = 1, at = ? WHERE id = ?", micros(e.At), e.ID)
		if err != nil {
			return row, err
		}
		return one(ctx, t, scanErasure, selectErasure, e.ID)
	case !errors.Is(err, sql.ErrNoRows):
		return row, err
	}
	row, err = one(ctx, t, scanErasure, "SELECT "+erasureColumns+" FROM erasures WHERE account = ? AND state IN ('closing', 'destroyed')", e.Account)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return records.ErasureRow{}, nil
	case err == nil && e.Again && row.State == casefile.ErasureClosing:
		_, err = t.stopErasure(ctx, row, nil, e.At)
		return records.ErasureRow{}, err
	}
	return row, err
}

// DestroyAccount destroys the account's wrapped content key and closes everything that rests on it, in
// one transaction (records.Erasures).
func (s *Store) DestroyAccount(ctx context.Context, id string, now time.Time) (records.ErasureRow, error) {
	if now.IsZero() {
		return records.ErasureRow{}, casefile.Invalid("now", "required")
	}
	e, err := s.Erasure(ctx, id)
	if err != nil {
		return records.ErasureRow{}, err
	}
	row, err := doApart(ctx, s.engine, AccountRows(e.Account), func(ctx context.Context, t *tx) (records.ErasureRow, error) {
		err := t.lockAccount(ctx, e.Account)
		if err != nil {
			return records.ErasureRow{}, err
		}
		row, err := one(ctx, t, scanErasure, selectErasure, id)
		if err != nil || row.State != casefile.ErasureClosing {
			return row, err
		}
		t.Tell(records.Change{Kind: records.ChangeErasure, ID: id})
		if !row.Again {
			bars, err := t.bars(ctx, row.Account, now)
			if err != nil {
				return records.ErasureRow{}, err
			}
			if len(bars) > 0 {
				return t.stopErasure(ctx, row, bars, now)
			}
		}
		return t.destroy(ctx, row, now)
	})
	return row, s.coded(ctx, "destroy an account's key", err)
}

func (t *tx) stopErasure(ctx context.Context, e records.ErasureRow, bars []casefile.ErasureReason, now time.Time) (records.ErasureRow, error) {
	text, err := jsonText(bars)
	if err != nil {
		return records.ErasureRow{}, err
	}
	_, err = t.Exec(ctx, "UPDATE erasures SET state = ?, ended_at = ?, bars = ? WHERE id = ?", casefile.ErasureStopped, micros(now), text, e.ID)
	if err != nil {
		return records.ErasureRow{}, err
	}
	return one(ctx, t, scanErasure, selectErasure, e.ID)
}

func (t *tx) destroy(ctx context.Context, e records.ErasureRow, now time.Time) (records.ErasureRow, error) {
	err := t.closeForErasure(ctx, e, now)
	if err != nil {
		return records.ErasureRow{}, err
	}
	objects, err := accountObjects(ctx, t, e.Account)
	if err != nil {
		return records.ErasureRow{}, err
	}
	flags, err := one(ctx, t, scanInt, "SELECT COUNT(*) FROM flags WHERE account = ?", e.Account)
	if err != nil {
		return records.ErasureRow{}, err
	}
	cases, err := t.markErased(ctx, e.Account, now)
	if err != nil {
		return records.ErasureRow{}, err
	}
	_, err = t.Exec(ctx, "UPDATE account_keys SET wrapped = NULL, destroyed_at = ? WHERE account = ? AND wrapped IS NOT NULL", micros(now), e.Account)
	if err != nil {
		return records.ErasureRow{}, err
	}
	err = t.forget(ctx, e.Account)
	if err != nil {
		return records.ErasureRow{}, err
	}
	_, err = t.Exec(ctx, "UPDATE erasures SET state = ?, destroyed_at = ?, cases = ?, flags = ?, objects = ? WHERE id = ?",
		casefile.ErasureDestroyed, micros(now), cases, flags, len(objects), e.ID)
	if err != nil {
		return records.ErasureRow{}, err
	}
	if !e.Again {
		body, err := json.Marshal(map[string]any{"erasure": e.ID, "account": e.Name, "cases": cases, "flags": flags, "objects": len(objects)})
		if err != nil {
			return records.ErasureRow{}, fmt.Errorf("marshal ledger body: %w", err)
		}
		err = t.putOutbox(ctx, records.OutboxEntry{Type: casefile.EntryErased, Actor: e.By, Body: body, At: now, Key: erasureKey(e.ID)})
		if err != nil {
			return records.ErasureRow{}, err
		}
	}
	return one(ctx, t, scanErasure, selectErasure, e.ID)
}

// erasureKey names the outbox row of an erasure.
func erasureKey(id string) string { return "erased/" + id }

// closeForErasure sees to it that no case of the account is open. Only after a restore does it close one
// itself, and with it what else the restored rows have open: the log that was kept has their ends.
func (t *tx) closeForErasure(ctx context.Context, e records.ErasureRow, now time.Time) error {
	open, err := all(ctx, t, scanText[casefile.CaseRef], "SELECT ref FROM cases WHERE account = ? AND state <> 'closed'", e.Account)
	if err != nil {
		return err
	}
	if len(open) > 0 && !e.Again {
		return casefile.Errorf(casefile.CodeState, "a case of the account is open: %s", open[0])
	}
	if !e.Again {
		return nil
	}
	_, err = t.Exec(ctx, `UPDATE cases SET state = 'closed', closed_at = ?, close_reason = ?, claim = NULL, claim_person = '', reserved_by = '',
		reserved_until = NULL, overdue_at = NULL WHERE account = ? AND state <> 'closed'`, micros(now), casefile.CloseErased, e.Account)
	if err != nil {
		return err
	}
	for _, ref := range open {
		_, err = t.Exec(ctx, "UPDATE accounts SET open_case = '', last_case = ? WHERE account = ?", ref, e.Account)
		if err != nil {
			return err
		}
		t.Tell(records.Change{Kind: records.ChangeCase, Case: ref})
	}
	_, err = t.Exec(ctx, "UPDATE decisions SET unfinished = 0 WHERE unfinished = 1 AND case_ref IN (SELECT ref FROM cases WHERE account = ?)", e.Account)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE appeals SET state = ?, why = 'erased', claim = NULL, ended_at = ? WHERE account = ? AND ended_at IS NULL`,
		casefile.AppealIncomplete, micros(now), e.Account)
	return err
}

// markErased raises every case's revision, so that the index takes a document without words over any that
// may still be on its way, and gives the number of cases.
func (t *tx) markErased(ctx context.Context, account casefile.AccountKey, now time.Time) (int, error) {
	type marked struct {
		ref      casefile.CaseRef
		revision int
	}
	rows, err := all(ctx, t, func(r scanner) (marked, error) {
		var m marked
		err := r.Scan(&m.ref, &m.revision)
		return m, err
	}, "UPDATE cases SET erased_at = ?, revision = revision + 1 WHERE account = ? RETURNING ref, revision", micros(now), account)
	if err != nil {
		return 0, err
	}
	for _, m := range rows {
		err = t.indexCase(ctx, m.ref, m.revision)
		if err != nil {
			return 0, err
		}
		_, err = t.Exec(ctx, "UPDATE accounts SET revision = ? WHERE account = ? AND revision < ?", m.revision, account, m.revision)
		if err != nil {
			return 0, err
		}
		t.Tell(records.Change{Kind: records.ChangeCase, Case: m.ref})
	}
	return len(rows), nil
}

// forget closes pending flags, takes keyed hashes of the account's handles and posts away, and empties what
// staff wrote about it. The handle of an account that an act still suspends or ends stays known: the act is
// on the platform, and whoever comes back under a like handle is to be seen.
func (t *tx) forget(ctx context.Context, account casefile.AccountKey) error {
	closed, err := all(ctx, t, scanText[casefile.FlagKey], "UPDATE flags SET status = 'erased' WHERE account = ? AND status = 'pending' RETURNING flag", account)
	if err != nil {
		return err
	}
	for _, f := range closed {
		t.Tell(records.Change{Kind: records.ChangeFlag, Flag: f})
	}
	for _, text := range []string{
		"DELETE FROM account_handles WHERE account = ?1",
		"DELETE FROM decided_items WHERE account = ?1",
		`DELETE FROM taken_down_handles WHERE account = ?1 AND (forgotten = 1 OR NOT EXISTS (
			SELECT 1 FROM cases c JOIN decisions d ON d.case_ref = c.ref JOIN acts a ON a.decision = d.id
			WHERE c.account = ?1 AND a.direction = 'do' AND a.kind IN ('suspend', 'terminate')
				AND a.state IN ('done', 'uncertain') AND ` + standing + "))",
	} {
		_, err = t.Exec(ctx, text, account)
		if err != nil {
			return err
		}
	}
	for _, text := range []string{
		"UPDATE break_glass SET reason = ?2 WHERE case_ref IN (SELECT ref FROM cases WHERE account = ?1)",
		"UPDATE legal_holds SET basis = ?2 WHERE account = ?1",
		"UPDATE legal_holds SET end_reason = ?2 WHERE account = ?1 AND end_reason IS NOT NULL",
	} {
		_, err = t.Exec(ctx, text, account, []byte{})
		if err != nil {
			return err
		}
	}
	return nil
}

// EndErasure ends a destroyed one, and forgets what late writers left since. CodeState before it is
// destroyed, or while its ledger entry is not in the log.
func (s *Store) EndErasure(ctx context.Context, id string, now time.Time) (records.ErasureRow, error) {
	e, err := s.Erasure(ctx, id)
	if err != nil {
		return records.ErasureRow{}, err
	}
	row, err := doApart(ctx, s.engine, AccountRows(e.Account), func(ctx context.Context, t *tx) (records.ErasureRow, error) {
		row, err := one(ctx, t, scanErasure, selectErasure, id)
		switch {
		case err != nil || row.State == casefile.ErasureDone:
			return row, err
		case row.State != casefile.ErasureDestroyed:
			return row, casefile.Errorf(casefile.CodeState, "an erasure that is %s does not end", row.State)
		}
		if !row.Again {
			logged, err := one(ctx, t, scanInt, "SELECT COUNT(*) FROM ledger_outbox WHERE repeat_key = ? AND log_index IS NOT NULL", erasureKey(id))
			if err != nil {
				return row, err
			}
			if logged == 0 {
				return row, casefile.Errorf(casefile.CodeState, "the erasure's entry is not in the log yet")
			}
		}
		err = t.forget(ctx, row.Account)
		if err != nil {
			return row, err
		}
		_, err = t.Exec(ctx, "UPDATE accounts SET profile = '', profile_as_of = NULL WHERE account = ?", row.Account)
		if err != nil {
			return row, err
		}
		_, err = t.Exec(ctx, "UPDATE erasures SET state = ?, ended_at = ? WHERE id = ?", casefile.ErasureDone, micros(now), id)
		if err != nil {
			return row, err
		}
		t.Tell(records.Change{Kind: records.ChangeErasure, ID: id})
		return one(ctx, t, scanErasure, selectErasure, id)
	})
	return row, s.coded(ctx, "end an erasure", err)
}

// Erasure returns a row; CodeNotFound if there is none.
func (s *Store) Erasure(ctx context.Context, id string) (records.ErasureRow, error) {
	e, err := one(ctx, s.engine, scanErasure, selectErasure, id)
	return e, s.coded(ctx, "read an erasure", missing(err, "erasure"))
}

// ErasuresUnderWay lists at most limit rows that have not come to their end, oldest first.
func (s *Store) ErasuresUnderWay(ctx context.Context, limit int) ([]records.ErasureRow, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanErasure, selectErasuresUnderWay, limit)
	return list, s.coded(ctx, "list erasures under way", err)
}

// AccountErasures lists an account's erasures, oldest first.
func (s *Store) AccountErasures(ctx context.Context, account casefile.AccountKey) ([]records.ErasureRow, error) {
	list, err := all(ctx, s.engine, scanErasure, selectAccountErasures, account)
	return list, s.coded(ctx, "list an account's erasures", err)
}

// ErasuresAfter lists at most limit rows behind a sequence number, in order.
func (s *Store) ErasuresAfter(ctx context.Context, seq int64, limit int) ([]records.ErasureRow, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanErasure, "SELECT "+erasureColumns+" FROM erasures WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
	return list, s.coded(ctx, "list erasures", err)
}

// AccountAppeals lists an account's appeals, oldest first.
func (s *Store) AccountAppeals(ctx context.Context, account casefile.AccountKey) ([]records.AppealRow, error) {
	list, err := all(ctx, s.engine, scanAppeal, "SELECT "+appealColumns+" FROM appeals WHERE account = ? ORDER BY opened_at, id", account)
	return list, s.coded(ctx, "list an account's appeals", err)
}

// AccountsAfter lists at most limit accounts behind one ("" for the first), in order of their keys.
func (s *Store) AccountsAfter(ctx context.Context, after casefile.AccountKey, limit int) ([]records.Account, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanAccount, `SELECT account, platform, revision, ordinal, open_case, last_case, profile FROM accounts
		WHERE account > ? ORDER BY account LIMIT ?`, after, limit)
	return list, s.coded(ctx, "list accounts", err)
}

// AccountObjects lists the addresses of everything sealed for an account that a row names.
func (s *Store) AccountObjects(ctx context.Context, account casefile.AccountKey) ([]casefile.Address, error) {
	var list []casefile.Address
	err := s.engine.Snapshot(ctx, func(q Querier) error {
		var err error
		list, err = accountObjects(ctx, q, account)
		return err
	})
	return list, s.coded(ctx, "list an account's objects", err)
}

// ofCases restricts rows with a case_ref to the account's.
const ofCases = " WHERE case_ref IN (SELECT ref FROM cases WHERE account = ?1)"

func accountObjects(ctx context.Context, q Querier, account casefile.AccountKey) ([]casefile.Address, error) {
	plain, err := all(ctx, q, scanText[casefile.Address], `SELECT sealed FROM flags WHERE account = ?1
		UNION SELECT profile FROM accounts WHERE account = ?1
		UNION SELECT findings FROM cases WHERE account = ?1
		UNION SELECT file FROM cases WHERE account = ?1
		UNION SELECT form FROM opinions`+ofCases+`
		UNION SELECT sealed FROM blind_opinions`+ofCases+`
		UNION SELECT text FROM comments`+ofCases+`
		UNION SELECT note FROM referrals`+ofCases+`
		UNION SELECT words FROM handlings`+ofCases+`
		UNION SELECT text FROM notices`+ofCases+`
		UNION SELECT undo FROM acts WHERE decision IN (SELECT id FROM decisions`+ofCases+`)
		UNION SELECT complaint FROM appeals WHERE account = ?1`, account)
	if err != nil {
		return nil, err
	}
	opinions, err := all(ctx, q, scanOpinion, "SELECT "+opinionColumns+" FROM opinions"+ofCases, account)
	if err != nil {
		return nil, err
	}
	decisions, err := all(ctx, q, scanDecision, "SELECT "+decisionColumns+" FROM decisions"+ofCases, account)
	if err != nil {
		return nil, err
	}
	appeals, err := all(ctx, q, scanAppeal, "SELECT "+appealColumns+" FROM appeals WHERE account = ?1", account)
	if err != nil {
		return nil, err
	}
	for _, d := range decisions {
		opinions = append(opinions, d.Decision.Opinions...)
		plain = append(plain, noticeText(d.Decision.AutoNotice))
	}
	for _, o := range opinions {
		plain = append(plain, o.Form, noticeText(o.Notice))
	}
	for _, a := range appeals {
		if a.Ruling != nil {
			plain = append(plain, a.Ruling.Form, noticeText(a.Ruling.Notice))
		}
	}
	slices.Sort(plain)
	return slices.DeleteFunc(slices.Compact(plain), func(a casefile.Address) bool { return a == "" }), nil
}

func noticeText(n *casefile.NoticeRef) casefile.Address {
	if n == nil {
		return ""
	}
	return n.Text
}
