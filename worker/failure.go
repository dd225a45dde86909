package worker

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-triage/docket/casefile"
)

// final are the codes whose errors Temporal does not retry: trying again gives the same answer.
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

// toTemporal turns an activity's error into Temporal's, at this one boundary: the SDK looks at the
// outermost type alone. The text is the code and the operation; causes may quote content.
func toTemporal(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || temporal.IsCanceledError(err) {
		return err
	}
	var already *temporal.ApplicationError
	if errors.As(err, &already) {
		return err
	}
	code := casefile.ErrorCode(err)
	return temporal.NewApplicationErrorWithOptions(fmt.Sprintf("activity failed: %s", code), string(code),
		temporal.ApplicationErrorOptions{NonRetryable: final[code], Cause: err})
}

// failureInterceptor converts the errors of every activity, local ones included.
type failureInterceptor struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity wraps the activity.
func (*failureInterceptor) InterceptActivity(ctx context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	i := &activityFailures{}
	i.Next = next
	return i
}

type activityFailures struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity runs the activity and converts its error.
func (a *activityFailures) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := a.Next.ExecuteActivity(ctx, in)
	return out, toTemporal(err)
}
