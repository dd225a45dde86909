package relational

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Queues counts what stands in each queue, in order of their names.
func (s *Store) Queues(ctx context.Context) ([]records.QueueCount, error) {
	counts, err := s.countQueues(ctx, time.Now())
	return counts, s.coded(ctx, "count queues", err)
}

// waiting is what waits in one queue at one severity.
type waiting struct {
	queue          string
	severity       int
	cases, overdue int
	oldest, due    time.Time
}

func (s *Store) countQueues(ctx context.Context, now time.Time) ([]records.QueueCount, error) {
	var counts []records.QueueCount
	at := func(queue string) *records.QueueCount {
		if n := len(counts); n == 0 || counts[n-1].Queue != queue {
			counts = append(counts, records.QueueCount{Queue: queue, BySevere: map[int]int{}})
		}
		return &counts[len(counts)-1]
	}
	err := s.engine.Snapshot(ctx, func(q Querier) error {
		rows, err := all(ctx, q, func(r scanner) (waiting, error) {
			var w waiting
			err := r.Scan(&w.queue, &w.severity, &w.cases, &w.overdue, toTime{&w.oldest}, toTime{&w.due})
			return w, err
		}, countWaiting, micros(now))
		if err != nil {
			return err
		}
		claimed, err := all(ctx, q, func(r scanner) (waiting, error) {
			var w waiting
			err := r.Scan(&w.queue, &w.cases)
			return w, err
		}, "SELECT queue, COUNT(*) FROM cases WHERE state = 'claimed' GROUP BY queue ORDER BY queue")
		if err != nil {
			return err
		}
		for len(rows) > 0 || len(claimed) > 0 {
			if len(rows) == 0 || len(claimed) > 0 && claimed[0].queue < rows[0].queue {
				at(claimed[0].queue).Claimed = claimed[0].cases
				claimed = claimed[1:]
				continue
			}
			w := rows[0]
			rows = rows[1:]
			c := at(w.queue)
			c.Waiting += w.cases
			c.Overdue += w.overdue
			c.BySevere[w.severity] += w.cases
			c.Oldest = earlier(c.Oldest, w.oldest)
			c.NextDue = earlier(c.NextDue, w.due)
			if len(claimed) > 0 && claimed[0].queue == w.queue {
				c.Claimed = claimed[0].cases
				claimed = claimed[1:]
			}
		}
		return nil
	})
	return counts, err
}

// countWaiting names its index: without statistics the planner takes the equality on state for
// the better one, reads every row and sorts.
const countWaiting = `SELECT queue, severity, COUNT(*), COUNT(CASE WHEN due_at < ? THEN 1 END), MIN(opened_at), MIN(due_at)
	FROM cases INDEXED BY cases_queue WHERE state = 'queued' GROUP BY queue, severity ORDER BY queue, severity DESC`

func earlier(a *time.Time, b time.Time) *time.Time {
	if a == nil || b.Before(*a) {
		return &b
	}
	return a
}

const queueOrder = " ORDER BY severity DESC, confidence DESC, due_at, ref LIMIT "

// selectQueue and selectQueueAfter read a page of a queue; the bound on severity lets the index
// begin at the cursor.
const (
	selectQueue      = "SELECT " + caseColumns + " FROM cases WHERE state = 'queued' AND queue = ?" + queueOrder + "?"
	selectQueueAfter = "SELECT " + caseColumns + ` FROM cases WHERE state = 'queued' AND queue = ?1 AND severity <= ?2
		AND (severity < ?2 OR confidence < ?3 OR (confidence = ?3 AND (due_at, ref) > (?4, ?5)))` + queueOrder + "?6"
)

// QueueCases lists what waits in a queue, in its order, after a cursor that an earlier page
// returned. CodeInvalid with field "cursor" for one that no page returned.
func (s *Store) QueueCases(ctx context.Context, queue, after string, limit int) (cases []records.Case, next string, err error) {
	err = checkLimit(limit)
	if err != nil {
		return nil, "", err
	}
	if after == "" {
		cases, err = all(ctx, s.engine, scanCase, selectQueue, queue, limit+1)
	} else {
		c, bad := decodeCursor[queueCursor](after)
		if bad != nil {
			return nil, "", bad
		}
		cases, err = all(ctx, s.engine, scanCase, selectQueueAfter, queue, c.Severity, c.Confidence, c.DueAt, c.Ref, limit+1)
	}
	if err != nil {
		return nil, "", s.coded(ctx, "list a queue", err)
	}
	return page(cases, limit, func(c records.Case) any {
		return queueCursor{c.Route.Severity, c.Route.Confidence, c.Route.DueAt.UnixMicro(), c.Ref}
	})
}

// What ReserveNext makes of rows that another write is at, where a database locks rows.
const (
	passOver = "/*postgres: FOR UPDATE SKIP LOCKED*/"
	waitFor  = "/*postgres: FOR UPDATE*/"
)

// reserveNext is the one statement of ReserveNext, with place for n skipped cases.
func reserveNext(n int, locked string) string {
	not := ""
	if n > 0 {
		not = " AND ref NOT IN (" + placeholders(n) + ")"
	}
	return `UPDATE cases SET reserved_by = ?, reserved_until = ? WHERE ref = (
		SELECT ref FROM cases WHERE state = 'queued' AND queue = ? AND (reserved_until IS NULL OR reserved_until <= ?)` + not +
		queueOrder + "1 " + locked + ") RETURNING ref"
}

// ReserveNext reserves the first case of the queue that is neither reserved nor in skip, for hold,
// in one statement; ok is false when there is none. A case that another write is at is passed over
// while there are others, and waited for when there are not.
func (s *Store) ReserveNext(ctx context.Context, queue string, person casefile.Person, skip []casefile.CaseRef, now time.Time, hold time.Duration) (ref casefile.CaseRef, ok bool, err error) {
	args := []any{person, micros(now.Add(hold)), queue, micros(now)}
	for _, r := range skip {
		args = append(args, r)
	}
	refs, err := doApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) ([]casefile.CaseRef, error) {
		refs, err := all(ctx, t, scanText[casefile.CaseRef], reserveNext(len(skip), passOver), args...)
		if err != nil || len(refs) > 0 {
			return refs, err
		}
		return all(ctx, t, scanText[casefile.CaseRef], reserveNext(len(skip), waitFor), args...)
	})
	if err != nil {
		return "", false, s.coded(ctx, "reserve the next case", err)
	}
	if len(refs) == 0 {
		return "", false, nil
	}
	return refs[0], true, nil
}

// FreeReservation ends a person's reservation; it is no error when there is none.
func (s *Store) FreeReservation(ctx context.Context, ref casefile.CaseRef, person casefile.Person) error {
	err := execApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) error {
		_, err := t.Exec(ctx, "UPDATE cases SET reserved_by = '', reserved_until = NULL WHERE ref = ? AND reserved_by = ?", ref, person)
		return err
	})
	return s.coded(ctx, "free a reservation", err)
}
