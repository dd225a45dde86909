package verify

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// takedownPrefix begins the chain of a takedown; the decision's id follows.
var takedownPrefix = casefile.TakedownChain("")

// chainCheck follows the chains through the log, in the log's order. It keeps one hash per entry,
// no bytes.
type chainCheck struct {
	report    func(Fault)
	chains    map[string]*chainState
	decisions map[digest]string           // decision ids by the hashes of their entries
	opinions  map[casefile.EventID]string // commitments
	entries   uint64
	repeats   uint64
	// lost counts entries that could not be read or are not those of the tree, less the gaps that
	// they explain: a damaged file is one fault and not as many as it has entries.
	lost    int
	anyLost bool
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
		decisions: map[digest]string{}, opinions: map[casefile.EventID]string{},
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
	decision, takedown := strings.CutPrefix(v.chain, takedownPrefix)
	if takedown && v.seq == 1 {
		c.checkCause(v, decision)
	}
	switch v.typ {
	case casefile.EntryOpinion:
		c.opinions[v.event] = v.commitment
	case casefile.EntryDecision:
		c.decisions[v.hash] = v.decision.id
		c.checkOpinions(v)
	}
}

func (c *chainCheck) checkCause(v *entryView, decision string) {
	cause, ok := parseDigest(v.cause)
	id, known := c.decisions[cause]
	switch {
	case !ok:
		c.fault(v, FaultCause, "the takedown names no decision's entry")
	case known && id != decision:
		c.fault(v, FaultCause, "the takedown's name is not that of the decision whose entry it names")
	case !known && !c.anyLost:
		c.fault(v, FaultCause, "no decision's entry before it has the hash %s", hex.EncodeToString(cause[:]))
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
