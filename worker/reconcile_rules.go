package worker

import (
	"fmt"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// auditedDecision is what is compared of a decision's row and its acts: with their proofs and opinions, all
// decisions would not fit into memory.
type auditedDecision struct {
	id    string
	state casefile.DecisionState
	why   string
	event casefile.EventID
	hash  string
	proof string // hash of the entry in its proof bundle, "" where it has none
	needs bool   // it takes acts to carry it out
	acts  []auditedAct
}

type auditedAct struct {
	actKey
	state   casefile.ActState
	started bool
	timed   bool
	// doubted says that a restore made it uncertain, behind a log whose end was lost: whether it was planned
	// is not known.
	doubted bool
}

// auditedAppeal is what is compared of an appeal's row.
type auditedAppeal struct {
	id       string
	decision string
	state    casefile.AppealState
	event    casefile.EventID
	hash     string
	proof    string
}

func auditDecision(row records.DecidedActs) auditedDecision {
	d := auditedDecision{
		id: row.Decision.ID, state: row.State, why: row.Why, event: row.Event, hash: row.Hash, proof: proofHash(row.Bundle),
		needs: len(casefile.PlanActs(row.Decision, row.Decision.Relied())) > 0,
	}
	for _, a := range row.Acts {
		d.acts = append(d.acts, auditedAct{
			actKey: actKey{a.Act.Number, a.Direction}, state: a.State, started: a.StartedAt != nil, timed: a.Act.Until != nil,
			doubted: a.StartedAt == nil && a.State == casefile.ActUncertain && a.Why == casefile.WhyRestored,
		})
	}
	return d
}

func auditAppeal(row records.AppealRow) auditedAppeal {
	return auditedAppeal{id: row.ID, decision: row.Decision, state: row.State, event: row.Event, hash: row.Hash, proof: proofHash(row.Bundle)}
}

func proofHash(b *casefile.Bundle) string {
	if b == nil {
		return ""
	}
	return casefile.EntryHash(b.Entry)
}

// undoWhy is the reason that a decision's row gives for what a reinstatement could not take back.
const undoWhy = "undo"

// concluded says that the outcome's entry of a direction must be in the log: the row's state comes after.
func (d auditedDecision) concluded(dir casefile.Direction) bool {
	undo := d.why == undoWhy && (d.state == casefile.DecisionFailed || d.state == casefile.DecisionUncertain)
	if dir == casefile.Undo {
		return undo || d.state == casefile.DecisionEnded || d.state == casefile.DecisionUndone
	}
	switch d.state {
	case casefile.DecisionDone, casefile.DecisionEnded:
		return true
	case casefile.DecisionFailed, casefile.DecisionUncertain:
		return !undo
	}
	return false
}

// final says that no act of a direction waits for a person any more, as far as the row knows.
func (d auditedDecision) final(dir casefile.Direction) bool {
	return d.concluded(dir) && d.state != casefile.DecisionUncertain
}

// lacks says what the log lacks of a row that was read before it, and how many steps are under way.
func (l *loggedThings) lacks(d auditedDecision) (differ []Difference, waits int) {
	logged := l.decisions[d.id]
	if logged == nil {
		logged = &loggedDecision{id: d.id}
	}
	add := func(missing Missing, typ casefile.EntryType, event casefile.EventID, k actKey, format string, args ...any) {
		differ = append(differ, Difference{Missing: missing, Type: typ, Event: event, Decision: d.id, Act: k.number, Direction: k.dir, What: fmt.Sprintf(format, args...)})
	}
	early := d.state == casefile.DecisionGrace || d.state == casefile.DecisionWithdrawn
	switch {
	case d.event == "" && d.hash == "" && d.proof == "":
		if !early {
			add(MissingEntry, casefile.EntryDecision, "", actKey{}, "the decision is %s and names no entry of the log", d.state)
		}
	case d.proof == "" || d.hash != d.proof:
		add(MissingAgreement, casefile.EntryDecision, d.event, actKey{}, "the row's proof is not of the entry that the row names")
	case !slices.ContainsFunc(logged.entries, func(e *loggedEntry) bool { return e.hash == d.hash && e.event == d.event }):
		add(MissingEntry, casefile.EntryDecision, d.event, actKey{}, "the log does not hold the decision's entry %s", d.hash)
	}
	for _, a := range d.acts {
		said := logged.acts[a.actKey]
		if said == nil {
			said = &loggedAct{}
		}
		if (a.started || a.state != casefile.ActPlanned && !a.doubted) && said.planned == "" && (a.dir == casefile.Do || !a.timed) {
			add(MissingEntry, casefile.EntryActsPlanned, "", a.actKey, "the act was begun, and no plan in the log names it")
		}
		switch {
		case a.state == casefile.ActPlanned || a.state == said.state:
		case said.said == "" && d.concluded(a.dir) && (d.state != casefile.DecisionUncertain || a.state == casefile.ActUncertain):
			add(MissingEntry, casefile.EntryActsOutcome, "", a.actKey, "the act is %s, and no outcome in the log names it", a.state)
		case said.said == "":
			waits++
		case said.state == casefile.ActUncertain && !d.final(a.dir):
			waits++ // a person has established it; that goes on the log next
		case a.state == casefile.ActUncertain: // the row was established since; it is read again
		default:
			add(MissingAgreement, said.typ, said.said, a.actKey, "the act is %s, the log says %s", a.state, said.state)
		}
	}
	for _, dir := range []casefile.Direction{casefile.Do, casefile.Undo} {
		if d.needs && d.concluded(dir) && logged.outcomes[dir] == "" {
			add(MissingEntry, casefile.EntryActsOutcome, "", actKey{dir: dir}, "the decision is %s, and the log holds no outcome of its acts", d.state)
		}
	}
	return differ, waits
}

// lacksOfAppeal says what the log lacks of an appeal's row that was read before it.
func (l *loggedThings) lacksOfAppeal(a auditedAppeal) (differ []Difference) {
	logged := l.appeals[a.id]
	if logged == nil {
		logged = &loggedAppeal{}
	}
	add := func(missing Missing, typ casefile.EntryType, event casefile.EventID, format string, args ...any) {
		differ = append(differ, Difference{Missing: missing, Type: typ, Event: event, Decision: a.decision, Appeal: a.id, What: fmt.Sprintf(format, args...)})
	}
	ended := a.state == casefile.AppealReinstated || a.state == casefile.AppealIncomplete
	switch {
	case a.event == "" && a.hash == "" && a.proof == "":
		if ended || a.state == casefile.AppealRejected || a.state == casefile.AppealUpheld {
			add(MissingEntry, casefile.EntryAppealRuling, "", "the appeal is %s and names no entry of the log", a.state)
		}
	case a.proof == "" || a.hash != a.proof:
		add(MissingAgreement, casefile.EntryAppealRuling, a.event, "the row's proof is not of the entry that the row names")
	case !slices.ContainsFunc(logged.rulings, func(e *loggedEntry) bool { return e.hash == a.hash && e.event == a.event }):
		add(MissingEntry, casefile.EntryAppealRuling, a.event, "the log does not hold the ruling's entry %s", a.hash)
	}
	if ended && logged.undone == "" {
		add(MissingEntry, casefile.EntryActsOutcome, "", "the appeal is %s, and the log holds no outcome of its reinstatement", a.state)
	}
	return differ
}

// settledRow says what a row lacks of the entry of a decision or a ruling.
func settledRow(entries []*loggedEntry, there bool, hash string, add func(missing Missing, e *loggedEntry, format string, args ...any)) (waits int) {
	for _, e := range entries {
		switch {
		case !there:
			add(MissingRow, e, "the records have no row of it")
		case hash == "" && !e.passed:
			waits++ // its proof is about to be recorded
		case hash == "":
			add(MissingRow, e, "its row names no entry, although the chain went on")
		case hash != e.hash:
			add(MissingAgreement, e, "its row names another entry, %s", hash)
		}
	}
	return waits
}

// lacks says what a decision's rows lack of what the log holds, if they were read after it.
func (l *loggedDecision) lacks(d auditedDecision, there bool) (differ []Difference, waits int) {
	waits = settledRow(l.entries, there, d.hash, func(missing Missing, e *loggedEntry, format string, args ...any) {
		differ = append(differ, Difference{Missing: missing, Type: casefile.EntryDecision, Event: e.event, Decision: l.id, What: fmt.Sprintf(format, args...)})
	})
	if !there && len(l.entries) == 0 {
		for _, dir := range []casefile.Direction{casefile.Do, casefile.Undo} {
			if event := l.planned[dir]; event != "" {
				differ = append(differ, Difference{Missing: MissingRow, Type: casefile.EntryActsPlanned, Event: event, Decision: l.id, Direction: dir, What: "the records have no row of the decision"})
			}
			if event := l.outcomes[dir]; event != "" {
				differ = append(differ, Difference{Missing: MissingRow, Type: casefile.EntryActsOutcome, Event: event, Decision: l.id, Direction: dir, What: "the records have no row of the decision"})
			}
		}
	}
	rows := map[actKey]casefile.ActState{}
	for _, a := range d.acts {
		rows[a.actKey] = a.state
	}
	for _, k := range sortedActs(l.acts) {
		a := l.acts[k]
		state, known := rows[k]
		add := func(missing Missing, typ casefile.EntryType, event casefile.EventID, format string, args ...any) {
			differ = append(differ, Difference{Missing: missing, Type: typ, Event: event, Decision: l.id, Act: k.number, Direction: k.dir, What: fmt.Sprintf(format, args...)})
		}
		switch {
		case !known && a.planned != "":
			add(MissingRow, casefile.EntryActsPlanned, a.planned, "the records have no row of the act")
		case !known && k.dir == casefile.Undo && a.state == casefile.ActFailed: // refused before anything was written down
		case !known:
			add(MissingRow, a.typ, a.said, "the records have no row of the act")
		case a.said == "" || a.state == state:
		case a.state == casefile.ActFailed && state == casefile.ActPlanned: // refused before it began
		case a.state == casefile.ActUncertain && state != casefile.ActPlanned: // established since
		case state == casefile.ActPlanned:
			add(MissingRow, a.typ, a.said, "the log says %s, the row has no outcome", a.state)
		default:
			add(MissingAgreement, a.typ, a.said, "the log says %s, the row %s", a.state, state)
		}
	}
	return differ, waits
}

func sortedActs(acts map[actKey]*loggedAct) []actKey {
	keys := make([]actKey, 0, len(acts))
	for k := range acts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b actKey) int {
		if a.number != b.number {
			return a.number - b.number
		}
		return len(a.dir) - len(b.dir)
	})
	return keys
}

// lacks says what an appeal's row lacks of what the log holds, if it was read after it.
func (l *loggedAppeal) lacks(a auditedAppeal, there bool) (differ []Difference, waits int) {
	waits = settledRow(l.rulings, there, a.hash, func(missing Missing, e *loggedEntry, format string, args ...any) {
		differ = append(differ, Difference{Missing: missing, Type: casefile.EntryAppealRuling, Event: e.event, Appeal: l.id, What: fmt.Sprintf(format, args...)})
	})
	if l.undoes != "" && (!there || a.hash == "") {
		differ = append(differ, Difference{Missing: MissingRow, Type: l.undoType, Event: l.undoes, Appeal: l.id, What: "the records have no proven ruling that this reinstatement answers to"})
	}
	return differ, waits
}
