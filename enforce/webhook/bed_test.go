package webhook_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
)

// TestMain keeps the machine's own proxies out: what they answer is not what is tested.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		_ = os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

var testNow = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func clock() time.Time { return testNow }

// allKinds are the acts of a platform that can do everything.
var allKinds = []casefile.ActKind{
	casefile.ActWarn, casefile.ActLabel, casefile.ActLimit, casefile.ActRemovePost,
	casefile.ActSuspend, casefile.ActTerminate, casefile.ActBlockIdentifiers,
}

// secretFile writes a secret where a configuration can name it.
func secretFile(t *testing.T, secret string) webhook.SecretSource {
	t.Helper()
	path := filepath.Join(t.TempDir(), "webhook.secret")
	require.NoError(t, os.WriteFile(path, []byte(secret+"\n"), 0o600))
	return webhook.SecretSource{File: path}
}

// serve serves a handler over TLS and gives its address and the file of its authority. What the
// server says about connections that break is not shown.
func serve(t *testing.T, h http.Handler) (server *httptest.Server, caFile string) {
	t.Helper()
	server = httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, authority(t, server)
}

// authority writes a server's own certificate down as the one authority to trust.
func authority(t *testing.T, server *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(path, block, 0o600))
	return path
}

// configFor is a platform that can do everything, at an address.
func configFor(t *testing.T, url, caFile, secret string, idempotent bool) webhook.Config {
	t.Helper()
	return webhook.Config{
		URL: url, CAFile: caFile, Secrets: []webhook.SecretSource{secretFile(t, secret)},
		Idempotent: idempotent, Lookup: true, Notify: true, Acts: allKinds, Undo: allKinds,
	}
}

func open(t *testing.T, c webhook.Config) *webhook.Platform {
	t.Helper()
	p, err := webhook.Open(c, webhook.Options{Now: clock})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// bed is the test platform behind a server, and the adapter that reaches it.
type bed struct {
	t        *testing.T
	path     string
	secret   string
	receiver *receiver.Receiver
	server   *httptest.Server
	config   webhook.Config
	platform *webhook.Platform
}

// newBed starts a test platform that keeps keys apart, or one that does not; the configuration states
// which.
func newBed(t *testing.T, idempotent bool) *bed {
	t.Helper()
	b := &bed{t: t, path: filepath.Join(t.TempDir(), "receiver.ndjson"), secret: webhook.NewSecret()}
	b.receiver = b.newReceiver(idempotent)
	var caFile string
	b.server, caFile = serve(t, b.receiver)
	b.config = configFor(t, b.server.URL+"/docket", caFile, b.secret, idempotent)
	b.platform = open(t, b.config)
	return b
}

func (b *bed) newReceiver(idempotent bool) *receiver.Receiver {
	b.t.Helper()
	r, err := receiver.New(receiver.Options{File: b.path, Secrets: []string{b.secret}, Forgetful: !idempotent, Now: clock})
	require.NoError(b.t, err)
	b.t.Cleanup(func() { require.NoError(b.t, r.Close()) })
	return r
}

func (b *bed) inject(f receiver.Fault) {
	b.t.Helper()
	require.NoError(b.t, b.receiver.Inject(f))
}

// lines are what the test platform's file says was done.
func (b *bed) lines() []receiver.Line {
	b.t.Helper()
	lines, err := receiver.Read(b.path)
	require.NoError(b.t, err)
	return lines
}

// handler serves one scripted answer to everything.
func handler(status int, header http.Header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// openOn is the adapter on a scripted handler.
func openOn(t *testing.T, h http.Handler, idempotent bool) *webhook.Platform {
	t.Helper()
	server, caFile := serve(t, h)
	return open(t, configFor(t, server.URL, caFile, webhook.NewSecret(), idempotent))
}

// openPlain is openOn without TLS, for scripts with very many answers.
func openPlain(t *testing.T, h http.Handler, idempotent bool) *webhook.Platform {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return open(t, configFor(t, server.URL, "", webhook.NewSecret(), idempotent))
}

// arrivals tells of each request that has come in whole before h sees it.
func arrivals(h http.Handler) (http.Handler, <-chan struct{}) {
	arrived := make(chan struct{}, 64)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		arrived <- struct{}{}
		h.ServeHTTP(w, r)
	}), arrived
}

// expiring is a context whose deadline passes when a request has arrived, not by a clock.
type expiring struct {
	context.Context
	over chan struct{}
}

func expireOn(ctx context.Context, arrived <-chan struct{}) expiring {
	e := expiring{Context: ctx, over: make(chan struct{})}
	go func() { <-arrived; close(e.over) }()
	return e
}

// Done is closed when the deadline has passed.
func (e expiring) Done() <-chan struct{} { return e.over }

// Err is context.DeadlineExceeded from then on.
func (e expiring) Err() error {
	select {
	case <-e.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// brokenTLS is a listener that answers a TLS handshake with nothing.
func brokenTLS(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return nil, io.ErrUnexpectedEOF
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}
