package worker_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records/sqlite"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
	"github.com/docket-triage/docket/worker"
)

// TestTellingOutbox holds the records, seen as an outbox, to what telling asks of one.
func TestTellingOutbox(t *testing.T) {
	t.Parallel()
	tellingtest.Exercise(t, func(t *testing.T) telling.Outbox {
		store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "records.sqlite"), Fast: true})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		return worker.TellingOutbox(store)
	})
}
