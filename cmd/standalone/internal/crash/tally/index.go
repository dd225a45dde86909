package tally

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// index is what the ledger says, by what it says it of.
type index struct {
	events  map[casefile.EventID]uint64 // place of each entry
	flags   map[casefile.FlagKey]map[casefile.CaseRef]bool
	cases   map[casefile.CaseRef]*caseLife
	decided map[string]*decided // by the decision's id
	appeals map[string]*appeal
	acts    map[string]outcome    // by the act's key: the last word on it
	notices map[string]noticeSeen // by number
}

// caseLife is a case's stretch of the ledger.
type caseLife struct {
	first, closed uint64
	ended         bool
	opinions      int
}

type decided struct {
	id       string
	ref      casefile.CaseRef
	platform string
	action   casefile.Action
	at       time.Time
	planned  []plannedAct
	ended    bool // its takedown has an outcome on record, also where nothing was done
	told     bool // its notice is on record, or that it could not be delivered
}

type plannedAct struct {
	Number int              `json:"number"`
	Kind   casefile.ActKind `json:"kind"`
	Until  *time.Time       `json:"until"`
}

// appeal is an appeal with its ruling and what was taken back.
type appeal struct {
	decision string
	ruled    bool
	outcome  casefile.AppealOutcome
	planned  []plannedAct // reverses
	listed   bool         // the reverses are on record, also where there are none
	ended    bool         // so is their outcome
	told     bool
}

// upheld says whether the appeal was against the decision, and took it away.
func (a *appeal) upheld(decision string) bool {
	return a.decision == decision && a.ruled && a.outcome == casefile.OutcomeUpheld
}

type outcome struct {
	kind      casefile.ActKind
	state     casefile.ActState
	reference string
}

type noticeSeen struct {
	decision string
	state    casefile.NoticeState
}

// body holds the fields of every kind of entry that are looked at.
type body struct {
	Flag      casefile.FlagKey       `json:"flag"`
	Decision  string                 `json:"decision"`
	Case      casefile.CaseRef       `json:"case"`
	Platform  string                 `json:"platform"`
	Action    casefile.Action        `json:"action"`
	Acts      []plannedAct           `json:"acts"`
	Direction casefile.Direction     `json:"direction"`
	Number    json.RawMessage        `json:"number"` // of an act, or on a notice
	State     string                 `json:"state"`
	Appeal    string                 `json:"appeal"`
	Outcome   casefile.AppealOutcome `json:"outcome"`
	Outcomes  []struct {
		Number    int               `json:"number"`
		Kind      casefile.ActKind  `json:"kind"`
		State     casefile.ActState `json:"state"`
		Reference string            `json:"reference"`
	} `json:"outcomes"`
}

func newIndex(f Facts) (*index, error) {
	x := &index{
		events: map[casefile.EventID]uint64{}, flags: map[casefile.FlagKey]map[casefile.CaseRef]bool{}, cases: map[casefile.CaseRef]*caseLife{},
		decided: map[string]*decided{}, appeals: map[string]*appeal{}, acts: map[string]outcome{}, notices: map[string]noticeSeen{},
	}
	for _, e := range f.Entries {
		_, again := x.events[e.Entry.Event]
		if again {
			continue // logged twice with equal bytes
		}
		x.events[e.Entry.Event] = e.Index
		var b body
		err := json.Unmarshal(e.Entry.Body, &b)
		if err != nil {
			continue // of a type that nothing is counted of
		}
		err = x.take(e.Index, e.Entry, b)
		if err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (x *index) take(at uint64, e casefile.Entry, b body) error {
	chain, _, err := e.Event.Split()
	if err != nil {
		return err
	}
	if ref, is := strings.CutPrefix(chain, casefile.CaseChain("")); is {
		return x.takeCase(at, casefile.CaseRef(ref), e, b)
	}
	if id, is := strings.CutPrefix(chain, casefile.TakedownChain("")); is {
		x.takeTakedown(id, e, b)
	}
	if id, is := strings.CutPrefix(chain, casefile.AppealChain("")); is {
		x.takeAppeal(id, e, b)
	}
	if id, is := strings.CutPrefix(chain, casefile.ReinstatementChain("")); is {
		x.takeReinstatement(id, e, b)
	}
	return nil
}

func (x *index) takeCase(at uint64, ref casefile.CaseRef, e casefile.Entry, b body) error {
	c := x.cases[ref]
	if c == nil {
		c = &caseLife{first: at}
		x.cases[ref] = c
	}
	switch e.Type {
	case casefile.EntryFlagAccepted:
		if x.flags[b.Flag] == nil {
			x.flags[b.Flag] = map[casefile.CaseRef]bool{}
		}
		x.flags[b.Flag][ref] = true
	case casefile.EntryOpinion:
		c.opinions++
	case casefile.EntryDecision:
		when, err := time.Parse(casefile.TimeFormat, e.At)
		if err != nil {
			return casefile.Invalid("at", "the decision's entry has no time")
		}
		x.decided[b.Decision] = &decided{id: b.Decision, ref: ref, platform: b.Platform, action: b.Action, at: when}
	case casefile.EntryClosed:
		c.closed, c.ended = at, true
	}
	return nil
}

func (x *index) takeTakedown(id string, e casefile.Entry, b body) {
	d := x.decided[id]
	if d == nil {
		return // verify.Log has it as a fault
	}
	switch e.Type {
	case casefile.EntryActsPlanned:
		d.planned = b.Acts
	case casefile.EntryActsOutcome:
		d.ended = d.ended || b.Direction == casefile.Do
	case casefile.EntryNotice:
		d.told = true
	}
	x.takeActs(e, b)
}

func (x *index) takeAppeal(id string, e casefile.Entry, b body) {
	switch e.Type {
	case casefile.EntryAppealOpened:
		x.appeals[id] = &appeal{decision: b.Decision}
	case casefile.EntryAppealRuling:
		if a := x.appeals[id]; a != nil {
			a.ruled, a.outcome = true, b.Outcome
		}
	case casefile.EntryNotice:
		if a := x.appeals[id]; a != nil {
			a.told = true
		}
	}
	x.takeActs(e, b)
}

func (x *index) takeReinstatement(id string, e casefile.Entry, b body) {
	a := x.appeals[id]
	if a == nil {
		return
	}
	switch e.Type {
	case casefile.EntryActsPlanned:
		a.planned, a.listed = b.Acts, true
	case casefile.EntryActsOutcome:
		a.ended = true
	case casefile.EntryNotice:
		a.told = true
	}
	x.takeActs(e, b)
}

// takeActs takes what an entry says of acts and notices.
func (x *index) takeActs(e casefile.Entry, b body) {
	switch e.Type {
	case casefile.EntryActsOutcome:
		for _, o := range b.Outcomes {
			key := casefile.Act{Decision: b.Decision, Number: o.Number}.Key(b.Direction)
			x.acts[key] = outcome{kind: o.Kind, state: o.State, reference: o.Reference}
		}
	case casefile.EntryActSettled:
		var n int
		if json.Unmarshal(b.Number, &n) != nil {
			return
		}
		key := casefile.Act{Decision: b.Decision, Number: n}.Key(b.Direction)
		was := x.acts[key]
		x.acts[key] = outcome{kind: was.kind, state: casefile.ActState(b.State), reference: was.reference}
	case casefile.EntryNotice:
		var number string
		if json.Unmarshal(b.Number, &number) != nil {
			return
		}
		x.notices[number] = noticeSeen{decision: b.Decision, state: casefile.NoticeState(b.State)}
	}
}
