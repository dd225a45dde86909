package backup

import (
	"context"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// appeal moves an appeal on to its ruling and what that came to.
func (m *Mover) appeal(ctx context.Context, l *logged, a *loggedAppeal, moved *Moved) error {
	row, err := m.Records.Appeal(ctx, a.id)
	known := err == nil
	if err != nil && casefile.ErrorCode(err) != casefile.CodeNotFound {
		return err
	}
	if a.ruling == nil {
		if !known {
			moved.LostAppeals = append(moved.LostAppeals, a.id)
		}
		return nil
	}
	d, err := m.Records.Decision(ctx, a.decision)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		moved.LostAppeals = append(moved.LostAppeals, a.id)
		return nil
	}
	if err != nil {
		return err
	}
	ruling, err := casefile.ReadRuling(a.ruling.Entry, d.Decision.Account)
	if err != nil {
		return err
	}
	if known && row.Ruling != nil && row.Ruling.ID == ruling.ID {
		ruling = *row.Ruling // with its words
	}
	if ruling.Form == "" && ruling.Outcome == casefile.OutcomeUpheld && !a.planned && !a.concluded {
		if !known {
			moved.LostAppeals = append(moved.LostAppeals, a.id)
		}
		return nil // nothing was taken back: it is ruled on again
	}
	if !known {
		row, known, err = m.appealAgain(ctx, l, a, d)
		if err != nil || !known {
			return err
		}
	}
	if row.Bundle == nil || m.Lost {
		err = m.proveRuling(ctx, a, row, ruling)
		if err != nil {
			return err
		}
		moved.Appeals++
	}
	switch {
	case a.concluded:
		return m.undone(ctx, a, d.Decision)
	case ruling.Form == "" && ruling.Outcome == casefile.OutcomeUpheld:
		return m.FinishUndo(ctx, d.Decision, a.id, casefile.AppealIncomplete, casefile.WhyRestored)
	}
	return nil
}

// appealAgain writes the row of an appeal down that was opened after the backup.
func (m *Mover) appealAgain(ctx context.Context, l *logged, a *loggedAppeal, d records.DecisionRow) (records.AppealRow, bool, error) {
	row := records.AppealRow{
		ID: a.id, Kind: a.kind, Decision: a.decision, Case: d.Decision.Case, Platform: d.Decision.Platform, Account: d.Decision.Account,
		DueAt: a.dueAt,
	}
	if a.opened != nil {
		row.OpenedBy, row.OpenedAt = a.opened.Actor, a.opened.at
	}
	if n := l.decisions[a.decision]; n != nil && n.notice != nil && a.kind == casefile.AppealByAccount {
		row.Notice = n.notice.Number
	}
	return m.Records.PutAppeal(ctx, row)
}

func (m *Mover) proveRuling(ctx context.Context, a *loggedAppeal, row records.AppealRow, ruling casefile.AppealRuling) error {
	bundle, err := m.Prove(ctx, a.ruling.index)
	if err != nil {
		return err
	}
	p := records.AppealProjection{
		ID: a.id, State: casefile.AppealRejected, Revision: row.Revision + 1, Late: row.Late, Ruling: &ruling,
		Event: a.ruling.Event, Hash: a.ruling.hash, Bundle: &bundle, Now: m.Now(),
	}
	if ruling.Outcome == casefile.OutcomeUpheld {
		p.State = casefile.AppealUpheld
	}
	return m.Records.ProjectAppeal(ctx, p)
}

// undone records what a reinstatement came to.
func (m *Mover) undone(ctx context.Context, a *loggedAppeal, d casefile.Decision) error {
	row, err := m.Records.Appeal(ctx, a.id)
	if err != nil || row.State == casefile.AppealReinstated {
		return err
	}
	acts, err := m.Records.Acts(ctx, d.ID)
	if err != nil {
		return err
	}
	state, why := casefile.AppealReinstated, ""
	for _, r := range acts {
		if r.Direction == casefile.Undo && (r.State == casefile.ActUncertain || r.State == casefile.ActFailed || r.State == casefile.ActPlanned) {
			state, why = casefile.AppealIncomplete, r.Why
		}
	}
	return m.FinishUndo(ctx, d, a.id, state, why)
}
