package tally

import (
	"fmt"
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
	"github.com/docket-triage/docket/ledger/verify"
)

// Report is what was counted. Everything but the first three numbers must be 0.
type Report struct {
	Entries       int `json:"entries"`
	FlagsAccepted int `json:"flags_accepted"`
	Acts          int `json:"acts"` // lines of the platforms: acts, reverses and notices

	FlagsLost         int `json:"flags_lost"`             // answered with 202, in no case
	CasesDoubled      int `json:"cases_doubled"`          // a flag in two cases or in another than was answered; an account with two open cases
	DecisionsLost     int `json:"decisions_lost"`         // answered, not withdrawn, not on the ledger
	DecisionsRevived  int `json:"decisions_revived"`      // withdrawn, and on the ledger all the same
	VerbsLost         int `json:"verbs_lost"`             // opinions, closings, appeals, rulings, settlements answered and not on the ledger
	ActsDoubled       int `json:"acts_doubled"`           // done again under the same key, or under another
	ActsWithoutEntry  int `json:"acts_without_entry"`     // done without decision, plan and outcome on the ledger
	EntriesWithoutAct int `json:"entries_without_act"`    // on the ledger as done, and not done
	ReceiptsUnproven  int `json:"receipts_without_entry"` // handed out, and not on the ledger
	LedgerFaults      int `json:"ledger_faults"`
	// Unfinished is what has still to come: a decision without its outcome, a case without its end. It
	// falls to 0 once all is quiet.
	Unfinished int `json:"unfinished"`

	// Findings says of each of these, up to a bound, what it is.
	Findings []string `json:"findings,omitempty"`
}

// Clean reports whether nothing was lost, doubled or left over.
func (r Report) Clean() bool {
	return r.FlagsLost+r.CasesDoubled+r.DecisionsLost+r.DecisionsRevived+r.VerbsLost+r.ActsDoubled+r.ActsWithoutEntry+
		r.EntriesWithoutAct+r.ReceiptsUnproven+r.LedgerFaults+r.Unfinished == 0
}

// maxFindings bounds what is said in words.
const maxFindings = 200

type counter struct {
	f Facts
	x *index
	r Report
}

// add counts one and says what it is.
func (c *counter) add(n *int, format string, args ...any) {
	*n++
	if len(c.r.Findings) < maxFindings {
		c.r.Findings = append(c.r.Findings, fmt.Sprintf(format, args...))
	}
}

// Count counts.
func Count(f Facts) (Report, error) {
	x, err := newIndex(f)
	if err != nil {
		return Report{}, err
	}
	c := &counter{f: f, x: x, r: Report{Entries: len(f.Entries), FlagsAccepted: len(f.Accepted), Acts: len(f.Platform)}}
	for _, fault := range f.Faults {
		c.add(&c.r.LedgerFaults, "ledger: %s", fault)
	}
	c.flags()
	c.openCases()
	c.verbs()
	c.platform()
	c.unfinished()
	return c.r, nil
}

// flags counts accepted flags that are in no case, and flags that are in more than one.
func (c *counter) flags() {
	for _, a := range c.f.Accepted {
		in := c.x.flags[a.Key]
		switch {
		case len(in) == 0:
			c.add(&c.r.FlagsLost, "flag %s was accepted and is in no case", a.ID)
		case a.Case != "" && !in[a.Case]:
			c.add(&c.r.CasesDoubled, "flag %s was answered with case %s and is in another", a.ID, a.Case)
		}
	}
	for key, in := range c.x.flags {
		if len(in) > 1 {
			c.add(&c.r.CasesDoubled, "flag %s is in %d cases", key, len(in))
		}
	}
}

// openCases counts accounts of which a case was opened while another was open.
func (c *counter) openCases() {
	cases := map[string][]casefile.CaseRef{}
	for _, a := range c.f.Accepted {
		account := a.Platform + "/" + a.Account
		for ref := range c.x.flags[a.Key] {
			if !slices.Contains(cases[account], ref) {
				cases[account] = append(cases[account], ref)
			}
		}
	}
	for account, refs := range cases {
		slices.SortFunc(refs, func(a, b casefile.CaseRef) int { return int(c.x.cases[a].first) - int(c.x.cases[b].first) })
		for i := 1; i < len(refs); i++ {
			before, next := c.x.cases[refs[i-1]], c.x.cases[refs[i]]
			if !before.ended || before.closed > next.first {
				c.add(&c.r.CasesDoubled, "account %s: case %s was opened while %s was open", account, refs[i], refs[i-1])
			}
		}
	}
}

