package ledger_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
)

// patience bounds waits; it is no claim about time.
const patience = 30 * time.Second

func newCopiedLog(t *testing.T) *testLog {
	t.Helper()
	l := &testLog{dir: t.TempDir(), copyTo: filepath.Join(t.TempDir(), "copy")}
	l.signer, l.vkey = newKey(t)
	require.NoError(t, l.open(t))
	t.Cleanup(func() { l.close(t) })
	return l
}

// copied is the size that the copied checkpoint covers; 0 where there is none.
func (l *testLog) copied(t *testing.T) uint64 {
	t.Helper()
	kept, err := verify.Kept(l.copyTo, l.vkey)
	if casefile.ErrorCode(err) == casefile.CodeNotFound {
		return 0
	}
	require.NoError(t, err)
	require.Len(t, kept, 1)
	return kept[0].Size
}

func (l *testLog) copies(t *testing.T, size uint64) {
	t.Helper()
	require.Eventually(t, func() bool { return l.copied(t) == size }, patience, 5*time.Millisecond)
}

func TestEachCheckpointIsCopied(t *testing.T) {
	t.Parallel()
	l := newCopiedLog(t)
	c := caseChain(1)
	l.append(t, c.several(t, 3)...)
	l.copies(t, 3)
	l.append(t, c.several(t, 297)...)
	l.copies(t, 300)
	l.append(t, c.next(t))
	l.close(t)
	require.Equal(t, uint64(301), l.copied(t), "the last one too, before the log is closed")
	names, err := os.ReadDir(l.copyTo)
	require.NoError(t, err)
	require.Len(t, names, 1, "no drafts are left")
	require.NoError(t, l.open(t))
	l.append(t, c.next(t))
	l.copies(t, 302)
	require.Empty(t, l.raised())
}

// A second place that is away is an alarm, and the log goes on; once it is back, the copy is the newest.
func TestACopyThatFailsDoesNotStopTheLog(t *testing.T) {
	t.Parallel()
	l := newCopiedLog(t)
	c := caseChain(1)
	l.append(t, c.next(t))
	l.copies(t, 1)
	away := l.copyTo + "-away"
	require.NoError(t, os.Rename(l.copyTo, away))
	l.append(t, c.next(t))
	require.Eventually(t, func() bool { return len(l.raised()) == 1 }, patience, 5*time.Millisecond)
	l.append(t, c.next(t))
	l.verified(t)
	require.Equal(t, []ledger.Alarm{{Kind: ledger.AlarmCopy}}, l.raised(), "one for a row of failures")
	require.NoError(t, os.Rename(away, l.copyTo))
	l.copies(t, 3)
	l.close(t)
	require.Contains(t, l.logs.String(), "the checkpoint was not copied to its second place")
	require.Contains(t, l.logs.String(), "copied to its second place again")
}

// What stands in the second place is never overwritten by less, by another tree or over another key's.
func TestACopyIsNeverWrittenOverMore(t *testing.T) {
	t.Parallel()
	longer := newCopiedLog(t)
	longer.append(t, caseChain(1).several(t, 9)...)
	longer.close(t)
	other := newCopiedLog(t)
	other.append(t, caseChain(2).next(t))
	other.close(t)
	for name, from := range map[string]*testLog{"a larger one": longer, "another key's": other} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &testLog{dir: t.TempDir(), copyTo: filepath.Join(t.TempDir(), "copy"), signer: longer.signer, vkey: longer.vkey}
			require.NoError(t, l.open(t))
			t.Cleanup(func() { l.close(t) })
			c := caseChain(3)
			l.append(t, c.next(t))
			l.copies(t, 1)
			foreign, err := os.ReadFile(filepath.Join(from.copyTo, ledger.CheckpointCopyFile))
			require.NoError(t, err)
			at := filepath.Join(l.copyTo, ledger.CheckpointCopyFile)
			require.NoError(t, os.WriteFile(at, foreign, 0o600))
			l.append(t, c.next(t))
			require.Eventually(t, func() bool { return len(l.raised()) == 1 }, patience, 5*time.Millisecond)
			l.close(t)
			now, err := os.ReadFile(at)
			require.NoError(t, err)
			require.Equal(t, foreign, now)
			require.Equal(t, ledger.AlarmCopy, l.raised()[0].Kind)
		})
	}
}

