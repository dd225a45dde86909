package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/cmd/standalone/internal/temporalserver"
	"github.com/docket-triage/docket/workflows"
)

type soakOptions struct {
	benchOptions
	lasts        time.Duration
	restartEvery time.Duration
	rate         float64 // flags a second
	every        time.Duration
	grace        time.Duration
	atOnce       int
	cache        int
	profiles     string
}

func benchSoak() *cobra.Command {
	var o soakOptions
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Run the line for long with restarts, and tell what grows",
		Long: `Run flags, reviewers and restarts for a time, and record memory, goroutines, open files and the size of
every store. All roles and the Temporal server run in this process and are stopped and started in it, on
the same data, while cases wait in queues and takedowns are under way; so what a stop leaves behind adds
up, and is measured each time that everything has stopped. What a stop of the Temporal server leaves
that ran workflows of the bench's own alone is measured before, and taken off. Memory is that of the Go heap behind a
collection. Growth is the median slope between all pairs of samples (Theil-Sen) of the second half: of
samples of the same stretch for what a running process may not gather, of the stops for what a stop may
not leave. Goroutines, open files and heap must not grow beyond what the table states; the stores may.
It ends with an error where one does, or where something is outstanding at the end.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.lasts <= 0 || o.restartEvery <= 0 || o.rate <= 0 || o.every <= 0 || o.atOnce < 1 || o.cache < 2 {
				return errors.New("--for, --restart-every, --rate, --every and --at-once must be above 0, --workflow-cache above 1")
			}
			report, err := runSoak(cmd.Context(), o, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			err = report.print(cmd.OutOrStdout(), o.json)
			if err != nil {
				return err
			}
			return report.verdict()
		},
	}
	f := cmd.Flags()
	f.DurationVar(&o.lasts, "for", time.Hour, "how long")
	f.DurationVar(&o.restartEvery, "restart-every", 10*time.Minute, "how long a stretch between two restarts is")
	f.Float64Var(&o.rate, "rate", 2, "flags a second")
	f.DurationVar(&o.every, "every", 10*time.Second, "time between two samples")
	f.IntVar(&o.atOnce, "at-once", 64, "how many cases may be under way: flags wait where the line is slower than --rate")
	f.IntVar(&o.cache, "workflow-cache", 64, "workflows kept in memory: small, so that a short run fills it; a suspension waits for its end in it")
	f.DurationVar(&o.grace, "grace", 2*time.Second, "how long a decision can be withdrawn")
	f.StringVar(&o.profiles, "profiles", "", "folder for profiles of heap and goroutines at the end of each stretch and each stop; none if left out")
	o.benchOptions.flags(cmd)
	return cmd
}

// soakSample is what is measured at one moment. Sizes are in bytes.
type soakSample struct {
	Seconds    float64 `json:"s"`
	Stretch    int     `json:"stretch"`
	Stopped    bool    `json:"stopped,omitempty"` // everything had been stopped
	Lifecycles int     `json:"lifecycles"`
	UnderWay   int     `json:"under_way"`

	RSS        float64 `json:"rss"`
	Heap       float64 `json:"heap"` // behind a collection
	Goroutines float64 `json:"goroutines"`
	Files      float64 `json:"open_files"`

	Temporal float64 `json:"temporal"`
	Records  float64 `json:"records"`
	Index    float64 `json:"index"`
	Evidence float64 `json:"evidence"`
	Ledger   float64 `json:"ledger"`
	Rest     float64 `json:"rest"` // logs, the platform's own file

	Outbox      int `json:"outbox"`
	IndexBehind int `json:"index_changes"`
	Pending     int `json:"pending_flags"`
}

// soakReport is what a soak prints.
type soakReport struct {
	Seconds    float64      `json:"seconds"`
	Restarts   int          `json:"restarts"`
	Lifecycles int          `json:"lifecycles"`
	PerSecond  float64      `json:"lifecycles_per_s"`
	Carried    int          `json:"carried_over_restarts"` // cases under way at a stop, ended after it
	Backlog    backlog      `json:"backlog"`               // at the end
	Engine     soakSample   `json:"engine"`                // what a stop of the Temporal server alone leaves
	Growth     []growth     `json:"growth"`
	Faults     []string     `json:"faults"` // empty where all is well
	Samples    []soakSample `json:"samples"`
}

var errSoak = errors.New("something grew that must not, or was left")

func (r soakReport) verdict() error {
	if len(r.Faults) > 0 {
		return fmt.Errorf("%w: %s", errSoak, strings.Join(r.Faults, "; "))
	}
	return nil
}

// soak is one under way.
type soak struct {
	o     soakOptions
	out   io.Writer
	began time.Time

	mu       sync.Mutex
	next     int   // the number of the next flag
	carried  []int // flags cut off by a stop
	under    map[int]bool
	ended    int
	samples  []soakSample
	carriers int // how many were ever carried
}

func runSoak(ctx context.Context, o soakOptions, out io.Writer) (r soakReport, err error) {
	if o.data == "" {
		o.data, err = os.MkdirTemp("", "docket-soak-")
		if err != nil {
			return r, fmt.Errorf("make a scratch folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.data)) }()
	}
	worker.SetStickyWorkflowCacheSize(o.cache)
	s := &soak{o: o, out: out, began: time.Now(), under: map[int]bool{}}
	r.Engine, err = s.engine(ctx)
	if err != nil {
		return r, err
	}
	s.began = time.Now()
	_, _ = fmt.Fprintln(out, soakHead)
	end := s.began.Add(o.lasts)
	stretch := 0
	for ; ; stretch++ {
		left := time.Until(end)
		last := left <= o.restartEvery
		r.Backlog, err = s.stretch(ctx, stretch, min(left, o.restartEvery), last)
		if err != nil {
			return r, err
		}
		err = s.stopped(ctx, stretch)
		if err != nil {
			return r, err
		}
		if last {
			break
		}
	}
	r.Seconds, r.Restarts, r.Lifecycles, r.Carried = time.Since(s.began).Seconds(), stretch, s.ended, s.carriers
	r.PerSecond = float64(r.Lifecycles) / r.Seconds
	r.Samples = s.samples
	r.judge()
	return r, nil
}

// soakReviewers is how many judge, each one case at a time.
const soakReviewers = 10

// stretch runs everything until a restart is due. Only the last one waits until nothing is outstanding.
func (s *soak) stretch(ctx context.Context, number int, lasts time.Duration, last bool) (left backlog, err error) {
	b, err := startBench(ctx, s.o.benchOptions, workflows.Settings{Lease: 10 * time.Minute, Grace: s.o.grace})
	if err != nil {
		return left, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	running, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	l := newLine(b, s.o.atOnce)
	hands, err := l.review(running, soakReviewers, cut)
	if err != nil {
		return left, err
	}
	var flags sync.WaitGroup
	slots := make(chan struct{}, s.o.atOnce)
	for _, n := range s.resumed() {
		slots <- struct{}{} // no more were under way than there are
		flags.Go(func() { s.follow(running, l, n, slots, cut) })
	}
	err = s.pace(running, lasts, func() {
		flags.Go(func() { s.follow(running, l, s.number(), slots, cut) })
	}, slots, func() error { return s.sample(ctx, b, number) })
	if err == nil && last {
		flags.Wait()
		err = context.Cause(running)
		if err == nil {
			left, err = b.drained(ctx, drainPatience)
			if errors.Is(err, errBacklog) {
				err = nil
			}
		}
		if err == nil {
			err = s.sample(ctx, b, number)
		}
	}
	// Reviewers end the call that they are at: a claim cut off would stand until its lease is over.
	close(l.resting)
	hands.Wait()
	if err == nil {
		err = context.Cause(running)
	}
	cut(nil)
	flags.Wait()
	return left, errors.Join(err, s.profile(fmt.Sprintf("stretch-%d", number)))
}

// pace calls flag at the soak's rate, as slots are free, and sample at its times, until lasts is over.
func (s *soak) pace(ctx context.Context, lasts time.Duration, flag func(), slots chan struct{}, sample func() error) error {
	end := time.NewTimer(lasts)
	defer end.Stop()
	flags := time.NewTicker(time.Duration(float64(time.Second) / s.o.rate))
	defer flags.Stop()
	samples := time.NewTicker(s.o.every)
	defer samples.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			return nil
		case <-samples.C:
			err := sample()
			if err != nil {
				return err
			}
		case <-flags.C:
			select {
			case slots <- struct{}{}:
				flag()
			default: // the line is behind
			}
		}
	}
}

// follow takes one flag through to its end, or notes it for the next stretch where a stop cuts it off.
func (s *soak) follow(ctx context.Context, l *benchLine, n int, slots <-chan struct{}, fail func(error)) {
	defer func() { <-slots }()
	s.mu.Lock()
	s.under[n] = true
	s.mu.Unlock()
	err := l.through(ctx, benchFlag("soak", n), func() {})
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.under, n)
	switch {
	case err == nil:
		s.ended++
	case ctx.Err() != nil:
		s.carried = append(s.carried, n)
	default:
		fail(err)
	}
}

func (s *soak) number() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.next
}

// resumed gives what the last stop cut off.
func (s *soak) resumed() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.carried
	s.carried = nil
	s.carriers += len(list)
	return list
}

// sample measures while everything runs.
func (s *soak) sample(ctx context.Context, b *benchBed, stretch int) error {
	x, err := s.measure(stretch)
	if err != nil {
		return err
	}
	pending, err := b.records.PendingFlags(ctx, time.Now().Add(time.Hour), backlogPage)
	if err != nil {
		return fmt.Errorf("count pending flags: %w", err)
	}
	outbox, err := b.records.Unappended(ctx, backlogPage)
	if err != nil {
		return fmt.Errorf("count the outbox: %w", err)
	}
	changes, err := b.records.IndexChanges(ctx, backlogPage)
	if err != nil {
		return fmt.Errorf("count changes for the index: %w", err)
	}
	x.Pending, x.Outbox, x.IndexBehind = len(pending), len(outbox), len(changes)
	s.note(x)
	return nil
}

// Once everything was stopped, what still runs is given settleAtMost to end; it has ended when the
// number of goroutines stays the same for settleSame looks.
const (
	settleEvery  = 250 * time.Millisecond
	settleSame   = 4
	settleAtMost = 15 * time.Second
)

// engineRounds is how often the Temporal server is started and stopped alone. The first shows what stays
// for good, each of the others what one more leaves.
const engineRounds = 3

// engine measures what each stop of the Temporal server leaves in a process that holds nothing of ours:
// it does not end the workers of its own, which go on looking for it.
func (s *soak) engine(ctx context.Context) (soakSample, error) {
	var stops []soakSample
	for n := range engineRounds {
		server, err := temporalserver.Start(ctx, temporalserver.Options{Dir: filepath.Join(s.o.data, "engine"), Fast: s.o.fast})
		if err != nil {
			return soakSample{}, err
		}
		err = errors.Join(useEngine(ctx, server), server.Stop())
		if err != nil {
			return soakSample{}, err
		}
		worker.PurgeStickyWorkflowCache()
		x := soakSample{Stretch: n}
		err = settle(ctx)
		if err == nil {
			err = x.process()
		}
		if err != nil {
			return soakSample{}, err
		}
		err = s.profile(fmt.Sprintf("engine-%d", n))
		if err != nil {
			return soakSample{}, err
		}
		stops = append(stops, x)
	}
	var left soakSample
	first, last, n := stops[0], stops[len(stops)-1], float64(engineRounds-1)
	left.Goroutines = max(0, (last.Goroutines-first.Goroutines)/n)
	left.Files = max(0, (last.Files-first.Files)/n)
	left.Heap = max(0, (last.Heap-first.Heap)/n)
	_, _ = fmt.Fprintf(s.out, "a stop of the Temporal server alone leaves %.0f goroutines, %.1f open files and %.1f MB of heap\n\n", left.Goroutines, left.Files, left.Heap/mib)
	return left, nil
}

// useEngine runs workflows that do nothing through a server, so that its services have called each other.
func useEngine(ctx context.Context, server *temporalserver.Server) error {
	cl, err := client.DialContext(ctx, client.Options{HostPort: server.HostPort(), Namespace: temporalserver.DefaultNamespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return fmt.Errorf("dial the Temporal server: %w", err)
	}
	defer cl.Close()
	w, err := startBare(cl)
	if err != nil {
		return err
	}
	defer w.Stop()
	_, err = bare(ctx, cl)
	if err != nil {
		return err
	}
	parent := worker.New(cl, parentQueue, worker.Options{})
	parent.RegisterWorkflowWithOptions(runParent, workflow.RegisterOptions{Name: parentWorkflow})
	err = parent.Start()
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	defer parent.Stop()
	run, err := cl.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: parentQueue}, parentWorkflow)
	if err == nil {
		err = run.Get(ctx, nil)
	}
	if err != nil {
		return fmt.Errorf("run a workflow that starts another: %w", err)
	}
	return nil
}

const (
	parentQueue    = "bench-parent"
	parentWorkflow = "BenchParent"
)

// runParent starts another workflow, as a case starts its takedown: the server's services call themselves.
func runParent(ctx workflow.Context) error {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{TaskQueue: bareQueue})
	err := workflow.ExecuteChildWorkflow(ctx, bareWorkflow).GetChildWorkflowExecution().Get(ctx, nil)
	if err != nil {
		return fmt.Errorf("start a workflow: %w", err)
	}
	return nil
}

// stopped measures what a stop has left.
func (s *soak) stopped(ctx context.Context, stretch int) error {
	// The engine's own workers, which a stop does not end, hold the process's one cache of workflows open.
	worker.PurgeStickyWorkflowCache()
	err := settle(ctx)
	if err != nil {
		return err
	}
	x, err := s.measure(stretch)
	if err != nil {
		return err
	}
	x.Stopped = true
	s.note(x)
	return s.profile(fmt.Sprintf("stopped-%d", stretch))
}

// settle waits until the number of goroutines stays the same.
func settle(ctx context.Context) error {
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // the reviewers' side
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	end, same, before := time.Now().Add(settleAtMost), 0, goroutines()
	for same < settleSame && time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for goroutines to end: %w", ctx.Err())
		case <-tick.C:
		}
		now := goroutines()
		same++
		if now != before {
			same = 0
		}
		before = now
	}
	return nil
}

func (s *soak) measure(stretch int) (soakSample, error) {
	s.mu.Lock()
	x := soakSample{Seconds: time.Since(s.began).Seconds(), Stretch: stretch, Lifecycles: s.ended, UnderWay: len(s.under)}
	s.mu.Unlock()
	err := x.process()
	if err != nil {
		return x, err
	}
	return x, x.sizes(filepath.Join(s.o.data, "data"))
}

func (s *soak) note(x soakSample) {
	s.samples = append(s.samples, x)
	_, _ = fmt.Fprintln(s.out, x.line())
}

const mib = 1 << 20

const soakHead = "     s  ended  open |  RSS MB heap MB  gorout. files | temporal records   index evidence  ledger    rest MB | outbox index pending"

func (x soakSample) line() string {
	mark := " "
	if x.Stopped {
		mark = "stopped"
	}
	return fmt.Sprintf("%6.0f %6d %5d | %7.1f %7.1f %8.0f %5.0f | %8.1f %7.1f %7.1f %8.1f %7.1f %7.1f    | %6d %5d %7d %s",
		x.Seconds, x.Lifecycles, x.UnderWay, x.RSS/mib, x.Heap/mib, x.Goroutines, x.Files,
		x.Temporal/mib, x.Records/mib, x.Index/mib, x.Evidence/mib, x.Ledger/mib, x.Rest/mib, x.Outbox, x.IndexBehind, x.Pending, mark)
}

// growth is what came of one measure.
type growth struct {
	What string `json:"what"`
	// Each is by how much it grew a lifecycle, or a restart where AtStops is set.
	Each    float64 `json:"each"`
	AtStops bool    `json:"at_stops,omitempty"`
	// Bound is the most that Each may be, 0 where it may grow.
	Bound float64 `json:"bound,omitempty"`
	// Judged is false where there were too few samples to tell.
	Judged bool `json:"judged"`
}

func (g growth) grew() bool { return g.Judged && g.Bound > 0 && g.Each > g.Bound }

// soakMeasure is one thing that is measured, and what it may do. Over the second half it may grow by
// share of its median and slack; at the stops by perStop for each.
type soakMeasure struct {
	name   string
	of     func(soakSample) float64
	steady bool
	share  float64
	slack  float64
	// perStop is how much each stop may leave behind.
	perStop float64
}

var soakMeasures = []soakMeasure{
	{name: "goroutines", of: func(x soakSample) float64 { return x.Goroutines }, steady: true, share: 0.05, slack: 20, perStop: 2},
	{name: "open files", of: func(x soakSample) float64 { return x.Files }, steady: true, share: 0.05, slack: 8, perStop: 0.5},
	{name: "heap", of: func(x soakSample) float64 { return x.Heap }, steady: true, share: 0.10, slack: 8 * mib, perStop: mib},
	{name: "RSS", of: func(x soakSample) float64 { return x.RSS }},
	{name: "temporal", of: func(x soakSample) float64 { return x.Temporal }},
	{name: "records", of: func(x soakSample) float64 { return x.Records }},
	{name: "index", of: func(x soakSample) float64 { return x.Index }},
	{name: "evidence", of: func(x soakSample) float64 { return x.Evidence }},
	{name: "ledger", of: func(x soakSample) float64 { return x.Ledger }},
	{name: "logs and the platform's file", of: func(x soakSample) float64 { return x.Rest }},
}

// judge works out what grew from the samples.
func (r *soakReport) judge() {
	running, stops := []soakSample{}, []soakSample{}
	for _, x := range r.Samples {
		if x.Stopped {
			stops = append(stops, x)
		} else {
			running = append(running, x)
		}
	}
	running, stops = secondHalf(running), stops[len(stops)/2:]
	r.Growth, r.Faults = nil, []string{}
	for _, m := range soakMeasures {
		r.judgeRunning(m, running)
		if m.steady {
			r.judgeStops(m, stops) // less what the engine alone leaves
		}
	}
	if r.Backlog.total() > 0 {
		r.Faults = append(r.Faults, fmt.Sprintf("outstanding at the end: %+v", r.Backlog))
	}
}

// secondHalf gives the samples of the second half of each stretch: behind a start, caches fill.
func secondHalf(list []soakSample) []soakSample {
	var out []soakSample
	for first := 0; first < len(list); {
		end := first
		for end < len(list) && list[end].Stretch == list[first].Stretch {
			end++
		}
		out = append(out, list[first+(end-first)/2:end]...)
		first = end
	}
	return out
}

func (r *soakReport) judgeRunning(m soakMeasure, list []soakSample) {
	g := growth{What: m.name}
	pairs := 0
	var levels []float64
	g.Each, pairs = theilSen(list, func(x soakSample) float64 { return float64(x.Lifecycles) }, m.of, !m.steady)
	g.Judged = pairs >= 3
	if m.steady {
		for _, x := range list {
			levels = append(levels, m.of(x))
		}
		// What it may grow by is spread over the lifecycles that the longest of the stretches saw.
		g.Bound = (m.share*median(levels) + m.slack) / max(1, longest(list))
	}
	r.add(g)
}

func (r *soakReport) judgeStops(m soakMeasure, stops []soakSample) {
	g := growth{What: m.name, AtStops: true, Bound: m.perStop}
	pairs := 0
	g.Each, pairs = theilSen(stops, func(x soakSample) float64 { return float64(x.Stretch) }, m.of, true)
	g.Judged = pairs >= 1
	g.Each -= m.of(r.Engine)
	r.add(g)
}

func (r *soakReport) add(g growth) {
	r.Growth = append(r.Growth, g)
	if g.grew() {
		each := "a lifecycle"
		if g.AtStops {
			each = "a restart"
		}
		r.Faults = append(r.Faults, fmt.Sprintf("%s: %.4g %s, bound %.4g", g.What, g.Each, each, g.Bound))
	}
}

// longest is how many lifecycles ended between the first and the last sample of a stretch, at most.
func longest(list []soakSample) float64 {
	first, most := map[int]int{}, 0
	for _, x := range list {
		at, known := first[x.Stretch]
		if !known {
			first[x.Stretch] = x.Lifecycles
			continue
		}
		most = max(most, x.Lifecycles-at)
	}
	return float64(most)
}

// theilSen is the median slope over all pairs of samples, or only over those of the same stretch; pairs
// is how many there were.
func theilSen(list []soakSample, x, y func(soakSample) float64, across bool) (slope float64, pairs int) {
	var slopes []float64
	for i, a := range list {
		for _, b := range list[i+1:] {
			dx := x(b) - x(a)
			if dx > 0 && (across || a.Stretch == b.Stretch) {
				slopes = append(slopes, (y(b)-y(a))/dx)
			}
		}
	}
	if len(slopes) == 0 {
		return 0, 0
	}
	slices.Sort(slopes)
	n := len(slopes)
	return (slopes[(n-1)/2] + slopes[n/2]) / 2, n
}

func (r soakReport) print(out io.Writer, asJSON bool) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "\n%d lifecycles in %.0f s, %.2f/s; %d restarts, %d cases under way at one and ended after it\n", r.Lifecycles, r.Seconds, r.PerSecond, r.Restarts, r.Carried)
	_, _ = fmt.Fprintln(t, "\tgrew by\tbound\t")
	for _, g := range r.Growth {
		each, bound, says := "a lifecycle", "may grow", ""
		if g.AtStops {
			each = "a restart"
		}
		if g.Bound > 0 {
			bound, says = figure(g.What, g.Bound), "ok"
		}
		switch {
		case !g.Judged:
			says = "too few samples to tell"
		case g.grew():
			says = "GREW"
		}
		_, _ = fmt.Fprintf(t, "%s, %s\t%s\t%s\t%s\n", g.What, each, figure(g.What, g.Each), bound, says)
	}
	for _, f := range r.Faults {
		_, _ = fmt.Fprintf(t, "FAULT\t%s\n", f)
	}
	if len(r.Faults) == 0 {
		_, _ = fmt.Fprintln(t, "result\tnothing grew that must not, nothing is outstanding")
	}
	err := t.Flush()
	if err != nil || !asJSON {
		return err
	}
	return printJSON(out, r)
}

// figure writes a growth: bytes but for what is counted.
func figure(what string, v float64) string {
	switch {
	case what == "goroutines" || what == "open files":
		return fmt.Sprintf("%.3f", v)
	case math.Abs(v) >= mib:
		return fmt.Sprintf("%.1f MB", v/mib)
	}
	return fmt.Sprintf("%.1f KB", v/1024)
}
