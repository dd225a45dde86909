package review_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/indexing"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

func TestListsShowHandlesToThoseWhoJudge(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	for i := range 5 {
		b.Open(i)
	}
	queues, err := b.Desk.Queues(ctx, b.Who("auditor"))
	require.NoError(t, err)
	require.Len(t, queues, 1)
	require.Equal(t, 5, queues[0].Waiting)
	require.Equal(t, reviewtest.Queue, queues[0].Title)

	var refs []casefile.CaseRef
	cursor := ""
	for {
		page, err := b.Desk.QueueCases(ctx, b.Who("rev1"), reviewtest.Queue, cursor, 2)
		require.NoError(t, err)
		for _, c := range page.Cases {
			require.NotEmpty(t, c.Handle)
			refs = append(refs, c.Case)
		}
		if page.Next == "" {
			break
		}
		cursor = page.Next
	}
	require.Len(t, refs, 5)

	page, err := b.Desk.ListCases(ctx, b.Who("auditor"), casefile.StateQueued, "", 0)
	require.NoError(t, err)
	require.Len(t, page.Cases, 5)
	for _, c := range page.Cases {
		require.Empty(t, c.Handle+c.AccountID, "codes only")
	}
	_, err = b.Desk.ListCases(ctx, b.Who("rev1"), "nonsense", "", 0)
	require.Equal(t, []string{"state"}, fields(err))
}

func TestFindLaysTheTruthOverTheIndex(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	gone := casefile.NewCaseRef()
	for _, doc := range []indexing.CaseDoc{
		{Ref: ref, Platform: reviewtest.Platform, State: casefile.StateQueued, Queue: reviewtest.Queue, Text: "banner", OpenedAt: b.Clock.Now(), Revision: 1},
		{Ref: gone, Platform: reviewtest.Platform, State: casefile.StateQueued, Queue: reviewtest.Queue, Text: "banner", OpenedAt: b.Clock.Now(), Revision: 1},
	} {
		require.NoError(t, b.Index.PutCase(ctx, doc))
	}
	_, err := b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
	require.NoError(t, err)

	page, err := b.Desk.Find(ctx, b.Who("rev2"), review.Query{Text: "banner"})
	require.NoError(t, err)
	require.Len(t, page.Cases, 1, "a hit that the records do not have is left out")
	require.Equal(t, casefile.StateClaimed, page.Cases[0].State)
	require.Equal(t, b.Who("rev1").Person, page.Cases[0].Holder)
	page, err = b.Desk.Find(ctx, b.Who("rev2"), review.Query{Text: "banner", State: casefile.StateQueued})
	require.NoError(t, err)
	require.Empty(t, page.Cases, "the index lags; the row is not queued any more")
}

// TestFindTellsNothingOfRestrictedCases: not even how many of them hold the words.
func TestFindTellsNothingOfRestrictedCases(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	require.NoError(t, b.Index.PutCase(ctx, indexing.CaseDoc{
		Ref: ref, Platform: reviewtest.Platform, State: casefile.StateQueued, Queue: reviewtest.Queue, Text: "banner", OpenedAt: b.Clock.Now(), Revision: 1,
	}))
	refer(t, b, "rev1", ref, claim(t, b, "rev1", ref), casefile.ReferSelfHarm)
	page, err := b.Desk.Find(ctx, b.Who("rev2"), review.Query{Text: "banner"})
	require.NoError(t, err)
	require.Empty(t, page.Cases)
	require.Zero(t, *page.Total)
	for _, login := range []string{"rev1", "welfare", "lead"} {
		page, err = b.Desk.Find(ctx, b.Who(login), review.Query{Text: "banner"})
		require.NoError(t, err)
		require.Len(t, page.Cases, 1, login)
	}
}

type noSearch struct{}

func (noSearch) Search(context.Context, indexing.CaseQuery) (indexing.CasePage, error) {
	return indexing.CasePage{}, errDown
}

type endlessSearch struct{}

func (endlessSearch) Search(ctx context.Context, _ indexing.CaseQuery) (indexing.CasePage, error) {
	<-ctx.Done()
	return indexing.CasePage{}, ctx.Err()
}

// TestFindDoesNotHang: an index that never answers holds up nobody.
func TestFindDoesNotHang(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	o := b.Options
	o.Search, o.SearchTimeout = endlessSearch{}, time.Millisecond
	desk := review.New(o)
	_, err := desk.Find(ctx, b.Who("rev1"), review.Query{Text: "anything"})
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "search does not answer now")
	page, err := desk.Find(ctx, b.Who("rev1"), review.Query{Text: string(ref)})
	require.NoError(t, err)
	require.Len(t, page.Cases, 1)
}

func TestFindByNumberAndAccountWithoutTheIndex(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	b.Open(2)
	for name, platforms := range map[string][]string{"told": {reviewtest.Platform}, "learned from the newest cases": nil} {
		t.Run(name, func(t *testing.T) {
			o := b.Options
			o.Search, o.Platforms = noSearch{}, platforms
			desk := review.New(o)
			typed := string(ref[:5]) + " " + string(ref[6:])
			for _, text := range []string{string(ref), typed, "account-1", "https://platform.example/account-1/media", "https://platform.example/@account-1/status/9"} {
				page, err := desk.Find(ctx, b.Who("rev1"), review.Query{Text: text})
				require.NoError(t, err)
				require.Len(t, page.Cases, 1, text)
				require.Equal(t, ref, page.Cases[0].Case)
			}
			_, err := desk.Find(ctx, b.Who("rev1"), review.Query{Text: "anything else"})
			require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
			status, err := desk.FlagStatus(ctx, b.Who("detector"), "", "flag-1")
			require.NoError(t, err)
			require.Equal(t, review.FlagStatus{ID: "flag-1", Platform: reviewtest.Platform, Status: records.FlagAccepted, Case: ref}, status)
		})
	}
	_, err := b.Desk.Find(ctx, b.Who("rev1"), review.Query{State: "x", Policy: "y", Action: "z", Platform: "Ä"})
	require.Equal(t, []string{"state", "policy", "action", "platform"}, fields(err))
}

func TestWatchTellsOfCases(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	changes, err := b.Desk.Watch(ctx, b.Who("rev1"))
	require.NoError(t, err)
	ref, _ := b.Open(1)
	require.Equal(t, review.Change{Kind: records.ChangeCase, Case: ref}, <-changes)
	cancel()
	for range changes { // ends
	}
	_, err = b.Desk.Watch(context.Background(), b.Who("detector"))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
}
