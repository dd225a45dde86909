package review

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Snooze gives a case that the person holds back to its queue, to be offered to nobody until a time at
// most casefile.MaxSnooze ahead. Its deadlines run on. CodeInvalid on field until, CodeStaleClaim.
func (d *Desk) Snooze(ctx context.Context, who access.Who, call VerbCall, claim int, until time.Time) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateSnooze, need: access.CaseSnooze, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	err = d.ahead("until", until, casefile.MaxSnooze)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateSnooze, func(v workflows.Verb) any {
		return workflows.SnoozeArgs{Verb: v, Claim: claim, Until: until.UTC()}
	})
}

// Hold keeps a case with the person who holds it until a time at most casefile.MaxHold ahead, without
// their input. Its deadlines run on. Errors as for Snooze.
func (d *Desk) Hold(ctx context.Context, who access.Who, call VerbCall, claim int, until time.Time) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateHold, need: access.CaseHold, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	err = d.ahead("until", until, casefile.MaxHold)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateHold, func(v workflows.Verb) any {
		return workflows.HoldArgs{Verb: v, Claim: claim, Until: until.UTC()}
	})
}

// listed names the codes that a field takes.
func listed[S ~string](codes []S) string {
	names := make([]string, len(codes))
	for i, c := range codes {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// inWords says a whole number of hours as people say it: two days and more as days.
func inWords(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return fmt.Sprintf("%d hours", d/time.Hour)
}

// ahead checks a time that must lie ahead, and at most so far.
func (d *Desk) ahead(field string, at time.Time, most time.Duration) error {
	now := d.now()
	switch {
	case !at.After(now):
		return casefile.Invalid(field, "a time ahead is required")
	case at.After(now.Add(most)):
		return casefile.Invalid(field, "at most %s ahead", inWords(most))
	}
	return nil
}

// HandOverCall gives a case to a person or a queue: exactly one of the two is named.
type HandOverCall struct {
	VerbCall
	Claim int
	// To is the login or the pseudonym of somebody who may take the case.
	To     string
	Queue  string
	Reason string // words; sealed
}

// HandOver gives a case that the person holds to somebody else, who is then the only one it is offered
// to, or to another queue. CodeInvalid on field to for somebody who cannot take the case, on field
// queue for a queue that there is not; CodeStaleClaim.
func (d *Desk) HandOver(ctx context.Context, who access.Who, call HandOverCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateHandOver, need: access.CaseHandOver, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	if (call.To == "") == (call.Queue == "") {
		return VerbAnswer{}, casefile.Invalid("to", "name either a person or a queue")
	}
	var to casefile.Person
	if call.To != "" {
		to, err = d.taker(ctx, who, s.row, call.To)
	} else if _, known := d.o.Rules.Queue(call.Queue); !known {
		err = casefile.Invalid("queue", "there is no queue of this name")
	}
	if err != nil {
		return VerbAnswer{}, err
	}
	reason, err := d.reason(ctx, s.row.Account, call.Reason)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateHandOver, func(v workflows.Verb) any {
		return workflows.HandOverArgs{Verb: v, Claim: call.Claim, To: to, Queue: call.Queue, Reason: reason}
	})
}

// taker finds the person to hand a case to. One message stands for everybody who cannot take it: it
// must not tell whether somebody has given an opinion on the case.
func (d *Desk) taker(ctx context.Context, who access.Who, row records.Case, name string) (casefile.Person, error) {
	cannot := casefile.Invalid("to", "not somebody who can take this case")
	p, err := d.person(ctx, name)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return "", cannot
	}
	if err != nil {
		return "", err
	}
	if p.Person == who.Person {
		return "", casefile.Invalid("to", "you hold the case already")
	}
	if !d.mayBeGiven(p, row) {
		return "", cannot
	}
	had, err := d.had(ctx, row)
	if err != nil {
		return "", err
	}
	if slices.Contains(had, p.Person) {
		return "", cannot
	}
	return p.Person, nil
}

// had lists who has held a case, and with them whoever gave an opinion on it.
func (d *Desk) had(ctx context.Context, row records.Case) ([]casefile.Person, error) {
	parts, err := d.o.Records.Parts(ctx, row.Ref)
	if err != nil {
		return nil, fmt.Errorf("list who has held the case: %w", err)
	}
	var out []casefile.Person
	for _, p := range parts {
		if p.Part == records.PartClaim || p.Part == records.PartOpinion {
			out = append(out, p.Person)
		}
	}
	return out, nil
}

