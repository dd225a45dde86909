package records

import (
	"context"
	"encoding/json"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// OutboxEntry is a row of the ledger outbox: something for the system chain, written in the
// transaction of the thing itself. The ledger role numbers it, fixes its bytes in the row, appends.
type OutboxEntry struct {
	ID    int64
	Type  casefile.EntryType
	Actor casefile.Actor
	Body  json.RawMessage
	At    time.Time
	// Seq and Fixed are set once the row is numbered and its bytes are fixed.
	Seq   int
	Fixed []byte
	// Index is set once it is in the log; nil before.
	Index *uint64
	// Key makes PutOutbox repeatable, as of a view.
	Key string
}

// LedgerOutbox hands things to the system chain.
type LedgerOutbox interface {
	// PutOutbox adds a row outside any other transaction.
	PutOutbox(ctx context.Context, e OutboxEntry) error
	// Unappended lists rows not yet in the log, in order of id.
	Unappended(ctx context.Context, limit int) ([]OutboxEntry, error)
	// FixOutbox stores a row's number and bytes if it has none, and returns the row that stands.
	FixOutbox(ctx context.Context, id int64, seq int, fixed []byte) (OutboxEntry, error)
	// AppendedOutbox notes the row's index in the log.
	AppendedOutbox(ctx context.Context, id int64, index uint64) error
	// OutboxHead gives the last fixed row's number and bytes; 0 when there is none.
	OutboxHead(ctx context.Context) (seq int, fixed []byte, err error)
}

// IndexChange says that a case's or a decision's document in the index is behind its row.
type IndexChange struct {
	ID       int64
	Case     casefile.CaseRef // set for a case document
	Decision string           // set for a decision document
	Revision int              // the case's revision or the decision's counter
}

// IndexOutbox hands changed rows to the index. Several changes of one row are one entry.
type IndexOutbox interface {
	// IndexChanges lists entries in order of id.
	IndexChanges(ctx context.Context, limit int) ([]IndexChange, error)
	// IndexedUpTo removes an entry unless its row changed again since (a higher revision).
	IndexedUpTo(ctx context.Context, c IndexChange) error
	// RequeueIndex enters every case and decision again, for a rebuild.
	RequeueIndex(ctx context.Context) error
}

// ChangeKind says which table a change is of.
type ChangeKind string

// The kinds of change.
const (
	ChangeCase     ChangeKind = "case"
	ChangeFlag     ChangeKind = "flag"
	ChangeDecision ChangeKind = "decision"
	ChangeOutbox   ChangeKind = "outbox"
	ChangeIndex    ChangeKind = "index"
	ChangeAppeal   ChangeKind = "appeal"  // ID is the appeal's
	ChangeAct      ChangeKind = "act"     // ID is the act's key (casefile.Act.Key)
	ChangeSwitch   ChangeKind = "switch"  // ID is a switch's name, or a rule's whose breaker changed
	ChangeTelling  ChangeKind = "telling" // ID is the telling's
	ChangeErasure  ChangeKind = "erasure" // ID is the erasure's
)

// Change tells that a row changed; it carries no more than its key.
type Change struct {
	Kind ChangeKind
	Case casefile.CaseRef
	Flag casefile.FlagKey
	ID   string
}

// Feed tells of changes. It is a hint and may skip: whoever waits on it also looks at the row
// before waiting and after a timeout.
type Feed interface {
	// Changes returns a channel that gets changes until ctx ends. A slow reader loses changes and
	// gets one Change with an empty Kind instead, which means "look at everything".
	Changes(ctx context.Context) <-chan Change
}
