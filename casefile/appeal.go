package casefile

import "time"

// AppealKind says why a decision is looked at again.
type AppealKind string

// The kinds.
const (
	AppealByAccount AppealKind = "appeal"           // the person concerned complained (Regulation (EU) 2022/2065, Article 20)
	AppealEmergency AppealKind = "emergency_review" // an emergency order is reviewed within a day
)

// Valid reports whether k is a kind of appeal.
func (k AppealKind) Valid() bool { return contains([]AppealKind{AppealByAccount, AppealEmergency}, k) }

// AppealState is how far an appeal has come.
type AppealState string

// The states of an appeal.
const (
	AppealOpen       AppealState = "open"       // waits for somebody who took no part
	AppealClaimed    AppealState = "claimed"    // held by a lease
	AppealDecided    AppealState = "decided"    // decided; its entry awaits its proof
	AppealRejected   AppealState = "rejected"   // the decision stands
	AppealUpheld     AppealState = "upheld"     // the decision falls; its acts are being taken back
	AppealReinstated AppealState = "reinstated" // everything was taken back
	AppealIncomplete AppealState = "incomplete" // something could not be taken back: a person's turn
)

// AppealStates are all states in the order of an appeal's life.
var AppealStates = []AppealState{AppealOpen, AppealClaimed, AppealDecided, AppealRejected, AppealUpheld, AppealReinstated, AppealIncomplete}

// Open reports whether the appeal still waits for its decision.
func (s AppealState) Open() bool { return s == AppealOpen || s == AppealClaimed }

// AppealOutcome is what was decided on an appeal.
type AppealOutcome string

// The outcomes.
const (
	OutcomeUpheld   AppealOutcome = "upheld"   // the appeal is right: everything is taken back
	OutcomeRejected AppealOutcome = "rejected" // the decision stands
)

// Valid reports whether o is an outcome.
func (o AppealOutcome) Valid() bool {
	return contains([]AppealOutcome{OutcomeUpheld, OutcomeRejected}, o)
}

// Times of appeals.
const (
	// AppealWindow is for how long a decision can be appealed from the day the person was told
	// (Regulation (EU) 2022/2065, Article 20(1): at least six months, of which the longest has 184 days).
	AppealWindow = 184 * 24 * time.Hour
	// AppealTime is until when an appeal is decided (Regulation (EU) 2021/784, Article 10(2): two weeks).
	AppealTime = 14 * 24 * time.Hour
	// EmergencyReviewTime is until when an emergency order is reviewed.
	EmergencyReviewTime = 24 * time.Hour
)

// AppealForm is what a person decides on an appeal, words included; sealed.
type AppealForm struct {
	Outcome   AppealOutcome `json:"outcome"`
	Rationale string        `json:"rationale"`
}

// AppealRuling is one person's decision on an appeal, without its words: what its ledger entry
// proves and what a reinstatement rests on.
type AppealRuling struct {
	ID       string     `json:"id"` // the verb's id
	Appeal   string     `json:"appeal"`
	Kind     AppealKind `json:"kind"`
	Decision string     `json:"decision"`
	// DecisionHash is the EntryHash of the decision's entry.
	DecisionHash string        `json:"decision_hash"`
	Case         CaseRef       `json:"case"`
	Platform     string        `json:"platform"`
	Account      AccountKey    `json:"account"`
	Outcome      AppealOutcome `json:"outcome"`
	Person       Person        `json:"person"`
	Role         Role          `json:"role"`
	At           time.Time     `json:"at"`
	Form         Address       `json:"form"`   // sealed AppealForm
	Digest       string        `json:"digest"` // keyed digest of its bytes
	// Notice is what the person concerned is told of the outcome.
	Notice *NoticeRef `json:"notice,omitempty"`
}

// AppealChain is the ledger chain of an appeal.
func AppealChain(id string) string { return "appeal." + id }

// ReinstatementChain is the ledger chain of the reinstatement that an upheld appeal brings about.
func ReinstatementChain(appeal string) string { return "reinstatement." + appeal }

// AppealWorkflowID is the workflow id of an appeal.
func AppealWorkflowID(id string) string { return "appeal/" + id }

// ReinstatementWorkflowID is the workflow id of an upheld appeal's reinstatement.
func ReinstatementWorkflowID(appeal string) string { return "reinstatement/" + appeal }
