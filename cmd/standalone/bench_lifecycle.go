package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/workflows"
)

type lifecycleOptions struct {
	benchOptions
	rounds int
	each   int
	atOnce int
	grace  time.Duration
	// profile and bareProfile are files for CPU profiles of either kind of round; none if "".
	profile, bareProfile string
}

func benchLifecycle() *cobra.Command {
	var o lifecycleOptions
	cmd := &cobra.Command{
		Use:   "lifecycle",
		Short: "Measure whole cases against a bare Temporal workflow on the same server",
		Long: `Measure whole cases against a bare Temporal workflow in the same process and on the same server.
A lifecycle is everything from a flag to a closed case: the flag over HTTP, findings, route, claim
and opinion over HTTP, decision and proof on the ledger, dry-run takedown, notice, archive, with every
entry and projection on. The bare workflow has three activities that do nothing and one signal. Rounds
of the two take turns, so that both see the same machine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.rounds < 1 || o.each < 1 || o.atOnce < 1 {
				return errors.New("--rounds, --each and --at-once must be at least 1")
			}
			report, err := measureLifecycle(cmd.Context(), o, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			return report.print(cmd.OutOrStdout(), o.json)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.rounds, "rounds", 5, "rounds of each of the two")
	f.IntVar(&o.each, "each", 300, "lifecycles, and bare workflows, in a round")
	f.IntVar(&o.atOnce, "at-once", 64, "how many are under way at once")
	f.DurationVar(&o.grace, "grace", 50*time.Millisecond, "how long a decision can be withdrawn")
	f.StringVar(&o.profile, "cpu-profile", "", "write a CPU profile of the last round of lifecycles to this file")
	f.StringVar(&o.bareProfile, "bare-cpu-profile", "", "write a CPU profile of the last round of bare workflows to this file")
	o.benchOptions.flags(cmd)
	return cmd
}

func (o *benchOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.fast, "fast", false, "do not wait for the disk at each commit, in every store and in Temporal's")
	f.StringVar(&o.data, "scratch", "", "keep everything in this folder; a temporary one, deleted afterwards, if left out")
	f.BoolVar(&o.json, "json", false, "print one JSON object as the last line")
}

// lap is one round of one of the two.
type lap struct {
	perSecond float64
	cpu       time.Duration // a lifecycle
}

// lifecycleReport is what the bench prints. Rates are medians over the rounds, ratios medians of each
// round's, with the smallest and the greatest.
type lifecycleReport struct {
	PerSecond     float64    `json:"lifecycles_per_s"`
	BarePerSecond float64    `json:"bare_per_s"`
	RateRatio     float64    `json:"rate_ratio"`
	RateSpread    [2]float64 `json:"rate_ratio_spread"`
	CPUMillis     float64    `json:"cpu_ms"`
	BareCPUMillis float64    `json:"bare_cpu_ms"`
	CPURatio      float64    `json:"cpu_ratio"`
	CPUSpread     [2]float64 `json:"cpu_ratio_spread"`
	// Events and Operations are a lifecycle's: history events, and state transitions of the server.
	Events         float64 `json:"events"`
	BareEvents     float64 `json:"bare_events"`
	Operations     float64 `json:"operations"`
	BareOperations float64 `json:"bare_operations"`
	Rounds         int     `json:"rounds"`
	Each           int     `json:"each"`
	AtOnce         int     `json:"at_once"`
	Fast           bool    `json:"fast"`
}

func measureLifecycle(ctx context.Context, o lifecycleOptions, out io.Writer) (report lifecycleReport, err error) {
	b, err := startBench(ctx, o.benchOptions, workflows.Settings{Lease: 10 * time.Minute, Grace: o.grace})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	cl, err := b.process.Temporal(ctx)
	if err != nil {
		return report, err
	}
	w, err := startBare(cl)
	if err != nil {
		return report, err
	}
	defer w.Stop()
	var cases, bares []string
	var mu sync.Mutex
	whole := func(ctx context.Context, n int) error {
		ids, err := b.lifecycle(ctx, n)
		mu.Lock()
		defer mu.Unlock()
		cases = append(cases, ids...)
		return err
	}
	one := func(ctx context.Context, _ int) error {
		id, err := bare(ctx, cl)
		mu.Lock()
		defer mu.Unlock()
		bares = append(bares, id)
		return err
	}
	// The first of each warms caches and plans up; they do not count.
	next := 0
	_, err = race(ctx, min(o.each, o.atOnce), o.atOnce, &next, whole)
	if err == nil {
		_, err = race(ctx, min(o.each, o.atOnce), o.atOnce, new(int), one)
	}
	if err != nil {
		return report, err
	}
	cases, bares = nil, nil
	var wholeLaps, bareLaps []lap
	for round := range o.rounds {
		var x, y lap
		err = profiled(o.profile, round == o.rounds-1, func() (err error) {
			x, err = race(ctx, o.each, o.atOnce, &next, whole)
			return err
		})
		if err != nil {
			return report, err
		}
		err = profiled(o.bareProfile, round == o.rounds-1, func() (err error) {
			y, err = race(ctx, o.each, o.atOnce, new(int), one)
			return err
		})
		if err != nil {
			return report, err
		}
		wholeLaps, bareLaps = append(wholeLaps, x), append(bareLaps, y)
		_, _ = fmt.Fprintf(out, "round %d: %.1f lifecycles/s, %.1f bare/s, ratio %.2f; CPU %.1f ms and %.1f ms, ratio %.2f\n", round+1,
			x.perSecond, y.perSecond, x.perSecond/y.perSecond, millis(x.cpu), millis(y.cpu), float64(x.cpu)/float64(y.cpu))
	}
	report = lifecycleReport{Rounds: o.rounds, Each: o.each, AtOnce: o.atOnce, Fast: o.fast}
	report.rates(wholeLaps, bareLaps)
	report.Events, report.Operations, err = b.histories(ctx, cl, cases, o.rounds*o.each)
	if err != nil {
		return report, err
	}
	report.BareEvents, report.BareOperations, err = b.histories(ctx, cl, bares, o.rounds*o.each)
	return report, err
}

// profiled runs do, and writes a CPU profile of it where a file is named and it is wanted.
func profiled(file string, wanted bool, do func() error) (err error) {
	if file == "" || !wanted {
		return do()
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("make the profile: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	err = pprof.StartCPUProfile(f)
	if err != nil {
		return fmt.Errorf("start the profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return do()
}

// race runs n of do, atOnce at a time, and times them. next numbers them across rounds.
func race(ctx context.Context, n, atOnce int, next *int, do func(context.Context, int) error) (lap, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	first := *next
	*next += n
	before, err := cpuTime()
	if err != nil {
		return lap{}, err
	}
	began := time.Now()
	var wg sync.WaitGroup
	var taken atomic.Int64
	for range min(atOnce, n) {
		wg.Go(func() {
			for {
				i := int(taken.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				err := do(ctx, first+i)
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return lap{}, context.Cause(ctx)
	}
	took := time.Since(began)
	after, err := cpuTime()
	if err != nil {
		return lap{}, err
	}
	return lap{perSecond: float64(n) / took.Seconds(), cpu: (after - before) / time.Duration(n)}, nil
}

// lifecycle takes one case from its flag to its end and gives the ids of its workflows.
func (b *benchBed) lifecycle(ctx context.Context, n int) ([]string, error) {
	f := benchFlag("life", n)
	c, err := b.submit(ctx, f)
	if err != nil {
		return nil, err
	}
	decision, err := b.judge(ctx, c.Ref, f.Evidence[0].ID, []string{"rev1", "rev2", "rev3"})
	if err != nil {
		return nil, err
	}
	_, err = b.watch.until(ctx, c.Ref, func(c records.Case) (bool, error) {
		if c.State != casefile.StateClosed {
			return false, nil
		}
		d, err := b.records.Decision(ctx, decision)
		if err != nil || d.State == casefile.DecisionFailed || d.State == casefile.DecisionUncertain {
			return false, errors.Join(err, fmt.Errorf("the decision is %s", d.State))
		}
		if d.State != casefile.DecisionDone {
			return false, nil
		}
		notice, err := b.records.Notice(ctx, decision)
		return notice.State == casefile.NoticeSent, err
	})
	account := b.keyring.Identity().Account(f.Ref())
	return []string{casefile.CaseWorkflowID(f.Platform, account), casefile.TakedownWorkflowID(c.Ref, decision)}, err
}

// judge gives opinions until the case is decided: one, or where it is one of the share that is sent to a
// second person, two. It gives the decision's id.
func (b *benchBed) judge(ctx context.Context, ref casefile.CaseRef, post string, people []string) (string, error) {
	form := casefile.OpinionForm{Rationale: "[rationale of a bench]", Relied: []string{post}}
	form.Action, form.Policies, form.EntityTier = casefile.L4, []casefile.PolicyCode{casefile.VE08}, casefile.E2
	form.Mitigations = map[casefile.Mitigation]casefile.Answer{}
	for _, m := range casefile.Mitigations {
		form.Mitigations[m] = casefile.AnswerNo
	}
	for _, login := range people {
		c := b.as(login)
		call := review.VerbCall{Case: ref}
		claimed, err := c.Claim(ctx, call)
		if err != nil {
			return "", fmt.Errorf("claim a case as %s: %w", login, err)
		}
		given, err := c.Opinion(ctx, review.OpinionCall{VerbCall: call, Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision, Form: form})
		if err != nil {
			return "", fmt.Errorf("give an opinion as %s: %w", login, err)
		}
		if given.Decision != "" {
			return given.Decision, nil
		}
	}
	return "", fmt.Errorf("case %s is not decided after %d opinions", ref, len(people))
}

// histories counts events and state transitions of workflows, divided by how many lifecycles they are.
func (b *benchBed) histories(ctx context.Context, cl client.Client, ids []string, lifecycles int) (events, operations float64, err error) {
	for _, id := range ids {
		d, err := cl.DescribeWorkflowExecution(ctx, id, "")
		if err != nil {
			return 0, 0, fmt.Errorf("read the length of a history: %w", err)
		}
		events += float64(d.GetWorkflowExecutionInfo().GetHistoryLength())
		operations += float64(d.GetWorkflowExecutionInfo().GetStateTransitionCount())
	}
	return events / float64(lifecycles), operations / float64(lifecycles), nil
}

func (r *lifecycleReport) rates(whole, bare []lap) {
	var rate, bareRate, cpu, bareCPU, rateRatio, cpuRatio []float64
	for i, x := range whole {
		y := bare[i]
		rate, bareRate = append(rate, x.perSecond), append(bareRate, y.perSecond)
		cpu, bareCPU = append(cpu, millis(x.cpu)), append(bareCPU, millis(y.cpu))
		rateRatio = append(rateRatio, x.perSecond/y.perSecond)
		cpuRatio = append(cpuRatio, float64(x.cpu)/float64(y.cpu))
	}
	r.PerSecond, r.BarePerSecond = median(rate), median(bareRate)
	r.CPUMillis, r.BareCPUMillis = median(cpu), median(bareCPU)
	r.RateRatio, r.RateSpread = median(rateRatio), spread(rateRatio)
	r.CPURatio, r.CPUSpread = median(cpuRatio), spread(cpuRatio)
}

func (r lifecycleReport) print(out io.Writer, asJSON bool) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, a, b float64) {
		_, _ = fmt.Fprintf(t, "%s\t"+format+"\t"+format+"\n", name, a, b)
	}
	_, _ = fmt.Fprintln(t, "\tlifecycle\tbare workflow")
	row("per second", "%.1f", r.PerSecond, r.BarePerSecond)
	row("CPU, ms each", "%.1f", r.CPUMillis, r.BareCPUMillis)
	row("history events each", "%.1f", r.Events, r.BareEvents)
	row("state transitions each", "%.1f", r.Operations, r.BareOperations)
	_, _ = fmt.Fprintf(t, "rate, ratio\t%.2f\t(%.2f to %.2f over %d rounds; budget 0.5 at least)\n", r.RateRatio, r.RateSpread[0], r.RateSpread[1], r.Rounds)
	_, _ = fmt.Fprintf(t, "CPU, ratio\t%.2f\t(%.2f to %.2f; budget 2.5 at most)\n", r.CPURatio, r.CPUSpread[0], r.CPUSpread[1])
	err := t.Flush()
	if err != nil || !asJSON {
		return err
	}
	return printJSON(out, r)
}

func printJSON(out io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the figures: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", data)
	return err
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(list []float64) float64 { return quantile(list, 0.5) }

// quantile is the smallest value that at least the share q of the list does not exceed.
func quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	return s[min(len(s)-1, int(q*float64(len(s))))]
}

func spread(list []float64) [2]float64 {
	if len(list) == 0 {
		return [2]float64{}
	}
	return [2]float64{slices.Min(list), slices.Max(list)}
}
