package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/api"
	"github.com/docket-triage/docket/review/reviewtest"
)

// TestTwoPeopleAndALead: a blind first opinion, a second that differs, and a lead who decides.
func TestTwoPeopleAndALead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, post := b.Open(1)
	ref := string(one)
	six, four := b.form(casefile.L6, post), b.form(casefile.L4, post)
	opinion := func(login, form string) string {
		b.as(login, "case", "claim", ref).good(t)
		return b.as(login, "case", "opinion", ref, "--file", form, "--evidence-revision", "1").good(t)
	}
	require.NotContains(t, opinion("rev1", six), "decision")
	shown := b.as("rev1", "case", "show", ref).good(t)
	require.Contains(t, shown, "judged L6 under VE-08, entity E1 (not shown to others yet): the post praises")
	for _, login := range []string{"rev2", "lead"} {
		require.NotContains(t, b.as(login, "case", "show", ref).good(t), "judged")
	}
	require.Contains(t, b.as("rev1", "case", "claim", ref).bad(t), "you have given your opinion")
	opinion("rev2", four)
	require.Regexp(t, `(?m)^`+ref+` .* two opinions differ`, b.as("lead", "case", "list").good(t))
	require.NotContains(t, b.as("rev3", "case", "list").good(t), "differ")
	require.Contains(t, b.as("rev3", "case", "claim", ref).bad(t), "roles take no cases from this queue")
	shown = b.as("lead", "case", "show", ref).good(t)
	require.Contains(t, shown, "judged L6")
	require.Contains(t, shown, "judged L4")
	require.Contains(t, opinion("lead", four), "decision")
	require.Contains(t, b.as("rev3", "case", "show", ref).good(t), "  decided by adjudication\n")
}

// TestEmergency: a senior's order, shown for what it is before it is given.
func TestEmergency(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, post := b.Open(1)
	ref, form := string(one), b.form(casefile.L5, post)
	b.as("senior", "case", "claim", ref).good(t)
	preview := b.as("senior", "case", "opinion", ref, "--file", form, "--emergency", "--preview").good(t)
	require.Contains(t, preview, "- This is an emergency order: it is carried out at once and cannot be withdrawn.\n")
	require.Contains(t, preview, "Policy recommends: ")
	require.Contains(t, b.as("senior", "case", "opinion", ref, "--file", b.form(casefile.L4, post), "--emergency", "--evidence-revision", "1").bad(t), "an emergency order is L5")
	given := b.as("senior", "case", "opinion", ref, "--file", form, "--emergency", "--evidence-revision", "1").good(t)
	require.NotContains(t, given, "withdrawn")
	require.Contains(t, b.as("rev1", "case", "show", ref).good(t), "decided by emergency")

	require.NoError(t, b.Workflows.CarryOut(t.Context(), one))
	row, err := b.Records.Case(t.Context(), one)
	require.NoError(t, err)
	order, _, err := b.Records.PutAppeal(t.Context(), records.AppealRow{
		ID: casefile.NewID(), Kind: casefile.AppealEmergency, Decision: row.Decision, Case: one, Platform: row.Platform, Account: row.Account,
		OpenedBy: casefile.System, OpenedAt: b.Clock.Now(), DueAt: b.Clock.Now().Add(casefile.EmergencyReviewTime), State: casefile.AppealOpen,
	})
	require.NoError(t, err)
	b.as("rev3", "appeal", "claim", order.ID).good(t)
	const words = "[the order was wrong]"
	require.Contains(t, b.typed("rev3", words, "appeal", "preview", order.ID, "--outcome", "stands").good(t), "- The decision stands and nothing is taken back.\n")
	require.Contains(t, b.typed("rev3", words, "appeal", "preview", order.ID, "--outcome", "maybe").bad(t), "of an emergency order falls or stands")
	ruled := b.typed("rev3", words, "appeal", "rule", order.ID, "--outcome", "falls").good(t)
	require.Regexp(t, `(?m)^outcome +the order falls: the suspension is taken back$`, ruled)
	require.Contains(t, b.as("rev1", "appeal", "list").good(t), "the order falls: the suspension is taken back")
	require.Contains(t, b.as("auditor", "appeal", "show", order.ID).good(t), "  the order falls: the suspension is taken back\n  ruled by ")
}

