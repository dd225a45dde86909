package worker_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/docket-triage/docket/worker"
)

// committedHistories is how many histories testdata/histories must hold: a test that replays
// nothing would pass for nothing.
const committedHistories = 13

func replayer() sdkworker.WorkflowReplayer {
	r := sdkworker.NewWorkflowReplayer()
	worker.RegisterWorkflows(r, nil)
	return r
}

// replay replays a history under the id that its run had: a workflow of ours does nothing under another.
func replay(h *historypb.History) error {
	id := h.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
	return replayer().ReplayWorkflowHistoryWithOptions(nil, h, sdkworker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id}})
}

func readHistory(t *testing.T, path string) *historypb.History {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	data, err := io.ReadAll(z)
	require.NoError(t, err)
	h := &historypb.History{}
	require.NoError(t, protojson.Unmarshal(data, h))
	return h
}

// TestCommittedHistoriesReplay: a change of a workflow that these histories do not survive needs a
// version (workflow.GetVersion), not new histories.
func TestCommittedHistoriesReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "histories", "*.json.gz"))
	require.NoError(t, err)
	require.Len(t, files, committedHistories)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json.gz"), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(readHistory(t, path)))
		})
	}
}

// TestBadHistoriesDoNotReplay: the replay notices a history that the workflow would not have written.
func TestBadHistoriesDoNotReplay(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "testdata", "histories", "case-decided.json.gz")
	t.Run("a local activity of another name", func(t *testing.T) {
		t.Parallel()
		h := readHistory(t, path)
		changed := false
		for _, e := range h.Events {
			m := e.GetMarkerRecordedEventAttributes()
			if m == nil || changed {
				continue
			}
			for _, p := range m.Details["data"].GetPayloads() {
				p.Data = []byte(strings.Replace(string(p.Data), "TakeIn", "TakeOut", 1))
				changed = true
			}
		}
		require.True(t, changed)
		require.Error(t, replay(h))
	})
	t.Run("an activity on the ledger left out", func(t *testing.T) {
		t.Parallel()
		h := readHistory(t, path)
		for i, e := range h.Events {
			if e.GetActivityTaskScheduledEventAttributes() != nil {
				e.GetActivityTaskScheduledEventAttributes().ActivityType.Name = "Other"
				h.Events[i] = e
				break
			}
		}
		require.Error(t, replay(h))
	})
}
