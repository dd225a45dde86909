package review

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
)

// Standing is how far a case has come, in codes alone: what an open page compares itself with.
// Decision is "" while there is none that stands.
type Standing struct {
	Revision         int                    `json:"revision"`
	EvidenceRevision int                    `json:"evidence_revision"`
	State            casefile.State         `json:"state"`
	Decision         casefile.DecisionState `json:"decision,omitempty"`
	Proven           bool                   `json:"proven"`
}

// Standing tells how far a case has come. It shows nobody's words and is no look at the case, so
// nothing goes on record. CodeForbidden, CodeInvalid (the number), CodeNotFound.
func (d *Desk) Standing(ctx context.Context, who access.Who, ref casefile.CaseRef) (Standing, error) {
	err := who.Require(access.CaseList)
	if err != nil {
		return Standing{}, err
	}
	row, err := d.row(ctx, who, ref)
	if err != nil {
		return Standing{}, err
	}
	out := Standing{Revision: row.Revision, EvidenceRevision: row.EvidenceRevision, State: row.State}
	decision, err := d.standing(ctx, row.Ref)
	if err != nil {
		return Standing{}, err
	}
	if decision != nil {
		out.Decision, out.Proven = decision.State, decision.Bundle != nil
	}
	return out, nil
}

// HandedTo lists the waiting cases that were handed over to the person, snoozed ones too, and that they
// may still take, in the order in which a queue gives them. CodeForbidden.
func (d *Desk) HandedTo(ctx context.Context, who access.Who) ([]CaseRow, error) {
	err := who.Require(access.CaseClaim)
	if err != nil {
		return nil, err
	}
	cases, err := d.o.Records.HandedTo(ctx, who.Person)
	if err != nil {
		return nil, fmt.Errorf("list cases handed over: %w", err)
	}
	return d.rows(ctx, who, cases), nil
}

// Held lists the cases that the person holds by a lease that still runs.
func (d *Desk) Held(ctx context.Context, who access.Who) ([]CaseRow, error) {
	err := who.Require(access.CaseClaim)
	if err != nil {
		return nil, err
	}
	cases, err := d.o.Records.ClaimedBy(ctx, who.Person)
	if err != nil {
		return nil, fmt.Errorf("list claimed cases: %w", err)
	}
	live := cases[:0]
	for _, c := range cases {
		if c.Claim.Live(d.now()) {
			live = append(live, c)
		}
	}
	return d.rows(ctx, who, live), nil
}
