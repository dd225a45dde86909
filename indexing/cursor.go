package indexing

import (
	"encoding/base64"
	"encoding/binary"
	"time"
	"unicode/utf8"

	"github.com/docket-triage/docket/casefile"
)

// Cursor is a place in the order of cases: after the case Ref, opened at OpenedAt (a whole
// millisecond, as both engines sort).
type Cursor struct {
	OpenedAt time.Time
	Ref      casefile.CaseRef
}

const (
	cursorVersion  = 1
	cursorHead     = 1 + 8
	maxCursorBytes = 200
)

// NewCursor makes the cursor that stands after a document.
func NewCursor(doc CaseDoc) Cursor {
	return Cursor{OpenedAt: time.UnixMilli(doc.OpenedAt.UnixMilli()).UTC(), Ref: doc.Ref}
}

// String writes the cursor in its opaque form.
func (c Cursor) String() string {
	b := make([]byte, cursorHead, cursorHead+len(c.Ref))
	b[0] = cursorVersion
	binary.BigEndian.PutUint64(b[1:], uint64(c.OpenedAt.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(b, c.Ref...))
}

// ParseCursor reads what String wrote. The error is CodeInvalid and names the field cursor.
func ParseCursor(s string) (Cursor, error) {
	bad := casefile.Invalid("cursor", "not a cursor of this list")
	if len(s) > maxCursorBytes {
		return Cursor{}, bad
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) <= cursorHead || b[0] != cursorVersion || !utf8.Valid(b[cursorHead:]) {
		return Cursor{}, bad
	}
	ms := int64(binary.BigEndian.Uint64(b[1:]))
	if ms < 0 || ms > MaxOpenedAt.UnixMilli() {
		return Cursor{}, bad
	}
	c := Cursor{OpenedAt: time.UnixMilli(ms).UTC(), Ref: casefile.CaseRef(b[cursorHead:])}
	if c.String() != s {
		// The base64 decoder passes over line breaks.
		return Cursor{}, bad
	}
	return c, nil
}
