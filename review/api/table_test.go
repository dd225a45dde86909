package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/review/reviewtest"
)

var regenerate = flag.Bool("regenerate", false, "write golden files anew")

// server is an API over a bench, on a socket of its own.
type server struct {
	*reviewtest.Bench
	t       *testing.T
	handler *api.API
	url     string
	log     *logBuffer
}

type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newServer(t *testing.T) *server {
	t.Helper()
	return serverOver(t, func(*reviewtest.Bench) {})
}

// newLedgerServer is a server whose decisions go on a true log.
func newLedgerServer(t *testing.T) *server {
	t.Helper()
	return serverOver(t, func(b *reviewtest.Bench) { b.WithLedger() })
}

func serverOver(t *testing.T, with func(*reviewtest.Bench)) *server {
	t.Helper()
	log := &logBuffer{}
	logger := loggerTo(log)
	s := &server{Bench: reviewtest.New(t, logger), t: t, log: log}
	with(s.Bench)
	var err error
	s.handler, err = api.New(api.Options{Desk: s.Desk, Door: s.Door, Access: s.Access, Log: logger, Metrics: prometheus.NewRegistry()})
	require.NoError(t, err)
	listening := httptest.NewServer(s.handler)
	t.Cleanup(listening.Close)
	s.url = listening.URL
	return s
}

// as gives a client of a demo person's.
func (s *server) as(login string) *client.Client {
	return &client.Client{Base: s.url, Token: s.Token(login)}
}

// call sends a request as it stands and gives status, headers and body.
func (s *server) call(method, path, token, contentType, body string) (int, http.Header, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return res.StatusCode, res.Header, "" // goes on for ever
	}
	var out bytes.Buffer
	_, err = out.ReadFrom(res.Body)
	require.NoError(s.t, err)
	return res.StatusCode, res.Header, out.String()
}

func problemOf(t *testing.T, body string) api.Problem {
	t.Helper()
	var p api.Problem
	require.NoError(t, json.Unmarshal([]byte(body), &p), body)
	return p
}

// address fills a route's pattern in.
func address(r api.Route, ref casefile.CaseRef) string {
	return strings.NewReplacer("{case}", string(ref), "{queue}", reviewtest.Queue, "{id}", "flag-1", "{appeal}", "none", "{rule}", "none", "{glass}", "none", "{erasure}", "none").Replace(r.Path)
}

// TestNoRouteOutsideTheTable holds the description and the mux to the table.
func TestNoRouteOutsideTheTable(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(s.handler.Spec(), &doc))
	described, names := 0, map[string]bool{}
	for path, item := range doc.Paths {
		for method := range item {
			described++
			found := false
			for _, r := range api.Routes() {
				found = found || r.Path == path && strings.EqualFold(r.Method, method)
			}
			require.True(t, found, "%s %s is described but not in the table", method, path)
		}
	}
	require.Equal(t, len(api.Routes()), described)
	for _, r := range api.Routes() {
		require.False(t, names[r.Name], "two routes are named %s", r.Name)
		names[r.Name] = true
		require.Contains(t, access.Permissions(), r.Permission)
		require.NotEmpty(t, r.Summary)
	}
	for _, path := range []string{"/", "/openapi.json", "/docs", "/schemas/Problem.json", "/v1", "/v1/", "/v1/cases/x/y/z", "/metrics"} {
		status, _, body := s.call(http.MethodGet, path, s.Token("lead"), "", "")
		require.Equal(t, http.StatusNotFound, status, path)
		require.Equal(t, casefile.CodeNotFound, problemOf(t, body).Code)
	}
	status, header, _ := s.call(http.MethodDelete, "/v1/cases", s.Token("lead"), "", "")
	require.Equal(t, http.StatusMethodNotAllowed, status)
	require.Equal(t, "GET", header.Get("Allow"))
}

func TestGoldenOpenAPI(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	golden := filepath.Join("..", "..", "docs", "formats", "openapi.json")
	got := append(bytes.Clone(s.handler.Spec()), '\n')
	if *regenerate {
		require.NoError(t, os.WriteFile(golden, got, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "go test ./review/api -run TestGoldenOpenAPI -regenerate writes it anew")
	status, header, body := s.call(http.MethodGet, "/v1/openapi.json", s.Token("rev1"), "", "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "application/openapi+json", header.Get("Content-Type"))
	require.JSONEq(t, string(want), body)
}

func loggerTo(log *logBuffer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
