package worker

import (
	"encoding/json"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

// loggedThings are what the log says of decisions, acts and appeals.
type loggedThings struct {
	decisions map[string]*loggedDecision
	appeals   map[string]*loggedAppeal
	last      map[string]*loggedEntry // of the decisions and rulings, the last in each chain
}

// loggedEntry is the entry of a decision or a ruling.
type loggedEntry struct {
	event casefile.EventID
	hash  string
	// passed says that its chain went on behind it: that it was proven has then been recorded.
	passed bool
}

// actKey is one direction of an act of some decision.
type actKey struct {
	number int
	dir    casefile.Direction
}

// loggedAct is what the log says of one direction of an act.
type loggedAct struct {
	planned casefile.EventID   // "" for not planned
	said    casefile.EventID   // of the last entry that gives its outcome, "" for none
	typ     casefile.EntryType // of that entry
	state   casefile.ActState
}

// loggedDecision is what the log says of a decision.
type loggedDecision struct {
	id       string
	entries  []*loggedEntry
	acts     map[actKey]*loggedAct
	planned  map[casefile.Direction]casefile.EventID // a plan's entry
	outcomes map[casefile.Direction]casefile.EventID // the last outcome's entry
}

// loggedAppeal is what the log says of an appeal.
type loggedAppeal struct {
	id       string
	rulings  []*loggedEntry
	undoes   casefile.EventID   // the first entry of its reinstatement, "" for none
	undoType casefile.EntryType // of that entry
	undone   casefile.EventID   // the last outcome's entry of its reinstatement
}

func newLoggedThings() *loggedThings {
	return &loggedThings{decisions: map[string]*loggedDecision{}, appeals: map[string]*loggedAppeal{}, last: map[string]*loggedEntry{}}
}

func (l *loggedThings) decision(id string) *loggedDecision {
	d := l.decisions[id]
	if d == nil {
		d = &loggedDecision{
			id: id, acts: map[actKey]*loggedAct{},
			planned: map[casefile.Direction]casefile.EventID{}, outcomes: map[casefile.Direction]casefile.EventID{},
		}
		l.decisions[id] = d
	}
	return d
}

func (l *loggedThings) appeal(id string) *loggedAppeal {
	a := l.appeals[id]
	if a == nil {
		a = &loggedAppeal{id: id}
		l.appeals[id] = a
	}
	return a
}

func (d *loggedDecision) act(k actKey) *loggedAct {
	a := d.acts[k]
	if a == nil {
		a = &loggedAct{}
		d.acts[k] = a
	}
	return a
}

// take takes the log's next entry in. One that is logged again changes nothing; a body that cannot be
// read is the verification's to report.
func (l *loggedThings) take(e verify.TailEntry) {
	chain, _, err := e.Entry.Event.Split()
	if err != nil {
		return
	}
	if before := l.last[chain]; before != nil && before.hash != e.Hash && e.Entry.Type != casefile.EntryRestarted {
		// A run that took a lost one's place begins with its own entry, before it looks at the decision.
		before.passed = true
	}
	switch e.Entry.Type {
	case casefile.EntryDecision, casefile.EntryAppealRuling:
		l.takeSettled(chain, e)
	case casefile.EntryActsPlanned:
		l.takePlan(chain, e.Entry)
	case casefile.EntryActsOutcome:
		l.takeOutcome(chain, e.Entry)
	case casefile.EntryActSettled:
		var b casefile.SettledBody
		if json.Unmarshal(e.Entry.Body, &b) == nil {
			a := l.decision(b.Decision).act(actKey{b.Number, b.Direction})
			a.said, a.typ, a.state = e.Entry.Event, e.Entry.Type, b.State
		}
	}
}

func (l *loggedThings) takeSettled(chain string, e verify.TailEntry) {
	var b struct {
		Decision string `json:"decision"`
		Appeal   string `json:"appeal"`
	}
	if json.Unmarshal(e.Entry.Body, &b) != nil {
		return
	}
	entry := &loggedEntry{event: e.Entry.Event, hash: e.Hash}
	of := &l.decision(b.Decision).entries
	if e.Entry.Type == casefile.EntryAppealRuling {
		of = &l.appeal(b.Appeal).rulings
	}
	for _, before := range *of {
		if before.hash == e.Hash {
			return
		}
	}
	*of = append(*of, entry)
	l.last[chain] = entry
}

func (l *loggedThings) takePlan(chain string, e casefile.Entry) {
	var b struct {
		Decision string `json:"decision"`
		Acts     []struct {
			Number int `json:"number"`
		} `json:"acts"`
	}
	if json.Unmarshal(e.Body, &b) != nil {
		return
	}
	dir := l.reinstates(chain, e)
	d := l.decision(b.Decision)
	d.planned[dir] = e.Event
	for _, a := range b.Acts {
		d.act(actKey{a.Number, dir}).planned = e.Event
	}
}

func (l *loggedThings) takeOutcome(chain string, e casefile.Entry) {
	var b struct {
		Decision  string             `json:"decision"`
		Direction casefile.Direction `json:"direction"`
		Outcomes  []struct {
			Number int               `json:"number"`
			State  casefile.ActState `json:"state"`
		} `json:"outcomes"`
	}
	if json.Unmarshal(e.Body, &b) != nil {
		return
	}
	if l.reinstates(chain, e) == casefile.Undo {
		l.appeal(strings.TrimPrefix(chain, casefile.ReinstatementChain(""))).undone = e.Event
	}
	d := l.decision(b.Decision)
	d.outcomes[b.Direction] = e.Event
	for _, o := range b.Outcomes {
		a := d.act(actKey{o.Number, b.Direction})
		a.said, a.typ, a.state = e.Event, e.Type, o.State
	}
}

// reinstates says what an entry of acts is about: a reinstatement's chain takes back, a takedown's does.
// The ruling of a reinstatement that has begun is recorded.
func (l *loggedThings) reinstates(chain string, e casefile.Entry) casefile.Direction {
	id, is := strings.CutPrefix(chain, casefile.ReinstatementChain(""))
	if !is {
		return casefile.Do
	}
	a := l.appeal(id)
	if a.undoes == "" {
		a.undoes, a.undoType = e.Event, e.Type
	}
	for _, r := range a.rulings {
		r.passed = true
	}
	return casefile.Undo
}
