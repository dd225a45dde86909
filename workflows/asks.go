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
	ActivityProject       = "Project"       // TaskQueueCases
	ActivityProjectAppeal = "ProjectAppeal" // TaskQueueCases
	ActivityChainHead     = "ChainHead"     // TaskQueueLedger
	ActivityTakeIn        = "TakeIn"        // local
	ActivityAssess        = "Assess"        // local
	ActivityFixEntries    = "FixEntries"    // local
	ActivityArchive       = "Archive"       // local
	ActivityFinish        = "Finish"        // local
	ActivityDropStart     = "DropStart"     // local
	ActivityTakeAppeal    = "TakeAppeal"    // local
	ActivityOrderReview   = "OrderReview"   // local
	ActivityFinishUndo    = "FinishUndo"    // local
	ActivityAppend        = "Append"        // TaskQueueLedger
	ActivityPrepareActs   = "PrepareActs"   // TaskQueueActions
	ActivityDoAct         = "DoAct"         // TaskQueueActions
	ActivityEndAct        = "EndAct"        // TaskQueueActions
	ActivityPrepareUndo   = "PrepareUndo"   // TaskQueueActions
	ActivityUndoAct       = "UndoAct"       // TaskQueueActions
	ActivitySettleAct     = "SettleAct"     // TaskQueueActions
	ActivityNotify        = "Notify"        // TaskQueueActions
	ActivityNotifyUndo    = "NotifyUndo"    // TaskQueueActions
)

// DropStartAsk puts a workflow start or signal that the API did not make on record.
type DropStartAsk struct {
	// Kind is the workflow type; Platform and Thing are what it was started for, as far as they have
	// the form of a platform, a keyed hash or an id.
	Kind     string `json:"kind"`
	Platform string `json:"platform,omitempty"`
	Thing    string `json:"thing,omitempty"`
	Why      string `json:"why"` // a code: state, schedule, no_row, mismatch, input, type, queue, pinned
}

// TakeInAsk asks to take flags into the account's open case, opening one if there is none.
type TakeInAsk struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	Flags    []casefile.FlagKey  `json:"flags"`
	// Undecided says that the ledger was asked and holds no decision of the open case.
	Undecided bool `json:"undecided,omitempty"`
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
	// VoidIDs are the opinions of the lost run that no decision on the ledger came of, Round the round
	// that they were of.
	VoidIDs []string `json:"void_ids,omitempty"`
	Round   int      `json:"round,omitempty"`
	// Referrals and Threat are what the lost run's case was referred to, and whether it is a threat to life.
	Referrals []casefile.Referral `json:"referrals,omitempty"`
	Threat    bool                `json:"threat,omitempty"`
	// Kept is how the lost run's case was handled.
	Kept *Kept `json:"kept,omitempty"`
	// Proven is the lost run's decision where its entry is on the ledger: the case goes on from there.
	Proven *ProvenDecision `json:"proven,omitempty"`
	// Unproven is the lost run's decision where records saw no proof of it. Nothing was taken in: the
	// ledger says whether it stands.
	Unproven *casefile.Decision `json:"unproven,omitempty"`
	// Settings are the deployment's times, fixed for the case from here on.
	Settings Settings `json:"settings"`
	// FlagAuthors are the people and services who handed the flags in.
	FlagAuthors []casefile.Person `json:"flag_authors,omitempty"`
}

// Kept is what a case keeps although its run was lost: where it stood, and what became of its deadlines.
type Kept struct {
	Queue      string                  `json:"queue"`
	Moved      bool                    `json:"moved,omitempty"` // a person or a missed deadline put it there
	Raised     bool                    `json:"raised,omitempty"`
	Missed     []casefile.DeadlineKind `json:"missed,omitempty"`
	Led        []casefile.DeadlineKind `json:"led,omitempty"` // that a lead set
	DueAt      time.Time               `json:"due_at"`        // of the first touch
	DecideBy   time.Time               `json:"decide_by"`
	NotBefore  *time.Time              `json:"not_before,omitempty"`
	AssignedTo casefile.Person         `json:"assigned_to,omitempty"`
}

// ProvenDecision is a decision whose entry is on the ledger, with its proof.
type ProvenDecision struct {
	Decision casefile.Decision `json:"decision"`
	Bundle   casefile.Bundle   `json:"bundle"`
}

