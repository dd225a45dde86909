package relational

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func checkTelling(r records.TellingRow) error {
	switch {
	case r.ID == "":
		return casefile.Invalid("telling.id", "required")
	case r.Kind == "":
		return casefile.Invalid("telling.kind", "required")
	case r.At.IsZero():
		return casefile.Invalid("telling.at", "required")
	}
	return nil
}

func (t *tx) addTellings(ctx context.Context, rows []records.TellingRow) error {
	for _, r := range rows {
		n, err := t.changed(ctx, `INSERT INTO tellings (id, kind, page, team, queue, platform, case_ref, subject, due_at, at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			r.ID, r.Kind, bit(r.Page), r.Team, r.Queue, r.Platform, r.Case, r.Subject, microsOrNull(r.DueAt), micros(r.At))
		if err != nil {
			return err
		}
		if n > 0 {
			t.Tell(records.Change{Kind: records.ChangeTelling, ID: r.ID})
		}
	}
	return nil
}

// PutTelling writes a row, to be routed; the same id again changes nothing.
func (s *Store) PutTelling(ctx context.Context, r records.TellingRow) error {
	err := checkTelling(r)
	if err != nil {
		return err
	}
	err = execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		return t.addTellings(ctx, []records.TellingRow{r})
	})
	return s.coded(ctx, "put telling", err)
}

const (
	tellingColumns = "t.id, t.kind, t.page, t.team, t.queue, t.platform, t.case_ref, t.subject, t.due_at, t.at"
	selectUnrouted = "SELECT " + tellingColumns + " FROM tellings t WHERE t.routed = 0 ORDER BY t.seq LIMIT ?"
)

func scanTelling(r scanner) (records.TellingRow, error) {
	var x records.TellingRow
	err := r.Scan(&x.ID, &x.Kind, &x.Page, &x.Team, &x.Queue, &x.Platform, &x.Case, &x.Subject, toOptionalTime{&x.DueAt}, toTime{&x.At})
	return x, err
}

// UnroutedTellings lists tellings that wait to be routed, in the order in which they were put.
func (s *Store) UnroutedTellings(ctx context.Context, limit int) ([]records.TellingRow, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanTelling, selectUnrouted, limit)
	return list, s.coded(ctx, "list tellings to be routed", err)
}

// routedTelling is what RouteTelling reads of a telling.
type routedTelling struct {
	seq  int64
	page bool
}

// RouteTelling says on which channels a telling is due, from now on. A channel that is new to it waits,
// one that was dropped before included; one that waited and is not named is dropped; a final state stays.
func (s *Store) RouteTelling(ctx context.Context, id string, channels []string, now time.Time) error {
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		r, err := one(ctx, t, func(r scanner) (routedTelling, error) {
			var x routedTelling
			err := r.Scan(&x.seq, &x.page)
			return x, err
		}, "SELECT seq, page FROM tellings WHERE id = ?", id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		waiting, err := all(ctx, t, scanText[string], "SELECT channel FROM telling_channels WHERE telling = ? AND state = 'waiting'", r.seq)
		if err != nil {
			return err
		}
		for _, channel := range waiting {
			if slices.Contains(channels, channel) {
				continue
			}
			_, err = t.Exec(ctx, "UPDATE telling_channels SET state = 'dropped' WHERE telling = ? AND channel = ?", r.seq, channel)
			if err != nil {
				return err
			}
		}
		for _, channel := range channels {
			_, err = t.Exec(ctx, `INSERT INTO telling_channels (telling, channel, page, state, place, next_at) VALUES (?, ?, ?, 'waiting', ?, ?)
				ON CONFLICT (telling, channel) DO UPDATE SET state = 'waiting', attempts = 0, failed = 0, place = excluded.place,
					next_at = excluded.next_at, code = '' WHERE telling_channels.state = 'dropped'`,
				r.seq, channel, bit(r.page), r.seq, micros(now))
			if err != nil {
				return err
			}
		}
		_, err = t.Exec(ctx, "UPDATE tellings SET routed = 1 WHERE seq = ?", r.seq)
		return err
	})
	return s.coded(ctx, "route telling", err)
}

// RerouteTellings makes every open telling wait to be routed again.
func (s *Store) RerouteTellings(ctx context.Context) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		n, err := t.changed(ctx, `UPDATE tellings SET routed = 0 WHERE routed = 1
			AND seq IN (SELECT telling FROM telling_channels WHERE state = 'waiting')`)
		if err != nil || n == 0 {
			return err
		}
		t.Tell(records.Change{Kind: records.ChangeTelling})
		return nil
	})
	return s.coded(ctx, "have tellings routed again", err)
}

// takeTelling is the one statement of TakeTelling. Only one who has failed is placed by its next try.
// It names its index: without statistics the planner reads all of the channel's and sorts.
const takeTelling = `UPDATE telling_channels SET next_at = ?2, place = CASE WHEN failed = 1 THEN ?2 ELSE place END
	WHERE channel = ?1 AND telling = (
		SELECT telling FROM telling_channels INDEXED BY telling_channels_waiting WHERE channel = ?1 AND state = 'waiting' AND next_at <= ?3
		ORDER BY page DESC, failed, place, telling LIMIT 1 /*postgres: FOR UPDATE SKIP LOCKED*/)
	RETURNING telling, attempts`

// takenTelling is what TakeTelling has reserved.
type takenTelling struct {
	seq      int64
	attempts int
}

// TakeTelling gives a telling that is due on a channel at now and lets nobody else have it before until.
// Pages come first; of each, first what has not failed yet, in the order in which it was put, then what
// has, by the time of its next try. ok is false if nothing is due.
func (s *Store) TakeTelling(ctx context.Context, channel string, now, until time.Time) (taken records.TellingOnChannel, ok bool, err error) {
	taken, err = doApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) (records.TellingOnChannel, error) {
		got, err := one(ctx, t, func(r scanner) (takenTelling, error) {
			var x takenTelling
			err := r.Scan(&x.seq, &x.attempts)
			return x, err
		}, takeTelling, channel, micros(until), micros(now))
		if errors.Is(err, sql.ErrNoRows) {
			return records.TellingOnChannel{}, nil
		}
		if err != nil {
			return records.TellingOnChannel{}, err
		}
		row, err := one(ctx, t, scanTelling, "SELECT "+tellingColumns+" FROM tellings t WHERE t.seq = ?", got.seq)
		return records.TellingOnChannel{TellingRow: row, Channel: channel, Attempts: got.attempts}, err
	})
	if err != nil {
		return records.TellingOnChannel{}, false, s.coded(ctx, "take telling", err)
	}
	return taken, taken.ID != "", nil
}

// ofTelling finds a telling's row on a channel.
const ofTelling = " WHERE telling = (SELECT seq FROM tellings WHERE id = ?1) AND channel = ?2"

func (s *Store) setTelling(ctx context.Context, op, text string, args ...any) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, text, args...)
		return err
	})
	return s.coded(ctx, op, err)
}

// TellingSent notes that a channel has told a telling: one that was dropped meanwhile, too, so that it is
// not told again should the channel be named again.
func (s *Store) TellingSent(ctx context.Context, id, channel string, at time.Time) error {
	return s.setTelling(ctx, "note a telling as sent", "UPDATE telling_channels SET state = 'sent', at = ?3"+ofTelling+
		" AND state IN ('waiting', 'dropped')", id, channel, micros(at))
}

// TellingFailed notes that a channel failed, with a code, and when it is tried again; one attempt more is
// counted, once for each next try.
func (s *Store) TellingFailed(ctx context.Context, id, channel, code string, nextTry time.Time) error {
	return s.setTelling(ctx, "note a telling as failed", `UPDATE telling_channels SET attempts = attempts + 1, failed = 1, code = ?3,
		next_at = ?4, place = ?4`+ofTelling+" AND state = 'waiting' AND NOT (failed = 1 AND next_at = ?4)", id, channel, code, micros(nextTry))
}

// TellingUndelivered notes that a channel failed and is not tried again.
func (s *Store) TellingUndelivered(ctx context.Context, id, channel, code string, at time.Time) error {
	return s.setTelling(ctx, "note a telling as undelivered", `UPDATE telling_channels SET state = 'undelivered', attempts = attempts + 1,
		failed = 1, code = ?3, at = ?4`+ofTelling+" AND state = 'waiting'", id, channel, code, micros(at))
}

// Both parts of TellingsWaiting read an index of what waits, and nothing else of what was ever told.
const (
	countUnrouted = "SELECT '', t.page, COUNT(*), MIN(t.at) FROM tellings t WHERE t.routed = 0 GROUP BY t.page ORDER BY t.page DESC"
	countOnWay    = `SELECT c.channel, c.page, COUNT(*), MIN(t.at) FROM telling_channels c INDEXED BY telling_channels_waiting
		CROSS JOIN tellings t WHERE t.seq = c.telling AND c.state = 'waiting' AND t.routed = 1 GROUP BY c.channel, c.page ORDER BY c.channel, c.page DESC`
)

// TellingsWaiting counts what waits, by channel and urgency; what has not been routed under "".
func (s *Store) TellingsWaiting(ctx context.Context) ([]records.TellingsWaiting, error) {
	scan := func(r scanner) (records.TellingsWaiting, error) {
		var w records.TellingsWaiting
		err := r.Scan(&w.Channel, &w.Page, &w.Count, toTime{&w.OldestAt})
		return w, err
	}
	var list []records.TellingsWaiting
	err := s.engine.Snapshot(ctx, func(q Querier) error {
		unrouted, err := all(ctx, q, scan, countUnrouted)
		if err != nil {
			return err
		}
		onWay, err := all(ctx, q, scan, countOnWay)
		list = append(unrouted, onWay...)
		return err
	})
	if err != nil {
		return nil, s.coded(ctx, "count tellings", err)
	}
	return list, nil
}
