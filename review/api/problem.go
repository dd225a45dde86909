package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// codeUnauthenticated is the problem code of a 401; it is no code of the domain.
const codeUnauthenticated casefile.Code = "unauthenticated"

// Problem is an error as RFC 9457 has it, with the domain's code.
type Problem struct {
	Type   string        `json:"type" doc:"urn:docket:problem: and the code"`
	Title  string        `json:"title" doc:"The HTTP status in words"`
	Status int           `json:"status" doc:"The HTTP status"`
	Code   casefile.Code `json:"code" doc:"The error's code: invalid, not_found, conflict, state, stale_claim, new_evidence, forbidden, needs_second, too_large, unavailable, unproven, uncertain, paused, internal, unauthenticated"`
	Detail string        `json:"detail" doc:"What is wrong and what to do, for a person"`
	Field  string        `json:"field,omitempty" doc:"The field at fault, as a JSON path"`
	// Faults are all faults of a form, the first of them in Field and Detail too.
	Faults []review.Fault `json:"faults,omitempty" doc:"All faults of a form at once"`
	VerbID string         `json:"verb_id,omitempty" doc:"Send the same request with this Idempotency-Key to learn what became of it"`

	retryAfter string
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problem documents.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders are Retry-After where trying again makes sense, and the challenge of a 401.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="docket"`)
	}
	return h
}

// problemOf turns an error into the document that the caller gets. The text of an internal error
// stays here.
func problemOf(err error) *Problem {
	code := casefile.ErrorCode(err)
	p := &Problem{Status: review.HTTPStatus(err), Code: code, Faults: review.FaultsOf(err)}
	var e *casefile.Error
	switch {
	case errors.Is(err, access.ErrUnauthenticated):
		p.Code, p.Detail, p.Faults = codeUnauthenticated, "log in first, or send a valid token", nil
	case p.Status == http.StatusInternalServerError:
		p.Code, p.Detail, p.Faults = casefile.CodeInternal, "internal error; it is in the log", nil
	case errors.As(err, &e):
		p.Detail, p.Field = e.Message, e.Field
	}
	if p.Status == http.StatusServiceUnavailable {
		p.retryAfter = "5"
	}
	var unknown *review.Unknown
	if errors.As(err, &unknown) {
		p.VerbID, p.Detail, p.retryAfter = unknown.Key, unknown.Error(), "2"
	}
	p.fill()
	return p
}

func (p *Problem) fill() {
	p.Type = "urn:docket:problem:" + string(p.Code)
	p.Title = http.StatusText(p.Status)
}

// refuse puts a refusal on record and gives the document to answer with: that of the record's own
// failure if it failed.
func (a *API) refuse(ctx context.Context, c *call, err error) *Problem {
	c.refused = true
	failed := a.o.Desk.Refuse(ctx, review.Refusal{Person: c.who.Person, Case: c.ref, Verb: c.route.Name, Err: err})
	if failed != nil {
		err = failed
	}
	p := problemOf(err)
	c.code = p.Code
	if p.Status >= http.StatusInternalServerError {
		c.err = err
	}
	return p
}

// huma refuses what it cannot read by itself (a body over the limit, a malformed parameter), through
// two variables of its package: the only way to give it documents of our own, and to put these
// refusals on record too.
func init() {
	huma.NewErrorWithContext = func(hc huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := humaProblem(status, msg, errs)
		if hc == nil {
			return p
		}
		c, ok := hc.Context().Value(callKey{}).(*call)
		if !ok || c.api == nil {
			return p
		}
		recorded := c.api.refuse(hc.Context(), c, &casefile.Error{Code: p.Code, Field: p.Field, Message: p.Detail})
		if recorded.Code != p.Code {
			return recorded
		}
		return p
	}
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError { return humaProblem(status, msg, errs) }
}

// humaProblem keeps the place and the message of huma's errors and drops the values, which are the
// caller's words.
func humaProblem(status int, msg string, errs []error) *Problem {
	p := &Problem{Status: status, Code: casefile.CodeInvalid, Detail: msg}
	switch {
	case status == http.StatusBadRequest:
		p.Status = http.StatusUnprocessableEntity // one code, one status
	case status == http.StatusRequestEntityTooLarge:
		p.Code = casefile.CodeTooLarge
	case status >= http.StatusInternalServerError:
		p.Code, p.Detail = casefile.CodeInternal, "internal error; it is in the log"
	default:
		for _, err := range errs {
			d, ok := err.(huma.ErrorDetailer)
			if !ok {
				continue
			}
			detail := d.ErrorDetail()
			p.Faults = append(p.Faults, review.Fault{Field: paramName(detail.Location), Message: detail.Message})
		}
		if len(p.Faults) > 0 {
			p.Field, p.Detail = p.Faults[0].Field, p.Faults[0].Message
		}
	}
	p.fill()
	return p
}

// paramName drops where a parameter stands from huma's "query.limit".
func paramName(location string) string {
	_, name, found := strings.Cut(location, ".")
	if !found {
		return location
	}
	return name
}
