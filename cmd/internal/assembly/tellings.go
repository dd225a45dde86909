package assembly

import (
	"context"
	"fmt"
	"os"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/worker"
)

// tellingConfig reads who is told; nobody where the configuration names no file.
func (p *Process) tellingConfig() (telling.Config, error) {
	file := p.Config.Telling.File
	if file == "" {
		return telling.Config{}, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return telling.Config{}, fmt.Errorf("read who is told: %w", err)
	}
	c, err := telling.DecodeConfig(data)
	if err != nil {
		return telling.Config{}, &casefile.Error{Code: casefile.CodeInvalid, Field: "telling.file", Message: file, Err: err}
	}
	return c, nil
}

// openChannels opens the ways of a configuration, with their secrets.
func openChannels(c telling.Config) (map[string]telling.Channel, error) {
	return telling.Open(c, telling.Surroundings{})
}

// teller makes what tells people. It runs without anybody to tell as well: then it counts what nobody
// heard.
func (p *Process) teller(ctx context.Context, c telling.Config, channels map[string]telling.Channel, store records.Store) (worker.Role, error) {
	hearing, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.OnStop(func(context.Context) error { stop(); return nil })
	sender, err := telling.New(telling.Options{
		Outbox: telling.FromRecords(store), Config: c, Channels: channels, Wake: telling.Wake(hearing, store),
		Log: p.log(config.RoleWork), Metrics: p.Metrics, Now: p.now,
	})
	if err != nil {
		return nil, err
	}
	return worker.NewLoop(sender.Run), nil
}
