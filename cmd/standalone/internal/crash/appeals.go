package crash

import (
	"context"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/standalone/internal/crash/tally"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

// complain hands appeals in against a share of the decisions that somebody was told of.
func (l *load) complain(ctx context.Context) {
	for next := 0; ctx.Err() == nil && !l.drains(); {
		fresh := l.watch.after(next)
		if len(fresh) == 0 {
			pause(ctx, 150*time.Millisecond)
			continue
		}
		next++
		if l.chance(25) || l.urged("32", "33", "34", "35", "36", "37", "38", "39", "40", "41") {
			go l.appeal(ctx, fresh[0])
		}
	}
}

// appeal hands one appeal in. A platform's line is there before it has answered, so that the notice's
// number is not known as told for a moment.
func (l *load) appeal(ctx context.Context, t told) {
	call := review.OpenAppealCall{Number: t.number, Words: "[a complaint]", Key: casefile.NewID()}
	for {
		opened, _, err := insist(ctx, func(ctx context.Context) (review.AppealOpened, error) {
			return l.client("detector").OpenAppeal(ctx, call)
		})
		switch {
		case err == nil:
			l.note(tally.Verb{Verb: tally.VerbAppeal, Appeal: opened.Appeal, Case: t.ref})
			return
		case casefile.ErrorCode(err) != casefile.CodeNotFound:
			l.refused(ctx, "open an appeal", err)
			return
		case l.drains() || !pause(ctx, 400*time.Millisecond):
			return
		}
	}
}

// rule decides appeals, one after the other, also those that are still open once nothing new is begun.
func (l *load) rule(ctx context.Context, login string) {
	for ctx.Err() == nil {
		key := casefile.NewID()
		type next struct {
			answer review.AppealAnswer
			ok     bool
		}
		got, _, err := insist(ctx, func(ctx context.Context) (next, error) {
			answer, ok, err := l.client(login).NextAppeal(ctx, key)
			return next{answer, ok}, err
		})
		if err != nil {
			l.refused(ctx, login+": claim an appeal", err)
		}
		if err != nil || !got.ok || got.answer.Claim == nil {
			pause(ctx, 200*time.Millisecond)
			continue
		}
		l.ruleOn(ctx, login, got.answer)
	}
}

func (l *load) ruleOn(ctx context.Context, login string, a review.AppealAnswer) {
	outcome := casefile.OutcomeUpheld
	if plan(a.Appeal)%3 == 0 && !l.urged("38", "39", "40", "41") {
		outcome = casefile.OutcomeRejected
	}
	call := review.RuleAppealCall{
		AppealCall: review.AppealCall{Appeal: a.Appeal, Key: casefile.NewID()}, Claim: a.Claim.Number,
		Form: casefile.AppealForm{Outcome: outcome, Rationale: "[rationale of a ruling of the crash run]"},
	}
	_, unsure, err := insist(ctx, func(ctx context.Context) (review.AppealAnswer, error) { return l.client(login).RuleAppeal(ctx, call) })
	if err != nil && unsure {
		view, _, seen := insist(ctx, func(ctx context.Context) (review.AppealView, error) { return l.client(login).Appeal(ctx, a.Appeal) })
		if seen == nil && view.Outcome == outcome {
			err = nil
		}
	}
	if err != nil {
		l.refused(ctx, login+": rule on an appeal", err)
		return
	}
	l.note(tally.Verb{Verb: tally.VerbRule, Appeal: a.Appeal, Outcome: outcome, Person: login})
}

// establish looks at every uncertain act on the platform itself and says what happened.
func (l *load) establish(ctx context.Context, login string) {
	for ctx.Err() == nil {
		page, _, err := insist(ctx, func(ctx context.Context) (review.ActPage, error) {
			return l.client(login).Acts(ctx, "", records.ActUncertain, "", 0)
		})
		if err != nil {
			l.refused(ctx, login+": list uncertain acts", err)
		}
		for _, a := range page.Acts {
			l.settle(ctx, login, a)
		}
		pause(ctx, 300*time.Millisecond)
	}
}

func (l *load) settle(ctx context.Context, login string, a review.PendingActView) {
	key := casefile.Act{Decision: a.Decision, Number: a.Number}.Key(a.Direction)
	call := review.SettleCall{
		Decision: a.Decision, Number: a.Number, Direction: a.Direction, Done: l.watch.hasDone(key), Key: casefile.NewID(),
		Reason: "[looked at the account]",
	}
	answer, _, err := insist(ctx, func(ctx context.Context) (review.SettleAnswer, error) { return l.client(login).Settle(ctx, call) })
	if err != nil {
		l.refused(ctx, fmt.Sprintf("%s: settle %s", login, key), err)
		return
	}
	l.note(tally.Verb{Verb: tally.VerbSettle, Decision: a.Decision, Number: a.Number, Direction: a.Direction, State: answer.State, Person: login})
}

// audit asks for the proofs of some of the decisions.
func (l *load) audit(ctx context.Context) {
	for next := 0; ctx.Err() == nil && !l.drains(); {
		ref, some := l.decidedAt(next)
		if !some {
			pause(ctx, 300*time.Millisecond)
			continue
		}
		next++
		if !l.chance(20) {
			continue
		}
		bundle, _, err := insist(ctx, func(ctx context.Context) (casefile.Bundle, error) { return l.client("auditor").Proof(ctx, ref) })
		if err != nil {
			l.refused(ctx, "ask for a proof", err) // not there yet, as a rule
			continue
		}
		l.note(tally.Verb{Verb: tally.VerbProof, Case: ref, Bundle: &bundle})
	}
}

// decidedAt gives the n-th case that was decided.
func (l *load) decidedAt(n int) (casefile.CaseRef, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n >= len(l.order) {
		return "", false
	}
	return l.order[n], true
}
