package review

import (
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// QueueView is one queue as people see it. The deadline that a waiting case is held to is that of its
// first touch, once somebody has held it that of its decision.
type QueueView struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Team    string     `json:"team,omitempty"` // "" for every team
	Mine    bool       `json:"mine"`           // the caller takes cases from it
	Waiting int        `json:"waiting"`
	Snoozed int        `json:"snoozed"` // offered to nobody before a time ahead; in none of the other counts
	Claimed int        `json:"claimed"`
	Overdue int        `json:"overdue"`
	Oldest  *time.Time `json:"oldest,omitempty"`
	NextDue *time.Time `json:"next_due,omitempty"`
}

// CaseRow is a case in a list. It shows codes only; AccountID and Handle are filled where the caller
// may see them. A case that awaits a second person's opinion stands like any other.
type CaseRow struct {
	Case       casefile.CaseRef     `json:"case"`
	Platform   string               `json:"platform"`
	AccountID  string               `json:"account_id,omitempty"`
	Handle     string               `json:"handle,omitempty"`
	State      casefile.State       `json:"state"`
	Stage      casefile.Stage       `json:"stage,omitempty"` // shown to those who may adjudicate alone
	Queue      string               `json:"queue,omitempty"`
	Severity   int                  `json:"severity"`
	Confidence int                  `json:"confidence"`
	Tier       casefile.Tier        `json:"tier,omitempty"`
	DueAt      *time.Time           `json:"due_at,omitempty"`    // until when somebody first looks at it
	DecideBy   *time.Time           `json:"decide_by,omitempty"` // until when it is decided
	OpenedAt   time.Time            `json:"opened_at"`
	ClosedAt   *time.Time           `json:"closed_at,omitempty"`
	Reason     casefile.CloseReason `json:"close_reason,omitempty"`
	Flags      int                  `json:"flags"`
	Holder     casefile.Person      `json:"holder,omitempty"`
	// Raised says that half of a deadline had passed: the case rose in its queue. Threat says that
	// somebody's life may be in danger: it stands before everything else.
	Raised bool                    `json:"raised,omitempty"`
	Threat bool                    `json:"threat,omitempty"`
	Missed []casefile.DeadlineKind `json:"missed,omitempty"`
	// SnoozedUntil is a time ahead until which the case is offered to nobody; AssignedTo the one
	// person that it is offered to.
	SnoozedUntil *time.Time      `json:"snoozed_until,omitempty"`
	AssignedTo   casefile.Person `json:"assigned_to,omitempty"`
	// Restricted is the referral that restricts who sees the case; Withheld says that the caller is
	// not among those who do.
	Restricted casefile.ReferralKind `json:"restricted,omitempty"`
	Withheld   bool                  `json:"withheld,omitempty"`
}

// CasePage is one page of a list.
type CasePage struct {
	Cases []CaseRow `json:"cases"`
	Total *int      `json:"total,omitempty"` // up to 10,000, where it is known
	Next  string    `json:"next,omitempty"`
}

// CaseView is everything that the case page shows to a person who may open the case. Of a restricted
// case, whoever may not see it is shown the row, the deadlines and Why alone.
type CaseView struct {
	CaseRow
	// Purpose is under which the look went on record; "" where everything was withheld.
	Purpose string `json:"purpose,omitempty"`
	// Why says in plain words why the words of the case, or its media, are withheld; "" where nothing is.
	Why              string             `json:"why,omitempty"`
	Revision         int                `json:"revision"`
	EvidenceRevision int                `json:"evidence_revision"`
	Ordinal          int                `json:"ordinal"`
	Account          casefile.Account   `json:"account"`
	Route            casefile.Route     `json:"route"`
	Deadlines        []DeadlineView     `json:"deadlines"`
	Touched          bool               `json:"touched"` // somebody has held the case
	Claim            *casefile.Claim    `json:"claim,omitempty"`
	Mine             bool               `json:"mine"`           // the caller holds the live claim
	Held             bool               `json:"held,omitempty"` // the claim lasts until its end without input
	Referrals        []ReferralView     `json:"referrals,omitempty"`
	AccountState     AccountState       `json:"account_state"`
	FlagViews        []FlagView         `json:"flag_views"`
	Evidence         []EvidencePost     `json:"evidence"`
	Findings         []casefile.Finding `json:"findings"`
	Linked           []LinkedAccount    `json:"linked,omitempty"`
	Earlier          []EarlierCase      `json:"earlier,omitempty"`
	Comments         []CommentView      `json:"comments,omitempty"`
	// Handled is what people did with the case beside judging it, and why, oldest first.
	Handled []HandledView `json:"handled,omitempty"`
	// Recommendation is what policy recommends on the codes that the flags name.
	Recommendation *RecommendationView `json:"recommendation,omitempty"`
	// Opinions are those that the caller may see: before the case is decided their own, and those that
	// differ for whoever adjudicates.
	Opinions []OpinionView `json:"opinions,omitempty"`
	Decision *DecisionView `json:"decision,omitempty"`
	Proof    *ProofView    `json:"proof,omitempty"`
	// Attached is the earlier decision that a case closed as already decided belongs to.
	Attached *AttachedView `json:"attached,omitempty"`
	// Names are those of the staff in this view whose name the caller sees; everybody else stands by
	// their pseudonym.
	Names map[casefile.Person]string `json:"names,omitempty"`
	// Data is what stands about the keeping and the erasing of the account's data.
	Data DataView `json:"data"`
	// Missing lists what could not be read, in plain words: a page never hides a gap.
	Missing []string `json:"missing,omitempty"`
}

