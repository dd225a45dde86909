package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/stream"
)

// erasures is what the serve role tells a detector of.
type erasures struct {
	mu    sync.Mutex
	list  []review.ErasedAccount
	fails int
	asked []int64
}

func (e *erasures) ErasedAccounts(_ context.Context, after int64) ([]review.ErasedAccount, int64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, after)
	if e.fails > 0 {
		e.fails--
		return nil, 0, casefile.Errorf(casefile.CodeUnavailable, "down")
	}
	for _, a := range e.list {
		if a.Seq > after {
			return []review.ErasedAccount{a}, a.Seq, nil
		}
	}
	return nil, after, nil
}

// last is up to where it was last asked for; -1 where nobody asked yet.
func (e *erasures) last() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.asked) == 0 {
		return -1
	}
	return e.asked[len(e.asked)-1]
}

// first is the same of the first question since the last call of first; -1 while there was none.
func (e *erasures) first() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.asked) == 0 {
		return -1
	}
	after := e.asked[0]
	e.asked = nil
	return after
}

// windowsOf reads the account ids of a snapshot on the disk.
func windowsOf(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var ids []string
	for line := range bytes.Lines(data) {
		var l struct {
			Account *struct {
				Account casefile.Account `json:"account"`
			} `json:"account"`
		}
		require.NoError(t, json.Unmarshal(line, &l))
		if l.Account != nil {
			ids = append(ids, l.Account.Account.ID)
		}
	}
	return ids
}

// TestPromise09DetectForgets: an erased account leaves the windows and the file on the disk, also once the
// stream has ended and nothing new was read, and no other does; after a restart nothing is forgotten twice.
func TestPromise09DetectForgets(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.run(f.detect(nil))
	before := windowsOf(t, f.snapshot)
	require.Greater(t, len(before), 3)
	key := func(id string) casefile.AccountKey {
		return f.identity.Account(casefile.AccountRef{Platform: "synthetic", ID: id})
	}
	told := &erasures{fails: 1, list: []review.ErasedAccount{
		{Seq: 4, Platform: "synthetic", Account: key(before[0])}, {Seq: 7, Platform: "synthetic", Account: key(before[2])},
	}}
	forgets := func(o *DetectOptions) {
		kept, _, err := detector.New(f.rules).LoadFile(f.snapshot, nil)
		require.NoError(t, err)
		o.Erased, o.ForgetEvery, o.Rewrite = told, time.Millisecond, o.Keep
		o.Resume = stream.Token(kept.Token)
	}
	d := f.detect(forgets)
	require.NoError(t, d.Start(t.Context()))
	f.await(d.Done())
	require.Eventually(t, func() bool { return told.last() == 7 }, 60*time.Second, time.Millisecond)
	require.NoError(t, d.Stop(t.Context()))
	require.Equal(t, append([]string{before[1]}, before[3:]...), windowsOf(t, f.snapshot))

	events := d.Counts().Events
	told.first()
	d = f.detect(forgets)
	require.NoError(t, d.Start(t.Context()))
	f.await(d.Done())
	var from int64
	require.Eventually(t, func() bool { from = told.first(); return from >= 0 }, 60*time.Second, time.Millisecond)
	require.NoError(t, d.Stop(t.Context()))
	require.Equal(t, int64(7), from, "the snapshot says up to where")
	require.Equal(t, []int64{0, 0}, []int64{events, d.Counts().Events}, "the stream goes on where it was")
}
