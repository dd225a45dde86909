package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records/postgres/postgrestest"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/client"
	synthetic "github.com/docket-triage/docket/testdata/stream"
)

// standaloneEnv turns the test's own binary into the program: building that a second time would link
// the Temporal server once more.
const standaloneEnv = "DOCKET_TEST_STANDALONE"

func TestMain(m *testing.M) {
	if os.Getenv(standaloneEnv) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "docket-rules")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	unsampled = filepath.Join(dir, "routing.yaml")
	shipped, err := os.ReadFile(filepath.Join("..", "..", "policy", "rules", "routing.yaml"))
	if err == nil {
		err = os.WriteFile(unsampled, bytes.Replace(shipped, []byte("\n  sample: 0.05"), []byte("\n  sample: 0"), 1), 0o600)
	}
	if err != nil {
		panic(err)
	}
	return m.Run()
}

// unsampled are the shipped rules, by which no decision of one person is sent to a second for the
// sake of a sample: a test that does not ask for that must not meet it by chance.
var unsampled string

// child is a process of a test.
type child struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended and all it wrote was read
	err  error

	mu    sync.Mutex
	lines []string      // of both its outputs
	more  chan struct{} // closed and made anew at each line
}

// spawn starts a process with an environment of its own.
func spawn(t *testing.T, name, dir, path string, env []string, args ...string) *child {
	t.Helper()
	c := &child{t: t, name: name, cmd: exec.Command(path, args...), done: make(chan struct{}), more: make(chan struct{})}
	c.cmd.Dir = dir
	c.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir()}, env...)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	c.cmd.Stdout, c.cmd.Stderr = write, write
	require.NoError(t, c.cmd.Start())
	require.NoError(t, write.Close())
	go func() {
		defer close(c.done)
		scanner := bufio.NewScanner(read)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			c.mu.Lock()
			c.lines = append(c.lines, scanner.Text())
			close(c.more)
			c.more = make(chan struct{})
			c.mu.Unlock()
		}
		_ = read.Close()
		c.err = c.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.done
		if t.Failed() {
			t.Logf("%s:\n%s", name, c.output())
		}
	})
	return c
}

func (c *child) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}

// says waits until the process has written a line with the text in it, after the first skip lines of
// that kind, and gives the line.
func (c *child) says(text string, skip int) string {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		more, found := c.more, 0
		for _, line := range c.lines {
			if !strings.Contains(line, text) {
				continue
			}
			if found == skip {
				c.mu.Unlock()
				return line
			}
			found++
		}
		c.mu.Unlock()
		select {
		case <-more:
		case <-c.done:
			require.Fail(c.t, "ended without a word", "%s never said %q", c.name, text)
		case <-deadline:
			require.Fail(c.t, "waited in vain", "%s never said %q", c.name, text)
		}
	}
}

// address is the one of a line of the log.
func (c *child) address(text string) string {
	c.t.Helper()
	var line struct {
		Address string `json:"address"`
	}
	require.NoError(c.t, json.Unmarshal([]byte(c.says(text, 0)), &line))
	return line.Address
}

// ends waits for the process's own end, which must be a good one.
func (c *child) ends() {
	c.t.Helper()
	select {
	case <-c.done:
		require.NoError(c.t, c.err, "%s", c.name)
	case <-time.After(patience):
		require.Fail(c.t, "waited in vain", "%s does not end", c.name)
	}
}

// stop asks the process to end, which takes 20 seconds at most.
func (c *child) stop() {
	c.t.Helper()
	began := time.Now()
	require.NoError(c.t, c.cmd.Process.Signal(syscall.SIGTERM))
	c.ends()
	require.Less(c.t, time.Since(began), 20*time.Second, "%s stops cleanly within 20 s", c.name)
}

// five is a deployment of five processes on one machine.
type five struct {
	t    *testing.T
	dir  string
	path string // of the program docket
	env  []string
	all  []*child // every role, to look into what they wrote
}

// docket runs a command of docket to its end and gives what it printed.
func (f *five) docket(args ...string) []byte {
	f.t.Helper()
	cmd := exec.CommandContext(f.t.Context(), f.path, args...)
	cmd.Dir, cmd.Env = f.dir, f.env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(f.t, err, "docket %s: %s%s", strings.Join(args, " "), out, errs.String())
	return out
}

// role starts a role's process.
func (f *five) role(role config.Role, args ...string) *child {
	f.t.Helper()
	c := spawn(f.t, string(role), f.dir, f.path, f.env, append([]string{string(role), "--health", "127.0.0.1:0"}, args...)...)
	f.all = append(f.all, c)
	return c
}

