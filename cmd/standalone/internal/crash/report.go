package crash

import (
	"context"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/standalone/internal/crash/tally"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/review"
)

// Report is what a run came to: the kills, and what was counted afterwards.
type Report struct {
	Seed   uint64 `json:"seed"`
	Rounds int    `json:"rounds"`
	Kills  int    `json:"kills"`
	// AtPoint are the kills at a step, AnyTime the others, Missed those of them that were meant for a step
	// which was not passed in time. Recovering are the kills of a process that had just been started
	// behind another.
	AtPoint    int            `json:"kills_at_step"`
	AnyTime    int            `json:"kills_any_time"`
	Missed     int            `json:"steps_not_passed"`
	Recovering int            `json:"kills_recovering"`
	PerStep    map[string]int `json:"kills_per_step"`
	tally.Report
}

// log says what happens, each line with the time since the start of the run.
type log struct {
	mu    sync.Mutex
	out   io.Writer
	begun time.Time
}

func newLog(out io.Writer) *log { return &log{out: out, begun: time.Now()} }

func (l *log) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.out, "%7.1fs  %s\n", time.Since(l.begun).Seconds(), fmt.Sprintf(format, args...))
}

// kill says one kill.
func (l *log) kill(round int, k kind, at point, hit bool, n inFlight, age time.Duration) {
	where := string(k)
	switch {
	case hit:
		where = fmt.Sprintf("%s, behind step %s, pass %d", k, at.step, at.passes)
	case at.step != "":
		where = fmt.Sprintf("%s, step %s was not passed, so any time", k, at.step)
	}
	l.printf("round %3d  killed %4.1fs after its start: %-48s in flight: %s", round, age.Seconds(), where, n)
}

// Table prints the kills per step and the counts.
func (r Report) Table(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(out, "\nkills behind each step (seed %d, %d rounds):\n", r.Seed, r.Rounds)
	const columns = 7
	for first := 1; first <= Steps; first += columns {
		for n := first; n < first+columns && n <= Steps; n++ {
			_, _ = fmt.Fprintf(w, "step %d\t%d\t", n, r.PerStep[fmt.Sprint(n)])
		}
		_, _ = fmt.Fprintln(w)
	}
	_ = w.Flush()
	_, _ = fmt.Fprintf(out, "\n%d kills: %d behind a step, %d at any time; %d of them during recovery\n", r.Kills, r.AtPoint, r.AnyTime, r.Recovering)
	_, _ = fmt.Fprintf(out, "%d flags accepted, %d entries on the ledger, %d acts, reverses and notices on the platforms\n\n", r.FlagsAccepted, r.Entries, r.Acts)
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range []struct {
		what string
		n    int
	}{
		{"flags lost", r.FlagsLost}, {"cases doubled", r.CasesDoubled}, {"decisions lost", r.DecisionsLost},
		{"withdrawn decisions carried on", r.DecisionsRevived}, {"other answered verbs lost", r.VerbsLost},
		{"acts doubled", r.ActsDoubled}, {"acts without their entry", r.ActsWithoutEntry}, {"entries without their act", r.EntriesWithoutAct},
		{"receipts without their entry", r.ReceiptsUnproven}, {"faults of the ledger", r.LedgerFaults}, {"unfinished", r.Unfinished},
	} {
		_, _ = fmt.Fprintf(w, "  %s\t%d\n", line.what, line.n)
	}
	_ = w.Flush()
	for _, f := range r.Findings {
		_, _ = fmt.Fprintln(out, "  -", f)
	}
}

// emptyOutbox has two rows put behind everything in the outbox, which is appended in its order, and waits
// until both are on the ledger.
func (r *run) emptyOutbox(ctx context.Context) error {
	before, err := r.switches(ctx)
	if err != nil {
		return err
	}
	const nowhere = "synthetic" // the stream's platform: nothing of it is decided
	for _, call := range []func(context.Context, string, string) (review.SwitchAnswer, error){r.load.client("lead").PauseActs, r.load.client("lead").ResumeActs} {
		_, _, err = insist(ctx, func(ctx context.Context) (review.SwitchAnswer, error) {
			return call(ctx, nowhere, "[the end of a crash run]")
		})
		if err != nil {
			return fmt.Errorf("switch: %w", err)
		}
	}
	return r.await(ctx, "the outbox is empty", func(ctx context.Context) (bool, error) {
		n, err := r.switches(ctx)
		return n >= before+2, err
	})
}

// switches counts the entries of switches at the ledger's end.
func (r *run) switches(ctx context.Context) (int, error) {
	src, err := verify.Open(r.load.base + "/log/")
	if err != nil {
		return 0, fmt.Errorf("open the ledger: %w", err)
	}
	key, err := r.logKey()
	if err != nil {
		return 0, err
	}
	tail, err := verify.Tail(ctx, src, key, 100)
	if err != nil {
		return 0, fmt.Errorf("read the ledger: %w", err)
	}
	n := 0
	for _, e := range tail {
		if e.Entry.Type == casefile.EntrySwitch {
			n++
		}
	}
	return n, nil
}
