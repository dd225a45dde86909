package detector

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFlagGolden holds the documented flag to what this detector makes, byte for byte. When it
// changes because the engine does, EngineVersion changes too.
func TestFlagGolden(t *testing.T) {
	t.Parallel()
	first := event("p1", "s1", 0, "[placeholder] Glory to the Grey Banner")
	first.Account.Handle, first.Account.Bio = "grey_gull", "Friend of the Grey Banner"
	second := event("p2", "s1", 45, "Gl0ry to оur hеrоеs of the Grey Banner [placeholder]")
	second.Lang, second.URLs = "en", []string{"https://t.example/a1"}
	flags := process(New(load(t, smallRules)), first, second)
	require.Len(t, flags, 1)
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	require.NoError(t, enc.Encode(flags[0]))

	path := filepath.Join("..", "docs", "formats", "flag.golden.json")
	if *update {
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
	_, err = casefile.DecodeFlag(want)
	require.NoError(t, err)
}
