package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
)

// errSaid ends the program with 1 when everything was already printed.
var errSaid = errors.New("said already")

// failure is how an error is told.
type failure struct {
	Code    casefile.Code  `json:"code"`
	Field   string         `json:"field,omitempty"`
	Message string         `json:"message"`
	Faults  []review.Fault `json:"faults,omitempty"` // of a form, all of them
	// VerbID is the key to send the verb again with when its outcome is not known.
	VerbID            string `json:"verb_id,omitempty"`
	RetryAfterSeconds int    `json:"retry_after_seconds,omitempty"`
}

// tell prints an error, once.
func tell(out io.Writer, err error, asJSON bool) {
	if errors.Is(err, errSaid) {
		return
	}
	f := failureOf(err)
	if asJSON {
		_ = printLine(out, struct {
			Error failure `json:"error"`
		}{f})
		return
	}
	for i, line := range f.lines() {
		prefix := "docket: "
		if i > 0 {
			prefix = "  "
		}
		_, _ = fmt.Fprintln(out, prefix+plain(line))
	}
}

func failureOf(err error) failure {
	f := failure{Code: casefile.ErrorCode(err), Message: err.Error()}
	var answered *client.Error
	var typed *casefile.Error
	var unheard *url.Error
	switch {
	case errors.Is(err, context.Canceled):
		f.Message = "interrupted"
	case errors.As(err, &answered):
		f.Field, f.Message, f.VerbID = answered.Field, answered.Detail, answered.VerbID
		f.RetryAfterSeconds = int(answered.RetryAfter / time.Second)
		if len(answered.Faults) > 1 {
			f.Faults = answered.Faults
		}
	case errors.As(err, &unheard):
		f.Code = casefile.CodeUnavailable
		f.Message = fmt.Sprintf("no answer from %s (does Docket run there?): %v", hostOf(unheard.URL), unheard.Err)
	case errors.Is(err, fs.ErrNotExist) && !errors.As(err, &typed):
		f.Code = casefile.CodeNotFound
	}
	var d *doubt
	if errors.As(err, &d) && f.VerbID == "" {
		f.VerbID = d.key
	}
	return f
}

// hostOf leaves out the path, which tells nobody anything.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}

func (f failure) lines() []string {
	var out []string
	switch {
	case len(f.Faults) > 0:
		out = append(out, fmt.Sprintf("%d faults:", len(f.Faults)))
		for _, fault := range f.Faults {
			out = append(out, fault.Field+": "+fault.Message)
		}
	case f.Field != "":
		out = append(out, f.Field+": "+f.Message)
	default:
		out = append(out, f.Message)
	}
	if f.RetryAfterSeconds > 0 {
		out = append(out, fmt.Sprintf("try again in %d s", f.RetryAfterSeconds))
	}
	if f.VerbID != "" {
		out = append(out, "it may have taken effect: the same command with --key "+f.VerbID+" finds out and counts once")
	}
	return out
}

// doubt is a verb that was sent and got no answer of the API's.
type doubt struct {
	key string
	err error
}

// Error is that of the call.
func (d *doubt) Error() string { return d.err.Error() }

// Unwrap gives the call's error.
func (d *doubt) Unwrap() error { return d.err }

// doubtful marks the error of a verb that may have taken effect with the verb's key.
func doubtful(err error, key string) error {
	var answered *client.Error
	var op *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answered) && answered.Code != casefile.CodeUnavailable:
		return err
	case errors.As(err, &op) && op.Op == "dial": // never sent
		return err
	}
	return &doubt{key: key, err: err}
}
