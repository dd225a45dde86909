package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// Case is the workflow of one account's open case. A run takes flags in, has the case assessed and
// shown in its queue, answers reviewers' verbs, puts the decision on the ledger, starts its
// takedown, archives the file and completes. A run that took nothing in ends without opening a
// case. Flags that come after the decision wait in the run and open the account's next case.
func (w Workflows) Case(ctx workflow.Context, in CaseInput) error {
	why := scheduled(ctx, casefile.CaseWorkflowID(in.Platform, in.Account))
	if why == "" && (in.State != nil || len(in.Pending) > 0) && workflow.GetInfo(ctx).ContinuedExecutionRunID == "" {
		// Only a run before this one hands a state on: anybody else's may say what it likes.
		why = "state"
	}
	if why != "" {
		return drop(ctx, DropStartAsk{Kind: CaseWorkflowType, Platform: in.Platform, Thing: string(in.Account), Why: why})
	}
	r := &caseRun{
		w:     w,
		in:    in,
		log:   workflow.GetLogger(ctx),
		mutex: workflow.NewMutex(ctx),
		inbox: in.Pending,
		flags: workflow.GetSignalChannel(ctx, SignalFlag),
	}
	if in.State != nil {
		r.s = *in.State
	}
	r.chain = &numberer{chain: &r.s.Chain, platform: in.Platform, account: in.Account, flush: len(r.s.Chain.Drafts) > 0}
	err := r.handleVerbs(ctx)
	if err != nil {
		return err
	}
	workflow.Go(ctx, r.receiveContinue)
	workflow.Go(ctx, r.chain.run)
	return r.run(ctx)
}

// caseRun is one run of the case workflow. Everything in it is touched from workflow coroutines
// only; changes of s that span a yield hold the mutex.
type caseRun struct {
	w     Workflows
	in    CaseInput
	s     CaseState
	log   log.Logger
	mutex workflow.Mutex
	chain *numberer

	// flags is read by the main loop alone: a coroutine that waited on it could hold a signal in its
	// hands, unseen, while the main loop ends the run.
	flags workflow.ReceiveChannel
	inbox []casefile.FlagKey

	projected     int              // how many of s.Opinions the records have
	shown         bool             // the records show them to everybody
	tellings      []Telling        // told of with the next projection
	bundle        *casefile.Bundle // the decision's proof, once it is there
	forceContinue bool
	draining      bool           // verbs are refused: the run is about to continue as new
	deciding      bool           // the grace time is over: nothing can be withdrawn any more
	closing       bool           // the case is being closed without opinions
	closedBy      casefile.Actor // whose verb it was; the system's where a rule closes it
}

// startPatience is how long a run that was started without a flag waits for one.
const startPatience = time.Minute

func (r *caseRun) takeSignal(sig FlagSignal) {
	for _, f := range r.inbox {
		if f == sig.Flag {
			return
		}
	}
	r.inbox = append(r.inbox, sig.Flag)
}

func (r *caseRun) receiveContinue(ctx workflow.Context) {
	workflow.GetSignalChannel(ctx, SignalContinue).Receive(ctx, nil)
	r.forceContinue = true
}

// run is the main loop: it does whatever is due, then waits for a message or the next deadline.
func (r *caseRun) run(ctx workflow.Context) error {
	r.drainSignals()
	if len(r.inbox) == 0 && r.s.Ref == "" {
		// A start without a signal is not the intake's; it ends by itself.
		_, err := workflow.AwaitWithTimeout(ctx, startPatience, func() bool { return r.flags.Len() > 0 })
		if err != nil {
			return err
		}
	}
	for {
		r.drainSignals()
		if len(r.inbox) > 0 && r.takesFlags() {
			err := r.takeIn(ctx)
			if err != nil {
				return err
			}
		}
		switch {
		case r.s.Ref == "":
			if len(r.inbox) > 0 {
				continue
			}
			return r.finish(ctx)
		case r.closing || r.graceOver(ctx):
			ended, err := r.end(ctx)
			if err != nil {
				return err
			}
			if !ended {
				continue
			}
			return r.finish(ctx)
		case r.leaseOver(ctx):
			err := r.endLease(ctx)
			if err != nil {
				return err
			}
			continue
		case r.clockDue(ctx):
			err := r.strike(ctx)
			if err != nil {
				return err
			}
			continue
		case r.shouldContinue(ctx):
			err := r.continueAsNew(ctx)
			if err != nil {
				return err
			}
			continue // a verb closed the case meanwhile
		}
		err := r.wait(ctx)
		if err != nil {
			return err
		}
	}
}

