package console

import (
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review"
)

// opinionForm is the form of an opinion with what the person has entered so far.
type opinionForm struct {
	Draft
	Mine        bool // the person holds the claim; without it they must claim again first
	Steps       []policy.Step
	Codes       []codeChoice
	Tiers       []policy.Tier
	Mitigations []mitigationChoice
	MinWords    int
	MaxWords    int
	Profile     bool // the profile is ticked
	Emergency   bool // the person may order L5 at once
}

type codeChoice struct {
	policy.Code
	Ticked  bool
	Primary bool
	Matched bool // a flag of the case names it
}

type mitigationChoice struct {
	policy.Mitigation
	Answer string
}

func newOpinionForm(d Draft, matched []casefile.PolicyCode, mine bool) *opinionForm {
	f := &opinionForm{
		Draft: d, Mine: mine, Tiers: policy.EntityTiers(), MinWords: casefile.MinRationale, MaxWords: casefile.MaxRationale,
		Profile: slices.Contains(d.Relied, casefile.EvidenceProfile),
	}
	for _, s := range policy.Ladder() {
		if s.Action != casefile.LX { // recorded by the legal role, never an opinion
			f.Steps = append(f.Steps, s)
		}
	}
	for _, c := range policy.Taxonomy() {
		f.Codes = append(f.Codes, codeChoice{
			Code: c, Ticked: slices.Contains(d.Policies, string(c.Code)), Primary: d.Primary == string(c.Code),
			Matched: slices.Contains(matched, c.Code),
		})
	}
	for _, m := range policy.Mitigations() {
		f.Mitigations = append(f.Mitigations, mitigationChoice{Mitigation: m, Answer: d.Mitigations[string(m.Mitigation)]})
	}
	return f
}

// faultLink is one line of the summary of what is wrong with a form.
type faultLink struct {
	Target string // id of the field
	Label  string
	Text   string
}

// fieldLabels name the fields of the forms by the first part of their paths.
var fieldLabels = map[string]string{
	"action": "Action", "days": "Days", "policies": "Policy codes", "entity_tier": "Entity tier", "relied": "Evidence relied on",
	"rationale": "Rationale", "preview": "Preview", "text": "Comment", "mitigations": "Mitigations", "reason": "Reason",
	"purpose": "Purpose", "q": "Words", "state": "State", "policy": "Policy code", "queue": "Queue",
	"comment": "Comment", "until": "Until", "to": "To", "for": "For how long", "kind": "Team", "deadline": "Deadline", "sure": "Confirmation",
	"looked": "What you looked at", "saw": "What you saw", "outcome": "Outcome", "platform": "Platform", "stage": "Stage",
	"login": "Login", "name": "Name", "roles": "Roles", "team": "Team", "rule": "Rule", "decision": "Decision", "number": "Act", "direction": "Act",
}

// fieldTargets are the ids of fields that are not named like them.
var fieldTargets = map[string]string{"preview": "main", "text": "comment", "mitigations": "M1-yes"}

// formField stands for a fault that no field of a page is known to have.
const formField = "form"

// fieldKey is the field that a path belongs to: "relied" of "relied[3]", "M3" of "mitigations.M3".
func fieldKey(path string) string {
	if m, ok := strings.CutPrefix(path, "mitigations."); ok && casefile.Mitigation(m).Valid() {
		return m
	}
	if i := strings.IndexAny(path, "[."); i >= 0 {
		path = path[:i]
	}
	if _, ok := fieldLabels[path]; !ok {
		return formField
	}
	return path
}

// faultLinks lists faults for the summary, and their messages by field.
func faultLinks(faults []review.Fault) ([]faultLink, map[string][]string) {
	var links []faultLink
	byKey := map[string][]string{}
	for _, f := range faults {
		key := fieldKey(f.Field)
		l := faultLink{Target: key, Label: fieldLabels[key], Text: sentence(f.Message)}
		switch {
		case casefile.Mitigation(key).Valid():
			l.Target, l.Label = key+"-yes", key
		case fieldTargets[key] != "":
			l.Target = fieldTargets[key]
		case key == formField:
			l.Target, l.Label = "main", "Form"
		}
		if slices.Contains(byKey[key], l.Text) {
			continue
		}
		byKey[key] = append(byKey[key], l.Text)
		links = append(links, l)
	}
	return links, byKey
}
