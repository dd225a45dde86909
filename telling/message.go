package telling

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Message is one thing that people are told. Everything in it is a code, a number or a time.
type Message struct {
	// ID is the same for the same telling, for ever: receivers keep repeats apart by it. See ID.
	ID      string  `json:"id"`
	Kind    Kind    `json:"kind"`
	Urgency Urgency `json:"urgency"`
	// Team is the team that is told. One that the configuration does not have, or "", is the default team.
	Team string `json:"team,omitempty"`
	// Queue and Platform are names from the policy and the roles' configuration.
	Queue    string `json:"queue,omitempty"`
	Platform string `json:"platform,omitempty"`
	// Case is set for everything but a breaker.
	Case casefile.CaseRef `json:"case,omitempty"`
	// Subject is the decision (of an act or an emergency order) or the appeal that it is about.
	Subject string `json:"subject,omitempty"`
	// At is when it happened; DueAt the deadline that it is about.
	At    time.Time  `json:"at"`
	DueAt *time.Time `json:"due_at,omitempty"`
}

// ids are in Crockford's base 32, like every other id of Docket.
var ids = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// ID makes the id of a telling from its kind and what sets it apart from every other one of the kind:
// the case, the decision, the deadline's time. The same parts in the same order always give the same
// id; it is safe in a header and tells nothing of them.
func ID(kind Kind, parts ...string) string {
	h := sha256.New()
	for _, p := range append([]string{string(kind)}, parts...) {
		// With its length before it no part can run over into the next.
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write([]byte(p))
	}
	return ids.EncodeToString(h.Sum(nil))[:26]
}

// Validate checks that nothing but codes, numbers and times is in the message, and that it has what
// its kind needs. The error is a casefile.Faults; each fault names its field.
func (m Message) Validate() error {
	var f casefile.Faults
	bad := func(field, format string, args ...any) { f = append(f, casefile.Invalid(field, format, args...)) }
	if !isToken(m.ID) {
		bad("id", "must be 1 to 64 letters, digits, '-' and '_'")
	}
	r, known := ruleOf(m.Kind)
	switch {
	case !known:
		bad("kind", "not a kind of telling")
	case r.page && m.Urgency != Page:
		bad("urgency", "%s is always a page", m.Kind)
	}
	if !m.Urgency.Valid() {
		bad("urgency", "must be page or notice")
	}
	if len(m.Team) > maxTeam {
		bad("team", "must have %d bytes at most", maxTeam)
	}
	if m.Queue != "" && !isName(m.Queue) {
		bad("queue", "must be a queue's name")
	}
	if m.Platform != "" && !casefile.ValidPlatform(m.Platform) {
		bad("platform", "must be a platform's name")
	}
	switch ref, err := casefile.ParseCaseRef(string(m.Case)); {
	case m.Case == "" && known && !r.bare:
		bad("case", "required for %s", m.Kind)
	case m.Case != "" && (err != nil || ref != m.Case):
		bad("case", "must be a case number")
	}
	switch {
	case m.Subject == "" && known && r.subject != "":
		bad("subject", "required for %s", m.Kind)
	case m.Subject != "" && !isToken(m.Subject):
		bad("subject", "must be the id of a decision or an appeal")
	}
	if !isWhen(m.At) {
		bad("at", "required: a time between the years 1970 and 9999")
	}
	if m.DueAt != nil && !isWhen(*m.DueAt) {
		bad("due_at", "must be a time between the years 1970 and 9999")
	}
	return f.Err()
}

const (
	digits  = "0123456789"
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	maxTeam = 64
)

// isToken says whether s can be an id: without a full stop, so that what is signed reads one way.
func isToken(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, lower+upper+digits+"-_") == ""
}

// isName says whether s can name a queue or a channel; policy files have the same rule.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, lower+digits+"-_") == ""
}

// isWhen says whether JSON and mail headers can hold t.
func isWhen(t time.Time) bool {
	year := t.UTC().Year()
	return !t.IsZero() && year >= 1970 && year <= 9999
}

// payload is the body of a webhook: docs/formats/telling.md.
type payload struct {
	Type      Kind      `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      details   `json:"data"`
}

type details struct {
	ID       string           `json:"id"`
	Urgency  Urgency          `json:"urgency"`
	Text     string           `json:"text"`
	Team     string           `json:"team"`
	Queue    string           `json:"queue,omitempty"`
	Platform string           `json:"platform,omitempty"`
	Case     casefile.CaseRef `json:"case,omitempty"`
	Subject  string           `json:"subject,omitempty"`
	DueAt    *time.Time       `json:"due_at,omitempty"`
	Link     string           `json:"link"`
}

// body gives the bytes of a webhook: the same for the same message and link.
func (m Message) body(link string) ([]byte, error) {
	r, _ := ruleOf(m.Kind)
	p := payload{Type: m.Kind, Timestamp: m.At.UTC(), Data: details{
		ID: m.ID, Urgency: m.Urgency, Text: r.Text, Team: m.Team, Queue: m.Queue, Platform: m.Platform,
		Case: m.Case, Subject: m.Subject, Link: link,
	}}
	if m.DueAt != nil {
		due := m.DueAt.UTC()
		p.Data.DueAt = &due
	}
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode a telling: %w", err)
	}
	return data, nil
}
