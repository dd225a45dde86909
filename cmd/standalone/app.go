package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/classify/local"
	"github.com/docket-triage/docket/cmd/standalone/internal/temporalserver"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/enforce/dryrun"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/indexing/embedded"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/systemchain"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/console"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/worker"
	"github.com/docket-triage/docket/worker/codec"
	"github.com/docket-triage/docket/workflows"
)

// config is everything that a start may be told.
type config struct {
	Data      string
	Listen    string
	Replay    []string
	Format    string
	NoReplay  bool
	Once      bool
	Fast      bool
	Settings  workflows.Settings
	Out       io.Writer
	LogWriter io.Writer
}

// app is the whole of Docket in one process on the embedded defaults. The roles meet only over task
// queues, records, the sealed store, the index and HTTP.
type app struct {
	cfg    config
	say    *steps
	log    *slog.Logger
	folder *folder

	temporal *temporalserver.Server
	client   client.Client
	keyring  *evidence.Keyring
	records  records.Store
	sealer   *evidence.Store
	index    indexing.Index
	platform *dryrun.Platform
	ledger   *ledger.Log
	access   *access.Access
	rules    *policy.RuleSet
	metrics  *prometheus.Registry

	serve   *worker.Serve
	detect  *worker.Detect
	baseURL string
	creds   credentials
	// undo stops what was started, last first.
	undo []func(context.Context) error
}

// startApp starts everything and returns once the console answers.
func startApp(ctx context.Context, cfg config) (a *app, err error) {
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
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	var err error
	for i := len(a.undo) - 1; i >= 0; i-- {
		err = errors.Join(err, a.undo[i](ctx))
	}
	a.undo = nil
	return err
}

// stopTimeout bounds a clean stop; what is cut off then is gone on with at the next start.
const stopTimeout = 20 * time.Second

func (a *app) openStores(ctx context.Context) error {
	var err error
	dir := a.folder
	if dir.fresh {
		a.say.say("made the data folder %s", dir.dir)
	} else {
		a.say.say("opened the data folder %s", dir.dir)
	}
	a.keyring, err = evidence.OpenKeyring(ctx, evidence.KeyringOptions{Dir: dir.path("keys"), Skeleton: fold.String})
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) error { return a.keyring.Close() })
	a.records, err = sqlite.Open(ctx, sqlite.Options{Path: dir.path("records.sqlite"), Fast: a.cfg.Fast, Logger: a.log})
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) error { return a.records.Close() })
	print := a.keyring.Identity().Fingerprint()
	stands, err := a.records.SetMetaIfAbsent(ctx, "identity_key_fingerprint", print)
	if err != nil {
		return err
	}
	if stands != print {
		return fmt.Errorf("the identity key in %s is not the one that these records were written with: put the right keys folder back", dir.path("keys"))
	}
	a.sealer, err = evidence.Open(evidence.Options{Dir: dir.path("evidence"), Fast: a.cfg.Fast, Keyring: a.keyring, Rows: a.records})
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) error { return a.sealer.Close() })
	a.index, err = embedded.Open(ctx, dir.path("index.sqlite"), embedded.Options{Fast: a.cfg.Fast})
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) error { return a.index.Close() })
	a.platform, err = dryrun.Open(dir.path("dryrun.ndjson"))
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) error { return a.platform.Close() })
	a.rules, err = policy.Default()
	if err != nil {
		return err
	}
	a.metrics = prometheus.NewRegistry()
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		worker.QueueMetrics(a.records))
	a.access = access.New(a.records, access.Options{})
	a.say.say("records, sealed store, index and keys are open")
	return nil
}

func (a *app) startTemporal(ctx context.Context) error {
	var err error
	a.temporal, err = temporalserver.Start(ctx, temporalserver.Options{
		Dir: a.folder.path("temporal"), Fast: a.cfg.Fast, Namespace: worker.Namespace, Logger: a.log.With("part", "temporal-server"),
	})
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) error { return a.temporal.Stop() })
	active, keys := a.keyring.CodecKeys()
	byID := map[string][]byte{}
	for id, k := range keys {
		byID[id] = k[:]
	}
	a.client, err = worker.Dial(ctx, a.temporal.HostPort(), codec.Keys{Active: active, ByID: byID}, a.log.With("part", "temporal-client"))
	if err != nil {
		return err
	}
	a.onStop(func(context.Context) error { a.client.Close(); return nil })
	a.say.say("Temporal server runs in this process on %s", a.temporal.HostPort())
	return nil
}

