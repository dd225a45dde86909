package detector_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/detector"
)

// TestRealInput runs the example rules over real posts where they are at hand.
func TestRealInput(t *testing.T) {
	t.Parallel()
	files := realFiles(t)
	d := detector.New(exampleRules(t))
	begin := time.Now()
	flags, accounts := run(t, d, files...)
	took := time.Since(begin)
	s := d.Stats()
	flagged := map[string]bool{}
	ids := map[string]bool{}
	for i := range flags {
		require.NoError(t, flags[i].Validate())
		require.False(t, ids[flags[i].ID], "two claims share an id")
		ids[flags[i].ID] = true
		flagged[flags[i].Account.ID] = true
	}
	t.Logf("%d posts, %d accounts, %d flagged, %.0f posts/s with decoding; flags by rule %v",
		s.Posts, len(accounts), len(flagged), float64(s.Posts)/took.Seconds(), s.FlagsByRule)
	require.Equal(t, int64(25_482), s.Posts)
	require.Len(t, accounts, 14_097)
	require.GreaterOrEqual(t, len(flagged), 70)
	require.LessOrEqual(t, len(flagged), 700)
}

// realFiles finds the data folder beside the module's root.
func realFiles(t testing.TB) []string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		_, err = os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			break
		}
		require.NotEqual(t, filepath.Dir(dir), dir, "no go.mod above the test")
		dir = filepath.Dir(dir)
	}
	data := filepath.Join(dir, "..", "shared", "data", "twitter-v1.1")
	_, err = os.Stat(data)
	if err != nil {
		t.Skip("needs ../shared/data/twitter-v1.1 beside the repository")
	}
	return []string{filepath.Join(data, "train-pro.ndjson.gz"), filepath.Join(data, "train-con.ndjson.gz")}
}
