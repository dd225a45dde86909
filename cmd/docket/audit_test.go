package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

// realLog is a log with a data folder around it, as standalone lays it out.
type realLog struct {
	*ledger.Log
	t      testing.TB
	data   string
	dir    string
	signer note.Signer
	vkey   string
	prev   string
	next   int
}

func newLog(t testing.TB) *realLog {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey("docket.test.example/log")
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	return startLog(t, signer, vkey)
}

// newLogSignedBy is another log with the key of the first.
func newLogSignedBy(t testing.TB, l *realLog) *realLog { return startLog(t, l.signer, l.vkey) }

func startLog(t testing.TB, signer note.Signer, vkey string) *realLog {
	t.Helper()
	var err error
	l := &realLog{t: t, data: t.TempDir(), signer: signer, vkey: vkey, next: 1}
	l.dir = filepath.Join(l.data, "ledger")
	l.Log, err = ledger.Open(t.Context(), ledger.Options{Dir: l.dir, Signer: signer, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(l.rest)
	require.NoError(t, os.MkdirAll(filepath.Join(l.data, "keys"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(l.data, "keys", "log.pub"), []byte(vkey+"\n"), 0o600))
	return l
}

// rest closes the log: its folder changes no more.
func (l *realLog) rest() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.t.Context()), 20*time.Second)
	defer cancel()
	require.NoError(l.t, l.Close(ctx))
}

// crowd appends n entries of a chain each, at once.
func (l *realLog) crowd(n int) {
	l.t.Helper()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			event := casefile.NewEventID(casefile.CaseChain(casefile.NewCaseRef()), 1)
			e, err := casefile.FixBody(casefile.EntryPolicy, casefile.System, casefile.Position{Event: event, At: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}, json.RawMessage(`{}`))
			if err == nil {
				_, err = l.Append(l.t.Context(), []casefile.FixedEntry{e})
			}
			errs[i] = err
		})
	}
	all.Wait()
	require.NoError(l.t, errors.Join(errs...))
}

// grow appends n entries of one chain and gives the proof of the last.
func (l *realLog) grow(n int) casefile.Bundle {
	l.t.Helper()
	var entries []casefile.FixedEntry
	for range n {
		event := casefile.NewEventID(casefile.SystemChain, l.next)
		e, err := casefile.FixBody(casefile.EntryPolicy, casefile.Actor{Person: "p-abcdefgh", Role: casefile.RolePolicy},
			casefile.Position{Event: event, Prev: l.prev, At: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}, json.RawMessage(fmt.Sprintf(`{"n":%d}`, l.next)))
		require.NoError(l.t, err)
		entries = append(entries, e)
		l.prev, l.next = e.Hash(), l.next+1
	}
	receipts, err := l.Append(l.t.Context(), entries)
	require.NoError(l.t, err)
	bundle, err := l.Prove(l.t.Context(), receipts[n-1].Index)
	require.NoError(l.t, err)
	return bundle
}

