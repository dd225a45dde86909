package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
)

// BenchmarkPutFlag shows what sharing transactions is worth: with one caller every flag pays for an
// fsync of its own.
func BenchmarkPutFlag(b *testing.B) {
	for _, fast := range []bool{false, true} {
		for _, callers := range []int{1, 8, 64, 256} {
			b.Run(fmt.Sprintf("fast=%t/callers=%d", fast, callers), func(b *testing.B) {
				s := open(b, sqlite.Options{Fast: fast})
				each(b, callers, func(ctx context.Context, n int64) error {
					_, _, err := s.PutFlag(ctx, records.FlagReceipt{
						Flag: casefile.FlagKey(fmt.Sprintf("flag%028d", n)), Account: casefile.AccountKey(fmt.Sprintf("account%025d", n)),
						Platform: "example", Digest: "digest", Sealed: "sealed", Source: "p-detector", At: now,
					})
					return err
				})
			})
		}
	}
}

// BenchmarkCase is what the records do for a case from flag to queue: receipt, taking in, projection.
func BenchmarkCase(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s := open(b, sqlite.Options{})
			each(b, callers, func(ctx context.Context, n int64) error {
				flag, account := casefile.FlagKey(fmt.Sprintf("flag%028d", n)), casefile.AccountKey(fmt.Sprintf("account%025d", n))
				_, _, err := s.PutFlag(ctx, records.FlagReceipt{Flag: flag, Account: account, Platform: "example", At: now})
				if err != nil {
					return err
				}
				in, err := s.TakeIn(ctx, "example", account, flag, casefile.CaseRef(fmt.Sprintf("CASE0-%010d", n)), now)
				if err != nil {
					return err
				}
				return s.Project(ctx, records.Projection{Now: now, Case: records.Case{
					Ref: in.Case, Account: account, State: casefile.StateQueued, Revision: 1,
					Route: casefile.Route{Queue: "q", Severity: 4, DueAt: now},
				}})
			})
		})
	}
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

const queueRows = 100_000

// fullQueue makes a store whose queue "q" holds queueRows cases.
func fullQueue(b *testing.B) *sqlite.Store {
	b.Helper()
	path := filepath.Join(b.TempDir(), "records.db")
	s := open(b, sqlite.Options{Path: path})
	db := beside(b, path)
	for _, text := range []string{
		`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
			INSERT INTO accounts (account, platform, ordinal, open_case)
			SELECT printf('account%025d', n), 'example', 1, printf('CASE0-%05d', n) FROM n`,
		`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
			INSERT INTO cases (ref, account, platform, ordinal, opened_by, opened_at, state, revision, queue, severity, rank, confidence, tier, due_at,
				overdue_at, rule, rule_set, flags)
			SELECT printf('CASE0-%05d', n), printf('account%025d', n), 'example', 1, '', ?2 + n * 1000, 'queued', 1, 'q',
				(n * 7919) % 8, (n * 7919) % 8, (n * 104729) % 4, 'alert', ?2 + ((n * 15485863) % 1000003) * 1000000,
				?2 + ((n * 15485863) % 1000003) * 1000000, 'r1', 'rs1', 1 FROM n`,
	} {
		_, err := db.ExecContext(b.Context(), text, queueRows, now.UnixMicro())
		require.NoError(b, err)
	}
	return s
}

func BenchmarkQueue(b *testing.B) {
	s := fullQueue(b)
	b.Run("ReserveNext", func(b *testing.B) {
		at := now
		percentiles(b, func() {
			at = at.Add(time.Hour) // every earlier reservation has ended
			_, ok, err := s.ReserveNext(b.Context(), records.Reservation{Queue: "q", Person: "p-one", Now: at, Hold: 5 * time.Second})
			require.NoError(b, err)
			require.True(b, ok)
		})
	})
	b.Run("ReserveNextBehind1000", func(b *testing.B) {
		at := now.Add(1e6 * time.Hour)
		for range 1000 {
			_, _, err := s.ReserveNext(b.Context(), records.Reservation{Queue: "q", Person: "p-two", Now: at, Hold: 1e6 * time.Hour})
			require.NoError(b, err)
		}
		skip := []casefile.CaseRef{"CASE0-00001", "CASE0-00002", "CASE0-00003"}
		percentiles(b, func() {
			ref, ok, err := s.ReserveNext(b.Context(), records.Reservation{Queue: "q", Person: "p-one", Skip: skip, Now: at, Hold: 5 * time.Second})
			require.NoError(b, err)
			require.True(b, ok)
			require.NoError(b, s.FreeReservation(b.Context(), ref, "p-one"))
		})
	})
	b.Run("FirstPage", func(b *testing.B) {
		percentiles(b, func() {
			cases, _, err := s.QueueCases(b.Context(), "q", "", 50)
			require.NoError(b, err)
			require.Len(b, cases, 50)
		})
	})
	b.Run("DeepPage", func(b *testing.B) {
		_, middle, err := s.QueueCases(b.Context(), "q", "", queueRows/2)
		require.NoError(b, err)
		percentiles(b, func() {
			cases, _, err := s.QueueCases(b.Context(), "q", middle, 50)
			require.NoError(b, err)
			require.Len(b, cases, 50)
		})
	})
	b.Run("Counts", func(b *testing.B) {
		percentiles(b, func() {
			counts, err := s.Queues(b.Context())
			require.NoError(b, err)
			require.Equal(b, queueRows, counts[0].Waiting)
		})
	})
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
