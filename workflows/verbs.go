package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// handleVerbs registers the verbs as Updates. Each has a validator, and the same check again under
// the mutex: messages interleave wherever a handler yields.
func (r *caseRun) handleVerbs(ctx workflow.Context) error {
	err := workflow.SetQueryHandler(ctx, QueryState, func() (CaseState, error) { return r.s, nil })
	if err != nil {
		return err
	}
	return firstError(
		verb(ctx, r, UpdateClaim, func(a ClaimArgs) Verb { return a.Verb }, r.checkClaim, r.claim),
		verb(ctx, r, UpdateHeartbeat, func(a HeartbeatArgs) Verb { return a.Verb }, r.checkHeartbeat, r.heartbeat),
		verb(ctx, r, UpdateRelease, func(a ReleaseArgs) Verb { return a.Verb }, r.checkRelease, r.release),
		verb(ctx, r, UpdateComment, func(a CommentArgs) Verb { return a.Verb }, r.checkComment, r.comment),
		verb(ctx, r, UpdateOpinion, func(a OpinionArgs) Verb { return a.Verb }, r.checkOpinion, r.opinion),
		verb(ctx, r, UpdateWithdraw, func(a WithdrawArgs) Verb { return a.Verb }, r.checkWithdraw, r.withdraw),
		verb(ctx, r, UpdateClose, func(a CloseArgs) Verb { return a.Verb }, r.checkClose, r.close),
	)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// verb registers one Update. check refuses; apply changes the state and is followed by a
// projection, so that whoever was answered reads what they wrote.
func verb[A any](ctx workflow.Context, r *caseRun, name string, head func(A) Verb,
	check func(workflow.Context, A) error, apply func(workflow.Context, A),
) error {
	guard := func(ctx workflow.Context, a A) error {
		_, done := r.answered(head(a).ID)
		if done {
			return nil
		}
		err := r.checkAny(head(a))
		if err == nil {
			err = check(ctx, a)
		}
		if err != nil {
			return refuse(err, r.s.EvidenceRevision)
		}
		return nil
	}
	handler := func(ctx workflow.Context, a A) (VerbResult, error) {
		err := r.mutex.Lock(ctx)
		if err != nil {
			return VerbResult{}, err
		}
		defer r.mutex.Unlock()
		before, done := r.answered(head(a).ID)
		if done {
			return before, nil
		}
		err = guard(ctx, a)
		if err != nil {
			return VerbResult{}, err
		}
		apply(ctx, a)
		err = r.project(ctx, ProjectAsk{})
		if err != nil {
			return VerbResult{}, err
		}
		return r.answer(head(a).ID), nil
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, name, handler, workflow.UpdateHandlerOptions{Validator: guard})
}

func (r *caseRun) answered(id string) (VerbResult, bool) {
	for _, a := range r.s.Answered {
		if a.ID == id {
			return a.Result, true
		}
	}
	return VerbResult{}, false
}

func (r *caseRun) answer(id string) VerbResult {
	res := VerbResult{Case: r.s.Ref, State: r.s.State, Revision: r.s.Revision, EvidenceRevision: r.s.EvidenceRevision, GraceUntil: r.s.GraceUntil}
	if r.s.Claim != nil {
		claim := *r.s.Claim
		res.Claim = &claim
	}
	if r.s.Decision != nil {
		res.Decision = r.s.Decision.ID
	}
	r.s.Answered = append(r.s.Answered, Answered{ID: id, Result: res})
	if extra := len(r.s.Answered) - maxAnswered; extra > 0 {
		r.s.Answered = r.s.Answered[extra:]
	}
	return res
}

// checkAny is what every verb needs.
func (r *caseRun) checkAny(v Verb) error {
	switch {
	case v.ID == "":
		return casefile.Invalid("id", "a verb needs an id")
	case r.s.Ref == "" || v.Case != r.s.Ref || r.s.State == casefile.StateClosed:
		return casefile.Errorf(casefile.CodeState, "this case is not open")
	case r.closing:
		return casefile.Errorf(casefile.CodeState, "this case is being closed")
	case r.deciding:
		return casefile.Errorf(casefile.CodeState, "the decision on this case is being put on the ledger")
	case r.draining:
		return casefile.Errorf(casefile.CodeUnavailable, "the case is being moved; send the verb again")
	case v.Actor.Person == "" || v.Actor.Role == casefile.RoleService || !v.Actor.Role.Valid():
		return casefile.Errorf(casefile.CodeForbidden, "a verb is a person's")
	}
	return nil
}

// checkHolder is what verbs of a claim's holder need.
func (r *caseRun) checkHolder(ctx workflow.Context, v Verb, number int) error {
	c := r.s.Claim
	switch {
	case r.s.State != casefile.StateClaimed || c == nil:
		return casefile.Errorf(casefile.CodeStaleClaim, "nobody holds this case now; claim it again")
	case c.Number != number || c.Person != v.Actor.Person:
		return casefile.Errorf(casefile.CodeStaleClaim, "the claim is not yours any more")
	case !c.Live(workflow.Now(ctx)):
		return casefile.Errorf(casefile.CodeStaleClaim, "the lease ran out; claim the case again")
	}
	return nil
}

func (r *caseRun) checkEvidence(seen int) error {
	if seen != r.s.EvidenceRevision {
		return casefile.Errorf(casefile.CodeNewEvidence, "evidence came in after you looked: the case stands at evidence revision %d; look at what is new and confirm again", r.s.EvidenceRevision)
	}
	return nil
}

func (r *caseRun) checkClaim(ctx workflow.Context, a ClaimArgs) error {
	switch {
	case r.s.State == casefile.StateQueued:
		return nil
	case r.leaseOver(ctx):
		return nil
	case r.s.State == casefile.StateClaimed && r.s.Claim.Person == a.Actor.Person:
		return casefile.Errorf(casefile.CodeState, "you hold this case already")
	case r.s.State == casefile.StateClaimed:
		return casefile.Errorf(casefile.CodeState, "somebody else holds this case")
	}
	return casefile.Errorf(casefile.CodeState, "a case that is %s cannot be claimed", r.s.State)
}

func (r *caseRun) claim(ctx workflow.Context, a ClaimArgs) {
	now := workflow.Now(ctx)
	r.s.Claims++
	r.s.Claim = &casefile.Claim{Number: r.s.Claims, Person: a.Actor.Person, Role: a.Actor.Role, GrantedAt: now, ExpiresAt: now.Add(r.in.Settings.Lease)}
	r.s.State = casefile.StateClaimed
}

func (r *caseRun) checkHeartbeat(ctx workflow.Context, a HeartbeatArgs) error {
	return r.checkHolder(ctx, a.Verb, a.Claim)
}

func (r *caseRun) heartbeat(ctx workflow.Context, _ HeartbeatArgs) {
	r.s.Claim.ExpiresAt = workflow.Now(ctx).Add(r.in.Settings.Lease)
}

func (r *caseRun) checkRelease(ctx workflow.Context, a ReleaseArgs) error {
	return r.checkHolder(ctx, a.Verb, a.Claim)
}

func (r *caseRun) release(_ workflow.Context, _ ReleaseArgs) {
	r.s.Claim = nil
	r.s.State = casefile.StateQueued
}

func (r *caseRun) checkComment(_ workflow.Context, a CommentArgs) error {
	if a.Text == "" {
		return casefile.Invalid("text", "a comment needs words")
	}
	return nil
}

func (r *caseRun) comment(ctx workflow.Context, a CommentArgs) {
	r.s.Comments = append(r.s.Comments, Comment{ID: a.ID, Person: a.Actor.Person, At: workflow.Now(ctx), Text: a.Text})
}

func (r *caseRun) checkOpinion(ctx workflow.Context, a OpinionArgs) error {
	err := r.checkHolder(ctx, a.Verb, a.Claim)
	if err != nil {
		return err
	}
	err = r.checkEvidence(a.EvidenceRevision)
	if err != nil {
		return err
	}
	err = a.Judgement.Validate().Err()
	if err != nil {
		return err
	}
	if a.Form == "" || a.Digest == "" {
		return casefile.Invalid("rationale", "the sealed form is missing")
	}
	if a.Judgement.Action.PeopleDue() > 1 {
		return &casefile.Error{Code: casefile.CodeNeedsSecond, Field: "action",
			Message: "L6 stands only on the opinions of two people formed apart; one person cannot decide it"}
	}
	return nil
}

func (r *caseRun) opinion(ctx workflow.Context, a OpinionArgs) {
	o := casefile.Opinion{
		ID: a.ID, Person: a.Actor.Person, Role: a.Actor.Role, At: workflow.Now(ctx).UTC(), Judgement: a.Judgement,
		Claim: a.Claim, EvidenceRevision: a.EvidenceRevision, Relied: a.Relied, Form: a.Form, Digest: a.Digest, Notice: a.Notice,
	}
	r.s.Opinions = append(r.s.Opinions, o)
	event := r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryOpinion, Actor: a.Actor, Opinion: &o})
	r.s.OpinionEvents = append(r.s.OpinionEvents, event)
	state, judgement := casefile.Settle(r.s.Opinions)
	if state == casefile.StateDecided {
		r.settle(ctx, a.ID, judgement)
	}
	// With a grace time the opinion goes on the ledger now; without, with its decision in a moment.
	r.chain.flush = r.chain.flush || r.in.Settings.Grace > 0
}

