package console

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// sheet is what every template is given: the frame of the page and, in Data, the page itself.
type sheet struct {
	Page     string // of the table
	Title    string
	Who      *access.Who // nil without a session
	CSRF     string
	Now      Clock
	Settings Settings
	Flash    *Flash
	Banner   banner
	// Names are those of the staff on this page whose name the person sees.
	Names map[casefile.Person]string
	// Here is the page's own address without a query, for forms that come back to it; "" where a
	// form's answer is shown.
	Here string
	Data any
}

// Clock gives the templates the one moment at which the page is made.
type Clock struct{ v *visit }

// Until says how far away a moment is.
func (c Clock) Until(at any) (Until, error) {
	t, ok := moment(at)
	if !ok {
		return Until{}, fmt.Errorf("not a moment: %T", at)
	}
	return until(c.v.now, t), nil
}

// Since says how long ago a moment was.
func (c Clock) Since(at any) (Until, error) {
	t, ok := moment(at)
	if !ok {
		return Until{}, fmt.Errorf("not a moment: %T", at)
	}
	return since(c.v.now, t), nil
}

// May reports whether the person holds a permission, for what a page offers.
func (s sheet) May(p string) bool { return s.Who != nil && s.Who.May(access.Permission(p)) }

// With is the sheet around another part of the page.
func (s sheet) With(data any) sheet {
	s.Data = data
	return s
}

// Person writes a staff member as the reader knows them: "you", the name, or the pseudonym.
func (s sheet) Person(p casefile.Person) string {
	switch {
	case p == "":
		return "automatic"
	case s.Who != nil && p == s.Who.Person:
		return "you"
	case s.Names[p] != "":
		return s.Names[p]
	}
	return string(p)
}

// render answers with a page. It is made whole before a byte is sent.
func (v *visit) render(status int, name, title string, data any) error {
	s := sheet{Page: v.page.Name, Title: title, Now: Clock{v}, Settings: v.settingsNow(), Data: data}
	if v.session != "" {
		s.Who, s.CSRF = &v.who, access.CSRF(v.session)
		s.Flash = v.takeFlash()
		s.Banner = v.banner()
		s.Names = v.names
	}
	if v.r.Method == http.MethodGet {
		s.Here = v.r.URL.Path
	}
	t := v.console.templates[name]
	if t == nil {
		return fmt.Errorf("show page: no template %q", name)
	}
	var b bytes.Buffer
	err := t.ExecuteTemplate(&b, "frame", s)
	if err != nil {
		return fmt.Errorf("show page: %w", err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.status = status
	v.w.WriteHeader(status)
	_, _ = b.WriteTo(v.w) // the browser is gone: nobody is left to tell
	return nil
}

// redirect sends the browser to a page of the console after a form was taken.
func (v *visit) redirect(to string) error {
	v.status = http.StatusSeeOther
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// messageOf is what a person is told of an error. The text of an internal one stays in the log.
func messageOf(err error) string {
	var unknown *review.Unknown
	if errors.As(err, &unknown) {
		return "Whether this took effect is not known, because part of the system did not answer in time. Send it again: it counts once."
	}
	var e *casefile.Error
	if casefile.ErrorCode(err) != casefile.CodeInternal && errors.As(err, &e) && e.Message != "" {
		return sentence(e.Message)
	}
	return "Something went wrong here. It is in the log; nothing you entered was used."
}

// sentence makes a message one: its first letter large, a full stop at its end.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "?") {
		s += "."
	}
	return s
}

// refuse puts a refusal on record before it is answered. The error returned is the one to answer
// with: another when the record could not be written.
func (v *visit) refuse(err error) error {
	v.err = err
	failed := v.desk().Refuse(v.ctx(), review.Refusal{Person: v.who.Person, Case: v.ref(), Verb: v.page.Name, Err: err})
	if failed != nil {
		v.err = failed
		return failed
	}
	return err
}

// faultPage is the page of a request that was refused or failed.
type faultPage struct {
	Status  int
	Message string
	Case    casefile.CaseRef // "" when the address names none
	// Path and Fields send the same form again; Path is "" where that makes no sense.
	Path   string
	Fields []field
	// Written are the words that the person had entered, to be kept.
	Written []written
	// Glass offers to break the glass of the case.
	Glass bool
}

// written are words that somebody entered in a field.
type written struct{ Label, Text string }

// wordFields are the fields in which people write at length.
var wordFields = []string{"rationale", "comment", "reason", "looked", "saw"}

// writtenIn lists the words in a form.
func writtenIn(form url.Values) []written {
	var out []written
	for _, name := range wordFields {
		if s := text(form, name); strings.TrimSpace(s) != "" {
			out = append(out, written{fieldLabels[name], s})
		}
	}
	return out
}

// fail answers a request that came to an error. The draft of an opinion, if the request carried
// one, goes with the answer.
func (v *visit) fail(err error) {
	err = v.refuse(err)
	p := faultPage{Status: review.HTTPStatus(err), Message: messageOf(err)}
	ref, parseErr := casefile.ParseCaseRef(string(v.ref()))
	if parseErr == nil {
		p.Case = ref
	}
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusGatewayTimeout {
		v.w.Header().Set("Retry-After", "5")
	}
	p.Glass = p.Case != "" && p.Status == http.StatusForbidden && v.page.Name == "console.case" && v.who.May(access.GlassBreak)
	// readForm fills PostForm only for forms that did not come from another site.
	if v.session != "" && len(v.r.PostForm) > 0 {
		p.Written = writtenIn(v.r.PostForm)
		if p.Status >= http.StatusInternalServerError || len(p.Written) > 0 || carriesDraft(v.r.PostForm) {
			p.Path, p.Fields = v.r.URL.Path, sentAgain(v.r.PostForm)
		}
	}
	if p.Status == http.StatusUnauthorized {
		login := loginPage{Refused: v.page.Name == "console.login"}
		if v.r.Method == http.MethodGet && v.page.Permission != "" {
			login.Again = v.r.URL.Path
		}
		err = v.render(p.Status, "login", "Log in", login)
	} else {
		err = v.render(p.Status, "fault", http.StatusText(p.Status), p)
	}
	if err != nil {
		v.status, v.err = http.StatusInternalServerError, err
		http.Error(v.w, "This page could not be shown.", http.StatusInternalServerError)
	}
}

// sentAgain lists the fields of a form in a fixed order, but for the session's own.
func sentAgain(form url.Values) []field {
	var out []field
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if name == "csrf" {
			continue
		}
		for _, value := range form[name] {
			out = append(out, field{name, clean(value)})
		}
	}
	return out
}