func TestAuditVerify(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.grow(3)
	kept, err := os.ReadFile(filepath.Join(l.dir, "checkpoint"))
	require.NoError(t, err)
	since := filepath.Join(l.data, "kept")
	require.NoError(t, os.WriteFile(since, kept, 0o600))
	folder := filepath.Join(l.data, "kept-folder")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "old"), 0o700))
	for _, name := range []string{"first", ".draft"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), kept, 0o600))
	}
	l.grow(4)
	later, err := os.ReadFile(filepath.Join(l.dir, "checkpoint"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "checkpoint"), later, 0o600))
	l.crowd(292)
	l.grow(1) // more than one bundle
	l.rest()
	served := httptest.NewServer(http.StripPrefix("/log", l.Handler()))
	t.Cleanup(served.Close)

	for name, args := range map[string][]string{
		"of a data folder":          {"--data", l.data},
		"in a folder":               {"--log", l.dir, "--key", l.vkey},
		"at a URL":                  {"--log", served.URL + "/log", "--key", l.vkey},
		"at a URL with a slash":     {"--log", served.URL + "/log/", "--key", filepath.Join(l.data, "keys", "log.pub")},
		"with a checkpoint kept":    {"--data", l.data, "--since", since},
		"with a folder of them":     {"--data", l.data, "--since", folder},
		"at a URL, key of a folder": {"--data", l.data, "--log", served.URL + "/log/"},
	} {
		t.Run(name, func(t *testing.T) {
			out := docket(t, nil, "", append([]string{"audit", "verify"}, args...)...).good(t)
			require.Regexp(t, `(?m)^entries read +300$`, out)
			require.Contains(t, out, "the log is whole")
			var report struct {
				verify.Report
				Since *verify.Checkpoint `json:"since"`
			}
			docket(t, nil, "", append([]string{"audit", "verify", "--json"}, args...)...).decode(t, &report)
			require.True(t, report.OK())
			require.Equal(t, uint64(300), report.Checkpoint.Size)
			if name == "with a checkpoint kept" {
				require.Contains(t, out, "the log begins with the 3 entries")
				require.Equal(t, uint64(3), report.Since.Size)
			}
			if name == "with a folder of them" {
				require.Contains(t, out, "the log begins with the 7 entries")
				require.Equal(t, uint64(7), report.Since.Size)
			}
		})
	}

	_, other, err := ledger.GenerateKey("docket.test.example/log")
	require.NoError(t, err)
	t.Run("another key", func(t *testing.T) {
		r := docket(t, nil, "", "audit", "verify", "--log", l.dir, "--key", other)
		require.Equal(t, 1, r.code)
		require.Empty(t, r.err)
		require.Contains(t, r.out, "not signed with the pinned key")
		require.Contains(t, r.out, "NOT WHOLE: faults found: 1")
	})
	t.Run("rolled back", func(t *testing.T) {
		young := filepath.Join(t.TempDir(), "log")
		require.NoError(t, os.CopyFS(young, os.DirFS(l.dir)))
		now, err := os.ReadFile(filepath.Join(l.dir, "checkpoint"))
		require.NoError(t, err)
		keptNow := filepath.Join(t.TempDir(), "kept")
		require.NoError(t, os.WriteFile(keptNow, now, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(young, "checkpoint"), kept, 0o600))
		r := docket(t, nil, "", "audit", "verify", "--log", young, "--key", l.vkey, "--since", keptNow)
		require.Contains(t, r.bad(t), "rolled back: it held 300 entries and now holds 3")
	})
	t.Run("forked before the newest checkpoint kept", func(t *testing.T) {
		fork := newLogSignedBy(t, l)
		fork.crowd(4)
		fork.grow(1)
		other, err := os.ReadFile(filepath.Join(fork.dir, "checkpoint"))
		require.NoError(t, err)
		mixed := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(mixed, "a"), later, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(mixed, "b"), other, 0o600))
		r := docket(t, nil, "", "audit", "verify", "--data", l.data, "--since", mixed)
		require.Contains(t, r.bad(t), filepath.Join(mixed, "b")+": the log was rewritten")
		require.NoError(t, os.WriteFile(filepath.Join(mixed, "b"), []byte("[words]"), 0o600))
		r = docket(t, nil, "", "audit", "verify", "--data", l.data, "--since", mixed)
		require.Contains(t, r.bad(t), filepath.Join(mixed, "b")+": the checkpoint is not signed")
	})
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"an empty folder":   {[]string{"--data", l.data, "--since", t.TempDir()}, "no checkpoint is kept in"},
		"no log":            {[]string{"--key", l.vkey}, "name the log with --log"},
		"no key":            {[]string{"--log", l.dir}, "name the key that you pinned"},
		"no folder":         {[]string{"--log", l.dir + "/none", "--key", l.vkey}, "no such file"},
		"a file":            {[]string{"--log", since, "--key", l.vkey}, "a log is a folder or an http(s) URL"},
		"nobody there":      {[]string{"--log", "http://127.0.0.1:1/log", "--key", l.vkey}, "no answer from http://127.0.0.1:1"},
		"no key file":       {[]string{"--log", l.dir, "--key", "none"}, "read the verifier key"},
		"a key that is not": {[]string{"--log", l.dir, "--key", "a+b+c"}, "not a verifier key"},
		"no checkpoint":     {[]string{"--data", l.data, "--since", l.data + "/none"}, "the earlier checkpoint cannot be read"},
		"bundle and log":    {[]string{"--data", l.data, "--bundle", since, "--log", l.dir}, "goes with neither"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, docket(t, nil, "", append([]string{"audit", "verify"}, c.args...)...).bad(t), c.want)
		})
	}
}

