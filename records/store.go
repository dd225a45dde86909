package records

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Store is everything a role may ask of the records. All methods are safe for concurrent use.
// Errors carry casefile codes: CodeNotFound for a missing row, CodeConflict for a lost
// compare-and-set, CodeUnavailable when the database is down or locked for too long.
//
// A write that ended with CodeUnavailable or with its context may have been carried out. Every write
// can be repeated as it is, and the second time changes nothing. Its answer is then the first one's,
// too, but for these: PutFlag tells that the row stood before, BeginAct that the act was begun before;
// PutToken gives CodeConflict; UseLogin finds its link used up. ReserveNext may reserve a further
// case, TakeTelling a further telling: the first stays reserved until its hold ends. PutView,
// PutRefusal and PutOutbox need a Key.
type Store interface {
	Accounts
	Flags
	Cases
	Handled
	Decisions
	Appeals
	Switches
	Erasures
	Tellings
	People
	Guarded
	Watch
	LedgerOutbox
	IndexOutbox
	Feed
	// Meta reads a deployment value ("identity_key_fingerprint"); "" when it is unset.
	Meta(ctx context.Context, key string) (string, error)
	// SetMetaIfAbsent stores a deployment value once and returns what stands there now.
	SetMetaIfAbsent(ctx context.Context, key, value string) (string, error)
	// Ping says whether the database answers.
	Ping(ctx context.Context) error
	Close() error
}

// Accounts keeps what outlives an account's cases.
type Accounts interface {
	// PutAccountKey stores a wrapped content key if the account has none yet and returns the one
	// that stands: of two racing intakes, both get the same key. CodeState while the account is being
	// erased, once its key was destroyed; after that it may have a new one.
	PutAccountKey(ctx context.Context, key WrappedKey) (WrappedKey, error)
	// AccountKey returns an account's wrapped content key; CodeNotFound if it has none, or it was
	// destroyed.
	AccountKey(ctx context.Context, account casefile.AccountKey) (WrappedKey, error)
	// Account returns an account's counters; CodeNotFound if no flag ever named it.
	Account(ctx context.Context, account casefile.AccountKey) (Account, error)
	// SetProfile stores the address of the account's newest sealed profile, if asOf is newer than
	// the stored one's.
	SetProfile(ctx context.Context, platform string, account casefile.AccountKey, profile casefile.Address, asOf time.Time) error
	// Strikes lists the account's strikes that have neither lapsed at now nor been taken back, newest
	// first.
	Strikes(ctx context.Context, account casefile.AccountKey, now time.Time) ([]Strike, error)
	// PutTakenDownHandle stores the keyed hashes of a taken-down account's handle and its near
	// forms; repeats change nothing. What was forgotten (ForgetTakenDownHandle) is known again.
	PutTakenDownHandle(ctx context.Context, account casefile.AccountKey, platform string, hashes []string, at time.Time) error
	// LookAlikes lists the other taken-down accounts of the platform that share one of the hashes.
	LookAlikes(ctx context.Context, account casefile.AccountKey, platform string, hashes []string) ([]casefile.AccountKey, error)
}

// WrappedKey is an account's content key, encrypted under the deployment key.
type WrappedKey struct {
	Account  casefile.AccountKey
	Platform string
	Wrapped  []byte
	KeyID    string // of the deployment key
	At       time.Time
}

// Account holds an account's counters: they outlive its cases and its erasure.
type Account struct {
	Account  casefile.AccountKey
	Platform string
	// Revision grows with every projection of any case of the account.
	Revision int
	// Ordinal is the number of the account's last case, 0 for none yet.
	Ordinal  int
	OpenCase casefile.CaseRef // "" when none is open
	LastCase casefile.CaseRef // the last closed one, "" for none
	Profile  casefile.Address // newest sealed profile, "" for none
}

// Strike is one decision's mark against an account; it lapses at ExpiresAt.
type Strike struct {
	Account   casefile.AccountKey
	Decision  string
	At        time.Time
	ExpiresAt time.Time
}

// FlagStatus is how far an accepted flag has come.
type FlagStatus string

// The statuses of a flag's receipt row.
const (
	FlagPending  FlagStatus = "pending"  // not yet taken in by its account's workflow
	FlagAccepted FlagStatus = "accepted" // in exactly one case, for ever
	FlagErased   FlagStatus = "erased"   // its account was being erased, or was before it was taken in: in no case, for ever
)

