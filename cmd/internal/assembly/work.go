package assembly

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/classify/local"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/worker"
	"github.com/docket-triage/docket/workflows"
)

func (p *Process) startWork(ctx context.Context) error {
	rules, err := p.Rules()
	if err != nil {
		return err
	}
	told, err := p.tellingConfig()
	if err != nil {
		return err
	}
	channels, err := openChannels(told)
	if err != nil {
		return err
	}
	keyring, err := p.Keyring(ctx)
	if err != nil {
		return err
	}
	store, err := p.Records(ctx)
	if err != nil {
		return err
	}
	sealer, err := p.Sealer(ctx)
	if err != nil {
		return err
	}
	index, err := p.Index(ctx)
	if err != nil {
		return err
	}
	scorer, err := local.Default()
	if err != nil {
		return err
	}
	cl, err := p.Temporal(ctx)
	if err != nil {
		return err
	}
	log := p.log(config.RoleWork)
	keys, err := keyring.AssertionKeys()
	if err != nil {
		return fmt.Errorf("read the keys that verbs are signed with: %w", err)
	}
	background, err := p.beside(ctx, told, channels, store, cl)
	if err != nil {
		return err
	}
	err = p.Metrics.Register(worker.HandlingMetrics(store, p.now))
	if err != nil {
		return fmt.Errorf("register the gauges of acts and appeals: %w", err)
	}
	return p.Begin(ctx, worker.NewWork(worker.WorkOptions{
		Client: cl,
		Activities: &activities.Work{
			Records: store, Sealer: sealer, Identity: keyring.Identity(), History: index, Scorer: through[classify.Scorer](p.Seams.Scorer, scorer),
			Router: rules, Log: log, Settings: p.settings(), Service: p.Config.Serve.Service, Complaints: p.Config.Serve.Complaints,
			Missed: worker.MissedDeadlines(p.Metrics), Now: p.now,
		},
		Projector: &projector.Projector{Records: store, Sealer: sealer, Index: index, Log: log},
		Keys:      keys, Watch: p.engine, Now: p.now, Background: background, Log: log,
	}))
}

// settings are the times that cases and appeals are given.
func (p *Process) settings() workflows.Settings {
	return workflows.Settings{Lease: p.Config.Cases.Lease, Grace: p.Config.Cases.Grace}
}

// beside is what runs beside the workflows: the watch over acts, reconciling, and telling.
func (p *Process) beside(ctx context.Context, c telling.Config, channels map[string]telling.Channel, store records.Store, cl client.Client) ([]worker.Role, error) {
	log := p.log(config.RoleWork)
	teller, err := p.teller(ctx, c, channels, store)
	if err != nil {
		return nil, err
	}
	watch := &worker.ActWatch{Records: store, Log: log, Now: p.now}
	cases := &worker.Cases{Client: cl, Refused: &activities.StartRefuser{Records: store, Log: log, Now: p.now}}
	reconciler := &worker.Reconciler{Cases: cases, Records: store, Log: log, Now: p.now}
	return []worker.Role{worker.NewLoop(watch.Run), worker.NewLoop(reconciler.Run), teller}, nil
}
