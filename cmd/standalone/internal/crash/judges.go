package crash

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/standalone/internal/crash/tally"
	"github.com/docket-triage/docket/review"
)

// judge is one reviewer who keeps a few cases claimed and judges the one that was claimed first.
type judge struct {
	l      *load
	login  string
	number int // of the judges
	senior bool
	keeps  int // claims held at once
	lead   bool

	held []held
}

// held is a case that is claimed.
type held struct {
	ref    casefile.CaseRef
	number int
	until  time.Time
}

// work claims and judges until nothing new is begun any more, and then gives back what is held.
func (j *judge) work(ctx context.Context) {
	for ctx.Err() == nil {
		if j.l.drains() {
			if len(j.held) == 0 {
				return
			}
			j.release(ctx, j.take())
			continue
		}
		if len(j.held) < j.keeps {
			if j.claim(ctx) {
				continue
			}
			if !j.lead || len(j.held) == 0 {
				pause(ctx, 100*time.Millisecond)
				continue
			}
		}
		if j.l.flight.now().Takedowns > maxTakedowns {
			pause(ctx, 100*time.Millisecond)
			continue
		}
		j.judge(ctx, j.take())
	}
}

// maxTakedowns is how many may be in flight before judges wait: kills that follow on quickly hold takedowns
// up, and what piles up then takes long to end.
const maxTakedowns = 40

// take gives the case that was claimed first.
func (j *judge) take() held {
	h := j.held[0]
	j.held = j.held[1:]
	return h
}

// claim has the first queue with something in it give its next case.
func (j *judge) claim(ctx context.Context) bool {
	queues, _, err := insist(ctx, j.l.client(j.login).Queues)
	if err != nil {
		j.refused(ctx, "list queues", err)
		return false
	}
	for _, q := range queues {
		if !q.Mine || q.Waiting == 0 || (q.Name == "lead") != j.lead {
			continue
		}
		key := casefile.NewID()
		type next struct {
			answer review.VerbAnswer
			ok     bool
		}
		got, _, err := insist(ctx, func(ctx context.Context) (next, error) {
			answer, ok, err := j.l.client(j.login).Next(ctx, q.Name, key)
			return next{answer, ok}, err
		})
		if err != nil {
			j.refused(ctx, "claim the next case", err)
			return false
		}
		if !got.ok || got.answer.Claim == nil {
			continue
		}
		h := held{ref: got.answer.Case, number: got.answer.Claim.Number, until: got.answer.Claim.ExpiresAt}
		j.held = append(j.held, h)
		j.l.flight.claim(h.ref, h.until)
		j.l.note(tally.Verb{Verb: tally.VerbClaim, Case: h.ref, Person: j.login})
		return true
	}
	return false
}

// refused passes over what a person may well be told; anything else ends the run.
func (j *judge) refused(ctx context.Context, what string, err error) {
	j.l.refused(ctx, j.login+": "+what, err)
}

func (l *load) refused(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	switch casefile.ErrorCode(err) {
	case casefile.CodeStaleClaim, casefile.CodeState, casefile.CodeNewEvidence, casefile.CodeNotFound, casefile.CodeConflict:
		return // somebody was first, the lease ran out, more came in
	}
	l.fail(fmt.Errorf("%s: %w", what, err))
}

func (j *judge) call(h held) review.VerbCall {
	return review.VerbCall{Case: h.ref, Key: casefile.NewID()}
}

// verb sends one verb until it is answered. A refusal behind an attempt that was not answered may be of
// what that attempt did: ok is false, and unsure true.
func (j *judge) verb(ctx context.Context, what string, call func(ctx context.Context) (review.VerbAnswer, error)) (answer review.VerbAnswer, ok, unsure bool) {
	answer, unsure, err := insist(ctx, call)
	if err != nil {
		j.refused(ctx, what, err)
		return answer, false, unsure
	}
	return answer, true, false
}

