package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
)

// benchLine is a bed with reviewers at work: whatever is handed in goes through the queues, is looked at
// and judged by people who ask for their next case, and is followed until its takedown has ended.
type benchLine struct {
	*benchBed
	// waiting holds the queue of every case that waits for somebody, once for each opinion that is due.
	waiting chan string
	// resting is closed to have reviewers end what they are at and take nothing more.
	resting chan struct{}
	// again counts the calls that were made again.
	again atomic.Int64
}

// newLine takes at most cases under way at once.
func newLine(b *benchBed, cases int) *benchLine {
	return &benchLine{benchBed: b, waiting: make(chan string, cases), resting: make(chan struct{})}
}

// review has so many reviewers work until ctx ends or they are to rest; the first error is given to fail.
func (l *benchLine) review(ctx context.Context, people int, fail func(error)) (*sync.WaitGroup, error) {
	clients, err := l.reviewers(ctx, people)
	if err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-l.resting:
					return
				case queue := <-l.waiting:
					err := l.judgeNext(ctx, c, queue)
					if err != nil && ctx.Err() == nil {
						fail(err)
						return
					}
				}
			}
		})
	}
	return &wg, nil
}

// insist makes a call again while the line says that it is not known what became of it, or that it can do
// nothing now: a call has a key, under which it counts once.
func insist[T any](ctx context.Context, l *benchLine, call func() (T, error)) (T, error) {
	for try := 0; ; try++ {
		answer, err := call()
		if err == nil || casefile.ErrorCode(err) != casefile.CodeUnavailable || try == insistTries || !l.watch.next(ctx) {
			return answer, err
		}
		l.again.Add(1)
	}
}

// insistTries bounds how often one call is made again.
const insistTries = 60

// judgeNext claims the next case of a queue, opens it and judges it.
func (l *benchLine) judgeNext(ctx context.Context, c *client.Client, queue string) error {
	key := casefile.NewID()
	claimed, err := insist(ctx, l, func() (review.VerbAnswer, error) {
		answer, ok, err := c.Next(ctx, queue, key)
		if err == nil && !ok {
			answer.Claim = nil
		}
		return answer, err
	})
	if err != nil {
		return fmt.Errorf("claim the next case: %w", err)
	}
	if claimed.Claim == nil {
		// What waits is not for this person, who gave the first opinion on it, or is reserved: another's turn.
		l.waiting <- queue
		l.watch.next(ctx)
		return nil
	}
	view, err := insist(ctx, l, func() (review.CaseView, error) { return c.Case(ctx, claimed.Case, "") })
	if err != nil {
		return fmt.Errorf("open a case: %w", err)
	}
	if len(view.Evidence) == 0 {
		return fmt.Errorf("case %s shows no evidence", claimed.Case)
	}
	call := review.OpinionCall{
		VerbCall: review.VerbCall{Case: claimed.Case, Key: casefile.NewID()}, Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision,
		Form: lineOpinion(claimed.Case, view.Evidence[0].Event.ID),
	}
	given, err := insist(ctx, l, func() (review.VerbAnswer, error) { return c.Opinion(ctx, call) })
	if err != nil {
		return fmt.Errorf("give an opinion: %w", err)
	}
	if given.Decision == "" {
		l.waiting <- queue // a second person is due
	}
	return nil
}

// lineOpinion is what everybody makes of a case: of ten, eight are suspensions, one is a removal of posts
// and one a termination, which takes two people. It is drawn from the reference, so that two agree.
func lineOpinion(ref casefile.CaseRef, post string) casefile.OpinionForm {
	form := casefile.OpinionForm{Rationale: "[rationale of a bench]", Relied: []string{post}}
	form.Policies, form.EntityTier = []casefile.PolicyCode{casefile.VE08}, casefile.E2
	form.Mitigations = map[casefile.Mitigation]casefile.Answer{}
	for _, m := range casefile.Mitigations {
		form.Mitigations[m] = casefile.AnswerNo
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(ref))
	switch h.Sum32() % 10 {
	case 0:
		form.Action = casefile.L4
	case 1:
		form.Action = casefile.L6
	default:
		form.Action, form.Days = casefile.L5, 180
	}
	return form
}

