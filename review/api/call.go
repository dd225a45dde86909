package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
)

// call is what one request comes to know of itself.
type call struct {
	api     *API
	route   Route
	who     access.Who
	ref     casefile.CaseRef // as the address has it
	refused bool
	code    casefile.Code
	err     error // of a failure that is not the caller's
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return &call{} // only without observe, which every request goes through
	}
	return c
}

// guard recognises the caller and asks the table of access for leave, before anything of the
// request is read.
func (a *API) guard(r Route) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		c := callOf(hc.Context())
		c.api, c.route, c.ref = a, r, casefile.CaseRef(hc.Param("case"))
		who, err := a.bearer(hc)
		if err == nil {
			c.who = who
			if !r.Allows(who) {
				err = who.Require(r.Permission)
			}
		}
		if err != nil {
			a.answerProblem(hc, a.refuse(hc.Context(), c, err))
			return
		}
		next(hc)
	}
}

func (a *API) bearer(hc huma.Context) (access.Who, error) {
	scheme, token, found := strings.Cut(hc.Header("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return access.Who{}, access.ErrUnauthenticated
	}
	return a.o.Access.Authenticate(hc.Context(), strings.TrimSpace(token))
}

func (a *API) answerProblem(hc huma.Context, p *Problem) {
	_, w := humago.Unwrap(hc)
	writeProblem(w, p)
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = writeJSON(w, p) // the caller is gone: nobody is left to tell
}

// output is what huma writes.
type output[O any] struct {
	Body O
}

// answer makes a route of a method that takes parameters and gives a JSON answer.
func answer[I, O any](h func(a *API, ctx context.Context, who access.Who, in *I) (O, error)) func(*API, huma.Operation) {
	return func(a *API, op huma.Operation) {
		huma.Register(a.huma, op, func(ctx context.Context, in *I) (*output[O], error) {
			c := callOf(ctx)
			out, err := h(a, ctx, c.who, in)
			if err != nil {
				return nil, a.refuse(ctx, c, err)
			}
			return &output[O]{Body: out}, nil
		})
	}
}

// answerBody makes a route of a method that also takes a JSON body, decoded strictly.
func answerBody[I bodied, B, O any](h func(a *API, ctx context.Context, who access.Who, in *I, body B) (O, error)) func(*API, huma.Operation) {
	return answer(func(a *API, ctx context.Context, who access.Who, in *I) (O, error) {
		var body B
		var none O
		err := decodeBody((*in).raw(), &body)
		if err != nil {
			return none, err
		}
		return h(a, ctx, who, in, body)
	})
}

// bodied is an input with a body.
type bodied interface{ raw() []byte }

// raw makes a route of a method that reads and writes the request itself. An error may be returned
// only while nothing has been written.
func raw(h func(a *API, c *call, w http.ResponseWriter, r *http.Request) error) func(*API, huma.Operation) {
	return func(a *API, op huma.Operation) {
		op.Responses = map[string]*huma.Response{}
		op.Parameters = nil
		a.huma.OpenAPI().AddOperation(&op)
		a.huma.Adapter().Handle(&op, op.Middlewares.Handler(func(hc huma.Context) {
			r, w := humago.Unwrap(hc)
			c := callOf(r.Context())
			err := h(a, c, w, r)
			if err != nil {
				writeProblem(w, a.refuse(r.Context(), c, err))
			}
		}))
	}
}

// decodeBody decodes one JSON value strictly: unknown fields are errors. An empty body leaves v as
// it is. Errors are CodeInvalid, name the field, and hold none of the body's words.
func decodeBody(data []byte, v any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		_, err = dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		return casefile.Errorf(casefile.CodeInvalid, "the body holds more than one JSON value")
	}
	var typeErr *json.UnmarshalTypeError
	var syntaxErr *json.SyntaxError
	switch {
	case errors.As(err, &typeErr):
		return casefile.Invalid(typeErr.Field, "a JSON %s does not fit here", typeErr.Value)
	case errors.As(err, &syntaxErr):
		return casefile.Errorf(casefile.CodeInvalid, "the body is not valid JSON at byte %d", syntaxErr.Offset)
	}
	field, ok := strings.CutPrefix(err.Error(), "json: unknown field ")
	if ok {
		return casefile.Invalid(strings.Trim(field, `"`), "unknown field")
	}
	return casefile.Errorf(casefile.CodeInvalid, "the body is not valid JSON")
}
