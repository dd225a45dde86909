package workflows

import (
	"time"

	"github.com/docket-triage/docket/casefile"
)

// CaseState is everything a case's workflow knows. It is serialisable, so that a run can continue
// as new, and small: words stay in the sealed store.
type CaseState struct {
	Ref              casefile.CaseRef `json:"ref"`
	Ordinal          int              `json:"ordinal"`
	State            casefile.State   `json:"state"`
	Revision         int              `json:"revision"`
	EvidenceRevision int              `json:"evidence_revision"`
	OpenedAt         time.Time        `json:"opened_at"`
	Previous         casefile.CaseRef `json:"previous,omitempty"`
	Flags            int              `json:"flags"`
	// Taken are the flags that this case's runs have counted as evidence, so that a flag taken in by
	// an attempt that was lost is counted all the same, and once.
	Taken         []casefile.FlagKey     `json:"taken,omitempty"`
	Route         casefile.Route         `json:"route"`
	Findings      casefile.Address       `json:"findings,omitempty"`
	Claims        int                    `json:"claims"` // claims so far: the last claim's number
	Claim         *casefile.Claim        `json:"claim,omitempty"`
	Opinions      []casefile.Opinion     `json:"opinions,omitempty"`
	OpinionEvents []casefile.EventID     `json:"opinion_events,omitempty"`
	Decision      *casefile.Decision     `json:"decision,omitempty"`
	DecisionState casefile.DecisionState `json:"decision_state,omitempty"`
	GraceUntil    *time.Time             `json:"grace_until,omitempty"`
	DecisionHash  string                 `json:"decision_hash,omitempty"` // EntryHash of its entry
	CloseReason   casefile.CloseReason   `json:"close_reason,omitempty"`

	// Chain is the case's ledger chain: entries not yet appended, and its head.
	Chain Chain `json:"chain"`
	// Unprojected are rows new since the last projection.
	Comments []Comment `json:"comments,omitempty"`
	// Answered are the answers to the last verbs by id, oldest first: a verb's id makes it count
	// once, also across continue-as-new.
	Answered []Answered `json:"answered,omitempty"`
}

// Comment is a comment without its words.
type Comment struct {
	ID     string           `json:"id"`
	Person casefile.Person  `json:"person"`
	At     time.Time        `json:"at"`
	Text   casefile.Address `json:"text"`
}

// Answered is a verb that was carried out.
type Answered struct {
	ID     string     `json:"id"`
	Result VerbResult `json:"result"`
}

// maxAnswered bounds Answered; a verb retried after so many others is refused by its claim number.
const maxAnswered = 200

// Chain is the numberer of one ledger chain.
type Chain struct {
	Name string `json:"name"`
	// Cause is the hash that the chain's first entry names, for a takedown's.
	Cause string `json:"cause,omitempty"`
	// Seq and Hash are the head: the last entry whose bytes are fixed.
	Seq  int    `json:"seq"`
	Hash string `json:"hash"`
	// Drafts wait for their bytes; Fixed wait for their append.
	Drafts []PendingDraft        `json:"drafts,omitempty"`
	Fixed  []casefile.FixedEntry `json:"fixed,omitempty"`
}

// PendingDraft is a draft that has its number and time but not its bytes.
type PendingDraft struct {
	Event casefile.EventID `json:"event"`
	At    time.Time        `json:"at"`
	Draft casefile.Draft   `json:"draft"`
}