// ChainHeadAsk asks where a chain stands in the log.
type ChainHeadAsk struct {
	Chain string `json:"chain"`
	// Decision asks for the proof of a case's decision as well.
	Decision bool `json:"decision,omitempty"`
}

// ChainHeadAnswer is the chain's last entry in the log: 0 and "" for a chain without entries.
type ChainHeadAnswer struct {
	Seq  int    `json:"seq"`
	Hash string `json:"hash"`
	// Decision is the proof of the decision that the chain ends with, entries of restarted runs left
	// out; nil where it ends otherwise, or was not asked for it.
	Decision *casefile.Bundle `json:"decision,omitempty"`
	// Decides is that decision's id.
	Decides string `json:"decides,omitempty"`
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
	// Fresh says that nobody has touched the case yet: only then may it be closed or decided by rule.
	Fresh bool `json:"fresh,omitempty"`
}

// AssessAnswer is the findings' codes, where the sealed findings stand, and the route.
type AssessAnswer struct {
	Findings []casefile.FindingCode `json:"findings"`
	Sealed   casefile.Address       `json:"sealed"`
	Digest   string                 `json:"digest"`
	Route    casefile.Route         `json:"route"`
	Flags    int                    `json:"flags"`
	// Deciding are the rules by which the case is decided.
	Deciding casefile.Deciding `json:"deciding"`
	// AlreadyDecided is the earlier decision that had all the case's evidence before it; "" where
	// something is new, nothing was decided, or the case is one of the share that people look at all
	// the same.
	AlreadyDecided string `json:"already_decided,omitempty"`
	// Automatic is what an automatic rule decides; nil where none may, and where it was diverted.
	Automatic *Automatic `json:"automatic,omitempty"`
}

// Automatic is the judgement of a named automatic rule: L1, L2, or L0 with VE-00.
type Automatic struct {
	Rule      string              `json:"rule"`
	Judgement casefile.Judgement  `json:"judgement"` // every mitigation not_assessed
	Decision  string              `json:"decision"`  // the decision's id, drawn once
	Notice    *casefile.NoticeRef `json:"notice,omitempty"`
}

// ProjectAsk is the projection of a case's state.
type ProjectAsk struct {
	Platform string              `json:"platform"`
	Account  casefile.AccountKey `json:"account"`
	State    CaseState           `json:"state"`
	// Opinions are those to be written; repeats change nothing. While the case is undecided each stands
	// in the records as the bare fact that the person took part, its codes sealed.
	Opinions []casefile.Opinion `json:"opinions,omitempty"`
	// Tellings are what people are told of with this change; repeats (by id) change nothing.
	Tellings []Telling `json:"tellings,omitempty"`
	// Bundle is set once, when the decision was proven.
	Bundle     *casefile.Bundle `json:"bundle,omitempty"`
	File       casefile.Address `json:"file,omitempty"`
	FileDigest string           `json:"file_digest,omitempty"`
	ClosedAt   *time.Time       `json:"closed_at,omitempty"`
}

// Telling is one thing that people are told of: codes only.
type Telling struct {
	ID    string     `json:"id"`   // the same telling has the same id for ever
	Kind  string     `json:"kind"` // one of package telling's kinds
	Page  bool       `json:"page,omitempty"`
	Team  string     `json:"team,omitempty"` // "" for the team of the queue
	Queue string     `json:"queue,omitempty"`
	DueAt *time.Time `json:"due_at,omitempty"`
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
	// Fence says that this is the first entry behind those of a lost run, of which one may still have
	// been on its way: where the log holds other bytes under its number, the answer says so.
	Fence bool `json:"fence,omitempty"`
}