// sharedTemplates are the frame and the parts of pages: of every page, and of those that show a case.
var sharedTemplates = []string{"templates/frame.html", "templates/parts.html", "templates/casefile.html"}

// parseTemplates reads the frame and the parts once, and lays each page's own templates over a copy.
func parseTemplates(static map[string]asset) (map[string]*template.Template, error) {
	funcs := template.FuncMap{
		"asset": func(name string) (string, error) {
			for p := range static {
				if path.Base(p) == name {
					return p, nil
				}
			}
			return "", fmt.Errorf("no file %q", name)
		},
		"pieces": Pieces,
		"words":  func(s string) []Piece { return Pieces(s, nil) },
		"stamp":  func(at any) (string, error) { return formatMoment(at, stamp) },
		"machine": func(at any) (string, error) {
			return formatMoment(at, machineTime)
		},
		"number": formatFloat, "count": countOf, "langOf": langOf, "rely": relyValue, "pairs": pairs, "join": joinCodes,
		"title": findingTitle, "states": stateWords,
		"decisionWords": decisionWords, "actWords": actWords, "short": short, "sizeOf": sizeOf,
		"deadlineWords": deadlineWords, "referralWords": referralWords, "actStateWords": actStateWords, "stageWords": stageWords,
		"codeWords": codeWords, "decidedByWords": decidedByWords, "appealWords": appealWords, "appealKind": appealKindWords,
		"purposeWords": purposeWords, "ageOf": ageOf, "settlePath": settlePath,
		"labelOf": valueLabel, "rows": rowsOf, "messages": messagesOf, "actionName": actionName, "mitigationsOf": mitigationsOf,
		"termsOf": termsOf, "tally": tally, "lookedAt": lookedAt, "isDecided": isDecided, "missed": missed, "momentOf": momentOf, "refusalWords": refusalWords, "totalOf": totalOf, "liveStrikes": liveStrikes,
	}
	frame, err := template.New("").Funcs(funcs).ParseFS(files, sharedTemplates...)
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	entries, err := files.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	out := map[string]*template.Template{}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".html")
		if slices.Contains(sharedTemplates, "templates/"+e.Name()) {
			continue
		}
		t, err := frame.Clone()
		if err != nil {
			return nil, fmt.Errorf("read template %s: %w", name, err)
		}
		out[name], err = t.ParseFS(files, "templates/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read template %s: %w", name, err)
		}
	}
	return out, nil
}

// langTag is the shape of a language that a page may repeat in an attribute.
var langTag = regexp.MustCompile(`^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,2}$`)

// langOf gives the language that a post says it is in; "" unless it has the shape of one.
func langOf(s string) string {
	if s == "und" || !langTag.MatchString(s) {
		return ""
	}
	return s
}

func formatFloat(f any) string {
	var x float64
	switch n := f.(type) {
	case float64:
		x = n
	case *float64:
		x = *n
	}
	if x == float64(int64(x)) {
		return strconv.FormatInt(int64(x), 10)
	}
	// Without the zeros at the end, so that equal numbers read the same wherever they stand.
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(x, 'f', 3, 64), "0"), ".")
}