// takesFlags reports whether flags still join this case: until somebody's opinion settled it.
func (r *caseRun) takesFlags() bool {
	return r.s.State != casefile.StateDecided && r.s.State != casefile.StateProven && r.s.State != casefile.StateClosed && !r.closing
}

func (r *caseRun) graceOver(ctx workflow.Context) bool {
	return r.s.State == casefile.StateProven ||
		r.s.State == casefile.StateDecided && r.s.GraceUntil != nil && !workflow.Now(ctx).Before(*r.s.GraceUntil)
}

func (r *caseRun) leaseOver(ctx workflow.Context) bool {
	return r.s.Claim != nil && r.s.State == casefile.StateClaimed && !r.s.Claim.Live(workflow.Now(ctx))
}

func (r *caseRun) shouldContinue(ctx workflow.Context) bool {
	if r.s.State == casefile.StateDecided || r.s.State == casefile.StateProven {
		return false
	}
	return r.forceContinue || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// deadline is when the main loop must look again by itself; zero for never.
func (r *caseRun) deadline() time.Time {
	if r.s.State == casefile.StateDecided && r.s.GraceUntil != nil {
		return *r.s.GraceUntil
	}
	at := r.nextMark()
	if r.s.State == casefile.StateClaimed && r.s.Claim != nil && (at.IsZero() || r.s.Claim.ExpiresAt.Before(at)) {
		at = r.s.Claim.ExpiresAt
	}
	return at
}

// wait sleeps until something is due. A lease that a heartbeat moved on does not re-arm the timer:
// when it fires early, the loop looks and waits again.
func (r *caseRun) wait(ctx workflow.Context) error {
	armed := r.deadline()
	due := func() bool {
		d := r.deadline()
		return (len(r.inbox) > 0 || r.flags.Len() > 0) && r.takesFlags() || r.closing || r.shouldContinue(ctx) ||
			!d.IsZero() && (armed.IsZero() || d.Before(armed)) || r.chain.err != nil
	}
	if armed.IsZero() {
		err := workflow.Await(ctx, due)
		if err != nil {
			return err
		}
		return r.chain.err
	}
	_, err := workflow.AwaitWithTimeout(ctx, armed.Sub(workflow.Now(ctx)), due)
	if err != nil {
		return err
	}
	return r.chain.err
}

// takeIn takes the inbox into the case, opening it if need be, and has it assessed.
func (r *caseRun) takeIn(ctx workflow.Context) error {
	err := r.mutex.Lock(ctx)
	if err != nil {
		return err
	}
	defer r.mutex.Unlock()
	if !r.takesFlags() {
		return nil
	}
	flags := r.inbox[:min(len(r.inbox), maxTakeIn)]
	answer, err := r.askTakeIn(ctx, TakeInAsk{Flags: flags, Undecided: r.s.Ref != ""})
	if err != nil {
		return err
	}
	if answer.Ref == "" {
		r.inbox = r.inbox[len(flags):]
		return nil
	}
	if r.s.Ref == "" {
		err = r.open(ctx, answer)
		if err != nil {
			return err
		}
		if answer.Unproven != nil && r.chain.decided != nil && r.chain.decides == answer.Unproven.ID {
			answer.Proven = &ProvenDecision{Decision: *answer.Unproven, Bundle: *r.chain.decided}
		}
		if answer.Proven != nil {
			// The flags wait for the account's next case: this one is decided.
			return r.resume(ctx, *answer.Proven)
		}
		if answer.Unproven != nil {
			answer, err = r.askTakeIn(ctx, TakeInAsk{Flags: flags, Undecided: true})
			if err != nil {
				return err
			}
			if answer.Ref == "" { // none of the flags is this case's: its own will bring it back
				r.s, r.inbox = CaseState{}, r.inbox[len(flags):]
				return nil
			}
			r.s.Voided = answer.VoidIDs
			r.keep(answer.Kept)
		}
	}
	for _, p := range answer.FlagAuthors {
		r.tookPart(p)
	}
	r.inbox = r.inbox[len(flags):]
	grown := false
	for _, f := range answer.Taken {
		if slices.Contains(r.s.Taken, f.Flag) {
			continue
		}
		grown = true
		r.s.Taken = append(r.s.Taken, f.Flag)
		r.s.EvidenceRevision++
		r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryFlagAccepted, Actor: casefile.System,
			Flag: &casefile.FlagBody{Flag: f.Flag, Digest: f.Digest, EvidenceRevision: r.s.EvidenceRevision}})
	}
	if !grown {
		return nil
	}
	return r.assess(ctx)
}

