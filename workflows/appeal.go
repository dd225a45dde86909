package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
)

// Appeal is the workflow of one appeal against a decision, or of the review of an emergency order. It
// waits for somebody who took no part, puts their ruling on the ledger, and starts the reinstatement
// of what falls.
func (w Workflows) Appeal(ctx workflow.Context, in AppealInput) error {
	why := scheduled(ctx, casefile.AppealWorkflowID(in.Appeal))
	var taken TakeAppealAnswer
	if why == "" {
		err := workflow.ExecuteLocalActivity(localOptions(ctx), ActivityTakeAppeal, TakeAppealAsk(in)).Get(ctx, &taken)
		if err != nil {
			return err
		}
		if !taken.Known {
			why = "no_row"
		}
	}
	if why != "" {
		return drop(ctx, DropStartAsk{Kind: AppealWorkflowType, Thing: in.Appeal, Why: why})
	}
	d := taken.Decision.Decision
	r := &appealRun{w: w, taken: taken, mutex: workflow.NewMutex(ctx), s: AppealRunState{
		Appeal: in.Appeal, Kind: taken.Kind, Decision: d.ID, Case: d.Case, Platform: d.Platform, Account: d.Account,
		State: casefile.AppealOpen, Revision: taken.Revision, DueAt: taken.DueAt, Claims: taken.LastClaim,
		Chain: Chain{Name: casefile.AppealChain(in.Appeal), Cause: casefile.EntryHash(taken.Decision.Bundle.Entry)},
	}}
	if taken.Ruling != nil {
		r.s.Ruling, r.s.State = taken.Ruling, casefile.AppealDecided
	}
	r.chain = &numberer{chain: &r.s.Chain, platform: d.Platform, account: d.Account, renumbers: true}
	err := r.handleVerbs(ctx)
	if err != nil {
		return err
	}
	workflow.Go(ctx, r.chain.run)
	return r.run(ctx)
}

type appealRun struct {
	w     Workflows
	taken TakeAppealAnswer
	s     AppealRunState
	mutex workflow.Mutex
	chain *numberer
	half  bool
}

func (r *appealRun) run(ctx workflow.Context) error {
	err := r.open(ctx)
	if err != nil {
		return err
	}
	for r.s.Ruling == nil {
		err = r.wait(ctx)
		if err != nil {
			return err
		}
		err = r.strike(ctx)
		if err != nil {
			return err
		}
	}
	bundle, err := r.prove(ctx)
	if err != nil {
		return err
	}
	in := ReinstatementInput{Takedown: TakedownInput(r.taken.Decision), Ruling: *r.s.Ruling, Bundle: bundle}
	if r.s.Ruling.Outcome == casefile.OutcomeUpheld {
		err = startChild(ctx, casefile.ReinstatementWorkflowID(r.s.Appeal), ReinstatementWorkflowType, in)
	} else {
		err = notifyUndo(ctx, in, r.chain)
	}
	if err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// open puts the appeal on the ledger and shows it. A run that takes a lost one's place goes on
// behind what the log holds of it.
func (r *appealRun) open(ctx workflow.Context) error {
	if r.s.Revision > 0 {
		err := r.chain.follow(ctx)
		if err != nil {
			return err
		}
	}
	if r.s.Chain.Seq == 0 {
		r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryAppealOpened, Actor: r.taken.Opened, Appeal: &casefile.AppealBody{
			Appeal: r.s.Appeal, Kind: r.s.Kind, Decision: r.s.Decision, DueAt: r.s.DueAt, Digest: r.taken.Digest,
		}})
	}
	// Shown first: a run that takes this one's place sees by the revision that the chain may have begun.
	// Appeals that began under the first version appended at the same time.
	shownFirst := workflow.GetVersion(ctx, "appeal-shown-first", workflow.DefaultVersion, 1) == 1
	r.chain.flush = !shownFirst
	err := r.project(ctx, nil, r.telling(tellAppeal, r.s.Kind == casefile.AppealEmergency))
	r.chain.flush = true
	return err
}

func (r *appealRun) telling(kind string, page bool) Telling {
	due := r.s.DueAt
	return Telling{ID: fmt.Sprintf("appeal.%s.%s", r.s.Appeal, kind), Kind: kind, Page: page, Team: r.taken.Team, DueAt: &due}
}

func (r *appealRun) project(ctx workflow.Context, bundle *casefile.Bundle, tellings ...Telling) error {
	r.s.Revision++
	ask := ProjectAppealAsk{State: r.s, Tellings: tellings, Bundle: bundle}
	ask.State.Answered = nil
	ask.State.Chain.Drafts, ask.State.Chain.Fixed = nil, nil
	return workflow.ExecuteActivity(caseOptions(ctx), ActivityProjectAppeal, ask).Get(ctx, nil)
}

// halfAt is when half of the appeal's time has passed, counted from its beginning.
func (r *appealRun) halfAt(ctx workflow.Context) time.Time {
	begun := workflow.GetInfo(ctx).WorkflowStartTime
	return begun.Add(r.s.DueAt.Sub(begun) / 2)
}

