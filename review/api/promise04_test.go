package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/review/reviewtest"
)

// traffic keeps everything that a person was sent: statuses, headers and bodies.
type traffic struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// RoundTrip sends the request and keeps the answer.
func (r *traffic) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	fmt.Fprintf(&r.text, "\n%s %s: %d %v\n", req.Method, req.URL.Path, res.StatusCode, res.Header.Values("Content-Type"))
	r.mu.Unlock()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		res.Body = &teed{res.Body, r} // it is read as it comes
		return res, nil
	}
	data, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	r.write(data)
	res.Body = io.NopCloser(bytes.NewReader(data))
	return res, err
}

func (r *traffic) write(data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Write(data)
}

func (r *traffic) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

type teed struct {
	io.ReadCloser
	to *traffic
}

// Read keeps what it gives.
func (t *teed) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.to.write(p[:n])
	return n, err
}

// secret is a first opinion whose every code and word stands nowhere else.
func secret(post string) casefile.OpinionForm {
	f := reviewtest.Form(casefile.L2, post, casefile.EvidenceProfile)
	f.Policies, f.EntityTier = []casefile.PolicyCode{casefile.VE05}, casefile.E3
	f.Mitigations[casefile.M6] = casefile.AnswerYes
	f.Rationale = "a wording of the first person that nobody else has"
	return f
}

// secretTraces are what the second person's traffic must not hold.
var secretTraces = []*regexp.Regexp{
	regexp.MustCompile(`\bL2\b`), regexp.MustCompile(`VE-05`), regexp.MustCompile(`"E3"`), regexp.MustCompile(`"M6":"yes"`), regexp.MustCompile(`first person`), regexp.MustCompile(`nobody else has`),
	regexp.MustCompile(`"blind"`), regexp.MustCompile(`adjudication`), regexp.MustCompile(`awaiting`),
}

// secondPerson does everything that a reviewer can with a case that they take up: lists, searches by the
// first opinion's own codes and words, looks, previews, every verb that leaves the case with them, and
// the feed of changes all the while.
func secondPerson(t *testing.T, s *server, ref casefile.CaseRef, post string, first func()) *traffic {
	t.Helper()
	kept := &traffic{}
	c := &client.Client{Base: s.url, Token: s.Token("rev2"), HTTP: &http.Client{Transport: kept}}
	ctx, cancel := context.WithCancel(t.Context())
	watching, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- c.Events(ctx, func() { close(watching) }, func(review.Change) error { return nil })
	}()
	<-watching
	first()

	do := func(_ any, err error) {
		if err != nil {
			require.NotEqual(t, casefile.CodeInternal, casefile.ErrorCode(err), err)
		}
	}
	call := review.VerbCall{Case: ref, Key: "the same key"}
	do(c.Queues(ctx))
	do(c.QueueCases(ctx, reviewtest.Queue, "", 0))
	for _, state := range append([]casefile.State{""}, casefile.States...) {
		do(c.Cases(ctx, state, "", 0))
	}
	for _, q := range []review.Query{
		{}, {Text: string(ref)}, {Text: "account-1"}, {Text: "synthetic_1"}, {Text: "wording"}, {Policy: casefile.VE05}, {Action: casefile.L2}, {State: casefile.StateDecided},
	} {
		do(c.Find(ctx, q))
	}
	do(c.Case(ctx, ref, ""))
	do(c.Proof(ctx, ref))
	do(c.Views(ctx, ref, 0, 0))
	do(c.Refusals(ctx, 0, 0))
	do(c.Appeals(ctx, "", "", 0))
	do(c.Banner(ctx))
	do(c.Me(ctx))
	claimed, ok, err := c.Next(ctx, reviewtest.Queue, "the same key")
	require.NoError(t, err)
	require.True(t, ok, "it waits like any other")
	require.Equal(t, ref, claimed.Case)
	number := claimed.Claim.Number
	do(c.Heartbeat(ctx, call, number))
	do(c.Comment(ctx, call, "[a remark]"))
	do(c.Hold(ctx, call, number, s.Clock.Now().Add(3600e9)))
	do(c.Withdraw(ctx, call, ""))
	do(c.Case(ctx, ref, ""))
	for _, action := range []casefile.Action{casefile.L1, casefile.L4} {
		do(c.Preview(ctx, review.PreviewCall{Case: ref, Form: reviewtest.Form(action, post)}))
	}
	do(c.Case(ctx, ref, ""))
	cancel()
	require.NoError(t, <-ended)
	return kept
}

