package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/review/reviewtest"
)

var errDown = errors.New("connection refused")

// TestLifeOfACase goes the whole way by the client: flag, queue, next, look, comment, refused form,
// preview, opinion, withdrawal, release, close, reopening.
func TestLifeOfACase(t *testing.T) {
	t.Parallel()
	s, ctx := newServer(t), t.Context()
	detector, rev, lead, auditor := s.as("detector"), s.as("rev1"), s.as("lead"), s.as("auditor")

	f := s.Flag(1, "flag-1")
	in, err := detector.SubmitFlag(ctx, s.JSON(f))
	require.NoError(t, err)
	require.NotEmpty(t, in.Case)
	status, err := detector.FlagStatus(ctx, "", "flag-1")
	require.NoError(t, err)
	require.Equal(t, in.Case, status.Case)
	queues, err := rev.Queues(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, queues[0].Waiting)
	listed, err := rev.QueueCases(ctx, reviewtest.Queue, "", 1)
	require.NoError(t, err)
	require.Equal(t, in.Case, listed.Cases[0].Case)

	claimed, ok, err := rev.Next(ctx, reviewtest.Queue, "next-1")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, in.Case, claimed.Case)
	require.Equal(t, "next-1", claimed.Key)
	_, ok, err = rev.Next(ctx, reviewtest.Queue, "")
	require.NoError(t, err)
	require.False(t, ok)
	call := review.VerbCall{Case: in.Case}
	_, err = rev.Heartbeat(ctx, call, claimed.Claim.Number)
	require.NoError(t, err)
	_, err = rev.Comment(ctx, call, "a comment")
	require.NoError(t, err)
	view, err := rev.Case(ctx, in.Case, "")
	require.NoError(t, err)
	require.True(t, view.Mine)
	require.Equal(t, "a comment", view.Comments[0].Text)

	form := reviewtest.Form(casefile.L3, f.Evidence[0].ID)
	bad := reviewtest.Form(casefile.L3, f.Evidence[0].ID)
	delete(bad.Mitigations, casefile.M5)
	bad.Rationale = ""
	opinion := review.OpinionCall{VerbCall: call, Claim: claimed.Claim.Number, EvidenceRevision: view.EvidenceRevision, Form: bad}
	_, err = rev.Opinion(ctx, opinion)
	var refused *client.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusUnprocessableEntity, refused.Status)
	require.Equal(t, []review.Fault{{Field: "mitigations.M5", Message: "must be answered yes or no"}, {Field: "rationale", Message: "required: at least 10 characters"}}, refused.Faults)
	preview, err := rev.Preview(ctx, review.PreviewCall{Case: in.Case, Form: form})
	require.NoError(t, err)
	opinion.Form, opinion.Preview = form, preview.Token
	decided, err := rev.Opinion(ctx, opinion)
	require.NoError(t, err)
	require.NotEmpty(t, decided.Decision)
	view, err = auditor.Case(ctx, in.Case, "audit")
	require.NoError(t, err)
	require.Equal(t, preview.Notice, view.Decision.Notice)
	_, err = auditor.Proof(ctx, in.Case)
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))

	_, err = rev.Withdraw(ctx, call, "")
	require.NoError(t, err)
	claimed, err = rev.Claim(ctx, call)
	require.NoError(t, err)
	_, err = rev.Release(ctx, call, claimed.Claim.Number)
	require.NoError(t, err)
	claimed, err = rev.Claim(ctx, call)
	require.NoError(t, err)
	_, err = rev.Close(ctx, review.CloseCall{VerbCall: call, Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision, Reason: casefile.CloseTest})
	require.NoError(t, err)
	again, err := lead.Reopen(ctx, call)
	require.NoError(t, err)
	require.NotEqual(t, in.Case, again.Case)

	closed, err := lead.Cases(ctx, casefile.StateClosed, "", 0)
	require.NoError(t, err)
	require.Len(t, closed.Cases, 1)
	found, err := rev.Find(ctx, review.Query{Text: "account-1"})
	require.NoError(t, err)
	require.Len(t, found.Cases, 2)
	views, err := auditor.Views(ctx, in.Case, 0, 0)
	require.NoError(t, err)
	require.Len(t, views.Views, 3, "the opened case twice, and the preview, which quotes it")
	refusals, err := auditor.Refusals(ctx, 0, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"case.opinion invalid", "case.proof state"}, []string{
		refusals.Refusals[0].Verb + " " + string(refusals.Refusals[0].Code), refusals.Refusals[1].Verb + " " + string(refusals.Refusals[1].Code),
	})
	me, err := auditor.Me(ctx)
	require.NoError(t, err)
	require.Equal(t, []access.Purpose{access.PurposeAudit}, me.Purposes)
	require.NotContains(t, me.Permissions, access.CaseOpinion)
}

