package assembly

import (
	"context"
	"fmt"
	"os"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/enforce/dryrun"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/worker"
)

func (p *Process) startEnforce(ctx context.Context) error {
	guard, err := p.pinnedGuard()
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
	err = p.openAdapters()
	if err != nil {
		return err
	}
	cl, err := p.Temporal(ctx)
	if err != nil {
		return err
	}
	return p.Begin(ctx, worker.NewEnforce(cl, &activities.Actor{
		Records: store, Sealer: sealer, Guard: guard, Platforms: p.Platform, Log: p.log(config.RoleEnforce), Now: p.now,
	}))
}

// pinnedGuard makes the guard under the log's public key that the configuration pins.
func (p *Process) pinnedGuard() (*enforce.Guard, error) {
	vkey, err := p.verifierKey()
	if err != nil {
		return nil, err
	}
	guard, err := enforce.NewGuard(vkey)
	if err != nil {
		return nil, casefile.Invalid("ledger.verifier_key", "is not the public key of a log")
	}
	return guard, nil
}

// openAdapters opens the adapters, with their credentials: nothing but enforce calls it.
func (p *Process) openAdapters() error {
	p.adapters = map[string]enforce.Platform{}
	for i, c := range p.Config.Platforms {
		adapter, err := p.openAdapter(c)
		if err == nil && c.PerMinute > 0 {
			adapter, err = enforce.Limit(adapter, enforce.Rate{PerSecond: float64(c.PerMinute) / 60, Burst: max(1, c.PerMinute/60)})
		}
		if err != nil {
			return fmt.Errorf("open platforms[%d] (%s): %w", i, c.Name, err)
		}
		p.adapters[c.Name] = through(p.Seams.Platform, adapter)
	}
	return nil
}

// Platform gives the adapter that acts on a platform, once the role enforce has started.
func (p *Process) Platform(platform string) (enforce.Platform, error) {
	for _, name := range []string{platform, config.AnyPlatform} {
		adapter, ok := p.adapters[name]
		if ok {
			return adapter, nil
		}
	}
	// The act waits until somebody configures it, rather than being given up.
	return nil, casefile.Errorf(casefile.CodeUnavailable, "no adapter is configured for the platform")
}

func (p *Process) openAdapter(c config.Platform) (enforce.Platform, error) {
	switch c.Adapter {
	case config.AdapterDryrun:
		adapter, err := dryrun.Open(c.File)
		if err != nil {
			return nil, err
		}
		p.OnStop(func(context.Context) error { return adapter.Close() })
		return adapter, nil
	case config.AdapterWebhook:
		return p.openWebhook(c)
	}
	return nil, casefile.Errorf(casefile.CodeInvalid, "there is no adapter %q", c.Adapter)
}

// webhookConfig reads a webhook's own configuration.
func webhookConfig(c config.Platform) (webhook.Config, error) {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return webhook.Config{}, fmt.Errorf("read the webhook's configuration: %w", err)
	}
	own, err := webhook.ParseConfig(data)
	if err != nil {
		return webhook.Config{}, fmt.Errorf("read the webhook's configuration %s: %w", c.File, err)
	}
	if own.Notify != c.Notify {
		return webhook.Config{}, casefile.Invalid("notify", "is not what %s says: the role serve would preview notices wrongly", c.File)
	}
	return own, nil
}

func (p *Process) openWebhook(c config.Platform) (enforce.Platform, error) {
	own, err := webhookConfig(c)
	if err != nil {
		return nil, err
	}
	adapter, err := webhook.Open(own, webhook.Options{Now: p.now})
	if err != nil {
		return nil, err
	}
	p.OnStop(func(context.Context) error { return adapter.Close() })
	return adapter, nil
}

// canNotify says whether a platform's adapter can deliver a notice, from the configuration alone:
// serve asks it, and opens no adapter.
func (p *Process) canNotify(platform string) bool {
	for _, name := range []string{platform, config.AnyPlatform} {
		for _, c := range p.Config.Platforms {
			if c.Name == name {
				return c.Adapter == config.AdapterDryrun || c.Notify // a dry run can do everything
			}
		}
	}
	return false
}
