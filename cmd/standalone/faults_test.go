package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/worker"
)

// warnLight warns whoever is flagged lightly, as often as it comes.
const warnLight = `automatic:
  act:
    - {id: warn-light, when: 'flags.weight < 5.0', action: L1, policy: VE-09, sample: 0}
  breaker: {per_hour: 1000, share: 1, min_cases: 1000}
`

// faultTable is what the run prints.
type faultTable struct {
	mu   sync.Mutex
	rows map[string]*faultRow
}

type faultRow struct {
	during, page      string
	accepted, refused int
	decisions, acts   int
	caughtUp          string
}

func (ft *faultTable) row(name string) *faultRow {
	ft.mu.Lock()
	defer ft.mu.Unlock()
	r := &faultRow{}
	ft.rows[name] = r
	return r
}

// String is the table, in the order of the faults.
func (ft *faultTable) String() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "fault\twhile it lasts\tthe page says\tflags 202/refused first/lost\tdecisions/acts/doubled\twell again after")
	for _, f := range faults {
		r := ft.rows[f.name]
		if r != nil && r.caughtUp != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d/%d/0\t%d/%d/0\t%s\n", f.name, r.during, r.page, r.accepted, r.refused, r.decisions, r.acts, r.caughtUp)
		}
	}
	_ = w.Flush()
	return out.String()
}

// faultRun is one fault on a whole Docket.
type faultRun struct {
	*bed
	t        *testing.T
	row      *faultRow
	receiver *receiver.Receiver
	file     string // what the platform really did
	clock    clock
	// platformClock is the platform's.
	platformClock clock
	index         mood
	scorer        mood
	lie           atomic.Int64
	cleared       time.Time

	disk        *smallDisk // under the store that is named
	store       string
	database    *postgrestest.Server
	databaseURL string

	next      int // number of the next account
	accepted  []casefile.Flag
	waiting   []casefile.Flag // refused, to be sent again
	decisions []string
}

// fault is one that is played.
type fault struct {
	name string
	long bool // left out with -short
	// prepare changes the configuration before the start; nil for nothing.
	prepare func(r *faultRun, dir string, p *assembly.Process)
	play    func(r *faultRun)
}

// TestFaultRun plays every fault of the table on a whole Docket of its own, and then holds it to this: nothing
// that was answered is lost or doubled, no rule decided while a finding was missing, and all of it is caught
// up with once the fault is over.
func TestFaultRun(t *testing.T) {
	t.Parallel()
	table := &faultTable{rows: map[string]*faultRow{}}
	t.Run("each", func(t *testing.T) {
		for _, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				if f.long && testing.Short() {
					t.Skip("not with -short: takes long")
				}
				startFault(t, f, table.row(f.name))
			})
		}
	})
	t.Logf("\n%s", table)
}

func startFault(t *testing.T, f fault, row *faultRow) {
	dir := t.TempDir()
	r := &faultRun{t: t, row: row}
	cfg := testConfig(dir)
	cfg.Routing = rulesFile(t, "48h", warnLight)
	conf, rec, file := platformAt(t, true, true, r.platformClock.now)
	r.receiver, r.file = rec, file
	cfg.Platforms = []config.Platform{conf}
	cfg.Prepare = func(p *assembly.Process) {
		p.Seams = assembly.Seams{
			Index:  func(x indexing.Index) indexing.Index { return moodyIndex{x, &r.index} },
			Scorer: func(s classify.Scorer) classify.Scorer { return moodyScorer{s, &r.scorer, &r.lie} },
			Now:    r.clock.now,
		}
		if f.prepare != nil {
			f.prepare(r, dir, p)
		}
	}
	said := &tail{}
	cfg.LogWriter = said
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log ended with\n%s", said)
		}
	})
	r.bed = start(t, cfg)
	t.Cleanup(func() { r.index.set(""); r.scorer.set("") }) // nothing hangs at the stop
	on := true
	r.post("admin", "/v1/automation", api.AutomationBody{On: &on, Reason: "[a test]"}, nil, http.StatusOK)
	r.ruled(r.hand(r.light())) // the rule does decide while all is well
	f.play(r)
	r.whole()
}

