package enforce

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

// Guard stands before every act: it lets a decision pass only if exactly its entry, rebuilt here
// from the decision about to be carried out, is included in the log whose key the actor has pinned,
// and if the people due stand behind it. It holds no state; safe for concurrent use.
type Guard struct {
	// VerifierKey is the pinned key of the log (note format), from the actor's own configuration.
	VerifierKey string
	// Verify checks a bundle and gives the entry that it proves.
	Verify func(casefile.Bundle) (casefile.Entry, error)
}

// NewGuard makes the guard for a log's verifier key. The error is CodeInvalid.
func NewGuard(vkey string) (*Guard, error) {
	_, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeInvalid, Field: "verifier_key", Message: "not a verifier key", Err: err}
	}
	return &Guard{
		VerifierKey: vkey,
		Verify:      func(b casefile.Bundle) (casefile.Entry, error) { return verify.Bundle(b, vkey) },
	}, nil
}

// Check refuses, with CodeUnproven and a message that names what failed, every decision that the
// bundle does not prove in full. salter must be that of the decision's account, and account the
// one that the acts will be done on.
func (g *Guard) Check(d casefile.Decision, b casefile.Bundle, account casefile.AccountRef, salter casefile.Salter) error {
	if g == nil || g.Verify == nil || salter == nil {
		return refuse("the actor has no pinned key, or no salts of the account")
	}
	entry, err := g.Verify(b)
	if err != nil {
		return refuseFor(err, "the proof does not hold under the pinned key")
	}
	if entry.Type != casefile.EntryDecision {
		return refuse("the proof is of a %s entry, not of a decision", entry.Type)
	}
	if account.Platform != d.Platform || account.ID == "" {
		return refuse("the account is not one of the decision's platform")
	}
	err = checkSame(d, entry, b.Entry, account, salter)
	if err != nil {
		return err
	}
	err = checkChain(d, entry)
	if err != nil {
		return err
	}
	return checkPeople(d)
}

// checkSame rebuilds the entry from the decision at the place where the proven one stands, and
// compares the bytes.
func checkSame(d casefile.Decision, entry casefile.Entry, proven []byte, account casefile.AccountRef, salter casefile.Salter) error {
	return checkRebuilt(casefile.Draft{Type: casefile.EntryDecision, Actor: entry.Actor, Decision: &d}, entry, proven, account, salter,
		"the proven entry is not that of this decision on this account")
}

// checkRebuilt builds an entry again at the place where the proven one stands, and compares the bytes.
func checkRebuilt(draft casefile.Draft, entry casefile.Entry, proven []byte, account casefile.AccountRef, salter casefile.Salter, different string) error {
	at, err := time.Parse(casefile.TimeFormat, entry.At)
	if err != nil {
		return refuseFor(err, "the entry's time is malformed")
	}
	rebuilt, err := casefile.FixEntry(draft, casefile.Position{Event: entry.Event, Prev: entry.Prev, Cause: entry.Cause, At: at}, salter, account)
	if err != nil {
		return refuseFor(err, "the entry cannot be built again")
	}
	if !bytes.Equal(rebuilt.Data, proven) {
		return refuse("%s", different)
	}
	return nil
}

// checkChain holds the decision and its opinions to the case's own chain, the opinions first.
func checkChain(d casefile.Decision, entry casefile.Entry) error {
	chain, seq, err := entry.Event.Split()
	if err != nil {
		return refuseFor(err, "the entry's event id is malformed")
	}
	if d.Case == "" || chain != casefile.CaseChain(d.Case) {
		return refuse("the entry is not of the case's chain")
	}
	var seen []casefile.EventID
	for _, event := range d.OpinionEvents {
		of, n, err := event.Split()
		if err != nil {
			return refuseFor(err, "an opinion's event id is malformed")
		}
		if of != chain || n >= seq {
			return refuse("the opinion %s is not one that came before the decision on the case's chain", event)
		}
		if slices.Contains(seen, event) {
			return refuse("the opinion %s counts twice", event)
		}
		seen = append(seen, event)
	}
	return nil
}

