package main

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	temporal "go.temporal.io/sdk/client"
	sdktemporal "go.temporal.io/sdk/temporal"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/intake"
	"github.com/docket-triage/docket/worker"
	"github.com/docket-triage/docket/workflows"
)

// strangersType is a workflow type of nobody's.
const strangersType = "Words of a stranger"

// nobodysQueue is a task queue that nobody polls.
func nobodysQueue() temporal.StartWorkflowOptions {
	return temporal.StartWorkflowOptions{TaskQueue: "nobody polls this"}
}

// occupy starts a run under one of our ids, in place of the one that may run there, and gives its run id.
func (b *bed) occupy(id, kind string, o temporal.StartWorkflowOptions, in ...any) string {
	b.t.Helper()
	o.ID = id
	o.WorkflowIDReusePolicy = enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	o.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	run, err := b.client.ExecuteWorkflow(b.t.Context(), o, kind, in...)
	require.NoError(b.t, err)
	return run.GetRunID()
}

// freed requires that a run was terminated.
func (b *bed) freed(id, run string) {
	b.t.Helper()
	d, err := b.client.DescribeWorkflowExecution(b.t.Context(), id, run)
	require.NoError(b.t, err)
	require.Equal(b.t, enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, d.GetWorkflowExecutionInfo().GetStatus())
}

// refusedStarts is how many starts stand among the refusals.
func (b *bed) refusedStarts() int {
	b.t.Helper()
	rows, err := b.records.Refusals(b.t.Context(), 0, 1000)
	require.NoError(b.t, err)
	n := 0
	for _, r := range rows {
		if r.Verb == "start" && r.Code == casefile.CodeForbidden {
			n++
		}
	}
	return n
}

// foreign reconciles and requires that exactly the foreign run of a thing was found, and that it started.
func (b *bed) foreign(thing worker.FoundThing, id string) {
	b.t.Helper()
	var out struct{ Report worker.Report }
	b.post("auditor", "/v1/reconcile", nil, &out, http.StatusOK)
	require.Equal(b.t, []worker.Found{{Kind: worker.FoundForeign, Thing: thing, ID: id, Started: true}}, out.Report.Found)
}

