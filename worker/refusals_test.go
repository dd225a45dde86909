package worker

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

// The key under which this test's API signs verbs.
var (
	apiKey = ed25519.NewKeyFromSeed([]byte("a seed of a key that signs tests"))
	noon   = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
)

func checkAtNoon(a *casefile.Assertion, use casefile.Use) error {
	return casefile.AssertionKeys{"a-test": apiKey.Public().(ed25519.PublicKey)}.Check(a, use, noon)
}

// signed is a claim with the API's word for it until expires.
func signed(t *testing.T, id string, expires time.Time) workflows.ClaimArgs {
	t.Helper()
	args := workflows.ClaimArgs{Verb: workflows.Verb{ID: id, Case: "7K2QX-9MDT4", Actor: casefile.Actor{Person: "p-anna0000", Role: casefile.RoleReviewer}}}
	digest, err := casefile.ArgumentDigest(args)
	require.NoError(t, err)
	a, err := casefile.Assertion{
		Person: "p-anna0000", Role: casefile.RoleReviewer, Verb: workflows.UpdateClaim, On: casefile.CaseChain("7K2QX-9MDT4"), ID: id, Digest: digest, Expires: expires,
	}.Sign("a-test", apiKey)
	require.NoError(t, err)
	args.Assertion = &a
	return args
}

// desk is a workflow of one verb, that refuses by its id.
func desk(ctx workflow.Context) error {
	refuse := func(code casefile.Code) error {
		return temporal.NewNonRetryableApplicationError("refused", string(code), nil, workflows.RefusalDetails{Message: "refused"})
	}
	validator := func(_ workflow.Context, a workflows.ClaimArgs) error {
		switch a.ID {
		case "ACCEPTED", "OVERTAKEN", "BROKEN":
			return nil
		case "ODD":
			return errors.New("words of a person")
		}
		return refuse(casefile.CodeState)
	}
	handler := func(ctx workflow.Context, a workflows.ClaimArgs) (workflows.VerbResult, error) {
		switch a.ID {
		case "OVERTAKEN":
			return workflows.VerbResult{}, refuse(casefile.CodeNewEvidence)
		case "BROKEN":
			return workflows.VerbResult{}, temporal.NewApplicationError("activity failed: unavailable", "unavailable")
		}
		return workflows.VerbResult{}, nil
	}
	err := workflow.SetUpdateHandlerWithOptions(ctx, workflows.UpdateClaim, handler, workflow.UpdateHandlerOptions{Validator: validator})
	if err != nil {
		return err
	}
	return workflow.Sleep(ctx, time.Hour)
}

// rows keeps refusals.
type rows struct {
	mu   sync.Mutex
	list []records.Refusal
}

func (r *rows) put(_ context.Context, refused records.Refusal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, refused)
	return nil
}

