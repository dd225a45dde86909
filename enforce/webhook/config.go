package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Config says where a platform is reached and what it can do, as its operator states it. The zero
// value of every optional field is the careful one.
type Config struct {
	// URL is the address that everything is sent to: https, or http on this machine.
	URL string `json:"url" koanf:"url"`
	// Secrets are where the signing secrets are, at least one; every request is signed under all of
	// them, so that a secret can be changed without an interruption.
	Secrets []SecretSource `json:"secrets" koanf:"secrets"`
	// CAFile is a PEM file of the only authorities that the platform's certificate may come from; ""
	// means those of the system.
	CAFile string `json:"ca_file,omitempty" koanf:"ca_file"`
	// Timeout bounds one request, its answer included; "" means DefaultTimeout. A duration as Go
	// writes it ("20s"), at most an hour.
	Timeout string `json:"timeout,omitempty" koanf:"timeout"`
	// ConnectTimeout bounds the way to the platform: address, connection and TLS each; "" means
	// DefaultConnectTimeout.
	ConnectTimeout string `json:"connect_timeout,omitempty" koanf:"connect_timeout"`
	// Idempotent says that the platform keeps keys apart (enforce.Capabilities.Idempotent).
	Idempotent bool `json:"idempotent,omitempty" koanf:"idempotent"`
	// Lookup says that the platform answers act.lookup.
	Lookup bool `json:"lookup,omitempty" koanf:"lookup"`
	// Notify says that the platform delivers notices.
	Notify bool `json:"notify,omitempty" koanf:"notify"`
	// Acts are those that the platform can do, at least one; Undo those of them that it can take back.
	Acts []casefile.ActKind `json:"acts" koanf:"acts"`
	Undo []casefile.ActKind `json:"undo,omitempty" koanf:"undo"`
}

// Defaults of a configuration.
const (
	DefaultTimeout        = 20 * time.Second
	DefaultConnectTimeout = 5 * time.Second
)

// maxTimeout is more than any platform needs, and less than an activity gets.
const maxTimeout = time.Hour

// maxSecrets is more than any change of secrets needs at once.
const maxSecrets = 8

var envForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ParseConfig reads a configuration in JSON, strictly, and validates it. The error is CodeInvalid,
// casefile.Faults where fields are at fault, and quotes nothing of it.
func ParseConfig(data []byte) (Config, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var c Config
	err := dec.Decode(&c)
	if err != nil {
		return Config{}, casefile.Errorf(casefile.CodeInvalid, "not the configuration of a webhook, or one with a field that there is not")
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return Config{}, casefile.Errorf(casefile.CodeInvalid, "something follows the configuration")
	}
	err = c.Validate().Err()
	if err != nil {
		return Config{}, err
	}
	return c, nil
}

// Validate names every field at fault, by its JSON path. It reads no file and no variable, and quotes
// no value: a secret may stand where it does not belong.
func (c Config) Validate() casefile.Faults {
	var f casefile.Faults
	bad := func(field, format string, args ...any) { f = append(f, casefile.Invalid(field, format, args...)) }
	if why := wrongURL(c.URL); why != "" {
		bad("url", "%s", why)
	}
	if len(c.Secrets) == 0 || len(c.Secrets) > maxSecrets {
		bad("secrets", "1 to %d are required", maxSecrets)
	}
	for i, s := range c.Secrets {
		field := fmt.Sprintf("secrets[%d]", i)
		switch {
		case (s.File == "") == (s.Env == ""):
			bad(field, "must name a file or a variable, one of the two")
		case strings.HasPrefix(s.File, secretPrefix) || strings.HasPrefix(s.Env, secretPrefix):
			bad(field, "must name where the secret is: the secret itself does not belong here")
		case s.Env != "" && !envForm.MatchString(s.Env):
			bad(field+".env", "not the name of a variable")
		case slices.Contains(c.Secrets[:i], s):
			bad(field, "stands twice")
		}
	}
	for field, text := range map[string]string{"timeout": c.Timeout, "connect_timeout": c.ConnectTimeout} {
		if text == "" {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 || d > maxTimeout {
			bad(field, "must be a time above 0 and up to %s, such as 20s", maxTimeout)
		}
	}
	if len(c.Acts) == 0 {
		bad("acts", "at least one is required")
	}
	for i, kind := range c.Acts {
		field := fmt.Sprintf("acts[%d]", i)
		switch {
		case !slices.Contains(allKinds, kind):
			bad(field, "not an act")
		case slices.Contains(c.Acts[:i], kind):
			bad(field, "%s stands twice", kind)
		}
	}
	for i, kind := range c.Undo {
		field := fmt.Sprintf("undo[%d]", i)
		switch {
		case !slices.Contains(allKinds, kind):
			bad(field, "not an act")
		case !slices.Contains(c.Acts, kind):
			bad(field, "%s is not one of the acts that the platform can do", kind)
		case slices.Contains(c.Undo[:i], kind):
			bad(field, "%s stands twice", kind)
		}
	}
	slices.SortStableFunc(f, func(a, b *casefile.Error) int { return strings.Compare(a.Field, b.Field) })
	return f
}

// wrongURL says what is wrong with an address, without it: it may hold a password.
func wrongURL(text string) string {
	if text == "" {
		return "required"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return "not an address like https://platform.example/docket"
	case u.User != nil:
		return "must hold no user and no password: requests are signed"
	case u.Fragment != "" || strings.Contains(text, "#"):
		return "must have no fragment"
	case u.Scheme == "https":
		return ""
	case u.Scheme == "http" && loopback(u.Hostname()):
		return ""
	}
	return "must be https: accounts and notices go there (http is for this machine alone)"
}

// loopback says whether a host is this machine. Other names are not looked up: what they lead to may
// change.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// durationOr reads a validated duration; "" gives the default.
func durationOr(text string, fallback time.Duration) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		return fallback
	}
	return d
}