func (j *judge) release(ctx context.Context, h held) {
	call := j.call(h)
	_, ok, _ := j.verb(ctx, "release a case", func(ctx context.Context) (review.VerbAnswer, error) {
		return j.l.client(j.login).Release(ctx, call, h.number)
	})
	if ok {
		j.l.note(tally.Verb{Verb: tally.VerbOther, Case: h.ref, Person: j.login})
	}
	j.l.flight.unclaim(h.ref)
}

// view opens a case; ok is false for one that cannot be seen.
func (j *judge) view(ctx context.Context, ref casefile.CaseRef) (review.CaseView, bool) {
	view, _, err := insist(ctx, func(ctx context.Context) (review.CaseView, error) { return j.l.client(j.login).Case(ctx, ref, "") })
	if err != nil {
		j.refused(ctx, "open a case", err)
		return review.CaseView{}, false
	}
	return view, true
}

// judge looks at a case and does with it what its account's number says, so that two people who judge
// the same case apart agree, or differ, as planned.
func (j *judge) judge(ctx context.Context, h held) {
	defer j.l.flight.unclaim(h.ref)
	view, ok := j.view(ctx, h.ref)
	if !ok || !view.Mine || len(view.Evidence) == 0 {
		return
	}
	second := j.lead || view.Touched && j.l.hasOpinion(h.ref)
	if !second {
		switch n := j.l.draw(100); {
		case n < 4:
			j.release(ctx, h)
			return
		case n < 8:
			j.close(ctx, h, view)
			return
		case n < 11:
			j.refer(ctx, h)
		case n < 14:
			j.comment(ctx, h)
		}
	}
	j.opinion(ctx, h, view, second)
}

func (j *judge) close(ctx context.Context, h held, view review.CaseView) {
	call := review.CloseCall{VerbCall: j.call(h), Claim: h.number, EvidenceRevision: view.EvidenceRevision, Reason: casefile.CloseOutOfScope}
	_, ok, unsure := j.verb(ctx, "close a case", func(ctx context.Context) (review.VerbAnswer, error) { return j.l.client(j.login).Close(ctx, call) })
	if unsure {
		now, seen := j.view(ctx, h.ref)
		ok = seen && now.Reason == casefile.CloseOutOfScope
	}
	if ok {
		j.l.note(tally.Verb{Verb: tally.VerbClose, Case: h.ref, Person: j.login})
	}
}

func (j *judge) refer(ctx context.Context, h held) {
	call := review.ReferCall{VerbCall: j.call(h), Claim: h.number, Kind: casefile.ReferPolicyTeam, Reason: "[why the policy team should look]"}
	answer, ok, _ := j.verb(ctx, "refer a case", func(ctx context.Context) (review.VerbAnswer, error) { return j.l.client(j.login).Refer(ctx, call) })
	if ok {
		j.l.note(tally.Verb{Verb: tally.VerbRefer, Case: h.ref, Person: j.login, Event: answer.Referral})
	}
}

func (j *judge) comment(ctx context.Context, h held) {
	call := j.call(h)
	_, ok, _ := j.verb(ctx, "comment on a case", func(ctx context.Context) (review.VerbAnswer, error) {
		return j.l.client(j.login).Comment(ctx, call, "[a comment]")
	})
	if ok {
		j.l.note(tally.Verb{Verb: tally.VerbOther, Case: h.ref, Person: j.login})
	}
}

// plan is what is done about an account, by its number.
func plan(account string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(account))
	return int(h.Sum32() % 100)
}

// judgement is what this judge says of a case.
func (j *judge) judgement(view review.CaseView) (action casefile.Action, emergency bool) {
	if j.l.urged("31") && plan(view.AccountID) < 60 {
		return casefile.L3, false
	}
	switch n := plan(view.AccountID); {
	case n < 10:
		return casefile.L0, false
	case n < 30:
		return casefile.L1, false
	case n < 40:
		return casefile.L4, false
	case n < 52:
		return casefile.L3, false
	case n < 66:
		return casefile.L5, j.senior && n%3 == 0
	case n < 74: // two who differ, and a lead
		if j.lead || j.number%2 == 0 {
			return casefile.L6, false
		}
		return casefile.L4, false
	}
	return casefile.L6, false
}