func (r *caseRun) checkWithdraw(_ workflow.Context, a WithdrawArgs) error {
	d := r.s.Decision
	switch {
	case r.s.State != casefile.StateDecided || d == nil:
		return casefile.Errorf(casefile.CodeState, "there is no decision that can still be withdrawn")
	case d.ID != a.Decision:
		return casefile.Invalid("decision", "not the case's decision")
	case d.Opinions[len(d.Opinions)-1].Person != a.Actor.Person:
		return casefile.Errorf(casefile.CodeForbidden, "only its author withdraws a decision within the grace time")
	}
	return nil
}

func (r *caseRun) withdraw(ctx workflow.Context, a WithdrawArgs) {
	r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryWithdrawn, Actor: a.Actor,
		Withdraw: &casefile.WithdrawBody{Decision: a.Decision, Event: r.s.OpinionEvents[len(r.s.OpinionEvents)-1]}})
	r.chain.flush = true
	r.s.DecisionState = casefile.DecisionWithdrawn
	r.s.State = casefile.StateQueued
	r.s.Claim = nil
	r.s.GraceUntil = nil
}

func (r *caseRun) checkClose(ctx workflow.Context, a CloseArgs) error {
	err := r.checkHolder(ctx, a.Verb, a.Claim)
	if err != nil {
		return err
	}
	err = r.checkEvidence(a.EvidenceRevision)
	if err != nil {
		return err
	}
	if !a.Reason.Valid() {
		return casefile.Invalid("reason", "one of duplicate, out_of_scope, account_gone, test")
	}
	return nil
}

func (r *caseRun) close(_ workflow.Context, a CloseArgs) {
	r.s.CloseReason = a.Reason
	r.closing, r.closedBy = true, a.Actor
}
