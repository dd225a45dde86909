package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/console"
)

// addressOf fills a page's path in.
func addressOf(p console.Page, ref casefile.CaseRef) string {
	return strings.NewReplacer("{$}", "", "{case}", string(ref), "{queue}", "general", "{verb}", "draft", "{appeal}", "01HAPPEAL", "{person}", "p-nobody00",
		"{glass}", "01HGLASS").Replace(p.Path)
}

// look asks for a page. A stream is asked for its head alone: it does not end by itself.
func (v *visitor) look(p console.Page, address string) answer {
	v.s.t.Helper()
	if p.Path == "/events" {
		return v.send(httptest.NewRequest(http.MethodHead, address, nil))
	}
	return v.get(address)
}

func TestEveryPageAsksTheTableForLeave(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	visitors := map[string]*visitor{}
	for _, p := range access.DemoPeople() {
		if p.Login != "detector" { // a service has no console
			visitors[p.Login] = s.login(p.Login)
		}
	}
	for _, p := range console.Pages() {
		if p.Permission == "" {
			continue
		}
		address := addressOf(p, ref)
		stranger := s.visitor()
		var a answer
		if p.Method == http.MethodPost {
			a = stranger.post(address, nil)
		} else {
			a = stranger.look(p, address)
		}
		require.Equal(t, http.StatusUnauthorized, a.status, "%s %s", p.Method, p.Path)
		require.Contains(t, a.body, "login link", "the answer says how to get in")
		for login, v := range visitors {
			if p.Path == "/logout" {
				continue
			}
			may := p.Allows(v.who)
			if p.Method == http.MethodGet {
				a = v.look(p, address)
			} else {
				a = v.post(address, nil)
			}
			if may {
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusInternalServerError}, a.status, "%s: %s %s", login, p.Method, p.Path)
				if v.who.May(p.Permission) { // by its other permission the desk may still say no
					require.NotContains(t, a.body, "do not allow", "%s: %s %s", login, p.Method, p.Path)
				}
			} else {
				require.Equal(t, http.StatusForbidden, a.status, "%s: %s %s", login, p.Method, p.Path)
				require.Contains(t, a.body, "do not allow")
				require.Contains(t, s.refusals(), p.Name+" forbidden", "the refusal is on record")
			}
		}
	}
}

func TestEveryFormIsOfItsSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	lead, admin, policy, other := s.login("lead"), s.login("admin"), s.login("policy"), s.login("rev1")
	for _, p := range console.Pages() {
		if p.Method != http.MethodPost || p.Permission == "" {
			continue
		}
		v := lead
		for _, instead := range []*visitor{admin, policy} {
			if !p.Allows(v.who) {
				v = instead
			}
		}
		address := addressOf(p, ref)
		for name, token := range map[string]string{
			"missing": "", "wrong": "x", "another session's": access.CSRF(other.cookies["docket_session"]),
		} {
			before := len(s.refusals())
			a := v.post(address, url.Values{"csrf": {token}})
			require.Equal(t, http.StatusForbidden, a.status, "%s: token %s", p.Path, name)
			require.Equal(t, p.Name+" forbidden", s.refusals()[before], p.Path)
		}
		r := formRequest(address, url.Values{"csrf": {access.CSRF(v.cookies["docket_session"])}})
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		require.Equal(t, http.StatusForbidden, v.send(r).status, "%s: from another site", p.Path)
		r = formRequest(address, url.Values{"csrf": {access.CSRF(v.cookies["docket_session"])}})
		r.Header.Set("Content-Type", "text/plain")
		require.Equal(t, http.StatusUnprocessableEntity, v.send(r).status, "%s: not a form", p.Path)
		require.Equal(t, http.StatusRequestEntityTooLarge, v.post(address, url.Values{"x": {strings.Repeat("x", 1<<20)}}).status, "%s: too long", p.Path)
	}
	row, err := s.Records.Case(context.Background(), ref)
	require.NoError(t, err)
	require.Equal(t, casefile.StateQueued, row.State, "none of it did anything")
}

// inlineFree fails for anything in a page that its content security policy would stop.
func inlineFree(t *testing.T, a answer) {
	t.Helper()
	walk(a.page(), func(n *html.Node) {
		if n.Type != html.ElementNode {
			return
		}
		require.NotEqual(t, "style", n.Data)
		for _, x := range n.Attr {
			require.NotEqual(t, "style", x.Key)
			require.False(t, strings.HasPrefix(x.Key, "on"), "%s on %s", x.Key, n.Data)
			if slices.Contains([]string{"href", "src", "action", "formaction"}, x.Key) {
				require.Regexp(t, `^(/[^/\\]|/$|#)`, x.Val, "an address of the console's own")
			}
		}
		if n.Data == "script" {
			require.Regexp(t, `^/static/`, attrOf(n, "src"))
			require.Nil(t, n.FirstChild)
		}
		require.NotContains(t, []string{"img", "iframe", "object", "embed", "video", "audio", "svg", "base"}, n.Data)
	})
}

