package backup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
)

// page bounds how many rows are read at once.
const page = 200

// Mover moves restored records on from a log, which is ahead of them. Nobody else may use the records
// meanwhile. Moving on again changes nothing more.
type Mover struct {
	Records records.Store
	// Prove gives the proof of the entry at an index of the log.
	Prove func(ctx context.Context, index uint64) (casefile.Bundle, error)
	// Finish records how far a takedown has come, with strike and taken-down handle; FinishUndo what a
	// reinstatement came to. They are what the workflows ask for at these steps.
	Finish     func(ctx context.Context, d casefile.Decision, state casefile.DecisionState, why string) error
	FinishUndo func(ctx context.Context, d casefile.Decision, appeal string, state casefile.AppealState, why string) error
	// Lost says that the log's end was lost: what the platforms may have been asked for since is not known.
	Lost bool
	Now  func() time.Time
}

// Moved is what came of it. Everything listed needs a person.
type Moved struct {
	// Decisions, Acts and Cases are how many rows were moved on.
	Decisions int `json:"decisions"`
	Acts      int `json:"acts"`
	Cases     int `json:"cases"`
	Appeals   int `json:"appeals"`
	// Uncertain are acts that may have happened and of which nothing is known.
	Uncertain []string `json:"uncertain"`
	// Unplaced are decisions in the log about cases that the restored records do not know.
	Unplaced []string `json:"unplaced"`
	// Wordless are decisions whose words were sealed after the backup: they stand, and nothing more can
	// be done for them. Again are those of them that nothing was begun for: their cases are judged again.
	Wordless []string `json:"wordless"`
	Again    []string `json:"again"`
	// LostAppeals were opened after the backup: the complaint's words are gone, it can be made again.
	LostAppeals []string `json:"lost_appeals"`
	// Holds are how many entries of the log about holds came after what the records know.
	Holds int `json:"holds"`
}

// MoveOn brings the records up to what the log says.
func (m *Mover) MoveOn(ctx context.Context, src verify.Source, key string) (Moved, error) {
	moved := Moved{Uncertain: []string{}, Unplaced: []string{}, Wordless: []string{}, Again: []string{}, LostAppeals: []string{}}
	l, err := readLogged(ctx, src, key)
	if err != nil {
		return moved, err
	}
	for _, id := range l.order {
		err = m.decision(ctx, l, l.decisions[id], &moved)
		if err != nil {
			return moved, fmt.Errorf("move decision %s on: %w", id, err)
		}
	}
	for _, id := range l.asked {
		err = m.appeal(ctx, l, l.appeals[id], &moved)
		if err != nil {
			return moved, fmt.Errorf("move appeal %s on: %w", id, err)
		}
	}
	for ref, c := range l.cases {
		err = m.close(ctx, l, ref, c, &moved)
		if err != nil {
			return moved, fmt.Errorf("move case %s on: %w", ref, err)
		}
	}
	err = m.system(ctx, l, &moved)
	if err != nil {
		return moved, err
	}
	if m.Lost {
		err = m.doubt(ctx, &moved)
	}
	slices.Sort(moved.Uncertain)
	return moved, err
}

