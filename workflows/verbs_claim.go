package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

func (r *caseRun) checkClaim(ctx workflow.Context, a ClaimArgs) error {
	err := r.checkMayJudge(a.Actor)
	switch {
	case err != nil:
		return err
	case r.s.AssignedTo != "" && r.s.AssignedTo != a.Actor.Person && a.Actor.Role != casefile.RoleLead:
		return casefile.Errorf(casefile.CodeState, "this case was handed over to somebody else")
	case r.s.State == casefile.StateQueued, r.leaseOver(ctx):
		return nil
	case r.s.State == casefile.StateClaimed && r.s.Claim.Person == a.Actor.Person:
		return casefile.Errorf(casefile.CodeState, "you hold this case already")
	case r.s.State == casefile.StateClaimed:
		return casefile.Errorf(casefile.CodeState, "somebody else holds this case")
	}
	return casefile.Errorf(casefile.CodeState, "a case that is %s cannot be claimed", r.s.State)
}

// checkMayJudge refuses whoever may not judge the case in this round: the author of an opinion on it,
// and where two opinions differ anybody but a lead.
func (r *caseRun) checkMayJudge(by casefile.Actor) error {
	if slices.ContainsFunc(r.s.Opinions, func(o casefile.Opinion) bool { return o.Person == by.Person }) {
		return casefile.Errorf(casefile.CodeForbidden, "you have given your opinion on this case")
	}
	if r.s.Stage == casefile.StageAdjudication && by.Role != casefile.RoleLead {
		return casefile.Errorf(casefile.CodeForbidden, "a lead decides this case")
	}
	return nil
}

func (r *caseRun) claim(ctx workflow.Context, a ClaimArgs) {
	now := workflow.Now(ctx)
	r.s.Claims++
	r.s.Claim = &casefile.Claim{Number: r.s.Claims, Person: a.Actor.Person, Role: a.Actor.Role, GrantedAt: now, ExpiresAt: now.Add(r.s.Settings.Lease)}
	r.s.State = casefile.StateClaimed
	r.s.Held, r.s.NotBefore, r.s.AssignedTo = false, nil, ""
	r.s.Touched = true
	r.stop(casefile.DeadlineTouch, casefile.DeadlineThreat)
	r.tookPart(a.Actor.Person)
}

func (r *caseRun) checkHeartbeat(ctx workflow.Context, a HeartbeatArgs) error {
	return r.checkHolder(ctx, a.Verb, a.Claim)
}

func (r *caseRun) heartbeat(ctx workflow.Context, _ HeartbeatArgs) {
	until := workflow.Now(ctx).Add(r.s.Settings.Lease)
	if until.After(r.s.Claim.ExpiresAt) {
		r.s.Claim.ExpiresAt = until
	}
	r.stop(casefile.DeadlineThreat)
}

func (r *caseRun) checkRelease(ctx workflow.Context, a ReleaseArgs) error {
	return r.checkHolder(ctx, a.Verb, a.Claim)
}

func (r *caseRun) release(ctx workflow.Context, _ ReleaseArgs) { r.requeue(ctx) }

func (r *caseRun) checkSnooze(ctx workflow.Context, a SnoozeArgs) error {
	err := r.checkHolder(ctx, a.Verb, a.Claim)
	if err != nil {
		return err
	}
	return checkUntil(ctx, a.Until, casefile.MaxSnooze)
}

// checkUntil holds a time to what lies ahead, and not too far.
func checkUntil(ctx workflow.Context, until time.Time, most time.Duration) error {
	now := workflow.Now(ctx)
	if !until.After(now) || until.After(now.Add(most)) {
		return casefile.Invalid("until", "a time within the next %s", most)
	}
	return nil
}

func (r *caseRun) snooze(ctx workflow.Context, a SnoozeArgs) {
	until := a.Until.UTC()
	r.requeue(ctx)
	r.s.NotBefore = &until
	r.handled(ctx, a.Actor, casefile.HandledBody{What: casefile.HandlingSnoozed, Until: &until})
}

func (r *caseRun) checkHold(ctx workflow.Context, a HoldArgs) error {
	err := r.checkHolder(ctx, a.Verb, a.Claim)
	if err != nil {
		return err
	}
	return checkUntil(ctx, a.Until, casefile.MaxHold)
}

