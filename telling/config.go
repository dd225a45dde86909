package telling

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/docket-triage/docket/casefile"
)

// MailChannel is the name of the one channel that is not a webhook.
const MailChannel = "mail"

// Config says who is told, and how. The zero Config tells nobody. It holds no secret, only where each
// is kept, and may be shown and logged but for the people's mail addresses.
type Config struct {
	// BaseURL is where the console is reached; links are made from it.
	BaseURL string `json:"base_url" koanf:"base_url"`
	// DefaultTeam is told whatever no other team is named for.
	DefaultTeam string                   `json:"default_team" koanf:"default_team"`
	Teams       map[string]Team          `json:"teams" koanf:"teams"`
	Webhooks    map[string]WebhookConfig `json:"webhooks,omitempty" koanf:"webhooks"` // by channel
	Mail        *MailConfig              `json:"mail,omitempty" koanf:"mail"`
}

// Team says over which channels a team is told, by urgency: names of webhooks, or MailChannel. Where a
// list is empty, that of the default team stands.
type Team struct {
	Page   []string `json:"page,omitempty" koanf:"page"`
	Notice []string `json:"notice,omitempty" koanf:"notice"`
	// MailTo are the team's mail addresses.
	MailTo []string `json:"mail_to,omitempty" koanf:"mail_to"`
}

// WebhookConfig is an address that takes webhooks.
type WebhookConfig struct {
	// URL is https, or http on this machine alone. It holds no user, password or fragment.
	URL string `json:"url" koanf:"url"`
	// Secrets are signed with all at once, so that the receiver can change from one to the next.
	Secrets []Secret `json:"secrets" koanf:"secrets"`
	// CAFile is a PEM file of the only authorities that the server's certificate may come from; "" for
	// the system's.
	CAFile string `json:"ca_file,omitempty" koanf:"ca_file"`
}

// Secret says where a secret is: in the first line of a file with mode 0600, or in an environment
// variable.
type Secret struct {
	File string `json:"file,omitempty" koanf:"file"`
	Env  string `json:"env,omitempty" koanf:"env"` // the variable's name
}

// TLSMode says how the way to the mail server is encrypted.
type TLSMode string

// The modes.
const (
	TLSStart    TLSMode = "starttls" // begun in the clear, and not gone on with unless encrypted
	TLSImplicit TLSMode = "implicit" // encrypted from the first byte
	TLSNone     TLSMode = "none"     // for a mail server on this machine alone
)

// MailConfig is the mail server that mails are handed to.
type MailConfig struct {
	Host string `json:"host" koanf:"host"`
	// Port is 587 (starttls), 465 (implicit) or 25 (none) where it is 0.
	Port int `json:"port,omitempty" koanf:"port"`
	// TLS is TLSStart where it is "".
	TLS TLSMode `json:"tls,omitempty" koanf:"tls"`
	// From is the bare address that mails come from; its domain is that of their Message-IDs.
	From string `json:"from" koanf:"from"`
	// Username and Password log in (AUTH PLAIN); both or none.
	Username string  `json:"username,omitempty" koanf:"username"`
	Password *Secret `json:"password,omitempty" koanf:"password"`
	// Hello is the name that the client gives itself; the domain of From where it is "".
	Hello  string `json:"hello,omitempty" koanf:"hello"`
	CAFile string `json:"ca_file,omitempty" koanf:"ca_file"`
}

// maxConfig bounds a configuration in bytes, far above what a thousand teams need.
const maxConfig = 1 << 20

// DecodeConfig reads a configuration as one JSON value and validates it. Unknown fields and anything
// behind the value are refused. Errors are CodeInvalid and name the field where one is at fault.
func DecodeConfig(data []byte) (Config, error) {
	if len(data) > maxConfig {
		return Config{}, casefile.Errorf(casefile.CodeTooLarge, "the configuration of telling has more than %d bytes", maxConfig)
	}
	var c Config
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(&c)
	if err != nil {
		return Config{}, &casefile.Error{Code: casefile.CodeInvalid, Message: "read the configuration of telling", Err: err}
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return Config{}, casefile.Errorf(casefile.CodeInvalid, "something follows the configuration of telling")
	}
	err = c.Validate()
	if err != nil {
		return Config{}, err
	}
	return c, nil
}

