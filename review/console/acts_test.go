package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

// carriedOut decides a case and carries it out as far as the acts of the bench come.
func (s *site) carriedOut(n int, acts casefile.ActState) casefile.CaseRef {
	s.t.Helper()
	ref, _ := s.Open(n)
	s.login("rev1").decide(ref)
	s.Workflows.Acts = acts
	s.Clock.Add(2 * time.Minute)
	require.NoError(s.t, s.Workflows.CarryOut(context.Background(), ref))
	return ref
}

func TestActsByStage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	waiting := s.carriedOut(1, casefile.ActPlanned)
	uncertain := s.carriedOut(2, casefile.ActUncertain)
	failed := s.carriedOut(3, casefile.ActFailed)
	s.Clock.Add(time.Hour)
	v := s.login("senior")
	rows := func(query string) string { return textOf(byID(v.get("/acts"+query).page(), "pending")) }
	all := rows("")
	for _, ref := range []casefile.CaseRef{waiting, uncertain, failed} {
		require.Contains(t, all, string(ref))
	}
	for _, words := range []string{"waiting: nothing begun", "uncertain: a person must look", "failed: the platform refused it for good", "limit features", "1 h 4 min", "example"} {
		require.Contains(t, all, words)
	}
	require.Less(t, strings.Index(all, string(waiting)), strings.Index(all, string(failed)), "the longest waiting first")
	only := rows("?stage=uncertain")
	require.Contains(t, only, string(uncertain))
	require.NotContains(t, only, string(waiting))
	require.Contains(t, rows("?platform=elsewhere"), "No act stands so")
	require.Equal(t, http.StatusUnprocessableEntity, v.get("/acts?stage=nonsense").status)

	decision, err := s.Records.CaseDecisions(context.Background(), waiting)
	require.NoError(t, err)
	acts, err := s.Records.Acts(context.Background(), decision[0].Decision.ID)
	require.NoError(t, err)
	require.NoError(t, s.Records.NoteAttempt(context.Background(), acts[0].Act, casefile.Do, string(casefile.CodeUnavailable), s.Clock.Now()))
	retried := textOf(byID(v.get("/cases/"+string(waiting)).page(), "acts"))
	require.Contains(t, retried, "1 came to nothing: the platform does not answer")
	require.Contains(t, rows(""), "the platform does not answer")
	// An admin sees codes alone.
	require.NotContains(t, s.login("admin").get("/acts").body, "/cases/"+string(waiting))
}

