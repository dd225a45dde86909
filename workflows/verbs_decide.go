package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

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
	err := firstError(
		r.checkHolder(ctx, a.Verb, a.Claim),
		r.checkMayJudge(a.Actor),
		r.checkEvidence(a.EvidenceRevision),
		a.Judgement.Validate().Err(),
	)
	switch {
	case err != nil:
		return err
	case a.Form == "" || a.Digest == "":
		return casefile.Invalid("rationale", "the sealed form is missing")
	case a.Emergency:
		return r.checkEmergency(a)
	case r.s.Stage == casefile.StageAdjudication:
		return casefile.CheckBackers(r.s.Opinions, a.Judgement)
	}
	return nil
}

// checkEmergency holds an emergency order to what it is for: L5 at once, by a senior or a lead.
func (r *caseRun) checkEmergency(a OpinionArgs) error {
	switch {
	case a.Judgement.Action != casefile.L5:
		return casefile.Invalid("action", "an emergency order is L5; L6 always takes two people")
	case a.Actor.Role != casefile.RoleSenior && a.Actor.Role != casefile.RoleLead:
		return casefile.Errorf(casefile.CodeForbidden, "a senior or a lead gives an emergency order")
	}
	return nil
}

func (r *caseRun) opinion(ctx workflow.Context, a OpinionArgs) {
	o := casefile.Opinion{
		ID: a.ID, Person: a.Actor.Person, Role: a.Actor.Role, At: workflow.Now(ctx).UTC(), Judgement: a.Judgement,
		Claim: a.Claim, EvidenceRevision: a.EvidenceRevision, Relied: a.Relied, Form: a.Form, Digest: a.Digest, Notice: a.Notice,
		Emergency: a.Emergency,
	}
	if a.Emergency {
		// Whatever was said before stays on the ledger; the order is one person's, who answers for it.
		r.voidOpinions()
	}
	r.tookPart(a.Actor.Person)
	r.s.Opinions = append(r.s.Opinions, o)
	event := r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryOpinion, Actor: a.Actor, Opinion: &o})
	r.s.OpinionEvents = append(r.s.OpinionEvents, event)
	// With a grace time the opinion goes on the ledger now; without, with its decision in a moment.
	r.chain.flush = r.chain.flush || r.s.Settings.Grace > 0

	if a.Emergency {
		r.settle(ctx, a.ID, casefile.ByEmergency, 0) // its review pages somebody
		return
	}
	s := casefile.Settle(r.s.Opinions, r.s.Deciding)
	switch s.Next {
	case casefile.NextDecided:
		r.settle(ctx, a.ID, s.By, s.Standing)
	case casefile.NextAdjudicate:
		r.adjudicate(ctx, a.ID)
	default:
		r.requeue(ctx)
		r.chain.flush = true
	}
}

// voidOpinions has the opinions so far count no more.
func (r *caseRun) voidOpinions() {
	if len(r.s.Opinions) == 0 {
		return
	}
	for _, o := range r.s.Opinions {
		r.s.Voided = append(r.s.Voided, o.ID)
	}
	r.nextRound()
}

// adjudicate puts the case before a lead, who sees what was said so far.
func (r *caseRun) adjudicate(ctx workflow.Context, verb string) {
	r.requeue(ctx)
	r.s.Stage = casefile.StageAdjudication
	r.toLead()
	r.chain.flush = true
	r.tellOf(verb, Telling{Kind: tellAdjudicate})
}

func (r *caseRun) checkWithdraw(_ workflow.Context, a WithdrawArgs) error {
	d := r.s.Decision
	switch {
	case r.s.State != casefile.StateDecided || d == nil:
		return casefile.Errorf(casefile.CodeState, "there is no decision that can still be withdrawn")
	case d.ID != a.Decision:
		return casefile.Invalid("decision", "not the case's decision")
	case d.DecidedBy == casefile.ByAutomation && a.Actor.Role == casefile.RoleLead:
		return nil
	case !slices.ContainsFunc(d.Opinions, func(o casefile.Opinion) bool { return o.Person == a.Actor.Person }):
		return casefile.Errorf(casefile.CodeForbidden, "only somebody whose opinion it rests on withdraws a decision within the grace time")
	}
	return nil
}

func (r *caseRun) withdraw(ctx workflow.Context, a WithdrawArgs) {
	body := &casefile.WithdrawBody{Decision: a.Decision}
	if n := len(r.s.OpinionEvents); n > 0 {
		body.Event = r.s.OpinionEvents[n-1]
	}
	r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryWithdrawn, Actor: a.Actor, Withdraw: body})
	r.chain.flush = true
	for _, o := range r.s.Opinions {
		r.s.Voided = append(r.s.Voided, o.ID)
	}
	r.s.DecisionState = casefile.DecisionWithdrawn
	r.s.Stage = casefile.StageOpinion
	r.s.GraceUntil = nil
	r.requeue(ctx)
}

func (r *caseRun) checkClose(ctx workflow.Context, a CloseArgs) error {
	err := firstError(r.checkHolder(ctx, a.Verb, a.Claim), r.checkMayJudge(a.Actor), r.checkEvidence(a.EvidenceRevision))
	if err != nil {
		return err
	}
	switch {
	case !a.Reason.Valid():
		return casefile.Invalid("reason", "one of duplicate, out_of_scope, account_gone, test")
	case r.s.ToDecide && len(r.s.Opinions) > 0 && r.s.Stage == casefile.StageOpinion:
		return casefile.Errorf(casefile.CodeState, "this case is to be decided, not closed: give an opinion, L0 with VE-00 where nothing is wrong")
	}
	return nil
}

// close closes the case without a decision. Where somebody has given an opinion that nobody sees yet,
// the case goes before a lead instead, who forms an opinion of their own without sight of it: whoever
// closes may not know of it, and it may not be lost. So do the cases of the sampled share: a closing that
// goes to a lead says nothing of an opinion.
func (r *caseRun) close(ctx workflow.Context, a CloseArgs) {
	if r.s.Stage == casefile.StageOpinion && (len(r.s.Opinions) > 0 || r.samplesClosing(ctx, a.Actor)) {
		r.handled(ctx, a.Actor, casefile.HandledBody{What: casefile.HandlingEscalated, Queue: r.s.Deciding.LeadQueue})
		if len(r.s.Opinions) > 0 && !versionOf(ctx, versionCloseBlind) {
			r.adjudicate(ctx, a.ID)
			return
		}
		r.requeue(ctx)
		r.toLead()
		r.s.ToDecide = true
		r.tellOf(a.ID, Telling{Kind: tellEscalated})
		return
	}
	r.s.CloseReason = a.Reason
	r.closing, r.closedBy = true, a.Actor
}

// samplesClosing says whether a lead looks at a closing because of the lot that was drawn for the case.
func (r *caseRun) samplesClosing(ctx workflow.Context, by casefile.Actor) bool {
	return by.Role != casefile.RoleLead && r.s.Deciding.Sampled() && versionOf(ctx, versionCloseSampled)
}
