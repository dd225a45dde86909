package activities_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/workflows"
)

func TestTakeInOpensACase(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account := b.key("a-17")
	first, second := b.submit(flagOf("f1")), b.submit(flagOf("f2"))
	a := b.take(account, first, second)
	require.NotEmpty(t, a.Ref)
	require.Equal(t, 1, a.Ordinal)
	require.Equal(t, morning, a.OpenedAt)
	require.Empty(t, a.Previous)
	require.Zero(t, a.Revision)
	require.Len(t, a.Taken, 2)
	for i, key := range []casefile.FlagKey{first, second} {
		row, err := b.records.Flag(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, records.FlagAccepted, row.Status)
		require.Equal(t, a.Ref, row.Case)
		require.Equal(t, workflows.TakenFlag{Flag: key, Digest: row.Digest}, a.Taken[i])
	}
	require.Empty(t, b.dropped(), "nothing was dropped")
}

// dropped are the flags whose dropping waits to go on the ledger.
func (b *bed) dropped() []map[string]string {
	b.t.Helper()
	rows, err := b.records.Unappended(b.t.Context(), 100)
	require.NoError(b.t, err)
	var out []map[string]string
	for _, row := range rows {
		require.Equal(b.t, casefile.EntryFlagDropped, row.Type)
		require.Equal(b.t, casefile.System, row.Actor)
		body := map[string]string{}
		require.NoError(b.t, json.Unmarshal(row.Body, &body))
		out = append(out, body)
	}
	return out
}

// TestTakeInAgain: an attempt whose answer was lost is answered the same, so that its flags are new
// to the workflow and reach assessment and ledger; once they were shown in the queue, they are not.
func TestTakeInAgain(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account := b.key("a-17")
	opening, with := b.submit(flagOf("f1")), b.submit(flagOf("f2"))
	a := b.take(account, opening, with)
	b.pass(time.Minute)
	require.Equal(t, a, b.take(account, opening, with), "the lost answer of the opening")

	l := &life{bed: b, account: account}
	l.taken(a)
	shown := b.take(account, opening, with)
	require.Equal(t, a.Ref, shown.Ref)
	require.Len(t, shown.Taken, 2)

	later := b.submit(flagOf("f3"))
	merged := b.take(account, later)
	require.Equal(t, a.Ref, merged.Ref)
	require.Len(t, b.take(account, later, opening).Taken, 2, "the lost answer of a merge")
	require.Empty(t, b.dropped())
}

func TestTakeInDrops(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account := b.key("a-17")
	closed := b.begin(flagOf("f1"))
	old := b.identity.Flag(platform, "f1")
	closed.close(casefile.CloseDuplicate)
	other := b.submit(casefile.Flag{ID: "f2", Platform: platform, Account: casefile.Account{ID: "a-18"}, Detector: casefile.Detector{Name: "test", Version: "1"},
		Reasons: []casefile.Reason{{Rule: "r", Policy: casefile.VE08, Weight: 1}}, At: morning})
	unknown := b.identity.Flag(platform, "never handed in")

	a := b.take(account, old, other, unknown, "Words of a person\n{\"level\":\"ERROR\"}")
	require.Empty(t, a.Ref, "no case was opened")
	require.Empty(t, a.Taken)
	require.Equal(t, []map[string]string{
		{"platform": platform, "flag": string(old), "why": "other"},
		{"platform": platform, "flag": string(other), "why": "no_row"},
		{"platform": platform, "flag": string(unknown), "why": "no_row"},
		{"platform": platform, "flag": "", "why": "no_row"},
	}, b.dropped(), "each is recorded, and a forged key's words are not")
	require.NotContains(t, b.said.String(), "Words of a person")
	cases, err := b.records.AccountCases(t.Context(), account)
	require.NoError(t, err)
	require.Len(t, cases, 1)
	row, err := b.records.Flag(t.Context(), other)
	require.NoError(t, err)
	require.Equal(t, records.FlagPending, row.Status, "another account's flag waits for its own workflow")

	good := b.submit(flagOf("f3"))
	mixed := b.take(account, unknown, good, old)
	require.Len(t, mixed.Taken, 1)
	require.Equal(t, good, mixed.Taken[0].Flag)
	require.Equal(t, 2, mixed.Ordinal)
	require.Equal(t, closed.s.Ref, mixed.Previous)
	require.NotEqual(t, closed.s.Ref, mixed.Ref)
}

// TestTakeInAfterALostRun: the counters go on where records last saw them, and no claim's number is
// given twice.
func TestTakeInAfterALostRun(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1"))
	flag := b.identity.Flag(platform, "f1")
	claim := func(n int) {
		l.s.State, l.s.Claims = casefile.StateClaimed, n
		l.s.Claim = &casefile.Claim{Number: n, Person: "p-anna0000", Role: casefile.RoleReviewer, GrantedAt: b.clock(), ExpiresAt: b.clock().Add(time.Minute)}
		l.project(workflows.ProjectAsk{})
	}
	release := func() {
		l.s.State, l.s.Claim = casefile.StateQueued, nil
		l.project(workflows.ProjectAsk{})
	}
	claim(1)
	release()
	claim(2)
	a := b.take(l.account, flag)
	require.Equal(t, 2, a.LastClaim)
	require.Equal(t, l.s.Revision, a.Revision)
	require.Equal(t, l.s.EvidenceRevision, a.EvidenceRevision)
	require.Equal(t, 2, l.s.Chain.Seq)
	head, err := b.led.ChainHead(t.Context(), workflows.ChainHeadAsk{Chain: casefile.CaseChain(a.Ref)})
	require.NoError(t, err)
	require.Equal(t, workflows.ChainHeadAnswer{Seq: l.s.Chain.Seq, Hash: l.s.Chain.Hash}, head, "where a lost run's chain goes on")
	release()
	require.GreaterOrEqual(t, b.take(l.account, flag).LastClaim, 2, "the claim has ended, its number is used up")
}

// taking stands before a store and refuses case numbers, or everything.
type taking struct {
	records.Store
	conflicts int
	err       error
	proposed  map[casefile.CaseRef]bool
}

func (s *taking) TakeIn(ctx context.Context, platform string, account casefile.AccountKey, flag casefile.FlagKey, propose casefile.CaseRef, now time.Time) (records.TakenIn, error) {
	if s.err != nil {
		return records.TakenIn{}, s.err
	}
	s.proposed[propose] = true
	if s.conflicts > 0 {
		s.conflicts--
		return records.TakenIn{}, casefile.Errorf(casefile.CodeConflict, "taken")
	}
	return s.Store.TakeIn(ctx, platform, account, flag, propose, now)
}

func TestTakeInProposesAnotherNumber(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account, flag := b.key("a-17"), b.submit(flagOf("f1"))
	s := &taking{Store: b.records, conflicts: 3, proposed: map[casefile.CaseRef]bool{}}
	b.work.Records = s
	_, err := b.work.TakeIn(t.Context(), workflows.TakeInAsk{Platform: platform, Account: account, Flags: []casefile.FlagKey{flag}})
	requireCode(t, casefile.CodeConflict, err)
	require.Len(t, s.proposed, 3, "a new number each time")
	s.conflicts = 2
	require.NotEmpty(t, b.take(account, flag).Ref)
	require.Len(t, s.proposed, 6)

	s.err = casefile.Errorf(casefile.CodeUnavailable, "the database is down")
	_, err = b.work.TakeIn(t.Context(), workflows.TakeInAsk{Platform: platform, Account: account, Flags: []casefile.FlagKey{flag}})
	requireCode(t, casefile.CodeUnavailable, err)
}
