package activities_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/activities"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

func TestProject(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	row := func() records.Case {
		c, err := b.records.Case(t.Context(), l.s.Ref)
		require.NoError(t, err)
		return c
	}
	shown := row()
	require.Equal(t, casefile.StateQueued, shown.State)
	require.Equal(t, 1, shown.Revision)
	require.Equal(t, 1, shown.EvidenceRevision)
	require.Equal(t, 1, shown.Flags)
	require.Equal(t, l.s.Route, shown.Route)
	require.Equal(t, l.s.Findings, shown.Findings)
	receipt, err := b.records.Flag(t.Context(), b.identity.Flag(platform, "f1"))
	require.NoError(t, err)
	require.NotNil(t, receipt.QueuedAt)

	claimed := l.s
	claimed.Revision, claimed.State = 2, casefile.StateClaimed
	claimed.Claim = &casefile.Claim{Number: 1, Person: "p-anna0000", Role: casefile.RoleReviewer, GrantedAt: b.clock(), ExpiresAt: b.clock().Add(time.Minute)}
	ask := workflows.ProjectAsk{Platform: platform, Account: l.account, State: claimed}
	require.NoError(t, b.work.Project(t.Context(), ask))
	require.Equal(t, claimed.Claim, row().Claim)
	for _, older := range []int{1, 2} {
		ask.State = l.s
		ask.State.Revision = older
		require.NoError(t, b.work.Project(t.Context(), ask))
		require.Equal(t, casefile.StateClaimed, row().State, "an older or equal revision changes nothing")
	}
	ask.State.Revision = 3
	ask.Account = b.key("a-18")
	requireCode(t, casefile.CodeConflict, b.work.Project(t.Context(), ask))
}

// TestProjectDecision follows a decision's row from its grace to its proof; once the case is closed
// the row is its takedown's alone.
func TestProjectDecision(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	row := func() records.DecisionRow {
		r, err := b.records.Decision(t.Context(), in.Decision.ID)
		require.NoError(t, err)
		return r
	}
	recorded := row()
	require.Equal(t, casefile.DecisionRecorded, recorded.State)
	require.Equal(t, casefile.NewEventID(casefile.CaseChain(l.s.Ref), 4), recorded.Event)
	require.Equal(t, casefile.EntryHash(in.Bundle.Entry), recorded.Hash)
	require.Equal(t, in.Bundle, *recorded.Bundle)
	opinions, err := b.records.Opinions(t.Context(), l.s.Ref)
	require.NoError(t, err)
	require.Len(t, opinions, 1)

	require.NoError(t, b.records.AdvanceDecision(t.Context(), in.Decision.ID, casefile.DecisionExecuting, "", nil, b.clock()))
	executing := row()
	l.close(casefile.CloseDecided)
	require.Equal(t, executing, row())
	c, err := b.records.Case(t.Context(), l.s.Ref)
	require.NoError(t, err)
	require.Equal(t, in.Decision.ID, c.Decision)
	require.Equal(t, casefile.StateClosed, c.State)
	require.Equal(t, b.clock(), *c.ClosedAt)
}

func TestProjectWithdrawnDecision(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	o := l.opinion("p-anna0000", judgement(casefile.L5), "p1")
	d := casefile.Decision{ID: o.ID, Case: l.s.Ref, Platform: platform, Account: l.account, Judgement: o.Judgement, DecidedBy: casefile.ByOneOpinion,
		DecidedAt: b.clock(), Opinions: []casefile.Opinion{o}, OpinionEvents: []casefile.EventID{casefile.NewEventID(casefile.CaseChain(l.s.Ref), 3)}}
	l.s.Decision, l.s.State, l.s.DecisionState = &d, casefile.StateDecided, casefile.DecisionGrace
	l.project(workflows.ProjectAsk{Opinions: []casefile.Opinion{o}})
	c, err := b.records.Case(t.Context(), l.s.Ref)
	require.NoError(t, err)
	require.Equal(t, d.ID, c.Decision)

	l.s.State, l.s.DecisionState = casefile.StateQueued, casefile.DecisionWithdrawn
	l.project(workflows.ProjectAsk{})
	c, err = b.records.Case(t.Context(), l.s.Ref)
	require.NoError(t, err)
	require.Empty(t, c.Decision, "the case stands undecided again")
	row, err := b.records.Decision(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, casefile.DecisionWithdrawn, row.State, "the withdrawn one stays on record")
}

