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

// TestTakeInAnswersWithTimesAndAuthors: the deployment's times come with the answer, never with a
// start; whoever handed a flag in is somebody who took part.
func TestTakeInAnswersWithTimesAndAuthors(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	account := b.key("a-17")
	first, second := b.submit(flagOf("f1")), b.submitAs("p-anna0000", flagOf("f2"))
	a := b.take(account, first, second, b.submit(flagOf("f3")))
	require.Equal(t, b.work.Settings, a.Settings)
	require.Equal(t, []casefile.Person{"p-detector", "p-anna0000"}, a.FlagAuthors, "each once")
	require.Nil(t, a.Proven)
	require.Empty(t, a.VoidIDs)
}

// TestTakeInAfterALostRunNobodyTouched: a case that nobody ever claimed has no claim number used up, so
// that its first touch is still waited for.
func TestTakeInAfterALostRunNobodyTouched(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1"))
	l.project(workflows.ProjectAsk{})
	a := b.take(l.account, b.identity.Flag(platform, "f1"))
	require.Equal(t, 2, a.Revision)
	require.Zero(t, a.LastClaim)
}

// TestTakeInAfterALostRunKeepsHowItWasHandled: what the records say of queue, deadlines and hand-over.
func TestTakeInAfterALostRunKeepsHowItWasHandled(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1"))
	l.project(workflows.ProjectAsk{})
	a := b.take(l.account, b.identity.Flag(platform, "f1"))
	require.Equal(t, &workflows.Kept{Queue: l.s.Queue, DueAt: l.s.Route.DueAt, DecideBy: l.s.Route.DecideBy}, a.Kept)

	until := b.clock().Add(90 * time.Hour).UTC()
	l.s.Queue, l.s.Moved, l.s.Raised, l.s.AssignedTo = "lead", true, true, "p-bert0000"
	l.s.Missed, l.s.Route.DecideBy = []casefile.DeadlineKind{casefile.DeadlineTouch}, until
	l.s.Handled = []casefile.HandlingNote{{ID: "h1", What: casefile.HandlingDeadline, Person: "p-lead0000", Role: casefile.RoleLead, At: b.clock(),
		Deadline: casefile.DeadlineDecision, Until: &until, Words: "words"}}
	l.project(workflows.ProjectAsk{})
	a = b.take(l.account, b.identity.Flag(platform, "f1"))
	require.Equal(t, &workflows.Kept{Queue: "lead", Moved: true, Raised: true, Missed: l.s.Missed, Led: []casefile.DeadlineKind{casefile.DeadlineDecision},
		DueAt: l.s.Route.DueAt, DecideBy: until, AssignedTo: "p-bert0000"}, a.Kept)
}

// TestTakeInVoidsWhatWasNotDecided: opinions of a lost run, shown or not, count no more; those of the
// round before are void already.
func TestTakeInVoidsWhatWasNotDecided(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	old, blind := l.opinion("p-anna0000", judgement(casefile.L5), "p1"), l.opinion("p-bert0000", judgement(casefile.L6), "p1")
	l.s.Opinions = []casefile.Opinion{old}
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
	l.s.Voided, l.s.Round, l.s.Opinions = []string{old.ID}, 1, nil
	l.project(workflows.ProjectAsk{})
	l.s.Opinions = []casefile.Opinion{blind}
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})

	a := b.take(l.account, b.identity.Flag(platform, "f1"))
	require.Equal(t, 1, a.Round)
	require.Equal(t, []string{blind.ID}, a.VoidIDs)

	l.s.Stage = casefile.StageAdjudication
	l.project(workflows.ProjectAsk{Opinions: l.s.Opinions})
	require.Equal(t, []string{blind.ID}, b.take(l.account, b.identity.Flag(platform, "f1")).VoidIDs, "shown or not")
}

