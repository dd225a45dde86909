package ledger_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/ledgertest"
	"github.com/docket-triage/docket/ledger/verify"
)

// How much is flipped by hand: DOCKET_LEDGER_FLIPS=1000 go test ./ledger -run LargeLog -v -timeout 30m
const (
	flipsVariable = "DOCKET_LEDGER_FLIPS"
	seedVariable  = "DOCKET_LEDGER_SEED"

	flipsAtOnce = 5 // in bundles of entries of the large log
)

// folder lists the files of a log's folder.
func folder(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		return err
	}))
	return names
}

// attacked is a log of 300 entries that the writer wrote in some groups, at rest.
func attacked(t *testing.T) *testLog {
	t.Helper()
	l := &testLog{dir: t.TempDir()}
	l.signer, l.vkey = newKey(t)
	require.NoError(t, l.open(t))
	var entries []casefile.FixedEntry
	for i := range 300 {
		entries = append(entries, caseChain(i).next(t))
	}
	for _, part := range [][]casefile.FixedEntry{entries[:20], entries[20:262], entries[262:]} {
		l.appendAtOnce(t, part)
	}
	l.verified(t)
	l.close(t)
	return l
}

// place is one bit of a file of the log.
type place struct {
	file string
	at   int
	bit  byte
}

// flip turns the bit round.
func (p place) flip(t *testing.T, dir string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, filepath.FromSlash(p.file)), os.O_RDWR, 0)
	require.NoError(t, err)
	var b [1]byte
	_, err = f.ReadAt(b[:], int64(p.at))
	require.NoError(t, err)
	b[0] ^= p.bit
	_, err = f.WriteAt(b[:], int64(p.at))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// TestPromise12EveryFlippedByteIsFound flips, one at a time and each checked by the verifier of audit
// verify, every byte of the checkpoint and of every tile of hashes, both bytes of every entry's length and
// every 16th byte of the entry bundles. Each is found, and its file alone is named. There is no file in
// the folder but those and the exempt ones.
func TestPromise12EveryFlippedByteIsFound(t *testing.T) {
	t.Parallel()
	l := attacked(t)
	var places []place
	kinds := map[string]int{}
	for _, name := range folder(t, l.dir) {
		data, err := os.ReadFile(filepath.Join(l.dir, name))
		require.NoError(t, err)
		add := func(kind string, at int) {
			kinds[kind]++
			places = append(places, place{name, at, 1 << (at % 8)})
		}
		_, exempt := verify.ExemptFile(name)
		switch {
		case exempt:
		case name == "checkpoint":
			for at := range data {
				add("checkpoint", at)
			}
		case strings.HasPrefix(name, "tile/entries/"):
			for at := 0; at < len(data); at += 16 {
				add("entries", at)
			}
			for at := 0; at < len(data); at += 2 + int(binary.BigEndian.Uint16(data[at:])) {
				add("lengths", at)
				add("lengths", at+1)
			}
		case strings.HasPrefix(name, "tile/"):
			for at := range data {
				add("hashes", at)
			}
		default:
			require.Failf(t, "a file that is neither checked nor exempt", "%s: flip it here or list it in verify.Exempt", name)
		}
	}
	t.Logf("flipped one at a time: %v", kinds)
	require.GreaterOrEqual(t, kinds["hashes"], 301*32)
	require.GreaterOrEqual(t, kinds["lengths"], 600)
	require.GreaterOrEqual(t, kinds["checkpoint"], 150)
	require.Greater(t, kinds["entries"], 300)

	work := make(chan place)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(l.dir)))
		all.Go(func() {
			for p := range work {
				checkFlip(t, dir, l.vkey, p)
			}
			report, err := verify.Log(t.Context(), verify.Dir(dir), l.vkey, verify.Options{})
			if err != nil || !report.OK() {
				t.Errorf("the log is not what it was: %v %v", err, report.Faults)
			}
		})
	}
	for _, p := range places {
		if t.Failed() {
			break
		}
		work <- p
	}
	close(work)
	all.Wait()
}