// decision moves a decision, its acts and its notice on.
func (m *Mover) decision(ctx context.Context, l *logged, d *loggedDecision, moved *Moved) error {
	row, err := m.Records.Decision(ctx, d.id)
	known := err == nil
	if err != nil && casefile.ErrorCode(err) != casefile.CodeNotFound {
		return err
	}
	switch {
	case d.entry == nil && !d.withdrawn, !known && d.withdrawn:
		return nil
	case d.withdrawn && d.entry == nil:
		if row.State != casefile.DecisionGrace {
			return nil
		}
		moved.Decisions++
		return m.Records.AdvanceDecision(ctx, d.id, casefile.DecisionWithdrawn, "", nil, m.Now())
	}
	decision := row.Decision
	if known {
		c, err := m.Records.Case(ctx, decision.Case)
		if err != nil || c.ErasedAt != nil { // its words are gone, and so is what an act would need
			return err
		}
	}
	if !known {
		decision, err = m.readBack(ctx, d)
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			moved.Unplaced = append(moved.Unplaced, d.id)
			return nil
		}
		if err != nil {
			return err
		}
	}
	if !known || row.Bundle == nil || m.Lost {
		err = m.prove(ctx, d, decision, known && row.Bundle != nil)
		if err != nil {
			return err
		}
		moved.Decisions++
	}
	if decision.WordsLost() && !known {
		moved.Wordless = append(moved.Wordless, d.id)
		if !begun(d) && len(casefile.PlanActs(decision, decision.Relied())) > 0 {
			moved.Again = append(moved.Again, d.id)
		}
	}
	err = m.acts(ctx, l, d, decision, moved)
	if err != nil {
		return err
	}
	err = m.conclude(ctx, d, decision)
	if err != nil {
		return err
	}
	return m.notice(ctx, d, decision)
}

// begun says that a decision's acts may have been begun: their plan is put on the log before the first.
func begun(d *loggedDecision) bool { return d.planned[casefile.Do] || d.concluded[casefile.Do] }

func (m *Mover) readBack(ctx context.Context, d *loggedDecision) (casefile.Decision, error) {
	chain, _, err := d.entry.Event.Split()
	if err != nil {
		return casefile.Decision{}, err
	}
	ref := casefile.CaseRef(chain[len(casefile.CaseChain("")):])
	c, err := m.Records.Case(ctx, ref)
	if err != nil {
		return casefile.Decision{}, err
	}
	return casefile.ReadDecision(d.entry.Entry, c.Account)
}

// prove gives a decision's row its entry and proof. A case that is open is decided by it, unless nothing was
// begun for a decision whose words are gone: then people judge it again.
func (m *Mover) prove(ctx context.Context, d *loggedDecision, decision casefile.Decision, proven bool) error {
	bundle, err := m.Prove(ctx, d.entry.index)
	if err != nil {
		return err
	}
	return m.project(ctx, decision.Case, func(c *records.Case, p *records.Projection) {
		p.Decision = &records.DecisionRow{
			Decision: decision, State: casefile.DecisionRecorded, Event: d.entry.Event, Hash: d.entry.hash, Bundle: &bundle,
		}
		if c.State.Open() && !proven && !decision.WordsLost() {
			c.State, c.Claim, c.Decision = casefile.StateProven, nil, decision.ID
		}
	})
}

// project writes a case's row again under the next revision, with what change makes of it.
func (m *Mover) project(ctx context.Context, ref casefile.CaseRef, change func(c *records.Case, p *records.Projection)) error {
	row, err := m.Records.Case(ctx, ref)
	if err != nil {
		return err
	}
	account, err := m.Records.Account(ctx, row.Account)
	if err != nil {
		return err
	}
	p := records.Projection{Case: row, Now: m.Now()}
	p.Case.Revision = max(row.Revision, account.Revision) + 1
	change(&p.Case, &p)
	return m.Records.Project(ctx, p)
}

// acts moves a decision's acts on.
func (m *Mover) acts(ctx context.Context, l *logged, d *loggedDecision, decision casefile.Decision, moved *Moved) error {
	for _, act := range casefile.PlanActs(decision, decision.Relied()) {
		for _, dir := range []casefile.Direction{casefile.Do, casefile.Undo} {
			out, said := d.acts[actKey{act.Number, dir}]
			out.Act, out.Direction = act, dir
			said = said && out.State != casefile.ActPlanned
			var err error
			switch {
			case said:
				err = m.outcome(ctx, out, moved)
			case d.open[dir] && (dir == casefile.Do || d.acts[actKey{act.Number, casefile.Do}].State != ""):
				wordless := decision.WordsLost()
				if dir == casefile.Undo && !wordless {
					wordless, err = m.rulingLost(ctx, l, d.id)
				}
				if err == nil {
					err = m.unknown(ctx, act, dir, wordless, moved)
				}
			case dir == casefile.Undo && act.Until != nil && !act.Until.After(l.last) && d.acts[actKey{act.Number, casefile.Do}].State == casefile.ActDone:
				err = m.unknown(ctx, act, dir, decision.WordsLost(), moved) // its time had come
			}
			if err != nil {
				return fmt.Errorf("act %d (%s): %w", act.Number, dir, err)
			}
		}
	}
	return nil
}

