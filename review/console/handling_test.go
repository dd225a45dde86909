package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

// take claims a case by its number and gives its page.
func (v *visitor) take(ref casefile.CaseRef) answer {
	v.s.t.Helper()
	return v.follow(v.post("/cases/"+string(ref)+"/claim", url.Values{"claim_key": {casefile.NewID()}}))
}

// row is a case's row as it stands.
func (s *site) row(ref casefile.CaseRef) records.Case {
	s.t.Helper()
	row, err := s.Records.Case(context.Background(), ref)
	require.NoError(s.t, err)
	return row
}

// with lays fields over a form.
func with(form url.Values, fields ...string) url.Values {
	out := url.Values{}
	for name, values := range form {
		out[name] = values
	}
	for i := 0; i+1 < len(fields); i += 2 {
		out[fields[i]] = []string{fields[i+1]}
	}
	return out
}

// offersOf lists the verbs that a case page offers.
func offersOf(page *html.Node) []string {
	var out []string
	walk(page, func(n *html.Node) {
		verb, ok := strings.CutPrefix(attrOf(n, "id"), "verb-")
		if ok && n.Data != "form" {
			out = append(out, verb)
		}
	})
	slices.Sort(out)
	return out
}

// TestVerbsOfAHolder: each verb asks first and does nothing by that, refuses what is missing with
// everything that was entered, and then does it.
func TestVerbsOfAHolder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		verb, login string
		missing     []string // fields of a form that is refused
		fault       string   // at which field
		whole       []string
		kept        bool // the case stays with its holder
		check       func(t *testing.T, s *site, row records.Case)
	}{
		"snooze by a preset": {
			verb: "snooze", login: "rev1", fault: "until", whole: []string{"in", "4h"},
			check: func(t *testing.T, s *site, row records.Case) {
				require.Equal(t, s.Clock.Now().Add(4*time.Hour), row.NotBefore.UTC())
				require.Equal(t, casefile.StateQueued, row.State)
			},
		},
		"snooze until a time": {
			verb: "snooze", login: "rev1", missing: []string{"in", "at", "at", "not a time"}, fault: "until", whole: []string{"in", "at", "at", "2026-03-03T08:30"},
			check: func(t *testing.T, _ *site, row records.Case) {
				require.Equal(t, time.Date(2026, 3, 3, 8, 30, 0, 0, time.UTC), row.NotBefore.UTC())
			},
		},
		"snooze too far": {
			verb: "snooze", login: "rev1", missing: []string{"at", "2026-05-01T00:00"}, fault: "until", whole: []string{"in", "168h"},
			check: func(t *testing.T, s *site, row records.Case) {
				require.Equal(t, s.Clock.Now().Add(casefile.MaxSnooze), row.NotBefore.UTC())
			},
		},
		"hold": {
			verb: "hold", login: "rev1", missing: []string{"in", "at", "at", "2026-03-04T10:00"}, fault: "until", whole: []string{"in", "24h"}, kept: true,
			check: func(t *testing.T, s *site, row records.Case) {
				require.Equal(t, s.Clock.Now().Add(casefile.MaxHold), row.Claim.ExpiresAt.UTC())
			},
		},
		"hand over to a person": {
			verb: "handover", login: "rev1", missing: []string{"to", "nobody", "reason", "you know this group"}, fault: "to", whole: []string{"to", "rev2", "reason", "you know this group"},
			check: func(t *testing.T, s *site, row records.Case) { require.Equal(t, s.Who("rev2").Person, row.AssignedTo) },
		},
		"hand over to a queue": {
			verb: "handover", login: "rev1", missing: []string{"queue", "other"}, fault: "reason", whole: []string{"queue", "other", "reason", "it is theirs"},
			check: func(t *testing.T, _ *site, row records.Case) { require.Equal(t, "other", row.Route.Queue) },
		},
		"escalate": {
			verb: "escalate", login: "rev1", fault: "reason", whole: []string{"reason", "I am not sure of the law here"},
			check: func(t *testing.T, _ *site, row records.Case) {
				require.Equal(t, reviewtest.LeadQueue, row.Route.Queue)
				require.False(t, row.Threat)
			},
		},
		"threat to life": {
			verb: "threat", login: "rev1", missing: []string{"reason", "names a place and a day"}, fault: "sure", whole: []string{"reason", "names a place and a day", "sure", "on"},
			check: func(t *testing.T, _ *site, row records.Case) { require.True(t, row.Threat) },
		},
		"refer": {
			verb: "refer", login: "rev1", missing: []string{"reason", "see the second post"}, fault: "kind", whole: []string{"kind", "legal", "reason", "see the second post"}, kept: true,
			check: func(t *testing.T, _ *site, row records.Case) { require.Empty(t, row.Restricted) },
		},
		"release": {verb: "release", login: "rev1", check: func(t *testing.T, _ *site, row records.Case) { require.Equal(t, casefile.StateQueued, row.State) }},
		"close": {
			verb: "close", login: "rev1", fault: "reason", whole: []string{"reason", "test"},
			check: func(t *testing.T, _ *site, row records.Case) { require.Equal(t, casefile.StateClosed, row.State) },
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ref, _ := s.Open(1)
			v := s.login(tt.login)
			a := v.take(ref)
			address := "/cases/" + string(ref) + "/" + tt.verb
			require.Equal(t, address, attrOf(byID(a.page(), "verb-"+tt.verb), "formaction"))

			begun := filled(a)
			ask := v.post(address, begun)
			require.Equal(t, http.StatusOK, ask.status, ask.body)
			before := s.row(ref)
			form := formOf(ask.page(), "verb-form")
			require.Equal(t, before, s.row(ref), "asking does nothing")
			require.Equal(t, begun.Get("rationale"), form.Get("rationale"), "what was begun goes along")
			require.Equal(t, begun.Get("rationale"), formOf(v.post("/cases/"+string(ref)+"/draft", form).page(), "opinion-form").Get("rationale"), "and comes back")

			if tt.fault != "" {
				bad := with(form, tt.missing...)
				a = v.post(address, bad)
				require.Equal(t, http.StatusUnprocessableEntity, a.status, a.body)
				require.Contains(t, s.refusals(), "console."+tt.verb+" invalid")
				require.Equal(t, before, s.row(ref))
				require.NotNil(t, byID(a.page(), tt.fault), "the summary's link leads to the field")
				require.NotNil(t, byID(a.page(), "fault-"+tt.fault), a.body)
				kept := formOf(a.page(), "verb-form")
				for k, values := range bad {
					if k != "csrf" {
						require.Equal(t, values, kept[k], "%s is kept", k)
					}
				}
				form = kept
			}
			whole := with(form, tt.whole...)
			a = v.post(address, whole)
			if tt.kept {
				require.Equal(t, http.StatusOK, a.status, a.body)
				require.Equal(t, begun.Get("rationale"), formOf(a.page(), "opinion-form").Get("rationale"))
			} else {
				require.Equal(t, "/queues", a.header.Get("Location"), a.body)
				require.NotNil(t, byID(v.follow(a).page(), "flash"))
			}
			tt.check(t, s, s.row(ref))
			// Sent again it counts once: the same answer, and nothing more.
			after := s.row(ref)
			a = v.post(address, whole)
			require.Less(t, a.status, 400, a.body)
			require.Equal(t, after.Revision, s.row(ref).Revision)
		})
	}
}

