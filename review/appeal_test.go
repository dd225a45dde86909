package review_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
	"github.com/docket-triage/docket/workflows"
)

// takenDown makes a case that rev1 decided and whose decision was carried out, with its notice's number.
func takenDown(t *testing.T, b *reviewtest.Bench, n int, action casefile.Action) (ref casefile.CaseRef, decision, number string) {
	t.Helper()
	ref, post := b.Open(n)
	decision = give(t, b, "rev1", ref, reviewtest.Form(action, post)).Decision
	require.NoError(t, b.Workflows.CarryOut(context.Background(), ref))
	d, err := b.Records.Decision(context.Background(), decision)
	require.NoError(t, err)
	if d.Decision.Notice() != nil {
		number = d.Decision.Notice().Number
	}
	return ref, decision, number
}

func openAppeal(t *testing.T, b *reviewtest.Bench, number string) string {
	t.Helper()
	opened, err := b.Desk.OpenAppeal(context.Background(), b.Who("detector"), review.OpenAppealCall{Number: number, Words: "[the complaint]"})
	require.NoError(t, err)
	return opened.Appeal
}

func TestOpenAppeal(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, decision, number := takenDown(t, b, 1, casefile.L5)
	open := func(desk *review.Desk, login string, call review.OpenAppealCall) (review.AppealOpened, error) {
		return desk.OpenAppeal(ctx, b.Who(login), call)
	}
	for name, c := range map[string]struct {
		login string
		call  review.OpenAppealCall
		code  casefile.Code
	}{
		"an auditor":       {"auditor", review.OpenAppealCall{Number: number, Words: "x"}, casefile.CodeForbidden},
		"no number":        {"detector", review.OpenAppealCall{Words: "x"}, casefile.CodeNotFound},
		"an unknown one":   {"detector", review.OpenAppealCall{Number: casefile.NewID(), Words: "x"}, casefile.CodeNotFound},
		"a case's number":  {"detector", review.OpenAppealCall{Number: string(ref), Words: "x"}, casefile.CodeNotFound},
		"the decision's":   {"detector", review.OpenAppealCall{Number: decision, Words: "x"}, casefile.CodeNotFound},
		"without words":    {"detector", review.OpenAppealCall{Number: number, Words: " \n"}, casefile.CodeInvalid},
		"a malformed key":  {"detector", review.OpenAppealCall{Number: number, Words: "x", Key: "a\nb"}, casefile.CodeInvalid},
		"words for a book": {"detector", review.OpenAppealCall{Number: number, Words: string(make([]byte, review.MaxComplaint+1))}, casefile.CodeInvalid},
	} {
		_, err := open(b.Desk, c.login, c.call)
		require.Equal(t, c.code, casefile.ErrorCode(err), name)
		require.Empty(t, b.Workflows.Started(), name)
	}

	b.Workflows.Before = func(context.Context, string) error { return errDown }
	_, err := open(b.Desk, "detector", review.OpenAppealCall{Number: number, Words: "[the complaint]", Key: "k"})
	var unknown *review.Unknown
	require.ErrorAs(t, err, &unknown)
	require.Equal(t, "k", unknown.Key)
	b.Workflows.Before = nil
	opened, err := open(b.Desk, "senior", review.OpenAppealCall{Number: " " + number + " ", Words: "[the complaint]", Key: "k"})
	require.NoError(t, err, "the row stands: the same words start it")
	require.Equal(t, casefile.AppealOpen, opened.State)
	require.Equal(t, b.Clock.Now().Add(casefile.AppealTime), opened.DueAt)
	require.Equal(t, []string{opened.Appeal}, b.Workflows.Started())
	row, err := b.Records.Appeal(ctx, opened.Appeal)
	require.NoError(t, err)
	require.Equal(t, casefile.RoleService, row.OpenedBy.Role, "who handed it in first")
	require.Equal(t, ref, row.Case)
	require.Equal(t, decision, row.Decision)
	words, err := b.Sealer.Open(ctx, row.Account, evidence.KindComment, row.Complaint)
	require.NoError(t, err)
	require.Equal(t, "[the complaint]", string(words))
	_, err = open(b.Desk, "detector", review.OpenAppealCall{Number: number, Words: "[another complaint]"})
	require.Equal(t, casefile.CodeConflict, casefile.ErrorCode(err))
}

