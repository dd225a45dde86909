package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/workflows"
)

// told decodes the one line of JSON that a failed run with --json wrote to standard error.
func told(t *testing.T, r result) failure {
	t.Helper()
	require.Equal(t, 1, r.code)
	require.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
	var f struct {
		Error failure `json:"error"`
	}
	require.NoError(t, json.Unmarshal([]byte(r.err), &f))
	return f.Error
}

func TestErrorsAsJSON(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, post := b.Open(1)
	b.as("rev1", "case", "claim", string(ref)).good(t)
	form := b.write("form.json", []byte(`{"action":"L5","relied":["`+post+`"]}`))
	f := told(t, b.as("rev1", "--json", "case", "opinion", string(ref), "--file", form, "--evidence-revision", "1"))
	require.Equal(t, casefile.CodeInvalid, f.Code)
	require.Contains(t, f.Faults, review.Fault{Field: "mitigations.M3", Message: "must be answered yes or no"})
	require.Contains(t, f.Faults, review.Fault{Field: "days", Message: "L5 suspends for 1 to 365 days"})

	require.Equal(t, failure{Code: casefile.CodeForbidden, Message: "your roles do not allow queue.read"},
		told(t, b.as("admin", "--json", "case", "queues")))
	require.Equal(t, failure{Code: casefile.CodeInvalid, Field: "state", Message: "not a state of a case: one of new, queued, claimed, decided, proven, closed"},
		told(t, b.as("rev1", "--json", "case", "list", "--state", "x")))
	require.Equal(t, casefile.CodeNotFound, told(t, b.as("rev1", "--json", "case", "show", "00000-00000")).Code)
	require.Equal(t, casefile.CodeNotFound, told(t, b.as("detector", "--json", "flag", "submit", b.data+"/none")).Code)
	require.Equal(t, casefile.CodeInvalid, told(t, b.as("rev1", "--json", "case", "bogus")).Code)
}

// TestVerbInDoubt: a verb whose outcome is not known is told with its key, and the same command with
// that key finds out and counts once, though the claim that it stood on is over.
func TestVerbInDoubt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, post := b.Open(1)
	b.as("rev1", "case", "claim", string(ref)).good(t)
	b.Workflows.After = func(_ context.Context, name string) error {
		if name == workflows.UpdateOpinion {
			return casefile.Errorf(casefile.CodeUnavailable, "the answer got lost")
		}
		return nil
	}
	opinion := []string{"case", "opinion", string(ref), "--file", b.form(casefile.L5, post), "--evidence-revision", "1"}
	f := told(t, b.as("rev1", append(opinion, "--json")...))
	require.Equal(t, casefile.CodeUnavailable, f.Code)
	require.NotEmpty(t, f.VerbID)
	require.Positive(t, f.RetryAfterSeconds)
	b.Workflows.After = nil
	require.Contains(t, b.as("rev1", append(opinion, "--key", f.VerbID)...).good(t), "decided", "it counted the first time")
	refused := b.as("rev1", append(opinion, "--key", "another")...).bad(t)
	require.Contains(t, refused, "claim")
	require.NotContains(t, refused, "may have taken effect", "a refusal leaves no doubt")
}

// TestNoAnswer: where the connection broke, the key that was sent is told; where nothing was sent,
// there is nothing to doubt.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	sent := make(chan string, 1)
	broken := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		sent <- r.Header.Get("Idempotency-Key")
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(broken.Close)
	env := map[string]string{"DOCKET_URL": broken.URL, "DOCKET_TOKEN": "t"}
	r := docket(t, env, "", "case", "claim", "7K2QX-9MDT4")
	require.Contains(t, r.bad(t), "with --key "+<-sent+" finds out and counts once")
	require.Contains(t, r.err, "no answer from "+broken.URL+" (does Docket run there?): ")

	broken.Close()
	r = docket(t, env, "", "case", "claim", "7K2QX-9MDT4")
	require.Contains(t, r.bad(t), "connection refused")
	require.NotContains(t, r.err, "--key")

	proxy := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(proxy.Close)
	env["DOCKET_URL"] = proxy.URL
	require.Contains(t, docket(t, env, "", "case", "queues").bad(t), "not an answer of the API: 404")
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err strings.Builder
	code := process{args: []string{"--data", b.data, "--as", "rev1", "case", "queues"}, env: func(string) string { return "" }, in: strings.NewReader(""), out: &out, err: &err}.run(ctx)
	require.Equal(t, 1, code)
	require.Equal(t, "docket: interrupted\n", err.String())
}

// TestFlagAnswersBreakOff: how far the answers came is told.
func TestFlagAnswersBreakOff(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"line":1,"id":"a","status":"pending"}` + "\n" + `{"line":2,`))
	}))
	t.Cleanup(s.Close)
	r := docket(t, map[string]string{"DOCKET_URL": s.URL, "DOCKET_TOKEN": "t"}, "{}\n", "flag", "submit", "-")
	require.Contains(t, r.bad(t), "the answers end at line 1, hand the file in again")
	require.Equal(t, "line 1: pending a\n", r.out)
}
