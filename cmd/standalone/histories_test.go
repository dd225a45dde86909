package main

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/worker"
	"github.com/docket-triage/docket/worker/codec"
	"github.com/docket-triage/docket/workflows"
)

// writeHistories has the histories written into testdata/histories, for the replay test of package
// worker. Do it after a change of a workflow that is not versioned, and raise the count there.
var writeHistories = os.Getenv("DOCKET_WRITE_HISTORIES") == "1"

// TestHistoriesReplay plays lives of cases on the real server and replays what it wrote down.
func TestHistoriesReplay(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	replayer := sdkworker.NewWorkflowReplayer()
	worker.RegisterWorkflows(replayer, nil)
	kept := map[string]*historypb.History{}

	caseID := func(f casefile.Flag) string {
		return casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref()))
	}
	ended := func(id string) {
		require.NoError(t, b.client.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil), id)
	}

	// A case that merges a flag and is decided; its takedown waits for the end of the suspension.
	f := testFlag("f-decided", 1)
	ref := b.flag(f)
	b.flag(testFlag("f-decided-too", 1))
	b.awaitCase(ref, func(c records.Case) bool { return c.EvidenceRevision == 2 })
	given := b.decide("rev1", ref, form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitNotice(given.Decision)
	ended(caseID(f))
	kept["case-decided"] = b.history(caseID(f), "")
	kept["takedown-timed"] = b.history(casefile.TakedownWorkflowID(ref, given.Decision), "")

	// Two people end an account; the appeal is upheld and everything is taken back.
	f = testFlag("f-two", 3)
	ref = b.flag(f)
	end := form(casefile.L6, casefile.VE03, f.Evidence[0].ID)
	b.give("rev1", ref, b.claim("rev1", ref), end)
	given = b.give("rev2", ref, b.claim("rev2", ref), end)
	ended(caseID(f))
	ended(casefile.TakedownWorkflowID(ref, given.Decision))
	kept["case-two-people"] = b.history(caseID(f), "")
	kept["takedown-done"] = b.history(casefile.TakedownWorkflowID(ref, given.Decision), "")
	appeal := b.appeal(given.Decision, casefile.OutcomeUpheld)
	ended(casefile.AppealWorkflowID(appeal))
	ended(casefile.ReinstatementWorkflowID(appeal))
	kept["appeal-upheld"] = b.history(casefile.AppealWorkflowID(appeal), "")
	kept["reinstatement-done"] = b.history(casefile.ReinstatementWorkflowID(appeal), "")

	// Two who differ, and a lead; the appeal is rejected.
	f = testFlag("f-differ", 4)
	ref = b.flag(f)
	b.give("rev1", ref, b.claim("rev1", ref), form(casefile.L6, casefile.VE03, f.Evidence[0].ID))
	b.give("rev2", ref, b.claim("rev2", ref), form(casefile.L4, casefile.VE08, f.Evidence[0].ID))
	given = b.give("lead", ref, b.claim("lead", ref), form(casefile.L4, casefile.VE08, f.Evidence[0].ID))
	ended(caseID(f))
	b.awaitNotice(given.Decision)
	kept["case-adjudicated"] = b.history(caseID(f), "")
	appeal = b.appeal(given.Decision, casefile.OutcomeRejected)
	ended(casefile.AppealWorkflowID(appeal))
	kept["appeal-rejected"] = b.history(casefile.AppealWorkflowID(appeal), "")

	// One that is moved about in every way, and ordered in an emergency.
	f = testFlag("f-handled", 5)
	ref = b.flag(f)
	soon := time.Now().Add(time.Hour).UTC()
	on := "/v1/cases/" + string(ref)
	number := func() int { return b.claim("senior", ref).Claim.Number }
	n := number()
	b.post("senior", on+"/hold", api.UntilBody{Claim: n, Until: soon}, nil, http.StatusOK)
	b.post("senior", on+"/refer", api.ReferBody{Claim: n, Kind: casefile.ReferLegal, Reason: "[a test]"}, nil, http.StatusOK)
	b.post("senior", on+"/snooze", api.UntilBody{Claim: n, Until: soon}, nil, http.StatusOK)
	b.post("senior", on+"/hand-over", api.HandOverBody{Claim: number(), To: "senior2", Reason: "[a test]"}, nil, http.StatusOK)
	b.post("lead", on+"/deadline", api.DeadlineBody{Deadline: casefile.DeadlineDecision, To: soon, Reason: "[a test]"}, nil, http.StatusOK)
	b.claim("senior2", ref)
	b.post("lead", on+"/force-release", api.ReasonBody{Reason: "[a test]"}, nil, http.StatusOK)
	b.post("rev1", on+"/escalate", api.EscalateBody{ThreatToLife: true, Reason: "[a test]"}, nil, http.StatusOK)
	claimed := b.claim("lead", ref)
	b.post("lead", on+"/opinion", api.OpinionBody{
		OpinionForm: form(casefile.L5, casefile.VE01, f.Evidence[0].ID), Claim: claimed.Claim.Number, EvidenceRevision: claimed.EvidenceRevision, Emergency: true,
	}, nil, http.StatusOK)
	ended(caseID(f))
	kept["case-handled"] = b.history(caseID(f), "")

	// A flag whose evidence was decided on before. A share goes to people: then this one is left out.
	f = testFlag("f-decided", 1)
	f.ID = "f-decided-again"
	ref = b.flag(f)
	row := b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed || c.State == casefile.StateQueued })
	if row.State == casefile.StateClosed {
		ended(caseID(f))
		kept["case-already-decided"] = b.history(caseID(f), "")
	}

	// One that is released, commented, decided, withdrawn, continued as new and closed.
	f = testFlag("f-withdrawn", 2)
	ref = b.flag(f)
	path := "/v1/cases/" + string(ref)
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodPost, path+"/claim", nil, &claimed))
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodPost, path+"/heartbeat", map[string]int{"claim": claimed.Claim.Number}, nil))
	require.Less(t, b.call("rev2", http.MethodPost, path+"/comment", map[string]string{"text": "[a test comment]"}, nil), 300)
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodPost, path+"/release", map[string]int{"claim": claimed.Claim.Number}, nil))
	b.decide("rev1", ref, form(casefile.L1, casefile.VE12, f.Evidence[0].ID))
	require.Equal(t, http.StatusOK, b.call("rev1", http.MethodPost, path+"/withdraw", nil, nil))
	id := casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref()))
	first, err := b.client.DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	run := first.WorkflowExecutionInfo.Execution.RunId
	require.NoError(t, b.client.SignalWorkflow(t.Context(), id, "", workflows.SignalContinue, nil))
	b.await(func() bool {
		now, err := b.client.DescribeWorkflowExecution(t.Context(), id, "")
		require.NoError(t, err)
		return now.WorkflowExecutionInfo.Execution.RunId != run
	})
	require.Equal(t, http.StatusOK, b.call("rev2", http.MethodPost, path+"/claim", nil, &claimed))
	require.Less(t, b.call("rev2", http.MethodPost, path+"/close",
		map[string]any{"claim": claimed.Claim.Number, "evidence_revision": claimed.EvidenceRevision, "reason": casefile.CloseTest}, nil), 300)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	kept["case-withdrawn-continued"] = b.history(id, run)
	kept["case-closed-after-continue"] = b.history(id, "")

	for name, h := range kept {
		require.NoError(t, replay(replayer, h), name)
		if writeHistories {
			writeHistory(t, name, h)
		}
	}
}