// TestTakeInOfAProvenCase: the case of a lost run whose decision is on the ledger goes on from there,
// and takes no flag in; a forged signal does not bring it back.
func TestTakeInOfAProvenCase(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	in := l.decide(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	flag := b.submit(flagOf("f2", post("p2", "[another]", 2)))
	unknown := b.identity.Flag(platform, "never handed in")
	require.Empty(t, b.take(l.account, unknown).Ref)

	a := b.take(l.account, unknown, flag)
	require.Equal(t, l.s.Ref, a.Ref)
	require.Equal(t, l.s.Revision, a.Revision)
	require.Equal(t, l.s.EvidenceRevision, a.EvidenceRevision)
	require.Equal(t, l.s.OpenedAt, a.OpenedAt)
	require.Equal(t, b.work.Settings, a.Settings)
	require.Empty(t, a.Taken)
	require.Equal(t, in, workflows.TakedownInput(*a.Proven))
	row, err := b.records.Flag(t.Context(), flag)
	require.NoError(t, err)
	require.Equal(t, records.FlagPending, row.Status)

	l.close(casefile.CloseDecided)
	next := b.take(l.account, flag)
	require.NotEqual(t, l.s.Ref, next.Ref)
	require.Nil(t, next.Proven)
	require.Len(t, next.Taken, 1)
}

// TestTakeInOfADecisionOnTheLedger: the run was lost before the records had the proof. The log has it,
// however many runs were lost since, and the actor takes the two together.
func TestTakeInOfADecisionOnTheLedger(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	ask := workflows.ChainHeadAsk{Chain: casefile.CaseChain(l.s.Ref), Decision: true}
	head, err := b.led.ChainHead(t.Context(), ask)
	require.NoError(t, err)
	require.Nil(t, head.Decision, "nobody has decided")
	l.logged(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	for range 2 {
		a := b.take(l.account, b.identity.Flag(platform, "f1"))
		require.Empty(t, a.Taken)
		require.NotNil(t, a.Unproven)
		head, err = b.led.ChainHead(t.Context(), ask)
		require.NoError(t, err)
		require.Equal(t, a.Unproven.ID, head.Decides)
		_, err = b.actor.PrepareActs(t.Context(), workflows.PrepareActsAsk{Takedown: wire(t, workflows.TakedownInput{Decision: *a.Unproven, Bundle: *head.Decision})})
		require.NoError(t, err)
		l.append("", casefile.Draft{Type: casefile.EntryRestarted, Actor: casefile.System, Restarted: &casefile.RestartedBody{Revision: l.s.Revision}})
	}
	l.append("", casefile.Draft{Type: casefile.EntryClosed, Actor: casefile.System, Closed: &casefile.ClosedBody{Reason: casefile.CloseTest}})
	head, err = b.led.ChainHead(t.Context(), ask)
	require.NoError(t, err)
	require.Nil(t, head.Decision, "the chain went on")
}

// TestTakeInOfAWithdrawnDecision: what was withdrawn is not gone on with.
func TestTakeInOfAWithdrawnDecision(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.begin(flagOf("f1", post("p1", postText, 1)))
	l.graced(l.opinion("p-anna0000", judgement(casefile.L5), "p1"))
	a := b.take(l.account, b.identity.Flag(platform, "f1"))
	require.Nil(t, a.Proven, "it has no proof")
	require.NotNil(t, a.Unproven, "the ledger is to be asked")
	require.Empty(t, a.Taken)
	a = b.takeUndecided(l.account, b.identity.Flag(platform, "f1"))
	require.Nil(t, a.Unproven)
	require.Len(t, a.Taken, 1)
	require.Len(t, a.VoidIDs, 1)
	l.s.State, l.s.DecisionState, l.s.Voided = casefile.StateQueued, casefile.DecisionWithdrawn, a.VoidIDs
	l.project(workflows.ProjectAsk{})
	a = b.take(l.account, b.identity.Flag(platform, "f1"))
	require.Nil(t, a.Proven)
	require.Empty(t, a.VoidIDs)
	require.Len(t, a.Taken, 1)
}
