package relational

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"strconv"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	outboxColumns = "id, type, actor_person, actor_role, body, at, seq, fixed, log_index"
	selectOutbox  = "SELECT " + outboxColumns + " FROM ledger_outbox WHERE id = ?"
)

func scanOutbox(r scanner) (records.OutboxEntry, error) {
	var e records.OutboxEntry
	var body string
	var seq, index sql.Null[int64]
	err := r.Scan(&e.ID, &e.Type, &e.Actor.Person, &e.Actor.Role, &body, toTime{&e.At}, &seq, &e.Fixed, &index)
	if err != nil {
		return records.OutboxEntry{}, err
	}
	e.Body, e.Seq = json.RawMessage(body), int(seq.V)
	if index.Valid {
		at := uint64(index.V)
		e.Index = &at
	}
	return e, nil
}

// PutOutbox adds a row outside any other transaction. ID, Seq, Fixed and Index are the store's to
// give. CodeInvalid when the body is not JSON.
func (s *Store) PutOutbox(ctx context.Context, e records.OutboxEntry) error {
	e.Key = repeatKey(e.Key)
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error { return t.putOutbox(ctx, e) })
	return s.coded(ctx, "put ledger outbox row", err)
}

// repeatKey is the key that a call gives the row that it adds, the same however often the engine
// carries the call out.
func repeatKey(given string) string {
	if given != "" {
		return given
	}
	return rand.Text()
}

// putOutbox adds a row in the transaction of the thing that it tells of. Without a key it is that
// thing that sees to it that no row is added twice.
func (t *tx) putOutbox(ctx context.Context, e records.OutboxEntry) error {
	if !json.Valid(e.Body) {
		return casefile.Invalid("body", "must be JSON")
	}
	ids, err := all(ctx, t, scanInt, `INSERT INTO ledger_outbox (type, actor_person, actor_role, body, at, repeat_key) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (repeat_key) DO NOTHING RETURNING id`,
		e.Type, e.Actor.Person, e.Actor.Role, string(e.Body), micros(e.At), sql.NullString{String: e.Key, Valid: e.Key != ""})
	if err != nil {
		return err
	}
	for _, id := range ids {
		t.Tell(records.Change{Kind: records.ChangeOutbox, ID: strconv.Itoa(id)})
	}
	return nil
}

// Unappended lists rows not yet in the log, in order of id.
func (s *Store) Unappended(ctx context.Context, limit int) ([]records.OutboxEntry, error) {
	err := checkLimit(limit)
	if err != nil {
		return nil, err
	}
	list, err := all(ctx, s.engine, scanOutbox, "SELECT "+outboxColumns+" FROM ledger_outbox WHERE log_index IS NULL ORDER BY id LIMIT ?", limit)
	return list, s.coded(ctx, "list ledger outbox", err)
}

// FixOutbox stores a row's number and bytes if it has none, and returns the row that stands.
// CodeConflict when seq is not the number after the last fixed one: somebody else numbers rows, and
// the caller reads the head again. CodeNotFound if there is no such row.
func (s *Store) FixOutbox(ctx context.Context, id int64, seq int, fixed []byte) (records.OutboxEntry, error) {
	if len(fixed) == 0 {
		return records.OutboxEntry{}, casefile.Invalid("fixed", "required: the entry's bytes")
	}
	row, err := doApart(ctx, s.engine, OutboxNumbers, func(ctx context.Context, t *tx) (records.OutboxEntry, error) {
		row, err := one(ctx, t, scanOutbox, selectOutbox, id)
		if err != nil {
			return records.OutboxEntry{}, missing(err, "ledger outbox row")
		}
		if row.Seq != 0 {
			return row, nil
		}
		head, err := readOutboxHead(ctx, t)
		if err != nil {
			return records.OutboxEntry{}, err
		}
		if seq != head.seq+1 {
			return records.OutboxEntry{}, casefile.Errorf(casefile.CodeConflict, "the next number of the outbox is %d, not %d", head.seq+1, seq)
		}
		_, err = t.Exec(ctx, "UPDATE ledger_outbox SET seq = ?, fixed = ? WHERE id = ?", seq, fixed, id)
		if err != nil {
			return records.OutboxEntry{}, err
		}
		return one(ctx, t, scanOutbox, selectOutbox, id)
	})
	return row, s.coded(ctx, "fix ledger outbox row", err)
}

// AppendedOutbox notes the row's index in the log; the same index again changes nothing.
// CodeNotFound if there is no such row; CodeState if its bytes are not fixed; CodeConflict if it
// stands in the log at another index.
func (s *Store) AppendedOutbox(ctx context.Context, id int64, index uint64) error {
	if index > math.MaxInt64 {
		return casefile.Invalid("index", "too large for a log")
	}
	err := execApart(ctx, s.engine, OutboxNumbers, func(ctx context.Context, t *tx) error {
		row, err := one(ctx, t, scanOutbox, selectOutbox, id)
		switch {
		case err != nil:
			return missing(err, "ledger outbox row")
		case row.Seq == 0:
			return casefile.Errorf(casefile.CodeState, "the row has no number yet")
		case row.Index != nil && *row.Index == index:
			return nil
		case row.Index != nil:
			return casefile.Errorf(casefile.CodeConflict, "the row stands in the log at %d, not %d", *row.Index, index)
		}
		_, err = t.Exec(ctx, "UPDATE ledger_outbox SET log_index = ? WHERE id = ?", int64(index), id)
		if err != nil {
			return err
		}
		t.Tell(records.Change{Kind: records.ChangeOutbox, ID: strconv.FormatInt(id, 10)})
		return nil
	})
	return s.coded(ctx, "note ledger outbox row", err)
}

type outboxHead struct {
	seq   int
	fixed []byte
}

func readOutboxHead(ctx context.Context, q Querier) (outboxHead, error) {
	head, err := one(ctx, q, func(r scanner) (outboxHead, error) {
		var h outboxHead
		err := r.Scan(&h.seq, &h.fixed)
		return h, err
	}, "SELECT seq, fixed FROM ledger_outbox WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1")
	if errors.Is(err, sql.ErrNoRows) {
		return outboxHead{}, nil
	}
	return head, err
}

// OutboxHead gives the last fixed row's number and bytes; 0 when there is none.
func (s *Store) OutboxHead(ctx context.Context) (seq int, fixed []byte, err error) {
	head, err := readOutboxHead(ctx, s.engine)
	return head.seq, head.fixed, s.coded(ctx, "read head of ledger outbox", err)
}
