package telling

import "slices"

// Kind says what a telling is of. It is the event type of a webhook.
type Kind string

// The kinds.
const (
	KindHalfDue        Kind = "case.half_due"        // half of the time to a case's deadline has passed
	KindDeadlineMissed Kind = "case.deadline_missed" // a case's deadline has passed
	KindThreat         Kind = "case.threat"          // a case was escalated with threat to life
	KindEscalated      Kind = "case.escalated"       // a case was given to the lead's queue
	KindHandedOver     Kind = "case.handed_over"     // a case was given to another person or queue
	KindAdjudication   Kind = "case.adjudication"    // a lead must decide a case
	KindReferred       Kind = "case.referred"        // a case was referred to another team
	KindActLate        Kind = "act.late"             // an act has no outcome 15 minutes after it was planned
	KindActUncertain   Kind = "act.uncertain"        // whether an act happened could not be established
	KindBreakerTripped Kind = "breaker.tripped"      // automatic acts stopped, and their cases go to people
	KindAppealReceived Kind = "appeal.received"      // an appeal came in
	KindOrderReview    Kind = "order.review"         // an emergency order waits for its review
)

// Urgency says how hard a telling is tried, and who is told.
type Urgency string

// The urgencies.
const (
	Page   Urgency = "page"   // somebody is needed now; never given up
	Notice Urgency = "notice" // somebody is needed within the working day; given up after GiveUp
)

// Valid reports whether u is one of the urgencies.
func (u Urgency) Valid() bool { return u == Page || u == Notice }

// Wording is what people read of a kind: fixed texts, so that no telling carries others' words.
type Wording struct {
	Kind  Kind
	Title string // a few words, for a mail's subject
	Text  string // one or two sentences
}

type rule struct {
	Wording
	page    bool   // told as a page and no less
	bare    bool   // belongs to no case
	subject string // what Subject is the id of; "" where there is none
}

var rules = []rule{
	{Wording: Wording{KindHalfDue, "half of the time is over",
		"Half of the time to this case's deadline has passed."}},
	{Wording: Wording{KindDeadlineMissed, "deadline missed",
		"This case's deadline has passed."}},
	{Wording: Wording{KindThreat, "threat to life",
		"This case was escalated with threat to life. Somebody must take it up now."}, page: true},
	{Wording: Wording{KindEscalated, "case escalated",
		"A case was given to the lead's queue."}},
	{Wording: Wording{KindHandedOver, "case handed over",
		"A case was given to another person or queue."}},
	{Wording: Wording{KindAdjudication, "case for a lead",
		"This case needs a lead's decision."}},
	{Wording: Wording{KindReferred, "case referred",
		"A case was referred to your team."}},
	{Wording: Wording{KindActLate, "act not carried out",
		"An act on the platform has had no outcome for more than 15 minutes."}, subject: "Decision"},
	{Wording: Wording{KindActUncertain, "act uncertain",
		"Whether an act happened on the platform could not be established. It is not tried again until somebody has looked."}, subject: "Decision"},
	{Wording: Wording{KindBreakerTripped, "breaker tripped",
		"A breaker tripped: nothing automatic is done for now, and its cases go to people."}, bare: true},
	{Wording: Wording{KindAppealReceived, "appeal received",
		"An appeal came in. Somebody who took no part in the decision must decide it."}, subject: "Appeal"},
	{Wording: Wording{KindOrderReview, "emergency order to review",
		"An account was suspended by an emergency order. Somebody else must review it."}, subject: "Decision"},
}

func ruleOf(k Kind) (rule, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.Kind == k })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

// Wordings gives every kind with its texts.
func Wordings() []Wording {
	out := make([]Wording, 0, len(rules))
	for _, r := range rules {
		out = append(out, r.Wording)
	}
	return out
}