// DeadlineView is one deadline of a case.
type DeadlineView struct {
	Deadline casefile.DeadlineKind `json:"deadline"`
	DueAt    time.Time             `json:"due_at"`
	// Half says that half of the time from the opening has passed, Missed that the deadline was missed,
	// Met that what it counts towards has happened.
	Half   bool `json:"half"`
	Missed bool `json:"missed"`
	Met    bool `json:"met"`
}

// ReferralView is a referral with its receipt: the ledger event that proves it.
type ReferralView struct {
	ID     string                `json:"id"`
	Kind   casefile.ReferralKind `json:"kind"`
	Person casefile.Person       `json:"person"`
	At     time.Time             `json:"at"`
	Event  casefile.EventID      `json:"event"`
	Words  string                `json:"words,omitempty"`
}

// AccountState is what flags and evidence tell of the account's fate.
type AccountState struct {
	// EarlierHandles are those that flags or evidence named and that are not the present one, the last
	// one seen first.
	EarlierHandles []string `json:"earlier_handles,omitempty"`
	// GoneAt is when the stream told that the account is gone, nil where it did not.
	GoneAt *time.Time `json:"gone_at,omitempty"`
}

// RecommendationView is the step of the ladder that policy recommends. It decides nothing.
type RecommendationView struct {
	Policies []casefile.PolicyCode `json:"policies"`
	Action   casefile.Action       `json:"action,omitempty"` // "" where none can be recommended
	Days     int                   `json:"days,omitempty"`
	Sum      int                   `json:"sum"` // points of the strikes that have not lapsed
	Reason   string                `json:"reason"`
	Unknown  bool                  `json:"unknown"` // something that could raise it is not known
}

// AttachedView is the earlier decision that a case belongs to which was closed as already decided.
type AttachedView struct {
	Decision string                 `json:"decision"`
	Case     casefile.CaseRef       `json:"case"`
	State    casefile.DecisionState `json:"state"`
	At       time.Time              `json:"at"`
	casefile.Judgement
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
	// Undecided says that an earlier decision on the account stands that did not have this post before it.
	Undecided bool `json:"undecided,omitempty"`
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

// HandledView is what somebody did with a case beside judging it, with the words of the reason.
type HandledView struct {
	What   casefile.Handling `json:"what"`
	Person casefile.Person   `json:"person"`
	Role   casefile.Role     `json:"role"`
	At     time.Time         `json:"at"`
	Queue  string            `json:"queue,omitempty"`
	// To is whom the case was handed to, or whose claim was ended.
	To       casefile.Person       `json:"to,omitempty"`
	Deadline casefile.DeadlineKind `json:"deadline,omitempty"`
	Until    *time.Time            `json:"until,omitempty"` // when the deadline is due since
	// Reason is "" where none was asked for, and where it cannot be opened: Missing says so.
	Reason string `json:"reason,omitempty"`
}

// OpinionView is an opinion that the caller may see, with its words.
type OpinionView struct {
	casefile.Opinion
	Rationale string   `json:"rationale"`
	Relied    []string `json:"relied"`
	// Blind says that nobody but the author, and whoever adjudicates, sees it yet; Void that it counts
	// no more.
	Blind bool `json:"blind,omitempty"`
	Void  bool `json:"void,omitempty"`
}

// DecisionView is the case's decision and how far it has come.
type DecisionView struct {
	ID        string                 `json:"id"`
	State     casefile.DecisionState `json:"state"`
	DecidedAt time.Time              `json:"decided_at"`
	DecidedBy casefile.DecidedBy     `json:"decided_by"`
	casefile.Judgement
	// Standing is the id of the opinion that stands: its posts are acted on, its notice is sent. Rule
	// names the automatic rule where there is none.
	Standing  string `json:"standing,omitempty"`
	Rule      string `json:"rule,omitempty"`
	Emergency bool   `json:"emergency,omitempty"`

	GraceUntil *time.Time           `json:"grace_until,omitempty"`
	Acts       []ActView            `json:"acts,omitempty"`
	Appeals    []AppealRow          `json:"appeals,omitempty"`
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
	// Tries counts the attempts that came to nothing, LastError is the code of the last of them.
	Tries     int    `json:"tries,omitempty"`
	LastError string `json:"last_error,omitempty"`
	// SettledBy is who established the outcome where the platform could not tell.
	SettledBy casefile.Person `json:"settled_by,omitempty"`
}

func actView(a records.ActRow) ActView {
	return ActView{
		Act: a.Act, Direction: a.Direction, State: a.State, PlannedAt: a.PlannedAt, StartedAt: a.StartedAt, EndedAt: a.EndedAt,
		Reference: a.Reference, Why: a.Why, Tries: a.Tries, LastError: a.LastError, SettledBy: a.SettledBy,
	}
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
	// Token binds notice number and decision time to the opinion, or the ruling, that confirms the preview.
	Token string `json:"token"`
	// Recommendation is what policy recommends on the codes of the form; nil for a ruling.
	Recommendation *RecommendationView `json:"recommendation,omitempty"`
}

// Fault is one field's fault.
type Fault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}
