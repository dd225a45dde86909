package recordstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
)

func appealOf(id string, d casefile.Decision, due time.Time) records.AppealRow {
	return records.AppealRow{
		ID: id, Kind: casefile.AppealByAccount, Decision: d.ID, Case: d.Case, Platform: d.Platform, Account: d.Account, Notice: "N1",
		Complaint: "sealed-" + casefile.Address(id), Digest: "digest-" + id, OpenedBy: casefile.Actor{Person: "p-service", Role: casefile.RoleService},
		OpenedAt: at(10), DueAt: due, State: casefile.AppealOpen,
	}
}

func (b bench) appeal(id string) records.AppealRow {
	b.t.Helper()
	row, err := b.Appeal(b.ctx(), id)
	require.NoError(b.t, err)
	return row
}

func (b bench) putAppeal(a records.AppealRow) records.AppealRow {
	b.t.Helper()
	row, created, err := b.PutAppeal(b.ctx(), a)
	require.NoError(b.t, err)
	require.True(b.t, created)
	return row
}

func rulingOn(a records.AppealRow, outcome casefile.AppealOutcome) *casefile.AppealRuling {
	return &casefile.AppealRuling{
		ID: "verb-" + a.ID, Appeal: a.ID, Kind: a.Kind, Decision: a.Decision, DecisionHash: "h4", Case: a.Case, Platform: a.Platform,
		Account: a.Account, Outcome: outcome, Person: "p-other", Role: casefile.RoleSenior, At: at(20), Form: "form", Digest: "form-digest",
		Notice: &casefile.NoticeRef{Number: "N2", Text: "sealed", Digest: "d"},
	}
}

// rule projects an appeal's proven ruling.
func (b bench) rule(a records.AppealRow, outcome casefile.AppealOutcome) records.AppealRow {
	b.t.Helper()
	p := records.AppealProjection{ID: a.ID, State: casefile.AppealRejected, Revision: b.appeal(a.ID).Revision + 1,
		Ruling: rulingOn(a, outcome), Event: "appeal.x/2", Hash: "h2", Bundle: bundle, Now: at(21)}
	if outcome == casefile.OutcomeUpheld {
		p.State = casefile.AppealUpheld
	}
	require.NoError(b.t, b.ProjectAppeal(b.ctx(), p))
	return b.appeal(a.ID)
}

func appealPut(t *testing.T, b bench) {
	_, d := b.decided(1, case1, "d1")
	_, other := b.decided(2, case2, "d2")
	_, err := b.Appeal(b.ctx(), "a1")
	b.code(casefile.CodeNotFound, err)
	want := appealOf("a1", d, at(500))
	given := want
	given.State, given.Revision, given.Late, given.EndedAt, given.Why = casefile.AppealReinstated, 9, true, ptr(at(9)), "x"
	require.Equal(t, want, b.putAppeal(given), "a new one is open, whatever the caller says")
	require.Equal(t, want, b.appeal("a1"))

	again, created, err := b.PutAppeal(b.ctx(), want)
	require.NoError(t, err)
	require.True(t, created, "the same again is answered as the first time")
	require.Equal(t, want, again)
	second := appealOf("a2", d, at(600))
	got, created, err := b.PutAppeal(b.ctx(), second)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, want, got, "a decision is appealed once")
	review := second
	review.Kind, review.Notice, review.DueAt = casefile.AppealEmergency, "", at(100)
	require.Equal(t, review, b.putAppeal(review), "the review of an order is another thing than an appeal")
	list, err := b.DecisionAppeals(b.ctx(), "d1")
	require.NoError(t, err)
	require.Equal(t, []records.AppealRow{want, review}, list)
	list, err = b.DecisionAppeals(b.ctx(), "d2")
	require.NoError(t, err)
	require.Empty(t, list)

	taken := appealOf("a1", other, at(500))
	_, _, err = b.PutAppeal(b.ctx(), taken)
	b.code(casefile.CodeConflict, err)
	orphan := appealOf("a3", other, at(500))
	orphan.Decision = "none"
	_, _, err = b.PutAppeal(b.ctx(), orphan)
	b.code(casefile.CodeNotFound, err)
	for name, bad := range map[string]func(a *records.AppealRow){
		"id":        func(a *records.AppealRow) { a.ID = "" },
		"kind":      func(a *records.AppealRow) { a.Kind = "complaint" },
		"opened_at": func(a *records.AppealRow) { a.OpenedAt = time.Time{} },
		"due_at":    func(a *records.AppealRow) { a.DueAt = time.Time{} },
	} {
		a := appealOf("a3", other, at(500))
		bad(&a)
		_, _, err = b.PutAppeal(b.ctx(), a)
		b.code(casefile.CodeInvalid, err)
		require.ErrorContains(t, err, name)
	}
}

