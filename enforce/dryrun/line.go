package dryrun

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// op says what a line of the file records.
type op string

const (
	opDo     op = "do"
	opUndo   op = "undo"
	opNotice op = "notice"
)

// lineVersion is the version of the file's lines.
const lineVersion = 1

// line is one line of the file: an act, its reverse, or a notice.
type line struct {
	V         int                 `json:"v"`
	At        time.Time           `json:"at"`
	Op        op                  `json:"op"`
	Key       string              `json:"key"` // of the act and its direction, or the notice's number
	Reference string              `json:"reference"`
	Account   casefile.AccountRef `json:"account"`
	Act       *actLine            `json:"act,omitempty"`
	Notice    *noticeLine         `json:"notice,omitempty"`
}

// actLine is what was asked for, and the account's state before it.
type actLine struct {
	Kind   casefile.ActKind    `json:"kind"`
	Post   string              `json:"post,omitempty"`
	Until  *time.Time          `json:"until,omitempty"`
	Policy casefile.PolicyCode `json:"policy"`
	Case   casefile.CaseRef    `json:"case"`
	Before map[string]string   `json:"before,omitempty"`
}

// noticeLine is a notice as it was delivered; SHA256 is that of the text.
type noticeLine struct {
	Case   casefile.CaseRef `json:"case"`
	Lang   string           `json:"lang"`
	SHA256 string           `json:"sha256"`
	Text   string           `json:"text"`
}

// decodeLine reads one line strictly. The error is CodeInvalid and quotes nothing of the line.
func decodeLine(data []byte) (line, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var l line
	err := dec.Decode(&l)
	if err != nil {
		return line{}, casefile.Errorf(casefile.CodeInvalid, "not a line of a dry run")
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return line{}, casefile.Errorf(casefile.CodeInvalid, "something follows the line's object")
	}
	switch {
	case l.V != lineVersion:
		return line{}, casefile.Invalid("v", "unknown version %d", l.V)
	case l.Key == "":
		return line{}, casefile.Invalid("key", "required")
	case l.Reference == "":
		return line{}, casefile.Invalid("reference", "required")
	case l.Account.Platform == "" || l.Account.ID == "":
		return line{}, casefile.Invalid("account", "platform and id are required")
	case l.Op == opNotice && (l.Notice == nil || l.Act != nil):
		return line{}, casefile.Invalid("notice", "a notice, and nothing else, belongs to this op")
	case (l.Op == opDo || l.Op == opUndo) && (l.Act == nil || l.Notice != nil):
		return line{}, casefile.Invalid("act", "an act, and nothing else, belongs to this op")
	case l.Op != opNotice && l.Op != opDo && l.Op != opUndo:
		return line{}, casefile.Invalid("op", "must be do, undo or notice")
	case l.Op != opNotice && !strings.HasSuffix(l.Key, "/"+string(l.Op)):
		return line{}, casefile.Invalid("key", "must end in the op")
	}
	if l.Notice != nil && l.Notice.SHA256 != textDigest(l.Notice.Text) {
		return line{}, casefile.Invalid("notice.sha256", "is not that of the text")
	}
	if l.Act != nil {
		return l, l.Act.check()
	}
	return l, nil
}

// check holds an act to what its kind needs.
func (a *actLine) check() error {
	_, known := stateKeys[a.Kind]
	switch {
	case !known:
		return casefile.Invalid("kind", "not an act that this platform can do")
	case (a.Kind == casefile.ActRemovePost) != (a.Post != ""):
		return casefile.Invalid("post", "required for removing a post, and for nothing else")
	case timed(a.Kind) != (a.Until != nil):
		return casefile.Invalid("until", "required for limits and suspensions, and for nothing else")
	}
	return nil
}

func timed(k casefile.ActKind) bool { return k == casefile.ActLimit || k == casefile.ActSuspend }
