package review

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// previewToken binds a preview to the opinion that confirms it. It names no words: Text is the
// keyed digest of the exact notice.
type previewToken struct {
	Case   casefile.CaseRef `json:"case"`
	Appeal string           `json:"appeal,omitempty"` // of a ruling's preview
	Person casefile.Person  `json:"person"`
	Number string           `json:"number"` // of the notice
	At     time.Time        `json:"at"`     // when the preview was made; the notice's dates count from it
	Text   string           `json:"text"`
}

// tokenLabel keeps a token's authentication code from standing for any other use of the key.
const tokenLabel = "docket-preview/1\n"

// maxTokenBytes bounds what is looked at.
const maxTokenBytes = 2048

// mint writes a token: the payload and its code under the identity key.
func (d *Desk) mint(t previewToken) (string, error) {
	payload, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("encode preview token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(payload) + "." + d.o.Identity.Digest(append([]byte(tokenLabel), payload...)), nil
}

// readToken checks a token that came back; CodeInvalid on field preview if this desk did not make it.
func (d *Desk) readToken(s string) (previewToken, error) {
	bad := casefile.Invalid("preview", "not a preview of this desk: look at the preview again")
	if len(s) > maxTokenBytes {
		return previewToken{}, bad
	}
	body, code, found := strings.Cut(s, ".")
	if !found {
		return previewToken{}, bad
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || strings.ContainsAny(body, "\r\n") {
		return previewToken{}, bad
	}
	want := d.o.Identity.Digest(append([]byte(tokenLabel), payload...))
	if subtle.ConstantTimeCompare([]byte(want), []byte(code)) != 1 {
		return previewToken{}, bad
	}
	var t previewToken
	err = json.Unmarshal(payload, &t)
	if err != nil {
		return previewToken{}, bad
	}
	return t, nil
}

// errOtherNotice says that what was previewed is not what would be sent now.
var errOtherNotice = casefile.Invalid("preview", "the notice is not the one previewed any more: look at it again")

// tokenFits refuses a token of another case, appeal or person, and one that is too old.
func (d *Desk) tokenFits(t, want previewToken) error {
	switch {
	case t.Case != want.Case || t.Appeal != want.Appeal || t.Person != want.Person:
		return casefile.Invalid("preview", "the preview was of something else or another person's")
	case d.now().Sub(t.At) > d.o.PreviewFor:
		return casefile.Invalid("preview", "the preview is too old: look at it again")
	}
	return nil
}
