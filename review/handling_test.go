package review_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
	"github.com/docket-triage/docket/workflows"
)

func claim(t *testing.T, b *reviewtest.Bench, login string, ref casefile.CaseRef) int {
	t.Helper()
	answer, err := b.Desk.Claim(context.Background(), b.Who(login), verb(ref))
	require.NoError(t, err)
	return answer.Claim.Number
}

func refer(t *testing.T, b *reviewtest.Bench, login string, ref casefile.CaseRef, number int, kind casefile.ReferralKind) review.VerbAnswer {
	t.Helper()
	answer, err := b.Desk.Refer(context.Background(), b.Who(login), review.ReferCall{VerbCall: verb(ref), Claim: number, Kind: kind, Reason: "[what the team needs to know]"})
	require.NoError(t, err)
	return answer
}

// TestPromise04VerbsAreSigned: every verb that reaches a workflow carries the API's word for exactly it;
// a word under another key counts nowhere.
func TestPromise04VerbsAreSigned(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, post := b.Open(1)
	number := claim(t, b, "rev1", ref)
	_, err := b.Desk.Comment(ctx, b.Who("rev1"), verb(ref), "[a remark]")
	require.NoError(t, err)
	refer(t, b, "rev1", ref, number, casefile.ReferLegal)
	_, err = b.Desk.Opinion(ctx, b.Who("rev1"), review.OpinionCall{VerbCall: verb(ref), Claim: number, EvidenceRevision: 1, Form: reviewtest.Form(casefile.L5, post)})
	require.NoError(t, err)
	for _, args := range b.Workflows.Sent() {
		var v workflows.Verb
		require.NoError(t, json.Unmarshal(b.JSON(args), &v))
		require.Equal(t, casefile.CaseChain(ref), v.Assertion.On)
		require.Equal(t, "review", v.Assertion.Team)
		digest, err := casefile.ArgumentDigest(args)
		require.NoError(t, err)
		require.Equal(t, digest, v.Assertion.Digest)
		require.True(t, v.Assertion.Expires.Before(b.Clock.Now().Add(2*time.Minute)), "it lives for a minute")
	}

	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	o := b.Options
	o.Signer, err = access.NewSigner("another", key, 0, b.Clock.Now)
	require.NoError(t, err)
	other, _ := b.Open(2)
	_, err = review.New(o).Claim(ctx, b.Who("rev1"), verb(other))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	require.Equal(t, casefile.StateQueued, show(t, b, "rev1", other).State)
}

func TestNextAsksRolesAndTeams(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	b.Add("there", reviewtest.OtherTeam, casefile.RoleReviewer)
	ref, _ := b.Open(1)
	_, err := b.Desk.HandOver(ctx, b.Who("rev1"), review.HandOverCall{VerbCall: verb(ref), Claim: claim(t, b, "rev1", ref), Queue: reviewtest.OtherQueue, Reason: "theirs"})
	require.NoError(t, err)
	for _, login := range []string{"rev1", "lead"} {
		_, _, err = b.Desk.Next(ctx, b.Who(login), reviewtest.OtherQueue, "")
		require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), login)
		_, err = b.Desk.Claim(ctx, b.Who(login), verb(ref))
		require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), login)
	}
	queues, err := b.Desk.Queues(ctx, b.Who("there"))
	require.NoError(t, err)
	require.Equal(t, "Another team", queues[0].Title)
	require.True(t, queues[0].Mine)
	got, ok, err := b.Desk.Next(ctx, b.Who("there"), reviewtest.OtherQueue, "")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, ref, got.Case)

	_, _, err = b.Desk.Next(ctx, b.Who("rev1"), reviewtest.LeadQueue, "")
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), "leads only")
	_, _, err = b.Desk.Next(ctx, b.Who("rev1"), "renamed", "")
	require.Equal(t, casefile.CodeNotFound, casefile.ErrorCode(err))
	_, ok, err = b.Desk.Next(ctx, b.Who("lead"), "renamed", "")
	require.NoError(t, err, "what stands in a queue of older rules is the leads'")
	require.False(t, ok)
}

