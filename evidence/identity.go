package evidence

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/docket-triage/docket/casefile"
)

const base32Alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// base32Lower is RFC 4648's base 32 in lower case without padding.
var base32Lower = base32.NewEncoding(base32Alphabet).WithPadding(base32.NoPadding)

// nameBytes is how much of a keyed hash names an account, a flag or a handle's form: 160 bits.
const nameBytes = 20

// identity implements Identity. Every use has a label of its own, so that no hash made for one
// can stand for another.
type identity struct {
	key      *key
	skeleton func(string) string
}

// Labels of the identity key's uses.
const (
	labelAccount     = "docket account"
	labelFlag        = "docket flag"
	labelDigest      = "docket digest"
	labelFingerprint = "docket fingerprint"
	labelHandleNear  = "docket handle near"
	labelHandleExact = "docket handle exact"
	labelHandleFind  = "docket handle find"
	labelItem        = "docket item"
)

func (i *identity) Account(ref casefile.AccountRef) casefile.AccountKey {
	return casefile.AccountKey(i.name(labelAccount, ref.Platform, ref.ID))
}

func (i *identity) Flag(platform, id string) casefile.FlagKey {
	return casefile.FlagKey(i.name(labelFlag, platform, id))
}

func (i *identity) Digest(content []byte) string {
	return hex.EncodeToString(keyedHash(i.key, labelDigest, content))
}

func (i *identity) Item(platform, postID, text string) string {
	return i.name(labelItem, platform, postID, text)
}

func (i *identity) Fingerprint() string { return i.name(labelFingerprint) }

func (i *identity) name(label string, parts ...string) string {
	raw := make([][]byte, len(parts))
	for n, p := range parts {
		raw[n] = []byte(p)
	}
	return base32Lower.EncodeToString(keyedHash(i.key, label, raw...)[:nameBytes])
}

// keyedHash is HMAC-SHA-256 of the label and the parts, each led by its length, so that no two
// lists of parts give one input.
func keyedHash(k *key, label string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, k[:])
	writePart(mac, []byte(label))
	for _, p := range parts {
		writePart(mac, p)
	}
	return mac.Sum(nil)
}

func writePart(mac hash.Hash, part []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(part)))
	mac.Write(n[:])
	mac.Write(part)
}
