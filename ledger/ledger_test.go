package ledger_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
)

func TestAppendGivesReceiptsAndProofs(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	c := caseChain(1)
	entries := c.several(t, 3)
	receipts := l.append(t, entries...)
	for i, r := range receipts {
		require.Equal(t, casefile.Receipt{Event: entries[i].Event, Hash: entries[i].Hash(), Index: uint64(i)}, r)
		b, err := l.Prove(t.Context(), r.Index)
		require.NoError(t, err)
		e, err := verify.Bundle(b, l.vkey)
		require.NoError(t, err)
		require.Equal(t, entries[i].Event, e.Event)
		require.Equal(t, entries[i].Data, b.Entry)
		again, err := l.Receipt(t.Context(), r.Event)
		require.NoError(t, err)
		require.Equal(t, r, again)
	}
	stored, err := l.Entries(t.Context(), 1, 99)
	require.NoError(t, err)
	require.Equal(t, entries[1:], stored)
	_, err = l.Receipt(t.Context(), "case.00001-TEST0/4")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
	require.Equal(t, uint64(3), l.verified(t).Entries)
	text, err := l.Checkpoint(t.Context())
	require.NoError(t, err)
	checkpoint, err := verify.OpenCheckpoint(text, l.vkey)
	require.NoError(t, err)
	require.Equal(t, uint64(3), checkpoint.Size)
}

func TestAppendFromManyAtOnce(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	const callers, calls = 40, 6
	var wg sync.WaitGroup
	receipts := make([][]casefile.Receipt, callers)
	errs := make([]error, callers)
	for i := range callers {
		own, second := caseChain(i), &chain{name: fmt.Sprintf("takedown.TEST%05d", i)}
		batches := make([][]casefile.FixedEntry, calls)
		for j := range batches {
			batches[j] = append(own.several(t, 1+(i+j)%3), second.next(t))
			batches[j] = append(batches[j], own.next(t))
		}
		wg.Go(func() {
			for _, b := range batches {
				got, err := l.Append(t.Context(), b)
				if err != nil {
					errs[i] = err
					return
				}
				receipts[i] = append(receipts[i], got...)
			}
		})
	}
	wg.Wait()
	total := 0
	seen := map[uint64]casefile.EventID{}
	for i := range callers {
		require.NoError(t, errs[i])
		before := uint64(0)
		for j, r := range receipts[i] {
			total++
			require.Empty(t, seen[r.Index])
			seen[r.Index] = r.Event
			require.True(t, j == 0 || r.Index > before, "%s stands before the one before it", r.Event)
			before = r.Index
		}
	}
	// The takedown chains name no decision; everything else about the log is sound.
	size, err := l.Size(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(total), size)
	_, err = l.Prove(t.Context(), size-1)
	require.NoError(t, err)
	report, err := verify.Log(t.Context(), verify.Dir(l.dir), l.vkey, verify.Options{})
	require.NoError(t, err)
	require.Equal(t, uint64(total), report.Entries)
	require.Zero(t, report.Repeats)
	require.Len(t, report.Faults, callers)
	for _, f := range report.Faults {
		require.Equal(t, verify.FaultCause, f.Kind)
	}
	require.Empty(t, l.raised())
}

func TestAppendTheSameAgain(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	c := caseChain(1)
	entries := c.several(t, 3)
	first := l.append(t, entries[:2]...)
	require.Equal(t, first, l.append(t, entries[:2]...))
	require.Equal(t, first[1:], l.append(t, entries[1]))
	longer := l.append(t, entries...)
	require.Equal(t, first, longer[:2])
	l.reopen(t)
	require.Equal(t, longer, l.append(t, entries...))

	other := caseChain(2).next(t)
	got := make([]casefile.Receipt, 50)
	errs := make([]error, len(got))
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			receipts, err := l.Append(t.Context(), []casefile.FixedEntry{other})
			errs[i] = err
			if err == nil {
				got[i] = receipts[0]
			}
		})
	}
	wg.Wait()
	for i := range got {
		require.NoError(t, errs[i])
		require.Equal(t, casefile.Receipt{Event: other.Event, Hash: other.Hash(), Index: 3}, got[i])
	}
	require.Equal(t, uint64(4), l.verified(t).Entries)
	require.Empty(t, l.raised())
}

