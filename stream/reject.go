package stream

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/docket-triage/docket/casefile"
)

// Reject is a line that could not be made an event. Err is a *casefile.Error that names the field
// and holds nothing of the line.
type Reject struct {
	File string // base name
	Line int64  // from 1
	Err  error
}

// RejectWriter gives a reject sink that writes one JSON object a line to w: file, line, code,
// field and error. The first error of w is handed to failed, and nothing is written after it.
func RejectWriter(w io.Writer, failed func(error)) func(Reject) {
	var broken bool
	enc := json.NewEncoder(w)
	return func(r Reject) {
		if broken {
			return
		}
		rec := struct {
			File  string        `json:"file"`
			Line  int64         `json:"line"`
			Code  casefile.Code `json:"code"`
			Field string        `json:"field,omitempty"`
			Error string        `json:"error"`
		}{File: r.File, Line: r.Line, Code: casefile.ErrorCode(r.Err), Error: r.Err.Error()}
		var e *casefile.Error
		if errors.As(r.Err, &e) {
			rec.Field = e.Field
		}
		err := enc.Encode(rec)
		if err != nil {
			broken = true
			failed(err)
		}
	}
}
