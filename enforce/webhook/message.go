package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

// Type says what a message asks for.
type Type string

// The types of message. Do, undo and deliver act; prepare and lookup only ask.
const (
	TypePrepare Type = "act.prepare"
	TypeDo      Type = "act.do"
	TypeUndo    Type = "act.undo"
	TypeLookup  Type = "act.lookup"
	TypeDeliver Type = "notice.deliver"
)

// Acts says whether a message of the type changes anything on the platform.
func (t Type) Acts() bool { return t == TypeDo || t == TypeUndo || t == TypeDeliver }

// Version of messages and answers.
const Version = 1

// MaxMessage and MaxAnswer bound the two bodies, in bytes.
const (
	MaxMessage = 4 << 20
	MaxAnswer  = 64 << 10
)

// Message is the body of a request: one act, reverse, question or notice.
type Message struct {
	V       int                 `json:"v"`
	Type    Type                `json:"type"`
	Key     string              `json:"key"` // what must happen once at most
	Account casefile.AccountRef `json:"account"`
	Act     *Act                `json:"act,omitempty"`
	Undo    *enforce.UndoRecord `json:"undo,omitempty"`
	Notice  *Notice             `json:"notice,omitempty"`
}

// Act is the act that a message is about.
type Act struct {
	Kind   casefile.ActKind    `json:"kind"`
	Post   string              `json:"post,omitempty"`  // for ActRemovePost alone
	Until  *time.Time          `json:"until,omitempty"` // for ActLimit and ActSuspend alone
	Policy casefile.PolicyCode `json:"policy"`
	Case   casefile.CaseRef    `json:"case"`
}

// Notice is the text to deliver; its number stands in the message's key.
type Notice struct {
	Case casefile.CaseRef `json:"case"`
	Lang string           `json:"lang"`
	Text string           `json:"text"`
}

// DoKey is the key of the act that an undo's key takes back.
func DoKey(undoKey string) string {
	return strings.TrimSuffix(undoKey, string(casefile.Undo)) + string(casefile.Do)
}

// noticeKey is the key of a notice's delivery.
func noticeKey(number string) string { return number + "/notice" }

// Keys become a header, and a full stop in them would blur what is signed.
var (
	keyForm      = regexp.MustCompile(`^[0-9A-Za-z_-]{1,100}/([1-9][0-9]{0,8}/(do|undo)|notice)$`)
	platformForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	caseForm     = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$`)
)

// allKinds are the acts that a message can be about.
var allKinds = []casefile.ActKind{
	casefile.ActWarn, casefile.ActLabel, casefile.ActLimit, casefile.ActRemovePost,
	casefile.ActSuspend, casefile.ActTerminate, casefile.ActBlockIdentifiers,
}

// DecodeMessage reads a message strictly. The error is CodeInvalid, or CodeTooLarge over MaxMessage,
// and quotes nothing of it.
func DecodeMessage(data []byte) (Message, error) {
	if len(data) > MaxMessage {
		return Message{}, casefile.Errorf(casefile.CodeTooLarge, "a message has at most %d bytes", MaxMessage)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var m Message
	err := dec.Decode(&m)
	if err != nil {
		return Message{}, casefile.Errorf(casefile.CodeInvalid, "not a message")
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return Message{}, casefile.Errorf(casefile.CodeInvalid, "something follows the message")
	}
	err = m.check()
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

// encode gives the bytes to sign and send: the same for the same message, always.
func (m Message) encode() ([]byte, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	if len(data) > MaxMessage {
		return nil, casefile.Errorf(casefile.CodeTooLarge, "the message has %d bytes; the limit is %d", len(data), MaxMessage)
	}
	return data, nil
}

// check holds a message to what its type needs. The error is CodeInvalid.
func (m Message) check() error {
	switch {
	case m.V != Version:
		return casefile.Invalid("v", "unknown version %d", m.V)
	case !keyForm.MatchString(m.Key):
		return casefile.Invalid("key", "must be ID/NUMBER/do, ID/NUMBER/undo or NUMBER/notice")
	case !platformForm.MatchString(m.Account.Platform):
		return casefile.Invalid("account.platform", "must be the name of a platform")
	case m.Account.ID == "" || !utf8.ValidString(m.Account.ID):
		return casefile.Invalid("account.id", "required, in valid UTF-8")
	}
	endings, ok := map[Type][]string{
		TypePrepare: {"/do"}, TypeDo: {"/do"}, TypeUndo: {"/undo"}, TypeLookup: {"/do", "/undo"}, TypeDeliver: {"/notice"},
	}[m.Type]
	switch {
	case !ok:
		return casefile.Invalid("type", "unknown")
	case !slices.ContainsFunc(endings, func(end string) bool { return strings.HasSuffix(m.Key, end) }):
		return casefile.Invalid("key", "is not one of this type of message")
	case (m.Type == TypeUndo) != (m.Undo != nil):
		return casefile.Invalid("undo", "an undo record belongs to act.undo, and to nothing else")
	case m.Type == TypeDeliver:
		if m.Notice == nil || m.Act != nil {
			return casefile.Invalid("notice", "a notice, and nothing else, belongs to this type of message")
		}
		return m.Notice.check()
	case m.Act == nil || m.Notice != nil:
		return casefile.Invalid("act", "an act, and nothing else, belongs to this type of message")
	}
	err := m.Act.check()
	if err != nil {
		return err
	}
	if m.Undo != nil {
		return checkUndo(*m.Undo, m.Act.Kind)
	}
	return nil
}

func (a Act) check() error {
	timed := a.Kind == casefile.ActLimit || a.Kind == casefile.ActSuspend
	switch {
	case !slices.Contains(allKinds, a.Kind):
		return casefile.Invalid("act.kind", "not an act")
	case (a.Kind == casefile.ActRemovePost) != (a.Post != ""):
		return casefile.Invalid("act.post", "required for removing a post, and for nothing else")
	case !utf8.ValidString(a.Post):
		return casefile.Invalid("act.post", "must be valid UTF-8")
	case timed != (a.Until != nil):
		return casefile.Invalid("act.until", "required for limits and suspensions, and for nothing else")
	case !a.Policy.Valid():
		return casefile.Invalid("act.policy", "not a policy code")
	case !caseForm.MatchString(string(a.Case)):
		return casefile.Invalid("act.case", "not the number of a case")
	}
	return nil
}

func (n Notice) check() error {
	switch {
	case !caseForm.MatchString(string(n.Case)):
		return casefile.Invalid("notice.case", "not the number of a case")
	case n.Lang == "":
		return casefile.Invalid("notice.lang", "required")
	case n.Text == "":
		return casefile.Invalid("notice.text", "required")
	case !utf8.ValidString(n.Text) || !utf8.ValidString(n.Lang):
		return casefile.Invalid("notice.text", "must be valid UTF-8")
	}
	return nil
}

func checkUndo(u enforce.UndoRecord, kind casefile.ActKind) error {
	if u.Kind != kind {
		return casefile.Invalid("undo.kind", "the undo record is of another kind of act")
	}
	if u.Before == nil {
		return casefile.Invalid("undo.before", "required")
	}
	for name, value := range u.Before {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return casefile.Invalid("undo.before", "must be valid UTF-8")
		}
	}
	if u.At.IsZero() {
		return casefile.Invalid("undo.at", "required")
	}
	return nil
}
