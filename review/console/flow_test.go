package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review/console"
	"github.com/docket-triage/docket/workflows"
)

// claimed opens the next case of a person and gives its page.
func (v *visitor) claimed() (casefile.CaseRef, answer) {
	v.s.t.Helper()
	a := v.follow(v.post("/queues/general/next", url.Values{"key": {casefile.NewID()}}))
	require.Equal(v.s.t, http.StatusOK, a.status)
	ref, err := casefile.ParseCaseRef(attrOf(byID(a.page(), "case"), "data-case"))
	require.NoError(v.s.t, err)
	return ref, a
}

// filled is the form of a case page with a whole opinion in it.
func filled(a answer) url.Values {
	f := formOf(a.page(), "opinion-form")
	f.Set("action", "L3")
	f.Set("days", "7")
	f.Set("entity_tier", "E1")
	f.Set("rationale", "it praises the group,\nwithout any of the contexts")
	f["policies"] = []string{"VE-08"}
	for _, m := range casefile.Mitigations {
		f.Set(string(m), "no")
	}
	f["relied"] = []string{relyOf(a)}
	return f
}

func relyOf(a answer) string { return attrOf(byID(a.page(), "relied-1"), "value") }

func TestOpinionFromQueueToReceipt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first, _ := s.Open(1)
	s.Clock.Add(time.Second)
	second, _ := s.Open(2)
	v := s.login("rev1")
	page := v.get("/queues").page()
	require.NotNil(t, byID(page, "next-general"))
	ref, a := v.claimed()
	require.Equal(t, first, ref)
	f := formOf(a.page(), "opinion-form")
	require.Equal(t, "on", f.Get("next"), "the next case opens by itself unless the person says otherwise")
	for _, m := range casefile.Mitigations {
		require.Empty(t, f.Get(string(m)), "no answer is chosen beforehand")
	}

	a = v.post("/cases/"+string(ref)+"/preview", filled(a))
	require.Equal(t, http.StatusOK, a.status, a.body)
	notice := textOf(byID(a.page(), "notice"))
	require.Contains(t, notice, string(ref))
	require.Contains(t, textOf(byID(a.page(), "consequences")), "limited for 7 days")
	row, err := s.Records.Case(context.Background(), ref)
	require.NoError(t, err)
	require.Equal(t, casefile.StateClaimed, row.State, "a preview decides nothing")

	confirm := formOf(a.page(), "confirm-form")
	a = v.post("/cases/"+string(ref)+"/opinion", confirm)
	require.Equal(t, "/cases/"+string(second), a.header.Get("Location"), "the next case of the queue")
	next := v.follow(a)
	require.Contains(t, textOf(byID(next.page(), "flash")), string(ref))
	require.Contains(t, next.body, "/cases/"+string(ref)+"#decision")
	require.Nil(t, byID(v.get("/cases/"+string(second)).page(), "flash"), "said once")

	again := v.post("/cases/"+string(ref)+"/opinion", confirm)
	require.Equal(t, "/cases/"+string(second), again.header.Get("Location"), "sent twice, counted once")
	opinions, err := s.Records.Opinions(context.Background(), ref)
	require.NoError(t, err)
	require.Len(t, opinions, 1)

	var sealed casefile.Notice
	decisions, err := s.Records.CaseDecisions(context.Background(), ref)
	require.NoError(t, err)
	s.open(row.Account, evidence.KindNotice, decisions[0].Decision.Opinions[0].Notice.Text, &sealed)
	require.Equal(t, notice, sealed.Text, "the notice previewed, byte for byte")

	decided := v.get("/cases/" + string(ref)).page()
	require.Equal(t, "grace", attrOf(byID(decided, "decision-state"), "data-state"))
	require.Equal(t, notice, textOf(byID(decided, "notice")))
	withdraw := byID(decided, "withdraw")
	require.NotNil(t, withdraw)
	ask := v.get(attrOf(withdraw, "href"))
	require.Contains(t, ask.body, "Withdraw")
	a = v.post("/cases/"+string(ref)+"/withdraw", formOf(ask.page(), ""))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	row, err = s.Records.Case(context.Background(), ref)
	require.NoError(t, err)
	require.Equal(t, casefile.StateQueued, row.State)
}

func TestOpinionStaysWithItsCaseIfAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Open(1)
	s.Open(2)
	v := s.login("rev1")
	ref, a := v.claimed()
	f := filled(a)
	f.Del("next")
	a = v.post("/cases/"+string(ref)+"/preview", f)
	a = v.post("/cases/"+string(ref)+"/opinion", formOf(a.page(), "confirm-form"))
	require.Equal(t, "/cases/"+string(ref), a.header.Get("Location"))
	require.NotNil(t, byID(v.follow(a).page(), "decision-state"))
}

func TestEachMissingFieldKeepsTheDraft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	_, a := v.claimed()
	whole := filled(a)
	tests := map[string]struct {
		change func(url.Values)
		target string // of the summary's link
		field  string // whose fault stands at it
	}{
		"action":              {func(f url.Values) { f.Set("action", "") }, "action", "action"},
		"action unknown":      {func(f url.Values) { f.Set("action", "L9") }, "action", "action"},
		"days":                {func(f url.Values) { f.Set("days", "") }, "days", "days"},
		"days not a number":   {func(f url.Values) { f.Set("days", "seven") }, "days", "days"},
		"days out of bounds":  {func(f url.Values) { f.Set("days", "31") }, "days", "days"},
		"no code":             {func(f url.Values) { f.Del("policies") }, "policies", "policies"},
		"unknown code":        {func(f url.Values) { f["policies"] = []string{"VE-99"} }, "policies", "policies"},
		"two codes, no first": {func(f url.Values) { f["policies"] = []string{"VE-08", "VE-09"} }, "policies", "policies"},
		"first not ticked":    {func(f url.Values) { f["policies"] = []string{"VE-08", "VE-09"}; f.Set("primary", "VE-10") }, "policies", "policies"},
		"tier":                {func(f url.Values) { f.Set("entity_tier", "") }, "entity_tier", "entity_tier"},
		"rationale":           {func(f url.Values) { f.Set("rationale", " ") }, "rationale", "rationale"},
		"rationale too long":  {func(f url.Values) { f.Set("rationale", strings.Repeat("x", casefile.MaxRationale+1)) }, "rationale", "rationale"},
		"nothing relied on":   {func(f url.Values) { f.Del("relied") }, "relied", "relied"},
		"another's post":      {func(f url.Values) { f["relied"] = []string{"elsewhere"} }, "relied", "relied"},
	}
	for _, m := range casefile.Mitigations {
		tests["mitigation "+string(m)] = struct {
			change func(url.Values)
			target string
			field  string
		}{func(f url.Values) { f.Del(string(m)) }, string(m) + "-yes", string(m)}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := url.Values{}
			for k, values := range whole {
				f[k] = append([]string(nil), values...)
			}
			f.Set("comment", "a comment begun")
			tt.change(f)
			before := len(s.refusals())
			a := v.post("/cases/"+string(ref)+"/preview", f)
			require.Equal(t, http.StatusUnprocessableEntity, a.status)
			page := a.page()
			summary := byID(page, "errors")
			require.NotNil(t, summary)
			_, focused := attr(summary, "autofocus")
			require.True(t, focused, "the summary has the focus, without a script too")
			require.Contains(t, a.body, `href="#`+tt.target+`"`)
			require.NotNil(t, byID(page, tt.target), "the summary's link leads to the field")
			require.NotNil(t, byID(page, "fault-"+tt.field), "and the fault stands at it")
			require.Len(t, s.refusals(), before+1, "the refusal is on record")

			kept := formOf(page, "opinion-form")
			for k, values := range f {
				switch {
				case k == "comment_key" || k == "claim_key" || k == "csrf":
				case name == "unknown code" && k == "policies", name == "action unknown" && k == "action", name == "another's post" && k == "relied":
					// what no field of the form can hold is named by its fault
				case len(values) == 1 && strings.TrimSpace(values[0]) == "":
				default:
					require.Equal(t, values, kept[k], "%s is kept", k)
				}
			}
		})
	}
	// Nothing of it was an opinion; the whole form still is one.
	require.Equal(t, http.StatusOK, v.post("/cases/"+string(ref)+"/preview", whole).status)
}

