package notice

import (
	"fmt"
	"slices"
	"time"

	"github.com/docket-triage/docket/casefile"
)

// RulingData is everything that the notice of an appeal's outcome says.
type RulingData struct {
	// Number is printed on the notice; random, and another than the decision's.
	Number string
	// Date is the day of the ruling (UTC).
	Date time.Time
	Case casefile.CaseRef
	// Decision is not printed.
	Decision string
	Kind     casefile.AppealKind
	// State says what became of the decision: AppealRejected (it stands), AppealUpheld (everything is
	// being taken back), AppealReinstated (everything was) or AppealIncomplete (NotTakenBack could not
	// be). A ruling's outcome is a state of the same name.
	State casefile.AppealState
	// NotTakenBack is what could not be taken back; set for AppealIncomplete, and only there.
	NotTakenBack []casefile.ActKind
	// About is the number on the notice of the decision, DecidedAt the day printed on it.
	About     string
	DecidedAt time.Time
	// ComplainedAt is the day of the complaint; zero leaves it out.
	ComplainedAt time.Time
	// Service is what the platform calls itself; "" writes "this service".
	Service string
	// Account is whom it concerns; its handle is printed, else its id, else nothing.
	Account casefile.Account
	// Judgement is that of the decision. A rejection gives its codes and what was found of mitigations
	// as reasons, by template: nobody's own words.
	Judgement casefile.Judgement
	// Complaints is where the person writes to (an address or a link); "" says to answer the notice.
	Complaints string
	// Lang is one of Languages; "" means English.
	Lang string
}

// rulingStates are the states that a notice has words for.
var rulingStates = []casefile.AppealState{casefile.AppealRejected, casefile.AppealUpheld, casefile.AppealReinstated, casefile.AppealIncomplete}

// undoable are the kinds of act that a notice has words for.
var undoable = []casefile.ActKind{
	casefile.ActWarn, casefile.ActLabel, casefile.ActLimit, casefile.ActRemovePost, casefile.ActSuspend, casefile.ActTerminate, casefile.ActBlockIdentifiers,
}

// RenderRuling writes the notice of an appeal's outcome: for a rejection with its reasons and what
// remains to be done (Regulation (EU) 2022/2065, Articles 20(5) and 21; Regulation (EU) 2021/784,
// Article 10(2)), for an upheld appeal with what was taken back. The same data gives the same bytes.
// Errors are CodeInvalid and name the field.
func RenderRuling(d RulingData) (casefile.Notice, error) {
	if d.Lang == "" {
		d.Lang = Languages[0]
	}
	err := d.check()
	if err != nil {
		return casefile.Notice{}, err
	}
	text, err := write(d.Lang, "ruling."+d.Lang+".tmpl", newRulingPage(d))
	if err != nil {
		return casefile.Notice{}, err
	}
	return casefile.Notice{Number: d.Number, Decision: d.Decision, Case: d.Case, Lang: d.Lang, Text: text}, nil
}

func (d RulingData) check() error {
	switch {
	case !d.Kind.Valid():
		return casefile.Invalid("kind", "not a kind of appeal")
	case d.Kind == casefile.AppealEmergency && d.Judgement.Action != casefile.L5:
		return casefile.Invalid("action", "an emergency order is a suspension (L5)")
	case !slices.Contains(rulingStates, d.State):
		return casefile.Invalid("state", "%q is no outcome to tell", d.State)
	case (d.State == casefile.AppealIncomplete) != (len(d.NotTakenBack) > 0):
		return casefile.Invalid("not_taken_back", "required where something could not be taken back, and only there")
	case !plain(d.About) || d.About == d.Number:
		return casefile.Invalid("about", "required, in plain characters: the number of the decision's notice")
	case d.DecidedAt.IsZero():
		return casefile.Invalid("decided_at", "required")
	}
	for i, k := range d.NotTakenBack {
		if !slices.Contains(undoable, k) || slices.Contains(d.NotTakenBack[:i], k) {
			return casefile.Invalid(fmt.Sprintf("not_taken_back[%d]", i), "must be a kind of act, each once")
		}
	}
	return checkHead(d.Lang, d.Number, d.Date, d.Case, d.Judgement)
}

// rulingPage is what a ruling's template sees.
type rulingPage struct {
	RulingData
	Account       string
	Service       string
	Complaints    string
	Template      string
	Review        bool // of an emergency order, without a complaint
	Action        casefile.Action
	End           time.Time
	ComplainUntil time.Time
	Policies      []casefile.PolicyCode
	weighed
}

func newRulingPage(d RulingData) rulingPage {
	return rulingPage{
		RulingData: d, Account: nameOf(d.Account), Service: quote(d.Service, 80), Complaints: quote(d.Complaints, 300), Template: TemplateVersion,
		Review: d.Kind == casefile.AppealEmergency, Action: d.Judgement.Action, Policies: d.Judgement.Policies,
		End: d.DecidedAt.UTC().AddDate(0, 0, d.Judgement.Days), ComplainUntil: complainUntil(d.DecidedAt), weighed: weigh(d.Judgement),
	}
}
