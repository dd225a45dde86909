package review

import (
	"time"

	"github.com/docket-triage/docket/casefile"
)

// QueueView is one queue as people see it.
type QueueView struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Waiting int        `json:"waiting"`
	Claimed int        `json:"claimed"`
	Overdue int        `json:"overdue"`
	Oldest  *time.Time `json:"oldest,omitempty"`
	NextDue *time.Time `json:"next_due,omitempty"`
}

// CaseRow is a case in a list. It shows codes only; Handle is filled where the caller may see it.
type CaseRow struct {
	Case       casefile.CaseRef     `json:"case"`
	Platform   string               `json:"platform"`
	AccountID  string               `json:"account_id,omitempty"`
	Handle     string               `json:"handle,omitempty"`
	State      casefile.State       `json:"state"`
	Queue      string               `json:"queue,omitempty"`
	Severity   int                  `json:"severity"`
	Confidence int                  `json:"confidence"`
	Tier       casefile.Tier        `json:"tier,omitempty"`
	DueAt      *time.Time           `json:"due_at,omitempty"`
	OpenedAt   time.Time            `json:"opened_at"`
	ClosedAt   *time.Time           `json:"closed_at,omitempty"`
	Reason     casefile.CloseReason `json:"close_reason,omitempty"`
	Flags      int                  `json:"flags"`
	Holder     casefile.Person      `json:"holder,omitempty"`
}

// CasePage is one page of a list.
type CasePage struct {
	Cases []CaseRow `json:"cases"`
	Total *int      `json:"total,omitempty"` // up to 10,000, where it is known
	Next  string    `json:"next,omitempty"`
}

// CaseView is everything that the case page shows to a person who may open the case.
type CaseView struct {
	CaseRow
	Revision         int                `json:"revision"`
	EvidenceRevision int                `json:"evidence_revision"`
	Ordinal          int                `json:"ordinal"`
	Account          casefile.Account   `json:"account"`
	Route            casefile.Route     `json:"route"`
	Claim            *casefile.Claim    `json:"claim,omitempty"`
	Mine             bool               `json:"mine"` // the caller holds the live claim
	FlagViews        []FlagView         `json:"flag_views"`
	Evidence         []EvidencePost     `json:"evidence"`
	Findings         []casefile.Finding `json:"findings"`
	Linked           []LinkedAccount    `json:"linked,omitempty"`
	Earlier          []EarlierCase      `json:"earlier,omitempty"`
	Comments         []CommentView      `json:"comments,omitempty"`
	Opinions         []OpinionView      `json:"opinions,omitempty"`
	Decision         *DecisionView      `json:"decision,omitempty"`
	Proof            *ProofView         `json:"proof,omitempty"`
	// Missing lists what could not be read, in plain words: a page never hides a gap.
	Missing []string `json:"missing,omitempty"`
}

// FlagView is one flag of the case.
type FlagView struct {
	ID       string            `json:"id"`
	At       time.Time         `json:"at"`
	TakenAt  time.Time         `json:"taken_at"`
	Detector casefile.Detector `json:"detector"`
	Reasons  []casefile.Reason `json:"reasons"`
	Posts    []string          `json:"posts"` // ids of its evidence
	Source   casefile.Person   `json:"source"`
}

// EvidencePost is a post with every place in it that a rule or a score rests on. Flags of the same
// case share posts; each stands here once, newest first.
type EvidencePost struct {
	Event casefile.Event  `json:"event"`
	Spans []casefile.Span `json:"spans"` // by start, may overlap
	Score *float64        `json:"score,omitempty"`
	New   bool            `json:"new"` // came in after the evidence revision that the caller last saw
}

// LinkedAccount is another account that a finding names, read from its own sealed profile.
type LinkedAccount struct {
	Account casefile.Account `json:"account"`
	Why     string           `json:"why"`
	Case    casefile.CaseRef `json:"case,omitempty"` // its last case
}

// EarlierCase is an earlier case of the same account.
type EarlierCase struct {
	Case     casefile.CaseRef      `json:"case"`
	OpenedAt time.Time             `json:"opened_at"`
	ClosedAt *time.Time            `json:"closed_at,omitempty"`
	Reason   casefile.CloseReason  `json:"reason,omitempty"`
	Action   casefile.Action       `json:"action,omitempty"`
	Policies []casefile.PolicyCode `json:"policies,omitempty"`
}

// CommentView is a comment with its words.
type CommentView struct {
	ID     string          `json:"id"`
	Person casefile.Person `json:"person"`
	At     time.Time       `json:"at"`
	Text   string          `json:"text"`
}

// OpinionView is an opinion that the caller may see, with its words.
type OpinionView struct {
	casefile.Opinion
	Rationale string   `json:"rationale"`
	Relied    []string `json:"relied"`
}

// DecisionView is the case's decision and how far it has come.
type DecisionView struct {
	ID        string                 `json:"id"`
	State     casefile.DecisionState `json:"state"`
	DecidedAt time.Time              `json:"decided_at"`
	DecidedBy casefile.DecidedBy     `json:"decided_by"`
	casefile.Judgement
	GraceUntil *time.Time           `json:"grace_until,omitempty"`
	Acts       []ActView            `json:"acts,omitempty"`
	Notice     string               `json:"notice,omitempty"` // exact text sent
	NoticeNo   string               `json:"notice_number,omitempty"`
	NoticeSent casefile.NoticeState `json:"notice_state,omitempty"`
	Why        string               `json:"why,omitempty"`
}

// ActView is one direction of an act and how far it has come.
type ActView struct {
	casefile.Act
	Direction casefile.Direction `json:"direction"`
	State     casefile.ActState  `json:"state"`
	PlannedAt time.Time          `json:"planned_at"`
	// StartedAt without EndedAt means that the outcome is not known.
	StartedAt *time.Time `json:"started_at,omitempty"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Reference string     `json:"reference,omitempty"`
	Why       string     `json:"why,omitempty"` // a code, for failed and uncertain
}

// ProofView says where the decision stands on the ledger.
type ProofView struct {
	Event  casefile.EventID `json:"event"`
	Hash   string           `json:"hash"`
	Index  uint64           `json:"index"`
	Origin string           `json:"origin"`
	Size   uint64           `json:"size"` // of the log at the checkpoint of the proof
}

// Preview is what an opinion would do if it stood, before it is given.
type Preview struct {
	Faults       []Fault  `json:"faults,omitempty"`
	Consequences []string `json:"consequences"`
	// Notice is the exact text that would be sent, "" where the action sends none. A confirmed
	// opinion that carries Token sends these very bytes.
	Notice string `json:"notice"`
	// Token binds notice number and decision time to the opinion that confirms the preview.
	Token string `json:"token"`
}

// Fault is one field's fault.
type Fault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}
