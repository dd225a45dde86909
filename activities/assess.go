package activities

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/workflows"
)

// Assess gathers a case's findings, seals them and routes the case by the rules over them. A source
// that fails gives a failed finding, never an error and never a zero.
func (w *Work) Assess(ctx context.Context, ask workflows.AssessAsk) (workflows.AssessAnswer, error) {
	g, err := w.gather(ctx, ask.Account, ask.Ref)
	if err != nil {
		return workflows.AssessAnswer{}, err
	}
	findings := w.findings(ctx, ask, g)
	address, digest, err := seal(ctx, w.Sealer, ask.Account, evidence.KindFindings, findings)
	if err != nil {
		return workflows.AssessAnswer{}, fmt.Errorf("seal the findings: %w", err)
	}
	codes := make([]casefile.FindingCode, len(findings))
	for i, f := range findings {
		codes[i] = f.CodeOf()
	}
	route, err := w.Router.Route(policy.Input{Platform: ask.Platform, OpenedAt: ask.OpenedAt, Flags: g.summary(), Findings: codes})
	if err != nil {
		return workflows.AssessAnswer{}, fmt.Errorf("route the case: %w", err)
	}
	w.Log.InfoContext(ctx, "case assessed", "case", string(ask.Ref), "queue", route.Queue, "rule", route.Rule,
		"severity", route.Severity, "flags", len(g.flags), "lost_flags", g.lost)
	return workflows.AssessAnswer{Findings: codes, Sealed: address, Digest: digest, Route: route, Flags: g.count}, nil
}