// TestOutcomeText: what a ruling means, for an appeal and for the review of an emergency order.
func TestOutcomeText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "the order stands", outcomeText(casefile.AppealEmergency, casefile.OutcomeRejected))
	require.Equal(t, "rejected: the decision stands", outcomeText(casefile.AppealByAccount, casefile.OutcomeRejected))
	require.Equal(t, "upheld: the decision is taken back", outcomeText(casefile.AppealByAccount, casefile.OutcomeUpheld))
	require.Empty(t, outcomeText(casefile.AppealEmergency, ""))
}

// TestHandling: what a holder and a lead do with a case beside judging it.
func TestHandling(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, _ := b.Open(1)
	ref := string(one)
	// The bench's clock stands still in the past: times are named, not counted from now.
	at := func(d time.Duration) string { return b.Clock.Now().Add(d).Format(time.RFC3339) }
	why := func(login string, args ...string) result {
		return b.typed(login, "[why]\n", append([]string{"case"}, args...)...)
	}

	b.as("rev1", "case", "claim", ref).good(t)
	require.Contains(t, b.as("rev1", "case", "snooze", ref).bad(t), "either --until or --for")
	require.Contains(t, b.as("rev1", "case", "snooze", ref, "--until", "soon").bad(t), "is not a time")
	require.Contains(t, b.as("rev1", "case", "snooze", ref, "--until", at(8*24*time.Hour)).bad(t), "until: at most 7 days ahead")
	require.Contains(t, b.as("rev1", "case", "snooze", ref, "--until", at(time.Hour)).good(t), "queued")
	require.Contains(t, b.as("rev1", "case", "list").good(t), "snoozed until 2026-03-02 11:00Z")
	require.Equal(t, "null\n", b.as("rev2", "case", "next", reviewtest.Queue, "--json").good(t))

	b.as("rev1", "case", "claim", ref).good(t)
	require.Contains(t, b.as("rev1", "case", "hold", ref, "--until", at(3*time.Hour)).good(t), "until 2026-03-02 13:00Z")
	require.Contains(t, b.as("rev1", "case", "show", ref).good(t), ", kept without input\n")
	require.Contains(t, why("rev1", "hand-over", ref).bad(t), "either a person")
	require.Contains(t, b.typed("rev1", " \n", "case", "hand-over", ref, "--to", "rev2").bad(t), "docket: no words on standard input; a reason is needed\n")
	require.Contains(t, why("rev1", "hand-over", ref, "--queue", "none").bad(t), "queue: there is no queue")
	takers := b.as("rev1", "case", "takers", ref).good(t)
	require.Regexp(t, `(?m)^`+string(b.Who("senior").Person)+` +- +`+string(b.Who("senior").Person)+` +reviewer,senior +review$`, takers)
	require.NotContains(t, takers, "rev2", "by pseudonym")
	require.Contains(t, b.as("rev2", "case", "takers", ref).bad(t), "only whoever holds a case hands it over")
	require.Contains(t, why("rev1", "hand-over", ref, "--to", "rev2").good(t), "queued")
	require.Contains(t, b.as("rev3", "case", "claim", ref).bad(t), "handed over to somebody else")
	require.Regexp(t, `(?m)^2026-03-02 10:00Z handed over by \S+ \(reviewer\) to \S+: \[why\]$`, b.as("rev2", "case", "show", ref).good(t))
	b.as("rev2", "case", "claim", ref).good(t)

	require.Contains(t, why("rev1", "force-release", ref).bad(t), "case.force_release")
	require.Contains(t, why("lead", "force-release", ref).good(t), "queued")
	require.Contains(t, why("rev2", "deadline", ref, "--deadline", "touch", "--to", at(time.Hour)).bad(t), "case.deadline")
	require.Contains(t, why("lead", "deadline", ref, "--deadline", "threat", "--to", at(time.Hour)).bad(t), "touch or decision")
	require.Contains(t, why("lead", "deadline", ref, "--deadline", "decision", "--to", at(91*24*time.Hour)).bad(t), "to: at most 90 days ahead")
	require.Regexp(t, `(?m)^deadline decision +2026-03-06 04:00Z$`, why("lead", "deadline", ref, "--deadline", "decision", "--to", at(90*time.Hour)).good(t))
	moved := b.as("rev1", "case", "show", ref).good(t)
	require.Contains(t, moved, "Deadline decision 2026-03-06 04:00Z\n")
	require.Regexp(t, `(?m)^\S+ \S+ claim of \S+ ended by \S+ \(lead\): \[why\]$`, moved)
	require.Regexp(t, `(?m)^\S+ \S+ deadline decision moved by \S+ \(lead\) to 2026-03-06 04:00Z: \[why\]$`, moved)

	b.as("rev2", "case", "claim", ref).good(t)
	require.Contains(t, why("rev2", "refer", ref, "--to", "nowhere").bad(t), "--to must be one of")
	referred := why("rev2", "refer", ref, "--to", "child_safety").good(t)
	require.Contains(t, referred, "receipt            case."+ref+"/")
	require.Contains(t, b.as("rev2", "case", "show", ref).good(t), "Referred to child_safety by ")
	hidden := b.as("rev3", "case", "show", ref).good(t)
	require.Contains(t, hidden, "its words are shown to its holder, to leads and to that team alone")
	require.NotContains(t, hidden, "praise")
	require.NotContains(t, hidden, "[why]")

	require.Contains(t, why("rev3", "escalate", ref, "--threat-to-life").good(t), "claimed")
	require.Regexp(t, `(?m) escalated as a THREAT TO LIFE by \S+ \(reviewer\) to queue lead: \[why\]$`, b.as("lead", "case", "show", ref).good(t))
	require.NotContains(t, b.as("rev3", "case", "show", ref).good(t), "[why]")
	require.Regexp(t, `THREAT TO LIFE, restricted to child_safety`, b.as("lead", "case", "list").good(t))
}

