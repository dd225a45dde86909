package activities

import (
	"context"
	"strings"

	"go.temporal.io/sdk/activity"
)

// onceKey makes the key under which a row that has no id of its own is written once, however often the
// activity is repeated: the run and the place in it, both the engine's own. It is "" outside of one.
func onceKey(ctx context.Context, parts ...string) string {
	if !activity.IsActivity(ctx) {
		return ""
	}
	info := activity.GetInfo(ctx)
	return strings.Join(append([]string{info.WorkflowExecution.RunID, info.ActivityID}, parts...), "/")
}
