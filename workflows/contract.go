package workflows

import (
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Task queues. Each is polled by one role.
const (
	TaskQueueCases   = "cases"            // work: workflows and their local activities
	TaskQueueLedger  = "ledger"           // ledger: the only writer of the log
	TaskQueueActions = "platform-actions" // enforce: the only holder of platform credentials
)

// Workflow types.
const (
	CaseWorkflowType          = "Case"
	TakedownWorkflowType      = "Takedown"
	AppealWorkflowType        = "Appeal"
	ReinstatementWorkflowType = "Reinstatement"
)

// Signals. Each carries the key of a row that the API wrote, nothing else.
const (
	// SignalFlag carries a FlagSignal: the key of a receipt row.
	SignalFlag = "flag"
	// SignalContinue makes a drained continue-as-new happen soon; for operators and tests.
	SignalContinue = "continue"
)

// Updates of the case workflow: the verbs. The Update id is the verb's id. Each takes the argument
// type of the same name and answers a VerbResult. Refusals are application errors whose type is a
// casefile.Code and whose details hold the error's field and message (see RefusalDetails).
const (
	UpdateClaim        = "claim"
	UpdateHeartbeat    = "heartbeat"
	UpdateRelease      = "release"
	UpdateComment      = "comment"
	UpdateOpinion      = "opinion"
	UpdateWithdraw     = "withdraw"
	UpdateClose        = "close"
	UpdateSnooze       = "snooze"
	UpdateHold         = "hold"
	UpdateHandOver     = "hand_over"
	UpdateEscalate     = "escalate"
	UpdateMoveDeadline = "move_deadline"
	UpdateForceRelease = "force_release"
	UpdateRefer        = "refer"
)

// Updates of the takedown and reinstatement workflows.
const (
	UpdateSettle = "settle" // SettleArgs; answers a SettleResult
)

// Updates of the appeal workflow; they answer an AppealResult.
const (
	UpdateAppealClaim   = "appeal_claim"
	UpdateAppealRelease = "appeal_release"
	UpdateAppealRule    = "appeal_rule"
)

// QueryState answers a CaseState; for operators and tests. Pages read records.
const QueryState = "state"

// FlagSignal names a receipt row.
type FlagSignal struct {
	Flag casefile.FlagKey `json:"flag"`
}

// Verb is what every verb carries: its id (the Update id), who acts and in which role, and the API's
// signed word for it.
type Verb struct {
	ID    string           `json:"id"`
	Case  casefile.CaseRef `json:"case"`
	Actor casefile.Actor   `json:"actor"`
	// Assertion is left out of the digest that it holds.
	Assertion *casefile.Assertion `json:"assertion,omitempty"`
}

// Reason is why a person did something that takes a reason: the address and keyed digest of the
// sealed words.
type Reason struct {
	Words  casefile.Address `json:"words,omitempty"`
	Digest string           `json:"digest,omitempty"`
}

// ClaimArgs asks for the case.
type ClaimArgs struct {
	Verb
}

// HeartbeatArgs moves the lease on; sent only on a person's input.
type HeartbeatArgs struct {
	Verb
	Claim int `json:"claim"`
}

// ReleaseArgs gives the case back to its queue.
type ReleaseArgs struct {
	Verb
	Claim int `json:"claim"`
}

// CommentArgs adds a comment whose words are sealed at Text. It needs no claim.
type CommentArgs struct {
	Verb
	Text casefile.Address `json:"text"`
}

// OpinionArgs gives an opinion: the codes, and the address and keyed digest of the sealed form.
type OpinionArgs struct {
	Verb
	Claim            int                `json:"claim"`
	EvidenceRevision int                `json:"evidence_revision"`
	Judgement        casefile.Judgement `json:"judgement"`
	// Relied is how many posts the form relies on, the profile not counted.
	Relied int                 `json:"relied"`
	Form   casefile.Address    `json:"form"`
	Digest string              `json:"digest"`
	Notice *casefile.NoticeRef `json:"notice,omitempty"`
	// Emergency orders L5 at once, without a grace time and without a second person; a senior's or a
	// lead's. Somebody else reviews it within a day.
	Emergency bool `json:"emergency,omitempty"`
}

// WithdrawArgs takes a decision back within its grace time; only an author of one of its opinions may.
type WithdrawArgs struct {
	Verb
	Decision string `json:"decision"`
}

// CloseArgs closes the case without a decision.
type CloseArgs struct {
	Verb
	Claim            int                  `json:"claim"`
	EvidenceRevision int                  `json:"evidence_revision"`
	Reason           casefile.CloseReason `json:"reason"`
}

// SnoozeArgs gives the case back to its queue, to be offered to nobody until a time.
type SnoozeArgs struct {
	Verb
	Claim int       `json:"claim"`
	Until time.Time `json:"until"`
}

// HoldArgs keeps the case with its holder until a time, without their input.
type HoldArgs struct {
	Verb
	Claim int       `json:"claim"`
	Until time.Time `json:"until"`
}

// HandOverArgs gives the case to a person (who is then the only one it is offered to) or to a queue;
// exactly one of To and Queue is set. The API checks that the queue exists and the person may judge.
type HandOverArgs struct {
	Verb
	Claim  int             `json:"claim"`
	To     casefile.Person `json:"to,omitempty"`
	Queue  string          `json:"queue,omitempty"`
	Reason Reason          `json:"reason"`
}

// EscalateArgs gives the case to the lead's queue. With Threat, somebody's life is in danger: it
// jumps every queue, people are paged, and a clock of its own runs. It needs no claim.
type EscalateArgs struct {
	Verb
	Threat bool   `json:"threat,omitempty"`
	Reason Reason `json:"reason"`
}

// MoveDeadlineArgs moves a deadline; a lead's, with a reason.
type MoveDeadlineArgs struct {
	Verb
	Deadline casefile.DeadlineKind `json:"deadline"`
	To       time.Time             `json:"to"`
	Reason   Reason                `json:"reason"`
}

// ForceReleaseArgs ends somebody else's claim, or frees a waiting case from the one person that it was
// handed over to: a lead's, with a reason; or an administrator's, whose verb Disabled marks, when that
// person's account was disabled.
type ForceReleaseArgs struct {
	Verb
	Reason   Reason `json:"reason"`
	Disabled bool   `json:"disabled,omitempty"`
	// Person is whose case it is meant to be; "" for anybody's.
	Person casefile.Person `json:"person,omitempty"`
}

// ReferArgs refers the case to another team. The case goes on.
type ReferArgs struct {
	Verb
	Claim  int                   `json:"claim"`
	Kind   casefile.ReferralKind `json:"kind"`
	Reason Reason                `json:"reason"`
}

// SettleArgs establishes the outcome of an uncertain act: by a person who looked.
type SettleArgs struct {
	Verb
	Decision  string             `json:"decision"`
	Number    int                `json:"number"`
	Direction casefile.Direction `json:"direction"`
	// Done says that the act happened; else it did not.
	Done   bool   `json:"done"`
	Reason Reason `json:"reason"`
}

// SettleResult is the act as it stands then.
type SettleResult struct {
	Decision string             `json:"decision"`
	Number   int                `json:"number"`
	State    casefile.ActState  `json:"state"`
	Of       casefile.Direction `json:"direction"`
}

// AppealClaimArgs takes an appeal.
type AppealClaimArgs struct {
	Verb
	Appeal string `json:"appeal"`
}

// AppealReleaseArgs gives an appeal back: its holder's, or an administrator's, whose verb Disabled marks,
// when the holder's account was disabled.
type AppealReleaseArgs struct {
	Verb
	Appeal   string `json:"appeal"`
	Claim    int    `json:"claim"`
	Disabled bool   `json:"disabled,omitempty"`
}

// AppealRuleArgs decides an appeal.
type AppealRuleArgs struct {
	Verb
	Appeal  string                 `json:"appeal"`
	Claim   int                    `json:"claim"`
	Outcome casefile.AppealOutcome `json:"outcome"`
	Form    casefile.Address       `json:"form"`
	Digest  string                 `json:"digest"`
	Notice  *casefile.NoticeRef    `json:"notice,omitempty"`
}

// AppealResult is the answer to a verb on an appeal.
type AppealResult struct {
	Appeal  string                 `json:"appeal"`
	State   casefile.AppealState   `json:"state"`
	Claim   *casefile.Claim        `json:"claim,omitempty"`
	Outcome casefile.AppealOutcome `json:"outcome,omitempty"`
}

// VerbResult is the answer to every verb on a case.
type VerbResult struct {
	Case             casefile.CaseRef `json:"case"`
	State            casefile.State   `json:"state"`
	Revision         int              `json:"revision"`
	EvidenceRevision int              `json:"evidence_revision"`
	Claim            *casefile.Claim  `json:"claim,omitempty"`
	// Decision is set by an opinion that settled the case, GraceUntil until when it can be withdrawn.
	Decision   string     `json:"decision,omitempty"`
	GraceUntil *time.Time `json:"grace_until,omitempty"`
	// Referral is set by a referral: its receipt's ledger event.
	Referral casefile.EventID `json:"referral,omitempty"`
}

// RefusalDetails are the details of a refused verb's application error.
type RefusalDetails struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	// EvidenceRevision is the case's own, so that a caller told new_evidence can ask what is new.
	EvidenceRevision int `json:"evidence_revision"`
}

