package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	temporal "go.temporal.io/sdk/client"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/worker"
	"github.com/docket-triage/docket/workflows"
)

// post sends a verb and requires its status.
func (b *bed) post(login, path string, body, out any, status int) {
	b.t.Helper()
	res := b.send(login, http.MethodPost, path, body)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	require.Equal(b.t, status, res.StatusCode, "%s %s as %s: %s", http.MethodPost, path, login, data)
	if out != nil {
		require.NoError(b.t, json.Unmarshal(data, out))
	}
}

// claim takes a case and gives the claim's number and the evidence revision seen.
func (b *bed) claim(login string, ref casefile.CaseRef) review.VerbAnswer {
	b.t.Helper()
	var a review.VerbAnswer
	b.post(login, "/v1/cases/"+string(ref)+"/claim", nil, &a, http.StatusOK)
	return a
}

func (b *bed) give(login string, ref casefile.CaseRef, claimed review.VerbAnswer, f casefile.OpinionForm) review.VerbAnswer {
	b.t.Helper()
	var a review.VerbAnswer
	b.post(login, "/v1/cases/"+string(ref)+"/opinion", opinionBody{OpinionForm: f, Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision}, &a, http.StatusOK)
	return a
}

func (b *bed) verifyLog() verify.Report {
	b.t.Helper()
	key, err := b.keyring.LogVerifierKey()
	require.NoError(b.t, err)
	report, err := verify.Log(b.t.Context(), verify.Dir(b.folder.path("ledger")), key, verify.Options{})
	require.NoError(b.t, err)
	require.True(b.t, report.OK(), report.Faults)
	entriesAsDocumented(b.t, verify.Dir(b.folder.path("ledger")), key)
	audit := worker.LedgerAudit{Records: b.records, Source: verify.Dir(b.folder.path("ledger")), Key: key, Log: slog.New(slog.DiscardHandler)}
	compared, err := audit.Compare(b.t.Context())
	require.NoError(b.t, err)
	require.Empty(b.t, compared.Differences, "records and log")
	return report
}

// TestPromise04TwoPeopleEndAnAccount goes the whole way with L6: two opinions formed apart, and before
// the second is in, no file but the sealed store holds anything of the first.
func TestPromise04TwoPeopleEndAnAccount(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t.TempDir())
	cfg.Routing = rulesFile(t, "48h", "") // names no policy code, so that each found below is somebody's
	b := start(t, cfg)
	f := testFlag("f-end", 1)
	ref := b.flag(f)
	end := form(casefile.L6, casefile.VE04, f.Evidence[0].ID)
	first := b.give("rev1", ref, b.claim("rev1", ref), end)
	require.Equal(t, casefile.StateQueued, first.State, "it stands in its queue like any other")
	require.Empty(t, first.Decision)
	b.awaitEntries(casefile.CaseChain(ref), 3)

	for _, name := range []string{"records.sqlite", "records.sqlite-wal", "ledger", "index.sqlite", "index.sqlite-wal"} {
		for path, data := range readAll(t, b.folder.path(name)) {
			for _, word := range []string{"VE-04", "rationale of a test opinion"} {
				if at := bytes.Index(data, []byte(word)); at >= 0 {
					t.Fatalf("%s holds %q: ...%q...", path, word, data[max(0, at-300):min(len(data), at+100)])
				}
			}
		}
	}
	var own, others review.CaseView
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodGet, "/v1/cases/"+string(ref), nil, &own))
	require.Len(t, own.Opinions, 1, "its author sees it")
	require.Equal(t, http.StatusOK, b.call("lead", http.MethodGet, "/v1/cases/"+string(ref), nil, &others))
	require.Empty(t, others.Opinions, "nobody else does, a lead neither")

	var again problem
	require.Equal(t, http.StatusForbidden, b.call("rev1", http.MethodPost, "/v1/cases/"+string(ref)+"/claim", nil, &again))
	var next struct{ Claimed *review.VerbAnswer }
	queue := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateQueued }).Route.Queue
	b.post("rev1", "/v1/queues/"+queue+"/next", nil, &next, http.StatusOK)
	require.Nil(t, next.Claimed, "the queue does not offer it to its author")
	b.post("rev2", "/v1/queues/"+queue+"/next", nil, &next, http.StatusOK)
	require.Equal(t, ref, next.Claimed.Case)
	second := b.give("rev2", ref, *next.Claimed, end)
	require.NotEmpty(t, second.Decision)
	d := b.awaitDecision(second.Decision, casefile.DecisionDone)
	require.Equal(t, casefile.ByTwoOpinions, d.Decision.DecidedBy)
	b.awaitNotice(second.Decision)
	acts, _ := platformFile(t, b.folder.path("dryrun.ndjson"))
	require.Equal(t, []string{"terminate", "block_identifiers"}, acts)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	b.verifyLog()
}

