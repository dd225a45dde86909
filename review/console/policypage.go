package console

import (
	"net/http"

	"github.com/docket-triage/docket/policy"
)

type policyPage struct {
	Codes       []policy.Code
	Steps       []policy.Step
	Tiers       []policy.Tier
	Mitigations []policy.Mitigation
}

// policy shows the taxonomy and the ladder, to look things up in.
func (v *visit) policy() error {
	return v.render(http.StatusOK, "policy", "Policy", policyPage{
		Codes: policy.Taxonomy(), Steps: policy.Ladder(), Tiers: policy.EntityTiers(), Mitigations: policy.Mitigations(),
	})
}
