package relational

import (
	"testing"

	"github.com/stretchr/testify/require"
)

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
