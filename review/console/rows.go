package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docket-triage/docket/access"
	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review"
)

// caseRows is a list of cases as a table shows it.
type caseRows struct {
	sheet
	Cases   []review.CaseRow
	Handles bool   // the person may see whose case it is
	Queues  bool   // cases of several queues stand together
	Purpose string // for which the links open a case; "" asks
}

// rowsOf makes the table of a page: of "held" cases, of "handed" ones, of one "queue", or of what was "find".
func rowsOf(s sheet, cases []review.CaseRow, kind string) caseRows {
	r := caseRows{sheet: s, Cases: cases, Queues: kind != "queue"}
	if s.Who != nil {
		r.Handles = s.Who.May(access.CaseClaim)
		if (kind == "held" || kind == "handed") && mustChoose(*s.Who) {
			r.Purpose = string(access.PurposeReview)
		}
	}
	return r
}

// lookedAt reports whether a row tells that somebody has held its case: its state says so, or what only
// a holder does was done. One that was given back looks like one that nobody took, as it is meant to.
func lookedAt(c review.CaseRow) bool {
	switch c.State {
	case casefile.StateClaimed, casefile.StateDecided, casefile.StateProven, casefile.StateClosed:
		return true
	}
	return c.SnoozedUntil != nil || c.AssignedTo != "" || c.Stage == casefile.StageAdjudication
}

// isDecided reports whether a row tells that its case is decided.
func isDecided(c review.CaseRow) bool {
	return c.State == casefile.StateDecided || c.State == casefile.StateProven || c.State == casefile.StateClosed
}

// missed reports whether a deadline of a row's case was missed, whatever was done since.
func missed(c review.CaseRow, k casefile.DeadlineKind) bool { return slices.Contains(c.Missed, k) }

// Made is when the page was made.
func (c Clock) Made() time.Time { return c.v.now }

// fieldMessages are what is wrong with one field.
type fieldMessages struct {
	Key      string
	Messages []string
}

func messagesOf(errors map[string][]string, key string) fieldMessages {
	return fieldMessages{Key: key, Messages: errors[key]}
}

func actionName(a casefile.Action) string {
	step, ok := policy.LookupStep(a)
	if !ok {
		return ""
	}
	return step.Name
}

// mitigationsOf says in one line which mitigations were answered yes.
func mitigationsOf(j casefile.Judgement) string {
	var yes, open []string
	for _, m := range casefile.Mitigations {
		switch j.Mitigations[m] {
		case casefile.AnswerYes:
			yes = append(yes, string(m))
		case casefile.AnswerNo:
		default:
			open = append(open, string(m))
		}
	}
	out := "all eight answered no"
	if len(yes) > 0 {
		out = "yes: " + strings.Join(yes, ", ")
		if rest := len(casefile.Mitigations) - len(yes) - len(open); rest > 0 {
			out += fmt.Sprintf("; no: the other %d", rest)
		}
	}
	if len(open) > 0 {
		out += "; not assessed: " + strings.Join(open, ", ")
	}
	return out
}

// maxTerms is how many different terms of a rule a page names.
const maxTerms = 20

// termsOf lists the different terms that a rule matched.
func termsOf(r casefile.Reason) []string {
	var out []string
	for _, m := range r.Terms {
		if m.Term == "" || slices.Contains(out, m.Term) {
			continue
		}
		if len(out) == maxTerms {
			return append(out, "…")
		}
		out = append(out, m.Term)
	}
	return out
}
