package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// CaseFileFormat is the format name of a CaseFile (docs/formats/case-file.md).
const CaseFileFormat = "docket-casefile/1"

// CaseFile is a closed case as it is archived: sealed under the account's key, its digest on the
// ledger. A reopening takes everything but the account's counters from it.
type CaseFile struct {
	Format   string               `json:"format"`
	Ref      casefile.CaseRef     `json:"ref"`
	Platform string               `json:"platform"`
	Account  casefile.AccountKey  `json:"account"`
	State    workflows.CaseState  `json:"state"`
	Flags    []casefile.Address   `json:"flags"` // sealed flags, oldest first
	Comments []records.CommentRow `json:"comments"`
	// Handlings are what people did with the case beside judging it, for a reason.
	Handlings []casefile.HandlingNote `json:"handlings,omitempty"`
	// Opinions are those that count; Void those that nothing came of: of a decision that was withdrawn,
	// of a run that was lost, or of a case that was closed without a decision.
	Opinions []casefile.Opinion `json:"opinions"`
	Void     []casefile.Opinion `json:"void,omitempty"`
	Bundle   *casefile.Bundle   `json:"bundle,omitempty"`
	ClosedAt time.Time          `json:"closed_at"`
}

// caseFile opens the archived file of a closed case.
func (w *Work) caseFile(ctx context.Context, account casefile.AccountKey, ref casefile.CaseRef) (CaseFile, error) {
	row, err := w.Records.Case(ctx, ref)
	if err != nil {
		return CaseFile{}, fmt.Errorf("read the case before: %w", err)
	}
	if row.File == "" {
		return CaseFile{}, casefile.Errorf(casefile.CodeNotFound, "the case before has no archived file")
	}
	file, err := open[CaseFile](ctx, w.Sealer, account, evidence.KindCaseFile, row.File)
	if err != nil {
		return CaseFile{}, fmt.Errorf("open the archived case file: %w", err)
	}
	return file, nil
}

// Archive seals the case file, and notes the evidence that the case's decision had before it.
func (w *Work) Archive(ctx context.Context, ask workflows.ArchiveAsk) (workflows.ArchiveAnswer, error) {
	ref := ask.State.Ref
	if ask.State.Route.Rule == "" { // a run that took a lost one's place at the very end
		row, err := w.Records.Case(ctx, ref)
		if err != nil {
			return workflows.ArchiveAnswer{}, fmt.Errorf("read the case's row: %w", err)
		}
		keepRoute(&ask.State, row)
	}
	file := CaseFile{
		Format: CaseFileFormat, Ref: ref, Platform: ask.Platform, Account: ask.Account, State: ask.State,
		Bundle: ask.Bundle, ClosedAt: ask.ClosedAt.UTC(),
	}
	rows, err := w.Records.CaseFlags(ctx, ref)
	if err != nil {
		return workflows.ArchiveAnswer{}, fmt.Errorf("list the case's flags: %w", err)
	}
	for _, row := range rows {
		if row.Reopens == "" {
			file.Flags = append(file.Flags, row.Sealed)
			continue
		}
		before, err := w.caseFile(ctx, ask.Account, row.Reopens)
		if gone(err) {
			continue // counted as lost when the case was assessed; the state names the case before
		}
		if err != nil {
			return workflows.ArchiveAnswer{}, err
		}
		file.Flags = append(file.Flags, before.Flags...)
	}
	file.Comments, err = w.Records.Comments(ctx, ref)
	if err != nil {
		return workflows.ArchiveAnswer{}, fmt.Errorf("list the case's comments: %w", err)
	}
	file.Handlings, err = w.Records.Handlings(ctx, ref)
	if err != nil {
		return workflows.ArchiveAnswer{}, fmt.Errorf("list what was done with the case: %w", err)
	}
	file.Opinions, file.Void, err = w.opinions(ctx, ask)
	if err != nil {
		return workflows.ArchiveAnswer{}, err
	}
	if d := ask.State.Decision; d != nil {
		err = w.putDecidedItems(ctx, ask.Platform, ask.Account, *d)
		if err != nil {
			return workflows.ArchiveAnswer{}, err
		}
	}
	address, digest, err := seal(ctx, w.Sealer, ask.Account, evidence.KindCaseFile, file)
	if err != nil {
		return workflows.ArchiveAnswer{}, fmt.Errorf("seal the case file: %w", err)
	}
	crashpoint.Reach("22")
	return workflows.ArchiveAnswer{File: address, Digest: digest}, nil
}

// opinions parts the opinions that the case's decision rests on from those that nothing came of, the
// oldest first.
func (w *Work) opinions(ctx context.Context, ask workflows.ArchiveAsk) (count, void []casefile.Opinion, err error) {
	ref := ask.State.Ref
	count = []casefile.Opinion{}
	if d := ask.State.Decision; d != nil {
		count = append(count, d.Opinions...)
	}
	shown, err := w.Records.Opinions(ctx, ref)
	if err != nil {
		return nil, nil, fmt.Errorf("list the case's opinions: %w", err)
	}
	unseen, err := w.Records.BlindOpinions(ctx, ref)
	if err != nil {
		return nil, nil, fmt.Errorf("list the case's blind opinions: %w", err)
	}
	voidShown, voidUnseen, err := w.Records.VoidOpinions(ctx, ref)
	if err != nil {
		return nil, nil, fmt.Errorf("list the case's void opinions: %w", err)
	}
	opened, err := w.openBlind(ctx, ask.Account, append(unseen, voidUnseen...))
	if err != nil {
		return nil, nil, err
	}
	has := func(list []casefile.Opinion, o casefile.Opinion) bool {
		return slices.ContainsFunc(list, func(x casefile.Opinion) bool { return x.ID == o.ID })
	}
	for _, o := range slices.Concat(shown, voidShown, opened, ask.State.Opinions) {
		if !has(count, o) && !has(void, o) {
			void = append(void, o)
		}
	}
	slices.SortStableFunc(void, func(a, b casefile.Opinion) int { return a.At.Compare(b.At) })
	return count, void, nil
}

// openBlind opens the codes of opinions that nobody but their authors saw. One that is gone for good
// must not hold the archive up.
func (w *Work) openBlind(ctx context.Context, account casefile.AccountKey, rows []records.BlindOpinion) ([]casefile.Opinion, error) {
	var out []casefile.Opinion
	for _, b := range rows {
		o, err := open[casefile.Opinion](ctx, w.Sealer, account, KindBlindOpinion, b.Sealed)
		if gone(err) {
			w.Log.ErrorContext(ctx, "a blind opinion is gone", "case", string(b.Case), "code", string(casefile.ErrorCode(err)))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open a blind opinion: %w", err)
		}
		out = append(out, o)
	}
	return out, nil
}
