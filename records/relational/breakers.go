package relational

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Why a breaker tripped.
const (
	trippedByCount = "count"
	trippedByShare = "share"
)

// breakerRow is a breaker with the number of cases that its own do not count of the hour's.
type breakerRow struct {
	records.Breaker
	base int
}

// The number of cases assessed is the hour's, less those before the breaker was armed in it.
const selectBreakers = `SELECT b.rule, b.hour, b.counted, b.base, COALESCE((SELECT h.cases FROM assessed_hours h WHERE h.hour = b.hour), 0) - b.base,
	b.tripped_at, b.why, b.armed_by, b.armed_at FROM breakers b`

func scanBreaker(r scanner) (breakerRow, error) {
	var b breakerRow
	err := r.Scan(&b.Rule, toTime{&b.Hour}, &b.Count, &b.base, &b.Cases, toOptionalTime{&b.Tripped}, &b.Why, &b.ArmedBy, toOptionalTime{&b.ArmedAt})
	return b, err
}

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// lockBreaker reads a rule's breaker and keeps every other write from it until the transaction ends.
func (t *tx) lockBreaker(ctx context.Context, rule string) (breakerRow, error) {
	return one(ctx, t, scanBreaker, selectBreakers+" WHERE b.rule = ? /*postgres: FOR UPDATE OF b*/", rule)
}

func (t *tx) assessedIn(ctx context.Context, hour time.Time) (int, error) {
	n, err := one(ctx, t, scanInt, "SELECT cases FROM assessed_hours WHERE hour = ?", micros(hour))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// answer is what a breaker said.
type answer struct{ leave, tripped bool }

func scanAnswer(r scanner) (answer, error) {
	var a answer
	err := r.Scan(&a.leave, &a.tripped)
	return a, err
}

// CountAutomatic asks the breaker for leave to decide a case by a rule and counts it. The same case and
// rule again gives the same answer, tripped included, so that whoever asks can be cut off after any
// step and ask again. The limits are what the rule may do in an hour: it is the first case beyond them
// that trips the breaker and gets no leave. CodeNotFound when the case has no row.
func (s *Store) CountAutomatic(ctx context.Context, rule string, ref casefile.CaseRef, limits records.BreakerLimits, now time.Time) (leave, tripped bool, err error) {
	if rule == "" {
		return false, false, casefile.Invalid("rule", "required")
	}
	a, err := doApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) (answer, error) {
		_, err := t.Exec(ctx, "INSERT INTO breakers (rule, hour) VALUES (?, ?) ON CONFLICT (rule) DO NOTHING", rule, micros(hourOf(now)))
		if err != nil {
			return answer{}, err
		}
		b, err := t.lockBreaker(ctx, rule)
		if err != nil {
			return answer{}, err
		}
		before, err := one(ctx, t, scanAnswer, "SELECT leave, tripped FROM automatic_counts WHERE rule = ? AND case_ref = ?", rule, ref)
		if !errors.Is(err, sql.ErrNoRows) {
			return before, err
		}
		return t.countAutomatic(ctx, b, ref, limits, now)
	})
	return a.leave, a.tripped, s.coded(ctx, "count an automatic decision", err)
}

func (t *tx) countAutomatic(ctx context.Context, b breakerRow, ref casefile.CaseRef, limits records.BreakerLimits, now time.Time) (answer, error) {
	// Clocks differ: an hour that is over for one process does not come back for another.
	if hour := hourOf(now); hour.After(b.Hour) {
		assessed, err := t.assessedIn(ctx, hour)
		if err != nil {
			return answer{}, err
		}
		b.Hour, b.Count, b.base, b.Cases = hour, 0, 0, assessed
	}
	var a answer
	if b.Tripped == nil {
		b.Why = beyond(limits, b.Count+1, b.Cases)
		a.leave, a.tripped = b.Why == "", b.Why != ""
	}
	if a.leave {
		b.Count++
	}
	if a.tripped {
		b.Tripped = &now
	}
	_, err := t.Exec(ctx, "INSERT INTO automatic_counts (rule, case_ref, at, leave, tripped) VALUES (?, ?, ?, ?, ?)",
		b.Rule, ref, micros(now), bit(a.leave), bit(a.tripped))
	if t.fault(err) == FaultOrphan {
		return answer{}, casefile.Errorf(casefile.CodeNotFound, "no such case")
	}
	if err != nil {
		return answer{}, err
	}
	_, err = t.Exec(ctx, "UPDATE breakers SET hour = ?, counted = ?, base = ?, tripped_at = ?, why = ? WHERE rule = ?",
		micros(b.Hour), b.Count, b.base, microsOrNull(b.Tripped), b.Why, b.Rule)
	if err != nil {
		return answer{}, err
	}
	t.Tell(records.Change{Kind: records.ChangeSwitch, ID: b.Rule})
	if !a.tripped {
		return a, nil
	}
	return a, t.putEntry(ctx, casefile.EntryBreaker, casefile.System, map[string]any{"rule": b.Rule, "breaker": "tripped", "why": b.Why}, now)
}

