package worker

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/indexing/embedded"
	"github.com/docket-triage/docket/indexing/projector"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
)

// graveyard is an eraser without an engine over real stores, each call of which can be made to fail.
type graveyard struct {
	*Eraser
	t       *testing.T
	records *sqlite.Store
	sealer  *evidence.Store
	index   *embedded.Index
	ring    *evidence.Keyring
	now     time.Time
	calls   int
	failAt  int // the call that fails, from 1
	dir     string
}

var errCrash = casefile.Errorf(casefile.CodeUnavailable, "the process ended here")

func (g *graveyard) step() error {
	g.calls++
	if g.calls == g.failAt {
		return errCrash
	}
	return nil
}

func newGraveyard(t *testing.T) *graveyard {
	t.Helper()
	dir := t.TempDir()
	g := &graveyard{t: t, dir: dir, now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	var err error
	g.ring, err = evidence.OpenKeyring(t.Context(), evidence.KeyringOptions{Dir: filepath.Join(dir, "keys"), Skeleton: fold.String})
	require.NoError(t, err)
	g.records, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(dir, "records.sqlite"), Fast: true})
	require.NoError(t, err)
	g.sealer, err = evidence.Open(evidence.Options{Dir: filepath.Join(dir, "evidence"), Fast: true, Keyring: g.ring, Rows: g.records, Clock: func() time.Time { return g.now }})
	require.NoError(t, err)
	g.index, err = embedded.Open(t.Context(), filepath.Join(dir, "index.sqlite"), embedded.Options{Fast: true, Now: func() time.Time { return g.now }})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, g.index.Close())
		require.NoError(t, g.sealer.Close())
		require.NoError(t, g.records.Close())
		require.NoError(t, g.ring.Close())
	})
	log := slog.New(slog.DiscardHandler)
	g.Eraser = &Eraser{
		Records: failingRecords{g.records, g}, Objects: failingObjects{g.sealer, g}, Index: failingIndex{g.index, g},
		Documents: &projector.Projector{Records: g.records, Sealer: g.sealer, Index: failingIndex{g.index, g}, Log: log}, Log: log,
		Linger: time.Minute, Now: func() time.Time { return g.now },
	}
	return g
}

type failingRecords struct {
	records.Store
	g *graveyard
}

func (f failingRecords) DestroyAccount(ctx context.Context, id string, now time.Time) (records.ErasureRow, error) {
	row, err := f.Store.DestroyAccount(ctx, id, now)
	if err == nil { // what is answered is done, and the answer is lost
		err = f.g.step()
	}
	return row, err
}

func (f failingRecords) Scrub(ctx context.Context) error {
	err := f.g.step()
	if err != nil {
		return err
	}
	return f.Store.Scrub(ctx)
}

type failingObjects struct {
	*evidence.Store
	g *graveyard
}

func (f failingObjects) Delete(ctx context.Context, addresses []casefile.Address) (int, error) {
	err := f.g.step()
	if err != nil {
		return 0, err
	}
	return f.Store.Delete(ctx, addresses)
}

type failingIndex struct {
	indexing.Index
	g *graveyard
}

func (f failingIndex) PutCase(ctx context.Context, doc indexing.CaseDoc) error {
	err := f.g.step()
	if err != nil {
		return err
	}
	return f.Index.PutCase(ctx, doc)
}

func (f failingIndex) ForgetAccount(ctx context.Context, platform string, account casefile.AccountKey, at time.Time) error {
	err := f.g.step()
	if err != nil {
		return err
	}
	return f.Index.ForgetAccount(ctx, platform, account, at)
}

const buried = casefile.AccountKey("buriedaaaaaaaaaaaaaaaaaaaaaaaaaa")

