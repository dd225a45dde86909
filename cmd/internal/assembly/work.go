package assembly

import (
	"context"
	"time"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/classify/local"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/worker"
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
	return p.Begin(ctx, worker.NewWork(worker.WorkOptions{
		Client: cl,
		Activities: &activities.Work{
			Records: store, Sealer: sealer, Identity: keyring.Identity(), History: index, Scorer: scorer,
			Router: rules, Log: log, Now: time.Now,
		},
		Projector: &projector.Projector{Records: store, Sealer: sealer, Index: index, Log: log},
		Log:       log,
	}))
}