func TestAppealTooLateOrNotDue(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	_, _, late := takenDown(t, b, 1, casefile.L5)
	ref, post := b.Open(2)
	give(t, b, "rev1", ref, reviewtest.Form(casefile.L5, post))
	planned := show(t, b, "rev1", ref).Decision.NoticeNo
	require.NotEmpty(t, planned)
	open := func(number string) casefile.Code {
		_, err := b.Desk.OpenAppeal(ctx, b.Who("detector"), review.OpenAppealCall{Number: number, Words: "[the complaint]"})
		return casefile.ErrorCode(err)
	}
	require.Equal(t, casefile.CodeNotFound, open(planned), "it is not written down yet")
	d, err := b.Records.CaseDecisions(ctx, ref)
	require.NoError(t, err)
	_, err = b.Records.PutNotice(ctx, records.NoticeRow{
		Number: planned, Decision: d[0].Decision.ID, Case: ref, State: casefile.NoticePlanned, Text: "sealed", Digest: "d", At: b.Clock.Now(), StateAt: b.Clock.Now(),
	})
	require.NoError(t, err)
	require.Equal(t, casefile.CodeNotFound, open(planned), "nobody was told of it")
	b.Clock.Add(casefile.AppealWindow)
	_, fallen, undone := takenDown(t, b, 3, casefile.L5)
	require.NoError(t, b.Records.AdvanceDecision(ctx, fallen, casefile.DecisionUndone, "", nil, b.Clock.Now()))
	require.Equal(t, casefile.CodeState, open(undone))
	require.Empty(t, open(late), "on the last day")
	_, _, tooLate := takenDown(t, b, 4, casefile.L5)
	b.Clock.Add(casefile.AppealWindow + time.Second)
	require.Equal(t, casefile.CodeState, open(tooLate))
}

// TestPromise04AppealIsForThoseWhoTookNoPart: the author of the flag, a holder and the author of an
// opinion see and take nothing; neither does another team, nor whoever may not see the case.
func TestPromise04AppealIsForThoseWhoTookNoPart(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	f := b.Flag(1, "flag-1")
	res, err := b.Door.Submit(ctx, b.Who("senior"), b.JSON(f))
	require.NoError(t, err)
	ref := res.Case
	_, err = b.Desk.Release(ctx, b.Who("rev2"), verb(ref), claim(t, b, "rev2", ref))
	require.NoError(t, err)
	give(t, b, "rev1", ref, reviewtest.Form(casefile.L5, f.Evidence[0].ID))
	require.NoError(t, b.Workflows.CarryOut(ctx, ref))
	number := show(t, b, "rev3", ref).Decision.NoticeNo
	appeal := openAppeal(t, b, number)
	form := casefile.AppealForm{Outcome: casefile.OutcomeUpheld, Rationale: "[the context was overlooked]"}
	for login, why := range map[string]string{"senior": "part", "rev2": "part", "rev1": "part", "safety": "team"} {
		call := review.AppealCall{Appeal: appeal}
		_, claimErr := b.Desk.ClaimAppeal(ctx, b.Who(login), call)
		_, releaseErr := b.Desk.ReleaseAppeal(ctx, b.Who(login), call, 1)
		_, previewErr := b.Desk.PreviewRuling(ctx, b.Who(login), appeal, form)
		_, ruleErr := b.Desk.RuleAppeal(ctx, b.Who(login), review.RuleAppealCall{AppealCall: call, Claim: 1, Form: form})
		for _, err := range []error{claimErr, releaseErr, previewErr, ruleErr} {
			require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), login)
		}
		_, ok, err := b.Desk.NextAppeal(ctx, b.Who(login), "")
		require.False(t, ok, login)
		_, showErr := b.Desk.Appeal(ctx, b.Who(login), appeal)
		if why == "part" {
			require.NoError(t, err)
			require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(showErr), login)
		} else {
			require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), login)
		}
	}
	_, err = b.Desk.ClaimAppeal(ctx, b.Who("detector"), review.AppealCall{Appeal: appeal})
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), "a service opens and does nothing else")
	page, err := b.Desk.OpenAppeals(ctx, b.Who("rev1"), casefile.AppealOpen, "", 0)
	require.NoError(t, err)
	require.True(t, page.Appeals[0].Part)
	_, err = b.Desk.OpenAppeals(ctx, b.Who("rev1"), "odd", "", 0)
	require.Equal(t, []string{"state"}, fields(err))
	got, ok, err := b.Desk.NextAppeal(ctx, b.Who("rev3"), "k")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, appeal, got.Appeal)
	again, ok, err := b.Desk.NextAppeal(ctx, b.Who("rev3"), "another key")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, got.Claim.Number, again.Claim.Number, "the one that they hold")
	views, _, err := b.Desk.Views(ctx, b.Who("auditor"), ref, 0, 0)
	require.NoError(t, err)
	before := len(views)
	_, err = b.Desk.Appeal(ctx, b.Who("rev3"), appeal)
	require.NoError(t, err)
	views, _, err = b.Desk.Views(ctx, b.Who("auditor"), ref, 0, 0)
	require.NoError(t, err)
	require.Len(t, views, before+1)
	require.Equal(t, "appeal", views[before].Purpose)
}

