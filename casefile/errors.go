package casefile

import (
	"errors"
	"fmt"
)

// Code classifies an error for the callers that decide on it. Codes map in one table each to
// HTTP statuses (review/api) and to Temporal application error types (worker).
type Code string

// The error codes of the domain.
const (
	CodeInvalid     Code = "invalid"      // the input is malformed; Field says where
	CodeNotFound    Code = "not_found"    // the thing named does not exist, or may not be known of
	CodeConflict    Code = "conflict"     // the same id with other content, or a lost compare-and-set
	CodeState       Code = "state"        // the thing is in a state that does not allow this
	CodeStaleClaim  Code = "stale_claim"  // the claim number is not the current one, or its lease ended
	CodeNewEvidence Code = "new_evidence" // the evidence revision has grown since the person looked
	CodeForbidden   Code = "forbidden"    // the person may not do this
	CodeNeedsSecond Code = "needs_second" // the action takes two people and only one has spoken
	CodeTooLarge    Code = "too_large"    // over a stated limit
	CodeUnavailable Code = "unavailable"  // an engine is down; try again later
	CodeUnproven    Code = "unproven"     // an act without the proof it needs: never retried
	CodeUncertain   Code = "uncertain"    // whether an act happened could not be established
	CodePaused      Code = "paused"       // a switch is off: nothing was begun; try again later
	CodeInternal    Code = "internal"     // anything else; its text never reaches a user
)

// Error is the domain's one typed error. Message is fit for a user and holds no content under
// review and no handle. Field names the input field at fault, as a JSON path, where there is one.
type Error struct {
	Code    Code
	Op      string
	Field   string
	Message string
	Err     error
}

// Error formats the operation, the field and the message.
func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of the code with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes a CodeInvalid error that names the field at fault.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// ErrorCode gives the code of the first Error in err's chain, CodeInternal for any other error,
// and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
