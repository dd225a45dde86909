package assembly

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/docket-triage/docket/config"
)

// Run is the whole life of a process with one role: it checks the configuration, answers health,
// starts the role, and stops it when ctx ends, when a part of it fails, or, for detect, when the
// stream has been read to its end. A stop that was asked for is no error, even before the role stood.
func Run(ctx context.Context, cfg config.Config, role config.Role, log *slog.Logger) error {
	err := cfg.Check(role)
	if err != nil {
		return err
	}
	p := New(cfg, log, role)
	err = p.live(ctx, role)
	if ctx.Err() != nil {
		p.log(role).InfoContext(ctx, "stopping: what is under way is finished or kept")
		if errors.Is(err, ctx.Err()) {
			err = nil
		}
	}
	stopped := p.Stop(context.WithoutCancel(ctx))
	if stopped != nil {
		stopped = fmt.Errorf("stop the role %s: %w", role, stopped)
	}
	err = errors.Join(err, stopped)
	if err == nil {
		p.log(role).InfoContext(ctx, "stopped")
	}
	return err
}

func (p *Process) live(ctx context.Context, role config.Role) error {
	err := p.Health(ctx)
	if err != nil {
		return err
	}
	err = p.Start(ctx, role)
	if err != nil {
		return err
	}
	p.Watch()
	p.log(role).InfoContext(ctx, "started")
	var ended <-chan struct{}
	if p.detect != nil {
		ended = p.detect.Done()
	}
	select {
	case <-ctx.Done():
		return nil
	case err = <-p.Failed():
		return err
	case <-ended:
		err = p.detect.Err()
		if err != nil {
			return fmt.Errorf("detect: %w", err)
		}
		p.log(role).InfoContext(ctx, "the stream has been read to its end", "events", p.detect.Counts().Events, "flags", p.detect.Counts().Flags)
		return nil
	}
}
