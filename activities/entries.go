package activities

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// FixEntries makes the bytes of drafts, each linked to the one before. The workflow records the
// answer: from then on the bytes are fixed.
func (w *Work) FixEntries(ctx context.Context, ask workflows.FixEntriesAsk) ([]casefile.FixedEntry, error) {
	salter, err := w.Sealer.Salter(ctx, ask.Account)
	if err != nil {
		return nil, fmt.Errorf("read the account's salts: %w", err)
	}
	var account casefile.AccountRef
	for _, d := range ask.Drafts {
		if d.Draft.Type != casefile.EntryDecision && d.Draft.Type != casefile.EntryAppealRuling {
			continue
		}
		account, err = accountRef(ctx, w.Records, w.Sealer, ask.Platform, ask.Account)
		if err != nil {
			return nil, err
		}
		break
	}
	prev, cause := ask.Prev, ask.Cause
	fixed := make([]casefile.FixedEntry, 0, len(ask.Drafts))
	for _, d := range ask.Drafts {
		f, err := casefile.FixEntry(d.Draft, casefile.Position{Event: d.Event, Prev: prev, Cause: cause, At: d.At}, salter, account)
		if err != nil {
			return nil, fmt.Errorf("fix entry %s: %w", d.Event, err)
		}
		fixed = append(fixed, f)
		prev, cause = f.Hash(), ""
	}
	return fixed, nil
}

// accountRef reads the account's own name on its platform from its sealed profile.
func accountRef(ctx context.Context, rows records.Accounts, sealer evidence.Sealer, platform string, account casefile.AccountKey) (casefile.AccountRef, error) {
	row, err := rows.Account(ctx, account)
	if err != nil {
		return casefile.AccountRef{}, fmt.Errorf("read the account's row: %w", err)
	}
	if row.Profile == "" {
		return casefile.AccountRef{}, casefile.Errorf(casefile.CodeNotFound, "the account has no sealed profile")
	}
	p, err := open[evidence.Profile](ctx, sealer, account, evidence.KindProfile, row.Profile)
	if err != nil {
		return casefile.AccountRef{}, fmt.Errorf("open the account's profile: %w", err)
	}
	return casefile.AccountRef{Platform: platform, ID: p.Account.ID}, nil
}