func TestSeveralCodesRestOnTheOneMarked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	_, a := v.claimed()
	f := filled(a)
	f["policies"] = []string{"VE-03", "VE-08", "VE-09"}
	f.Set("primary", "VE-09")
	a = v.post("/cases/"+string(ref)+"/preview", f)
	require.Equal(t, http.StatusOK, a.status)
	a = v.post("/cases/"+string(ref)+"/opinion", formOf(a.page(), "confirm-form"))
	require.Equal(t, http.StatusSeeOther, a.status)
	opinions, err := s.Records.Opinions(context.Background(), ref)
	require.NoError(t, err)
	require.Equal(t, []casefile.PolicyCode{casefile.VE09, casefile.VE03, casefile.VE08}, opinions[0].Policies)
}

func TestNewEvidenceKeepsTheDraft(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"preview", "confirm"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ref, _ := s.Open(1)
			v := s.login("rev1")
			_, a := v.claimed()
			grow := func() {
				s.Clock.Add(time.Minute)
				require.Equal(t, ref, s.Submit(s.Flag(1, "flag-later", s.Post(1, "post-later", "[praise of a designated group] once more"))))
				s.Clock.Add(time.Second)
			}
			f := filled(a)
			if step == "preview" {
				grow()
				a = v.post("/cases/"+string(ref)+"/preview", f)
			} else {
				a = v.post("/cases/"+string(ref)+"/preview", f)
				require.Equal(t, http.StatusOK, a.status)
				s.Clock.Add(time.Second)
				grow()
				a = v.post("/cases/"+string(ref)+"/opinion", formOf(a.page(), "confirm-form"))
			}
			require.Equal(t, http.StatusConflict, a.status)
			page := a.page()
			require.Contains(t, textOf(byID(page, "new-evidence")), "1 post is new")
			require.Contains(t, attrOf(byID(page, "post-1"), "class"), "fresh", "the new post is marked")
			require.Contains(t, s.refusals(), "console."+map[string]string{"preview": "preview", "confirm": "opinion"}[step]+" new_evidence")
			kept := formOf(page, "opinion-form")
			require.Equal(t, f.Get("rationale"), kept.Get("rationale"))
			require.Equal(t, f["relied"], kept["relied"])
			require.Equal(t, "no", kept.Get("M8"))

			// Having seen it, the person confirms again.
			a = v.post("/cases/"+string(ref)+"/preview", kept)
			require.Equal(t, http.StatusOK, a.status)
			a = v.post("/cases/"+string(ref)+"/opinion", formOf(a.page(), "confirm-form"))
			require.Equal(t, http.StatusSeeOther, a.status, a.body)
		})
	}
}

func TestStaleClaimKeepsTheDraft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	_, a := v.claimed()
	f := filled(a)
	s.Clock.Add(11 * time.Minute) // the lease is over
	a = v.post("/cases/"+string(ref)+"/preview", f)
	require.Equal(t, http.StatusConflict, a.status)
	page := a.page()
	require.NotNil(t, byID(page, "stale-claim"))
	require.Nil(t, byID(page, "preview"))
	button := byID(page, "claim")
	require.Equal(t, "/cases/"+string(ref)+"/claim", attrOf(button, "formaction"))
	kept := formOf(page, "opinion-form")
	require.Equal(t, f.Get("rationale"), kept.Get("rationale"))

	a = v.post("/cases/"+string(ref)+"/claim", kept)
	require.Equal(t, http.StatusOK, a.status, a.body)
	kept = formOf(a.page(), "opinion-form")
	require.Equal(t, f.Get("rationale"), kept.Get("rationale"))
	require.Equal(t, "2", kept.Get("claim"), "the number of the new claim")
	require.Equal(t, http.StatusOK, v.post("/cases/"+string(ref)+"/preview", kept).status)
}

