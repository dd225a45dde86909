package relational

import (
	"context"
	"database/sql"
	"errors"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// watchHead is where the tables of views and refusals end.
type watchHead struct {
	seq             int64
	hash            string
	views, refusals int64
}

func readWatchHead(ctx context.Context, q Querier) (watchHead, error) {
	type last struct {
		seq, number int64
		hash        string
	}
	scan := func(r scanner) (last, error) {
		var l last
		err := r.Scan(&l.seq, &l.number, &l.hash)
		return l, err
	}
	var head watchHead
	view, err := one(ctx, q, scan, "SELECT seq, number, hash FROM views ORDER BY seq DESC LIMIT 1")
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return watchHead{}, err
	}
	refusal, err := one(ctx, q, scan, "SELECT seq, number, hash FROM refusals ORDER BY seq DESC LIMIT 1")
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return watchHead{}, err
	}
	head.views, head.refusals = view.number, refusal.number
	head.seq, head.hash = view.seq, view.hash
	if refusal.seq > view.seq {
		head.seq, head.hash = refusal.seq, refusal.hash
	}
	return head, nil
}

// PutView adds a view. Its Seq is given by the store.
func (s *Store) PutView(ctx context.Context, v records.View) error {
	key := repeatKey(v.Key)
	err := execApart(ctx, s.engine, WatchTables, func(ctx context.Context, t *tx) error {
		head, err := readWatchHead(ctx, t)
		if err != nil {
			return err
		}
		v.Seq = head.seq + 1
		hash, err := v.RunningHash(head.hash)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO views (seq, number, person, case_ref, purpose, at, hash, repeat_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (repeat_key) DO NOTHING`, v.Seq, head.views+1, v.Person, v.Case, v.Purpose, micros(v.At), hash, key)
		return err
	})
	return s.coded(ctx, "put view", err)
}

// PutRefusal adds a refusal. Its Seq is given by the store.
func (s *Store) PutRefusal(ctx context.Context, r records.Refusal) error {
	key := repeatKey(r.Key)
	err := execApart(ctx, s.engine, WatchTables, func(ctx context.Context, t *tx) error {
		head, err := readWatchHead(ctx, t)
		if err != nil {
			return err
		}
		r.Seq = head.seq + 1
		hash, err := r.RunningHash(head.hash)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `INSERT INTO refusals (seq, number, person, case_ref, verb, code, at, hash, repeat_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (repeat_key) DO NOTHING`, r.Seq, head.refusals+1, r.Person, r.Case, r.Verb, r.Code, micros(r.At), hash, key)
		return err
	})
	return s.coded(ctx, "put refusal", err)
}

// Views lists a case's views in order ("" for all), after a sequence number.
func (s *Store) Views(ctx context.Context, ref casefile.CaseRef, after int64, limit int) ([]records.View, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	scan := func(r scanner) (records.View, error) {
		var v records.View
		err := r.Scan(&v.Seq, &v.Person, &v.Case, &v.Purpose, toTime{&v.At})
		return v, err
	}
	text, args := "SELECT seq, person, case_ref, purpose, at FROM views WHERE seq > ?", []any{after}
	if ref != "" {
		text += " AND case_ref = ?"
		args = append(args, ref)
	}
	list, err := all(ctx, s.engine, scan, text+" ORDER BY seq LIMIT ?", append(args, limit)...)
	return list, s.coded(ctx, "list views", err)
}

// Refusals lists refusals in order, after a sequence number.
func (s *Store) Refusals(ctx context.Context, after int64, limit int) ([]records.Refusal, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	scan := func(r scanner) (records.Refusal, error) {
		var x records.Refusal
		err := r.Scan(&x.Seq, &x.Person, &x.Case, &x.Verb, &x.Code, toTime{&x.At})
		return x, err
	}
	list, err := all(ctx, s.engine, scan, "SELECT seq, person, case_ref, verb, code, at FROM refusals WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
	return list, s.coded(ctx, "list refusals", err)
}

// WatchDigest gives the running hash over all views and refusals so far, "" before the first, and
// their counts.
func (s *Store) WatchDigest(ctx context.Context) (hash string, views, refusals int64, err error) {
	var head watchHead
	err = s.engine.Snapshot(ctx, func(q Querier) error {
		head, err = readWatchHead(ctx, q)
		return err
	})
	return head.hash, head.views, head.refusals, s.coded(ctx, "read digest of views", err)
}
