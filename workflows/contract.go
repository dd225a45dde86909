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
	CaseWorkflowType     = "Case"
	TakedownWorkflowType = "Takedown"
)

// Signals of the case workflow.
const (
	// SignalFlag carries a FlagSignal: the key of a receipt row, nothing else.
	SignalFlag = "flag"
	// SignalContinue makes a drained continue-as-new happen soon; for operators and tests.
	SignalContinue = "continue"
)

// Updates of the case workflow: the verbs. The Update id is the verb's id. Each takes the argument
// type of the same name and answers a VerbResult. Refusals are application errors whose type is a
// casefile.Code and whose details hold the error's field and message (see RefusalDetails).
const (
	UpdateClaim     = "claim"
	UpdateHeartbeat = "heartbeat"
	UpdateRelease   = "release"
	UpdateComment   = "comment"
	UpdateOpinion   = "opinion"
	UpdateWithdraw  = "withdraw"
	UpdateClose     = "close"
)

// QueryState answers a CaseState; for operators and tests. Pages read records.
const QueryState = "state"

// FlagSignal names a receipt row.
type FlagSignal struct {
	Flag casefile.FlagKey `json:"flag"`
}

// Verb is what every verb carries: its id (the Update id), who acts and in which role.
type Verb struct {
	ID    string           `json:"id"`
	Case  casefile.CaseRef `json:"case"`
	Actor casefile.Actor   `json:"actor"`
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
}

// WithdrawArgs takes a decision back within its grace time; only the opinion's author may.
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

// VerbResult is the answer to every verb.
type VerbResult struct {
	Case             casefile.CaseRef `json:"case"`
	State            casefile.State   `json:"state"`
	Revision         int              `json:"revision"`
	EvidenceRevision int              `json:"evidence_revision"`
	Claim            *casefile.Claim  `json:"claim,omitempty"`
	// Decision is set by an opinion that settled the case, GraceUntil until when it can be withdrawn.
	Decision   string     `json:"decision,omitempty"`
	GraceUntil *time.Time `json:"grace_until,omitempty"`
}

// RefusalDetails are the details of a refused verb's application error.
type RefusalDetails struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	// EvidenceRevision is the case's own, so that a caller told new_evidence can ask what is new.
	EvidenceRevision int `json:"evidence_revision"`
}

// Settings are the times of a case, fixed for a run by its start input.
type Settings struct {
	Lease time.Duration `json:"lease"` // of a claim; heartbeats renew it
	Grace time.Duration `json:"grace"` // between an opinion that settles the case and its entry
}

// CaseInput starts a run of the case workflow. State is set by continue-as-new only.
type CaseInput struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	Settings Settings            `json:"settings"`
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