func (r *caseRun) askTakeIn(ctx workflow.Context, ask TakeInAsk) (answer TakeInAnswer, err error) {
	ask.Platform, ask.Account = r.in.Platform, r.in.Account
	err = workflow.ExecuteLocalActivity(localOptions(ctx), ActivityTakeIn, ask).Get(ctx, &answer)
	return answer, err
}

// maxTakeIn bounds one taking in: a flood of flags of one account is taken in by portions, with the
// case in its queue after the first.
const maxTakeIn = 25

// open sets the state of a case that this run has just opened, or of one whose run was lost: then
// the chain goes on behind what the log holds of it, and opinions before the restarted entry that no
// decision came of are void.
func (r *caseRun) open(ctx workflow.Context, a TakeInAnswer) error {
	r.s.Ref, r.s.Ordinal, r.s.OpenedAt, r.s.Previous = a.Ref, a.Ordinal, a.OpenedAt, a.Previous
	r.s.State = casefile.StateNew
	r.s.Settings = a.Settings
	r.s.Revision, r.s.EvidenceRevision, r.s.Claims = a.Revision, a.EvidenceRevision, a.LastClaim
	r.s.Chain.Name = casefile.CaseChain(a.Ref)
	if a.Revision == 0 {
		return nil
	}
	err := r.chain.fence(ctx, casefile.Draft{Type: casefile.EntryRestarted, Actor: casefile.System,
		Restarted: &casefile.RestartedBody{Revision: a.Revision}})
	if err != nil {
		return err
	}
	r.s.Referrals, r.s.Threat, r.s.Raised = a.Referrals, a.Threat, a.Threat
	if a.Threat { // nobody holds it any more
		r.windThreat(ctx)
	}
	r.keep(a.Kept)
	r.s.Touched = a.LastClaim > 0
	r.s.Round = a.Round + 1
	r.s.Voided = a.VoidIDs
	return nil
}

// keep lays on the case how it was handled in the run that was lost.
func (r *caseRun) keep(k *Kept) {
	if k == nil {
		return
	}
	r.s.Queue, r.s.Moved, r.s.Raised = k.Queue, k.Moved, k.Raised
	r.s.Missed, r.s.Led = k.Missed, k.Led
	r.s.Route.DueAt, r.s.Route.DecideBy = k.DueAt, k.DecideBy
	r.s.NotBefore, r.s.AssignedTo = k.NotBefore, k.AssignedTo
}

// resume goes on with a lost run's case whose decision is on the ledger already.
func (r *caseRun) resume(ctx workflow.Context, p ProvenDecision) error {
	d := p.Decision
	r.s.Decision, r.s.Opinions, r.s.OpinionEvents = &d, d.Opinions, d.OpinionEvents
	r.s.Voided = nil
	r.s.Flags = max(r.s.Flags, len(r.s.Taken))
	r.bundle = &p.Bundle
	r.proven()
	return r.project(ctx, ProjectAsk{Bundle: r.bundle})
}

