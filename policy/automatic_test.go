package policy_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/examples"
)

// weakHit is a case that the example's rule closes.
func weakHit() policy.Input {
	return policy.Input{
		Platform: "synthetic", OpenedAt: openedAt,
		Flags: policy.FlagSummary{Count: 1, Weight: 1, Policies: []casefile.PolicyCode{casefile.VE08}, Rules: []string{"example"}, Posts: 1},
		Findings: allKnown(
			known(casefile.FindingScore, map[string]float64{"max": 0.01, "posts": 30}),
			known(casefile.FindingHistory, map[string]float64{"posts": 40, "days": 12}),
		),
	}
}

// propaganda is a case that the example's rules act on, by the score of VE-09.
func propaganda(score float64) policy.Input {
	in := weakHit()
	in.Flags.Policies, in.Flags.Weight = []casefile.PolicyCode{casefile.VE09}, 20
	in.Findings = allKnown(known(casefile.FindingScore, map[string]float64{"max": 0.99, "posts": 12, "p_VE_09": score}))
	return in
}

func exampleRules(t *testing.T) *policy.RuleSet {
	t.Helper()
	s, err := policy.Load(strings.NewReader(string(examples.Automatic())), "automatic.yaml")
	require.NoError(t, err)
	return s
}

func TestAutomatic(t *testing.T) {
	t.Parallel()
	s := exampleRules(t)
	breaker := policy.BreakerLimits{PerHour: 20, SharePermille: 100, MinCases: 50}
	for name, c := range map[string]struct {
		in     policy.Input
		id     string
		action casefile.Action
		code   casefile.PolicyCode
		sample int
	}{
		"closed":  {weakHit(), "close-weak-hit", casefile.L0, casefile.VE00, 100},
		"labeled": {propaganda(0.96), "label-propaganda", casefile.L2, casefile.VE09, 200},
		"warned":  {propaganda(0.91), "warn-propaganda", casefile.L1, casefile.VE09, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := s.Automatic(c.in)
			require.True(t, ok, got.Why)
			want := casefile.Judgement{Action: c.action, Policies: []casefile.PolicyCode{c.code}, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
			for _, m := range casefile.Mitigations {
				want.Mitigations[m] = casefile.AnswerNotAssessed
			}
			require.Equal(t, policy.AutoRule{ID: c.id, Judgement: want, SamplePermille: c.sample, Breaker: breaker}, got)
			require.Empty(t, policy.ValidateAutomatic(got.Judgement))
			require.NotEmpty(t, got.Judgement.Validate(), "no person can give it")

			got.Judgement.Mitigations[casefile.M1], got.Judgement.Policies[0] = casefile.AnswerYes, casefile.VE12
			again, ok := s.Automatic(c.in)
			require.True(t, ok)
			require.Equal(t, want, again.Judgement, "the caller owns what it gets")
		})
	}
}

func TestShippedRulesAreNotAutomatic(t *testing.T) {
	t.Parallel()
	s, err := policy.Default()
	require.NoError(t, err)
	for _, in := range []policy.Input{weakHit(), propaganda(1)} {
		got, ok := s.Automatic(in)
		require.False(t, ok)
		require.Equal(t, policy.AutoRule{Why: policy.WhyNoRules}, got)
	}
}

// TestPromise05UnknownBlocksAutomatic: with any one finding missing, unknown, failed or half known,
// nothing is automatic, whatever the rules read.
func TestPromise05UnknownBlocksAutomatic(t *testing.T) {
	t.Parallel()
	blind := load(t, ruleFile("")+autoFile(`{id: a, when: "flags.count == 1", sample: 0.1}`, ""))
	_, ok := blind.Automatic(weakHit())
	require.True(t, ok)
	kinds := formatstest.Constants(t, reflect.TypeFor[casefile.FindingKind]())
	require.Len(t, kinds, len(weakHit().Findings))
	statuses := append(formatstest.Constants(t, reflect.TypeFor[casefile.FindingStatus]()), "", "stale", "missing")
	for _, s := range []*policy.RuleSet{blind, exampleRules(t)} {
		for _, kind := range kinds {
			for _, status := range statuses {
				in := weakHit()
				in.Findings = slices.DeleteFunc(in.Findings, func(f casefile.FindingCode) bool {
					return status == "missing" && string(f.Kind) == kind
				})
				for i := range in.Findings {
					if string(in.Findings[i].Kind) == kind {
						in.Findings[i].Status = casefile.FindingStatus(status)
					}
				}
				got, ok := s.Automatic(in)
				require.Equal(t, status == "known", ok, "%s %s", kind, status)
				if !ok {
					require.Equal(t, policy.AutoRule{Why: policy.WhyUnknown, Finding: casefile.FindingKind(kind)}, got)
				}
			}
		}
	}
}

