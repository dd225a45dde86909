package relational

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

const (
	noticeColumns        = "number, decision, case_ref, state, text, digest, at, state_at"
	selectNotice         = "SELECT " + noticeColumns + " FROM notices WHERE number = ?"
	selectDecisionNotice = "SELECT " + noticeColumns + " FROM notices WHERE decision = ?"
)

func scanNotice(r scanner) (records.NoticeRow, error) {
	var n records.NoticeRow
	err := r.Scan(&n.Number, &n.Decision, &n.Case, &n.State, &n.Text, &n.Digest, toTime{&n.At}, toTime{&n.StateAt})
	return n, err
}

// PutNotice writes a notice if the decision has none and returns the one that stands. CodeConflict
// when another decision's notice has the number; CodeNotFound when the decision has no row.
func (s *Store) PutNotice(ctx context.Context, n records.NoticeRow) (records.NoticeRow, error) {
	row, err := do(ctx, s.engine, func(ctx context.Context, t *tx) (records.NoticeRow, error) {
		wrote, err := t.changed(ctx, `INSERT INTO notices (number, decision, case_ref, state, text, digest, at, state_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (decision) DO NOTHING`,
			n.Number, n.Decision, n.Case, n.State, n.Text, n.Digest, micros(n.At), micros(n.At))
		switch {
		case t.fault(err) == FaultTaken:
			return records.NoticeRow{}, casefile.Errorf(casefile.CodeConflict, "the notice number is taken: propose another")
		case t.fault(err) == FaultOrphan:
			return records.NoticeRow{}, casefile.Errorf(casefile.CodeNotFound, "no such decision")
		case err != nil:
			return records.NoticeRow{}, err
		}
		if wrote > 0 {
			t.Tell(records.Change{Kind: records.ChangeDecision, Case: n.Case, ID: n.Decision})
		}
		return one(ctx, t, scanNotice, selectDecisionNotice, n.Decision)
	})
	return row, s.coded(ctx, "put notice", err)
}

// SetNoticeState moves a notice on; the same state again changes nothing. CodeNotFound if there is
// no such notice; CodeState for a step back to planned.
func (s *Store) SetNoticeState(ctx context.Context, number string, state casefile.NoticeState, now time.Time) error {
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		row, err := one(ctx, t, scanNotice, selectNotice, number)
		switch {
		case err != nil:
			return missing(err, "notice")
		case row.State == state:
			return nil
		case state == casefile.NoticePlanned:
			return casefile.Errorf(casefile.CodeState, "the notice is %s already", row.State)
		}
		_, err = t.Exec(ctx, "UPDATE notices SET state = ?, state_at = ? WHERE number = ?", state, micros(now), number)
		if err != nil {
			return err
		}
		t.Tell(records.Change{Kind: records.ChangeDecision, Case: row.Case, ID: row.Decision})
		return nil
	})
	return s.coded(ctx, "set notice state", err)
}

// BeginDelivery notes that a notice is about to be delivered, and gives what stood there before.
func (s *Store) BeginDelivery(ctx context.Context, number string, now time.Time) (casefile.NoticeState, error) {
	before, err := do(ctx, s.engine, func(ctx context.Context, t *tx) (casefile.NoticeState, error) {
		wrote, err := t.changed(ctx, `INSERT INTO deliveries (number, state, state_at) VALUES (?, ?, ?)
			ON CONFLICT (number) DO UPDATE SET state = excluded.state, state_at = excluded.state_at WHERE deliveries.state = ''`,
			number, casefile.NoticePlanned, micros(now))
		if err != nil || wrote > 0 {
			return "", err
		}
		return one(ctx, t, func(r scanner) (state casefile.NoticeState, err error) {
			err = r.Scan(&state)
			return state, err
		}, "SELECT state FROM deliveries WHERE number = ?", number)
	})
	return before, s.coded(ctx, "begin a delivery", err)
}

// EndDelivery writes what became of a delivery that was begun; "" takes the note back.
func (s *Store) EndDelivery(ctx context.Context, number string, state casefile.NoticeState, now time.Time) error {
	err := exec(ctx, s.engine, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, "UPDATE deliveries SET state = ?, state_at = ? WHERE number = ?", state, micros(now), number)
		return err
	})
	return s.coded(ctx, "end a delivery", err)
}

// Notice returns a decision's notice; CodeNotFound if there is none.
func (s *Store) Notice(ctx context.Context, decision string) (records.NoticeRow, error) {
	n, err := one(ctx, s.engine, scanNotice, selectDecisionNotice, decision)
	return n, s.coded(ctx, "read notice", missing(err, "notice"))
}