// tookPart notes a person who has to do with the case.
func (r *caseRun) tookPart(p casefile.Person) {
	if p != "" && !slices.Contains(r.s.Parts, p) {
		r.s.Parts = append(r.s.Parts, p)
	}
}

// assess asks for findings and a route, and shows the case in its queue; or closes or decides it
// where a rule may.
func (r *caseRun) assess(ctx workflow.Context) error {
	fresh := r.s.State == casefile.StateNew && !r.s.Touched && r.s.Revision == 0
	var answer AssessAnswer
	ask := AssessAsk{Platform: r.in.Platform, Account: r.in.Account, Ref: r.s.Ref, OpenedAt: r.s.OpenedAt, Fresh: fresh}
	err := workflow.ExecuteLocalActivity(localOptions(ctx), ActivityAssess, ask).Get(ctx, &answer)
	if err != nil {
		return err
	}
	r.s.Flags, r.s.Findings = answer.Flags, answer.Sealed
	r.route(answer)
	r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryRoute, Actor: casefile.System,
		Route: &casefile.RouteBody{Route: r.s.Route, Findings: answer.Findings, Digest: answer.Digest}})
	switch {
	case fresh && answer.AlreadyDecided != "":
		r.s.AlreadyDecided, r.s.CloseReason = answer.AlreadyDecided, casefile.CloseAlreadyDecided
		r.closing, r.closedBy = true, casefile.System
		return nil
	case fresh && answer.Automatic != nil:
		r.settleByRule(ctx, *answer.Automatic)
	case r.s.State == casefile.StateNew:
		r.s.State = casefile.StateQueued
	}
	err = r.project(ctx, ProjectAsk{})
	if err != nil {
		return err
	}
	r.chain.flush = true
	return nil
}

// route lays a new route over the case. Where findings could not be had, it lowers nothing; a case
// that a person or a missed deadline moved stays where it is; and no deadline moves back.
func (r *caseRun) route(a AssessAnswer) {
	first := r.s.Route.Rule == ""
	next := a.Route
	if !first {
		unknown := slices.ContainsFunc(a.Findings, func(f casefile.FindingCode) bool { return f.Status != casefile.StatusKnown })
		switch {
		case unknown && next.Severity < r.s.Route.Severity:
			next = r.s.Route
		case unknown && next.Severity == r.s.Route.Severity:
			next.Confidence = max(next.Confidence, r.s.Route.Confidence)
		}
	}
	next.DueAt = r.held(casefile.DeadlineTouch, next.DueAt, r.s.Route.DueAt)
	next.DecideBy = r.held(casefile.DeadlineDecision, next.DecideBy, r.s.Route.DecideBy)
	r.s.Route = next
	draw := r.s.Deciding.Draw
	r.s.Deciding = a.Deciding
	if !first {
		r.s.Deciding.Draw = draw // drawn once for a case
	}
	if !r.s.Moved {
		r.s.Queue = next.Queue
	}
	r.wind()
}