func TestPagesAreStrict(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	s.desk.cases[fixtureCase] = caseOf(mild, v.who.Person)
	admin, lead := s.login("admin"), s.login("lead")
	for _, address := range []string{
		"/queues", "/queues/general", "/find", "/help", "/policy", "/cases/" + string(fixtureCase), "/cases/" + string(fixtureCase) + "/close", "/login?code=x", "/nowhere",
		"/cases/" + string(fixtureCase) + "/hold", "/appeals", "/acts", "/acts/settle", "/automation", "/people", "/people/" + string(v.who.Person) + "/reset", "/glass",
	} {
		a := v.get(address)
		for _, other := range []*visitor{lead, admin} {
			if a.status == http.StatusForbidden {
				a = other.get(address)
			}
		}
		require.NotEqual(t, http.StatusForbidden, a.status, address)
		inlineFree(t, a)
		csp := a.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			require.Contains(t, csp, part, address)
		}
		require.NotContains(t, csp, "unsafe")
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
		require.Equal(t, "same-origin", a.header.Get("Referrer-Policy"))
	}
}

func TestFilesOfTheConsole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.visitor()
	page := v.get("/login").page()
	var found []string
	walk(page, func(n *html.Node) {
		for _, name := range []string{"href", "src"} {
			if at := attrOf(n, name); strings.HasPrefix(at, "/static/") {
				found = append(found, at)
				a := v.get(at)
				require.Equal(t, http.StatusOK, a.status)
				require.Contains(t, a.header.Get("Cache-Control"), "immutable")
				require.NotEmpty(t, a.body)
			}
		}
	})
	require.Len(t, found, 3)
}

