package casefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// EventKind says what one line of a stream tells.
type EventKind string

// The kinds of event.
const (
	EventPost        EventKind = "post"
	EventEdit        EventKind = "edit"
	EventDelete      EventKind = "delete"
	EventAccount     EventKind = "account"      // the account's profile changed, or it signed up
	EventAccountGone EventKind = "account_gone" // deleted, deactivated or suspended by the platform
)

// Event is one line of a stream in Docket's own format (docs/formats/event.md). Only Platform,
// Account.ID and At are always required; Kind defaults to post, which requires ID, as do edit
// and delete.
type Event struct {
	Kind     EventKind `json:"kind"`
	Platform string    `json:"platform"`
	ID       string    `json:"id,omitempty"`
	Account  Account   `json:"account"`
	Text     string    `json:"text,omitempty"`
	Lang     string    `json:"lang,omitempty"`
	At       time.Time `json:"at"`
	URLs     []string  `json:"urls,omitempty"`
	Mentions []string  `json:"mentions,omitempty"`
	Media    []Media   `json:"media,omitempty"`
	ReplyTo  string    `json:"reply_to,omitempty"`
	RepostOf string    `json:"repost_of,omitempty"`
}

// Media is an attachment by reference. Hashes are lower-case hexadecimal; SizeBytes is 0 when the
// stream did not tell it.
type Media struct {
	Type      string `json:"type"`
	URL       string `json:"url,omitempty"`
	MIME      string `json:"mime,omitempty"`
	SizeBytes int64  `json:"bytes,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
	PDQ       string `json:"pdq,omitempty"`
}

// MaxEventBytes is the longest line of a stream that is read.
const MaxEventBytes = 1 << 20

// ParseEvent decodes one JSON event. Unknown fields are ignored: platforms add them freely.
// Errors are CodeInvalid or CodeTooLarge and name the field.
func ParseEvent(line []byte) (Event, error) {
	if len(line) > MaxEventBytes {
		return Event{}, &Error{Code: CodeTooLarge, Message: fmt.Sprintf("event of %d bytes; the limit is %d", len(line), MaxEventBytes)}
	}
	var e Event
	err := json.Unmarshal(line, &e)
	if err != nil {
		return Event{}, decodeError(err, line)
	}
	err = e.Normalize("")
	if err != nil {
		return Event{}, err
	}
	return e, nil
}

// Normalize fills the kind in, sets times to UTC and checks what every event needs. prefix goes
// before the field names of its errors, for an event inside something else.
func (e *Event) Normalize(prefix string) error {
	if e.Kind == "" {
		e.Kind = EventPost
	}
	switch e.Kind {
	case EventPost, EventEdit, EventDelete:
		if e.ID == "" {
			return Invalid(prefix+"id", "a %s needs an id", e.Kind)
		}
	case EventAccount, EventAccountGone:
	default:
		return Invalid(prefix+"kind", "unknown kind; one of post, edit, delete, account, account_gone")
	}
	if !ValidPlatform(e.Platform) {
		return Invalid(prefix+"platform", "required: 1 to 32 of a-z, 0-9, '-' and '_', beginning with a letter")
	}
	if e.Account.ID == "" {
		return Invalid(prefix+"account.id", "required")
	}
	if e.At.IsZero() {
		return Invalid(prefix+"at", "required, as RFC 3339")
	}
	e.At = e.At.UTC()
	if e.Account.CreatedAt != nil {
		t := e.Account.CreatedAt.UTC()
		e.Account.CreatedAt = &t
	}
	return nil
}

// decodeError turns an encoding/json error on data, an event or a flag, into one that names the field
// but carries no content.
func decodeError(err error, data []byte) *Error {
	var typeErr *json.UnmarshalTypeError
	var syntaxErr *json.SyntaxError
	switch {
	case errors.As(err, &typeErr):
		return Invalid(typeErr.Field, "a JSON %s does not fit here", typeKind(typeErr.Value))
	case errors.As(err, &syntaxErr):
		return Errorf(CodeInvalid, "not valid JSON at byte %d", syntaxErr.Offset)
	}
	msg := err.Error()
	if field, ok := strings.CutPrefix(msg, "json: unknown field "); ok {
		return Invalid(plainName(strings.Trim(field, `"`)), "unknown field")
	}
	if strings.HasPrefix(msg, "parsing time") || strings.HasPrefix(msg, "Time.UnmarshalJSON") {
		return Invalid(timeField(data), "must be RFC 3339")
	}
	return Errorf(CodeInvalid, "not valid JSON")
}

// typeKind leaves of "number 17" the kind alone: the value is content.
func typeKind(value string) string {
	kind, _, _ := strings.Cut(value, " ")
	return kind
}

// plainName gives an unknown field's name back if it looks like one; anything else may be content.
func plainName(name string) string {
	if len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return ""
	}
	return name
}

// timeField finds the time of an event or a flag that does not decode: encoding/json does not say.
func timeField(data []byte) string {
	var times struct {
		At      json.RawMessage `json:"at"`
		Account struct {
			CreatedAt json.RawMessage `json:"created_at"`
		} `json:"account"`
	}
	err := json.Unmarshal(data, &times)
	if err != nil {
		return ""
	}
	var t time.Time
	switch {
	case times.Account.CreatedAt != nil && json.Unmarshal(times.Account.CreatedAt, &t) != nil:
		return "account.created_at"
	case times.At != nil && json.Unmarshal(times.At, &t) != nil:
		return "at"
	}
	return ""
}
