package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

// errQuoted is an engine's error with somebody's words in it.
var errQuoted = errors.New(`post "https://platform.example/accounts/a-17": "words of a person"`)

func TestToTemporal(t *testing.T) {
	t.Parallel()
	refusal := temporal.NewNonRetryableApplicationError("refused", "state", nil)
	cases := map[string]struct {
		err   error
		code  string
		final bool
		text  string
	}{
		"an engine's":       {errQuoted, "internal", false, "activity failed: internal"},
		"a time-out":        {fmt.Errorf("read: %w", context.DeadlineExceeded), "internal", false, "activity failed: internal"},
		"an outage":         {&casefile.Error{Code: casefile.CodeUnavailable, Op: "write", Message: "try again", Err: errQuoted}, "unavailable", false, "activity failed: unavailable: write: try again"},
		"wrapped":           {fmt.Errorf("words of a person: %w", casefile.Invalid("days", "too many")), "invalid", true, "activity failed: invalid: days: too many"},
		"faults":            {casefile.Faults{casefile.Invalid("a", "first"), casefile.Invalid("b", "second")}, "invalid", true, "activity failed: invalid: a: first"},
		"not found":         {casefile.Errorf(casefile.CodeNotFound, "no such row"), "not_found", false, "activity failed: not_found: no such row"},
		"unproven":          {fmt.Errorf("check: %w", casefile.Errorf(casefile.CodeUnproven, "no proof")), "unproven", true, "activity failed: unproven: no proof"},
		"a conflict":        {casefile.Errorf(casefile.CodeConflict, "other bytes"), "conflict", true, "activity failed: conflict: other bytes"},
		"a state":           {casefile.Errorf(casefile.CodeState, "closed"), "state", true, "activity failed: state: closed"},
		"forbidden":         {casefile.Errorf(casefile.CodeForbidden, "no"), "forbidden", true, "activity failed: forbidden: no"},
		"too large":         {casefile.Errorf(casefile.CodeTooLarge, "no"), "too_large", true, "activity failed: too_large: no"},
		"Temporal's own":    {refusal, "state", true, "refused"},
		"Temporal's, again": {fmt.Errorf("words of a person: %w", refusal), "state", true, "refused"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := toTemporal(c.err, final)
			app, outermost := got.(*temporal.ApplicationError) // the SDK looks at the outermost type alone
			require.True(t, outermost)
			require.Equal(t, c.code, app.Type())
			require.Equal(t, c.final, app.NonRetryable())
			require.Equal(t, c.text, app.Message())
			require.NotContains(t, got.Error(), "words of a person")
			require.NotContains(t, got.Error(), "a-17")
		})
	}
	require.NoError(t, toTemporal(nil, final))
	require.Equal(t, context.Canceled, toTemporal(fmt.Errorf("words of a person: %w", context.Canceled), final))
	require.True(t, temporal.IsCanceledError(toTemporal(fmt.Errorf("words of a person: %w", temporal.NewCanceledError()), final)))
}

// TestEveryCodeIsFinalOrNot: a new code has its place decided here, not by forgetting it.
func TestEveryCodeIsFinalOrNot(t *testing.T) {
	t.Parallel()
	again := []casefile.Code{casefile.CodeNotFound, casefile.CodeUnavailable, casefile.CodeInternal, casefile.CodeUncertain, casefile.CodePaused}
	for _, code := range again {
		require.False(t, final[code], code)
	}
	require.Len(t, final, 9)
}

// TestNextDelay: whoever says when to ask again is heard, within a quarter of an hour; a pause of acts
// is looked at again soon.
func TestNextDelay(t *testing.T) {
	t.Parallel()
	busy := casefile.Errorf(casefile.CodeUnavailable, "busy")
	for name, c := range map[string]struct {
		err  error
		want time.Duration
	}{
		"nobody says":          {busy, 0},
		"the platform says":    {fmt.Errorf("do the act: %w", enforce.WithRetryAfter(busy, 42*time.Second)), 42 * time.Second},
		"it says a day":        {enforce.WithRetryAfter(busy, 24*time.Hour), 15 * time.Minute},
		"it says at once":      {enforce.WithRetryAfter(busy, 0), 0},
		"acts are paused":      {fmt.Errorf("begin: %w", casefile.Errorf(casefile.CodePaused, "paused")), 5 * time.Second},
		"an error of no one's": {errQuoted, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := toTemporal(c.err, final).(*temporal.ApplicationError)
			require.Equal(t, c.want, got.NextRetryDelay())
			require.False(t, got.NonRetryable())
		})
	}
}

// TestFailureInterceptor: the SDK's own machinery hands on what the interceptor made of an error.
func TestFailureInterceptor(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewJSONHandler(&said, nil))))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&failureInterceptor{final: final}}})
	env.RegisterActivityWithOptions(func(_ context.Context, fail bool) (string, error) {
		if fail {
			return "", fmt.Errorf("do the act: %w", &casefile.Error{Code: casefile.CodeForbidden, Message: "the platform refuses", Err: errQuoted})
		}
		return "done", nil
	}, activity.RegisterOptions{Name: "Act"})
	env.RegisterActivityWithOptions(func(context.Context) error { panic(errQuoted) }, activity.RegisterOptions{Name: "Panic"})
	_, err := env.ExecuteActivity("Act", true)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, "forbidden", app.Type())
	require.True(t, app.NonRetryable())
	require.NotContains(t, err.Error(), "words of a person")
	require.NotContains(t, said.String(), "words of a person")

	_, err = env.ExecuteActivity("Panic")
	require.ErrorAs(t, err, &app)
	require.Equal(t, "internal", app.Type())
	require.False(t, app.NonRetryable())
	require.Contains(t, said.String(), "activity panicked")
	require.Contains(t, said.String(), "TestFailureInterceptor", "the log says where")
	require.NotContains(t, err.Error()+said.String(), "words of a person")

	require.False(t, toTemporal(casefile.Errorf(casefile.CodeConflict, "a fork"), nil).(*temporal.ApplicationError).NonRetryable(),
		"the roles that keep cases have no final error")
	value, err := env.ExecuteActivity("Act", false)
	require.NoError(t, err)
	var answer string
	require.NoError(t, value.Get(&answer))
	require.Equal(t, "done", answer)
}
