package policy

import (
	"fmt"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/docket-triage/docket/casefile"
)

// autoActions are what an automatic rule may do; autoPolicies what it may do it for: VE-00 is no
// violation, VE-12 takes a person, and VE-03 needs an entity, which only a person finds.
var (
	autoActions  = []casefile.Action{casefile.L1, casefile.L2}
	autoPolicies = slices.DeleteFunc(slices.Clone(casefile.PolicyCodes), func(c casefile.PolicyCode) bool {
		return c == casefile.VE00 || c == casefile.VE03 || c == casefile.VE12
	})
)

// AutoRule is the automatic rule that decides a case; or, where none does, why.
type AutoRule struct {
	// ID names the rule on the record and in the notice.
	ID string
	// Judgement is what it decides: L1 or L2 under one code, or L0 with VE-00. No mitigation is
	// assessed, and no entity is named (E0).
	Judgement casefile.Judgement
	// SamplePermille is the share, in thousandths, of the cases that the rule decides of which people
	// decide all the same.
	SamplePermille int
	// Breaker are the limits at which the rule stops and its cases go to people.
	Breaker BreakerLimits
	// Why is set only where no rule decides: the first reason. Finding is the one that was not known
	// for WhyUnknown, Rule the one that could not be decided for WhyUndecided.
	Why     AutoWhy
	Finding casefile.FindingKind
	Rule    string
}

// BreakerLimits are the numbers at which an automatic rule stops.
type BreakerLimits struct {
	// PerHour is the most cases that a rule decides in an hour.
	PerHour int
	// SharePermille is the highest share of the hour's assessed cases that it decides, in thousandths,
	// looked at once MinCases were assessed in the hour.
	SharePermille int
	MinCases      int
}

// AutoWhy is a code for why no automatic rule decides a case.
type AutoWhy string

// The reasons, in the order in which they are looked for.
const (
	WhyNoRules    AutoWhy = "no_rules"   // the rule set has none
	WhyInvalid    AutoWhy = "invalid"    // the input is malformed: a kind of finding twice
	WhyFlags      AutoWhy = "flags"      // a flag could not be opened, or there is none
	WhyUnknown    AutoWhy = "unknown"    // a finding is unknown, failed or missing
	WhyMitigation AutoWhy = "mitigation" // there is a sign of a legitimate context, or no count of them
	WhyUndecided  AutoWhy = "undecided"  // a rule's condition could not be decided
	WhyDisagree   AutoWhy = "disagree"   // one rule would close the case, another act on it
	WhyNoMatch    AutoWhy = "no_match"   // no rule matches
)

type autoRule struct {
	id      string
	when    cel.Program
	action  casefile.Action
	policy  casefile.PolicyCode
	sample  int
	breaker BreakerLimits
}

// compile checks the conditions of a list of automatic rules.
func (a *automaticSpec) compile(list []autoSpec, field string, env *cel.Env, rr *ruleReader) []autoRule {
	var out []autoRule
	for i, spec := range list {
		when, err := compile(env, spec.When, cel.BoolType)
		if err != nil {
			rr.badLine(spec.whenLine, fmt.Sprintf("%s[%d].when", field, i), "%s", err)
		}
		r := autoRule{id: spec.ID, when: when, action: spec.Action, policy: spec.Policy, sample: spec.SamplePermille}
		if a.Breaker != nil {
			r.breaker = BreakerLimits{PerHour: a.Breaker.PerHour, SharePermille: a.Breaker.SharePermille, MinCases: a.Breaker.MinCases}
		}
		out = append(out, r)
	}
	return out
}

