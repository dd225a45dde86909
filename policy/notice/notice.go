// Package notice writes what the person concerned by a decision is told (Regulation (EU) 2022/2065,
// Article 17), from one template for each language (docs/formats/notice.md).
//
// The same Data gives the same bytes: number and date are part of it, so that a preview and the
// notice sent from the same Data are equal.
package notice

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// TemplateVersion names the wording. It is printed on every notice and grows with every change of
// a template.
const TemplateVersion = "docket-notice/1"

// Languages are those that notices are written in, the default first.
var Languages = []string{"en", "de"}

//go:embed templates/*.tmpl
var templateFiles embed.FS

// months are the names of the months by language, where Go's own do not do.
var months = map[string][]string{
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
}

// Data is everything that a notice says.
type Data struct {
	// Number is printed on the notice; random, chosen before the preview.
	Number string
	// Date is the day of the decision (UTC). Timed measures end so many days after it.
	Date time.Time
	Case casefile.CaseRef
	// Decision is not printed; "" while there is none yet.
	Decision string
	// Service is what the platform calls itself; "" writes "this service".
	Service string
	// Account is whom it concerns; its handle is printed, else its id, else nothing.
	Account   casefile.Account
	Judgement casefile.Judgement
	// DecidedBy is how the decision was settled; "" means as its action requires.
	DecidedBy casefile.DecidedBy
	// Posts are those relied on, Profile whether the account's profile was too.
	Posts   []Post
	Profile bool
	// DetectedBy says how the account came to attention; "" means by automated means.
	DetectedBy Detection
	// Complaints is where a complaint is made (an address or a link); "" says to answer the notice.
	Complaints string
	// Lang is one of Languages; "" means English.
	Lang string
}

// Post is a post relied on. Its words are quoted, shortened and stripped of what could be taken for
// the notice's own text.
type Post struct {
	ID   string
	At   time.Time
	Text string
}

// Detection says how an account came to attention.
type Detection string

// The ways of detection.
const (
	DetectedAutomatically Detection = "automated"
	DetectedByPerson      Detection = "person"
)

// Due reports whether a decision for the action sends a notice: every one but L0, and LX, whose
// notices go by the law that the order rests on.
func Due(a casefile.Action) bool { return a.Valid() && a != casefile.L0 && a != casefile.LX }

// Language chooses a notice's language by that of the account's posts: the supported one that more
// than half of the posts with a known language are in, else English.
func Language(posts []casefile.Event) string {
	counts, all := map[string]int{}, 0
	for _, p := range posts {
		tag, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(p.Lang), "_", "-"), "-")
		if tag == "" || tag == "und" {
			continue
		}
		counts[tag]++
		all++
	}
	for _, l := range Languages {
		if 2*counts[l] > all {
			return l
		}
	}
	return Languages[0]
}

// Render writes the notice. Errors are CodeInvalid and name the field; an action that sends no
// notice is one of them.
func Render(d Data) (casefile.Notice, error) {
	err := d.complete()
	if err != nil {
		return casefile.Notice{}, err
	}
	tmpl, err := parse(d.Lang)
	if err != nil {
		return casefile.Notice{}, err
	}
	var buf bytes.Buffer
	err = tmpl.Execute(&buf, newPage(d))
	if err != nil {
		return casefile.Notice{}, fmt.Errorf("write the notice: %w", err)
	}
	return casefile.Notice{Number: d.Number, Decision: d.Decision, Case: d.Case, Lang: d.Lang, Text: buf.String()}, nil
}

// complete fills the defaults in and checks what a notice cannot do without.
func (d *Data) complete() error {
	if d.Lang == "" {
		d.Lang = Languages[0]
	}
	if d.DetectedBy == "" {
		d.DetectedBy = DetectedAutomatically
	}
	if d.DecidedBy == "" {
		d.DecidedBy = casefile.ByOneOpinion
		if d.Judgement.Action.PeopleDue() > 1 {
			d.DecidedBy = casefile.ByTwoOpinions
		}
	}
	switch {
	case !slices.Contains(Languages, d.Lang):
		return casefile.Invalid("lang", "notices are written in %s", strings.Join(Languages, ", "))
	case d.Number == "" || quote(d.Number, 64) != d.Number:
		return casefile.Invalid("number", "required, in plain characters")
	case d.Date.IsZero():
		return casefile.Invalid("date", "required")
	case !Due(d.Judgement.Action):
		return casefile.Invalid("action", "%q sends no notice", d.Judgement.Action)
	case len(d.Judgement.Policies) == 0:
		return casefile.Invalid("policies", "at least one policy code is required")
	}
	for i, p := range d.Judgement.Policies {
		if !p.Valid() || p == casefile.VE00 {
			return casefile.Invalid(fmt.Sprintf("policies[%d]", i), "not a code of a violation")
		}
	}
	_, err := casefile.ParseCaseRef(string(d.Case))
	return err
}

// parse reads a language's template. A template that meets a code it has no words for fails.
func parse(lang string) (*template.Template, error) {
	funcs := template.FuncMap{
		"date":    func(t time.Time) string { return longDate(lang, t) },
		"unknown": func(x any) (string, error) { return "", fmt.Errorf("no words for %v", x) },
	}
	name := lang + ".tmpl"
	tmpl, err := template.New(name).Funcs(funcs).Option("missingkey=error").ParseFS(templateFiles, "templates/"+name)
	if err != nil {
		return nil, fmt.Errorf("read the template %s: %w", name, err)
	}
	return tmpl, nil
}

func longDate(lang string, t time.Time) string {
	t = t.UTC()
	names, ok := months[lang]
	if !ok {
		return t.Format("2 January 2006")
	}
	return fmt.Sprintf("%d. %s %d", t.Day(), names[t.Month()-1], t.Year())
}

// page is what a template sees.
type page struct {
	Data
	Account    string
	Service    string
	Complaints string
	Template   string
	Action     casefile.Action
	Days       int
	End        time.Time
	Policies   []casefile.PolicyCode
	Posts      []Post
	// Found are the mitigations that were found to apply, M8 left out: it is no purpose of the
	// content, and telling it would say something of the person. Assessed is false where nobody
	// answered them.
	Found    []casefile.Mitigation
	Assessed bool
}

func newPage(d Data) page {
	p := page{
		Data: d, Service: quote(d.Service, 80), Complaints: quote(d.Complaints, 300), Template: TemplateVersion,
		Action: d.Judgement.Action, Days: d.Judgement.Days, Policies: d.Judgement.Policies,
		End: d.Date.UTC().AddDate(0, 0, d.Judgement.Days), Assessed: true,
	}
	p.Account = quote(d.Account.ID, 64)
	handle := quote(d.Account.Handle, 64)
	if handle != "" { // a handle of nothing but spaces names nobody
		p.Account = handle
	}
	for _, post := range d.Posts {
		p.Posts = append(p.Posts, Post{ID: quote(post.ID, 200), At: post.At, Text: quote(post.Text, 200)})
	}
	for _, m := range casefile.Mitigations {
		switch {
		case d.Judgement.Mitigations[m] == casefile.AnswerNotAssessed:
			p.Assessed = false
		case m != casefile.M8 && d.Judgement.Mitigations[m] == casefile.AnswerYes:
			p.Found = append(p.Found, m)
		}
	}
	return p
}