// TestRulingIsTheOnePreviewed: the notice sealed is byte for byte the previewed one, under a number of its
// own, and the verb carries no words.
func TestRulingIsTheOnePreviewed(t *testing.T) {
	t.Parallel()
	for _, outcome := range []casefile.AppealOutcome{casefile.OutcomeUpheld, casefile.OutcomeRejected} {
		t.Run(string(outcome), func(t *testing.T) {
			t.Parallel()
			b, ctx := reviewtest.New(t, nil), context.Background()
			_, _, number := takenDown(t, b, 1, casefile.L5)
			appeal := openAppeal(t, b, number)
			claimed, err := b.Desk.ClaimAppeal(ctx, b.Who("rev2"), review.AppealCall{Appeal: appeal})
			require.NoError(t, err)
			form := casefile.AppealForm{Outcome: outcome, Rationale: "[about synthetic_1: what the complaint says]"}
			preview, err := b.Desk.PreviewRuling(ctx, b.Who("rev2"), appeal, form)
			require.NoError(t, err)
			require.Contains(t, preview.Notice, number, "about the decision's notice")
			require.NotContains(t, preview.Notice, "what the complaint says", "nobody's own words")
			bad, err := b.Desk.PreviewRuling(ctx, b.Who("rev2"), appeal, casefile.AppealForm{Rationale: "short"})
			require.NoError(t, err)
			require.Equal(t, []string{"outcome", "rationale"}, []string{bad.Faults[0].Field, bad.Faults[1].Field})

			call := review.RuleAppealCall{AppealCall: review.AppealCall{Appeal: appeal}, Claim: claimed.Claim.Number, Form: form, Preview: preview.Token}
			other := call
			other.Form.Outcome = map[casefile.AppealOutcome]casefile.AppealOutcome{casefile.OutcomeUpheld: casefile.OutcomeRejected, casefile.OutcomeRejected: casefile.OutcomeUpheld}[outcome]
			_, err = b.Desk.RuleAppeal(ctx, b.Who("rev2"), other)
			require.Equal(t, []string{"preview"}, fields(err))
			stale := call
			stale.Claim++
			_, err = b.Desk.RuleAppeal(ctx, b.Who("rev2"), stale)
			require.Equal(t, casefile.CodeStaleClaim, casefile.ErrorCode(err))
			b.Clock.Add(time.Minute)
			answer, err := b.Desk.RuleAppeal(ctx, b.Who("rev2"), call)
			require.NoError(t, err)
			require.Equal(t, outcome, answer.Outcome)
			v, err := b.Desk.Appeal(ctx, b.Who("rev3"), appeal)
			require.NoError(t, err)
			require.Equal(t, preview.Notice, v.Ruling.Notice)
			require.NotEqual(t, number, v.Ruling.NoticeNo)
			require.Equal(t, form.Rationale, v.Ruling.Rationale)
			require.Equal(t, "[the complaint]", v.Words)
			require.Equal(t, casefile.L5, v.View.Decision.Action)
			for _, args := range b.Workflows.Sent() {
				require.NotContains(t, string(b.JSON(args)), "synthetic")
				require.NotContains(t, string(b.JSON(args)), "complaint")
			}
			_, err = b.Desk.RuleAppeal(ctx, b.Who("rev3"), call)
			require.Error(t, err)
			_, err = b.Desk.ClaimAppeal(ctx, b.Who("rev3"), review.AppealCall{Appeal: appeal})
			require.Equal(t, casefile.CodeState, casefile.ErrorCode(err), "it is decided")
		})
	}
}