// TestUnknownOutcomeOfAVerb: the page of the error has what was written, and sends the very same again.
func TestUnknownOutcomeOfAVerb(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	form := filled(v.take(ref))
	address := "/cases/" + string(ref) + "/handover"
	sent := with(formOf(v.post(address, form).page(), "verb-form"), "to", "rev2", "reason", "you know this group")
	s.Workflows.After = func(context.Context, string) error { return errors.New("connection lost") }
	a := v.post(address, sent)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	main := textOf(byID(a.page(), "main"))
	require.Contains(t, main, "is not known")
	require.Contains(t, main, "you know this group", "what was written can be read and copied")
	require.Contains(t, main, "without any of the contexts")
	s.Workflows.After = nil
	again := formOf(a.page(), "")
	require.Equal(t, "rev2", again.Get("to"))
	after := s.row(ref)
	require.Equal(t, "/queues", v.post(address, again).header.Get("Location"))
	require.Equal(t, after.Revision, s.row(ref).Revision, "it counted once")
}

func TestVerbsWithoutADraft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	holder, lead := s.login("rev1"), s.login("lead")
	holder.take(ref)
	address := "/cases/" + string(ref)

	page := lead.get(address + "?purpose=support").page()
	require.Equal(t, []string{"deadline", "end", "escalate", "keep", "threat"}, offersOf(page))
	ask := lead.get(attrOf(byID(page, "verb-deadline"), "href"))
	form := formOf(ask.page(), "verb-form")
	require.Equal(t, "support", form.Get("purpose"))
	a := lead.post(address+"/deadline", with(form, "in", "72h", "reason", "we wait for the platform"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.NotNil(t, byID(a.page(), "fault-deadline"))
	require.Equal(t, "we wait for the platform", formOf(a.page(), "verb-form").Get("reason"))
	a = lead.post(address+"/deadline", with(formOf(a.page(), "verb-form"), "deadline", "decision"))
	require.Equal(t, address+"?purpose=support", a.header.Get("Location"), a.body)
	require.Contains(t, textOf(byID(lead.follow(a).page(), "flash")), "5 Mar 2026 10:00:00 UTC")
	require.Equal(t, s.Clock.Now().Add(72*time.Hour), s.row(ref).Route.DecideBy.UTC())

	ask = lead.get(attrOf(byID(page, "verb-end"), "href"))
	a = lead.post(address+"/end", with(formOf(ask.page(), "verb-form"), "reason", "their shift is over"))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Equal(t, casefile.StateQueued, s.row(ref).State)

	// A verb that the state refuses says so beside what was written.
	a = lead.post(address+"/end", with(formOf(ask.page(), "verb-form"), "reason", "once more", "key", "another"))
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, textOf(byID(a.page(), "refused")), "Nobody holds this case")
	require.Equal(t, "once more", formOf(a.page(), "verb-form").Get("reason"))

	a = lead.post(address+"/escalate", with(formOf(lead.get(address+"/escalate?purpose=support").page(), "verb-form"), "reason", "look at this"))
	require.Equal(t, address+"?purpose=support", a.header.Get("Location"), "whoever did not hold it goes on looking at it")
}

