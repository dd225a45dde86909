package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// decide has somebody give an opinion on a case that decides it.
func (v *visitor) decide(ref casefile.CaseRef, fields ...string) {
	v.s.t.Helper()
	form := with(filled(v.take(ref)), fields...)
	form.Del("next")
	a := v.post("/cases/"+string(ref)+"/preview", form)
	require.Equal(v.s.t, http.StatusOK, a.status, a.body)
	a = v.post("/cases/"+string(ref)+"/opinion", formOf(a.page(), "confirm-form"))
	require.Equal(v.s.t, http.StatusSeeOther, a.status, a.body)
}

const complaint = "[the complaint of a test]"

// appealed carries a decision on a case out, and has the person concerned appeal it.
func (s *site) appealed(n int) (ref casefile.CaseRef, appeal string) {
	s.t.Helper()
	ctx := context.Background()
	ref, _ = s.Open(n)
	s.login("rev1").decide(ref)
	s.Clock.Add(time.Minute)
	require.NoError(s.t, s.Workflows.CarryOut(ctx, ref))
	decisions, err := s.Records.CaseDecisions(ctx, ref)
	require.NoError(s.t, err)
	opened, err := s.Desk.OpenAppeal(ctx, s.Who("detector"), review.OpenAppealCall{Number: decisions[0].Decision.Notice().Number, Words: complaint})
	require.NoError(s.t, err)
	return ref, opened.Appeal
}

func TestAppealFromTheListToTheRuling(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, appeal := s.appealed(1)
	address := "/appeals/" + appeal
	part, judge := s.login("rev1"), s.login("rev2")

	row := textOf(byID(part.get("/appeals").page(), "appeal-"+appeal))
	require.Contains(t, row, "you took part in this case")
	require.NotContains(t, part.get("/appeals").body, `href="`+address+`"`)
	a := part.get(address)
	require.Equal(t, http.StatusForbidden, a.status)
	require.Contains(t, textOf(byID(a.page(), "fault")), "You took part in this case: somebody else decides the appeal")
	require.NotContains(t, a.body, complaint)
	require.Contains(t, s.refusals(), "console.appeal forbidden")
	require.Contains(t, textOf(byID(part.follow(part.post("/appeals/next", url.Values{"key": {"k"}})).page(), "flash")), "you took part")

	require.Contains(t, textOf(byID(judge.get("/appeals").page(), "appeal-"+appeal)), "you took no part")
	a = judge.post("/appeals/next", url.Values{"key": {"k"}})
	require.Equal(t, address, a.header.Get("Location"), a.body)
	a = judge.follow(a)
	page := a.page()
	require.Equal(t, complaint, textOf(byID(page, "complaint").LastChild.PrevSibling))
	require.Contains(t, textOf(byID(page, "notice")), string(ref), "the notice that was sent")
	require.Contains(t, textOf(byID(page, "decision")), "it praises the group", "with what was said for it")
	require.Contains(t, textOf(byID(page, "evidence")), "praise of")
	require.Nil(t, byID(page, "opinion-form"))
	require.Nil(t, byID(page, "comment"))

	form := with(formOf(page, "ruling-form"), "rationale", "short")
	a = judge.post(address+"/preview", form)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	for _, fault := range []string{"outcome", "rationale"} {
		require.NotNil(t, byID(a.page(), "fault-"+fault))
		require.Contains(t, a.body, `href="#`+fault+`"`)
	}
	require.Equal(t, "short", formOf(a.page(), "ruling-form").Get("rationale"))
	require.Contains(t, s.refusals(), "console.appeal_preview invalid")

	a = judge.post(address+"/preview", with(form, "outcome", "upheld", "rationale", "the group was named to condemn it"))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Contains(t, textOf(byID(a.page(), "consequences")), "everything that it did is taken back")
	notice := textOf(byID(a.page(), "notice"))
	require.NotEmpty(t, notice)
	confirm := formOf(a.page(), "confirm-form")
	changed := judge.post(address+"/draft", confirm)
	require.Equal(t, "the group was named to condemn it", formOf(changed.page(), "ruling-form").Get("rationale"))
	require.Equal(t, "upheld", formOf(changed.page(), "ruling-form").Get("outcome"))
	a = judge.post(address+"/rule", confirm)
	require.Equal(t, http.StatusUnprocessableEntity, a.status, "it takes saying so")
	require.NotNil(t, byID(a.page(), "fault-sure"))
	notice = textOf(byID(a.page(), "notice"))
	confirm = with(formOf(a.page(), "confirm-form"), "sure", "on")
	a = judge.post(address+"/rule", confirm)
	require.Equal(t, address, a.header.Get("Location"), a.body)
	page = judge.follow(a).page()
	require.Contains(t, textOf(byID(page, "ruled")), "the group was named to condemn it")
	require.Contains(t, textOf(byID(page, "ruled")), notice, "the notice previewed, byte for byte")
	require.Nil(t, byID(page, "ruling-form"))
	require.Equal(t, http.StatusSeeOther, judge.post(address+"/rule", confirm).status, "sent twice, counted once")
	require.Contains(t, textOf(byID(part.get("/cases/"+string(ref)).page(), "decision-appeals")), "decided, not proven yet")
}

func TestAppealIsGivenBackAndTakenAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, appeal := s.appealed(1)
	address := "/appeals/" + appeal
	judge, other := s.login("rev2"), s.login("rev3")
	page := judge.get(address).page()
	require.Nil(t, byID(page, "ruling-form"), "nobody rules on what they do not hold")
	a := judge.post(address+"/claim", url.Values{"claim_key": {"k"}})
	require.Equal(t, address, a.header.Get("Location"), a.body)
	require.Contains(t, textOf(byID(judge.follow(a).page(), "lease")), "yours")
	require.Nil(t, byID(other.get(address).page(), "claim"))
	a = other.post(address+"/claim", url.Values{"claim_key": {"k"}})
	require.Equal(t, http.StatusConflict, a.status)

	// The script keeps it by the person's input.
	s.Clock.Add(5 * time.Minute)
	r := formRequest(address+"/claim", url.Values{"csrf": {judge.token()}})
	r.Header.Set("Accept", "application/json")
	beat := judge.send(r)
	require.JSONEq(t, `{"expires_at":"2026-03-02T10:16:00Z"}`, beat.body)

	// A lease that ended keeps the words.
	form := with(formOf(judge.get(address).page(), "ruling-form"), "outcome", "rejected", "rationale", "the rationale of a ruling")
	s.Clock.Add(11 * time.Minute)
	a = judge.post(address+"/preview", form)
	require.Equal(t, http.StatusConflict, a.status)
	require.Equal(t, "the rationale of a ruling", formOf(a.page(), "ruling-form").Get("rationale"))
	require.Equal(t, address+"/claim", attrOf(byID(a.page(), "claim"), "formaction"))
	a = judge.post(address+"/claim", formOf(a.page(), "ruling-form"))
	require.Equal(t, http.StatusOK, a.status, a.body)
	kept := formOf(a.page(), "ruling-form")
	require.Equal(t, "the rationale of a ruling", kept.Get("rationale"))
	require.Equal(t, http.StatusOK, judge.post(address+"/preview", kept).status)

	a = judge.post(address+"/release", url.Values{"key": {"k"}, "claim": {kept.Get("claim")}})
	require.Equal(t, "/appeals", a.header.Get("Location"), a.body)
	require.NotNil(t, byID(other.get(address).page(), "claim"))
	for _, verb := range []string{"claim", "preview", "draft", "rule", "release"} {
		require.Equal(t, address, judge.get(address+"/"+verb).header.Get("Location"))
	}
	require.Equal(t, http.StatusNotFound, judge.get(address+"/elsewhere").status)
}

// TestAppealsAreDueFirst: the list's order, what is late in words, and the filter.
func TestAppealsAreDueFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, first := s.appealed(1)
	s.Clock.Add(time.Hour)
	_, second := s.appealed(2)
	v := s.login("rev2")
	body := v.get("/appeals").body
	require.Less(t, strings.Index(body, "appeal-"+first), strings.Index(body, "appeal-"+second))
	require.NotContains(t, v.get("/appeals?state=claimed").body, first)
	require.Contains(t, v.get("/appeals?state=open").body, first)
	require.Equal(t, http.StatusUnprocessableEntity, v.get("/appeals?state=nonsense").status)

	row, err := s.Records.Appeal(context.Background(), first)
	require.NoError(t, err)
	s.desk.appeals = []review.AppealRow{{Appeal: first, Kind: row.Kind, Case: row.Case, Platform: "example", State: casefile.AppealOpen, OpenedAt: at(-900), DueAt: at(-5), Late: true}}
	require.Contains(t, textOf(byID(v.get("/appeals").page(), "appeal-"+first)), "late")
}
