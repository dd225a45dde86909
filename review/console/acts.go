package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/records"
	"github.com/docket-triage/docket/review"
)

// actStages are the stages of an act that has not come to a good end, in the order of the page's links.
var actStages = []records.ActStage{records.ActWaiting, records.ActRetrying, records.ActUncertain, records.ActFailed}

// actsPage lists acts that have not come to a good end, and says what is paused.
type actsPage struct {
	Stage     records.ActStage
	Platform  string
	Stages    []records.ActStage
	Acts      []review.PendingActView
	Next      string              // address of the next page
	Switches  []review.SwitchView // of acts, every platform's first
	Platforms []string            // known from switches and acts, to choose from
	Cases     bool                // the person opens cases
	Settles   bool
	// Form is a pause or a resumption that was not taken.
	Form    switchForm
	Faults  []faultLink
	Errors  map[string][]string
	Message string
}

// switchForm is a word on a switch as it was sent.
type switchForm struct {
	Platform string
	Reason   string
	// Verb is "pause" or "resume", of the form that was refused; "" for none.
	Verb string
}

func readSwitchForm(v url.Values) switchForm {
	return switchForm{Platform: word(v, "platform"), Reason: text(v, "reason")}
}

const pageOfActs = 100

func (v *visit) acts() error {
	q := v.r.URL.Query()
	p := actsPage{Stage: records.ActStage(word(q, "stage")), Platform: word(q, "platform")}
	return v.showActs(http.StatusOK, p)
}

// showActs fills the page and shows it. A filter that makes no sense is said to be none.
func (v *visit) showActs(status int, p actsPage) error {
	p.Stages = actStages
	page, err := v.desk().PendingActs(v.ctx(), v.who, p.Platform, p.Stage, v.r.URL.Query().Get("cursor"), pageOfActs)
	if err != nil {
		return err
	}
	p.Acts = page.Acts
	if page.Next != "" {
		p.Next = "/acts?" + url.Values{"stage": {string(p.Stage)}, "platform": {p.Platform}, "cursor": {page.Next}}.Encode()
	}
	switches, err := v.desk().Switches(v.ctx(), v.who)
	if err != nil {
		return err
	}
	v.learn(switches.Names)
	know := func(platform string) {
		if platform != "" && !slices.Contains(p.Platforms, platform) {
			p.Platforms = append(p.Platforms, platform)
		}
	}
	for _, s := range switches.Switches {
		if s.Name == records.SwitchActs || strings.HasPrefix(s.Name, records.SwitchActs+"/") {
			p.Switches = append(p.Switches, s)
			know(s.Platform)
		}
	}
	for _, a := range p.Acts {
		know(a.Platform)
	}
	slices.Sort(p.Platforms)
	p.Cases, p.Settles = v.who.May(access.CaseRead), v.who.May(access.ActSettle)
	return v.render(status, "acts", "Acts", p)
}

// backToActs is where the address of an answered form leads when it is loaded anew.
func (v *visit) backToActs() error {
	if !slices.Contains([]string{"pause", "resume"}, v.r.PathValue("verb")) {
		return casefile.Errorf(casefile.CodeNotFound, "there is no such page")
	}
	return v.redirect("/acts")
}

func (v *visit) pause() error {
	f := readSwitchForm(v.r.PostForm)
	f.Verb = "pause"
	a, err := v.desk().PauseActs(v.ctx(), v.who, f.Platform, f.Reason)
	return v.switched(f, a, err, flashPaused)
}

func (v *visit) resume() error {
	f := readSwitchForm(v.r.PostForm)
	f.Verb = "resume"
	a, err := v.desk().ResumeActs(v.ctx(), v.who, f.Platform, f.Reason)
	return v.switched(f, a, err, flashResumed)
}

// switched answers for a pause or a resumption: with how many acts wait, or with the page and what was
// entered.
func (v *visit) switched(f switchForm, a review.SwitchAnswer, err error, kind string) error {
	if err == nil {
		if kind == flashResumed && len(a.Paused) > 0 {
			kind = flashStillPaused
		}
		v.putFlash(Flash{Kind: kind, Name: a.Switch.Platform, Count: a.Waiting})
		return v.redirect("/acts")
	}
	faults := review.FaultsOf(err)
	if len(faults) == 0 {
		return err
	}
	err = v.refuse(err)
	if casefile.ErrorCode(err) == casefile.CodeUnavailable {
		return err
	}
	p := actsPage{Form: f}
	p.Faults, p.Errors = faultLinks(faults)
	// There is a form for each of the two: a fault stands at the field of the one that was sent.
	for i := range p.Faults {
		p.Faults[i].Target = f.Verb + "-" + p.Faults[i].Target
	}
	return v.showActs(review.HTTPStatus(err), p)
}