func TestFlagDoor(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	token := s.Token("detector")
	s.Submit(s.Flag(1, "flag-1"))
	other := s.Flag(1, "flag-1")
	other.Reasons[0].Weight = 9
	for name, c := range map[string]struct {
		contentType, body string
		status            int
		code              casefile.Code
		field             string
	}{
		"the same id, other content": {"application/json", string(s.JSON(other)), http.StatusConflict, casefile.CodeConflict, "id"},
		"too large":                  {"application/json", strings.Repeat(" ", casefile.MaxFlagBytes+2), http.StatusRequestEntityTooLarge, casefile.CodeTooLarge, ""},
		"an unknown field":           {"", `{"id":"x","colour":1}`, http.StatusUnprocessableEntity, casefile.CodeInvalid, "colour"},
		"another content type":       {"text/csv", "a,b", http.StatusUnprocessableEntity, casefile.CodeInvalid, "content-type"},
	} {
		status, header, body := s.call(http.MethodPost, "/v1/flags", token, c.contentType, c.body)
		require.Equal(t, c.status, status, name)
		require.Equal(t, "application/problem+json", header.Get("Content-Type"))
		p := problemOf(t, body)
		require.Equal(t, c.code, p.Code, name)
		require.Equal(t, c.field, p.Field, name)
	}
	status, _, body := s.call(http.MethodPost, "/v1/flags", token, "application/json; charset=utf-8", string(s.JSON(s.Flag(2, "flag-2"))))
	require.Equal(t, http.StatusAccepted, status)
	var res intake.Result
	require.NoError(t, json.Unmarshal([]byte(body), &res))
	require.Equal(t, records.FlagAccepted, res.Status)

	s.Workflows.Before = func(context.Context, string) error { return errDown }
	status, header, body := s.call(http.MethodPost, "/v1/flags", token, "", string(s.JSON(s.Flag(3, "flag-3"))))
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "5", header.Get("Retry-After"))
	require.NotContains(t, body, "refused", "the engine's words stay here")
	pending, err := s.as("detector").FlagStatus(t.Context(), reviewtest.Platform, "flag-3")
	require.NoError(t, err)
	require.Equal(t, records.FlagPending, pending.Status, "the row stays")
}

// TestFlagLinesAreAnsweredWhileTheyCome sends a line only after the one before it was answered.
func TestFlagLinesAreAnsweredWhileTheyCome(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	reader, writer := io.Pipe()
	req, err := http.NewRequest(http.MethodPost, s.url+"/v1/flags", reader)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+s.Token("detector"))
	req.Header.Set("Content-Type", "application/x-ndjson")
	answers := make(chan *http.Response, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			answers <- res
		}
		close(answers)
	}()
	send := func(line []byte) {
		_, err := writer.Write(append(line, '\n'))
		require.NoError(t, err)
	}
	send(s.JSON(s.Flag(1, "flag-1")))
	res, ok := <-answers
	require.True(t, ok)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "application/x-ndjson", res.Header.Get("Content-Type"))
	lines := bufio.NewScanner(res.Body)
	next := func() intake.LineResult {
		require.True(t, lines.Scan())
		var l intake.LineResult
		require.NoError(t, json.Unmarshal(lines.Bytes(), &l))
		return l
	}
	require.Equal(t, "flag-1", next().ID)
	send([]byte(`{"id":"bad"`))
	bad := next()
	require.Equal(t, 2, bad.Line)
	require.Equal(t, casefile.CodeInvalid, bad.Error.Code)
	send(s.JSON(s.Flag(2, "flag-2")))
	require.Equal(t, intake.LineResult{Line: 3, ID: "flag-2", Status: records.FlagPending}, next())
	require.NoError(t, writer.Close())
	require.False(t, lines.Scan())
	require.NoError(t, lines.Err())
	refusals, err := s.as("auditor").Refusals(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Len(t, refusals.Refusals, 1, "a refused line is a refusal")

	var many bytes.Buffer
	for i := range 300 {
		many.Write(append(s.JSON(s.Flag(i%20, fmt.Sprintf("many-%d", i))), '\n'))
	}
	got := 0
	require.NoError(t, s.as("detector").SubmitFlags(t.Context(), &many, func(l intake.LineResult) error {
		got++
		require.Equal(t, got, l.Line)
		require.Nil(t, l.Error)
		return nil
	}))
	require.Equal(t, 300, got)
}