// checkPeople holds the decision to its opinions: a sound judgement, settled in a way that is
// allowed, and as many different people behind its action as are due.
func checkPeople(d casefile.Decision) error {
	if d.DecidedBy == casefile.ByAutomation {
		return checkAutomatic(d)
	}
	err := d.Judgement.Validate().Err()
	if err != nil {
		return refuseFor(err, "the judgement is not one that a person can give")
	}
	if d.Rule != "" || d.AutoNotice != nil {
		return refuse("a decision of people names no automatic rule")
	}
	people := map[casefile.Person]bool{}
	backers := 0
	for _, o := range d.Opinions {
		if o.Person == "" || !o.Role.Valid() || o.Role == casefile.RoleService {
			return refuse("an opinion is not a person's")
		}
		people[o.Person] = true
		if o.Action == d.Action {
			backers++
		}
	}
	if len(d.Opinions) > 3 {
		return refuse("three opinions settle a case: there is no fourth")
	}
	if len(people) != len(d.Opinions) {
		return refuse("somebody's opinion counts twice")
	}
	if due := d.Action.PeopleDue(); backers < due {
		return refuse("%s takes %d people; %d of %d stand behind it", d.Action, due, backers, len(people))
	}
	stands := d.Stands()
	if stands == nil || !equalJudgement(stands.Judgement, d.Judgement) {
		return refuse("the judgement is not that of the opinion that stands")
	}
	return checkSettled(d)
}

// checkSettled holds a decision to the way in which it says it was settled. It settles the opinions
// again, without what policy asks for beyond two people for L6: that can only ask for more.
func checkSettled(d casefile.Decision) error {
	again := casefile.Settle(d.Opinions, casefile.Deciding{Draw: 1000})
	switch d.DecidedBy {
	case casefile.ByOneOpinion, casefile.ByAdjudication:
		if len(d.Opinions) == 3 {
			first := casefile.Settle(d.Opinions[:2], casefile.Deciding{Draw: 1000})
			if first.Next != casefile.NextAdjudicate {
				return refuse("two people agreed: there was nothing to adjudicate")
			}
		}
	case casefile.ByTwoOpinions:
	case casefile.ByEmergency:
		o := d.Opinions[0]
		if len(d.Opinions) != 1 || d.Action != casefile.L5 || !o.Emergency || o.Role != casefile.RoleSenior && o.Role != casefile.RoleLead {
			return refuse("an emergency order is one senior's L5")
		}
		return nil
	default:
		return refuse("the decision was settled in no known way")
	}
	if again.Next != casefile.NextDecided || again.By != d.DecidedBy || again.Standing != d.Standing {
		return refuse("the opinions do not settle the decision in the way it says")
	}
	return nil
}

// checkAutomatic holds a rule's decision to what rules may decide by themselves: L1 or L2, without
// any opinion, no mitigation answered.
func checkAutomatic(d casefile.Decision) error {
	switch {
	case d.Rule == "" || len(d.Opinions) != 0 || len(d.OpinionEvents) != 0 || d.Days != 0:
		return refuse("an automatic decision is a named rule's, and no person's")
	case d.Action != casefile.L0 && d.Action != casefile.L1 && d.Action != casefile.L2:
		return refuse("no rule decides %s by itself", d.Action)
	case len(d.Policies) != 1 || !d.Policies[0].Valid() || d.Policies[0] == casefile.VE12 || (d.Policies[0] == casefile.VE00) != (d.Action == casefile.L0):
		return refuse("no rule decides this code by itself")
	case len(d.Mitigations) != len(casefile.Mitigations):
		return refuse("a rule says of every mitigation that nobody assessed it")
	}
	for _, m := range casefile.Mitigations {
		if d.Mitigations[m] != casefile.AnswerNotAssessed {
			return refuse("a rule says of every mitigation that nobody assessed it")
		}
	}
	return nil
}