// beyond says which limit count decisions among so many assessed cases are beyond; "" for none.
func beyond(l records.BreakerLimits, count, assessed int) string {
	switch {
	case l.PerHour > 0 && count > l.PerHour:
		return trippedByCount
	case l.SharePermille > 0 && assessed >= l.MinCases && count*1000 > l.SharePermille*assessed:
		return trippedByShare
	}
	return ""
}

// CountAssessed counts a case assessed in this hour, once. CodeNotFound when the case has no row.
func (s *Store) CountAssessed(ctx context.Context, ref casefile.CaseRef, now time.Time) error {
	hour := micros(hourOf(now))
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		n, err := t.changed(ctx, "UPDATE cases SET assessed_hour = ?1 WHERE ref = ?2 AND (assessed_hour IS NULL OR assessed_hour < ?1)", hour, ref)
		if err != nil {
			return err
		}
		if n == 0 {
			_, err = one(ctx, t, scanText[casefile.CaseRef], "SELECT ref FROM cases WHERE ref = ?", ref)
			return missing(err, "case")
		}
		_, err = t.Exec(ctx, `INSERT INTO assessed_hours (hour, cases) VALUES (?, 1)
			ON CONFLICT (hour) DO UPDATE SET cases = assessed_hours.cases + 1`, hour)
		return err
	})
	return s.coded(ctx, "count an assessed case", err)
}

// Breakers lists every rule that ever counted, in order of their names.
func (s *Store) Breakers(ctx context.Context) ([]records.Breaker, error) {
	list, err := all(ctx, s.engine, func(r scanner) (records.Breaker, error) {
		b, err := scanBreaker(r)
		return b.Breaker, err
	}, selectBreakers+" ORDER BY b.rule")
	return list, s.coded(ctx, "list breakers", err)
}

// ArmBreaker arms a rule's breaker again, with its ledger outbox row. What is left of the hour is
// counted from the beginning: otherwise the next case would trip it again. CodeNotFound for a rule that
// never counted, CodeState for one that has not tripped.
func (s *Store) ArmBreaker(ctx context.Context, rule string, by casefile.Actor, now time.Time) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		b, err := t.lockBreaker(ctx, rule)
		switch {
		case err != nil:
			return missing(err, "breaker")
		case b.Tripped == nil && b.ArmedBy == by.Person && b.ArmedAt != nil && b.ArmedAt.Equal(now.Truncate(time.Microsecond)):
			return nil // a repeat of this very call
		case b.Tripped == nil:
			return casefile.Errorf(casefile.CodeState, "this breaker has not tripped")
		}
		if hour := hourOf(now); hour.After(b.Hour) {
			b.Hour = hour
		}
		assessed, err := t.assessedIn(ctx, b.Hour)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `UPDATE breakers SET hour = ?, counted = 0, base = ?, tripped_at = NULL, why = '', armed_by = ?, armed_at = ?
			WHERE rule = ?`, micros(b.Hour), assessed, by.Person, micros(now), rule)
		if err != nil {
			return err
		}
		t.Tell(records.Change{Kind: records.ChangeSwitch, ID: rule})
		return t.putEntry(ctx, casefile.EntryBreaker, by, map[string]any{"rule": rule, "breaker": "armed", "why": ""}, now)
	})
	return s.coded(ctx, "arm breaker", err)
}