func TestAppendRefusesWhatWouldSpoilAChain(t *testing.T) {
	t.Parallel()
	fork := func(c chain, t *testing.T) casefile.FixedEntry { return c.saying(t, "[other words]") }
	for _, tc := range []struct {
		name  string
		entry func(t *testing.T, c *chain) casefile.FixedEntry // c has two entries in the log
		code  casefile.Code
		alarm ledger.AlarmKind
	}{
		{"a known event with other bytes", func(t *testing.T, c *chain) casefile.FixedEntry {
			return fork(chain{name: c.name}, t)
		}, casefile.CodeConflict, ledger.AlarmConflict},
		{"another predecessor", func(t *testing.T, c *chain) casefile.FixedEntry {
			return fork(chain{name: c.name, seq: c.seq, prev: strings.Repeat("ab", 32)}, t)
		}, casefile.CodeConflict, ledger.AlarmFork},
		{"a number left out", func(t *testing.T, c *chain) casefile.FixedEntry {
			skipped := *c
			skipped.next(t)
			return skipped.next(t)
		}, casefile.CodeState, ledger.AlarmGap},
		{"a chain that begins with its second", func(t *testing.T, _ *chain) casefile.FixedEntry {
			other := caseChain(9)
			other.next(t)
			return other.next(t)
		}, casefile.CodeState, ledger.AlarmGap},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t)
			c := caseChain(1)
			l.append(t, c.several(t, 2)...)
			bad := tc.entry(t, c)
			_, err := l.Append(t.Context(), []casefile.FixedEntry{bad})
			require.Equal(t, tc.code, casefile.ErrorCode(err))
			alarms := l.raised()
			require.Len(t, alarms, 1)
			require.Equal(t, tc.alarm, alarms[0].Kind)
			require.Equal(t, bad.Event, alarms[0].Event)
			require.Contains(t, l.logs.String(), `"msg":"ledger alarm"`)
			require.NotContains(t, l.logs.String(), "[other words]")
			l.append(t, c.next(t))
			require.Equal(t, uint64(3), l.verified(t).Entries)
		})
	}
}