// flag n of a detector that is sure of nothing: the rule decides these, people the others.
func (r *faultRun) light() casefile.Flag {
	f := r.watched(weakFlag(casefile.NewID(), r.number()))
	f.Reasons[0].Weight = 1
	return f
}

func (r *faultRun) heavy() casefile.Flag { return testFlag(casefile.NewID(), r.number()) }

func (r *faultRun) number() int {
	r.next++
	return r.next
}

// try hands a flag in once; one that is refused is kept, as a detector keeps it.
func (r *faultRun) try(f casefile.Flag) bool {
	r.t.Helper()
	status := r.call(detectorLogin, http.MethodPost, "/v1/flags", f, nil)
	if status == http.StatusAccepted {
		r.accepted = append(r.accepted, f)
		return true
	}
	require.Equal(r.t, http.StatusServiceUnavailable, status, "a flag that cannot be taken is to be sent again")
	r.row.refused++
	r.waiting = append(r.waiting, f)
	return false
}

// again hands in what was refused until it is taken.
func (r *faultRun) again() {
	r.t.Helper()
	list := r.waiting
	r.waiting = nil
	for _, f := range list {
		r.eventually("a flag is taken", func() bool {
			return r.call(detectorLogin, http.MethodPost, "/v1/flags", f, nil) == http.StatusAccepted
		})
		r.accepted = append(r.accepted, f)
	}
}

// hand hands a flag in, which must be taken, and gives its case once it has been looked into.
func (r *faultRun) hand(f casefile.Flag) casefile.CaseRef {
	r.t.Helper()
	require.True(r.t, r.try(f), "the flag was refused")
	return r.caseOf(f)
}

// caseOf waits until a flag's case has been looked into.
func (r *faultRun) caseOf(f casefile.Flag) (ref casefile.CaseRef) {
	r.t.Helper()
	key := r.keyring.Identity().Flag(f.Platform, f.ID)
	r.eventually("a flag's case is looked into", func() bool {
		row, err := r.records.Flag(r.t.Context(), key)
		if err != nil || row.Case == "" {
			return false
		}
		ref = row.Case
		c, err := r.records.Case(r.t.Context(), ref)
		return err == nil && c.State != casefile.StateNew
	})
	return ref
}

// rest lets a moment pass between two tries, as whoever sends again does.
func (r *faultRun) rest() {
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.t.Context().Done():
	}
}

// eventually asks again and again until ok: a fault may be in the way of the feed as well.
func (r *faultRun) eventually(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		require.True(r.t, time.Now().Before(deadline), "waited in vain: %s", what)
		<-tick.C
	}
}

// ruled waits until the rule has decided a case and closed it.
func (r *faultRun) ruled(ref casefile.CaseRef) {
	r.t.Helper()
	var c records.Case
	r.eventually("the rule decides", func() bool {
		var err error
		c, err = r.records.Case(r.t.Context(), ref)
		return err == nil && c.State == casefile.StateClosed
	})
	d, err := r.records.Decision(r.t.Context(), c.Decision)
	require.NoError(r.t, err)
	require.Equal(r.t, casefile.ByAutomation, d.Decision.DecidedBy)
	r.decisions = append(r.decisions, c.Decision)
}

// person calls the API as one.
func (r *faultRun) person(login string) *client.Client {
	return &client.Client{Base: r.baseURL, Token: r.creds.token(login)}
}

// errNoAnswer says that a verb's outcome is not known for now.
var errNoAnswer = errors.New("no answer for now")

// send repeats a verb under one key for as long as its outcome is not known or the API is not available; limit
// bounds the tries, 0 for until it has an answer.
func send[A any](r *faultRun, limit int, verb func(ctx context.Context) (A, error)) (A, error) {
	deadline := time.Now().Add(2 * patience)
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(r.t.Context(), patience)
		a, err := verb(ctx)
		cancel()
		switch {
		case err == nil:
			return a, nil
		case casefile.ErrorCode(err) != casefile.CodeUnavailable || time.Now().After(deadline):
			return a, err
		case try == limit:
			return a, errNoAnswer
		}
		r.rest()
	}
}