// TestNextServesThreatsFirst: whatever queue is asked for, and although the leads' queue is no reviewer's.
func TestNextServesThreatsFirst(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	b.Open(1)
	threat, _ := b.Open(2)
	_, err := b.Desk.Escalate(ctx, b.Who("rev3"), review.EscalateCall{VerbCall: verb(threat), Threat: true, Reason: "[why somebody is in danger]"})
	require.NoError(t, err)
	v := show(t, b, "rev1", threat)
	require.True(t, v.Threat)
	require.Equal(t, reviewtest.LeadQueue, v.Queue)
	got, ok, err := b.Desk.Next(ctx, b.Who("rev1"), reviewtest.Queue, "k")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, threat, got.Case)
	again, ok, err := b.Desk.Next(ctx, b.Who("rev1"), reviewtest.Queue, "k")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, threat, again.Case, "the same verb gives the same case")
}

// TestPromise12RestrictedCase: from a referral to child safety on, the words are the holder's, the leads' and the
// team's; the media nobody's. Who is kept out is on record.
func TestPromise12RestrictedCase(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	post := b.Post(1, "p1", "text with [praise of a designated group] in it")
	post.Media = []casefile.Media{{Type: "image", URL: "https://media.example/1"}}
	ref := b.Submit(b.Flag(1, "flag-1", post))
	require.Len(t, show(t, b, "rev1", ref).Evidence[0].Event.Media, 1)
	number := claim(t, b, "rev1", ref)
	answer := refer(t, b, "rev1", ref, number, casefile.ReferChildSafety)
	require.NotEmpty(t, answer.Referral)

	for _, login := range []string{"rev1", "lead", "safety"} {
		v := show(t, b, login, ref)
		require.False(t, v.Withheld, login)
		require.NotEmpty(t, v.Evidence, login)
		require.Empty(t, v.Evidence[0].Event.Media, "to nobody: %s", login)
		require.Contains(t, v.Why, "media are shown to nobody")
		require.Equal(t, []review.ReferralView{{
			ID: v.Referrals[0].ID, Kind: casefile.ReferChildSafety, Person: b.Who("rev1").Person, At: b.Clock.Now(), Event: answer.Referral, Words: "[what the team needs to know]",
		}}, v.Referrals)
	}
	for _, login := range []string{"rev2", "senior", "welfare", "policy", "auditor"} {
		v := show(t, b, login, ref)
		require.True(t, v.Withheld, login)
		require.Empty(t, v.Evidence, login)
		require.NotContains(t, string(b.JSON(v)), "synthetic", login)
		require.NotContains(t, string(b.JSON(v)), "praise", login)
		require.Contains(t, v.Why, "referred to child safety")
		require.NotEmpty(t, v.Deadlines)
	}
	views, _, err := b.Desk.Views(ctx, b.Who("auditor"), ref, 0, 0)
	require.NoError(t, err)
	require.Len(t, views, 4, "who saw nothing did not look")
	refusals, _, err := b.Desk.Refusals(ctx, b.Who("auditor"), 0, 0)
	require.NoError(t, err)
	require.Len(t, refusals, 5)
	for _, r := range refusals {
		require.Equal(t, "case.words", r.Verb)
		require.Equal(t, casefile.CodeForbidden, r.Code)
	}

	_, err = b.Desk.Preview(ctx, b.Who("rev2"), review.PreviewCall{Case: ref, Form: reviewtest.Form(casefile.L3, "p1")})
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), "a preview quotes the case")
	_, err = b.Desk.Release(ctx, b.Who("rev1"), verb(ref), number)
	require.NoError(t, err)
	require.True(t, show(t, b, "rev1", ref).Withheld, "a holder no more")
	_, err = b.Desk.Claim(ctx, b.Who("rev1"), verb(ref))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), "nobody sees it by claiming it")
	_, ok, err := b.Desk.Next(ctx, b.Who("rev1"), reviewtest.Queue, "")
	require.NoError(t, err)
	require.False(t, ok)
	page, err := b.Desk.QueueCases(ctx, b.Who("rev1"), reviewtest.Queue, "", 0)
	require.NoError(t, err)
	require.True(t, page.Cases[0].Withheld)
	require.Empty(t, page.Cases[0].Handle)
	got, ok, err := b.Desk.Next(ctx, b.Who("safety"), reviewtest.Queue, "")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, ref, got.Case)
	// Whom it is handed to sees it: a lead may bring somebody in.
	_, err = b.Desk.HandOver(ctx, b.Who("safety"), review.HandOverCall{VerbCall: verb(ref), Claim: got.Claim.Number, To: "rev2", Reason: "knows the language"})
	require.NoError(t, err)
	claim(t, b, "rev2", ref)
	require.False(t, show(t, b, "rev2", ref).Withheld)
}

