package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
)

func TestPeople(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin, lead := s.login("admin"), s.login("lead")
	page := lead.get("/people").page()
	require.Nil(t, byID(page, "add-form"))
	said := textOf(byID(page, "people"))
	require.Contains(t, said, "Reviewer One", "a lead sees the names of their team")
	require.NotContains(t, said, "Administrator", "and pseudonyms elsewhere")
	require.Empty(t, actionIn(page, "/people/"))

	form := formOf(admin.get("/people").page(), "add-form")
	a := admin.post("/people", with(form, "login", "Not A Login", "name", "Somebody New", "team", "review", "roles", "reviewer"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.NotNil(t, byID(a.page(), "fault-login"))
	kept := formOf(a.page(), "add-form")
	for _, name := range []string{"login", "name", "team", "roles"} {
		require.NotEmpty(t, kept.Get(name), "%s is kept", name)
	}
	a = admin.post("/people", with(kept, "login", "rev1"))
	require.Equal(t, http.StatusConflict, a.status)
	require.NotNil(t, byID(a.page(), "fault-login"), "somebody else has it")
	a = admin.post("/people", with(kept, "login", "newcomer"))
	require.Equal(t, http.StatusOK, a.status, a.body)
	link := textOf(byID(a.page(), "once"))
	require.True(t, strings.HasPrefix(link, "http://example.com/login?code="), link)
	require.NotContains(t, a.body, `href="/login`, "it is handed on, not followed")
	require.NotContains(t, admin.get("/people").body, "code=", "shown this once")
	require.NotContains(t, s.log.String(), "code=")
	newcomer := s.visitor()
	_, code, _ := strings.Cut(link, "code=")
	require.Equal(t, "/queues", newcomer.send(formRequest("/login", url.Values{"code": {code}})).header.Get("Location"))
	require.Equal(t, http.StatusOK, newcomer.get("/queues").status)

	person := string(s.Who("newcomer").Person)
	ref, _ := s.Open(1)
	require.Equal(t, http.StatusSeeOther, newcomer.post("/cases/"+string(ref)+"/claim", url.Values{"claim_key": {"k"}}).status)
	ask := admin.get("/people/" + person + "/reset")
	require.Contains(t, ask.body, "Every token, session and login link of theirs ends now")
	require.Equal(t, http.StatusOK, newcomer.get("/queues").status, "asking does nothing")
	a = admin.post("/people/"+person+"/reset", formOf(ask.page(), ""))
	require.Equal(t, http.StatusOK, a.status)
	_, code, _ = strings.Cut(textOf(byID(a.page(), "once")), "code=")
	require.Equal(t, http.StatusUnauthorized, newcomer.get("/queues").status, "what they came in with has ended")
	newcomer = s.visitor()
	require.Equal(t, "/queues", newcomer.send(formRequest("/login", url.Values{"code": {code}})).header.Get("Location"))

	assigned, _ := s.Open(2)
	s.login("rev1").take(assigned)
	handed := s.login("rev1").post("/cases/"+string(assigned)+"/handover", url.Values{"go": {"on"}, "key": {"h"}, "claim": {"1"}, "to": {"newcomer"}, "reason": {"they know more"}})
	require.Equal(t, http.StatusSeeOther, handed.status, handed.body)

	a = admin.post("/people/"+person+"/disable", formOf(admin.get("/people/"+person+"/disable").page(), ""))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Contains(t, textOf(byID(a.page(), "released")), string(ref), "what they held goes back")
	require.Contains(t, textOf(byID(a.page(), "released")), string(assigned), "and so does what was handed over to them")
	require.Equal(t, http.StatusUnauthorized, newcomer.get("/queues").status)
	require.Contains(t, textOf(byID(admin.get("/people").page(), "people")), "disabled")
	a = admin.post("/people/"+person+"/enable", formOf(admin.get("/people/"+person+"/enable").page(), ""))
	require.Equal(t, "/people", a.header.Get("Location"), a.body)
	require.Contains(t, textOf(byID(admin.follow(a).page(), "flash")), person)

	own := string(admin.who.Person)
	require.NotContains(t, admin.get("/people").body, "/people/"+own+"/disable")
	require.Equal(t, http.StatusConflict, admin.post("/people/"+own+"/disable", nil).status, "nobody disables themselves")
	require.Equal(t, http.StatusNotFound, admin.get("/people/p-nobody00/reset").status)
	require.Equal(t, http.StatusNotFound, admin.get("/people/"+own+"/elsewhere").status)
	require.Equal(t, http.StatusForbidden, lead.post("/people/"+person+"/disable", nil).status)
}

func TestServiceGetsAToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.login("admin")
	form := formOf(admin.get("/people").page(), "add-form")
	a := admin.post("/people", with(form, "login", "another", "name", "Another Detector", "roles", "service"))
	token := textOf(byID(a.page(), "once"))
	who, err := s.Access.Authenticate(context.Background(), token)
	require.NoError(t, err)
	require.Equal(t, []casefile.Role{casefile.RoleService}, who.Roles)
}

// TestNamesAreShownAsAccessSays: staff stand by their pseudonyms on every page but for those who see
// their names.
func TestNamesAreShownAsAccessSays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	holder := s.login("rev1")
	holder.take(ref)
	require.Equal(t, http.StatusSeeOther, holder.post("/cases/"+string(ref)+"/comment", url.Values{"comment": {"seen"}, "comment_key": {"k"}}).status)
	stranger := s.Add("lead-elsewhere", "other", casefile.RoleLead)
	for login, name := range map[string]string{
		"rev2": string(holder.who.Person), "senior": string(holder.who.Person), "policy": string(holder.who.Person),
		"lead": "Reviewer One", "auditor": "Reviewer One", stranger.Login: string(holder.who.Person),
	} {
		v := s.login(login)
		purpose := string(access.Purposes(v.who.Roles)[0])
		for _, address := range []string{"/cases/" + string(ref) + "?purpose=" + purpose, "/find"} {
			main := textOf(byID(v.get(address).page(), "main"))
			require.Contains(t, main, name, "%s %s", login, address)
			require.Equal(t, name == "Reviewer One", strings.Contains(main, "Reviewer One"), "%s %s", login, address)
		}
	}
	require.Contains(t, textOf(byID(holder.get("/cases/"+string(ref)).page(), "lease")), "yours")
}