// TestAppeals: from the number on a notice to a ruling with its own notice.
func TestAppeals(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ref, post := b.Open(1)
	b.as("rev1", "case", "claim", string(ref)).good(t)
	b.as("rev1", "case", "opinion", string(ref), "--file", b.form(casefile.L5, post), "--evidence-revision", "1").good(t)
	require.NoError(t, b.Workflows.CarryOut(t.Context(), ref))
	var view review.CaseView
	b.as("rev1", "case", "show", string(ref), "--json").decode(t, &view)
	number := view.Decision.NoticeNo

	require.Equal(t, "no appeals\n", b.as("rev2", "appeal", "list").good(t))
	require.Equal(t, "no appeal waits that you may decide\n", b.as("rev2", "appeal", "next").good(t))
	require.Contains(t, b.typed("detector", "[the complaint]", "appeal", "open", casefile.NewID()).bad(t), "there is no notice of this number")
	var opened review.AppealOpened
	b.typed("detector", "[the complaint]\n", "appeal", "open", number, "--json").decode(t, &opened)
	require.Equal(t, []string{opened.Appeal}, b.Workflows.Started())
	again := b.typed("detector", "[the complaint]", "appeal", "open", strings.ToLower(number)).good(t)
	require.Contains(t, again, opened.Appeal)
	require.Contains(t, b.typed("senior2", "[other words]", "appeal", "open", number).bad(t), "a decision is appealed once")
	require.Contains(t, b.as("detector", "appeal", "claim", opened.Appeal).bad(t), "appeal.claim")

	require.Regexp(t, `(?m)^`+opened.Appeal+` .* open `, b.as("rev2", "appeal", "list", "--state", "open").good(t))
	require.Contains(t, b.as("rev1", "appeal", "list").good(t), "you took part")
	for _, args := range [][]string{{"show", opened.Appeal}, {"claim", opened.Appeal}} {
		require.Contains(t, b.as("rev1", append([]string{"appeal"}, args...)...).bad(t), "you took part in this case")
	}
	require.Equal(t, "no appeal waits that you may decide\n", b.as("rev1", "appeal", "next").good(t))
	require.Equal(t, "null\n", b.as("rev1", "appeal", "next", "--json").good(t))
	require.Contains(t, b.as("rev2", "appeal", "next").good(t), opened.Appeal)
	require.Contains(t, b.as("rev3", "appeal", "claim", opened.Appeal).bad(t), "somebody else holds")
	b.as("rev2", "appeal", "release", opened.Appeal).good(t)
	require.Contains(t, b.typed("rev2", "[the complaint changes nothing]", "appeal", "rule", opened.Appeal, "--outcome", "rejected").bad(t), "claim it first")
	require.Contains(t, b.as("rev2", "appeal", "claim", opened.Appeal).good(t), "claimed")
	shown := b.as("rev2", "appeal", "show", opened.Appeal).good(t)
	for _, part := range []string{"The complaint\n  | [the complaint]\n", "Against the decision of notice " + number, "[praise of a designated group]", "decided by one_opinion", "act 1 suspend (do): done"} {
		require.Contains(t, shown, part)
	}

	require.Contains(t, b.typed("rev2", "x", "appeal", "preview", opened.Appeal, "--outcome", "maybe").bad(t), "upheld or rejected")
	short := b.typed("rev2", "short", "appeal", "preview", opened.Appeal, "--outcome", "upheld")
	require.Equal(t, 1, short.code)
	require.Contains(t, short.out, "fault in rationale")
	preview := b.typed("rev2", "[the context was overlooked]", "appeal", "preview", opened.Appeal, "--outcome", "upheld").good(t)
	require.Contains(t, preview, "- The decision falls: everything that it did is taken back, the last act first.\n")
	_, token, _ := strings.Cut(preview, "--confirm ")
	notice := strings.Split(strings.Split(preview, "sent:\n")[1], "\nTo rule so")[0]
	ruled := b.typed("rev2", "[the context was overlooked]", "appeal", "rule", opened.Appeal, "--outcome", "upheld", "--confirm", strings.TrimSpace(token)).good(t)
	require.Regexp(t, `(?m)^outcome +upheld: the decision is taken back$`, ruled)
	shown = b.as("auditor", "appeal", "show", opened.Appeal).good(t)
	require.Contains(t, shown, "  upheld: the decision is taken back\n  ruled by "+string(b.Who("rev2").Person))
	require.Contains(t, shown, notice, "the notice is the one that was previewed")
	require.Contains(t, b.as("rev3", "case", "show", string(ref)).good(t), "appeal "+opened.Appeal+": decided")
}

