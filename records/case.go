package records

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Case is a case's row: the projection of its workflow at Revision.
type Case struct {
	Ref      casefile.CaseRef
	Account  casefile.AccountKey
	Platform string
	Ordinal  int
	State    casefile.State
	// Revision grows with every change of the account's cases; EvidenceRevision only when a flag,
	// post or finding came in.
	Revision         int
	EvidenceRevision int
	Route            casefile.Route // zero before the first routing
	OpenedAt         time.Time
	ClosedAt         *time.Time
	CloseReason      casefile.CloseReason
	Claim            *casefile.Claim
	Findings         casefile.Address // sealed findings of EvidenceRevision
	File             casefile.Address // archived case file, once closed
	FileDigest       string
	Decision         string           // id of the decision, "" before
	Previous         casefile.CaseRef // the account's case before this one
	Flags            int
	ChainSeq         int    // head of its ledger chain
	ChainHash        string //
	ReservedBy       casefile.Person
	ReservedUntil    *time.Time

	Stage casefile.Stage
	// Rank orders a queue, see RankOf. A projection that says 0 has the store work it out.
	Rank   int
	Raised bool
	Threat bool
	// NotBefore is until when the case is offered to nobody, AssignedTo the one person that it is
	// offered to; both are columns that ReserveNext looks at.
	NotBefore  *time.Time
	AssignedTo casefile.Person
	Missed     []casefile.DeadlineKind
	// Restricted is the referral that restricts who sees the case; "" for none.
	Restricted casefile.ReferralKind
	// Attached is the earlier decision that a case closed as already decided belongs to.
	Attached string
	// Round counts the rounds of opinions: a withdrawn or void one begins another.
	Round int
	// ErasedAt is when the account was erased: nothing is left of the case's words. Projections do not
	// write it.
	ErasedAt *time.Time
}

// RankThreat is the rank of a case with a threat to life.
const RankThreat = 100

// RankOf is what orders a queue: the severity, one more for a case raised at half of a deadline, and
// above all others one with a threat to life.
func RankOf(severity int, raised, threat bool) int {
	switch {
	case threat:
		return RankThreat
	case raised:
		return severity + 1
	}
	return severity
}

// Projection is what a workflow writes of itself. It is applied if its revision is above the row's,
// in one transaction with everything in it; an older or equal one changes nothing and is no error.
type Projection struct {
	Case Case
	// Opinions and Comments are those new since the last projection; repeats change nothing.
	Opinions []OpinionRow
	Comments []CommentRow
	// Decision is set when the decision's row is to be written or moved on.
	Decision *DecisionRow
	// Blind are opinions that nobody but their authors may see yet; an OpinionRow of the same id shows
	// it. VoidOpinions are ids of opinions that count no more, shown or not.
	Blind        []BlindOpinion
	VoidOpinions []string
	Parts        []PartRow // repeats change nothing
	Referrals    []casefile.Referral
	Handlings    []casefile.HandlingNote // those new since the last projection; repeats change nothing
	Tellings     []TellingRow
	Now          time.Time
}

// OpinionRow is an opinion without its words.
type OpinionRow struct {
	Case    casefile.CaseRef
	Opinion casefile.Opinion
}

// CommentRow is a comment; its words are sealed at Text.
type CommentRow struct {
	ID     string           `json:"id"` // the verb's id
	Case   casefile.CaseRef `json:"case"`
	Person casefile.Person  `json:"person"`
	At     time.Time        `json:"at"`
	Text   casefile.Address `json:"text"`
}

// Cases keeps case rows and the queue.
type Cases interface {
	// Project applies a projection. It also marks the case's accepted flags as queued when the
	// case stands in its queue, or is closed and never stood in one, updates the account's counters,
	// and writes the index outbox row.
	Project(ctx context.Context, p Projection) error
	// Case returns a row; CodeNotFound if there is none.
	Case(ctx context.Context, ref casefile.CaseRef) (Case, error)
	// AccountCases lists an account's cases, newest first.
	AccountCases(ctx context.Context, account casefile.AccountKey) ([]Case, error)
	// Queues counts what stands in each queue.
	Queues(ctx context.Context) ([]QueueCount, error)
	// QueueCases lists a queue in its order (rank, confidence, due, reference), after a cursor
	// that an earlier page returned ("" for the first). next is "" on the last page.
	QueueCases(ctx context.Context, queue, after string, limit int) (cases []Case, next string, err error)
	// ListCases lists cases by state ("" for all), newest opened first, after a cursor.
	ListCases(ctx context.Context, state casefile.State, after string, limit int) (cases []Case, next string, err error)
	// ReserveNext reserves the first case of the queue that the person may have, for r.Hold, in one
	// statement; ok is false when there is none. A case with a threat to life comes first, whatever its
	// queue. Passed over are cases that are reserved, in r.Skip, snoozed until after r.Now, or handed
	// over to somebody else; those that await adjudication unless r.Lead; and those on which the
	// person gave an opinion in the present round. The reservation stands in columns that projections
	// never touch.
	ReserveNext(ctx context.Context, r Reservation) (ref casefile.CaseRef, ok bool, err error)
	// FreeReservation ends a person's reservation; it is no error when there is none.
	FreeReservation(ctx context.Context, ref casefile.CaseRef, person casefile.Person) error
	// Opinions lists a case's opinions that are shown and count, in order.
	Opinions(ctx context.Context, ref casefile.CaseRef) ([]casefile.Opinion, error)
	// Comments lists a case's comments in order.
	Comments(ctx context.Context, ref casefile.CaseRef) ([]CommentRow, error)
	// ClaimedBy lists the open cases that a person holds.
	ClaimedBy(ctx context.Context, person casefile.Person) ([]Case, error)
	// HandedTo lists the waiting cases that were handed over to a person, in the order in which a queue
	// gives them.
	HandedTo(ctx context.Context, person casefile.Person) ([]Case, error)
}

// Reservation asks for the next case of a queue.
type Reservation struct {
	Queue  string
	Person casefile.Person
	Lead   bool // the person acts as a lead
	Skip   []casefile.CaseRef
	Now    time.Time
	Hold   time.Duration
}

// QueueCount is what stands in one queue. A waiting case is one that is offered to people. The
// deadline that it is held to is that of its first touch, once somebody has held it that of its
// decision.
type QueueCount struct {
	Queue    string
	Waiting  int
	Snoozed  int // offered to nobody before a time ahead; in none of the other counts
	Claimed  int
	Oldest   *time.Time // when the oldest waiting case was opened; nil when none waits
	NextDue  *time.Time // the earliest deadline of a waiting case
	Overdue  int        // waiting cases past their deadline at the time of the call
	BySevere map[int]int
}
