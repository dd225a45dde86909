package verify

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The check is worth something because it is not the writer's.
func TestVerifierSharesNoCodeWithTheWriter(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	const module = "github.com/docket-triage/docket/"
	allowed := []string{module + "casefile", module + "ledger/verify", "golang.org/x/mod/sumdb/"}
	for _, dep := range strings.Fields(string(out)) {
		first, _, _ := strings.Cut(dep, "/")
		if !strings.Contains(first, ".") { // the standard library
			continue
		}
		ok := strings.HasPrefix(dep, "vendor/")
		for _, prefix := range allowed {
			ok = ok || strings.HasPrefix(dep, prefix)
		}
		require.True(t, ok, "the verifier depends on %s", dep)
	}
	require.Contains(t, string(out), "golang.org/x/mod/sumdb/tlog")
}