// checkFlip flips a bit, checks the log and flips it back.
func checkFlip(t *testing.T, dir, vkey string, p place) {
	p.flip(t, dir)
	defer p.flip(t, dir)
	report, err := verify.Log(t.Context(), verify.Dir(dir), vkey, verify.Options{Workers: 1})
	if err != nil {
		t.Errorf("byte %d of %s: %v", p.at, p.file, err)
		return
	}
	if report.OK() || slices.ContainsFunc(report.Faults, func(f verify.Fault) bool { return f.File != p.file || f.What == "" }) {
		t.Errorf("byte %d of %s: found %v", p.at, p.file, report.Faults)
	}
}

// TestWhatIsExempt holds the table of exempt files to the folder of a log that is written and of one at
// rest: each kind is there, and the log is whole whatever it holds.
func TestWhatIsExempt(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.append(t, caseChain(1).several(t, 3)...)
	l.verified(t)
	seen := map[string]bool{}
	look := func() {
		for _, name := range folder(t, l.dir) {
			e, exempt := verify.ExemptFile(name)
			seen[e.Pattern] = seen[e.Pattern] || exempt
			require.True(t, exempt || name == "checkpoint" || strings.HasPrefix(name, "tile/"), "%s is neither checked nor exempt", name)
		}
	}
	look()
	l.close(t)
	look()
	for _, e := range verify.Exempt {
		require.NotEmpty(t, e.Why)
		// Tessera writes these when it first tidies up, 10 s after its start.
		require.True(t, seen[e.Pattern] || strings.HasPrefix(e.Pattern, ".state/gcState"), "no file is %s", e.Pattern)
		path := filepath.Join(l.dir, filepath.FromSlash(e.Pattern))
		require.NoError(t, os.WriteFile(path, []byte("[anything]"), 0o600))
	}
	report, err := verify.Log(t.Context(), verify.Dir(l.dir), l.vkey, verify.Options{})
	require.NoError(t, err)
	require.Empty(t, report.Faults)
	layout, err := os.ReadFile(filepath.Join("..", "docs", "formats", "log-layout.md"))
	require.NoError(t, err)
	for _, e := range verify.Exempt {
		require.Contains(t, string(layout), "| `"+e.Pattern+"` | "+e.Why+" |", "the table of docs/formats/log-layout.md")
	}
	// It is opened no more: this log's own files are gone.
	require.NoError(t, os.RemoveAll(filepath.Join(l.dir, ".state")))
	for _, name := range []string{"events.sqlite", "events.sqlite-wal", "events.sqlite-shm"} {
		require.NoError(t, os.Remove(filepath.Join(l.dir, name)))
	}
}

// TestPromise12FlipsInALargeLogAreFound flips random bits of a log of 100,000 entries, which is written
// straight into its files as the writer writes them (ledgertest holds them to it).
func TestPromise12FlipsInALargeLogAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: a log of 100,000 entries is checked 100 times")
	}
	t.Parallel()
	const size = 100_000
	flips := fromEnvironment(t, flipsVariable, 100)
	seed := uint64(fromEnvironment(t, seedVariable, int(time.Now().UnixNano()&0xffff_ffff)))
	t.Logf("%s=%d %s=%d", flipsVariable, flips, seedVariable, seed)
	random := rand.New(rand.NewPCG(seed, seed))
	dir := t.TempDir()
	signer, vkey := newKey(t)
	_, err := ledgertest.Write(t.Context(), dir, signer, size)
	require.NoError(t, err)
	files := folder(t, dir)
	sizes := make([]int64, len(files))
	var total int64
	for i, name := range files {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		sizes[i] = info.Size()
		total += sizes[i]
	}
	src := &memory{files: map[string][]byte{}}
	for _, name := range files {
		src.files[name], err = os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
	}
	check := func() verify.Report {
		report, err := verify.Log(t.Context(), src, vkey, verify.Options{})
		require.NoError(t, err)
		return report
	}
	require.Empty(t, check().Faults)
	// Bundles of entries stand side by side in the tree: flips in several of them are checked at once, each
	// to be named. Any other flip is checked by itself.
	var together []place
	checks := 0
	try := func(places ...place) {
		checks++
		var want []string
		for _, p := range places {
			src.files[p.file][p.at] ^= p.bit
			want = append(want, p.file)
		}
		var named []string
		for _, f := range check().Faults {
			if !slices.Contains(named, f.File) {
				named = append(named, f.File)
			}
		}
		for _, p := range places {
			src.files[p.file][p.at] ^= p.bit
		}
		require.ElementsMatch(t, want, named, "%v", places)
	}
	begun := time.Now()
	for range flips {
		// Every other flip is in any file alike: by bytes, most are in entries.
		at, i := random.Int64N(total), 0
		for ; at >= sizes[i]; i++ {
			at -= sizes[i]
		}
		if random.IntN(2) == 0 {
			i = random.IntN(len(files))
			at = random.Int64N(sizes[i])
		}
		p := place{files[i], int(at), 1 << random.IntN(8)}
		if !strings.HasPrefix(p.file, "tile/entries/") {
			try(p)
			continue
		}
		if slices.ContainsFunc(together, func(q place) bool { return q.file == p.file }) {
			try(p)
			continue
		}
		together = append(together, p)
		if len(together) == flipsAtOnce {
			try(together...)
			together = nil
		}
	}
	if len(together) > 0 {
		try(together...)
	}
	t.Logf("%d flips, %d checks, %s each", flips, checks, (time.Since(begun) / time.Duration(checks)).Round(time.Millisecond))
	require.Empty(t, check().Faults)
}

