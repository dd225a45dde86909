package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/evidence"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/console"
	"github.com/docket-triage/docket/review/reviewtest"
)

// site is a console over a bench.
type site struct {
	*reviewtest.Bench
	t       testing.TB
	desk    *fixture
	handler http.Handler
	log     *bytes.Buffer
}

func newSite(t testing.TB) *site {
	t.Helper()
	b := reviewtest.New(t, nil)
	s := &site{Bench: b, t: t, desk: &fixture{Desk: b.Desk, cases: map[casefile.CaseRef]review.CaseView{}}, log: &bytes.Buffer{}}
	s.serve(console.Options{Desk: s.desk, Access: b.Access, Now: b.Clock.Now, Queues: b.Rules.Queues()})
	return s
}

func (s *site) serve(o console.Options) {
	s.t.Helper()
	o.Log = slog.New(slog.NewJSONHandler(s.log, nil))
	h, err := console.New(o)
	require.NoError(s.t, err)
	s.handler = h
}

// visitor is a browser: it keeps cookies and sends its session's token with every form.
type visitor struct {
	s       *site
	cookies map[string]string
	who     access.Who
}

func (s *site) visitor() *visitor { return &visitor{s: s, cookies: map[string]string{}} }

// login makes a visitor with the session of a demo person.
func (s *site) login(login string) *visitor {
	s.t.Helper()
	v := s.visitor()
	code, err := s.Access.NewLoginLink(context.Background(), login)
	require.NoError(s.t, err)
	l, err := s.Access.UseLogin(context.Background(), code)
	require.NoError(s.t, err)
	v.cookies["docket_session"], v.who = l.Session, l.Who
	return v
}

// answer is what a visitor gets.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

func (v *visitor) send(r *http.Request) answer {
	v.s.t.Helper()
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	v.s.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
			continue
		}
		v.cookies[c.Name] = c.Value
	}
	return answer{t: v.s.t, status: w.Code, header: w.Header(), body: w.Body.String()}
}

func (v *visitor) get(address string) answer {
	v.s.t.Helper()
	return v.send(httptest.NewRequest(http.MethodGet, address, nil))
}

func formRequest(address string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// token is what the forms of the visitor's session carry.
func (v *visitor) token() string { return access.CSRF(v.cookies["docket_session"]) }

// post sends a form as a page of the visitor's own session does.
func (v *visitor) post(address string, form url.Values) answer {
	v.s.t.Helper()
	sent := url.Values{"csrf": {v.token()}}
	for name, values := range form {
		sent[name] = values
	}
	return v.send(formRequest(address, sent))
}

// follow opens the page that an answer sends the browser to.
func (v *visitor) follow(a answer) answer {
	v.s.t.Helper()
	require.Equal(v.s.t, http.StatusSeeOther, a.status, a.body)
	return v.get(a.header.Get("Location"))
}

// page is a parsed answer.
func (a answer) page() *html.Node {
	a.t.Helper()
	n, err := html.Parse(strings.NewReader(a.body))
	require.NoError(a.t, err)
	return n
}

func walk(n *html.Node, f func(*html.Node)) {
	f(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, f)
	}
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func attrOf(n *html.Node, name string) string {
	s, _ := attr(n, name)
	return s
}

// byID finds the element with an id; nil when there is none.
func byID(page *html.Node, id string) *html.Node {
	var found *html.Node
	walk(page, func(n *html.Node) {
		if attrOf(n, "id") == id {
			found = n
		}
	})
	return found
}

// textOf joins an element's text as a browser does.
func textOf(n *html.Node) string {
	var b strings.Builder
	walk(n, func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	})
	return b.String()
}

// formOf collects what a browser sends for a form: the fields in it, and those that name it. The
// id "" means the first form that the page's own part posts.
func formOf(page *html.Node, id string) url.Values {
	form := byID(page, id)
	if id == "" {
		form = nil
		walk(byID(page, "main"), func(n *html.Node) {
			if form == nil && n.DataAtom == atom.Form && attrOf(n, "method") == "post" {
				form = n
			}
		})
	}
	if form == nil {
		return nil
	}
	out := url.Values{}
	var collect func(n *html.Node, inside bool)
	collect = func(n *html.Node, inside bool) {
		inside = inside || n == form
		owner, named := attr(n, "form")
		name := attrOf(n, "name")
		if name != "" && (inside && !named || named && owner == id) {
			_, checked := attr(n, "checked")
			switch n.DataAtom {
			case atom.Input:
				switch attrOf(n, "type") {
				case "checkbox", "radio":
					if checked {
						value, ok := attr(n, "value")
						if !ok {
							value = "on"
						}
						out.Add(name, value)
					}
				default:
					out.Add(name, attrOf(n, "value"))
				}
			case atom.Textarea:
				out.Add(name, textOf(n))
			case atom.Select:
				chosen := ""
				walk(n, func(o *html.Node) {
					if _, selected := attr(o, "selected"); selected {
						chosen = attrOf(o, "value")
					}
				})
				out.Add(name, chosen)
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			collect(c, inside)
		}
	}
	collect(page, false)
	return out
}

// walkClass tells of every details element of a class whether it stands open.
func walkClass(page *html.Node, class string, f func(open bool)) {
	walk(page, func(n *html.Node) {
		if n.DataAtom == atom.Details && attrOf(n, "class") == class {
			_, open := attr(n, "open")
			f(open)
		}
	})
}

// seqsOf lists the first column of the table below a heading.
func seqsOf(a answer, heading string) []string {
	var out []string
	walk(byID(a.page(), heading).Parent, func(n *html.Node) {
		if attrOf(n, "data-label") == "No." {
			out = append(out, textOf(n))
		}
	})
	return out
}

// open reads sealed JSON of an account.
func (s *site) open(account casefile.AccountKey, kind evidence.Kind, address casefile.Address, v any) {
	s.t.Helper()
	data, err := s.Sealer.Open(context.Background(), account, kind, address)
	require.NoError(s.t, err)
	require.NoError(s.t, json.Unmarshal(data, v))
}

// refusals lists what was refused so far, newest last, as "verb code".
func (s *site) refusals() []string {
	s.t.Helper()
	var out []string
	for after := int64(0); ; {
		rows, next, err := s.Desk.Refusals(context.Background(), s.Who("auditor"), after, 200)
		require.NoError(s.t, err)
		for _, r := range rows {
			out = append(out, r.Verb+" "+string(r.Code))
		}
		if next == 0 {
			return out
		}
		after = next
	}
}
