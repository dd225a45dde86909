package policy

import (
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Step is one step of the enforcement ladder with the texts that reviewers see.
type Step struct {
	Action casefile.Action `json:"action"`
	Name   string          `json:"name"`
	// Effect is what happens on the platform.
	Effect string `json:"effect"`
	// HumanRule says who must decide it.
	HumanRule string `json:"human_rule"`
	// MinDays and MaxDays bound a timed action; both are 0 for every other.
	MinDays int `json:"min_days,omitempty"`
	MaxDays int `json:"max_days,omitempty"`
	// StatementFields are the fields of a statement of reasons (Regulation (EU) 2022/2065, Article
	// 24(5)) that the action fills; empty where it restricts nothing.
	StatementFields []string `json:"statement_fields,omitempty"`
	// StrikeDays is how long the strike that the action gives lasts; 0 where it gives none.
	StrikeDays int `json:"strike_days,omitempty"`
	// StrikePoints is what that strike counts when the next step is recommended; 0 where there is none.
	StrikePoints int `json:"strike_points,omitempty"`
}

var ladder = []Step{
	{
		Action: casefile.L0, Name: "No action",
		Effect:    "Nothing is done; a hold, if there is one, is released.",
		HumanRule: "one reviewer",
	},
	{
		Action: casefile.L1, Name: "Warning",
		Effect:    "The account is warned and told what the policy says. Nothing is restricted.",
		HumanRule: "one reviewer, or a named automatic rule where that is switched on",
	},
	{
		Action: casefile.L2, Name: "Label or demotion",
		Effect:          "The posts are labelled, kept from minors, ranked lower or no longer recommended.",
		HumanRule:       "one reviewer, or a named automatic rule where that is switched on, with a sample checked",
		StatementFields: []string{"decision_visibility"},
	},
	{
		Action: casefile.L3, Name: "Feature limits", MinDays: 1, MaxDays: 30,
		Effect:          "The account cannot post, go live, send direct messages or earn money for 1 to 30 days.",
		HumanRule:       "one reviewer",
		StatementFields: []string{"decision_provision", "end_date_service_restriction"},
	},
	{
		Action: casefile.L4, Name: "Removal of content", StrikeDays: 90, StrikePoints: 1,
		Effect:          "The posts relied on are removed, and the account gets a strike for 90 days.",
		HumanRule:       "one reviewer; automatic only on an exact verified match where that is switched on",
		StatementFields: []string{"decision_visibility"},
	},
	{
		Action: casefile.L5, Name: "Suspension", MinDays: 1, MaxDays: 365, StrikeDays: 180, StrikePoints: 2,
		Effect:          "The account is suspended for 1 to 365 days and gets a strike for 180 days.",
		HumanRule:       "one reviewer, with a sample checked; in an emergency one senior or lead at once, whom another person reviews within a day",
		StatementFields: []string{"decision_account", "end_date_account_restriction"},
	},
	{
		Action: casefile.L6, Name: "Termination", StrikeDays: 180, StrikePoints: 3,
		Effect:          "The account is ended for good, its identifiers are blocked, and it gets a strike for 180 days.",
		HumanRule:       "two people who agree, each without sight of the other's opinion; no exception",
		StatementFields: []string{"decision_account"},
	},
	{
		Action: casefile.LX, Name: "Legal order",
		Effect:    "A removal order, a preservation or a referral is carried out and recorded on its own.",
		HumanRule: "the legal or on-call role, not a reviewer",
	},
}

// Ladder lists the steps in order of severity, LX last. The caller owns the result.
func Ladder() []Step {
	out := slices.Clone(ladder)
	for i := range out {
		out[i].StatementFields = slices.Clone(out[i].StatementFields)
	}
	return out
}

// LookupStep gives a step of the ladder; ok is false for what is not on it.
func LookupStep(a casefile.Action) (step Step, ok bool) {
	i := slices.IndexFunc(ladder, func(s Step) bool { return s.Action == a })
	if i < 0 {
		return Step{}, false
	}
	return Ladder()[i], true
}

const day = 24 * time.Hour

// StrikeFor says whether a decision gives the account a strike, and how long after the decision it
// lapses: 90 days for L4, 180 for L5 and L6, none for the rest.
func StrikeFor(d casefile.Decision) (lasts time.Duration, strikes bool) {
	step, ok := LookupStep(d.Action)
	if !ok || step.StrikeDays == 0 {
		return 0, false
	}
	return time.Duration(step.StrikeDays) * day, true
}