func fromEnvironment(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// memory is a log in memory: a large one is read from there many times over.
type memory struct{ files map[string][]byte }

// Read gives a file.
func (m *memory) Read(_ context.Context, path string, _ int64) ([]byte, error) {
	data, ok := m.files[path]
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return data, nil
}

// TestPromise12ATruncatedLogIsFound takes away each file that the log needs, cuts each off, and puts an
// older checkpoint in the place of the newest.
func TestPromise12ATruncatedLogIsFound(t *testing.T) {
	t.Parallel()
	l := attacked(t)
	needed := []string{"checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"}
	for _, name := range needed {
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(l.dir)))
		path := filepath.Join(dir, filepath.FromSlash(name))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for cut := range 3 {
			require.NoError(t, os.WriteFile(path, data[:len(data)*cut/3], 0o600))
			report, err := verify.Log(t.Context(), verify.Dir(dir), l.vkey, verify.Options{})
			require.NoError(t, err)
			require.NotEmpty(t, report.Faults)
			for _, f := range report.Faults {
				require.Equal(t, name, f.File, "cut off at %d thirds", cut)
			}
		}
		require.NoError(t, os.Remove(path))
		report, err := verify.Log(t.Context(), verify.Dir(dir), l.vkey, verify.Options{})
		require.NoError(t, err)
		require.NotEmpty(t, report.Faults)
		require.Equal(t, verify.FaultMissing, report.Faults[0].Kind)
		require.Equal(t, name, report.Faults[0].File)
	}
	// An older checkpoint of the log's own is a whole, shorter log: only one kept from since then shows it.
	now, err := os.ReadFile(filepath.Join(l.dir, "checkpoint"))
	require.NoError(t, err)
	shorter := filesOf(t, l, 299)
	old, err := os.ReadFile(filepath.Join(shorter.dir, "checkpoint"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(l.dir, "checkpoint"), old, 0o600))
	_, err = verify.Consistency(t.Context(), string(now), verify.Dir(l.dir), l.vkey)
	require.ErrorContains(t, err, "rolled back: it held 300 entries and now holds 299")
}

// filesOf is a log of the first entries of another one, with the same key.
func filesOf(t *testing.T, l *testLog, size int, more ...casefile.FixedEntry) *testLog {
	t.Helper()
	other := &testLog{dir: t.TempDir(), signer: l.signer, vkey: l.vkey}
	require.NoError(t, other.open(t))
	require.NoError(t, l.open(t))
	entries, err := l.Entries(t.Context(), 0, uint64(size))
	require.NoError(t, err)
	require.Len(t, entries, size)
	l.close(t)
	entries = append(entries, more...)
	for _, e := range entries { // in the same order
		other.append(t, e)
	}
	other.verified(t)
	other.close(t)
	return other
}