// TestActs: what hangs, a pause that says how much waits, and a person's word on what is uncertain.
func TestActs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Equal(t, "no acts\n", b.as("senior", "acts", "list").good(t))
	carry := func(n int, acts casefile.ActState) string {
		ref, post := b.Open(n)
		b.as("rev1", "case", "claim", string(ref)).good(t)
		var a review.VerbAnswer
		b.as("rev1", "case", "opinion", string(ref), "--file", b.form(casefile.L5, post), "--evidence-revision", "1", "--json").decode(t, &a)
		b.Workflows.Acts = acts
		require.NoError(t, b.Workflows.CarryOut(t.Context(), ref))
		return a.Decision
	}
	uncertain := carry(1, casefile.ActUncertain)
	carry(2, casefile.ActPlanned)
	listed := b.as("senior", "acts", "list").good(t)
	require.Regexp(t, `(?m)^`+uncertain+` +1 +do +suspend +example .* uncertain `, listed)
	require.Contains(t, listed, " waiting ")
	require.Contains(t, b.as("rev1", "acts", "list").bad(t), "act.list")
	require.Contains(t, b.as("senior", "acts", "list", "--stage", "odd").bad(t), "stage: one of")

	require.Contains(t, b.typed("senior", "[why]", "acts", "pause").bad(t), "act.pause")
	require.Contains(t, b.typed("lead", "[why]", "acts", "pause", "--platform", "nosuch").bad(t), "platform: not a platform known here: one of example")
	require.Contains(t, b.as("lead", "case", "list", "--state", "review").bad(t), "one of new, queued, claimed, decided, proven, closed")
	paused := b.typed("lead", "[why it stops]\n", "acts", "pause", "--platform", "example").good(t)
	require.Regexp(t, `acts/example +off since`, paused)
	require.Regexp(t, `acts waiting +1\n`, paused)
	require.Contains(t, b.as("senior", "acts", "list").good(t), "PAUSED")
	b.typed("admin", "[why all stop]", "acts", "pause").good(t)
	resumed := b.typed("lead", "[why]", "acts", "resume", "--platform", "example").good(t)
	require.Regexp(t, `still paused by +acts\n`, resumed)
	require.Contains(t, b.as("auditor", "automation", "show").good(t), "[why all stop]")
	var answer review.SwitchAnswer
	b.typed("admin", "[why]", "acts", "resume", "--json").decode(t, &answer)
	require.True(t, answer.Switch.On)
	require.Empty(t, answer.Paused)

	settle := func(args ...string) result {
		return b.typed("senior", "[looked at the account's page: it is suspended]", append([]string{"acts", "settle"}, args...)...)
	}
	require.Contains(t, settle(uncertain, "0", "--outcome", "done").bad(t), "acts count from 1")
	require.Contains(t, settle(uncertain, "1").bad(t), "done or not-done")
	require.Contains(t, settle("none", "1", "--outcome", "done").bad(t), "decision: there is no decision")
	require.Contains(t, settle(uncertain, "1", "--undo", "--outcome", "done").bad(t), "not uncertain")
	var settled review.SettleAnswer
	settle(uncertain, "1", "--outcome", "done", "--json").decode(t, &settled)
	require.Equal(t, casefile.ActDone, settled.State)
	require.Contains(t, settle(uncertain, "1", "--outcome", "done", "--key", settled.Key).good(t), "done", "the same verb counts once")
	require.NotContains(t, b.as("senior", "acts", "list").good(t), uncertain)
}

