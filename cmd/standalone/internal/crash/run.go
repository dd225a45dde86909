package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/standalone/internal/crash/tally"
	"github.com/docket-triage/docket/crashpoint"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
)

// Options say what a run is like.
type Options struct {
	Rounds int
	Seed   uint64
	Dir    string // folder of everything that the run writes; it must be empty
	Programs
	Log io.Writer // what happens, as it happens
	// Patience bounds every wait for something that must come: a start, enough in flight, the end of
	// everything once nothing new is begun.
	Patience time.Duration
}

// times of a run, short so that much happens between two kills.
const (
	grace    = 1500 * time.Millisecond
	lease    = 2 * time.Minute
	crashDay = 4 * time.Second // of a timed act
	// pointPatience is how long a step is waited for before the process is killed anyway, at a moment of
	// nobody's choosing.
	pointPatience = 20 * time.Second
)

// run is one crash run.
type run struct {
	o         Options
	say       *log
	rng       *rand.Rand
	rotation  *rotation
	platforms []*platform
	load      *load
	flight    *flight
	watch     *watch
	address   string
	child     *process
	first     point // of the process that runs before the first kill
	streams   *streams
	journals  []*journal

	report Report
}

// Run does a crash run and counts what came of it. The report is whole where err is nil, also where it is
// not clean; err is for what kept the run from being one.
func Run(ctx context.Context, o Options) (Report, error) {
	r := &run{
		o: o, say: newLog(o.Log), rng: newRng(o.Seed, 1), rotation: newRotation(o.Seed, kills(o.Rounds)),
		platforms: platforms(), watch: &watch{done: map[string]bool{}, notices: map[casefile.CaseRef]told{}},
	}
	r.report = Report{Seed: o.Seed, Rounds: o.Rounds}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := r.start(ctx)
	if err == nil {
		err = r.rounds(ctx)
	}
	cancel()
	for _, p := range append([]*process{r.child}, r.processes()...) {
		if p != nil && p.running() {
			p.kill()
		}
	}
	r.report.PerStep = r.rotation.counts()
	for _, j := range r.journals {
		err = errors.Join(err, j.close())
	}
	return r.report, err
}

// newRng is what one use of the seed is drawn from.
func newRng(seed, use uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, use)) }

func (r *run) processes() []*process {
	var out []*process
	for _, p := range r.platforms {
		out = append(out, p.process)
	}
	return out
}

func (r *run) path(name string) string { return filepath.Join(r.o.Dir, name) }

