package backup

import (
	"context"
	"fmt"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// doubt makes uncertain what the platforms may have been asked for since the log's lost end: every act of a
// decision that stood, which has no outcome; the end of a timed one whose time has come; and what a
// reinstatement was taking back.
func (m *Mover) doubt(ctx context.Context, moved *Moved) error {
	for after := ""; ; {
		rows, err := m.Records.EveryDecision(ctx, after, page)
		if err != nil {
			return fmt.Errorf("list decisions: %w", err)
		}
		for _, d := range rows {
			after = d.Decision.ID
			err = m.doubtDecision(ctx, d, moved)
			if err != nil {
				return fmt.Errorf("doubt decision %s: %w", after, err)
			}
		}
		if len(rows) < page {
			return nil
		}
	}
}

func (m *Mover) doubtDecision(ctx context.Context, d records.DecidedActs, moved *Moved) error {
	falls, err := m.falls(ctx, d.Decision.ID)
	if err != nil {
		return err
	}
	for _, act := range casefile.PlanActs(d.Decision, d.Decision.Relied()) {
		var done casefile.ActState
		for _, r := range d.Acts {
			if r.Act.Number == act.Number && r.Direction == casefile.Do {
				done = r.State
			}
		}
		switch d.State {
		case casefile.DecisionGrace, casefile.DecisionRecorded, casefile.DecisionExecuting, casefile.DecisionUncertain:
			err = m.unknown(ctx, act, casefile.Do, false, moved)
			if err != nil {
				return err
			}
		}
		ends := act.Until != nil && !act.Until.After(m.Now())
		if (done == casefile.ActDone || done == casefile.ActUncertain) && (ends || falls) {
			err = m.unknown(ctx, act, casefile.Undo, false, moved)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// falls says that a decision's acts were being taken back.
func (m *Mover) falls(ctx context.Context, decision string) (bool, error) {
	appeals, err := m.Records.DecisionAppeals(ctx, decision)
	if err != nil {
		return false, err
	}
	for _, a := range appeals {
		if a.State == casefile.AppealUpheld || a.State == casefile.AppealIncomplete {
			return true, nil
		}
	}
	return false, nil
}
