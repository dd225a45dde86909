package casefile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFindingFormat holds the type to its golden file: every line decodes strictly, and comes back
// byte for byte.
func TestFindingFormat(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../docs/formats/finding.golden.ndjson")
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	page, err := os.ReadFile("../docs/formats/finding.md")
	require.NoError(t, err)
	kinds, statuses := map[FindingKind]bool{}, map[FindingStatus]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var got Finding
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&got), lines.Text())
		var back bytes.Buffer
		enc := json.NewEncoder(&back)
		enc.SetEscapeHTML(false)
		require.NoError(t, enc.Encode(got))
		require.Equal(t, lines.Text(), strings.TrimSpace(back.String()))
		require.Equal(t, got.Status == StatusKnown, len(got.Values) > 0, "values stand where the status is known")
		kinds[got.Kind], statuses[got.Status] = true, true
		for _, s := range got.Items {
			for _, span := range s.Spans {
				require.LessOrEqual(t, span.End, len(s.Text))
			}
		}
	}
	require.NoError(t, lines.Err())
	for _, k := range []FindingKind{FindingHistory, FindingEarlierCases, FindingStrikes, FindingScore, FindingLookAlike, FindingMitigations} {
		require.True(t, kinds[k], k)
		require.Contains(t, string(page), "| `"+string(k)+"` |")
	}
	for _, s := range []FindingStatus{StatusKnown, StatusUnknown, StatusFailed} {
		require.True(t, statuses[s], s)
	}
}
