package records

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// HoldRow is a legal hold: an order to keep what is known of an account. It stands until it is ended
// or its time is over.
type HoldRow struct {
	ID       string // random
	Account  casefile.AccountKey
	Platform string
	// Basis and EndReason are staff's words, sealed under the deployment key; empty once the account
	// was erased.
	Basis     []byte
	By        casefile.Actor
	At        time.Time
	Until     time.Time
	EndedBy   casefile.Actor
	EndedAt   *time.Time
	EndReason []byte
}

// Stands reports whether the hold keeps an account from being erased at now.
func (h HoldRow) Stands(now time.Time) bool { return h.EndedAt == nil && now.Before(h.Until) }

// ErasureRow is one erasure of an account, from its asking to its end.
type ErasureRow struct {
	Seq      int64  // in the order of asking; the store's to give
	ID       string // random
	Account  casefile.AccountKey
	Platform string
	// Name is the account's keyed hash on the ledger, made for that use alone: a restore finds the
	// account by it.
	Name   string
	Reason []byte // staff's words, sealed under the deployment key; nil where Again
	By     casefile.Actor
	At     time.Time
	State  casefile.ErasureState
	// Again says that the erasure was read from the ledger after a restore: it was allowed before, and
	// nothing keeps it now.
	Again       bool
	DestroyedAt *time.Time
	EndedAt     *time.Time
	// Cases, Flags and Objects are how many of each the account had when its key was destroyed.
	Cases, Flags, Objects int
	// Bars are what stopped it; none otherwise.
	Bars []casefile.ErasureReason
}

// Erasures keeps legal holds, and the erasures of accounts.
type Erasures interface {
	// AddHold puts a hold on an account, with its ledger outbox row; the same id again changes nothing.
	// CodeNotFound for an account that no flag ever named; CodeState while it is being erased.
	AddHold(ctx context.Context, h HoldRow) (HoldRow, error)
	// EndHold ends a hold, once, with its ledger outbox row, and returns the row; what was ended before
	// stays as it is. CodeNotFound if there is none.
	EndHold(ctx context.Context, id string, by casefile.Actor, reason []byte, now time.Time) (HoldRow, error)
	// Hold returns a row; CodeNotFound if there is none.
	Hold(ctx context.Context, id string) (HoldRow, error)
	// AccountHolds lists an account's holds, oldest first.
	AccountHolds(ctx context.Context, account casefile.AccountKey) ([]HoldRow, error)
	// StandingHolds lists at most limit holds that stand at now, the one that ends first before the others.
	StandingHolds(ctx context.Context, now time.Time, limit int) ([]HoldRow, error)

	// BeginErasure writes a row, as closing, unless something keeps the account from being erased: then
	// it writes nothing and gives every reason. Where one of the account is under way, that one is
	// returned, and so is a row of the same id in whatever state. With e.Again nothing keeps it, and what
	// is still closing gives way: the row of its own id is taken over, another's stopped.
	// CodeNotFound for an account that no flag ever named.
	BeginErasure(ctx context.Context, e ErasureRow) (ErasureRow, []casefile.ErasureReason, error)
	// DestroyAccount destroys the account's wrapped content key; in the same transaction it marks the
	// account's cases as erased under a higher revision, with their index outbox rows, closes pending flags as erased, forgets
	// keyed hashes of handles and posts, empties staff's words about the account, and writes the ledger
	// outbox row (none with Again). Once destroyed it changes nothing more. Where something has come in
	// the way since the erasure was begun, the row is stopped, with the reasons in it. CodeState while a
	// case of the account is open, unless Again: then it is closed as it stands. CodeNotFound for an unknown id.
	DestroyAccount(ctx context.Context, id string, now time.Time) (ErasureRow, error)
	// EndErasure ends a destroyed one, and forgets what late writers left since. CodeState before it is
	// destroyed, or while its ledger entry is not in the log.
	EndErasure(ctx context.Context, id string, now time.Time) (ErasureRow, error)
	// Erasure returns a row; CodeNotFound if there is none.
	Erasure(ctx context.Context, id string) (ErasureRow, error)
	// ErasuresUnderWay lists at most limit rows that have not come to their end, oldest first.
	ErasuresUnderWay(ctx context.Context, limit int) ([]ErasureRow, error)
	// AccountErasures lists an account's erasures, oldest first.
	AccountErasures(ctx context.Context, account casefile.AccountKey) ([]ErasureRow, error)
	// ErasuresAfter lists at most limit rows behind a sequence number, in order.
	ErasuresAfter(ctx context.Context, seq int64, limit int) ([]ErasureRow, error)
	// AccountObjects lists the addresses of everything sealed for an account that a row names.
	AccountObjects(ctx context.Context, account casefile.AccountKey) ([]casefile.Address, error)
	// AccountAppeals lists an account's appeals, oldest first.
	AccountAppeals(ctx context.Context, account casefile.AccountKey) ([]AppealRow, error)
	// AccountsAfter lists at most limit accounts behind one ("" for the first), in order of their keys.
	AccountsAfter(ctx context.Context, after casefile.AccountKey, limit int) ([]Account, error)
	// Scrub takes what deleted and changed rows leave behind off the disk, as far as the database can
	// (docs/erasure.md). CodeUnavailable where it could not, for now.
	Scrub(ctx context.Context) error
}
