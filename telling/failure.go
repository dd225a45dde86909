package telling

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"time"
)

// Code says in one word why a channel did not tell something. It is what records, logs and metrics
// hold: a server's own words may repeat an address.
type Code string

// The codes.
const (
	CodeUnreachable Code = "unreachable" // no name, no connection, or one that broke
	CodeTimeout     Code = "timeout"     // no answer in time
	CodeTLS         Code = "tls"         // no encryption, or a certificate that does not hold
	CodeLogin       Code = "login"       // the mail server did not take user and password
	CodeBusy        Code = "busy"        // the other side asked for patience, or is broken
	CodeRedirect    Code = "redirect"    // the other side pointed elsewhere: nobody follows
	CodeGone        Code = "gone"        // the other side wants no more of these
	CodeRefused     Code = "refused"     // the other side refused this message
	CodeAddress     Code = "address"     // the mail server took none of the team's addresses
	CodeStopped     Code = "stopped"     // this process was stopped meanwhile
	CodeInternal    Code = "internal"    // anything else
)

// wholeChannel says that the next message would most likely meet the same.
func (c Code) wholeChannel() bool {
	switch c {
	case CodeRefused, CodeAddress, CodeStopped, CodeInternal:
		return false
	}
	return true
}

// Failure is why a channel did not tell something. Its text is the code alone; the cause, which may
// hold addresses, is for errors.Is and errors.As and does not belong in a log.
type Failure struct {
	Code Code
	// RetryAfter is how long the other side asked to be left alone; 0 if it did not say.
	RetryAfter time.Duration
	Err        error
}

// Error names the code.
func (f *Failure) Error() string { return "not told: " + string(f.Code) }

// Unwrap gives the cause, or nil.
func (f *Failure) Unwrap() error { return f.Err }

func failed(code Code, err error) *Failure { return &Failure{Code: code, Err: err} }

// asFailure finds the Failure in err or makes one.
func asFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return failed(networkCode(err, CodeInternal), err)
}

// networkCode tells what went wrong on the way to a server, or otherwise if it was nothing of the kind.
func networkCode(err error, otherwise Code) Code {
	var (
		netErr    net.Error
		opErr     *net.OpError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return CodeTimeout
	case errors.As(err, &verify), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &authority), errors.As(err, &host):
		return CodeTLS
	case errors.As(err, &opErr), errors.Is(err, net.ErrClosed):
		return CodeUnreachable
	}
	return otherwise
}
