package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The Temporal server is standalone's: it would make this binary, and every build of it, several
// times as large.
func TestLinksNoTemporalServer(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	deps := strings.Fields(string(out))
	require.Contains(t, deps, "github.com/docket-triage/docket/casefile", "the list is not this binary's")
	for _, dep := range deps {
		require.False(t, strings.HasPrefix(dep, "go.temporal.io/server/"), "links %s", dep)
	}
}
