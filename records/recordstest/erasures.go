package recordstest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

var policyOne = casefile.Actor{Person: "p-policy", Role: casefile.RolePolicy}

func holdOn(id string, n int, until time.Time) records.HoldRow {
	return records.HoldRow{ID: id, Account: accountKeyOf(n), Platform: platform, Basis: []byte("sealed basis"), By: policyOne, At: at(1), Until: until}
}

func erasureOf(id string, n int, minutes int) records.ErasureRow {
	return records.ErasureRow{ID: id, Account: accountKeyOf(n), Platform: platform, Name: "name-of-account", Reason: []byte("sealed reason"), By: policyOne, At: at(minutes)}
}

// begin begins an erasure that nothing keeps.
func (b bench) begin(e records.ErasureRow) records.ErasureRow {
	b.t.Helper()
	row, bars, err := b.BeginErasure(b.ctx(), e)
	require.NoError(b.t, err)
	require.Empty(b.t, bars)
	return row
}

func (b bench) barred(n, minutes int) []casefile.ErasureReason {
	b.t.Helper()
	_, bars, err := b.BeginErasure(b.ctx(), erasureOf("e-barred", n, minutes))
	require.NoError(b.t, err)
	_, err = b.Erasure(b.ctx(), "e-barred")
	b.code(casefile.CodeNotFound, err)
	return bars
}

// appended has the ledger role append what waits.
func (b bench) appended() {
	b.t.Helper()
	rows, err := b.Unappended(b.ctx(), 100)
	require.NoError(b.t, err)
	for _, row := range rows {
		seq, _, err := b.OutboxHead(b.ctx())
		require.NoError(b.t, err)
		row, err = b.FixOutbox(b.ctx(), row.ID, seq+1, []byte("{}"))
		require.NoError(b.t, err)
		require.NoError(b.t, b.AppendedOutbox(b.ctx(), row.ID, uint64(row.Seq)))
	}
}