// TestPromise12RefusedVerbsAreOnRecord: by a validator, or by the handler where another verb was
// faster; with the person only where the API signed exactly this verb.
func TestPromise12RefusedVerbsAreOnRecord(t *testing.T) {
	t.Parallel()
	minute := noon.Add(time.Minute)
	unsigned, altered, borrowed, worded := signed(t, "V2", minute), signed(t, "V3", minute), signed(t, "V4", minute), signed(t, "V6", minute)
	unsigned.Assertion = nil
	altered.Actor.Person = "p-bert0000"
	borrowed.ID = "V4-AGAIN"
	worded.Case, worded.Assertion = "words of a person", nil
	forged := signed(t, "V7", minute)
	forged.Assertion.Signature = append([]byte{}, forged.Assertion.Signature...)
	forged.Assertion.Signature[0] ^= 1
	sent := []struct {
		args   workflows.ClaimArgs
		code   casefile.Code // "" where nothing is refused
		person casefile.Person
		ref    casefile.CaseRef
	}{
		{signed(t, "V1", minute), casefile.CodeState, "p-anna0000", "7K2QX-9MDT4"},
		{unsigned, casefile.CodeState, "", "7K2QX-9MDT4"},
		{altered, casefile.CodeState, "", "7K2QX-9MDT4"},
		{borrowed, casefile.CodeState, "", "7K2QX-9MDT4"},
		{signed(t, "V5", noon), casefile.CodeState, "", "7K2QX-9MDT4"}, // expired
		{worded, casefile.CodeState, "", ""},
		{forged, casefile.CodeState, "", "7K2QX-9MDT4"},
		{signed(t, "ODD", minute), casefile.CodeInternal, "p-anna0000", "7K2QX-9MDT4"},
		{signed(t, "ACCEPTED", minute), "", "", ""},
		{signed(t, "BROKEN", minute), "", "", ""},
		{signed(t, "OVERTAKEN", minute), casefile.CodeNewEvidence, "p-anna0000", "7K2QX-9MDT4"},
	}
	var got rows
	var log bytes.Buffer
	r := newRefusals(checkAtNoon, got.put, slog.New(slog.NewTextHandler(&log, nil)))
	r.now = func() time.Time { return noon }
	r.start()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&refusalInterceptor{refusals: r}}})
	env.RegisterWorkflow(desk)
	rejected := 0
	for i, s := range sent {
		env.RegisterDelayedCallback(func() {
			env.UpdateWorkflow(workflows.UpdateClaim, s.args.ID, &testsuite.TestUpdateCallback{
				OnReject: func(error) { rejected++ }, OnAccept: func() {}, OnComplete: func(any, error) {},
			}, s.args)
		}, time.Duration(i+1)*time.Minute)
	}
	env.ExecuteWorkflow(desk)
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, 8, rejected, "the interceptor lets everything be as it is")
	r.stop()
	var want []records.Refusal
	for _, s := range sent {
		if s.code != "" {
			want = append(want, records.Refusal{Person: s.person, Case: s.ref, Verb: workflows.UpdateClaim, Code: s.code, At: noon})
		}
	}
	keys := map[string]bool{}
	for i := range got.list {
		require.NotEmpty(t, got.list[i].Key)
		keys[got.list[i].Key] = true
		got.list[i].Key = ""
	}
	require.Equal(t, want, got.list)
	require.Len(t, keys, len(want), "each is a refusal of its own")
	require.Empty(t, log.String())
}

// TestRefusalsHoldNothingUp: records that do not answer, or too many refusals, are logged; whoever
// refuses goes on at once.
func TestRefusalsHoldNothingUp(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := newRefusals(checkAtNoon, nil, slog.New(slog.NewTextHandler(&log, nil)))
	refused := temporal.NewNonRetryableApplicationError("refused", "state", nil)
	for range maxRefusals {
		r.note(workflows.UpdateClaim, []any{workflows.ClaimArgs{}}, refused, false)
	}
	require.Empty(t, log.String())
	r.note(workflows.UpdateClaim, []any{workflows.ClaimArgs{}}, refused, false) // nobody takes them: it must not wait
	require.Contains(t, log.String(), "too many wait")

	var keys []string
	r = newRefusals(checkAtNoon, func(_ context.Context, x records.Refusal) error {
		keys = append(keys, x.Key)
		if len(keys)%3 != 0 || len(keys) == 6 {
			return casefile.Errorf(casefile.CodeUnavailable, "down")
		}
		return nil
	}, slog.New(slog.NewTextHandler(&log, nil)))
	log.Reset()
	r.start()
	r.note(workflows.UpdateClaim, []any{workflows.ClaimArgs{}}, refused, false)
	r.note(workflows.UpdateRelease, []any{"words of a person"}, errors.New("words of a person"), false)
	r.stop()
	require.Len(t, keys, 6, "three attempts each")
	require.Equal(t, keys[0], keys[2], "of one key: written once")
	require.NotEqual(t, keys[0], keys[3])
	require.Contains(t, log.String(), "not on record")
	require.Contains(t, log.String(), "verb=release")
	require.NotContains(t, log.String(), "words of a person")
	r.note(workflows.UpdateClaim, nil, refused, false) // after the end
	require.Contains(t, log.String(), "stopped")
	r.stop()
}
