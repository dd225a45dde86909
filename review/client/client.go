// Package client calls the HTTP API from Go, with a bearer token; the command line uses it. It
// retries nothing: an Error says whether and with which key a request can be sent again.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/intake"
)

// Client calls one deployment as one person or service. Safe for concurrent use.
type Client struct {
	// Base is the address of the serve role ("http://127.0.0.1:8080").
	Base string
	// Token is an API token.
	Token string
	// HTTP does the calls; nil means http.DefaultClient.
	HTTP *http.Client
}

// Error is a refused or failed request: the problem document, with how long to wait before another
// try, 0 where the API does not say.
type Error struct {
	api.Problem
	RetryAfter time.Duration
}

// Error is the detail, with the field at fault.
func (e *Error) Error() string {
	switch {
	case e.Field != "":
		return e.Field + ": " + e.Detail
	case e.Detail == "":
		return e.Title
	}
	return e.Detail
}

// Unwrap gives the domain's error, so that casefile.ErrorCode works on it.
func (e *Error) Unwrap() error {
	return &casefile.Error{Code: e.Code, Field: e.Field, Message: e.Detail}
}

// maxAnswerBytes bounds what is read of one answer; a case with every flag at its limit fits.
const maxAnswerBytes = 256 << 20

// request is one call.
type request struct {
	method string
	path   []string // segments, escaped here
	query  url.Values
	key    string
	body   any
}

func (c *Client) do(ctx context.Context, r request, answer any) error {
	var body io.Reader
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	res, err := c.send(ctx, r, "application/json", body)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	err = json.NewDecoder(io.LimitReader(res.Body, maxAnswerBytes)).Decode(answer)
	if err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}

// send gives an answer of 2xx; any other becomes an *Error.
func (c *Client) send(ctx context.Context, r request, contentType string, body io.Reader) (*http.Response, error) {
	address := strings.TrimRight(c.Base, "/") + "/v1"
	for _, segment := range r.path {
		address += "/" + url.PathEscape(segment)
	}
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeUnavailable, Op: "call the API", Message: "no answer from " + c.Base, Err: err}
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	return nil, problem(res)
}

func problem(res *http.Response) error {
	e := &Error{}
	err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&e.Problem)
	if err != nil || e.Code == "" { // a proxy's answer, not the API's
		e.Problem = api.Problem{Code: casefile.CodeUnavailable, Title: res.Status, Detail: "not an answer of the API: " + res.Status}
	}
	e.Status = res.StatusCode
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

func (c *Client) get(ctx context.Context, answer any, query url.Values, path ...string) error {
	return c.do(ctx, request{method: http.MethodGet, path: path, query: query}, answer)
}

func (c *Client) post(ctx context.Context, answer, body any, key string, path ...string) error {
	return c.do(ctx, request{method: http.MethodPost, path: path, key: key, body: body}, answer)
}

func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" && pairs[i+1] != "0" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// Me says who the token's holder is.
func (c *Client) Me(ctx context.Context) (api.Me, error) {
	var out api.Me
	err := c.get(ctx, &out, nil, "me")
	return out, err
}

// SubmitFlag hands one flag in, in its JSON form.
func (c *Client) SubmitFlag(ctx context.Context, flag []byte) (intake.Result, error) {
	var out intake.Result
	err := c.post(ctx, &out, json.RawMessage(flag), "", "flags")
	return out, err
}

// SubmitFlags hands many flags in, one a line, and gives each line's answer to emit as it comes.
func (c *Client) SubmitFlags(ctx context.Context, lines io.Reader, emit func(intake.LineResult) error) error {
	res, err := c.send(ctx, request{method: http.MethodPost, path: []string{"flags"}}, "application/x-ndjson", lines)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	dec := json.NewDecoder(res.Body)
	for {
		var line intake.LineResult
		err = dec.Decode(&line)
		if err == io.EOF { //nolint:errorlint // Decode returns it bare
			return nil
		}
		if err != nil {
			return fmt.Errorf("read an answer line: %w", err)
		}
		err = emit(line)
		if err != nil {
			return err
		}
	}
}

// FlagStatus says how far a flag has come; platform may be "".
func (c *Client) FlagStatus(ctx context.Context, platform, id string) (review.FlagStatus, error) {
	var out review.FlagStatus
	err := c.get(ctx, &out, values("platform", platform), "flags", id)
	return out, err
}

// Queues lists the queues.
func (c *Client) Queues(ctx context.Context) ([]review.QueueView, error) {
	var out api.QueueList
	err := c.get(ctx, &out, nil, "queues")
	return out.Queues, err
}

// QueueCases lists a queue in its order; limit 0 means the API's own.
func (c *Client) QueueCases(ctx context.Context, queue, cursor string, limit int) (review.CasePage, error) {
	var out review.CasePage
	err := c.get(ctx, &out, values("cursor", cursor, "limit", strconv.Itoa(limit)), "queues", queue, "cases")
	return out, err
}