func TestAppendRefusesWhatIsNoEntry(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	good := caseChain(1).next(t)
	replace := func(from, to string) casefile.FixedEntry {
		data := bytes.Replace(good.Data, []byte(from), []byte(to), 1)
		require.NotEqual(t, good.Data, data)
		return casefile.FixedEntry{Event: good.Event, Data: data}
	}
	zero := replace(`TEST0/1`, `TEST0/01`)
	zero.Event = "case.00001-TEST0/01"
	apart := caseChain(3).several(t, 3)
	for name, tc := range map[string]struct {
		entries []casefile.FixedEntry
		code    casefile.Code
	}{
		"not JSON":              {[]casefile.FixedEntry{{Event: good.Event, Data: []byte("entry")}}, casefile.CodeInvalid},
		"a space":               {[]casefile.FixedEntry{replace(`"v":1`, `"v": 1`)}, casefile.CodeInvalid},
		"another version":       {[]casefile.FixedEntry{replace(`"v":1`, `"v":2`)}, casefile.CodeInvalid},
		"another event":         {[]casefile.FixedEntry{{Event: "case.00001-TEST0/2", Data: good.Data}}, casefile.CodeInvalid},
		"a leading zero":        {[]casefile.FixedEntry{zero}, casefile.CodeInvalid},
		"a first with a prev":   {[]casefile.FixedEntry{replace(`"prev":""`, `"prev":"ab"`)}, casefile.CodeInvalid},
		"too long":              {[]casefile.FixedEntry{caseChain(2).saying(t, strings.Repeat("x", ledger.MaxEntryBytes))}, casefile.CodeTooLarge},
		"a number left out":     {[]casefile.FixedEntry{apart[0], apart[2]}, casefile.CodeInvalid},
		"in the wrong order":    {[]casefile.FixedEntry{apart[1], apart[0]}, casefile.CodeInvalid},
		"good with a bad one":   {[]casefile.FixedEntry{good, replace(`"v":1`, `"v":2`)}, casefile.CodeInvalid},
		"not each other's prev": {[]casefile.FixedEntry{apart[0], (&chain{name: "case.00003-TEST0", seq: 1, prev: good.Hash()}).next(t)}, casefile.CodeInvalid},
	} {
		_, err := l.Append(t.Context(), tc.entries)
		require.Equal(t, tc.code, casefile.ErrorCode(err), name)
	}
	size, err := l.Size(t.Context())
	require.NoError(t, err)
	require.Zero(t, size)
	none, err := l.Append(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
	longest := caseChain(4)
	l.append(t, longest.saying(t, strings.Repeat("x", ledger.MaxEntryBytes-400)))
	l.verified(t)
}

func TestReopenReadsTheTailThatTheTableLacks(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(t *testing.T, l *testLog){
		"the last rows": func(t *testing.T, l *testLog) {
			l.sql(t, `DELETE FROM events WHERE idx >= 250`, `UPDATE covered SET size = 250`)
		},
		"the whole table": func(t *testing.T, l *testLog) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				err := os.Remove(filepath.Join(l.dir, "events.sqlite"+suffix))
				if err != nil {
					require.ErrorIs(t, err, fs.ErrNotExist)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLog(t)
			var entries []casefile.FixedEntry
			for i := range 300 {
				entries = append(entries, caseChain(i).next(t))
			}
			receipts := l.appendAtOnce(t, entries)
			l.close(t)
			lose(t, l)
			require.NoError(t, l.open(t))
			require.Equal(t, receipts, l.appendAtOnce(t, entries))
			require.Equal(t, uint64(300), l.verified(t).Entries)
		})
	}
}

// sql changes the closed log's table of events.
func (l *testLog) sql(t *testing.T, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(l.dir, "events.sqlite"))
	require.NoError(t, err)
	for _, s := range statements {
		_, err = db.ExecContext(t.Context(), s)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

func TestAnEntryLoggedTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	entry := caseChain(1).next(t)
	receipt := l.append(t, entry)
	l.close(t)
	l.addPastTheTable(t, entry.Data)
	require.NoError(t, l.open(t))
	require.Equal(t, receipt, l.append(t, entry))
	report := l.verified(t)
	require.Equal(t, uint64(1), report.Entries)
	require.Equal(t, uint64(1), report.Repeats)
	require.Empty(t, l.raised())
	l.reopen(t)
	require.Empty(t, l.raised())
}

func TestAForkPutInByAnotherProgramRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	entry := caseChain(1).next(t)
	receipt := l.append(t, entry)
	l.close(t)
	other := caseChain(1).saying(t, "[other words]")
	l.addPastTheTable(t, other.Data)
	require.NoError(t, l.open(t))
	require.Equal(t, []ledger.Alarm{{
		Kind: ledger.AlarmConflict, Event: entry.Event, Known: entry.Hash(), Offered: other.Hash(),
	}}, l.raised())
	require.Equal(t, receipt, l.append(t, entry))
}

// addPastTheTable puts data on the closed log as a crashed or a hostile writer would.
func (l *testLog) addPastTheTable(t *testing.T, data []byte) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	driver, err := posix.New(ctx, posix.Config{Path: l.dir})
	require.NoError(t, err)
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(l.signer).WithBatching(1, time.Second).WithCheckpointInterval(100*time.Millisecond))
	require.NoError(t, err)
	_, err = appender.Add(ctx, tessera.NewEntry(data))()
	require.NoError(t, err)
	require.NoError(t, shutdown(ctx))
}