// TestAutomation: the switch of automatic rules, and their breakers.
func TestAutomation(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Regexp(t, `(?m)^acts +on since - by -\nautomation +off since - by -$`, b.as("admin", "automation", "show").good(t))
	require.Contains(t, b.typed("lead", "[why]", "automation", "on").bad(t), "switch.automation")
	var s review.SwitchView
	b.typed("admin", "[why]", "automation", "on", "--json").decode(t, &s)
	require.True(t, s.On)
	require.Regexp(t, `automation +off since 2026`, b.typed("admin", "[why not]", "automation", "off").good(t))
	require.Contains(t, b.as("admin", "breaker", "list").good(t), "no breakers")
	require.Contains(t, b.as("lead", "breaker", "arm", "auto-1").bad(t), "no rule of this name")
	ref, _ := b.Open(1)
	for range 2 {
		_, _, err := b.Records.CountAutomatic(t.Context(), "auto-1", ref, records.BreakerLimits{PerHour: 1}, b.Clock.Now())
		require.NoError(t, err)
		ref, _ = b.Open(2)
	}
	var all []review.BreakerView
	b.as("lead", "breaker", "list", "--json").decode(t, &all)
	require.NotNil(t, all[0].Tripped)
	require.Regexp(t, `auto-1 .* count `, b.as("policy", "breaker", "list").good(t))
	require.Contains(t, b.as("policy", "breaker", "arm", "auto-1").bad(t), "breaker.arm")
	require.Regexp(t, `auto-1 .*`+string(b.Who("lead").Person), b.as("lead", "breaker", "arm", "auto-1").good(t))
	b.Clock.Add(time.Second)
	require.Contains(t, b.as("lead", "breaker", "arm", "auto-1").bad(t), "has not tripped")
}

