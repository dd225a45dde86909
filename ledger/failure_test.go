package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/tessera"
	"golang.org/x/mod/sumdb/note"

	"github.com/docket-triage/docket/casefile"
)

// A write that fails may or may not have reached the log. Either way a retry settles it, and
// nothing is logged twice.
func TestAppendAfterAFailedWrite(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		reaches bool
	}{{"that reached the log", true}, {"that did not", false}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := openForFailure(t)
			add := l.appender.Add
			l.appender.Add = func(ctx context.Context, e *tessera.Entry) tessera.IndexFuture {
				l.appender.Add = add // the next write works; only the sequencer gets here
				written := func() (tessera.Index, error) { return tessera.Index{}, nil }
				if tc.reaches {
					written = add(ctx, e)
				}
				return func() (tessera.Index, error) {
					_, err := written()
					return tessera.Index{}, errors.Join(errors.New("the disk is full"), err)
				}
			}
			entry := entryOf(t, "case.00001-TEST0")
			_, err := l.Append(t.Context(), []casefile.FixedEntry{entry})
			require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
			require.ErrorContains(t, err, "the disk is full")
			require.Equal(t, uint64(1), l.generation.Load(), "what others looked up before counts no more")
			receipts, err := l.Append(t.Context(), []casefile.FixedEntry{entry})
			require.NoError(t, err)
			require.Equal(t, []casefile.Receipt{{Event: entry.Event, Hash: entry.Hash(), Index: 0}}, receipts)
			size, err := l.Size(t.Context())
			require.NoError(t, err)
			require.Equal(t, uint64(1), size)
		})
	}
}

// What a caller looked up before a failed write counts no more.
func TestAppendLookedUpBeforeAFailure(t *testing.T) {
	t.Parallel()
	l := openForFailure(t)
	entry := entryOf(t, "case.00001-TEST0")
	k, err := parseLink(entry)
	require.NoError(t, err)
	it := &item{link: k, generation: l.generation.Load(), done: make(chan struct{})}
	l.generation.Add(1)
	l.submit <- it
	<-it.done
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(it.err))
	size, err := l.Size(t.Context())
	require.NoError(t, err)
	require.Zero(t, size)
}

// A caller who leaves while an entry is under way keeps its chain locked until that is done.
func TestCallerLeavesWhileItsEntryIsUnderWay(t *testing.T) {
	t.Parallel()
	l := openForFailure(t)
	add := l.appender.Add
	adding, proceed := make(chan struct{}), make(chan struct{})
	l.appender.Add = func(ctx context.Context, e *tessera.Entry) tessera.IndexFuture {
		l.appender.Add = add
		close(adding)
		<-proceed
		return add(ctx, e)
	}
	entry := entryOf(t, "case.00001-TEST0")
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := l.Append(ctx, []casefile.FixedEntry{entry})
		left <- err
	}()
	<-adding
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	_, err := l.chains.lock(ctx, "case.00001-TEST0")
	require.ErrorIs(t, err, context.Canceled)
	close(proceed)
	receipts, err := l.Append(t.Context(), []casefile.FixedEntry{entry})
	require.NoError(t, err)
	require.Equal(t, uint64(0), receipts[0].Index)
	size, err := l.Size(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(1), size)
}

func openForFailure(t *testing.T) *Log {
	t.Helper()
	skey, _, err := GenerateKey("ledger.test.example/log")
	require.NoError(t, err)
	signer, err := note.NewSigner(skey)
	require.NoError(t, err)
	l, err := Open(t.Context(), Options{Dir: t.TempDir(), Signer: signer})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		require.NoError(t, l.Close(ctx))
	})
	return l
}

func entryOf(t *testing.T, chain string) casefile.FixedEntry {
	t.Helper()
	fixed, err := casefile.FixBody(casefile.EntryPolicy, casefile.System, casefile.Position{
		Event: casefile.NewEventID(chain, 1), At: time.Unix(0, 0),
	}, json.RawMessage(`{"digest":"[placeholder]"}`))
	require.NoError(t, err)
	return fixed
}
