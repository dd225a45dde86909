package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/console"
)

// skeleton is a page's markup without its text and without the marks that the console itself puts
// on characters (b.ctl) and matched places (mark): elements, their attributes and the attributes'
// values, but for those that must differ between any two pages.
func skeleton(n *html.Node) []string {
	var out []string
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode {
			if n.DataAtom == atom.Mark || n.DataAtom == atom.B && strings.HasPrefix(attrOf(n, "class"), "ctl") {
				return
			}
			var attrs []string
			for _, a := range n.Attr {
				switch {
				case a.Key == "value", a.Key == "datetime", strings.HasPrefix(a.Key, "data-until"), a.Key == "open":
					attrs = append(attrs, a.Key)
				default:
					attrs = append(attrs, a.Key+"="+a.Val)
				}
			}
			slices.Sort(attrs)
			out = append(out, n.Data+" "+strings.Join(attrs, " "))
		}
		if n.Type == html.CommentNode {
			out = append(out, "comment")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
		if n.Type == html.ElementNode {
			out = append(out, "/"+n.Data)
		}
	}
	visit(n)
	return out
}

// TestPromise11Pages: whatever people under review write, a page's markup is that of a page on which
// they wrote something mild, letter for letter; their words are text, and in no address.
func TestPromise11Pages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v, auditor, lead, senior, admin := s.login("rev1"), s.login("auditor"), s.login("lead"), s.login("senior"), s.login("admin")
	me := v.who.Person
	appeal := func(w wording) {
		view := appealOf(w, me)
		s.desk.appeal = &view
		s.desk.ruling = &review.Preview{Notice: noticeOf(w), Token: "token"}
	}
	ruling := func(w wording) url.Values {
		return url.Values{"rationale": {"long enough: " + w.text}, "outcome": {"upheld"}, "claim": {"2"}}
	}
	address := "/cases/" + string(fixtureCase)
	form := url.Values{
		"action": {"L3"}, "days": {"7"}, "entity_tier": {"E1"}, "policies": {"VE-08"}, "evidence": {"2"}, "claim": {"3"}, "relied": {"profile"},
		"M1": {"no"}, "M2": {"no"}, "M3": {"no"}, "M4": {"no"}, "M5": {"no"}, "M6": {"no"}, "M7": {"no"}, "M8": {"no"},
	}
	shows := map[string]func(w wording) answer{
		"case held": func(w wording) answer {
			s.desk.cases[fixtureCase] = caseOf(w, me)
			return v.get(address)
		},
		"case decided": func(w wording) answer {
			s.desk.cases[fixtureCase] = decidedOf(w, me, casefile.DecisionDone)
			return v.get(address)
		},
		"case for an auditor": func(w wording) answer {
			s.desk.cases[fixtureCase] = decidedOf(w, me, casefile.DecisionGrace)
			return auditor.get(address + "?purpose=audit")
		},
		"draft refused": func(w wording) answer {
			s.desk.cases[fixtureCase] = caseOf(w, me)
			return v.post(address+"/preview", url.Values{"rationale": {w.text}, "comment": {w.text}, "relied": {w.id}, "evidence": {"2"}, "days": {w.text}})
		},
		"preview": func(w wording) answer {
			s.desk.cases[fixtureCase] = caseOf(w, me)
			s.desk.preview = &review.Preview{Notice: noticeOf(w), Token: "token"}
			form.Set("rationale", "long enough: "+w.text)
			return v.post(address+"/preview", form)
		},
		"queue": func(w wording) answer {
			s.desk.rows = map[string][]review.CaseRow{"speech": {caseOf(w, me).CaseRow}}
			return v.get("/queues/speech")
		},
		"held": func(w wording) answer {
			s.desk.held = []review.CaseRow{caseOf(w, me).CaseRow}
			return v.get("/queues")
		},
		"search": func(w wording) answer {
			asked := []rune(w.text) // of the length that a search may have
			return v.post("/find", url.Values{"q": {string(asked[:min(len(asked), 200)])}})
		},
		"login": func(w wording) answer { return s.visitor().get("/login?code=" + url.QueryEscape(w.text)) },
		"case already decided": func(w wording) answer {
			s.desk.cases[fixtureCase] = attachedOf(w)
			return v.get(address)
		},
		"two opinions that differ": func(w wording) answer {
			s.desk.cases[fixtureCase] = differingOf(w)
			return lead.get(address + "?purpose=review")
		},
		"own opinion": func(w wording) answer {
			view := differingOf(w)
			view.Opinions = view.Opinions[:1]
			view.Opinions[0].Person = me
			s.desk.cases[fixtureCase] = view
			return v.get(address)
		},
		"verb refused": func(w wording) answer {
			s.desk.cases[fixtureCase] = caseOf(w, me)
			return v.post(address+"/handover", url.Values{"go": {"on"}, "reason": {w.text}, "to": {w.handle}, "queue": {w.handle}, "rationale": {w.text}, "relied": {w.id}, "claim": {"3"}})
		},
		"verb asked with anything": func(w wording) answer {
			return v.get(address + "/snooze?" + url.Values{"purpose": {"review"}, "in": {w.text}, "at": {w.text}, "reason": {w.text}}.Encode())
		},
		"verb that failed": func(w wording) answer {
			s.desk.down = casefile.Errorf(casefile.CodeUnavailable, "down")
			defer func() { s.desk.down = nil }()
			return v.post(address+"/preview", url.Values{"rationale": {w.text}, "comment": {w.text}, "relied": {w.id}})
		},
		"settling refused": func(w wording) answer {
			return senior.post("/acts/settle", url.Values{"looked": {w.text}, "saw": {w.text}, "decision": {w.text}, "number": {"1"}, "direction": {w.text}, "outcome": {w.text}})
		},
		"acts, and a pause refused": func(w wording) answer {
			return lead.post("/acts/pause", url.Values{"platform": {w.text}, "reason": {w.text}})
		},
		"automation": func(w wording) answer {
			s.desk.switches = &review.SwitchesView{
				Switches: []review.SwitchView{{Name: "acts", On: true, Reason: w.text}, {Name: "automation", On: true, Since: ptr(at(-5)), By: "p-colleague", Reason: w.text}},
				Breakers: []review.BreakerView{{Rule: w.rule, Hour: at(-60), Count: 3, Tripped: ptr(at(-3)), Why: "count"}},
			}
			s.desk.banner = &review.Banner{Automation: true, Tripped: []string{w.rule}, Paused: []review.SwitchView{{Name: "acts", By: "p-colleague", Since: ptr(at(-2))}}}
			defer func() { s.desk.switches, s.desk.banner = nil, nil }()
			return admin.get("/automation")
		},
		"broken glass": func(w wording) answer {
			s.desk.glass = []review.GlassView{{ID: "g1", Person: "p-colleague", Case: fixtureCase, At: at(-30), Until: at(30), Reason: w.text}}
			return auditor.get("/glass")
		},
		"people, and one refused": func(w wording) answer {
			s.desk.people = []review.PersonView{{Person: "p-colleague", Login: "colleague", Name: w.name, Roles: []casefile.Role{casefile.RoleReviewer}, Active: true}}
			short := func(s string) string { // of the length that each may have, so that every wording is refused for its login
				all := []rune(s)
				return string(all[:min(len(all), 64)])
			}
			return admin.post("/people", url.Values{"login": {w.text}, "name": {short(w.name)}, "team": {short(w.text)}, "roles": {w.text}})
		},
		"appeal": func(w wording) answer {
			appeal(w)
			return v.get("/appeals/01HAPPEAL")
		},
		"ruling": func(w wording) answer {
			appeal(w)
			return v.post("/appeals/01HAPPEAL/preview", ruling(w))
		},
		"ruling kept": func(w wording) answer {
			appeal(w)
			return v.post("/appeals/01HAPPEAL/draft", ruling(w))
		},
		"flash": func(w wording) answer {
			v.cookies["docket_flash"] = url.QueryEscape("paused~" + w.text + "~" + w.text + "~1~" + w.text)
			defer delete(v.cookies, "docket_flash")
			return v.get("/help")
		},
		"queue's name": func(w wording) answer {
			return v.get("/queues/speech?cursor=" + url.QueryEscape(w.text))
		},
	}
	for name, show := range shows {
		calm := show(mild)
		require.NotEqual(t, http.StatusInternalServerError, calm.status, "%s: %s", name, calm.body)
		want := skeleton(calm.page())
		for i, attack := range attacks {
			w := hostile(attack)
			w.lang = mild.lang // TestLangOfAPost is about it
			a := show(w)
			require.Equal(t, calm.status, a.status, "%s: attack %d", name, i)
			require.Equal(t, want, skeleton(a.page()), "%s: attack %d changes the markup", name, i)
			inlineFree(t, a)
			walk(a.page(), func(n *html.Node) {
				// What the person typed stands in their own field as they typed it.
				if n.Type == html.TextNode && n.Parent.DataAtom != atom.Textarea {
					require.False(t, strings.ContainsAny(n.Data, "\u202e\u2066\u200b\x00\x1b"), "%s: attack %d turns or hides text", name, i)
				}
			})
		}
	}
}

