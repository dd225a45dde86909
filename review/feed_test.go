package review_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

// decide opens the case of account n and has one person decide it.
func decide(t *testing.T, b *reviewtest.Bench, n int, action casefile.Action) casefile.CaseRef {
	t.Helper()
	ref, post := b.Open(n)
	form := reviewtest.Form(action, post)
	if action == casefile.L0 {
		form.Policies, form.Relied = []casefile.PolicyCode{casefile.VE00}, nil
	}
	_, err := b.Desk.Opinion(t.Context(), b.Who("rev1"), review.OpinionCall{VerbCall: verb(ref), Claim: claim(t, b, "rev1", ref), EvidenceRevision: 1, Form: form})
	require.NoError(t, err)
	return ref
}

// feed asks for a part of the feed.
func feed(t *testing.T, b *reviewtest.Bench, who access.Who, after int64, limit int) review.DecisionFeed {
	t.Helper()
	out, err := b.Desk.DecisionsAfter(t.Context(), who, after, limit, 0)
	require.NoError(t, err)
	return out
}

// TestFeedGoesByTheLog: decisions come in the order of their entries, whichever is proven first in the
// records, so that no reader misses one; one whose proof never comes holds up none.
func TestFeedGoesByTheLog(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), t.Context()
	l := b.WithLedger()
	who := b.Add("taker", access.TakedownTeam, casefile.RoleService)
	require.Equal(t, review.DecisionFeed{Decisions: []review.ProvenDecision{}, Next: review.FeedFrom}, feed(t, b, who, review.FeedFrom, 0), "no checkpoint yet")

	first, second := decide(t, b, 1, casefile.L3), decide(t, b, 2, casefile.L5)
	early, err := b.Workflows.Append(ctx, first)
	require.NoError(t, err)
	require.NoError(t, b.Workflows.CarryOut(ctx, second))
	got := feed(t, b, who, review.FeedFrom, 0)
	require.Empty(t, got.Decisions, "the second waits for the first, which stands before it in the log")
	require.EqualValues(t, early.Index-1, got.Next)
	require.NoError(t, b.Workflows.CarryOut(ctx, first))
	got = feed(t, b, who, got.Next, 0)
	require.Len(t, got.Decisions, 2)
	require.Equal(t, []casefile.CaseRef{first, second}, []casefile.CaseRef{got.Decisions[0].Decision.Case, got.Decisions[1].Decision.Case})
	require.Equal(t, early.Index, got.Decisions[0].Index)
	require.Equal(t, &casefile.AccountRef{Platform: reviewtest.Platform, ID: "account-1"}, got.Decisions[0].Account)
	require.Equal(t, casefile.DecisionDone, got.Decisions[0].State)
	size, err := l.Size(ctx)
	require.NoError(t, err)
	require.EqualValues(t, size-1, got.Next)
	require.Empty(t, feed(t, b, who, got.Next, 0).Decisions)

	// In parts, each behind the former's cursor.
	one := feed(t, b, who, review.FeedFrom, 1)
	require.Len(t, one.Decisions, 1)
	require.EqualValues(t, early.Index, one.Next)
	require.Equal(t, got.Decisions[1:], feed(t, b, who, one.Next, 1).Decisions)

	// A run that was lost behind the append: the case is judged anew, and the others do not wait.
	lost, behind := decide(t, b, 3, casefile.L3), decide(t, b, 4, casefile.L3)
	receipt, err := b.Workflows.Append(ctx, lost)
	require.NoError(t, err)
	require.NoError(t, b.Workflows.CarryOut(ctx, behind))
	require.Empty(t, feed(t, b, who, got.Next, 0).Decisions)
	require.NoError(t, b.Workflows.Restarted(ctx, lost, receipt))
	size, err = l.Size(ctx)
	require.NoError(t, err)
	_, err = l.Prove(ctx, size-1)
	require.NoError(t, err)
	got = feed(t, b, who, got.Next, 0)
	require.Len(t, got.Decisions, 1)
	require.Equal(t, behind, got.Decisions[0].Decision.Case)
}

// TestFeedOpensItsEntry: with what an item holds and without any key, its entry's bytes are built again.
func TestFeedOpensItsEntry(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), t.Context()
	b.WithLedger()
	who := b.Add("taker", access.TakedownTeam, casefile.RoleService)
	require.NoError(t, b.Workflows.CarryOut(ctx, decide(t, b, 1, casefile.L3)))
	item := feed(t, b, who, review.FeedFrom, 0).Decisions[0]
	entry, err := casefile.ParseEntry(item.Bundle.Entry)
	require.NoError(t, err)
	at, err := time.Parse(casefile.TimeFormat, entry.At)
	require.NoError(t, err)
	given := salts{}
	for _, s := range item.Salts {
		given[string(s.Event)+" "+s.Label] = s.Salt
	}
	rebuild := func() []byte {
		fixed, err := casefile.FixEntry(casefile.Draft{Type: casefile.EntryDecision, Actor: entry.Actor, Decision: item.Decision},
			casefile.Position{Event: entry.Event, Prev: entry.Prev, Cause: entry.Cause, At: at}, given, *item.Account)
		require.NoError(t, err)
		return fixed.Data
	}
	require.Equal(t, item.Bundle.Entry, rebuild())
	require.Len(t, given, 4, "those of the account, the opinion, its form and its notice, and no other")
	item.Account.ID = "account-2"
	require.NotEqual(t, item.Bundle.Entry, rebuild())
}