// TestPeople: somebody is added, disabled with all that they held, enabled and reset.
func TestPeople(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Contains(t, b.as("lead", "people", "add", "new1", "--name", "N", "--role", "reviewer").bad(t), "people.manage")
	require.Contains(t, b.as("admin", "people", "add", "new1", "--role", "reviewer").bad(t), "name: required")
	var made review.Introduced
	b.as("admin", "people", "add", "new1", "--name", "New Person", "--role", "reviewer", "--team", "review", "--json").decode(t, &made)
	require.True(t, strings.HasPrefix(made.LoginLink, "/login?code=dk_login_"))
	require.Contains(t, b.as("admin", "people", "add", "form1", "--name", "Complaint form", "--role", "service").good(t), "dk_api_")
	require.Contains(t, b.as("admin", "people", "list").good(t), "New Person")
	require.NotContains(t, b.as("lead", "people", "list").good(t), "Policy Analyst", "another team's")

	ref, _ := b.Open(1)
	b.as("rev1", "case", "claim", string(ref)).good(t)
	disabled := b.as("admin", "people", "disable", "rev1").good(t)
	require.Contains(t, disabled, "released")
	require.Contains(t, disabled, string(ref))
	require.Contains(t, b.as("rev1", "case", "list").bad(t), "log in first")
	require.Contains(t, b.as("rev2", "case", "claim", string(ref)).good(t), "claimed")
	require.Contains(t, b.as("admin", "people", "reset", "rev1").bad(t), "enable them first")
	require.Contains(t, b.as("admin", "people", "enable", string(b.Who("rev1").Person)).good(t), "true")
	require.Contains(t, b.as("admin", "people", "reset", "rev1").good(t), b.url+"/login?code=")
	require.Contains(t, b.as("admin", "people", "add", "new2", "--name", strings.Repeat("n", 201), "--role", "reviewer").bad(t), "name: 201 characters; the limit is 200")
	require.Contains(t, b.as("admin", "people", "add", "new2", "--name", "N", "--team", strings.Repeat("t", 65), "--role", "reviewer").bad(t), "team: 65 characters")

	second, _ := b.Open(2)
	b.as("rev2", "case", "claim", string(second)).good(t)
	b.typed("rev2", "[why]", "case", "hand-over", string(second), "--to", "rev3").good(t)
	disabled = b.as("admin", "people", "disable", "rev3").good(t)
	require.Regexp(t, `(?m)^released +`+string(second)+`$`, disabled)
	require.Contains(t, b.as("lead", "case", "claim", string(second)).good(t), "claimed")
	require.Contains(t, b.as("admin", "people", "disable", "admin").bad(t), "nobody disables themselves")
	require.Contains(t, b.as("admin", "people", "disable", "nobody").bad(t), "there is nobody")
}

// TestGlass: a restricted case is opened for a reason and a while, on record, and reviewed by another.
func TestGlass(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, _ := b.Open(1)
	ref := string(one)
	const reason = "the on-call lead cannot be reached and a court asks"
	require.Contains(t, b.as("admin", "case", "show", ref).bad(t), "case.read")
	require.Contains(t, b.typed("rev1", reason, "glass", "open", ref).bad(t), "glass.break")
	require.Contains(t, b.typed("admin", reason, "glass", "open", ref, "--minutes", "61").bad(t), "minutes: 1 to 60")
	require.Contains(t, b.typed("admin", "too short", "glass", "open", ref).bad(t), "reason: 20 to 1000")
	require.Contains(t, b.typed("admin", reason, "glass", "open", "00000-00000").bad(t), "there is no case")
	var g review.GlassView
	b.typed("admin", reason, "glass", "open", ref, "--minutes", "30", "--json").decode(t, &g)
	require.Contains(t, b.as("admin", "case", "show", ref).good(t), "[praise of a designated group]")
	require.Contains(t, b.as("admin", "case", "claim", ref).bad(t), "case.claim", "it lets one read and nothing else")
	b.Clock.Add(31 * time.Minute)
	require.Contains(t, b.as("admin", "case", "show", ref).bad(t), "case.read")

	require.Contains(t, b.as("lead", "glass", "list").good(t), reason)
	require.Contains(t, b.as("lead", "glass", "review", g.ID).bad(t), "--justified or --not-justified")
	require.Contains(t, b.as("admin", "glass", "review", g.ID, "--justified").bad(t), "glass.review")
	var reviewed api.Reviewed
	b.as("lead", "glass", "review", g.ID, "--not-justified", "--json").decode(t, &reviewed)
	require.False(t, reviewed.Justified)
	require.Equal(t, "nothing to review\n", b.as("lead", "glass", "list").good(t))
	var page review.GlassPage
	b.as("auditor", "glass", "list", "--all", "--json").decode(t, &page)
	require.Equal(t, b.Who("lead").Person, page.Glass[0].ReviewedBy)
	require.Equal(t, "Administrator", page.Names[b.Who("admin").Person])
}
