package telling_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/records/sqlite"
	"github.com/docket-triage/docket/telling"
	"github.com/docket-triage/docket/telling/tellingtest"
)

func openRecords(t *testing.T) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(t.TempDir(), "records.sqlite"), Fast: true, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func TestRecordsAnswerTheSuite(t *testing.T) {
	t.Parallel()
	tellingtest.Exercise(t, func(t *testing.T) telling.Outbox { return telling.FromRecords(openRecords(t)) })
}

// TestRecordsKeepEverything: a message of each kind comes back as it was put, however it was put.
func TestRecordsKeepEverything(t *testing.T) {
	t.Parallel()
	store := openRecords(t)
	outbox := telling.FromRecords(store)
	var want []telling.Message
	for i, w := range telling.Wordings() {
		m := tellingtest.Example(w.Kind, i)
		want = append(want, m)
		if i%2 == 0 {
			require.NoError(t, outbox.PutTelling(t.Context(), m))
			continue
		}
		require.NoError(t, store.PutTelling(t.Context(), telling.RowOf(m)))
	}
	got, err := outbox.UnroutedTellings(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestRecordsThatAreClosed(t *testing.T) {
	t.Parallel()
	store := openRecords(t)
	outbox := telling.FromRecords(store)
	ended, stop := context.WithCancel(t.Context())
	stop()
	_, err := outbox.UnroutedTellings(ended, 1)
	require.Error(t, err)
	_, _, err = outbox.TakeTelling(ended, "mail", now, now)
	require.Error(t, err)
	_, err = outbox.TellingsWaiting(ended)
	require.Error(t, err)
}

// feed tells what a test says.
type feed chan records.Change

func (f feed) Changes(context.Context) <-chan records.Change { return f }

func TestWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		changes := make(feed)
		ctx, stop := context.WithCancel(t.Context())
		woken := telling.Wake(ctx, changes)
		heard := func() bool {
			synctest.Wait()
			select {
			case <-woken:
				return true
			default:
				return false
			}
		}
		changes <- records.Change{Kind: records.ChangeCase}
		require.False(t, heard())
		for range 3 {
			changes <- records.Change{Kind: records.ChangeTelling, ID: "t1"}
		}
		require.True(t, heard())
		require.False(t, heard(), "three are one")
		changes <- records.Change{}
		require.True(t, heard(), "something was lost")
		stop()
		_, open := <-woken
		require.False(t, open)
	})
	closed := make(feed)
	close(closed)
	_, open := <-telling.Wake(t.Context(), closed)
	require.False(t, open)
}

// TestRecordsWakeTheSender: from a row of the records to the pager, without waiting for a look.
func TestRecordsWakeTheSender(t *testing.T) {
	t.Parallel()
	store := openRecords(t)
	ctx, stop := context.WithCancel(t.Context())
	told := make(chan string, 1)
	pager := &stub{}
	pager.answer(func(_ context.Context, m telling.Message) (int, error) {
		told <- m.ID
		return 0, nil
	})
	config := config()
	config.Teams = map[string]telling.Team{"desk": {Page: []string{"pager"}, Notice: []string{"pager"}}}
	config.Webhooks = map[string]telling.WebhookConfig{"pager": config.Webhooks["pager"]}
	config.Mail = nil
	sender, err := telling.New(telling.Options{
		Outbox: telling.FromRecords(store), Config: config, Channels: map[string]telling.Channel{"pager": pager}, Wake: telling.Wake(ctx, store),
	})
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sender.Run(ctx)
	}()
	m := tellingtest.Example(telling.KindThreat, 1)
	require.NoError(t, store.PutTelling(t.Context(), telling.RowOf(m)))
	require.Equal(t, m.ID, <-told)
	stop()
	<-ended
}