// replay replays a history under the id that its run had: a workflow of ours does nothing under another.
func replay(r sdkworker.WorkflowReplayer, h *historypb.History) error {
	id := h.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
	return r.ReplayWorkflowHistoryWithOptions(nil, h, sdkworker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id}})
}

// appeal opens an appeal against a decision and has it ruled on by somebody who took no part.
func (b *bed) appeal(decision string, outcome casefile.AppealOutcome) string {
	b.t.Helper()
	told, err := b.records.Notice(b.t.Context(), decision)
	require.NoError(b.t, err)
	var opened review.AppealOpened
	b.post("senior", "/v1/appeals", api.AppealBody{Notice: told.Number, Words: "[a complaint]"}, &opened, http.StatusOK)
	b.await(func() bool {
		a, err := b.records.Appeal(b.t.Context(), opened.Appeal)
		require.NoError(b.t, err)
		return a.Revision > 0
	})
	var a review.AppealAnswer
	b.post("rev3", "/v1/appeals/"+opened.Appeal+"/claim", nil, &a, http.StatusOK)
	b.post("rev3", "/v1/appeals/"+opened.Appeal+"/rule", api.RulingBody{
		AppealForm: casefile.AppealForm{Outcome: outcome, Rationale: "[rationale of a test ruling]"}, Claim: a.Claim.Number,
	}, nil, http.StatusOK)
	return opened.Appeal
}

// history fetches a run's history and opens its payloads: committed histories hold codes alone.
func (b *bed) history(id, run string) *historypb.History {
	b.t.Helper()
	active, keys := b.keyring.CodecKeys()
	byID := map[string][]byte{}
	for keyID, k := range keys {
		byID[keyID] = k[:]
	}
	c, err := codec.New(codec.Keys{Active: active, ByID: byID}, codec.Options{})
	require.NoError(b.t, err)
	h := &historypb.History{}
	events := b.client.GetWorkflowHistory(b.t.Context(), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(b.t, err)
		err = proxy.VisitPayloads(b.t.Context(), e, proxy.VisitPayloadsOptions{
			SkipSearchAttributes: true,
			Visitor: func(_ *proxy.VisitPayloadsContext, ps []*commonpb.Payload) ([]*commonpb.Payload, error) {
				return c.Decode(ps)
			},
		})
		require.NoError(b.t, err)
		h.Events = append(h.Events, e)
	}
	return h
}

func writeHistory(t *testing.T, name string, h *historypb.History) {
	t.Helper()
	data, err := protojson.Marshal(h)
	require.NoError(t, err)
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	dir := filepath.Join(moduleRoot(t), "testdata", "histories")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json.gz"), buf.Bytes(), 0o644))
}