// verbs holds what people were answered to the ledger.
func (c *counter) verbs() {
	withdrawn := map[string]bool{}
	opinions := map[casefile.CaseRef]int{}
	for _, v := range c.f.Verbs {
		switch v.Verb {
		case VerbWithdraw:
			withdrawn[v.Decision] = true
		case VerbOpinion:
			opinions[v.Case]++
		}
	}
	for ref, given := range opinions {
		life := c.x.cases[ref]
		if life == nil || life.opinions < given {
			c.add(&c.r.VerbsLost, "case %s: %d opinions were answered, not as many are on the ledger", ref, given)
		}
	}
	for _, v := range c.f.Verbs {
		c.verb(v, withdrawn)
	}
}

func (c *counter) verb(v Verb, withdrawn map[string]bool) {
	switch v.Verb {
	case VerbOpinion, VerbSeen:
		_, on := c.x.decided[v.Decision]
		switch {
		case v.Decision == "":
		case withdrawn[v.Decision] && on:
			c.add(&c.r.DecisionsRevived, "decision %s was withdrawn and is on the ledger", v.Decision)
		case !withdrawn[v.Decision] && !on:
			c.add(&c.r.DecisionsLost, "decision %s of case %s was answered and is not on the ledger", v.Decision, v.Case)
		}
	case VerbClose:
		if life := c.x.cases[v.Case]; life == nil || !life.ended {
			c.add(&c.r.VerbsLost, "case %s was closed and is not on the ledger as closed", v.Case)
		}
	case VerbAppeal:
		if a := c.x.appeals[v.Appeal]; a == nil {
			c.add(&c.r.VerbsLost, "appeal %s was opened and is not on the ledger", v.Appeal)
		}
	case VerbRule:
		if a := c.x.appeals[v.Appeal]; a == nil || !a.ruled || a.outcome != v.Outcome {
			c.add(&c.r.VerbsLost, "the ruling (%s) on appeal %s is not on the ledger", v.Outcome, v.Appeal)
		}
	case VerbSettle:
		key := casefile.Act{Decision: v.Decision, Number: v.Number}.Key(v.Direction)
		if c.x.acts[key].state != v.State {
			c.add(&c.r.VerbsLost, "act %s was settled as %s and is not on the ledger as that", key, v.State)
		}
	case VerbProof:
		c.proof(v)
	}
	if v.Event != "" {
		_, on := c.x.events[v.Event]
		if !on {
			c.add(&c.r.ReceiptsUnproven, "the receipt names %s, which is not on the ledger", v.Event)
		}
	}
}

func (c *counter) proof(v Verb) {
	if v.Bundle == nil {
		c.add(&c.r.ReceiptsUnproven, "case %s: an empty proof was handed out", v.Case)
		return
	}
	entry, err := verify.Bundle(*v.Bundle, c.f.Key)
	hash := casefile.EntryHash(v.Bundle.Entry)
	switch i := v.Bundle.Index; {
	case err != nil:
		c.add(&c.r.ReceiptsUnproven, "case %s: the proof does not hold: %v", v.Case, err)
	case i >= uint64(len(c.f.Entries)) || c.f.Entries[i].Hash != hash:
		c.add(&c.r.ReceiptsUnproven, "case %s: the proven entry %s does not stand on the ledger", v.Case, entry.Event)
	}
}

// platform holds what was really done to the ledger, and the reverse.
func (c *counter) platform() {
	for _, key := range receiver.Doubles(c.f.Platform) {
		c.add(&c.r.ActsDoubled, "%s was done twice", key)
	}
	done := map[string]bool{}
	same := map[string]string{} // what was done for a decision, by what it was, with its key
	for _, l := range c.f.Platform {
		key := l.Message.Key
		done[key] = true
		if l.Message.Type == webhook.TypeDeliver {
			c.told(l)
			continue
		}
		decision, _, _ := strings.Cut(key, "/")
		what := fmt.Sprintf("%s %s %s %s", decision, l.Message.Type, l.Message.Act.Kind, l.Message.Act.Post)
		if before, again := same[what]; again && before != key {
			c.add(&c.r.ActsDoubled, "%s did again what %s had done", key, before)
		}
		same[what] = key
		why := c.unfounded(l, decision)
		if why != "" {
			c.add(&c.r.ActsWithoutEntry, "%s was done on the platform: %s", key, why)
		}
	}
	for key, o := range c.x.acts {
		if o.state == casefile.ActDone && !done[key] {
			c.add(&c.r.EntriesWithoutAct, "%s is on the ledger as done and was not done", key)
		}
	}
	for number, n := range c.x.notices {
		if n.state == casefile.NoticeSent && !done[number+"/notice"] {
			c.add(&c.r.EntriesWithoutAct, "notice %s is on the ledger as sent and was not delivered", number)
		}
	}
}

// told holds a delivered notice to its entry.
func (c *counter) told(l receiver.Line) {
	number := strings.TrimSuffix(l.Message.Key, "/notice")
	n, on := c.x.notices[number]
	switch {
	case !on:
		c.add(&c.r.ActsWithoutEntry, "notice %s was delivered and is not on the ledger", number)
	case n.state != casefile.NoticeSent && n.state != casefile.NoticeUncertain:
		c.add(&c.r.ActsWithoutEntry, "notice %s was delivered and is on the ledger as %s", number, n.state)
	}
}