func TestFixEntries(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	o := l.opinion("p-anna0000", judgement(casefile.L5), "p1")
	d := casefile.Decision{ID: o.ID, Case: l.s.Ref, Platform: platform, Account: l.account, Judgement: o.Judgement, DecidedBy: casefile.ByOneOpinion,
		DecidedAt: b.clock(), Opinions: []casefile.Opinion{o}, OpinionEvents: []casefile.EventID{"takedown.D/1"}}
	ask := workflows.FixEntriesAsk{Platform: platform, Account: l.account, Prev: "before", Cause: "cause", Drafts: []workflows.PendingDraft{
		{Event: "takedown.D/1", At: b.clock(), Draft: casefile.Draft{Type: casefile.EntryOpinion, Actor: casefile.System, Opinion: &o}},
		{Event: "takedown.D/2", At: b.clock(), Draft: casefile.Draft{Type: casefile.EntryDecision, Actor: casefile.System, Decision: &d}},
		{Event: "takedown.D/3", At: b.clock(), Draft: casefile.Draft{Type: casefile.EntryClosed, Actor: casefile.System, Closed: &casefile.ClosedBody{Reason: casefile.CloseDecided}}},
	}}
	fixed, err := b.work.FixEntries(t.Context(), ask)
	require.NoError(t, err)
	require.Len(t, fixed, 3)
	prev, cause := "before", "cause"
	for i, f := range fixed {
		e, err := casefile.ParseEntry(f.Data)
		require.NoError(t, err)
		require.Equal(t, ask.Drafts[i].Event, e.Event)
		require.Equal(t, prev, e.Prev, "each entry names the one before")
		require.Equal(t, cause, e.Cause, "the first alone names its cause")
		prev, cause = f.Hash(), ""
	}
	salter, err := b.sealer.Salter(t.Context(), l.account)
	require.NoError(t, err)
	same, err := casefile.FixEntry(ask.Drafts[1].Draft, casefile.Position{Event: "takedown.D/2", Prev: fixed[0].Hash(), At: b.clock()}, salter, b.account("a-17"))
	require.NoError(t, err)
	require.Equal(t, same, fixed[1], "the decision's entry names the account by its own id")
	b.pass(time.Minute)
	again, err := b.work.FixEntries(t.Context(), wire(t, ask))
	require.NoError(t, err)
	require.Equal(t, fixed, again, "the same drafts give the same bytes at any time")

	ask.Account = b.key("a-404")
	_, err = b.work.FixEntries(t.Context(), ask)
	requireCode(t, casefile.CodeNotFound, err)
	ask.Account = l.account
	ask.Drafts[2].Draft.Closed = nil
	_, err = b.work.FixEntries(t.Context(), ask)
	requireCode(t, casefile.CodeInternal, err)
}

