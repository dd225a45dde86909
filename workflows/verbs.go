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
		verb(ctx, r, UpdateSnooze, func(a SnoozeArgs) Verb { return a.Verb }, r.checkSnooze, r.snooze),
		verb(ctx, r, UpdateHold, func(a HoldArgs) Verb { return a.Verb }, r.checkHold, r.hold),
		verb(ctx, r, UpdateHandOver, func(a HandOverArgs) Verb { return a.Verb }, r.checkHandOver, r.handOver),
		verb(ctx, r, UpdateEscalate, func(a EscalateArgs) Verb { return a.Verb }, r.checkEscalate, r.escalate),
		verb(ctx, r, UpdateMoveDeadline, func(a MoveDeadlineArgs) Verb { return a.Verb }, r.checkMoveDeadline, r.moveDeadline),
		verb(ctx, r, UpdateForceRelease, func(a ForceReleaseArgs) Verb { return a.Verb }, r.checkForceRelease, r.forceRelease),
		verb(ctx, r, UpdateRefer, func(a ReferArgs) Verb { return a.Verb }, r.checkRefer, r.refer),
		verb(ctx, r, UpdateErase, func(a EraseArgs) Verb { return a.Verb }, r.checkErase, r.erase),
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

// verb registers one Update. Its validator first holds the verb to the API's signed word, then asks
// check, which looks at the state alone; the handler asks check again under the mutex, and nothing of
// keys or clocks outside the workflow. apply changes the state and is followed by a projection, so
// that whoever was answered reads what they wrote.
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
	validator := func(ctx workflow.Context, a A) error {
		err := r.w.check(name, casefile.CaseChain(head(a).Case), head(a), a)
		if err != nil {
			return refuse(err, 0)
		}
		return guard(ctx, a)
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
	return workflow.SetUpdateHandlerWithOptions(ctx, name, handler, workflow.UpdateHandlerOptions{Validator: validator})
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
	for _, x := range r.s.Referrals {
		if x.ID == id {
			res.Referral = x.Event
		}
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
	}
	return checkPerson(v)
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
