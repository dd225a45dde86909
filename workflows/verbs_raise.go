package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

func (r *caseRun) checkEscalate(_ workflow.Context, a EscalateArgs) error {
	switch {
	case r.s.State != casefile.StateQueued && r.s.State != casefile.StateClaimed:
		return casefile.Errorf(casefile.CodeState, "a case that is %s cannot be escalated", r.s.State)
	case a.Reason.Digest == "":
		return casefile.Invalid("reason", "required")
	case a.Threat && r.s.Threat:
		return casefile.Errorf(casefile.CodeState, "this case is escalated as a threat to life already")
	}
	return nil
}

// escalate puts the case before a lead. Whoever holds it and escalates it gives it up; somebody
// else's claim stands, and their next word on the case says that they have the threat to life in hand.
func (r *caseRun) escalate(ctx workflow.Context, a EscalateArgs) {
	r.toLead()
	r.s.NotBefore, r.s.AssignedTo = nil, ""
	if r.s.State == casefile.StateClaimed && r.s.Claim.Person == a.Actor.Person {
		r.requeue(ctx)
	}
	body := casefile.HandledBody{What: casefile.HandlingEscalated, Queue: r.s.Queue}
	telling := Telling{Kind: tellEscalated}
	if a.Threat {
		now := workflow.Now(ctx)
		due := now.Add(casefile.ThreatTime).UTC()
		r.s.Threat, r.s.Raised = true, true
		body.What, body.Until = casefile.HandlingThreat, &due
		telling = Telling{Kind: tellThreat, Page: true, DueAt: &due}
		if r.s.State == casefile.StateQueued || versionOf(ctx, versionThreatClock) {
			r.windThreat(ctx)
		}
	}
	r.handledFor(ctx, a.Verb, a.Reason, body)
	r.tellOf(a.ID, telling)
}

func (r *caseRun) checkMoveDeadline(ctx workflow.Context, a MoveDeadlineArgs) error {
	switch {
	case a.Actor.Role != casefile.RoleLead:
		return casefile.Errorf(casefile.CodeForbidden, "only a lead moves a deadline")
	case !a.Deadline.Valid():
		return casefile.Invalid("deadline", "touch or decision")
	case a.Deadline == casefile.DeadlineTouch && r.s.Touched:
		return casefile.Errorf(casefile.CodeState, "somebody has looked at this case already")
	case r.s.State != casefile.StateQueued && r.s.State != casefile.StateClaimed:
		return casefile.Errorf(casefile.CodeState, "a case that is %s has no deadline", r.s.State)
	case !a.To.After(workflow.Now(ctx)):
		return casefile.Invalid("to", "a time ahead")
	case a.Reason.Digest == "":
		return casefile.Invalid("reason", "required")
	}
	return nil
}

func (r *caseRun) moveDeadline(ctx workflow.Context, a MoveDeadlineArgs) {
	to := a.To.UTC()
	r.stop(a.Deadline)
	r.s.Clocks = append(r.s.Clocks, Clock{Kind: a.Deadline, From: workflow.Now(ctx), Due: to})
	r.s.Missed = slices.DeleteFunc(r.s.Missed, func(k casefile.DeadlineKind) bool { return k == a.Deadline })
	if !slices.Contains(r.s.Led, a.Deadline) {
		r.s.Led = append(r.s.Led, a.Deadline)
	}
	if a.Deadline == casefile.DeadlineTouch {
		r.s.Route.DueAt = to
	} else {
		r.s.Route.DecideBy = to
	}
	r.handledFor(ctx, a.Verb, a.Reason, casefile.HandledBody{What: casefile.HandlingDeadline, Deadline: a.Deadline, Until: &to})
}

func (r *caseRun) checkRefer(ctx workflow.Context, a ReferArgs) error {
	err := r.checkHolder(ctx, a.Verb, a.Claim)
	switch {
	case err != nil:
		return err
	case !a.Kind.Valid():
		return casefile.Invalid("kind", "child_safety, self_harm, legal or policy_team")
	case a.Reason.Digest == "":
		return casefile.Invalid("reason", "required")
	case slices.ContainsFunc(r.s.Referrals, func(x casefile.Referral) bool { return x.Kind == a.Kind }):
		return casefile.Errorf(casefile.CodeState, "this case was referred there already")
	}
	return nil
}

func (r *caseRun) refer(ctx workflow.Context, a ReferArgs) {
	x := casefile.Referral{ID: a.ID, Kind: a.Kind, Person: a.Actor.Person, At: workflow.Now(ctx).UTC(), Note: a.Reason.Words, Digest: a.Reason.Digest}
	x.Event = r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryReferred, Actor: a.Actor, Referral: &x})
	r.chain.flush = true
	r.s.Referrals = append(r.s.Referrals, x)
	r.tellOf(a.ID, Telling{Kind: tellReferred, Team: a.Kind.Team()})
}