func TestUnknownOutcomeSendsTheVerySameAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	_, a := v.claimed()
	f := filled(a)
	f.Del("next")
	a = v.post("/cases/"+string(ref)+"/preview", f)
	confirm := formOf(a.page(), "confirm-form")
	s.Workflows.After = func(_ context.Context, name string) error {
		if name == workflows.UpdateOpinion {
			return errors.New("connection lost")
		}
		return nil
	}
	a = v.post("/cases/"+string(ref)+"/opinion", confirm)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.body, "not known")
	require.NotNil(t, byID(a.page(), "again"))
	kept := formOf(a.page(), "")
	require.Equal(t, confirm, kept, "the same words under the same key")
	s.Workflows.After = nil
	a = v.post("/cases/"+string(ref)+"/opinion", kept)
	require.Equal(t, http.StatusSeeOther, a.status)
	opinions, err := s.Records.Opinions(context.Background(), ref)
	require.NoError(t, err)
	require.Len(t, opinions, 1)
}

func TestCommentKeepsTheDraft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v, lead := s.login("rev1"), s.login("lead")
	_, a := v.claimed()
	f := filled(a)
	f.Set("comment", "look at the second post")
	a = v.post("/cases/"+string(ref)+"/comment", f)
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Contains(t, textOf(byID(a.page(), "comments")), "look at the second post")
	kept := formOf(a.page(), "opinion-form")
	require.Equal(t, f.Get("rationale"), kept.Get("rationale"))
	require.Empty(t, kept.Get("comment"))

	kept.Set("comment", "")
	a = v.post("/cases/"+string(ref)+"/comment", kept)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.NotNil(t, byID(a.page(), "fault-text"))
	require.Equal(t, f.Get("rationale"), formOf(a.page(), "opinion-form").Get("rationale"))

	a = lead.post("/cases/"+string(ref)+"/comment", url.Values{"comment": {"seen"}, "purpose": {"support"}})
	require.Equal(t, "/cases/"+string(ref)+"?purpose=support", a.header.Get("Location"))
	require.Contains(t, textOf(byID(lead.follow(a).page(), "comments")), "seen")
}

func TestLeaseMovesOnInputAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	_, a := v.claimed()
	expires := func() time.Time {
		row, err := s.Records.Case(context.Background(), ref)
		require.NoError(t, err)
		return row.Claim.ExpiresAt
	}
	before := expires()
	s.Clock.Add(time.Minute)
	_ = v.get("/cases/" + string(ref))
	require.Equal(t, http.StatusOK, v.get("/cases/"+string(ref)+"/standing").status)
	require.Equal(t, before, expires(), "looking is not working")

	r := formRequest("/cases/"+string(ref)+"/heartbeat", url.Values{"csrf": {access.CSRF(v.cookies["docket_session"])}, "claim": {"1"}})
	r.Header.Set("Accept", "application/json")
	beat := v.send(r)
	require.Equal(t, http.StatusOK, beat.status)
	require.JSONEq(t, `{"expires_at":"2026-03-02T10:11:00Z"}`, beat.body)
	require.Equal(t, before.Add(time.Minute), expires().UTC())

	s.Clock.Add(time.Minute)
	f := filled(a)
	beat = v.post("/cases/"+string(ref)+"/heartbeat", f)
	require.Equal(t, http.StatusOK, beat.status)
	require.Equal(t, f.Get("rationale"), formOf(beat.page(), "opinion-form").Get("rationale"), "the button keeps the draft")

	s.Clock.Add(time.Hour)
	v = s.login("rev1")
	r = formRequest("/cases/"+string(ref)+"/heartbeat", url.Values{"csrf": {access.CSRF(v.cookies["docket_session"])}, "claim": {"1"}})
	r.Header.Set("Accept", "application/json")
	require.Equal(t, http.StatusConflict, v.send(r).status, "the lease is over")
}

func TestStandingIsNoLook(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	a := v.get("/cases/" + string(ref) + "/standing")
	require.JSONEq(t, `{"evidence_revision":1,"state":"queued","proven":false}`, a.body)
	rows, _, err := s.Desk.Views(context.Background(), s.Who("auditor"), ref, 0, 10)
	require.NoError(t, err)
	require.Empty(t, rows)
}

