package verify

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestConsistencyOfAGrowingLog(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 600))
	for _, size := range []int{0, 1, 2, 255, 256, 257, 599, 600} {
		now, err := Consistency(t.Context(), l.key.sign(t, testOrigin, size, l.rootOf(size)), Dir(l.dir), l.key.vkey)
		require.NoError(t, err, "from %d", size)
		require.Equal(t, uint64(600), now.Size)
	}
}

func TestPromise12ALogRewrittenWithItsOwnKeyIsFound(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 600))
	kept := l.key.sign(t, testOrigin, 400, l.rootOf(400))
	for _, tc := range []struct {
		name    string
		entries func() [][]byte
		says    string
	}{
		{"rolled back", func() [][]byte { return l.entries[:399] }, "rolled back"},
		{"an entry replaced", func() [][]byte {
			entries := slices.Clone(l.entries)
			entries[5] = bytes.Replace(entries[5], []byte("[placeholder]"), []byte("[other words]"), 1)
			return entries
		}, "rewritten"},
		{"rolled back and grown again", func() [][]byte {
			c := chain{name: "case.00099-TEST0"}
			entries := slices.Clone(l.entries[:399])
			for range 201 {
				entries = append(entries, c.plain(t))
			}
			return entries
		}, "rewritten"},
		{"of the same size", func() [][]byte {
			c := chain{name: "case.00099-TEST0"}
			return append(slices.Clone(l.entries[:399]), c.plain(t))
		}, "rewritten"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			other := &testLog{dir: t.TempDir(), key: l.key, entries: tc.entries()}
			other.write(t)
			_, err := Consistency(t.Context(), kept, Dir(other.dir), l.key.vkey)
			require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
			require.ErrorContains(t, err, tc.says)
		})
	}
}

func TestConsistencyNeedsSoundTilesAndKeys(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 600))
	kept := l.key.sign(t, testOrigin, 300, l.rootOf(300))
	tile := l.get(t, "tile/0/001")
	bad := bytes.Clone(tile)
	bad[40*32] ^= 1
	l.put(t, "tile/0/001", bad)
	_, err := Consistency(t.Context(), kept, Dir(l.dir), l.key.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
	l.remove(t, "tile/0/001")
	_, err = Consistency(t.Context(), kept, Dir(l.dir), l.key.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "tile/0/001")

	other := newKey(t, testOrigin)
	_, err = Consistency(t.Context(), other.sign(t, testOrigin, 300, l.rootOf(300)), Dir(l.dir), l.key.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
	l.remove(t, checkpointFile)
	_, err = Consistency(t.Context(), kept, Dir(l.dir), l.key.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
}

func TestTail(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 300))
	for _, n := range []int{1, 44, 45, 300, 1000} {
		tail, err := Tail(t.Context(), Dir(l.dir), l.key.vkey, n)
		require.NoError(t, err)
		require.Len(t, tail, min(n, 300))
		for i, e := range tail {
			index := 300 - len(tail) + i
			require.Equal(t, uint64(index), e.Index)
			require.Equal(t, casefile.EntryHash(l.entries[index]), e.Hash)
			want, err := casefile.ParseEntry(l.entries[index])
			require.NoError(t, err)
			require.Equal(t, want, e.Entry)
		}
	}
	empty := buildLog(t, nil)
	tail, err := Tail(t.Context(), Dir(empty.dir), empty.key.vkey, 5)
	require.NoError(t, err)
	require.Empty(t, tail)
	_, err = Tail(t.Context(), Dir(l.dir), l.key.vkey, 0)
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
}

func TestEntries(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 300))
	var got [][]byte
	visit := func(e TailEntry) error {
		require.Equal(t, uint64(len(got)), e.Index)
		data, err := casefile.Canonical(e.Entry)
		require.NoError(t, err)
		got = append(got, data)
		return nil
	}
	require.NoError(t, Entries(t.Context(), Dir(l.dir), l.key.vkey, visit))
	require.Equal(t, l.entries, got)
	enough := errors.New("enough")
	require.ErrorIs(t, Entries(t.Context(), Dir(l.dir), l.key.vkey, func(TailEntry) error { return enough }), enough)
	l.remove(t, "tile/entries/000")
	require.ErrorContains(t, Entries(t.Context(), Dir(l.dir), l.key.vkey, func(TailEntry) error { return nil }), "tile/entries/000")
}

func TestTailOfADamagedLog(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"checkpoint", "tile/0/001.p/44", "tile/entries/001.p/44"} {
		l := buildLog(t, plainEntries(t, 300))
		data := l.get(t, file)
		data[len(data)-9] ^= 1
		l.put(t, file, data)
		_, err := Tail(t.Context(), Dir(l.dir), l.key.vkey, 44)
		require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err), file)
		l.remove(t, file)
		_, err = Tail(t.Context(), Dir(l.dir), l.key.vkey, 44)
		require.ErrorContains(t, err, file)
	}
}

func TestEntriesFrom(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 600))
	for _, from := range []uint64{0, 1, 255, 256, 300, 599, 600, 900} {
		next := min(from, 600)
		size, err := EntriesFrom(t.Context(), Dir(l.dir), l.key.vkey, from, func(e TailEntry) error {
			require.Equal(t, next, e.Index)
			require.Equal(t, casefile.EntryHash(l.entries[next]), e.Hash)
			next++
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, uint64(600), size)
		require.Equal(t, uint64(600), next, "from %d", from)
	}
}

// TestLogGivesItsEntries: each that the tree covers, in order; what is at fault is left out.
func TestLogGivesItsEntries(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 600))
	read := func() (out []TailEntry) {
		_, err := Log(t.Context(), Dir(l.dir), l.key.vkey, Options{Entry: func(e TailEntry) { out = append(out, e) }})
		require.NoError(t, err)
		return out
	}
	want, err := Tail(t.Context(), Dir(l.dir), l.key.vkey, 600)
	require.NoError(t, err)
	require.Equal(t, want, read())
	bad := l.get(t, "tile/entries/001")
	bad[9] ^= 1
	l.put(t, "tile/entries/001", bad)
	require.Equal(t, append(slices.Clone(want[:256]), want[257:]...), read())
}
