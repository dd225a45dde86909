package casefile

import (
	"encoding/json"
	"time"
)

// ReadDecision gives what a decision's entry says of the decision on an account. The words that it rests on
// are not in the log: its opinions have no form and its notice no text (WordsLost).
func ReadDecision(e Entry, account AccountKey) (Decision, error) {
	var b decisionEntryBody
	err := json.Unmarshal(e.Body, &b)
	if err != nil || e.Type != EntryDecision || b.Decision == "" || b.Case == "" {
		return Decision{}, Errorf(CodeInvalid, "%s is not the entry of a decision", e.Event)
	}
	d := Decision{
		ID: b.Decision, Case: b.Case, Platform: b.Platform, Account: account,
		Judgement: Judgement{Action: b.Action, Days: b.Days, Policies: b.Policies, EntityTier: b.EntityTier, Mitigations: b.Mitigations},
		DecidedBy: b.DecidedBy, EvidenceRevision: b.EvidenceRevision, RuleSet: b.RuleSet, Standing: b.Standing, Rule: b.Rule,
	}
	d.DecidedAt, err = time.Parse(TimeFormat, b.DecidedAt)
	if err != nil {
		return Decision{}, Errorf(CodeInvalid, "%s says of no time when it was decided", e.Event)
	}
	for _, opened := range b.Opinions {
		c := opened.Codes
		o := Opinion{
			ID: c.ID, Person: c.Person, Role: c.Role, EvidenceRevision: c.EvidenceRevision, Relied: c.Relied, Emergency: c.Emergency,
			Judgement: Judgement{Action: c.Action, Days: c.Days, Policies: c.Policies, EntityTier: c.EntityTier, Mitigations: c.Mitigations},
		}
		o.At, err = time.Parse(TimeFormat, c.At)
		if err != nil {
			return Decision{}, Errorf(CodeInvalid, "%s opens an opinion of no time", e.Event)
		}
		d.Opinions, d.OpinionEvents = append(d.Opinions, o), append(d.OpinionEvents, opened.Event)
	}
	if b.Notice != "" {
		d.AutoNotice = &NoticeRef{}
	}
	return d, nil
}

// WordsLost says of a decision that what it rests on, or what the person is told, is not there: it was read
// back from the log. Nothing can be done for it any more, since no proof of it can be checked.
func (d Decision) WordsLost() bool {
	if o := d.Stands(); o != nil {
		return o.Form == ""
	}
	return d.AutoNotice != nil && d.AutoNotice.Text == ""
}

// ReadRuling gives what a ruling's entry says of the ruling, without its words, as ReadDecision.
func ReadRuling(e Entry, account AccountKey) (AppealRuling, error) {
	var b rulingEntryBody
	err := json.Unmarshal(e.Body, &b)
	if err != nil || e.Type != EntryAppealRuling || b.Appeal == "" || b.Decision == "" {
		return AppealRuling{}, Errorf(CodeInvalid, "%s is not the entry of a ruling", e.Event)
	}
	r := AppealRuling{
		ID: b.Ruling, Appeal: b.Appeal, Kind: b.Kind, Decision: b.Decision, DecisionHash: b.DecisionHash, Case: b.Case,
		Platform: b.Platform, Account: account, Outcome: b.Outcome, Person: b.Person, Role: b.Role,
	}
	r.At, err = time.Parse(TimeFormat, b.DecidedAt)
	if err != nil {
		return AppealRuling{}, Errorf(CodeInvalid, "%s says of no time when it was ruled on", e.Event)
	}
	return r, nil
}
