package relational

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// underErasure says of the account that is a statement's second argument that it is being erased.
const underErasure = "EXISTS (SELECT 1 FROM erasures WHERE account = ?2 AND state IN ('closing', 'destroyed'))"

const (
	flagColumns = "flag, account, platform, digest, sealed, source, at, status, case_ref, accepted_at, queued_at, reopens"
	selectFlag  = "SELECT " + flagColumns + " FROM flags WHERE flag = ?"
)

func scanFlag(r scanner) (records.FlagReceipt, error) {
	var f records.FlagReceipt
	err := r.Scan(&f.Flag, &f.Account, &f.Platform, &f.Digest, &f.Sealed, &f.Source, toTime{&f.At}, &f.Status,
		toText[casefile.CaseRef]{&f.Case}, toOptionalTime{&f.AcceptedAt}, toOptionalTime{&f.QueuedAt}, &f.Reopens)
	return f, err
}

// PutFlag writes a receipt row if the key is new, and returns the row that stands: pending, or erased
// where it is given so or while its account is being erased.
func (s *Store) PutFlag(ctx context.Context, r records.FlagReceipt) (row records.FlagReceipt, created bool, err error) {
	switch {
	case r.Flag == "":
		return records.FlagReceipt{}, false, casefile.Invalid("flag", "required")
	case r.Account == "":
		return records.FlagReceipt{}, false, casefile.Invalid("account", "required")
	case r.At.IsZero():
		return records.FlagReceipt{}, false, casefile.Invalid("at", "required")
	}
	type put struct {
		row     records.FlagReceipt
		created bool
	}
	p, err := doApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) (put, error) {
		_, err := t.Exec(ctx, insertAccount, r.Account, r.Platform)
		if err != nil {
			return put{}, err
		}
		made, err := all(ctx, t, scanFlag, `INSERT INTO flags (flag, account, platform, digest, sealed, source, at, status, reopens, sweep_at)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, CASE WHEN ?8 = 'erased' OR `+underErasure+` THEN 'erased' ELSE 'pending' END, ?9, ?7)
			ON CONFLICT (flag) DO NOTHING RETURNING `+flagColumns,
			r.Flag, r.Account, r.Platform, r.Digest, r.Sealed, r.Source, micros(r.At), r.Status, r.Reopens)
		if err != nil {
			return put{}, err
		}
		if len(made) > 0 {
			t.Tell(records.Change{Kind: records.ChangeFlag, Flag: r.Flag})
			return put{made[0], true}, nil
		}
		stands, err := one(ctx, t, scanFlag, selectFlag, r.Flag)
		return put{stands, false}, err
	})
	return p.row, p.created, s.coded(ctx, "put flag", err)
}

// Flag returns a row; CodeNotFound if there is none.
func (s *Store) Flag(ctx context.Context, key casefile.FlagKey) (records.FlagReceipt, error) {
	f, err := one(ctx, s.engine, scanFlag, selectFlag, key)
	return f, s.coded(ctx, "read flag", missing(err, "flag"))
}

const selectPending = "SELECT " + flagColumns + " FROM flags WHERE status = 'pending' AND sweep_at < ? ORDER BY sweep_at, flag LIMIT ?"

// PendingFlags lists rows still pending that were written, or last put off by NoteSwept, before t, the
// one that has waited longest first.
func (s *Store) PendingFlags(ctx context.Context, before time.Time, limit int) ([]records.FlagReceipt, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanFlag, selectPending, micros(before), limit)
	return list, s.coded(ctx, "list pending flags", err)
}

// The pauses between two times that a flag is looked after.
const (
	firstSweepPause   = time.Minute
	longestSweepPause = time.Hour
)

// sweepPause is how long a flag is left alone that was looked after for the nth time.
func sweepPause(n int) time.Duration {
	pause := firstSweepPause
	for range n - 1 {
		pause *= 2
		if pause >= longestSweepPause {
			return longestSweepPause
		}
	}
	return pause
}

// NoteSwept notes that pending rows were looked after at now, which puts each off: for a minute the
// first time, for twice as long every time after, up to an hour. Other rows are left as they are, and so
// are those that were looked after at now already.
func (s *Store) NoteSwept(ctx context.Context, keys []casefile.FlagKey, now time.Time) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		for _, key := range keys {
			n, err := one(ctx, t, scanInt, "SELECT sweeps FROM flags WHERE flag = ? AND status = 'pending' AND (swept_at IS NULL OR swept_at < ?)",
				key, micros(now))
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			_, err = t.Exec(ctx, "UPDATE flags SET sweeps = ?, swept_at = ?, sweep_at = ? WHERE flag = ? AND status = 'pending' AND sweeps = ?",
				n+1, micros(now), micros(now.Add(sweepPause(n+1))), key, n)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return s.coded(ctx, "put pending flags off", err)
}

// CaseFlags lists a case's rows, oldest first.
func (s *Store) CaseFlags(ctx context.Context, ref casefile.CaseRef) ([]records.FlagReceipt, error) {
	list, err := all(ctx, s.engine, scanFlag, "SELECT "+flagColumns+` FROM flags
		WHERE case_ref = ? ORDER BY at, flag`, ref)
	return list, s.coded(ctx, "list a case's flags", err)
}

// FlagStats counts the rows written at or after since, and the times from receipt to queue.
func (s *Store) FlagStats(ctx context.Context, since time.Time) (records.FlagStats, error) {
	var st records.FlagStats
	err := s.engine.Snapshot(ctx, func(q Querier) error {
		from := since.UnixMicro()
		var queued int
		_, err := one(ctx, q, func(r scanner) (struct{}, error) {
			return struct{}{}, r.Scan(&st.Flags, &st.Pending, &st.Unqueued, &queued, &st.Cases, &st.Accounts)
		}, `SELECT COUNT(*), COUNT(CASE WHEN status = 'pending' THEN 1 END),
				COUNT(CASE WHEN status = 'accepted' AND queued_at IS NULL THEN 1 END), COUNT(queued_at),
				COUNT(DISTINCT case_ref), COUNT(DISTINCT account)
			FROM flags WHERE at >= ?`, from)
		if err != nil {
			return err
		}
		for _, p := range []struct {
			percent int
			dst     *time.Duration
		}{{50, &st.ToQueueP50}, {99, &st.ToQueueP99}} {
			if queued == 0 {
				break
			}
			waited, err := one(ctx, q, scanInt, `SELECT queued_at - at FROM flags
				WHERE at >= ? AND queued_at IS NOT NULL ORDER BY queued_at - at LIMIT 1 OFFSET ?`, from, nearestRank(p.percent, queued)-1)
			if err != nil {
				return err
			}
			*p.dst = time.Duration(waited) * time.Microsecond
		}
		return nil
	})
	if err != nil {
		return records.FlagStats{}, s.coded(ctx, "count flags", err)
	}
	return st, nil
}

// nearestRank is the place, from 1, of the percentile among n values in order.
func nearestRank(percent, n int) int { return (percent*n + 99) / 100 }
