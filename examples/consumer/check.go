package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/review/client"
)

// check says why a decision must not be acted on, or nil where it may be: exactly its entry, built again
// here from what is about to be done to whom, stands in the log whose key is pinned, and as many people
// as are due are behind it. It needs the log's public key and no secret. Its steps are those of
// docs/formats/proven-decision.md.
func check(item client.ProvenDecision, key string) error {
	entry, err := verify.Bundle(item.Bundle, key)
	switch {
	case err != nil:
		return fmt.Errorf("the proof does not hold: %w", err)
	case item.Bundle.Index != item.Index:
		return refusal("the proof is of the entry at %d, not of that at %d", item.Bundle.Index, item.Index)
	case entry.Type != casefile.EntryDecision:
		return refusal("the proven entry is of type %s, not a decision's", entry.Type)
	case item.Decision == nil || item.Account == nil:
		return refusal("it comes without its decision or its account")
	case item.Account.ID == "" || item.Account.Platform != item.Decision.Platform:
		return refusal("the account is not one of the decision's platform")
	case item.Decision.ID != item.ID:
		return refusal("the decision is another than the one announced")
	}
	err = checkRebuilt(item, entry)
	if err == nil {
		err = checkChain(*item.Decision, entry)
	}
	if err == nil {
		err = checkPeople(*item.Decision)
	}
	return err
}

// refusal is an error that says why a decision is not acted on.
func refusal(format string, args ...any) error {
	return casefile.Errorf(casefile.CodeUnproven, format, args...)
}

// opened is a casefile.Salter of the salts that came with a decision.
type opened []client.Salt

// Salt implements casefile.Salter. One that is missing is empty, and gives another entry.
func (o opened) Salt(event casefile.EventID, label string) []byte {
	for _, s := range o {
		if s.Event == event && s.Label == label {
			return s.Salt
		}
	}
	return nil
}

// checkRebuilt builds the entry again at the place where the proven one stands, and compares the bytes.
func checkRebuilt(item client.ProvenDecision, entry casefile.Entry) error {
	at, err := time.Parse(casefile.TimeFormat, entry.At)
	if err != nil {
		return refusal("the entry's time is malformed")
	}
	rebuilt, err := casefile.FixEntry(
		casefile.Draft{Type: casefile.EntryDecision, Actor: entry.Actor, Decision: item.Decision},
		casefile.Position{Event: entry.Event, Prev: entry.Prev, Cause: entry.Cause, At: at}, opened(item.Salts), *item.Account)
	if err != nil {
		return refusal("the entry cannot be built again")
	}
	if !bytes.Equal(rebuilt.Data, item.Bundle.Entry) {
		return refusal("the proven entry is not that of this decision on this account")
	}
	return nil
}

// checkChain holds the decision and its opinions to the case's own chain, the opinions first.
func checkChain(d casefile.Decision, entry casefile.Entry) error {
	chain, seq, err := entry.Event.Split()
	if err != nil || chain != casefile.CaseChain(d.Case) {
		return refusal("the entry is not of the case's chain")
	}
	for i, event := range d.OpinionEvents {
		of, n, err := event.Split()
		if err != nil || of != chain || n >= seq || slices.Contains(d.OpinionEvents[:i], event) {
			return refusal("an opinion's entry does not stand before the decision's, once, on the case's chain")
		}
	}
	return nil
}

// checkPeople holds the decision to the people behind it.
func checkPeople(d casefile.Decision) error {
	if d.DecidedBy == casefile.ByAutomation {
		if d.Rule == "" || len(d.Opinions) > 0 || d.Action != casefile.L1 && d.Action != casefile.L2 {
			return refusal("no rule decides %s by itself", d.Action)
		}
		return nil
	}
	backers := 0
	for i, o := range d.Opinions {
		if o.Person == "" || !o.Role.Valid() || o.Role == casefile.RoleService {
			return refusal("an opinion is not a person's")
		}
		if slices.ContainsFunc(d.Opinions[:i], func(earlier casefile.Opinion) bool { return earlier.Person == o.Person }) {
			return refusal("somebody's opinion counts twice")
		}
		if o.Action == d.Action {
			backers++
		}
	}
	if due := d.Action.PeopleDue(); backers < due {
		return refusal("%s takes %d people; %d stand behind it", d.Action, due, backers)
	}
	stands := d.Stands()
	if stands == nil || stands.Action != d.Action || stands.Days != d.Days || !slices.Equal(stands.Policies, d.Policies) ||
		stands.EntityTier != d.EntityTier || !maps.Equal(stands.Mitigations, d.Mitigations) {
		return refusal("the judgement is not that of the opinion that stands")
	}
	if d.DecidedBy == casefile.ByEmergency {
		if len(d.Opinions) != 1 || d.Action != casefile.L5 || !stands.Emergency || stands.Role != casefile.RoleSenior && stands.Role != casefile.RoleLead {
			return refusal("an emergency order is one senior's L5")
		}
		return nil
	}
	// What policy asks for beyond the people due is the other system's own rule, and can only ask for more.
	again := casefile.Settle(d.Opinions, casefile.Deciding{Draw: 1000})
	if again.Next != casefile.NextDecided || again.By != d.DecidedBy || again.Standing != d.Standing {
		return refusal("the opinions do not settle the decision in the way it says")
	}
	return nil
}
