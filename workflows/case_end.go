package workflows

import (
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// end takes a case from its decision (or a close verb) to the archive: the decision's entry and its
// proof, the takedown, the sealed file, the closing entry, the last projection. It answers false,
// having done nothing, where a verb that came first has changed what was due.
func (r *caseRun) end(ctx workflow.Context) (bool, error) {
	r.deciding = true // refuses further verbs; one that holds the mutex now is looked at below
	err := r.mutex.Lock(ctx)
	if err != nil {
		return false, err
	}
	defer r.mutex.Unlock()
	if !r.closing && !r.graceOver(ctx) {
		r.deciding = false
		return false, nil
	}
	var bundle *casefile.Bundle
	if r.s.Decision != nil {
		bundle, err = r.prove(ctx)
		if err != nil {
			return false, err
		}
		err = r.startTakedown(ctx, *bundle)
		if err != nil {
			return false, err
		}
		r.s.CloseReason = casefile.CloseDecided
	}
	return true, r.archive(ctx, bundle)
}

// prove puts the decision on the ledger and waits for its proof.
func (r *caseRun) prove(ctx workflow.Context) (*casefile.Bundle, error) {
	d := r.s.Decision
	last := d.Opinions[len(d.Opinions)-1]
	event := r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryDecision,
		Actor: casefile.Actor{Person: last.Person, Role: last.Role}, Decision: d})
	r.chain.want = event
	err := r.chain.drain(ctx)
	if err != nil {
		return nil, err
	}
	if r.chain.bundle == nil {
		return nil, temporal.NewNonRetryableApplicationError("the ledger gave no proof of the decision", string(casefile.CodeUnproven), nil)
	}
	r.s.DecisionHash = casefile.EntryHash(r.chain.bundle.Entry)
	r.s.State = casefile.StateProven
	r.s.Claim = nil
	r.s.DecisionState = casefile.DecisionRecorded
	if len(casefile.PlanActs(*d, d.Opinions[0].Relied)) == 0 {
		r.s.DecisionState = casefile.DecisionDone
	}
	err = r.project(ctx, ProjectAsk{Bundle: r.chain.bundle})
	if err != nil {
		return nil, err
	}
	return r.chain.bundle, nil
}

// startTakedown starts the decision's own workflow and does not wait for its end: a platform that
// is down holds up no reviewer.
func (r *caseRun) startTakedown(ctx workflow.Context, bundle casefile.Bundle) error {
	d := *r.s.Decision
	if len(casefile.PlanActs(d, d.Opinions[0].Relied)) == 0 {
		return nil
	}
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            casefile.TakedownWorkflowID(d.Case, d.ID),
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
	})
	child := workflow.ExecuteChildWorkflow(ctx, TakedownWorkflowType, TakedownInput{Decision: d, Bundle: bundle})
	err := child.GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil // an earlier attempt started it: one takedown for a decision
	}
	return err
}

// archive seals the case file, closes the chain and projects the closed case.
func (r *caseRun) archive(ctx workflow.Context, bundle *casefile.Bundle) error {
	r.s.State = casefile.StateClosed
	r.s.Claim = nil
	closedAt := workflow.Now(ctx)
	var file ArchiveAnswer
	ask := ArchiveAsk{Platform: r.in.Platform, Account: r.in.Account, State: r.s, Bundle: bundle, ClosedAt: closedAt}
	ask.State.Answered, ask.State.Taken = nil, nil
	err := workflow.ExecuteLocalActivity(localOptions(ctx), ActivityArchive, ask).Get(ctx, &file)
	if err != nil {
		return err
	}
	body := &casefile.ClosedBody{Reason: r.s.CloseReason, File: file.Digest}
	if r.s.Decision != nil {
		body.Decision = r.s.Decision.ID
	}
	by := casefile.System
	if r.closing {
		by = r.closedBy
	}
	r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryClosed, Actor: by, Closed: body})
	err = r.chain.drain(ctx)
	if err != nil {
		return err
	}
	return r.project(ctx, ProjectAsk{File: file.File, FileDigest: file.Digest, ClosedAt: &closedAt})
}

// settle makes the decision of the opinions so far, with its grace time.
func (r *caseRun) settle(ctx workflow.Context, id string, j casefile.Judgement) {
	now := workflow.Now(ctx)
	by := casefile.ByOneOpinion
	if len(r.s.Opinions) == 2 {
		by = casefile.ByTwoOpinions
	}
	r.s.Decision = &casefile.Decision{
		ID: id, Case: r.s.Ref, Platform: r.in.Platform, Account: r.in.Account, Judgement: j,
		DecidedBy: by, DecidedAt: now.UTC().Truncate(time.Microsecond), EvidenceRevision: r.s.EvidenceRevision, RuleSet: r.s.Route.RuleSet,
		Opinions:      append([]casefile.Opinion(nil), r.s.Opinions...),
		OpinionEvents: append([]casefile.EventID(nil), r.s.OpinionEvents...),
	}
	until := now.Add(r.in.Settings.Grace)
	r.s.GraceUntil = &until
	r.s.DecisionState = casefile.DecisionGrace
	r.s.State = casefile.StateDecided
}
