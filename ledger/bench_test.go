package ledger_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger/verify"
)

// BenchmarkAppend appends from many callers at once, each on a chain of its own, one entry a call.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 16, 256, 1024} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l := newLog(b)
			entries := make([][]casefile.FixedEntry, callers)
			for i := range b.N {
				entries[i%callers] = append(entries[i%callers], casefile.FixedEntry{})
			}
			for i := range entries {
				c := caseChain(i)
				for j := range entries[i] {
					entries[i][j] = c.saying(b, benchText)
				}
			}
			errs := make([]error, callers)
			var wg sync.WaitGroup
			b.ResetTimer()
			for i := range entries {
				wg.Go(func() {
					for j := range entries[i] {
						_, err := l.Append(b.Context(), entries[i][j:j+1])
						if err != nil {
							errs[i] = err
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			for _, err := range errs {
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// benchText brings an entry to about the size of a decision's.
var benchText = fmt.Sprintf("[placeholder]%01000d", 0)

// BenchmarkLatency measures a lone caller, until the receipt and until the proof: one entry right
// after the other's proof, and one when the log has been quiet for a while.
func BenchmarkLatency(b *testing.B) {
	for name, quiet := range map[string]time.Duration{"busy": 0, "quiet": 250 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			l := newLog(b)
			c := caseChain(1)
			var receipt, proof []time.Duration
			for b.Loop() {
				time.Sleep(quiet)
				entry := c.saying(b, benchText)
				start := time.Now()
				receipts, err := l.Append(b.Context(), []casefile.FixedEntry{entry})
				require.NoError(b, err)
				receipt = append(receipt, time.Since(start))
				_, err = l.Prove(b.Context(), receipts[0].Index)
				require.NoError(b, err)
				proof = append(proof, time.Since(start))
			}
			for name, times := range map[string][]time.Duration{"receipt": receipt, "proof": proof} {
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, name+"-p50-ms")
				b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, name+"-p99-ms")
			}
		})
	}
}

// BenchmarkVerify checks a log of 100,000 entries that the writer wrote.
func BenchmarkVerify(b *testing.B) {
	l := newLog(b)
	const callers, each = 1000, 100
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for i := range callers {
		c := caseChain(i)
		entries := make([]casefile.FixedEntry, each)
		for j := range entries {
			entries[j] = c.saying(b, benchText)
		}
		wg.Go(func() { _, errs[i] = l.Append(b.Context(), entries) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(b, err)
	}
	l.verified(b)
	b.ResetTimer()
	for range b.N {
		report, err := verify.Log(b.Context(), verify.Dir(l.dir), l.vkey, verify.Options{})
		require.NoError(b, err)
		require.True(b, report.OK())
		require.Equal(b, uint64(callers*each), report.Entries)
	}
	b.ReportMetric(float64(b.N*callers*each)/b.Elapsed().Seconds(), "entries/s")
}
