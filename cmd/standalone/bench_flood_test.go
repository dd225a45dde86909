package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFlood puts a small flood through; everything is there, and the count of a folder in which something
// was dropped, doubled or altered says so.
func TestFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: puts twenty cases through the whole line")
	}
	dir := t.TempDir()
	var out bytes.Buffer
	cmd := benchCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"flood", "--takedowns", "20", "--fast", "--scratch", dir, "--json"})
	require.NoError(t, cmd.ExecuteContext(t.Context()), out.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var r floodReport
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &r))
	require.Empty(t, r.Differences)
	require.Zero(t, r.Backlog.total())
	require.Positive(t, r.PerSecond)
	for _, c := range r.takedowns() {
		require.Equal(t, 20, c.n, c.name)
	}
	require.GreaterOrEqual(t, r.PlatformActs, 20)

	counted := func() floodReport {
		again := floodReport{Asked: 20, floodCounts: floodCounts{Flags: r.Flags, CasesClosed: r.CasesClosed, Done: r.Done, Sent: r.Sent, ActsDone: r.ActsDone}}
		require.NoError(t, again.readFolder(t.Context(), filepath.Join(dir, "data")))
		return again
	}
	require.NoError(t, counted().verdict())
	path := filepath.Join(dir, "data", "dryrun.ndjson")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	platform := bytes.SplitAfter(bytes.TrimSpace(whole), []byte("\n"))
	for name, doctored := range map[string][]byte{
		"a line lost":  bytes.Join(platform[1:], nil),
		"a line twice": append(bytes.Clone(platform[0]), whole...),
	} {
		require.NoError(t, os.WriteFile(path, doctored, 0o600))
		require.ErrorIs(t, counted().verdict(), errFlood, name)
	}
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	checkpoint := filepath.Join(dir, "data", "ledger", "checkpoint")
	text, err := os.ReadFile(checkpoint)
	require.NoError(t, err)
	text[len(text)-3] ^= 1
	require.NoError(t, os.WriteFile(checkpoint, text, 0o600))
	require.ErrorIs(t, counted().verdict(), errFlood, "a log that does not verify")
}

// TestFloodDifferences: a figure that is one off, whichever it is, ends the flood with an error, and so
// does anything outstanding.
func TestFloodDifferences(t *testing.T) {
	t.Parallel()
	var whole floodCounts
	fields := reflect.TypeOf(whole)
	for i := range fields.NumField() {
		if !strings.HasPrefix(fields.Field(i).Name, "Platform") || fields.Field(i).Type.Kind() != reflect.Int {
			reflect.ValueOf(&whole).Elem().Field(i).SetInt(7)
		}
	}
	whole.PlatformTakedowns, whole.PlatformActs, whole.PlatformNotices = 7, 7, 7
	require.Empty(t, whole.differences(7))
	require.NotEmpty(t, whole.differences(8))
	for i := range fields.NumField() {
		for _, by := range []int64{-1, 1} {
			doctored := whole
			f := reflect.ValueOf(&doctored).Elem().Field(i)
			if f.Int()+by < 0 {
				continue
			}
			f.SetInt(f.Int() + by)
			require.NotEmpty(t, doctored.differences(7), "%s by %d", fields.Field(i).Name, by)
		}
	}
}