func TestPromise12ALogThatWasRolledBackIsNotOpened(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	c := caseChain(1)
	l.append(t, c.several(t, 3)...)
	l.close(t)
	before := t.TempDir()
	require.NoError(t, os.CopyFS(before, os.DirFS(l.dir)))
	require.NoError(t, l.open(t))
	l.append(t, c.several(t, 2)...)
	l.verified(t)
	kept, err := l.Checkpoint(t.Context())
	require.NoError(t, err)
	l.close(t)

	// Everything but the table goes back to where it was.
	for _, name := range []string{"checkpoint", "tile", ".state"} {
		require.NoError(t, os.RemoveAll(filepath.Join(l.dir, name)))
	}
	for _, name := range []string{"events.sqlite", "events.sqlite-wal", "events.sqlite-shm", "writer.lock"} {
		_ = os.Remove(filepath.Join(before, name))
	}
	require.NoError(t, os.CopyFS(l.dir, os.DirFS(before)))
	require.Equal(t, casefile.CodeConflict, casefile.ErrorCode(l.open(t)))
	require.Equal(t, ledger.AlarmRollback, l.raised()[0].Kind)

	// Nor does it help to take the table away: whoever kept a checkpoint sees it.
	require.NoError(t, os.Remove(filepath.Join(l.dir, "events.sqlite")))
	require.NoError(t, l.open(t))
	_, err = verify.Consistency(t.Context(), kept, verify.Dir(l.dir), l.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
}

func TestPromise12ALogThatWasReplacedIsNotOpened(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.append(t, caseChain(1).next(t))
	l.verified(t)
	l.close(t)
	other := &testLog{dir: t.TempDir(), signer: l.signer, vkey: l.vkey}
	require.NoError(t, other.open(t))
	other.append(t, caseChain(2).next(t))
	other.verified(t)
	other.close(t)
	table, err := os.ReadFile(filepath.Join(l.dir, "events.sqlite"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(other.dir, "events.sqlite"), table, 0o600))
	require.Equal(t, casefile.CodeConflict, casefile.ErrorCode(other.open(t)))
	require.Equal(t, ledger.AlarmRollback, other.raised()[0].Kind)
}

func TestOpenRefusesAnotherKey(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.append(t, caseChain(1).next(t))
	l.verified(t)
	l.close(t)
	own := l.signer
	l.signer, _ = newKey(t)
	require.Equal(t, casefile.CodeConflict, casefile.ErrorCode(l.open(t)))
	l.signer = own
	require.NoError(t, l.open(t))
}

func TestOpenRefusesASecondWriter(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	_, err := ledger.Open(t.Context(), ledger.Options{Dir: l.dir, Signer: l.signer})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "another process")
	l.append(t, caseChain(1).next(t))
}

func TestOpenRefusesANewerTable(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.close(t)
	l.sql(t, `PRAGMA user_version = 2`)
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(l.open(t)))
}

func TestOpenChecksItsOptions(t *testing.T) {
	t.Parallel()
	_, err := ledger.Open(t.Context(), ledger.Options{BatchMaxAge: -1, CheckpointInterval: time.Millisecond})
	var faults casefile.Faults
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults, 4)
}

func TestGenerateKeyRefusesBadNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a b", "a+b"} {
		_, _, err := ledger.GenerateKey(name)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "%q", name)
	}
}

func TestCloseDrains(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	var wg sync.WaitGroup
	errs := make([]error, 50)
	var entries []casefile.FixedEntry
	for i := range errs {
		entries = append(entries, caseChain(i).next(t))
	}
	started := make(chan struct{}, len(errs))
	for i := range errs {
		wg.Go(func() {
			started <- struct{}{}
			_, errs[i] = l.Append(t.Context(), entries[i:i+1])
		})
	}
	for range errs {
		<-started
	}
	l.close(t)
	wg.Wait()
	appended := uint64(0)
	for _, err := range errs {
		if err == nil {
			appended++
			continue
		}
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	}
	report, err := verify.Log(t.Context(), verify.Dir(l.dir), l.vkey, verify.Options{})
	require.NoError(t, err)
	require.Empty(t, report.Faults)
	require.Equal(t, appended, report.Entries, "an answered entry is covered by the last checkpoint")
	_, err = l.Append(t.Context(), entries[:1])
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	_, err = l.Prove(t.Context(), 1000)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	l.close(t)
}