// TestEmergencyReview: an order is reviewed like an appeal, without a complaint.
func TestEmergencyReview(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	_, err := b.Desk.Opinion(ctx, b.Who("rev1"), review.OpinionCall{VerbCall: verb(ref), Claim: claim(t, b, "rev1", ref), EvidenceRevision: 1, Form: reviewtest.Form(casefile.L5, post), Emergency: true})
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	_, err = b.Desk.ForceRelease(ctx, b.Who("lead"), verb(ref), "[why]")
	require.NoError(t, err)
	call := review.OpinionCall{VerbCall: verb(ref), Claim: claim(t, b, "senior", ref), EvidenceRevision: 1, Form: reviewtest.Form(casefile.L4, post), Emergency: true}
	_, err = b.Desk.Opinion(ctx, b.Who("senior"), call)
	require.Equal(t, []string{"action"}, fields(err))
	call.Form = reviewtest.Form(casefile.L5, post)
	preview, err := b.Desk.Preview(ctx, b.Who("senior"), review.PreviewCall{Case: ref, Form: call.Form, Emergency: true})
	require.NoError(t, err)
	require.Contains(t, preview.Consequences[0], "carried out at once")
	ordinary := call
	ordinary.Emergency, ordinary.Preview = false, preview.Token
	_, err = b.Desk.Opinion(ctx, b.Who("senior"), ordinary)
	require.Equal(t, []string{"preview"}, fields(err), "an order's notice is not an ordinary one's")
	call.Preview = preview.Token
	answer, err := b.Desk.Opinion(ctx, b.Who("senior"), call)
	require.NoError(t, err)
	require.Nil(t, answer.GraceUntil)
	v := show(t, b, "rev3", ref)
	require.Equal(t, casefile.ByEmergency, v.Decision.DecidedBy)
	require.True(t, v.Decision.Emergency)
	require.Nil(t, v.Decision.GraceUntil)
	require.Equal(t, preview.Notice, v.Decision.Notice)

	require.NoError(t, b.Workflows.CarryOut(ctx, ref))
	row, err := b.Records.Case(ctx, ref)
	require.NoError(t, err)
	order, _, err := b.Records.PutAppeal(ctx, records.AppealRow{
		ID: casefile.NewID(), Kind: casefile.AppealEmergency, Decision: row.Decision, Case: ref, Platform: row.Platform, Account: row.Account,
		OpenedBy: casefile.System, OpenedAt: b.Clock.Now(), DueAt: b.Clock.Now().Add(casefile.EmergencyReviewTime), State: casefile.AppealOpen,
	})
	require.NoError(t, err)
	shown, err := b.Desk.Appeal(ctx, b.Who("rev3"), order.ID)
	require.NoError(t, err)
	require.Empty(t, shown.Words)
	require.Empty(t, shown.Missing)
	ruling, err := b.Desk.PreviewRuling(ctx, b.Who("rev3"), order.ID, casefile.AppealForm{Outcome: casefile.OutcomeRejected, Rationale: "[the order was right]"})
	require.NoError(t, err)
	require.NotEmpty(t, ruling.Notice)
	appeals := show(t, b, "rev3", ref).Decision.Appeals
	require.Len(t, appeals, 1)
	require.Equal(t, casefile.AppealEmergency, appeals[0].Kind)
	// The account may still appeal the same decision: a review is no appeal.
	openAppeal(t, b, v.Decision.NoticeNo)
	require.Len(t, show(t, b, "rev3", ref).Decision.Appeals, 2)
}

