package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/worker"
)

// faults are all that are played.
var faults = []fault{
	{name: "index down", play: blindIndex(down)},
	{name: "index slow", long: true, play: blindIndex(slow)},
	{name: "index answers garbage", play: blindIndex(garbage)},
	{name: "classifier down", play: blindScorer(down, 1)},
	{name: "classifier slow", long: true, play: blindScorer(slow, 1)},
	{name: "classifier lies about its schema", play: blindScorer(garbage, len(lies))},
	{name: "platform acts, drops the connection", play: unheard(receiver.Fault{Kind: receiver.DropAfter, Times: 6})},
	{name: "platform acts, answers 500", play: unheard(receiver.Fault{Kind: receiver.ErrorAfter, Times: 6})},
	{name: "platform acts, answers garbage", play: unheard(receiver.Fault{Kind: receiver.Garbage, Times: 6})},
	{name: "platform answers 429", play: unheard(receiver.Fault{Kind: receiver.Throttled, RetryAfter: time.Second, Times: 4})},
	{name: "platform down for 6 hours", play: platformDown},
	{name: "disk full: records", long: true, prepare: onDisk("records.sqlite"), play: diskFull},
	{name: "disk full: sealed store", long: true, prepare: onDisk("evidence"), play: diskFull},
	{name: "disk full: ledger", long: true, prepare: onDisk("ledger"), play: diskFull},
	{name: "disk full: index", long: true, prepare: onDisk("index.sqlite"), play: diskFull},
	{name: "disk full: Temporal", long: true, prepare: onDisk("temporal"), play: diskFull},
	{name: "our clock an hour ahead", play: clockJumps(time.Hour)},
	{name: "our clock an hour behind", play: clockJumps(-time.Hour)},
	{name: "PostgreSQL restarted mid-verb", long: true, prepare: onPostgres, play: databaseRestarts},
	{name: "PostgreSQL connections cut mid-verb", long: true, prepare: onPostgres, play: connectionsCut},
}

// blindIndex plays an index that is of no use.
func blindIndex(kind moodKind) func(*faultRun) {
	return func(r *faultRun) {
		early, light, heavy := r.verdict("rev1", r.heavy()), r.light(), r.heavy()
		r.index.set(kind)
		require.True(r.t, r.try(light))
		require.True(r.t, r.try(heavy))
		require.True(r.t, r.give(early, 0), "people go on deciding")
		ref := r.caseOf(light)
		r.blind(ref, casefile.FindingHistory)
		r.saysDown("index")
		r.row.page += "; banner: index does not answer"
		if kind != garbage {
			_, err := r.person("rev1").Find(r.t.Context(), review.Query{Text: "designated"})
			require.Equal(r.t, casefile.CodeUnavailable, casefile.ErrorCode(err), "%v", err)
			require.ErrorContains(r.t, err, "search does not answer now")
		}
		found, err := r.person("rev1").Find(r.t.Context(), review.Query{Text: string(ref)})
		require.NoError(r.t, err, "a case's number is looked up in the records")
		require.Len(r.t, found.Cases, 1)
		r.row.during = "flags taken, people decide; no rule does"
		r.cures(func() { r.index.set("") })
		r.sees(light, casefile.FindingHistory)
		r.saysDown()
	}
}

// blindScorer plays a classifier that is of no use, with so many cases.
func blindScorer(kind moodKind, n int) func(*faultRun) {
	return func(r *faultRun) {
		early := r.verdict("rev1", r.heavy())
		var light []casefile.Flag
		for range n {
			light = append(light, r.light())
		}
		r.scorer.set(kind)
		for _, f := range light {
			require.True(r.t, r.try(f))
		}
		require.True(r.t, r.give(early, 0), "people go on deciding")
		for _, f := range light {
			r.blind(r.caseOf(f), casefile.FindingScore)
		}
		r.row.during = "flags taken, people decide; no rule does"
		r.cures(func() { r.scorer.set("") })
		r.sees(light[0], casefile.FindingScore)
		r.ruled(r.hand(r.light()))
	}
}

