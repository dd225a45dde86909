package verify

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// answering are the chains that answer to an entry of another: what their name begins with and what
// their first entry must name. The id of what they are about follows in the name.
var answering = []struct {
	prefix, what string
	to           casefile.EntryType
}{
	{casefile.TakedownChain(""), "takedown", casefile.EntryDecision},
	{casefile.AppealChain(""), "appeal", casefile.EntryDecision},
	{casefile.ReinstatementChain(""), "reinstatement", casefile.EntryAppealRuling},
}

// chainCheck follows the chains through the log, in the log's order. It keeps one hash per entry,
// no bytes.
type chainCheck struct {
	report    func(Fault)
	chains    map[string]*chainState
	decisions map[digest]settled          // by the hashes of their entries
	rulings   map[digest]string           // ids of the appeals ruled on, by the hashes of the rulings' entries
	opinions  map[casefile.EventID]string // commitments
	entries   uint64
	repeats   uint64
	// lost counts entries that could not be read or are not those of the tree, less the gaps that
	// they explain: a damaged file is one fault and not as many as it has entries.
	lost    int
	anyLost bool
}

// settled is what later entries are held to of a decision.
type settled struct {
	id     string
	people []casefile.Person
}

// chainState is what is known of a chain: the hashes of its entries numbered from base, without a gap.
type chainState struct {
	base   int
	hashes []digest
}

func (s *chainState) next() int { return s.base + len(s.hashes) }

func newChainCheck(report func(Fault)) *chainCheck {
	return &chainCheck{
		report: report, chains: map[string]*chainState{},
		decisions: map[digest]settled{}, rulings: map[digest]string{}, opinions: map[casefile.EventID]string{},
	}
}

// lose counts an entry whose true bytes are not known.
func (c *chainCheck) lose(n int) {
	c.lost += n
	c.anyLost = c.anyLost || n > 0
}

func (c *chainCheck) fault(v *entryView, kind FaultKind, format string, args ...any) {
	index := v.index
	c.report(Fault{Kind: kind, File: v.file, Index: &index, Event: v.event, What: fmt.Sprintf(format, args...)})
}

// add takes the log's next entry.
func (c *chainCheck) add(v *entryView) {
	if v.err != nil {
		c.fault(v, FaultEntry, "not a canonical entry: %v", v.err)
		c.lose(1)
		return
	}
	s := c.chains[v.chain]
	if s == nil {
		s = &chainState{base: 1}
		c.chains[v.chain] = s
	}
	if v.seq < s.next() {
		c.addAgain(v, s)
		return
	}
	c.entries++
	c.checkPrevious(v, s)
	s.hashes = append(s.hashes, v.hash)
	c.checkAcross(v)
}

// addAgain takes an entry whose number its chain has passed.
func (c *chainCheck) addAgain(v *entryView, s *chainState) {
	switch {
	case v.seq < s.base:
		c.entries++
		c.fault(v, FaultOrder, "stands after higher numbers of its chain")
	case s.hashes[v.seq-s.base] == v.hash:
		c.repeats++
	default:
		c.entries++
		c.fault(v, FaultFork, "the log holds this event before, with other bytes")
	}
}

// checkPrevious checks that a chain's next entry follows the one before it.
func (c *chainCheck) checkPrevious(v *entryView, s *chainState) {
	missing := v.seq - s.next()
	if missing > 0 {
		if c.lost >= missing {
			c.lost -= missing
		} else {
			c.fault(v, FaultGap, "numbers %d to %d of its chain are missing", s.next(), v.seq-1)
		}
		s.base, s.hashes = v.seq, nil
	}
	switch {
	case v.seq == 1 && !v.first:
		c.fault(v, FaultFork, "the first of its chain names an entry before it")
	case v.seq > 1 && v.first:
		c.fault(v, FaultFork, "names no entry before it")
	case v.badPrev:
		c.fault(v, FaultFork, "what it names as the entry before it is no hash")
	case len(s.hashes) > 0 && s.hashes[len(s.hashes)-1] != v.prev:
		c.fault(v, FaultFork, "names another entry before it than the log holds")
	}
}

