package ledger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/verify"
)

const origin = "ledger.test.example/log"

// testLog is a log in a folder, with what it said.
type testLog struct {
	*ledger.Log
	dir    string
	copyTo string // where checkpoints are copied to, "" for nowhere
	signer note.Signer
	vkey   string
	logs   bytes.Buffer

	mu     sync.Mutex
	alarms []ledger.Alarm
}

func newLog(tb testing.TB) *testLog {
	tb.Helper()
	l := &testLog{dir: tb.TempDir()}
	l.signer, l.vkey = newKey(tb)
	require.NoError(tb, l.open(tb))
	tb.Cleanup(func() { l.close(tb) })
	return l
}

func newKey(tb testing.TB) (note.Signer, string) {
	tb.Helper()
	skey, vkey, err := ledger.GenerateKey(origin)
	require.NoError(tb, err)
	signer, err := note.NewSigner(skey)
	require.NoError(tb, err)
	return signer, vkey
}

func (l *testLog) open(tb testing.TB) error {
	tb.Helper()
	opened, err := ledger.Open(tb.Context(), ledger.Options{
		Dir: l.dir, CheckpointCopy: l.copyTo, Signer: l.signer, Logger: slog.New(slog.NewJSONHandler(&l.logs, nil)),
		OnAlarm: func(a ledger.Alarm) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.alarms = append(l.alarms, a)
		},
	})
	if err == nil {
		l.Log = opened
	}
	return err
}

func (l *testLog) close(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), 20*time.Second)
	defer cancel()
	require.NoError(tb, l.Close(ctx))
}

func (l *testLog) reopen(tb testing.TB) {
	tb.Helper()
	l.close(tb)
	require.NoError(tb, l.open(tb))
}

// raised are the alarms so far.
func (l *testLog) raised() []ledger.Alarm {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.alarms)
}

func (l *testLog) append(tb testing.TB, entries ...casefile.FixedEntry) []casefile.Receipt {
	tb.Helper()
	receipts, err := l.Append(tb.Context(), entries)
	require.NoError(tb, err)
	require.Len(tb, receipts, len(entries))
	return receipts
}

// appendAtOnce appends entries of different chains, each by a caller of its own.
func (l *testLog) appendAtOnce(tb testing.TB, entries []casefile.FixedEntry) []casefile.Receipt {
	tb.Helper()
	receipts := make([]casefile.Receipt, len(entries))
	errs := make([]error, len(entries))
	var wg sync.WaitGroup
	for i := range entries {
		wg.Go(func() {
			got, err := l.Append(tb.Context(), entries[i:i+1])
			errs[i] = err
			if err == nil {
				receipts[i] = got[0]
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(tb, err)
	}
	return receipts
}

// verified waits until everything is published and checks the log with the verifier.
func (l *testLog) verified(tb testing.TB) verify.Report {
	tb.Helper()
	size, err := l.Size(tb.Context())
	require.NoError(tb, err)
	if size > 0 {
		_, err = l.Prove(tb.Context(), size-1)
		require.NoError(tb, err)
	}
	report, err := verify.Log(tb.Context(), verify.Dir(l.dir), l.vkey, verify.Options{})
	require.NoError(tb, err)
	require.Empty(tb, report.Faults)
	require.Equal(tb, size, report.Checkpoint.Size)
	return report
}

// chain writes the entries of one chain.
type chain struct {
	name string
	seq  int
	prev string
}

var testTime = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

func (c *chain) next(tb testing.TB) casefile.FixedEntry {
	tb.Helper()
	return c.saying(tb, "[placeholder]")
}

func (c *chain) saying(tb testing.TB, what string) casefile.FixedEntry {
	tb.Helper()
	body, err := json.Marshal(map[string]any{"digest": fmt.Sprintf("%064d", c.seq), "subject": what})
	require.NoError(tb, err)
	fixed, err := casefile.FixBody(casefile.EntryPolicy, casefile.System, casefile.Position{
		Event: casefile.NewEventID(c.name, c.seq+1), Prev: c.prev, At: testTime.Add(time.Duration(c.seq) * time.Second),
	}, body)
	require.NoError(tb, err)
	c.seq++
	c.prev = fixed.Hash()
	return fixed
}

func (c *chain) several(tb testing.TB, n int) []casefile.FixedEntry {
	tb.Helper()
	out := make([]casefile.FixedEntry, n)
	for i := range out {
		out[i] = c.next(tb)
	}
	return out
}

func caseChain(n int) *chain { return &chain{name: fmt.Sprintf("case.%05d-TEST0", n)} }