// bury gives an account a closed case with words in it, and asks for its erasure.
func (g *graveyard) bury() (records.ErasureRow, casefile.Address) {
	g.t.Helper()
	ctx := g.t.Context()
	require.NoError(g.t, g.sealer.EnsureKey(ctx, "synthetic", buried))
	sealed, _, err := g.sealer.Seal(ctx, buried, evidence.KindFlag, []byte(`{"id":"f1","platform":"synthetic","evidence":[{"id":"p1","text":"the words"}]}`))
	require.NoError(g.t, err)
	_, _, err = g.records.PutFlag(ctx, records.FlagReceipt{Flag: "f1", Account: buried, Platform: "synthetic", Sealed: sealed, Source: "p-det", At: g.now, Status: records.FlagPending})
	require.NoError(g.t, err)
	_, err = g.records.TakeIn(ctx, "synthetic", buried, "f1", "AAAAA-00001", g.now)
	require.NoError(g.t, err)
	c, err := g.records.Case(ctx, "AAAAA-00001")
	require.NoError(g.t, err)
	c.State, c.Revision, c.ClosedAt, c.CloseReason = casefile.StateClosed, 1, &g.now, casefile.CloseTest
	require.NoError(g.t, g.records.Project(ctx, records.Projection{Case: c, Now: g.now}))
	require.NoError(g.t, (&projector.Projector{Records: g.records, Sealer: g.sealer, Index: g.index, Log: slog.New(slog.DiscardHandler)}).Case(ctx, c.Ref))
	_, err = g.index.PutPosts(ctx, []indexing.Post{{Account: buried, Event: casefile.Event{Kind: casefile.EventPost, Platform: "synthetic", ID: "p1", Text: "the words", At: g.now}}})
	require.NoError(g.t, err)
	require.Len(g.t, g.find("words"), 1)
	row, bars, err := g.records.BeginErasure(ctx, records.ErasureRow{
		ID: "e1", Account: buried, Platform: "synthetic", Name: evidence.ErasedName(g.ring.Identity(), buried), Reason: []byte("sealed"),
		By: casefile.Actor{Person: "p-policy", Role: casefile.RolePolicy}, At: g.now,
	})
	require.NoError(g.t, err)
	require.Empty(g.t, bars)
	return row, sealed
}

func (g *graveyard) find(text string) []indexing.CaseDoc {
	g.t.Helper()
	page, err := g.index.Search(g.t.Context(), indexing.CaseQuery{Text: text})
	require.NoError(g.t, err)
	return page.Cases
}

// TestPromise09EraserGoesOn: wherever an erasure is cut off, the next attempt carries it to the same end.
func TestPromise09EraserGoesOn(t *testing.T) {
	t.Parallel()
	whole := 0
	for failAt := 0; ; failAt++ {
		g := newGraveyard(t)
		row, sealed := g.bury()
		g.failAt = failAt
		failed := false
		for range 3 { // the first may be cut off; the second waits for keys in memory; the third ends
			now, err := g.Carry(t.Context(), row)
			if err != nil {
				require.ErrorIs(t, err, errCrash, "cut off at %d", failAt)
				failed = true
				now, err = g.records.Erasure(t.Context(), row.ID)
				require.NoError(t, err)
			}
			row = now
			require.Equal(t, casefile.ErasureDestroyed, row.State)
			g.now = g.now.Add(time.Minute)
		}
		require.Equal(t, failAt > 0 && failAt <= whole, failed, "cut off at %d of %d", failAt, whole)
		if failAt == 0 {
			whole = g.calls
			require.Greater(t, whole, 4)
		}
		require.Empty(t, g.find("words"), "cut off at %d", failAt)
		h, err := g.index.AccountHistory(t.Context(), "synthetic", buried, 5)
		require.NoError(t, err)
		require.Zero(t, h.Posts)
		n, err := g.sealer.Delete(t.Context(), []casefile.Address{sealed})
		require.NoError(t, err)
		require.Zero(t, n, "the object is gone")
		_, err = g.records.AccountKey(t.Context(), buried)
		require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
		entries, err := g.records.Unappended(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, entries, 1, "it is ledgered once")
		if failAt > whole {
			return
		}
	}
}

// TestPromise09EraserWaitsForKeysInMemory: objects stay until no process may hold the key.
func TestPromise09EraserWaitsForKeysInMemory(t *testing.T) {
	t.Parallel()
	g := newGraveyard(t)
	row, sealed := g.bury()
	row, err := g.Carry(t.Context(), row)
	require.NoError(t, err)
	_, err = g.sealer.Open(t.Context(), buried, evidence.KindFlag, sealed)
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err), "this process dropped the key at once")
	there := func() bool {
		_, err := os.Stat(filepath.Join(g.dir, "evidence", string(sealed[:1]), string(sealed[1:])))
		return err == nil
	}
	require.True(t, there())
	g.now = g.now.Add(59 * time.Second)
	row, err = g.Carry(t.Context(), row)
	require.NoError(t, err)
	require.True(t, there())
	g.now = g.now.Add(time.Second)
	_, err = g.Carry(t.Context(), row)
	require.NoError(t, err)
	require.False(t, there())
}