// TestSettleGoesToWhoWaits: an act is settled with its takedown, its taking back with the reinstatement
// that the appeal brought about; the API's word is about the right chain.
func TestSettleGoesToWhoWaits(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	b.Workflows.Acts = casefile.ActUncertain
	_, decision, number := takenDown(t, b, 1, casefile.L5)
	call := review.SettleCall{Decision: decision, Number: 1, Direction: casefile.Do, Done: true, Reason: "[seen on the account's page]"}
	for field, change := range map[string]func(*review.SettleCall){
		"decision":  func(c *review.SettleCall) { c.Decision = "none" },
		"number":    func(c *review.SettleCall) { c.Number = 0 },
		"direction": func(c *review.SettleCall) { c.Direction = "sideways" },
		"reason":    func(c *review.SettleCall) { c.Reason = " " },
	} {
		bad := call
		change(&bad)
		_, err := b.Desk.Settle(ctx, b.Who("senior"), bad)
		require.Equal(t, []string{field}, fields(err))
	}
	_, err := b.Desk.Settle(ctx, b.Who("admin"), call)
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	answer, err := b.Desk.Settle(ctx, b.Who("senior"), call)
	require.NoError(t, err)
	require.Equal(t, casefile.ActDone, answer.State)
	acts, err := b.Records.Acts(ctx, decision)
	require.NoError(t, err)
	require.Equal(t, b.Who("senior").Person, acts[0].SettledBy)
	_, err = b.Desk.Settle(ctx, b.Who("senior"), call)
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))

	undo := acts[0]
	undo.Direction, undo.State, undo.SettledBy, undo.StartedAt, undo.EndedAt = casefile.Undo, casefile.ActPlanned, "", nil, nil
	_, err = b.Records.PlanActs(ctx, []records.ActRow{undo})
	require.NoError(t, err)
	_, _, err = b.Records.BeginAct(ctx, undo.Act, casefile.Undo, b.Clock.Now())
	require.NoError(t, err)
	_, err = b.Records.EndAct(ctx, casefile.ActOutcome{Act: undo.Act, Direction: casefile.Undo, State: casefile.ActUncertain, At: b.Clock.Now()})
	require.NoError(t, err)
	call.Direction = casefile.Undo
	_, err = b.Desk.Settle(ctx, b.Who("senior"), call)
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err), "no appeal was upheld: the bench's takedown waits for none")
	appeal := openAppeal(t, b, number)
	require.NoError(t, b.Records.ProjectAppeal(ctx, records.AppealProjection{
		ID: appeal, State: casefile.AppealUpheld, Revision: 9, Event: "appeal.x/2", Hash: "hash", Now: b.Clock.Now(),
		Bundle: &casefile.Bundle{Format: casefile.BundleFormat}, Ruling: &casefile.AppealRuling{Appeal: appeal, Outcome: casefile.OutcomeUpheld},
	}))
	answer, err = b.Desk.Settle(ctx, b.Who("senior"), call)
	require.NoError(t, err)
	require.Equal(t, casefile.Undo, answer.Of)
	sent := b.Workflows.Sent()
	last, ok := sent[len(sent)-1].(workflows.SettleArgs)
	require.True(t, ok)
	require.Equal(t, casefile.ReinstatementChain(appeal), last.Assertion.On)
}

