package recordstest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

// BenchmarkPutFlag measures the writing of receipt rows by so many callers at once.
func BenchmarkPutFlag(b *testing.B, s records.Store, callers int) {
	each(b, callers, func(ctx context.Context, n int64) error {
		_, _, err := s.PutFlag(ctx, records.FlagReceipt{
			Flag: casefile.FlagKey(fmt.Sprintf("flag%028d", n)), Account: accountKeyOf(int(n)),
			Platform: platform, Digest: "digest", Sealed: "sealed", Source: "p-detector", At: start,
		})
		return err
	})
}

// BenchmarkCase measures what the records do for a case from flag to queue: receipt, taking in,
// projection.
func BenchmarkCase(b *testing.B, s records.Store, callers int) {
	each(b, callers, func(ctx context.Context, n int64) error {
		c, err := opened(ctx, s, n)
		if err != nil {
			return err
		}
		return s.Project(ctx, records.Projection{Now: start, Case: c})
	})
}

// opened puts a flag and takes it in, and returns its case as it is first projected.
func opened(ctx context.Context, s records.Store, n int64) (records.Case, error) {
	flag, account := casefile.FlagKey(fmt.Sprintf("flag%028d", n)), accountKeyOf(int(n))
	_, _, err := s.PutFlag(ctx, records.FlagReceipt{Flag: flag, Account: account, Platform: platform, At: start})
	if err != nil {
		return records.Case{}, err
	}
	in, err := s.TakeIn(ctx, platform, account, flag, casefile.CaseRef(fmt.Sprintf("CASE0-%010d", n)), start)
	return records.Case{Ref: in.Case, Account: account, State: casefile.StateQueued, Revision: 1, Route: route("q", 4, 1, start)}, err
}

// BenchmarkProject measures projections alone, of cases that stand, by so many callers at once.
func BenchmarkProject(b *testing.B, s records.Store, callers int) {
	cases := make([]records.Case, 1000)
	for i := range cases {
		c, err := opened(b.Context(), s, int64(i))
		require.NoError(b, err)
		cases[i] = c
	}
	each(b, callers, func(ctx context.Context, n int64) error {
		c := cases[n%int64(len(cases))]
		c.Revision = int(n)
		return s.Project(ctx, records.Projection{Now: start, Case: c})
	})
}

// each runs call b.N times from a number of callers.
func each(b *testing.B, callers int, call func(ctx context.Context, n int64) error) {
	var next atomic.Int64
	failed := make(chan error, callers)
	b.ResetTimer()
	for range callers {
		go func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					failed <- nil
					return
				}
				err := call(b.Context(), n)
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for range callers {
		require.NoError(b, <-failed)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

// FillQueue puts so many cases into queue "q" of an empty store, past it: exec runs a statement of
// package relational's SQL in its database.
func FillQueue(cases int, exec func(text string, args ...any) error) error {
	err := exec(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
		INSERT INTO accounts (account, platform, ordinal, open_case)
		SELECT 'account' || (1000000 + n), 'example', 1, 'CASE0-' || (1000000 + n) FROM n`, cases)
	if err != nil {
		return fmt.Errorf("fill accounts: %w", err)
	}
	err = exec(`WITH RECURSIVE n (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < ?1),
			made (n, opened_at, due_at) AS (SELECT n, CAST(?2 AS BIGINT) + n * 1000,
				CAST(?2 AS BIGINT) + ((n * 15485863) % 1000003) * 1000000 FROM n)
		INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state, revision, queue, severity, rank,
			confidence, tier, due_at, overdue_at, rule, rule_set, flags)
		SELECT 'CASE0-' || (1000000 + n), 'account' || (1000000 + n), 'example', 1, '', opened_at, 'queued', 1, 'q',
			(n * 7919) % 8, (n * 7919) % 8, (n * 104729) % 4, 'alert', due_at, due_at, 'r1', 'rs1', 1 FROM made`, cases, start.UnixMicro())
	if err != nil {
		return fmt.Errorf("fill queue: %w", err)
	}
	return nil
}

// BenchmarkQueue measures what reviewers wait for, in a queue "q" of so many cases that FillQueue made.
func BenchmarkQueue(b *testing.B, s records.Store, cases int) {
	b.Run("ReserveNext", func(b *testing.B) {
		now := start
		percentiles(b, func() {
			now = now.Add(time.Hour) // every earlier reservation has ended
			_, ok, err := s.ReserveNext(b.Context(), records.Reservation{Queue: "q", Person: "p-one", Now: now, Hold: 5 * time.Second})
			require.NoError(b, err)
			require.True(b, ok)
		})
	})
	b.Run("ReserveNextBehind1000", func(b *testing.B) {
		now := start.Add(1e6 * time.Hour)
		for range 1000 {
			_, _, err := s.ReserveNext(b.Context(), records.Reservation{Queue: "q", Person: "p-two", Now: now, Hold: 1e6 * time.Hour})
			require.NoError(b, err)
		}
		skip := []casefile.CaseRef{"CASE0-1000001", "CASE0-1000002", "CASE0-1000003"}
		percentiles(b, func() {
			ref, ok, err := s.ReserveNext(b.Context(), records.Reservation{Queue: "q", Person: "p-one", Skip: skip, Now: now, Hold: 5 * time.Second})
			require.NoError(b, err)
			require.True(b, ok)
			require.NoError(b, s.FreeReservation(b.Context(), ref, "p-one"))
		})
	})
	b.Run("FirstPage", func(b *testing.B) {
		percentiles(b, func() {
			page, _, err := s.QueueCases(b.Context(), "q", "", 50)
			require.NoError(b, err)
			require.Len(b, page, 50)
		})
	})
	b.Run("DeepPage", func(b *testing.B) {
		_, middle, err := s.QueueCases(b.Context(), "q", "", cases/2)
		require.NoError(b, err)
		percentiles(b, func() {
			page, _, err := s.QueueCases(b.Context(), "q", middle, 50)
			require.NoError(b, err)
			require.Len(b, page, 50)
		})
	})
	b.Run("Counts", func(b *testing.B) {
		percentiles(b, func() {
			counts, err := s.Queues(b.Context())
			require.NoError(b, err)
			require.Equal(b, cases, counts[0].Waiting)
		})
	})
	benchmarkPassedOver(b, s)
}

// percentiles runs call b.N times and reports how long the middle and the slowest took.
func percentiles(b *testing.B, call func()) {
	var took []time.Duration
	for b.Loop() {
		from := time.Now()
		call()
		took = append(took, time.Since(from))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[(len(took)*99+99)/100-1].Microseconds()), "p99-us")
}
