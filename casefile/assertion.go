package casefile

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Assertion is the API's signed word that a person asked for a verb: who, in which role and team,
// what, on which thing, with which arguments, and until when the word may be used. A workflow lets
// no verb count without one (docs/formats/assertion.md).
type Assertion struct {
	Key    string `json:"key"` // id of the signing key
	Person Person `json:"person"`
	Role   Role   `json:"role"`
	Team   string `json:"team,omitempty"`
	Verb   string `json:"verb"`
	On     string `json:"on"`     // ledger chain of the thing that the verb is about
	ID     string `json:"id"`     // the verb's id
	Digest string `json:"digest"` // ArgumentDigest of the verb's arguments
	// Expires is when the word ends, in UTC with whole seconds.
	Expires   time.Time `json:"expires"`
	Signature []byte    `json:"signature"` // Ed25519 over Signed
}

// assertionContext keeps the signature apart from everything else that a key might sign.
const assertionContext = "docket-assertion/1\n"

// Signed gives the bytes that the signature is over: a fixed first line and the canonical JSON of
// the assertion without its signature.
func (a Assertion) Signed() ([]byte, error) {
	a.Signature = nil
	a.Expires = a.Expires.UTC().Truncate(time.Second)
	data, err := Canonical(a)
	if err != nil {
		return nil, fmt.Errorf("write the assertion out: %w", err)
	}
	return append([]byte(assertionContext), data...), nil
}

// Sign signs the assertion under the key named.
func (a Assertion) Sign(keyID string, key ed25519.PrivateKey) (Assertion, error) {
	a.Key, a.Expires = keyID, a.Expires.UTC().Truncate(time.Second)
	data, err := a.Signed()
	if err != nil {
		return Assertion{}, err
	}
	a.Signature = ed25519.Sign(key, data)
	return a, nil
}

// AssertionKeys are the keys whose assertions count, by id: the present one and those before it
// whose last words have not expired.
type AssertionKeys map[string]ed25519.PublicKey

// Verify refuses, with CodeForbidden, an assertion that none of the keys signed or that has expired.
// It says nothing about what the assertion is used for: Check does.
func (k AssertionKeys) Verify(a Assertion, now time.Time) error {
	key, known := k[a.Key]
	switch {
	case !known || len(key) != ed25519.PublicKeySize:
		return Errorf(CodeForbidden, "the verb is not signed under a key that counts here")
	case !now.Before(a.Expires):
		return Errorf(CodeForbidden, "the word that the verb was asked for has expired")
	}
	data, err := a.Signed()
	if err != nil || !ed25519.Verify(key, data, a.Signature) {
		return Errorf(CodeForbidden, "the signature of the verb does not hold")
	}
	return nil
}

// Use is what an assertion is used for.
type Use struct {
	Verb string
	On   string // ledger chain of the thing that the verb is about
	ID   string // the verb's id
	By   Actor
	Args any // the verb's arguments
}

// Check refuses, with CodeForbidden, an assertion that Verify refuses, and one of another verb, thing,
// id, actor or arguments than it is used for. A nil assertion is refused.
func (k AssertionKeys) Check(a *Assertion, u Use, now time.Time) error {
	if a == nil {
		return Errorf(CodeForbidden, "a verb is made by the API, which signs it")
	}
	err := k.Verify(*a, now)
	if err != nil {
		return err
	}
	digest, err := ArgumentDigest(u.Args)
	if err != nil {
		return err
	}
	if a.Verb != u.Verb || a.On != u.On || a.ID != u.ID || a.Person != u.By.Person || a.Role != u.By.Role || a.Digest != digest {
		return Errorf(CodeForbidden, "the signed word is of another verb than this one")
	}
	return nil
}

// ArgumentDigest is the lower-case hexadecimal SHA-256 of the canonical JSON of a verb's arguments,
// a JSON object, without their member "assertion".
func ArgumentDigest(args any) (string, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return "", fmt.Errorf("encode a verb's arguments: %w", err)
	}
	var members map[string]json.RawMessage
	err = json.NewDecoder(bytes.NewReader(raw)).Decode(&members)
	if err != nil {
		return "", Errorf(CodeInvalid, "a verb's arguments must be a JSON object")
	}
	delete(members, "assertion")
	data, err := Canonical(members)
	if err != nil {
		return "", fmt.Errorf("write a verb's arguments out: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
