package ledgertest_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/ledgertest"
	"github.com/docket-triage/docket/ledger/verify"
)

// TestWriteIsWhatTheWriterWrites: the same entries by package ledger give the same checkpoint and the same
// files.
func TestWriteIsWhatTheWriterWrites(t *testing.T) {
	t.Parallel()
	skey, vkey, err := ledger.GenerateKey("ledger.test.example/log")
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	for _, size := range []int{1, 256, 300, 515} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			theirs, ours := t.TempDir(), t.TempDir()
			l, err := ledger.Open(t.Context(), ledger.Options{Dir: theirs, Signer: signer})
			require.NoError(t, err)
			entries, err := ledgertest.Entries(0, size, size)
			require.NoError(t, err)
			var want int64
			for _, e := range entries {
				want += int64(len(e.Data))
			}
			_, err = l.Append(t.Context(), entries)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.NoError(t, l.Close(ctx))
			bytes, err := ledgertest.Write(t.Context(), ours, signer, size)
			require.NoError(t, err)
			require.Equal(t, want, bytes)
			n := 0
			require.NoError(t, filepath.WalkDir(ours, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				n++
				name := strings.TrimPrefix(path, ours)
				got, err := os.ReadFile(path)
				require.NoError(t, err)
				want, err := os.ReadFile(theirs + name)
				require.NoError(t, err)
				require.Equal(t, want, got, name)
				return nil
			}))
			require.GreaterOrEqual(t, n, 3)
			report, err := verify.Log(t.Context(), verify.Dir(ours), vkey, verify.Options{})
			require.NoError(t, err)
			require.Empty(t, report.Faults)
			require.Equal(t, uint64(size), report.Entries)
		})
	}
}

func TestWriteEndsWithItsContext(t *testing.T) {
	t.Parallel()
	skey, _, err := ledger.GenerateKey("ledger.test.example/log")
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = ledgertest.Write(ctx, t.TempDir(), signer, 300)
	require.ErrorIs(t, err, context.Canceled)
}
