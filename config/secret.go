package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"unicode"

	"github.com/docket-triage/docket/casefile"
)

// Secret is a value that no print, log or encoding shows.
type Secret string

// hidden stands where a secret would be shown.
const hidden = "(secret)"

// Reveal gives the secret itself.
func (s Secret) Reveal() string { return string(s) }

// Format prints that there is a secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.shown()) }

// LogValue is what a logger gets.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }

// MarshalText is what an encoder gets.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return hidden
}

// maxSecretBytes bounds a secret's file.
const maxSecretBytes = 4 << 10

// secretOf gives a secret that the environment holds, or else the content of its file; "" for neither.
func secretOf(direct Secret, file string) (Secret, error) {
	if direct != "" || file == "" {
		return direct, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", casefile.Errorf(casefile.CodeForbidden, "%s holds a secret and has mode %04o: others than its owner and group must not read it", file, info.Mode().Perm())
	}
	if info.Size() > maxSecretBytes {
		return "", casefile.Errorf(casefile.CodeTooLarge, "%s is no secret: it is over %d bytes", file, maxSecretBytes)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if text == "" || strings.ContainsFunc(text, unicode.IsControl) {
		return "", casefile.Errorf(casefile.CodeInvalid, "%s must hold a secret in one line", file)
	}
	return Secret(text), nil
}

// Secret gives the password of PostgreSQL; "" for none.
func (r Records) Secret() (Secret, error) { return secretOf(r.Password, r.PasswordFile) }

// Secret gives the token with which flags are handed in; "" for none.
func (d Detect) Secret() (Secret, error) { return secretOf(d.Token, d.TokenFile) }

// PostgresURL gives the URL of PostgreSQL with the password in it.
func (r Records) PostgresURL() (Secret, error) {
	password, err := r.Secret()
	if err != nil || password == "" {
		return Secret(r.Postgres), err
	}
	u, err := url.Parse(r.Postgres)
	if err != nil {
		return "", casefile.Invalid("records.postgres", "is no URL")
	}
	u.User = url.UserPassword(u.User.Username(), password.Reveal())
	return Secret(u.String()), nil
}
