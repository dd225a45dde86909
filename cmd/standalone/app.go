package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/cmd/standalone/internal/temporalserver"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// options is everything that a start may be told.
type options struct {
	Data      string
	Listen    string
	Replay    []string
	Format    string
	NoReplay  bool
	Once      bool
	Fast      bool
	Settings  workflows.Settings
	Routing   string            // file of routing rules; those that Docket ships if ""
	Platforms []config.Platform // nil for the dry run alone
	Telling   string            // file of who is told of what; nobody if ""
	// EraseLinger is how long an account stays shut after its key was destroyed; 0 for the default.
	EraseLinger time.Duration

	CheckpointCopy string // folder that each checkpoint is copied to; none if ""
	// Prepare may change what the process is put together from, before it opens anything. No command sets it.
	Prepare func(*assembly.Process)

	Out       io.Writer
	LogWriter io.Writer
}

// app is the whole of Docket in one process on the embedded defaults: all five roles, put together as
// in production, over files in the data folder and a Temporal server of its own.
type app struct {
	cfg     options
	say     *steps
	log     *slog.Logger
	folder  *folder
	process *assembly.Process

	// What the process has opened, at hand.
	keyring  *evidence.Keyring
	records  records.Store
	temporal *temporalserver.Server

	baseURL string
	creds   credentials
	// undo stops what was started, last first.
	undo []func(context.Context) error
}

// startApp starts everything and returns once the console answers.
func startApp(ctx context.Context, cfg options) (a *app, err error) {
	a = &app{cfg: cfg, say: newSteps(cfg.Out), log: slog.New(slog.NewJSONHandler(cfg.LogWriter, nil))}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.stop(context.WithoutCancel(ctx)))
		}
	}()
	a.folder, err = openFolder(cfg.Data)
	if err != nil {
		return a, err
	}
	a.onStop(func(context.Context) error { return a.folder.close() })
	a.process = assembly.New(a.configuration(), a.log, config.RoleLedger, config.RoleEnforce, config.RoleWork, config.RoleServe)
	a.process.MakeKeys = true
	a.process.EraseLinger = cfg.EraseLinger
	if cfg.Prepare != nil {
		cfg.Prepare(a.process)
	}
	a.onStop(a.process.Stop)
	for _, step := range []func(context.Context) error{a.openStores, a.startTemporal, a.startWork, a.startServe, a.issue} {
		err = step(ctx)
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *app) onStop(f func(context.Context) error) { a.undo = append(a.undo, f) }

// stop stops everything, last started first; what is under way finishes or stays to be gone on with.
func (a *app) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, assembly.StopTimeout)
	defer cancel()
	var err error
	for i := len(a.undo) - 1; i >= 0; i-- {
		err = errors.Join(err, a.undo[i](ctx))
	}
	a.undo = nil
	return err
}

// configuration is what production's file would say of this data folder.
func (a *app) configuration() config.Config {
	dir := a.folder
	c := config.Default()
	c.Fast = a.cfg.Fast
	c.Keys.Dir = dir.path("keys")
	c.Records.SQLite = dir.path("records.sqlite")
	c.Evidence.Dir = dir.path("evidence")
	c.Temporal.Namespace = temporalserver.DefaultNamespace
	c.Index.Embedded = dir.path("index.sqlite")
	c.Ledger.Dir = dir.path("ledger")
	c.Ledger.CheckpointCopy = a.cfg.CheckpointCopy
	c.Ledger.VerifierKeyFile = dir.path("keys", "log.pub")
	c.Cases = config.Cases{Lease: a.cfg.Settings.Lease, Grace: a.cfg.Settings.Grace}
	c.Policy.Routing = a.cfg.Routing
	c.Telling.File = a.cfg.Telling
	c.Platforms = a.cfg.Platforms
	if len(c.Platforms) == 0 {
		c.Platforms = []config.Platform{{Name: config.AnyPlatform, Adapter: config.AdapterDryrun, File: dir.path("dryrun.ndjson")}}
	}
	c.Serve.Listen = a.cfg.Listen
	c.Detect.Format = a.cfg.Format
	c.Detect.Snapshot = dir.path("detector.snapshot")
	c.Detect.Rejects = dir.path("rejects.ndjson")
	c.Detect.WatchAll = true
	return c
}

func (a *app) openStores(ctx context.Context) error {
	if a.folder.fresh {
		a.say.say("made the data folder %s", a.folder.dir)
	} else {
		a.say.say("opened the data folder %s", a.folder.dir)
	}
	var err error
	a.keyring, err = a.process.Keyring(ctx)
	if err != nil {
		return err
	}
	a.records, err = a.process.Records(ctx)
	if err != nil {
		return err
	}
	_, err = a.process.Sealer(ctx)
	if err != nil {
		return err
	}
	_, err = a.process.Index(ctx)
	if err != nil {
		return err
	}
	a.say.say("records, sealed store, index and keys are open")
	return nil
}

func (a *app) startTemporal(ctx context.Context) error {
	var err error
	a.temporal, err = temporalserver.Start(ctx, temporalserver.Options{
		Dir: a.folder.path("temporal"), Fast: a.cfg.Fast, Namespace: a.process.Config.Temporal.Namespace, Logger: a.log.With("part", "temporal-server"),
	})
	if err != nil {
		return err
	}
	a.process.OnStop(func(context.Context) error { return a.temporal.Stop() })
	a.process.Config.Temporal.Address = a.temporal.HostPort()
	a.say.say("Temporal server runs in this process on %s", a.temporal.HostPort())
	return nil
}

// startWork starts the roles that do the work: ledger, enforce, work.
func (a *app) startWork(ctx context.Context) error {
	for _, role := range []config.Role{config.RoleLedger, config.RoleEnforce, config.RoleWork} {
		err := a.process.Start(ctx, role)
		if err != nil {
			return err
		}
	}
	a.say.say("roles ledger, enforce and work have started")
	return nil
}

func (a *app) startServe(ctx context.Context) error {
	who, err := a.process.Access(ctx)
	if err != nil {
		return err
	}
	_, err = who.EnsurePeople(ctx, access.DemoPeople())
	if err != nil {
		return err
	}
	err = a.process.Start(ctx, config.RoleServe)
	if err != nil {
		return err
	}
	a.process.Watch()
	a.baseURL = "http://" + a.process.Address()
	a.say.say("role serve answers on %s", a.baseURL)
	return nil
}

// issue makes tokens and login links and writes credentials.json.
func (a *app) issue(ctx context.Context) error {
	who, err := a.process.Access(ctx)
	if err != nil {
		return err
	}
	people, err := a.records.ListPeople(ctx)
	if err != nil {
		return err
	}
	a.creds, err = issueCredentials(ctx, who, people, a.folder.path("credentials.json"), a.baseURL)
	return err
}