// TestPromise05And06AutomaticLeavesItToPeople: what is not known, or not plain, no rule decides.
func TestPromise05And06AutomaticLeavesItToPeople(t *testing.T) {
	t.Parallel()
	const all = `{id: c, when: "flags.count == 1", sample: 0.1}`
	warn := func(id, when string) string {
		return `{id: ` + id + `, when: '` + when + `', sample: 0, action: L1, policy: VE-09}`
	}
	for name, c := range map[string]struct {
		rules  string
		change func(*policy.Input)
		want   policy.AutoRule
	}{
		"no flag read":       {autoFile(all, ""), func(in *policy.Input) { in.Flags.Count = 0 }, policy.AutoRule{Why: policy.WhyFlags}},
		"a flag lost":        {autoFile(all, ""), func(in *policy.Input) { in.Flags.Lost = 1 }, policy.AutoRule{Why: policy.WhyFlags}},
		"a finding twice":    {autoFile(all, ""), func(in *policy.Input) { in.Findings = append(in.Findings, in.Findings[0]) }, policy.AutoRule{Why: policy.WhyInvalid}},
		"a sign of news":     {autoFile(all, ""), mitigations(map[string]float64{"M1": 1, "M2": 0, "M3": 0, "M4": 0}), policy.AutoRule{Why: policy.WhyMitigation}},
		"a sign not counted": {autoFile(all, ""), mitigations(map[string]float64{"M1": 0, "M2": 0, "M3": 0}), policy.AutoRule{Why: policy.WhyMitigation}},
		"no sign counted":    {autoFile(all, ""), mitigations(nil), policy.AutoRule{Why: policy.WhyMitigation}},
		"a sign of another":  {autoFile(all, ""), mitigations(map[string]float64{"M1": 0, "M2": 0, "M3": 0, "M4": 0, "M5": 1}), policy.AutoRule{Why: policy.WhyMitigation}},
		"a sign no number":   {autoFile(all, ""), mitigations(map[string]float64{"M1": math.NaN(), "M2": 0, "M3": 0, "M4": 0}), policy.AutoRule{Why: policy.WhyMitigation}},
		"signs below zero":   {autoFile(all, ""), mitigations(map[string]float64{"M1": -1, "M2": 0, "M3": 0, "M4": 0}), policy.AutoRule{Why: policy.WhyMitigation}},
		"no match":           {autoFile(`{id: c, when: "flags.count == 2", sample: 0.1}`, ""), nil, policy.AutoRule{Why: policy.WhyNoMatch}},
		"close and act":      {autoFile(all, warn("w", "flags.posts == 1")), nil, policy.AutoRule{Why: policy.WhyDisagree}},
		"a value not there":  {autoFile(`{id: c, when: 'value("score","p_VE_01") < 0.1', sample: 0.1}`, ""), nil, policy.AutoRule{Why: policy.WhyUndecided, Rule: "c"}},
		"an error":           {autoFile("", warn("w", "1 / (flags.count - 1) == 1")), nil, policy.AutoRule{Why: policy.WhyUndecided, Rule: "w"}},
		"undecided before a match": {
			autoFile("", warn("w", `value("score","p_VE_01") < 0.1`)+", "+warn("v", "flags.count == 1")), nil, policy.AutoRule{Why: policy.WhyUndecided, Rule: "w"},
		},
		"act, but a closing is undecided": {
			autoFile(`{id: c, when: 'value("score","p_VE_01") < 0.1', sample: 0.1}`, warn("w", "flags.count == 1")), nil, policy.AutoRule{Why: policy.WhyUndecided, Rule: "c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := weakHit()
			if c.change != nil {
				c.change(&in)
			}
			got, ok := load(t, ruleFile("")+c.rules).Automatic(in)
			require.False(t, ok)
			require.Equal(t, c.want, got)
		})
	}
}