type salts map[string][]byte

func (s salts) Salt(event casefile.EventID, label string) []byte {
	return s[string(event)+" "+label]
}

// erased is a sealed store from which one account was erased.
type erased struct {
	evidence.Sealer
	account casefile.AccountKey
}

func (e erased) Salter(ctx context.Context, account casefile.AccountKey) (casefile.Salter, error) {
	if account == e.account {
		return nil, casefile.Errorf(casefile.CodeNotFound, "no content key")
	}
	return e.Sealer.Salter(ctx, account)
}

// TestFeedWithholds: to whom an account is nothing, entry and proof alone are given; what is given is on
// record, and nothing else is.
func TestFeedWithholds(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), t.Context()
	b.WithLedger()
	takedown := b.Add("taker", access.TakedownTeam, casefile.RoleService)
	safety := b.Add("safety-hash", casefile.ReferChildSafety.Team(), casefile.RoleService)
	refs := []casefile.CaseRef{decide(t, b, 1, casefile.L0)}
	ref, post := b.Open(2)
	number := claim(t, b, "rev1", ref)
	refer(t, b, "rev1", ref, number, casefile.ReferChildSafety)
	_, err := b.Desk.Opinion(ctx, b.Who("rev1"), review.OpinionCall{VerbCall: verb(ref), Claim: number, EvidenceRevision: 1, Form: reviewtest.Form(casefile.L5, post)})
	require.NoError(t, err)
	refs = append(refs, ref, decide(t, b, 3, casefile.L5), decide(t, b, 4, casefile.L3))
	for _, r := range refs {
		require.NoError(t, b.Workflows.CarryOut(ctx, r))
	}
	gone, err := b.Records.Case(ctx, refs[2])
	require.NoError(t, err)
	o := b.Options
	o.Sealer = erased{Sealer: b.Sealer, account: gone.Account}
	b.Desk = review.New(o)

	for _, c := range []struct {
		who  access.Who
		want []review.Withheld
	}{
		{takedown, []review.Withheld{review.WithheldNoAct, review.WithheldAnotherTeam, review.WithheldErased, ""}},
		{safety, []review.Withheld{review.WithheldNoAct, "", review.WithheldAnotherTeam, review.WithheldAnotherTeam}},
	} {
		got := feed(t, b, c.who, review.FeedFrom, 0)
		require.Len(t, got.Decisions, len(c.want))
		var given []casefile.CaseRef
		for i, item := range got.Decisions {
			require.Equal(t, c.want[i], item.Withheld, i)
			require.NotEmpty(t, item.Bundle.Entry)
			if item.Withheld == "" {
				given = append(given, refs[i])
				require.NotNil(t, item.Account)
				continue
			}
			require.Nil(t, item.Account)
			require.Nil(t, item.Decision)
			require.Empty(t, item.Salts)
			require.NotContains(t, string(b.JSON(item)), "account-")
		}
		looks, _, err := b.Desk.Views(ctx, b.Who("auditor"), "", 0, 200)
		require.NoError(t, err)
		var on []casefile.CaseRef
		for _, look := range looks {
			if look.Person == c.who.Person {
				require.Equal(t, "takedown", look.Purpose)
				on = append(on, look.Case)
			}
		}
		require.Equal(t, given, on)
	}
	for _, login := range []string{"detector", "lead", "auditor", "admin", "safety"} {
		_, err := b.Desk.DecisionsAfter(ctx, b.Who(login), review.FeedFrom, 0, 0)
		require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), login)
	}
	_, err = b.Desk.DecisionsAfter(ctx, takedown, -2, 0, 0)
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	o.Published = nil
	_, err = review.New(o).DecisionsAfter(ctx, takedown, review.FeedFrom, 0, 0)
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
}

// looks is a published log that tells when its size was asked for.
type looks struct {
	review.PublishedLog
	at chan struct{}
}

func (l looks) Size(ctx context.Context) (uint64, error) {
	size, err := l.PublishedLog.Size(ctx)
	l.at <- struct{}{}
	return size, err
}

// TestFeedWaits: a call waits for a decision and is answered as soon as there is one; the time that it
// waits has an end.
func TestFeedWaits(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), t.Context()
	b.WithLedger()
	who := b.Add("taker", access.TakedownTeam, casefile.RoleService)
	ref := decide(t, b, 1, casefile.L3)
	looked := looks{PublishedLog: b.Options.Published, at: make(chan struct{}, 100)}
	b.Options.Published = looked
	b.Desk = review.New(b.Options)
	answered := make(chan review.DecisionFeed, 1)
	started := time.Now()
	go func() {
		got, err := b.Desk.DecisionsAfter(ctx, who, review.FeedFrom, 0, review.MaxFeedWait)
		if err == nil {
			answered <- got
		}
		close(answered)
	}()
	<-looked.at
	require.NoError(t, b.Workflows.CarryOut(ctx, ref))
	got := <-answered
	require.Len(t, got.Decisions, 1)
	require.Less(t, time.Since(started), review.MaxFeedWait)

	got, err := b.Desk.DecisionsAfter(ctx, who, got.Next, 0, time.Millisecond)
	require.NoError(t, err)
	require.Empty(t, got.Decisions)
}
