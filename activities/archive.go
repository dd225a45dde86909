package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
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
	Opinions []casefile.Opinion   `json:"opinions"`
	Bundle   *casefile.Bundle     `json:"bundle,omitempty"`
	ClosedAt time.Time            `json:"closed_at"`
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

// Archive seals the case file.
func (w *Work) Archive(ctx context.Context, ask workflows.ArchiveAsk) (workflows.ArchiveAnswer, error) {
	ref := ask.State.Ref
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
	file.Opinions, err = w.Records.Opinions(ctx, ref)
	if err != nil {
		return workflows.ArchiveAnswer{}, fmt.Errorf("list the case's opinions: %w", err)
	}
	address, digest, err := seal(ctx, w.Sealer, ask.Account, evidence.KindCaseFile, file)
	if err != nil {
		return workflows.ArchiveAnswer{}, fmt.Errorf("seal the case file: %w", err)
	}
	return workflows.ArchiveAnswer{File: address, Digest: digest}, nil
}
