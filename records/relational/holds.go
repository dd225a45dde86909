package relational

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	holdColumns = "id, account, platform, basis, by_person, by_role, at, until, ended_by, ended_role, ended_at, end_reason"
	selectHold  = "SELECT " + holdColumns + " FROM legal_holds WHERE id = ?"

	selectAccountHolds  = "SELECT " + holdColumns + " FROM legal_holds WHERE account = ? ORDER BY at, id"
	selectStandingHolds = "SELECT " + holdColumns + " FROM legal_holds WHERE ended_at IS NULL AND until > ? ORDER BY until, id LIMIT ?"
)

func scanHold(r scanner) (records.HoldRow, error) {
	var h records.HoldRow
	err := r.Scan(&h.ID, &h.Account, &h.Platform, &h.Basis, &h.By.Person, &h.By.Role, toTime{&h.At}, toTime{&h.Until},
		&h.EndedBy.Person, &h.EndedBy.Role, toOptionalTime{&h.EndedAt}, &h.EndReason)
	return h, err
}

func checkHold(h records.HoldRow) error {
	switch {
	case h.ID == "":
		return casefile.Invalid("id", "required")
	case len(h.Basis) == 0:
		return casefile.Invalid("basis", "required")
	case h.By.Person == "":
		return casefile.Invalid("by", "required: a person")
	case h.At.IsZero():
		return casefile.Invalid("at", "required")
	case !h.Until.After(h.At):
		return casefile.Invalid("until", "a time ahead")
	}
	return nil
}

// AddHold puts a hold on an account, with its ledger outbox row; the same id again changes nothing.
// CodeNotFound for an account that no flag ever named; CodeState while it is being erased.
func (s *Store) AddHold(ctx context.Context, h records.HoldRow) (records.HoldRow, error) {
	err := checkHold(h)
	if err != nil {
		return records.HoldRow{}, err
	}
	row, err := doApart(ctx, s.engine, AccountRows(h.Account), func(ctx context.Context, t *tx) (records.HoldRow, error) {
		stands, err := one(ctx, t, scanHold, selectHold, h.ID)
		if err == nil || !errors.Is(err, sql.ErrNoRows) {
			return stands, err
		}
		err = t.lockAccount(ctx, h.Account)
		if err != nil {
			return records.HoldRow{}, err
		}
		err = t.refuseErased(ctx, h.Account, "")
		if err != nil {
			return records.HoldRow{}, err
		}
		_, err = t.Exec(ctx, "INSERT INTO legal_holds (id, account, platform, basis, by_person, by_role, at, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			h.ID, h.Account, h.Platform, h.Basis, h.By.Person, h.By.Role, micros(h.At), micros(h.Until))
		if err != nil {
			return records.HoldRow{}, err
		}
		err = t.putEntry(ctx, casefile.EntryHold, h.By, map[string]any{"hold": h.ID, "what": "added", "until": h.Until.UTC().Format(casefile.TimeFormat)}, h.At)
		if err != nil {
			return records.HoldRow{}, err
		}
		return one(ctx, t, scanHold, selectHold, h.ID)
	})
	return row, s.coded(ctx, "add a hold", err)
}

// EndHold ends a hold, once, with its ledger outbox row, and returns the row; what was ended before
// stays as it is. CodeNotFound if there is none.
func (s *Store) EndHold(ctx context.Context, id string, by casefile.Actor, reason []byte, now time.Time) (records.HoldRow, error) {
	switch {
	case by.Person == "":
		return records.HoldRow{}, casefile.Invalid("by", "required: a person")
	case len(reason) == 0:
		return records.HoldRow{}, casefile.Invalid("reason", "required")
	case now.IsZero():
		return records.HoldRow{}, casefile.Invalid("now", "required")
	}
	row, err := do(ctx, s.engine, func(ctx context.Context, t *tx) (records.HoldRow, error) {
		h, err := one(ctx, t, scanHold, selectHold, id)
		if err != nil {
			return records.HoldRow{}, missing(err, "hold")
		}
		if h.EndedAt != nil {
			return h, nil
		}
		_, err = t.Exec(ctx, "UPDATE legal_holds SET ended_by = ?, ended_role = ?, ended_at = ?, end_reason = ? WHERE id = ?",
			by.Person, by.Role, micros(now), reason, id)
		if err != nil {
			return records.HoldRow{}, err
		}
		err = t.putEntry(ctx, casefile.EntryHold, by, map[string]any{"hold": id, "what": "ended", "until": h.Until.UTC().Format(casefile.TimeFormat)}, now)
		if err != nil {
			return records.HoldRow{}, err
		}
		return one(ctx, t, scanHold, selectHold, id)
	})
	return row, s.coded(ctx, "end a hold", err)
}

// Hold returns a row; CodeNotFound if there is none.
func (s *Store) Hold(ctx context.Context, id string) (records.HoldRow, error) {
	h, err := one(ctx, s.engine, scanHold, selectHold, id)
	return h, s.coded(ctx, "read a hold", missing(err, "hold"))
}

// AccountHolds lists an account's holds, oldest first.
func (s *Store) AccountHolds(ctx context.Context, account casefile.AccountKey) ([]records.HoldRow, error) {
	list, err := all(ctx, s.engine, scanHold, selectAccountHolds, account)
	return list, s.coded(ctx, "list an account's holds", err)
}

// StandingHolds lists at most limit holds that stand at now, the one that ends first before the others.
func (s *Store) StandingHolds(ctx context.Context, now time.Time, limit int) ([]records.HoldRow, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanHold, selectStandingHolds, micros(now), limit)
	return list, s.coded(ctx, "list holds", err)
}