// TestWhoSeesWhichControl holds what a case page offers to the table of permissions, in every state of
// a case that makes a difference.
func TestWhoSeesWhichControl(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	free, _ := s.Open(1)
	held, _ := s.Open(2)
	own, _ := s.Open(3)
	closed, _ := s.Open(4)
	s.login("rev3").take(held)
	v := s.login("senior")
	a := v.take(closed)
	a = v.post("/cases/"+string(closed)+"/close", with(formOf(v.post("/cases/"+string(closed)+"/close", formOf(a.page(), "opinion-form")).page(), "verb-form"), "reason", "test"))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	holder := []string{"close", "escalate", "handover", "hold", "refer", "release", "snooze", "threat"}
	tests := []struct {
		login, purpose          string
		free, held, own, closed []string
		emergency               bool
	}{
		{"rev1", "", []string{"escalate", "threat"}, []string{"escalate", "threat"}, holder, nil, false},
		{"senior2", "", []string{"escalate", "threat"}, []string{"escalate", "threat"}, holder, []string{"reopen"}, true},
		{"lead", "review", []string{"deadline", "escalate", "keep", "threat"}, []string{"deadline", "end", "escalate", "keep", "threat"}, append([]string{"deadline", "keep"}, holder...), []string{"keep", "reopen"}, true},
		{"policy", "policy", []string{"erase", "keep"}, []string{"erase", "keep"}, nil, []string{"erase", "keep"}, false},
		{"auditor", "audit", nil, nil, nil, nil, false},
	}
	for _, tt := range tests {
		v := s.login(tt.login)
		show := func(ref casefile.CaseRef) *html.Node {
			a := v.get("/cases/" + string(ref) + "?purpose=" + tt.purpose)
			require.Equal(t, http.StatusOK, a.status)
			return a.page()
		}
		require.Equal(t, tt.free, offersOf(show(free)), "%s: waiting", tt.login)
		require.Equal(t, tt.held, offersOf(show(held)), "%s: somebody else's", tt.login)
		require.Equal(t, tt.closed, offersOf(show(closed)), "%s: closed", tt.login)
		require.Equal(t, tt.own != nil, byID(show(free), "claim") != nil, "%s: claim", tt.login)
		if tt.own == nil {
			continue
		}
		page := v.take(own).page()
		want := slices.Clone(tt.own)
		slices.Sort(want)
		require.Equal(t, want, offersOf(page), "%s: their own", tt.login)
		require.Equal(t, tt.emergency, byID(page, "emergency") != nil, "%s: emergency", tt.login)
		a := v.post("/cases/"+string(own)+"/release", with(formOf(page, "opinion-form"), "go", "on", "key", casefile.NewID()))
		require.Equal(t, http.StatusSeeOther, a.status)
	}
}

