package codec

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/docket-triage/docket/casefile"
)

// KeySizeBytes is the length of a key: AES-256.
const KeySizeBytes = 32

// keyID is the form of a key's id, which stands in clear beside every payload.
var keyID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Keys are the keys of one deployment.
type Keys struct {
	// Active is the id of the key that seals what is written from now on.
	Active string
	// ByID holds every key that may be needed for reading, the active one included; each is
	// KeySizeBytes of random bytes. An id is 1 to 64 letters, digits, dots, dashes or
	// underscores, begins with a letter or digit, and is never used for another key.
	ByID map[string][]byte
}

// aeads prepares the ciphers, by key id. The error is CodeInvalid and names every fault.
func (k Keys) aeads() (map[string]cipher.AEAD, error) {
	out := make(map[string]cipher.AEAD, len(k.ByID))
	var faults []error
	for _, id := range slices.Sorted(maps.Keys(k.ByID)) {
		if !keyID.MatchString(id) {
			faults = append(faults, casefile.Invalid("keys", "id %q is not of the allowed form", id))
			continue
		}
		if n := len(k.ByID[id]); n != KeySizeBytes {
			faults = append(faults,
				casefile.Invalid("keys."+id, "is %d bytes long, must be %d", n, KeySizeBytes))
			continue
		}
		block, err := aes.NewCipher(k.ByID[id])
		if err != nil {
			return nil, fmt.Errorf("prepare key %s: %w", id, err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("prepare key %s: %w", id, err)
		}
		out[id] = aead
	}
	if _, ok := k.ByID[k.Active]; !ok {
		faults = append(faults, casefile.Invalid("active", "key %q is not among the keys", k.Active))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return out, nil
}
