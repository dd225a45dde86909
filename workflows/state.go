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

	// Settings and Deciding were recorded when the case was opened and assessed.
	Settings Settings          `json:"settings"`
	Deciding casefile.Deciding `json:"deciding"`
	Stage    casefile.Stage    `json:"stage,omitempty"`
	// ToDecide says that somebody would have closed the case and a lead has it instead: where an opinion
	// waited unseen, it is not closed without another.
	ToDecide bool `json:"to_decide,omitempty"`
	// Parts are the people who took part, in the order in which they came: flag authors, claim
	// holders and authors of opinions.
	Parts []casefile.Person `json:"parts,omitempty"`
	// NotBefore is until when a snoozed case is offered to nobody, AssignedTo the one person that a
	// case handed over is offered to. Held says that the claim lasts until its end without input.
	NotBefore  *time.Time      `json:"not_before,omitempty"`
	AssignedTo casefile.Person `json:"assigned_to,omitempty"`
	Held       bool            `json:"held,omitempty"`
	// Touched says that a person has claimed the case. The clocks are those that still run.
	Touched bool    `json:"touched,omitempty"`
	Clocks  []Clock `json:"clocks,omitempty"`
	// Queue is where the case stands; Moved says that a person or a missed deadline put it there.
	Queue string `json:"queue"`
	Moved bool   `json:"moved,omitempty"`
	// Round counts the rounds of opinions before this one; Voided are ids of opinions that count no
	// more and whose rows have still to say so.
	Round  int      `json:"round,omitempty"`
	Voided []string `json:"voided,omitempty"`
	// Raised lifts the case in its queue by one step of severity: half of a deadline has passed.
	// Threat puts it before everything else.
	Raised bool `json:"raised,omitempty"`
	Threat bool `json:"threat,omitempty"`
	// Missed are the deadlines that were missed.
	Missed []casefile.DeadlineKind `json:"missed,omitempty"`
	// Led are the deadlines that a lead set: no route moves them.
	Led       []casefile.DeadlineKind `json:"led,omitempty"`
	Referrals []casefile.Referral     `json:"referrals,omitempty"`
	// AlreadyDecided is the earlier decision that a case closed as already decided is attached to.
	AlreadyDecided string `json:"already_decided,omitempty"`

	// Chain is the case's ledger chain: entries not yet appended, and its head.
	Chain Chain `json:"chain"`
	// Unprojected are rows new since the last projection.
	Comments []Comment               `json:"comments,omitempty"`
	Handled  []casefile.HandlingNote `json:"handled,omitempty"`
	// Answered are the answers to the last verbs by id, oldest first: a verb's id makes it count
	// once, also across continue-as-new.
	Answered []Answered `json:"answered,omitempty"`
}

// Clock is one running deadline. From is where half its time is counted from.
type Clock struct {
	Kind casefile.DeadlineKind `json:"kind"`
	From time.Time             `json:"from"`
	Due  time.Time             `json:"due"`
	Half bool                  `json:"half,omitempty"` // the half mark was passed and told
}

// AppealRunState is everything an appeal's workflow knows.
type AppealRunState struct {
	Appeal   string                 `json:"appeal"`
	Kind     casefile.AppealKind    `json:"kind"`
	Decision string                 `json:"decision"`
	Case     casefile.CaseRef       `json:"case"`
	Platform string                 `json:"platform"`
	Account  casefile.AccountKey    `json:"account"`
	State    casefile.AppealState   `json:"state"`
	Revision int                    `json:"revision"`
	DueAt    time.Time              `json:"due_at"`
	Late     bool                   `json:"late,omitempty"`
	Claims   int                    `json:"claims"`
	Claim    *casefile.Claim        `json:"claim,omitempty"`
	Ruling   *casefile.AppealRuling `json:"ruling,omitempty"`
	// Event and Hash are the ruling's entry, once it is on the ledger.
	Event    casefile.EventID `json:"event,omitempty"`
	Hash     string           `json:"hash,omitempty"`
	Chain    Chain            `json:"chain"`
	Answered []AppealAnswered `json:"answered,omitempty"`
}

// AppealAnswered is a verb on an appeal that was carried out.
type AppealAnswered struct {
	ID     string       `json:"id"`
	Result AppealResult `json:"result"`
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