// TestDisablingReleasesClaims: at once, and again where the engine did not answer.
func TestDisablingReleasesClaims(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	one, _ := b.Open(1)
	two, _ := b.Open(2)
	claim(t, b, "rev1", one)
	claim(t, b, "rev1", two)
	failing := 0
	b.Workflows.Before = func(_ context.Context, name string) error {
		if name == workflows.UpdateForceRelease && failing == 0 {
			failing++
			return errDown
		}
		return nil
	}
	_, err := b.Desk.DisablePerson(ctx, b.Who("lead"), "rev1")
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	d, err := b.Desk.DisablePerson(ctx, b.Who("admin"), "rev1")
	require.NoError(t, err)
	require.Len(t, d.Released, 1)
	require.Len(t, d.NotReleased, 1)
	again, err := b.Desk.DisablePerson(ctx, b.Who("admin"), string(d.Person))
	require.NoError(t, err)
	require.Equal(t, d.NotReleased, again.Released)
	require.Empty(t, again.NotReleased)
	held, err := b.Records.ClaimedBy(ctx, d.Person)
	require.NoError(t, err)
	require.Empty(t, held)
	sent := b.Workflows.Sent()
	released, ok := sent[len(sent)-1].(workflows.ForceReleaseArgs)
	require.True(t, ok)
	require.True(t, released.Disabled)
	require.Equal(t, casefile.RoleAdmin, released.Actor.Role)
	require.Equal(t, d.Person, released.Person)
}

// TestDisablingReleasesAppeals: at once, and nobody else's.
func TestDisablingReleasesAppeals(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	_, _, number := takenDown(t, b, 1, casefile.L4)
	appeal := openAppeal(t, b, number)
	_, _, number = takenDown(t, b, 2, casefile.L4)
	other := openAppeal(t, b, number)
	for login, id := range map[string]string{"senior": appeal, "senior2": other} {
		_, err := b.Desk.ClaimAppeal(ctx, b.Who(login), review.AppealCall{Appeal: id})
		require.NoError(t, err)
	}
	d, err := b.Desk.DisablePerson(ctx, b.Who("admin"), "senior")
	require.NoError(t, err)
	require.Equal(t, []string{appeal}, d.Appeals)
	require.Empty(t, d.NotReleasedAppeals)
	_, err = b.Desk.ClaimAppeal(ctx, b.Who("lead"), review.AppealCall{Appeal: appeal})
	require.NoError(t, err, "open to others at once")
	_, err = b.Desk.ClaimAppeal(ctx, b.Who("lead"), review.AppealCall{Appeal: other})
	require.Equal(t, casefile.CodeState, casefile.ErrorCode(err))
	d, err = b.Desk.DisablePerson(ctx, b.Who("admin"), "senior")
	require.NoError(t, err)
	require.Empty(t, d.Appeals)
}

// TestDisablingFreesWhatWasHandedOver: what waited for somebody is anybody's again.
func TestDisablingFreesWhatWasHandedOver(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	_, err := b.Desk.HandOver(ctx, b.Who("rev1"), review.HandOverCall{VerbCall: verb(ref), Claim: claim(t, b, "rev1", ref), To: "rev2", Reason: "knows the language"})
	require.NoError(t, err)
	require.Equal(t, b.Who("rev2").Person, show(t, b, "lead", ref).AssignedTo)
	d, err := b.Desk.DisablePerson(ctx, b.Who("admin"), "rev2")
	require.NoError(t, err)
	require.Equal(t, []casefile.CaseRef{ref}, d.Released)
	require.Empty(t, show(t, b, "lead", ref).AssignedTo)
	require.Positive(t, claim(t, b, "rev1", ref))
	d, err = b.Desk.DisablePerson(ctx, b.Who("admin"), "rev2")
	require.NoError(t, err)
	require.Empty(t, d.Released, "it is not theirs any more")
}