func holds(t *testing.T, b bench) {
	_, err := b.AddHold(b.ctx(), holdOn("h1", 1, at(100)))
	b.code(casefile.CodeNotFound, err)
	b.queued(1, case1, route("q", 1, 1, at(60)), start)
	want := holdOn("h1", 1, at(100))
	got, err := b.AddHold(b.ctx(), want)
	require.NoError(t, err)
	require.Equal(t, want, got)
	other := holdOn("h1", 1, at(900))
	got, err = b.AddHold(b.ctx(), other)
	require.NoError(t, err)
	require.Equal(t, want, got, "the same id again changes nothing")
	second, err := b.AddHold(b.ctx(), holdOn("h2", 1, at(50)))
	require.NoError(t, err)
	list, err := b.AccountHolds(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Equal(t, []records.HoldRow{want, second}, list)
	standing := func(minutes int) []string {
		rows, err := b.StandingHolds(b.ctx(), at(minutes), 10)
		require.NoError(t, err)
		var ids []string
		for _, h := range rows {
			require.True(t, h.Stands(at(minutes)))
			ids = append(ids, h.ID)
		}
		return ids
	}
	require.Equal(t, []string{"h2", "h1"}, standing(10), "the one that ends first before the others")
	require.Equal(t, []string{"h1"}, standing(50), "its time is over at its end")

	_, err = b.EndHold(b.ctx(), "none", policyOne, []byte("why"), at(20))
	b.code(casefile.CodeNotFound, err)
	_, err = b.EndHold(b.ctx(), "h1", casefile.System, []byte("why"), at(20))
	b.code(casefile.CodeInvalid, err)
	_, err = b.EndHold(b.ctx(), "h1", policyOne, nil, at(20))
	b.code(casefile.CodeInvalid, err)
	ended, err := b.EndHold(b.ctx(), "h1", policyOne, []byte("why"), at(20))
	require.NoError(t, err)
	want.EndedBy, want.EndedAt, want.EndReason = policyOne, ptr(at(20)), []byte("why")
	require.Equal(t, want, ended)
	ended, err = b.EndHold(b.ctx(), "h1", casefile.Actor{Person: "p-other", Role: casefile.RoleLead}, []byte("other"), at(30))
	require.NoError(t, err)
	require.Equal(t, want, ended, "it is ended once")
	require.Equal(t, []string{"h2"}, standing(21))
	entries := b.entries()
	require.Len(t, entries, 3)
	requireEntry(t, entries[0], casefile.EntryHold, policyOne, at(1), `{"hold":"h1","what":"added","until":"`+at(100).Format(casefile.TimeFormat)+`"}`)
	requireEntry(t, entries[2], casefile.EntryHold, policyOne, at(20), `{"hold":"h1","what":"ended","until":"`+at(100).Format(casefile.TimeFormat)+`"}`)

	for name, bad := range map[string]func(h *records.HoldRow){
		"id":    func(h *records.HoldRow) { h.ID = "" },
		"basis": func(h *records.HoldRow) { h.Basis = nil },
		"by":    func(h *records.HoldRow) { h.By = casefile.System },
		"until": func(h *records.HoldRow) { h.Until = h.At },
	} {
		h := holdOn("bad", 1, at(5))
		bad(&h)
		_, err = b.AddHold(b.ctx(), h)
		b.code(casefile.CodeInvalid, err)
		require.ErrorContains(t, err, name)
	}
}

// promise09Bars: every reason is given, and each by itself keeps the account.
func promise09Bars(t *testing.T, b bench) {
	_, _, err := b.BeginErasure(b.ctx(), erasureOf("e1", 1, 10))
	b.code(casefile.CodeNotFound, err)
	c, d := b.decided(1, case1, "d1")
	require.Equal(t, []casefile.ErasureReason{{Bar: casefile.BarDecision, Case: case1, Decision: "d1"}}, b.barred(1, 10))

	c.State, c.Revision = casefile.StateProven, c.Revision+1
	row := records.DecisionRow{Decision: d, State: casefile.DecisionRecorded, Event: "case.x/4", Hash: "h4", Bundle: bundle}
	require.NoError(t, b.Project(b.ctx(), records.Projection{Case: c, Decision: &row, Now: at(6)}))
	c = b.closed(c, at(7))
	takedown := casefile.ErasureReason{Bar: casefile.BarTakedown, Case: case1, Decision: "d1"}
	require.Equal(t, []casefile.ErasureReason{takedown}, b.barred(1, 10), "the takedown has not begun")

	b.plan(plannedAct(1, casefile.Do))
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionExecuting, "", nil, at(8)))
	act := plannedAct(1, casefile.Do).Act
	_, _, err = b.BeginAct(b.ctx(), act, casefile.Do, at(8))
	require.NoError(t, err)
	require.Equal(t, []casefile.ErasureReason{takedown}, b.barred(1, 10), "an act is being done")
	_, err = b.EndAct(b.ctx(), casefile.ActOutcome{Act: act, Direction: casefile.Do, State: casefile.ActUncertain, At: at(9)})
	require.NoError(t, err)
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionUncertain, "", nil, at(9)))
	uncertain := casefile.ErasureReason{Bar: casefile.BarUncertain, Case: case1, Decision: "d1", Act: 1}
	require.Equal(t, []casefile.ErasureReason{takedown, uncertain}, b.barred(1, 10))

	_, err = b.SettleAct(b.ctx(), casefile.ActOutcome{Act: act, Direction: casefile.Do, State: casefile.ActDone, At: at(11), By: "p-senior"})
	require.NoError(t, err)
	notice, err := b.PutNotice(b.ctx(), noticeRow("N1", "d1", case1))
	require.NoError(t, err)
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionDone, "", nil, at(11)))
	require.Equal(t, []casefile.ErasureReason{takedown}, b.barred(1, 12), "the person was not told yet")

	require.NoError(t, b.SetNoticeState(b.ctx(), notice.Number, casefile.NoticeSent, at(12)))
	until := at(12).Add(casefile.AppealWindow)
	window := casefile.ErasureReason{Bar: casefile.BarWindow, Case: case1, Decision: "d1", Until: &until}
	require.Equal(t, []casefile.ErasureReason{window}, b.barred(1, 13))
	hold, err := b.AddHold(b.ctx(), holdOn("h1", 1, at(100)))
	require.NoError(t, err)
	held := casefile.ErasureReason{Bar: casefile.BarHold, Hold: "h1", Until: &hold.Until}
	require.Equal(t, []casefile.ErasureReason{window, held}, b.barred(1, 14), "every reason is given")
	_, err = b.EndHold(b.ctx(), "h1", policyOne, []byte("why"), at(14))
	require.NoError(t, err)

	a := b.putAppeal(appealOf("a1", d, at(200)))
	appeal := casefile.ErasureReason{Bar: casefile.BarAppeal, Case: case1, Decision: "d1", Appeal: "a1"}
	require.Equal(t, []casefile.ErasureReason{appeal}, b.barred(1, 15), "it was appealed: it cannot be again")
	claim := &casefile.Claim{Number: 1, Person: "p-other", Role: casefile.RoleSenior, GrantedAt: at(15), ExpiresAt: at(26)}
	require.NoError(t, b.ProjectAppeal(b.ctx(), records.AppealProjection{ID: "a1", State: casefile.AppealClaimed, Revision: 1, Claim: claim, Now: at(15)}))
	require.Equal(t, []casefile.ErasureReason{appeal}, b.barred(1, 16), "somebody is at it")
	b.rule(a, casefile.OutcomeRejected)
	require.Empty(t, b.let(1, 22))
}