// through hands a flag in and follows it until its case is closed, its takedown done and its notice sent.
// accepted is called once its case stands in its queue or is further. A flag whose following was cut off
// can be handed in again: it is in the same case, and goes on from there.
func (l *benchLine) through(ctx context.Context, f casefile.Flag, accepted func()) error {
	c, err := insist(ctx, l, func() (records.Case, error) { return l.submit(ctx, f) })
	if err != nil {
		return err
	}
	accepted()
	if c.State == casefile.StateQueued {
		l.waiting <- c.Route.Queue // holds as many as are under way
	}
	return l.settled(ctx, c.Ref)
}

// settled waits until nothing of a case is outstanding.
func (l *benchLine) settled(ctx context.Context, ref casefile.CaseRef) error {
	_, err := l.watch.until(ctx, ref, func(c records.Case) (bool, error) {
		if c.State != casefile.StateClosed {
			return false, nil
		}
		d, err := l.records.Decision(ctx, c.Decision)
		if err != nil {
			return false, fmt.Errorf("read the decision of case %s: %w", ref, err)
		}
		switch d.State {
		case casefile.DecisionFailed, casefile.DecisionUncertain:
			return false, fmt.Errorf("the decision of case %s is %s", ref, d.State)
		case casefile.DecisionDone:
		default:
			return false, nil
		}
		n, err := l.records.Notice(ctx, c.Decision)
		if err != nil {
			return false, fmt.Errorf("read the notice of case %s: %w", ref, err)
		}
		return n.State == casefile.NoticeSent, nil
	})
	return err
}

// backlog is what has still to be done somewhere.
type backlog struct {
	OpenCases    int `json:"open_cases"`
	PendingFlags int `json:"pending_flags"`
	Outbox       int `json:"outbox"`
	Index        int `json:"index_changes"`
	Unfinished   int `json:"unfinished_decisions"`
}

func (b backlog) total() int {
	return b.OpenCases + b.PendingFlags + b.Outbox + b.Index + b.Unfinished
}

// backlogPage bounds one question of the backlog: more than that is counted as that.
const backlogPage = 1000

// backlog counts what is outstanding now.
func (b *benchBed) backlog(ctx context.Context) (backlog, error) {
	var n backlog
	pending, err := b.records.PendingFlags(ctx, time.Now().Add(time.Hour), backlogPage)
	if err != nil {
		return n, fmt.Errorf("count pending flags: %w", err)
	}
	outbox, err := b.records.Unappended(ctx, backlogPage)
	if err != nil {
		return n, fmt.Errorf("count the outbox: %w", err)
	}
	changes, err := b.records.IndexChanges(ctx, backlogPage)
	if err != nil {
		return n, fmt.Errorf("count changes for the index: %w", err)
	}
	n.PendingFlags, n.Outbox, n.Index = len(pending), len(outbox), len(changes)
	queues, err := b.records.Queues(ctx)
	if err != nil {
		return n, fmt.Errorf("count what stands in the queues: %w", err)
	}
	for _, q := range queues {
		n.OpenCases += q.Waiting + q.Snoozed + q.Claimed
	}
	err = b.everyDecision(ctx, func(d records.DecidedActs) {
		if d.State != casefile.DecisionDone {
			n.Unfinished++
		}
	})
	return n, err
}

// everyDecision hands every decision of the records to visit.
func (b *benchBed) everyDecision(ctx context.Context, visit func(records.DecidedActs)) error {
	after := ""
	for {
		page, err := b.records.EveryDecision(ctx, after, backlogPage)
		if err != nil {
			return fmt.Errorf("list the decisions: %w", err)
		}
		for _, d := range page {
			visit(d)
			after = d.Decision.ID
		}
		if len(page) < backlogPage {
			return nil
		}
	}
}

// errBacklog ends a wait for what does not get done.
var errBacklog = errors.New("what is outstanding does not get done")

// drained waits until nothing is outstanding, for as long as patience.
func (b *benchBed) drained(ctx context.Context, patience time.Duration) (backlog, error) {
	end := time.Now().Add(patience)
	for {
		n, err := b.backlog(ctx)
		if err != nil || n.total() == 0 {
			return n, err
		}
		if time.Now().After(end) {
			return n, fmt.Errorf("%w: %+v", errBacklog, n)
		}
		if !b.watch.next(ctx) {
			return n, ctx.Err()
		}
	}
}
