package assembly

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/activities"
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
	background, err := p.beside(store, cl, log)
	if err != nil {
		return err
	}
	err = p.Metrics.Register(worker.HandlingMetrics(store, nil))
	if err != nil {
		return fmt.Errorf("register the gauges of acts and appeals: %w", err)
	}
	return p.Begin(ctx, worker.NewWork(worker.WorkOptions{
		Client: cl,
		Activities: &activities.Work{
			Records: store, Sealer: sealer, Identity: keyring.Identity(), History: index, Scorer: scorer,
			Router: rules, Log: log, Settings: p.settings(), Service: p.Config.Serve.Service, Complaints: p.Config.Serve.Complaints,
			Missed: worker.MissedDeadlines(p.Metrics), Now: time.Now,
		},
		Projector: &projector.Projector{Records: store, Sealer: sealer, Index: index, Log: log},
		Keys:      keys, Background: background, Log: log,
	}))
}

// settings are the times that cases and appeals are given.
func (p *Process) settings() workflows.Settings {
	return workflows.Settings{Lease: p.Config.Cases.Lease, Grace: p.Config.Cases.Grace}
}

// beside is what runs beside the workflows: the watch over acts, reconciling, and telling, where
// somebody is to be told.
func (p *Process) beside(store records.Store, cl client.Client, log *slog.Logger) ([]worker.Role, error) {
	watch := &worker.ActWatch{Records: store, Log: log}
	reconciler := &worker.Reconciler{Cases: &worker.Cases{Client: cl}, Records: store, Log: log}
	out := []worker.Role{worker.NewLoop(watch.Run), worker.NewLoop(reconciler.Run)}
	if p.Config.Telling.File == "" {
		return out, nil
	}
	data, err := os.ReadFile(p.Config.Telling.File)
	if err != nil {
		return nil, fmt.Errorf("read telling.file: %w", err)
	}
	c, err := telling.DecodeConfig(data)
	if err != nil {
		return nil, fmt.Errorf("read telling.file %s: %w", p.Config.Telling.File, err)
	}
	channels, err := telling.Open(c, telling.Surroundings{})
	if err != nil {
		return nil, err
	}
	sender, err := telling.New(telling.Options{
		Outbox: worker.TellingOutbox(store), Config: c, Channels: channels, Log: log, Metrics: p.Metrics,
	})
	if err != nil {
		return nil, err
	}
	return append(out, worker.NewLoop(sender.Run)), nil
}
