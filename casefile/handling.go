package casefile

import "time"

// Handling is what a person did with a case beside judging it.
type Handling string

// The ways to handle a case. None but a lead's HandlingDeadline moves a deadline.
const (
	HandlingSnoozed   Handling = "snoozed"     // back in its queue, offered to nobody until a time
	HandlingHeld      Handling = "held"        // kept by its holder until a time, without their input
	HandlingHandOver  Handling = "handed_over" // given to another person or queue
	HandlingEscalated Handling = "escalated"   // given to the lead's queue
	HandlingThreat    Handling = "threat"      // threat to life: jumps every queue, pages, has its own clock
	HandlingDeadline  Handling = "deadline"    // a lead moved a deadline
	HandlingReleased  Handling = "released"    // a lead ended somebody else's claim
	HandlingDisabled  Handling = "disabled"    // the holder's account was disabled
)

// Limits of handling.
const (
	MaxSnooze  = 7 * 24 * time.Hour
	MaxHold    = 24 * time.Hour
	ThreatTime = 15 * time.Minute // to first touch, from the escalation
)

// DeadlineKind names a deadline of a case.
type DeadlineKind string

// The deadlines.
const (
	DeadlineTouch    DeadlineKind = "touch"    // a person first looks at it
	DeadlineDecision DeadlineKind = "decision" // it is decided
	DeadlineThreat   DeadlineKind = "threat"   // a person takes an escalated threat to life up
)

// Valid reports whether k is a deadline that a lead may move.
func (k DeadlineKind) Valid() bool {
	return contains([]DeadlineKind{DeadlineTouch, DeadlineDecision}, k)
}

// DeadlineMark says how far a deadline has come.
type DeadlineMark string

// The marks.
const (
	MarkHalf   DeadlineMark = "half"   // half of its time has passed
	MarkMissed DeadlineMark = "missed" // it has passed
)

// ReferralKind says to whom a case is referred.
type ReferralKind string

// The kinds of referral.
const (
	ReferChildSafety ReferralKind = "child_safety"
	ReferSelfHarm    ReferralKind = "self_harm"
	ReferLegal       ReferralKind = "legal"
	ReferPolicyTeam  ReferralKind = "policy_team"
)

// ReferralKinds are all kinds.
var ReferralKinds = []ReferralKind{ReferChildSafety, ReferSelfHarm, ReferLegal, ReferPolicyTeam}

// Valid reports whether k is a kind of referral.
func (k ReferralKind) Valid() bool { return contains(ReferralKinds, k) }

// Restricts reports whether a case referred so is shown from then on only to its holder, to leads and
// to the team referred to.
func (k ReferralKind) Restricts() bool { return k == ReferChildSafety || k == ReferSelfHarm }

// Team is the team that a referral of the kind goes to; its people see the restricted case.
func (k ReferralKind) Team() string { return string(k) }

// HidesMedia reports whether a case referred so shows no media, to anybody.
func (k ReferralKind) HidesMedia() bool { return k == ReferChildSafety }

// Referral is a case referred to somebody else. Its words stand sealed at Note.
type Referral struct {
	ID     string       `json:"id"` // the verb's id
	Kind   ReferralKind `json:"kind"`
	Person Person       `json:"person"`
	At     time.Time    `json:"at"`
	Note   Address      `json:"note"`
	Digest string       `json:"digest"` // keyed digest of the words
	Event  EventID      `json:"event"`  // of its ledger entry
}

// HandlingNote is what a person did with a case beside judging it, and why: the words are sealed.
type HandlingNote struct {
	ID       string       `json:"id"` // of the verb
	What     Handling     `json:"what"`
	Person   Person       `json:"person"`
	Role     Role         `json:"role"`
	At       time.Time    `json:"at"`
	Queue    string       `json:"queue,omitempty"`
	To       Person       `json:"to,omitempty"` // whom it was handed to, or whose claim was ended
	Deadline DeadlineKind `json:"deadline,omitempty"`
	Until    *time.Time   `json:"until,omitempty"` // when the deadline is due since
	Words    Address      `json:"words"`
}