// next is when the main loop must look by itself; zero for never.
func (r *appealRun) next(ctx workflow.Context) time.Time {
	var at time.Time
	switch {
	case !r.half && !r.s.Late:
		at = r.halfAt(ctx)
	case !r.s.Late:
		at = r.s.DueAt
	}
	if r.s.Claim != nil {
		at = earlier(r.s.Claim.ExpiresAt, at)
	}
	return at
}

func (r *appealRun) wait(ctx workflow.Context) error {
	at := r.next(ctx)
	claim := r.s.Claims
	due := func() bool { return r.s.Ruling != nil || r.s.Claims != claim || r.chain.err != nil }
	var err error
	if at.IsZero() {
		err = workflow.Await(ctx, due)
	} else {
		_, err = workflow.AwaitWithTimeout(ctx, at.Sub(workflow.Now(ctx)), due)
	}
	if err != nil {
		return err
	}
	return r.chain.err
}

// strike ends a lease that ran out and tells of the appeal's own deadline.
func (r *appealRun) strike(ctx workflow.Context) error {
	err := r.mutex.Lock(ctx)
	if err != nil {
		return err
	}
	defer r.mutex.Unlock()
	if r.s.Ruling != nil {
		return nil
	}
	now := workflow.Now(ctx)
	var tellings []Telling
	changed := false
	if r.s.Claim != nil && !r.s.Claim.Live(now) {
		r.s.Claim, r.s.State, changed = nil, casefile.AppealOpen, true
	}
	if !r.half && !now.Before(r.halfAt(ctx)) {
		r.half, changed = true, true
		tellings = append(tellings, r.telling(tellHalf, false))
	}
	if !r.s.Late && !now.Before(r.s.DueAt) {
		r.s.Late, changed = true, true
		r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryDeadline, Actor: casefile.System, Deadline: &casefile.DeadlineBody{
			Deadline: casefile.DeadlineDecision, Mark: casefile.MarkMissed, DueAt: r.s.DueAt,
		}})
		r.chain.flush = true
		tellings = append(tellings, r.telling(tellMissed, true))
	}
	if !changed {
		return nil
	}
	return r.project(ctx, nil, tellings...)
}

// prove puts the ruling on the ledger, waits for its proof and records both.
func (r *appealRun) prove(ctx workflow.Context) (casefile.Bundle, error) {
	ruling := r.s.Ruling
	r.chain.want = r.chain.draft(ctx, casefile.Draft{Type: casefile.EntryAppealRuling,
		Actor: casefile.Actor{Person: ruling.Person, Role: ruling.Role}, Ruling: ruling})
	err := r.chain.drain(ctx)
	if err != nil {
		return casefile.Bundle{}, err
	}
	if r.chain.bundle == nil {
		return casefile.Bundle{}, temporal.NewNonRetryableApplicationError("the ledger gave no proof of the ruling", string(casefile.CodeUnproven), nil)
	}
	r.s.Event, r.s.Hash = r.chain.want, casefile.EntryHash(r.chain.bundle.Entry)
	r.s.State = casefile.AppealRejected
	if ruling.Outcome == casefile.OutcomeUpheld {
		r.s.State = casefile.AppealUpheld
	}
	err = r.mutex.Lock(ctx)
	if err != nil {
		return casefile.Bundle{}, err
	}
	defer r.mutex.Unlock()
	return *r.chain.bundle, r.project(ctx, r.chain.bundle)
}

func (r *appealRun) handleVerbs(ctx workflow.Context) error {
	return firstError(
		appealVerb(ctx, r, UpdateAppealClaim, func(a AppealClaimArgs) Verb { return a.Verb }, r.checkClaim, r.claim),
		appealVerb(ctx, r, UpdateAppealRelease, func(a AppealReleaseArgs) Verb { return a.Verb }, r.checkRelease, r.release),
		appealVerb(ctx, r, UpdateAppealRule, func(a AppealRuleArgs) Verb { return a.Verb }, r.checkRule, r.rule),
	)
}

