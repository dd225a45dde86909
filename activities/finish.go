package activities

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Finish records how far a takedown has come: the decision's state; once everything was done, the
// strike that it gives and the handle of an account that was suspended or terminated, as keyed hashes,
// for look-alike search. A decision that fell on appeal gives neither, and its row stands as it is
// where it was taken back meanwhile.
func (w *Work) Finish(ctx context.Context, ask workflows.FinishAsk) error {
	d := ask.Decision
	var strike *records.Strike
	if ask.State == casefile.DecisionDone {
		fell, err := fallen(ctx, w.Records, d.ID)
		if err != nil {
			return err
		}
		lasts, strikes := policy.StrikeFor(d)
		if strikes && !fell {
			strike = &records.Strike{Account: d.Account, Decision: d.ID, At: d.DecidedAt, ExpiresAt: d.DecidedAt.Add(lasts)}
		}
		if suspends(d.Action) && !fell {
			err = w.rememberHandle(ctx, d)
			if err != nil {
				return err
			}
		}
	}
	err := w.Records.AdvanceDecision(ctx, d.ID, ask.State, ask.Why, strike, w.Now())
	if casefile.ErrorCode(err) == casefile.CodeState {
		err = w.takenBack(ctx, ask, err)
	}
	if err != nil {
		return fmt.Errorf("record how far the takedown has come: %w", err)
	}
	crashpoint.Reach("28")
	return nil
}

// takenBack passes over an error of a decision that was taken back: its row has gone further than its
// takedown, and asking again would never help.
func (w *Work) takenBack(ctx context.Context, ask workflows.FinishAsk, refused error) error {
	row, err := w.Records.Decision(ctx, ask.Decision.ID)
	if err != nil {
		return err
	}
	if row.State != casefile.DecisionUndone {
		return refused
	}
	w.Log.WarnContext(ctx, "the takedown of a decision that was taken back came to an end", "decision", ask.Decision.ID, "state", string(ask.State))
	return nil
}

// suspends says whether an action takes an account down.
func suspends(a casefile.Action) bool { return a == casefile.L5 || a == casefile.L6 }

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