func TestCallersMayLeave(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := l.Prove(ctx, 7)
		waiting <- err
	}()
	cancel()
	require.ErrorIs(t, <-waiting, context.Canceled)

	c := caseChain(1)
	entries := c.several(t, 2)
	_, err := l.Append(ctx, entries)
	require.ErrorIs(t, err, context.Canceled)
	l.append(t, entries...)
	require.Equal(t, uint64(2), l.verified(t).Entries)
}

func TestHandlerServesTheLogAndNothingElse(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	var entries []casefile.FixedEntry
	for i := range 300 {
		entries = append(entries, caseChain(i).next(t))
	}
	l.appendAtOnce(t, entries)
	l.verified(t)
	server := httptest.NewServer(l.Handler())
	t.Cleanup(server.Close)
	src, err := verify.Open(server.URL)
	require.NoError(t, err)
	report, err := verify.Log(t.Context(), src, l.vkey, verify.Options{})
	require.NoError(t, err)
	require.Empty(t, report.Faults)
	require.Equal(t, uint64(300), report.Entries)

	for path, want := range map[string]int{
		"/checkpoint": 200, "/tile/0/000": 200, "/tile/entries/000": 200,
		"/": 404, "/events.sqlite": 404, "/writer.lock": 404, "/.state/treeState": 404, "/tile": 404, "/tile/": 404,
		"/tile/0/00": 404, "/tile/00/000": 404, "/tile/0/x000/000": 404, "/tile/0/000.p": 404, "/tile/0/000.p/0": 404,
		"/tile/0/000.p/256": 404, "/tile/0/.p/5": 404, "/tile/.p": 404, "/tile/64/000": 404, "/tile/entries/../0/000": 404,
		"/tile/entries/%2e%2e/%2e%2e/events.sqlite": 404, "/tile/0/999": 404, "/checkpoint/": 404,
	} {
		req := httptest.NewRequest(http.MethodGet, path, nil)
		res := httptest.NewRecorder()
		l.Handler().ServeHTTP(res, req)
		require.Equal(t, want, res.Code, path)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		res := httptest.NewRecorder()
		l.Handler().ServeHTTP(res, httptest.NewRequest(method, "/checkpoint", strings.NewReader("x")))
		require.Equal(t, http.StatusMethodNotAllowed, res.Code)
	}
	res := httptest.NewRecorder()
	l.Handler().ServeHTTP(res, httptest.NewRequest(http.MethodHead, "/checkpoint", nil))
	require.Equal(t, http.StatusOK, res.Code)
	require.Zero(t, res.Body.Len())
}

func FuzzHandlerPath(f *testing.F) {
	l := newLog(f)
	l.append(f, caseChain(1).next(f))
	allowed := map[string]bool{"/checkpoint": true, "/tile/0/000.p/1": true, "/tile/entries/000.p/1": true}
	for path := range allowed {
		f.Add(path)
	}
	f.Add("/tile/0/../../events.sqlite")
	f.Add("/tile/0/x001/.p")
	f.Fuzz(func(t *testing.T, path string) {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.URL.Path = path
		res := httptest.NewRecorder()
		l.Handler().ServeHTTP(res, req)
		if res.Code == http.StatusOK {
			require.True(t, allowed["/"+strings.TrimPrefix(path, "/")], "%q was served", path)
			return
		}
		require.Equal(t, http.StatusNotFound, res.Code)
	})
}