// Off reports whether the configuration tells nobody, because nothing in it is set.
func (c Config) Off() bool {
	return c.BaseURL == "" && c.DefaultTeam == "" && len(c.Teams) == 0 && len(c.Webhooks) == 0 && c.Mail == nil
}

// faults collects what is wrong with a configuration.
type faults struct{ list casefile.Faults }

func (f *faults) bad(field, format string, args ...any) {
	f.list = append(f.list, casefile.Invalid(field, format, args...))
}

// Limits of a configuration.
const (
	maxSecrets   = 4
	maxAddresses = 50
)

// Validate checks everything but what stands in files and variables, which Open reads. The error is a
// casefile.Faults; each fault names its field, as in "teams.night.page[0]".
func (c Config) Validate() error {
	if c.Off() {
		return nil
	}
	f := &faults{}
	checkURL(f, "base_url", c.BaseURL)
	if strings.ContainsAny(c.BaseURL, "?#") {
		f.bad("base_url", "must have neither query nor fragment")
	}
	for _, name := range sortedKeys(c.Webhooks) {
		field := "webhooks." + name
		if !isName(name) || name == MailChannel {
			f.bad(field, "a channel's name has 1 to 64 of a-z, 0-9, '-' and '_', and is not %q", MailChannel)
		}
		c.Webhooks[name].check(f, field)
	}
	if c.Mail != nil {
		c.Mail.check(f, "mail")
	}
	standard, ok := c.Teams[c.DefaultTeam]
	switch {
	case c.DefaultTeam == "":
		f.bad("default_team", "required: the team that is told what no other team is named for")
	case !ok:
		f.bad("default_team", "there is no team of that name")
	default:
		field := "teams." + c.DefaultTeam
		if len(standard.Page) == 0 {
			f.bad(field+".page", "required for the default team")
		}
		if len(standard.Notice) == 0 {
			f.bad(field+".notice", "required for the default team")
		}
	}
	for _, name := range sortedKeys(c.Teams) {
		c.checkTeam(f, name)
	}
	return f.list.Err()
}

func (c Config) checkTeam(f *faults, name string) {
	field, team := "teams."+name, c.Teams[name]
	if !isTeam(name) {
		f.bad(field, "a team's name has 1 to %d bytes of letters, digits, spaces, '-' and '_'", maxTeam)
	}
	lists := map[string][]string{"page": team.Page, "notice": team.Notice}
	for _, urgency := range sortedKeys(lists) {
		list := lists[urgency]
		for i, channel := range list {
			at := fmt.Sprintf("%s.%s[%d]", field, urgency, i)
			_, hook := c.Webhooks[channel]
			switch {
			case !hook && (channel != MailChannel || c.Mail == nil):
				f.bad(at, "no such channel is configured")
			case slices.Contains(list[:i], channel):
				f.bad(at, "stands in the list twice")
			}
		}
	}
	if len(team.MailTo) > maxAddresses {
		f.bad(field+".mail_to", "at most %d addresses", maxAddresses)
	}
	for i, address := range team.MailTo {
		at := fmt.Sprintf("%s.mail_to[%d]", field, i)
		switch {
		case !isAddress(address):
			f.bad(at, "must be a bare mail address in ASCII, like night@example.org")
		case slices.ContainsFunc(team.MailTo[:i], func(o string) bool { return strings.EqualFold(o, address) }):
			f.bad(at, "stands in the list twice")
		}
	}
	for _, urgency := range []Urgency{Page, Notice} {
		if slices.Contains(c.channels(name, urgency), MailChannel) && len(c.addresses(name)) == 0 {
			f.bad(field+".mail_to", "required: the team is told by mail, and the default team has no addresses")
			break
		}
	}
}

func (w WebhookConfig) check(f *faults, field string) {
	checkURL(f, field+".url", w.URL)
	if len(w.Secrets) == 0 || len(w.Secrets) > maxSecrets {
		f.bad(field+".secrets", "required: 1 to %d", maxSecrets)
	}
	for i, s := range w.Secrets {
		s.check(f, fmt.Sprintf("%s.secrets[%d]", field, i))
	}
}

