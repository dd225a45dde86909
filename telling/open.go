package telling

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Channel tells one message. Its team is one of the configuration.
type Channel interface {
	// Tell hands the message on. missed counts addresses that did not take it although others did. A nil
	// error says that the other side has taken it; another one is a *Failure where the channel knows more,
	// CodeInternal for a message that Validate refuses. The same message may come again; ctx bounds the time.
	Tell(ctx context.Context, m Message) (missed int, err error)
}

// Surroundings is what channels need from outside.
type Surroundings struct {
	// Env reads environment variables; os.Getenv where nil.
	Env func(name string) string
	// Now is the time; time.Now where nil.
	Now func() time.Time
}

// Open makes the channels of a configuration, by name, reading their secrets and certificates once. It
// connects to nothing. Errors name the field and never hold a secret.
func Open(c Config, s Surroundings) (map[string]Channel, error) {
	err := c.Validate()
	if err != nil {
		return nil, fmt.Errorf("open the channels of telling: %w", err)
	}
	if s.Env == nil {
		s.Env = os.Getenv
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	out := map[string]Channel{}
	for _, name := range sortedKeys(c.Webhooks) {
		out[name], err = newWebhook(c, name, s)
		if err != nil {
			return nil, fmt.Errorf("open the webhook %s: %w", name, err)
		}
	}
	if c.Mail != nil {
		out[MailChannel], err = newMailer(c, s)
		if err != nil {
			return nil, fmt.Errorf("open the way to the mail server: %w", err)
		}
	}
	return out, nil
}

// maxSecret bounds a secret's line in bytes.
const maxSecret = 4096

// read gives the secret, or an error that names its place and not its content.
func (s Secret) read(field string, env func(string) string) (string, error) {
	if s.Env != "" {
		v := strings.TrimSpace(env(s.Env))
		if v == "" {
			return "", casefile.Invalid(field+".env", "the environment variable %s is not set", s.Env)
		}
		return v, nil
	}
	f, err := os.Open(s.File)
	if err != nil {
		return "", fmt.Errorf("read the secret of %s: %w", field, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("inspect the secret of %s: %w", field, err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", casefile.Errorf(casefile.CodeForbidden, "%s.file: %s has mode %04o: it must be readable by its owner alone (mode 0600)", field, s.File, info.Mode().Perm())
	}
	line, err := bufio.NewReader(io.LimitReader(f, maxSecret)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the secret of %s: %w", field, err)
	}
	line = strings.TrimSpace(line)
	if line == "" {
		return "", casefile.Invalid(field+".file", "the first line of %s is empty", s.File)
	}
	return line, nil
}

// tlsConfig trusts the authorities of a PEM file alone, or the system's.
func tlsConfig(field, caFile, server string) (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: server}
	if caFile == "" {
		return out, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of %s: %w", field, err)
	}
	out.RootCAs = x509.NewCertPool()
	if !out.RootCAs.AppendCertsFromPEM(pem) {
		return nil, casefile.Invalid(field, "%s holds no certificate", caFile)
	}
	return out, nil
}
