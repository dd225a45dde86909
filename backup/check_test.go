package backup

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records/sqlite"
)

// made is a backup of a bed with a decided case, 300 entries and more in its log.
func made(t *testing.T, change func(s *Sources)) (*bed, string, Manifest) {
	t.Helper()
	b := newBed(t)
	l := b.decided("7K2QX-9MDT4", casefile.L4, true)
	l.plan().outcome(done, done)
	var more []casefile.FixedEntry
	for range 300 {
		e, err := casefile.FixBody(casefile.EntryViews, casefile.System, b.next(casefile.SystemChain, ""), []byte(`{"digest":"d","refusals":0,"views":1}`))
		require.NoError(t, err)
		more = append(more, e)
		b.heads[casefile.SystemChain] = e
	}
	receipts, err := b.log.Append(t.Context(), more)
	require.NoError(t, err)
	_, err = b.log.Prove(t.Context(), receipts[299].Index)
	require.NoError(t, err)
	b.moveOn()
	sealed := filepath.Join(b.dir, "evidence")
	accounts, err := b.store.AccountsAfter(t.Context(), "", 10)
	require.NoError(t, err)
	addresses, err := b.store.AccountObjects(t.Context(), accounts[0].Account)
	require.NoError(t, err)
	require.NotEmpty(t, addresses)
	for _, a := range addresses {
		require.NoError(t, os.MkdirAll(filepath.Join(sealed, filepath.Dir(stored(a))), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(sealed, stored(a)), []byte("sealed"), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "snapshot"), []byte("windows"), 0o600))
	s := Sources{
		Records: func(ctx context.Context, to string) error {
			return sqlite.Copy(ctx, filepath.Join(b.dir, "records.sqlite"), to)
		},
		Identity: func(context.Context, string) (string, error) { return "fingerprint", nil },
		Evidence: sealed, Log: verify.Dir(filepath.Join(b.dir, "ledger")), LogKey: b.vkey, Snapshot: filepath.Join(b.dir, "snapshot"), Now: time.Now, Settle: 200 * time.Millisecond,
	}
	if change != nil {
		change(&s)
	}
	dir := filepath.Join(t.TempDir(), "backup")
	m, err := Make(t.Context(), dir, s)
	require.NoError(t, err)
	_, err = Make(t.Context(), dir, s)
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err), "nothing is written over")
	return b, dir, m
}

func stored(a casefile.Address) string { return string(a[:1] + "/" + a[1:]) }

func TestMake(t *testing.T) {
	t.Parallel()
	b, dir, m := made(t, nil)
	require.True(t, m.Evidence)
	require.True(t, m.Snapshot)
	require.False(t, m.Keys)
	r, err := Check(t.Context(), dir, b.vkey)
	require.NoError(t, err)
	require.NoError(t, r.Err())
	require.Equal(t, m, r.Manifest)
	require.Greater(t, m.Checkpoint.Size, uint64(300))
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is the owner's alone", p)
		return nil
	}))
}

func TestMakeLeavesOut(t *testing.T) {
	t.Parallel()
	_, dir, m := made(t, func(s *Sources) { s.Evidence, s.Snapshot = "", filepath.Join(t.TempDir(), "none") })
	require.False(t, m.Evidence)
	require.False(t, m.Snapshot)
	r, err := Check(t.Context(), dir, "")
	require.NoError(t, err)
	require.NoError(t, r.Err())
}

