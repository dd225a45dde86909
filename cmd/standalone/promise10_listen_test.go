package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/telling"
)

// safeBuffer is a buffer that many write to.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

// String is what was written so far.
func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// marked sends every request with marks in what a client may write beside it.
type marked struct{ h *hunt }

func (m marked) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, mark := range map[string]string{
		"User-Agent": "user agent", "Referer": "referer", "X-Forwarded-For": "forwarded", "X-Request-Id": "forwarded", "Baggage": "baggage", "Tracestate": "baggage", "Idempotency-Key": "verb's key",
	} {
		r.Header.Set(name, m.h.marks[mark])
	}
	r.Header.Set("Baggage", "k="+m.h.marks["baggage"])
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	r.Header.Set("Cookie", "docket_session="+m.h.marks["cookie"])
	// The same verb on the same thing twice with one key would count once.
	r.Header.Set("Idempotency-Key", fmt.Sprintf("%s-%d", m.h.marks["verb's key"], keys.Add(1)))
	return http.DefaultTransport.RoundTrip(r)
}

var keys atomic.Int64

// quotingIndex is an index whose errors quote what it was asked, as engines do.
type quotingIndex struct {
	indexing.Index
	down *atomic.Bool
}

func (q quotingIndex) fault(asked any) error {
	if !q.down.Load() {
		return nil
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return fmt.Errorf("encode what was asked: %w", err)
	}
	return &casefile.Error{Code: casefile.CodeUnavailable, Op: "ask the index", Message: "it does not answer", Err: fmt.Errorf("failed to parse query [%s]", text)}
}

func (q quotingIndex) Search(ctx context.Context, c indexing.CaseQuery) (indexing.CasePage, error) {
	err := q.fault(c)
	if err != nil {
		return indexing.CasePage{}, err
	}
	return q.Index.Search(ctx, c)
}

func (q quotingIndex) PutCase(ctx context.Context, doc indexing.CaseDoc) error {
	err := q.fault(doc)
	if err != nil {
		return err
	}
	return q.Index.PutCase(ctx, doc)
}

// quotingScorer is a scorer that panics or fails with the words it was given.
type quotingScorer struct {
	classify.Scorer
	h *hunt
}

func (q quotingScorer) ScoreAccount(ctx context.Context, platform string, account casefile.Account, posts []casefile.Event) (classify.Score, error) {
	text := fmt.Sprintf("%+v %+v", account, posts)
	if q.h.scorerPanics.CompareAndSwap(true, false) {
		panic(text)
	}
	if q.h.scorerFails.Load() {
		return classify.Score{}, fmt.Errorf("the model refused %s", text)
	}
	return q.Scorer.ScoreAccount(ctx, platform, account, posts)
}

// quotingPlatform stands before a platform: while it fails it answers 500 with what it was sent.
func (h *hunt) quotingPlatform(conf config.Platform) config.Platform {
	t := h.t
	data, err := os.ReadFile(conf.File)
	require.NoError(t, err)
	var own webhook.Config
	require.NoError(t, json.Unmarshal(data, &own))
	behind, err := url.Parse(own.URL)
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(behind)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || bytes.Contains(body, []byte(`"`+string(webhook.TypeDo)+`"`)) && h.platformFails.Add(-1) >= 0 {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write(append(body, []byte(" "+h.marks["handle"]+" "+h.marks["text"])...))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	own.URL = server.URL
	data, err = json.Marshal(own)
	require.NoError(t, err)
	conf.File = filepath.Join(t.TempDir(), "webhook.json")
	require.NoError(t, os.WriteFile(conf.File, data, 0o600))
	return conf
}

// listen has everything that is told over the channels of a file told by mail, too.
func (h *hunt) listen(file string) string {
	t := h.t
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	c, err := telling.DecodeConfig(data)
	require.NoError(t, err)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{sink: &h.mails}, nil }))
	server.Domain = "mail.test"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close()
		<-ended
	})
	c.Mail = &telling.MailConfig{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: telling.TLSNone, From: "docket@example.org"}
	for name, team := range c.Teams {
		team.Page, team.Notice = append(team.Page, telling.MailChannel), append(team.Notice, telling.MailChannel)
		team.MailTo = []string{"desk@example.org"}
		c.Teams[name] = team
	}
	data, err = json.Marshal(c)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, data, 0o600))
	return file
}

// mailSink keeps mails as they came over the wire, with their envelopes.
type mailSink struct {
	safeBuffer
	mails atomic.Int64
}

func (m *mailSink) count() int64 { return m.mails.Load() }

type mailSession struct{ sink *mailSink }

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	_, err := s.sink.Write([]byte("from " + from + "\n"))
	return err
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	_, err := s.sink.Write([]byte("to " + to + "\n"))
	return err
}

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, err = s.sink.Write(data)
	s.sink.mails.Add(1)
	return err
}
