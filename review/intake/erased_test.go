package intake_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

// TestPromise09FlagsOfAnErasedAccount: what comes while an account is being erased is taken and kept
// nowhere; the same flag from before changes nothing, ever; one from after opens the next case.
func TestPromise09FlagsOfAnErasedAccount(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	before := b.Flag(1, "before")
	ref := b.Submit(before)
	claimed, err := b.Desk.Claim(ctx, b.Who("rev1"), call(ref))
	require.NoError(t, err)
	_, err = b.Desk.Close(ctx, b.Who("rev1"), closeCall(ref, claimed))
	require.NoError(t, err)
	account := b.Identity.Account(before.Ref())
	e, err := b.Desk.Erase(ctx, b.Who("policy"), review.EraseCall{AccountNamed: review.AccountNamed{Case: ref}, Reason: "[a request]"})
	require.NoError(t, err)
	_, err = b.Records.DestroyAccount(ctx, e.Erasure, b.Clock.Now())
	require.NoError(t, err)
	b.Sealer.ForgetKey(account)

	during := b.Flag(1, "during")
	for range 2 {
		res, err := b.Door.Submit(ctx, b.Who("detector"), b.JSON(during))
		require.NoError(t, err)
		require.Equal(t, []any{records.FlagErased, casefile.CaseRef("")}, []any{res.Status, res.Case})
	}
	row, err := b.Records.Flag(ctx, b.Identity.Flag(during.Platform, during.ID))
	require.NoError(t, err)
	require.Empty(t, row.Sealed)
	signals := b.Workflows.Signals()
	require.Equal(t, ref, b.Submit(before), "the same answer, for ever")
	_, err = b.Records.AccountKey(ctx, account)
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err), "and it makes no new key")
	require.Equal(t, signals, b.Workflows.Signals())

	rows, err := b.Records.Unappended(ctx, 100)
	require.NoError(t, err)
	for i, r := range rows {
		_, err = b.Records.FixOutbox(ctx, r.ID, i+1, []byte("{}"))
		require.NoError(t, err)
		require.NoError(t, b.Records.AppendedOutbox(ctx, r.ID, uint64(i)))
	}
	_, err = b.Records.EndErasure(ctx, e.Erasure, b.Clock.Now())
	require.NoError(t, err)
	next := b.Submit(b.Flag(1, "after"))
	require.NotEqual(t, ref, next)
	c, err := b.Records.Case(ctx, next)
	require.NoError(t, err)
	require.Equal(t, []any{2, ref}, []any{c.Ordinal, c.Previous})
	require.Equal(t, ref, b.Submit(before))
}
