package embedded

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/indexing/indextest"
)

func TestIndex(t *testing.T) {
	t.Parallel()
	indextest.Exercise(t, func(t *testing.T) indexing.Index {
		return open(t, filepath.Join(t.TempDir(), "index.db"), Options{Fast: true})
	})
}

func open(t testing.TB, path string, opts Options) *Index {
	t.Helper()
	x, err := Open(t.Context(), path, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, x.Close()) })
	return x
}
