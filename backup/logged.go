package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

// logged is what a log says of everything that rows of the records stand for.
type logged struct {
	decisions map[string]*loggedDecision
	order     []string // of decisions, as they came
	cases     map[casefile.CaseRef]*loggedCase
	appeals   map[string]*loggedAppeal
	asked     []string // of appeals, as they came
	switches  map[string]loggedSwitch
	people    map[casefile.Person]loggedPerson
	system    []systemEntry
	last      time.Time // of the last entry
}

// loggedEntry is an entry with its place.
type loggedEntry struct {
	casefile.Entry
	index uint64
	hash  string
	at    time.Time
}

type systemEntry struct {
	loggedEntry
	seq int
}

type loggedCase struct {
	decision string // the last one on its chain
	closed   *loggedEntry
	reason   casefile.CloseReason
}

type actKey struct {
	number int
	dir    casefile.Direction
}

type loggedDecision struct {
	id        string
	entry     *loggedEntry // nil where only its takedown is in the log
	withdrawn bool
	acts      map[actKey]casefile.ActOutcome // what the last word on each act was
	planned   map[casefile.Direction]bool
	concluded map[casefile.Direction]bool
	// open says that acts may have been begun behind the last outcome.
	open   map[casefile.Direction]bool
	ended  bool // its timed acts came to their end
	notice *noticeBody
}

type loggedAppeal struct {
	id        string
	decision  string
	opened    *loggedEntry
	dueAt     time.Time
	kind      casefile.AppealKind
	ruling    *loggedEntry
	planned   bool // its reinstatement began
	concluded bool
}

type loggedSwitch struct {
	on  bool
	by  casefile.Actor
	at  time.Time
	seq int
}

type loggedPerson struct {
	active bool
	seq    int
}

type noticeBody struct {
	Number   string               `json:"number"`
	Decision string               `json:"decision"`
	State    casefile.NoticeState `json:"state"`
}

// readLogged reads a whole log, checked under its key as it goes.
func readLogged(ctx context.Context, src verify.Source, key string) (*logged, error) {
	l := &logged{
		decisions: map[string]*loggedDecision{}, cases: map[casefile.CaseRef]*loggedCase{}, appeals: map[string]*loggedAppeal{},
		switches: map[string]loggedSwitch{}, people: map[casefile.Person]loggedPerson{},
	}
	seen := map[casefile.EventID]bool{}
	err := verify.Entries(ctx, src, key, func(t verify.TailEntry) error {
		if seen[t.Entry.Event] { // logged again with the same bytes
			return nil
		}
		seen[t.Entry.Event] = true
		return l.take(t)
	})
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return l, nil
}

func (l *logged) decision(id string) *loggedDecision {
	d := l.decisions[id]
	if d == nil {
		d = &loggedDecision{
			id: id, acts: map[actKey]casefile.ActOutcome{}, planned: map[casefile.Direction]bool{},
			concluded: map[casefile.Direction]bool{}, open: map[casefile.Direction]bool{},
		}
		l.decisions[id] = d
		l.order = append(l.order, id)
	}
	return d
}

func (l *logged) caseOf(ref casefile.CaseRef) *loggedCase {
	c := l.cases[ref]
	if c == nil {
		c = &loggedCase{}
		l.cases[ref] = c
	}
	return c
}

func (l *logged) appeal(id string) *loggedAppeal {
	a := l.appeals[id]
	if a == nil {
		a = &loggedAppeal{id: id}
		l.appeals[id] = a
		l.asked = append(l.asked, id)
	}
	return a
}

func (l *logged) take(t verify.TailEntry) error {
	chain, seq, err := t.Entry.Event.Split()
	if err != nil {
		return err
	}
	e := &loggedEntry{Entry: t.Entry, index: t.Index, hash: t.Hash}
	e.at, err = time.Parse(casefile.TimeFormat, t.Entry.At)
	if err != nil {
		return casefile.Errorf(casefile.CodeInvalid, "entry %d has no time", t.Index)
	}
	e.Body = append(json.RawMessage(nil), t.Entry.Body...)
	if e.at.After(l.last) {
		l.last = e.at
	}
	if chain == casefile.SystemChain {
		l.system = append(l.system, systemEntry{*e, seq})
	}
	err = l.takeBody(chain, e)
	if err != nil {
		return casefile.Errorf(casefile.CodeInvalid, "the body of entry %d (%s) cannot be read", t.Index, t.Entry.Event)
	}
	return nil
}