// appealOnceForEver: also after its end a decision is not appealed again in the same way.
func appealOnceForEver(t *testing.T, b bench) {
	for i, end := range []casefile.AppealState{casefile.AppealRejected, casefile.AppealReinstated, casefile.AppealIncomplete} {
		_, d := b.decided(i, casefile.CaseRef(fmt.Sprintf("CASE0-0000%d", i)), fmt.Sprintf("d%d", i))
		a := b.putAppeal(appealOf(fmt.Sprintf("a%d", i), d, at(500)))
		if end == casefile.AppealRejected {
			b.rule(a, casefile.OutcomeRejected)
		} else {
			b.rule(a, casefile.OutcomeUpheld)
			require.NoError(t, b.EndAppeal(b.ctx(), a.ID, end, "", at(30)))
		}
		got, created, err := b.PutAppeal(b.ctx(), appealOf("again"+a.ID, d, at(900)))
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, a.ID, got.ID)
		require.Equal(t, end, got.State)
	}
}

func appealRacing(t *testing.T, b bench) {
	const callers = 20
	_, d := b.decided(1, case1, "d1")
	created, got, errs := make([]bool, callers), make([]records.AppealRow, callers), make([]error, callers)
	race(callers, func(i int) {
		got[i], created[i], errs[i] = b.PutAppeal(b.ctx(), appealOf(fmt.Sprintf("a%d", i), d, at(500)))
	})
	n := 0
	for i := range callers {
		require.NoError(t, errs[i])
		require.Equal(t, got[0], got[i], "all get the one that stands")
		require.Equal(t, created[i], got[i].ID == fmt.Sprintf("a%d", i))
		if created[i] {
			n++
		}
	}
	require.Equal(t, 1, n)
}

func appealProject(t *testing.T, b bench) {
	_, d := b.decided(1, case1, "d1")
	want := b.putAppeal(appealOf("a1", d, at(500)))
	project := func(p records.AppealProjection) error {
		p.ID = "a1"
		return b.ProjectAppeal(b.ctx(), p)
	}
	claim := &casefile.Claim{Number: 1, Person: "p-other", Role: casefile.RoleSenior, GrantedAt: at(11), ExpiresAt: at(26)}
	telling := records.TellingRow{ID: "t1", Kind: "appeal.received", Case: case1, Subject: "a1", DueAt: ptr(at(500)), At: at(11)}
	require.NoError(t, project(records.AppealProjection{State: casefile.AppealClaimed, Revision: 2, Claim: claim, Tellings: []records.TellingRow{telling}, Now: at(11)}))
	want.State, want.Revision, want.Claim = casefile.AppealClaimed, 2, claim
	require.Equal(t, want, b.appeal("a1"))
	tellings, err := b.UnroutedTellings(b.ctx(), 5)
	require.NoError(t, err)
	require.Equal(t, []records.TellingRow{telling}, tellings)

	late := telling
	late.ID = "t2"
	for _, revision := range []int{0, 1, 2} {
		require.NoError(t, project(records.AppealProjection{State: casefile.AppealOpen, Revision: revision, Late: true, Tellings: []records.TellingRow{late}, Now: at(12)}))
	}
	require.Equal(t, want, b.appeal("a1"), "what is older changes nothing")
	tellings, err = b.UnroutedTellings(b.ctx(), 5)
	require.NoError(t, err)
	require.Len(t, tellings, 1)

	require.NoError(t, project(records.AppealProjection{State: casefile.AppealOpen, Revision: 3, Late: true, Now: at(13)}))
	want.State, want.Revision, want.Claim, want.Late = casefile.AppealOpen, 3, nil, true
	require.Equal(t, want, b.appeal("a1"))
	ruling := rulingOn(want, casefile.OutcomeUpheld)
	require.NoError(t, project(records.AppealProjection{State: casefile.AppealDecided, Revision: 4, Late: true, Ruling: ruling, Now: at(20)}))
	want.State, want.Revision, want.Ruling = casefile.AppealDecided, 4, ruling
	require.Equal(t, want, b.appeal("a1"))
	require.NoError(t, project(records.AppealProjection{State: casefile.AppealUpheld, Revision: 5, Late: true, Ruling: ruling,
		Event: "appeal.a1/2", Hash: "h2", Bundle: bundle, Now: at(21)}))
	want.State, want.Revision, want.Event, want.Hash, want.Bundle = casefile.AppealUpheld, 5, "appeal.a1/2", "h2", bundle
	require.Equal(t, want, b.appeal("a1"), "an upheld one is not at its end")
	require.NoError(t, project(records.AppealProjection{State: casefile.AppealUpheld, Revision: 6, Late: true, Ruling: ruling, Now: at(22)}))
	want.Revision = 6
	require.Equal(t, want, b.appeal("a1"), "its proof is kept")

	for _, back := range []casefile.AppealState{casefile.AppealOpen, casefile.AppealClaimed, casefile.AppealDecided} {
		b.code(casefile.CodeState, project(records.AppealProjection{State: back, Revision: 9, Ruling: ruling, Now: at(23)}))
	}
	require.NoError(t, b.EndAppeal(b.ctx(), "a1", casefile.AppealReinstated, "", at(30)))
	want.State, want.EndedAt = casefile.AppealReinstated, ptr(at(30))
	require.NoError(t, project(records.AppealProjection{State: casefile.AppealUpheld, Revision: 7, Late: true, Ruling: ruling, Now: at(31)}))
	want.Revision = 7
	require.Equal(t, want, b.appeal("a1"), "a late projection leaves the end alone")

	for name, bad := range map[string]records.AppealProjection{
		"state":   {State: "ended", Revision: 9, Now: at(40)},
		"end":     {State: casefile.AppealReinstated, Revision: 9, Ruling: ruling, Now: at(40)},
		"ruling":  {State: casefile.AppealRejected, Revision: 9, Now: at(40)},
		"another": {State: casefile.AppealDecided, Revision: 9, Ruling: rulingOn(records.AppealRow{ID: "a2"}, casefile.OutcomeUpheld), Now: at(40)},
		"now":     {State: casefile.AppealOpen, Revision: 9},
		"telling": {State: casefile.AppealOpen, Revision: 9, Tellings: []records.TellingRow{{ID: "t"}}, Now: at(40)},
	} {
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(project(bad)), name)
	}
	b.code(casefile.CodeNotFound, b.ProjectAppeal(b.ctx(), records.AppealProjection{ID: "none", State: casefile.AppealOpen, Revision: 1, Now: at(40)}))
}