func TestVerbsAskBeforeTheyAct(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("senior")
	_, a := v.claimed()
	address := "/cases/" + string(ref)
	state := func() casefile.State {
		row, err := s.Records.Case(context.Background(), ref)
		require.NoError(t, err)
		return row.State
	}
	ask := v.get(address + "/release?claim=1")
	require.Equal(t, http.StatusOK, ask.status)
	require.Equal(t, casefile.StateClaimed, state(), "asking does nothing")
	require.Equal(t, "/queues", v.post(address+"/release", formOf(ask.page(), "")).header.Get("Location"))
	require.Equal(t, casefile.StateQueued, state())

	a = v.post(address+"/claim", formOf(v.get(address).page(), ""))
	require.Equal(t, address, a.header.Get("Location"))
	ask = v.get(address + "/close?claim=2&evidence=1")
	a = v.post(address+"/close", formOf(ask.page(), ""))
	require.Equal(t, http.StatusUnprocessableEntity, a.status, "a reason is needed")
	require.Equal(t, "#reason", attrOf(byID(a.page(), "errors").LastChild.PrevSibling.FirstChild.FirstChild, "href"))
	f := formOf(a.page(), "")
	require.Equal(t, "2", f.Get("claim"), "what was fenced stays so")
	f.Set("reason", "out_of_scope")
	a = v.post(address+"/close", f)
	require.Equal(t, "/queues", a.header.Get("Location"), a.body)
	require.Equal(t, casefile.StateClosed, state())
	require.Contains(t, textOf(byID(v.follow(a).page(), "flash")), "Your word to close case")

	ask = v.get(address + "/reopen")
	require.Equal(t, http.StatusOK, ask.status)
	a = v.post(address+"/reopen", formOf(ask.page(), ""))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	opened := v.follow(a)
	require.Contains(t, textOf(byID(opened.page(), "flash")), "was opened for the account")
	require.NotEqual(t, string(ref), attrOf(byID(opened.page(), "case"), "data-case"))
	require.Contains(t, opened.body, string(ref), "the case before stands in its history")
	ask = v.get(address + "/reopen")
	a = v.post(address+"/reopen", formOf(ask.page(), ""))
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.body, "has an open case")
}

func TestPurposeIsChosen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	address := "/cases/" + string(ref)
	looks := func() []string {
		rows, _, err := s.Desk.Views(context.Background(), s.Who("auditor"), ref, 0, 100)
		require.NoError(t, err)
		var out []string
		for _, r := range rows {
			out = append(out, r.Purpose)
		}
		return out
	}
	for _, login := range []string{"lead", "policy", "auditor"} {
		v := s.login(login)
		a := v.get(address)
		require.Equal(t, http.StatusOK, a.status)
		require.NotContains(t, a.body, "synthetic_1", "%s sees nothing before they say what for", login)
		require.Nil(t, byID(a.page(), "case"))
	}
	require.Empty(t, looks())
	require.NotNil(t, byID(s.login("policy").get(address+"?purpose=policy").page(), "case"))
	require.NotNil(t, byID(s.login("auditor").get(address+"?purpose=audit").page(), "case"))
	require.NotNil(t, byID(s.login("rev1").get(address).page(), "case"), "a reviewer's purpose is to review")
	require.Equal(t, []string{"policy", "audit", "review"}, looks())
	require.Equal(t, http.StatusForbidden, s.login("policy").get(address+"?purpose=review").status)
	require.Contains(t, s.refusals(), "console.case forbidden")

	lead := s.login("lead")
	a := lead.post("/queues/general/next", url.Values{"key": {"k"}})
	require.Equal(t, address+"?purpose=review", a.header.Get("Location"), "who takes a case judges it")
}

func TestNothingWaits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	require.Contains(t, v.get("/queues").body, "Nothing waits")
	a := v.follow(v.post("/queues/general/next", url.Values{"key": {"k"}}))
	require.Contains(t, textOf(byID(a.page(), "flash")), "Nothing waits")
	s.Open(1)
	_, a = v.claimed()
	page := v.get("/queues").page()
	_, offered := attr(byID(page, "next-general"), "data-next")
	require.False(t, offered, "the key takes no case from a queue in which none waits; the button still finds a threat to life")
	require.Contains(t, textOf(page), "Cases that you hold")
	a = v.post("/cases/"+attrOf(byID(a.page(), "case"), "data-case")+"/preview", filled(a))
	a = v.post(attrOf(byID(a.page(), "confirm-form"), "action"), formOf(a.page(), "confirm-form"))
	require.Equal(t, "/queues/general", a.header.Get("Location"), "no next case: the queue")
	require.Contains(t, v.follow(a).body, "This queue is empty")
}