// TestPromise04TwoWhoDiffer: the case goes to a lead, who sees both and decides.
func TestPromise04TwoWhoDiffer(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-differ", 1)
	ref := b.flag(f)
	b.give("rev1", ref, b.claim("rev1", ref), form(casefile.L6, casefile.VE04, f.Evidence[0].ID))
	b.give("rev2", ref, b.claim("rev2", ref), form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	row := b.awaitCase(ref, func(c records.Case) bool { return c.Stage == casefile.StageAdjudication })
	require.Equal(t, "lead", row.Route.Queue)
	var p problem
	require.Equal(t, http.StatusForbidden, b.call("rev3", http.MethodPost, "/v1/cases/"+string(ref)+"/claim", nil, &p))
	claimed := b.claim("lead", ref)
	var view review.CaseView
	require.Equal(t, http.StatusOK, b.call("lead", http.MethodGet, "/v1/cases/"+string(ref), nil, &view))
	require.Len(t, view.Opinions, 2)
	given := b.give("lead", ref, claimed, form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	d := b.awaitDecision(given.Decision, casefile.DecisionDone)
	require.Equal(t, casefile.ByAdjudication, d.Decision.DecidedBy)
	b.verifyLog()
}

// refused waits until a refusal stands on record.
func (b *bed) refused(verb string, code casefile.Code) {
	b.t.Helper()
	b.await(func() bool {
		rows, err := b.records.Refusals(b.t.Context(), 0, 1000)
		require.NoError(b.t, err)
		for _, r := range rows {
			if r.Verb == verb && r.Code == code {
				return true
			}
		}
		return false
	})
}

// TestPromise04ForgedThroughTheEngine: whoever reaches the workflow engine with the keys of its
// payloads, but not with the API's signing key, changes nothing, and is on record.
func TestPromise04ForgedThroughTheEngine(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-forged", 1)
	ref := b.flag(f)
	account := b.keyring.Identity().Account(f.Ref())
	before := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateQueued })
	someone, err := b.records.PersonByLogin(t.Context(), "rev1")
	require.NoError(t, err)
	actor := casefile.Actor{Person: someone.Person, Role: casefile.RoleReviewer}

	t.Run("a verb without a signature", func(t *testing.T) {
		h, err := b.client.UpdateWorkflow(t.Context(), temporal.UpdateWorkflowOptions{
			WorkflowID: casefile.CaseWorkflowID(f.Platform, account), UpdateID: "forged", UpdateName: workflows.UpdateClaim,
			Args: []any{workflows.ClaimArgs{Verb: workflows.Verb{ID: "forged", Case: ref, Actor: actor}}}, WaitForStage: temporal.WorkflowUpdateStageCompleted,
		})
		if err == nil {
			err = h.Get(t.Context(), nil)
		}
		require.Error(t, err)
		b.refused(workflows.UpdateClaim, casefile.CodeForbidden)
		row, err := b.records.Case(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, before.Revision, row.Revision)
		require.Nil(t, row.Claim)
	})

	decision := casefile.Decision{ID: casefile.NewID(), Case: ref, Platform: f.Platform, Account: account, DecidedBy: casefile.ByOneOpinion,
		Judgement: form(casefile.L6, casefile.VE03).Judgement}
	state := &workflows.CaseState{Ref: ref, State: casefile.StateDecided, Decision: &decision, DecisionState: casefile.DecisionGrace, GraceUntil: &time.Time{}}
	other := b.keyring.Identity().Account(casefile.AccountRef{Platform: f.Platform, ID: "nobody"})
	in := workflows.CaseInput{Platform: f.Platform, Account: other, State: state}
	for name, o := range map[string]temporal.StartWorkflowOptions{
		"a start with a state":              {},
		"a start with a state and a cron":   {CronSchedule: "@every 1s"},
		"a start under a takedown's own id": {ID: casefile.TakedownWorkflowID(ref, decision.ID)},
	} {
		t.Run(name, func(t *testing.T) {
			if o.ID == "" {
				o.ID = casefile.CaseWorkflowID(f.Platform, other)
			}
			o.TaskQueue = workflows.TaskQueueCases
			o.WorkflowIDReusePolicy = enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
			o.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
			run, err := b.client.ExecuteWorkflow(t.Context(), o, workflows.CaseWorkflowType, in)
			require.NoError(t, err)
			if o.CronSchedule == "" {
				require.Error(t, run.Get(t.Context(), nil))
				return
			}
			// The second run of a schedule looks to the engine like one that continued.
			seen := map[string]bool{}
			b.await(func() bool {
				d, err := b.client.DescribeWorkflowExecution(t.Context(), o.ID, "")
				require.NoError(t, err)
				seen[d.WorkflowExecutionInfo.Execution.RunId] = true
				return len(seen) > 2
			})
			require.NoError(t, b.client.TerminateWorkflow(t.Context(), o.ID, "", "end of a test"))
		})
	}
	t.Run("a takedown without a proof", func(t *testing.T) {
		run, err := b.client.ExecuteWorkflow(t.Context(), temporal.StartWorkflowOptions{
			ID: casefile.TakedownWorkflowID(ref, decision.ID), TaskQueue: workflows.TaskQueueCases,
		}, workflows.TakedownWorkflowType, workflows.TakedownInput{Decision: decision, Bundle: casefile.Bundle{Entry: []byte("{}")}})
		require.NoError(t, err)
		require.Error(t, run.Get(t.Context(), nil))
		b.refused("act", casefile.CodeUnproven)
	})
	t.Run("an appeal without a row", func(t *testing.T) {
		id := casefile.NewID()
		run, err := b.client.ExecuteWorkflow(t.Context(), temporal.StartWorkflowOptions{ID: casefile.AppealWorkflowID(id), TaskQueue: workflows.TaskQueueCases},
			workflows.AppealWorkflowType, workflows.AppealInput{Appeal: id})
		require.NoError(t, err)
		require.Error(t, run.Get(t.Context(), nil))
	})
	cases, err := b.records.AccountCases(t.Context(), other)
	require.NoError(t, err)
	require.Empty(t, cases)
	acts, notices := platformFile(t, b.folder.path("dryrun.ndjson"))
	require.Empty(t, acts)
	require.Empty(t, notices)
	b.verifyLog()
}