// settleForm is what a person says of an uncertain act, as it was sent.
type settleForm struct {
	Decision  string
	Number    int
	Direction string
	Looked    string // at what
	Saw       string
	Outcome   string // "done" or "not_done"
	Key       string
	Back      string // the case from whose page they came; "" for the page of acts
}

func readSettleForm(v url.Values) settleForm {
	return settleForm{
		Decision: word(v, "decision"), Number: number(v, "number"), Direction: word(v, "direction"), Looked: text(v, "looked"), Saw: text(v, "saw"),
		Outcome: word(v, "outcome"), Key: word(v, "key"), Back: word(v, "back"),
	}
}

// The outcomes that a form names.
const (
	actHappened = "done"
	actDidNot   = "not_done"
)

// reason joins what a person looked at with what they saw.
func (f settleForm) reason() string { return "Looked at: " + f.Looked + "\nSaw: " + f.Saw }

// faults are those that only the form as sent can show: both words are needed, and neither outcome is
// chosen beforehand.
func (f settleForm) faults() casefile.Faults {
	var out casefile.Faults
	if strings.TrimSpace(f.Looked) == "" {
		out = append(out, casefile.Invalid("looked", "say what you looked at on the platform"))
	}
	if strings.TrimSpace(f.Saw) == "" {
		out = append(out, casefile.Invalid("saw", "say what you saw there"))
	}
	if f.Outcome != actHappened && f.Outcome != actDidNot {
		out = append(out, casefile.Invalid("outcome", "say whether it happened"))
	}
	return out
}

type settlePage struct {
	Form    settleForm
	Act     *review.PendingActView // nil where it is not uncertain any more
	Faults  []faultLink
	Errors  map[string][]string
	Message string
}

// settleForm asks what a person saw of an uncertain act.
func (v *visit) settleForm() error {
	return v.showSettle(http.StatusOK, readSettleForm(v.r.URL.Query()), nil, "")
}

func (v *visit) showSettle(status int, f settleForm, faults []review.Fault, message string) error {
	if f.Key == "" {
		f.Key = casefile.NewID()
	}
	p := settlePage{Form: f, Message: message}
	p.Faults, p.Errors = faultLinks(faults)
	var err error
	p.Act, err = v.uncertain(f)
	if err != nil {
		return err
	}
	return v.render(status, "settle", "Settle an act", p)
}

// uncertain finds the act that a form is about among those that nobody has settled.
func (v *visit) uncertain(f settleForm) (*review.PendingActView, error) {
	if !v.who.May(access.ActList) {
		return nil, nil
	}
	for cursor := ""; ; {
		page, err := v.desk().PendingActs(v.ctx(), v.who, "", records.ActUncertain, cursor, pageOfActs)
		if err != nil {
			return nil, err
		}
		for i, a := range page.Acts {
			if a.Decision == f.Decision && a.Number == f.Number && string(a.Direction) == f.Direction {
				return &page.Acts[i], nil
			}
		}
		if page.Next == "" {
			return nil, nil
		}
		cursor = page.Next
	}
}

// settle puts on record how an uncertain act ended.
func (v *visit) settle() error {
	f := readSettleForm(v.r.PostForm)
	err := f.faults().Err()
	if err == nil {
		_, err = v.desk().Settle(v.ctx(), v.who, review.SettleCall{
			Decision: f.Decision, Number: f.Number, Direction: casefile.Direction(f.Direction), Done: f.Outcome == actHappened, Reason: f.reason(), Key: f.Key,
		})
	}
	switch casefile.ErrorCode(err) {
	case "":
		v.putFlash(Flash{Kind: flashSettled, Count: f.Number})
		back, parseErr := casefile.ParseCaseRef(f.Back)
		if parseErr == nil {
			return v.redirect(v.casePath(back))
		}
		return v.redirect("/acts")
	case casefile.CodeUnavailable, casefile.CodeInternal:
		return err // the page of the error sends the very same again
	}
	faults := review.FaultsOf(err)
	for i := range faults {
		if faults[i].Field == "reason" { // the two together
			faults[i].Field = "saw"
		}
	}
	message := ""
	if len(faults) == 0 {
		message = messageOf(err)
	}
	refusal := v.refuse(err)
	if casefile.ErrorCode(refusal) == casefile.CodeUnavailable {
		return refusal
	}
	return v.showSettle(review.HTTPStatus(err), f, faults, message)
}

// settlePath is the address at which an uncertain act is settled.
func settlePath(a review.ActView, back casefile.CaseRef) string {
	q := url.Values{"decision": {a.Decision}, "number": {strconv.Itoa(a.Number)}, "direction": {string(a.Direction)}}
	if back != "" {
		q.Set("back", string(back))
	}
	return "/acts/settle?" + q.Encode()
}