func TestHeaderOfACase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	address := "/cases/" + string(fixtureCase)
	view := caseOf(mild, v.who.Person)
	view.Held, view.Threat, view.Raised = true, true, true
	view.Missed = []casefile.DeadlineKind{casefile.DeadlineTouch}
	s.desk.cases[fixtureCase] = view
	page := v.get(address).page()
	marks := textOf(byID(page, "marks"))
	for _, mark := range []string{"threat to life", "first look missed", "raised"} {
		require.Contains(t, marks, mark, "in words, not by colour alone")
	}
	require.Contains(t, textOf(byID(page, "deadline-touch")), "missed")
	require.Contains(t, textOf(byID(page, "deadline-decision")), "half of it has passed")
	require.Contains(t, textOf(byID(page, "lease")), "yours, held until")
	require.Nil(t, byID(page, "snoozed"))

	view.Claim, view.Holder, view.State = nil, "", casefile.StateQueued
	view.SnoozedUntil, view.AssignedTo = ptr(at(300)), "p-colleague"
	s.desk.cases[fixtureCase] = view
	page = v.get(address).page()
	require.Contains(t, textOf(byID(page, "snoozed")), "offered to nobody before")
	require.Contains(t, textOf(byID(page, "assigned")), "p-colleague")
	require.Nil(t, byID(page, "claim"), "handed over to somebody else")
	view.AssignedTo = v.who.Person
	s.desk.cases[fixtureCase] = view
	page = v.get(address).page()
	require.Contains(t, textOf(byID(page, "assigned")), "you")
	require.NotNil(t, byID(page, "claim"))
}

func TestRecommendedStep(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("rev1")
	a := v.take(ref)
	said := textOf(byID(a.page(), "recommended"))
	require.Contains(t, said, "on VE-08")
	require.Contains(t, said, "have not lapsed: 0")

	view := caseOf(mild, v.who.Person)
	view.Recommendation.Unknown, view.Recommendation.Reason = true, "The account's strikes are not known, so the floor alone counts."
	s.desk.cases[fixtureCase] = view
	said = textOf(byID(v.get("/cases/"+string(fixtureCase)).page(), "recommended"))
	require.Contains(t, said, "have not lapsed: unknown")
	require.NotContains(t, said, "lapsed: 0", "unknown is not zero")

	preview := v.post("/cases/"+string(ref)+"/preview", filled(a))
	require.Contains(t, textOf(byID(preview.page(), "recommended")), "Recommended: L")
}

