package systemchain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/ledger"
	"github.com/docket-triage/docket/ledger/systemchain"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
)

var now = time.Date(2026, 3, 2, 10, 0, 0, 123456000, time.UTC)

// bed is a writer of the system chain over real records and a real log.
type bed struct {
	*systemchain.Writer
	t       *testing.T
	records *sqlite.Store
	log     *ledger.Log
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t}
	var err error
	b.records, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "records.sqlite"), Fast: true})
	require.NoError(t, err)
	skey, _, err := ledger.GenerateKey("log.test.example/docket")
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	b.log, err = ledger.Open(t.Context(), ledger.Options{Dir: t.TempDir(), Signer: signer})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		require.NoError(t, b.log.Close(ctx))
		require.NoError(t, b.records.Close())
	})
	b.Writer = b.writer(b.records, b.log)
	return b
}

// writer is a new process over the same stores.
func (b *bed) writer(r systemchain.Records, l systemchain.Log) *systemchain.Writer {
	return &systemchain.Writer{Records: r, Log: l, Logger: slog.New(slog.DiscardHandler)}
}

func (b *bed) put(n int) {
	b.t.Helper()
	for i := range n {
		require.NoError(b.t, b.records.PutOutbox(b.t.Context(), records.OutboxEntry{
			Type: casefile.EntryPolicy, Actor: casefile.Actor{Person: "p-admin000", Role: casefile.RoleAdmin}, Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)), At: now,
		}))
	}
}

func drain(t *testing.T, w *systemchain.Writer) {
	t.Helper()
	for more := true; more; {
		var err error
		more, err = w.Drain(t.Context())
		require.NoError(t, err)
	}
}

// chain reads the log back: the system chain's entries in order, without a gap or a broken link.
func (b *bed) chain() []casefile.Entry {
	b.t.Helper()
	size, err := b.log.Size(b.t.Context())
	require.NoError(b.t, err)
	fixed, err := b.log.Entries(b.t.Context(), 0, size)
	require.NoError(b.t, err)
	var out []casefile.Entry
	prev := ""
	for i, f := range fixed {
		e, err := casefile.ParseEntry(f.Data)
		require.NoError(b.t, err)
		require.Equal(b.t, casefile.NewEventID(casefile.SystemChain, i+1), e.Event)
		require.Equal(b.t, prev, e.Prev)
		prev = f.Hash()
		out = append(out, e)
	}
	return out
}

func (b *bed) waiting() int {
	b.t.Helper()
	rows, err := b.records.Unappended(b.t.Context(), 1000)
	require.NoError(b.t, err)
	return len(rows)
}

func TestDrain(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	more, err := b.Drain(t.Context())
	require.NoError(t, err)
	require.False(t, more)
	require.Empty(t, b.chain())

	b.put(230)
	more, err = b.Drain(t.Context())
	require.NoError(t, err)
	require.True(t, more, "one batch does not hold them all")
	drain(t, b.Writer)
	entries := b.chain()
	require.Len(t, entries, 230)
	require.Zero(t, b.waiting())
	for i, e := range entries {
		require.Equal(t, casefile.EntryPolicy, e.Type)
		require.Equal(t, casefile.Actor{Person: "p-admin000", Role: casefile.RoleAdmin}, e.Actor)
		require.Equal(t, now.Format(casefile.TimeFormat), e.At)
		require.JSONEq(t, fmt.Sprintf(`{"n":%d}`, i), string(e.Body), "in the order in which they were written")
	}
	b.put(2)
	drain(t, b.writer(b.records, b.log))
	require.Len(t, b.chain(), 232, "another process goes on with the same chain")
}

// faulty stands between the writer and what it stands on, and fails after some calls.
type faulty struct {
	systemchain.Records
	log      systemchain.Log
	fixes    int // FixOutbox calls until one fails; below 0 for never
	appends  int
	lose     bool // the failing append happens, its answer is lost
	appended int  // AppendedOutbox calls until one fails
	reverse  bool
}

var errCrash = casefile.Errorf(casefile.CodeUnavailable, "the process died")

func count(n *int) bool {
	*n--
	return *n == -1
}

func (f *faulty) FixOutbox(ctx context.Context, id int64, seq int, fixed []byte) (records.OutboxEntry, error) {
	if count(&f.fixes) {
		return records.OutboxEntry{}, errCrash
	}
	return f.Records.FixOutbox(ctx, id, seq, fixed)
}

func (f *faulty) AppendedOutbox(ctx context.Context, id int64, index uint64) error {
	if count(&f.appended) {
		return errCrash
	}
	return f.Records.AppendedOutbox(ctx, id, index)
}

func (f *faulty) Append(ctx context.Context, entries []casefile.FixedEntry) ([]casefile.Receipt, error) {
	if count(&f.appends) {
		if f.lose {
			_, err := f.log.Append(ctx, entries)
			if err != nil {
				return nil, err
			}
		}
		return nil, errCrash
	}
	return f.log.Append(ctx, entries)
}