func appealEnd(t *testing.T, b bench) {
	end := func(id string, state casefile.AppealState, why string, minutes int) error {
		return b.EndAppeal(b.ctx(), id, state, why, at(minutes))
	}
	_, d := b.decided(1, case1, "d1")
	a := b.putAppeal(appealOf("a1", d, at(500)))
	b.code(casefile.CodeNotFound, end("none", casefile.AppealReinstated, "", 30))
	b.code(casefile.CodeState, end("a1", casefile.AppealReinstated, "", 30))
	b.code(casefile.CodeInvalid, end("a1", casefile.AppealRejected, "", 30))
	want := b.rule(a, casefile.OutcomeUpheld)
	require.Nil(t, want.EndedAt)
	for range 2 {
		require.NoError(t, end("a1", casefile.AppealIncomplete, "uncertain", 30))
	}
	want.State, want.Why, want.EndedAt = casefile.AppealIncomplete, "uncertain", ptr(at(30))
	require.Equal(t, want, b.appeal("a1"))
	require.NoError(t, end("a1", casefile.AppealReinstated, "", 40))
	want.State, want.Why, want.EndedAt = casefile.AppealReinstated, "", ptr(at(40))
	require.Equal(t, want, b.appeal("a1"), "the rest was taken back later")
	for _, state := range []casefile.AppealState{casefile.AppealIncomplete, casefile.AppealReinstated} {
		require.NoError(t, end("a1", state, "later", 50))
	}
	require.Equal(t, want, b.appeal("a1"), "and stays so")

	_, d = b.decided(2, case2, "d2")
	rejected := b.rule(b.putAppeal(appealOf("a2", d, at(500))), casefile.OutcomeRejected)
	require.Equal(t, ptr(at(21)), rejected.EndedAt, "a rejected one has its end with its ruling")
	b.code(casefile.CodeState, end("a2", casefile.AppealReinstated, "", 30))
}

func appealList(t *testing.T, b bench) {
	// Due at the same time in pairs, so that ids break ties.
	var order, waiting []string
	for i := range 7 {
		_, d := b.decided(i, casefile.CaseRef(fmt.Sprintf("CASE0-0000%d", i)), fmt.Sprintf("d%d", i))
		a := b.putAppeal(appealOf(fmt.Sprintf("a%d", 9-i), d, at(500-(i/2))))
		if i%3 == 0 {
			b.rule(a, casefile.OutcomeRejected)
		}
	}
	for _, n := range []int{3, 4, 5, 6, 7, 8, 9} {
		order = append(order, fmt.Sprintf("a%d", n))
		if n != 9 && n != 6 && n != 3 {
			waiting = append(waiting, fmt.Sprintf("a%d", n))
		}
	}
	read := func(state casefile.AppealState, limit int) (out []string) {
		after := ""
		for {
			rows, next, err := b.ListAppeals(b.ctx(), state, after, limit)
			require.NoError(t, err)
			for _, a := range rows {
				require.True(t, state == "" || a.State == state)
				out = append(out, a.ID)
			}
			if next == "" {
				return out
			}
			require.Len(t, rows, limit)
			after = next
		}
	}
	for limit := 1; limit <= 8; limit++ {
		require.Equal(t, order, read("", limit))
		require.Equal(t, waiting, read(casefile.AppealOpen, limit))
	}
	require.Empty(t, read(casefile.AppealUpheld, 5))
	_, next, err := b.ListAppeals(b.ctx(), "", "", 1)
	require.NoError(t, err)
	_, _, err = b.ListCases(b.ctx(), "", next, 1)
	requireCursorFault(t, err, "an appeal's cursor")
	_, _, err = b.ListAppeals(b.ctx(), "", "words", 1)
	requireCursorFault(t, err, "no cursor")
	_, _, err = b.ListAppeals(b.ctx(), "", "", 0)
	b.code(casefile.CodeInvalid, err)
}