func TestAlreadyDecided(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	s.desk.cases[fixtureCase] = attachedOf(mild)
	page := v.get("/cases/" + string(fixtureCase)).page()
	said := textOf(byID(page, "attached"))
	require.Contains(t, said, "L5 Suspension for 30 days under VE-08")
	require.Contains(t, said, "AAAAA-BBBBB")
	require.Nil(t, byID(page, "decision"))
	require.Contains(t, textOf(byID(page, "post-1")), "new since the decision")
}

// TestEmergencyOrder: a senior reads what it does, has to say that they mean it, and then it is ordered.
func TestEmergencyOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	v := s.login("senior")
	a := v.take(ref)
	address := "/cases/" + string(ref)
	form := with(filled(a), "action", "L6", "days", "")
	form.Del("next")
	a = v.post(address+"/emergency", form)
	require.Equal(t, http.StatusUnprocessableEntity, a.status, "L6 cannot be ordered")
	require.NotNil(t, byID(a.page(), "fault-action"))
	require.Equal(t, form.Get("rationale"), formOf(a.page(), "opinion-form").Get("rationale"))

	a = v.post(address+"/emergency", with(form, "action", "L5", "days", "30"))
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, textOf(byID(a.page(), "emergency-says")), "no second person is asked, and you cannot withdraw it")
	require.Contains(t, textOf(byID(a.page(), "consequences")), "emergency order")
	require.Equal(t, casefile.StateClaimed, s.row(ref).State)
	confirm := formOf(a.page(), "confirm-form")
	require.Equal(t, address+"/order", attrOf(byID(a.page(), "confirm-form"), "action"))

	a = v.post(address+"/order", confirm)
	require.Equal(t, http.StatusUnprocessableEntity, a.status, "it takes saying so")
	require.NotNil(t, byID(a.page(), "fault-sure"))
	require.Equal(t, casefile.StateClaimed, s.row(ref).State)
	a = v.post(address+"/order", with(formOf(a.page(), "confirm-form"), "sure", "on"))
	require.Equal(t, address, a.header.Get("Location"), a.body)
	page := v.follow(a).page()
	require.Contains(t, textOf(byID(page, "decided-by")), "emergency order")
	require.Nil(t, byID(page, "withdraw"), "it cannot be withdrawn")
	require.Equal(t, http.StatusForbidden, s.login("rev2").post(address+"/emergency", form).status)
}

// TestAdjudication: the lead sees both opinions side by side, what they differ in in words, and forms
// their own; nobody else sees either.
func TestAdjudication(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	address := "/cases/" + string(ref)
	first, second, lead := s.login("rev1"), s.login("rev2"), s.login("lead")
	give := func(v *visitor, fields ...string) {
		form := with(filled(v.take(ref)), fields...)
		form.Del("next")
		a := v.post(address+"/preview", form)
		require.Equal(t, http.StatusOK, a.status, a.body)
		a = v.post(address+"/opinion", formOf(a.page(), "confirm-form"))
		require.Equal(t, http.StatusSeeOther, a.status, a.body)
	}
	give(first, "action", "L6", "days", "", "rationale", "the first rationale of a test")
	give(second, "action", "L5", "days", "30", "M1", "yes", "rationale", "the second rationale of a test")
	for _, v := range []*visitor{first, second, s.login("rev3"), s.login("senior")} {
		a := v.get(address)
		require.Nil(t, byID(a.page(), "compared"), v.who.Login)
		require.Nil(t, byID(a.page(), "claim"), v.who.Login)
		if v.who.Login != "rev1" {
			require.NotContains(t, a.body, "the first rationale")
		}
		if v.who.Login != "rev2" {
			require.NotContains(t, a.body, "the second rationale")
		}
	}
	require.Contains(t, textOf(byID(first.get(address).page(), "own")), "the first rationale", "one's own stays visible")

	page := lead.get(address + "?purpose=review").page()
	compared := textOf(byID(page, "compared"))
	require.Contains(t, compared, "the first rationale of a test")
	require.Contains(t, compared, "the second rationale of a test")
	require.Contains(t, textOf(byID(page, "differences")), "They differ in action; days; M1 News.")
	require.Contains(t, compared, "post 1")
	require.Contains(t, compared, "Reviewer One")
	require.Less(t, strings.Index(compared, "Reviewer One"), strings.Index(compared, "Reviewer Two"), "in the order in which they were given")

	a := lead.take(ref)
	require.NotNil(t, byID(a.page(), "compared"), "beside the form")
	require.Nil(t, byID(a.page(), "emergency"))
	form := with(filled(a), "action", "L3", "days", "7", "rationale", "a third view of a test")
	form.Del("next")
	a = lead.post(address+"/preview", form)
	require.Contains(t, textOf(byID(a.page(), "consequences")), "Yours is the third opinion")
	a = lead.post(address+"/opinion", formOf(a.page(), "confirm-form"))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	decided := first.get(address).page()
	require.Contains(t, textOf(byID(decided, "decided-by")), "a third person, after two who differed")
	for _, words := range []string{"the first rationale", "the second rationale", "a third view"} {
		require.Contains(t, textOf(byID(decided, "decision")), words, "afterwards everybody who may open the case sees all of them")
	}
	require.Equal(t, 1, strings.Count(textOf(byID(decided, "decision")), "stands"), "one of them stands")
}

// TestRestricted: what is withheld, from whom and why, and the glass that can be broken.
func TestRestricted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	post := s.Post(1, "post-1-1", "text with [praise of a designated group] in it")
	post.Media = []casefile.Media{{Type: "image", URL: "https://example.org/picture"}}
	ref := s.Submit(s.Flag(1, "flag-1", post))
	holder := s.login("rev1")
	address := "/cases/" + string(ref)
	a := holder.take(ref)
	require.Contains(t, a.body, "example.org/picture")
	// It is offered beside the evidence and beside M8, with the team chosen.
	a = holder.post(address+"/refer", with(filled(a), "kind", "child_safety"))
	form := formOf(a.page(), "verb-form")
	require.Equal(t, "child_safety", form.Get("kind"))
	a = holder.post(address+"/refer", with(form, "reason", "a child may be shown"))
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.NotContains(t, a.body, "example.org/picture", "its media are shown to nobody, the holder neither")
	require.Contains(t, textOf(byID(a.page(), "withheld")), "media are shown to nobody")
	require.Contains(t, textOf(byID(a.page(), "referrals")), "a child may be shown")
	require.Contains(t, textOf(byID(a.page(), "marks")), "restricted: child safety")

	for login, purpose := range map[string]string{"rev2": "", "policy": "policy", "auditor": "audit"} {
		v := s.login(login)
		a := v.get(address + "?purpose=" + purpose)
		require.Equal(t, http.StatusOK, a.status)
		require.Contains(t, textOf(byID(a.page(), "withheld")), "referred to child safety")
		for _, words := range []string{"praise of", "synthetic_1", "a child may be shown"} {
			require.NotContains(t, a.body, words, login)
		}
		require.Equal(t, login != "rev2", byID(a.page(), "verb-glass") != nil, "%s: glass", login)
	}
	require.Equal(t, http.StatusOK, s.login("safety").get(address).status)
	require.Contains(t, s.login("safety").get(address).body, "praise of", "the team that it was referred to sees it")

	admin := s.login("admin")
	a = admin.get(address)
	require.Equal(t, http.StatusForbidden, a.status, "an admin opens no case")
	require.Contains(t, a.body, address+"/glass")
	ask := admin.get(address + "/glass")
	require.Equal(t, http.StatusOK, ask.status)
	glass := formOf(ask.page(), "verb-form")
	a = admin.post(address+"/glass", with(glass, "in", "15m", "reason", "too short", "sure", "on"))
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Equal(t, "too short", formOf(a.page(), "verb-form").Get("reason"))
	a = admin.post(address+"/glass", with(glass, "in", "2h", "reason", "an outage keeps every lead from it", "sure", "on"))
	require.NotNil(t, byID(a.page(), "fault-for"), "an hour at most")
	a = admin.post(address+"/glass", with(glass, "in", "15m", "reason", "an outage keeps every lead from it", "sure", "on"))
	require.Equal(t, address+"?purpose=break_glass", a.header.Get("Location"), a.body)
	a = admin.follow(a)
	require.Contains(t, a.body, "praise of")
	require.Contains(t, textOf(byID(a.page(), "flash")), "2 Mar 2026 10:15:00 UTC")
	require.Empty(t, offersOf(a.page()), "to read and for nothing else")
	require.Nil(t, byID(a.page(), "opinion-form"))
	s.Clock.Add(16 * time.Minute)
	require.Equal(t, http.StatusForbidden, admin.get(address+"?purpose=break_glass").status)

	auditor := s.login("auditor")
	a = auditor.get("/glass")
	require.Contains(t, textOf(byID(a.page(), "glass")), "an outage keeps every lead from it")
	review := formOf(a.page(), "")
	id := attrOf(byID(a.page(), "glass"), "id")
	require.NotEmpty(t, id)
	row := actionIn(a.page(), "/glass/")
	require.Equal(t, http.StatusUnprocessableEntity, auditor.post(row, review).status, "yes or no")
	a = auditor.post(row, with(review, "justified", "yes"))
	require.Equal(t, "/glass", a.header.Get("Location"), a.body)
	require.Contains(t, auditor.follow(a).body, "Nothing waits for a review")
	all := textOf(byID(auditor.get("/glass?all=1").page(), "glass"))
	require.Contains(t, all, "justified")
	require.Equal(t, http.StatusConflict, s.login("lead").post(row, url.Values{"justified": {"no"}}).status, "once")
}

// actionIn finds the first form's address that begins so.
func actionIn(page *html.Node, begins string) string {
	found := ""
	walk(page, func(n *html.Node) {
		if found == "" && n.Data == "form" && strings.HasPrefix(attrOf(n, "action"), begins) {
			found = attrOf(n, "action")
		}
	})
	return found
}

// TestFirstLookOfARow: a list says of a case's deadlines what its page says, as far as a row tells it. A
// case that was given back tells nothing.
func TestFirstLookOfARow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	due, later := s.Clock.Now().Add(49*time.Minute), s.Clock.Now().Add(5*time.Hour)
	open := review.CaseRow{Case: fixtureCase, Platform: "example", State: casefile.StateQueued, Queue: "general", OpenedAt: s.Clock.Now(), DueAt: &due, DecideBy: &later}
	claimed, snoozed, given, decided, late := open, open, open, open, open
	claimed.State, snoozed.SnoozedUntil, given.AssignedTo, decided.State = casefile.StateClaimed, &later, "p-colleague", casefile.StateProven
	late.State, late.Missed = casefile.StateClaimed, []casefile.DeadlineKind{casefile.DeadlineTouch}
	for _, c := range []struct {
		row            review.CaseRow
		look, decision string
	}{
		{open, "in 49 min", "in 5 h"}, {claimed, "met", "in 5 h"}, {snoozed, "met", "in 5 h"}, {given, "met", "in 5 h"},
		{decided, "met", "met"}, {late, "missed", "in 5 h"},
	} {
		s.desk.held = []review.CaseRow{c.row}
		cells := map[string]string{}
		walk(byID(v.get("/queues").page(), "row-"+string(fixtureCase)), func(n *html.Node) { cells[attrOf(n, "data-label")] = textOf(n) })
		require.True(t, strings.HasPrefix(strings.TrimSpace(cells["First look by"]), c.look), cells["First look by"])
		require.True(t, strings.HasPrefix(strings.TrimSpace(cells["Decision by"]), c.decision), cells["Decision by"])
	}
}