// startWork starts the roles that do the work: ledger, enforce, work.
func (a *app) startWork(ctx context.Context) error {
	err := a.startLedger(ctx)
	if err != nil {
		return err
	}
	vkey, err := a.keyring.LogVerifierKey()
	if err != nil {
		return err
	}
	guard, err := enforce.NewGuard(vkey)
	if err != nil {
		return err
	}
	platforms := func(string) (enforce.Platform, error) { return a.platform, nil }
	err = a.begin(ctx, worker.NewEnforce(a.client, &activities.Actor{
		Records: a.records, Sealer: a.sealer, Guard: guard, Platforms: platforms, Log: a.log.With("role", "enforce"), Now: time.Now,
	}))
	if err != nil {
		return err
	}
	scorer, err := local.Default()
	if err != nil {
		return err
	}
	err = a.begin(ctx, worker.NewWork(worker.WorkOptions{
		Client: a.client,
		Activities: &activities.Work{
			Records: a.records, Sealer: a.sealer, Identity: a.keyring.Identity(), History: a.index, Scorer: scorer,
			Router: a.rules, Log: a.log.With("role", "work"), Now: time.Now,
		},
		Projector: &projector.Projector{Records: a.records, Sealer: a.sealer, Index: a.index, Log: a.log.With("role", "work")},
	}))
	if err != nil {
		return err
	}
	a.say.say("roles ledger, enforce and work have started")
	return nil
}

func (a *app) startLedger(ctx context.Context) error {
	skey, err := a.keyring.LogSigner()
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return fmt.Errorf("read the ledger's signing key: %w", err)
	}
	log := a.log.With("role", "ledger")
	alarms := worker.LedgerAlarms(a.metrics)
	a.ledger, err = ledger.Open(ctx, ledger.Options{
		Dir: a.folder.path("ledger"), Signer: signer, Logger: log,
		OnAlarm: func(alarm ledger.Alarm) { alarms.WithLabelValues(string(alarm.Kind)).Inc() },
	})
	if err != nil {
		return err
	}
	return a.begin(ctx, worker.NewLedger(a.client, a.ledger, &systemchain.Writer{Records: a.records, Log: a.ledger, Logger: log}))
}

// begin starts a role and has it stopped in its turn.
func (a *app) begin(ctx context.Context, r worker.Role) error {
	a.onStop(r.Stop)
	return r.Start(ctx)
}

func (a *app) startServe(ctx context.Context) error {
	_, err := a.access.EnsurePeople(ctx, access.DemoPeople())
	if err != nil {
		return err
	}
	log := a.log.With("role", "serve")
	cases := &worker.Cases{Client: a.client, Settings: a.cfg.Settings}
	titles := map[string]string{}
	for _, q := range a.rules.Queues() {
		titles[q.Name] = q.Title
	}
	door, err := intake.New(intake.Options{
		Records: a.records, Sealer: a.sealer, Identity: a.keyring.Identity(), Signals: cases, Log: log, Metrics: a.metrics,
	})
	if err != nil {
		return err
	}
	desk := review.New(review.Options{
		Records: a.records, Sealer: a.sealer, Identity: a.keyring.Identity(), Search: a.index, Workflows: cases, Log: log,
		QueueTitle: func(q string) string { return titles[q] },
		CanNotify:  func(string) bool { return a.platform.Capabilities().Notify },
		Grace:      a.cfg.Settings.Grace,
	})
	apiHandler, err := api.New(api.Options{Desk: desk, Door: door, Access: a.access, Log: log, Metrics: a.metrics})
	if err != nil {
		return err
	}
	pages, err := console.New(console.Options{Desk: desk, Access: a.access, Log: log, Queues: a.rules.Queues()})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", a.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (choose another address with --listen): %w", a.cfg.Listen, err)
	}
	a.baseURL = "http://" + listener.Addr().String()
	a.serve = worker.NewServe(worker.ServeOptions{
		Listener: listener, API: apiHandler, Console: pages, Log: a.ledger.Handler(),
		Background: []worker.Role{intake.NewSweeper(door)}, Checks: a.checks(), Metrics: a.metrics, Logger: log,
	})
	err = a.begin(ctx, a.serve)
	if err != nil {
		return err
	}
	a.say.say("role serve answers on %s", a.baseURL)
	return nil
}

func (a *app) checks() []worker.Check {
	return []worker.Check{
		{Name: "records", Ask: a.records.Ping},
		{Name: "index", Ask: a.index.Ping},
		{Name: "temporal", Ask: func(ctx context.Context) error {
			_, err := a.client.CheckHealth(ctx, &client.CheckHealthRequest{})
			return err
		}},
		{Name: "ledger", Ask: func(ctx context.Context) error {
			_, err := a.ledger.Checkpoint(ctx)
			return err
		}},
	}
}

// issue makes tokens and login links and writes credentials.json.
func (a *app) issue(ctx context.Context) error {
	people, err := a.records.ListPeople(ctx)
	if err != nil {
		return err
	}
	a.creds, err = issueCredentials(ctx, a.access, people, a.folder.path("credentials.json"), a.baseURL)
	return err
}
