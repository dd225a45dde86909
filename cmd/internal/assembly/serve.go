package assembly

import (
	"context"
	"fmt"
	"net"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/console"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/worker"
)

func (p *Process) startServe(ctx context.Context) error {
	o, err := p.serveOptions(ctx)
	if err != nil {
		return err
	}
	o.Listener, err = net.Listen("tcp", p.Config.Serve.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (choose another address with --listen): %w", p.Config.Serve.Listen, err)
	}
	server := worker.NewServe(o)
	err = p.Begin(ctx, server)
	if err != nil {
		return err
	}
	p.address = o.Listener.Addr().String()
	p.follow("serve HTTP", server.Failed())
	o.Logger.InfoContext(ctx, "answers", "address", p.address)
	return nil
}

// Address is where the role serve listens, once it has started.
func (p *Process) Address() string { return p.address }

// serveOptions are everything of the role but its listener.
func (p *Process) serveOptions(ctx context.Context) (worker.ServeOptions, error) {
	none := worker.ServeOptions{}
	rules, err := p.Rules()
	if err != nil {
		return none, err
	}
	publicLog, err := p.publicLog()
	if err != nil {
		return none, err
	}
	who, err := p.Access(ctx)
	if err != nil {
		return none, err
	}
	store, err := p.Records(ctx)
	if err != nil {
		return none, err
	}
	log := p.log(config.RoleServe)
	desk, door, err := p.desk(ctx, rules)
	if err != nil {
		return none, err
	}
	handler, err := api.New(api.Options{Desk: desk, Door: door, Access: who, Log: log, Metrics: p.Metrics})
	if err != nil {
		return none, err
	}
	pages, err := console.New(console.Options{Desk: desk, Access: who, Log: log, Queues: rules.Queues(), HTTPS: p.Config.Serve.HTTPS, Now: p.now})
	if err != nil {
		return none, err
	}
	err = p.Metrics.Register(worker.QueueMetrics(store))
	if err != nil {
		return none, fmt.Errorf("register the gauges of the queues: %w", err)
	}
	eraser, err := p.eraser(ctx, true)
	if err != nil {
		return none, err
	}
	metrics := p.Metrics
	if p.Config.Health.Listen != "" {
		metrics = prometheus.NewRegistry() // there is a listener for them that the public does not see
	}
	return worker.ServeOptions{
		API: handler, Console: pages, Log: publicLog,
		Background: []worker.Role{intake.NewSweeper(door), worker.NewLoop(eraser.Run)}, Checks: p.checks(), Metrics: metrics, Logger: log,
	}, nil
}

// desk makes what people do with cases, and the door for flags.
func (p *Process) desk(ctx context.Context, rules *policy.RuleSet) (*review.Desk, *intake.Door, error) {
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return nil, nil, err
	}
	store, err := p.Records(ctx)
	if err != nil {
		return nil, nil, err
	}
	sealer, err := p.Sealer(ctx)
	if err != nil {
		return nil, nil, err
	}
	index, err := p.Index(ctx)
	if err != nil {
		return nil, nil, err
	}
	cl, err := p.Temporal(ctx)
	if err != nil {
		return nil, nil, err
	}
	log := p.log(config.RoleServe)
	cases := &worker.Cases{Client: cl, Refused: &activities.StartRefuser{Records: store, Log: log, Now: p.now}}
	who, err := p.Access(ctx)
	if err != nil {
		return nil, nil, err
	}
	signer, err := p.verbSigner(keyring)
	if err != nil {
		return nil, nil, err
	}
	door, err := intake.New(intake.Options{
		Records: store, Sealer: sealer, Identity: keyring.Identity(), Signals: cases, Reclaim: cases.Reclaim, Log: log,
		Metrics: p.Metrics, Now: p.now,
	})
	if err != nil {
		return nil, nil, err
	}
	theLog, err := p.published()
	if err != nil {
		return nil, nil, err
	}
	audit, err := p.ledgerAudit(ctx)
	if err != nil {
		return nil, nil, err
	}
	reconciler := &worker.Reconciler{Cases: cases, Records: store, Ledger: audit, Log: log, Now: p.now}
	desk := review.New(review.Options{
		Records: store, Sealer: sealer, Identity: keyring.Identity(), Search: index, Workflows: cases, Log: log,
		Service: p.Config.Serve.Service, Complaints: p.Config.Serve.Complaints,
		Signer: signer, Rules: rules, People: who, Reasons: keyring,
		Glass:      access.NewGlass(store, keyring, p.now),
		Reconciler: review.ReconcilerFunc[worker.Report](reconciler.Audit), Published: theLog,
		CanNotify: p.canNotify,
		Platforms: p.platformNames(),
		Grace:     p.Config.Cases.Grace, Lease: p.Config.Cases.Lease,
		Now: p.now, Down: p.notAnswering,
	})
	return desk, door, nil
}

// verbSigner signs what people ask of workflows: nothing but serve holds its key.
func (p *Process) verbSigner(keyring *evidence.Keyring) (*access.Signer, error) {
	id, key, err := keyring.AssertionSigner()
	if err != nil {
		return nil, fmt.Errorf("read the key that signs verbs: %w", err)
	}
	return access.NewSigner(id, key, access.AssertionFor, p.now)
}

// platformNames are the platforms that the configuration names one by one.
func (p *Process) platformNames() []string {
	var out []string
	for _, c := range p.Config.Platforms {
		if c.Name == config.AnyPlatform {
			return nil // there may be others
		}
		out = append(out, c.Name)
	}
	return out
}