func appealNotice(t *testing.T, b bench) {
	b.decided(1, case1, "d1")
	want := noticeRow("N1", "d1", case1)
	_, err := b.NoticeByNumber(b.ctx(), "N1")
	b.code(casefile.CodeNotFound, err)
	_, err = b.PutNotice(b.ctx(), want)
	require.NoError(t, err)
	got, err := b.NoticeByNumber(b.ctx(), "N1")
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = b.NoticeByNumber(b.ctx(), "n1")
	b.code(casefile.CodeNotFound, err)
}

func appealStrike(t *testing.T, b bench) {
	c, _ := b.decided(1, case1, "d1")
	strike := &records.Strike{Account: c.Account, Decision: "d1", At: at(9), ExpiresAt: at(99)}
	live := func() []records.Strike {
		list, err := b.Strikes(b.ctx(), c.Account, at(10))
		require.NoError(t, err)
		return list
	}
	require.NoError(t, b.TakeBackStrike(b.ctx(), "d1", at(8)), "it gave none yet")
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionDone, "", strike, at(9)))
	require.Equal(t, []records.Strike{*strike}, live())
	for range 2 {
		require.NoError(t, b.TakeBackStrike(b.ctx(), "d1", at(10)))
		require.Empty(t, live())
	}
	// The decision may fail and be done again; its strike stays taken back.
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionFailed, "x", nil, at(11)))
	require.NoError(t, b.AdvanceDecision(b.ctx(), "d1", casefile.DecisionDone, "", strike, at(12)))
	require.Empty(t, live())
}

// appealHandle: an account has its handle back once nothing suspends or ends it any more.
func appealHandle(t *testing.T, b bench) {
	c, _ := b.decided(1, case1, "d1")
	b.closed(c, at(6))
	b.decided(1, case2, "d2")
	act := func(decision string, kind casefile.ActKind, d casefile.Direction, state casefile.ActState) {
		t.Helper()
		a := casefile.Act{Decision: decision, Number: 1, Kind: kind, Target: -1}
		b.plan(records.ActRow{Act: a, Direction: d, State: casefile.ActPlanned, PlannedAt: at(6)})
		_, err := b.EndAct(b.ctx(), casefile.ActOutcome{Act: a, Direction: d, State: state, At: at(7)})
		require.NoError(t, err)
	}
	put := func(n int) {
		require.NoError(t, b.PutTakenDownHandle(b.ctx(), accountKeyOf(n), platform, []string{"h1", "h2"}, start))
	}
	alike := func() []casefile.AccountKey {
		list, err := b.LookAlikes(b.ctx(), accountKeyOf(9), platform, []string{"h1", "h2"})
		require.NoError(t, err)
		return list
	}
	forget := func() { require.NoError(t, b.ForgetTakenDownHandle(b.ctx(), accountKeyOf(1))) }
	both := []casefile.AccountKey{accountKeyOf(1), accountKeyOf(2)}
	put(1)
	put(2)
	act("d1", casefile.ActSuspend, casefile.Do, casefile.ActDone)
	act("d2", casefile.ActTerminate, casefile.Do, casefile.ActUncertain)
	forget()
	require.Equal(t, both, alike(), "two decisions hold it down")
	act("d1", casefile.ActSuspend, casefile.Undo, casefile.ActDone)
	forget()
	require.Equal(t, both, alike(), "another one may")
	act("d2", casefile.ActTerminate, casefile.Undo, casefile.ActDone)
	require.Equal(t, both, alike(), "nothing is forgotten by itself")
	for range 2 {
		forget()
		require.Equal(t, both[1:], alike(), "and nobody else's is")
	}
	put(1)
	require.Equal(t, both, alike(), "taken down again, it is known again")
	require.NoError(t, b.ForgetTakenDownHandle(b.ctx(), accountKeyOf(8)))
}