func TestReloadingAnAnsweredFormOpensTheCase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	for _, verb := range []string{"preview", "opinion", "draft", "comment", "claim", "heartbeat"} {
		require.Equal(t, "/cases/"+string(ref), v.get("/cases/"+string(ref)+"/"+verb).header.Get("Location"))
	}
	require.Equal(t, http.StatusNotFound, v.get("/cases/"+string(ref)+"/elsewhere").status)
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := context.Background()
	code, err := s.Access.NewLoginLink(ctx, "rev1")
	require.NoError(t, err)
	v := s.visitor()
	for range 2 { // a program that looks at links ahead of the person
		a := v.get("/login?code=" + code)
		require.Equal(t, http.StatusOK, a.status)
		require.Empty(t, v.cookies)
		require.NotNil(t, byID(a.page(), "login"))
	}
	r := formRequest("/login", url.Values{"code": {code}})
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, v.send(r).status, "nobody is logged in from another site")

	a := v.send(formRequest("/login", url.Values{"code": {code}}))
	require.Equal(t, "/queues", a.header.Get("Location"))
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"docket_session=", "HttpOnly", "SameSite=Strict", "Path=/"} {
		require.Contains(t, cookie, part)
	}
	require.NotContains(t, cookie, "Secure", "plain http on this machine")
	require.Contains(t, v.follow(a).body, "Reviewer One")

	second := s.visitor()
	a = second.send(formRequest("/login", url.Values{"code": {code}}))
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Contains(t, a.body, "used already")
	require.Empty(t, second.cookies)
	require.Contains(t, s.refusals(), "console.login forbidden")

	a = s.visitor().get("/login")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "credentials.json")

	require.Equal(t, "/login", v.post("/logout", nil).header.Get("Location"))
	require.Empty(t, v.cookies["docket_session"])

	s.serve(console.Options{Desk: s.desk, Access: s.Access, Now: s.Clock.Now, HTTPS: true})
	code, err = s.Access.NewLoginLink(ctx, "admin")
	require.NoError(t, err)
	a = s.visitor().send(formRequest("/login", url.Values{"code": {code}}))
	require.Contains(t, a.header.Get("Set-Cookie"), "Secure")
	require.Equal(t, "/policy", a.header.Get("Location"), "an admin sees no queue")
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	require.Equal(t, http.StatusOK, v.get("/queues").status)
	s.Clock.Add(2 * time.Hour)
	a := v.get("/queues")
	require.Equal(t, http.StatusUnauthorized, a.status)
	require.Contains(t, a.body, `href="/queues"`, "the page asked for can be opened again")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	s.desk.cases[fixtureCase] = caseOf(mild, v.who.Person)
	address := "/cases/" + string(fixtureCase)
	open := func(a answer) bool {
		found := false
		walkClass(a.page(), "cover", func(open bool) { found = found || open })
		return found
	}
	require.False(t, open(v.get(address)), "evidence is covered until opened")
	a := v.post("/settings", url.Values{"cover": {"off"}, "back": {address + "?purpose=review"}})
	require.Equal(t, address+"?purpose=review", a.header.Get("Location"))
	require.True(t, open(v.get(address)))
	for _, evil := range []string{"//evil.example/x", "https://evil.example", `/\evil.example`, "javascript:alert(1)", "/\tx//evil", ""} {
		a = v.post("/settings", url.Values{"back": {evil}})
		require.Regexp(t, `^/([^/\\]|$)`, a.header.Get("Location"), evil)
	}
	a = v.post(address+"/draft", url.Values{"rationale": {"begun"}, "cover": {"on"}, "evidence": {"2"}})
	require.False(t, open(a), "covered again at once, with the draft kept")
	require.Equal(t, "begun", formOf(a.page(), "opinion-form").Get("rationale"))
	require.Contains(t, a.body, `data-keys="on"`)
	v.post("/settings", url.Values{"keys": {"off"}})
	require.NotContains(t, v.get(address).body, `data-keys="on"`)
	require.False(t, open(v.get(address)), "one setting leaves the other")
}

