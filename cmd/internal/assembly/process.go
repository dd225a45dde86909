package assembly

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/worker"
)

// StopTimeout bounds a clean stop; what is cut off then is gone on with at the next start.
const StopTimeout = 20 * time.Second

// Process is one running program with some of the roles in it. Make it with New. Its methods are
// called from one goroutine, but for Failed and what /readyz asks.
type Process struct {
	// Config may be completed until the role that reads a key starts.
	Config config.Config
	// MakeKeys makes a keys folder where there is none; without it that is refused.
	MakeKeys bool
	// EraseLinger is how long an account stays shut after its key was destroyed (worker.Eraser.Linger);
	// 0 for as long as any process may hold the key.
	EraseLinger time.Duration
	Seams       Seams
	Log         *slog.Logger
	Metrics     *prometheus.Registry

	roles []config.Role

	// mu guards what /readyz looks at while roles start.
	mu      sync.Mutex
	records records.Store
	index   indexing.Index
	client  client.Client
	engine  *worker.EngineWatch // in the connection of client
	ledger  *ledger.Log
	started map[config.Role]bool
	down    map[string]bool // what does not answer, by the names of checks

	keyring  *evidence.Keyring
	adapters map[string]enforce.Platform
	sealer   *evidence.Store
	rules    *policy.RuleSet
	access   *access.Access
	address  string // of the serve role
	detect   *Detect

	failed chan error
	// undo stops what was started, last first.
	undo []func(context.Context) error
}

// New makes a process that will hold the named roles. It opens nothing.
func New(cfg config.Config, log *slog.Logger, roles ...config.Role) *Process {
	p := &Process{
		Config: cfg, Log: log, Metrics: prometheus.NewRegistry(), roles: roles,
		started: map[config.Role]bool{}, down: map[string]bool{}, failed: make(chan error, 1),
	}
	p.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return p
}

// Start puts a role together and starts it. What it needs and does not answer is waited for until ctx
// ends; what is wrong is an error.
func (p *Process) Start(ctx context.Context, role config.Role) error {
	start := map[config.Role]func(context.Context) error{
		config.RoleLedger:  p.startLedger,
		config.RoleEnforce: p.startEnforce,
		config.RoleWork:    p.startWork,
		config.RoleServe:   p.startServe,
		config.RoleDetect:  p.startDetect,
	}[role]
	if start == nil {
		return fmt.Errorf("there is no role %q", role)
	}
	err := start(ctx)
	if err != nil {
		return fmt.Errorf("start the role %s: %w", role, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started[role] = true
	return nil
}

func (p *Process) log(role config.Role) *slog.Logger { return p.Log.With("role", string(role)) }

// Begin starts a part and has it stopped in its turn.
func (p *Process) Begin(ctx context.Context, r worker.Role) error {
	p.OnStop(r.Stop)
	return r.Start(ctx)
}

// OnStop has something done when the process stops, before what was started earlier is stopped.
func (p *Process) OnStop(f func(context.Context) error) { p.undo = append(p.undo, f) }

// Stop stops everything, last started first; what is under way finishes or stays to be gone on with.
func (p *Process) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, StopTimeout)
	defer cancel()
	var err error
	for _, f := range slices.Backward(p.undo) {
		err = errors.Join(err, f(ctx))
	}
	p.undo = nil
	return err
}

// Ledger is the log that the process writes; nil without the role ledger.
func (p *Process) Ledger() *ledger.Log { return p.ledger }

// Failed tells of a part that ended by itself.
func (p *Process) Failed() <-chan error { return p.failed }

// follow hands a part's own end on to Failed until the process stops.
func (p *Process) follow(what string, ended <-chan error) {
	stopping := make(chan struct{})
	p.OnStop(func(context.Context) error { close(stopping); return nil })
	go func() {
		select {
		case <-stopping:
		case err := <-ended:
			select {
			case p.failed <- fmt.Errorf("%s: %w", what, err):
			default: // one failure is enough to stop for
			}
		}
	}()
}
