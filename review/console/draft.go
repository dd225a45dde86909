package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// Draft is an opinion form as it was sent, so that a page can show it again whatever is wrong with it.
type Draft struct {
	Action      string
	Days        string
	Policies    []string
	Primary     string // the policy code that the action rests on, where several are ticked
	EntityTier  string
	Mitigations map[string]string // by "M1" to "M8"
	Relied      []string
	Rationale   string
	Comment     string // a comment begun beside the opinion
	// Next says to open the queue's next case afterwards.
	Next bool
	// Claim and Evidence are the numbers that the person had before their eyes.
	Claim    int
	Evidence int
	Preview  string // token of the preview confirmed
	Key      string // idempotency key of the opinion
	Purpose  string // for which the case is open
}

// readDraft reads a form. It never fails: what cannot be understood is kept as it was sent, and
// Form says what is wrong.
func readDraft(v url.Values) Draft {
	d := Draft{
		Action: word(v, "action"), Days: word(v, "days"), Primary: word(v, "primary"), EntityTier: word(v, "entity_tier"),
		Policies: words(v, "policies"), Relied: relied(v), Mitigations: map[string]string{},
		Rationale: text(v, "rationale"), Comment: text(v, "comment"), Next: v.Get("next") != "",
		Claim: number(v, "claim"), Evidence: number(v, "evidence"), Preview: word(v, "preview"), Key: word(v, "key"),
		Purpose: word(v, "purpose"),
	}
	for _, m := range casefile.Mitigations {
		if a := word(v, string(m)); a != "" {
			d.Mitigations[string(m)] = a
		}
	}
	return d
}

// word reads a single value that no person types at length. Cleaned first: a dropped character may
// have stood between a space and the end.
func word(v url.Values, name string) string { return strings.TrimSpace(clean(v.Get(name))) }

// words reads all values of a name, each once.
func words(v url.Values, name string) []string {
	var out []string
	for _, s := range v[name] {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// text reads what a person wrote; browsers send every line's end as two characters.
func text(v url.Values, name string) string {
	return clean(strings.ReplaceAll(v.Get(name), "\r\n", "\n"))
}

// clean drops what nobody can type and no page can give back.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.Map(func(r rune) rune {
		if r == 0 || r == '\r' {
			return -1
		}
		return r
	}, s)
}

func number(v url.Values, name string) int {
	n, err := strconv.Atoi(v.Get(name))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// Form makes the opinion of a draft, with the faults that only the form as sent can show.
func (d Draft) Form() (casefile.OpinionForm, []review.Fault) {
	var faults []review.Fault
	f := casefile.OpinionForm{
		Judgement: casefile.Judgement{
			Action: casefile.Action(d.Action), EntityTier: casefile.EntityTier(d.EntityTier),
			Mitigations: map[casefile.Mitigation]casefile.Answer{},
		},
		Rationale: d.Rationale, Relied: d.Relied,
	}
	if d.Days != "" {
		n, err := strconv.Atoi(d.Days)
		if err != nil {
			faults = append(faults, review.Fault{Field: "days", Message: "a whole number of days"})
		}
		f.Days = n
	}
	for m, a := range d.Mitigations {
		f.Mitigations[casefile.Mitigation(m)] = casefile.Answer(a)
	}
	for _, p := range d.Policies {
		f.Policies = append(f.Policies, casefile.PolicyCode(p))
	}
	switch i := slices.Index(d.Policies, d.Primary); {
	case len(d.Policies) < 2:
	case d.Primary == "":
		faults = append(faults, review.Fault{Field: "policies", Message: "several codes are ticked: say which one the action rests on"})
	case i < 0:
		faults = append(faults, review.Fault{Field: "policies", Message: "the code that the action rests on is not ticked"})
	default:
		f.Policies = append(append([]casefile.PolicyCode{casefile.PolicyCode(d.Primary)}, f.Policies[:i]...), f.Policies[i+1:]...)
	}
	return f, faults
}

// values writes the draft back as a form sends it, in a fixed order; for the hidden fields of the
// preview and of a page that could not do what was asked.
func (d Draft) values() []field {
	out := []field{
		{"action", d.Action}, {"days", d.Days}, {"entity_tier", d.EntityTier}, {"primary", d.Primary},
		{"rationale", d.Rationale}, {"comment", d.Comment},
		{"claim", strconv.Itoa(d.Claim)}, {"evidence", strconv.Itoa(d.Evidence)}, {"purpose", d.Purpose},
	}
	if d.Next {
		out = append(out, field{"next", "on"})
	}
	for _, p := range d.Policies {
		out = append(out, field{"policies", p})
	}
	for _, m := range casefile.Mitigations {
		if a := d.Mitigations[string(m)]; a != "" {
			out = append(out, field{string(m), a})
		}
	}
	for _, r := range d.Relied {
		out = append(out, field{"relied", relyValue(r)})
	}
	return out
}

type field struct{ Name, Value string }