// TestPromise04LostRunsAreReconciled: a run that was terminated, and one that was reset, are found,
// and their cases go on from the records.
func TestPromise04LostRunsAreReconciled(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	reconcile := func() worker.Report {
		var out struct{ Report worker.Report }
		b.post("auditor", "/v1/reconcile", nil, &out, http.StatusOK)
		return out.Report
	}
	found := func(r worker.Report, ref casefile.CaseRef) *worker.Found {
		for _, x := range r.Found {
			if x.ID == string(ref) {
				return &x
			}
		}
		return nil
	}
	f := testFlag("f-gone", 1)
	ref := b.flag(f)
	b.give("rev1", ref, b.claim("rev1", ref), form(casefile.L6, casefile.VE03, f.Evidence[0].ID))
	b.awaitEntries(casefile.CaseChain(ref), 3)
	id := casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref()))
	require.NoError(t, b.client.TerminateWorkflow(t.Context(), id, "", "a test"))
	x := found(reconcile(), ref)
	require.NotNil(t, x)
	require.Equal(t, worker.FoundMissing, x.Kind)
	require.True(t, x.Started)
	b.awaitEntries(casefile.CaseChain(ref), 4)

	// The opinion of the lost run is void: its author may judge again, and two people are due again.
	first := b.give("rev1", ref, b.claim("rev1", ref), form(casefile.L6, casefile.VE03, f.Evidence[0].ID))
	require.Empty(t, first.Decision)
	claimed := b.claim("rev2", ref)

	// Reset to its first workflow task, the run knows nothing of the claims.
	_, err := b.client.WorkflowService().ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: worker.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id}, Reason: "a test",
		WorkflowTaskFinishEventId: firstTask(t, b, id), RequestId: casefile.NewID(),
		ResetReapplyExcludeTypes: []enums.ResetReapplyExcludeType{enums.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, enums.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE},
	})
	require.NoError(t, err)
	b.await(func() bool {
		x = found(reconcile(), ref)
		row, err := b.records.Case(t.Context(), ref)
		require.NoError(t, err)
		return x == nil && row.State == casefile.StateQueued && row.Claim == nil
	})
	var p problem
	require.Equal(t, http.StatusConflict, b.call("rev2", http.MethodPost, "/v1/cases/"+string(ref)+"/opinion",
		opinionBody{OpinionForm: form(casefile.L6, casefile.VE03, f.Evidence[0].ID), Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision}, &p))
	b.give("rev1", ref, b.claim("rev1", ref), form(casefile.L6, casefile.VE03, f.Evidence[0].ID))
	given := b.give("rev2", ref, b.claim("rev2", ref), form(casefile.L6, casefile.VE03, f.Evidence[0].ID))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.verifyLog()
}