// token adds a person and gives their API token.
func (f *five) token(login, role string) string {
	f.t.Helper()
	var made struct {
		Token string `json:"token"`
	}
	require.NoError(f.t, json.Unmarshal(f.docket("bootstrap", login, "--name", "Invented", "--role", role, "--token", "--json"), &made))
	require.NotEmpty(f.t, made.Token)
	return made.Token
}

func (f *five) write(name, text string) string {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	require.NoError(f.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// await asks again and again, since nothing here tells of changes, until ok.
func (f *five) await(what string, ok func(ctx context.Context) bool) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok(ctx) {
		select {
		case <-ctx.Done():
			require.Fail(f.t, "waited in vain", what)
		case <-tick.C:
		}
	}
}

// get gives status and text of a page.
func (f *five) get(ctx context.Context, url string) (int, string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(f.t, err)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(text)
}

// ready waits until a role says that it is, or that it is not.
func (f *five) ready(c *child, want int) string {
	f.t.Helper()
	at := c.address(`"part":"health"`)
	text := ""
	f.await(c.name+" ready", func(ctx context.Context) bool {
		var status int
		status, text = f.get(ctx, "http://"+at+"/readyz")
		return status == want
	})
	return text
}

// decide takes cases in turn and suspends the account, until one is decided by that: of some, a second
// person's opinion is asked. It gives the decided case and the words that stood in it.
func (f *five) decide(rev *client.Client) (casefile.CaseRef, []string) {
	f.t.Helper()
	for {
		claimed := f.claim(rev)
		view, err := rev.Case(f.t.Context(), claimed.Case, "")
		require.NoError(f.t, err)
		require.NotEmpty(f.t, view.Evidence)
		post := view.Evidence[0].Event
		given, err := rev.Opinion(f.t.Context(), review.OpinionCall{
			VerbCall: review.VerbCall{Case: claimed.Case}, Claim: claimed.Claim.Number, EvidenceRevision: view.EvidenceRevision,
			Form: form(casefile.L5, casefile.VE08, post.ID),
		})
		require.NoError(f.t, err)
		if given.Decision != "" {
			return claimed.Case, []string{view.Handle, post.Text}
		}
	}
}

// claim takes the next case of the first queue that has one for this person.
func (f *five) claim(rev *client.Client) (claimed review.VerbAnswer) {
	f.t.Helper()
	f.await("a case to claim", func(ctx context.Context) bool {
		queues, err := rev.Queues(ctx)
		if err != nil {
			return false
		}
		for _, q := range queues {
			var ok bool
			claimed, ok, err = rev.Next(ctx, q.Name, "")
			if err == nil && ok {
				return true
			}
		}
		return false
	})
	return claimed
}

// done waits until the dry run has suspended n accounts and sent as many notices.
func (f *five) done(n int) {
	f.t.Helper()
	path := filepath.Join(f.dir, "dryrun.ndjson")
	var acts, notices []string
	f.await("acts and notices", func(context.Context) bool {
		acts, notices = platformFile(f.t, path)
		return len(acts) >= n && len(notices) >= n
	})
	require.Len(f.t, acts, n)
	require.Len(f.t, notices, n)
	for _, a := range acts {
		require.Equal(f.t, "suspend", a)
	}
}

// TestFiveProcesses: the roles as five processes on PostgreSQL, from a stream to a proven decision and
// its act; then through the loss of database and Temporal; then a clean stop.
func TestFiveProcesses(t *testing.T) {
	t.Parallel()
	database := postgrestest.Start(t, false)
	dir := t.TempDir()
	f := &five{t: t, dir: dir, path: filepath.Join(dir, "docket")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", f.path, "./cmd/docket")
	build.Dir = moduleRoot(t)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	temporal := spawn(t, "temporal", dir, os.Args[0], []string{standaloneEnv + "=1"}, "temporal", "--data", "temporal", "--listen", "127.0.0.1:0", "--fast")
	frontend := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(temporal.says("Temporal answers on", 0))
	const password = "an-invented-password"
	f.write("password", password+"\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "events.ndjson.gz"), synthetic.Events(), 0o600))
	f.write("docket.yaml", `
fast: true
keys: {dir: keys}
records:
  postgres: "`+database.Database(t)+`"
  password_file: password
evidence: {dir: evidence}
temporal: {address: "`+frontend+`"}
index: {embedded: index.sqlite}
ledger:
  dir: ledger
  listen: 127.0.0.1:0
  verifier_key_file: keys/log.pub
cases: {grace: 300ms}
platforms: [{name: "*", adapter: dryrun, file: dryrun.ndjson}]
serve: {listen: "127.0.0.1:0"}
detect:
  files: [events.ndjson.gz]
  snapshot: detector.snapshot
  rejects: rejects.ndjson
  watch_all: true
`)
	f.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), "DOCKET_CONFIG=docket.yaml"}
	f.docket("keys", "make", "keys")

	ledger := f.role(config.RoleLedger)
	enforce, work := f.role(config.RoleEnforce), f.role(config.RoleWork)
	publicLog := "http://" + ledger.address(`"msg":"answers","role":"ledger"`) + "/log/"
	f.env = append(f.env, "DOCKET_LEDGER_URL="+publicLog)
	serve := f.role(config.RoleServe)
	base := "http://" + serve.address(`"msg":"answers","role":"serve"`)
	rev := &client.Client{Base: base, Token: f.token("rev", "reviewer")}
	auditor := &client.Client{Base: base, Token: f.token("auditor", "auditor")}
	detectorToken := f.token("detector", "service")
	f.write("token", detectorToken+"\n")
	f.env = append(f.env, "DOCKET_DETECT_DOOR="+base, "DOCKET_DETECT_TOKEN_FILE=token")
	f.docket("config", "check")
	detect := f.role(config.RoleDetect)
	detect.ends()
	require.Contains(t, detect.output(), "the stream has been read to its end")
	for _, c := range []*child{ledger, enforce, work, serve} {
		require.Contains(t, f.ready(c, http.StatusOK), "started: ok")
	}

	f.await("cases in queues", func(ctx context.Context) bool {
		queues, err := rev.Queues(ctx)
		require.NoError(t, err)
		waiting := 0
		for _, q := range queues {
			waiting += q.Waiting
		}
		return waiting > 100
	})
	ref, words := f.decide(rev)
	f.await("the proof", func(ctx context.Context) bool {
		bundle, err := auditor.Proof(ctx, ref)
		if err != nil {
			return false
		}
		key, err := os.ReadFile(filepath.Join(dir, "keys", "log.pub"))
		require.NoError(t, err)
		entry, err := verify.Bundle(bundle, strings.TrimSpace(string(key)))
		require.NoError(t, err)
		require.Equal(t, casefile.EntryDecision, entry.Type)
		return true
	})
	f.done(1)
	for _, log := range []string{publicLog, base + "/log/"} {
		require.Contains(t, string(f.docket("audit", "verify", "--log", log, "--key", "keys/log.pub")), "the log is whole")
	}
	_, metrics := f.get(t.Context(), "http://"+serve.address(`"part":"health"`)+"/metrics")
	require.Contains(t, metrics, `docket_queue_waiting_cases{queue="speech"}`)
	_, metrics = f.get(t.Context(), base+"/metrics")
	require.NotContains(t, metrics, "docket_", "figures stand on the listener of health alone")

	database.Stop(t)
	temporal.stop()
	for _, c := range []*child{ledger, enforce, work, serve} {
		down := f.ready(c, http.StatusServiceUnavailable)
		f.await("both are down", func(context.Context) bool {
			down = f.ready(c, http.StatusServiceUnavailable)
			return strings.Contains(down, "records: does not answer") && strings.Contains(down, "temporal: does not answer")
		})
		c.says(`"msg":"does not answer, trying again","what":"records"`, 0)
		c.says(`"msg":"does not answer, trying again","what":"temporal"`, 0)
	}
	database.Restart(t)
	temporal = spawn(t, "temporal again", dir, os.Args[0], []string{standaloneEnv + "=1"}, "temporal", "--data", "temporal", "--listen", frontend, "--fast")
	temporal.says("Temporal answers on "+frontend, 0)
	for _, c := range []*child{ledger, enforce, work, serve} {
		f.ready(c, http.StatusOK)
	}
	_, more := f.decide(rev)
	f.done(2)

	for _, c := range []*child{serve, work, enforce, ledger, temporal} {
		c.stop()
	}
	require.Contains(t, string(f.docket("audit", "verify", "--log", "ledger", "--key", "keys/log.pub")), "the log is whole")
	for _, c := range f.all {
		for _, secret := range append(append(words, more...), password, detectorToken, rev.Token) {
			require.NotContains(t, c.output(), secret, "in what %s wrote", c.name)
		}
	}
}