func (l *logged) takeBody(chain string, e *loggedEntry) error {
	ref := casefile.CaseRef(strings.TrimPrefix(chain, casefile.CaseChain("")))
	switch e.Type {
	case casefile.EntryDecision:
		var b struct {
			Decision string `json:"decision"`
		}
		err := json.Unmarshal(e.Body, &b)
		l.decision(b.Decision).entry = e
		l.caseOf(ref).decision = b.Decision
		return err
	case casefile.EntryWithdrawn:
		var b casefile.WithdrawBody
		err := json.Unmarshal(e.Body, &b)
		l.decision(b.Decision).withdrawn = true
		return err
	case casefile.EntryClosed:
		var b casefile.ClosedBody
		err := json.Unmarshal(e.Body, &b)
		c := l.caseOf(ref)
		c.closed, c.reason = e, b.Reason
		return err
	case casefile.EntryActsPlanned, casefile.EntryActsOutcome, casefile.EntryActSettled:
		return l.takeActs(chain, e)
	case casefile.EntryNotice:
		var b noticeBody
		err := json.Unmarshal(e.Body, &b)
		if strings.HasPrefix(chain, casefile.TakedownChain("")) { // a ruling's notice is told with the appeal
			l.decision(b.Decision).notice = &b
		}
		return err
	case casefile.EntryAppealOpened:
		var b struct {
			Appeal   string              `json:"appeal"`
			Kind     casefile.AppealKind `json:"kind"`
			Decision string              `json:"decision"`
			DueAt    time.Time           `json:"due_at"`
		}
		err := json.Unmarshal(e.Body, &b)
		a := l.appeal(b.Appeal)
		a.opened, a.kind, a.decision, a.dueAt = e, b.Kind, b.Decision, b.DueAt
		return err
	case casefile.EntryAppealRuling:
		var b struct {
			Appeal   string `json:"appeal"`
			Decision string `json:"decision"`
		}
		err := json.Unmarshal(e.Body, &b)
		a := l.appeal(b.Appeal)
		a.ruling, a.decision = e, b.Decision
		return err
	}
	return l.takeSystem(chain, e)
}

func (l *logged) takeActs(chain string, e *loggedEntry) error {
	var b struct {
		Decision  string             `json:"decision"`
		Direction casefile.Direction `json:"direction"`
		Outcomes  []struct {
			Number    int               `json:"number"`
			Kind      casefile.ActKind  `json:"kind"`
			State     casefile.ActState `json:"state"`
			At        time.Time         `json:"at"`
			Reference string            `json:"reference"`
			Why       string            `json:"why"`
			By        casefile.Person   `json:"by"`
		} `json:"outcomes"`
		Number int               `json:"number"`
		State  casefile.ActState `json:"state"`
	}
	err := json.Unmarshal(e.Body, &b)
	if err != nil {
		return err
	}
	d := l.decision(b.Decision)
	appeal, reinstates := strings.CutPrefix(chain, casefile.ReinstatementChain(""))
	switch e.Type {
	case casefile.EntryActsPlanned:
		dir := casefile.Do
		if reinstates {
			dir = casefile.Undo
			l.appeal(appeal).planned = true
		}
		d.planned[dir], d.open[dir] = true, true
	case casefile.EntryActSettled:
		out := d.acts[actKey{b.Number, b.Direction}]
		out.State, out.At, out.By = b.State, e.at, e.Actor.Person
		d.acts[actKey{b.Number, b.Direction}] = out
		d.open[b.Direction] = true // the next act's turn
	default:
		for _, o := range b.Outcomes {
			d.acts[actKey{o.Number, b.Direction}] = casefile.ActOutcome{State: o.State, At: o.At, Reference: o.Reference, Why: o.Why, By: o.By}
		}
		d.concluded[b.Direction], d.open[b.Direction] = true, false
		switch {
		case reinstates:
			l.appeal(appeal).concluded = true
		case b.Direction == casefile.Undo:
			d.ended = true
		}
	}
	return nil
}

func (l *logged) takeSystem(chain string, e *loggedEntry) error {
	_, seq, err := e.Event.Split()
	if err != nil || chain != casefile.SystemChain {
		return err
	}
	switch e.Type {
	case casefile.EntrySwitch:
		var b struct {
			Switch string `json:"switch"`
			On     bool   `json:"on"`
		}
		err := json.Unmarshal(e.Body, &b)
		l.switches[b.Switch] = loggedSwitch{on: b.On, by: e.Actor, at: e.at, seq: seq}
		return err
	case casefile.EntryPeople:
		var b struct {
			Person casefile.Person `json:"person"`
			Active bool            `json:"active"`
		}
		err := json.Unmarshal(e.Body, &b)
		l.people[b.Person] = loggedPerson{active: b.Active, seq: seq}
		return err
	}
	return nil
}