// verdict is one person's way through a case, under keys of its own, so that it can be gone on with.
type verdict struct {
	login, key string
	ref        casefile.CaseRef
	post       string
}

func (r *faultRun) verdict(login string, f casefile.Flag) verdict {
	r.t.Helper()
	return verdict{login: login, key: casefile.NewID(), ref: r.hand(f), post: f.Evidence[0].ID}
}

// judged is what the two verbs of a verdict were answered.
type judged struct{ claimed, given review.VerbAnswer }

// judge claims and judges, with at most limit tries of each.
func (r *faultRun) judge(v verdict, limit int) (j judged, err error) {
	p := r.person(v.login)
	j.claimed, err = send(r, limit, func(ctx context.Context) (review.VerbAnswer, error) {
		return p.Claim(ctx, review.VerbCall{Case: v.ref, Key: v.key + "/claim"})
	})
	if err != nil {
		return j, fmt.Errorf("claim: %w", err)
	}
	j.given, err = send(r, limit, func(ctx context.Context) (review.VerbAnswer, error) {
		return p.Opinion(ctx, review.OpinionCall{
			VerbCall: review.VerbCall{Case: v.ref, Key: v.key + "/opinion"}, Claim: j.claimed.Claim.Number, EvidenceRevision: j.claimed.EvidenceRevision,
			Form: form(casefile.L5, casefile.VE08, v.post),
		})
	})
	if err != nil {
		return j, fmt.Errorf("opinion: %w", err)
	}
	return j, nil
}

// give carries a verdict through; false where it came to nothing within limit tries (0 for as many as it
// takes).
func (r *faultRun) give(v verdict, limit int) bool {
	r.t.Helper()
	j, err := r.judge(v, limit)
	if errors.Is(err, errNoAnswer) {
		return false
	}
	require.NoError(r.t, err)
	r.decided(j)
	return true
}

func (r *faultRun) decided(j judged) {
	r.t.Helper()
	require.NotEmpty(r.t, j.given.Decision)
	r.decisions = append(r.decisions, j.given.Decision)
}

// cures ends the fault.
func (r *faultRun) cures(f func()) {
	f()
	r.cleared = time.Now()
	r.again()
}

// saysDown waits until every page says that these, and nothing else, do not answer.
func (r *faultRun) saysDown(want ...string) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("the banner says %q", want), func() bool {
		b, err := r.person("rev2").Banner(r.t.Context())
		require.NoError(r.t, err)
		return slices.Equal(b.Down, append([]string{}, want...))
	})
}

// view is a case as the API shows it to a reviewer.
func (r *faultRun) view(ref casefile.CaseRef) review.CaseView {
	r.t.Helper()
	v, err := r.person("rev1").Case(r.t.Context(), ref, "")
	require.NoError(r.t, err)
	return v
}

// blind waits until a case stands with people, and requires that no rule has decided it and that the findings
// are shown as missing, without a value.
func (r *faultRun) blind(ref casefile.CaseRef, kinds ...casefile.FindingKind) {
	r.t.Helper()
	var c records.Case
	r.eventually("the case stands with people", func() bool {
		var err error
		c, err = r.records.Case(r.t.Context(), ref)
		return err == nil && c.State == casefile.StateQueued
	})
	require.Empty(r.t, c.Decision)
	missing := map[casefile.FindingKind]casefile.Finding{}
	for _, f := range r.view(ref).Findings {
		if f.Status != casefile.StatusKnown {
			require.Empty(r.t, f.Values, "missing is not zero")
			require.NotEmpty(r.t, f.Why)
			missing[f.Kind] = f
		}
	}
	for _, k := range kinds {
		require.Contains(r.t, missing, k)
		r.row.page = fmt.Sprintf("finding %s: %s", k, missing[k].Status)
	}
}

