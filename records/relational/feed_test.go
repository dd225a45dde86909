package relational

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records"
)

// A subscription that ends leaves neither an entry in the feed nor a goroutine: synctest fails
// when one is left.
func TestFeedLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := NewFeed()
		ctx, cancel := context.WithCancel(context.Background())
		changes := f.Changes(ctx)
		f.Publish([]records.Change{{Kind: records.ChangeCase}})
		cancel()
		synctest.Wait()
		require.Empty(t, f.subs)
		require.Equal(t, records.Change{Kind: records.ChangeCase}, <-changes)
		_, ok := <-changes
		require.False(t, ok)
		f.Publish([]records.Change{{Kind: records.ChangeCase}})
	})
}

func TestFeedTellsOnceOfWhatWasLost(t *testing.T) {
	t.Parallel()
	f := NewFeed()
	changes := f.Changes(t.Context())
	change := records.Change{Kind: records.ChangeCase}
	for range 3 * feedBuffer {
		f.Publish([]records.Change{change})
	}
	require.Len(t, changes, feedBuffer)
	for range feedBuffer - 1 {
		require.Equal(t, change, <-changes)
	}
	f.Publish([]records.Change{change})
	require.Equal(t, records.Change{}, <-changes, "the empty change is still unread: it covers this one too")
	require.Empty(t, changes)
	f.Publish([]records.Change{change, change})
	require.Len(t, changes, 2, "from here on nothing is lost again")
	require.Equal(t, change, <-changes)
	require.Equal(t, change, <-changes)
}