// let begins an erasure and gives what keeps it, as barred does where something must.
func (b bench) let(n, minutes int) []casefile.ErasureReason {
	b.t.Helper()
	_, bars, err := b.BeginErasure(b.ctx(), erasureOf("e-let", n, minutes))
	require.NoError(b.t, err)
	return bars
}

// promise09Timed: an act with an end keeps the account until it has ended.
func promise09Timed(t *testing.T, b bench) {
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	d := decision("d1", c, at(5))
	d.Action, d.Days = casefile.L5, 3
	c.State, c.Decision, c.Revision = casefile.StateProven, "d1", c.Revision+1
	row := records.DecisionRow{Decision: d, State: casefile.DecisionRecorded, Event: "case.x/4", Hash: "h4", Bundle: bundle}
	require.NoError(t, b.Project(b.ctx(), records.Projection{Case: c, Decision: &row, Now: at(6)}))
	b.closed(c, at(7))
	b.plan(plannedAct(1, casefile.Do))
	act := plannedAct(1, casefile.Do).Act
	for _, state := range []casefile.DecisionState{casefile.DecisionExecuting, casefile.DecisionDone} {
		if state == casefile.DecisionDone {
			_, _, err := b.BeginAct(b.ctx(), act, casefile.Do, at(8))
			require.NoError(t, err)
			_, err = b.EndAct(b.ctx(), casefile.ActOutcome{Act: act, Direction: casefile.Do, State: casefile.ActDone, At: at(9)})
			require.NoError(t, err)
		}
		require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", state, "", nil, at(9)))
	}
	require.Equal(t, []casefile.ErasureReason{{Bar: casefile.BarTimed, Case: case1, Decision: "d1", Act: 1, Until: ptr(at(600))}}, b.barred(1, 10))
	undo := plannedAct(1, casefile.Undo)
	_, err := b.PlanActs(b.ctx(), []records.ActRow{undo})
	require.NoError(t, err)
	require.Equal(t, casefile.BarTakedown, b.barred(1, 601)[0].Bar, "its end is being carried out")
	_, _, err = b.BeginAct(b.ctx(), act, casefile.Undo, at(601))
	require.NoError(t, err)
	_, err = b.EndAct(b.ctx(), casefile.ActOutcome{Act: act, Direction: casefile.Undo, State: casefile.ActDone, At: at(602)})
	require.NoError(t, err)
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionEnded, "", nil, at(602)))
	require.Empty(t, b.let(1, 603))
}