// rulingLost says that a decision fell by a ruling whose words the records do not know.
func (m *Mover) rulingLost(ctx context.Context, l *logged, decision string) (bool, error) {
	for _, id := range l.asked {
		a := l.appeals[id]
		if a.decision != decision || a.ruling == nil || !a.planned {
			continue
		}
		row, err := m.Records.Appeal(ctx, id)
		if err != nil && casefile.ErrorCode(err) != casefile.CodeNotFound {
			return false, err
		}
		if err != nil || row.Ruling == nil || row.Ruling.Form == "" {
			return true, nil
		}
	}
	return false, nil
}

// plan gives the row of one direction of an act, writing it down where there is none.
func (m *Mover) plan(ctx context.Context, act casefile.Act, dir casefile.Direction) (records.ActRow, error) {
	rows, err := m.Records.Acts(ctx, act.Decision)
	if err != nil {
		return records.ActRow{}, err
	}
	fresh := records.ActRow{Act: act, Direction: dir, State: casefile.ActPlanned, PlannedAt: m.Now()}
	for _, r := range rows {
		if r.Act.Number == act.Number && r.Direction == dir {
			return r, nil
		}
		if r.Act.Number == act.Number {
			fresh.Undo, fresh.UndoDigest = r.Undo, r.UndoDigest
		}
	}
	stand, err := m.Records.PlanActs(ctx, []records.ActRow{fresh})
	if err != nil {
		return records.ActRow{}, err
	}
	return stand[0], nil
}

// outcome writes an act's outcome as the log has it.
func (m *Mover) outcome(ctx context.Context, out casefile.ActOutcome, moved *Moved) error {
	row, err := m.plan(ctx, out.Act, out.Direction)
	if err != nil {
		return err
	}
	switch {
	case row.State == casefile.ActPlanned:
		_, err = m.Records.EndAct(ctx, out)
		moved.Acts++
	case row.State == casefile.ActUncertain && (out.State == casefile.ActDone || out.State == casefile.ActFailed):
		_, err = m.Records.SettleAct(ctx, out)
		moved.Acts++
	}
	return err
}

// unknown notes of an act that it may have been begun. Where its takedown can go on, that asks the platform
// what became of it, as after any crash; else, and behind a lost end of the log, it is uncertain.
func (m *Mover) unknown(ctx context.Context, act casefile.Act, dir casefile.Direction, wordless bool, moved *Moved) error {
	row, err := m.plan(ctx, act, dir)
	if err != nil || row.State != casefile.ActPlanned {
		return err
	}
	if !m.Lost && !wordless {
		_, _, err = m.Records.BeginAct(ctx, act, dir, m.Now())
		if casefile.ErrorCode(err) != casefile.CodePaused {
			return err
		}
	}
	moved.Uncertain = append(moved.Uncertain, act.Key(dir))
	_, err = m.Records.EndAct(ctx, casefile.ActOutcome{Act: act, Direction: dir, State: casefile.ActUncertain, At: m.Now(), Why: casefile.WhyRestored})
	return err
}