// TestNamesAreShownToThoseWhoMay: pseudonyms stand everywhere, names beside them for a lead of the team,
// an admin and an auditor.
func TestNamesAreShownToThoseWhoMay(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	give(t, b, "rev1", ref, reviewtest.Form(casefile.L4, post))
	rev1, safety := b.Who("rev1").Person, b.Who("safety").Person
	require.Equal(t, "Reviewer One", show(t, b, "lead", ref).Names[rev1])
	require.Equal(t, "Reviewer One", show(t, b, "auditor", ref).Names[rev1])
	require.NotContains(t, show(t, b, "rev2", ref).Names, rev1)
	require.Equal(t, "Reviewer One", show(t, b, "rev1", ref).Names[rev1], "one's own")
	names, err := b.Desk.Names(ctx, b.Who("lead"), rev1, safety, "", "p-unknown0")
	require.NoError(t, err)
	require.Equal(t, map[casefile.Person]string{rev1: "Reviewer One"}, names, "of another team: no name")
}

func TestBannerAndSwitches(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	banner, err := b.Desk.Banner(ctx, b.Who("rev1"))
	require.NoError(t, err)
	require.Equal(t, review.Banner{Paused: []review.SwitchView{}, Tripped: []string{}, Down: []string{}}, banner)
	b.Workflows.Acts = casefile.ActPlanned
	takenDown(t, b, 1, casefile.L4)
	takenDown(t, b, 2, casefile.L4)
	_, err = b.Desk.PauseActs(ctx, b.Who("lead"), "No Platform", "[why]")
	require.Equal(t, []string{"platform"}, fields(err))
	_, err = b.Desk.PauseActs(ctx, b.Who("lead"), "nosuch", "[why]")
	require.Equal(t, []string{"platform"}, fields(err))
	_, err = b.Desk.ResumeActs(ctx, b.Who("lead"), "nosuch", "[why]")
	require.Equal(t, []string{"platform"}, fields(err))
	require.NoError(t, b.Records.SetSwitch(ctx, records.SwitchRow{Name: records.ActsOf("nosuch"), By: casefile.System, At: b.Clock.Now()}))
	resumed, err := b.Desk.ResumeActs(ctx, b.Who("lead"), "nosuch", "[paused by mistake]")
	require.NoError(t, err, "what stands paused can be resumed")
	require.True(t, resumed.Switch.On)
	options := b.Options
	options.Platforms = nil // made for any platform: known are those of the cases
	_, err = review.New(options).PauseActs(ctx, b.Who("lead"), "nosuch", "[why]")
	require.ErrorContains(t, err, "one of example")
	_, err = b.Desk.PauseActs(ctx, b.Who("lead"), "", "")
	require.Equal(t, []string{"reason"}, fields(err))
	paused, err := b.Desk.PauseActs(ctx, b.Who("lead"), "", "[why it stops]")
	require.NoError(t, err)
	require.Equal(t, 2, paused.Waiting)
	require.Equal(t, []string{records.SwitchActs}, paused.Paused)
	b.Clock.Add(time.Hour)
	again, err := b.Desk.PauseActs(ctx, b.Who("admin"), "", "[why else]")
	require.NoError(t, err)
	require.Equal(t, paused.Switch, again.Switch, "the first pause stands")
	for i := range 3 {
		ref, _ := b.Open(10 + i)
		_, _, err = b.Records.CountAutomatic(ctx, "auto-1", ref, records.BreakerLimits{PerHour: 1}, b.Clock.Now())
		require.NoError(t, err)
	}
	_, err = b.Desk.SetAutomation(ctx, b.Who("admin"), true, "[why]")
	require.NoError(t, err)
	banner, err = b.Desk.Banner(ctx, b.Who("detector"))
	require.NoError(t, err)
	require.True(t, banner.Automation)
	require.Equal(t, []string{"auto-1"}, banner.Tripped)
	require.Equal(t, b.Who("lead").Person, banner.Paused[0].By)
	require.Empty(t, banner.Paused[0].Reason, "reasons are for those who may read switches")
	_, err = b.Desk.Switches(ctx, b.Who("rev1"))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	all, err := b.Desk.Switches(ctx, b.Who("auditor"))
	require.NoError(t, err)
	require.Equal(t, "[why it stops]", all.Switches[0].Reason)
	require.Equal(t, "Team Lead", all.Names[b.Who("lead").Person])
}