// unfounded says what the ledger lacks of an act or reverse that was done; "" for nothing.
func (c *counter) unfounded(l receiver.Line, decision string) string {
	d := c.x.decided[decision]
	switch {
	case d == nil:
		return "its decision is not on the ledger"
	case d.ref != l.Message.Act.Case || d.platform != l.Message.Account.Platform:
		return "its decision is about another case"
	case l.At.Before(d.at):
		return "its decision came later"
	}
	o, on := c.x.acts[l.Message.Key]
	switch {
	case !on:
		return "it has no outcome on the ledger"
	case o.state != casefile.ActDone:
		return "it is on the ledger as " + string(o.state)
	case o.kind != "" && o.kind != l.Message.Act.Kind:
		return "it is on the ledger as another kind of act"
	}
	if l.Message.Type == webhook.TypeDo {
		if !slices.ContainsFunc(d.planned, keyed(decision, casefile.Do, l)) {
			return "it is in no plan on the ledger"
		}
		return ""
	}
	if slices.ContainsFunc(d.planned, func(p plannedAct) bool {
		return keyed(decision, casefile.Undo, l)(p) && p.Until != nil && !l.At.Before(*p.Until)
	}) {
		return "" // its time had come
	}
	for _, a := range c.x.appeals {
		if a.upheld(decision) && slices.ContainsFunc(a.planned, keyed(decision, casefile.Undo, l)) {
			return ""
		}
	}
	return "no ruling on the ledger takes it back, and its time had not come"
}

// fell says whether a ruling took a decision away.
func (c *counter) fell(decision string) bool {
	for _, a := range c.x.appeals {
		if a.upheld(decision) {
			return true
		}
	}
	return false
}

// keyed says whether a planned act is the one of a line.
func keyed(decision string, dir casefile.Direction, l receiver.Line) func(plannedAct) bool {
	return func(p plannedAct) bool {
		return p.Kind == l.Message.Act.Kind && casefile.Act{Decision: decision, Number: p.Number}.Key(dir) == l.Message.Key
	}
}

// unfinished counts what has still to come.
func (c *counter) unfinished() {
	for id, d := range c.x.decided {
		if life := c.x.cases[d.ref]; !life.ended {
			c.add(&c.r.Unfinished, "case %s is decided and not closed", d.ref)
		}
		if d.action == casefile.L0 {
			continue
		}
		why := c.outstanding(d)
		if why != "" {
			c.add(&c.r.Unfinished, "decision %s (%s): %s", id, d.action, why)
		}
	}
	for id, a := range c.x.appeals {
		switch {
		case !a.ruled:
			c.add(&c.r.Unfinished, "appeal %s waits for its ruling", id)
		case a.outcome != casefile.OutcomeUpheld:
			if !a.told {
				c.add(&c.r.Unfinished, "appeal %s: nobody was told that it was rejected", id)
			}
		case !a.listed || !a.ended:
			c.add(&c.r.Unfinished, "appeal %s was upheld and its decision is not taken back", id)
		case !a.told:
			c.add(&c.r.Unfinished, "appeal %s: nobody was told that it was upheld", id)
		default:
			for _, p := range a.planned {
				key := casefile.Act{Decision: a.decision, Number: p.Number}.Key(casefile.Undo)
				if o, on := c.x.acts[key]; !on || o.state == casefile.ActUncertain {
					c.add(&c.r.Unfinished, "appeal %s: the reverse %s is not established", id, key)
				}
			}
		}
	}
}

// outstanding says what a decision's takedown has still to do; "" for nothing. One that stops at an act
// that was refused has come to its end, and so has one whose decision fell meanwhile.
func (c *counter) outstanding(d *decided) string {
	if len(d.planned) == 0 {
		if d.ended && c.fell(d.id) {
			return "" // before anything was planned
		}
		return "no plan on the ledger"
	}
	for _, p := range d.planned {
		o, on := c.x.acts[casefile.Act{Decision: d.id, Number: p.Number}.Key(casefile.Do)]
		switch {
		case !on:
			return fmt.Sprintf("act %d has no outcome", p.Number)
		case o.state == casefile.ActUncertain:
			return fmt.Sprintf("act %d is uncertain", p.Number)
		case o.state != casefile.ActDone:
			return ""
		}
	}
	if !d.told {
		return "nobody was told"
	}
	for _, p := range d.planned {
		if p.Until == nil {
			continue
		}
		o, on := c.x.acts[casefile.Act{Decision: d.id, Number: p.Number}.Key(casefile.Undo)]
		if !on || o.state == casefile.ActUncertain {
			return fmt.Sprintf("act %d has not ended", p.Number)
		}
	}
	return ""
}