// unheard plays a platform whose answers come to nothing for a while.
func unheard(f receiver.Fault) func(*faultRun) {
	return func(r *faultRun) {
		hit := make(chan struct{}, 100)
		f.Types, f.Hit = []webhook.Type{webhook.TypeDo}, func() { hit <- struct{}{} }
		one, two := r.verdict("rev1", r.heavy()), r.verdict("rev2", r.heavy())
		require.NoError(r.t, r.receiver.Inject(f))
		require.True(r.t, r.give(one, 0))
		require.True(r.t, r.give(two, 0))
		r.ruled(r.hand(r.light()))
		for range 3 {
			<-hit
		}
		r.actsWait()
		r.row.during = "acts are tried again, each under its key"
		for range f.Times - 3 {
			<-hit
		}
		r.cures(func() {})
	}
}

// actsWait waits until the page of acts says that some are tried again.
func (r *faultRun) actsWait() {
	r.t.Helper()
	r.eventually("the page of acts says so", func() bool {
		page, err := r.person("lead").Acts(r.t.Context(), "", records.ActRetrying, "", 0)
		require.NoError(r.t, err)
		if len(page.Acts) > 0 {
			r.row.page = fmt.Sprintf("acts: tried again (%s)", page.Acts[0].LastError)
		}
		return len(page.Acts) > 0
	})
}

// notCarriedOut waits until the pages of the newest decisions' cases say that they are proven and not carried
// out.
func (r *faultRun) notCarriedOut() {
	r.t.Helper()
	for _, id := range r.decisions[len(r.decisions)-2:] {
		d := r.awaitDecision(id, casefile.DecisionRecorded)
		v := r.view(d.Decision.Case)
		require.NotNil(r.t, v.Proof)
		require.Equal(r.t, casefile.DecisionRecorded, v.Decision.State)
		require.Empty(r.t, v.Decision.Acts)
	}
	r.row.page = "case: decided and proven, not carried out"
}

// platformDown plays a platform that is away for hours. Hours pass on our clock and the platform's; between
// two tries there are seconds, for which the platform asks.
func platformDown(r *faultRun) {
	hit := make(chan struct{}, 100)
	one := r.verdict("rev1", r.heavy())
	require.NoError(r.t, r.receiver.Inject(receiver.Fault{Kind: receiver.Down, RetryAfter: time.Second, Hit: func() {
		select {
		case hit <- struct{}{}:
		default: // nobody counts any more
		}
	}}))
	require.True(r.t, r.give(one, 0))
	for hour := range 6 {
		<-hit
		r.clock.jump(time.Duration(hour+1) * time.Hour)
		r.platformClock.jump(time.Duration(hour+1) * time.Hour)
	}
	two := r.verdict("rev2", r.heavy())
	require.True(r.t, r.give(two, 0), "people go on deciding")
	r.ruled(r.hand(r.light()))
	r.notCarriedOut()
	late, err := (&worker.ActWatch{Records: r.records, Log: r.log, Now: r.clock.now}).Once(r.t.Context())
	require.NoError(r.t, err)
	require.Positive(r.t, late, "people are told of acts that are hours late")
	r.row.during = "acts wait; people and rules decide"
	r.row.page += ", people told that acts are late"
	r.cures(r.receiver.Clear)
}

// onDisk puts one store on a small disk of its own.
func onDisk(name string) func(r *faultRun, dir string, p *assembly.Process) {
	return func(r *faultRun, dir string, _ *assembly.Process) {
		r.store = name
		at := filepath.Join(dir, name)
		if filepath.Ext(name) == "" {
			r.disk = newSmallDisk(r.t, at, "64m")
			return
		}
		// SQLite keeps its side files beside what the link leads to.
		r.disk = newSmallDisk(r.t, at+".disk", "64m")
		require.NoError(r.t, os.Symlink(filepath.Join(r.disk.dir, name), at))
	}
}

