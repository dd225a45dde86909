package main

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/review/intake"
)

// BenchmarkFlagToQueue hands in ten flags a second, each of an account of its own, and reports how
// long an accepted flag takes to stand in a queue. Run it with -benchtime 300x or more.
func BenchmarkFlagToQueue(b *testing.B) {
	cfg := testConfig(b.TempDir())
	cfg.Fast = false
	a, err := startApp(b.Context(), cfg)
	require.NoError(b, err)
	defer func() { require.NoError(b, a.stop(context.WithoutCancel(b.Context()))) }()
	t := newBed(b, a)
	// The first flag warms caches and plans up; it does not count.
	warm := testFlag("f-warm", 1_000_000)
	require.Equal(b, http.StatusAccepted, t.call(detectorLogin, http.MethodPost, "/v1/flags", warm, &intake.Result{}))
	began := time.Now()
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	b.ResetTimer()
	for n := range b.N {
		<-pace.C
		require.Equal(b, http.StatusAccepted, t.call(detectorLogin, http.MethodPost, "/v1/flags", testFlag(fmt.Sprintf("f-%d", n), n), &intake.Result{}))
	}
	stats, err := a.awaitQueued(b.Context(), began)
	require.NoError(b, err)
	require.Equal(b, b.N, stats.Cases)
	b.ReportMetric(float64(stats.ToQueueP50.Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(stats.ToQueueP99.Microseconds())/1000, "p99-ms")
}

// BenchmarkStart measures from the start of the process's work to the first page, on data that exist.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	a, err := startApp(b.Context(), testConfig(dir))
	require.NoError(b, err)
	require.NoError(b, a.stop(context.WithoutCancel(b.Context())))
	for b.Loop() {
		a, err = startApp(b.Context(), testConfig(dir))
		require.NoError(b, err)
		res, err := http.Get(a.baseURL + "/login")
		require.NoError(b, err)
		require.NoError(b, res.Body.Close())
		require.Equal(b, http.StatusOK, res.StatusCode)
		b.StopTimer()
		require.NoError(b, a.stop(context.WithoutCancel(b.Context())))
		b.StartTimer()
	}
}