// TestPromise11WordsAreShownWhole: hostile words are not dropped either; a reviewer reads them.
func TestPromise11WordsAreShownWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	for _, attack := range attacks {
		s.desk.cases[fixtureCase] = caseOf(hostile(attack), v.who.Person)
		page := v.get("/cases/" + string(fixtureCase)).page()
		var said *html.Node
		walk(byID(page, "post-1"), func(n *html.Node) {
			if attrOf(n, "class") == "said" {
				said = n
			}
		})
		want := ""
		for _, p := range console.Pieces(attack, nil) {
			if p.Control != "" {
				want += p.Control
			} else {
				want += p.Text
			}
		}
		require.Equal(t, want, textOf(said))
		require.NotContains(t, textOf(byID(page, "findings")), "timed out")
	}
}

func TestLangOfAPost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	for lang, want := range map[string]string{"ar": "ar", "zh-Hant-TW": "zh-Hant-TW", "und": "", `en" onclick="x`: "", "javascript": "", "": ""} {
		w := mild
		w.lang = lang
		s.desk.cases[fixtureCase] = caseOf(w, v.who.Person)
		page := v.get("/cases/" + string(fixtureCase)).page()
		got := ""
		walk(byID(page, "post-1"), func(n *html.Node) {
			if attrOf(n, "class") == "said" {
				got = attrOf(n, "lang")
			}
		})
		require.Equal(t, want, got)
	}
}

