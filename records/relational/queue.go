package relational

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Queues counts what stands in each queue, in order of their names.
func (s *Store) Queues(ctx context.Context) ([]records.QueueCount, error) {
	counts, err := s.countQueues(ctx, time.Now())
	return counts, s.coded(ctx, "count queues", err)
}

// severities are those that policy gives: 0 to 7.
const severities = 8

// waiting is what waits in one queue.
type waiting struct {
	queue          string
	cases, overdue int
	oldest, due    *time.Time
	bySeverity     [severities]int
}

func scanWaiting(r scanner) (waiting, error) {
	var w waiting
	dst := []any{&w.queue, &w.cases, &w.overdue, toOptionalTime{&w.oldest}, toOptionalTime{&w.due}}
	for i := range w.bySeverity {
		dst = append(dst, &w.bySeverity[i])
	}
	return w, r.Scan(dst...)
}

// countWaiting names its index: without statistics the planner takes the equality on state for
// the better one, reads every row and sorts. Severities are counted one by one because the index has
// them in no order.
var countWaiting = func() string {
	text := "SELECT queue, COUNT(*), COUNT(CASE WHEN overdue_at < ?1 THEN 1 END), MIN(opened_at), MIN(overdue_at)"
	for i := range severities {
		text += fmt.Sprintf(", COUNT(CASE WHEN severity = %d THEN 1 END)", i)
	}
	return text + ` FROM cases INDEXED BY cases_queue
		WHERE state = 'queued' AND (not_before IS NULL OR not_before <= ?1) GROUP BY queue ORDER BY queue`
}()

const (
	countSnoozed = `SELECT queue, COUNT(*) FROM cases INDEXED BY cases_snoozed
		WHERE state = 'queued' AND not_before IS NOT NULL AND not_before > ? GROUP BY queue ORDER BY queue`
	countClaimed = "SELECT queue, COUNT(*) FROM cases WHERE state = 'claimed' GROUP BY queue ORDER BY queue"
)

type queueNumber struct {
	queue string
	n     int
}

func scanQueueNumber(r scanner) (queueNumber, error) {
	var q queueNumber
	err := r.Scan(&q.queue, &q.n)
	return q, err
}

func (s *Store) countQueues(ctx context.Context, now time.Time) ([]records.QueueCount, error) {
	counts := map[string]*records.QueueCount{}
	of := func(queue string) *records.QueueCount {
		if counts[queue] == nil {
			counts[queue] = &records.QueueCount{Queue: queue, BySevere: map[int]int{}}
		}
		return counts[queue]
	}
	err := s.engine.Snapshot(ctx, func(q Querier) error {
		waits, err := all(ctx, q, scanWaiting, countWaiting, micros(now))
		if err != nil {
			return err
		}
		for _, w := range waits {
			c := of(w.queue)
			c.Waiting, c.Overdue, c.Oldest, c.NextDue = w.cases, w.overdue, w.oldest, w.due
			for severity, n := range w.bySeverity {
				if n > 0 {
					c.BySevere[severity] = n
				}
			}
		}
		snoozed, err := all(ctx, q, scanQueueNumber, countSnoozed, micros(now))
		if err != nil {
			return err
		}
		for _, n := range snoozed {
			of(n.queue).Snoozed = n.n
		}
		claimed, err := all(ctx, q, scanQueueNumber, countClaimed)
		if err != nil {
			return err
		}
		for _, n := range claimed {
			of(n.queue).Claimed = n.n
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var list []records.QueueCount
	for _, queue := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, *counts[queue])
	}
	return list, nil
}

const queueOrder = " ORDER BY rank DESC, confidence DESC, due_at, ref LIMIT "

// selectQueue and selectQueueAfter read a page of a queue; the bound on rank lets the index begin at
// the cursor.
const (
	selectQueue      = "SELECT " + caseColumns + " FROM cases WHERE state = 'queued' AND queue = ?" + queueOrder + "?"
	selectQueueAfter = "SELECT " + caseColumns + ` FROM cases WHERE state = 'queued' AND queue = ?1 AND rank <= ?2
		AND (rank < ?2 OR confidence < ?3 OR (confidence = ?3 AND (due_at, ref) > (?4, ?5)))` + queueOrder + "?6"
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
		cases, err = all(ctx, s.engine, scanCase, selectQueueAfter, queue, c.Rank, c.Confidence, c.DueAt, c.Ref, limit+1)
	}
	if err != nil {
		return nil, "", s.coded(ctx, "list a queue", err)
	}
	return page(cases, limit, func(c records.Case) any {
		return queueCursor{c.Rank, c.Route.Confidence, c.Route.DueAt.UnixMicro(), c.Ref}
	})
}

// What ReserveNext makes of rows that another write is at, where a database locks rows.
const (
	passOver = "/*postgres: FOR UPDATE SKIP LOCKED*/"
	waitFor  = "/*postgres: FOR UPDATE*/"
)

// reservable is what a person is offered of the cases that wait. ?1 is the person, ?4 the time, ?5 is 1
// for a lead. A reservation that ends more than a minute behind the one that is to be made (?2) was made by a
// clock that was ahead, and holds nobody up.
const reservable = ` AND (reserved_until IS NULL OR reserved_until <= ?4 OR reserved_until - 60000000 > ?2) AND (not_before IS NULL OR not_before <= ?4)
		AND (assigned_to = '' OR assigned_to = ?1) AND (stage <> 'adjudication' OR ?5 = 1)
		AND NOT EXISTS (SELECT 1 FROM parts WHERE parts.case_ref = cases.ref AND parts.person = ?1
			AND parts.part = 'opinion' AND parts.round = cases.round)`

// reserveNext is the one statement of ReserveNext, with place for n skipped cases: the first case with
// a threat to life, or where there is none the first of the queue ?3, is reserved until ?2. It names its
// indices: without statistics the planner takes the equality on state for the better one, and sorts.
func reserveNext(n int, locked string) string {
	may := reservable
	if n > 0 {
		may += " AND ref NOT IN (?6"
		for i := 1; i < n; i++ {
			may += ", ?" + strconv.Itoa(6+i)
		}
		may += ")"
	}
	first := func(index, of string) string {
		return "(SELECT ref FROM cases INDEXED BY " + index + " WHERE state = 'queued' AND " + of + may + queueOrder + "1 " + locked + ")"
	}
	return "UPDATE cases SET reserved_by = ?1, reserved_until = ?2 WHERE ref = COALESCE(" +
		first("cases_threat", "threat = 1") + ", " + first("cases_queue", "queue = ?3") + ") RETURNING ref"
}

// ReserveNext reserves the first case that the person may have, for r.Hold, in one statement; ok is
// false when there is none. A case that another write is at is passed over while there are others,
// and waited for when there are not.
func (s *Store) ReserveNext(ctx context.Context, r records.Reservation) (ref casefile.CaseRef, ok bool, err error) {
	args := []any{r.Person, micros(r.Now.Add(r.Hold)), r.Queue, micros(r.Now), bit(r.Lead)}
	for _, skip := range r.Skip {
		args = append(args, skip)
	}
	refs, err := doApart(ctx, s.engine, EachStatement, func(ctx context.Context, t *tx) ([]casefile.CaseRef, error) {
		refs, err := all(ctx, t, scanText[casefile.CaseRef], reserveNext(len(r.Skip), passOver), args...)
		if err != nil || len(refs) > 0 {
			return refs, err
		}
		return all(ctx, t, scanText[casefile.CaseRef], reserveNext(len(r.Skip), waitFor), args...)
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
