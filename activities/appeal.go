package activities

import (
	"context"
	"fmt"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/workflows"
)

// fallenStates are those of an appeal whose ruling is proven and took the decision away.
var fallenStates = []casefile.AppealState{casefile.AppealUpheld, casefile.AppealReinstated, casefile.AppealIncomplete}

// fallen says whether a decision fell on appeal.
func fallen(ctx context.Context, rows records.Appeals, decision string) (bool, error) {
	list, err := rows.DecisionAppeals(ctx, decision)
	if err != nil {
		return false, fmt.Errorf("list the decision's appeals: %w", err)
	}
	return slices.ContainsFunc(list, func(a records.AppealRow) bool { return slices.Contains(fallenStates, a.State) }), nil
}

// TakeAppeal gives an appeal's workflow the row behind its start, with who must not decide it. Known is
// false where there is no row, its decision is not proven, or the appeal has come to its end: nothing of
// it is to be done. A ruling that a lost run accepted and did not prove goes along.
func (w *Work) TakeAppeal(ctx context.Context, ask workflows.TakeAppealAsk) (workflows.TakeAppealAnswer, error) {
	row, err := w.Records.Appeal(ctx, ask.Appeal)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return workflows.TakeAppealAnswer{}, nil
	}
	if err != nil {
		return workflows.TakeAppealAnswer{}, fmt.Errorf("read the appeal's row: %w", err)
	}
	if !row.State.Open() && row.State != casefile.AppealDecided {
		return workflows.TakeAppealAnswer{}, nil
	}
	d, err := w.Records.Decision(ctx, row.Decision)
	if err != nil {
		return workflows.TakeAppealAnswer{}, fmt.Errorf("read the decision appealed against: %w", err)
	}
	if d.Bundle == nil || d.Decision.Case != row.Case || d.Decision.Account != row.Account || d.Decision.Platform != row.Platform {
		w.Log.ErrorContext(ctx, "the appeal's decision is not proven, or another's", "appeal", row.ID, "decision", row.Decision)
		return workflows.TakeAppealAnswer{}, nil
	}
	answer := workflows.TakeAppealAnswer{
		Known: true, Kind: row.Kind, DueAt: row.DueAt, Digest: row.Digest, Opened: row.OpenedBy,
		Decision: workflows.ProvenDecision{Decision: d.Decision, Bundle: *d.Bundle},
		Settings: w.Settings, LastClaim: row.Revision, Revision: row.Revision, Team: w.Router.AppealTeam(),
	}
	if row.Claim != nil {
		answer.LastClaim = row.Claim.Number
	}
	if row.State == casefile.AppealDecided {
		answer.Ruling = row.Ruling
	}
	answer.Parts, err = tookPart(ctx, w.Records, d.Decision)
	if err == nil {
		crashpoint.Reach("33")
	}
	return answer, err
}

// ProjectAppeal writes an appeal's state to the records. An older revision changes nothing.
func (w *Work) ProjectAppeal(ctx context.Context, ask workflows.ProjectAppealAsk) error {
	s := ask.State
	p := records.AppealProjection{
		ID: s.Appeal, State: s.State, Revision: s.Revision, Late: s.Late, Claim: s.Claim, Ruling: s.Ruling,
		Event: s.Event, Hash: s.Hash, Bundle: ask.Bundle, Now: w.Now(),
	}
	for _, t := range ask.Tellings {
		row := w.tellingRow(t, s.Platform, s.Case, s.Appeal)
		if s.Kind == casefile.AppealEmergency && row.Kind == string(telling.KindAppealReceived) {
			row.Kind, row.Subject = string(telling.KindOrderReview), s.Decision
			row.ID = telling.ID(telling.KindOrderReview, t.ID)
		}
		p.Tellings = append(p.Tellings, row)
	}
	err := w.Records.ProjectAppeal(ctx, p)
	if err != nil {
		return fmt.Errorf("project the appeal: %w", err)
	}
	appealProjected(ask)
	return nil
}

// OrderReview writes the row of an emergency order's review; the one that stands already is answered.
func (w *Work) OrderReview(ctx context.Context, ask workflows.OrderReviewAsk) (workflows.OrderReviewAnswer, error) {
	d := ask.Decision
	row, _, err := w.Records.PutAppeal(ctx, records.AppealRow{
		ID: casefile.NewID(), Kind: casefile.AppealEmergency, Decision: d.ID, Case: d.Case, Platform: d.Platform, Account: d.Account,
		OpenedBy: casefile.System, OpenedAt: w.Now(), DueAt: ask.DueAt, State: casefile.AppealOpen,
	})
	if err != nil {
		return workflows.OrderReviewAnswer{}, fmt.Errorf("order the review of an emergency order: %w", err)
	}
	crashpoint.Reach("21")
	return workflows.OrderReviewAnswer{Appeal: row.ID}, nil
}

// FinishUndo records how far a reinstatement has come. The decision has fallen whatever became of its
// acts: its strike and the taken-down handle go. Its row says undone only where everything was taken
// back; otherwise it says what is outstanding.
func (w *Work) FinishUndo(ctx context.Context, ask workflows.FinishUndoAsk) error {
	d := ask.Decision
	state, why := casefile.DecisionUndone, ""
	if ask.State == casefile.AppealIncomplete {
		var err error
		state, why, err = w.outstanding(ctx, d.ID)
		if err != nil {
			return err
		}
	}
	err := w.Records.AdvanceDecision(ctx, d.ID, state, why, nil, w.Now())
	if err != nil && (state == casefile.DecisionUndone || casefile.ErrorCode(err) != casefile.CodeState) {
		return fmt.Errorf("record what became of the decision: %w", err)
	}
	// A decision that has come to its end stays ended where something of it is outstanding: the appeal
	// says so.
	err = w.Records.TakeBackStrike(ctx, d.ID, w.Now())
	if err != nil {
		return fmt.Errorf("take the strike back: %w", err)
	}
	err = w.Records.ForgetTakenDownHandle(ctx, d.Account)
	if err != nil {
		return fmt.Errorf("forget the taken-down handle: %w", err)
	}
	err = w.Records.EndAppeal(ctx, ask.Appeal, ask.State, ask.Why, w.Now())
	if err != nil {
		return fmt.Errorf("end the appeal: %w", err)
	}
	crashpoint.Reach("40")
	return nil
}

// outstanding says in what state a decision is that could not be taken back in full: uncertain where a
// person may yet establish something, failed otherwise.
func (w *Work) outstanding(ctx context.Context, decision string) (casefile.DecisionState, string, error) {
	rows, err := w.Records.Acts(ctx, decision)
	if err != nil {
		return "", "", fmt.Errorf("list the decision's acts: %w", err)
	}
	if slices.ContainsFunc(rows, func(r records.ActRow) bool { return r.State == casefile.ActUncertain }) {
		return casefile.DecisionUncertain, "undo", nil
	}
	return casefile.DecisionFailed, "undo", nil
}