// Automatic gives the automatic rule that decides a case, the first in the file that matches. It is
// pure; switches, samples and breakers are the caller's.
//
// ok is false, with the reason in Why, unless every flag could be opened, every kind of finding is
// there and known, no sign of a legitimate context was found (Regulation (EU) 2021/784, Article 1(3)),
// no condition before the one that matches is undecided, and no rule of the other sort (closing,
// acting) matches too: whatever is not plain goes to people.
func (s *RuleSet) Automatic(in Input) (rule AutoRule, ok bool) {
	if len(s.closes)+len(s.acts) == 0 {
		return AutoRule{Why: WhyNoRules}, false
	}
	v, err := newView(&in)
	if err != nil {
		return AutoRule{Why: WhyInvalid}, false
	}
	if in.Flags.Lost != 0 || in.Flags.Count < 1 {
		return AutoRule{Why: WhyFlags}, false
	}
	for _, kind := range findingKinds {
		if v.statusOf(kind) != casefile.StatusKnown {
			return AutoRule{Why: WhyUnknown, Finding: kind}, false
		}
	}
	if !v.noMitigation() {
		return AutoRule{Why: WhyMitigation}, false
	}
	var found []autoRule
	for _, list := range [][]autoRule{s.closes, s.acts} {
		r, undecided := firstMatch(list, v)
		if undecided != "" {
			return AutoRule{Why: WhyUndecided, Rule: undecided}, false
		}
		if r != nil {
			found = append(found, *r)
		}
	}
	switch len(found) {
	case 0:
		return AutoRule{Why: WhyNoMatch}, false
	case 1:
		r := found[0]
		return AutoRule{ID: r.id, Judgement: autoJudgement(r.action, r.policy), SamplePermille: r.sample, Breaker: r.breaker}, true
	}
	return AutoRule{Why: WhyDisagree}, false
}

// firstMatch gives the first rule that matches, or the id of one before it that is undecided.
func firstMatch(list []autoRule, v *view) (match *autoRule, undecided string) {
	for i, r := range list {
		out, _, err := r.when.Eval(v)
		switch {
		case err != nil || types.IsUnknown(out):
			return nil, r.id
		case out == types.True:
			return &list[i], ""
		}
	}
	return nil, ""
}

// noMitigation reports whether every sign of a legitimate context was counted, and there is none.
func (v *view) noMitigation() bool {
	values := v.findings[casefile.FindingMitigations].Values
	for _, name := range findingValues[casefile.FindingMitigations] {
		_, counted := values[name]
		if !counted {
			return false
		}
	}
	for _, n := range values {
		if n != 0 {
			return false
		}
	}
	return true
}

func autoJudgement(a casefile.Action, policy casefile.PolicyCode) casefile.Judgement {
	j := casefile.Judgement{
		Action: a, Policies: []casefile.PolicyCode{policy}, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{},
	}
	for _, m := range casefile.Mitigations {
		j.Mitigations[m] = casefile.AnswerNotAssessed
	}
	return j
}

// ValidateAutomatic checks a judgement that no person gave, as casefile.Judgement.Validate checks a
// person's: L0 with VE-00, or L1 or L2 under one code that needs neither a person nor an entity (not
// VE-00, VE-03 or VE-12); without days, with E0, and with every mitigation not assessed. Each fault is
// CodeInvalid with its field; there is none where the judgement is right.
func ValidateAutomatic(j casefile.Judgement) casefile.Faults {
	var f casefile.Faults
	bad := func(field, format string, args ...any) { f = append(f, casefile.Invalid(field, format, args...)) }
	policies := autoPolicies
	switch {
	case j.Action == casefile.L0:
		policies = []casefile.PolicyCode{casefile.VE00}
	case !slices.Contains(autoActions, j.Action):
		bad("action", "an automatic rule takes only L0, %s", listed(autoActions))
	}
	if len(j.Policies) != 1 || !slices.Contains(policies, j.Policies[0]) {
		bad("policies", "must be one of %s", listed(policies))
	}
	if j.Days != 0 {
		bad("days", "an automatic rule gives no timed action")
	}
	if j.EntityTier != casefile.E0 {
		bad("entity_tier", "an automatic rule names no entity: E0")
	}
	for _, m := range casefile.Mitigations {
		if j.Mitigations[m] != casefile.AnswerNotAssessed {
			bad("mitigations."+string(m), "no person assessed it: must be %s", casefile.AnswerNotAssessed)
		}
	}
	if len(j.Mitigations) > len(casefile.Mitigations) {
		bad("mitigations", "only M1 to M8 are mitigations")
	}
	return f
}