func TestFindAsksInAForm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	a := v.get("/find")
	require.Contains(t, a.body, string(ref), "the newest cases stand there before anything is asked")
	for _, q := range []string{string(ref), strings.ToLower(strings.ReplaceAll(string(ref), "-", "")), "account-1"} {
		a = v.post("/find", url.Values{"q": {q}})
		require.Equal(t, http.StatusOK, a.status)
		require.Contains(t, textOf(byID(a.page(), "main")), string(ref), q)
		require.Contains(t, a.body, "1 found")
		require.Equal(t, q, attrOf(byID(a.page(), "q"), "value"))
	}
	v.decide(ref)
	require.NoError(t, s.Workflows.CarryOut(context.Background(), ref))
	decisions, err := s.Records.CaseDecisions(context.Background(), ref)
	require.NoError(t, err)
	a = v.post("/find", url.Values{"q": {decisions[0].Decision.Notice().Number}})
	require.Contains(t, textOf(byID(a.page(), "main")), string(ref), "by the number on its notice")
	ref, _ = s.Open(2)
	a = v.post("/find", url.Values{"q": {string(ref)}, "state": {"closed"}})
	require.Contains(t, a.body, "Nothing found")
	a = v.post("/find", url.Values{"state": {"nonsense"}})
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, `href="#state"`)
	require.Contains(t, s.refusals(), "console.find invalid")
}

func TestAuditIsNewestFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	for range 130 {
		require.Equal(t, http.StatusOK, v.get("/cases/"+string(ref)).status)
	}
	require.Equal(t, http.StatusForbidden, v.get("/audit").status)
	auditor := s.login("auditor")
	a := auditor.get("/audit")
	require.Equal(t, http.StatusOK, a.status)
	seqs := seqsOf(a, "views-title")
	require.Len(t, seqs, 100)
	require.Equal(t, "130", seqs[0])
	require.Equal(t, "31", seqs[99])
	require.Contains(t, a.body, "console.audit")
	require.Contains(t, a.body, "they may not do this", "the code in words")
	require.NotContains(t, a.body, "000000Z", "times as on every other page")
	a = auditor.get("/audit?views=30")
	seqs = seqsOf(a, "views-title")
	require.Equal(t, "30", seqs[0])
	require.Len(t, seqs, 30)
	a = auditor.get("/cases/" + string(ref) + "/views")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, string(v.who.Person))
}

func TestBundleOfAnUnprovenCase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	require.Equal(t, http.StatusNotFound, s.login("rev1").get("/cases/"+string(ref)+"/bundle").status)
}

func TestOutageKeepsTheDraft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	_, a := v.claimed()
	f := filled(a)
	s.desk.down = casefile.Errorf(casefile.CodeUnavailable, "the records do not answer")
	a = v.post("/cases/"+string(ref)+"/preview", f)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	kept := formOf(a.page(), "")
	require.Equal(t, f.Get("rationale"), kept.Get("rationale"))
	s.desk.down = nil
	require.Equal(t, http.StatusOK, v.post("/cases/"+string(ref)+"/preview", kept).status)
}

func TestKnownQueuesAreShownEmpty(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Open(1)
	s.serve(console.Options{Desk: s.desk, Access: s.Access, Now: s.Clock.Now, Queues: []policy.Queue{{Name: "threat", Title: "Threats and instruction", Roles: []casefile.Role{casefile.RoleReviewer}}}})
	v := s.login("rev1")
	page := v.get("/queues").page()
	for queue, waits := range map[string]bool{"threat": false, "general": true} {
		button := byID(page, "next-"+queue)
		require.NotNil(t, button, queue)
		_, is := attr(button, "data-next")
		require.Equal(t, waits, is, queue)
	}
	a := v.get("/queues/threat")
	require.Contains(t, a.body, "Threats and instruction")
	require.Contains(t, a.body, "This queue is empty")
	require.Equal(t, http.StatusNotFound, v.get("/queues/%3Cb%3E").status)
}
