package review

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// nextTries bounds how many refused claims one Next lives through before it gives up.
const nextTries = 25

// VerbCall names a case and the caller's idempotency key; "" makes a key.
type VerbCall struct {
	Case casefile.CaseRef
	Key  string
}

// Next claims the first case of a queue that the person may take, and before all others one with a
// threat to life, whatever its queue. ok is false when none waits. A row is reserved first, so that
// callers at once try different cases, but the claim alone counts: a refused one frees the row and the
// next is tried. A retry with the same key gives the case that the first call claimed, once the records
// show it. CodeForbidden for a queue of other roles or of another team, CodeNotFound for one that there
// is not, CodeUnavailable when too many claims in a row were refused.
func (d *Desk) Next(ctx context.Context, who access.Who, queue, idempotencyKey string) (answer VerbAnswer, ok bool, err error) {
	actor, err := who.ActorFor(access.CaseNext)
	if err == nil {
		err = d.mayTakeFrom(who, queue)
	}
	if err != nil {
		return VerbAnswer{}, false, err
	}
	k, err := key(idempotencyKey)
	if err != nil {
		return VerbAnswer{}, false, err
	}
	if idempotencyKey != "" {
		answer, ok, err = d.claimedBefore(ctx, who, actor, k)
		if ok || err != nil {
			return answer, ok, err
		}
	}
	var skip []casefile.CaseRef
	for range nextTries {
		ref, found, err := d.o.Records.ReserveNext(ctx, records.Reservation{
			Queue: queue, Person: who.Person, Lead: actor.Role == casefile.RoleLead, Skip: skip, Now: d.now(), Hold: d.o.ReserveFor,
		})
		if err != nil {
			return VerbAnswer{}, false, fmt.Errorf("reserve the next case: %w", err)
		}
		if !found {
			return VerbAnswer{}, false, nil
		}
		crashpoint.Reach("13")
		answer, err := d.tryClaim(ctx, who, actor, ref, k)
		if err == nil {
			return answer, true, nil
		}
		switch casefile.ErrorCode(err) {
		case casefile.CodeUnavailable, casefile.CodeInternal:
			// The reservation runs out by itself: if the claim did count, nobody else tries meanwhile.
			return VerbAnswer{}, false, err
		}
		skip = append(skip, ref)
		err = d.o.Records.FreeReservation(ctx, ref, who.Person)
		if err != nil {
			return VerbAnswer{}, false, fmt.Errorf("free a reservation: %w", err)
		}
	}
	return VerbAnswer{}, false, casefile.Errorf(casefile.CodeUnavailable, "the first cases of this queue could not be claimed; try again")
}

// claimedBefore asks the cases that the person holds whether this very verb claimed one: a case
// claimed otherwise refuses, since a holder cannot claim again.
func (d *Desk) claimedBefore(ctx context.Context, who access.Who, actor casefile.Actor, k string) (VerbAnswer, bool, error) {
	held, err := d.o.Records.ClaimedBy(ctx, actor.Person)
	if err != nil {
		return VerbAnswer{}, false, fmt.Errorf("list claimed cases: %w", err)
	}
	for _, row := range held {
		answer, err := d.claimRow(ctx, who, actor, row, k)
		if err == nil {
			return answer, true, nil
		}
		switch casefile.ErrorCode(err) {
		case casefile.CodeUnavailable, casefile.CodeInternal:
			return VerbAnswer{}, false, err
		}
	}
	return VerbAnswer{}, false, nil
}

func (d *Desk) tryClaim(ctx context.Context, who access.Who, actor casefile.Actor, ref casefile.CaseRef, k string) (VerbAnswer, error) {
	row, err := d.row(ctx, who, ref)
	if err != nil {
		return VerbAnswer{}, err
	}
	err = d.mayTake(who, row)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.claimRow(ctx, who, actor, row, k)
}

// queue gives a queue of the rules in force. One that they do not have any more, in which cases may
// still stand, is the leads'.
func (d *Desk) queue(name string) (q policy.Queue, known bool) {
	q, known = d.o.Rules.Queue(name)
	if !known {
		q = policy.Queue{Name: name, Title: name, Roles: []casefile.Role{casefile.RoleLead}}
	}
	return q, known
}

func (d *Desk) mayTakeFrom(who access.Who, queue string) error {
	q, known := d.queue(queue)
	err := access.MayTakeFrom(who, q.Roles, q.Team)
	if err != nil && !known {
		return casefile.Errorf(casefile.CodeNotFound, "there is no queue of this name")
	}
	return err
}

// mayTake refuses a case to whoever takes none from its queue, unless it was handed over to them or
// somebody's life is in danger, and a restricted one to whoever may not see it. Who may judge it in this
// round is for its workflow to say, which knows everybody's opinions.
func (d *Desk) mayTake(who access.Who, row records.Case) error {
	theirs := row.AssignedTo == who.Person
	if !access.MaySeeRestricted(who, row.Restricted, theirs) {
		return errRestricted
	}
	if theirs || row.Threat {
		return nil
	}
	return d.mayTakeFrom(who, row.Route.Queue)
}

// errRestricted says why a restricted case does not open.
var errRestricted = casefile.Errorf(casefile.CodeForbidden, "the case opens only for its holder, leads and the team it was referred to")

func (d *Desk) claimRow(ctx context.Context, who access.Who, actor casefile.Actor, row records.Case, k string) (VerbAnswer, error) {
	id, err := d.verbID(actor.Person, workflows.UpdateClaim, string(row.Ref), k)
	if err != nil {
		return VerbAnswer{}, err
	}
	s := started{who: who, row: row, verb: workflows.Verb{ID: id, Case: row.Ref, Actor: actor}, key: k}
	return d.update(ctx, s, workflows.UpdateClaim, func(v workflows.Verb) any { return workflows.ClaimArgs{Verb: v} })
}

// Claim takes a case by its number. CodeState when somebody holds it or it is not in a queue,
// CodeForbidden for whoever takes no cases from its queue or has given their opinion on it.
func (d *Desk) Claim(ctx context.Context, who access.Who, call VerbCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateClaim, need: access.CaseClaim, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	err = d.mayTake(who, s.row)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateClaim, func(v workflows.Verb) any { return workflows.ClaimArgs{Verb: v} })
}

// Heartbeat moves the lease of a claim on; callers send it only on a person's input.
// CodeStaleClaim when the claim is not the person's any more.
func (d *Desk) Heartbeat(ctx context.Context, who access.Who, call VerbCall, claim int) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateHeartbeat, need: access.CaseClaim, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateHeartbeat, func(v workflows.Verb) any { return workflows.HeartbeatArgs{Verb: v, Claim: claim} })
}

// Release gives a case back to its queue. CodeStaleClaim as for Heartbeat.
func (d *Desk) Release(ctx context.Context, who access.Who, call VerbCall, claim int) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateRelease, need: access.CaseClaim, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateRelease, func(v workflows.Verb) any { return workflows.ReleaseArgs{Verb: v, Claim: claim} })
}
