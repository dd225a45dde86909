package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/docket-triage/docket/casefile"
)

// The headers of a signed request.
const (
	HeaderID        = standardwebhooks.HeaderWebhookID
	HeaderTimestamp = standardwebhooks.HeaderWebhookTimestamp
	HeaderSignature = standardwebhooks.HeaderWebhookSignature
)

// SecretSource says where a signing secret is read from: a file or an environment variable, one of
// the two. The secret itself stands nowhere in a configuration.
type SecretSource struct {
	// File is a file that holds the secret in its first line, and that nobody but its owner and group
	// may read.
	File string `json:"file,omitempty" koanf:"file"`
	// Env is the name of an environment variable.
	Env string `json:"env,omitempty" koanf:"env"`
}

// Secret is a shared signing secret. It prints as nothing that tells of it, whatever the verb, also
// as a part of something else.
type Secret struct {
	key func() *standardwebhooks.Webhook
} // fmt looks through pointers, not into functions

// secretPrefix begins every secret, as the specification has it.
const secretPrefix = "whsec_"

// Bounds of a secret by the specification, and the size of our own, in bytes.
const (
	minSecret = 24
	maxSecret = 64
	newSecret = 32
)

// NewSecret makes a random secret, as the specification writes it.
func NewSecret() string {
	raw := make([]byte, newSecret)
	_, _ = rand.Read(raw) // crypto/rand.Read does not fail since Go 1.24: it aborts the program
	return secretPrefix + base64.StdEncoding.EncodeToString(raw)
}

// ParseSecret reads a secret as the specification writes it: whsec_ and the base 64 of 24 to 64
// bytes. The error is CodeInvalid and quotes nothing of it.
func ParseSecret(text string) (Secret, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return Secret{}, casefile.Errorf(casefile.CodeInvalid, "a secret begins with %s", secretPrefix)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) < minSecret || len(raw) > maxSecret {
		return Secret{}, casefile.Errorf(casefile.CodeInvalid, "a secret is %s and the base 64 of %d to %d bytes", secretPrefix, minSecret, maxSecret)
	}
	key, err := standardwebhooks.NewWebhookRaw(raw)
	if err != nil {
		return Secret{}, casefile.Errorf(casefile.CodeInvalid, "the secret cannot be used")
	}
	return Secret{key: func() *standardwebhooks.Webhook { return key }}, nil
}

// String is the same for every secret.
func (s Secret) String() string { return "secret" }

// GoString is the same for every secret.
func (s Secret) GoString() string { return "webhook.Secret{}" }

// Sign gives the signature of one attempt: its id, its time (in whole seconds) and its exact body.
func (s Secret) Sign(id string, at time.Time, body []byte) (string, error) {
	signature, err := s.key().Sign(id, at, body)
	if err != nil {
		return "", casefile.Errorf(casefile.CodeInternal, "the request cannot be signed")
	}
	return signature, nil
}

// Signed says whether one of a request's signatures is of this secret, in constant time. It does not
// look at how old the request is.
func (s Secret) Signed(header http.Header, body []byte) bool {
	return s.key().VerifyIgnoringTimestamp(body, header) == nil
}

// read gives the secret's text. The error never holds it.
func (s SecretSource) read() (string, error) {
	if s.Env != "" {
		text, ok := os.LookupEnv(s.Env)
		if !ok {
			return "", casefile.Errorf(casefile.CodeInvalid, "the environment has no variable %s", s.Env)
		}
		return strings.TrimSpace(text), nil
	}
	f, err := os.Open(s.File)
	if err != nil {
		return "", fmt.Errorf("open secret file: %w", err)
	}
	text, err := readSecretFile(f)
	return text, errors.Join(err, f.Close())
}

// maxSecretFile is far above one line with a secret, in bytes.
const maxSecretFile = 4 << 10

func readSecretFile(f *os.File) (string, error) {
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("inspect secret file: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
		return "", casefile.Errorf(casefile.CodeForbidden, "%s holds a secret and has mode %04o: others than its owner and group must not read it", f.Name(), info.Mode().Perm())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil {
		return "", fmt.Errorf("read secret file: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(line), nil
}
