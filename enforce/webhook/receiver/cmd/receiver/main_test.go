package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce/enforcetest"
	"github.com/docket-triage/docket/enforce/webhook"
	"github.com/docket-triage/docket/enforce/webhook/receiver"
)

// TestRun: the command takes acts with the faults that it was told, and what it did stays in its file.
func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, secrets := filepath.Join(dir, "acts.ndjson"), filepath.Join(dir, "secrets")
	require.NoError(t, os.WriteFile(secrets, []byte(webhook.NewSecret()+"\n"), 0o600))
	ctx, stop := context.WithCancel(t.Context())
	out, told := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--file", file, "--secret-file", secrets, "--fault", "drop_after/2"}, told)
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var at struct{ URL string }
	require.NoError(t, json.Unmarshal(line, &at))
	p, err := webhook.Open(webhook.Config{
		URL: at.URL, Secrets: []webhook.SecretSource{{File: secrets}}, Lookup: true, Idempotent: true,
		Acts: []casefile.ActKind{casefile.ActWarn},
	}, webhook.Options{})
	require.NoError(t, err)
	first, second := enforcetest.Request("D-1", casefile.ActWarn), enforcetest.Request("D-2", casefile.ActWarn)
	_, err = p.Do(ctx, first)
	require.NoError(t, err)
	_, err = p.Do(ctx, second)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err), "its answer was lost")
	done, _, err := p.Lookup(ctx, second)
	require.NoError(t, err)
	require.True(t, done)
	require.NoError(t, p.Close())
	stop()
	require.NoError(t, <-ended)
	lines, err := receiver.Read(file)
	require.NoError(t, err)
	require.Len(t, lines, 2)
	require.Empty(t, receiver.Doubles(lines))
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secrets := filepath.Join(dir, "secrets")
	require.NoError(t, os.WriteFile(secrets, []byte(webhook.NewSecret()+"\n"), 0o600))
	good := []string{"--file", filepath.Join(dir, "f"), "--secret-file", secrets}
	for name, args := range map[string][]string{
		"no file":            {"--secret-file", secrets},
		"no secrets":         {"--file", filepath.Join(dir, "f")},
		"no such secrets":    {"--file", filepath.Join(dir, "f"), "--secret-file", filepath.Join(dir, "none")},
		"an unknown fault":   append(good, "--fault", "sulk"),
		"no number":          append(good, "--fault", "down/x"),
		"each noughth":       append(good, "--fault", "down/0"),
		"for all to reach":   append(good, "--listen", "0.0.0.0:0"),
		"a word besides":     append(good, "now"),
		"an unknown flag":    append(good, "--quickly"),
		"a file that is dir": {"--file", dir, "--secret-file", secrets},
	} {
		require.Error(t, run(t.Context(), args, io.Discard), name)
	}
}