// diskFull plays a disk without a byte left under one store.
func diskFull(r *faultRun) {
	early, light, heavy := r.verdict("rev1", r.heavy()), r.light(), r.heavy()
	r.disk.fill()
	takesFlags := r.store == "ledger" || r.store == "index.sqlite"
	for _, f := range []casefile.Flag{light, heavy} {
		require.Equal(r.t, takesFlags, r.try(f), "what is answered with 202 must be kept")
	}
	given := r.give(early, 1)
	switch r.store {
	case "ledger":
		require.True(r.t, given)
		r.row.during = "flags taken, people decide; nothing acts, for want of a proof"
		before := r.receiver.Count()
		r.eventually("the decision waits for its proof", func() bool {
			d, err := r.records.Decision(r.t.Context(), r.decisions[len(r.decisions)-1])
			return err == nil && d.State == casefile.DecisionGrace
		})
		require.Equal(r.t, before, r.receiver.Count())
		require.Nil(r.t, r.view(early.ref).Proof, "the case's page has no proof to show")
		r.row.page = "case: decided, no proof yet"
	case "index.sqlite":
		require.True(r.t, given)
		r.row.during, r.row.page = "flags taken, people and rules decide", "nothing: a case's page and queue are of the records; search lags"
	default:
		require.False(r.t, given, "a verb that cannot be kept has no answer")
		r.row.during = "flags and verbs are answered 503, to be sent again"
		r.row.page = "forms and verbs: not taken, send again (503)"
	}
	r.cures(r.disk.free)
	if !given {
		require.True(r.t, r.give(early, 0))
	}
	r.ruled(r.caseOf(light))
}

// clockJumps plays a jump of our own clock, and its return.
func clockJumps(by time.Duration) func(*faultRun) {
	return func(r *faultRun) {
		early, held := r.verdict("rev1", r.heavy()), r.verdict("rev2", r.heavy())
		claim := func(key string) (review.VerbAnswer, error) {
			return send(r, 0, func(ctx context.Context) (review.VerbAnswer, error) {
				return r.person("rev2").Claim(ctx, review.VerbCall{Case: held.ref, Key: key})
			})
		}
		r.clock.jump(by)
		claimed, err := claim(held.key + "/claim")
		require.NoError(r.t, err)
		require.True(r.t, r.give(early, 0), "people go on deciding")
		r.ruled(r.hand(r.light()))
		r.awaitCase(r.hand(r.heavy()), func(c records.Case) bool { return c.State == casefile.StateQueued })
		r.notCarriedOut() // the platform does not take signatures of another hour
		r.row.during = "flags taken, people and rules decide; the platform refuses signatures of another hour, acts wait"

		// What next reserves by a clock that is wrong is not kept from others for an hour.
		queue := r.view(held.ref).Queue
		reserved, ok, err := r.records.ReserveNext(r.t.Context(), records.Reservation{Queue: queue, Person: "p-gone", Now: r.clock.now(), Hold: 5 * time.Second})
		require.NoError(r.t, err)
		require.True(r.t, ok)
		r.cures(func() { r.clock.jump(0) })
		r.eventually("the reserved case is offered again", func() bool {
			answer, ok, err := r.person("rev3").Next(r.t.Context(), queue, "")
			return err == nil && ok && answer.Case == reserved
		})
		again, err := claim(held.key + "/claim")
		require.NoError(r.t, err)
		require.Equal(r.t, claimed.Claim, again.Claim)
		require.True(r.t, r.give(held, 0))
	}
}

// onPostgres keeps the records in PostgreSQL.
func onPostgres(r *faultRun, _ string, p *assembly.Process) {
	r.database = postgrestest.Start(r.t, false)
	r.databaseURL = r.database.Database(r.t)
	p.Config.Records = config.Records{Postgres: r.databaseURL, MaxConns: 16}
}

