package relational

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPadded(t *testing.T) {
	t.Parallel()
	list := []string{"a", "b", "c", "d", "e"}
	for n, want := range map[int][]string{
		1: {"a"}, 2: {"a", "b"}, 3: {"a", "b", "c", "c"}, 4: {"a", "b", "c", "d"}, 5: {"a", "b", "c", "d", "e", "e", "e", "e"},
	} {
		require.Equal(t, want, padded(list[:n]))
	}
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, list, "the list itself stays as it is")
}

func TestSweepPause(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute, 6: 32 * time.Minute, 7: time.Hour, 8: time.Hour, 1 << 40: time.Hour} {
		require.Equal(t, want, sweepPause(n))
	}
}
