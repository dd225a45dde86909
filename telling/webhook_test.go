package telling_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
)

// posted is one webhook as it came in.
type posted struct {
	header http.Header
	path   string
	body   []byte
}

// receiver takes webhooks over TLS.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []posted
	answer http.HandlerFunc
	told   chan string // ids, as they come
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{told: make(chan string, 100)}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.got = append(r.got, posted{req.Header.Clone(), req.URL.String(), body})
		answer := r.answer
		r.mu.Unlock()
		r.told <- req.Header.Get("webhook-id")
		if answer != nil {
			answer(w, req)
		}
	}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0) // strangers that hang up are part of the tests
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) with(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) all() []posted {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]posted(nil), r.got...)
}

// hooked is the configuration of one webhook that everything goes to.
func hooked(t *testing.T, r *receiver) telling.Config {
	t.Helper()
	return telling.Config{
		BaseURL: console + "/base/", DefaultTeam: "desk",
		Teams: map[string]telling.Team{"desk": {Page: []string{"pager"}, Notice: []string{"pager"}}},
		Webhooks: map[string]telling.WebhookConfig{"pager": {
			URL: r.URL + "/told?by=docket", Secrets: []telling.Secret{{Env: "SECRET"}, {File: file(t, secretText(2))}}, CAFile: certificate(t, r.Server),
		}},
	}
}

func openOne(t *testing.T, c telling.Config, name string) telling.Channel {
	t.Helper()
	channels, err := telling.Open(c, telling.Surroundings{
		Env: func(string) string { return secretText(1) },
		Now: func() time.Time { return now },
	})
	require.NoError(t, err)
	require.Contains(t, channels, name)
	return channels[name]
}

// signed is what the specification says, step by step, without its library.
func signed(secret, id, timestamp string, body []byte) string {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	hook := openOne(t, hooked(t, r), "pager")
	m := tellingtest.Example(telling.KindThreat, 1)
	missed, err := hook.Tell(t.Context(), m)
	require.NoError(t, err)
	require.Zero(t, missed)

	p := r.all()[0]
	require.Equal(t, "/told?by=docket", p.path)
	require.Equal(t, "application/json", p.header.Get("Content-Type"))
	require.Equal(t, "docket", p.header.Get("User-Agent"))
	require.Equal(t, m.ID, p.header.Get("webhook-id"))
	stamp := p.header.Get("webhook-timestamp")
	require.Equal(t, strconv.FormatInt(now.Unix(), 10), stamp)
	require.Equal(t, signed(secretText(1), m.ID, stamp, p.body)+" "+signed(secretText(2), m.ID, stamp, p.body), p.header.Get("webhook-signature"))
	for of, good := range map[byte]bool{1: true, 2: true, 3: false} {
		verifier, err := standardwebhooks.NewWebhook(secretText(of))
		require.NoError(t, err)
		require.Equal(t, good, verifier.VerifyIgnoringTimestamp(p.body, p.header) == nil, "under secret %d", of)
	}
	require.JSONEq(t, `{
		"type": "case.threat",
		"timestamp": "2026-03-02T10:00:00Z",
		"data": {
			"id": "`+m.ID+`",
			"urgency": "page",
			"text": "This case was escalated with threat to life. Somebody must take it up now.",
			"team": "night",
			"queue": "general",
			"platform": "synthetic",
			"case": "7K2QX-00001",
			"due_at": "2026-03-02T11:00:00Z",
			"link": "https://docket.example.org/base/cases/7K2QX-00001"
		}
	}`, string(p.body))

	_, err = hook.Tell(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, p.body, r.all()[1].body, "again it is the same")
}

func TestLinks(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	hook := openOne(t, hooked(t, r), "pager")
	bare := tellingtest.Example(telling.KindBreakerTripped, 1)
	queueless := bare
	queueless.Queue = ""
	for i, c := range []struct {
		message telling.Message
		link    string
	}{
		{tellingtest.Example(telling.KindAppealReceived, 7), console + "/base/cases/7K2QX-00007"},
		{bare, console + "/base/queues/general"},
		{queueless, console + "/base/"},
	} {
		_, err := hook.Tell(t.Context(), c.message)
		require.NoError(t, err)
		var body struct {
			Data struct{ Link string } `json:"data"`
		}
		require.NoError(t, json.Unmarshal(r.all()[i].body, &body))
		require.Equal(t, c.link, body.Data.Link)
	}
}