// TestResetTakedownDoesNothingTwice: a takedown that was reset to its beginning goes on behind what it put
// on the ledger itself, acts once and tells once.
func TestResetTakedownDoesNothingTwice(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-reset", 1)
	ref := b.flag(f)
	given := b.decide("rev1", ref, form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitNotice(given.Decision)
	b.awaitEntries(casefile.TakedownChain(given.Decision), 3)
	before, err := b.records.Acts(t.Context(), given.Decision)
	require.NoError(t, err)
	id := casefile.TakedownWorkflowID(ref, given.Decision)
	_, err = b.client.WorkflowService().ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: worker.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id}, Reason: "a test",
		WorkflowTaskFinishEventId: firstTask(t, b, id), RequestId: casefile.NewID(),
	})
	require.NoError(t, err)
	b.awaitEntries(casefile.TakedownChain(given.Decision), 6)
	after, err := b.records.Acts(t.Context(), given.Decision)
	require.NoError(t, err)
	require.Equal(t, before, after)
	row, err := b.records.Decision(t.Context(), given.Decision)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionDone, row.State)
	b.verifyLog()
}

// firstTask is the event at which the run's first workflow task was completed.
func firstTask(t *testing.T, b *bed, id string) int64 {
	t.Helper()
	events := b.client.GetWorkflowHistory(t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		if e.EventType == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			return e.EventId
		}
	}
	t.Fatal("the run has completed no task")
	return 0
}