// TestPromise04ForeignRunsKeepNobodyOut: whoever reaches the engine starts runs of another type, or where
// nobody polls, under the ids of cases, takedowns, appeals and reinstatements. They are ended and on record,
// and everything goes its way.
func TestPromise04ForeignRunsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	cfg := testConfig(t.TempDir())
	cfg.Settings.Grace = 3 * time.Second // the takedown's id is known, and not yet taken
	cfg.Prepare = func(p *assembly.Process) {
		p.Seams.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}
	b := start(t, cfg)
	caseOf := func(f casefile.Flag) string {
		return casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref()))
	}
	seen := 0

	// Accounts without a case: their first flags are signalled to the foreign run.
	none, yearly := testFlag("f-none", 1), testFlag("f-yearly", 2)
	runs := map[string]string{
		caseOf(none):   b.occupy(caseOf(none), strangersType, nobodysQueue()),
		caseOf(yearly): b.occupy(caseOf(yearly), workflows.CaseWorkflowType, temporal.StartWorkflowOptions{TaskQueue: workflows.TaskQueueCases, CronSchedule: "0 0 1 1 *"}, workflows.CaseInput{}),
	}
	for _, f := range []casefile.Flag{none, yearly} {
		var res intake.Result
		require.Equal(t, http.StatusAccepted, b.call(detectorLogin, http.MethodPost, "/v1/flags", f, &res))
		require.Equal(t, records.FlagPending, res.Status)
	}
	ahead.Store(int64(2 * time.Minute)) // the sweeper's turn
	refs := map[string]casefile.CaseRef{}
	for _, f := range []casefile.Flag{none, yearly} {
		b.await(func() bool {
			row, err := b.records.Flag(t.Context(), b.keyring.Identity().Flag(f.Platform, f.ID))
			require.NoError(t, err)
			refs[f.ID] = row.Case
			return row.Status == records.FlagAccepted
		})
		b.awaitCase(refs[f.ID], func(c records.Case) bool { return c.State == casefile.StateQueued })
	}
	b.freed(caseOf(none), runs[caseOf(none)])
	// The signal woke the first run of the schedule, which dropped itself; the second, which waits for its
	// year, was ended.
	seen += 3
	require.Equal(t, seen, b.refusedStarts())

	// An open case whose run was put out of the way.
	ref := refs[none.ID]
	run := b.occupy(caseOf(none), workflows.CaseWorkflowType, nobodysQueue(), workflows.CaseInput{})
	b.foreign(worker.FoundCase, string(ref))
	b.freed(caseOf(none), run)
	b.awaitCase(ref, func(c records.Case) bool { return c.Revision > 1 && c.State == casefile.StateQueued })

	// The takedown's id is taken within the grace time.
	var given review.VerbAnswer
	b.await(func() bool { // the case's new run has its say first
		row, err := b.records.Case(t.Context(), ref)
		require.NoError(t, err)
		return row.State == casefile.StateQueued && row.Claim == nil
	})
	given = b.decide("rev1", ref, form(casefile.L5, casefile.VE08, none.Evidence[0].ID))
	takedown := casefile.TakedownWorkflowID(ref, given.Decision)
	run = b.occupy(takedown, strangersType, nobodysQueue())
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	b.foreign(worker.FoundTakedown, given.Decision)
	b.freed(takedown, run)
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitNotice(given.Decision)

	// An appeal, and the reinstatement that comes of it.
	told, err := b.records.Notice(t.Context(), given.Decision)
	require.NoError(t, err)
	var opened review.AppealOpened
	b.post("senior", "/v1/appeals", api.AppealBody{Notice: told.Number, Words: "[a complaint]"}, &opened, http.StatusOK)
	shown := func() bool {
		a, err := b.records.Appeal(t.Context(), opened.Appeal)
		require.NoError(t, err)
		return a.Revision > 0
	}
	b.await(shown)
	run = b.occupy(casefile.AppealWorkflowID(opened.Appeal), strangersType, nobodysQueue())
	b.foreign(worker.FoundAppeal, opened.Appeal)
	b.freed(casefile.AppealWorkflowID(opened.Appeal), run)
	reinstatement := casefile.ReinstatementWorkflowID(opened.Appeal)
	run = b.occupy(reinstatement, strangersType, nobodysQueue())
	var claimed workflows.AppealResult
	b.post("rev3", "/v1/appeals/"+opened.Appeal+"/claim", nil, &claimed, http.StatusOK)
	b.post("rev3", "/v1/appeals/"+opened.Appeal+"/rule", api.RulingBody{
		AppealForm: casefile.AppealForm{Outcome: casefile.OutcomeUpheld, Rationale: "[rationale of a test ruling]"}, Claim: claimed.Claim.Number,
	}, nil, http.StatusOK)
	state := func(want casefile.AppealState) func() bool {
		return func() bool {
			a, err := b.records.Appeal(t.Context(), opened.Appeal)
			require.NoError(t, err)
			return a.State == want
		}
	}
	b.await(state(casefile.AppealUpheld))
	b.foreign(worker.FoundReinstatement, opened.Appeal)
	b.freed(reinstatement, run)
	b.await(state(casefile.AppealReinstated))
	seen += 4
	require.Equal(t, seen, b.refusedStarts(), "each once")
	b.verifyLog()
}