// TestAuditVerifyNamesTheFile flips one byte in one file of each kind.
func TestAuditVerifyNamesTheFile(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.crowd(299)
	l.grow(1)
	l.rest()
	kinds := map[string]string{}
	require.NoError(t, filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(l.dir, path)
		require.NoError(t, err)
		switch {
		case name == "checkpoint":
			kinds["checkpoint"] = name
		case strings.HasPrefix(name, "tile/") && !strings.HasPrefix(name, "tile/entries/000.p/") && !strings.HasPrefix(name, "tile/0/000.p/"):
			kinds[fmt.Sprintf("%s partial %t", strings.Split(name, "/")[1], strings.Contains(name, ".p/"))] = name
		}
		return nil
	}))
	require.Len(t, kinds, 6, "%v", kinds)
	for kind, name := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(l.dir)))
			path := filepath.Join(dir, filepath.FromSlash(name))
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			data[len(data)/2] ^= 1
			require.NoError(t, os.WriteFile(path, data, 0o600))
			r := docket(t, nil, "", "audit", "verify", "--log", dir, "--key", l.vkey)
			require.Equal(t, 1, r.code)
			require.Contains(t, r.out, name+": ")
			require.Contains(t, r.out, "NOT WHOLE")
			r = docket(t, nil, "", "audit", "verify", "--json", "--log", dir, "--key", l.vkey)
			require.Equal(t, 1, r.code)
			var report verify.Report
			require.NoError(t, json.Unmarshal([]byte(r.out), &report))
			require.Equal(t, name, report.Faults[0].File)
		})
	}
}

func TestAuditTail(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.grow(5)
	out := docket(t, nil, "", "--data", l.data, "audit", "tail", "-n", "2").good(t)
	require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), 3)
	require.Regexp(t, `(?m)^4 +2026-03-02T08:00:00.000000Z +policy +system/5 +policy +p-abcdefgh$`, out)
	var entries []verify.TailEntry
	docket(t, nil, "", "--data", l.data, "--json", "audit", "tail").decode(t, &entries)
	require.Len(t, entries, 5)
	require.Equal(t, l.prev, entries[4].Hash)
	require.Contains(t, docket(t, nil, "", "--data", l.data, "audit", "tail", "-n", "0").bad(t), "from 1 to")
	require.Contains(t, docket(t, nil, "", "audit", "tail", "--log", l.dir).bad(t), "name the key")
	require.Contains(t, docket(t, nil, "", "audit", "tail", "--key", l.vkey).bad(t), "name the log")
}

