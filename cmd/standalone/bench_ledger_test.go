package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBenchLedger runs the bench in small: it prints a table and, at the end, what it measured.
func TestBenchLedger(t *testing.T) {
	t.Parallel()
	scratch := t.TempDir()
	var out bytes.Buffer
	cmd := benchCommand()
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"ledger", "--entries", "777", "--rounds", "1", "--scratch", scratch, "--json"})
	require.NoError(t, cmd.ExecuteContext(t.Context()))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Regexp(t, `^256 +\d+ +\d+ - \d+ +\d+ `, lines[len(lines)-4])
	var r ledgerReport
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &r))
	require.Len(t, r.Appends, 3)
	for i, a := range r.Appends {
		require.Equal(t, appendCallers[i].callers, a.Callers)
		require.Positive(t, a.PerSecond)
		require.Positive(t, a.PlainPerS)
		require.InEpsilon(t, a.PerSecond/a.PlainPerS, a.Ratio, 1e-9)
	}
	require.Equal(t, 777, r.Verify.Entries)
	require.Positive(t, r.Verify.PerSecond)
	require.Positive(t, r.Verify.PlainS)
	left, err := os.ReadDir(scratch)
	require.NoError(t, err)
	require.Empty(t, left, "the logs are deleted")
	cmd.SetArgs([]string{"ledger", "--rounds", "0"})
	require.ErrorContains(t, cmd.ExecuteContext(t.Context()), "at least 1")
}
