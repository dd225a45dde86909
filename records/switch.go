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
	// Hour is the hour counted, Count what the rule decided in it, Cases how many cases were assessed;
	// in an hour in which the breaker was armed, since then.
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
	// SetSwitch sets a switch and writes the ledger outbox row of it, in one transaction. One that was
	// set so before is left as it is. Once it has answered for a switch of acts set to off, no act
	// begins: BeginAct locks the switches in its own transaction. CodeInvalid for a name that is none.
	SetSwitch(ctx context.Context, s SwitchRow) error
	// Switches lists those that were ever set.
	Switches(ctx context.Context) ([]SwitchRow, error)
	// PendingActs lists acts that have not come to a good end, of a platform ("" for all) and stage ("" for
	// all), the longest waiting first, after a cursor. Acts that are left behind are not listed: never
	// begun before their decision failed, or failed before everything was taken back.
	PendingActs(ctx context.Context, platform string, stage ActStage, after string, limit int) (acts []PendingAct, next string, err error)
	// NoteAttempt counts an attempt at an act that came to nothing, with the code of its error; attempts
	// are told apart by their times. An act that has its outcome is left as it is.
	NoteAttempt(ctx context.Context, act casefile.Act, d casefile.Direction, code string, now time.Time) error
	// SettleAct writes the outcome of an uncertain act that was established since (done, or failed as
	// it did not happen); CodeState when the act is not uncertain. A repeat of the same outcome is answered
	// with the row that stands.
	SettleAct(ctx context.Context, outcome casefile.ActOutcome) (ActRow, error)
	// AccountActs lists the acts done on an account by all its decisions and not undone since, the
	// newest first.
	AccountActs(ctx context.Context, account casefile.AccountKey) ([]ActRow, error)

	// CountAutomatic asks the breaker for leave to decide a case by a rule and counts it; the same case
	// and rule again gives the same answer. tripped says that this case tripped it: the ledger outbox has
	// a row of that then. A tripped breaker gives no leave until it is armed. CodeNotFound for a case
	// without a row.
	CountAutomatic(ctx context.Context, rule string, ref casefile.CaseRef, limits BreakerLimits, now time.Time) (leave, tripped bool, err error)
	// CountAssessed counts a case assessed in this hour, once.
	CountAssessed(ctx context.Context, ref casefile.CaseRef, now time.Time) error
	// Breakers lists every rule that ever counted.
	Breakers(ctx context.Context) ([]Breaker, error)
	// ArmBreaker arms a rule's breaker again, with its ledger outbox row; what is left of the hour is
	// counted from the beginning. CodeNotFound for a rule that never counted, CodeState for one that has
	// not tripped.
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

// TellingOnChannel is a telling on its way over one channel.
type TellingOnChannel struct {
	TellingRow
	Channel string
	// Attempts is how often the channel has failed with it.
	Attempts int
}

// TellingsWaiting counts what has not been told on a channel yet.
type TellingsWaiting struct {
	Channel  string // "" for what has not been routed
	Page     bool
	Count    int
	OldestAt time.Time // the lowest At of them
}

// Tellings keeps what people are told of until every channel has sent it: the home of package telling's
// outbox, and method by method what that asks for. There is one state for each telling and channel:
// waiting, sent or undelivered; the last two are final. A telling is open while it has not been routed
// or one of its channels waits. Unknown ids change nothing and are no errors.
type Tellings interface {
	// PutTelling writes a row, to be routed; the same id again changes nothing, ever. Projections write
	// theirs themselves. CodeInvalid without an id, a kind or a time.
	PutTelling(ctx context.Context, t TellingRow) error
	// UnroutedTellings lists tellings that wait to be routed, in the order in which they were put.
	UnroutedTellings(ctx context.Context, limit int) ([]TellingRow, error)
	// RouteTelling says on which channels a telling is due, from now on. A channel that is new to it
	// waits; one that waited and is not named is dropped; a final state stays.
	RouteTelling(ctx context.Context, id string, channels []string, now time.Time) error
	// RerouteTellings makes every open telling wait to be routed again. What has been sent stays sent,
	// and attempts stay counted.
	RerouteTellings(ctx context.Context) error
	// TakeTelling gives a telling that is due on a channel at now and lets nobody else have it before
	// until. Pages come first; of each, first what has not failed yet, in the order in which it was put,
	// then what has, by the time of its next try. ok is false if nothing is due.
	TakeTelling(ctx context.Context, channel string, now, until time.Time) (t TellingOnChannel, ok bool, err error)
	// TellingSent notes that a channel has told a telling.
	TellingSent(ctx context.Context, id, channel string, at time.Time) error
	// TellingFailed notes that a channel failed, with a code, and when it is tried again; one attempt
	// more is counted.
	TellingFailed(ctx context.Context, id, channel, code string, nextTry time.Time) error
	// TellingUndelivered notes that a channel failed and is not tried again.
	TellingUndelivered(ctx context.Context, id, channel, code string, at time.Time) error
	// TellingsWaiting counts what waits, by channel and urgency; what has not been routed under "".
	TellingsWaiting(ctx context.Context) ([]TellingsWaiting, error)
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
	// PutBreakGlass writes a row with its ledger outbox row (pseudonym, case, no words); the same id
	// again changes nothing. CodeNotFound when the case has no row.
	PutBreakGlass(ctx context.Context, b BreakGlass) error
	// BreakGlasses lists rows, newest first; open only those not reviewed.
	BreakGlasses(ctx context.Context, open bool, limit int) ([]BreakGlass, error)
	// LiveBreakGlass says whether the person has broken the glass of the case and its time still runs.
	LiveBreakGlass(ctx context.Context, person casefile.Person, ref casefile.CaseRef, now time.Time) (bool, error)
	// ReviewBreakGlass writes the review once, with its ledger outbox row; CodeForbidden where by is
	// the person themselves, CodeState when it was reviewed before, CodeNotFound.
	ReviewBreakGlass(ctx context.Context, id string, by casefile.Actor, justified bool, now time.Time) error
}
