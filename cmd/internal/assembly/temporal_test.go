package assembly

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/docket-triage/docket/config"
)

// certificate makes a certificate of its own authority for temporal.example, and gives its files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"temporal.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	return cert, key
}

// frontend is the little of Temporal that is asked when a role connects.
type frontend struct {
	workflowservice.UnimplementedWorkflowServiceServer
	busy atomic.Int32 // so many questions for the namespace are put off
}

func (f *frontend) DescribeNamespace(_ context.Context, r *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	if f.busy.Add(-1) >= 0 {
		return nil, serviceerror.ToStatus(serviceerror.NewUnavailable("not yet")).Err()
	}
	if r.GetNamespace() != "docket" {
		return nil, serviceerror.ToStatus(serviceerror.NewNamespaceNotFound(r.GetNamespace())).Err()
	}
	return &workflowservice.DescribeNamespaceResponse{}, nil
}

// startFrontend serves it and gives its address.
func startFrontend(t *testing.T, f *frontend, o ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(o...)
	workflowservice.RegisterWorkflowServiceServer(server, f)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// TestTemporalNamespace: a namespace that there is not ends a start, a frontend that is not ready does
// not.
func TestTemporalNamespace(t *testing.T) {
	t.Parallel()
	f := &frontend{}
	c := testConfig(t)
	c.Temporal.Address, c.Temporal.Namespace = startFrontend(t, f), "elsewhere"
	p, _ := process(t, c, config.RoleServe)
	_, err := p.Temporal(t.Context())
	require.ErrorContains(t, err, "temporal.namespace: there is no namespace elsewhere")

	f.busy.Store(1)
	c.Temporal.Namespace = "docket"
	p, _ = process(t, c, config.RoleServe)
	_, err = p.Temporal(t.Context())
	require.NoError(t, err)
}

// TestTemporalTLS: a role connects to a frontend that shows a certificate of the named authority and
// asks for the role's own.
func TestTemporalTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	authority, err := os.ReadFile(cert)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(authority))
	address := startFrontend(t, &frontend{}, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	})))
	c := testConfig(t)
	c.Temporal = config.Temporal{
		Address: address, Namespace: "docket", TLS: true,
		TLSCAFile: cert, TLSCertFile: cert, TLSKeyFile: key, TLSServerName: "temporal.example",
	}
	p, _ := process(t, c, config.RoleWork)
	_, err = p.Temporal(t.Context())
	require.NoError(t, err)
}

func TestTemporalTLSRefuses(t *testing.T) {
	t.Parallel()
	cert, _ := certificate(t)
	none := filepath.Join(t.TempDir(), "none")
	garbage := filepath.Join(t.TempDir(), "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte("no pem"), 0o600))
	for want, c := range map[string]config.Temporal{
		"read the authorities of Temporal's certificate": {TLS: true, TLSCAFile: none},
		"temporal.tls_ca_file: " + garbage + " holds no": {TLS: true, TLSCAFile: garbage},
		"read this process's certificate for Temporal":   {TLS: true, TLSCertFile: cert, TLSKeyFile: garbage},
	} {
		_, err := temporalTLS(c)
		require.ErrorContains(t, err, want)
	}
	got, err := temporalTLS(config.Temporal{TLSCAFile: none})
	require.NoError(t, err)
	require.Nil(t, got, "no TLS, nothing read")
}