// rulesFile writes routing rules with queues that decide within the given time and an automatic rule.
func rulesFile(t *testing.T, deadline, automatic string) string {
	t.Helper()
	text := fmt.Sprintf(`version: 1
queues:
  - {name: general, title: General, deadline: %s, roles: [reviewer, senior, lead]}
  - {name: lead, title: Lead, deadline: 24h, roles: [lead]}
lead_queue: lead
deciding: {two_people: {actions: [L6]}, sample: 0}
already_decided: {sample: 0.05}
%son_unknown: {queue: general, severity: 3, confidence: 0, tier: alert}
rules:
  - {id: all, when: 'true', queue: general, severity: 2, confidence: 1, tier: alert}
`, deadline, automatic)
	path := filepath.Join(t.TempDir(), "routing.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// warnAll warns whoever is flagged, and trips after two in an hour.
const warnAll = `automatic:
  act:
    - {id: warn-all, when: 'flags.count >= 1', action: L1, policy: VE-09, sample: 0}
  breaker: {per_hour: 2, share: 1, min_cases: 1000}
`

// watched puts a flag's posts into history, as a detector does with the accounts that it watches.
func (b *bed) watched(f casefile.Flag) casefile.Flag {
	b.t.Helper()
	index, err := b.process.Index(b.t.Context())
	require.NoError(b.t, err)
	var posts []indexing.Post
	for _, e := range f.Evidence {
		posts = append(posts, indexing.Post{Event: e, Account: b.keyring.Identity().Account(f.Ref())})
	}
	_, err = index.PutPosts(b.t.Context(), posts)
	require.NoError(b.t, err)
	return f
}

// weakFlag is a flag whose words no scorer or sign of a mitigation makes anything of.
func weakFlag(id string, n int) casefile.Flag {
	f := testFlag(id, n)
	f.Evidence[0].Text = "[shared material] " + id
	return f
}

// TestPromise06AutomationIsOffUntilSwitchedOn: a rule decides nothing until an admin switches it on; its
// breaker then diverts to people, drops nothing, and is armed by name alone.
func TestPromise06AutomationIsOffUntilSwitchedOn(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t.TempDir())
	cfg.Routing = rulesFile(t, "48h", warnAll)
	b := start(t, cfg)
	b.awaitCase(b.flag(b.watched(weakFlag("f-off", 1))), func(c records.Case) bool { return c.State == casefile.StateQueued })

	on := true
	b.post("rev1", "/v1/automation", api.AutomationBody{On: &on, Reason: "[a test]"}, nil, http.StatusForbidden)
	b.post("admin", "/v1/automation", api.AutomationBody{On: &on, Reason: "[a test]"}, nil, http.StatusOK)
	for n := 2; n <= 3; n++ {
		ref := b.flag(b.watched(weakFlag(fmt.Sprintf("f-on-%d", n), n)))
		row := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
		d := b.awaitDecision(row.Decision, casefile.DecisionDone)
		require.Equal(t, casefile.ByAutomation, d.Decision.DecidedBy)
		require.Equal(t, "warn-all", d.Decision.Rule)
		b.awaitNotice(row.Decision)
	}
	third := b.flag(b.watched(weakFlag("f-tripped", 4)))
	b.awaitCase(third, func(c records.Case) bool { return c.State == casefile.StateQueued })
	var breakers struct{ Breakers []review.BreakerView }
	require.Equal(t, http.StatusOK, b.call("lead", http.MethodGet, "/v1/breakers", nil, &breakers))
	require.Len(t, breakers.Breakers, 1)
	require.NotNil(t, breakers.Breakers[0].Tripped)
	b.post("rev1", "/v1/breakers/warn-all/arm", nil, nil, http.StatusForbidden)
	b.post("lead", "/v1/breakers/warn-all/arm", nil, nil, http.StatusOK)
	b.verifyLog()
}

// TestPromise05UnknownBlocksAutomation: a finding that could not be had is shown as such and sends the
// case to people, whatever the rules say.
func TestPromise05UnknownBlocksAutomation(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t.TempDir())
	cfg.Routing = rulesFile(t, "48h", warnAll)
	b := start(t, cfg)
	on := true
	b.post("admin", "/v1/automation", api.AutomationBody{On: &on, Reason: "[a test]"}, nil, http.StatusOK)
	ref := b.flag(b.watched(weakFlag("f-known", 1)))
	closed := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	b.awaitDecision(closed.Decision, casefile.DecisionDone)
	index, err := b.process.Index(t.Context())
	require.NoError(t, err)
	f := b.watched(weakFlag("f-unknown", 2))
	require.NoError(t, index.Close(), "the history index goes away")
	ref = b.flag(f)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateQueued })
	var view review.CaseView
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodGet, "/v1/cases/"+string(ref), nil, &view))
	status := map[casefile.FindingKind]casefile.FindingStatus{}
	for _, x := range view.Findings {
		status[x.Kind] = x.Status
		if x.Status != casefile.StatusKnown {
			require.Empty(t, x.Values, "unknown is not zero")
		}
	}
	require.NotEqual(t, casefile.StatusKnown, status[casefile.FindingHistory])
	acts, _ := platformFile(t, b.folder.path("dryrun.ndjson"))
	require.Equal(t, []string{"warn"}, acts, "of the case whose findings were all known")
}

