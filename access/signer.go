package access

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// AssertionFor is how long a signed word may be used where nothing else is said.
const AssertionFor = time.Minute

// Signer gives the API's signed word that a person asked for a verb. Safe for concurrent use. It never
// prints its key, whatever the verb.
type Signer struct {
	keyID string
	key   ed25519.PrivateKey
	ttl   time.Duration
	clock func() time.Time
}

// NewSigner makes a Signer of a key and its id (evidence.Keyring.AssertionSigner). Its words may be
// used for ttl, rounded up to whole seconds; 0 stands for AssertionFor. A nil clock is time.Now. The
// error is CodeInvalid.
func NewSigner(keyID string, key ed25519.PrivateKey, ttl time.Duration, clock func() time.Time) (*Signer, error) {
	if keyID == "" || len(key) != ed25519.PrivateKeySize {
		return nil, casefile.Errorf(casefile.CodeInvalid, "verbs are signed with an Ed25519 key that has an id")
	}
	if ttl < 0 {
		return nil, casefile.Errorf(casefile.CodeInvalid, "a signed word cannot end before it is given")
	}
	if ttl == 0 {
		ttl = AssertionFor
	}
	if clock == nil {
		clock = time.Now
	}
	return &Signer{keyID: keyID, key: slices.Clone(key), ttl: ttl, clock: clock}, nil
}

// Sign gives the word that who asked, in one of their roles, for the verb of that id on the thing with
// that ledger chain, with these arguments (a struct or map; its member "assertion" is left out). Whether
// the role allows the verb is for the caller to ask first. CodeForbidden for a role that the person does
// not hold, CodeInvalid where verb, thing or id is missing or the arguments are no JSON object.
func (s *Signer) Sign(who Who, role casefile.Role, verb, on, id string, args any) (casefile.Assertion, error) {
	switch {
	case who.Person == "" || !slices.Contains(who.Roles, role) || CheckRoles(who.Roles) != nil:
		return casefile.Assertion{}, casefile.Errorf(casefile.CodeForbidden, "nobody acts in a role that they do not hold")
	case verb == "" || on == "" || id == "":
		return casefile.Assertion{}, casefile.Errorf(casefile.CodeInvalid, "a signed word names the verb, its id and what it is about")
	}
	digest, err := casefile.ArgumentDigest(args)
	if err != nil {
		return casefile.Assertion{}, fmt.Errorf("sign a verb: %w", err)
	}
	// Expiries have whole seconds: rounded down, a word could end up to a second early.
	expires := s.clock().UTC().Add(s.ttl + time.Second - time.Nanosecond).Truncate(time.Second)
	signed, err := casefile.Assertion{
		Person: who.Person, Role: role, Team: who.Team, Verb: verb, On: on, ID: id, Digest: digest, Expires: expires,
	}.Sign(s.keyID, s.key)
	if err != nil {
		return casefile.Assertion{}, fmt.Errorf("sign a verb: %w", err)
	}
	return signed, nil
}

// Format prints the key's id and nothing else.
func (s *Signer) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "signer %s", s.keyID) }

// LogValue is what a logger gets: the key's id.
func (s *Signer) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }
