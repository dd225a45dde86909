package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// drawn are the values that are drawn at random or made from such: numbers of cases, ids, keys, tokens
// and pseudonyms. Two equal desks differ in them.
var drawn = regexp.MustCompile(`eyJ[0-9A-Za-z_.-]+|[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}|[0-9A-HJKMNP-TV-Z]{26}|[0-9A-Za-z_-]{43}|p-[0-9a-z]{8}`)

// same makes pages of two desks comparable byte for byte: what is drawn is replaced by one word, and so
// is what is given, such as the person's own name.
func same(body string, given ...string) string {
	for i := 0; i+1 < len(given); i += 2 {
		body = strings.ReplaceAll(body, given[i], given[i+1])
	}
	return drawn.ReplaceAllString(body, "DRAWN")
}

// before brings a case to where somebody has looked at it, held it and previewed their opinion; and then
// gave the opinion, or gave the case back.
func before(s *site, gave bool) (casefile.CaseRef, answer) {
	ref, _ := s.Open(1)
	v := s.login("rev1")
	a := v.take(ref)
	form := with(filled(a), "action", "L6", "days", "")
	form.Del("next")
	preview := v.post("/cases/"+string(ref)+"/preview", form)
	require.Equal(s.t, http.StatusOK, preview.status, preview.body)
	var done answer
	if gave {
		done = v.post("/cases/"+string(ref)+"/opinion", formOf(preview.page(), "confirm-form"))
	} else {
		done = v.post("/cases/"+string(ref)+"/release", with(form, "go", "on", "key", casefile.NewID()))
	}
	require.Equal(s.t, http.StatusSeeOther, done.status, done.body)
	s.Clock.Add(time.Minute)
	return ref, a
}

// TestNothingTellsASecondFromAFirst: promise 4. Every page about a case on which somebody has given an
// opinion that nobody is to know of is, byte for byte, the page about a case that somebody gave back:
// for the person who forms the second opinion at each step, and for everybody else who may look.
func TestNothingTellsASecondFromAFirst(t *testing.T) {
	t.Parallel()
	first, second := newSite(t), newSite(t)
	begun, firstPage := before(first, false)
	blind, _ := before(second, true)
	row := second.row(blind)
	require.Equal(t, casefile.StateQueued, row.State)
	equal := func(name string, a, b answer) {
		t.Helper()
		require.Equal(t, a.status, b.status, name)
		require.Equal(t, same(a.body), same(b.body), name)
		require.Equal(t, same(a.header.Get("Location")), same(b.header.Get("Location")), name)
	}
	for login, purpose := range map[string]string{"rev2": "", "rev3": "", "senior": "", "lead": "review", "policy": "policy", "auditor": "audit"} {
		a, b := first.login(login), second.login(login)
		for _, path := range []string{"/queues", "/queues/general", "/find", "/cases/{case}?purpose=" + purpose, "/cases/{case}/standing", "/cases/{case}/views", "/audit", "/appeals", "/acts"} {
			equal(login+" "+path, a.get(strings.ReplaceAll(path, "{case}", string(begun))), b.get(strings.ReplaceAll(path, "{case}", string(blind))))
		}
		if a.who.May("case.find") {
			equal(login+" finds", a.post("/find", url.Values{"q": {"account-1"}}), b.post("/find", url.Values{"q": {"account-1"}}))
		}
	}
	a, b := first.login("rev2"), second.login("rev2")
	next := url.Values{"key": {"k"}}
	equal("next", a.post("/queues/general/next", next), b.post("/queues/general/next", next))
	held, heldBlind := a.get("/cases/"+string(begun)), b.get("/cases/"+string(blind))
	equal("held", held, heldBlind)
	equal("cases held", a.get("/queues"), b.get("/queues"))
	form := func(page answer) url.Values {
		f := with(filled(page), "action", "L6", "days", "")
		f.Del("next")
		return f
	}
	equal("a fault", a.post("/cases/"+string(begun)+"/preview", with(form(held), "M1", "")), b.post("/cases/"+string(blind)+"/preview", with(form(heldBlind), "M1", "")))
	for _, verb := range []string{"release", "snooze", "hold", "handover", "escalate", "threat", "refer", "close"} {
		equal(verb, a.post("/cases/"+string(begun)+"/"+verb, form(held)), b.post("/cases/"+string(blind)+"/"+verb, form(heldBlind)))
	}
	preview, previewBlind := a.post("/cases/"+string(begun)+"/preview", form(held)), b.post("/cases/"+string(blind)+"/preview", form(heldBlind))
	equal("preview", preview, previewBlind)

	// The first person's own page, from before, is the second's, but for the lease's number, the times,
	// the name, and the marks of the one deadline that passed while they held it: none did.
	numbers := regexp.MustCompile(`(claim" value=|data-claim=)"\d+"`)
	times := regexp.MustCompile(`datetime="[^"]*"|data-(until|since)="[^"]*"|\d+ Mar 2026 [0-9:]+ UTC|(in )?\d+ d \d+ h|(in )?\d+ h \d+ min|(in )?\d+ min \d\d s|\d+ min ago|just now`)
	plain := func(body, name string) string {
		return times.ReplaceAllString(numbers.ReplaceAllString(same(body, name, "NAME"), "NUMBER"), "TIME")
	}
	require.Equal(t, plain(firstPage.body, "Reviewer One"), plain(heldBlind.body, "Reviewer Two"))

	gave := b.post("/cases/"+string(blind)+"/opinion", formOf(previewBlind.page(), "confirm-form"))
	require.Equal(t, http.StatusSeeOther, gave.status, gave.body)
	require.Equal(t, casefile.StateDecided, second.row(blind).State, "two who agree decide")
}

// TestWhatIsSaidAfterAnOpinion: the words are the same for a first opinion that awaits a second and for
// a second that differs.
func TestWhatIsSaidAfterAnOpinion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	var said []string
	for _, who := range []struct{ login, action string }{{"rev1", "L6"}, {"rev2", "L4"}} {
		v := s.login(who.login)
		form := with(filled(v.take(ref)), "action", who.action, "days", "")
		form.Del("next")
		a := v.post("/cases/"+string(ref)+"/preview", form)
		a = v.follow(v.post("/cases/"+string(ref)+"/opinion", formOf(a.page(), "confirm-form")))
		said = append(said, textOf(byID(a.page(), "flash")))
		require.NotNil(t, byID(a.page(), "own"), "one's own opinion stays visible")
		require.Nil(t, byID(a.page(), "claim"), "who gave it does not take the case again")
	}
	require.Equal(t, casefile.StageAdjudication, s.row(ref).Stage)
	require.Equal(t, said[0], said[1])
	require.Contains(t, said[0], "What comes of it shows there once the case is decided")
}