// TestPromise06PausedActsDoNotBegin: once the pause has answered no act begins; deciding goes on, and
// nothing is lost.
func TestPromise06PausedActsDoNotBegin(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-paused", 1)
	ref := b.flag(f)
	b.post("rev1", "/v1/acts/pause", api.ActsBody{Reason: "[a test]"}, nil, http.StatusForbidden)
	b.post("lead", "/v1/acts/pause", api.ActsBody{Reason: "[a test]"}, nil, http.StatusOK)
	given := b.decide("rev1", ref, form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	b.await(func() bool { // it is tried, and refused, more than once
		d, err := b.client.DescribeWorkflowExecution(t.Context(), casefile.TakedownWorkflowID(ref, given.Decision), "")
		return err == nil && len(d.PendingActivities) == 1 && d.PendingActivities[0].ActivityType.Name == workflows.ActivityDoAct && d.PendingActivities[0].Attempt > 1
	})
	var page review.ActPage
	require.Equal(t, http.StatusOK, b.call("lead", http.MethodGet, "/v1/acts?stage=waiting", nil, &page))
	require.Len(t, page.Acts, 1)
	acts, _ := platformFile(t, b.folder.path("dryrun.ndjson"))
	require.Empty(t, acts)
	var banner review.Banner
	require.Equal(t, http.StatusOK, b.call("rev2", http.MethodGet, "/v1/banner", nil, &banner))
	require.Len(t, banner.Paused, 1)
	var answer review.SwitchAnswer
	b.post("lead", "/v1/acts/resume", api.ActsBody{Reason: "[a test]"}, &answer, http.StatusOK)
	require.Equal(t, 1, answer.Waiting)
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.verifyLog()
}

// platform starts a real platform in this process that acts are asked of over signed webhooks.
func platform(t *testing.T, idempotent, lookup bool) (config.Platform, *receiver.Receiver, string) {
	t.Helper()
	return platformAt(t, idempotent, lookup, nil)
}

// platformAt is platform with the platform's own clock.
func platformAt(t *testing.T, idempotent, lookup bool, now func() time.Time) (config.Platform, *receiver.Receiver, string) {
	t.Helper()
	dir := t.TempDir()
	secret := webhook.NewSecret()
	file := filepath.Join(dir, "platform.ndjson")
	r, err := receiver.New(receiver.Options{File: file, Secrets: []string{secret}, Forgetful: !idempotent, Now: now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	secretFile := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(secretFile, []byte(secret+"\n"), 0o600))
	own := webhook.Config{
		URL: server.URL, Secrets: []webhook.SecretSource{{File: secretFile}}, Idempotent: idempotent, Lookup: lookup, Notify: true, Timeout: "5s",
		Acts: []casefile.ActKind{casefile.ActWarn, casefile.ActLabel, casefile.ActLimit, casefile.ActRemovePost, casefile.ActSuspend, casefile.ActTerminate, casefile.ActBlockIdentifiers},
		Undo: []casefile.ActKind{casefile.ActLabel, casefile.ActLimit, casefile.ActRemovePost, casefile.ActSuspend, casefile.ActTerminate, casefile.ActBlockIdentifiers},
	}
	conf := filepath.Join(dir, "webhook.json")
	data, err := json.Marshal(own)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(conf, data, 0o600))
	return config.Platform{Name: config.AnyPlatform, Adapter: config.AdapterWebhook, File: conf, Notify: true}, r, file
}

// TestPromise07AnActHappensAtMostOnce: the platform acts and its answer is lost. Where it can be asked
// it is asked; where nothing can be established the act is uncertain, stops, and a person settles it.
func TestPromise07AnActHappensAtMostOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		idempotent, lookup bool
		kind               receiver.FaultKind
		settle             bool
	}{
		"the answer lost, it keeps keys apart": {true, true, receiver.DropAfter, false},
		"an error after acting, it can tell":   {false, true, receiver.ErrorAfter, false},
		"the answer lost, nobody can tell":     {false, false, receiver.DropAfter, true},
		"down for a while":                     {true, true, receiver.Down, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t.TempDir())
			conf, r, file := platform(t, c.idempotent, c.lookup)
			cfg.Platforms = []config.Platform{conf}
			b := start(t, cfg)
			require.NoError(t, r.Inject(receiver.Fault{Kind: c.kind, Types: []webhook.Type{webhook.TypeDo}, Times: 1}))
			f := testFlag("f-once", 1)
			given := b.decide("rev1", b.flag(f), form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
			if c.settle {
				b.awaitDecision(given.Decision, casefile.DecisionUncertain)
				var page review.ActPage
				require.Equal(t, http.StatusOK, b.call("lead", http.MethodGet, "/v1/acts?stage=uncertain", nil, &page))
				require.Len(t, page.Acts, 1)
				b.post("lead", "/v1/acts/settle", api.SettleBody{Decision: given.Decision, Number: 1, Direction: casefile.Do, Outcome: api.OutcomeDone, Reason: "[looked at the account]"}, nil, http.StatusOK)
			}
			d := b.awaitDecision(given.Decision, casefile.DecisionDone)
			b.awaitNotice(given.Decision)
			lines, err := receiver.Read(file)
			require.NoError(t, err)
			require.Empty(t, receiver.Doubles(lines))
			done := 0
			for _, l := range lines {
				if strings.HasSuffix(l.Message.Key, "/1/do") {
					done++
				}
			}
			require.Equal(t, 1, done, "once, however often it was tried")
			require.NotNil(t, d.Bundle)
			b.verifyLog()
		})
	}
}

