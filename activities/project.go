package activities

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// Project writes a case's state to the records. An older revision changes nothing.
func (w *Work) Project(ctx context.Context, ask workflows.ProjectAsk) error {
	s := ask.State
	p := records.Projection{
		Now: w.Now(),
		Case: records.Case{
			Ref: s.Ref, Account: ask.Account, Platform: ask.Platform, Ordinal: s.Ordinal, State: s.State,
			Revision: s.Revision, EvidenceRevision: s.EvidenceRevision, Route: s.Route, OpenedAt: s.OpenedAt,
			ClosedAt: ask.ClosedAt, CloseReason: s.CloseReason, Claim: s.Claim, Findings: s.Findings, File: ask.File,
			FileDigest: ask.FileDigest, Previous: s.Previous, Flags: s.Flags, ChainSeq: s.Chain.Seq, ChainHash: s.Chain.Hash,
		},
	}
	for _, o := range ask.Opinions {
		p.Opinions = append(p.Opinions, records.OpinionRow{Case: s.Ref, Opinion: o})
	}
	for _, c := range s.Comments {
		p.Comments = append(p.Comments, records.CommentRow{ID: c.ID, Case: s.Ref, Person: c.Person, At: c.At, Text: c.Text})
	}
	if s.Decision != nil {
		p.Decision = decisionRow(s, ask)
		if s.DecisionState != casefile.DecisionWithdrawn {
			p.Case.Decision = s.Decision.ID
		}
	}
	err := w.Records.Project(ctx, p)
	if err != nil {
		return fmt.Errorf("project the case: %w", err)
	}
	return nil
}

// decisionRow is the decision as the case's workflow knows it. Once the case is closed, the row is
// its takedown's.
func decisionRow(s workflows.CaseState, ask workflows.ProjectAsk) *records.DecisionRow {
	if s.State == casefile.StateClosed {
		return nil
	}
	row := &records.DecisionRow{Decision: *s.Decision, State: s.DecisionState, Hash: s.DecisionHash, Bundle: ask.Bundle}
	if ask.Bundle != nil {
		e, err := casefile.ParseEntry(ask.Bundle.Entry)
		if err == nil {
			row.Event = e.Event
		}
	}
	return row
}
