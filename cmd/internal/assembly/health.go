package assembly

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/worker"
)

// needs are what each role cannot work without, by the names that /readyz gives them.
var needs = map[config.Role][]string{
	config.RoleLedger:  {"records", "temporal", "ledger"},
	config.RoleEnforce: {"records", "temporal"},
	config.RoleWork:    {"records", "index", "temporal"},
	config.RoleServe:   {"records", "index", "temporal"},
	config.RoleDetect:  {"index", "door"},
}

// checks are what /readyz asks: everything that the process's roles need.
func (p *Process) checks() []worker.Check {
	var out []worker.Check
	for _, c := range []worker.Check{
		{Name: "records", Ask: p.askRecords},
		{Name: "index", Ask: p.askIndex},
		{Name: "temporal", Ask: p.askTemporal},
		{Name: "ledger", Ask: p.askLedger},
		{Name: "door", Ask: p.askDoor},
	} {
		if slices.ContainsFunc(p.roles, func(r config.Role) bool { return slices.Contains(needs[r], c.Name) }) {
			out = append(out, c)
		}
	}
	return out
}

// errNotYet is the answer of what has not been opened yet.
var errNotYet = errors.New("not open yet")

// opened reads a field that roles set while they start.
func opened[T any](p *Process, field *T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *field
}

// set sets a field that /readyz reads.
func set[T any](p *Process, field *T, v T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*field = v
}

func (p *Process) askRecords(ctx context.Context) error {
	store := opened(p, &p.records)
	if store == nil {
		return errNotYet
	}
	return store.Ping(ctx)
}

func (p *Process) askIndex(ctx context.Context) error {
	index := opened(p, &p.index)
	if index == nil {
		return errNotYet
	}
	return index.Ping(ctx)
}

func (p *Process) askTemporal(ctx context.Context) error {
	cl := opened(p, &p.client)
	if cl == nil {
		return errNotYet
	}
	_, err := cl.CheckHealth(ctx, &client.CheckHealthRequest{})
	return err
}

func (p *Process) askLedger(ctx context.Context) error {
	log := opened(p, &p.ledger)
	if log == nil {
		return errNotYet
	}
	_, err := log.Checkpoint(ctx)
	return err
}

// askDoor asks the serve role whether it lives: with a token, each answer would cost it a look-up.
func (p *Process) askDoor(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Config.Detect.Door+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("ask the door: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the door: %w", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the door: status %d", res.StatusCode)
	}
	return nil
}

// askStarted says whether every role of the process runs.
func (p *Process) askStarted(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.roles {
		if !p.started[r] {
			return errNotYet
		}
	}
	return nil
}

// Health answers /healthz, /readyz and /metrics on a listener of their own, from before the roles
// start; nowhere unless the configuration names an address.
func (p *Process) Health(ctx context.Context) error {
	if p.Config.Health.Listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", p.Config.Health.Listen)
	if err != nil {
		return fmt.Errorf("listen on health.listen %s: %w", p.Config.Health.Listen, err)
	}
	log := p.Log.With("part", "health")
	server := worker.NewServe(worker.ServeOptions{
		Listener: listener, API: http.NotFoundHandler(), Console: http.NotFoundHandler(),
		Checks: append(p.checks(), worker.Check{Name: "started", Ask: p.askStarted}), Metrics: p.Metrics, Logger: log,
	})
	err = p.Begin(ctx, server)
	if err != nil {
		return err
	}
	p.follow("serve health", server.Failed())
	log.InfoContext(ctx, "answers", "address", listener.Addr().String())
	return nil
}

// watchEvery is the time between two looks at what the roles need, watchTimeout what one may take.
const (
	watchEvery   = 5 * time.Second
	watchTimeout = 2 * time.Second
)

// Watch logs when something that the roles need stops answering and when it answers again, keeps it as a
// metric, and has every page say so. The roles themselves go on trying in either case.
func (p *Process) Watch() {
	up := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "docket_dependency_up", Help: "Whether what the process needs answers."}, []string{"name"})
	p.Metrics.MustRegister(up)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.watch(ctx, up, watchEvery)
	}()
	p.OnStop(func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}

// notAnswering names what did not answer when Watch last asked, in the order of the checks.
func (p *Process) notAnswering() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, c := range p.checks() {
		if p.down[c.Name] {
			out = append(out, c.Name)
		}
	}
	return out
}

func (p *Process) watch(ctx context.Context, up *prometheus.GaugeVec, every time.Duration) {
	down := map[string]bool{}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		for _, c := range p.checks() {
			asking, cancel := context.WithTimeout(ctx, watchTimeout)
			err := c.Ask(asking)
			cancel()
			switch {
			case ctx.Err() != nil:
				return
			case err == nil && down[c.Name]:
				p.Log.InfoContext(ctx, "answers again", "what", c.Name)
			case err != nil && !down[c.Name]:
				p.Log.ErrorContext(ctx, "does not answer, trying again", "what", c.Name, "error", err.Error())
			}
			down[c.Name] = err != nil
			value := 1.0
			if err != nil {
				value = 0
			}
			up.WithLabelValues(c.Name).Set(value)
			p.mu.Lock()
			p.down[c.Name] = down[c.Name]
			p.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
