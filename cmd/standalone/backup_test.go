package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/backup"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/config"
	"github.com/docket-triage/docket/ledger/verify"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/worker"
)

// TestDataFolderFormatIsRestores: what a restore writes last is what a start looks for.
func TestDataFolderFormatIsRestores(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, assembly.DataFolderFormat, fmt.Sprintf(`{"format":%d}`, folderFormat))
}

// saved is a deployment with a backup of it, taken while it ran, and what came after.
type saved struct {
	cfg              options
	backup, restored string
	second           string // second place of the log's checkpoints
	platform         string
	before, grace    string // decisions: done before the backup, within its grace time then
	appealed         string // done before, taken back after
	open             casefile.CaseRef
	after            []string // decided and done after the backup, on cases from before it
	unplaced         string   // decided and done after it, on a case from after it
	asked            []string // the platform's own file when it all stopped
}

// running keeps flags and verbs coming until it is stopped, and says how many flags were accepted.
func (b *bed) running(stop <-chan struct{}) (accepted *atomic.Int64, ended <-chan struct{}) {
	accepted, done := new(atomic.Int64), make(chan struct{})
	token := b.creds.token(detectorLogin)
	go func() {
		defer close(done)
		for n := 1000; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			body, err := json.Marshal(testFlag(fmt.Sprintf("f-load-%d", n), n))
			if err != nil {
				return
			}
			req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.baseURL+"/v1/flags", bytes.NewReader(body))
			if err != nil {
				return
			}
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", "application/json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return
			}
			_ = res.Body.Close()
			if res.StatusCode == http.StatusAccepted {
				accepted.Add(1)
			}
		}
	}()
	return accepted, done
}

// suspended has a case decided for a suspension and waits until that is done and told.
func (b *bed) suspended(login string, ref casefile.CaseRef, relied string) string {
	given := b.decide(login, ref, form(casefile.L5, casefile.VE08, relied))
	b.awaitDecision(given.Decision, casefile.DecisionDone)
	b.awaitNotice(given.Decision)
	b.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	return given.Decision
}

func save(t *testing.T) saved {
	t.Helper()
	dir := t.TempDir()
	s := saved{backup: filepath.Join(dir, "backup"), restored: filepath.Join(dir, "restored"), second: filepath.Join(dir, "second"), platform: filepath.Join(dir, "platform.ndjson")}
	s.cfg = testConfig(filepath.Join(dir, "data"))
	s.cfg.CheckpointCopy, s.cfg.EraseLinger = s.second, 200*time.Millisecond
	s.cfg.Platforms = []config.Platform{{Name: config.AnyPlatform, Adapter: config.AdapterDryrun, File: s.platform}}
	a, err := startApp(t.Context(), s.cfg)
	require.NoError(t, err)
	b := newBed(t, a)
	refs := map[int]casefile.CaseRef{}
	for n := 1; n <= 7; n++ {
		refs[n] = b.flag(testFlag(fmt.Sprintf("f-%d", n), n))
	}
	canary := b.flag(canaryFlag("f-first", "text"))
	s.open = refs[7]
	s.before = b.suspended("rev1", refs[1], "post-f-1")
	s.appealed = b.suspended("rev1", refs[2], "post-f-2")

	stop := make(chan struct{})
	accepted, ended := b.running(stop)
	require.Eventually(t, func() bool { return accepted.Load() > 5 }, patience, 10*time.Millisecond)
	s.grace = b.decide("rev2", refs[3], form(casefile.L5, casefile.VE08, "post-f-3")).Decision
	m, err := assembly.Backup(t.Context(), assembly.DataFolder(s.cfg.Data), s.backup, false)
	require.NoError(t, err)
	require.False(t, m.Keys)
	close(stop)
	<-ended
	report, err := assembly.CheckBackup(t.Context(), s.backup, "")
	require.NoError(t, err)
	require.NoError(t, report.Err())

	b.awaitDecision(s.grace, casefile.DecisionDone)
	b.awaitNotice(s.grace)
	s.after = []string{b.suspended("rev1", refs[4], "post-f-4"), b.suspended("rev2", refs[5], "post-f-5")}
	late := b.flag(testFlag("f-late", 99))
	s.unplaced = b.suspended("rev2", late, "post-f-late")
	b.appeal(s.appealed, casefile.OutcomeUpheld)
	b.awaitDecision(s.appealed, casefile.DecisionUndone)
	b.post("policy", "/v1/erasures", api.EraseBody{AccountBody: api.AccountBody{Case: canary}, Reason: "[a request]"}, nil, http.StatusOK)
	b.awaitErased()
	require.NoError(t, a.stop(context.WithoutCancel(t.Context())))
	s.asked = lines(t, s.platform)
	return s
}