// appealVerb registers one Update, as verb does for a case's.
func appealVerb[A any](ctx workflow.Context, r *appealRun, name string, head func(A) Verb,
	check func(workflow.Context, A) error, apply func(workflow.Context, A),
) error {
	answered := func(id string) (AppealResult, bool) {
		for _, a := range r.s.Answered {
			if a.ID == id {
				return a.Result, true
			}
		}
		return AppealResult{}, false
	}
	guard := func(ctx workflow.Context, a A) error {
		if _, done := answered(head(a).ID); done {
			return nil
		}
		err := firstError(r.checkAny(head(a)), check(ctx, a))
		if err != nil {
			return refuse(err, 0)
		}
		return nil
	}
	validator := func(ctx workflow.Context, a A) error {
		err := r.w.check(name, casefile.AppealChain(r.s.Appeal), head(a), a)
		if err != nil {
			return refuse(err, 0)
		}
		return guard(ctx, a)
	}
	handler := func(ctx workflow.Context, a A) (AppealResult, error) {
		err := r.mutex.Lock(ctx)
		if err != nil {
			return AppealResult{}, err
		}
		defer r.mutex.Unlock()
		if before, done := answered(head(a).ID); done {
			return before, nil
		}
		err = guard(ctx, a)
		if err != nil {
			return AppealResult{}, err
		}
		apply(ctx, a)
		err = r.project(ctx, nil)
		if err != nil {
			return AppealResult{}, err
		}
		res := AppealResult{Appeal: r.s.Appeal, State: r.s.State}
		if r.s.Claim != nil {
			claim := *r.s.Claim
			res.Claim = &claim
		}
		if r.s.Ruling != nil {
			res.Outcome = r.s.Ruling.Outcome
		}
		r.s.Answered = append(r.s.Answered, AppealAnswered{ID: head(a).ID, Result: res})
		return res, nil
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, name, handler, workflow.UpdateHandlerOptions{Validator: validator})
}

// checkAny is what every verb on an appeal needs: above all that whoever acts took no part.
func (r *appealRun) checkAny(v Verb) error {
	switch {
	case v.ID == "":
		return casefile.Invalid("id", "a verb needs an id")
	case !r.s.State.Open():
		return casefile.Errorf(casefile.CodeState, "this appeal is decided")
	case slices.Contains(r.taken.Parts, v.Actor.Person):
		return casefile.Errorf(casefile.CodeForbidden, "you took part in this case: somebody else decides the appeal")
	}
	return checkPerson(v)
}

func (r *appealRun) checkClaim(ctx workflow.Context, a AppealClaimArgs) error {
	if r.s.Claim.Live(workflow.Now(ctx)) && r.s.Claim.Person != a.Actor.Person {
		return casefile.Errorf(casefile.CodeState, "somebody else holds this appeal")
	}
	return nil
}

// claim gives the lease; a holder who asks again gets a longer one under the same number.
func (r *appealRun) claim(ctx workflow.Context, a AppealClaimArgs) {
	now := workflow.Now(ctx)
	until := now.Add(r.taken.Settings.Lease)
	if r.s.Claim.Live(now) {
		r.s.Claim.ExpiresAt = until
		return
	}
	r.s.Claims++
	r.s.Claim = &casefile.Claim{Number: r.s.Claims, Person: a.Actor.Person, Role: a.Actor.Role, GrantedAt: now, ExpiresAt: until}
	r.s.State = casefile.AppealClaimed
}

func (r *appealRun) checkHolder(ctx workflow.Context, v Verb, number int) error {
	c := r.s.Claim
	if c == nil || c.Number != number || c.Person != v.Actor.Person || !c.Live(workflow.Now(ctx)) {
		return casefile.Errorf(casefile.CodeStaleClaim, "you do not hold this appeal any more; claim it again")
	}
	return nil
}

func (r *appealRun) checkRelease(ctx workflow.Context, a AppealReleaseArgs) error {
	if !a.Disabled {
		return r.checkHolder(ctx, a.Verb, a.Claim)
	}
	switch {
	case a.Actor.Role != casefile.RoleAdmin:
		return casefile.Errorf(casefile.CodeForbidden, "an administrator ends the claim of somebody who was disabled")
	case r.s.Claim == nil || r.s.Claim.Number != a.Claim:
		return casefile.Errorf(casefile.CodeState, "this claim has ended")
	}
	return nil
}

func (r *appealRun) release(workflow.Context, AppealReleaseArgs) {
	r.s.Claim, r.s.State = nil, casefile.AppealOpen
}

func (r *appealRun) checkRule(ctx workflow.Context, a AppealRuleArgs) error {
	err := r.checkHolder(ctx, a.Verb, a.Claim)
	switch {
	case err != nil:
		return err
	case !a.Outcome.Valid():
		return casefile.Invalid("outcome", "upheld or rejected")
	case a.Form == "" || a.Digest == "":
		return casefile.Invalid("rationale", "the sealed form is missing")
	}
	return nil
}

func (r *appealRun) rule(ctx workflow.Context, a AppealRuleArgs) {
	r.s.Ruling = &casefile.AppealRuling{
		ID: a.ID, Appeal: r.s.Appeal, Kind: r.s.Kind, Decision: r.s.Decision, DecisionHash: casefile.EntryHash(r.taken.Decision.Bundle.Entry),
		Case: r.s.Case, Platform: r.s.Platform, Account: r.s.Account, Outcome: a.Outcome, Person: a.Actor.Person, Role: a.Actor.Role,
		At: workflow.Now(ctx).UTC().Truncate(time.Microsecond), Form: a.Form, Digest: a.Digest, Notice: a.Notice,
	}
	r.s.State, r.s.Claim = casefile.AppealDecided, nil
}
