package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"github.com/docket-triage/docket/cmd/standalone/internal/temporalserver"
	"github.com/docket-triage/docket/worker/codec"
)

const (
	sealedQueue  = "sealed"
	sealedSignal = "say"
	sealedUpdate = "answer"

	// sealedWords is in everything that sealedWorkflow takes, does, keeps and says.
	sealedWords = "[threat against a designated place]"
)

type sealedNote struct{ Text string }

// sealedWorkflow has a payload of every kind that Docket's workflows write into a history.
func sealedWorkflow(ctx workflow.Context, in sealedNote) (sealedNote, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 2, InitialInterval: time.Millisecond},
		Summary:             sealedWords,
	})
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
	answered := false
	err := workflow.SetUpdateHandlerWithOptions(ctx, sealedUpdate,
		func(ctx workflow.Context, n sealedNote) (sealedNote, error) {
			answered = true
			return n, nil
		},
		workflow.UpdateHandlerOptions{Validator: func(_ workflow.Context, n sealedNote) error {
			if n.Text != sealedWords {
				return temporal.NewApplicationError("refused "+sealedWords, "invalid", sealedWords)
			}
			return nil
		}})
	if err != nil {
		return sealedNote{}, err
	}
	if workflow.GetInfo(ctx).ContinuedExecutionRunID == "" {
		return sealedNote{}, workflow.NewContinueAsNewError(ctx, sealedWorkflow, in)
	}

	_ = workflow.GetVersion(ctx, "step", workflow.DefaultVersion, 1)
	var n sealedNote
	err = workflow.SideEffect(ctx, func(workflow.Context) any { return in }).Get(&n)
	if err != nil {
		return sealedNote{}, err
	}
	err = workflow.ExecuteLocalActivity(ctx, sealedActivity, n).Get(ctx, &n)
	if err != nil {
		return sealedNote{}, err
	}
	err = workflow.ExecuteActivity(ctx, sealedActivity, n).Get(ctx, &n)
	if err != nil {
		return sealedNote{}, err
	}
	err = workflow.ExecuteActivity(ctx, sealedFailure, n).Get(ctx, nil)
	if err == nil {
		return sealedNote{}, errors.New("the failing activity did not fail")
	}
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{TaskQueue: sealedQueue})
	err = workflow.ExecuteChildWorkflow(child, sealedChild, n).Get(ctx, &n)
	if err != nil {
		return sealedNote{}, err
	}
	workflow.GetSignalChannel(ctx, sealedSignal).Receive(ctx, &n)
	err = workflow.Await(ctx, func() bool { return answered && workflow.AllHandlersFinished(ctx) })
	return n, err
}

func sealedChild(_ workflow.Context, n sealedNote) (sealedNote, error) { return n, nil }

func sealedActivity(_ context.Context, n sealedNote) (sealedNote, error) { return n, nil }

func sealedFailure(ctx context.Context, n sealedNote) error {
	activity.RecordHeartbeat(ctx, n)
	return temporal.NewApplicationErrorWithCause("failed on "+n.Text, "refused", errors.New("cause "+n.Text), n)
}

