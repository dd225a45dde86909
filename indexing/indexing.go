// Package indexing is what is stored for search and asked of it: the history of watched accounts,
// and cases and decisions as read models. It may lag, be rebuilt or be down; it never decides.
// Losing it makes findings unknown and loses no case.
package indexing

import (
	"context"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Post is a post of a watched account as history keeps it.
type Post struct {
	Event   casefile.Event      `json:"event"`
	Account casefile.AccountKey `json:"account"`
}

// PostResult counts what became of a batch of posts.
type PostResult struct {
	Stored  int // taken: written, repeated, or older than what stands
	Outside int // older than the window measured from the newest event of its stream, or more than
	// MaxAhead past the clock, or of an account that was forgotten since: counted, not stored
}

// History is the store of posts.
type History interface {
	// PutPosts stores posts, edits and deletions (an empty document in a post's place). It is
	// idempotent by platform and post id; the later event wins, in whatever order they come, and at
	// the same microsecond a deletion over an edit over a post. A post stands at the time of its
	// latest event. Events of other kinds move the window and store nothing: an account that is
	// gone keeps its history. An event without platform, id or account is CodeInvalid and stores
	// nothing of the batch; CodeUnavailable means try again.
	PutPosts(ctx context.Context, posts []Post) (PostResult, error)
	// AccountHistory returns what is known of an account's posts: counts and the newest ones. No
	// posts is an answer only where Coverage says that something of the platform was ever seen.
	AccountHistory(ctx context.Context, platform string, account casefile.AccountKey, limit int) (AccountHistory, error)
	// Coverage says what the window of history covers for a platform. It is the zero Coverage where
	// nothing of the platform was ever seen: then an account's posts are unknown, not none.
	Coverage(ctx context.Context, platform string) (Coverage, error)
	// ForgetAccount takes every post of an account away, for good: from then on its events up to at are
	// counted and not stored, whoever reads them again. Later ones are stored. Repeats change nothing but
	// to move the time on.
	ForgetAccount(ctx context.Context, platform string, account casefile.AccountKey, at time.Time) error
}

// AccountHistory is what history knows of one account.
type AccountHistory struct {
	Posts   int // within the window
	Reposts int
	Replies int
	First   *time.Time
	Last    *time.Time
	Newest  []casefile.Event // newest first
}

// Coverage is the time that history covers, by the posts' own times.
type Coverage struct {
	From, To time.Time
	Posts    int
	Outside  int // events seen but outside the window, then or since; one seen again counts again
}

// CaseDoc is a case as search keeps it. It may hold words; it is versioned by the case's revision.
type CaseDoc struct {
	Ref          casefile.CaseRef      `json:"ref"`
	Platform     string                `json:"platform"`
	Account      casefile.AccountKey   `json:"account"`
	AccountID    string                `json:"account_id"`
	Handle       string                `json:"handle"`
	Names        string                `json:"names"` // display names
	Ordinal      int                   `json:"ordinal"`
	State        casefile.State        `json:"state"`
	Queue        string                `json:"queue"`
	Severity     int                   `json:"severity"`
	Confidence   int                   `json:"confidence"`
	Tier         casefile.Tier         `json:"tier"`
	DueAt        *time.Time            `json:"due_at,omitempty"`
	OpenedAt     time.Time             `json:"opened_at"`
	ClosedAt     *time.Time            `json:"closed_at,omitempty"`
	CloseReason  casefile.CloseReason  `json:"close_reason,omitempty"`
	Rules        []string              `json:"rules"`    // detectors' rules
	Policies     []casefile.PolicyCode `json:"policies"` // flagged and decided
	Action       casefile.Action       `json:"action,omitempty"`
	Rule         string                `json:"rule"` // routing rule
	Text         string                `json:"text"` // evidence, for search
	Revision     int                   `json:"revision"`
	DecidedState string                `json:"decided_state,omitempty"`
}

// CaseQuery asks for cases. Empty fields do not restrict.
type CaseQuery struct {
	Text     string // every token (Tokens) must stand in handle, account id, names, ref or text
	State    casefile.State
	Queue    string
	Policy   casefile.PolicyCode
	Action   casefile.Action
	Platform string
	Cursor   string
	Limit    int // 1 to 200; 0 means 50
}

// CasePage is one page of an answer, newest opened first (by the millisecond), then by reference.
type CasePage struct {
	Cases []CaseDoc
	Total int    // over all pages, up to MaxTotal
	Next  string // cursor, "" on the last page
}

// Cases is the read model of cases.
type Cases interface {
	// PutCase writes a document unless a higher revision stands. CodeInvalid without a reference
	// or an opening time; CodeUnavailable means try again.
	PutCase(ctx context.Context, doc CaseDoc) error
	// Search answers a query. CodeInvalid names the field at fault: text, limit or cursor.
	Search(ctx context.Context, q CaseQuery) (CasePage, error)
}

// Index is both.
type Index interface {
	History
	Cases
	Ping(ctx context.Context) error
	// Scrub takes what was replaced and deleted off the disk, as far as the engine can (docs/erasure.md).
	// CodeUnavailable where it could not, for now.
	Scrub(ctx context.Context) error
	Close() error
}