// AppendAnswer holds the receipts in the order asked for, and the proof.
type AppendAnswer struct {
	Receipts []casefile.Receipt `json:"receipts"`
	Bundle   *casefile.Bundle   `json:"bundle,omitempty"`
	Taken    bool               `json:"taken,omitempty"` // of a fence: nothing was appended
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

// DoActAsk asks the enforce role for one act.
type DoActAsk struct {
	Takedown TakedownInput `json:"takedown"`
	Act      casefile.Act  `json:"act"`
}

// EndActAsk asks the enforce role to end a timed act whose time has come: its reverse, or nothing
// (skipped) where the platform ends it by itself or a stronger act of the account stands.
type EndActAsk struct {
	Takedown TakedownInput `json:"takedown"`
	Act      casefile.Act  `json:"act"`
}

// PrepareUndoAsk asks the enforce role which acts of a decision are to be taken back, the last first,
// and writes their undo rows down as planned.
type PrepareUndoAsk struct {
	Reinstatement ReinstatementInput `json:"reinstatement"`
}

// UndoActAsk asks the enforce role to take one act back, by its undo record.
type UndoActAsk struct {
	Reinstatement ReinstatementInput `json:"reinstatement"`
	Act           casefile.Act       `json:"act"`
}

// SettleActAsk writes the outcome of an uncertain act that a person established. The actor asks the
// platform once more where it can be asked; what the platform knows goes before what the person saw.
type SettleActAsk struct {
	Takedown  TakedownInput      `json:"takedown"`
	Act       casefile.Act       `json:"act"`
	Direction casefile.Direction `json:"direction"`
	Done      bool               `json:"done"`
	Person    casefile.Person    `json:"person"`
}

// NotifyAsk asks the enforce role to tell the person concerned.
type NotifyAsk struct {
	Takedown TakedownInput `json:"takedown"`
}

// NotifyUndoAsk asks the enforce role to tell the person concerned what became of their appeal.
type NotifyUndoAsk struct {
	Reinstatement ReinstatementInput `json:"reinstatement"`
}

// NotifyAnswer says what became of the notice.
type NotifyAnswer struct {
	State casefile.NoticeState `json:"state"`
}

// FinishAsk records how far a takedown has come.
type FinishAsk struct {
	Decision casefile.Decision      `json:"decision"`
	State    casefile.DecisionState `json:"state"`
	Why      string                 `json:"why,omitempty"`
}

// FinishUndoAsk records the end of a reinstatement: the decision's state, its strike taken back, its
// handle forgotten, and the appeal's state.
type FinishUndoAsk struct {
	Decision casefile.Decision    `json:"decision"`
	Appeal   string               `json:"appeal"`
	State    casefile.AppealState `json:"state"` // reinstated or incomplete
	Why      string               `json:"why,omitempty"`
}

// TakeAppealAsk asks for the row behind an appeal's start.
type TakeAppealAsk struct {
	Appeal string `json:"appeal"`
}

// TakeAppealAnswer is the appeal as the API wrote it, with the decision that it is about. Known is
// false where there is no such row, or it is not open: a forged start.
type TakeAppealAnswer struct {
	Known    bool                `json:"known"`
	Kind     casefile.AppealKind `json:"kind"`
	DueAt    time.Time           `json:"due_at"`
	Digest   string              `json:"digest,omitempty"` // keyed digest of the complaint's words
	Opened   casefile.Actor      `json:"opened"`           // who opened it
	Decision ProvenDecision      `json:"decision"`
	// Parts are the people who took part in the case: flag authors, claim holders, authors of
	// opinions. None of them rules.
	Parts    []casefile.Person `json:"parts"`
	Settings Settings          `json:"settings"`
	// LastClaim is the highest claim number that records saw, above zero where a run was lost.
	LastClaim int    `json:"last_claim"`
	Revision  int    `json:"revision"`
	Team      string `json:"team,omitempty"`
	// Ruling is what a lost run accepted and did not prove: it was answered, so it is proven now.
	Ruling *casefile.AppealRuling `json:"ruling,omitempty"`
}

// ProjectAppealAsk is the projection of an appeal's state.
type ProjectAppealAsk struct {
	State    AppealRunState   `json:"state"`
	Tellings []Telling        `json:"tellings,omitempty"`
	Bundle   *casefile.Bundle `json:"bundle,omitempty"`
}

// OrderReviewAsk writes the row of an emergency order's review, if it is not there yet.
type OrderReviewAsk struct {
	Decision casefile.Decision `json:"decision"`
	DueAt    time.Time         `json:"due_at"`
}

// OrderReviewAnswer names the row.
type OrderReviewAnswer struct {
	Appeal string `json:"appeal"`
}