// TestPromise12AForkAndARewriteAreFound: somebody holds the key and writes another log. By itself it is as
// good as the true one; whoever kept anything signed of the true one finds it: by a checkpoint (audit
// verify --since), by the checkpoint in a proof bundle, and by the copy in the second place.
func TestPromise12AForkAndARewriteAreFound(t *testing.T) {
	t.Parallel()
	l := &testLog{dir: t.TempDir(), copyTo: filepath.Join(t.TempDir(), "copy")}
	l.signer, l.vkey = newKey(t)
	require.NoError(t, l.open(t))
	c := caseChain(1)
	l.append(t, c.several(t, 40)...)
	bundle, err := l.Prove(t.Context(), 20)
	require.NoError(t, err)
	_, err = verify.Bundle(bundle, l.vkey)
	require.NoError(t, err)
	l.close(t)
	kept, err := verify.Kept(l.copyTo, l.vkey)
	require.NoError(t, err)

	rewritten := caseChain(1)
	changed := []casefile.FixedEntry{rewritten.saying(t, "[other words]")}
	changed = append(changed, rewritten.several(t, 44)...)
	for name, other := range map[string]*testLog{
		"forked from entry 15 on": filesOf(t, l, 15, caseChain(2).several(t, 30)...),
		"written anew":            filesOf(t, l, 0, changed...),
	} {
		report, err := verify.Log(t.Context(), verify.Dir(other.dir), l.vkey, verify.Options{})
		require.NoError(t, err)
		require.True(t, report.OK(), "%s: signed with the true key, it is whole by itself", name)
		require.Equal(t, uint64(45), report.Checkpoint.Size)
		for what, old := range map[string]string{"a checkpoint": kept[0].Text, "a bundle's checkpoint": bundle.Checkpoint} {
			_, err = verify.Consistency(t.Context(), old, verify.Dir(other.dir), l.vkey)
			require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err), "%s, by %s", name, what)
			require.ErrorContains(t, err, "the log was rewritten")
		}
		// And the other way round: both checkpoints are signed, and neither log begins with the other.
		forged, err := os.ReadFile(filepath.Join(other.dir, "checkpoint"))
		require.NoError(t, err)
		_, err = verify.Consistency(t.Context(), string(forged), verify.Dir(l.dir), l.vkey)
		require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
		other.copyTo = l.copyTo
		require.ErrorContains(t, other.open(t), "it was rewritten")
		require.Equal(t, ledger.AlarmRollback, other.raised()[0].Kind)
	}
}

// TestEveryBundleCarriesACheckpoint: it is signed, covers the entry, and is what the offline check stands on.
func TestEveryBundleCarriesACheckpoint(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	for _, r := range l.append(t, caseChain(1).several(t, 5)...) {
		b, err := l.Prove(t.Context(), r.Index)
		require.NoError(t, err)
		c, err := verify.OpenCheckpoint(b.Checkpoint, l.vkey)
		require.NoError(t, err)
		require.Greater(t, c.Size, r.Index)
		_, err = verify.Bundle(b, l.vkey)
		require.NoError(t, err)
		for what, checkpoint := range map[string]string{
			"none":           "",
			"of another key": resigned(t, b.Checkpoint),
			"changed":        string(bytes.Replace([]byte(b.Checkpoint), []byte("\n"+fmt.Sprint(c.Size)+"\n"), []byte("\n"+fmt.Sprint(c.Size+1)+"\n"), 1)),
		} {
			bad := b
			bad.Checkpoint = checkpoint
			_, err = verify.Bundle(bad, l.vkey)
			require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err), what)
		}
	}
}

// resigned is a checkpoint signed by somebody else of the same name.
func resigned(t *testing.T, checkpoint string) string {
	t.Helper()
	signer, _ := newKey(t)
	text, _, _ := strings.Cut(checkpoint, "\n\n")
	signed, err := note.Sign(&note.Note{Text: text + "\n"}, signer)
	require.NoError(t, err)
	return string(signed)
}