// TestPromise08AnUpheldAppealTakesEverythingBack: also after the engine has forgotten the takedown.
func TestPromise08AnUpheldAppealTakesEverythingBack(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-appeal", 1)
	ref := b.flag(f)
	end := form(casefile.L6, casefile.VE04, f.Evidence[0].ID)
	b.give("rev1", ref, b.claim("rev1", ref), end)
	given := b.give("rev2", ref, b.claim("rev2", ref), end)
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitNotice(given.Decision)
	row := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	_, err := b.client.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: worker.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: casefile.TakedownWorkflowID(ref, given.Decision)},
	})
	require.NoError(t, err)

	told, err := b.records.Notice(t.Context(), given.Decision)
	require.NoError(t, err)
	var opened review.AppealOpened
	b.post("rev3", "/v1/appeals", api.AppealBody{Notice: told.Number, Words: "[a complaint]"}, nil, http.StatusForbidden)
	b.post("senior", "/v1/appeals", api.AppealBody{Notice: "0000000000000000000000000A", Words: "[a complaint]"}, nil, http.StatusNotFound)
	b.post("senior", "/v1/appeals", api.AppealBody{Notice: told.Number, Words: "[a complaint]"}, &opened, http.StatusOK)
	b.await(func() bool {
		a, err := b.records.Appeal(t.Context(), opened.Appeal)
		require.NoError(t, err)
		return a.Revision > 0
	})
	var next api.NextAppeal
	b.post("rev1", "/v1/appeals/next", nil, &next, http.StatusOK)
	require.Nil(t, next.Claimed, "nobody who took part is offered it")
	b.post("rev2", "/v1/appeals/"+opened.Appeal+"/claim", nil, nil, http.StatusForbidden)
	b.post("rev3", "/v1/appeals/next", nil, &next, http.StatusOK)
	require.Equal(t, opened.Appeal, next.Claimed.Appeal)
	b.post("rev3", "/v1/appeals/"+opened.Appeal+"/rule", api.RulingBody{
		AppealForm: casefile.AppealForm{Outcome: casefile.OutcomeUpheld, Rationale: "[rationale of a test ruling]"}, Claim: next.Claimed.Claim.Number,
	}, nil, http.StatusOK)
	var appeal records.AppealRow
	b.await(func() bool {
		appeal, err = b.records.Appeal(t.Context(), opened.Appeal)
		require.NoError(t, err)
		return appeal.State == casefile.AppealReinstated
	})
	b.awaitDecision(given.Decision, casefile.DecisionUndone)
	acts, _ := platformFile(t, b.folder.path("dryrun.ndjson"))
	require.Equal(t, []string{"terminate", "block_identifiers", "block_identifiers", "terminate"}, acts, "the last first")
	strikes, err := b.records.Strikes(t.Context(), row.Account, row.OpenedAt)
	require.NoError(t, err)
	require.Empty(t, strikes)
	standing, err := b.records.AccountActs(t.Context(), row.Account)
	require.NoError(t, err)
	require.Empty(t, standing)
	b.await(func() bool { _, notices := platformFile(t, b.folder.path("dryrun.ndjson")); return len(notices) == 2 })
	b.post("senior", "/v1/appeals", api.AppealBody{Notice: told.Number, Words: "[again]"}, nil, http.StatusConflict)
	b.verifyLog()
}

// TestEmergencyOrderIsReviewed: L5 at once, and somebody else reviews it; where they do not uphold it,
// it is taken back.
func TestEmergencyOrderIsReviewed(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t.TempDir())
	cfg.Settings.Grace = time.Hour
	b := start(t, cfg)
	f := testFlag("f-order", 1)
	ref := b.flag(f)
	claimed := b.claim("senior", ref)
	var given review.VerbAnswer
	b.post("senior", "/v1/cases/"+string(ref)+"/opinion", api.OpinionBody{
		OpinionForm: form(casefile.L5, casefile.VE01, f.Evidence[0].ID), Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision, Emergency: true,
	}, &given, http.StatusOK)
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	var page review.AppealPage
	b.await(func() bool {
		require.Equal(t, http.StatusOK, b.call("lead", http.MethodGet, "/v1/appeals?state=open", nil, &page))
		return len(page.Appeals) == 1
	})
	require.Equal(t, casefile.AppealEmergency, page.Appeals[0].Kind)
	id := page.Appeals[0].Appeal
	b.post("senior", "/v1/appeals/"+id+"/claim", nil, nil, http.StatusForbidden)
	var a review.AppealAnswer
	b.post("lead", "/v1/appeals/"+id+"/claim", nil, &a, http.StatusOK)
	b.post("lead", "/v1/appeals/"+id+"/rule", api.RulingBody{
		AppealForm: casefile.AppealForm{Outcome: casefile.OutcomeUpheld, Rationale: "[the order falls]"}, Claim: a.Claim.Number,
	}, nil, http.StatusOK)
	b.awaitDecision(given.Decision, casefile.DecisionUndone)
	b.verifyLog()
}

