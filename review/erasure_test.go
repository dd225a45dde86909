package review_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

func byCase(ref casefile.CaseRef) review.AccountNamed { return review.AccountNamed{Case: ref} }

func TestHolds(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	until := b.Clock.Now().Add(90 * 24 * time.Hour)
	call := review.HoldCall{AccountNamed: byCase(ref), Basis: "[an order of a court]", Until: until, Key: "k"}
	for _, login := range []string{"rev1", "senior", "auditor", "admin", "detector"} {
		_, err := b.Desk.AddHold(ctx, b.Who(login), call)
		require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), login)
	}
	held, err := b.Desk.AddHold(ctx, b.Who("lead"), call)
	require.NoError(t, err)
	require.Equal(t, review.HoldView{
		Hold: held.Hold, Platform: reviewtest.Platform, Case: ref, By: b.Who("lead").Person, At: b.Clock.Now(), Until: until, Stands: true, Basis: "[an order of a court]",
	}, held)
	again, err := b.Desk.AddHold(ctx, b.Who("lead"), call)
	require.NoError(t, err)
	require.Equal(t, held, again, "the same key counts once")
	row, err := b.Records.Hold(ctx, held.Hold)
	require.NoError(t, err)
	require.NotContains(t, string(row.Basis), "order")

	b.Clock.Add(time.Minute)
	flag := b.Flag(1, "x")
	call = review.HoldCall{AccountNamed: review.AccountNamed{Platform: flag.Platform, Account: flag.Account.ID}, Basis: "[another]", Until: until.Add(time.Hour)}
	second, err := b.Desk.AddHold(ctx, b.Who("policy"), call)
	require.NoError(t, err)
	list, err := b.Desk.Holds(ctx, b.Who("auditor"), "")
	require.NoError(t, err)
	require.Equal(t, []review.HoldView{held, second}, list)
	view := show(t, b, "rev1", ref)
	require.Equal(t, []review.HoldMark{{Hold: held.Hold, Until: until}, {Hold: second.Hold, Until: until.Add(time.Hour)}}, view.Data.Holds)

	_, err = b.Desk.EndHold(ctx, b.Who("policy"), review.EndHoldCall{AccountNamed: byCase(ref), Reason: "[lifted]"})
	require.Equal(t, []string{"hold"}, fields(err), "which of the two")
	ended, err := b.Desk.EndHold(ctx, b.Who("policy"), review.EndHoldCall{AccountNamed: byCase(ref), Hold: held.Hold, Reason: "[lifted]"})
	require.NoError(t, err)
	require.False(t, ended.Stands)
	require.Equal(t, "[lifted]", ended.EndReason)
	_, err = b.Desk.EndHold(ctx, b.Who("policy"), review.EndHoldCall{AccountNamed: byCase(ref), Reason: "[lifted]"})
	require.NoError(t, err)
	_, err = b.Desk.EndHold(ctx, b.Who("policy"), review.EndHoldCall{AccountNamed: byCase(ref), Reason: "[lifted]"})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	list, err = b.Desk.Holds(ctx, b.Who("lead"), ref)
	require.NoError(t, err)
	require.Len(t, list, 2)

	for name, c := range map[string]struct {
		call  review.HoldCall
		code  casefile.Code
		field string
	}{
		"no basis":           {review.HoldCall{AccountNamed: byCase(ref), Until: until}, casefile.CodeInvalid, "basis"},
		"no time ahead":      {review.HoldCall{AccountNamed: byCase(ref), Basis: "x", Until: b.Clock.Now()}, casefile.CodeInvalid, "until"},
		"nobody named":       {review.HoldCall{Basis: "x", Until: until}, casefile.CodeInvalid, "case"},
		"named twice":        {review.HoldCall{AccountNamed: review.AccountNamed{Case: ref, Account: "a"}, Basis: "x", Until: until}, casefile.CodeInvalid, "case"},
		"no platform":        {review.HoldCall{AccountNamed: review.AccountNamed{Account: "a"}, Basis: "x", Until: until}, casefile.CodeInvalid, "platform"},
		"an unknown account": {review.HoldCall{AccountNamed: review.AccountNamed{Platform: "synthetic", Account: "nobody"}, Basis: "x", Until: until}, casefile.CodeNotFound, ""},
	} {
		_, err = b.Desk.AddHold(ctx, b.Who("policy"), c.call)
		require.Equal(t, c.code, casefile.ErrorCode(err), name)
		if c.field != "" {
			require.Equal(t, []string{c.field}, fields(err), name)
		}
	}
}

