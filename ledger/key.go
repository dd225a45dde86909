package ledger

import (
	"crypto/rand"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
)

// GenerateKey makes an Ed25519 key pair for a log in note format: skey signs (note.NewSigner) and
// is secret, vkey verifies and is what every consumer pins. The name is the log's origin: no
// spaces, no plus sign, by custom a URL without its scheme. Another name is a CodeInvalid error.
func GenerateKey(name string) (skey, vkey string, err error) {
	skey, vkey, err = note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", "", fmt.Errorf("generate ledger key: %w", err)
	}
	_, err = note.NewVerifier(vkey)
	if err != nil {
		return "", "", casefile.Invalid("name", "the name of a log holds no spaces and no plus sign")
	}
	return skey, vkey, nil
}
