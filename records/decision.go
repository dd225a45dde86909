package records

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// DecisionRow is a decision and how far it has come. Counter grows with every change of the row
// and versions the index's decision document.
type DecisionRow struct {
	Decision casefile.Decision
	State    casefile.DecisionState
	Counter  int
	Event    casefile.EventID // of its ledger entry, "" before
	Hash     string           // EntryHash of that entry
	Bundle   *casefile.Bundle // nil before it is proven
	// Why is a code for failed and uncertain.
	Why       string
	UpdatedAt time.Time
}

// DecidedActs is a decision's row with those of its acts.
type DecidedActs struct {
	DecisionRow
	Acts []ActRow
}

// ActRow is one direction of an act. The key is (Act.Decision, Act.Number, Direction).
type ActRow struct {
	Act       casefile.Act
	Direction casefile.Direction
	State     casefile.ActState
	// Undo is the address of the sealed record of how to take the act back, written before the act.
	Undo       casefile.Address
	UndoDigest string
	PlannedAt  time.Time
	// StartedAt is when an attempt was last begun; with no outcome it means the outcome is not known.
	StartedAt *time.Time
	EndedAt   *time.Time
	Reference string
	Why       string
	// Tries counts the attempts that came to nothing, LastError is the code of the last of them, which
	// was at TriedAt.
	Tries     int
	LastError string
	TriedAt   *time.Time
	// SettledBy is who established the outcome where the platform could not tell; "" for nobody.
	SettledBy casefile.Person
}

// NoticeRow is a notice; its text is sealed.
type NoticeRow struct {
	Number   string
	Decision string
	Case     casefile.CaseRef
	State    casefile.NoticeState
	Text     casefile.Address
	Digest   string
	At       time.Time // when it was written
	StateAt  time.Time // when it came into its state
}

// Decisions keeps decisions, acts, notices.
type Decisions interface {
	// Decision returns a row; CodeNotFound if there is none.
	Decision(ctx context.Context, id string) (DecisionRow, error)
	// CaseDecisions lists a case's decisions, the newest first (a withdrawn one stays listed).
	CaseDecisions(ctx context.Context, ref casefile.CaseRef) ([]DecisionRow, error)
	// UnfinishedDecisions lists, by id behind after, at most limit decisions whose takedown may have
	// something left to do: every one that is recorded, executing or uncertain, or done with an act that
	// ends by itself, or whose notice was not sent. It lists others too, those from before it was kept.
	UnfinishedDecisions(ctx context.Context, after string, limit int) ([]DecisionRow, error)
	// EveryDecision lists all decisions by id behind after, at most limit, each with its acts by number
	// and direction: for comparing with the ledger. An act row is never older than its decision's row.
	EveryDecision(ctx context.Context, after string, limit int) ([]DecidedActs, error)
	// AdvanceDecision moves a decision's row on (state, why), raising its counter, with the strike
	// that it gives, if any, in one transaction. Repeats of the same state change nothing.
	AdvanceDecision(ctx context.Context, id string, state casefile.DecisionState, why string, strike *Strike, now time.Time) error
	// PlanActs writes act rows as planned, if absent, and returns those that stand.
	PlanActs(ctx context.Context, acts []ActRow) ([]ActRow, error)
	// BeginAct marks an attempt begun. started is false when an attempt was begun before and its
	// outcome never written: the caller must establish what happened before acting again.
	// CodeState when the act already has its outcome. CodePaused, with nothing written, while a switch
	// of acts that covers the decision's platform is off: the switches are locked in the transaction, so
	// that no act begins once a pause has answered.
	BeginAct(ctx context.Context, act casefile.Act, d casefile.Direction, now time.Time) (started bool, row ActRow, err error)
	// EndAct writes an act's outcome; the first one stands and is returned. What was uncertain is settled
	// by SettleAct alone.
	EndAct(ctx context.Context, outcome casefile.ActOutcome) (ActRow, error)
	// Acts lists a decision's act rows by number and direction.
	Acts(ctx context.Context, decision string) ([]ActRow, error)
	// PutNotice writes a notice if the decision has none and returns the one that stands.
	PutNotice(ctx context.Context, n NoticeRow) (NoticeRow, error)
	// SetNoticeState moves a notice on.
	SetNoticeState(ctx context.Context, number string, state casefile.NoticeState, now time.Time) error
	// BeginDelivery notes that the notice of this number is about to be handed to a platform that does not
	// keep numbers apart. before is what stood there: "" for nothing, planned for an attempt of which it is
	// not known what became, else what EndDelivery wrote.
	BeginDelivery(ctx context.Context, number string, now time.Time) (before casefile.NoticeState, err error)
	// EndDelivery writes what became of a delivery that was begun; "" takes the note back: nothing was begun.
	EndDelivery(ctx context.Context, number string, state casefile.NoticeState, now time.Time) error
	// Notice returns a decision's notice; CodeNotFound if there is none.
	Notice(ctx context.Context, decision string) (NoticeRow, error)
}
