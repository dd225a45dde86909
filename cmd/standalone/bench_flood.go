package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// peakDay is ten times what Twitter suspended for terrorism on a day at its peak, 2,050 accounts.
const peakDay = 20_500

// dayRate is that day's mean rate in takedowns a second.
const dayRate = peakDay / (24.0 * 60 * 60)

type floodOptions struct {
	benchOptions
	takedowns int
	atOnce    int
	people    int
	grace     time.Duration
	every     time.Duration // between two lines of progress
}

func benchFlood() *cobra.Command {
	var o floodOptions
	cmd := &cobra.Command{
		Use:   "flood",
		Short: "Put a day of takedowns through as fast as the line takes them, and count everything at its end",
		Long: fmt.Sprintf(`Put a day at ten times Twitter's peak through the line (%d takedowns), time compressed: flags of as many
accounts over HTTP, reviewers who take their next case from the queue, open it and judge it, of ten cases
eight suspensions, one removal of posts and one termination by two people, and a platform that only writes
down what it would do. At the end everything is counted where it stands: flags accepted, cases closed,
decisions, takedowns done and notices, in the records, on the ledger, which is verified whole, and in the
platform's own file. It ends with an error where two counts differ or something is outstanding.`, peakDay),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.takedowns < 1 || o.atOnce < 1 || o.people < 2 {
				return errors.New("--takedowns and --at-once must be at least 1, --reviewers at least 2")
			}
			report, err := runFlood(cmd.Context(), o, cmd.OutOrStdout())
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
	f.IntVar(&o.takedowns, "takedowns", peakDay, "how many accounts are flagged and taken down")
	f.IntVar(&o.atOnce, "at-once", 64, "how many are under way at once")
	f.IntVar(&o.people, "reviewers", 20, "reviewers, each with one case at a time")
	f.DurationVar(&o.grace, "grace", 50*time.Millisecond, "how long a decision can be withdrawn")
	f.DurationVar(&o.every, "progress", 30*time.Second, "time between two lines of progress")
	o.benchOptions.flags(cmd)
	return cmd
}

// floodCounts are what stands where at the end of a flood.
type floodCounts struct {
	Flags int `json:"flags_accepted"` // answered with 202

	CasesClosed int `json:"cases_closed"` // in the records
	Done        int `json:"takedowns_done"`
	Sent        int `json:"notices_sent"`
	ActsDone    int `json:"acts_done"`

	LedgerFlags     int `json:"ledger_flags"`
	LedgerDecisions int `json:"ledger_decisions"`
	LedgerTakedowns int `json:"ledger_takedowns"` // outcomes in which every act was done
	LedgerNotices   int `json:"ledger_notices"`
	LedgerClosed    int `json:"ledger_closed"`
	LedgerPlanned   int `json:"ledger_acts_planned"`
	LedgerActs      int `json:"ledger_acts_done"`

	PlatformTakedowns int `json:"platform_takedowns"` // decisions with an act in the platform's own file
	PlatformActs      int `json:"platform_acts"`      // different ones
	PlatformNotices   int `json:"platform_notices"`
	PlatformTwice     int `json:"platform_twice"` // lines of something that stands there already
	PlatformUndone    int `json:"platform_undone"`
}

// count is one figure with its name, as the table and a difference call it.
type count struct {
	name string
	n    int
}

// takedowns are the figures that must be as many as the takedowns asked for; acts those that must be
// equal to each other, because a takedown may take several.
func (c floodCounts) takedowns() []count {
	return []count{
		{"flags accepted", c.Flags}, {"flags on the ledger", c.LedgerFlags},
		{"cases closed", c.CasesClosed}, {"closings on the ledger", c.LedgerClosed},
		{"decisions on the ledger", c.LedgerDecisions},
		{"takedowns done", c.Done}, {"takedowns done, on the ledger", c.LedgerTakedowns}, {"accounts acted on, by the platform's file", c.PlatformTakedowns},
		{"notices sent", c.Sent}, {"notices on the ledger", c.LedgerNotices}, {"notices in the platform's file", c.PlatformNotices},
	}
}

func (c floodCounts) acts() []count {
	return []count{
		{"acts in the platform's file", c.PlatformActs}, {"acts done", c.ActsDone}, {"acts planned, on the ledger", c.LedgerPlanned}, {"acts done, on the ledger", c.LedgerActs},
	}
}

// differences says what does not hold together where so many takedowns were asked for.
func (c floodCounts) differences(asked int) []string {
	var out []string
	for _, x := range c.takedowns() {
		if x.n != asked {
			out = append(out, fmt.Sprintf("%s: %d, not %d", x.name, x.n, asked))
		}
	}
	for _, x := range c.acts() {
		if x.n != c.PlatformActs || x.n < asked {
			out = append(out, fmt.Sprintf("%s: %d, where the platform's file has %d and %d at least were asked for", x.name, x.n, c.PlatformActs, asked))
		}
	}
	if c.PlatformTwice > 0 || c.PlatformUndone > 0 {
		out = append(out, fmt.Sprintf("the platform's file has %d lines twice and %d of acts taken back", c.PlatformTwice, c.PlatformUndone))
	}
	return out
}

// floodReport is what a flood prints.
type floodReport struct {
	Asked int `json:"takedowns"`
	floodCounts
	Backlog      backlog `json:"backlog"`
	LedgerSize   uint64  `json:"ledger_entries"`
	LedgerFaults int     `json:"ledger_faults"`

	Seconds     float64  `json:"seconds"`
	PerSecond   float64  `json:"takedowns_per_s"`
	DayPerS     float64  `json:"day_per_s"`   // the mean rate of a whole day of 20,500
	TimesDay    float64  `json:"times_day"`   // the rate sustained, as a multiple of that
	Compression float64  `json:"compression"` // 24 h over the time taken
	CPUMillis   float64  `json:"cpu_ms"`      // a takedown, the reviewers' side included
	Again       int64    `json:"calls_again"` // not answered for, made again under the same key
	AtOnce      int      `json:"at_once"`
	Fast        bool     `json:"fast"`
	Differences []string `json:"differences"` // empty where all is well
}

// errFlood ends a flood whose counts do not hold together.
var errFlood = errors.New("the flood's counts do not hold together")

func (r floodReport) verdict() error {
	if len(r.Differences) > 0 {
		return fmt.Errorf("%w: %s", errFlood, strings.Join(r.Differences, "; "))
	}
	return nil
}

// drainPatience is how long a bench waits for what is outstanding once nothing new comes in.
const drainPatience = 5 * time.Minute

func runFlood(ctx context.Context, o floodOptions, out io.Writer) (r floodReport, err error) {
	r = floodReport{Differences: []string{}, Asked: o.takedowns, AtOnce: o.atOnce, Fast: o.fast, DayPerS: dayRate}
	if o.data == "" {
		o.data, err = os.MkdirTemp("", "docket-flood-")
		if err != nil {
			return r, fmt.Errorf("make a scratch folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.data)) }()
	}
	err = o.pour(ctx, out, &r)
	if err != nil {
		return r, err
	}
	return r, r.readFolder(ctx, filepath.Join(o.data, "data"))
}

// pour puts the flood through, waits until nothing is outstanding and counts in the records.
func (o floodOptions) pour(ctx context.Context, out io.Writer, r *floodReport) (err error) {
	b, err := startBench(ctx, o.benchOptions, workflows.Settings{Lease: 10 * time.Minute, Grace: o.grace})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	l := newLine(b, o.atOnce)
	running, stop := context.WithCancelCause(ctx)
	hands, err := l.review(running, o.people, stop)
	if err != nil {
		return err
	}
	defer hands.Wait()
	defer stop(nil)

	began := time.Now()
	var accepted, ended atomic.Int64
	go func() {
		tick := time.NewTicker(o.every)
		defer tick.Stop()
		for {
			select {
			case <-running.Done():
				return
			case <-tick.C:
				n, took := ended.Load(), time.Since(began)
				_, _ = fmt.Fprintf(out, "%6.0f s: %d accepted, %d taken down, %.1f/s\n", took.Seconds(), accepted.Load(), n, float64(n)/took.Seconds())
			}
		}
	}()
	through, err := race(running, o.takedowns, o.atOnce, new(int), func(ctx context.Context, n int) error {
		err := l.through(ctx, benchFlag("flood", n), func() { accepted.Add(1) })
		if err == nil {
			ended.Add(1)
		}
		return err
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	r.Flags, r.Again = int(accepted.Load()), l.again.Load()
	r.Seconds, r.PerSecond, r.CPUMillis = took.Seconds(), through.perSecond, millis(through.cpu)
	r.TimesDay, r.Compression = r.PerSecond/dayRate, (24*time.Hour).Seconds()/took.Seconds()
	r.Backlog, err = b.drained(ctx, drainPatience)
	if err == nil {
		err = b.told(ctx, r.Flags, drainPatience)
	}
	if err != nil && !errors.Is(err, errBacklog) {
		return err
	}
	return b.countRecords(ctx, &r.floodCounts)
}

// told waits, for as long as patience, until so many notices stand on the ledger: a takedown's last entry
// follows its row in the records.
func (b *benchBed) told(ctx context.Context, notices int, patience time.Duration) error {
	end := time.Now().Add(patience)
	for {
		var c floodCounts
		_, err := c.readLedger(ctx, b.folder.dir)
		if err != nil || c.LedgerNotices >= notices {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w: %d of %d notices are on the ledger", errBacklog, c.LedgerNotices, notices)
		}
		if !b.watch.next(ctx) {
			return ctx.Err()
		}
	}
}

// countRecords counts what the records hold.
func (b *benchBed) countRecords(ctx context.Context, c *floodCounts) error {
	for after := ""; ; {
		page, next, err := b.records.ListCases(ctx, casefile.StateClosed, after, backlogPage)
		if err != nil {
			return fmt.Errorf("count the closed cases: %w", err)
		}
		c.CasesClosed += len(page)
		if next == "" {
			break
		}
		after = next
	}
	var done []string
	err := b.everyDecision(ctx, func(d records.DecidedActs) {
		if d.State == casefile.DecisionDone {
			c.Done++
		}
		done = append(done, d.Decision.ID)
		for _, a := range d.Acts {
			if a.Direction == casefile.Do && a.State == casefile.ActDone {
				c.ActsDone++
			}
		}
	})
	if err != nil {
		return err
	}
	for _, id := range done {
		n, err := b.records.Notice(ctx, id)
		if casefile.ErrorCode(err) == casefile.CodeNotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("read a notice: %w", err)
		}
		if n.State == casefile.NoticeSent {
			c.Sent++
		}
	}
	return nil
}

// readFolder reads what a stopped process left: the ledger, verified under its pinned key, and the
// platform's own file. It ends the report.
func (r *floodReport) readFolder(ctx context.Context, dir string) error {
	report, err := r.readLedger(ctx, dir)
	if err != nil {
		return err
	}
	err = r.readPlatform(filepath.Join(dir, "dryrun.ndjson"))
	if err != nil {
		return err
	}
	r.LedgerSize, r.LedgerFaults = report.Checkpoint.Size, len(report.Faults)
	r.Differences = append(r.Differences, r.differences(r.Asked)...)
	if r.Backlog.total() > 0 {
		r.Differences = append(r.Differences, fmt.Sprintf("outstanding: %+v", r.Backlog))
	}
	err = report.Err()
	if err != nil {
		r.Differences = append(r.Differences, err.Error())
	}
	return nil
}

// readLedger verifies the log of a data folder and counts its entries. A body that cannot be read is
// counted as nothing, so that the counts differ.
func (c *floodCounts) readLedger(ctx context.Context, dir string) (verify.Report, error) {
	key, err := os.ReadFile(filepath.Join(dir, "keys", "log.pub"))
	if err != nil {
		return verify.Report{}, fmt.Errorf("read the log's verifier key: %w", err)
	}
	src, err := verify.Open(filepath.Join(dir, "ledger"))
	if err != nil {
		return verify.Report{}, fmt.Errorf("open the log: %w", err)
	}
	return verify.Log(ctx, src, strings.TrimSpace(string(key)), verify.Options{Entry: func(e verify.TailEntry) { c.entry(e.Entry) }})
}

func (c *floodCounts) entry(e casefile.Entry) {
	switch e.Type {
	case casefile.EntryFlagAccepted:
		c.LedgerFlags++
	case casefile.EntryDecision:
		c.LedgerDecisions++
	case casefile.EntryClosed:
		c.LedgerClosed++
	case casefile.EntryActsPlanned:
		var b casefile.PlannedBody
		if json.Unmarshal(e.Body, &b) == nil {
			c.LedgerPlanned += len(b.Acts)
		}
	case casefile.EntryActsOutcome:
		c.outcome(e.Body)
	case casefile.EntryNotice:
		var b casefile.NoticeBody
		if json.Unmarshal(e.Body, &b) == nil && b.State == casefile.NoticeSent {
			c.LedgerNotices++
		}
	}
}

func (c *floodCounts) outcome(body json.RawMessage) {
	// Only what is counted: the body names codes of acts besides.
	var b struct {
		Direction casefile.Direction `json:"direction"`
		Outcomes  []struct {
			State casefile.ActState `json:"state"`
		} `json:"outcomes"`
	}
	if json.Unmarshal(body, &b) != nil || b.Direction != casefile.Do {
		return
	}
	done := 0
	for _, o := range b.Outcomes {
		if o.State == casefile.ActDone {
			done++
		}
	}
	c.LedgerActs += done
	if done > 0 && done == len(b.Outcomes) {
		c.LedgerTakedowns++
	}
}

// readPlatform counts the lines of a dry run's file (docs/formats/act.md), each key once.
func (c *floodCounts) readPlatform(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the platform's file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	seen, accounts := map[string]bool{}, map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var l struct {
			Op      string              `json:"op"`
			Key     string              `json:"key"`
			Account casefile.AccountRef `json:"account"`
		}
		err = json.Unmarshal(lines.Bytes(), &l)
		if err != nil {
			return fmt.Errorf("read the platform's file: %w", err)
		}
		switch {
		case seen[l.Key]:
			c.PlatformTwice++
		case l.Op == "do":
			c.PlatformActs++
			accounts[l.Account.ID] = true
		case l.Op == "notice":
			c.PlatformNotices++
		default:
			c.PlatformUndone++
		}
		seen[l.Key] = true
	}
	c.PlatformTakedowns = len(accounts)
	if lines.Err() != nil {
		return fmt.Errorf("read the platform's file: %w", lines.Err())
	}
	return nil
}

func (r floodReport) print(out io.Writer, asJSON bool) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, x := range slices.Concat(r.takedowns(), r.acts()) {
		_, _ = fmt.Fprintf(t, "%s\t%d\n", x.name, x.n)
	}
	_, _ = fmt.Fprintf(t, "outstanding\t%d\n", r.Backlog.total())
	_, _ = fmt.Fprintf(t, "calls made again\t%d\n", r.Again)
	_, _ = fmt.Fprintf(t, "ledger\t%d entries, %d faults\n", r.LedgerSize, r.LedgerFaults)
	_, _ = fmt.Fprintf(t, "time\t%.0f s, a day in %.0f times less\n", r.Seconds, r.Compression)
	_, _ = fmt.Fprintf(t, "rate\t%.1f takedowns/s, %.0f times the %.2f/s of a day of %d; %.0f ms of CPU each\n", r.PerSecond, r.TimesDay, r.DayPerS, peakDay, r.CPUMillis)
	for _, d := range r.Differences {
		_, _ = fmt.Fprintf(t, "DIFFERENCE\t%s\n", d)
	}
	if len(r.Differences) == 0 {
		_, _ = fmt.Fprintln(t, "result\tall counts are equal, nothing is outstanding, the ledger verifies")
	}
	err := t.Flush()
	if err != nil || !asJSON {
		return err
	}
	return printJSON(out, r)
}
