package workflows

import (
	"slices"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// end takes a case from its decision (or its closing) to the archive: the decision's entry and its
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
	if r.s.Decision != nil {
		err = r.prove(ctx)
		if err != nil {
			return false, err
		}
		err = r.startTakedown(ctx)
		if err != nil {
			return false, err
		}
		err = r.orderReview(ctx)
		if err != nil {
			return false, err
		}
		r.s.CloseReason = casefile.CloseDecided
	}
	return true, r.archive(ctx)
}

// prove puts the decision on the ledger and waits for its proof.
func (r *caseRun) prove(ctx workflow.Context) error {
	if r.bundle != nil {
		return nil // a run before this one had it proven
	}
	d := r.s.Decision
	by := casefile.System
	if n := len(d.Opinions); n > 0 {
		by = casefile.Actor{Person: d.Opinions[n-1].Person, Role: d.Opinions[n-1].Role}
	}
	event := r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryDecision, Actor: by, Decision: d})
	r.chain.want = event
	err := r.chain.drain(ctx)
	if err != nil {
		return err
	}
	if r.chain.bundle == nil {
		return temporal.NewNonRetryableApplicationError("the ledger gave no proof of the decision", string(casefile.CodeUnproven), nil)
	}
	r.bundle = r.chain.bundle
	r.proven()
	return r.project(ctx, ProjectAsk{Bundle: r.bundle})
}

// proven moves the state on to that of a decision with its proof.
func (r *caseRun) proven() {
	r.s.DecisionHash = casefile.EntryHash(r.bundle.Entry)
	r.s.State = casefile.StateProven
	r.s.Claim, r.s.Held = nil, false
	r.s.DecisionState = casefile.DecisionRecorded
	if len(casefile.PlanActs(*r.s.Decision, r.s.Decision.Relied())) == 0 {
		r.s.DecisionState = casefile.DecisionDone
	}
}

// startTakedown starts the decision's own workflow and does not wait for its end: a platform that
// is down holds up no reviewer.
func (r *caseRun) startTakedown(ctx workflow.Context) error {
	d := *r.s.Decision
	if len(casefile.PlanActs(d, d.Relied())) == 0 {
		return nil
	}
	return startChild(ctx, casefile.TakedownWorkflowID(d.Case, d.ID), TakedownWorkflowType, TakedownInput{Decision: d, Bundle: *r.bundle})
}

// startChild starts a workflow of its own, which outlives this one. One that stands already was
// started by an earlier attempt; one that failed (a forged start of the same id) is started anew.
func startChild(ctx workflow.Context, id, kind string, in any) error {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            id,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
	})
	err := workflow.ExecuteChildWorkflow(ctx, kind, in).GetChildWorkflowExecution().Get(ctx, nil)
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return nil
	}
	return err
}

// orderReview has an emergency order looked at by somebody else within a day.
func (r *caseRun) orderReview(ctx workflow.Context) error {
	d := *r.s.Decision
	if d.DecidedBy != casefile.ByEmergency {
		return nil
	}
	var answer OrderReviewAnswer
	ask := OrderReviewAsk{Decision: d, DueAt: d.DecidedAt.Add(casefile.EmergencyReviewTime)}
	err := workflow.ExecuteLocalActivity(localOptions(ctx), ActivityOrderReview, ask).Get(ctx, &answer)
	if err != nil {
		return err
	}
	return startChild(ctx, casefile.AppealWorkflowID(answer.Appeal), AppealWorkflowType, AppealInput(answer))
}

// archive seals the case file, closes the chain and projects the closed case.
func (r *caseRun) archive(ctx workflow.Context) error {
	if r.s.Decision == nil {
		for _, o := range r.s.Opinions {
			r.s.Voided = append(r.s.Voided, o.ID)
		}
	}
	r.s.State = casefile.StateClosed
	r.s.Claim, r.s.Held = nil, false
	r.s.Clocks = nil
	closedAt := workflow.Now(ctx)
	var file ArchiveAnswer
	ask := ArchiveAsk{Platform: r.in.Platform, Account: r.in.Account, State: r.s, Bundle: r.bundle, ClosedAt: closedAt}
	ask.State.Answered, ask.State.Taken = nil, nil
	err := workflow.ExecuteLocalActivity(localOptions(ctx), ActivityArchive, ask).Get(ctx, &file)
	if err != nil {
		return err
	}
	body := &casefile.ClosedBody{Reason: r.s.CloseReason, File: file.Digest, Decision: r.s.AlreadyDecided}
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
func (r *caseRun) settle(ctx workflow.Context, id string, by casefile.DecidedBy, standing int) {
	r.decide(ctx, casefile.Decision{
		ID: id, Judgement: r.s.Opinions[standing].Judgement, DecidedBy: by, Standing: standing,
		Opinions:      slices.Clone(r.s.Opinions),
		OpinionEvents: slices.Clone(r.s.OpinionEvents),
	})
}

// settleByRule makes the decision of an automatic rule.
func (r *caseRun) settleByRule(ctx workflow.Context, a Automatic) {
	r.decide(ctx, casefile.Decision{
		ID: a.Decision, Judgement: a.Judgement, DecidedBy: casefile.ByAutomation, Rule: a.Rule, AutoNotice: a.Notice,
		Opinions: []casefile.Opinion{}, OpinionEvents: []casefile.EventID{},
	})
}

func (r *caseRun) decide(ctx workflow.Context, d casefile.Decision) {
	now := workflow.Now(ctx)
	d.Case, d.Platform, d.Account = r.s.Ref, r.in.Platform, r.in.Account
	d.DecidedAt = now.UTC().Truncate(time.Microsecond)
	d.EvidenceRevision, d.RuleSet = r.s.EvidenceRevision, r.s.Route.RuleSet
	r.s.Decision = &d
	until := now
	if d.DecidedBy != casefile.ByEmergency {
		until = now.Add(r.s.Settings.Grace)
	}
	r.s.GraceUntil = &until
	r.s.DecisionState = casefile.DecisionGrace
	r.s.State = casefile.StateDecided
	r.s.NotBefore, r.s.AssignedTo = nil, ""
}