// FlagReceipt is a flag's receipt row.
type FlagReceipt struct {
	Flag     casefile.FlagKey
	Account  casefile.AccountKey
	Platform string
	Digest   string           // keyed digest of the decoded flag
	Sealed   casefile.Address // the whole flag
	Source   casefile.Person  // who handed it in
	// At is when the receipt row was written (server clock, UTC).
	At         time.Time
	Status     FlagStatus
	Case       casefile.CaseRef // "" while pending
	AcceptedAt *time.Time
	// QueuedAt is when a projection first showed the case in a queue with this flag in it, or closed
	// where none did before.
	QueuedAt *time.Time
	// Reopens names the closed case whose reopening this row asks for; "" for a detector's flag.
	Reopens casefile.CaseRef
}

// TakenIn is the answer to TakeIn.
type TakenIn struct {
	Receipt FlagReceipt
	// Outcome says what became of the row.
	Outcome TakeOutcome
	// Case, Ordinal and OpenedAt are the account's open case after the call.
	Case     casefile.CaseRef
	Ordinal  int
	OpenedAt time.Time
	// Opened is true when this call, or a crashed earlier one with the same row, opened the case.
	Opened bool
	// Revision and EvidenceRevision are the highest that were projected for the case, 0 for none.
	Revision         int
	EvidenceRevision int
	// Previous is the account's last closed case, "" for none.
	Previous casefile.CaseRef
}

// TakeOutcome says what TakeIn made of a row.
type TakeOutcome string

// The outcomes of TakeIn.
const (
	TakenNow      TakeOutcome = "taken"  // pending before, accepted now
	TakenBefore   TakeOutcome = "again"  // accepted before by the same case
	DroppedNoRow  TakeOutcome = "no_row" // no such row, or another account's: a forged signal
	DroppedOther  TakeOutcome = "other"  // accepted before by another case
	DroppedErased TakeOutcome = "erased" // its sealed flag is gone; the row is closed as erased
	TakenLater    TakeOutcome = "later"  // the open case's decision is proven: the row stays pending
)

// Flags keeps receipts.
type Flags interface {
	// PutFlag writes a receipt row if the key is new and returns the row that stands. created says
	// whether this call wrote it. The caller compares digests: the same key with another digest is
	// a conflict. The row is pending; it is erased where it is given as erased, and while the account is
	// being erased.
	PutFlag(ctx context.Context, r FlagReceipt) (row FlagReceipt, created bool, err error)
	// Flag returns a row; CodeNotFound if there is none.
	Flag(ctx context.Context, key casefile.FlagKey) (FlagReceipt, error)
	// TakeIn is the compare-and-set of a flag's row, and the opening of a case where the account
	// has none open, in one transaction. propose is the reference that a new case gets. It is
	// idempotent: the same call after a crash gives the same case.
	TakeIn(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey, propose casefile.CaseRef, now time.Time) (TakenIn, error)
	// PendingFlags lists rows still pending that were written, or last put off by NoteSwept, before t,
	// the one that has waited longest first.
	PendingFlags(ctx context.Context, before time.Time, limit int) ([]FlagReceipt, error)
	// NoteSwept notes that pending rows were looked after at now, which puts each off: for a minute the
	// first time, for twice as long every time after, up to an hour. Other rows are left as they are.
	NoteSwept(ctx context.Context, keys []casefile.FlagKey, now time.Time) error
	// CaseFlags lists a case's rows, oldest first.
	CaseFlags(ctx context.Context, ref casefile.CaseRef) ([]FlagReceipt, error)
	// FlagStats counts the rows written at or after since, and the times from receipt to queue.
	FlagStats(ctx context.Context, since time.Time) (FlagStats, error)
}

// FlagStats tells how accepted flags fared.
type FlagStats struct {
	Flags    int // rows
	Pending  int // not yet taken in
	Unqueued int // taken in, but their case neither stood in a queue with them nor was closed
	Cases    int // different cases they are in
	Accounts int
	// ToQueueP50 and ToQueueP99 are from receipt to queue, nearest rank, over the queued ones.
	ToQueueP50 time.Duration
	ToQueueP99 time.Duration
}