func mitigations(values map[string]float64) func(*policy.Input) {
	return func(in *policy.Input) {
		in.Findings = slices.Clone(in.Findings)
		for i := range in.Findings {
			if in.Findings[i].Kind == casefile.FindingMitigations {
				in.Findings[i].Values = values
			}
		}
	}
}

// TestFirstAutomaticRuleDecides: in the order of the file.
func TestFirstAutomaticRuleDecides(t *testing.T) {
	t.Parallel()
	s := load(t, ruleFile("")+autoFile(
		`{id: a, when: "flags.count == 2", sample: 0.1}, {id: b, when: "flags.count == 1", sample: 0.2}, {id: c, when: "flags.posts == 1", sample: 0.3}`, ""))
	got, ok := s.Automatic(weakHit())
	require.True(t, ok)
	require.Equal(t, "b", got.ID)
	require.Equal(t, 200, got.SamplePermille)
}

func TestValidateAutomatic(t *testing.T) {
	t.Parallel()
	right := func(a casefile.Action, codes ...casefile.PolicyCode) casefile.Judgement {
		j := casefile.Judgement{Action: a, Policies: codes, EntityTier: casefile.E0, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
		for _, m := range casefile.Mitigations {
			j.Mitigations[m] = casefile.AnswerNotAssessed
		}
		return j
	}
	allowed := map[casefile.Action][]casefile.PolicyCode{casefile.L0: {casefile.VE00}}
	for _, a := range []casefile.Action{casefile.L1, casefile.L2} {
		allowed[a] = slices.DeleteFunc(slices.Clone(casefile.PolicyCodes), func(c casefile.PolicyCode) bool {
			return c == casefile.VE00 || c == casefile.VE03 || c == casefile.VE12
		})
	}
	for _, a := range append(slices.Clone(casefile.Actions), "", "L9") {
		for _, c := range append(slices.Clone(casefile.PolicyCodes), "", "VE-13") {
			got := policy.ValidateAutomatic(right(a, c))
			require.Equal(t, slices.Contains(allowed[a], c), len(got) == 0, "%s %s: %v", a, c, got)
		}
	}
	for name, c := range map[string]struct {
		change func(*casefile.Judgement)
		field  string
	}{
		"two codes":        {func(j *casefile.Judgement) { j.Policies = append(j.Policies, casefile.VE08) }, "policies"},
		"no code":          {func(j *casefile.Judgement) { j.Policies = nil }, "policies"},
		"days":             {func(j *casefile.Judgement) { j.Days = 1 }, "days"},
		"an entity":        {func(j *casefile.Judgement) { j.EntityTier = casefile.E1 }, "entity_tier"},
		"no entity tier":   {func(j *casefile.Judgement) { j.EntityTier = "" }, "entity_tier"},
		"a person's yes":   {func(j *casefile.Judgement) { j.Mitigations[casefile.M3] = casefile.AnswerYes }, "mitigations.M3"},
		"a person's no":    {func(j *casefile.Judgement) { j.Mitigations[casefile.M8] = casefile.AnswerNo }, "mitigations.M8"},
		"one left out":     {func(j *casefile.Judgement) { delete(j.Mitigations, casefile.M2) }, "mitigations.M2"},
		"one more":         {func(j *casefile.Judgement) { j.Mitigations["M9"] = casefile.AnswerNotAssessed }, "mitigations"},
		"an action beyond": {func(j *casefile.Judgement) { j.Action = casefile.L4 }, "action"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := right(casefile.L2, casefile.VE09)
			c.change(&j)
			got := policy.ValidateAutomatic(j)
			require.Len(t, got, 1)
			require.Equal(t, casefile.CodeInvalid, got[0].Code)
			require.Equal(t, c.field, got[0].Field)
		})
	}
}

func BenchmarkAutomatic(b *testing.B) {
	s, err := policy.Load(strings.NewReader(string(examples.Automatic())), "automatic.yaml")
	require.NoError(b, err)
	in := weakHit()
	for b.Loop() {
		_, ok := s.Automatic(in)
		require.True(b, ok)
	}
}
