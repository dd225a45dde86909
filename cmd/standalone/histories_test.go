package main

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	sdkworker "go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
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

	// A case that merges a flag, is decided and taken down.
	f := testFlag("f-decided", 1)
	ref := b.flag(f)
	b.flag(testFlag("f-decided-too", 1))
	b.awaitCase(ref, func(c records.Case) bool { return c.EvidenceRevision == 2 })
	given := b.decide("rev1", ref, form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	require.NoError(t, b.client.GetWorkflow(t.Context(), casefile.TakedownWorkflowID(ref, given.Decision), "").Get(t.Context(), nil))
	kept["case-decided"] = b.history(casefile.CaseWorkflowID(f.Platform, b.keyring.Identity().Account(f.Ref())), "")
	kept["takedown-done"] = b.history(casefile.TakedownWorkflowID(ref, given.Decision), "")

	// One that is released, commented, decided, withdrawn, continued as new and closed.
	f = testFlag("f-withdrawn", 2)
	ref = b.flag(f)
	path := "/v1/cases/" + string(ref)
	var claimed review.VerbAnswer
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
		require.NoError(t, replayer.ReplayWorkflowHistory(nil, h), name)
		if writeHistories {
			writeHistory(t, name, h)
		}
	}
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
