package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/backup"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/cmd/internal/assembly"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/records/sqlite"
)

// storedFolder is a data folder with keys, records and a log of some entries, whose writer runs until the test ends.
func storedFolder(t *testing.T) (dir string, log *ledger.Log) {
	t.Helper()
	dir = t.TempDir()
	keyring, err := evidence.OpenKeyring(t.Context(), evidence.KeyringOptions{Dir: filepath.Join(dir, "keys"), Skeleton: fold.String})
	require.NoError(t, err)
	skey, err := keyring.LogSigner()
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(dir, "records.sqlite"), Fast: true})
	require.NoError(t, err)
	_, err = store.SetMetaIfAbsent(t.Context(), "identity_key_fingerprint", keyring.Identity().Fingerprint())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, keyring.Close())
	require.NoError(t, os.Mkdir(filepath.Join(dir, "evidence"), 0o700))
	log, err = ledger.Open(t.Context(), ledger.Options{Dir: filepath.Join(dir, "ledger"), Signer: signer})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, log.Close(context.WithoutCancel(t.Context()))) })
	appendViews(t, log, 1, 3)
	return dir, log
}

// appendViews appends entries of the system chain, from a number on, each the same wherever it is made.
func appendViews(t *testing.T, log *ledger.Log, from, to int) {
	t.Helper()
	prev := ""
	for seq := 1; seq <= to; seq++ {
		e, err := casefile.FixBody(casefile.EntryViews, casefile.System,
			casefile.Position{Event: casefile.NewEventID(casefile.SystemChain, seq), Prev: prev, At: time.Date(2026, 3, 2, 8, 0, seq, 0, time.UTC)}, []byte(`{"digest":"d","refusals":0,"views":1}`))
		require.NoError(t, err)
		prev = e.Hash()
		if seq < from {
			continue
		}
		r, err := log.Append(t.Context(), []casefile.FixedEntry{e})
		require.NoError(t, err)
		_, err = log.Prove(t.Context(), r[0].Index)
		require.NoError(t, err)
	}
}

// command runs a command line and gives its status and what it printed.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = process{args: args, env: func(string) string { return "" }, out: &o, err: &e}.run(t.Context())
	return code, o.String(), e.String()
}

func TestBackupAndRestoreCommands(t *testing.T) {
	t.Parallel()
	dir, log := storedFolder(t)
	to, next := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	code, out, errs := command(t, "backup", "--data", dir, "--to", to)
	require.Zero(t, code, errs)
	require.Contains(t, out, "the backup is whole")
	require.Contains(t, out, "not in it: a restore needs the keys folder")
	code, _, errs = command(t, "backup", "--data", dir, "--to", to)
	require.Equal(t, 1, code)
	require.Contains(t, errs, "is not empty")

	appendViews(t, log, 4, 6)
	keys, live := filepath.Join(dir, "keys"), filepath.Join(dir, "ledger")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"restore", "--from", to, "--data", next}, "--log-lost"},
		{[]string{"restore", "--from", to}, "--data DIR"},
		{[]string{"restore", "--from", dir, "--data", next, "--log-lost"}, "it is no backup, or one that was cut off"},
		{[]string{"restore", "--from", to, "--data", next, "--log-lost"}, "holds no keys"},
		{[]string{"restore", "--from", to, "--data", next, "--keys", keys, "--log", live}, "stop it first"},
		{[]string{"backup"}, "--to DIR"},
	} {
		code, _, errs := command(t, c.args...)
		require.Equal(t, 1, code, c.args)
		require.Contains(t, errs, c.says)
		require.NoError(t, os.RemoveAll(next))
	}
	require.NoError(t, log.Close(t.Context()))
	code, out, errs = command(t, "restore", "--from", to, "--data", next, "--keys", keys, "--log", live)
	require.Zero(t, code, errs)
	require.Contains(t, out, "6 entries")
	code, out, errs = command(t, "audit", "verify", "--data", next, "--since", filepath.Join(to, backup.LedgerDir, "checkpoint"))
	require.Zero(t, code, errs+out)

	// A copy without the writer's own files, such as a mirror, does as well.
	mirror, third := t.TempDir(), filepath.Join(t.TempDir(), "third")
	require.NoError(t, backup.CopyTree(t.Context(), filepath.Join(live, "tile"), filepath.Join(mirror, "tile")))
	require.NoError(t, backup.CopyTree(t.Context(), filepath.Join(live, "checkpoint"), filepath.Join(mirror, "checkpoint")))
	code, out, errs = command(t, "restore", "--from", to, "--data", third, "--keys", keys, "--log", mirror)
	require.Zero(t, code, errs)
	require.Contains(t, out, "6 entries")
	code, out, errs = command(t, "audit", "verify", "--data", third, "--since", filepath.Join(live, "checkpoint"))
	require.Zero(t, code, errs+out)
}

// TestRestoreWithALostEndCommand: the new log says whose place it took, and a checkpoint kept of the old one
// what was lost.
func TestRestoreWithALostEndCommand(t *testing.T) {
	t.Parallel()
	dir, log := storedFolder(t)
	to, next := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	code, out, errs := command(t, "backup", "--data", dir, "--to", to, "--with-keys", "--json")
	require.Zero(t, code, errs)
	var report backup.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.True(t, report.Manifest.Keys)
	appendViews(t, log, 4, 6)
	kept := filepath.Join(dir, "ledger", "checkpoint")

	code, out, errs = command(t, "restore", "--from", to, "--data", next, "--log-lost", "--checkpoint-copy", kept, "--json")
	require.Zero(t, code, errs)
	var r assembly.Restored
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.EqualValues(t, 6, r.Lost.Size)
	require.EqualValues(t, 3, r.Lost.Carried)
	code, out, errs = command(t, "audit", "verify", "--data", next)
	require.Zero(t, code, errs)
	require.Contains(t, out, "3 of the 6 entries that are known of were carried over")
	code, _, errs = command(t, "audit", "verify", "--data", next, "--since", kept)
	require.Equal(t, 1, code)
	require.Contains(t, errs, "was lost, and this log took its place")
	code, out, errs = command(t, "audit", "verify", "--data", next, "--since", filepath.Join(to, backup.LedgerDir, "checkpoint"))
	require.Zero(t, code, errs)
	require.Contains(t, out, "the log carries the 3 entries of the earlier checkpoint")

	// Whose place it took is in turn taken.
	again, last := filepath.Join(t.TempDir(), "again"), filepath.Join(t.TempDir(), "last")
	code, _, errs = command(t, "backup", "--data", next, "--to", again, "--with-keys")
	require.Zero(t, code, errs)
	code, _, errs = command(t, "restore", "--from", again, "--data", last, "--log-lost")
	require.Zero(t, code, errs)
	code, out, errs = command(t, "audit", "verify", "--data", last, "--since", filepath.Join(to, backup.LedgerDir, "checkpoint"))
	require.Zero(t, code, errs+out)

	// A byte of the backup that is not what was written.
	file := filepath.Join(to, backup.RecordsFile)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(file, data, 0o600))
	code, out, _ = command(t, "backup", "verify", to)
	require.Equal(t, 1, code)
	require.Contains(t, out, "records.sqlite: is not what was written")
	code, _, errs = command(t, "restore", "--from", to, "--data", filepath.Join(t.TempDir(), "none"), "--log-lost")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "the backup is not whole")
}
