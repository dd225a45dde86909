// Package evidence is the sealed store: evidence, case files and everything else with a person's
// words in it, encrypted under the account's content key and addressed by a keyed hash of its
// content, in a folder or in object storage (gocloud.dev/blob). Destroying one key erases all of it.
package evidence

import (
	"context"

	"github.com/docket-triage/docket/casefile"
)

// Kind says what a sealed thing is; it is bound into the seal, so that one cannot pass for another.
type Kind string

// The kinds of sealed thing.
const (
	KindFlag     Kind = "flag"     // a casefile.Flag
	KindProfile  Kind = "profile"  // a Profile
	KindFindings Kind = "findings" // []casefile.Finding
	KindOpinion  Kind = "opinion"  // a casefile.OpinionForm
	KindComment  Kind = "comment"  // text
	KindNotice   Kind = "notice"   // a casefile.Notice
	KindUndo     Kind = "undo"     // an enforce undo record
	KindCaseFile Kind = "casefile" // the archived case
)

// Kinds are all kinds.
var Kinds = []Kind{KindFlag, KindProfile, KindFindings, KindOpinion, KindComment, KindNotice, KindUndo, KindCaseFile}

// Profile is what is known of the account itself, newest first wins.
type Profile struct {
	Platform string           `json:"platform"`
	Account  casefile.Account `json:"account"`
}

// Sealer seals and opens under accounts' content keys. Safe for concurrent use.
type Sealer interface {
	// EnsureKey makes the account's content key if it has none; two racing callers get one key.
	EnsureKey(ctx context.Context, platform string, account casefile.AccountKey) error
	// Seal stores plaintext and returns its address and its keyed digest (HMAC-SHA-256 under the
	// content key, lower-case hexadecimal). Sealing the same content again gives the same address.
	Seal(ctx context.Context, account casefile.AccountKey, kind Kind, plaintext []byte) (casefile.Address, string, error)
	// Open returns what was sealed; CodeNotFound when it is absent or the account was erased.
	Open(ctx context.Context, account casefile.AccountKey, kind Kind, address casefile.Address) ([]byte, error)
	// Exists says whether something is sealed at the address.
	Exists(ctx context.Context, account casefile.AccountKey, address casefile.Address) (bool, error)
	// Salter gives the account's salts; CodeNotFound when the account was erased.
	Salter(ctx context.Context, account casefile.AccountKey) (casefile.Salter, error)
	// SealSystem and OpenSystem do the same under the deployment key, for staff's reasons and purposes.
	SealSystem(ctx context.Context, plaintext []byte) ([]byte, error)
	OpenSystem(ctx context.Context, sealed []byte) ([]byte, error)
}

// Identity makes the keyed hashes by which accounts and flags are known outside the sealed store.
// The identity key is never rotated.
type Identity interface {
	Account(ref casefile.AccountRef) casefile.AccountKey
	Flag(platform, id string) casefile.FlagKey
	// Digest is a keyed digest of content, lower-case hexadecimal.
	Digest(content []byte) string
	// HandleHashes gives the keyed hashes of a handle's skeleton and of its near forms (every form
	// with one character left out), for look-alike search without handles.
	HandleHashes(platform, handle string) []string
	// HandleHash is the keyed hash of a handle's skeleton, for finding cases by handle: equal for two
	// handles exactly if their skeletons (the first 256 characters) are. It is none of HandleHashes. ""
	// for a handle with no visible character.
	HandleHash(platform, handle string) string
	// Item is the keyed digest of a piece of evidence that was decided on: a post in one wording. An
	// edited post is another item.
	Item(platform, postID, text string) string
	// Fingerprint identifies the key without revealing it.
	Fingerprint() string
}
