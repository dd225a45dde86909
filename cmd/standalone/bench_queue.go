package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/workflows"
)

type queueOptions struct {
	benchOptions
	flags     int
	perSecond int
	cases     int
	real      int
	reviewers int
	nexts     int
}

func benchQueue() *cobra.Command {
	var o queueOptions
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Measure flag to queue, and the next case from a long queue",
		Long: `Measure how long an accepted flag takes to stand in its queue, and how long a reviewer waits for the
next case of a long queue. Flags come at a fixed rate, whatever the line does. For the second, one queue
is filled with --cases rows, of which the first --real in order are cases with workflows; the others are
written straight into the records. Reviewers ask for their next case at a fixed rate, in turns from the
long queue and from one that holds nothing but as many real cases; each keeps what they claimed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.flags < 1 || o.perSecond < 1 || o.real < 1 || o.cases < o.real || o.reviewers < 1 || o.nexts < 1 {
				return errors.New("--flags, --rate, --real, --reviewers and --nexts must be at least 1, --cases at least --real")
			}
			report, err := measureQueue(cmd.Context(), o, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			return report.print(cmd.OutOrStdout(), o.json)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.flags, "flags", 300, "flags that are timed")
	f.IntVar(&o.perSecond, "rate", 10, "flags, and questions for the next case, a second")
	f.IntVar(&o.cases, "cases", 100_000, "rows in the long queue")
	f.IntVar(&o.real, "real", 1000, "cases with workflows in each of the two queues")
	f.IntVar(&o.reviewers, "reviewers", 50, "reviewers who ask")
	f.IntVar(&o.nexts, "nexts", 600, "how often the next case is asked for, in each of the two queues; at most --real")
	o.benchOptions.flags(cmd)
	return cmd
}

// times are quantiles in milliseconds.
type times struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
	N   int     `json:"n"`
}

func timesOf(list []float64) times {
	return times{P50: quantile(list, 0.5), P99: quantile(list, 0.99), Max: spread(list)[1], N: len(list)}
}

// queueReport is what the bench prints. Next is a whole call over HTTP with the claim that the workflow
// accepts; Reserve the records' part of it alone.
type queueReport struct {
	FlagToQueue  times   `json:"flag_to_queue"`
	FlagsPerS    int     `json:"flags_per_s"`
	LongNext     times   `json:"next_long"`
	ShortNext    times   `json:"next_short"`
	P99Ratio     float64 `json:"next_p99_ratio"`
	P50Ratio     float64 `json:"next_p50_ratio"`
	LongReserve  times   `json:"reserve_long"`
	ShortReserve times   `json:"reserve_short"`
	Cases        int     `json:"cases"`
	Reviewers    int     `json:"reviewers"`
	Fast         bool    `json:"fast"`
}

func measureQueue(ctx context.Context, o queueOptions, out io.Writer) (r queueReport, err error) {
	r = queueReport{Cases: o.cases, Reviewers: o.reviewers, Fast: o.fast, FlagsPerS: o.perSecond}
	b, err := startBench(ctx, o.benchOptions, workflows.Settings{Lease: time.Hour, Grace: 15 * time.Second})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r.FlagToQueue, err = b.flagToQueue(ctx, o)
	if err != nil {
		return r, err
	}
	_, _ = fmt.Fprintf(out, "flag to queue: p50 %.1f ms, p99 %.1f ms\n", r.FlagToQueue.P50, r.FlagToQueue.P99)
	long, short, err := b.fillQueues(ctx, o)
	if err != nil {
		return r, err
	}
	_, _ = fmt.Fprintf(out, "queue %s holds %d rows, queue %s %d\n", long, o.cases, short, o.real)
	people, err := b.reviewers(ctx, o.reviewers)
	if err != nil {
		return r, err
	}
	err = b.nexts(ctx, o, people, [2]string{long, short}, &r)
	if err != nil {
		return r, err
	}
	r.P50Ratio, r.P99Ratio = r.LongNext.P50/r.ShortNext.P50, r.LongNext.P99/r.ShortNext.P99
	return r, nil
}

// flagToQueue hands flags in at a fixed rate; the times are the records' own, from receipt to queue.
func (b *benchBed) flagToQueue(ctx context.Context, o queueOptions) (times, error) {
	_, err := b.submit(ctx, benchFlag("warm", 0))
	if err != nil {
		return times{}, err
	}
	took := make([]float64, o.flags)
	began := time.Now()
	err = atRate(ctx, o.perSecond, o.flags, func(ctx context.Context, n int) error {
		_, err := b.submit(ctx, benchFlag("paced", n))
		return err
	})
	if err != nil {
		return times{}, err
	}
	for n := range took {
		f := benchFlag("paced", n)
		row, err := b.records.Flag(ctx, b.keyring.Identity().Flag(f.Platform, f.ID))
		if err != nil {
			return times{}, fmt.Errorf("read a flag's times: %w", err)
		}
		if row.QueuedAt == nil || row.At.Before(began.Add(-time.Second)) {
			return times{}, fmt.Errorf("flag %s has no time in its queue", f.ID)
		}
		took[n] = millis(row.QueuedAt.Sub(row.At))
	}
	return timesOf(took), nil
}

// atRate begins n calls at a fixed rate, whether or not earlier ones have ended.
func atRate(ctx context.Context, perSecond, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pace := time.NewTicker(time.Second / time.Duration(perSecond))
	defer pace.Stop()
	var wg sync.WaitGroup
	for i := range n {
		select {
		case <-ctx.Done():
		case <-pace.C:
			wg.Go(func() {
				err := do(ctx, i)
				if err != nil {
					cancel(err)
				}
			})
		}
	}
	wg.Wait()
	return context.Cause(ctx)
}

// fillQueues makes real cases in two queues and fills the first up, behind them, with rows of the records
// alone. It waits until the index has caught up, so that nothing else runs while nexts are timed.
func (b *benchBed) fillQueues(ctx context.Context, o queueOptions) (long, short string, err error) {
	queues := make([]string, 2*o.real)
	_, err = race(ctx, 2*o.real, 32, new(int), func(ctx context.Context, n int) error {
		f := benchFlag("real", n)
		if n%2 == 1 {
			f.Reasons[0].Policy, f.Reasons[0].Rule = casefile.VE03, "support"
		}
		c, err := b.submit(ctx, f)
		queues[n] = c.Route.Queue
		return err
	})
	if err != nil {
		return "", "", fmt.Errorf("make real cases: %w", err)
	}
	for n, q := range queues {
		if q != queues[n%2] || queues[0] == queues[1] {
			return "", "", fmt.Errorf("the rules put case %d into queue %s: two queues were to be filled, %s and %s", n, q, queues[0], queues[1])
		}
	}
	long, short = queues[0], queues[1]
	_, err = race(ctx, o.cases-o.real, 32, new(int), func(ctx context.Context, n int) error { return b.fillRow(ctx, long, n) })
	if err != nil {
		return "", "", fmt.Errorf("fill a queue: %w", err)
	}
	for {
		waiting, err := b.records.IndexChanges(ctx, 1)
		if err != nil || len(waiting) == 0 {
			return long, short, err
		}
		if !b.watch.next(ctx) {
			return "", "", ctx.Err()
		}
	}
}

// fillRow writes a case without a workflow into a queue, at its end.
func (b *benchBed) fillRow(ctx context.Context, queue string, n int) error {
	now := time.Now().UTC()
	ref := casefile.AccountRef{Platform: "synthetic", ID: fmt.Sprintf("filled-%d", n)}
	account := b.keyring.Identity().Account(ref)
	flag := b.keyring.Identity().Flag(ref.Platform, ref.ID)
	_, _, err := b.records.PutFlag(ctx, records.FlagReceipt{Flag: flag, Account: account, Platform: ref.Platform, Digest: "digest", Source: "p-bench", At: now})
	if err != nil {
		return err
	}
	in, err := b.records.TakeIn(ctx, ref.Platform, account, flag, casefile.NewCaseRef(), now)
	if err != nil {
		return err
	}
	return b.records.Project(ctx, records.Projection{Now: now, Case: records.Case{
		Ref: in.Case, Account: account, State: casefile.StateQueued, Revision: 1, EvidenceRevision: 1, Flags: 1,
		Route: casefile.Route{Queue: queue, Severity: 0, Confidence: n % 4, Tier: casefile.TierAlert, DueAt: now.Add(24 * time.Hour),
			DecideBy: now.Add(48 * time.Hour), Rule: "bench", RuleSet: "bench"},
	}})
}

// reviewers adds people who review, with tokens.
func (b *benchBed) reviewers(ctx context.Context, n int) ([]*client.Client, error) {
	who, err := b.process.Access(ctx)
	if err != nil {
		return nil, err
	}
	var list []access.NewPerson
	for i := range n {
		list = append(list, access.NewPerson{Login: fmt.Sprintf("bench%d", i), Name: fmt.Sprintf("Bench Reviewer %d", i), Roles: []casefile.Role{casefile.RoleReviewer}, Team: "review"})
	}
	rows, err := who.EnsurePeople(ctx, list)
	if err != nil {
		return nil, fmt.Errorf("add reviewers: %w", err)
	}
	var out []*client.Client
	for _, p := range rows {
		token, err := who.NewAPIToken(ctx, p.Person)
		if err != nil {
			return nil, fmt.Errorf("give a reviewer a token: %w", err)
		}
		out = append(out, &client.Client{Base: b.baseURL, Token: token})
	}
	return out, nil
}

// nexts has the reviewers ask for their next case, in turns from either queue, and times the records'
// reservation by itself between.
func (b *benchBed) nexts(ctx context.Context, o queueOptions, people []*client.Client, queues [2]string, r *queueReport) error {
	n := 2 * min(o.nexts, o.real)
	took := make([]float64, n)
	var empty atomic.Int64
	err := atRate(ctx, o.perSecond, n, func(ctx context.Context, i int) error {
		began := time.Now()
		_, ok, err := people[i%len(people)].Next(ctx, queues[i%2], "")
		took[i] = millis(time.Since(began))
		if !ok {
			empty.Add(1)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for the next case: %w", err)
	}
	if empty.Load() > 0 {
		return fmt.Errorf("%d of %d questions for the next case were answered with none", empty.Load(), n)
	}
	var next, reserve [2][]float64
	for i, t := range took {
		next[i%2] = append(next[i%2], t)
	}
	for i := range 2 * o.nexts {
		now := time.Now()
		ref, ok, err := b.records.ReserveNext(ctx, records.Reservation{Queue: queues[i%2], Person: "p-bench0000", Now: now, Hold: time.Minute})
		if err != nil || !ok {
			return errors.Join(err, fmt.Errorf("reserve from queue %s: %t", queues[i%2], ok))
		}
		reserve[i%2] = append(reserve[i%2], millis(time.Since(now)))
		err = b.records.FreeReservation(ctx, ref, "p-bench0000")
		if err != nil {
			return fmt.Errorf("free a reservation: %w", err)
		}
	}
	r.LongNext, r.ShortNext = timesOf(next[0]), timesOf(next[1])
	r.LongReserve, r.ShortReserve = timesOf(reserve[0]), timesOf(reserve[1])
	return nil
}

func (r queueReport) print(out io.Writer, asJSON bool) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name string, x times, budget string) {
		_, _ = fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t%d\t%s\n", name, x.P50, x.P99, x.Max, x.N, budget)
	}
	_, _ = fmt.Fprintln(t, "milliseconds\tp50\tp99\tmax\tof\tbudget")
	row(fmt.Sprintf("flag to queue at %d/s", r.FlagsPerS), r.FlagToQueue, "p99 under 1000")
	row(fmt.Sprintf("next case from %d, %d reviewers", r.Cases, r.Reviewers), r.LongNext, "p99 under 50")
	row("next case from the short queue", r.ShortNext, "")
	row("of it reserving a row, long queue", r.LongReserve, "")
	row("of it reserving a row, short queue", r.ShortReserve, "")
	_, _ = fmt.Fprintf(t, "long against short\t%.2f\t%.2f\n", r.P50Ratio, r.P99Ratio)
	err := t.Flush()
	if err != nil || !asJSON {
		return err
	}
	return printJSON(out, r)
}
