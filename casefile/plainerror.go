package casefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// PlainError says what went wrong for a log: operation, field and message of the first Error in the chain,
// and then its root causes. What a cause says may quote content under review (a query, a platform's
// answer, an address with an account in it), so of a cause there is only the text of those that quote
// nothing (the system's error numbers, time-outs, ends of input), and of any other its type, with its
// number where it has one. "" for nil.
func PlainError(err error) string {
	if err == nil {
		return ""
	}
	var said []string
	var ours *Error
	if errors.As(err, &ours) {
		said = append(said, (&Error{Op: ours.Op, Field: ours.Field, Message: ours.Message}).Error())
	}
	for _, root := range roots(err) {
		if root != error(ours) {
			said = append(said, plainCause(root))
		}
	}
	return strings.Join(said, ": ")
}

// roots are the errors of a chain that have no cause themselves.
func roots(err error) []error {
	switch x := err.(type) { //nolint:errorlint // each link is looked at
	case interface{ Unwrap() []error }:
		var out []error
		for _, e := range x.Unwrap() {
			out = append(out, roots(e)...)
		}
		return out
	case interface{ Unwrap() error }:
		if cause := x.Unwrap(); cause != nil {
			return roots(cause)
		}
	}
	return []error{err}
}

// quotesNothing are causes whose text is always the same.
var quotesNothing = []error{
	context.Canceled, context.DeadlineExceeded, os.ErrDeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
	fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrClosed,
}

func plainCause(err error) string {
	for _, known := range quotesNothing {
		if err == known { //nolint:errorlint // its own text, not that of one which claims to be it
			return known.Error()
		}
	}
	switch x := err.(type) { //nolint:errorlint // a root has no chain
	case syscall.Errno:
		return x.Error()
	case *Error:
		return (&Error{Op: x.Op, Field: x.Field, Message: x.Message}).Error()
	case interface{ SQLState() string }:
		return fmt.Sprintf("%T %.5q", err, x.SQLState())
	case interface{ Code() int }:
		return fmt.Sprintf("%T %d", err, x.Code())
	}
	return fmt.Sprintf("%T", err)
}