func (m MailConfig) check(f *faults, field string) {
	if !isHost(m.Host) {
		f.bad(field+".host", "required: a host name or an IP address")
	}
	if m.Port < 0 || m.Port > 65535 {
		f.bad(field+".port", "must be a port from 1 to 65535, or be left out")
	}
	switch m.TLS {
	case "", TLSStart, TLSImplicit:
	case TLSNone:
		if !isLoopback(m.Host) {
			f.bad(field+".tls", "none is for a mail server on this machine alone")
		}
	default:
		f.bad(field+".tls", "must be starttls, implicit or none")
	}
	if !isAddress(m.From) {
		f.bad(field+".from", "required: a bare mail address in ASCII")
	}
	switch {
	case m.Username == "" && m.Password != nil:
		f.bad(field+".username", "required with a password")
	case m.Username != "" && m.Password == nil:
		f.bad(field+".password", "required with a user name")
	case len(m.Username) > 255 || strings.ContainsFunc(m.Username, unicode.IsControl):
		f.bad(field+".username", "must have 255 bytes at most and no control characters")
	}
	if m.Password != nil {
		m.Password.check(f, field+".password")
	}
	if m.Hello != "" && !isHost(m.Hello) {
		f.bad(field+".hello", "must be a host name")
	}
}

func (s Secret) check(f *faults, field string) {
	switch {
	case (s.File == "") == (s.Env == ""):
		f.bad(field, "needs file or env, and not both")
	case s.Env != "" && (strings.Trim(s.Env, lower+upper+digits+"_") != "" || strings.Contains(digits, s.Env[:1])):
		f.bad(field+".env", "must be the name of an environment variable, not the secret")
	}
}

// checkURL takes https, and http for this machine.
func checkURL(f *faults, field, text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		f.bad(field, "required")
	case err != nil || u.Opaque != "" || !isHost(u.Hostname()) || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		f.bad(field, "must be an address like https://docket.example.org")
	case u.User != nil || u.Fragment != "":
		f.bad(field, "must have no user, password or fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		f.bad(field, "must begin with https://; http:// is for this machine alone")
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isHost takes a name in ASCII or an IP address.
func isHost(host string) bool {
	return net.ParseIP(host) != nil || isDomain(host)
}

func isDomain(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, lower+upper+digits+"-") != "" ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}

// isAddress takes a bare address without quotes, comments, a display name or anything beyond ASCII:
// nothing in it can end a header or a command of SMTP, or be read in two ways.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > 254 || len(local) > 64 || !isDomain(domain) {
		return false
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" || strings.Trim(atom, lower+upper+digits+"!#$%&'*+/=?^_`{|}~-") != "" {
			return false
		}
	}
	return true
}

// isTeam leaves full stops out: configuration files use them between the parts of a path.
func isTeam(s string) bool {
	other := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' && r != '-' && r != '_'
	}
	return s != "" && len(s) <= maxTeam && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, other)
}

// team is the team that is told when a message names one.
func (c Config) team(named string) string {
	if _, ok := c.Teams[named]; ok {
		return named
	}
	return c.DefaultTeam
}

// channels are those that a team is told over.
func (c Config) channels(team string, u Urgency) []string {
	pick := func(t Team) []string {
		if u == Page {
			return t.Page
		}
		return t.Notice
	}
	list := pick(c.Teams[c.team(team)])
	if len(list) == 0 {
		list = pick(c.Teams[c.DefaultTeam])
	}
	return list
}

// addresses are those that mails to a team go to.
func (c Config) addresses(team string) []string {
	list := c.Teams[c.team(team)].MailTo
	if len(list) == 0 {
		list = c.Teams[c.DefaultTeam].MailTo
	}
	return list
}

// link is where in the console a person sees what the message is about.
func (c Config) link(m Message) string {
	base := strings.TrimRight(c.BaseURL, "/")
	switch {
	case m.Case != "":
		return base + "/cases/" + url.PathEscape(string(m.Case))
	case m.Queue != "":
		return base + "/queues/" + url.PathEscape(m.Queue)
	}
	return base + "/"
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
