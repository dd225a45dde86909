package relational

import (
	"encoding/base64"
	"encoding/json"

	"github.com/docket-triage/docket/casefile"
)

// queueCursor is the last row of a page of a queue.
type queueCursor struct {
	Rank       int              `json:"k"`
	Confidence int              `json:"c"`
	DueAt      int64            `json:"d"` // microseconds
	Ref        casefile.CaseRef `json:"r"`
}

// listCursor is the last row of a page of cases.
type listCursor struct {
	OpenedAt int64            `json:"o"` // microseconds
	Ref      casefile.CaseRef `json:"r"`
}

// actCursor is the last row of a page of acts.
type actCursor struct {
	PlannedAt int64              `json:"p"` // microseconds
	Decision  string             `json:"d"`
	Number    int                `json:"n"`
	Direction casefile.Direction `json:"i"`
}

// appealCursor is the last row of a page of appeals.
type appealCursor struct {
	DueAt int64  `json:"u"` // microseconds
	ID    string `json:"a"`
}

func encodeCursor(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// decodeCursor reads a cursor that an earlier page returned. Anything else, a cursor of another
// listing included, is CodeInvalid.
func decodeCursor[T queueCursor | listCursor | actCursor | appealCursor](s string) (T, error) {
	var zero, v T
	bad := casefile.Invalid("cursor", "not a cursor of this listing")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return zero, bad
	}
	err = json.Unmarshal(raw, &v)
	if err != nil {
		return zero, bad
	}
	// Only what encodeCursor writes is a cursor: no other names, spaces or missing fields.
	again, err := encodeCursor(v)
	if err != nil || again != s {
		return zero, bad
	}
	return v, nil
}

func checkLimit(limit int) error {
	if limit < 1 {
		return casefile.Invalid("limit", "must be at least 1")
	}
	return nil
}