// TestGlassOpensARestrictedCase: with its own purpose on record.
func TestGlassOpensARestrictedCase(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	refer(t, b, "rev1", ref, claim(t, b, "rev1", ref), casefile.ReferSelfHarm)
	require.True(t, show(t, b, "auditor", ref).Withheld)
	_, err := b.Desk.BreakGlass(ctx, b.Who("auditor"), ref, "a supervisory authority asks for this case today", 30*time.Minute)
	require.NoError(t, err)
	v := show(t, b, "auditor", ref)
	require.False(t, v.Withheld)
	require.Equal(t, "break_glass", v.Purpose)
	require.NotEmpty(t, v.Evidence)
	_, err = b.Desk.Case(ctx, b.Who("admin"), ref, "")
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err), "another's broken glass opens nothing")
}

// TestViewOfHandling: deadlines, holds, snoozes and hand-overs as they stand.
func TestViewOfHandling(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	v := show(t, b, "rev2", ref)
	require.False(t, v.Touched)
	opened := b.Clock.Now()
	require.Equal(t, []review.DeadlineView{
		{Deadline: casefile.DeadlineTouch, DueAt: opened.Add(24 * time.Hour)}, {Deadline: casefile.DeadlineDecision, DueAt: opened.Add(48 * time.Hour)},
	}, v.Deadlines)
	b.Clock.Add(12 * time.Hour)
	require.True(t, show(t, b, "rev2", ref).Deadlines[0].Half)
	number := claim(t, b, "rev1", ref)
	v = show(t, b, "rev2", ref)
	require.True(t, v.Touched)
	require.True(t, v.Deadlines[0].Met)
	require.False(t, v.Held)
	_, err := b.Desk.Hold(ctx, b.Who("rev1"), verb(ref), number, b.Clock.Now().Add(25*time.Hour))
	require.Equal(t, []string{"until"}, fields(err))
	_, err = b.Desk.Hold(ctx, b.Who("rev1"), verb(ref), number, b.Clock.Now().Add(3*time.Hour))
	require.NoError(t, err)
	require.True(t, show(t, b, "rev2", ref).Held)
	b.Clock.Add(time.Hour)
	_, err = b.Desk.Snooze(ctx, b.Who("rev1"), verb(ref), number, b.Clock.Now())
	require.Equal(t, []string{"until"}, fields(err))
	_, err = b.Desk.Snooze(ctx, b.Who("rev1"), verb(ref), number, b.Clock.Now().Add(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, b.Clock.Now().Add(2*time.Hour), *show(t, b, "rev2", ref).SnoozedUntil)
	_, ok, err := b.Desk.Next(ctx, b.Who("rev2"), reviewtest.Queue, "")
	require.NoError(t, err)
	require.False(t, ok)
	b.Clock.Add(3 * time.Hour)
	require.Nil(t, show(t, b, "rev2", ref).SnoozedUntil, "its time is over")

	row, err := b.Records.Case(ctx, ref)
	require.NoError(t, err)
	row.Revision++
	row.Raised, row.Missed = true, []casefile.DeadlineKind{casefile.DeadlineTouch}
	require.NoError(t, b.Records.Project(ctx, records.Projection{Case: row, Now: b.Clock.Now()}))
	v = show(t, b, "rev2", ref)
	require.True(t, v.Raised)
	require.True(t, v.Deadlines[0].Missed)
	_, err = b.Desk.MoveDeadline(ctx, b.Who("lead"), review.DeadlineCall{VerbCall: verb(ref), Deadline: casefile.DeadlineThreat, To: b.Clock.Now().Add(time.Hour), Reason: "x"})
	require.Equal(t, []string{"deadline"}, fields(err))
	_, err = b.Desk.MoveDeadline(ctx, b.Who("lead"), review.DeadlineCall{VerbCall: verb(ref), Deadline: casefile.DeadlineDecision, To: b.Clock.Now().Add(time.Hour), Reason: " "})
	require.Equal(t, []string{"reason"}, fields(err))
	_, err = b.Desk.MoveDeadline(ctx, b.Who("lead"), review.DeadlineCall{VerbCall: verb(ref), Deadline: casefile.DeadlineDecision, To: b.Clock.Now().Add(time.Hour), Reason: "[why]"})
	require.NoError(t, err)
	require.Equal(t, b.Clock.Now().Add(time.Hour), *show(t, b, "rev2", ref).DecideBy)
}

// TestReasonsAreSealed: what somebody gives as a reason reaches no payload.
func TestReasonsAreSealed(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	number := claim(t, b, "rev1", ref)
	const words = "[about synthetic_1 and their handle]"
	_, err := b.Desk.HandOver(ctx, b.Who("rev1"), review.HandOverCall{VerbCall: verb(ref), Claim: number, To: "rev2", Reason: words})
	require.NoError(t, err)
	_, err = b.Desk.Escalate(ctx, b.Who("rev1"), review.EscalateCall{VerbCall: verb(ref), Reason: words})
	require.NoError(t, err)
	claim(t, b, "lead", ref)
	_, err = b.Desk.ForceRelease(ctx, b.Who("lead2"), verb(ref), words)
	require.NoError(t, err)
	for _, args := range b.Workflows.Sent() {
		require.NotContains(t, string(b.JSON(args)), "synthetic")
		require.NotContains(t, string(b.JSON(args)), "rev2")
	}
	handed, ok := b.Workflows.Sent()[1].(workflows.HandOverArgs)
	require.True(t, ok)
	require.Equal(t, b.Who("rev2").Person, handed.To, "by pseudonym")
	require.NotEmpty(t, handed.Reason.Digest)
}

// TestRecommendationAndNewEvidence: what policy recommends on the flags' codes, the posts that no earlier
// decision had, and the decision that a case is attached to.
func TestRecommendationAndNewEvidence(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	first, post := b.Open(1)
	give(t, b, "rev1", first, reviewtest.Form(casefile.L4, post))
	require.NoError(t, b.Workflows.CarryOut(ctx, first))
	b.Clock.Add(time.Hour)
	b.Workflows.Findings = []casefile.Finding{{Kind: casefile.FindingEarlierCases, Status: casefile.StatusKnown, Items: []casefile.FindingItem{
		{Label: "closed: decided", Case: first}, {Label: "new", Post: "p2"},
	}}}
	ref := b.Submit(b.Flag(1, "flag-2", b.Post(1, post, "text with [praise of a designated group] in it"), b.Post(1, "p2", "[praise of a designated group] again")))
	v := show(t, b, "rev1", ref)
	marked := map[string]bool{}
	for _, e := range v.Evidence {
		marked[e.Event.ID] = e.Undecided
	}
	require.Equal(t, map[string]bool{post: false, "p2": true}, marked)
	require.Equal(t, []casefile.PolicyCode{casefile.VE08}, v.Recommendation.Policies)
	require.NotEmpty(t, v.Recommendation.Action)
	require.NotEmpty(t, v.Recommendation.Reason)
	require.Zero(t, v.Recommendation.Sum, "no strike was given")
	require.False(t, v.Recommendation.Unknown)

	row, err := b.Records.Case(ctx, ref)
	require.NoError(t, err)
	before, err := b.Records.Case(ctx, first)
	require.NoError(t, err)
	row.Revision++
	row.Attached = before.Decision
	require.NoError(t, b.Records.Project(ctx, records.Projection{Case: row, Now: b.Clock.Now()}))
	attached := show(t, b, "rev1", ref).Attached
	require.Equal(t, first, attached.Case)
	require.Equal(t, casefile.L4, attached.Action)
}

// TestAccountState: names that the account had, and its end, as flags and evidence tell them.
func TestAccountState(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	old := b.Flag(1, "flag-1")
	old.Account.Handle = "synthetic_before"
	ref := b.Submit(old)
	require.Empty(t, show(t, b, "rev1", ref).AccountState.EarlierHandles)
	b.Clock.Add(time.Hour)
	gone := casefile.Event{Kind: casefile.EventAccountGone, Platform: reviewtest.Platform, At: b.Clock.Now(), Account: casefile.Account{ID: "account-1"}}
	b.Submit(b.Flag(1, "flag-2", gone))
	v := show(t, b, "rev1", ref)
	require.Equal(t, "synthetic_1", v.Handle)
	require.Equal(t, []string{"synthetic_before"}, v.AccountState.EarlierHandles)
	require.Equal(t, b.Clock.Now(), *v.AccountState.GoneAt)
}

// TestFindByEveryName: a handle of now and of before, with and without its @, a profile's address, an
// account id, the number of a case and of a notice.
func TestFindByEveryName(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	old := b.Flag(1, "flag-1")
	old.Account.Handle = "synthetic_before"
	ref := b.Submit(old)
	b.Clock.Add(time.Hour)
	b.Submit(b.Flag(1, "flag-later"))
	b.Open(2)
	give(t, b, "rev1", ref, reviewtest.Form(casefile.L4, "post-1-1"))
	number := show(t, b, "rev1", ref).Decision.NoticeNo
	find := func(login, text string) []casefile.CaseRef {
		page, err := b.Desk.Find(ctx, b.Who(login), review.Query{Text: text})
		require.NoError(t, err)
		var out []casefile.CaseRef
		for _, c := range page.Cases {
			out = append(out, c.Case)
		}
		return out
	}
	require.Empty(t, find("rev2", number), "nobody was told yet")
	require.NoError(t, b.Workflows.CarryOut(ctx, ref))
	names := []string{
		"synthetic_1", "@synthetic_1", "synthetic_before", "account-1", string(ref), number, "https://social.example/@synthetic_1",
		"https://social.example/profile/synthetic_before/", "https://social.example/profile/account-1?x=1",
	}
	for _, name := range names {
		require.Equal(t, []casefile.CaseRef{ref}, find("rev2", name), name)
	}
	require.Empty(t, find("rev2", "https://social.example/"))
	require.Empty(t, find("rev2", "synthetic_3"))

	again, err := b.Desk.Reopen(ctx, b.Who("lead"), verb(ref))
	require.NoError(t, err)
	refer(t, b, "rev1", again.Case, claim(t, b, "rev1", again.Case), casefile.ReferChildSafety)
	for _, name := range names {
		require.NotContains(t, find("rev2", name), again.Case, "a restricted case: %s", name)
	}
	require.Contains(t, find("rev2", string(again.Case)), again.Case, "by its number, which says nothing of the account")
	require.Contains(t, find("safety", "synthetic_1"), again.Case)
}

func TestWatchTellsEachTheirKinds(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := func(login string) <-chan review.Change {
		changes, err := b.Desk.Watch(ctx, b.Who(login))
		require.NoError(t, err)
		return changes
	}
	reviewer, admin := told("rev1"), told("admin")
	ref, _ := b.Open(1)
	_, err := b.Desk.PauseActs(ctx, b.Who("admin"), "", "[why]")
	require.NoError(t, err)
	change := <-reviewer
	require.Equal(t, review.Change{Kind: records.ChangeCase, Case: ref}, change)
	for change.Kind == records.ChangeCase {
		change = <-reviewer
	}
	require.Equal(t, review.Change{Kind: records.ChangeSwitch, ID: records.SwitchActs}, change)
	require.Equal(t, review.Change{Kind: records.ChangeSwitch, ID: records.SwitchActs}, <-admin, "no cases for an admin")
	_, err = b.Desk.Watch(ctx, b.Who("detector"))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
}

// TestReopenedCaseStaysRestricted: what was restricted once is not shown by another number, in no list
// and beside no other account.
func TestReopenedCaseStaysRestricted(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	post := b.Post(1, "p1", "text with [praise of a designated group] in it")
	post.Media = []casefile.Media{{Type: "image", URL: "https://media.example/1"}}
	ref := b.Submit(b.Flag(1, "flag-1", post))
	number := claim(t, b, "rev1", ref)
	refer(t, b, "rev1", ref, number, casefile.ReferSelfHarm)
	refer(t, b, "rev1", ref, number, casefile.ReferChildSafety)
	_, err := b.Desk.Close(ctx, b.Who("rev1"), review.CloseCall{VerbCall: verb(ref), Claim: number, EvidenceRevision: 1, Reason: casefile.CloseTest})
	require.NoError(t, err)
	again, err := b.Desk.Reopen(ctx, b.Who("senior"), verb(ref))
	require.NoError(t, err)

	v := show(t, b, "welfare", again.Case)
	require.Equal(t, casefile.ReferSelfHarm, v.Restricted)
	require.NotEmpty(t, v.Evidence)
	require.Empty(t, v.Evidence[0].Event.Media, "the second referral hides them all the same")
	require.True(t, show(t, b, "rev2", again.Case).Withheld)
	_, err = b.Desk.Claim(ctx, b.Who("rev2"), verb(again.Case))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	page, err := b.Desk.QueueCases(ctx, b.Who("rev2"), reviewtest.Queue, "", 0)
	require.NoError(t, err)
	require.True(t, page.Cases[0].Withheld)
	require.Empty(t, page.Cases[0].Handle)
	found, err := b.Desk.Find(ctx, b.Who("rev2"), review.Query{Text: "synthetic_1"})
	require.NoError(t, err)
	require.Empty(t, found.Cases)

	b.Workflows.Findings = []casefile.Finding{{Kind: casefile.FindingLookAlike, Status: casefile.StatusKnown, Items: []casefile.FindingItem{
		{Label: "taken down under a like handle", Account: b.Identity.Account(casefile.AccountRef{Platform: reviewtest.Platform, ID: "account-1"})},
	}}}
	other, _ := b.Open(2)
	v = show(t, b, "rev2", other)
	require.Empty(t, v.Linked)
	require.Contains(t, v.Missing, "1 linked accounts are not shown: their cases are restricted.")
	require.Len(t, show(t, b, "lead", other).Linked, 1)
}

// TestReasonsAreRead: whoever takes a case up reads why it was escalated or handed over to them; a second
// person reads it too, and nothing of the opinion before.
func TestReasonsAreRead(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	rev1, rev2 := b.Who("rev1"), b.Who("rev2")
	number := claim(t, b, "rev1", ref)
	_, err := b.Desk.HandOver(ctx, rev1, review.HandOverCall{VerbCall: verb(ref), Claim: number, To: "rev2", Reason: "[knows the group]"})
	require.NoError(t, err)
	got := show(t, b, "rev2", ref)
	require.Equal(t, []review.HandledView{{
		What: casefile.HandlingHandOver, Person: rev1.Person, Role: casefile.RoleReviewer, At: b.Clock.Now(), Queue: reviewtest.Queue, To: rev2.Person, Reason: "[knows the group]",
	}}, got.Handled)

	_, err = b.Desk.Escalate(ctx, rev2, review.EscalateCall{VerbCall: verb(ref), Threat: true, Reason: "[a named person is in danger]"})
	require.NoError(t, err)
	to := b.Clock.Now().Add(time.Hour)
	_, err = b.Desk.MoveDeadline(ctx, b.Who("lead"), review.DeadlineCall{VerbCall: verb(ref), Deadline: casefile.DeadlineDecision, To: to, Reason: "[sooner]"})
	require.NoError(t, err)
	got = show(t, b, "lead", ref)
	require.Len(t, got.Handled, 3)
	require.Equal(t, casefile.HandlingThreat, got.Handled[1].What)
	require.Equal(t, "[a named person is in danger]", got.Handled[1].Reason)
	require.Equal(t, to, *got.Handled[2].Until)
	require.Contains(t, got.Names, rev1.Person, "a lead knows colleagues by name")

	// Of a restricted case the reasons are withheld with everything else.
	number = claim(t, b, "lead", ref)
	refer(t, b, "lead", ref, number, casefile.ReferSelfHarm)
	require.Empty(t, show(t, b, "rev1", ref).Handled)

	second, post := b.Open(2)
	give(t, b, "rev1", second, reviewtest.Form(casefile.L6, post))
	_, err = b.Desk.Escalate(ctx, b.Who("senior"), review.EscalateCall{VerbCall: verb(second), Reason: "[hard to tell]"})
	require.NoError(t, err)
	got = show(t, b, "lead", second)
	require.Len(t, got.Handled, 1, "a first opinion is no handling")
	require.Equal(t, "[hard to tell]", got.Handled[0].Reason)
	require.Empty(t, got.Opinions)
	require.Empty(t, got.Stage)
}

// TestRecommendationBeforeTheDecision: what policy recommends counts the strikes that stood before the
// case's own decision, each by the action that gave it.
func TestRecommendationBeforeTheDecision(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	strike := func(ref casefile.CaseRef) {
		t.Helper()
		row, err := b.Records.Case(ctx, ref)
		require.NoError(t, err)
		d, err := b.Records.Decision(ctx, row.Decision)
		require.NoError(t, err)
		require.NoError(t, b.Records.AdvanceDecision(ctx, d.Decision.ID, casefile.DecisionDone, "", &records.Strike{
			Account: row.Account, Decision: d.Decision.ID, At: d.Decision.DecidedAt, ExpiresAt: d.Decision.DecidedAt.Add(180 * 24 * time.Hour),
		}, b.Clock.Now()))
	}
	b.Workflows.Acts = casefile.ActPlanned // the strike is given where a takedown comes to its end
	first, post := b.Open(1)
	give(t, b, "rev1", first, reviewtest.Form(casefile.L5, post))
	require.Zero(t, show(t, b, "rev1", first).Recommendation.Sum)
	require.NoError(t, b.Workflows.CarryOut(ctx, first))
	strike(first)
	require.Zero(t, show(t, b, "rev1", first).Recommendation.Sum, "its own strike is not one that stood before")

	b.Clock.Add(time.Hour)
	second := b.Submit(b.Flag(1, "flag-2", b.Post(1, "p2", "[praise of a designated group] again")))
	r := show(t, b, "rev1", second).Recommendation
	require.Equal(t, 2, r.Sum, "a suspension is two points")
	require.Contains(t, r.Reason, "2 points (1 point for a removal, 2 for a suspension, 3 for a termination) from 1 strike")
	give(t, b, "rev1", second, reviewtest.Form(casefile.L4, "p2"))
	b.Clock.Add(time.Hour)
	require.NoError(t, b.Workflows.CarryOut(ctx, second))
	strike(second)
	require.Equal(t, 2, show(t, b, "rev1", second).Recommendation.Sum)
	require.Zero(t, show(t, b, "rev1", first).Recommendation.Sum, "a later strike did not stand then")
}

// TestReferredToTwoTeams: either of them sees the case, and no media once child safety has it.
func TestReferredToTwoTeams(t *testing.T) {
	t.Parallel()
	b := reviewtest.New(t, nil)
	ref, _ := b.Open(1)
	number := claim(t, b, "rev1", ref)
	refer(t, b, "rev1", ref, number, casefile.ReferSelfHarm)
	require.True(t, show(t, b, "safety", ref).Withheld)
	refer(t, b, "rev1", ref, number, casefile.ReferChildSafety)
	for _, login := range []string{"welfare", "safety"} {
		v := show(t, b, login, ref)
		require.False(t, v.Withheld, login)
		require.NotEmpty(t, v.Evidence, login)
		for _, e := range v.Evidence {
			require.Empty(t, e.Event.Media)
		}
	}
	require.True(t, show(t, b, "rev2", ref).Withheld)
	_, err := b.Desk.Release(context.Background(), b.Who("rev1"), verb(ref), number)
	require.NoError(t, err)
	page, err := b.Desk.QueueCases(context.Background(), b.Who("welfare"), reviewtest.Queue, "", 10)
	require.NoError(t, err)
	require.False(t, page.Cases[0].Withheld)
}

// TestTakers: whoever holds a case sees to whom they may hand it over, by name only where they know the
// name, and nothing that tells who judged it.
func TestTakers(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	away, elsewhere := b.Add("away", "review", casefile.RoleReviewer), b.Add("elsewhere", reviewtest.OtherTeam, casefile.RoleReviewer)
	_, err := b.Desk.DisablePerson(ctx, b.Who("admin"), "away")
	require.NoError(t, err)
	ref, post := b.Open(1)
	_, err = b.Desk.Takers(ctx, b.Who("rev1"), ref)
	require.Equal(t, casefile.CodeStaleClaim, casefile.ErrorCode(err), "nobody holds it")
	number := claim(t, b, "rev1", ref)
	_, err = b.Desk.Takers(ctx, b.Who("rev2"), ref)
	require.Equal(t, casefile.CodeStaleClaim, casefile.ErrorCode(err), "somebody else holds it")
	_, err = b.Desk.Takers(ctx, b.Who("auditor"), ref)
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))

	listed := func(login string) (people []casefile.Person) {
		takers, err := b.Desk.Takers(ctx, b.Who(login), ref)
		require.NoError(t, err)
		for _, taker := range takers {
			people = append(people, taker.Person)
		}
		return people
	}
	could := func(but ...string) (people []casefile.Person) {
		for _, login := range []string{"rev1", "rev2", "rev3", "senior", "senior2", "lead", "lead2", "safety", "welfare", "elsewhere"} {
			if !slices.Contains(but, login) {
				people = append(people, b.Who(login).Person)
			}
		}
		return people
	}
	require.ElementsMatch(t, could("rev1"), listed("rev1"))
	require.NotContains(t, listed("rev1"), away.Person)
	takers, err := b.Desk.Takers(ctx, b.Who("rev1"), ref)
	require.NoError(t, err)
	for _, taker := range takers {
		require.Empty(t, taker.Login, "a reviewer knows nobody by name")
		require.Equal(t, string(taker.Person), taker.Name)
		if taker.Person == elsewhere.Person {
			require.Empty(t, taker.Team, "nor of what other team somebody is")
		}
		if taker.Person == b.Who("senior").Person {
			require.Equal(t, []casefile.Role{casefile.RoleReviewer, casefile.RoleSenior}, taker.Roles)
			require.Equal(t, "review", taker.Team)
		}
	}

	// L6 takes two: who gave the first opinion is left out like everybody who has held the case.
	_, err = b.Desk.Release(ctx, b.Who("rev1"), verb(ref), number)
	require.NoError(t, err)
	_, err = b.Desk.Release(ctx, b.Who("rev3"), verb(ref), claim(t, b, "rev3", ref))
	require.NoError(t, err)
	number = claim(t, b, "rev1", ref)
	_, err = b.Desk.Opinion(ctx, b.Who("rev1"), review.OpinionCall{VerbCall: verb(ref), Claim: number, EvidenceRevision: 1, Form: reviewtest.Form(casefile.L6, post)})
	require.NoError(t, err)
	claim(t, b, "rev2", ref)
	require.ElementsMatch(t, could("rev2", "rev1", "rev3"), listed("rev2"))

	// A lead sees the names of their team, and no others.
	other, _ := b.Open(2)
	claim(t, b, "lead", other)
	takers, err = b.Desk.Takers(ctx, b.Who("lead"), other)
	require.NoError(t, err)
	names := map[string]string{}
	for _, taker := range takers {
		names[taker.Login] = taker.Name
		if taker.Person == elsewhere.Person {
			require.Equal(t, review.Taker{Person: elsewhere.Person, Name: string(elsewhere.Person), Roles: []casefile.Role{casefile.RoleReviewer}}, taker)
		}
	}
	require.Equal(t, "Reviewer Two", names["rev2"])

	// Of another team's queue, and of a case on which two differ, those alone who may take it.
	answer, err := b.Desk.HandOver(ctx, b.Who("lead"), review.HandOverCall{VerbCall: verb(other), Claim: 1, Queue: reviewtest.OtherQueue, Reason: "theirs"})
	require.NoError(t, err)
	require.Equal(t, casefile.StateQueued, answer.State)
	second := b.Add("second", reviewtest.OtherTeam, casefile.RoleReviewer)
	claim(t, b, "elsewhere", other)
	takers, err = b.Desk.Takers(ctx, elsewhere, other)
	require.NoError(t, err)
	require.Equal(t, []review.Taker{{Person: second.Person, Name: string(second.Person), Roles: []casefile.Role{casefile.RoleReviewer}, Team: reviewtest.OtherTeam}}, takers)
	v := show(t, b, "rev2", ref)
	_, err = b.Desk.Opinion(ctx, b.Who("rev2"), review.OpinionCall{VerbCall: verb(ref), Claim: v.Claim.Number, EvidenceRevision: 1, Form: reviewtest.Form(casefile.L4, post)})
	require.NoError(t, err)
	claim(t, b, "lead", ref)
	require.Equal(t, []casefile.Person{b.Who("lead2").Person}, listed("lead"))
}

// TestHandedTo: what was handed over to somebody stands on their list until they take it up.
func TestHandedTo(t *testing.T) {
	t.Parallel()
	b, ctx := reviewtest.New(t, nil), context.Background()
	ref, _ := b.Open(1)
	b.Open(2)
	handed := func(login string) (refs []casefile.CaseRef) {
		rows, err := b.Desk.HandedTo(ctx, b.Who(login))
		require.NoError(t, err)
		for _, c := range rows {
			refs = append(refs, c.Case)
		}
		return refs
	}
	require.Empty(t, handed("rev2"))
	_, err := b.Desk.HandOver(ctx, b.Who("rev1"), review.HandOverCall{VerbCall: verb(ref), Claim: claim(t, b, "rev1", ref), To: "rev2", Reason: "you know this group"})
	require.NoError(t, err)
	require.Equal(t, []casefile.CaseRef{ref}, handed("rev2"))
	require.Empty(t, handed("rev1"))
	require.Empty(t, handed("lead"))
	_, err = b.Desk.HandedTo(ctx, b.Who("auditor"))
	require.Equal(t, casefile.CodeForbidden, casefile.ErrorCode(err))
	claim(t, b, "rev2", ref)
	require.Empty(t, handed("rev2"))
}
