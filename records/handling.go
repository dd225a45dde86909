package records

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Part is how somebody took part in a case.
type Part string

// The parts. Who has one of them decides no appeal against the case's decision.
const (
	PartFlag    Part = "flag"    // handed a flag in
	PartClaim   Part = "claim"   // held the case
	PartOpinion Part = "opinion" // gave an opinion, adjudication included
)

// PartRow says that somebody took part in a case. Round tells the opinions of one decision from those
// before it that were withdrawn or void; it is 0 for the other parts.
type PartRow struct {
	Case   casefile.CaseRef
	Person casefile.Person
	Part   Part
	Round  int
	At     time.Time
}

// BlindOpinion is an opinion that nobody but its author may see yet: its codes stand sealed under the
// account's content key, as a casefile.Opinion.
type BlindOpinion struct {
	ID     string
	Case   casefile.CaseRef
	Person casefile.Person
	At     time.Time
	Sealed casefile.Address
}

// DecidedItem is a piece of evidence that a decision had before it: a keyed digest of platform, post
// id and text, under the identity key.
type DecidedItem struct {
	Item     string
	Decision string
}

// Handled keeps what happens to a case beside its being judged.
type Handled interface {
	// Parts lists who took part in a case, in order.
	Parts(ctx context.Context, ref casefile.CaseRef) ([]PartRow, error)
	// BlindOpinions lists a case's opinions that count and are not shown yet, in order.
	BlindOpinions(ctx context.Context, ref casefile.CaseRef) ([]BlindOpinion, error)
	// VoidOpinions lists a case's opinions that count no more, in order: those that were shown, and
	// those that nobody but their authors ever saw.
	VoidOpinions(ctx context.Context, ref casefile.CaseRef) (shown []casefile.Opinion, blind []BlindOpinion, err error)
	// Referrals lists a case's referrals, in order.
	Referrals(ctx context.Context, ref casefile.CaseRef) ([]casefile.Referral, error)
	// Handlings lists what was done with a case beside judging it, for which a reason was asked, in order.
	Handlings(ctx context.Context, ref casefile.CaseRef) ([]casefile.HandlingNote, error)
	// PutDecidedItems notes which evidence a decision had before it; repeats change nothing.
	PutDecidedItems(ctx context.Context, account casefile.AccountKey, decision string, items []string, at time.Time) error
	// DecidedItems gives, of the items asked for, those that a decision on the account that was not
	// withdrawn or taken back had before it, each with the newest such decision.
	DecidedItems(ctx context.Context, account casefile.AccountKey, items []string) ([]DecidedItem, error)
	// PutHandles notes that an account had handles at a time, as keyed hashes of their exact forms; a
	// repeat, and a time before the one that is known, change nothing.
	PutHandles(ctx context.Context, platform string, account casefile.AccountKey, hashes []string, at time.Time) error
	// AccountsByHandle lists the accounts of a platform ("" for all) that have or had a handle, the
	// one that was last seen with it first.
	AccountsByHandle(ctx context.Context, platform, hash string) ([]casefile.AccountKey, error)
	// OpenCases lists open cases by reference, after one ("" for the first): what reconciling goes through.
	OpenCases(ctx context.Context, after casefile.CaseRef, limit int) ([]Case, error)
}
