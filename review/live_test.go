package review_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

func TestStandingIsNoLookAndFollowsTheCase(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	rev := b.Who("rev1")
	standing := func() review.Standing {
		t.Helper()
		s, err := b.Desk.Standing(ctx, rev, ref)
		require.NoError(t, err)
		return s
	}
	require.Equal(t, review.Standing{Revision: 1, EvidenceRevision: 1, State: casefile.StateQueued}, standing())
	b.Submit(b.Flag(1, "flag-later"))
	require.Equal(t, 2, standing().EvidenceRevision)
	_, err := b.Desk.Claim(ctx, rev, verb(ref))
	require.NoError(t, err)
	_, err = b.Desk.Opinion(ctx, rev, review.OpinionCall{VerbCall: verb(ref), Claim: 1, EvidenceRevision: 2, Form: reviewtest.Form(casefile.L4, post)})
	require.NoError(t, err)
	s := standing()
	require.Equal(t, casefile.DecisionGrace, s.Decision)
	require.False(t, s.Proven)
	_, err = b.Desk.Withdraw(ctx, rev, verb(ref), "")
	require.NoError(t, err)
	require.Empty(t, standing().Decision, "a withdrawn decision does not stand")

	views, _, err := b.Desk.Views(ctx, b.Who("auditor"), ref, 0, 10)
	require.NoError(t, err)
	require.Empty(t, views)
	_, err = b.Desk.Standing(ctx, b.Who("admin"), ref)
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	_, err = b.Desk.Standing(ctx, rev, casefile.NewCaseRef())
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
}

func TestHeldListsLiveLeasesAlone(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	first, _ := b.Open(1)
	b.Open(2)
	rev := b.Who("rev1")
	_, err := b.Desk.Claim(ctx, rev, verb(first))
	require.NoError(t, err)
	held, err := b.Desk.Held(ctx, rev)
	require.NoError(t, err)
	require.Len(t, held, 1)
	require.Equal(t, first, held[0].Case)
	others, err := b.Desk.Held(ctx, b.Who("rev2"))
	require.NoError(t, err)
	require.Empty(t, others)
	b.Clock.Add(time.Hour)
	held, err = b.Desk.Held(ctx, rev)
	require.NoError(t, err)
	require.Empty(t, held, "the lease is over")
	_, err = b.Desk.Held(ctx, b.Who("auditor"))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
}