// childEnv names a log's folder to a child process of this test binary, which then writes to it
// until it is killed.
const (
	childEnv    = "LEDGER_TEST_CHILD_DIR"
	childKeyEnv = "LEDGER_TEST_CHILD_KEY"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	err := writeUntilKilled(os.Getenv(childEnv), os.Getenv(childKeyEnv))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// writeUntilKilled appends on many chains at once and prints every receipt.
func writeUntilKilled(dir, skey string) error {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	ctx := context.Background()
	l, err := ledger.Open(ctx, ledger.Options{Dir: dir, Signer: signer})
	if err != nil {
		return err
	}
	failed := make(chan error)
	var out sync.Mutex
	for i := range 20 {
		c := caseChain(i)
		go func() {
			for {
				entry, err := childEntry(c)
				if err != nil {
					failed <- err
					return
				}
				receipts, err := l.Append(ctx, []casefile.FixedEntry{entry})
				if err != nil {
					failed <- err
					return
				}
				line, err := json.Marshal(receipts[0])
				if err != nil {
					failed <- err
					return
				}
				out.Lock()
				fmt.Println(string(line))
				out.Unlock()
			}
		}()
	}
	return <-failed
}

func childEntry(c *chain) (casefile.FixedEntry, error) {
	fixed, err := casefile.FixBody(casefile.EntryPolicy, casefile.System, casefile.Position{
		Event: casefile.NewEventID(c.name, c.seq+1), Prev: c.prev, At: testTime,
	}, json.RawMessage(`{"digest":"[placeholder]"}`))
	c.seq++
	c.prev = fixed.Hash()
	return fixed, err
}

func TestKilledWriterLosesNothingThatItAnswered(t *testing.T) {
	t.Parallel()
	skey, vkey, err := ledger.GenerateKey(origin)
	require.NoError(t, err)
	l := &testLog{dir: t.TempDir(), vkey: vkey}
	l.signer, err = note.NewSigner(skey)
	require.NoError(t, err)
	answered := map[casefile.EventID]casefile.Receipt{}
	for round := range 3 {
		// Each child begins its chains anew: what it appends again gets the old receipts.
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+l.dir, childKeyEnv+"="+skey)
		child.Stderr = os.Stderr
		stdout, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(stdout)
		for n := 0; n < 200*(round+1) && lines.Scan(); n++ {
			var r casefile.Receipt
			require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
			if old, ok := answered[r.Event]; ok {
				require.Equal(t, old, r)
			}
			answered[r.Event] = r
		}
		require.NoError(t, child.Process.Kill())
		_ = child.Wait()
	}
	require.NoError(t, l.open(t))
	t.Cleanup(func() { l.close(t) })
	for event, want := range answered {
		got, err := l.Receipt(t.Context(), event)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.Empty(t, l.raised())
	report := l.verified(t)
	require.GreaterOrEqual(t, report.Entries, uint64(len(answered)))
	require.Zero(t, report.Repeats)
}

func TestReopenClearsAwayABatchThatWasNotTakenIn(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	var entries []casefile.FixedEntry
	for i := range 300 {
		entries = append(entries, caseChain(i).next(t))
	}
	l.appendAtOnce(t, entries)
	l.verified(t)
	l.close(t)
	unfinished := []string{
		"tile/entries/001.p/200", "tile/entries/001", "tile/entries/004.p/9", "tile/entries/001.p/2001234567",
		"tile/0/001.p/200", "tile/0/001", "tile/0/004.p/9", "tile/1/000.p/4", "tile/1/000.p/41234567",
	}
	for _, name := range unfinished {
		full := filepath.Join(l.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte("unfinished"), 0o600))
	}
	require.NoError(t, l.open(t))
	for _, name := range unfinished {
		require.NoFileExists(t, filepath.Join(l.dir, name))
	}
	more := caseChain(300).several(t, 3)
	for _, e := range more {
		l.append(t, e)
	}
	require.Equal(t, uint64(303), l.verified(t).Entries)
}