// TestWhatWasDoneWithACase: whoever takes a case up reads who did what with it and why, in words, and the
// reasons stand there as text, whatever they say.
func TestWhatWasDoneWithACase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	for _, attack := range attacks[:5] {
		s.desk.cases[fixtureCase] = caseOf(hostile(attack), v.who.Person)
		a := v.get("/cases/" + string(fixtureCase))
		inlineFree(t, a)
		said := 0
		walk(byID(a.page(), "handled"), func(n *html.Node) {
			if attrOf(n, "class") == "said" {
				said++
				require.Equal(t, attack, textOf(n))
			}
		})
		require.Equal(t, 5, said, "one was done without a reason")
	}
	handled := textOf(byID(v.get("/cases/"+string(fixtureCase)).page(), "handled"))
	for _, words := range []string{
		"2 Mar 2026 09:30:00 UTC: p-colleague (reviewer) escalated it to the queue lead", "escalated it as a threat to life, to the queue lead",
		"p-lead (lead) handed it over to p-colleague", "handed it over to the queue speech", "moved the deadline of the decision to 2 Mar 2026 20:00:00 UTC",
		"ended the claim of p-colleague",
	} {
		require.Contains(t, handled, words)
	}
	quiet := caseOf(mild, v.who.Person)
	quiet.Handled = nil
	s.desk.cases[fixtureCase] = quiet
	require.Nil(t, byID(v.get("/cases/"+string(fixtureCase)).page(), "handled"))
}

// TestHandOverListsTakers: the form lists whom the case may be handed over to, to a reviewer by pseudonym
// and to a lead by name, and what was handed over stands on the page of queues of whoever it was handed to.
func TestHandOverListsTakers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ref, _ := s.Open(1)
	listed := func(v *visitor) (values []string, shown string) {
		v.take(ref)
		page := v.get("/cases/" + string(ref) + "/handover?claim=1").page()
		walk(byID(page, "people"), func(n *html.Node) {
			if n.Data == "option" {
				values = append(values, attrOf(n, "value"))
			}
		})
		return values, textOf(byID(page, "takers"))
	}
	rev1, rev2, lead := s.login("rev1"), s.login("rev2"), s.login("lead")
	values, shown := listed(rev1)
	require.Contains(t, values, string(rev2.who.Person))
	require.NotContains(t, values, string(rev1.who.Person))
	require.Contains(t, shown, string(rev2.who.Person))
	require.NotContains(t, shown, "Reviewer Two")
	require.NotContains(t, shown, "rev2")
	a := rev1.post("/cases/"+string(ref)+"/handover", with(url.Values{}, "claim", "1", "key", "k", "go", "on", "to", string(rev2.who.Person), "reason", "you know this group"))
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Contains(t, textOf(byID(rev2.get("/queues").page(), "handed")), string(ref))
	require.NotContains(t, textOf(byID(rev1.get("/queues").page(), "handed")), string(ref))

	rev2.take(ref)
	require.NotContains(t, textOf(byID(rev2.get("/queues").page(), "handed")), string(ref))
	rev2.post("/cases/"+string(ref)+"/release", with(url.Values{}, "claim", "2", "key", "k", "go", "on"))
	_, shown = listed(lead)
	require.Contains(t, shown, "Reviewer Three")
	require.Contains(t, shown, "rev3")
	require.NotContains(t, shown, "rev2", "whoever has held it is not handed it again")
}