func dialSealed(t *testing.T, hostPort string, keys codec.Keys) client.Client {
	t.Helper()
	c, err := codec.New(keys, codec.Options{})
	require.NoError(t, err)
	dc := codec.NewDataConverter(c)
	temporalClient, err := client.DialContext(t.Context(), client.Options{
		HostPort:         hostPort,
		Namespace:        temporalserver.DefaultNamespace,
		DataConverter:    dc,
		FailureConverter: codec.NewFailureConverter(dc),
		Logger:           sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(temporalClient.Close)
	return temporalClient
}

func TestHistoriesHoldNoWords(t *testing.T) {
	t.Parallel()
	srv := startTemporal(t, t.TempDir())
	keys := codec.Keys{Active: "k1", ByID: map[string][]byte{"k1": bytes.Repeat([]byte{7}, codec.KeySizeBytes)}}
	c := dialSealed(t, srv.HostPort(), keys)
	plain := dialTemporal(t, srv.HostPort())
	w := worker.New(c, sealedQueue, worker.Options{})
	w.RegisterWorkflow(sealedWorkflow)
	w.RegisterWorkflow(sealedChild)
	w.RegisterActivity(sealedActivity)
	w.RegisterActivity(sealedFailure)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	words := sealedNote{sealedWords}

	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "sealed-1", TaskQueue: sealedQueue},
		sealedWorkflow, words)
	require.NoError(t, err)

	// Nobody without the key is heard, neither with plain payloads nor with a key of their own.
	stranger := dialSealed(t, srv.HostPort(), codec.Keys{
		Active: "k1", ByID: map[string][]byte{"k1": bytes.Repeat([]byte{8}, codec.KeySizeBytes)}})
	for _, forger := range []client.Client{plain, stranger} {
		require.NoError(t, forger.SignalWorkflow(ctx, "sealed-1", "", sealedSignal, sealedNote{"forged"}))
		_, err = updateSealed(ctx, forger, sealedNote{sealedWords})
		require.Error(t, err)
	}
	// A refusal's words reach the caller, and only the caller.
	_, err = updateSealed(ctx, c, sealedNote{"other"})
	require.ErrorContains(t, err, "refused "+sealedWords)

	got, err := updateSealed(ctx, c, words)
	require.NoError(t, err)
	require.Equal(t, words, got)
	require.NoError(t, c.SignalWorkflow(ctx, "sealed-1", "", sealedSignal, words))
	require.NoError(t, run.Get(ctx, &got))
	require.Equal(t, words, got, "the forged signals came before the true one")

	for _, runID := range []string{run.GetRunID(), ""} {
		checkSealed(t, historyOf(ctx, t, c, "sealed-1", runID))
	}

	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		DataConverter:    codec.NewDataConverter(newSealedCodec(t, keys)),
		FailureConverter: codec.NewFailureConverter(codec.NewDataConverter(newSealedCodec(t, keys))),
	})
	require.NoError(t, err)
	replayer.RegisterWorkflow(sealedWorkflow)
	require.NoError(t, replayer.ReplayWorkflowHistory(nil, historyOf(ctx, t, c, "sealed-1", "")))
}

func newSealedCodec(t *testing.T, keys codec.Keys) *codec.Codec {
	t.Helper()
	c, err := codec.New(keys, codec.Options{})
	require.NoError(t, err)
	return c
}

func updateSealed(ctx context.Context, c client.Client, n sealedNote) (sealedNote, error) {
	handle, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID:   "sealed-1",
		UpdateName:   sealedUpdate,
		Args:         []any{n},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return sealedNote{}, err
	}
	var got sealedNote
	err = handle.Get(ctx, &got)
	return got, err
}

func historyOf(ctx context.Context, t *testing.T, c client.Client, id, runID string) *historypb.History {
	t.Helper()
	h := &historypb.History{}
	events := c.GetWorkflowHistory(ctx, id, runID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		h.Events = append(h.Events, event)
	}
	require.NotEmpty(t, h.GetEvents())
	return h
}

// checkSealed fails unless the history is free of the words and every payload in it is sealed,
// except those that forgers sent.
func checkSealed(t *testing.T, h *historypb.History) {
	t.Helper()
	payloads := 0
	for _, event := range h.GetEvents() {
		wire, err := proto.Marshal(event)
		require.NoError(t, err)
		require.NotContains(t, string(wire), sealedWords, "%s", event.GetEventType())
		err = proxy.VisitPayloads(t.Context(), event, proxy.VisitPayloadsOptions{
			SkipSearchAttributes: true,
			Visitor: func(_ *proxy.VisitPayloadsContext, ps []*commonpb.Payload) ([]*commonpb.Payload, error) {
				for _, p := range ps {
					if bytes.Contains(p.GetData(), []byte("forged")) {
						continue
					}
					payloads++
					require.Equal(t, codec.Encoding, string(p.GetMetadata()[converter.MetadataEncoding]),
						"%s holds a plain payload", event.GetEventType())
				}
				return ps, nil
			},
		})
		require.NoError(t, err)
	}
	require.NotZero(t, payloads)
}