// Settings are the times of a case. They come with the answer that opens it, never with a start,
// which anybody may send.
type Settings struct {
	Lease time.Duration `json:"lease"` // of a claim; heartbeats renew it
	Grace time.Duration `json:"grace"` // between an opinion that settles the case and its entry
}

// CaseInput starts a run of the case workflow. State and Pending are set by continue-as-new only; a
// run that was started with them by anybody else ends without looking at them.
type CaseInput struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	State    *CaseState          `json:"state,omitempty"`
	// Pending are flags that arrived after the case before was decided.
	Pending []casefile.FlagKey `json:"pending,omitempty"`
}

// TakedownInput starts a decision's takedown. A forged one fails at the actor: the decision and the
// account must match the entry that the bundle proves.
type TakedownInput struct {
	Decision casefile.Decision `json:"decision"`
	Bundle   casefile.Bundle   `json:"bundle"`
}

// AppealInput starts an appeal: the key of the row that the API wrote, nothing else.
type AppealInput struct {
	Appeal string `json:"appeal"`
}

// ReinstatementInput starts an upheld appeal's reinstatement. A forged one fails at the actor: both
// the decision and the ruling must match the entries that their bundles prove.
type ReinstatementInput struct {
	Takedown TakedownInput         `json:"takedown"`
	Ruling   casefile.AppealRuling `json:"ruling"`
	Bundle   casefile.Bundle       `json:"bundle"` // of the ruling's entry
}