// TestPauseAndResume: the answer says how many acts wait, and every page says that they are paused.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.carriedOut(1, casefile.ActPlanned)
	lead, senior, reviewer := s.login("lead"), s.login("senior"), s.login("rev1")
	for login, may := range map[*visitor]bool{lead: true, s.login("admin"): true, senior: false, s.login("auditor"): false} {
		page := login.get("/acts").page()
		require.Equal(t, may, byID(page, "pause-form") != nil, login.who.Login)
		require.Equal(t, may, byID(page, "resume-form") != nil, login.who.Login)
	}
	require.Empty(t, strings.TrimSpace(textOf(byID(reviewer.get("/queues").page(), "banner"))))
	form := formOf(lead.get("/acts").page(), "pause-form")
	a := lead.post("/acts/pause", with(form, "platform", "Not a platform", "reason", "the platform answers slowly"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, `href="#pause-platform"`)
	kept := formOf(a.page(), "pause-form")
	require.Equal(t, "the platform answers slowly", kept.Get("reason"), "the words are kept")
	require.Empty(t, formOf(a.page(), "resume-form").Get("reason"))
	a = lead.post("/acts/pause", with(kept, "platform", "example"))
	require.Equal(t, "/acts", a.header.Get("Location"), a.body)
	said := textOf(byID(lead.follow(a).page(), "flash"))
	require.Contains(t, said, "Acts on example are paused: none starts. 1 act waits.")
	a = lead.post("/acts/pause", with(form, "platform", "", "reason", "all of it"))
	require.Contains(t, textOf(byID(lead.follow(a).page(), "flash")), "every platform")

	for _, v := range []*visitor{lead, senior, reviewer, s.login("policy"), s.login("auditor"), s.login("admin")} {
		for _, address := range []string{"/queues", "/find", "/help", "/policy", "/acts", "/nowhere", "/appeals", "/automation", "/people"} {
			page := v.get(address).page()
			said := textOf(byID(page, "banner"))
			require.Contains(t, said, "Acts are paused on example", "%s %s", v.who.Login, address)
			require.Contains(t, said, "Acts are paused on every platform", "%s %s", v.who.Login, address)
			require.Contains(t, said, "2 Mar 2026 10:02:00 UTC")
			by := string(lead.who.Person)
			switch {
			case v == lead:
				by = "you"
			case v.who.May(access.PeopleRead):
				by = "Team Lead"
			}
			require.Contains(t, said, "by "+by, "%s %s", v.who.Login, address)
		}
	}
	require.Contains(t, textOf(byID(lead.get("/acts").page(), "act-switches")), "the platform answers slowly")

	a = lead.post("/acts/resume", with(formOf(lead.get("/acts").page(), "resume-form"), "reason", ""))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, `href="#resume-reason"`)
	a = lead.post("/acts/resume", with(formOf(lead.get("/acts").page(), "resume-form"), "reason", "it is over"))
	require.Contains(t, textOf(byID(lead.follow(a).page(), "flash")), "This pause has ended, and another one goes on: see what is paused. 1 act waits")
	a = lead.post("/acts/resume", with(formOf(lead.get("/acts").page(), "resume-form"), "platform", "example", "reason", "it is over"))
	require.Contains(t, textOf(byID(lead.follow(a).page(), "flash")), "Acts on example go on. 1 act waits to be carried out")
	require.Empty(t, strings.TrimSpace(textOf(byID(lead.get("/queues").page(), "banner"))))
	for _, verb := range []string{"pause", "resume"} {
		require.Equal(t, "/acts", lead.get("/acts/"+verb).header.Get("Location"))
	}
	require.Equal(t, http.StatusNotFound, lead.get("/acts/elsewhere").status)
}

func TestWhetherActsArePausedMayNotBeKnown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	s.desk.down = casefile.Errorf(casefile.CodeUnavailable, "the records do not answer")
	a := v.get("/policy")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, textOf(byID(a.page(), "banner")), "could not be read: they may be")
}