// Next claims the next case of a queue; ok is false when none waits.
func (c *Client) Next(ctx context.Context, queue, key string) (answer review.VerbAnswer, ok bool, err error) {
	var out api.Next
	err = c.post(ctx, &out, nil, key, "queues", queue, "next")
	if err != nil || out.Claimed == nil {
		return review.VerbAnswer{}, false, err
	}
	return *out.Claimed, true, nil
}

// Cases lists cases by state ("" for all), newest opened first.
func (c *Client) Cases(ctx context.Context, state casefile.State, cursor string, limit int) (review.CasePage, error) {
	var out review.CasePage
	err := c.get(ctx, &out, values("state", string(state), "cursor", cursor, "limit", strconv.Itoa(limit)), "cases")
	return out, err
}

// Find looks for cases.
func (c *Client) Find(ctx context.Context, q review.Query) (review.CasePage, error) {
	var out review.CasePage
	err := c.post(ctx, &out, q, "", "cases", "search")
	return out, err
}

// Case opens a case; purpose "" is the caller's usual one.
func (c *Client) Case(ctx context.Context, ref casefile.CaseRef, purpose string) (review.CaseView, error) {
	var out review.CaseView
	err := c.get(ctx, &out, values("purpose", purpose), "cases", string(ref))
	return out, err
}

func (c *Client) verb(ctx context.Context, call review.VerbCall, name string, body any) (review.VerbAnswer, error) {
	var out review.VerbAnswer
	err := c.post(ctx, &out, body, call.Key, "cases", string(call.Case), name)
	return out, err
}

// Claim claims a case.
func (c *Client) Claim(ctx context.Context, call review.VerbCall) (review.VerbAnswer, error) {
	return c.verb(ctx, call, "claim", nil)
}

// Heartbeat moves the lease of a claim on.
func (c *Client) Heartbeat(ctx context.Context, call review.VerbCall, claim int) (review.VerbAnswer, error) {
	return c.verb(ctx, call, "heartbeat", api.ClaimBody{Claim: claim})
}

// Release gives a case back to its queue.
func (c *Client) Release(ctx context.Context, call review.VerbCall, claim int) (review.VerbAnswer, error) {
	return c.verb(ctx, call, "release", api.ClaimBody{Claim: claim})
}

// Comment adds a comment.
func (c *Client) Comment(ctx context.Context, call review.VerbCall, text string) (review.VerbAnswer, error) {
	return c.verb(ctx, call, "comment", api.CommentBody{Text: text})
}

// Preview says what an opinion would bring about.
func (c *Client) Preview(ctx context.Context, call review.PreviewCall) (review.Preview, error) {
	var out review.Preview
	err := c.post(ctx, &out, api.PreviewBody{OpinionForm: call.Form, Emergency: call.Emergency}, "", "cases", string(call.Case), "preview")
	return out, err
}

// Opinion gives an opinion.
func (c *Client) Opinion(ctx context.Context, call review.OpinionCall) (review.VerbAnswer, error) {
	return c.verb(ctx, call.VerbCall, "opinion", api.OpinionBody{
		OpinionForm: call.Form, Claim: call.Claim, EvidenceRevision: call.EvidenceRevision, Preview: call.Preview,
		Emergency: call.Emergency,
	})
}

// Withdraw takes one's own decision back; decision "" is the one that stands.
func (c *Client) Withdraw(ctx context.Context, call review.VerbCall, decision string) (review.VerbAnswer, error) {
	return c.verb(ctx, call, "withdraw", api.WithdrawBody{Decision: decision})
}

// Close closes a case without a decision.
func (c *Client) Close(ctx context.Context, call review.CloseCall) (review.VerbAnswer, error) {
	return c.verb(ctx, call.VerbCall, "close", api.CloseBody{Claim: call.Claim, EvidenceRevision: call.EvidenceRevision, Reason: call.Reason})
}

// Reopen opens the account of a closed case again.
func (c *Client) Reopen(ctx context.Context, call review.VerbCall) (review.Reopened, error) {
	var out review.Reopened
	err := c.post(ctx, &out, nil, call.Key, "cases", string(call.Case), "reopen")
	return out, err
}

// Proof is the offline proof of a case's decision.
func (c *Client) Proof(ctx context.Context, ref casefile.CaseRef) (casefile.Bundle, error) {
	var out casefile.Bundle
	err := c.get(ctx, &out, nil, "cases", string(ref), "proof")
	return out, err
}

// Views lists the looks at a case after a sequence number.
func (c *Client) Views(ctx context.Context, ref casefile.CaseRef, after int64, limit int) (api.ViewList, error) {
	var out api.ViewList
	err := c.get(ctx, &out, values("after", strconv.FormatInt(after, 10), "limit", strconv.Itoa(limit)), "cases", string(ref), "views")
	return out, err
}

// Refusals lists refused requests after a sequence number.
func (c *Client) Refusals(ctx context.Context, after int64, limit int) (api.RefusalList, error) {
	var out api.RefusalList
	err := c.get(ctx, &out, values("after", strconv.FormatInt(after, 10), "limit", strconv.Itoa(limit)), "refusals")
	return out, err
}