// TestPromise04ForgedStartsEndByThemselves: on our own task queue, of a type that we do not have, or of one
// that we have with content that nobody can read. The account's next flag has its case.
func TestPromise04ForgedStartsEndByThemselves(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	plain, err := temporal.DialContext(t.Context(), temporal.Options{HostPort: b.temporal.HostPort(), Namespace: worker.Namespace})
	require.NoError(t, err)
	t.Cleanup(plain.Close)
	for n, c := range []struct {
		name string
		cl   temporal.Client
		kind string
		in   []any
	}{
		{"an unknown type", b.client, strangersType, []any{"[words of a stranger]"}},
		{"content without the codec", plain, workflows.CaseWorkflowType, []any{workflows.CaseInput{}}},
		{"content of another shape", b.client, workflows.CaseWorkflowType, []any{"[words of a stranger]"}},
		{"no content at all", b.client, workflows.CaseWorkflowType, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := testFlag(casefile.NewID(), n+1)
			id := casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref()))
			before := b.refusedStarts()
			run, err := c.cl.ExecuteWorkflow(t.Context(), temporal.StartWorkflowOptions{ID: id, TaskQueue: workflows.TaskQueueCases}, c.kind, c.in...)
			require.NoError(t, err)
			var failed *sdktemporal.WorkflowExecutionError
			require.ErrorAs(t, run.Get(t.Context(), nil), &failed)
			b.await(func() bool { return b.refusedStarts() == before+1 })
			b.flag(f)
		})
	}
	b.verifyLog()
}

// TestPromise04WhatTheSDKDropsIsOnRecord: Updates and signals that are refused or dropped before a workflow
// sees them, by a client with the codec's keys and by one without.
func TestPromise04WhatTheSDKDropsIsOnRecord(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	plain, err := temporal.DialContext(t.Context(), temporal.Options{HostPort: b.temporal.HostPort(), Namespace: worker.Namespace})
	require.NoError(t, err)
	t.Cleanup(plain.Close)
	f := testFlag("f-dropped", 1)
	ref := b.flag(f)
	id := casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref()))
	before := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateQueued })

	update := func(cl temporal.Client, name string) {
		h, err := cl.UpdateWorkflow(t.Context(), temporal.UpdateWorkflowOptions{
			WorkflowID: id, UpdateID: casefile.NewID(), UpdateName: name, Args: []any{workflows.ClaimArgs{}}, WaitForStage: temporal.WorkflowUpdateStageCompleted,
		})
		if err == nil {
			err = h.Get(t.Context(), nil)
		}
		require.Error(t, err)
	}
	update(b.client, "words of a stranger")
	update(plain, workflows.UpdateClaim)
	update(b.client, workflows.UpdateClaim) // read, and refused for want of a signature
	require.NoError(t, b.client.SignalWorkflow(t.Context(), id, "", "words of a stranger", nil))
	require.NoError(t, plain.SignalWorkflow(t.Context(), id, "", workflows.SignalFlag, workflows.FlagSignal{Flag: "words"}))
	require.NoError(t, b.client.SignalWorkflow(t.Context(), id, "", workflows.SignalContinue, nil))
	type refusal struct {
		verb string
		code casefile.Code
	}
	want := []refusal{
		{"update", casefile.CodeForbidden}, {workflows.UpdateClaim, casefile.CodeInvalid}, {workflows.UpdateClaim, casefile.CodeForbidden},
		{"signal", casefile.CodeForbidden}, {"signal", casefile.CodeInvalid}, {"signal.continue", casefile.CodeForbidden},
	}
	var got []refusal
	b.await(func() bool {
		rows, err := b.records.Refusals(t.Context(), 0, 100)
		require.NoError(t, err)
		got = nil
		for _, r := range rows {
			require.Empty(t, r.Person)
			got = append(got, refusal{r.Verb, r.Code})
		}
		return len(got) >= len(want)
	})
	require.ElementsMatch(t, want, got, "each once")
	row, err := b.records.Case(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, before.Revision, row.Revision)
	require.Nil(t, row.Claim)
	b.claim("rev1", ref) // the run goes on
	b.verifyLog()
}