func (r *caseRun) hold(ctx workflow.Context, a HoldArgs) {
	until := a.Until.UTC()
	r.s.Claim.ExpiresAt, r.s.Held = until, true
	r.handled(ctx, a.Actor, casefile.HandledBody{What: casefile.HandlingHeld, Until: &until})
}

func (r *caseRun) checkHandOver(ctx workflow.Context, a HandOverArgs) error {
	err := r.checkHolder(ctx, a.Verb, a.Claim)
	switch {
	case err != nil:
		return err
	case (a.To == "") == (a.Queue == ""):
		return casefile.Invalid("to", "either a person or a queue")
	case a.To == a.Actor.Person:
		return casefile.Invalid("to", "you hold the case already")
	case a.Reason.Digest == "":
		return casefile.Invalid("reason", "required")
	case a.Queue != "" && r.s.Stage == casefile.StageAdjudication:
		return casefile.Errorf(casefile.CodeState, "a lead decides this case: it stays in the lead's queue")
	case slices.ContainsFunc(r.s.Opinions, func(o casefile.Opinion) bool { return o.Person == a.To }):
		return casefile.Invalid("to", "this person cannot take the case") // the API refuses others in the same way
	}
	return nil
}

func (r *caseRun) handOver(ctx workflow.Context, a HandOverArgs) {
	r.requeue(ctx)
	if a.To != "" {
		r.s.AssignedTo = a.To
	} else {
		r.s.Queue, r.s.Moved = a.Queue, true
	}
	r.handledFor(ctx, a.Verb, a.Reason, casefile.HandledBody{What: casefile.HandlingHandOver, To: a.To, Queue: r.s.Queue})
	r.tellOf(a.ID, Telling{Kind: tellHandedOver})
}

func (r *caseRun) checkForceRelease(_ workflow.Context, a ForceReleaseArgs) error {
	whose := r.keeper()
	switch {
	case whose == "":
		return casefile.Errorf(casefile.CodeState, "nobody holds this case")
	case a.Person != "" && a.Person != whose:
		return casefile.Errorf(casefile.CodeState, "somebody else holds this case by now")
	case a.Disabled && a.Actor.Role == casefile.RoleAdmin:
		return nil
	case a.Actor.Role != casefile.RoleLead:
		return casefile.Errorf(casefile.CodeForbidden, "a lead ends somebody else's claim")
	case a.Reason.Digest == "":
		return casefile.Invalid("reason", "required")
	}
	return nil
}

// keeper is the person who holds the case, or whom it waits for; "" for nobody.
func (r *caseRun) keeper() casefile.Person {
	switch {
	case r.s.State == casefile.StateClaimed && r.s.Claim != nil:
		return r.s.Claim.Person
	case r.s.State == casefile.StateQueued:
		return r.s.AssignedTo
	}
	return ""
}

func (r *caseRun) forceRelease(ctx workflow.Context, a ForceReleaseArgs) {
	what := casefile.HandlingReleased
	if a.Disabled {
		what = casefile.HandlingDisabled
	}
	whose := r.keeper()
	r.requeue(ctx)
	r.s.AssignedTo = ""
	r.handledFor(ctx, a.Verb, a.Reason, casefile.HandledBody{What: what, To: whose, Queue: r.s.Queue})
}

// handled drafts the entry of what a person did with the case, and has it appended.
func (r *caseRun) handled(ctx workflow.Context, by casefile.Actor, body casefile.HandledBody) {
	r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryHandled, Actor: by, Handled: &body})
	r.chain.flush = true
}

// handledFor is handled for a reason, whose words the people who take the case up will read.
func (r *caseRun) handledFor(ctx workflow.Context, v Verb, why Reason, body casefile.HandledBody) {
	body.Digest = why.Digest
	r.handled(ctx, v.Actor, body)
	r.s.Handled = append(r.s.Handled, casefile.HandlingNote{
		ID: v.ID, What: body.What, Person: v.Actor.Person, Role: v.Actor.Role, At: workflow.Now(ctx).UTC(), Queue: body.Queue,
		To: body.To, Deadline: body.Deadline, Until: body.Until, Words: why.Words,
	})
}