func (f *faulty) Unappended(ctx context.Context, limit int) ([]records.OutboxEntry, error) {
	rows, err := f.Records.Unappended(ctx, limit)
	if f.reverse {
		slices.Reverse(rows)
	}
	return rows, err
}

// TestDrainAfterACrash: wherever the process dies, the next one loses nothing, numbers nothing twice
// and leaves no gap, also with rows that came in between.
func TestDrainAfterACrash(t *testing.T) {
	t.Parallel()
	never := faulty{fixes: -1, appends: -1, appended: -1}
	cases := map[string]func(*faulty){
		"before the first number":        func(f *faulty) { f.fixes = 0 },
		"between two numbers":            func(f *faulty) { f.fixes = 3 },
		"before the append":              func(f *faulty) { f.appends = 0 },
		"after the append":               func(f *faulty) { f.appends, f.lose = 0, true },
		"before the first is noted":      func(f *faulty) { f.appended = 0 },
		"between two that are noted":     func(f *faulty) { f.appended = 3 },
		"after numbers, in other order":  func(f *faulty) { f.fixes, f.reverse = 3, true },
		"after the append, other order":  func(f *faulty) { f.appends, f.lose, f.reverse = 0, true, true },
		"while noting, in another order": func(f *faulty) { f.appended, f.reverse = 2, true },
	}
	for name, set := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.put(6)
			f := never
			f.Records, f.log = b.records, b.log
			set(&f)
			_, err := b.writer(&f, &f).Drain(t.Context())
			require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
			b.put(3)
			drain(t, b.writer(b.records, b.log))
			require.Len(t, b.chain(), 9)
			require.Zero(t, b.waiting())
		})
	}
}

// TestDrainWithRowsOutOfOrder: rows that were numbered in another order than they are listed in go
// to the log in the order of their numbers.
func TestDrainWithRowsOutOfOrder(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.put(5)
	f := faulty{Records: b.records, log: b.log, fixes: -1, appends: 0, appended: -1, reverse: true}
	_, err := b.writer(&f, &f).Drain(t.Context())
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	drain(t, b.writer(b.records, b.log)) // listed by id, numbered the other way round
	entries := b.chain()
	require.Len(t, entries, 5)
	require.JSONEq(t, `{"n":4}`, string(entries[0].Body))
	require.Zero(t, b.waiting())
}

func TestWatch(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	require.NoError(t, b.Watch(t.Context()))
	require.Zero(t, b.waiting(), "nothing to digest")
	require.NoError(t, b.records.PutView(t.Context(), records.View{Person: "p-anna0000", Case: "7K2QX-9MDT4", Purpose: "review", At: now}))
	require.NoError(t, b.Watch(t.Context()))
	require.NoError(t, b.Watch(t.Context()))
	require.Equal(t, 1, b.waiting(), "the same digest goes on the log once")
	require.NoError(t, b.records.PutRefusal(t.Context(), records.Refusal{Person: "p-anna0000", Verb: "opinion", Code: casefile.CodeForbidden, At: now}))
	require.NoError(t, b.Watch(t.Context()))
	drain(t, b.Writer)
	entries := b.chain()
	require.Len(t, entries, 2)
	hash, views, refusals, err := b.records.WatchDigest(t.Context())
	require.NoError(t, err)
	require.Equal(t, casefile.EntryViews, entries[1].Type)
	require.Equal(t, casefile.System, entries[1].Actor)
	require.JSONEq(t, fmt.Sprintf(`{"digest":%q,"views":%d,"refusals":%d}`, hash, views, refusals), string(entries[1].Body))
	require.Equal(t, int64(2), views+refusals)
}

// unsteady fails its first calls.
type unsteady struct {
	systemchain.Records
	mu    sync.Mutex
	fails int
}

func (u *unsteady) Unappended(ctx context.Context, limit int) ([]records.OutboxEntry, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.fails > 0 {
		u.fails--
		return nil, &casefile.Error{Code: casefile.CodeUnavailable, Message: "words of the engine"}
	}
	return u.Records.Unappended(ctx, limit)
}

// TestRun: rows and digests reach the log as they come, a fault passes, the end of the context ends it.
func TestRun(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.put(1)
	require.NoError(t, b.records.PutView(t.Context(), records.View{Person: "p-anna0000", Case: "7K2QX-9MDT4", Purpose: "review", At: now}))
	var said bytes.Buffer
	w := b.writer(&unsteady{Records: b.records, fails: 1}, b.log)
	w.Logger, w.WatchEvery = slog.New(slog.NewTextHandler(&said, nil)), 50*time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx)
	}()
	logged := func(n int) func() bool {
		return func() bool {
			_, err := b.log.Receipt(t.Context(), casefile.NewEventID(casefile.SystemChain, n))
			return err == nil
		}
	}
	require.Eventually(t, logged(2), 20*time.Second, 10*time.Millisecond, "a row and a digest")
	b.put(1)
	require.Eventually(t, logged(3), 20*time.Second, 10*time.Millisecond, "a row that came while it waited")
	stop()
	<-ended
	require.Contains(t, said.String(), "code=unavailable")
	require.NotContains(t, said.String(), "words of the engine")
	require.Len(t, b.chain(), 3)
}
