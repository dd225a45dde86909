package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
)

// final are the codes whose errors the actor's activities are not asked again for: trying again gives
// the same answer, and the takedown has a way to say so. The activities of the work and ledger roles
// have none: whatever they meet, the case waits, with its fault in the log, rather than being lost.
//
// CodeUncertain is none of them: where an act may have happened the actor makes an outcome of it, and
// everywhere else asking again does no harm. Nor is CodePaused: nothing was begun.
var final = map[casefile.Code]bool{
	casefile.CodeInvalid:     true,
	casefile.CodeConflict:    true,
	casefile.CodeState:       true,
	casefile.CodeStaleClaim:  true,
	casefile.CodeNewEvidence: true,
	casefile.CodeForbidden:   true,
	casefile.CodeNeedsSecond: true,
	casefile.CodeTooLarge:    true,
	casefile.CodeUnproven:    true,
}

// Pauses before an activity is asked again, where they are not the retry policy's.
const (
	pausedDelay = 5 * time.Second // while acts are paused: they go on soon after somebody resumes them
	maxDelay    = 15 * time.Minute
)

// nextDelay is how long to wait before the same activity is asked again; 0 leaves it to its retry
// policy. A platform that asks for hours is asked after a quarter of one all the same.
func nextDelay(err error, code casefile.Code) time.Duration {
	after, told := enforce.RetryAfter(err)
	switch {
	case told:
		return min(after, maxDelay)
	case code == casefile.CodePaused:
		return pausedDelay
	}
	return 0
}

// toTemporal turns an activity's error into Temporal's, at this one boundary: the SDK looks at the
// outermost type alone, and logs the text. The text is the code and what our own error says, which
// holds nobody's words; its causes, a platform's answer or an address with an account in it, may,
// and stay behind.
func toTemporal(err error, final map[casefile.Code]bool) error {
	var already *temporal.ApplicationError
	var canceled *temporal.CanceledError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &canceled):
		return canceled
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &already):
		return already
	}
	code := casefile.ErrorCode(err)
	text := fmt.Sprintf("activity failed: %s", code)
	var ours *casefile.Error
	if errors.As(err, &ours) {
		text += ": " + (&casefile.Error{Op: ours.Op, Field: ours.Field, Message: ours.Message}).Error()
	}
	return temporal.NewApplicationErrorWithOptions(text, string(code), temporal.ApplicationErrorOptions{
		NonRetryable: final[code], NextRetryDelay: nextDelay(err, code),
	})
}

// failureInterceptor converts the errors of every activity, local ones included.
type failureInterceptor struct {
	interceptor.WorkerInterceptorBase
	final map[casefile.Code]bool
}

// InterceptActivity wraps the activity.
func (f *failureInterceptor) InterceptActivity(ctx context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &activityFailures{final: f.final}
	i.Next = next
	return i
}

type activityFailures struct {
	interceptor.ActivityInboundInterceptorBase
	final map[casefile.Code]bool
}

// ExecuteActivity runs the activity and converts its error. A panic is one too: the SDK would log its
// value, which may hold anybody's words.
func (a *activityFailures) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (out any, err error) {
	defer func() {
		crash := recover()
		if crash == nil {
			return
		}
		activity.GetLogger(ctx).Error("activity panicked", "type", fmt.Sprintf("%T", crash), "stack", string(debug.Stack()))
		out, err = nil, toTemporal(casefile.Errorf(casefile.CodeInternal, "panic"), a.final)
	}()
	out, err = a.Next.ExecuteActivity(ctx, in)
	return out, toTemporal(err, a.final)
}