func TestUnknownIsNotZero(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	view := caseOf(mild, v.who.Person)
	s.desk.cases[fixtureCase] = view
	page := v.get("/cases/" + string(fixtureCase)).page()
	require.Contains(t, textOf(byID(page, "history")), "Strikes not lapsed0")
	facts := map[string]string{}
	walk(page, func(n *html.Node) {
		if n.DataAtom == atom.Dt {
			facts[textOf(n)] = textOf(n.NextSibling)
		}
	})
	require.Equal(t, "0", facts["Followers"], "told, and none")
	require.Equal(t, "not known", facts["Following"], "not told")
	findings := textOf(byID(page, "findings"))
	require.Contains(t, findings, "failed could not be learned: timed out")
	require.Contains(t, findings, "unknown not known: timed out")

	for name, strikes := range map[string]casefile.Finding{
		"failed":          {Kind: casefile.FindingStrikes, Status: casefile.StatusFailed, Why: "down", Values: map[string]float64{"live": 0}},
		"unknown":         {Kind: casefile.FindingStrikes, Status: casefile.StatusUnknown},
		"without a value": {Kind: casefile.FindingStrikes, Status: casefile.StatusKnown},
	} {
		view.Findings = []casefile.Finding{strikes}
		s.desk.cases[fixtureCase] = view
		history := textOf(byID(v.get("/cases/"+string(fixtureCase)).page(), "history"))
		require.Contains(t, history, "not known", name)
		require.NotContains(t, history, "lapsed0", name)
	}
	view.Findings = nil
	s.desk.cases[fixtureCase] = view
	require.Contains(t, textOf(byID(v.get("/cases/"+string(fixtureCase)).page(), "history")), "not asked")
}

func TestTwoHundredFindings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	s.desk.cases[fixtureCase] = crowded(v.who.Person, 200)
	a := v.get("/cases/" + string(fixtureCase))
	require.Equal(t, http.StatusOK, a.status)
	var statuses []string
	walk(byID(a.page(), "findings"), func(n *html.Node) {
		if n.DataAtom == atom.Li && strings.HasPrefix(attrOf(n, "class"), "finding ") {
			statuses = append(statuses, strings.TrimPrefix(attrOf(n, "class"), "finding "))
		}
	})
	require.Len(t, statuses, 204, "every one is on the page")
	rank := map[string]int{"failed": 0, "unknown": 1, "known": 2}
	require.True(t, slices.IsSortedFunc(statuses, func(a, b string) int { return rank[a] - rank[b] }), "what is not known stands first")
	require.Contains(t, textOf(byID(a.page(), "findings-title")), fmt.Sprintf("204, %d failed, %d unknown", 21, 21))
}

func TestPriorityIsNeverOneNumber(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.login("rev1")
	s.desk.rows = map[string][]review.CaseRow{"speech": {caseOf(mild, "p-other").CaseRow}}
	main := textOf(byID(v.get("/queues/speech").page(), "main"))
	require.Contains(t, main, "severity 4/7 confidence 2/3")
}