// conclude moves the decision's state on to what its acts came to by the log.
func (m *Mover) conclude(ctx context.Context, d *loggedDecision, decision casefile.Decision) error {
	acts := casefile.PlanActs(decision, decision.Relied())
	if len(acts) == 0 {
		return m.step(ctx, decision, casefile.DecisionDone, "")
	}
	if !begun(d) {
		return nil
	}
	state, why := stateOf(d, acts, casefile.Do)
	if state == casefile.DecisionUncertain || state != casefile.DecisionDone && (!d.concluded[casefile.Do] || d.open[casefile.Do]) {
		return m.step(ctx, decision, casefile.DecisionExecuting, "")
	}
	err := m.step(ctx, decision, state, why)
	if err != nil || !d.ended {
		return err
	}
	state, why = stateOf(d, acts, casefile.Undo)
	if state == casefile.DecisionUncertain {
		return nil
	}
	if state == casefile.DecisionDone {
		state = casefile.DecisionEnded
	}
	return m.step(ctx, decision, state, why)
}

// stateOf is what a direction of a decision's acts came to.
func stateOf(d *loggedDecision, acts []casefile.Act, dir casefile.Direction) (casefile.DecisionState, string) {
	state, why := casefile.DecisionDone, ""
	for _, a := range acts {
		out, said := d.acts[actKey{a.Number, dir}]
		switch {
		case dir == casefile.Undo && (a.Until == nil || out.State == casefile.ActSkipped):
		case said && out.State == casefile.ActUncertain:
			return casefile.DecisionUncertain, out.Why
		case said && (out.State == casefile.ActDone || out.State == casefile.ActUndone):
		case state == casefile.DecisionDone:
			state, why = casefile.DecisionFailed, out.Why
		}
	}
	return state, why
}

// step moves a decision on; one that has gone further stays there.
func (m *Mover) step(ctx context.Context, decision casefile.Decision, state casefile.DecisionState, why string) error {
	err := m.Finish(ctx, decision, state, why)
	if casefile.ErrorCode(err) == casefile.CodeState {
		return nil
	}
	return err
}

// notice writes down what the log says of the notice, and of one that may have been delivered that it was
// begun: a platform that does not keep numbers apart is not asked again.
func (m *Mover) notice(ctx context.Context, d *loggedDecision, decision casefile.Decision) error {
	ref := decision.Notice()
	if d.notice == nil {
		if ref == nil || ref.Number == "" || !begun(d) {
			return nil
		}
		_, err := m.Records.BeginDelivery(ctx, ref.Number, m.Now())
		return err
	}
	n := records.NoticeRow{Number: d.notice.Number, Decision: d.id, Case: decision.Case, State: casefile.NoticePlanned, At: m.Now()}
	if ref != nil {
		n.Text, n.Digest = ref.Text, ref.Digest
	}
	_, err := m.Records.PutNotice(ctx, n)
	if err != nil {
		return err
	}
	return m.Records.SetNoticeState(ctx, n.Number, d.notice.State, m.Now())
}

// close closes a case that the log says is closed, or that was decided and carried out by a decision whose
// words are gone: nothing is left to be decided in it.
func (m *Mover) close(ctx context.Context, l *logged, ref casefile.CaseRef, c *loggedCase, moved *Moved) error {
	row, err := m.Records.Case(ctx, ref)
	if casefile.ErrorCode(err) == casefile.CodeNotFound || err == nil && !row.State.Open() {
		return nil
	}
	if err != nil {
		return err
	}
	reason, at := c.reason, m.Now()
	if c.closed == nil {
		d, err := m.Records.Decision(ctx, c.decision)
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		said := l.decisions[c.decision]
		if !d.Decision.WordsLost() || said.withdrawn || !begun(said) && len(casefile.PlanActs(d.Decision, d.Decision.Relied())) > 0 {
			return nil
		}
		reason = casefile.CloseDecided
	} else {
		at = c.closed.at
		if said := l.decisions[c.decision]; said != nil && slices.Contains(moved.Again, said.id) {
			return nil // nothing was done for it
		}
	}
	moved.Cases++
	return m.project(ctx, ref, func(r *records.Case, _ *records.Projection) {
		r.State, r.Claim, r.CloseReason, r.ClosedAt = casefile.StateClosed, nil, reason, &at
		if c.decision != "" {
			r.Decision = c.decision
		}
	})
}