// TestCheckFindsEveryChange: each file altered, cut, left out; one more; the list and the manifest.
func TestCheckFindsEveryChange(t *testing.T) {
	t.Parallel()
	_, dir, _ := made(t, nil)
	var files []string
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		return err
	}))
	require.Greater(t, len(files), 8)
	whole := func() bool {
		r, err := Check(t.Context(), dir, "")
		return err == nil && r.OK()
	}
	for _, p := range files {
		before, err := os.ReadFile(p)
		require.NoError(t, err)
		for name, after := range map[string][]byte{"cut": before[:len(before)/2], "altered": flipped(before), "longer": append(slices.Clone(before), ' ', '{')} {
			require.NoError(t, os.WriteFile(p, after, 0o600))
			require.False(t, whole(), "%s %s", p, name)
		}
		require.NoError(t, os.Remove(p))
		require.False(t, whole(), "%s is missing", p)
		require.NoError(t, os.WriteFile(p, before, 0o600))
	}
	require.True(t, whole())
	extra := filepath.Join(dir, EvidenceDir, "more")
	require.NoError(t, os.WriteFile(extra, nil, 0o600))
	require.False(t, whole(), "a file more")
}

func flipped(data []byte) []byte {
	out := slices.Clone(data)
	out[len(out)/2] ^= 1
	return out
}

// TestCheckUnderAnotherKey: a backup whose log another key signed is not the pinned one's.
func TestCheckUnderAnotherKey(t *testing.T) {
	t.Parallel()
	_, dir, _ := made(t, nil)
	r, err := Check(t.Context(), dir, newBed(t).vkey)
	require.NoError(t, err)
	require.False(t, r.OK())
}

func TestCutOffBackup(t *testing.T) {
	t.Parallel()
	_, dir, _ := made(t, nil)
	require.NoError(t, os.Remove(filepath.Join(dir, ManifestFile)))
	_, err := Check(t.Context(), dir, "")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "cut off")
}

// TestContents: what the records name is looked for in the sealed store and in the log.
func TestContents(t *testing.T) {
	t.Parallel()
	b, dir, m := made(t, nil)
	check := func() []string {
		r := Report{Manifest: m, Faults: []string{}}
		require.NoError(t, Contents{Dir: dir, Records: b.store, Stored: stored}.Check(t.Context(), &r))
		return r.Faults
	}
	// Only accounts that have a content key have objects that open.
	putKey(t, b)
	require.Empty(t, check())
	var object string
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, EvidenceDir), func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			object = p
		}
		return err
	}))
	require.NoError(t, os.Remove(object))
	require.Len(t, check(), 1)
	require.Contains(t, check()[0], "lacks 1 of the")
	l := b.decided("8K2QX-9MDT4", casefile.L4, true)
	b.moveOn()
	require.True(t, slices.ContainsFunc(check(), func(f string) bool { return strings.Contains(f, l.decision.ID) }), "a decision that came after")
}

func putKey(t *testing.T, b *bed) {
	t.Helper()
	accounts, err := b.store.AccountsAfter(t.Context(), "", 10)
	require.NoError(t, err)
	_, err = b.store.PutAccountKey(t.Context(), wrapped(accounts[0].Account))
	require.NoError(t, err)
}

// TestCopyOfRunningRecords: the copy is of one moment, for the owner alone, and nobody waits for it.
func TestCopyOfRunningRecords(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.opened("7K2QX-9MDT4")
	to := filepath.Join(t.TempDir(), "copy.sqlite")
	require.NoError(t, sqlite.Copy(t.Context(), filepath.Join(b.dir, "records.sqlite"), to))
	b.opened("8K2QX-9MDT4")
	copied, err := sqlite.Open(t.Context(), sqlite.Options{Path: to, Fast: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, copied.Close()) }()
	_, err = copied.Case(t.Context(), "7K2QX-9MDT4")
	require.NoError(t, err)
	_, err = copied.Case(t.Context(), "8K2QX-9MDT4")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
	require.Error(t, sqlite.Copy(t.Context(), filepath.Join(b.dir, "records.sqlite"), to), "not over another file")
	err = sqlite.Copy(t.Context(), filepath.Join(b.dir, "none.sqlite"), filepath.Join(t.TempDir(), "x"))
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
	data, err := os.ReadFile(to)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(data, []byte("SQLite format 3")))
}
