package review

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
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

// Next claims the first case of a queue that the person may take. ok is false when none waits.
// A row is reserved first, so that callers at once try different cases, but the claim alone counts:
// a refused one frees the row and the next is tried. A retry with the same key gives the case that
// the first call claimed, once the records show it. CodeUnavailable when too many claims in a row
// were refused.
func (d *Desk) Next(ctx context.Context, who access.Who, queue, idempotencyKey string) (answer VerbAnswer, ok bool, err error) {
	actor, err := who.ActorFor(access.CaseNext)
	if err != nil {
		return VerbAnswer{}, false, err
	}
	k, err := key(idempotencyKey)
	if err != nil {
		return VerbAnswer{}, false, err
	}
	if idempotencyKey != "" {
		answer, ok, err = d.claimedBefore(ctx, actor, queue, k)
		if ok || err != nil {
			return answer, ok, err
		}
	}
	var skip []casefile.CaseRef
	for range nextTries {
		ref, found, err := d.o.Records.ReserveNext(ctx, queue, who.Person, skip, d.now(), d.o.ReserveFor)
		if err != nil {
			return VerbAnswer{}, false, fmt.Errorf("reserve the next case: %w", err)
		}
		if !found {
			return VerbAnswer{}, false, nil
		}
		answer, err := d.tryClaim(ctx, actor, ref, k)
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

// claimedBefore asks the cases that the person holds in the queue whether this very verb claimed
// one: a case claimed otherwise refuses, since a holder cannot claim again.
func (d *Desk) claimedBefore(ctx context.Context, actor casefile.Actor, queue, k string) (VerbAnswer, bool, error) {
	held, err := d.o.Records.ClaimedBy(ctx, actor.Person)
	if err != nil {
		return VerbAnswer{}, false, fmt.Errorf("list claimed cases: %w", err)
	}
	for _, row := range held {
		if row.Route.Queue != queue {
			continue
		}
		answer, err := d.claimRow(ctx, actor, row, k)
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

func (d *Desk) tryClaim(ctx context.Context, actor casefile.Actor, ref casefile.CaseRef, k string) (VerbAnswer, error) {
	row, err := d.row(ctx, ref)
	if err != nil {
		return VerbAnswer{}, err
	}
	err = d.mayTake(ctx, actor, row)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.claimRow(ctx, actor, row, k)
}

// mayTake refuses a case to whoever may not judge it: its own first opinion's author as the second
// person, and anybody but a lead as the third.
func (d *Desk) mayTake(ctx context.Context, actor casefile.Actor, row records.Case) error {
	if row.Stage == casefile.StageAdjudication && actor.Role != casefile.RoleLead {
		return casefile.Errorf(casefile.CodeForbidden, "two opinions on this case differ: a lead decides it")
	}
	opinions, err := d.o.Records.Opinions(ctx, row.Ref)
	if err != nil {
		return fmt.Errorf("read opinions: %w", err)
	}
	for _, o := range opinions {
		if o.Person == actor.Person {
			return casefile.Errorf(casefile.CodeForbidden, "you have given your opinion on this case; another person must give theirs")
		}
	}
	return nil
}

func (d *Desk) claimRow(ctx context.Context, actor casefile.Actor, row records.Case, k string) (VerbAnswer, error) {
	id, err := d.verbID(actor.Person, workflows.UpdateClaim, row.Ref, k)
	if err != nil {
		return VerbAnswer{}, err
	}
	verb := workflows.Verb{ID: id, Case: row.Ref, Actor: actor}
	return d.update(ctx, started{row: row, verb: verb, key: k}, workflows.UpdateClaim, workflows.ClaimArgs{Verb: verb})
}

// Claim takes a case by its number. CodeState when somebody holds it or it is not in a queue.
func (d *Desk) Claim(ctx context.Context, who access.Who, call VerbCall) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateClaim, need: access.CaseClaim, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	err = d.mayTake(ctx, s.verb.Actor, s.row)
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateClaim, workflows.ClaimArgs{Verb: s.verb})
}

// Heartbeat moves the lease of a claim on; callers send it only on a person's input.
// CodeStaleClaim when the claim is not the person's any more.
func (d *Desk) Heartbeat(ctx context.Context, who access.Who, call VerbCall, claim int) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateHeartbeat, need: access.CaseClaim, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateHeartbeat, workflows.HeartbeatArgs{Verb: s.verb, Claim: claim})
}

// Release gives a case back to its queue. CodeStaleClaim as for Heartbeat.
func (d *Desk) Release(ctx context.Context, who access.Who, call VerbCall, claim int) (VerbAnswer, error) {
	s, err := d.start(ctx, request{who: who, name: workflows.UpdateRelease, need: access.CaseClaim, ref: call.Case, key: call.Key})
	if err != nil {
		return VerbAnswer{}, err
	}
	return d.update(ctx, s, workflows.UpdateRelease, workflows.ReleaseArgs{Verb: s.verb, Claim: claim})
}