func TestAppend(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1"))
	ask := workflows.FixEntriesAsk{Platform: platform, Account: l.account, Prev: l.s.Chain.Hash}
	for i := range 3 {
		ask.Drafts = append(ask.Drafts, workflows.PendingDraft{Event: casefile.NewEventID(l.s.Chain.Name, l.s.Chain.Seq+1+i), At: b.clock(),
			Draft: casefile.Draft{Type: casefile.EntryClosed, Actor: casefile.System, Closed: &casefile.ClosedBody{Reason: casefile.CloseTest}}})
	}
	fixed, err := b.work.FixEntries(t.Context(), ask)
	require.NoError(t, err)
	plain, err := b.led.Append(t.Context(), workflows.AppendAsk{Entries: fixed})
	require.NoError(t, err)
	require.Nil(t, plain.Bundle)
	proven, err := b.led.Append(t.Context(), workflows.AppendAsk{Entries: fixed, Prove: fixed[1].Event})
	require.NoError(t, err)
	require.Equal(t, plain.Receipts, proven.Receipts, "equal entries get their old receipts")
	require.Equal(t, fixed[1].Data, proven.Bundle.Entry, "the entry asked for is the one proven")
	require.Equal(t, plain.Receipts[1].Index, proven.Bundle.Index)
	for i, r := range plain.Receipts {
		require.Equal(t, casefile.Receipt{Event: fixed[i].Event, Hash: fixed[i].Hash(), Index: plain.Receipts[0].Index + uint64(i)}, r)
	}
	_, err = b.led.Append(t.Context(), workflows.AppendAsk{Entries: []casefile.FixedEntry{{Event: fixed[2].Event, Data: fixed[1].Data}}})
	requireCode(t, casefile.CodeUnavailable, err)
}

func TestFinish(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		action  casefile.Action
		state   casefile.DecisionState
		strikes int
		alike   int
	}{
		"a warning":                {casefile.L1, casefile.DecisionDone, 0, 0},
		"a removal":                {casefile.L4, casefile.DecisionDone, 1, 0},
		"a suspension":             {casefile.L5, casefile.DecisionDone, 1, 1},
		"a suspension in doubt":    {casefile.L5, casefile.DecisionUncertain, 0, 0},
		"a suspension that failed": {casefile.L5, casefile.DecisionFailed, 0, 0},
	}
	b, n := newBed(t), 0
	for name, c := range cases {
		n++
		f := flagOf(fmt.Sprintf("f%d", n), post("p1", postText, 1))
		f.Account = casefile.Account{ID: fmt.Sprintf("a-%d", n), Handle: strings.Repeat(string(rune('a'+n)), 9)}
		f.Evidence[0].Account.ID = f.Account.ID
		t.Run(name, func(t *testing.T) {
			l := b.begin(f)
			in := l.decide(l.opinion("p-anna0000", judgement(c.action), "p1"))
			b.prepared(in)
			finish := workflows.FinishAsk{Decision: in.Decision, State: c.state, Why: "a_code"}
			for range 2 {
				require.NoError(t, b.work.Finish(t.Context(), finish))
			}
			row, err := b.records.Decision(t.Context(), in.Decision.ID)
			require.NoError(t, err)
			require.Equal(t, c.state, row.State)
			require.Equal(t, "a_code", row.Why)
			strikes, err := b.records.Strikes(t.Context(), l.account, b.clock())
			require.NoError(t, err)
			require.Len(t, strikes, c.strikes)
			for _, s := range strikes {
				require.Equal(t, in.Decision.DecidedAt, s.At, "a strike counts from the decision")
				require.True(t, s.ExpiresAt.After(s.At))
			}
			alike, err := b.records.LookAlikes(t.Context(), b.key("another"), platform, b.identity.HandleHashes(platform, f.Account.Handle+"_back"))
			require.NoError(t, err)
			require.Len(t, alike, c.alike)
		})
	}
}

// TestFinishWithoutAHandle: an account that the stream never named is finished all the same.
func TestFinishWithoutAHandle(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	f := flagOf("f1", post("p1", postText, 1))
	f.Account.Handle = ""
	l := b.begin(f)
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	require.NoError(t, b.work.Finish(t.Context(), workflows.FinishAsk{Decision: in.Decision, State: casefile.DecisionDone}))
	require.Error(t, b.work.Finish(t.Context(), workflows.FinishAsk{Decision: casefile.Decision{ID: "none", Account: l.account}, State: casefile.DecisionDone}))

	b.work.Sealer = holes{b.sealer, map[casefile.Address]error{b.profile(l.account): casefile.Errorf(casefile.CodeUnavailable, "the store is down")}}
	requireCode(t, casefile.CodeUnavailable, b.work.Finish(t.Context(), workflows.FinishAsk{Decision: in.Decision, State: casefile.DecisionDone}))
}

