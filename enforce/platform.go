// Package enforce carries decisions out on platforms. Only the enforce role holds credentials, and
// every act passes Guard first: the actor itself rebuilds the decision's ledger entry and verifies
// its inclusion under the key pinned in its own configuration.
package enforce

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Platform is a place where acts are done. Adapters are named by technology (dryrun, webhook).
// Implementations are safe for concurrent use.
type Platform interface {
	Name() string
	// Capabilities says which acts the platform can do, which it can take back, and whether it can
	// deliver a notice and establish afterwards whether an act happened.
	Capabilities() Capabilities
	// Prepare reads what is needed to take the act back (the state before). It changes nothing.
	Prepare(ctx context.Context, r Request) (UndoRecord, error)
	// Do does the act once for the request's key. CodeUnavailable errors may be retried; CodeState
	// and CodeInvalid are final.
	Do(ctx context.Context, r Request) (reference string, err error)
	// Undo takes it back by the undo record, once for the key.
	Undo(ctx context.Context, r Request, u UndoRecord) (reference string, err error)
	// Lookup says whether the act of the request's key was carried out. It is asked after a crash
	// between act and record. CodeUnavailable when the platform cannot tell.
	Lookup(ctx context.Context, r Request) (done bool, reference string, err error)
	// Notify delivers a notice, once for its number.
	Notify(ctx context.Context, account casefile.AccountRef, n casefile.Notice) error
}

// Capabilities of a platform.
type Capabilities struct {
	Acts   []casefile.ActKind
	Undo   []casefile.ActKind
	Notify bool
	Lookup bool
}

// Request is one act on one target.
type Request struct {
	Key       string // idempotency key: decision, act number, do or undo
	Account   casefile.AccountRef
	Post      string // for ActRemovePost
	Kind      casefile.ActKind
	Direction casefile.Direction
	Until     *time.Time
	// Policy and Case go along for the platform's own records.
	Policy casefile.PolicyCode
	Case   casefile.CaseRef
}

// UndoRecord is how to take an act back: written down, sealed, before the act.
type UndoRecord struct {
	Kind   casefile.ActKind  `json:"kind"`
	Before map[string]string `json:"before"` // the platform's own state before the act
	At     time.Time         `json:"at"`
}
