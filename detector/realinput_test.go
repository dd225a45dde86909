package detector_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/stream"
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

// BenchmarkRealInput measures posts a second over the real posts, with and without decoding.
func BenchmarkRealInput(b *testing.B) {
	files := realFiles(b)
	rules := exampleRules(b)
	var events []casefile.Event
	s, err := stream.Open(b.Context(), stream.Options{Files: files})
	require.NoError(b, err)
	for {
		batch, err := s.Next(b.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(b, err)
		events = append(events, batch.Events...)
	}
	require.NoError(b, s.Close())
	b.Run("decoding", func(b *testing.B) {
		for b.Loop() {
			run(b, detector.New(rules), files...)
		}
		b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "posts/s")
	})
	b.Run("detector", func(b *testing.B) {
		for b.Loop() {
			d := detector.New(rules)
			for i := range events {
				d.Process(&events[i])
			}
		}
		b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "posts/s")
	})
}
