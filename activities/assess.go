package activities

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/workflows"
)

// Assess gathers a case's findings, seals them and routes the case by the rules over them. A source
// that fails gives a failed finding, never an error and never a zero. For a fresh case it also says
// whether an earlier decision, or an automatic rule, settles it; whatever is in doubt goes to people.
func (w *Work) Assess(ctx context.Context, ask workflows.AssessAsk) (workflows.AssessAnswer, error) {
	g, err := w.gather(ctx, ask.Account, ask.Ref)
	if err != nil {
		return workflows.AssessAnswer{}, err
	}
	seen := w.seenBefore(ctx, ask, g)
	findings := w.findings(ctx, ask, g, seen)
	address, digest, err := seal(ctx, w.Sealer, ask.Account, evidence.KindFindings, findings)
	if err != nil {
		return workflows.AssessAnswer{}, fmt.Errorf("seal the findings: %w", err)
	}
	codes := make([]casefile.FindingCode, len(findings))
	for i, f := range findings {
		codes[i] = f.CodeOf()
	}
	in := policy.Input{Platform: ask.Platform, OpenedAt: ask.OpenedAt, Flags: g.summary(), Findings: codes}
	route, err := w.Router.Route(in)
	if err != nil {
		return workflows.AssessAnswer{}, fmt.Errorf("route the case: %w", err)
	}
	answer := workflows.AssessAnswer{
		Findings: codes, Sealed: address, Digest: digest, Route: route, Flags: g.count, Deciding: w.Router.Deciding(w.draw()),
	}
	if ask.Fresh {
		w.settle(ctx, ask, g, seen, in, &answer)
	}
	w.Log.InfoContext(ctx, "case assessed", "case", string(ask.Ref), "queue", route.Queue, "rule", route.Rule,
		"severity", route.Severity, "flags", len(g.flags), "lost_flags", g.lost)
	crashpoint.Reach("10")
	return answer, nil
}

// settle looks for what settles a fresh case without people. Where nothing in it is new, no automatic
// rule is asked: either the decision that had it all stands, or people look again.
func (w *Work) settle(ctx context.Context, ask workflows.AssessAsk, g gathered, seen seenBefore, in policy.Input, answer *workflows.AssessAnswer) {
	counted := w.Records.CountAssessed(ctx, ask.Ref, w.Now())
	switch {
	case g.reopens: // somebody asked for people to look
	case seen.nothingNew():
		answer.AlreadyDecided = w.alreadyDecided(ctx, ask, g, seen)
	default:
		answer.Automatic = w.automatic(ctx, ask, g, in, counted)
	}
}

// diverted logs why a case that could have been settled without people goes to them.
func (w *Work) diverted(ctx context.Context, ref casefile.CaseRef, from, why string) {
	w.Log.InfoContext(ctx, "case goes to people", "case", string(ref), "from", from, "why", why)
}
