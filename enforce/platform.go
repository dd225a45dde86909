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
	// Do does the act once for the request's key. Its errors say what is known:
	//
	//   - CodeUnavailable: sending the same request again is safe, because nothing was begun or because
	//     the platform keeps keys apart (Capabilities.Idempotent). RetryAfter may say when.
	//   - CodeState, CodeInvalid: refused for good, nothing was done.
	//   - CodeConflict: something else was done under this key.
	//   - CodeUncertain: the act may have happened. It must not be sent again; Lookup may tell.
	Do(ctx context.Context, r Request) (reference string, err error)
	// Undo takes it back by the undo record, once for the key. CodeState when the act does not stand;
	// the other errors are those of Do.
	Undo(ctx context.Context, r Request, u UndoRecord) (reference string, err error)
	// Lookup says whether the act of the request's key was carried out. It is asked after a crash
	// between act and record. CodeUnavailable when the platform cannot tell. An attempt that is still
	// under way may be carried out after the answer that it was not: see Capabilities.Idempotent.
	Lookup(ctx context.Context, r Request) (done bool, reference string, err error)
	// Notify delivers a notice, once for its number. The errors are those of Do.
	Notify(ctx context.Context, account casefile.AccountRef, n casefile.Notice) error
}

// Capabilities of a platform, as its operator states them: an adapter cannot find them out.
type Capabilities struct {
	Acts   []casefile.ActKind // the acts that it can do
	Undo   []casefile.ActKind // those of them that it can take back
	Notify bool               // it delivers notices
	Lookup bool               // it can say whether an act was carried out
	// Idempotent says that the platform keeps keys apart: a key that was carried out is answered with
	// the reference of that time, and none is carried out twice, even when attempts overlap or one
	// arrives late. Without it an attempt that got no answer is never safe to send again, whatever a
	// look-up says: it may still be under way.
	Idempotent bool
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