// sees requires that a flag after the fault makes the same account's findings whole.
func (r *faultRun) sees(before casefile.Flag, kinds ...casefile.FindingKind) {
	r.t.Helper()
	f := before
	f.ID = casefile.NewID()
	f.Evidence = append([]casefile.Event{}, before.Evidence...)
	f.Evidence[0].ID = "post-" + f.ID
	f = r.watched(f)
	ref := r.hand(f)
	r.eventually("the findings are whole", func() bool {
		v, err := r.person("rev1").Case(r.t.Context(), ref, "")
		if err != nil {
			return false
		}
		whole := 0
		for _, x := range v.Findings {
			for _, k := range kinds {
				if x.Kind == k && x.Status == casefile.StatusKnown {
					whole++
				}
			}
		}
		return whole == len(kinds)
	})
}

// whole holds everything to what it must be once the fault is over.
func (r *faultRun) whole() {
	r.t.Helper()
	ctx := r.t.Context()
	require.Empty(r.t, r.waiting)
	for _, f := range r.accepted {
		r.caseOf(f)
		cases, err := r.records.AccountCases(ctx, r.keyring.Identity().Account(f.Ref()))
		require.NoError(r.t, err)
		open, in := 0, 0
		for _, c := range cases {
			if c.State != casefile.StateClosed {
				open++
			}
			rows, err := r.records.CaseFlags(ctx, c.Ref)
			require.NoError(r.t, err)
			for _, row := range rows {
				if row.Flag == r.keyring.Identity().Flag(f.Platform, f.ID) {
					in++
				}
			}
		}
		require.Equal(r.t, 1, in, "a flag is in exactly one case")
		require.LessOrEqual(r.t, open, 1, "an account has one open case at most")
	}
	done := 0
	for _, id := range r.decisions {
		r.eventually("a decision is carried out", func() bool {
			d, err := r.records.Decision(ctx, id)
			require.NoError(r.t, err)
			require.NotContains(r.t, []casefile.DecisionState{casefile.DecisionFailed, casefile.DecisionUncertain}, d.State, d.Why)
			return d.State == casefile.DecisionDone
		})
		acts, err := r.records.Acts(ctx, id)
		require.NoError(r.t, err)
		require.NotEmpty(r.t, acts)
		for _, a := range acts {
			require.Equal(r.t, casefile.ActDone, a.State)
			done++
		}
		r.eventually("the person is told", func() bool {
			n, err := r.records.Notice(ctx, id)
			return err == nil && n.State == casefile.NoticeSent
		})
	}
	lines, err := receiver.Read(r.file)
	require.NoError(r.t, err)
	require.Empty(r.t, receiver.Doubles(lines))
	did := 0
	for _, l := range lines {
		if strings.HasSuffix(l.Message.Key, "/do") {
			did++
		}
	}
	require.Equal(r.t, done, did, "each act was done once, and none besides")
	r.indexed()
	r.eventually("nothing waits for the ledger", func() bool {
		rows, err := r.records.Unappended(ctx, 1)
		return err == nil && len(rows) == 0
	})
	r.row.caughtUp = time.Since(r.cleared).Round(100 * time.Millisecond).String()
	report := r.verifyLog()
	require.Equal(r.t, len(r.decisions), report.Decisions, "each decision has its entry, once")
	var out struct{ Report worker.Report }
	r.eventually("records and log agree", func() bool {
		r.post("auditor", "/v1/reconcile", nil, &out, http.StatusOK)
		return len(out.Report.Found) == 0 && out.Report.Ledger.OK() && out.Report.Ledger.InFlight == 0
	})
	require.Equal(r.t, len(r.decisions), out.Report.Ledger.Decisions)
	r.row.accepted, r.row.decisions, r.row.acts = len(r.accepted), len(r.decisions), done
}

// indexed waits until the index has every case as the records have it.
func (r *faultRun) indexed() {
	r.t.Helper()
	index, err := r.process.Index(r.t.Context())
	require.NoError(r.t, err)
	seen := map[casefile.CaseRef]bool{}
	for _, f := range r.accepted {
		ref := r.caseOf(f)
		if seen[ref] {
			continue
		}
		seen[ref] = true
		r.eventually("the index has caught up", func() bool {
			row, err := r.records.Case(r.t.Context(), ref)
			require.NoError(r.t, err)
			page, err := index.Search(r.t.Context(), indexing.CaseQuery{Text: string(ref)})
			return err == nil && len(page.Cases) == 1 && page.Cases[0].Revision == row.Revision
		})
	}
}
