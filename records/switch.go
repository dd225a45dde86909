package records

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Switch names. SwitchActs stops every act; ActsOf stops those on one platform.
const (
	SwitchActs       = "acts"
	SwitchAutomation = "automation" // automatic rules may decide; off unless somebody switched it on
)

// ActsOf is the name of the switch of one platform's acts.
func ActsOf(platform string) string { return SwitchActs + "/" + platform }

// SwitchRow is a switch. A switch of acts that was never set is on; automation that was never set is off.
type SwitchRow struct {
	Name string
	On   bool
	By   casefile.Actor
	At   time.Time
	// Reason is the sealed reason's address under the deployment key; the words stand nowhere else.
	Reason []byte
}

// ActStage says where an act stands on the page of acts.
type ActStage string

// The stages of an act that has not come to a good end.
const (
	ActWaiting   ActStage = "waiting"   // planned, no attempt begun
	ActRetrying  ActStage = "retrying"  // an attempt was begun, its outcome is not written yet
	ActUncertain ActStage = "uncertain" // a person must look
	ActFailed    ActStage = "failed"    // refused for good
)

// PendingAct is an act that has not come to a good end, with what the page of acts shows.
type PendingAct struct {
	ActRow
	Case     casefile.CaseRef
	Platform string
	Account  casefile.AccountKey
	Stage    ActStage
}

// Breaker is the breaker of one automatic rule.
type Breaker struct {
	Rule string
	// Hour is the hour counted, Count what the rule decided in it, Cases how many cases were assessed.
	Hour  time.Time
	Count int
	Cases int
	// Tripped is when the breaker tripped, nil while it is armed; ArmedBy who armed it last.
	Tripped *time.Time
	Why     string // "count" or "share"
	ArmedBy casefile.Person
	ArmedAt *time.Time
}

// BreakerLimits are when a rule's breaker trips. Zero means no limit of that sort.
type BreakerLimits struct {
	PerHour int
	// SharePermille is the highest share of the hour's assessed cases, in thousandths, looked at once
	// MinCases were assessed in it.
	SharePermille int
	MinCases      int
}

// Switches keeps switches, breakers and the list of acts that still have to come to an end.
type Switches interface {
	// SetSwitch sets a switch and writes the ledger outbox row of it, in one transaction. Once it has
	// answered for a switch of acts set to off, no act begins: BeginAct locks the switches in its own
	// transaction.
	SetSwitch(ctx context.Context, s SwitchRow) error
	// Switches lists those that were ever set.
	Switches(ctx context.Context) ([]SwitchRow, error)
	// PendingActs lists acts that have not come to a good end, of a platform ("" for all) and stage ("" for
	// all), the longest waiting first, after a cursor.
	PendingActs(ctx context.Context, platform string, stage ActStage, after string, limit int) (acts []PendingAct, next string, err error)
	// NoteAttempt counts an attempt at an act that came to nothing, with the code of its error.
	NoteAttempt(ctx context.Context, act casefile.Act, d casefile.Direction, code string, now time.Time) error
	// SettleAct writes the outcome of an uncertain act that was established since (done, or failed as
	// it did not happen); CodeState when the act is not uncertain. A repeat of the same outcome is answered
	// with the row that stands.
	SettleAct(ctx context.Context, outcome casefile.ActOutcome) (ActRow, error)
	// AccountActs lists the acts done on an account by all its decisions and not undone since, the
	// newest first.
	AccountActs(ctx context.Context, account casefile.AccountKey) ([]ActRow, error)

	// CountAutomatic asks the breaker for leave to decide a case by a rule and counts it; the same case
	// and rule again gives the same answer. tripped says that this call tripped it: the ledger outbox has
	// a row of that then. A tripped breaker gives no leave until it is armed.
	CountAutomatic(ctx context.Context, rule string, ref casefile.CaseRef, limits BreakerLimits, now time.Time) (leave, tripped bool, err error)
	// CountAssessed counts a case assessed in this hour, once.
	CountAssessed(ctx context.Context, ref casefile.CaseRef, now time.Time) error
	// Breakers lists every rule that ever counted.
	Breakers(ctx context.Context) ([]Breaker, error)
	// ArmBreaker arms a rule's breaker again, with its ledger outbox row; CodeNotFound for a rule that
	// never counted, CodeState for one that has not tripped.
	ArmBreaker(ctx context.Context, rule string, by casefile.Actor, now time.Time) error
}

// TellingRow is one thing that people are told of: codes only. ID is its own for ever.
type TellingRow struct {
	ID       string
	Kind     string
	Page     bool
	Team     string
	Queue    string
	Platform string
	Case     casefile.CaseRef
	Subject  string // a decision's or an appeal's id
	DueAt    *time.Time
	At       time.Time
}

// Tellings keeps what people are told of until every channel has sent it. Package telling's outbox
// adds the reading side.
type Tellings interface {
	// PutTelling writes a row; the same id again changes nothing.
	PutTelling(ctx context.Context, t TellingRow) error
}

// BreakGlass is one opening of a case by somebody without the right to it, for a reason, to be
// reviewed afterwards.
type BreakGlass struct {
	ID     string
	Person casefile.Person
	Case   casefile.CaseRef
	At     time.Time
	Until  time.Time // how long the case stays open to the person
	Reason []byte    // sealed under the deployment key
	// ReviewedBy and ReviewedAt are set once somebody else has looked at it, Justified is what they said.
	ReviewedBy casefile.Person
	ReviewedAt *time.Time
	Justified  bool
}

// Guarded keeps what people may do by exception, and ends what they may do at all.
type Guarded interface {
	// SetActive switches a person on or off, with the ledger outbox row; switching off revokes every
	// token of theirs in the same transaction. CodeNotFound for an unknown person.
	SetActive(ctx context.Context, person casefile.Person, active bool, by casefile.Actor, now time.Time) error
	// RevokeTokens ends all tokens of a person of the kinds given (all kinds for none).
	RevokeTokens(ctx context.Context, person casefile.Person, kinds ...TokenKind) error
	// PutBreakGlass writes a row with its ledger outbox row (pseudonym, case, no words).
	PutBreakGlass(ctx context.Context, b BreakGlass) error
	// BreakGlasses lists rows, newest first; open only those not reviewed.
	BreakGlasses(ctx context.Context, open bool, limit int) ([]BreakGlass, error)
	// LiveBreakGlass says whether the person has broken the glass of the case and its time still runs.
	LiveBreakGlass(ctx context.Context, person casefile.Person, ref casefile.CaseRef, now time.Time) (bool, error)
	// ReviewBreakGlass writes the review once, with its ledger outbox row; CodeForbidden where by is
	// the person themselves, CodeState when it was reviewed before, CodeNotFound.
	ReviewBreakGlass(ctx context.Context, id string, by casefile.Actor, justified bool, now time.Time) error
}
