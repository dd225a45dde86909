package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/cmd/standalone/internal/crash"
)

// TestCrashRun kills a whole Docket under load for three rounds, and nothing is lost or done twice. It does
// not run beside the other tests of the package, which would slow each other down.
func TestCrashRun(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: builds Docket with crash points and kills it for a minute")
	}
	dir := t.TempDir()
	programs, err := crash.Build(t.Context(), dir)
	require.NoError(t, err)
	var log bytes.Buffer
	report, err := crash.Run(t.Context(), crash.Options{
		Rounds: 3, Seed: 6, Dir: dir, Programs: programs, Log: &log, Patience: 3 * time.Minute,
	})
	report.Table(&log)
	t.Log(log.String())
	require.NoError(t, err)
	require.True(t, report.Clean(), "%v", report.Findings)
	require.GreaterOrEqual(t, report.Kills, 4)
	require.Equal(t, 2, report.Recovering)
	require.Positive(t, report.AtPoint)
	require.Greater(t, report.FlagsAccepted, 60)
	require.Positive(t, report.Acts)
}

// TestCrashFolder: a run writes into no folder that holds something already.
func TestCrashFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, temporary, err := crashFolder(dir)
	require.NoError(t, err)
	require.Equal(t, dir, path)
	require.False(t, temporary)
	require.NoError(t, writeFile(dir+"/something", nil))
	_, _, err = crashFolder(dir)
	require.ErrorContains(t, err, "not empty")
}
