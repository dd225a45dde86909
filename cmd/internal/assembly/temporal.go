package assembly

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/worker"
	"github.com/docket-triage/docket/worker/codec"
)

// Temporal connects to the cluster, waiting for one that does not answer.
func (p *Process) Temporal(ctx context.Context) (client.Client, error) {
	if p.client != nil {
		return p.client, nil
	}
	o, err := p.temporalOptions(ctx)
	if err != nil {
		return nil, err
	}
	var cl client.Client
	err = p.persist(ctx, "Temporal at "+o.HostPort, func() error {
		cl, err = dial(ctx, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s: %w", o.HostPort, err)
	}
	p.OnStop(func(context.Context) error { cl.Close(); return nil })
	set(p, &p.client, cl)
	return cl, nil
}

// dial connects, and looks for the namespace: the role serve would miss it with its first flag only.
func dial(ctx context.Context, o client.Options) (client.Client, error) {
	cl, err := client.DialContext(ctx, o)
	if err != nil {
		return nil, err
	}
	_, err = cl.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.Namespace})
	if err == nil {
		return cl, nil
	}
	cl.Close()
	var missing *serviceerror.NamespaceNotFound
	if errors.As(err, &missing) {
		return nil, casefile.Invalid("temporal.namespace", "there is no namespace %s", o.Namespace)
	}
	return nil, fmt.Errorf("look for the namespace %s: %w", o.Namespace, err)
}

// temporalOptions are those of a client that encrypts everything it sends.
func (p *Process) temporalOptions(ctx context.Context) (client.Options, error) {
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return client.Options{}, err
	}
	active, keys := keyring.CodecKeys()
	byID := map[string][]byte{}
	for id, k := range keys {
		byID[id] = k[:]
	}
	c, err := codec.New(codec.Keys{Active: active, ByID: byID}, codec.Options{})
	if err != nil {
		return client.Options{}, fmt.Errorf("make the payload codec: %w", err)
	}
	dc := codec.NewDataConverter(c)
	o := client.Options{
		HostPort: p.Config.Temporal.Address, Namespace: p.Config.Temporal.Namespace,
		Logger:        sdklog.NewStructuredLogger(p.Log.With("part", "temporal-client")),
		DataConverter: dc, FailureConverter: codec.NewFailureConverter(dc),
	}
	p.engine = worker.NewEngineWatch(dc)
	o.ConnectionOptions.DialOptions = []grpc.DialOption{p.engine.Option()}
	o.ConnectionOptions.TLS, err = temporalTLS(p.Config.Temporal)
	return o, err
}

// temporalTLS gives the settings of TLS to the frontend; nil for none.
func temporalTLS(t config.Temporal) (*tls.Config, error) {
	if !t.TLS {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.TLSServerName}
	if t.TLSCAFile != "" {
		pem, err := os.ReadFile(t.TLSCAFile)
		if err != nil {
			return nil, fmt.Errorf("read the authorities of Temporal's certificate: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, casefile.Invalid("temporal.tls_ca_file", "%s holds no certificate in PEM", t.TLSCAFile)
		}
	}
	if t.TLSCertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.TLSCertFile, t.TLSKeyFile)
		if err != nil {
			return nil, fmt.Errorf("read this process's certificate for Temporal: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}