// person finds a staff member by pseudonym or login.
func (d *Desk) person(ctx context.Context, name string) (records.PersonRow, error) {
	name = strings.TrimSpace(name)
	p, err := d.o.Records.Person(ctx, casefile.Person(name))
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		p, err = d.o.Records.PersonByLogin(ctx, name)
	}
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return records.PersonRow{}, casefile.Errorf(casefile.CodeNotFound, "there is nobody of this login or pseudonym")
	}
	if err != nil {
		return records.PersonRow{}, fmt.Errorf("look up a person: %w", err)
	}
	return p, nil
}

// EscalateCall gives a case to the lead's queue.
type EscalateCall struct {
	VerbCall
	// Threat says that somebody's life is in danger: the case jumps every queue and people are paged.
	Threat bool
	Reason string // words; sealed
}

// Escalate puts a case before a lead; whoever holds it and escalates it gives it up. It takes no claim.
// CodeInvalid on field reason; CodeState.
func (d *Desk) Escalate(ctx context.Context, who access.Who, call EscalateCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateEscalate, need: access.CaseEscalate, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	reason, err := d.reason(ctx, s.row.Account, call.Reason)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateEscalate, func(v workflows.Verb) any {
		return workflows.EscalateArgs{Verb: v, Threat: call.Threat, Reason: reason}
	})
}

// MaxDeadlineMove is how far ahead a moved deadline lies at most: one further on would be none.
const MaxDeadlineMove = 90 * 24 * time.Hour

// DeadlineCall moves a deadline.
type DeadlineCall struct {
	VerbCall
	Deadline casefile.DeadlineKind // touch or decision
	To       time.Time             // at most MaxDeadlineMove ahead
	Reason   string                // words; sealed
}

// MoveDeadline moves a deadline of a case, which only a lead does. CodeInvalid on fields deadline, to
// and reason; CodeState.
func (d *Desk) MoveDeadline(ctx context.Context, who access.Who, call DeadlineCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateMoveDeadline, need: access.CaseDeadline, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	if !call.Deadline.Valid() {
		return VerbAnswer{}, casefile.Invalid("deadline", "touch or decision")
	}
	err = d.ahead("to", call.To, MaxDeadlineMove)
	if err != nil {
		return VerbAnswer{}, err
	}
	reason, err := d.reason(ctx, s.row.Account, call.Reason)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateMoveDeadline, func(v workflows.Verb) any {
		return workflows.MoveDeadlineArgs{Verb: v, Deadline: call.Deadline, To: call.To.UTC(), Reason: reason}
	})
}

// ForceRelease ends somebody else's claim, or frees a case from the one that it was handed over to, which
// only a lead does, for a reason. CodeInvalid on field reason, CodeState when the case is nobody's.
func (d *Desk) ForceRelease(ctx context.Context, who access.Who, call VerbCall, reason string) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateForceRelease, need: access.CaseForceRelease, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	why, err := d.reason(ctx, s.row.Account, reason)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateForceRelease, func(v workflows.Verb) any {
		return workflows.ForceReleaseArgs{Verb: v, Reason: why}
	})
}

// ReferCall refers a case to another team.
type ReferCall struct {
	VerbCall
	Claim  int
	Kind   casefile.ReferralKind
	Reason string // words for the team; sealed
}

// Refer refers a case that the person holds to another team; the case goes on. The answer's Referral is
// the ledger event that is its receipt. CodeInvalid on fields kind and reason; CodeStaleClaim, CodeState.
func (d *Desk) Refer(ctx context.Context, who access.Who, call ReferCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateRefer, need: access.CaseRefer, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	if !call.Kind.Valid() {
		return VerbAnswer{}, casefile.Invalid("kind", "one of %s", listed(casefile.ReferralKinds))
	}
	reason, err := d.reason(ctx, s.row.Account, call.Reason)
	if err != nil {
		return VerbAnswer{}, err
	}
	answer, err := d.update(ctx, s, workflows.UpdateRefer, func(v workflows.Verb) any {
		return workflows.ReferArgs{Verb: v, Claim: call.Claim, Kind: call.Kind, Reason: reason}
	})
	if err != nil || answer.Referral != "" {
		return answer, err
	}
	// The workflow's answer stands before its ledger event is known to it; the records have it by now.
	referrals, err := d.o.Records.Referrals(ctx, s.row.Ref)
	if err != nil {
		return VerbAnswer{}, fmt.Errorf("read the receipt of the referral: %w", err)
	}
	for _, r := range referrals {
		if r.ID == s.verb.ID {
			answer.Referral = r.Event
		}
	}
	return answer, nil
}
