package receiver

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/enforce/webhook"
)

// TestFailedWrite: what did not reach the disk was not done, and nothing more is done until it is
// known what the disk holds.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	now := time.Now()
	path, secret := filepath.Join(t.TempDir(), "receiver.ndjson"), webhook.NewSecret()
	reopen := func() *Receiver {
		r, err := New(Options{File: path, Secrets: []string{secret}, Now: func() time.Time { return now }})
		require.NoError(t, err)
		return r
	}
	goldens := formatstest.Values(t, "docs/formats/webhook-message.golden.ndjson", false)
	ask := func(r *Receiver, body []byte) int {
		m, err := webhook.DecodeMessage(body)
		require.NoError(t, err)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, signed(t, secret, m.Key, now, body))
		return w.Code
	}
	r := reopen()
	require.Equal(t, http.StatusOK, ask(r, goldens[1]))
	require.NoError(t, r.file.f.Close()) // the disk goes away under it
	for range 2 {
		require.Equal(t, http.StatusInternalServerError, ask(r, goldens[2]))
	}
	require.True(t, r.file.broken)
	require.Equal(t, 1, r.Count())
	r = reopen()
	require.Equal(t, 1, r.Count())
	require.Equal(t, http.StatusOK, ask(r, goldens[2]))
	require.NoError(t, r.Close())
	lines, err := Read(path)
	require.NoError(t, err)
	require.Len(t, lines, 2)
}
