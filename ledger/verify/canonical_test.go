package verify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The quick reader is of use only if it takes what programs write.
func TestScanEntryTakesOrdinaryEntries(t *testing.T) {
	t.Parallel()
	for _, e := range newSound(t).entries {
		_, ok := scanEntry(e)
		require.True(t, ok, "%s", e)
	}
}
