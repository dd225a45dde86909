package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
)

// BenchmarkPutPosts stores synthetic posts of 20,000 accounts in batches of 500, with
// synchronous=NORMAL: history is a read model. One operation is one batch.
func BenchmarkPutPosts(b *testing.B) {
	x := open(b, filepath.Join(b.TempDir(), "index.db"), Options{})
	rng := rand.New(rand.NewPCG(1, 2))
	const size = 500
	n := 0
	batch := make([]indexing.Post, size)
	for b.Loop() {
		b.StopTimer()
		for i := range batch {
			account := rng.IntN(20_000)
			batch[i] = indexing.Post{Account: casefile.AccountKey(fmt.Sprintf("%032d", account)), Event: casefile.Event{
				Kind: casefile.EventPost, Platform: "synthetic", ID: fmt.Sprintf("%018d", 863_000_000_000_000_000+n),
				Account: casefile.Account{ID: fmt.Sprint(account), Handle: fmt.Sprintf("handle_%d", account), Bio: "a synthetic account"},
				Text:    words(rng, 18), Lang: "en", At: day0.Add(time.Duration(n) * 50 * time.Millisecond),
			}}
			n++
		}
		b.StartTimer()
		_, err := x.PutPosts(b.Context(), batch)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "posts/s")
}

// vocabulary is drawn from as words are in speech: the first far more often than the last.
var vocabulary = func() []string {
	v := make([]string, 20_000)
	for i := range v {
		v[i] = fmt.Sprintf("word%d", i)
	}
	return v
}()

func words(rng *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		i := int(float64(len(vocabulary)) * rng.Float64() * rng.Float64() * rng.Float64())
		b.WriteString(vocabulary[i])
		b.WriteByte(' ')
	}
	return b.String()
}

const benchCases = 100_000

// seedDir holds the seeded index; TestMain takes it away.
var seedDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if seedDir != "" {
		_ = os.RemoveAll(seedDir)
	}
	os.Exit(code)
}

// seeded is an index of 100,000 synthetic cases, made once for all benchmarks.
var seeded = sync.OnceValues(func() (*Index, error) {
	dir, err := os.MkdirTemp("", "docket-bench-")
	if err != nil {
		return nil, err
	}
	seedDir = dir
	x, err := Open(context.Background(), filepath.Join(dir, "index.db"), Options{Fast: true})
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(3, 4))
	const piece = 1000
	for start := 0; start < benchCases; start += piece {
		docs := make([]indexing.CaseDoc, piece)
		for i := range docs {
			docs[i] = benchCase(rng, start+i)
		}
		// Straight into the store: one transaction for many cases.
		err = x.submit(context.Background(), false, func(ctx context.Context, w *writer) error {
			for _, d := range docs {
				raw, err := json.Marshal(d)
				if err != nil {
					return err
				}
				err = w.putCase(ctx, d, raw, termsOf(d))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return x, nil
})

func benchCase(rng *rand.Rand, n int) indexing.CaseDoc {
	states := []casefile.State{casefile.StateClosed, casefile.StateClosed, casefile.StateClosed, casefile.StateQueued, casefile.StateClaimed}
	queues := []string{"standard", "standard", "standard", "urgent", "low"}
	text := "common " + words(rng, 60)
	if n%10 == 0 {
		text += " tenth"
	}
	if n%10_000 == 0 {
		text += " rare"
	}
	return indexing.CaseDoc{
		Ref: casefile.NewCaseRef(), Platform: "synthetic", Account: casefile.AccountKey(fmt.Sprintf("%032d", n)),
		AccountID: fmt.Sprint(n), Handle: fmt.Sprintf("handle_%d", n), State: states[rng.IntN(5)], Queue: queues[rng.IntN(5)],
		OpenedAt: day0.Add(time.Duration(n) * 5 * time.Minute), Rules: []string{"rule-1"}, Text: text, Revision: 1,
		Policies: []casefile.PolicyCode{casefile.PolicyCodes[rng.IntN(13)]}, Action: casefile.Actions[rng.IntN(8)],
	}
}

// BenchmarkSearch asks typical and worst questions of 100,000 cases: 50 hits and the total up to
// 10,000 each. p95-ms is over the single questions.
func BenchmarkSearch(b *testing.B) {
	x, err := seeded()
	require.NoError(b, err)
	deep := func() string {
		q := indexing.CaseQuery{Text: "common", Limit: 200}
		for range 20 {
			page, err := x.Search(context.Background(), q)
			require.NoError(b, err)
			q.Cursor = page.Next
		}
		return q.Cursor
	}()
	for _, bc := range []struct {
		name string
		q    indexing.CaseQuery
	}{
		{"everything", indexing.CaseQuery{}},
		{"state", indexing.CaseQuery{State: casefile.StateQueued}},
		{"rare word", indexing.CaseQuery{Text: "rare"}},
		{"word in a tenth", indexing.CaseQuery{Text: "tenth"}},
		{"word in all", indexing.CaseQuery{Text: "common"}},
		{"word in all, far down", indexing.CaseQuery{Text: "common", Cursor: deep}},
		{"handle", indexing.CaseQuery{Text: "handle_77777"}},
		{"frequent words", indexing.CaseQuery{Text: "word0 word1 word2"}},
		{"rare with common", indexing.CaseQuery{Text: "common rare"}},
		{"word and filters", indexing.CaseQuery{Text: "common", State: casefile.StateQueued, Queue: "urgent", Policy: casefile.VE05, Platform: "synthetic"}},
		{"three filters", indexing.CaseQuery{State: casefile.StateClosed, Queue: "standard", Platform: "synthetic"}},
		{"nothing fits", indexing.CaseQuery{Text: "common nosuchword"}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				_, err := x.Search(b.Context(), bc.q)
				took = append(took, time.Since(start))
				require.NoError(b, err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// BenchmarkAccountHistory reads the findings' view of one account among 20,000.
func BenchmarkAccountHistory(b *testing.B) {
	x := open(b, filepath.Join(b.TempDir(), "index.db"), Options{Fast: true})
	rng := rand.New(rand.NewPCG(5, 6))
	for start := 0; start < 200_000; start += 1000 {
		batch := make([]indexing.Post, 1000)
		for i := range batch {
			batch[i] = post(start+i, day0.Add(time.Duration(start+i)*time.Second), words(rng, 18))
			batch[i].Account = casefile.AccountKey(fmt.Sprintf("%032d", rng.IntN(2000)))
		}
		_, err := x.PutPosts(b.Context(), batch)
		require.NoError(b, err)
	}
	for b.Loop() {
		_, err := x.AccountHistory(b.Context(), "synthetic", casefile.AccountKey(fmt.Sprintf("%032d", rng.IntN(2000))), 50)
		require.NoError(b, err)
		_, err = x.Coverage(b.Context(), "synthetic")
		require.NoError(b, err)
	}
}