func equalJudgement(a, b casefile.Judgement) bool {
	return a.Action == b.Action && a.Days == b.Days && a.EntityTier == b.EntityTier && slices.Equal(a.Policies, b.Policies) && maps.Equal(a.Mitigations, b.Mitigations)
}

// CheckRuling refuses, with CodeUnproven, to take a decision's acts back for a ruling that is not
// proven in full: the decision and its own proof as Check has it, and exactly the ruling's entry, on
// its appeal's chain, about that decision's entry, by somebody who took no part in it.
func (g *Guard) CheckRuling(d casefile.Decision, db casefile.Bundle, r casefile.AppealRuling, rb casefile.Bundle, account casefile.AccountRef, salter casefile.Salter) error {
	err := g.Check(d, db, account, salter)
	if err != nil {
		return err
	}
	entry, err := g.Verify(rb)
	if err != nil {
		return refuseFor(err, "the ruling's proof does not hold under the pinned key")
	}
	if entry.Type != casefile.EntryAppealRuling {
		return refuse("the proof is of a %s entry, not of a ruling", entry.Type)
	}
	err = checkRebuilt(casefile.Draft{Type: casefile.EntryAppealRuling, Actor: entry.Actor, Ruling: &r}, entry, rb.Entry, account, salter,
		"the proven entry is not that of this ruling on this account")
	if err != nil {
		return err
	}
	chain, _, err := entry.Event.Split()
	switch {
	case err != nil || r.Appeal == "" || chain != casefile.AppealChain(r.Appeal):
		return refuse("the ruling's entry is not of its appeal's chain")
	case r.Decision != d.ID || r.Case != d.Case || r.Platform != d.Platform || r.Account != d.Account:
		return refuse("the ruling is about another decision")
	case r.DecisionHash != casefile.EntryHash(db.Entry):
		return refuse("the ruling is about another entry than the decision's")
	case !r.Kind.Valid() || !r.Outcome.Valid():
		return refuse("the ruling has no known kind or outcome")
	case r.Person == "" || !r.Role.Valid() || r.Role == casefile.RoleService || entry.Actor != (casefile.Actor{Person: r.Person, Role: r.Role}):
		return refuse("the ruling is not a person's")
	case slices.ContainsFunc(d.Opinions, func(o casefile.Opinion) bool { return o.Person == r.Person }):
		return refuse("whoever took part in the decision does not rule on it")
	}
	return nil
}

// CheckActs refuses, with CodeUnproven, an act that is not one of those that carry the decision
// out, which the actor computes again. relied is how many posts the decision's first opinion
// relied on. It holds for doing and for taking back alike.
func CheckActs(d casefile.Decision, relied int, act casefile.Act) error {
	if relied < 0 || relied > casefile.MaxRelied {
		return refuse("a decision relies on 0 to %d posts", casefile.MaxRelied)
	}
	if !slices.ContainsFunc(casefile.PlanActs(d, relied), func(planned casefile.Act) bool { return sameAct(planned, act) }) {
		return refuse("act %d is not one of the decision's", act.Number)
	}
	return nil
}

func sameAct(a, b casefile.Act) bool {
	sameEnd := a.Until == nil && b.Until == nil
	if a.Until != nil && b.Until != nil {
		sameEnd = a.Until.Equal(*b.Until)
	}
	return sameEnd && a.Decision == b.Decision && a.Number == b.Number && a.Kind == b.Kind && a.Target == b.Target
}

const opGuard = "guard"

func refuse(format string, args ...any) *casefile.Error {
	e := casefile.Errorf(casefile.CodeUnproven, format, args...)
	e.Op = opGuard
	return e
}

func refuseFor(err error, message string) *casefile.Error {
	return &casefile.Error{Code: casefile.CodeUnproven, Op: opGuard, Message: message, Err: err}
}
