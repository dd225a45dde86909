package enforce

import (
	"bytes"
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
	at, err := time.Parse(casefile.TimeFormat, entry.At)
	if err != nil {
		return refuseFor(err, "the entry's time is malformed")
	}
	rebuilt, err := casefile.FixEntry(
		casefile.Draft{Type: casefile.EntryDecision, Actor: entry.Actor, Decision: &d},
		casefile.Position{Event: entry.Event, Prev: entry.Prev, Cause: entry.Cause, At: at},
		salter, account)
	if err != nil {
		return refuseFor(err, "the decision's entry cannot be rebuilt")
	}
	if !bytes.Equal(rebuilt.Data, proven) {
		return refuse("the proven entry is not that of this decision on this account")
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
	err := d.Judgement.Validate().Err()
	if err != nil {
		return refuseFor(err, "the judgement is not one that a person can give")
	}
	for _, o := range d.Opinions {
		if o.Person == "" || !o.Role.Valid() || o.Role == casefile.RoleService {
			return refuse("an opinion is not a person's")
		}
	}
	backers := map[casefile.Person]bool{}
	for _, o := range d.Opinions {
		if o.Action == d.Action && o.Days == d.Days {
			backers[o.Person] = true
		}
	}
	due := d.Action.PeopleDue()
	if d.People() < due || len(backers) < due {
		return refuse("%s takes %d people; %d of %d stand behind it", d.Action, due, len(backers), d.People())
	}
	agree := func(opinions []casefile.Opinion) bool {
		return !slices.ContainsFunc(opinions, func(o casefile.Opinion) bool { return !o.Same(d.Judgement) })
	}
	switch d.DecidedBy {
	case casefile.ByOneOpinion:
		if len(d.Opinions) != 1 || !agree(d.Opinions) {
			return refuse("a decision by one opinion is that opinion")
		}
	case casefile.ByTwoOpinions:
		if len(d.Opinions) != 2 || d.People() != 2 || !agree(d.Opinions) {
			return refuse("a decision by two opinions takes two people who agree")
		}
	case casefile.ByAdjudication:
		if len(d.Opinions) != 3 || d.People() != 3 || !agree(d.Opinions[2:]) {
			return refuse("an adjudication is a third person's opinion")
		}
	case casefile.ByAutomation:
		return refuse("automatic decisions are switched off")
	default:
		return refuse("the decision was settled in no known way")
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
