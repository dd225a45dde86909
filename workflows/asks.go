package workflows

import (
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Names of the activities that workflows ask for, with the task queue or "local" behind each.
// Package activities implements them. A local activity runs before its workflow task is committed and
// may run again from an older state: only what is idempotent whatever the state may be one. A
// projection shows people what happened, so it is a regular activity: what it shows is committed.
const (
	ActivityProject     = "Project"     // TaskQueueCases
	ActivityChainHead   = "ChainHead"   // TaskQueueLedger
	ActivityTakeIn      = "TakeIn"      // local
	ActivityAssess      = "Assess"      // local
	ActivityFixEntries  = "FixEntries"  // local
	ActivityArchive     = "Archive"     // local
	ActivityFinish      = "Finish"      // local
	ActivityAppend      = "Append"      // TaskQueueLedger
	ActivityPrepareActs = "PrepareActs" // TaskQueueActions
	ActivityDoAct       = "DoAct"       // TaskQueueActions
	ActivityNotify      = "Notify"      // TaskQueueActions
)

// TakeInAsk asks to take flags into the account's open case, opening one if there is none.
type TakeInAsk struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	Flags    []casefile.FlagKey  `json:"flags"`
}

// TakeInAnswer is the open case after the flags; Ref is "" when none was taken in and none is open.
type TakeInAnswer struct {
	Taken    []TakenFlag      `json:"taken"`
	Ref      casefile.CaseRef `json:"ref,omitempty"`
	Ordinal  int              `json:"ordinal"`
	OpenedAt time.Time        `json:"opened_at"`
	Previous casefile.CaseRef `json:"previous,omitempty"`
	// Revision, EvidenceRevision and LastClaim are what records last saw of the case: above zero,
	// for a run that opens it, only where an earlier run of it was lost.
	Revision         int `json:"revision"`
	EvidenceRevision int `json:"evidence_revision"`
	LastClaim        int `json:"last_claim"`
}

// ChainHeadAsk asks where a chain stands in the log.
type ChainHeadAsk struct {
	Chain string `json:"chain"`
}

// ChainHeadAnswer is the chain's last entry in the log: 0 and "" for a chain without entries.
type ChainHeadAnswer struct {
	Seq  int    `json:"seq"`
	Hash string `json:"hash"`
}

// TakenFlag is a flag that is in the case, now or from before.
type TakenFlag struct {
	Flag   casefile.FlagKey `json:"flag"`
	Digest string           `json:"digest"`
}

// AssessAsk asks for findings and a route.
type AssessAsk struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	Ref      casefile.CaseRef    `json:"ref"`
	OpenedAt time.Time           `json:"opened_at"`
}

// AssessAnswer is the findings' codes, where the sealed findings stand, and the route.
type AssessAnswer struct {
	Findings []casefile.FindingCode `json:"findings"`
	Sealed   casefile.Address       `json:"sealed"`
	Digest   string                 `json:"digest"`
	Route    casefile.Route         `json:"route"`
	Flags    int                    `json:"flags"`
}

// ProjectAsk is the projection of a case's state.
type ProjectAsk struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	State    CaseState           `json:"state"`
	// Opinions are those to be written; repeats change nothing.
	Opinions []casefile.Opinion `json:"opinions,omitempty"`
	// Bundle is set once, when the decision was proven.
	Bundle     *casefile.Bundle `json:"bundle,omitempty"`
	File       casefile.Address `json:"file,omitempty"`
	FileDigest string           `json:"file_digest,omitempty"`
	ClosedAt   *time.Time       `json:"closed_at,omitempty"`
}

// FixEntriesAsk asks for the bytes of drafts in order.
type FixEntriesAsk struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	Prev     string              `json:"prev"` // EntryHash of the entry before the first
	Cause    string              `json:"cause,omitempty"`
	Drafts   []PendingDraft      `json:"drafts"`
}

// AppendAsk asks the ledger role to append entries in order, and for a proof of Prove if it is set.
type AppendAsk struct {
	Entries []casefile.FixedEntry `json:"entries"`
	Prove   casefile.EventID      `json:"prove,omitempty"`
}

// AppendAnswer holds the receipts in the order asked for, and the proof.
type AppendAnswer struct {
	Receipts []casefile.Receipt `json:"receipts"`
	Bundle   *casefile.Bundle   `json:"bundle,omitempty"`
}

// ArchiveAsk asks to seal the case file.
type ArchiveAsk struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	State    CaseState           `json:"state"`
	Bundle   *casefile.Bundle    `json:"bundle,omitempty"`
	ClosedAt time.Time           `json:"closed_at"`
}

// ArchiveAnswer is where the case file stands, and its keyed digest.
type ArchiveAnswer struct {
	File   casefile.Address `json:"file"`
	Digest string           `json:"digest"`
}

// PrepareActsAsk asks the enforce role to plan a decision's acts and write their undo down.
type PrepareActsAsk struct {
	Takedown TakedownInput `json:"takedown"`
}

// PrepareActsAnswer is the planned acts with the digests of their undo records.
type PrepareActsAnswer struct {
	Acts []PreparedAct `json:"acts"`
}

// PreparedAct is an act whose undo is written down.
type PreparedAct struct {
	Act        casefile.Act `json:"act"`
	UndoDigest string       `json:"undo_digest"`
}

// DoActAsk asks the enforce role for one act. Planned is the event of the entry that announced it.
type DoActAsk struct {
	Takedown  TakedownInput      `json:"takedown"`
	Act       casefile.Act       `json:"act"`
	Direction casefile.Direction `json:"direction"`
}

// NotifyAsk asks the enforce role to tell the person concerned.
type NotifyAsk struct {
	Takedown TakedownInput `json:"takedown"`
}

// NotifyAnswer says what became of the notice.
type NotifyAnswer struct {
	State casefile.NoticeState `json:"state"`
}

// FinishAsk records the end of a takedown.
type FinishAsk struct {
	Decision casefile.Decision      `json:"decision"`
	State    casefile.DecisionState `json:"state"`
	Why      string                 `json:"why,omitempty"`
}