// TestDeadlinesMoveCases: a case that nobody decides in time goes to the lead's queue, on record.
func TestDeadlinesMoveCases(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t.TempDir())
	cfg.Routing = rulesFile(t, "2s", "")
	var told told
	cfg.Telling = told.listen(t)
	b := start(t, cfg)
	ref := b.flag(testFlag("f-late", 1))
	row := b.awaitCase(ref, func(c records.Case) bool { return len(c.Missed) == 2 })
	require.Equal(t, "lead", row.Route.Queue)
	require.True(t, row.Raised)
	b.awaitEntries(casefile.CaseChain(ref), 4)
	b.await(func() bool { return told.of("case.half_due") && told.of("case.deadline_missed") })
	for _, body := range told.all() {
		require.NotContains(t, body, "invented_handle", "nobody's words or handle")
		require.Contains(t, body, string(ref))
	}
}

// told is somebody's pager: it keeps what it is told over a signed webhook.
type told struct {
	mu     sync.Mutex
	bodies []string
}

// listen starts it and gives the configuration that has everybody told there.
func (p *told) listen(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	secret := webhook.NewSecret()
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || verifier.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.bodies = append(p.bodies, string(body))
	}))
	t.Cleanup(server.Close)
	secretFile := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(secretFile, []byte(secret+"\n"), 0o600))
	data, err := json.Marshal(telling.Config{
		BaseURL: "https://docket.example.org", DefaultTeam: "all", Teams: map[string]telling.Team{"all": {Page: []string{"pager"}, Notice: []string{"pager"}}},
		Webhooks: map[string]telling.WebhookConfig{"pager": {URL: server.URL, Secrets: []telling.Secret{{File: secretFile}}}},
	})
	require.NoError(t, err)
	file := filepath.Join(dir, "telling.json")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	return file
}

func (p *told) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.bodies)
}

func (p *told) of(kind string) bool {
	return slices.ContainsFunc(p.all(), func(body string) bool { return strings.Contains(body, `"type":"`+kind+`"`) })
}

// TestAlreadyDecided: a flag whose evidence was all decided on opens nothing; one new item does.
func TestAlreadyDecided(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t.TempDir())
	b := start(t, cfg)
	f := testFlag("f-first", 1)
	given := b.decide("rev1", b.flag(f), form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitCase(given.Case, func(c records.Case) bool { return c.State == casefile.StateClosed })
	churned, attached := 0, 0
	for n := range 8 { // a share goes to people all the same: 5 in 100
		g := f
		g.ID = fmt.Sprintf("f-again-%d", n)
		ref := b.flag(g)
		row := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed || c.State == casefile.StateQueued })
		churned++
		if row.State == casefile.StateQueued {
			b.decide("rev2", ref, form(casefile.L0, casefile.VE00))
			b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
			continue
		}
		attached++
		require.Equal(t, casefile.CloseAlreadyDecided, row.CloseReason)
		require.NotEmpty(t, row.Attached)
	}
	require.Greater(t, attached, churned/2)
	fresh := testFlag("f-new", 1)
	fresh.Evidence = append(fresh.Evidence, f.Evidence...)
	ref := b.flag(fresh)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateQueued })
	b.verifyLog()
}

// TestDisabledPersonIsOutAtOnce: their sessions and tokens end, and what they held goes on.
func TestDisabledPersonIsOutAtOnce(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	ref := b.flag(testFlag("f-held", 1))
	b.claim("rev1", ref)
	b.post("lead", "/v1/people/disable", api.PersonBody{Person: "rev1"}, nil, http.StatusForbidden)
	b.post("admin", "/v1/people/disable", api.PersonBody{Person: "rev1"}, nil, http.StatusOK)
	require.Equal(t, http.StatusUnauthorized, b.call("rev1", http.MethodGet, "/v1/queues", nil, nil))
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateQueued })
	require.NotEmpty(t, b.claim("rev2", ref).Claim)
}