// TestWebhookFailures: what each answer means. None of it gets into the error's text.
func TestWebhookFailures(t *testing.T) {
	t.Parallel()
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "canary words")
		}
	}
	for name, c := range map[string]struct {
		answer     http.HandlerFunc
		code       telling.Code
		retryAfter time.Duration
	}{
		"taken":                 {status(204), "", 0},
		"taken, wordily":        {endless, "", 0},
		"refused":               {status(403), telling.CodeRefused, 0},
		"not there":             {status(404), telling.CodeRefused, 0},
		"gone":                  {status(410), telling.CodeGone, 0},
		"too many":              {status(429, "Retry-After", "90"), telling.CodeBusy, 90 * time.Second},
		"broken":                {status(500), telling.CodeBusy, 0},
		"down until a date":     {status(503, "Retry-After", "Mon, 02 Mar 2026 10:02:00 GMT"), telling.CodeBusy, 2 * time.Minute},
		"somewhere else":        {status(307, "Location", "/elsewhere"), telling.CodeRedirect, 0},
		"somewhere else by GET": {status(302, "Location", "/elsewhere"), telling.CodeRedirect, 0},
		"hung up": {func(w http.ResponseWriter, _ *http.Request) {
			panic(http.ErrAbortHandler)
		}, telling.CodeUnreachable, 0},
		"headers without end": {status(200, "X-Words", strings.Repeat("canary", 10_000)), telling.CodeUnreachable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			r.with(c.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := openOne(t, hooked(t, r), "pager").Tell(ctx, tellingtest.Example(telling.KindThreat, 1))
			require.NoError(t, ctx.Err(), "nobody listens to the end")
			require.Len(t, r.all(), 1, "nobody follows a redirect")
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			requireFailure(t, err, c.code)
			var f *telling.Failure
			require.ErrorAs(t, err, &f)
			require.Equal(t, c.retryAfter, f.RetryAfter)
		})
	}
}

// endless answers 200 and then writes for as long as somebody reads.
func endless(w http.ResponseWriter, req *http.Request) {
	words := []byte(strings.Repeat("canary words ", 1000))
	for req.Context().Err() == nil {
		_, err := w.Write(words)
		if err != nil {
			return
		}
	}
}

func requireFailure(t *testing.T, err error, code telling.Code) {
	t.Helper()
	var f *telling.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, code, f.Code, "%v", f.Err)
	require.Equal(t, "not told: "+string(code), err.Error(), "an error's text holds nothing of the other side's")
	require.Error(t, f.Unwrap())
}

func TestWebhookThatHangs(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	ended := make(chan struct{})
	t.Cleanup(func() { close(ended) })
	r.with(func(http.ResponseWriter, *http.Request) { <-ended })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := openOne(t, hooked(t, r), "pager").Tell(ctx, tellingtest.Example(telling.KindThreat, 1))
	requireFailure(t, err, telling.CodeTimeout)
}

func TestWebhookOutOfReach(t *testing.T) {
	t.Parallel()
	m := tellingtest.Example(telling.KindThreat, 1)
	r := newReceiver(t)

	strange := hooked(t, r)
	hook := strange.Webhooks["pager"]
	hook.CAFile = ""
	strange.Webhooks["pager"] = hook
	_, err := openOne(t, strange, "pager").Tell(t.Context(), m)
	requireFailure(t, err, telling.CodeTLS)

	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	hook.URL = strings.Replace(plain.URL, "http://", "https://", 1)
	strange.Webhooks["pager"] = hook
	_, err = openOne(t, strange, "pager").Tell(t.Context(), m)
	require.Error(t, err, "a server that does not encrypt")

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	hook.URL = "https://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	strange.Webhooks["pager"] = hook
	_, err = openOne(t, strange, "pager").Tell(t.Context(), m)
	requireFailure(t, err, telling.CodeUnreachable)
	require.Empty(t, r.all())
}

// TestWebhookOnThisMachine: http works there.
func TestWebhookOnThisMachine(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { got <- req.Header.Get("webhook-id") }))
	t.Cleanup(plain.Close)
	c := hooked(t, newReceiver(t))
	c.Webhooks["pager"] = telling.WebhookConfig{URL: plain.URL, Secrets: []telling.Secret{{Env: "SECRET"}}}
	m := tellingtest.Example(telling.KindHalfDue, 1)
	_, err := openOne(t, c, "pager").Tell(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, m.ID, <-got)
}
