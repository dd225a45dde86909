package sqlite

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// A commit is on the disk before it is answered, unless the caller chose otherwise; readers cannot
// write.
func TestPragmas(t *testing.T) {
	t.Parallel()
	const normal, full = 1, 2
	for _, fast := range []bool{false, true} {
		s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "records.db"), Fast: fast})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		got, err := do(t.Context(), s.writer, func(ctx context.Context, x *tx) (int, error) {
			return one(ctx, x, scanInt, "PRAGMA synchronous")
		})
		require.NoError(t, err)
		require.Equal(t, map[bool]int{false: full, true: normal}[fast], got)
		_, err = s.reader.db.ExecContext(t.Context(), "INSERT INTO meta (name, value) VALUES ('k', 'v')")
		require.ErrorContains(t, err, "readonly")
	}
}

func TestNearestRank(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ percent, n, want int }{
		{50, 1, 1}, {99, 1, 1}, {50, 2, 1}, {50, 3, 2}, {99, 99, 99}, {99, 100, 99}, {99, 101, 100}, {50, 100, 50},
	} {
		require.Equal(t, c.want, nearestRank(c.percent, c.n), "%d of %d", c.percent, c.n)
	}
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	require.Empty(t, placeholders(0))
	require.Equal(t, "?", placeholders(1))
	require.Equal(t, "?, ?, ?", placeholders(3))
}

// A subscription that ends leaves neither an entry in the feed nor a goroutine: synctest fails
// when one is left.
func TestFeedLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		ctx, cancel := context.WithCancel(context.Background())
		changes := f.subscribe(ctx)
		f.publish([]records.Change{{Kind: records.ChangeCase}})
		cancel()
		synctest.Wait()
		require.Empty(t, f.subs)
		require.Equal(t, records.Change{Kind: records.ChangeCase}, <-changes)
		_, ok := <-changes
		require.False(t, ok)
		f.publish([]records.Change{{Kind: records.ChangeCase}})
	})
}

func TestFeedTellsOnceOfWhatWasLost(t *testing.T) {
	t.Parallel()
	f := newFeed()
	changes := f.subscribe(t.Context())
	change := records.Change{Kind: records.ChangeCase}
	for range 3 * feedBuffer {
		f.publish([]records.Change{change})
	}
	require.Len(t, changes, feedBuffer)
	for range feedBuffer - 1 {
		require.Equal(t, change, <-changes)
	}
	f.publish([]records.Change{change})
	require.Equal(t, records.Change{}, <-changes, "the empty change is still unread: it covers this one too")
	require.Empty(t, changes)
	f.publish([]records.Change{change, change})
	require.Len(t, changes, 2, "from here on nothing is lost again")
	require.Equal(t, change, <-changes)
	require.Equal(t, change, <-changes)
}

func FuzzDecodeCursor(f *testing.F) {
	for _, v := range []any{queueCursor{7, 3, 1772445600000000, "7K2QX-9MDT4"}, listCursor{1772445600000000, "7K2QX-9MDT4"}} {
		s, err := encodeCursor(v)
		require.NoError(f, err)
		f.Add(s)
	}
	for _, s := range []string{"", "!", "e30", "bnVsbA", "eyJvIjoxLCJyIjoiIn0", "eyJzIjoxZTk5fQ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := decodeCursor[queueCursor](s)
		requireExact(t, s, q, err)
		l, err := decodeCursor[listCursor](s)
		requireExact(t, s, l, err)
	})
}

// requireExact holds a decoder to its one text for every value.
func requireExact(t *testing.T, s string, v any, err error) {
	t.Helper()
	if err != nil {
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
		return
	}
	again, err := encodeCursor(v)
	require.NoError(t, err)
	require.Equal(t, s, again)
}