func TestUnknownOutcomeIs504WithTheVerbID(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ref, _ := s.Open(1)
	s.Workflows.After = func(context.Context, string) error { return context.DeadlineExceeded }
	_, err := s.as("rev1").Claim(t.Context(), review.VerbCall{Case: ref, Key: "key-1"})
	var e *client.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, http.StatusGatewayTimeout, e.Status)
	require.Equal(t, "key-1", e.VerbID)
	require.Equal(t, 2*time.Second, e.RetryAfter)
	require.Contains(t, e.Detail, "same verb id")
	s.Workflows.After = nil
	answer, err := s.as("rev1").Claim(t.Context(), review.VerbCall{Case: ref, Key: e.VerbID})
	require.NoError(t, err)
	require.Equal(t, 1, answer.Claim.Number)

	s.Workflows.Before = func(context.Context, string) error { return errDown }
	_, err = s.as("rev1").Release(t.Context(), review.VerbCall{Case: ref}, 1)
	require.ErrorAs(t, err, &e)
	require.Equal(t, http.StatusServiceUnavailable, e.Status)
	require.NotEmpty(t, e.VerbID)
	refusals, err := s.as("auditor").Refusals(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Empty(t, refusals.Refusals, "an engine that is down refuses nobody")
}

func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ref, _ := s.Open(1)
	for code, status := range map[casefile.Code]int{
		casefile.CodeInvalid: 422, casefile.CodeNotFound: 404, casefile.CodeConflict: 409, casefile.CodeState: 409, casefile.CodeStaleClaim: 409,
		casefile.CodeNewEvidence: 409, casefile.CodeForbidden: 403, casefile.CodeNeedsSecond: 422, casefile.CodeTooLarge: 413, casefile.CodeUnproven: 409,
		casefile.CodeUnavailable: 503, casefile.CodeUncertain: 409, casefile.CodePaused: 503,
	} {
		s.Workflows.Before = func(context.Context, string) error { return casefile.Errorf(code, "said the workflow") }
		got, _, body := s.call(http.MethodPost, "/v1/cases/"+string(ref)+"/claim", s.Token("rev1"), "", "")
		require.Equal(t, status, got, code)
		require.Equal(t, code, problemOf(t, body).Code)
	}
}

func TestMalformedRequestsAreRefusedOnRecord(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ref, _ := s.Open(1)
	token := s.Token("rev1")
	base := "/v1/cases/" + string(ref)
	cases := []struct {
		name, method, path, body string
		status                   int
		field                    string
	}{
		{"a limit that is no number", http.MethodGet, "/v1/cases?limit=lots", "", 422, "limit"},
		{"a limit too high", http.MethodGet, "/v1/cases?limit=201", "", 422, "limit"},
		{"a cursor of nobody's", http.MethodGet, "/v1/cases?cursor=zzz", "", 422, "cursor"},
		{"a state that is none", http.MethodGet, "/v1/cases?state=zzz", "", 422, "state"},
		{"no case number", http.MethodGet, "/v1/cases/someone", "", 422, "case"},
		{"a case that is not there", http.MethodGet, "/v1/cases/00000-00000", "", 404, ""},
		{"an unknown field", http.MethodPost, base + "/release", `{"claim":1,"colour":"red"}`, 422, "colour"},
		{"two values", http.MethodPost, base + "/release", `{"claim":1}{}`, 422, ""},
		{"a text for a number", http.MethodPost, base + "/release", `{"claim":"one"}`, 422, "claim"},
		{"not JSON", http.MethodPost, base + "/comment", `{"text":`, 422, ""},
		{"no body", http.MethodPost, base + "/comment", ``, 422, ""},
		{"too large", http.MethodPost, base + "/comment", `{"text":"` + strings.Repeat("secret words ", 6000) + `"}`, 413, ""},
		{"no words", http.MethodPost, base + "/comment", `{"text":"  "}`, 422, "text"},
	}
	for _, c := range cases {
		status, header, body := s.call(c.method, c.path, token, "application/json", c.body)
		require.Equal(t, c.status, status, "%s: %s", c.name, body)
		require.Equal(t, "application/problem+json", header.Get("Content-Type"), c.name)
		require.Equal(t, c.field, problemOf(t, body).Field, "%s: %s", c.name, body)
		require.NotContains(t, body, "secret", "nothing is echoed")
		require.NotContains(t, body, "lots")
	}
	refusals, err := s.as("auditor").Refusals(t.Context(), 0, 0)
	require.NoError(t, err)
	require.Len(t, refusals.Refusals, len(cases))
}

// broken panics in the middle of authentication.
type broken struct{}

func (broken) Authenticate(_ context.Context, bearer string) (access.Who, error) { panic(bearer) }

func TestPanicIsA500WithoutWords(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	log := &logBuffer{}
	handler, err := api.New(api.Options{Desk: s.Desk, Door: s.Door, Access: broken{}, Log: loggerTo(log)})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
	r.Header.Set("Authorization", "Bearer a-secret")
	handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Equal(t, casefile.CodeInternal, problemOf(t, w.Body.String()).Code)
	require.Contains(t, log.String(), "handler panicked")
	require.NotContains(t, log.String()+w.Body.String(), "a-secret")
}