// TestPromise09EraseIsRefused: with every reason, in words and by its code.
func TestPromise09EraseIsRefused(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	call := review.EraseCall{AccountNamed: byCase(ref), Reason: "[a request]", Key: "k"}
	for _, login := range []string{"rev1", "senior", "lead", "auditor", "admin", "detector"} {
		_, err := b.Desk.Erase(ctx, b.Who(login), call)
		require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), login)
	}
	number := claim(t, b, "rev1", ref)
	_, err := b.Desk.Opinion(ctx, b.Who("rev1"), review.OpinionCall{VerbCall: verb(ref), Claim: number, EvidenceRevision: 1, Form: reviewtest.Form(casefile.L3, post)})
	require.NoError(t, err)
	_, err = b.Desk.Erase(ctx, b.Who("policy"), call)
	require.Equal(t, []string{"decision"}, fields(err))
	require.NoError(t, b.Workflows.CarryOut(ctx, ref))
	_, err = b.Desk.AddHold(ctx, b.Who("policy"), review.HoldCall{AccountNamed: byCase(ref), Basis: "[an order]", Until: b.Clock.Now().Add(time.Hour)})
	require.NoError(t, err)
	_, err = b.Desk.Erase(ctx, b.Who("policy"), call)
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	require.Subset(t, fields(err), []string{"appeal_until", "hold"})
	var barred *review.BarredError
	require.True(t, errors.As(err, &barred))
	for _, r := range barred.Reasons {
		require.Contains(t, err.Error(), review.BarWords(r))
	}
	list, _, err := b.Desk.Erasures(ctx, b.Who("policy"), 0, 0)
	require.NoError(t, err)
	require.Empty(t, list, "nothing was begun")
}

// TestPromise09Erase: asked for again it is the same, and the case shows codes alone.
func TestPromise09Erase(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	call := review.EraseCall{AccountNamed: byCase(ref), Reason: "[a request]"}
	e, err := b.Desk.Erase(ctx, b.Who("policy"), call)
	require.NoError(t, err)
	require.Equal(t, casefile.ErasureClosing, e.State)
	require.Equal(t, "[a request]", e.Reason)
	again, err := b.Desk.Erase(ctx, b.Who("policy"), call)
	require.NoError(t, err)
	require.Equal(t, e, again)
	require.Equal(t, casefile.ErasureClosing, show(t, b, "rev1", ref).Data.Erasing)
	_, err = b.Desk.AddHold(ctx, b.Who("policy"), review.HoldCall{AccountNamed: byCase(ref), Basis: "[an order]", Until: b.Clock.Now().Add(time.Hour)})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err), "it is too late")
	list, next, err := b.Desk.ErasedAccounts(ctx, b.Who("detector"), 0, 0)
	require.NoError(t, err)
	require.Empty(t, list)
	require.Zero(t, next, "it is told once the key is gone")

	number := claim(t, b, "rev1", ref)
	_, err = b.Desk.Close(ctx, b.Who("rev1"), review.CloseCall{VerbCall: verb(ref), Claim: number, EvidenceRevision: 1, Reason: casefile.CloseTest})
	require.NoError(t, err)
	_, err = b.Records.DestroyAccount(ctx, e.Erasure, b.Clock.Now())
	require.NoError(t, err)
	view := show(t, b, "rev1", ref)
	require.Equal(t, b.Clock.Now(), *view.Data.ErasedAt)
	require.Empty(t, view.Evidence)
	require.Empty(t, view.Handle, "though the key is in this process's memory still")
	require.Contains(t, view.Missing[0], "erased")
	_, err = b.Desk.Reopen(ctx, b.Who("senior"), verb(ref))
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	list, next, err = b.Desk.ErasedAccounts(ctx, b.Who("detector"), 0, 0)
	require.NoError(t, err)
	flag := b.Flag(1, "x")
	require.Equal(t, []review.ErasedAccount{{Seq: next, Platform: flag.Platform, Account: b.Identity.Account(flag.Ref()), At: b.Clock.Now()}}, list)
	_, _, err = b.Desk.ErasedAccounts(ctx, b.Who("lead"), 0, 0)
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	shown, err := b.Desk.Erasure(ctx, b.Who("auditor"), e.Erasure)
	require.NoError(t, err)
	require.Equal(t, []any{casefile.ErasureDestroyed, 1, 1}, []any{shown.State, shown.Cases, shown.Flags})
	_, err = b.Desk.Erasure(ctx, b.Who("auditor"), "none")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
}
