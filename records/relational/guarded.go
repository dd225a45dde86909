package relational

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// SetActive switches a person on or off, with the ledger outbox row where that changes anything.
// Switching off revokes every token of theirs in the same transaction. CodeNotFound for an unknown person.
func (s *Store) SetActive(ctx context.Context, person casefile.Person, active bool, by casefile.Actor, now time.Time) error {
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		p, err := one(ctx, t, scanPerson, selectPerson, person)
		if err != nil {
			return missing(err, "person")
		}
		if !active {
			err = t.revokeTokens(ctx, person)
			if err != nil {
				return err
			}
		}
		if p.Active == active {
			return nil
		}
		_, err = t.Exec(ctx, "UPDATE people SET active = ? WHERE person = ?", bit(active), person)
		if err != nil {
			return err
		}
		return t.putEntry(ctx, casefile.EntryPeople, by,
			map[string]any{"person": person, "roles": append([]casefile.Role{}, p.Roles...), "active": active}, now)
	})
	return s.coded(ctx, "switch a person on or off", err)
}

// RevokeTokens ends all tokens of a person of the kinds given (all kinds for none); no error if there are
// none.
func (s *Store) RevokeTokens(ctx context.Context, person casefile.Person, kinds ...records.TokenKind) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error { return t.revokeTokens(ctx, person, kinds...) })
	return s.coded(ctx, "revoke tokens", err)
}

func (t *tx) revokeTokens(ctx context.Context, person casefile.Person, kinds ...records.TokenKind) error {
	text, args := "UPDATE tokens SET revoked = 1 WHERE person = ? AND revoked = 0", []any{person}
	if len(kinds) > 0 {
		text += " AND kind IN (" + placeholders(len(kinds)) + ")"
		for _, k := range kinds {
			args = append(args, k)
		}
	}
	_, err := t.Exec(ctx, text, args...)
	return err
}

const (
	glassColumns = "id, person, case_ref, at, until, reason, reviewed_by, reviewed_at, justified"
	selectGlass  = "SELECT " + glassColumns + " FROM break_glass WHERE id = ?"
)

func scanGlass(r scanner) (records.BreakGlass, error) {
	var b records.BreakGlass
	err := r.Scan(&b.ID, &b.Person, &b.Case, toTime{&b.At}, toTime{&b.Until}, &b.Reason, &b.ReviewedBy, toOptionalTime{&b.ReviewedAt}, &b.Justified)
	return b, err
}

// glassBody is the body of a ledger entry on broken glass.
func glassBody(b records.BreakGlass, what string, justified bool) map[string]any {
	return map[string]any{
		"break_glass": b.ID, "what": what, "person": b.Person, "case": b.Case, "until": b.Until.UTC().Format(casefile.TimeFormat), "justified": justified,
	}
}

func checkGlass(b records.BreakGlass) error {
	switch {
	case b.ID == "":
		return casefile.Invalid("id", "required")
	case b.Person == "":
		return casefile.Invalid("person", "required")
	case len(b.Reason) == 0:
		return casefile.Invalid("reason", "required")
	case b.At.IsZero():
		return casefile.Invalid("at", "required")
	case !b.Until.After(b.At):
		return casefile.Invalid("until", "a time after the opening")
	}
	return nil
}

// PutBreakGlass writes a row, not yet reviewed, with its ledger outbox row; the same id again changes
// nothing. CodeNotFound when the case has no row.
func (s *Store) PutBreakGlass(ctx context.Context, b records.BreakGlass) error {
	err := checkGlass(b)
	if err != nil {
		return err
	}
	err = exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		n, err := t.changed(ctx, `INSERT INTO break_glass (id, person, case_ref, at, until, reason) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO NOTHING`, b.ID, b.Person, b.Case, micros(b.At), micros(b.Until), b.Reason)
		if t.fault(err) == FaultOrphan {
			return casefile.Errorf(casefile.CodeNotFound, "no such case")
		}
		if err != nil || n == 0 {
			return err
		}
		return t.putEntry(ctx, casefile.EntryBreakGlass, casefile.System, glassBody(b, "opened", false), b.At)
	})
	return s.coded(ctx, "put break-glass", err)
}

// BreakGlasses lists rows, newest first; open only those not reviewed.
func (s *Store) BreakGlasses(ctx context.Context, open bool, limit int) ([]records.BreakGlass, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	where := ""
	if open {
		where = " WHERE reviewed_at IS NULL"
	}
	list, err := all(ctx, s.engine, scanGlass, "SELECT "+glassColumns+" FROM break_glass"+where+" ORDER BY at DESC, id DESC LIMIT ?", limit)
	return list, s.coded(ctx, "list break-glass", err)
}

// LiveBreakGlass says whether the person has broken the glass of the case and its time still runs.
func (s *Store) LiveBreakGlass(ctx context.Context, person casefile.Person, ref casefile.CaseRef, now time.Time) (bool, error) {
	n, err := one(ctx, s.engine, scanInt, "SELECT COUNT(*) FROM break_glass WHERE person = ? AND case_ref = ? AND until > ?", person, ref, micros(now))
	return n > 0, s.coded(ctx, "read break-glass", err)
}

// ReviewBreakGlass writes the review once, with its ledger outbox row. CodeForbidden where by is the
// person themselves; CodeState when it was reviewed before; CodeNotFound when there is no such row.
func (s *Store) ReviewBreakGlass(ctx context.Context, id string, by casefile.Actor, justified bool, now time.Time) error {
	switch {
	case by.Person == "":
		return casefile.Invalid("by", "required: a person")
	case now.IsZero():
		return casefile.Invalid("now", "required")
	}
	now = now.UTC().Truncate(time.Microsecond)
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		b, err := one(ctx, t, scanGlass, selectGlass, id)
		switch {
		case err != nil:
			return missing(err, "break-glass")
		case b.Person == by.Person:
			return casefile.Errorf(casefile.CodeForbidden, "somebody else reviews what you did")
		case b.ReviewedAt != nil && b.ReviewedAt.Equal(now) && b.ReviewedBy == by.Person && b.Justified == justified:
			return nil // a repeat of this very call
		case b.ReviewedAt != nil:
			return casefile.Errorf(casefile.CodeState, "it was reviewed before")
		}
		_, err = t.Exec(ctx, "UPDATE break_glass SET reviewed_by = ?, reviewed_at = ?, justified = ? WHERE id = ?", by.Person, micros(now), bit(justified), id)
		if err != nil {
			return err
		}
		return t.putEntry(ctx, casefile.EntryBreakGlass, by, glassBody(b, "reviewed", justified), now)
	})
	return s.coded(ctx, "review break-glass", err)
}