func (b *bed) profile(account casefile.AccountKey) casefile.Address {
	b.t.Helper()
	row, err := b.records.Account(b.t.Context(), account)
	require.NoError(b.t, err)
	return row.Profile
}

// TestSealedThingsThatDoNotDecode say so without what they hold.
func TestSealedThingsThatDoNotDecode(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account := b.key("a-17")
	ref := b.take(account, b.submit(flagOf("f1"))).Ref
	words, _ := b.seal(account, evidence.KindFlag, []string{"words of a person"})
	_, _, err := b.records.PutFlag(t.Context(), records.FlagReceipt{Flag: "bad", Account: account, Platform: platform, Digest: "d", Sealed: words, Source: "p-detector", At: b.clock(), Status: records.FlagPending})
	require.NoError(t, err)
	b.take(account, "bad")
	_, err = b.work.Assess(t.Context(), b.assessAsk(account, ref))
	requireCode(t, casefile.CodeInternal, err)
	require.NotContains(t, err.Error(), "words of a person")
}

// unprovable is a log that appends and proves nothing.
type unprovable struct{ activities.Log }

func (unprovable) Prove(context.Context, uint64) (casefile.Bundle, error) {
	return casefile.Bundle{}, fault
}

// TestAppendWithoutProof: no bundle, no answer; the workflow asks again.
func TestAppendWithoutProof(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1"))
	fixed, err := b.work.FixEntries(t.Context(), workflows.FixEntriesAsk{Platform: platform, Account: l.account, Prev: l.s.Chain.Hash, Drafts: []workflows.PendingDraft{{
		Event: casefile.NewEventID(l.s.Chain.Name, l.s.Chain.Seq+1), At: b.clock(),
		Draft: casefile.Draft{Type: casefile.EntryClosed, Actor: casefile.System, Closed: &casefile.ClosedBody{Reason: casefile.CloseTest}}}}})
	require.NoError(t, err)
	failing := &activities.Ledger{Log: unprovable{b.log}}
	answer, err := failing.Append(t.Context(), workflows.AppendAsk{Entries: fixed, Prove: fixed[0].Event})
	requireCode(t, casefile.CodeUnavailable, err)
	require.Zero(t, answer)
	proven, err := b.led.Append(t.Context(), workflows.AppendAsk{Entries: fixed, Prove: fixed[0].Event})
	require.NoError(t, err)
	require.NotNil(t, proven.Bundle)
}

// TestAppendFence: a number that another run's entry has is answered as taken; the same bytes again are
// there already.
func TestAppendFence(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1"))
	fix := func(reason casefile.CloseReason) []casefile.FixedEntry {
		fixed, err := b.work.FixEntries(t.Context(), workflows.FixEntriesAsk{Platform: platform, Account: l.account, Prev: l.s.Chain.Hash, Drafts: []workflows.PendingDraft{{
			Event: casefile.NewEventID(l.s.Chain.Name, l.s.Chain.Seq+1), At: b.clock(),
			Draft: casefile.Draft{Type: casefile.EntryClosed, Actor: casefile.System, Closed: &casefile.ClosedBody{Reason: reason}}}}})
		require.NoError(t, err)
		return fixed
	}
	first, second := fix(casefile.CloseTest), fix(casefile.CloseDuplicate)
	for range 2 {
		answer, err := b.led.Append(t.Context(), workflows.AppendAsk{Entries: first, Fence: true})
		require.NoError(t, err)
		require.False(t, answer.Taken)
		require.Len(t, answer.Receipts, 1)
	}
	answer, err := b.led.Append(t.Context(), workflows.AppendAsk{Entries: second, Fence: true})
	require.NoError(t, err)
	require.Equal(t, workflows.AppendAnswer{Taken: true}, answer)
	_, err = b.led.Append(t.Context(), workflows.AppendAsk{Entries: second})
	requireCode(t, casefile.CodeUnavailable, err)
}