// TestPromise04SecondPersonSeesNothing: no byte of what the second person is sent, before they have given
// their own opinion, holds anything of the first; and all of it is the same as on a case that the first
// person only gave back.
func TestPromise04SecondPersonSeesNothing(t *testing.T) {
	t.Parallel()
	run := func(opine bool) (string, string) {
		s := newServer(t)
		s.Workflows.Deciding.TwoActions = append(s.Workflows.Deciding.TwoActions, casefile.L2)
		ref, post := s.Open(1)
		ctx, id := t.Context(), ""
		kept := secondPerson(t, s, ref, post, func() {
			claimed, err := s.Desk.Claim(ctx, s.Who("rev1"), review.VerbCall{Case: ref})
			require.NoError(t, err)
			if !opine {
				_, err = s.Desk.Release(ctx, s.Who("rev1"), review.VerbCall{Case: ref}, claimed.Claim.Number)
				require.NoError(t, err)
				return
			}
			answer, err := s.Desk.Opinion(ctx, s.Who("rev1"), review.OpinionCall{VerbCall: review.VerbCall{Case: ref}, Claim: claimed.Claim.Number, EvidenceRevision: 1, Form: secret(post)})
			require.NoError(t, err)
			require.Empty(t, answer.Decision, "a second person is due")
			blind, err := s.Records.BlindOpinions(ctx, ref)
			require.NoError(t, err)
			require.Len(t, blind, 1)
			id = blind[0].ID
		})
		// The feed may skip and is timed by itself: what it says is looked at for traces and not compared.
		text := kept.String()
		require.Greater(t, len(text), 10_000)
		for _, trace := range secretTraces {
			require.NotRegexp(t, trace, text)
		}
		require.NotContains(t, text, string(s.Who("rev1").Person), "nor who it was")
		if opine {
			require.NotContains(t, text, id)
		}
		return text, string(ref)
	}
	opined, one := run(true)
	released, other := run(false)
	require.Equal(t, plainTraffic(released, other), plainTraffic(opined, one))
}

var (
	event   = regexp.MustCompile(`(?m)^(: watching|: alive|event: change|data: .*|GET /v1/events.*)?\n`)
	persons = regexp.MustCompile(`p-[0-9a-z]{8}`)
	random  = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{26}|"token":"[^"]*"`)
)

// plainTraffic leaves out what is drawn anew each time, and the feed.
func plainTraffic(text, ref string) string {
	text = event.ReplaceAllString(strings.ReplaceAll(text, ref, "REF"), "")
	return random.ReplaceAllString(persons.ReplaceAllString(text, "PERSON"), "RANDOM")
}

// TestPromise04FeedCarriesCodesAlone: that an opinion was given is told as a change of its case, with
// nothing more.
func TestPromise04FeedCarriesCodesAlone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ref, post := s.Open(1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes, err := s.Desk.Watch(ctx, s.Who("rev2"))
	require.NoError(t, err)
	claimed, err := s.Desk.Claim(ctx, s.Who("rev1"), review.VerbCall{Case: ref})
	require.NoError(t, err)
	require.Equal(t, review.Change{Kind: records.ChangeCase, Case: ref}, <-changes)
	form := secret(post)
	form.Judgement = reviewtest.Form(casefile.L6).Judgement
	_, err = s.Desk.Opinion(ctx, s.Who("rev1"), review.OpinionCall{VerbCall: review.VerbCall{Case: ref}, Claim: claimed.Claim.Number, EvidenceRevision: 1, Form: form})
	require.NoError(t, err)
	require.Equal(t, review.Change{Kind: records.ChangeCase, Case: ref}, <-changes)
}
