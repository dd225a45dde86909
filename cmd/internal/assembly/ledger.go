package assembly

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/systemchain"
	"github.com/docket-triage/docket/worker"
)

func (p *Process) startLedger(ctx context.Context) error {
	store, err := p.Records(ctx)
	if err != nil {
		return err
	}
	cl, err := p.Temporal(ctx)
	if err != nil {
		return err
	}
	signer, err := p.signer(ctx)
	if err != nil {
		return err
	}
	log := p.log(config.RoleLedger)
	alarms := worker.LedgerAlarms(p.Metrics)
	opened, err := ledger.Open(ctx, ledger.Options{
		Dir: p.Config.Ledger.Dir, Signer: signer, Logger: log, CheckpointCopy: p.Config.Ledger.CheckpointCopy,
		OnAlarm: func(alarm ledger.Alarm) { alarms.WithLabelValues(string(alarm.Kind)).Inc() },
	})
	if err != nil {
		return err
	}
	set(p, &p.ledger, opened)
	err = p.Begin(ctx, worker.NewLedger(cl, opened, &systemchain.Writer{Records: store, Log: opened, Logger: log}))
	if err != nil {
		return err
	}
	return p.serveLog(ctx)
}

// signer reads the log's signing key, and refuses one that is not the half of the configured public key.
func (p *Process) signer(ctx context.Context) (note.Signer, error) {
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	skey, err := keyring.LogSigner()
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, fmt.Errorf("read the ledger's signing key: %w", err)
	}
	pinned, err := p.verifierKey()
	if err != nil || pinned == "" {
		return signer, err
	}
	v, err := note.NewVerifier(pinned)
	if err != nil || v.Name() != signer.Name() || v.KeyHash() != signer.KeyHash() {
		return nil, casefile.Invalid("ledger.verifier_key", "is not the public half of the log.key in %s", p.Config.Keys.Dir)
	}
	return signer, nil
}

// verifierKey is the log's public key as the configuration pins it; "" where it does not.
func (p *Process) verifierKey() (string, error) {
	l := p.Config.Ledger
	if l.VerifierKeyFile == "" {
		return strings.TrimSpace(l.VerifierKey), nil
	}
	data, err := os.ReadFile(l.VerifierKeyFile)
	if err != nil {
		return "", fmt.Errorf("read the log's public key: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// serveLog serves the log to everybody, where the configuration names an address for it.
func (p *Process) serveLog(ctx context.Context) error {
	if p.Config.Ledger.Listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", p.Config.Ledger.Listen)
	if err != nil {
		return fmt.Errorf("listen on ledger.listen %s: %w", p.Config.Ledger.Listen, err)
	}
	log := p.log(config.RoleLedger)
	server := worker.NewServe(worker.ServeOptions{
		Listener: listener, API: http.NotFoundHandler(), Console: http.NotFoundHandler(), Log: p.ledger.Handler(),
		Metrics: prometheus.NewRegistry(), Logger: log, // the log is for everybody, figures are not
	})
	err = p.Begin(ctx, server)
	if err != nil {
		return err
	}
	p.follow("serve the log", server.Failed())
	log.InfoContext(ctx, "answers", "address", listener.Addr().String())
	return nil
}
