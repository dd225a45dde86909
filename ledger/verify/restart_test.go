package verify

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/docket-triage/docket/casefile"
)

func restartEntry(tb testing.TB, id string, body casefile.LogRestartedBody) []byte {
	tb.Helper()
	f, err := casefile.FixLogRestarted(id, body, testTime)
	require.NoError(tb, err)
	return f.Data
}

// succeeded is a log, and one that took its place with the first carried entries of it; size is what the
// last known checkpoint covers.
func succeeded(tb testing.TB, carried, size int) (old *testLog, next *testLog, body casefile.LogRestartedBody) {
	tb.Helper()
	entries := plainEntries(tb, size)
	old = buildLog(tb, entries)
	root, kept := slowRoot(entries), slowRoot(entries[:carried])
	body = casefile.LogRestartedBody{
		Origin: testOrigin, Size: uint64(size), Root: hex.EncodeToString(root[:]), Carried: uint64(carried), CarriedRoot: hex.EncodeToString(kept[:]),
	}
	next = &testLog{dir: tb.TempDir(), key: newKey(tb, "ledger.test.example/next"), entries: append([][]byte{restartEntry(tb, "ONE", body)}, entries[:carried]...)}
	return old, next, body
}

func (l *testLog) publish(tb testing.TB) {
	tb.Helper()
	l.write(tb)
	l.put(tb, checkpointFile, []byte(l.key.sign(tb, l.key.signer.Name(), len(l.entries), slowRoot(l.entries))))
}

func TestTreeRoot(t *testing.T) {
	t.Parallel()
	entries := plainEntries(t, 70)
	for n := range entries {
		require.Equal(t, slowRoot(entries[:n]), TreeRoot(entries[:n]), n)
	}
}

// TestRestartedLogVerifies: a log that names whose place it took is whole where what it carries is what it
// says, and goes on with entries of its own.
func TestRestartedLogVerifies(t *testing.T) {
	t.Parallel()
	for _, carried := range []int{0, 1, 300, 700} {
		_, next, body := succeeded(t, carried, 700)
		more := chain{name: "case.MORE0-TEST0"}
		for range 5 {
			next.entries = append(next.entries, more.plain(t))
		}
		next.publish(t)
		report := next.verify(t)
		require.Empty(t, report.Faults, carried)
		require.Equal(t, &body, report.Restarted)
	}
}

// TestRestartedTwice: the place of a log that had taken another's is taken.
func TestRestartedTwice(t *testing.T) {
	t.Parallel()
	_, next, _ := succeeded(t, 300, 320)
	kept := slowRoot(next.entries)
	third := &testLog{dir: t.TempDir(), key: newKey(t, "ledger.test.example/third")}
	third.entries = append([][]byte{restartEntry(t, "TWO", casefile.LogRestartedBody{
		Origin: "ledger.test.example/next", Size: 301, Root: hex.EncodeToString(kept[:]), Carried: 301, CarriedRoot: hex.EncodeToString(kept[:]),
	})}, next.entries...)
	third.publish(t)
	require.Empty(t, third.verify(t).Faults)
	require.Equal(t, "ledger.test.example/next", third.verify(t).Restarted.Origin)

	// Both are known of when an earlier checkpoint is compared.
	first, ok, err := Successor(t.Context(), first300(t, next), Dir(third.dir), third.key.vkey)
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 300, first.Size)
}

// first300 is a checkpoint of the first log's, signed by a key that nobody pins.
func first300(t *testing.T, next *testLog) string {
	t.Helper()
	return newKey(t, testOrigin).sign(t, testOrigin, 300, slowRoot(next.entries[1:301]))
}

