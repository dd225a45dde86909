package ledger_test

import (
	"errors"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/ledgertest"
	"github.com/docket-triage/docket/ledger/verify"
)

func sequence(entries []casefile.FixedEntry, last error) iter.Seq2[casefile.FixedEntry, error] {
	return func(yield func(casefile.FixedEntry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
		if last != nil {
			yield(casefile.FixedEntry{}, last)
		}
	}
}

// TestCarry: a log of another's entries has its root under the same signer, verifies, and is gone on with.
func TestCarry(t *testing.T) {
	t.Parallel()
	const size = 2500
	from, dir := t.TempDir(), filepath.Join(t.TempDir(), "log")
	signer, vkey := newKey(t)
	_, err := ledgertest.Write(t.Context(), from, signer, size)
	require.NoError(t, err)
	entries, err := ledgertest.Entries(0, size, size)
	require.NoError(t, err)

	n, err := ledger.Carry(t.Context(), ledger.Options{Dir: dir, Signer: signer}, sequence(entries, nil))
	require.NoError(t, err)
	require.EqualValues(t, size, n)
	want, err := os.ReadFile(filepath.Join(from, "checkpoint"))
	require.NoError(t, err)
	now, err := verify.Consistency(t.Context(), string(want), verify.Dir(dir), vkey)
	require.NoError(t, err)
	require.EqualValues(t, size, now.Size)
	report, err := verify.Log(t.Context(), verify.Dir(dir), vkey, verify.Options{})
	require.NoError(t, err)
	require.NoError(t, report.Err())

	l, err := ledger.Open(t.Context(), ledger.Options{Dir: dir, Signer: signer})
	require.NoError(t, err)
	receipts, err := l.Append(t.Context(), entries[size-3:])
	require.NoError(t, err)
	require.EqualValues(t, size-1, receipts[2].Index, "it is the writer's log: what it holds has its old place")
	require.NoError(t, l.Close(t.Context()))

	_, err = ledger.Carry(t.Context(), ledger.Options{Dir: dir, Signer: signer}, sequence(entries, nil))
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err), "nothing is carried over into a log")
}

func TestCarryIsEndedByItsSource(t *testing.T) {
	t.Parallel()
	signer, _ := newKey(t)
	entries, err := ledgertest.Entries(0, 30, 30)
	require.NoError(t, err)
	broken := errors.New("the source broke off")
	_, err = ledger.Carry(t.Context(), ledger.Options{Dir: t.TempDir(), Signer: signer}, sequence(entries, broken))
	require.ErrorIs(t, err, broken)
	entries[7].Data = append(entries[7].Data, ' ')
	_, err = ledger.Carry(t.Context(), ledger.Options{Dir: t.TempDir(), Signer: signer}, sequence(entries, nil))
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
}
