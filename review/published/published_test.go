package published_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/review/published"
	"github.com/docket-triage/docket/review/reviewtest"
)

// grow appends entries and waits until a checkpoint covers them.
func grow(t *testing.T, l *reviewtest.Ledger, prev string, from, to int) (data [][]byte, last string) {
	t.Helper()
	entries := make([]casefile.FixedEntry, 0, to-from)
	for i := from; i < to; i++ {
		fixed, err := casefile.FixBody(casefile.EntryPolicy, casefile.System, casefile.Position{Event: casefile.NewEventID("system", i+1), Prev: prev}, json.RawMessage(`{}`))
		require.NoError(t, err)
		entries, data, prev = append(entries, fixed), append(data, fixed.Data), fixed.Hash()
	}
	_, err := l.Append(t.Context(), entries)
	require.NoError(t, err)
	_, err = l.Prove(t.Context(), uint64(to-1))
	require.NoError(t, err)
	return data, prev
}

// TestEntries reads a log in every part of it as it grows past the width of one file, also as of a size
// that it had before.
func TestEntries(t *testing.T) {
	t.Parallel()
	l := reviewtest.NewLedger(t)
	log := published.Log{Source: verify.Dir(l.Dir)}
	ctx := t.Context()
	first, prev := grow(t, l, "", 0, 10)
	size, err := log.Size(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 10, size)
	rest, _ := grow(t, l, prev, 10, 300)
	all := append(first, rest...)
	size, err = log.Size(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 300, size)
	// What is left of a partial file is tidied away once the full one is there.
	require.NoError(t, os.RemoveAll(filepath.Join(l.Dir, "tile", "entries", "000.p")))
	server := httptest.NewServer(http.StripPrefix("/log", l.Handler()))
	t.Cleanup(server.Close)
	served, err := verify.HTTP(server.URL+"/log/", nil)
	require.NoError(t, err)
	for i, size := range []uint64{10, 256, 300, 10, 256, 300} {
		log := log
		if i >= 3 { // as a process reads it that does not write it
			log = published.Log{Source: served}
			got, err := log.Size(ctx)
			require.NoError(t, err)
			require.EqualValues(t, 300, got)
		}
		for from := uint64(0); from < size; from += 7 {
			var got [][]byte
			for at := from; at < size; at = from + uint64(len(got)) {
				part, err := log.Entries(ctx, at, size)
				require.NoError(t, err, "%d of %d", at, size)
				require.NotEmpty(t, part)
				got = append(got, part...)
			}
			require.Equal(t, all[from:size], got, "%d of %d", from, size)
		}
	}
}

func TestNoLog(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	empty := published.Log{Source: verify.Dir(t.TempDir())}
	size, err := empty.Size(ctx)
	require.NoError(t, err)
	require.Zero(t, size)
	_, err = empty.Entries(ctx, 0, 10)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	for name, text := range map[string]string{"short": "origin\n", "no size": "origin\nmany\nroot\n\n", "negative": "origin\n-1\nroot\n\n"} {
		_, err = published.Log{Source: file(text)}.Size(ctx)
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), name)
	}
	_, err = published.Log{Source: verify.Dir(filepath.Join(t.TempDir(), "none"))}.Entries(ctx, 0, 1)
	require.ErrorContains(t, err, "cannot be read")
}

// file is a log whose every file has this text.
type file string

func (f file) Read(context.Context, string, int64) ([]byte, error) { return []byte(f), nil }
