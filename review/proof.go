package review

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// Proof gives the offline proof of a case's standing decision. CodeNotFound when the case has no
// decision, CodeState while it is not proven yet.
func (d *Desk) Proof(ctx context.Context, who access.Who, ref casefile.CaseRef) (casefile.Bundle, error) {
	err := who.Require(access.AuditRead)
	if err != nil {
		return casefile.Bundle{}, err
	}
	row, err := d.row(ctx, who, ref)
	if err != nil {
		return casefile.Bundle{}, err
	}
	decision, err := d.standing(ctx, row.Ref)
	switch {
	case err != nil:
		return casefile.Bundle{}, err
	case decision == nil:
		return casefile.Bundle{}, casefile.Errorf(casefile.CodeNotFound, "the case has no decision")
	case decision.Bundle == nil:
		return casefile.Bundle{}, casefile.Errorf(casefile.CodeState, "the decision is not proven yet")
	}
	return *decision.Bundle, nil
}

// FlagStatus is how far a flag has come.
type FlagStatus struct {
	ID       string             `json:"id"`
	Platform string             `json:"platform"`
	Status   records.FlagStatus `json:"status"`
	Case     casefile.CaseRef   `json:"case,omitempty"`
}

// FlagStatus tells how far a flag has come. platform "" tries every platform of Options.Platforms.
// CodeNotFound when no such flag was accepted.
func (d *Desk) FlagStatus(ctx context.Context, who access.Who, platform, id string) (FlagStatus, error) {
	err := who.Require(access.FlagRead)
	if err != nil {
		return FlagStatus{}, err
	}
	platforms := []string{platform}
	switch {
	case platform == "":
		platforms, err = d.platforms(ctx)
		if err != nil {
			return FlagStatus{}, err
		}
	case !casefile.ValidPlatform(platform):
		return FlagStatus{}, casefile.Invalid("platform", "not the name of a platform")
	}
	for _, p := range platforms {
		row, err := d.o.Records.Flag(ctx, d.o.Identity.Flag(p, id))
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			continue
		}
		if err != nil {
			return FlagStatus{}, fmt.Errorf("look flag up: %w", err)
		}
		return FlagStatus{ID: id, Platform: p, Status: row.Status, Case: row.Case}, nil
	}
	return FlagStatus{}, casefile.Errorf(casefile.CodeNotFound, "no flag with this id was accepted")
}
