package ledgertest

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// LifeEntries is how many entries one case leaves, from its flag to the notice.
const LifeEntries = 8

// start is when the first case's flag came in.
var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// salts are those of a made-up account.
type salts struct{}

// Salt is an HMAC of the event and the label.
func (salts) Salt(event casefile.EventID, label string) []byte {
	mac := hmac.New(sha256.New, []byte("content key of a made-up account"))
	mac.Write([]byte(string(event) + "\x00" + label))
	return mac.Sum(nil)
}

// chain numbers the entries of one chain.
type chain struct {
	name, prev, cause string
	seq               int
}

func (c *chain) next(at time.Time, account casefile.AccountRef, d casefile.Draft) (casefile.FixedEntry, error) {
	pos := casefile.Position{Event: casefile.NewEventID(c.name, c.seq+1), Prev: c.prev, Cause: c.cause, At: at}
	e, err := casefile.FixEntry(d, pos, salts{}, account)
	if err != nil {
		return casefile.FixedEntry{}, fmt.Errorf("fix an entry of %s: %w", c.name, err)
	}
	c.seq, c.prev, c.cause = c.seq+1, e.Hash(), ""
	return e, nil
}

// Life gives the entries of the nth made-up case and of its takedown, in the log's order: flag, route,
// opinion, decision (L5), closed, acts planned, their outcome, notice. The same n gives the same bytes.
func Life(n int) ([]casefile.FixedEntry, error) {
	ref := casefile.CaseRef(fmt.Sprintf("%05d-%05d", n/100_000, n%100_000))
	account := casefile.AccountRef{Platform: "synthetic", ID: fmt.Sprintf("a-%d", n)}
	at := start.Add(time.Duration(n) * time.Second)
	person := casefile.Actor{Person: casefile.Person(fmt.Sprintf("p-%08d", n%50)), Role: casefile.RoleReviewer}
	judgement := casefile.Judgement{
		Action: casefile.L5, Days: 30, Policies: []casefile.PolicyCode{casefile.VE08}, EntityTier: casefile.E2,
		Mitigations: map[casefile.Mitigation]casefile.Answer{},
	}
	for _, m := range casefile.Mitigations {
		judgement.Mitigations[m] = casefile.AnswerNo
	}
	digest := fmt.Sprintf("%064x", n)
	opinion := casefile.Opinion{
		ID: fmt.Sprintf("OPINION%019d", n), Person: person.Person, Role: person.Role, At: at, Judgement: judgement,
		EvidenceRevision: 1, Relied: 1, Digest: digest, Notice: &casefile.NoticeRef{Number: "N", Digest: digest},
	}
	c := &chain{name: casefile.CaseChain(ref)}
	decision := casefile.Decision{
		ID: fmt.Sprintf("DECISION%018d", n), Case: ref, Platform: account.Platform, Judgement: judgement, DecidedBy: casefile.ByOneOpinion,
		DecidedAt: at, EvidenceRevision: 1, RuleSet: "rules-1",
		Opinions: []casefile.Opinion{opinion}, OpinionEvents: []casefile.EventID{casefile.NewEventID(c.name, 3)},
	}
	due := at.Add(24 * time.Hour)
	acts := casefile.PlanActs(decision, 1)
	route := casefile.Route{Queue: "general", Severity: 4, Confidence: 1, Tier: casefile.TierAlert, DueAt: due, DecideBy: due, Rule: "default", RuleSet: "rules-1"}
	entries := make([]casefile.FixedEntry, 0, LifeEntries)
	put := func(c *chain, after time.Duration, d casefile.Draft) error {
		e, err := c.next(at.Add(after), account, d)
		entries = append(entries, e)
		return err
	}
	for i, d := range []casefile.Draft{
		{Type: casefile.EntryFlagAccepted, Actor: casefile.System, Flag: &casefile.FlagBody{Flag: casefile.FlagKey(digest), Digest: digest, EvidenceRevision: 1}},
		{Type: casefile.EntryRoute, Actor: casefile.System, Route: &casefile.RouteBody{Route: route, Findings: []casefile.FindingCode{}, Digest: digest}},
		{Type: casefile.EntryOpinion, Actor: person, Opinion: &opinion},
		{Type: casefile.EntryDecision, Actor: person, Decision: &decision},
	} {
		err := put(c, time.Duration(i)*time.Minute, d)
		if err != nil {
			return nil, err
		}
	}
	takedown := &chain{name: casefile.TakedownChain(decision.ID), cause: c.prev}
	plan := &casefile.PlannedBody{Decision: decision.ID, Platform: account.Platform}
	done := &casefile.OutcomeBody{Decision: decision.ID, Direction: casefile.Do}
	for _, a := range acts {
		plan.Acts = append(plan.Acts, casefile.PlannedAct{Number: a.Number, Kind: a.Kind, Until: a.Until, Undo: digest})
		done.Outcomes = append(done.Outcomes, casefile.ActOutcome{Act: a, Direction: casefile.Do, State: casefile.ActDone, At: at, Reference: digest[:16]})
	}
	err := put(c, 5*time.Minute, casefile.Draft{Type: casefile.EntryClosed, Actor: casefile.System,
		Closed: &casefile.ClosedBody{Reason: casefile.CloseDecided, Decision: decision.ID, File: digest}})
	if err != nil {
		return nil, err
	}
	for i, d := range []casefile.Draft{
		{Type: casefile.EntryActsPlanned, Actor: casefile.System, Planned: plan},
		{Type: casefile.EntryActsOutcome, Actor: casefile.System, Outcome: done},
		{Type: casefile.EntryNotice, Actor: casefile.System, Notice: &casefile.NoticeBody{Number: "N", Decision: decision.ID, State: casefile.NoticeSent, Digest: digest}},
	} {
		err = put(takedown, time.Duration(6+i)*time.Minute, d)
		if err != nil {
			return nil, err
		}
	}
	return entries, nil
}
