package activities

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Finish records the end of a takedown: the decision's state, the strike it gives, and the handle
// of an account that was suspended or terminated, as keyed hashes, for look-alike search.
func (w *Work) Finish(ctx context.Context, ask workflows.FinishAsk) error {
	d := ask.Decision
	var strike *records.Strike
	lasts, strikes := policy.StrikeFor(d)
	if strikes && ask.State == casefile.DecisionDone {
		strike = &records.Strike{Account: d.Account, Decision: d.ID, At: d.DecidedAt, ExpiresAt: d.DecidedAt.Add(lasts)}
	}
	if ask.State == casefile.DecisionDone && (d.Action == casefile.L5 || d.Action == casefile.L6) {
		err := w.rememberHandle(ctx, d)
		if err != nil {
			return err
		}
	}
	err := w.Records.AdvanceDecision(ctx, d.ID, ask.State, ask.Why, strike, w.Now())
	if err != nil {
		return fmt.Errorf("record the takedown's end: %w", err)
	}
	return nil
}

func (w *Work) rememberHandle(ctx context.Context, d casefile.Decision) error {
	row, err := w.Records.Account(ctx, d.Account)
	if err != nil {
		return fmt.Errorf("read the account's row: %w", err)
	}
	p, err := open[evidence.Profile](ctx, w.Sealer, d.Account, evidence.KindProfile, row.Profile)
	if err != nil {
		return fmt.Errorf("open the account's profile: %w", err)
	}
	if p.Account.Handle == "" {
		return nil
	}
	err = w.Records.PutTakenDownHandle(ctx, d.Account, d.Platform, w.Identity.HandleHashes(d.Platform, p.Account.Handle), w.Now())
	if err != nil {
		return fmt.Errorf("remember the taken-down handle: %w", err)
	}
	return nil
}