// TestPromise10RequestLog looks at every log line of a day's work: patterns and codes, no address,
// no handle, no account id, no words.
func TestPromise10RequestLog(t *testing.T) {
	t.Parallel()
	s, ctx := newServer(t), t.Context()
	ref := s.Submit(s.Flag(1, "flag-1"))
	rev := s.as("rev1")
	_, err := rev.Find(ctx, review.Query{Text: "synthetic_1"})
	require.NoError(t, err)
	_, err = rev.Case(ctx, ref, "")
	require.NoError(t, err)
	_, err = rev.Case(ctx, "synthetic_1", "")
	require.Error(t, err)
	_, err = rev.Comment(ctx, review.VerbCall{Case: ref, Key: "about synthetic_1"}, "words about synthetic_1")
	require.NoError(t, err)
	s.call("SYNTHETIC", "/v1/synthetic_1?q=synthetic_1", "", "", "")
	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	require.GreaterOrEqual(t, len(lines), 5)
	require.NotContains(t, strings.ToLower(s.log.String()), "synthetic")
	require.NotContains(t, s.log.String(), "account-1")
	var line struct {
		Msg, Method, Route, Person string
		Status                     int
	}
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &line))
	require.Equal(t, "request", line.Msg)
	require.Equal(t, "/v1/cases/search", line.Route)
	require.Equal(t, http.StatusOK, line.Status)
	require.EqualValues(t, s.Who("rev1").Person, line.Person)
}

// TestPromise11JSON: hostile text stays data on the wire.
func TestPromise11JSON(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const hostile = "</script><img src=x onerror=alert(1)>\u2028\u202eabc"
	ref := s.Submit(s.Flag(1, "flag-1", s.Post(1, "p1", hostile)))
	status, header, body := s.call(http.MethodGet, "/v1/cases/"+string(ref), s.Token("rev1"), "", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.NotContains(t, body, "<")
	require.NotContains(t, body, "\u2028")
	var view review.CaseView
	require.NoError(t, json.Unmarshal([]byte(body), &view))
	require.Equal(t, hostile, view.Evidence[0].Event.Text)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watching := make(chan struct{})
	changes := make(chan review.Change, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- s.as("rev1").Events(ctx, func() { close(watching) }, func(c review.Change) error {
			changes <- c
			return nil
		})
	}()
	<-watching
	ref, _ := s.Open(1)
	require.Equal(t, review.Change{Kind: records.ChangeCase, Case: ref}, <-changes)
	cancel()
	require.NoError(t, <-ended)
}

// TestDecisionFeed: the feed over HTTP and through the client, cursor and limit included.
func TestDecisionFeed(t *testing.T) {
	t.Parallel()
	s, ctx := newLedgerServer(t), t.Context()
	s.Add("taker", access.TakedownTeam, casefile.RoleService)
	for n := range 2 {
		ref, post := s.Open(n + 1)
		answer, err := s.Desk.Claim(ctx, s.Who("rev1"), review.VerbCall{Case: ref})
		require.NoError(t, err)
		_, err = s.Desk.Opinion(ctx, s.Who("rev1"), review.OpinionCall{VerbCall: review.VerbCall{Case: ref}, Claim: answer.Claim.Number, EvidenceRevision: 1, Form: reviewtest.Form(casefile.L5, post)})
		require.NoError(t, err)
		require.NoError(t, s.Workflows.CarryOut(ctx, ref))
	}
	c := s.as("taker")
	all, err := c.DecisionsAfter(ctx, review.FeedFrom, 0, 0)
	require.NoError(t, err)
	require.Len(t, all.Decisions, 2)
	want, err := s.Desk.DecisionsAfter(ctx, s.Who("taker"), review.FeedFrom, 0, 0)
	require.NoError(t, err)
	require.Equal(t, want, all, "the client gives what the desk gave")
	one, err := c.DecisionsAfter(ctx, int64(all.Decisions[0].Index), 1, time.Second)
	require.NoError(t, err)
	require.Equal(t, all.Decisions[1:], one.Decisions)
	zero, err := c.DecisionsAfter(ctx, 0, 1, 0)
	require.NoError(t, err)
	require.Equal(t, all.Decisions[:1], zero.Decisions, "an index of 0 is one, too")

	for query, field := range map[string]string{"after=-2": "after", "wait=31": "wait", "limit=201": "limit", "after=x": "after"} {
		status, _, body := s.call(http.MethodGet, "/v1/decisions?"+query, s.Token("taker"), "", "")
		require.Equal(t, http.StatusUnprocessableEntity, status, query)
		require.Contains(t, body, field)
	}
}
