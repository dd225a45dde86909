package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// Kinds of telling, as package telling has them.
const (
	tellHalf       = "case.half_due"
	tellMissed     = "case.deadline_missed"
	tellThreat     = "case.threat"
	tellEscalated  = "case.escalated"
	tellHandedOver = "case.handed_over"
	tellAdjudicate = "case.adjudication"
	tellReferred   = "case.referred"
	tellAppeal     = "appeal.received"
)

// wind sets the clocks of the case's route. A clock that runs keeps its beginning and is only ever
// moved forward here; a lead moves it otherwise.
func (r *caseRun) wind() {
	if !r.s.Touched {
		r.windOne(casefile.DeadlineTouch, r.s.Route.DueAt)
	}
	r.windOne(casefile.DeadlineDecision, r.s.Route.DecideBy)
}

func (r *caseRun) windOne(kind casefile.DeadlineKind, due time.Time) {
	if due.IsZero() || slices.Contains(r.s.Missed, kind) {
		return
	}
	for i := range r.s.Clocks {
		if r.s.Clocks[i].Kind == kind {
			r.s.Clocks[i].Due = due
			return
		}
	}
	r.s.Clocks = append(r.s.Clocks, Clock{Kind: kind, From: r.s.OpenedAt, Due: due})
}

// windThreat starts the clock of a threat to life that nobody has in hand, unless it runs.
func (r *caseRun) windThreat(ctx workflow.Context) {
	if slices.ContainsFunc(r.s.Clocks, func(c Clock) bool { return c.Kind == casefile.DeadlineThreat }) {
		return
	}
	now := workflow.Now(ctx)
	r.s.Clocks = append(r.s.Clocks, Clock{Kind: casefile.DeadlineThreat, From: now, Due: now.Add(casefile.ThreatTime).UTC()})
}

// stop ends a clock; what it was counting towards has happened.
func (r *caseRun) stop(kinds ...casefile.DeadlineKind) {
	r.s.Clocks = slices.DeleteFunc(r.s.Clocks, func(c Clock) bool { return slices.Contains(kinds, c.Kind) })
}

// mark is when a clock next has something to say.
func (c Clock) mark() time.Time {
	if c.Half {
		return c.Due
	}
	return c.From.Add(c.Due.Sub(c.From) / 2)
}

// ticking says whether the clocks count: not once the case is settled.
func (r *caseRun) ticking() bool {
	return (r.s.State == casefile.StateQueued || r.s.State == casefile.StateClaimed) && !r.closing
}

// nextMark is when the first clock has something to say; zero for never.
func (r *caseRun) nextMark() time.Time {
	var at time.Time
	if !r.ticking() {
		return at
	}
	for _, c := range r.s.Clocks {
		at = earlier(c.mark(), at)
	}
	return at
}

func (r *caseRun) clockDue(ctx workflow.Context) bool {
	at := r.nextMark()
	return !at.IsZero() && !workflow.Now(ctx).Before(at)
}

// strike does what the clocks that are due ask for: at half of the time the case rises in its queue
// and its team is told; at the end it goes to the lead's queue, and that goes on the ledger.
func (r *caseRun) strike(ctx workflow.Context) error {
	err := r.mutex.Lock(ctx)
	if err != nil {
		return err
	}
	defer r.mutex.Unlock()
	now := workflow.Now(ctx)
	struck := false
	for i := 0; r.ticking() && i < len(r.s.Clocks); i++ {
		c := &r.s.Clocks[i]
		if now.Before(c.mark()) {
			continue
		}
		struck = true
		if now.Before(c.Due) {
			c.Half = true
			r.s.Raised = true
			r.tell(Telling{Kind: tellHalf, DueAt: &c.Due, Page: c.Kind == casefile.DeadlineThreat}, c.Kind, casefile.MarkHalf)
			continue
		}
		r.missed(ctx, *c)
		i--
	}
	if !struck {
		return nil
	}
	r.chain.flush = len(r.s.Chain.Drafts) > 0
	return r.project(ctx, ProjectAsk{})
}

// missed puts a missed deadline on record and the case before a lead.
func (r *caseRun) missed(ctx workflow.Context, c Clock) {
	r.stop(c.Kind)
	if !slices.Contains(r.s.Missed, c.Kind) {
		r.s.Missed = append(r.s.Missed, c.Kind)
	}
	r.s.Raised = true
	r.s.NotBefore, r.s.AssignedTo = nil, ""
	r.toLead()
	r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryDeadline, Actor: casefile.System, Deadline: &casefile.DeadlineBody{
		Deadline: c.Kind, Mark: casefile.MarkMissed, DueAt: c.Due, Queue: r.s.Queue,
	}})
	r.tell(Telling{Kind: tellMissed, DueAt: &c.Due, Page: c.Kind == casefile.DeadlineThreat}, c.Kind, casefile.MarkMissed)
	if c.Kind == casefile.DeadlineThreat {
		// Nobody took it up: it pages again until somebody does; once for all the time that nothing ran.
		from := c.Due
		if now := workflow.Now(ctx).UTC(); !from.Add(casefile.ThreatTime).After(now) {
			from = now
		}
		r.s.Clocks = append(r.s.Clocks, Clock{Kind: c.Kind, From: from, Due: from.Add(casefile.ThreatTime), Half: true})
	}
}

// toLead moves the case to the lead's queue.
func (r *caseRun) toLead() {
	if r.s.Deciding.LeadQueue != "" {
		r.s.Queue, r.s.Moved = r.s.Deciding.LeadQueue, true
	}
}

// tell has people told of something with the next projection. The id is made of what the telling is
// about, so that the same one has the same id whenever it is made again.
func (r *caseRun) tell(t Telling, kind casefile.DeadlineKind, mark casefile.DeadlineMark) {
	at := int64(0)
	if t.DueAt != nil {
		due := *t.DueAt
		t.DueAt, at = &due, due.Unix()
	}
	t.ID = fmt.Sprintf("%s.%s.%s.%s.%d", r.s.Ref, t.Kind, kind, mark, at)
	t.Queue = r.s.Queue
	r.tellings = append(r.tellings, t)
}

// tellOf has people told of what a verb did.
func (r *caseRun) tellOf(verb string, t Telling) {
	t.ID = fmt.Sprintf("%s.%s.%s", r.s.Ref, t.Kind, verb)
	if t.Queue == "" {
		t.Queue = r.s.Queue
	}
	r.tellings = append(r.tellings, t)
}
