package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync/atomic"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// newTransport makes the way to the platform: HTTP/1.1, so that one connection carries one request at
// a time and losing it says something about that request alone.
func newTransport(c Config) (*http.Transport, error) {
	connect := durationOr(c.ConnectTimeout, DefaultConnectTimeout)
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connect}).DialContext,
		TLSHandshakeTimeout:    connect,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression:     true,
		MaxResponseHeaderBytes: MaxAnswer,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		// A kept connection may be dead without our knowing: what is lost on it may have arrived. Where
		// that would leave an act uncertain, each request gets a connection of its own.
		DisableKeepAlives: !c.Idempotent,
		Protocols:         new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	if c.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, casefile.Invalid("ca_file", "holds no certificate")
	}
	t.TLSClientConfig.RootCAs = pool
	return t, nil
}

// traced notes whether a request may have left: from the moment a connection was handed to it, its
// bytes may be on their way.
func traced(ctx context.Context) (context.Context, *atomic.Bool) {
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }}
	return httptrace.WithClientTrace(ctx, trace), &sent
}

// readAnswer reads an answer's body, at most one byte more than an answer may have.
func readAnswer(body io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(body, MaxAnswer+1)) }
