package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// KindBlindOpinion is the kind under which the codes of an opinion that is not shown yet are sealed: a
// casefile.Opinion. It is a kind of its own, so that it cannot pass for the form of one.
const KindBlindOpinion evidence.Kind = "blind"

// Project writes a case's state to the records. An older revision changes nothing. While a case is
// undecided, an opinion stands there as no more than the fact that its author took part; its codes are
// sealed until the others may see them.
func (w *Work) Project(ctx context.Context, ask workflows.ProjectAsk) error {
	s := ask.State
	missed, err := w.compare(ctx, &s)
	if err != nil {
		return err
	}
	p := records.Projection{Now: w.Now(), Case: caseRow(s, ask), VoidOpinions: s.Voided, Referrals: s.Referrals, Handlings: s.Handled}
	if shows(s) {
		for _, o := range ask.Opinions {
			p.Opinions = append(p.Opinions, records.OpinionRow{Case: s.Ref, Opinion: o})
		}
	} else {
		p.Blind, err = w.blind(ctx, ask)
		if err != nil {
			return err
		}
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
	p.Parts, err = w.parts(ctx, s)
	if err != nil {
		return err
	}
	for _, t := range ask.Tellings {
		p.Tellings = append(p.Tellings, w.caseTelling(ask.Platform, s, t))
	}
	err = w.Records.Project(ctx, p)
	if err != nil {
		return fmt.Errorf("project the case: %w", err)
	}
	projected(ask)
	if w.Missed != nil {
		for _, kind := range missed {
			w.Missed(s.Queue, kind)
		}
	}
	return nil
}

// caseRow is the case's row without its decision.
func caseRow(s workflows.CaseState, ask workflows.ProjectAsk) records.Case {
	row := records.Case{
		Ref: s.Ref, Account: ask.Account, Platform: ask.Platform, Ordinal: s.Ordinal, State: s.State,
		Revision: s.Revision, EvidenceRevision: s.EvidenceRevision, Route: s.Route, OpenedAt: s.OpenedAt,
		ClosedAt: ask.ClosedAt, CloseReason: s.CloseReason, Claim: s.Claim, Findings: s.Findings, File: ask.File,
		FileDigest: ask.FileDigest, Previous: s.Previous, Flags: s.Flags, ChainSeq: s.Chain.Seq, ChainHash: s.Chain.Hash,

		Stage: s.Stage, Rank: records.RankOf(s.Route.Severity, s.Raised, s.Threat), Raised: s.Raised, Threat: s.Threat,
		NotBefore: s.NotBefore, AssignedTo: s.AssignedTo, Missed: s.Missed, Attached: s.AlreadyDecided, Round: s.Round,
	}
	if s.Queue != "" {
		row.Route.Queue = s.Queue
	}
	for _, x := range s.Referrals {
		if x.Kind.Restricts() {
			row.Restricted = x.Kind
			break
		}
	}
	return row
}

// compare looks at the case's row where the state alone does not say enough. It gives the deadlines
// missed since. A run that took the place of a lost one and goes straight to the end knows no route:
// what the records have of it stands. And a decision that was still in its grace time when its run was
// lost is withdrawn here, for nobody else knows of it any more.
func (w *Work) compare(ctx context.Context, s *workflows.CaseState) ([]casefile.DeadlineKind, error) {
	routed, voids := s.Route.Rule != "", s.Round > 0 && s.Decision == nil
	if routed && !voids && len(s.Missed) == 0 {
		return nil, nil
	}
	row, err := w.Records.Case(ctx, s.Ref)
	if err != nil {
		return nil, fmt.Errorf("read the case's row: %w", err)
	}
	if row.Revision >= s.Revision {
		return nil, nil // this projection was made before
	}
	if !routed {
		keepRoute(s, row)
	}
	if voids && row.Decision != "" {
		err = w.voidDecision(ctx, row.Decision)
		if err != nil {
			return nil, err
		}
	}
	var missed []casefile.DeadlineKind
	for _, kind := range s.Missed {
		if !slices.Contains(row.Missed, kind) {
			missed = append(missed, kind)
		}
	}
	return missed, nil
}

// keepRoute takes what a run without an assessment lacks from the row.
func keepRoute(s *workflows.CaseState, row records.Case) {
	s.Route, s.Findings, s.Flags = row.Route, row.Findings, max(s.Flags, row.Flags)
	if s.Queue == "" {
		s.Queue = row.Route.Queue
	}
}

// voidDecision ends the row of a decision whose run was lost within its grace time.
func (w *Work) voidDecision(ctx context.Context, id string) error {
	d, err := w.Records.Decision(ctx, id)
	if err != nil {
		return fmt.Errorf("read a lost decision: %w", err)
	}
	if d.State != casefile.DecisionGrace {
		return nil
	}
	err = w.Records.AdvanceDecision(ctx, id, casefile.DecisionWithdrawn, "void", nil, w.Now())
	if err != nil {
		return fmt.Errorf("withdraw a lost decision: %w", err)
	}
	return nil
}

// shows says whether anybody but their authors may see a case's opinions.
func shows(s workflows.CaseState) bool {
	switch s.State {
	case casefile.StateDecided, casefile.StateProven, casefile.StateClosed:
		return true
	}
	return s.Stage == casefile.StageAdjudication || s.DecisionState == casefile.DecisionWithdrawn
}

// blind seals the codes of opinions that are not shown.
func (w *Work) blind(ctx context.Context, ask workflows.ProjectAsk) ([]records.BlindOpinion, error) {
	var out []records.BlindOpinion
	for _, o := range ask.Opinions {
		address, _, err := seal(ctx, w.Sealer, ask.Account, KindBlindOpinion, o)
		if err != nil {
			return nil, fmt.Errorf("seal a blind opinion: %w", err)
		}
		out = append(out, records.BlindOpinion{ID: o.ID, Case: ask.State.Ref, Person: o.Person, At: o.At, Sealed: address})
	}
	return out, nil
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