// TestRestartFaults: what a log says of the one before it and does not hold is named.
func TestRestartFaults(t *testing.T) {
	t.Parallel()
	wrong := casefile.EntryHash([]byte("another"))
	for name, change := range map[string]func(l *testLog, b casefile.LogRestartedBody){
		"an entry altered": func(l *testLog, _ casefile.LogRestartedBody) {
			l.entries[4] = (&chain{name: "case.OTHER-TEST0"}).plain(t)
		},
		"an entry left out":   func(l *testLog, _ casefile.LogRestartedBody) { l.entries = slices.Delete(l.entries, 300, 301) },
		"two entries swapped": func(l *testLog, _ casefile.LogRestartedBody) { l.entries[1], l.entries[2] = l.entries[2], l.entries[1] },
		"another root": func(l *testLog, b casefile.LogRestartedBody) {
			b.CarriedRoot = wrong
			l.entries[0] = restartEntry(t, "ONE", b)
		},
		"more than there were": func(l *testLog, b casefile.LogRestartedBody) {
			b.Carried = b.Size + 1
			l.entries[0] = restartEntry(t, "ONE", b)
		},
		"all, and another root": func(l *testLog, b casefile.LogRestartedBody) {
			b.Size, b.Root = b.Carried, wrong
			l.entries[0] = restartEntry(t, "ONE", b)
		},
		"no root": func(l *testLog, b casefile.LogRestartedBody) {
			b.Root = "none"
			l.entries[0] = restartEntry(t, "ONE", b)
		},
		"not the first entry": func(l *testLog, _ casefile.LogRestartedBody) { l.entries[0], l.entries[1] = l.entries[1], l.entries[0] },
		"later once more": func(l *testLog, b casefile.LogRestartedBody) {
			l.entries = append(l.entries, restartEntry(t, "LATER", b))
		},
		"a second of its chain": func(l *testLog, _ casefile.LogRestartedBody) {
			c := chain{name: "log.ONE", seq: 1, prev: casefile.EntryHash(l.entries[0])}
			l.entries = append(l.entries, c.plain(t))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, next, body := succeeded(t, 300, 320)
			change(next, body)
			next.publish(t)
			kinds := map[FaultKind]bool{}
			for _, f := range next.verify(t).Faults {
				kinds[f.Kind] = true
			}
			require.True(t, kinds[FaultRestart], "%v", next.verify(t).Faults)
		})
	}
}

// TestKeptCheckpointOfTheLogBefore: a checkpoint kept of the log whose place was taken says what became of it.
func TestKeptCheckpointOfTheLogBefore(t *testing.T) {
	t.Parallel()
	old, next, _ := succeeded(t, 300, 320)
	next.publish(t)
	dir := t.TempDir()
	keep := func(name string, size int, root tlog.Hash) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(old.key.sign(t, testOrigin, size, root)), 0o600))
		return path
	}
	src := Dir(next.dir)
	carried := keep("carried", 290, slowRoot(old.entries[:290]))
	_, err := Kept(carried, next.key.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
	got, known, err := KeptSuccessor(t.Context(), carried, src, next.key.vkey)
	require.NoError(t, err)
	require.True(t, known)
	require.EqualValues(t, 290, got.Size)

	_, known, err = KeptSuccessor(t.Context(), keep("lost", 310, slowRoot(old.entries[:310])), src, next.key.vkey)
	require.True(t, known)
	require.ErrorContains(t, err, "was lost, and this log took its place")
	require.ErrorContains(t, err, "it carries the first 300")

	_, known, err = KeptSuccessor(t.Context(), keep("rewritten", 290, slowRoot(old.entries[1:291])), src, next.key.vkey)
	require.True(t, known)
	require.ErrorContains(t, err, "they were rewritten")

	stranger := newKey(t, "ledger.test.example/stranger")
	path := filepath.Join(t.TempDir(), "stranger")
	require.NoError(t, os.WriteFile(path, []byte(stranger.sign(t, "ledger.test.example/stranger", 290, slowRoot(old.entries[:290]))), 0o600))
	_, known, err = KeptSuccessor(t.Context(), path, src, next.key.vkey)
	require.NoError(t, err)
	require.False(t, known)
}
