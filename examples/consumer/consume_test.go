package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/client"
	"github.com/docket-triage/docket/review/reviewtest"
)

// docket is a deployment's API over a true log, with the token of a service that acts.
type docket struct {
	*reviewtest.Bench
	t    *testing.T
	key  string
	feed *client.Client
}

func newDocket(t *testing.T) *docket {
	t.Helper()
	b := reviewtest.New(t, nil)
	l := b.WithLedger()
	b.Add("consumer", access.TakedownTeam, casefile.RoleService)
	handler, err := api.New(api.Options{Desk: b.Desk, Door: b.Door, Access: b.Access, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &docket{Bench: b, t: t, key: l.Key, feed: &client.Client{Base: server.URL, Token: b.Token("consumer")}}
}

// decide has one person decide on account n, and the decision proven and carried out.
func (d *docket) decide(n int, action casefile.Action) {
	d.t.Helper()
	ctx := d.t.Context()
	ref, post := d.Open(n)
	answer, err := d.Desk.Claim(ctx, d.Who("rev1"), review.VerbCall{Case: ref})
	require.NoError(d.t, err)
	form := reviewtest.Form(action, post)
	if action == casefile.L0 {
		form.Policies, form.Relied = []casefile.PolicyCode{casefile.VE00}, nil
	}
	_, err = d.Desk.Opinion(ctx, d.Who("rev1"), review.OpinionCall{VerbCall: review.VerbCall{Case: ref}, Claim: answer.Claim.Number, EvidenceRevision: 1, Form: form})
	require.NoError(d.t, err)
	require.NoError(d.t, d.Workflows.CarryOut(ctx, ref))
}

// forged changes what a feed gives.
type forged struct {
	Feed
	change func(*client.ProvenDecision)
}

func (f forged) DecisionsAfter(ctx context.Context, after int64, limit int, wait time.Duration) (client.DecisionFeed, error) {
	out, err := f.Feed.DecisionsAfter(ctx, after, limit, wait)
	for i := range out.Decisions {
		f.change(&out.Decisions[i])
	}
	return out, err
}

// runOnce runs the workflow until it continues as new, and gives the state that it goes on with.
func runOnce(t *testing.T, a *Activities, from State) State {
	t.Helper()
	a.Log = slog.New(slog.DiscardHandler)
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.RegisterWorkflowWithOptions(Consume, workflow.RegisterOptions{Name: workflowName})
	env.RegisterActivity(a)
	env.ExecuteWorkflow(workflowName, from)
	require.True(t, env.IsWorkflowCompleted())
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, env.GetWorkflowError(), &next)
	require.Equal(t, workflowName, next.WorkflowType.Name)
	var s State
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &s))
	answer, err := env.QueryWorkflow(queryState)
	require.NoError(t, err)
	var asked State
	require.NoError(t, answer.Get(&asked))
	require.Equal(t, s, asked)
	return s
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// TestConsumes: over the true API and a true log, each proven decision is acted on once, across runs; one
// that is nothing to act on is passed.
func TestConsumes(t *testing.T) {
	t.Parallel()
	d := newDocket(t)
	d.decide(1, casefile.L5)
	d.decide(2, casefile.L0)
	d.decide(3, casefile.L3)
	a := &Activities{Feed: d.feed, Key: d.key, Out: filepath.Join(t.TempDir(), "acts.ndjson")}
	start := State{After: client.FeedFrom, Parts: 2}
	s := runOnce(t, a, start)
	require.Equal(t, State{After: s.After, Acted: 2, Passed: 1, Parts: 2}, s)
	got := lines(t, a.Out)
	require.Len(t, got, 2)
	require.Contains(t, got[0], `"account":"account-1","action":"L5","days":7,"policies":["VE-08"]}`)
	require.Contains(t, got[1], `"account":"account-3"`)

	d.decide(4, casefile.L4)
	s = runOnce(t, a, s)
	require.Equal(t, 3, s.Acted)
	require.Len(t, lines(t, a.Out), 3)

	// From the beginning again, as after a lost state: nothing is done twice. Half a line is no act.
	f, err := os.OpenFile(a.Out, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"decision":"01H`)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	d.decide(5, casefile.L4)
	s = runOnce(t, a, start)
	require.Equal(t, 4, s.Acted)
	got = lines(t, a.Out)
	require.Len(t, got, 5)
	require.Contains(t, got[4], `"account":"account-5"`)
}

// TestRefuses: nothing is started for a bad proof; it is counted and named, and the good ones go on.
func TestRefuses(t *testing.T) {
	t.Parallel()
	d := newDocket(t)
	d.decide(1, casefile.L5)
	d.decide(2, casefile.L5)
	all, err := d.feed.DecisionsAfter(t.Context(), client.FeedFrom, 0, 0)
	require.NoError(t, err)
	require.Len(t, all.Decisions, 2)
	first, second := all.Decisions[0], all.Decisions[1]
	other := reviewtest.NewLedger(t)

	for name, c := range map[string]struct {
		want   string
		change func(*client.ProvenDecision)
		key    string
	}{
		"another decision's bundle":  {want: "the proof is of the entry at", change: func(p *client.ProvenDecision) { p.Bundle = first.Bundle }},
		"a weaker action":            {want: "not that of this decision", change: func(p *client.ProvenDecision) { p.Decision.Action, p.Decision.Days = casefile.L4, 0 }},
		"a truncated bundle":         {want: "path does not lead", change: func(p *client.ProvenDecision) { p.Bundle.Entry = p.Bundle.Entry[:50] }},
		"a checkpoint too small":     {want: "entries, not the one at", change: func(p *client.ProvenDecision) { p.Bundle.Checkpoint = first.Bundle.Checkpoint }},
		"another account":            {want: "not that of this decision", change: func(p *client.ProvenDecision) { p.Account.ID = "account-9" }},
		"another log's key":          {want: "not signed with the pinned key", key: other.Key},
		"one that was taken back":    {change: func(p *client.ProvenDecision) { p.State = casefile.DecisionUndone }},
		"what the feed does not say": {want: "without its decision", change: func(p *client.ProvenDecision) { p.Decision = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &Activities{Key: d.key, Out: filepath.Join(t.TempDir(), "acts.ndjson")}
			want := State{After: all.Next, Acted: 1, Refused: 1, Parts: 1}
			a.Feed = forged{Feed: d.feed, change: func(p *client.ProvenDecision) {
				if p.ID == second.ID && c.change != nil {
					c.change(p)
				}
			}}
			if c.key != "" {
				a.Key, want.Acted, want.Refused = c.key, 0, 2
			}
			if c.want == "" {
				want.Refused, want.Passed = 0, 1
			}
			s := runOnce(t, a, State{After: client.FeedFrom, Parts: 1})
			if c.want != "" {
				require.Contains(t, s.LastRefusal, "decision "+second.ID)
				require.Contains(t, s.LastRefusal, c.want)
			}
			s.LastRefusal = ""
			require.Equal(t, want, s)
			require.Len(t, lines(t, a.Out), want.Acted)
			require.NotContains(t, strings.Join(lines(t, a.Out), ""), second.ID)
		})
	}

	// What was good when it was looked at and is not when it is acted on is not acted on either.
	asked := 0
	a := &Activities{Key: d.key, Out: filepath.Join(t.TempDir(), "acts.ndjson"), Feed: forged{Feed: d.feed, change: func(p *client.ProvenDecision) {
		asked++
		if asked > len(all.Decisions) {
			p.Decision.Action = casefile.L4
		}
	}}}
	s := runOnce(t, a, State{After: client.FeedFrom, Parts: 1})
	require.Equal(t, 2, s.Refused)
	require.Zero(t, s.Acted)
	require.Empty(t, lines(t, a.Out))
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	token, key := file("token", "dk_api_x\n"), file("key", "no key\n")
	for want, args := range map[string][]string{
		"--token-file and --key are required":   {},
		`takes no argument "more"`:              {"--token-file", token, "--key", key, "more"},
		"read the token":                        {"--token-file", filepath.Join(dir, "none"), "--key", key},
		"the log's public key in " + key:        {"--token-file", token, "--key", key},
		"--parts must be at least 1":            {"--token-file", token, "--key", key, "--parts", "0"},
		"flag provided but not defined: -other": {"--other"},
	} {
		require.ErrorContains(t, run(t.Context(), args), want)
	}
}

// TestLinksNoServer: another system takes neither Temporal's server nor Docket's own engines in.
func TestLinksNoServer(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	deps := strings.Fields(string(out))
	require.Contains(t, deps, "github.com/docket-triage/docket/ledger/verify", "the list is not this binary's")
	for _, dep := range deps {
		for _, not := range []string{"go.temporal.io/server/", "github.com/transparency-dev/tessera", "github.com/docket-triage/docket/worker", "modernc.org/sqlite"} {
			require.False(t, strings.HasPrefix(dep, not), "links %s", dep)
		}
	}
}

// waiting is a feed that has nothing to give.
type waiting struct{ asked chan struct{} }

func (w waiting) DecisionsAfter(ctx context.Context, _ int64, _ int, _ time.Duration) (client.DecisionFeed, error) {
	close(w.asked)
	<-ctx.Done()
	return client.DecisionFeed{}, ctx.Err()
}

// TestLookEndsWithItsWorker: a worker that stops keeps nobody waiting for the feed's answer, nor moves the cursor.
func TestLookEndsWithItsWorker(t *testing.T) {
	t.Parallel()
	feed, stop := waiting{asked: make(chan struct{})}, make(chan struct{})
	a := &Activities{Feed: feed, Log: slog.New(slog.DiscardHandler)}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a)
	env.SetWorkerStopChannel(stop)
	go func() {
		<-feed.asked
		close(stop)
	}()
	value, err := env.ExecuteActivity(a.Look, int64(7))
	require.NoError(t, err)
	var p part
	require.NoError(t, value.Get(&p))
	require.Equal(t, part{Next: 7, Verdict: []verdict{}}, p)
}