// awaitErased waits until an erasure is on the log.
func (b *bed) awaitErased() {
	b.await(func() bool {
		found := false
		err := verify.Entries(b.t.Context(), verify.Dir(b.folder.path("ledger")), b.vkey(), func(e verify.TailEntry) error {
			found = found || e.Entry.Type == casefile.EntryErased
			return nil
		})
		return err == nil && found
	})
}

func (b *bed) vkey() string {
	key, err := b.keyring.LogVerifierKey()
	require.NoError(b.t, err)
	return key
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func (s saved) restore(t *testing.T, o assembly.RestoreOptions) assembly.Restored {
	t.Helper()
	o.From, o.Data, o.Keys, o.Logger = s.backup, s.restored, filepath.Join(s.cfg.Data, "keys"), slog.New(slog.DiscardHandler)
	r, err := assembly.Restore(t.Context(), o)
	require.NoError(t, err)
	return r
}

// TestRestoreWithTheLiveLog: what was proven since the backup stays, nothing is done twice, who was erased
// stays erased, and open cases go on without Temporal's database.
func TestRestoreWithTheLiveLog(t *testing.T) {
	t.Parallel()
	s := save(t)
	_, err := assembly.Restore(t.Context(), assembly.RestoreOptions{From: s.backup, Data: s.restored, Keys: filepath.Join(s.cfg.Data, "keys")})
	require.ErrorContains(t, err, "--log-lost", "a log is named, or said to be lost")
	_, err = assembly.Restore(t.Context(), assembly.RestoreOptions{From: s.backup, Data: s.cfg.Data, Keys: filepath.Join(s.cfg.Data, "keys"), Log: filepath.Join(s.cfg.Data, "ledger")})
	require.ErrorContains(t, err, "is not empty")
	_, err = assembly.Restore(t.Context(), assembly.RestoreOptions{From: s.backup, Data: s.restored, Log: filepath.Join(s.cfg.Data, "ledger")})
	require.ErrorContains(t, err, "holds no keys")
	_, err = assembly.Restore(t.Context(), assembly.RestoreOptions{
		From: s.backup, Data: s.restored, Keys: filepath.Join(s.cfg.Data, "keys"), Log: filepath.Join(s.backup, backup.LedgerDir), CheckpointCopy: s.second,
	})
	require.ErrorContains(t, err, "the end of the log is missing", "the second place shows it")

	live := filepath.Join(s.cfg.Data, "ledger")
	kept, err := os.ReadFile(filepath.Join(live, "checkpoint"))
	require.NoError(t, err)
	r := s.restore(t, assembly.RestoreOptions{Log: live, CheckpointCopy: s.second})
	require.Nil(t, r.Lost)
	require.Equal(t, 1, r.Erased)
	require.Equal(t, []string{s.unplaced}, r.Moved.Unplaced)
	require.Empty(t, r.Moved.Uncertain)
	require.ElementsMatch(t, s.after, r.Moved.Wordless)
	noWordsIn(t, "restored", s.restored)

	cfg := s.cfg
	cfg.Data = s.restored
	b := start(t, cfg)
	for _, id := range append([]string{s.before, s.grace}, s.after...) {
		b.awaitDecision(id, casefile.DecisionDone)
		d, err := b.records.Decision(t.Context(), id)
		require.NoError(t, err)
		require.NotNil(t, d.Bundle)
		b.awaitCase(d.Decision.Case, func(c records.Case) bool { return c.State == casefile.StateClosed })
	}
	b.awaitDecision(s.appealed, casefile.DecisionUndone)
	var out struct{ Report worker.Report }
	b.post("auditor", "/v1/reconcile", nil, &out, http.StatusOK)
	found := out.Report
	require.NotNil(t, found.Ledger)
	for _, d := range found.Ledger.Differences {
		require.Equal(t, s.unplaced, d.Decision, "only the case that came after the backup is missing: %+v", d)
	}
	require.Empty(t, found.Ledger.Faults)
	require.Equal(t, s.asked, lines(t, s.platform), "nothing was asked of the platform again")

	// The case that was open goes on, and so do its acts.
	given := b.suspended("rev1", s.open, "post-f-7")
	require.NotEmpty(t, given)
	require.Len(t, lines(t, s.platform), len(s.asked)+2, "one act and its notice")
	report, err := verify.Log(t.Context(), verify.Dir(b.folder.path("ledger")), b.vkey(), verify.Options{})
	require.NoError(t, err)
	require.NoError(t, report.Err())
	now, err := verify.Consistency(t.Context(), string(kept), verify.Dir(b.folder.path("ledger")), b.vkey())
	require.NoError(t, err, "the log was not rolled back")
	require.Greater(t, now.Size, r.Backup.Checkpoint.Size)
}

// TestRestoreWithALostTail: the log has a new origin whose first entry names the last checkpoint, it verifies,
// and what the platform may have been asked for is uncertain until a person has looked.
func TestRestoreWithALostTail(t *testing.T) {
	t.Parallel()
	s := save(t)
	last, err := verify.Kept(s.second, strings.TrimSpace(readText(t, filepath.Join(s.cfg.Data, "keys", "log.pub"))))
	require.NoError(t, err)
	r := s.restore(t, assembly.RestoreOptions{Lost: true, CheckpointCopy: s.second})
	require.NotNil(t, r.Lost)
	require.Equal(t, last[0].Size, r.Lost.Size, "the last checkpoint that is known is the copy's")
	require.Equal(t, last[0].Origin, r.Lost.Origin)
	require.Equal(t, r.Backup.Checkpoint.Size, r.Lost.Carried)
	require.NotEqual(t, r.Origin, r.Lost.Origin)
	require.Contains(t, r.Moved.Uncertain, casefile.Act{Decision: s.grace, Number: 1}.Key(casefile.Do))

	cfg := s.cfg
	cfg.Data, cfg.CheckpointCopy = s.restored, ""
	b := start(t, cfg)
	report := b.verifyLog()
	require.Equal(t, r.Lost, report.Restarted)
	var first verify.TailEntry
	require.NoError(t, verify.Entries(t.Context(), verify.Dir(b.folder.path("ledger")), b.vkey(), func(e verify.TailEntry) error {
		if e.Index == 0 {
			first = e
		}
		return nil
	}))
	require.Equal(t, casefile.EntryLogRestarted, first.Entry.Type)

	// A checkpoint kept of the old log says why this one differs; the backup's own is carried over.
	_, known, err := verify.KeptSuccessor(t.Context(), s.second, verify.Dir(b.folder.path("ledger")), b.vkey())
	require.True(t, known)
	require.ErrorContains(t, err, "was lost, and this log took its place")
	_, known, err = verify.KeptSuccessor(t.Context(), filepath.Join(s.backup, backup.LedgerDir, "checkpoint"), verify.Dir(b.folder.path("ledger")), b.vkey())
	require.NoError(t, err)
	require.True(t, known)

	// What was done before stands, under the new log's proof, and can still be taken back.
	d := b.awaitDecision(s.before, casefile.DecisionDone)
	require.True(t, strings.HasPrefix(d.Bundle.Checkpoint, r.Origin+"\n"))
	require.Equal(t, s.asked, lines(t, s.platform), "nothing was asked of the platform again")
	b.appeal(s.before, casefile.OutcomeUpheld)
	b.awaitDecision(s.before, casefile.DecisionUndone)
	acts, err := b.records.Acts(t.Context(), s.grace)
	require.NoError(t, err)
	require.Len(t, acts, 1)
	require.Equal(t, casefile.ActUncertain, acts[0].State)
	given := b.suspended("rev1", s.open, "post-f-7")
	require.NotEmpty(t, given)
	b.verifyLog()
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