// TestAuditProve writes the proof of a decided case and checks it with the key alone.
func TestAuditProve(t *testing.T) {
	t.Parallel()
	b, l := newBench(t), newLog(t)
	ref, post := b.Open(1)
	b.as("rev1", "case", "claim", string(ref)).good(t)
	b.as("rev1", "case", "opinion", string(ref), "--file", b.form(casefile.L5, post), "--evidence-revision", "1").good(t)
	require.Contains(t, b.as("auditor", "audit", "prove", string(ref)).bad(t), "not proven yet")
	b.prove(ref, l.grow(3))

	file := filepath.Join(b.data, "proof.json")
	require.Contains(t, b.as("auditor", "audit", "prove", string(ref), "-o", file).good(t), "docket audit verify --bundle "+file)
	out := docket(t, nil, "", "audit", "verify", "--bundle", file, "--key", l.vkey).good(t)
	require.Contains(t, out, "in the log under the pinned key")
	require.Regexp(t, `(?m)^index +2$`, out)
	var proven verify.TailEntry
	docket(t, nil, "", "audit", "verify", "--json", "--bundle", file, "--data", l.data).decode(t, &proven)
	require.Equal(t, casefile.EventID("system/3"), proven.Entry.Event)
	require.Equal(t, l.prev, proven.Hash)
	var written struct {
		Case  casefile.CaseRef `json:"case"`
		File  string           `json:"file"`
		Index uint64           `json:"index"`
	}
	b.as("auditor", "audit", "prove", string(ref), "-o", file, "--json").decode(t, &written)
	require.Equal(t, ref, written.Case)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(data), b.as("auditor", "audit", "prove", string(ref), "-o", "-").good(t))
	require.Contains(t, b.as("rev1", "case", "show", string(ref)).good(t), "proof: entry ")

	verifyFile := func(data []byte) result {
		return docket(t, nil, "", "audit", "verify", "--key", l.vkey, "--bundle", b.write("changed.json", data))
	}
	changed := func(change func(*casefile.Bundle)) []byte {
		bundle, err := verify.ParseBundle(data)
		require.NoError(t, err)
		change(&bundle)
		return b.JSON(bundle)
	}
	require.Contains(t, verifyFile(changed(func(b *casefile.Bundle) { b.Entry[9] ^= 1 })).bad(t), "proves nothing: the path does not lead")
	require.Contains(t, verifyFile(changed(func(b *casefile.Bundle) { b.Index-- })).bad(t), "proves nothing")
	require.Contains(t, verifyFile(changed(func(b *casefile.Bundle) { b.Path[0][0] ^= 1 })).bad(t), "proves nothing")
	require.Contains(t, verifyFile(changed(func(b *casefile.Bundle) { b.Checkpoint = strings.Replace(b.Checkpoint, "\n3\n", "\n4\n", 1) })).bad(t), "not signed with the pinned key")
	require.Contains(t, verifyFile([]byte("{}")).bad(t), "proves nothing")
	require.Contains(t, verifyFile([]byte("nonsense")).bad(t), "not a proof bundle")
	require.Contains(t, docket(t, nil, "", "audit", "verify", "--key", l.vkey, "--bundle", b.data+"/none").bad(t), "read the bundle")
	require.Contains(t, docket(t, nil, "", "audit", "verify", "--bundle", file).bad(t), "name the key")
	require.Contains(t, b.as("auditor", "audit", "prove", string(ref), "-o", b.data).bad(t), "write the bundle")
}

// prove puts a proof beside the decision of a case, as the case's workflow does.
func (b *bench) prove(ref casefile.CaseRef, bundle casefile.Bundle) {
	b.t.Helper()
	var view review.CaseView
	b.as("rev1", "case", "show", string(ref), "--json").decode(b.t, &view)
	ctx := context.Background()
	row, err := b.Records.Case(ctx, ref)
	require.NoError(b.t, err)
	d, err := b.Records.Decision(ctx, view.Decision.ID)
	require.NoError(b.t, err)
	d.Bundle, d.State, d.Event = &bundle, casefile.DecisionRecorded, casefile.NewEventID(casefile.CaseChain(ref), 4)
	d.Counter++
	row.Revision++
	require.NoError(b.t, b.Records.Project(ctx, records.Projection{Case: row, Decision: &d, Now: b.Clock.Now()}))
}