// start starts the platforms and Docket for the first time, and everybody who uses it.
func (r *run) start(ctx context.Context) error {
	for _, p := range r.platforms {
		err := p.start(ctx, r.o.Dir, r.o.Receiver)
		if err != nil {
			return err
		}
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	r.address = port
	r.flight = newFlight()
	r.load = &load{
		base: "http://" + port, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		tokens: map[string]string{}, rng: newRng(r.o.Seed, 2), opinions: map[casefile.CaseRef]bool{},
		flight: r.flight, watch: r.watch, draining: make(chan struct{}), failed: make(chan error, 1),
	}
	r.load.accepted, err = openJournal(r.path("accepted.ndjson"))
	if err != nil {
		return err
	}
	r.load.verbs, err = openJournal(r.path("verbs.ndjson"))
	if err != nil {
		return err
	}
	r.journals = []*journal{r.load.accepted, r.load.verbs}
	r.streams = &streams{dir: r.o.Dir}
	r.first = r.choose(working)
	err = r.launch(r.first)
	if err == nil {
		err = r.ready(ctx)
	}
	if err != nil {
		return err
	}
	// Tokens are written when it answers already.
	credentials := filepath.Join(r.path("data"), "credentials.json")
	err = r.await(ctx, "the credentials are written", func(context.Context) (bool, error) {
		_, err := os.Stat(credentials)
		return err == nil, nil
	})
	if err == nil {
		err = r.load.readTokens(credentials)
	}
	if err != nil {
		return err
	}
	keyring, err := evidence.OpenKeyring(ctx, evidence.KeyringOptions{Dir: filepath.Join(r.path("data"), "keys"), Skeleton: fold.String})
	if err != nil {
		return fmt.Errorf("read the identity key, which names flags on the ledger: %w", err)
	}
	r.load.flagOf = keyring.Identity().Flag
	r.begin(ctx)
	return keyring.Close()
}

// begin sets everybody to work.
func (r *run) begin(ctx context.Context) {
	for _, p := range r.platforms {
		go func() {
			err := r.watch.follow(ctx, p.file)
			if err != nil {
				r.load.fail(err)
			}
		}()
	}
	go func() {
		err := r.followLedger(ctx)
		if err != nil && ctx.Err() == nil {
			r.load.fail(err)
		}
	}()
	for range senders {
		go r.load.send(ctx, r.o.Seed)
	}
	for n, login := range []string{"rev1", "rev2", "rev3", "senior", "senior2"} {
		// Two at once, since a verb whose case's task was cut off is answered only when that was given up.
		for range 2 {
			j := &judge{l: r.load, login: login, number: n, senior: login == "senior" || login == "senior2", keeps: 3}
			go j.work(ctx)
		}
	}
	lead := &judge{l: r.load, login: "lead", keeps: 1, lead: true}
	go lead.work(ctx)
	go r.load.complain(ctx)
	go r.load.rule(ctx, "lead2")
	go r.load.establish(ctx, "lead")
	go r.load.audit(ctx)
}

// freePort gives an address that every start of the run listens on.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// point is where a start is to be killed.
type point struct {
	step   string // "" for none
	passes int
	armed  bool // counts from the start, not only once the driver says so
}

// launch starts Docket on the data of the run, with streams to be read where there are any.
func (r *run) launch(at point, streams ...string) error {
	_ = os.Remove(r.path("armed"))
	args := []string{
		"--data", r.path("data"), "--listen", r.address, "--fast", "--grace", grace.String(), "--lease", lease.String(),
	}
	for _, p := range r.platforms {
		args = append(args, "--webhook", p.name+"="+p.config)
	}
	args = append(args, "--webhook", r.platforms[0].config) // the stream's platform, whatever its name
	for _, file := range streams {
		args = append(args, "--replay", file)
	}
	if len(streams) == 0 {
		args = append(args, "--no-replay")
	}
	env := []string{"DOCKET_CRASH_DAY=" + crashDay.String()}
	if at.step != "" {
		env = append(env, fmt.Sprintf("%s=%s:%d", crashpoint.EnvAt, at.step, at.passes))
		if !at.armed {
			env = append(env, crashpoint.EnvWhen+"="+r.path("armed"))
		}
	}
	var err error
	r.child, err = spawn("docket", r.path("docket.out"), env, nil, r.o.Standalone, args...)
	return err
}

// ready waits until Docket answers. The error is errEnded where it ended before.
func (r *run) ready(ctx context.Context) error {
	return r.await(ctx, "Docket answers", func(ctx context.Context) (bool, error) {
		if !r.child.running() {
			return false, errEnded
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.load.base+"/readyz", nil)
		if err != nil {
			return false, err
		}
		res, err := r.load.http.Do(req)
		if err != nil {
			return false, nil
		}
		return res.StatusCode == http.StatusOK, res.Body.Close()
	})
}

var errEnded = errors.New("docket ended by itself")

// await looks again and again until ok; the whole wait is bounded by the run's patience.
func (r *run) await(ctx context.Context, what string, ok func(ctx context.Context) (bool, error)) error {
	deadline := time.Now().Add(r.o.Patience)
	for {
		is, err := ok(ctx)
		if is || err != nil {
			return err
		}
		select {
		case err = <-r.load.failed:
			return err
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s in vain: %s", r.o.Patience, what)
		}
		if !pause(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// enough waits until enough is in flight.
func (r *run) enough(ctx context.Context) error {
	return r.await(ctx, fmt.Sprintf("%d flags, %d claims and %d takedowns in flight", minFlags, minClaims, minTakedowns),
		func(context.Context) (bool, error) {
			if !r.child.running() {
				return false, errEnded
			}
			return r.flight.now().enough(margin), nil
		})
}

// kills is how many kills a run of so many rounds holds.
func kills(rounds int) int {
	n := 0
	for round := 1; round <= rounds; round++ {
		n += 1 + len(extra(round))
	}
	return n
}

// extra are the kills of a round behind its first: half the rounds kill again during recovery, some of
// these at a moment of nobody's choosing, and now and then there is one more such in the middle of work.
func extra(round int) []kind {
	var out []kind
	if round%2 == 1 {
		if round%6 == 3 {
			out = append(out, recoveringAnywhen)
		} else {
			out = append(out, recovering)
		}
	}
	if round%4 == 2 {
		out = append(out, anywhen)
	}
	return out
}

// kind is a kind of kill.
type kind string

const (
	working           kind = "at work"              // at a step, under load
	anywhen           kind = "any time"             // under load, at a moment drawn by lot
	recovering        kind = "recovering"           // at a step, counted from the start of the process
	recoveringAnywhen kind = "recovering, any time" // so long after the start of the process as was drawn
)

func (r *run) rounds(ctx context.Context) error {
	r.say.printf("seed %d, %d rounds, %d kills", r.o.Seed, r.o.Rounds, kills(r.o.Rounds))
	for round := 1; round <= r.o.Rounds; round++ {
		for _, k := range append([]kind{working}, extra(round)...) {
			err := r.kill(ctx, round, k)
			if err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
		}
	}
	return r.quiet(ctx)
}

// kill has Docket killed once, and looks that enough was in flight.
func (r *run) kill(ctx context.Context, round int, k kind) error {
	at := r.first
	if !r.child.running() {
		at = r.choose(k)
		var streams []string
		if k == recovering && slices.Contains(atStart, at.step) {
			file, err := r.streams.next()
			if err != nil {
				return err
			}
			streams = append(streams, file)
		}
		err := r.launch(at, streams...)
		if err != nil {
			return err
		}
	}
	r.load.setUrge(at.step)
	hit, err := r.untilKilled(ctx, k, at)
	if err != nil {
		return err
	}
	n := r.flight.now()
	r.count(k, at, hit)
	r.say.kill(round, k, at, hit, n, time.Since(r.child.begun))
	if !n.enough(0) {
		return fmt.Errorf("only %s in flight at a kill; at least %d, %d and %d are due", n, minFlags, minClaims, minTakedowns)
	}
	return nil
}

// choose gives the point of a kill.
func (r *run) choose(k kind) point {
	switch k {
	case working:
		return point{step: r.rotation.next(false), passes: 1 + r.rng.IntN(3)}
	case recovering:
		start := r.rotation.least(atStart) <= r.rotation.least(others())
		return point{step: r.rotation.next(start), passes: 1, armed: true}
	}
	return point{}
}

// untilKilled waits until the process has been killed, and kills it itself where that is due; hit says that it
// was killed at its point.
func (r *run) untilKilled(ctx context.Context, k kind, at point) (hit bool, err error) {
	switch k {
	case recoveringAnywhen:
		return false, r.after(ctx, time.Duration(r.rng.Int64N(int64(4*time.Second))))
	case recovering:
		return r.atPoint(ctx, at)
	}
	err = r.ready(ctx)
	if err == nil {
		err = r.enough(ctx)
	}
	if err != nil {
		return false, err
	}
	if k == anywhen {
		err = r.after(ctx, time.Duration(r.rng.Int64N(int64(1500*time.Millisecond))))
		return false, err
	}
	err = os.WriteFile(r.path("armed"), nil, 0o600)
	if err != nil {
		return false, fmt.Errorf("arm a crash point: %w", err)
	}
	return r.atPoint(ctx, at)
}

// after kills the process when the time has passed, and enough is in flight.
func (r *run) after(ctx context.Context, d time.Duration) error {
	if !pause(ctx, d) {
		return ctx.Err()
	}
	err := r.enough(ctx)
	if err != nil {
		return err
	}
	r.child.kill()
	return nil
}

// atPoint waits until the process has killed itself. Where it does not pass the step in time, it is killed
// from outside.
func (r *run) atPoint(ctx context.Context, at point) (hit bool, err error) {
	timer := time.NewTimer(pointPatience)
	defer timer.Stop()
	select {
	case <-r.child.done:
		if !r.child.killed() {
			return false, fmt.Errorf("docket ended by itself (%v): see %s", r.child.err, r.path("docket.out"))
		}
		return true, nil
	case err = <-r.load.failed:
		return false, err
	case <-ctx.Done():
		return false, ctx.Err()
	case <-timer.C:
	}
	err = r.enough(ctx)
	if errors.Is(err, errEnded) {
		return r.child.killed(), nil
	}
	if err != nil {
		return false, err
	}
	r.child.kill()
	return false, nil
}

func (r *run) count(k kind, at point, hit bool) {
	r.report.Kills++
	switch {
	case hit:
		r.rotation.hits[at.step]++
		r.report.AtPoint++
	case at.step != "":
		r.rotation.fails[at.step]++
		r.report.Missed++
		fallthrough
	default:
		r.report.AnyTime++
	}
	if k == recovering || k == recoveringAnywhen {
		r.report.Recovering++
	}
}

// quiet starts Docket once more, lets everything come to its end, and has it counted.
func (r *run) quiet(ctx context.Context) error {
	close(r.load.draining)
	began := time.Now()
	r.load.setUrge("")
	err := r.launch(point{}, r.streams.files()...)
	if err == nil {
		err = r.ready(ctx)
	}
	if err != nil {
		return err
	}
	err = r.streams.accept(ctx, r.load)
	if err != nil {
		return err
	}
	r.say.printf("nothing new is begun; waiting until all is quiet")
	err = r.settle(ctx)
	if err == nil {
		err = r.emptyOutbox(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	stopping, cancel := context.WithTimeout(ctx, r.o.Patience)
	defer cancel()
	stopped := r.child.stop(stopping)
	r.say.printf("quiet after %s", time.Since(began).Round(100*time.Millisecond))
	r.report.Report, err = r.tally(ctx)
	return errors.Join(err, stopped)
}

// stillness is how long nothing may move before what is not quiet by then is counted as it stands: longer
// than an attempt that was cut off with its process is waited for.
const stillness = 45 * time.Second

// settle waits until nothing has still to come. What is counted as doubled never goes away, so it is not
// waited for.
func (r *run) settle(ctx context.Context) error {
	var last tally.Report
	moved := time.Now()
	return r.await(ctx, "all is quiet", func(ctx context.Context) (bool, error) {
		if !r.child.running() {
			return false, errEnded
		}
		n := r.flight.now()
		if n.Flags > 0 || n.Claims > 0 {
			return false, nil
		}
		now, err := r.tally(ctx)
		if err != nil {
			return false, err
		}
		if now.Clean() {
			return true, nil
		}
		if now.Acts != last.Acts || now.Unfinished != last.Unfinished {
			moved = time.Now()
		}
		last = now
		if time.Since(moved) > stillness {
			r.say.printf("nothing has moved for %s", stillness)
			return true, nil
		}
		pause(ctx, 500*time.Millisecond)
		return false, nil
	})
}

// tally has the third program count.
func (r *run) tally(ctx context.Context) (tally.Report, error) {
	args := []string{
		"--ledger", filepath.Join(r.path("data"), "ledger"), "--key", filepath.Join(r.path("data"), "keys", "log.pub"),
		"--accepted", r.path("accepted.ndjson"), "--verbs", r.path("verbs.ndjson"),
	}
	for _, p := range r.platforms {
		args = append(args, "--platform", p.file)
	}
	out, err := exec.CommandContext(ctx, r.o.Tally, args...).Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		said := ""
		if exit != nil {
			said = string(exit.Stderr)
		}
		return tally.Report{}, fmt.Errorf("count: %w: %s", err, said)
	}
	var report tally.Report
	err = json.Unmarshal(out, &report)
	if err != nil {
		return tally.Report{}, fmt.Errorf("read the count: %w", err)
	}
	return report, nil
}