// TestSettleAnUncertainAct: from the case's page, by a person who looked.
func TestSettleAnUncertainAct(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref := s.carriedOut(1, casefile.ActUncertain)
	v := s.login("senior")
	link := func(v *visitor) string {
		found := ""
		walk(v.get("/cases/"+string(ref)).page(), func(n *html.Node) {
			if strings.HasPrefix(attrOf(n, "href"), "/acts/settle?") {
				found = attrOf(n, "href")
			}
		})
		return found
	}
	require.Empty(t, link(s.login("rev1")), "a reviewer settles none")
	ask := v.get(link(v))
	require.Equal(t, http.StatusOK, ask.status)
	require.Contains(t, textOf(byID(ask.page(), "main")), "limit features")
	form := formOf(ask.page(), "settle-form")
	require.Empty(t, form.Get("outcome"), "neither is chosen beforehand")
	a := v.post("/acts/settle", with(form, "saw", "it is limited"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	for _, fault := range []string{"looked", "outcome"} {
		require.NotNil(t, byID(a.page(), "fault-"+fault))
	}
	require.Equal(t, "it is limited", formOf(a.page(), "settle-form").Get("saw"))
	require.Contains(t, s.refusals(), "console.settle invalid")
	whole := with(formOf(a.page(), "settle-form"), "looked", "the account's page, logged out", "outcome", "done")
	a = v.post("/acts/settle", whole)
	require.Equal(t, "/cases/"+string(ref), a.header.Get("Location"), a.body)
	page := v.follow(a).page()
	require.Contains(t, textOf(byID(page, "flash")), "How act 1 ended is on record")
	require.Contains(t, textOf(byID(page, "acts")), "settled by you")
	require.Empty(t, link(v))
	require.Equal(t, http.StatusSeeOther, v.post("/acts/settle", whole).status, "sent twice, counted once")
	require.NotNil(t, byID(v.get("/acts/settle?decision=x&number=1&direction=do").page(), "not-uncertain"))
	a = v.post("/acts/settle", with(whole, "key", "another"))
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, textOf(byID(a.page(), "refused")), "not uncertain")
	require.Equal(t, "it is limited", formOf(a.page(), "settle-form").Get("saw"))
}

func TestAutomationAndBreakers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin, lead := s.login("admin"), s.login("lead")
	require.Nil(t, byID(lead.get("/automation").page(), "automation-form"), "who judges does not let rules loose")
	page := admin.get("/automation").page()
	require.Contains(t, textOf(byID(page, "automation-state")), "every case goes to people")
	form := formOf(page, "automation-form")
	a := admin.post("/automation", with(form, "reason", "the rule was tried for a month"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.NotNil(t, byID(a.page(), "fault-sure"))
	require.Equal(t, "the rule was tried for a month", formOf(a.page(), "automation-form").Get("reason"))
	a = admin.post("/automation", with(formOf(a.page(), "automation-form"), "sure", "on"))
	require.Equal(t, "/automation", a.header.Get("Location"), a.body)
	page = admin.follow(a).page()
	require.Contains(t, textOf(byID(page, "automation-state")), "decide by themselves")
	require.Contains(t, textOf(byID(lead.get("/queues").page(), "banner")), "Automatic rules decide")

	for n, ref := range []casefile.CaseRef{first(s.Open(1)), first(s.Open(2))} {
		_, tripped, err := s.Records.CountAutomatic(context.Background(), "auto-1", ref, records.BreakerLimits{PerHour: 1}, s.Clock.Now())
		require.NoError(t, err)
		require.Equal(t, n == 1, tripped)
	}
	require.Contains(t, textOf(byID(s.login("rev1").get("/queues").page(), "banner")), "The breaker of rule auto-1 has tripped")
	page = lead.get("/automation").page()
	require.Contains(t, textOf(byID(page, "breakers")), "tripped 2 Mar 2026 10:00:00 UTC: too many in an hour")
	require.Nil(t, byID(s.login("senior").get("/automation").page(), "automation-form"))
	require.Empty(t, actionIn(s.login("senior").get("/automation").page(), "/automation/arm"))
	a = lead.post("/automation/arm", url.Values{"rule": {"auto-1"}})
	require.Equal(t, "/automation", a.header.Get("Location"), a.body)
	page = lead.follow(a).page()
	require.Contains(t, textOf(byID(page, "breakers")), "by you")
	require.NotContains(t, textOf(byID(page, "banner")), "tripped")
	require.Equal(t, http.StatusNotFound, lead.post("/automation/arm", url.Values{"rule": {"no such rule"}}).status)

	form = formOf(admin.get("/automation").page(), "automation-form")
	a = admin.post("/automation", with(form, "reason", "enough"))
	require.Equal(t, "/automation", a.header.Get("Location"), "stopping takes no more than a reason")
	require.Nil(t, byID(lead.get("/automation").page(), "reconcile"))
	a = admin.post("/automation/reconcile", nil)
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, textOf(byID(a.page(), "report")), `"cases": 1`)
	for _, verb := range []string{"arm", "reconcile"} {
		require.Equal(t, "/automation", admin.get("/automation/"+verb).header.Get("Location"))
	}
	require.Equal(t, http.StatusNotFound, admin.get("/automation/elsewhere").status)
}

func first(ref casefile.CaseRef, _ string) casefile.CaseRef { return ref }

// TestBannerSaysWhatIsDown: every page says what does not answer, in words.
func TestBannerSaysWhatIsDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.desk.banner = &review.Banner{Down: []string{"index", "temporal", "ledger", "records", "door"}}
	said := textOf(byID(s.login("rev1").get("/queues").page(), "banner"))
	for _, words := range []string{"History and case search do not answer", "The workflow engine does not answer", "The ledger does not answer", "The records do not answer", "does not answer: door"} {
		require.Contains(t, said, words)
	}
}