func (j *judge) opinion(ctx context.Context, h held, view review.CaseView, second bool) {
	action, emergency := j.judgement(view)
	if second {
		emergency = false
	}
	form := casefile.OpinionForm{Rationale: "[rationale of an opinion of the crash run]"}
	form.Action, form.Policies, form.EntityTier = action, []casefile.PolicyCode{casefile.VE08}, casefile.E2
	if action == casefile.L0 {
		form.Policies = []casefile.PolicyCode{casefile.VE00}
	}
	if action == casefile.L3 || action == casefile.L5 {
		form.Days = 1
	}
	form.Mitigations = map[casefile.Mitigation]casefile.Answer{}
	for _, m := range casefile.Mitigations {
		form.Mitigations[m] = casefile.AnswerNo
	}
	for _, p := range view.Evidence[:min(2, len(view.Evidence))] {
		form.Relied = append(form.Relied, p.Event.ID)
	}
	call := review.OpinionCall{
		VerbCall: j.call(h), Claim: h.number, EvidenceRevision: view.EvidenceRevision, Form: form, Emergency: emergency,
	}
	answer, ok, unsure := j.verb(ctx, "give an opinion", func(ctx context.Context) (review.VerbAnswer, error) {
		return j.l.client(j.login).Opinion(ctx, call)
	})
	if unsure {
		j.find(ctx, h)
		return
	}
	if !ok {
		return
	}
	j.l.note(tally.Verb{Verb: tally.VerbOpinion, Case: h.ref, Decision: answer.Decision, Action: action, Person: j.login})
	if answer.Decision == "" {
		j.l.gaveOpinion(h.ref)
		return
	}
	until := time.Now()
	if answer.GraceUntil != nil {
		until = *answer.GraceUntil
	}
	if answer.GraceUntil != nil && j.l.chance(8) {
		if j.withdraw(ctx, h, answer.Decision) {
			return
		}
	}
	j.l.settled(h.ref, answer.Decision, action, until)
}

// find looks for the decision that an opinion may have settled whose answer was lost.
func (j *judge) find(ctx context.Context, h held) {
	view, ok := j.view(ctx, h.ref)
	if !ok || view.Decision == nil {
		j.l.gaveOpinion(h.ref)
		return
	}
	d := view.Decision
	j.l.note(tally.Verb{Verb: tally.VerbSeen, Case: h.ref, Decision: d.ID, Action: d.Action, Person: j.login})
	j.l.settled(h.ref, d.ID, d.Action, time.Now())
}

// withdraw takes the decision back that was just made.
func (j *judge) withdraw(ctx context.Context, h held, decision string) bool {
	call := j.call(h)
	_, ok, unsure := j.verb(ctx, "withdraw a decision", func(ctx context.Context) (review.VerbAnswer, error) {
		return j.l.client(j.login).Withdraw(ctx, call, decision)
	})
	if unsure {
		view, seen := j.view(ctx, h.ref)
		ok = seen && (view.Decision == nil || view.Decision.ID != decision)
	}
	if ok {
		j.l.note(tally.Verb{Verb: tally.VerbWithdraw, Case: h.ref, Decision: decision, Person: j.login})
	}
	return ok
}

// gaveOpinion notes that a case waits for another person.
func (l *load) gaveOpinion(ref casefile.CaseRef) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opinions[ref] = true
}

func (l *load) hasOpinion(ref casefile.CaseRef) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opinions[ref]
}

// settled notes a decision.
func (l *load) settled(ref casefile.CaseRef, decision string, action casefile.Action, grace time.Time) {
	l.mu.Lock()
	l.order = append(l.order, ref)
	l.mu.Unlock()
	if action != casefile.L0 {
		l.flight.takedown(decision, grace)
	}
}