// checkAcross checks what an entry says of entries in other chains, and remembers what others may
// say of it.
func (c *chainCheck) checkAcross(v *entryView) {
	for _, a := range answering {
		id, is := strings.CutPrefix(v.chain, a.prefix)
		if is && v.seq == 1 {
			c.checkCause(v, a.what, a.to, id)
		}
	}
	switch v.typ {
	case casefile.EntryOpinion:
		c.opinions[v.event] = v.commitment
	case casefile.EntryDecision:
		d := settled{id: v.decision.id}
		for _, o := range v.decision.opinions {
			d.people = append(d.people, o.person)
		}
		c.decisions[v.hash] = d
		c.checkPeople(v)
		c.checkOpinions(v)
	case casefile.EntryAppealRuling:
		c.rulings[v.hash] = v.ruling.appeal
		c.checkRuling(v)
	}
}

// checkCause holds the first entry of a chain to the entry that the chain answers to: of the right
// type, before it, and about what the chain's name says. What an appeal is about stands in its body.
func (c *chainCheck) checkCause(v *entryView, what string, to casefile.EntryType, name string) {
	cause, ok := parseDigest(v.cause)
	var id string
	var known bool
	if to == casefile.EntryDecision {
		var d settled
		d, known = c.decisions[cause]
		id = d.id
	} else {
		id, known = c.rulings[cause]
	}
	about := name
	if v.typ == casefile.EntryAppealOpened {
		about = v.appealed
	}
	switch {
	case !ok:
		c.fault(v, FaultCause, "the %s names no %s's entry", what, to)
	case known && id != about:
		c.fault(v, FaultCause, "the %s is not about the %s whose entry it names", what, to)
	case !known && !c.anyLost:
		c.fault(v, FaultCause, "no %s's entry before it has the hash %s", to, hex.EncodeToString(cause[:]))
	}
}

// checkRuling holds a ruling to the decision that it is about, and to somebody who took no part in it.
func (c *chainCheck) checkRuling(v *entryView) {
	hash, ok := parseDigest(v.ruling.decisionHash)
	d, known := c.decisions[hash]
	switch {
	case v.chain != casefile.AppealChain(v.ruling.appeal):
		c.fault(v, FaultRuling, "the ruling stands on another chain than its appeal's")
	case !ok || known && d.id != v.ruling.decision:
		c.fault(v, FaultRuling, "the ruling is not about the decision whose entry it names")
	case !known && !c.anyLost:
		c.fault(v, FaultRuling, "no decision's entry before it has the hash %s", v.ruling.decisionHash)
	case slices.Contains(d.people, v.ruling.person):
		c.fault(v, FaultRuling, "whoever took part in the decision ruled on it")
	}
}

// checkPeople holds a decision to end an account to two different people who spoke for it.
func (c *chainCheck) checkPeople(v *entryView) {
	if v.decision.action != casefile.L6 {
		return
	}
	backers := map[casefile.Person]bool{}
	for _, o := range v.decision.opinions {
		if o.action == casefile.L6 {
			backers[o.person] = true
		}
	}
	if due := casefile.L6.PeopleDue(); len(backers) < due {
		c.fault(v, FaultPeople, "L6 takes %d people; %d spoke for it", due, len(backers))
	}
}

func (c *chainCheck) checkOpinions(v *entryView) {
	seen := map[casefile.EventID]bool{}
	for _, o := range v.decision.opinions {
		commitment, known := c.opinions[o.event]
		chain, _, err := o.event.Split()
		switch {
		case err != nil || chain != v.chain:
			c.fault(v, FaultOpinion, "the decision opens an opinion of another chain")
		case seen[o.event]:
			c.fault(v, FaultOpinion, "the decision counts the opinion %s twice", o.event)
		case known && commitment != o.commitment:
			c.fault(v, FaultOpinion, "the opinion %s was not given as the decision has it", o.event)
		case !known && !c.anyLost:
			c.fault(v, FaultOpinion, "the opinion %s is not in the log before its decision", o.event)
		}
		seen[o.event] = true
	}
}
