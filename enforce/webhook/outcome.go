package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

// MaxRetryAfter bounds what a platform can ask for: beyond it a request is tried again all the same.
const MaxRetryAfter = time.Hour

// loss judges a request that got no sound answer, so that the platform may have acted: for what acts,
// on a platform that does not keep keys apart, that is all that is known. Everything else is safe to
// send again.
func (p *Platform) loss(t Type, cause error, message string) error {
	code := casefile.CodeUnavailable
	if t.Acts() && !p.config.Idempotent {
		code = casefile.CodeUncertain
	}
	return &casefile.Error{Code: code, Op: Name, Message: message, Err: cause}
}

// refusal judges an answer by a status that is not 2xx. Of the answer nothing but the status and
// Retry-After is looked at.
func (p *Platform) refusal(t Type, status int, header http.Header) error {
	answered := func(code casefile.Code, what string) error {
		return &casefile.Error{Code: code, Op: Name, Message: what + " (status " + strconv.Itoa(status) + ")"}
	}
	after, told := retryAfter(header, p.now())
	later := func(what string) error {
		err := answered(casefile.CodeUnavailable, what)
		if told {
			return enforce.WithRetryAfter(err, after)
		}
		return err
	}
	switch {
	case status == http.StatusConflict:
		return answered(casefile.CodeConflict, "the platform knows this key with another request")
	case status == http.StatusTooManyRequests:
		return later("the platform's limit is reached")
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return later("the platform did not take the request")
	case status == http.StatusUnauthorized:
		// Our secret does not fit, which says nothing of the act: it waits until somebody sets that right.
		return later("the platform does not know our signature")
	case status == http.StatusServiceUnavailable && told:
		return later("the platform is not available")
	case malformed[status]:
		return answered(casefile.CodeInvalid, "the platform cannot take such a request")
	case status >= 400 && status < 500:
		return answered(casefile.CodeState, "the platform refused")
	}
	return p.loss(t, nil, "the platform's answer says nothing certain (status "+strconv.Itoa(status)+")")
}

// malformed are the refusals that are about the request's form, not about what it asks for.
var malformed = map[int]bool{
	http.StatusBadRequest:                  true,
	http.StatusMethodNotAllowed:            true,
	http.StatusNotAcceptable:               true,
	http.StatusLengthRequired:              true,
	http.StatusRequestEntityTooLarge:       true,
	http.StatusRequestURITooLong:           true,
	http.StatusUnsupportedMediaType:        true,
	http.StatusExpectationFailed:           true,
	http.StatusUnprocessableEntity:         true,
	http.StatusRequestHeaderFieldsTooLarge: true,
}

// retryAfter reads the header, seconds or a date; false where there is none that can be read.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	text := textproto.TrimString(header.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter, true // more than an int64 holds is more than the bound, too
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), MaxRetryAfter), true
}

// notSent judges an error from before the request went out: nothing was begun.
func notSent(err error) error {
	return &casefile.Error{Code: casefile.CodeUnavailable, Op: Name, Message: "the platform was not reached, nothing was sent", Err: telling(err)}
}

// telling keeps an error of the network or of TLS, which tells an operator what to repair and holds
// host names and addresses at most; of any other it is not known what its text quotes.
func telling(err error) error {
	var (
		network     net.Error
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &network), errors.As(err, &certificate), errors.As(err, &record):
		return err
	}
	return nil
}

// lost tells what befell a request after it went out, in words of our own: the transport's errors
// quote what the platform sent.
func lost(ctx context.Context, err error) (message string, cause error) {
	var network net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "given up before the platform's answer was there", ctx.Err()
	case ctx.Err() != nil:
		return "no answer in time", ctx.Err()
	case errors.As(err, &network) && network.Timeout():
		return "no answer in time", nil
	}
	return "the connection broke before a whole answer was there", nil
}
