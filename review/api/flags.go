package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/intake"
)

// Content types of flags.
const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
)

// lineTimeout is how long a stream of flags may stand still, in either direction.
const lineTimeout = time.Minute

// submitFlags takes one flag as JSON, or many as NDJSON.
func (a *API) submitFlags(c *call, w http.ResponseWriter, r *http.Request) error {
	kind := r.Header.Get("Content-Type")
	if kind == "" {
		kind = typeJSON
	}
	media, _, err := mime.ParseMediaType(kind)
	if err != nil {
		media = ""
	}
	switch media {
	case typeJSON:
		return a.submitFlag(c, w, r)
	case typeNDJSON:
		return a.submitLines(c, w, r)
	}
	return casefile.Invalid("content-type", "send %s for one flag, %s for many", typeJSON, typeNDJSON)
}

func (a *API) submitFlag(c *call, w http.ResponseWriter, r *http.Request) error {
	err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyReadTimeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set read deadline: %w", err)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, casefile.MaxFlagBytes+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return casefile.Errorf(casefile.CodeTooLarge, "a flag over the limit of %d bytes", casefile.MaxFlagBytes)
	case err != nil:
		return casefile.Errorf(casefile.CodeInvalid, "the body could not be read to its end")
	}
	result, err := a.o.Door.Submit(r.Context(), c.who, data)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(http.StatusAccepted)
	_ = writeJSON(w, result) // the caller is gone: nobody is left to tell, and the flag is in
	answered(w)
	return nil
}

// answered marks that the answer to one flag is out, which it is only once it has left the buffer.
func answered(w http.ResponseWriter) {
	if crashpoint.Armed {
		_ = http.NewResponseController(w).Flush()
	}
	crashpoint.Reach("7")
}

// submitLines answers while it reads: one line for each line.
func (a *API) submitLines(c *call, w http.ResponseWriter, r *http.Request) error {
	control := http.NewResponseController(w)
	// Without it, net/http reads the whole body before it lets an answer begin.
	err := control.EnableFullDuplex()
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("answer while reading: %w", err)
	}
	w.Header().Set("Content-Type", typeNDJSON)
	w.WriteHeader(http.StatusOK)
	enc := json.NewEncoder(w)
	emit := func(line intake.LineResult) error {
		if line.Error != nil {
			p := a.refuse(r.Context(), c, &casefile.Error{Code: line.Error.Code, Field: line.Error.Field, Message: line.Error.Message})
			line.Error = &intake.LineError{Code: p.Code, Field: p.Field, Message: p.Detail}
		}
		err := control.SetWriteDeadline(time.Now().Add(lineTimeout))
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return fmt.Errorf("set write deadline: %w", err)
		}
		err = enc.Encode(line)
		if err != nil {
			return fmt.Errorf("write line: %w", err)
		}
		err = control.Flush()
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return fmt.Errorf("flush line: %w", err)
		}
		crashpoint.Reach("7")
		return nil
	}
	err = a.o.Door.Lines(r.Context(), c.who, &patientReader{r: r.Body, control: control}, emit)
	if err != nil && r.Context().Err() == nil {
		c.err = err // the status is out: the log has it, and the answers end early
	}
	return nil
}

// patientReader lets a stream run for as long as it moves.
type patientReader struct {
	r       io.Reader
	control *http.ResponseController
}

// Read moves the deadline on.
func (p *patientReader) Read(b []byte) (int, error) {
	err := p.control.SetReadDeadline(time.Now().Add(lineTimeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, fmt.Errorf("set read deadline: %w", err)
	}
	return p.r.Read(b)
}

type flagInput struct {
	ID       string `path:"id" maxLength:"600"`
	Platform string `query:"platform" doc:"The flag's platform; left out, all known ones are tried"`
}

func (a *API) flagStatus(ctx context.Context, who access.Who, in *flagInput) (review.FlagStatus, error) {
	return a.o.Desk.FlagStatus(ctx, who, in.Platform, in.ID)
}

// describeFlags writes down what submitFlags takes and answers.
func describeFlags(a *API, op *huma.Operation) {
	schemas := a.huma.OpenAPI().Components.Schemas
	schema := func(v any) *huma.Schema { return schemas.Schema(reflect.TypeOf(v), true, "") }
	flag := schema(casefile.Flag{})
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		typeJSON: {Schema: flag}, typeNDJSON: {Schema: flag},
	}}
	op.Responses = map[string]*huma.Response{
		"202": {Description: "One flag: accepted. The case is left out while it is not known.", Content: map[string]*huma.MediaType{typeJSON: {Schema: schema(intake.Result{})}}},
		"200": {Description: "Many flags: one line for each line, in order, as they are taken in.", Content: map[string]*huma.MediaType{typeNDJSON: {Schema: schema(intake.LineResult{})}}},
	}
	a.describeProblem(op)
}

func (a *API) describeProblem(op *huma.Operation) {
	op.Responses["default"] = &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(Problem{}), true, "")},
	}}
}
