package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/testdata/gen/synth"
	synthetic "github.com/docket-triage/docket/testdata/stream"
)

// readAll reads a file, or every file under a folder; a missing one gives nothing.
func readAll(t *testing.T, root string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // a running ledger makes and removes files meanwhile
		}
		out[path] = data
		return err
	})
	require.NoError(t, err)
	return out
}

// once runs the command with --once and gives its summary.
func once(t *testing.T, dir string, more ...string) (summary, string) {
	t.Helper()
	var out bytes.Buffer
	cmd := command()
	cmd.SetArgs(append([]string{"--data", dir, "--listen", "127.0.0.1:0", "--once", "--fast", "--routing", unsampled}, more...))
	cmd.SetOut(&out)
	require.NoError(t, cmd.ExecuteContext(t.Context()))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var s summary
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &s), out.String())
	return s, out.String()
}

// TestOnce replays the synthetic stream, and a second start replays nothing twice.
func TestOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, printed := once(t, dir)
	require.Positive(t, first.Events)
	require.Positive(t, first.Flags)
	require.LessOrEqual(t, first.Cases, first.Flags)
	require.Positive(t, first.FlagToQueueP99)
	require.Contains(t, printed, "every flag stands in a queue")

	second, printed := once(t, dir)
	require.Zero(t, second.Events)
	require.Zero(t, second.Flags)
	require.Contains(t, printed, "nothing new to replay")

	info, err := os.Stat(filepath.Join(dir, "credentials.json"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	var c credentials
	data, err := os.ReadFile(filepath.Join(dir, "credentials.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &c))
	roles := map[casefile.Role]bool{}
	for _, p := range c.People {
		require.NotEmpty(t, p.Token)
		for _, r := range p.Roles {
			roles[r] = true
		}
	}
	for _, r := range casefile.Roles {
		require.True(t, roles[r], "somebody has the role %s", r)
	}
}

// TestReplayAfterAllClosedOpensNothing: the whole stream again, from the beginning, after all its
// cases closed.
func TestReplayAfterAllClosedOpensNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stream := filepath.Join(t.TempDir(), "small.ndjson")
	writeSmallStream(t, stream)
	first, _ := once(t, dir, "--replay", stream)
	require.Positive(t, first.Cases)

	b := start(t, testConfig(dir))
	cases, next, err := b.records.ListCases(t.Context(), "", "", 200)
	require.NoError(t, err)
	require.Empty(t, next)
	require.Len(t, cases, first.Cases)
	for _, c := range cases {
		b.decide("rev1", c.Ref, form(casefile.L0, casefile.VE00))
	}
	for _, c := range cases {
		b.awaitCase(c.Ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	}
	require.NoError(t, b.stop(context.WithoutCancel(t.Context())))
	require.NoError(t, os.Remove(filepath.Join(dir, "detector.snapshot")))

	again, _ := once(t, dir, "--replay", stream)
	require.Equal(t, first.Events, again.Events, "the stream was read from its beginning")
	check := start(t, testConfig(dir))
	after, _, err := check.records.ListCases(t.Context(), "", "", 200)
	require.NoError(t, err)
	require.Len(t, after, first.Cases)
	for _, c := range after {
		require.Equal(t, casefile.StateClosed, c.State)
	}
}

// TestRestartGoesOn stops the process while a decision is under way: the next start carries it out.
func TestRestartGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := startApp(t.Context(), testConfig(dir))
	require.NoError(t, err)
	b := newBed(t, a)
	f := testFlag("f-restart", 1)
	ref := b.flag(f)
	given := b.decide("rev1", ref, form(casefile.L5, casefile.VE08, f.Evidence[0].ID))
	token := b.creds.token("rev1")
	require.NoError(t, a.stop(context.WithoutCancel(t.Context())))

	again := start(t, testConfig(dir))
	require.Equal(t, token, again.creds.token("rev1"), "API tokens outlive a restart")
	again.awaitCase(ref, func(c records.Case) bool { return c.State == casefile.StateClosed })
	again.awaitDecision(given.Decision, casefile.DecisionDone)
	again.awaitNotice(given.Decision)
	acts, notices := platformFile(t, again.folder.path("dryrun.ndjson"))
	require.Equal(t, []string{"suspend"}, acts)
	require.Len(t, notices, 1)
}

// writeSmallStream writes what a few accounts of the synthetic stream did, some of them to be flagged.
func writeSmallStream(t *testing.T, path string) {
	t.Helper()
	truth := synth.Generate(1).Truth
	keep := map[string]bool{}
	for _, a := range truth.Accounts {
		if a.Flag && a.Posts > 0 && len(keep) < 8 {
			keep[a.ID] = true
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(synthetic.Events()))
	require.NoError(t, err)
	data, err := io.ReadAll(z)
	require.NoError(t, err)
	var small []byte
	for line := range bytes.Lines(data) {
		e, err := casefile.ParseEvent(line)
		require.NoError(t, err)
		if keep[e.Account.ID] {
			small = append(small, line...)
		}
	}
	require.NoError(t, os.WriteFile(path, small, 0o600))
}

func TestFolderIsRefused(t *testing.T) {
	t.Parallel()
	t.Run("to a second process", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		f, err := openFolder(dir)
		require.NoError(t, err)
		_, err = openFolder(dir)
		require.ErrorContains(t, err, "another process uses "+dir)
		require.NoError(t, f.close())
		again, err := openFolder(dir)
		require.NoError(t, err)
		require.NoError(t, again.close())
	})
	t.Run("with a newer format", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "format.json"), []byte(`{"format":99}`), 0o600))
		_, err := openFolder(dir)
		require.ErrorContains(t, err, "written by a newer Docket")
	})
	t.Run("with another identity key", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		a, err := startApp(t.Context(), testConfig(dir))
		require.NoError(t, err)
		require.NoError(t, a.stop(context.WithoutCancel(t.Context())))
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "keys")))
		_, err = startApp(t.Context(), testConfig(dir))
		require.ErrorContains(t, err, "identity key")
	})
}
