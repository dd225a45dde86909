package main

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHealth: a running process says that it is alive, that everything it needs answers, and what
// stands in its queues.
func TestHealth(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(t.TempDir()))
	f := testFlag("f-health", 1)
	b.flag(f)
	for path, want := range map[string][]string{
		"/healthz": {"ok"},
		"/readyz":  {"records: ok", "index: ok", "temporal: ok", "ledger: ok"},
		"/metrics": {`docket_queue_waiting_cases{queue="`, "docket_queue_oldest_seconds", "go_goroutines"},
	} {
		res, err := http.Get(b.baseURL + path)
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode, path)
		for _, w := range want {
			require.Contains(t, string(text), w)
		}
		require.NotContains(t, string(text), f.Account.Handle)
		require.NotContains(t, string(text), f.Account.ID)
	}
}
