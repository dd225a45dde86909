package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/cmd/standalone/internal/temporalserver"
)

const (
	tallyQueue  = "tally"
	tallySignal = "add"
	tallyUpdate = "finish"

	// killDirEnv turns TestTemporalServerChild into the process that TestTemporalServerKilled kills.
	killDirEnv = "DOCKET_TEST_TEMPORAL_DIR"
)

// tallyWorkflow adds up signals, each doubled by an activity, until an Update asks for the sum.
func tallyWorkflow(ctx workflow.Context) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	sum, added, finished := 0, 0, false
	err := workflow.SetUpdateHandlerWithOptions(ctx, tallyUpdate,
		func(ctx workflow.Context, want int) (int, error) {
			err := workflow.Await(ctx, func() bool { return added >= want })
			if err != nil {
				return 0, err
			}
			finished = true
			return sum, nil
		},
		workflow.UpdateHandlerOptions{Validator: func(_ workflow.Context, want int) error {
			if want < 1 {
				return fmt.Errorf("want %d signals", want)
			}
			return nil
		}})
	if err != nil {
		return 0, err
	}
	signals := workflow.GetSignalChannel(ctx, tallySignal)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var n, doubled int
			signals.Receive(ctx, &n)
			err := workflow.ExecuteActivity(ctx, tallyDouble, n).Get(ctx, &doubled)
			if err != nil {
				return
			}
			sum += doubled
			added++
		}
	})
	err = workflow.Await(ctx, func() bool { return finished && workflow.AllHandlersFinished(ctx) })
	return sum, err
}

func tallyDouble(_ context.Context, n int) (int, error) { return 2 * n, nil }

func startTemporal(t *testing.T, dir string) *temporalserver.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	srv, err := temporalserver.Start(ctx, temporalserver.Options{
		Dir:    dir,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Stop()) })
	return srv
}

func dialTemporal(t *testing.T, hostPort string) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{
		HostPort:  hostPort,
		Namespace: temporalserver.DefaultNamespace,
		Logger:    sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func startTallyWorker(t *testing.T, c client.Client) (stop func()) {
	t.Helper()
	w := worker.New(c, tallyQueue, worker.Options{})
	w.RegisterWorkflow(tallyWorkflow)
	w.RegisterActivity(tallyDouble)
	require.NoError(t, w.Start())
	stop = sync.OnceFunc(w.Stop)
	t.Cleanup(stop)
	return stop
}

func tallyOptions(id string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: id, TaskQueue: tallyQueue}
}

// finishTally sends the Update and waits for its answer and the workflow's result.
func finishTally(t *testing.T, c client.Client, id string, want, sum int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	update, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID:   id,
		UpdateName:   tallyUpdate,
		UpdateID:     "finish-" + id,
		Args:         []any{want},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(t, err)
	var got int
	require.NoError(t, update.Get(ctx, &got))
	require.Equal(t, sum, got)
	require.NoError(t, c.GetWorkflow(ctx, id, "").Get(ctx, &got))
	require.Equal(t, sum, got)
}

func eventTypes(t *testing.T, c client.Client, id, runID string) []enumspb.EventType {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var types []enumspb.EventType
	history := c.GetWorkflowHistory(ctx, id, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		types = append(types, event.GetEventType())
	}
	return types
}

func TestTemporalServerKeepsHistoriesBetweenRuns(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a folder", "50%")

	srv := startTemporal(t, dir)
	host, _, err := net.SplitHostPort(srv.HostPort())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	c := dialTemporal(t, srv.HostPort())
	stopWorker := startTallyWorker(t, c)

	run, err := c.SignalWithStartWorkflow(t.Context(), "tally-1", tallySignal, 1, tallyOptions("tally-1"), tallyWorkflow)
	require.NoError(t, err)
	again, err := c.SignalWithStartWorkflow(t.Context(), "tally-1", tallySignal, 20, tallyOptions("tally-1"), tallyWorkflow)
	require.NoError(t, err)
	require.Equal(t, run.GetRunID(), again.GetRunID(), "a second signal-with-start reaches the running workflow")
	finishTally(t, c, "tally-1", 2, 42)
	before := eventTypes(t, c, "tally-1", run.GetRunID())
	require.Contains(t, before, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
	require.Contains(t, before, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
	described, err := c.WorkflowService().DescribeNamespace(t.Context(),
		&workflowservice.DescribeNamespaceRequest{Namespace: temporalserver.DefaultNamespace})
	require.NoError(t, err)
	require.Equal(t, 30*24*time.Hour, described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
	stopWorker()
	require.NoError(t, srv.Stop())
	require.NoError(t, srv.Stop(), "stopping twice is allowed")

	srv = startTemporal(t, dir)
	c = dialTemporal(t, srv.HostPort())
	require.Equal(t, before, eventTypes(t, c, "tally-1", run.GetRunID()))
	startTallyWorker(t, c)
	_, err = c.SignalWithStartWorkflow(t.Context(), "tally-1", tallySignal, 3, tallyOptions("tally-1"), tallyWorkflow)
	require.NoError(t, err)
	finishTally(t, c, "tally-1", 1, 6)
}

// TestTemporalServerKilled kills a process that runs the server, in the middle of a workflow, and
// finishes that workflow on a server of this process.
func TestTemporalServerKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()

	child := exec.Command(os.Args[0], "-test.run=^TestTemporalServerChild$", "-test.v")
	child.Env = append(os.Environ(), killDirEnv+"="+dir)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	_, err = child.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	runID := ""
	lines := bufio.NewScanner(out)
	for runID == "" && lines.Scan() {
		_, _ = fmt.Sscanf(lines.Text(), "run %s", &runID)
	}
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	require.NotEmpty(t, runID, "the child started no workflow")

	srv := startTemporal(t, dir)
	c := dialTemporal(t, srv.HostPort())
	startTallyWorker(t, c)
	require.NoError(t, c.SignalWorkflow(t.Context(), "tally-killed", runID, tallySignal, 2))
	finishTally(t, c, "tally-killed", 2, 14)
}

// TestTemporalServerChild is not a test of its own: it is what TestTemporalServerKilled kills.
func TestTemporalServerChild(t *testing.T) {
	dir := os.Getenv(killDirEnv)
	if dir == "" {
		t.Skip("runs only as a child of TestTemporalServerKilled")
	}
	c := dialTemporal(t, startTemporal(t, dir).HostPort())
	startTallyWorker(t, c)
	run, err := c.SignalWithStartWorkflow(t.Context(), "tally-killed", tallySignal, 5,
		tallyOptions("tally-killed"), tallyWorkflow)
	require.NoError(t, err)
	fmt.Printf("run %s\n", run.GetRunID())
	// The parent kills this process; should the parent itself be gone, its end of stdin closes.
	_, err = io.Copy(io.Discard, os.Stdin)
	require.NoError(t, err)
}

func TestTemporalServerRefusesATakenPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })

	_, err = temporalserver.Start(t.Context(), temporalserver.Options{
		Dir:          t.TempDir(),
		FrontendPort: taken.Addr().(*net.TCPAddr).Port,
	})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}