// held is the time that a deadline has under a new route: what a lead set stands, else the earlier.
func (r *caseRun) held(kind casefile.DeadlineKind, next, now time.Time) time.Time {
	if slices.Contains(r.s.Led, kind) {
		return now
	}
	return earlier(next, now)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// project writes the state to the records under a new revision.
func (r *caseRun) project(ctx workflow.Context, ask ProjectAsk) error {
	r.s.Revision++
	ask.Platform, ask.Account = r.in.Platform, r.in.Account
	ask.State = r.s
	ask.State.Answered, ask.State.Taken = nil, nil
	ask.State.Chain.Drafts, ask.State.Chain.Fixed = nil, nil
	shows := r.showsOpinions()
	from := min(r.projected, len(r.s.Opinions))
	if shows && !r.shown {
		from = 0 // those written as bare facts are written again with their codes
	}
	ask.Opinions = r.s.Opinions[from:]
	ask.Tellings, r.tellings = r.tellings, nil
	written := len(r.s.Opinions)
	comments, voided, handled := len(r.s.Comments), len(r.s.Voided), len(r.s.Handled)
	err := workflow.ExecuteActivity(caseOptions(ctx), ActivityProject, ask).Get(ctx, nil)
	if err != nil {
		return err
	}
	r.projected, r.shown = written, shows
	r.s.Comments, r.s.Voided, r.s.Handled = r.s.Comments[comments:], r.s.Voided[voided:], r.s.Handled[handled:]
	if r.s.DecisionState == casefile.DecisionWithdrawn {
		r.s.Decision, r.s.DecisionState = nil, ""
		r.nextRound()
	}
	return nil
}

// showsOpinions says whether anybody but their authors may see the opinions so far.
func (r *caseRun) showsOpinions() bool {
	switch r.s.State {
	case casefile.StateDecided, casefile.StateProven, casefile.StateClosed:
		return true
	}
	return r.s.Stage == casefile.StageAdjudication || r.s.DecisionState == casefile.DecisionWithdrawn
}

// nextRound begins another round of opinions; those of the round before count no more.
func (r *caseRun) nextRound() {
	r.s.Opinions, r.s.OpinionEvents = nil, nil
	r.s.Stage, r.s.ToDecide = casefile.StageOpinion, false
	r.s.Round++
	r.projected, r.shown = 0, false
}

// endLease gives a case whose lease ran out back to its queue.
func (r *caseRun) endLease(ctx workflow.Context) error {
	err := r.mutex.Lock(ctx)
	if err != nil {
		return err
	}
	defer r.mutex.Unlock()
	if !r.leaseOver(ctx) {
		return nil
	}
	r.requeue(ctx)
	return r.project(ctx, ProjectAsk{})
}

// requeue ends the claim and gives the case back to its queue. A threat to life that nobody has in hand
// any more has its clock again.
func (r *caseRun) requeue(ctx workflow.Context) {
	r.s.Claim, r.s.Held = nil, false
	r.s.State = casefile.StateQueued
	if r.s.Threat && versionOf(ctx, versionThreatClock) {
		r.windThreat(ctx)
	}
}

// shutDoor refuses further verbs and waits until those under way have been answered.
func (r *caseRun) shutDoor(ctx workflow.Context) error {
	r.draining = true
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// continueAsNew goes on in a fresh run with the same state: nothing pending, nothing in flight. It
// answers nil where a verb that came while the ledger took its time closes the case: that is this run's.
func (r *caseRun) continueAsNew(ctx workflow.Context) error {
	// Verbs go on while the ledger takes its time; the door is shut when nothing is left to append,
	// and what the last of them drafted goes along as a draft.
	err := r.chain.drain(ctx)
	if err != nil {
		return err
	}
	err = r.shutDoor(ctx)
	if err != nil {
		return err
	}
	err = workflow.Await(ctx, func() bool { return r.chain.err != nil || !r.chain.busy })
	if err != nil {
		return err
	}
	if r.closing {
		r.draining = false
		return nil
	}
	r.drainSignals()
	next := r.in
	state := r.s
	next.State, next.Pending = &state, r.inbox
	return workflow.NewContinueAsNewError(ctx, CaseWorkflowType, next)
}

// finish ends the run, or goes on with flags that came too late for this case.
func (r *caseRun) finish(ctx workflow.Context) error {
	err := r.shutDoor(ctx)
	if err != nil {
		return err
	}
	r.drainSignals()
	if len(r.inbox) == 0 {
		return nil
	}
	next := r.in
	next.State, next.Pending = nil, r.inbox
	return workflow.NewContinueAsNewError(ctx, CaseWorkflowType, next)
}

// drainSignals moves the signals that have come to the inbox.
func (r *caseRun) drainSignals() {
	for {
		var sig FlagSignal
		if !r.flags.ReceiveAsync(&sig) {
			return
		}
		r.takeSignal(sig)
	}
}