// TestPromise12ARewrittenLogIsNotOpenedBesideItsCopy: the folder and the key are in the hands of somebody who writes
// the log anew; the second place is not.
func TestPromise12ARewrittenLogIsNotOpenedBesideItsCopy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entries func(t *testing.T) []casefile.FixedEntry
		says    string
	}{
		"started anew":     {func(*testing.T) []casefile.FixedEntry { return nil }, "rolled back"},
		"rolled back":      {func(t *testing.T) []casefile.FixedEntry { return caseChain(1).several(t, 299) }, "rolled back"},
		"of the same size": {func(t *testing.T) []casefile.FixedEntry { return caseChain(2).several(t, 300) }, "rewritten"},
		"grown beyond":     {func(t *testing.T) []casefile.FixedEntry { return caseChain(2).several(t, 700) }, "rewritten"},
		"forked at the end": {func(t *testing.T) []casefile.FixedEntry {
			return append(caseChain(1).several(t, 299), caseChain(2).several(t, 50)...)
		}, "rewritten"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newCopiedLog(t)
			l.append(t, caseChain(1).several(t, 300)...)
			l.close(t)
			require.Equal(t, uint64(300), l.copied(t))
			forged := &testLog{dir: t.TempDir(), signer: l.signer, vkey: l.vkey}
			require.NoError(t, forged.open(t))
			if entries := c.entries(t); len(entries) > 0 {
				forged.append(t, entries...)
				forged.verified(t)
			}
			forged.close(t)
			require.Empty(t, forged.raised(), "by itself it is a log like any other")

			forged.copyTo = l.copyTo
			err := forged.open(t)
			require.Equal(t, casefile.CodeConflict, casefile.ErrorCode(err))
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, l.copyTo)
			require.Equal(t, []ledger.Alarm{{Kind: ledger.AlarmRollback}}, forged.raised())
			require.Equal(t, uint64(300), l.copied(t), "the evidence stands")
			require.NoError(t, l.open(t), "the true log is opened")
		})
	}
}

func TestOpenLooksAtTheCopy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, l *testLog)
		code  casefile.Code // "" for none
	}{
		"no copy yet":               {func(t *testing.T, l *testLog) { require.NoError(t, os.RemoveAll(l.copyTo)) }, ""},
		"a smaller one":             {func(*testing.T, *testLog) {}, ""},
		"a folder without a parent": {func(_ *testing.T, l *testLog) { l.copyTo = filepath.Join(l.copyTo, "none", "copy") }, casefile.CodeUnavailable},
		"a file in its place":       {func(_ *testing.T, l *testLog) { l.copyTo = filepath.Join(l.dir, "events.sqlite") }, casefile.CodeUnavailable},
		"the log's own":             {func(_ *testing.T, l *testLog) { l.copyTo = l.dir + "/" }, casefile.CodeInvalid},
		"no checkpoint": {func(t *testing.T, l *testLog) {
			require.NoError(t, os.WriteFile(filepath.Join(l.copyTo, ledger.CheckpointCopyFile), []byte("[words]"), 0o600))
		}, casefile.CodeConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newCopiedLog(t)
			chain := caseChain(1)
			l.append(t, chain.several(t, 5)...)
			l.close(t)
			copyTo := l.copyTo
			l.copyTo = ""
			require.NoError(t, l.open(t))
			l.append(t, chain.several(t, 300)...)
			l.close(t)
			l.copyTo = copyTo
			c.spoil(t, l)
			err := l.open(t)
			require.Equal(t, c.code, casefile.ErrorCode(err), "%v", err)
			if err == nil {
				l.copies(t, 305)
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
				defer cancel()
				require.NoError(t, l.Close(ctx))
			}
		})
	}
}
