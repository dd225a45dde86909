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
	"github.com/docket-triage/docket/records"
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
	log := &logBuffer{}
	logger := loggerTo(log)
	s := &server{Bench: reviewtest.New(t, logger), t: t, log: log}
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
	return strings.NewReplacer("{case}", string(ref), "{queue}", reviewtest.Queue, "{id}", "flag-1").Replace(r.Path)
}

// TestTable walks every route as nobody and in every role, and holds the answers to the table of
// access. Refusals are on record.
func TestTable(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ref, _ := s.Open(1)
	logins := map[casefile.Role]string{
		casefile.RoleReviewer: "rev1", casefile.RoleSenior: "senior", casefile.RoleLead: "lead", casefile.RolePolicy: "policy",
		casefile.RoleAuditor: "auditor", casefile.RoleAdmin: "admin", casefile.RoleService: "detector",
	}
	require.Len(t, logins, len(casefile.Roles))
	tokens := map[string]string{}
	for _, login := range logins {
		tokens[login] = s.Token(login)
	}
	refused := 0
	for _, r := range api.Routes() {
		path := address(r, ref)
		for name, token := range map[string]string{"nobody": "", "a wrong token": "dk_api_x", "a session": "dk_ses_" + strings.Repeat("A", 43)} {
			status, header, body := s.call(r.Method, path, token, "", "")
			require.Equal(t, http.StatusUnauthorized, status, "%s %s as %s", r.Method, r.Path, name)
			require.Contains(t, header.Get("WWW-Authenticate"), "Bearer")
			require.EqualValues(t, "unauthenticated", problemOf(t, body).Code)
			refused++
		}
		for role, login := range logins {
			status, header, body := s.call(r.Method, path, tokens[login], "", "")
			allowed := access.Allowed(s.Who(login).Roles, r.Permission)
			if allowed {
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError}, status, "%s %s as %s: %s", r.Method, r.Path, role, body)
			} else {
				require.Equal(t, http.StatusForbidden, status, "%s %s as %s", r.Method, r.Path, role)
				require.Equal(t, casefile.CodeForbidden, problemOf(t, body).Code)
			}
			require.Equal(t, "no-store", header.Get("Cache-Control"))
			require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
			require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
			if status >= 400 && status < 500 {
				require.Equal(t, "application/problem+json", header.Get("Content-Type"))
				refused++
			}
		}
	}
	var all []records.Refusal
	for after := int64(0); ; {
		page, err := s.Records.Refusals(t.Context(), after, 200)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
		after = page[len(page)-1].Seq
	}
	require.Len(t, all, refused, "every refusal is on record, once")
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