// verbsUnder judges n cases one after another and disturbs the database while each is under way: it is told
// when a verdict is being given, and when it has been.
func (r *faultRun) verbsUnder(n int, disturb func(i int, given <-chan struct{})) {
	r.t.Helper()
	var list []verdict
	for range n {
		list = append(list, r.verdict("rev1", r.heavy()))
	}
	for i, v := range list {
		given := make(chan struct{})
		var j judged
		var err error
		go func() {
			defer close(given)
			j, err = r.judge(v, 0)
		}()
		disturb(i, given)
		<-given
		require.NoError(r.t, err)
		r.decided(j)
		r.cleared = time.Now()
		repeated, err := r.judge(v, 0)
		require.NoError(r.t, err, "the same verb ids again")
		require.Equal(r.t, j, repeated, "have the same answers")
	}
	// One row, one entry for each verb.
	opinions := map[string]int{}
	key, err := r.keyring.LogVerifierKey()
	require.NoError(r.t, err)
	for _, v := range list {
		r.eventually("the case closes", func() bool {
			c, err := r.records.Case(r.t.Context(), v.ref)
			return err == nil && c.State == casefile.StateClosed
		})
		rows, err := r.records.Opinions(r.t.Context(), v.ref)
		require.NoError(r.t, err)
		require.Len(r.t, rows, 1)
		require.Equal(r.t, 1, rows[0].Claim, "claimed once")
	}
	seen := map[casefile.EventID]bool{}
	require.NoError(r.t, verify.Entries(r.t.Context(), verify.Dir(r.folder.path("ledger")), key, func(e verify.TailEntry) error {
		chain, _, err := e.Entry.Event.Split()
		if e.Entry.Type == casefile.EntryOpinion && !seen[e.Entry.Event] { // equal bytes may stand twice
			seen[e.Entry.Event] = true
			opinions[chain]++
		}
		return err
	}))
	for _, v := range list {
		require.Equal(r.t, 1, opinions[casefile.CaseChain(v.ref)], "one entry for one opinion")
	}
}

// databaseRestarts stops or kills the database while verbs and their projections are under way.
func databaseRestarts(r *faultRun) {
	const restarts = 6
	r.verbsUnder(restarts, func(i int, given <-chan struct{}) {
		timer := time.NewTimer(time.Duration(i) * 15 * time.Millisecond) // each time at another place of the way
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-given:
		}
		if i%2 == 0 {
			r.database.Kill(r.t)
		} else {
			r.database.Stop(r.t)
		}
		if i == 0 {
			lost := r.heavy()
			require.False(r.t, r.try(lost), "nothing is accepted without records")
			require.Equal(r.t, http.StatusServiceUnavailable, r.call("rev1", http.MethodGet, "/readyz", nil, nil))
			r.row.page = "503 on every page and verb, /readyz names records"
		}
		r.database.Restart(r.t)
	})
	r.row.during = fmt.Sprintf("%d stops and kills; verbs wait and are answered once", restarts)
	r.cures(func() {})
	r.hand(r.heavy())
}

// connectionsCut ends every connection to the database again and again during each single verb.
func connectionsCut(r *faultRun) {
	ctx := r.t.Context()
	admin, err := pgx.Connect(ctx, r.databaseURL)
	require.NoError(r.t, err)
	defer func() { require.NoError(r.t, admin.Close(context.WithoutCancel(ctx))) }()
	const verbs = 8
	ended := make([]int, verbs)
	r.verbsUnder(verbs, func(i int, given <-chan struct{}) {
		for round := 0; round < 60; round++ {
			select {
			case <-given:
				return
			default:
			}
			var n int
			err := admin.QueryRow(ctx, `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
					AND (state <> 'idle' OR $1)`, round%4 == 0).Scan(&n)
			require.NoError(r.t, err)
			ended[i] += n
		}
	})
	require.NotContains(r.t, ended, 0, "connections were cut during every verb")
	total := 0
	for _, n := range ended {
		total += n
	}
	r.row.during = fmt.Sprintf("%d connections ended during %d verdicts, each answered once", total, verbs)
	r.row.page = "nothing: the store connects again"
	r.cures(func() {})
	r.ruled(r.hand(r.light()))
}
