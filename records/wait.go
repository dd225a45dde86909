package records

import (
	"context"
	"slices"
	"time"
)

// WaitChange returns true when a change of one of the kinds (or a lost one) is told, or after
// pause; false when ctx ended. With no kinds it waits for the pause alone, emptying the channel.
func WaitChange(ctx context.Context, changes <-chan Change, pause time.Duration, kinds ...ChangeKind) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case c, open := <-changes:
			if !open {
				return false
			}
			if len(kinds) > 0 && (c.Kind == "" || slices.Contains(kinds, c.Kind)) {
				return true
			}
		}
	}
}