// TestPagesAreAccessible holds what can be held without a person: every field has a label, every id
// stands once, and what points at an id finds it.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, auditor := s.login("rev1"), s.login("auditor")
	s.desk.cases[fixtureCase] = caseOf(mild, v.who.Person)
	address := "/cases/" + string(fixtureCase)
	lead, admin, senior := s.login("lead"), s.login("admin"), s.login("senior")
	ref, _ := s.Open(1)
	order := "/cases/" + string(ref)
	emergency := with(filled(senior.take(ref)), "action", "L5", "days", "30")
	pages := map[string]answer{
		"queues": v.get("/queues"), "find": v.get("/find"), "case": v.get(address), "help": v.get("/help"), "policy": v.get("/policy"),
		"login": s.visitor().get("/login?code=x"), "close": v.get(address + "/close"), "faults": v.post(address+"/preview", url.Values{"rationale": {""}, "evidence": {"2"}}),
		"audit": auditor.get("/audit"), "purpose": auditor.get(address),
		"acts": lead.get("/acts"), "pause refused": lead.post("/acts/pause", nil), "settle": lead.get("/acts/settle?number=1"), "settling refused": lead.post("/acts/settle", nil),
		"automation": admin.get("/automation"), "automation refused": admin.post("/automation", url.Values{"on": {"on"}}),
		"people": admin.get("/people"), "person refused": admin.post("/people", nil), "person": admin.get("/people/" + string(v.who.Person) + "/disable"),
		"added":   admin.post("/people", url.Values{"login": {"newcomer"}, "name": {"Newcomer"}, "roles": {"reviewer"}}),
		"appeals": v.get("/appeals"), "glass": auditor.get("/glass"),
		"emergency": senior.post(order+"/emergency", emergency), "emergency unsure": senior.post(order+"/order", emergency),
	}
	for _, verb := range []string{"snooze", "hold", "handover", "escalate", "threat", "refer", "release"} {
		pages[verb] = v.get(address + "/" + verb)
		pages[verb+" refused"] = v.post(address+"/"+verb, url.Values{"go": {"on"}})
	}
	for _, verb := range []string{"deadline", "end"} {
		pages[verb] = lead.get(address + "/" + verb)
	}
	pages["break glass"] = auditor.get(address + "/glass")
	view := appealOf(mild, v.who.Person)
	s.desk.appeal, s.desk.ruling = &view, &review.Preview{Notice: noticeOf(mild), Token: "token"}
	pages["appeal"] = v.get("/appeals/01HAPPEAL")
	pages["ruling"] = v.post("/appeals/01HAPPEAL/preview", url.Values{"outcome": {"upheld"}, "rationale": {"long enough a rationale"}})
	pages["ruling unsure"] = v.post("/appeals/01HAPPEAL/rule", url.Values{"outcome": {"upheld"}, "rationale": {"long enough a rationale"}})
	s.desk.cases[fixtureCase] = decidedOf(mild, v.who.Person, casefile.DecisionDone)
	pages["decided"] = lead.get(address + "?purpose=review")
	s.desk.cases[fixtureCase] = differingOf(mild)
	pages["adjudication"] = lead.get(address + "?purpose=review")
	s.desk.cases[fixtureCase] = attachedOf(mild)
	pages["attached"] = v.get(address)
	for name, a := range pages {
		require.Less(t, a.status, 500, name)
		require.NotEqual(t, http.StatusForbidden, a.status, name)
		page := a.page()
		ids := map[string]int{}
		labels := map[string]bool{}
		walk(page, func(n *html.Node) {
			if id := attrOf(n, "id"); id != "" {
				ids[id]++
			}
			if n.Data == "label" {
				labels[attrOf(n, "for")] = true
			}
		})
		for id, n := range ids {
			require.Equal(t, 1, n, "%s: id %s", name, id)
		}
		walk(page, func(n *html.Node) {
			if n.Type != html.ElementNode {
				return
			}
			for _, key := range []string{"aria-labelledby", "aria-describedby", "form", "for"} {
				for _, id := range strings.Fields(attrOf(n, key)) {
					require.Equal(t, 1, ids[id], "%s: %s=%q points nowhere", name, key, id)
				}
			}
			if h := attrOf(n, "href"); strings.HasPrefix(h, "#") {
				require.Equal(t, 1, ids[h[1:]], "%s: link to %s", name, h)
			}
			if n.Data == "input" && attrOf(n, "type") != "hidden" || n.Data == "select" || n.Data == "textarea" {
				within := false
				for p := n.Parent; p != nil; p = p.Parent {
					within = within || p.Data == "label"
				}
				require.True(t, within || labels[attrOf(n, "id")], "%s: %s %s has no label", name, n.Data, attrOf(n, "name"))
			}
		})
		for _, landmark := range []string{"main", "header", "h1"} {
			n := 0
			walk(page, func(x *html.Node) {
				if x.Type == html.ElementNode && x.Data == landmark && (landmark != "header" || attrOf(x, "class") == "top") {
					n++
				}
			})
			require.Equal(t, 1, n, "%s: one %s", name, landmark)
		}
	}
}

func TestNoWordsInLogsOrAddresses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	const secret = "zanzibarquux"
	a := v.post("/find", url.Values{"q": {secret}})
	require.Equal(t, http.StatusOK, a.status)
	walk(a.page(), func(n *html.Node) {
		for _, x := range n.Attr {
			if x.Key != "value" {
				require.NotContains(t, x.Val, secret)
			}
		}
	})
	s.send404(v, "/"+secret)
	_ = v.get("/cases/" + secret)
	_ = v.get("/login?code=" + secret)
	_ = s.visitor().post("/login", url.Values{"code": {secret}})
	odd := httptest.NewRequest("GET"+strings.ToUpper(secret), "/queues", nil)
	odd.Method = "GET" + secret
	_ = v.send(odd)
	s.desk.down = &casefile.Error{Code: casefile.CodeUnavailable, Message: "the index is down", Err: errors.New("failed to parse [" + secret + "]")}
	require.Equal(t, http.StatusServiceUnavailable, v.get("/cases/"+string(fixtureCase)).status)
	s.desk.down = nil
	require.Contains(t, s.log.String(), "the index is down")
	s.desk.panics = secret
	broken := v.get("/cases/" + string(fixtureCase))
	require.Equal(t, http.StatusInternalServerError, broken.status)
	require.NotContains(t, broken.body, secret)
	require.Contains(t, s.log.String(), "page panicked")
	require.NotContains(t, s.log.String(), secret)
	for _, r := range s.refusals() {
		require.NotContains(t, r, secret)
	}
}

func (s *site) send404(v *visitor, address string) {
	s.t.Helper()
	require.Equal(s.t, http.StatusNotFound, v.get(address).status)
}

func TestHeadersOfAHead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.login("rev1").send(httptest.NewRequest(http.MethodHead, "/queues", nil))
	require.Equal(t, http.StatusOK, a.status)
}
