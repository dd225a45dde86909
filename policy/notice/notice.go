// Package notice writes what the person concerned by a decision is told (Regulation (EU) 2022/2065,
// Article 17), and what they are told of their complaint against it (Article 20(5)), from one template
// each for each language (docs/formats/notice.md).
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
const TemplateVersion = "docket-notice/2"

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
	// DecidedBy is how the decision was settled; "" means as its action requires. For one opinion, and
	// one that a second person may or may not be asked about, the notice says "people": it is written
	// before that is known.
	DecidedBy casefile.DecidedBy
	// Rule names the automatic rule; required for casefile.ByAutomation, and only there.
	Rule string
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
	text, err := write(d.Lang, d.Lang+".tmpl", newPage(d))
	if err != nil {
		return casefile.Notice{}, err
	}
	return casefile.Notice{Number: d.Number, Decision: d.Decision, Case: d.Case, Lang: d.Lang, Text: text}, nil
}

// write executes one template of a language.
func write(lang, name string, page any) (string, error) {
	tmpl, err := parse(lang)
	if err != nil {
		return "", err
	}
	var buf bytes.Buffer
	err = tmpl.ExecuteTemplate(&buf, name, page)
	if err != nil {
		return "", fmt.Errorf("write the notice: %w", err)
	}
	return buf.String(), nil
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
	automatic := d.DecidedBy == casefile.ByAutomation
	switch {
	case automatic != (d.Rule != "") || quote(d.Rule, 64) != d.Rule:
		return casefile.Invalid("rule", "required for an automatic decision, and only there, in plain characters")
	case d.DecidedBy == casefile.ByEmergency && d.Judgement.Action != casefile.L5:
		return casefile.Invalid("decided_by", "an emergency order is a suspension (L5)")
	}
	return checkHead(d.Lang, d.Number, d.Date, d.Case, d.Judgement)
}

// checkHead checks what no notice can do without.
func checkHead(lang, number string, date time.Time, ref casefile.CaseRef, j casefile.Judgement) error {
	switch {
	case !slices.Contains(Languages, lang):
		return casefile.Invalid("lang", "notices are written in %s", strings.Join(Languages, ", "))
	case !plain(number):
		return casefile.Invalid("number", "required, in plain characters")
	case date.IsZero():
		return casefile.Invalid("date", "required")
	case !Due(j.Action):
		return casefile.Invalid("action", "%q sends no notice", j.Action)
	case len(j.Policies) == 0:
		return casefile.Invalid("policies", "at least one policy code is required")
	}
	for i, p := range j.Policies {
		if !p.Valid() || p == casefile.VE00 {
			return casefile.Invalid(fmt.Sprintf("policies[%d]", i), "not a code of a violation")
		}
	}
	_, err := casefile.ParseCaseRef(string(ref))
	return err
}

// plain reports whether a number can be printed as it is.
func plain(number string) bool { return number != "" && quote(number, 64) == number }

// complainUntil is until when a decision of a day can at least be complained about: the window runs
// from the day on which the person was told, which is no sooner (Regulation (EU) 2022/2065, Article
// 20(1)).
func complainUntil(decided time.Time) time.Time { return decided.UTC().Add(casefile.AppealWindow) }

// parse reads a language's templates. A template that meets a code it has no words for fails.
func parse(lang string) (*template.Template, error) {
	funcs := template.FuncMap{
		"date":    func(t time.Time) string { return longDate(lang, t) },
		"unknown": func(x any) (string, error) { return "", fmt.Errorf("no words for %v", x) },
	}
	name := lang + ".tmpl"
	tmpl, err := template.New(name).Funcs(funcs).Option("missingkey=error").ParseFS(templateFiles, "templates/"+name, "templates/ruling."+name)
	if err != nil {
		return nil, fmt.Errorf("read the templates of %s: %w", lang, err)
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
	// ComplainUntil is until when a complaint can be made at least.
	ComplainUntil time.Time
	Policies      []casefile.PolicyCode
	Posts         []Post
	weighed
}

// weighed says what became of the mitigations.
type weighed struct {
	// Found are the mitigations that were found to apply, M8 left out: it is no purpose of the
	// content, and telling it would say something of the person. Assessed is false where nobody
	// answered them.
	Found    []casefile.Mitigation
	Assessed bool
}

func weigh(j casefile.Judgement) weighed {
	w := weighed{Assessed: true}
	for _, m := range casefile.Mitigations {
		switch {
		case j.Mitigations[m] == casefile.AnswerNotAssessed:
			w.Assessed = false
		case m != casefile.M8 && j.Mitigations[m] == casefile.AnswerYes:
			w.Found = append(w.Found, m)
		}
	}
	return w
}

// nameOf is how a notice names an account, "" for one of which nothing is known.
func nameOf(a casefile.Account) string {
	handle := quote(a.Handle, 64)
	if handle != "" { // a handle of nothing but spaces names nobody
		return handle
	}
	return quote(a.ID, 64)
}

func newPage(d Data) page {
	p := page{
		Data: d, Account: nameOf(d.Account), Service: quote(d.Service, 80), Complaints: quote(d.Complaints, 300), Template: TemplateVersion,
		Action: d.Judgement.Action, Days: d.Judgement.Days, Policies: d.Judgement.Policies,
		End: d.Date.UTC().AddDate(0, 0, d.Judgement.Days), ComplainUntil: complainUntil(d.Date), weighed: weigh(d.Judgement),
	}
	for _, post := range d.Posts {
		p.Posts = append(p.Posts, Post{ID: quote(post.ID, 200), At: post.At, Text: quote(post.Text, 200)})
	}
	return p
}