// promise09Destroy: the key goes, and nothing that rests on it can be taken in, opened again or shown.
func promise09Destroy(t *testing.T, b bench) {
	key := records.WrappedKey{Account: accountKeyOf(1), Platform: platform, Wrapped: []byte("wrapped"), KeyID: "k1", At: start}
	_, err := b.PutAccountKey(b.ctx(), key)
	require.NoError(t, err)
	require.NoError(t, b.SetProfile(b.ctx(), platform, accountKeyOf(1), "profile", at(50)))
	require.NoError(t, b.PutHandles(b.ctx(), platform, accountKeyOf(1), []string{"handle"}, start))
	require.NoError(t, b.PutTakenDownHandle(b.ctx(), accountKeyOf(1), platform, []string{"near"}, start))
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	o := opinion("o1", "p-one", at(2))
	o.Notice = &casefile.NoticeRef{Number: "N1", Text: "notice", Digest: "d"}
	c.Findings, c.Revision = "findings", c.Revision+1
	require.NoError(t, b.Project(b.ctx(), records.Projection{
		Case: c, Opinions: []records.OpinionRow{{Case: case1, Opinion: o}}, Now: at(2),
		Comments: []records.CommentRow{{ID: "m1", Case: case1, Person: "p-one", At: at(2), Text: "comment"}},
	}))
	require.NoError(t, b.PutBreakGlass(b.ctx(), records.BreakGlass{ID: "g1", Person: "p-one", Case: case1, At: at(1), Until: at(30), Reason: []byte("words")}))
	hold, err := b.AddHold(b.ctx(), holdOn("h1", 1, at(3)))
	require.NoError(t, err)
	b.put("pending", accountKeyOf(1), at(3))
	elsewhere := b.queued(2, case2, route("q", 1, 1, at(60)), start)

	e := b.begin(erasureOf("e1", 1, 5))
	require.Equal(t, casefile.ErasureClosing, e.State)
	require.Equal(t, e, b.begin(erasureOf("e1", 1, 6)), "the same id again changes nothing")
	require.Equal(t, e, b.begin(erasureOf("e2", 1, 6)), "one at a time")
	_, err = b.AddHold(b.ctx(), holdOn("h2", 1, at(100)))
	b.code(casefile.CodeState, err)
	_, err = b.DestroyAccount(b.ctx(), "e1", at(6))
	b.code(casefile.CodeState, err)
	_, err = b.EndErasure(b.ctx(), "e1", at(6))
	b.code(casefile.CodeState, err)
	in := b.take("pending", accountKeyOf(1), case3, at(6))
	require.Equal(t, records.DroppedErased, in.Outcome, "nothing comes into the case any more")
	late, created, err := b.PutFlag(b.ctx(), flagOf("late", accountKeyOf(1), at(6)))
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, records.FlagErased, late.Status)
	c.File = "file"
	c = b.closed(c, at(7))
	before := b.row(case1)

	changes, err := b.IndexChanges(b.ctx(), 100)
	require.NoError(t, err)
	for _, x := range changes {
		require.NoError(t, b.IndexedUpTo(b.ctx(), x))
	}
	objects, err := b.AccountObjects(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	want := []casefile.Address{"comment", "file", "findings", "form-o1", "notice", "profile", "sealed-flag-of-CASE0-00001", "sealed-late", "sealed-pending"}
	require.Equal(t, want, objects)
	done, err := b.DestroyAccount(b.ctx(), "e1", at(8))
	require.NoError(t, err)
	require.Equal(t, []any{casefile.ErasureDestroyed, ptr(at(8)), 1, 3, len(want)}, []any{done.State, done.DestroyedAt, done.Cases, done.Flags, done.Objects})
	again, err := b.DestroyAccount(b.ctx(), "e1", at(9))
	require.NoError(t, err)
	require.Equal(t, done, again)

	_, err = b.AccountKey(b.ctx(), accountKeyOf(1))
	b.code(casefile.CodeNotFound, err)
	_, err = b.PutAccountKey(b.ctx(), key)
	b.code(casefile.CodeState, err)
	row := b.row(case1)
	require.Equal(t, ptr(at(8)), row.ErasedAt)
	require.Equal(t, before.Revision+1, row.Revision)
	changes, err = b.IndexChanges(b.ctx(), 100)
	require.NoError(t, err)
	require.Len(t, changes, 1)
	require.Equal(t, records.IndexChange{ID: changes[0].ID, Case: case1, Revision: row.Revision}, changes[0])
	b.project(before, at(9))
	require.Equal(t, row, b.row(case1), "a late projection changes nothing")
	require.Nil(t, b.row(elsewhere.Ref).ErasedAt)
	found, err := b.AccountsByHandle(b.ctx(), platform, "handle")
	require.NoError(t, err)
	require.Empty(t, found)
	alike, err := b.LookAlikes(b.ctx(), accountKeyOf(2), platform, []string{"near"})
	require.NoError(t, err)
	require.Empty(t, alike, "nothing was done to it: nobody looks for its like")
	glass, err := b.BreakGlasses(b.ctx(), false, 5)
	require.NoError(t, err)
	require.Empty(t, glass[0].Reason)
	hold, err = b.Hold(b.ctx(), hold.ID)
	require.NoError(t, err)
	require.Empty(t, hold.Basis)
	underWay, err := b.ErasuresUnderWay(b.ctx(), 5)
	require.NoError(t, err)
	require.Equal(t, []records.ErasureRow{done}, underWay)

	require.NoError(t, b.PutHandles(b.ctx(), platform, accountKeyOf(1), []string{"handle"}, at(9)))
	_, err = b.EndErasure(b.ctx(), "e1", at(10))
	b.code(casefile.CodeState, err)
	entries := b.entries()
	last := entries[len(entries)-1]
	requireEntry(t, last, casefile.EntryErased, policyOne, at(8), `{"erasure":"e1","account":"name-of-account","cases":1,"flags":3,"objects":9}`)
	b.appended()
	ended, err := b.EndErasure(b.ctx(), "e1", at(10))
	require.NoError(t, err)
	require.Equal(t, casefile.ErasureDone, ended.State)
	again, err = b.EndErasure(b.ctx(), "e1", at(11))
	require.NoError(t, err)
	require.Equal(t, ended, again)
	require.NoError(t, b.Scrub(b.ctx()))
	found, err = b.AccountsByHandle(b.ctx(), platform, "handle")
	require.NoError(t, err)
	require.Empty(t, found, "what a late writer left is gone as well")
	require.Equal(t, records.FlagErased, must(b.Flag(b.ctx(), "late")).Status)
	require.Equal(t, records.FlagAccepted, must(b.Flag(b.ctx(), "flag-of-CASE0-00001")).Status)
	require.Equal(t, ended, b.begin(erasureOf("e1", 1, 12)))

	// A later flag opens the account's next case, under a key of its own; the counters go on.
	a, err := b.Account(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Equal(t, records.Account{Account: accountKeyOf(1), Platform: platform, Revision: row.Revision, Ordinal: 1, LastCase: case1}, a)
	key.Wrapped, key.At = []byte("another"), at(20)
	stands, err := b.PutAccountKey(b.ctx(), key)
	require.NoError(t, err)
	require.Equal(t, key, stands)
	require.NoError(t, b.SetProfile(b.ctx(), platform, accountKeyOf(1), "newer", at(20)))
	require.Equal(t, casefile.Address("newer"), must(b.Account(b.ctx(), accountKeyOf(1))).Profile, "though the one before was of a later time")
	next := b.openCase("next", accountKeyOf(1), case3, at(21))
	require.Equal(t, []any{2, case1, (*time.Time)(nil)}, []any{next.Ordinal, next.Previous, next.ErasedAt})
	list, err := b.AccountErasures(b.ctx(), accountKeyOf(1))
	require.NoError(t, err)
	require.Equal(t, []records.ErasureRow{ended}, list)
	list, err = b.ErasuresAfter(b.ctx(), 0, 5)
	require.NoError(t, err)
	require.Equal(t, []records.ErasureRow{ended}, list)
	list, err = b.ErasuresAfter(b.ctx(), ended.Seq, 5)
	require.NoError(t, err)
	require.Empty(t, list)
	all, err := b.AccountsAfter(b.ctx(), accountKeyOf(1), 5)
	require.NoError(t, err)
	require.Len(t, all, 1)
}

// promise09Stopped: what comes in the way before the key is destroyed stops the erasure, and stands in it.
func promise09Stopped(t *testing.T, b bench) {
	_, err := b.PutAccountKey(b.ctx(), records.WrappedKey{Account: accountKeyOf(1), Platform: platform, Wrapped: []byte("w"), KeyID: "k", At: start})
	require.NoError(t, err)
	c := b.queued(1, case1, route("q", 1, 1, at(60)), start)
	b.begin(erasureOf("e1", 1, 5))
	d := decision("d1", c, at(6))
	c.State, c.Decision, c.Revision = casefile.StateDecided, "d1", c.Revision+1
	require.NoError(t, b.Project(b.ctx(), records.Projection{Case: c, Decision: &records.DecisionRow{Decision: d, State: casefile.DecisionGrace}, Now: at(6)}))
	e, err := b.DestroyAccount(b.ctx(), "e1", at(7))
	require.NoError(t, err)
	require.Equal(t, casefile.ErasureStopped, e.State)
	require.Equal(t, []casefile.ErasureReason{{Bar: casefile.BarDecision, Case: case1, Decision: "d1"}}, e.Bars)
	_, err = b.AccountKey(b.ctx(), accountKeyOf(1))
	require.NoError(t, err, "the key stands")
	require.Empty(t, b.entries())
	_, err = b.EndErasure(b.ctx(), "e1", at(8))
	b.code(casefile.CodeState, err)
	flag, _, err := b.PutFlag(b.ctx(), flagOf("after", accountKeyOf(1), at(9)))
	require.NoError(t, err)
	require.Equal(t, records.FlagPending, flag.Status, "the account is no longer being erased")
}

// promise09Again: after a restore an erasure is carried out on whatever the older rows have open.
func promise09Again(t *testing.T, b bench) {
	_, err := b.PutAccountKey(b.ctx(), records.WrappedKey{Account: accountKeyOf(1), Platform: platform, Wrapped: []byte("w"), KeyID: "k", At: start})
	require.NoError(t, err)
	c, d := b.decided(1, case1, "d1")
	require.NoError(t, b.PutDecidedItems(b.ctx(), accountKeyOf(1), "d1", []string{"i1"}, at(6)))
	b.closed(c, at(7))
	b.putAppeal(appealOf("a1", d, at(200)))
	b.queuedNext(1, case2, at(8))
	_, err = b.AddHold(b.ctx(), holdOn("h1", 1, at(1000)))
	require.NoError(t, err)
	b.appended()
	_, err = b.EndHold(b.ctx(), "h1", policyOne, []byte("why"), at(8))
	require.NoError(t, err)
	b.appended()
	e := erasureOf("e1", 1, 9)
	e.Again, e.Reason, e.By = true, nil, casefile.System
	require.NotEmpty(t, b.barred(1, 9), "the older rows have an appeal open")
	b.begin(e)
	taken := b.begin(e)
	require.True(t, taken.Again)
	other := e
	other.ID = "e2"
	require.Equal(t, "e2", b.begin(other).ID)
	require.Equal(t, casefile.ErasureStopped, must(b.Erasure(b.ctx(), "e1")).State, "what has destroyed nothing gives way")
	e.ID = "e3"
	b.begin(e)
	row, err := b.DestroyAccount(b.ctx(), "e3", at(10))
	require.NoError(t, err)
	require.Equal(t, casefile.ErasureDestroyed, row.State)
	require.Equal(t, 2, row.Cases)
	other.ID = "e4"
	require.Equal(t, row, b.begin(other), "what has destroyed goes on")
	open := b.row(case2)
	require.Equal(t, []any{casefile.StateClosed, casefile.CloseErased, ptr(at(10))}, []any{open.State, open.CloseReason, open.ClosedAt})
	a := must(b.Account(b.ctx(), accountKeyOf(1)))
	require.Equal(t, []casefile.CaseRef{"", case2}, []casefile.CaseRef{a.OpenCase, a.LastCase})
	require.Equal(t, casefile.AppealIncomplete, b.appeal("a1").State)
	_, err = b.AccountKey(b.ctx(), accountKeyOf(1))
	b.code(casefile.CodeNotFound, err)
	rows, err := b.Unappended(b.ctx(), 10)
	require.NoError(t, err)
	require.Empty(t, rows, "the log has it already")
	require.Empty(t, must(b.DecidedItems(b.ctx(), accountKeyOf(1), []string{"i1"})), "the keyed hashes of its posts are gone")
	row, err = b.EndErasure(b.ctx(), "e3", at(11))
	require.NoError(t, err)
	require.Equal(t, casefile.ErasureDone, row.State)
}

// queuedNext opens the next case of an account and puts it in a queue.
func (b bench) queuedNext(n int, ref casefile.CaseRef, when time.Time) {
	b.t.Helper()
	c := b.openCase("flag-of-"+string(ref), accountKeyOf(n), ref, when)
	c.State, c.Revision, c.EvidenceRevision, c.Route, c.Flags = casefile.StateQueued, 1, 1, route("q", 1, 1, at(60)), 1
	b.project(c, when)
}

// promise09RacingAppeal: of an erasure and an appeal at the same time, one comes before the other.
func promise09RacingAppeal(t *testing.T, b bench) {
	c, d := b.decided(1, case1, "d1")
	c.State, c.Revision = casefile.StateProven, c.Revision+1
	row := records.DecisionRow{Decision: d, State: casefile.DecisionDone, Event: "case.x/4", Hash: "h4", Bundle: bundle}
	require.NoError(t, b.Project(b.ctx(), records.Projection{Case: c, Decision: &row, Now: at(6)}))
	b.closed(c, at(7))
	var begun bool
	var appealed, failed error
	race(2, func(i int) {
		if i == 0 {
			var e records.ErasureRow
			e, _, failed = b.BeginErasure(b.ctx(), erasureOf("e1", 1, 10))
			if failed == nil && e.ID != "" {
				e, failed = b.DestroyAccount(b.ctx(), "e1", at(10))
			}
			begun = e.State == casefile.ErasureDestroyed
			return
		}
		_, _, appealed = b.PutAppeal(b.ctx(), appealOf("a1", d, at(200)))
	})
	require.NoError(t, failed)
	if begun {
		b.code(casefile.CodeState, appealed)
		return
	}
	require.NoError(t, appealed)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
