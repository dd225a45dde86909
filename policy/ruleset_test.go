package policy_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/examples"
)

var openedAt = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// ruleFile makes a rule file of two queues around rules written with an indent of two.
func ruleFile(rules string) string {
	return `version: 1
queues:
  - {name: main, title: Main, deadline: 48h, roles: [reviewer]}
  - {name: doubt, title: Doubt, roles: [senior, lead], team: night}
on_unknown: {queue: doubt, severity: 3, confidence: 0, tier: alert}
rules:
` + rules + `
  - {id: rest, when: "true", queue: main, severity: 1, confidence: 0, tier: routine}
`
}

func load(t *testing.T, text string) *policy.RuleSet {
	t.Helper()
	s, err := policy.Load(strings.NewReader(text), "rules.yaml")
	require.NoError(t, err)
	return s
}

func oneRule(when string) string {
	b, _ := json.Marshal(when)
	return `  - {id: r, when: ` + string(b) + `, queue: main, severity: 5, confidence: 2, tier: urgent}`
}

func known(kind casefile.FindingKind, values map[string]float64) casefile.FindingCode {
	return casefile.FindingCode{Kind: kind, Source: "test", Version: "1", Status: casefile.StatusKnown, Values: values}
}

// allKnown are findings that say nothing special about the account.
func allKnown(change ...casefile.FindingCode) []casefile.FindingCode {
	out := []casefile.FindingCode{
		known(casefile.FindingHistory, map[string]float64{"posts": 12, "days": 3}),
		known(casefile.FindingEarlierCases, map[string]float64{"closed": 0, "violations": 0}),
		known(casefile.FindingStrikes, map[string]float64{"live": 0}),
		known(casefile.FindingScore, map[string]float64{"max": 0.6, "posts": 3}),
		known(casefile.FindingLookAlike, map[string]float64{"accounts": 0}),
		known(casefile.FindingMitigations, map[string]float64{"M1": 0, "M2": 0, "M3": 0, "M4": 0}),
	}
	for _, c := range change {
		for i := range out {
			if out[i].Kind == c.Kind {
				out[i] = c
			}
		}
	}
	return out
}

func TestDefaultRulesRoute(t *testing.T) {
	t.Parallel()
	s, err := policy.Default()
	require.NoError(t, err)
	strike := known(casefile.FindingStrikes, map[string]float64{"live": 1})
	context := known(casefile.FindingMitigations, map[string]float64{"M1": 0, "M2": 0, "M3": 2, "M4": 0})
	returned := known(casefile.FindingLookAlike, map[string]float64{"accounts": 1})
	low := known(casefile.FindingScore, map[string]float64{"max": 0.1, "posts": 3})
	high := known(casefile.FindingScore, map[string]float64{"max": 0.9, "posts": 3})
	failed := casefile.FindingCode{Kind: casefile.FindingScore, Status: casefile.StatusFailed}
	cases := map[string]struct {
		policies []casefile.PolicyCode
		weight   float64
		findings []casefile.FindingCode
		want     casefile.Route
		due      time.Duration
	}{
		"threat":                       {[]casefile.PolicyCode{"VE-08", "VE-01"}, 20, allKnown(), casefile.Route{Rule: "threat", Queue: "threat", Severity: 7, Confidence: 2, Tier: casefile.TierFlash}, 15 * time.Minute},
		"instruction":                  {[]casefile.PolicyCode{"VE-06"}, 20, allKnown(high), casefile.Route{Rule: "threat", Queue: "threat", Severity: 7, Confidence: 3, Tier: casefile.TierFlash}, 15 * time.Minute},
		"threat is never mere context": {[]casefile.PolicyCode{"VE-01"}, 20, allKnown(context), casefile.Route{Rule: "threat", Queue: "threat", Severity: 7, Confidence: 2, Tier: casefile.TierFlash}, 15 * time.Minute},
		"threat without a score":       {[]casefile.PolicyCode{"VE-01"}, 20, allKnown(failed), casefile.Route{Rule: "threat", Queue: "threat", Severity: 7, Confidence: 0, Tier: casefile.TierFlash}, 15 * time.Minute},
		"entity":                       {[]casefile.PolicyCode{"VE-03"}, 20, allKnown(), casefile.Route{Rule: "entity", Queue: "entity", Severity: 5, Confidence: 2, Tier: casefile.TierUrgent}, time.Hour},
		"entity with a strike":         {[]casefile.PolicyCode{"VE-05"}, 20, allKnown(strike), casefile.Route{Rule: "entity-again", Queue: "entity", Severity: 6, Confidence: 2, Tier: casefile.TierUrgent}, time.Hour},
		"recruiter like the news":      {[]casefile.PolicyCode{"VE-05"}, 20, allKnown(context), casefile.Route{Rule: "entity", Queue: "entity", Severity: 5, Confidence: 2, Tier: casefile.TierUrgent}, time.Hour},
		"news about an attack":         {[]casefile.PolicyCode{"VE-02"}, 20, allKnown(context), casefile.Route{Rule: "context", Queue: "context", Severity: 1, Confidence: 1, Tier: casefile.TierRoutine}, 72 * time.Hour},
		"perpetrator content":          {[]casefile.PolicyCode{"VE-02"}, 20, allKnown(), casefile.Route{Rule: "perpetrator-content", Queue: "entity", Severity: 5, Confidence: 2, Tier: casefile.TierUrgent}, time.Hour},
		"returned account":             {[]casefile.PolicyCode{"VE-12"}, 20, allKnown(returned, context), casefile.Route{Rule: "network", Queue: "network", Severity: 5, Confidence: 2, Tier: casefile.TierAlert}, 24 * time.Hour},
		"network":                      {[]casefile.PolicyCode{"VE-11"}, 20, allKnown(), casefile.Route{Rule: "network", Queue: "network", Severity: 5, Confidence: 2, Tier: casefile.TierAlert}, 24 * time.Hour},
		"incitement":                   {[]casefile.PolicyCode{"VE-07"}, 20, allKnown(), casefile.Route{Rule: "incitement", Queue: "speech", Severity: 5, Confidence: 2, Tier: casefile.TierAlert}, 24 * time.Hour},
		"glorification":                {[]casefile.PolicyCode{"VE-08"}, 20, allKnown(), casefile.Route{Rule: "speech", Queue: "speech", Severity: 4, Confidence: 2, Tier: casefile.TierAlert}, 24 * time.Hour},
		"glorification with a strike":  {[]casefile.PolicyCode{"VE-08"}, 20, allKnown(strike), casefile.Route{Rule: "speech-again", Queue: "speech", Severity: 5, Confidence: 2, Tier: casefile.TierUrgent}, time.Hour},
		"a sign among many posts":      {[]casefile.PolicyCode{"VE-08"}, 20, allKnown(context, known(casefile.FindingScore, map[string]float64{"max": 0.6, "posts": 7})), casefile.Route{Rule: "speech", Queue: "speech", Severity: 4, Confidence: 2, Tier: casefile.TierAlert}, 24 * time.Hour},
		"context after a strike":       {[]casefile.PolicyCode{"VE-08"}, 20, allKnown(context, strike), casefile.Route{Rule: "speech-again", Queue: "speech", Severity: 5, Confidence: 2, Tier: casefile.TierUrgent}, time.Hour},
		"counter-speech":               {[]casefile.PolicyCode{"VE-08"}, 20, allKnown(context), casefile.Route{Rule: "context", Queue: "context", Severity: 1, Confidence: 1, Tier: casefile.TierRoutine}, 72 * time.Hour},
		"weak reasons, low score":      {[]casefile.PolicyCode{"VE-08"}, 3, allKnown(low), casefile.Route{Rule: "speech-weak", Queue: "borderline", Severity: 1, Confidence: 1, Tier: casefile.TierRoutine}, 72 * time.Hour},
		"weak reasons, score failed":   {[]casefile.PolicyCode{"VE-08"}, 3, allKnown(failed), casefile.Route{Rule: "speech", Queue: "speech", Severity: 4, Confidence: 0, Tier: casefile.TierAlert}, 24 * time.Hour},
		"unclear":                      {[]casefile.PolicyCode{"VE-12"}, 3, allKnown(), casefile.Route{Rule: "everything-else", Queue: "borderline", Severity: 1, Confidence: 0, Tier: casefile.TierRoutine}, 72 * time.Hour},
		"unclear, high score":          {[]casefile.PolicyCode{"VE-12"}, 3, allKnown(high), casefile.Route{Rule: "borderline-high", Queue: "borderline", Severity: 3, Confidence: 2, Tier: casefile.TierAlert}, 24 * time.Hour},
		"unclear, nothing known":       {[]casefile.PolicyCode{"VE-12"}, 3, nil, casefile.Route{Rule: "on_unknown", Queue: "borderline", Severity: 3, Confidence: 0, Tier: casefile.TierAlert}, 24 * time.Hour},
		"glorification, nothing known": {[]casefile.PolicyCode{"VE-08"}, 20, nil, casefile.Route{Rule: "speech", Queue: "speech", Severity: 4, Confidence: 0, Tier: casefile.TierAlert}, 24 * time.Hour},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.Route(policy.Input{
				Platform: "synthetic", OpenedAt: openedAt, Findings: c.findings,
				Flags: policy.FlagSummary{Count: 1, Weight: c.weight, Policies: c.policies, Rules: []string{"example"}, Posts: 2},
			})
			require.NoError(t, err)
			q, ok := s.Queue(c.want.Queue)
			require.True(t, ok)
			c.want.DueAt, c.want.DecideBy = openedAt.Add(c.due), openedAt.Add(q.Deadline)
			c.want.RuleSet, c.want.Values = s.Version(), got.Values
			require.Equal(t, c.want, got)
		})
	}
}

// TestDefaultRulesAreAllReachable gives every shipped rule a case that it matches.
func TestDefaultRulesAreAllReachable(t *testing.T) {
	t.Parallel()
	s, err := policy.Default()
	require.NoError(t, err)
	hit := map[string]bool{}
	for _, code := range casefile.PolicyCodes {
		for _, weight := range []float64{1, 50} {
			for _, score := range []float64{0.1, 0.6, 0.95} {
				for _, strikes := range []float64{0, 2} {
					for _, mitigation := range []float64{0, 3} {
						for _, alike := range []float64{0, 1} {
							r, err := s.Route(policy.Input{
								Platform: "synthetic", OpenedAt: openedAt,
								Flags: policy.FlagSummary{Count: 1, Weight: weight, Policies: []casefile.PolicyCode{code}},
								Findings: allKnown(
									known(casefile.FindingScore, map[string]float64{"max": score, "posts": 9}),
									known(casefile.FindingStrikes, map[string]float64{"live": strikes}),
									known(casefile.FindingMitigations, map[string]float64{"M1": mitigation, "M2": 0, "M3": 0, "M4": 0}),
									known(casefile.FindingLookAlike, map[string]float64{"accounts": alike}),
								),
							})
							require.NoError(t, err)
							hit[r.Rule] = true
						}
					}
				}
			}
		}
	}
	var file struct {
		Rules []struct {
			ID string `json:"id"`
		} `json:"rules"`
	}
	require.NoError(t, json.Unmarshal(s.Canonical(), &file))
	for _, r := range file.Rules {
		require.True(t, hit[r.ID], "no case reaches the rule %s", r.ID)
	}
}

// TestPromise05UnknownIsNotZero: no way of writing a condition makes the value of a finding that is
// not known count as a number.
func TestPromise05UnknownIsNotZero(t *testing.T) {
	t.Parallel()
	conditions := []string{
		`value("score","max") < 0.5`,
		`value("score","max") == 0.0`,
		`value("score","max") != 0.0`,
		`!(value("score","max") > 0.5)`,
		`!(value("score","max") == 1.0)`,
		`value("score","max") in [0.0, 1.0]`,
		`[value("score","max")].exists(x, x == 0.0)`,
		`[value("score","max")].all(x, x < 2.0)`,
		`[value("score","max")].size() == 1`,
		`{"a": value("score","max")}.size() == 1`,
		`string(value("score","max")) != "x"`,
		`int(value("score","max")) == 0`,
		`value("score","max") > 0.5 ? true : true`,
		`-value("score","max") <= 0.0`,
		`value("score","max") + 1.0 > 0.0`,
		`dyn(value("score","max")) != "x"`,
		`type(value("score","max")) == double`,
		`flags.weight > 100.0 || value("score","max") < 0.5`,
		`flags.weight > 1.0 && value("score","max") < 0.5`,
	}
	findings := map[string][]casefile.FindingCode{
		"absent":                 nil,
		"unknown":                {{Kind: casefile.FindingScore, Status: casefile.StatusUnknown}},
		"failed":                 {{Kind: casefile.FindingScore, Status: casefile.StatusFailed}},
		"failed with values":     {{Kind: casefile.FindingScore, Status: casefile.StatusFailed, Values: map[string]float64{"max": 0}}},
		"no status":              {{Kind: casefile.FindingScore, Values: map[string]float64{"max": 0}}},
		"known without values":   {known(casefile.FindingScore, nil)},
		"known with other value": {known(casefile.FindingScore, map[string]float64{"posts": 3})},
		"not a number":           {known(casefile.FindingScore, map[string]float64{"max": math.NaN()})},
		"infinite":               {known(casefile.FindingScore, map[string]float64{"max": math.Inf(-1)})},
	}
	for _, condition := range conditions {
		s := load(t, ruleFile(oneRule(condition)))
		for name, f := range findings {
			t.Run(condition+"/"+name, func(t *testing.T) {
				t.Parallel()
				got, err := s.Route(policy.Input{Platform: "synthetic", OpenedAt: openedAt, Flags: policy.FlagSummary{Weight: 5}, Findings: f})
				require.NoError(t, err)
				require.Equal(t, policy.OnUnknown, got.Rule)
				require.Equal(t, "doubt", got.Queue)
				require.Equal(t, "r", got.Values[policy.ValueUndecided])
				require.Contains(t, []string{"unknown", "failed"}, got.Values[`value("score","max")`])
			})
		}
	}
}

// TestUnknownThatChangesNothing: a condition that holds whatever the unknown value may be, does hold.
func TestUnknownThatChangesNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"or, unknown first":  `value("score","max") > 0.5 || flags.weight > 1.0`,
		"or, unknown last":   `flags.weight > 1.0 || value("score","max") > 0.5`,
		"asked beforehand":   `unknown("score") || value("score","max") > 0.5`,
		"not known":          `!known("score")`,
		"by status":          `status("score") == "failed"`,
		"and, false settles": `!(value("score","max") > 0.5 && flags.weight > 100.0)`,
	}
	for name, condition := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := load(t, ruleFile(oneRule(condition))).Route(policy.Input{
				Platform: "synthetic", OpenedAt: openedAt, Flags: policy.FlagSummary{Weight: 5},
				Findings: []casefile.FindingCode{{Kind: casefile.FindingScore, Status: casefile.StatusFailed}},
			})
			require.NoError(t, err)
			require.Equal(t, "r", got.Rule)
			require.NotContains(t, got.Values, policy.ValueUndecided)
		})
	}
}

func TestOnUnknownNeverLowers(t *testing.T) {
	t.Parallel()
	s := load(t, ruleFile(`
  - {id: mild, when: 'value("score","max") > 0.5', queue: main, severity: 2, confidence: 1, tier: alert}
  - {id: grave, when: 'flags.weight > 10.0', queue: main, severity: 6, confidence: 1, tier: urgent}
  - {id: middling, when: 'flags.weight > 5.0', queue: main, severity: 2, confidence: 1, tier: alert}`))
	in := policy.Input{Platform: "synthetic", OpenedAt: openedAt, Flags: policy.FlagSummary{Weight: 20}}
	got, err := s.Route(in)
	require.NoError(t, err)
	require.Equal(t, "grave", got.Rule, "a graver rule than on_unknown stands")

	in.Flags.Weight = 7
	got, err = s.Route(in)
	require.NoError(t, err)
	require.Equal(t, "middling", got.Rule, "the undecided rule was no graver")

	in.Flags.Weight = 1
	got, err = s.Route(in)
	require.NoError(t, err)
	require.Equal(t, policy.OnUnknown, got.Rule)
	require.Equal(t, 3, got.Severity)
}

func TestErrorInConditionIsUndecided(t *testing.T) {
	t.Parallel()
	got, err := load(t, ruleFile(oneRule(`1 / flags.count == 1`))).Route(policy.Input{Platform: "synthetic", OpenedAt: openedAt})
	require.NoError(t, err)
	require.Equal(t, policy.OnUnknown, got.Rule)
	require.Equal(t, "r", got.Values[policy.ValueUndecided])
}

func TestRouteRecordsWhatTheMatchedConditionRead(t *testing.T) {
	t.Parallel()
	s := load(t, ruleFile(`
  - id: other
    when: 'flags.posts > 100'
    queue: main
    severity: 5
    confidence: 1
    tier: alert
  - id: r
    when: 'platform == "synthetic" && flags.count >= 2 && "VE-08" in flags.policies && known("score") && value("score","max") > 0.25 || flags.rules.size() > 9'
    queue: doubt
    severity: 4
    confidence: 'value("strikes","live") > 0.0 ? 3 : 1'
    tier: urgent
    due: 90m`))
	got, err := s.Route(policy.Input{
		Platform: "synthetic", OpenedAt: openedAt,
		Flags:    policy.FlagSummary{Count: 2, Policies: []casefile.PolicyCode{"VE-07", "VE-08"}, Rules: []string{"a", "b"}},
		Findings: allKnown(),
	})
	require.NoError(t, err)
	require.Equal(t, casefile.Route{
		Queue: "doubt", Severity: 4, Confidence: 1, Tier: casefile.TierUrgent, DueAt: openedAt.Add(90 * time.Minute), DecideBy: openedAt.Add(72 * time.Hour), Rule: "r", RuleSet: s.Version(),
		Values: map[string]string{
			"platform": "synthetic", "flags.count": "2", "flags.policies": "VE-07 VE-08",
			`known("score")`: "true", `value("score","max")`: "0.6", `value("strikes","live")`: "0",
		},
	}, got)
}

func TestConfidenceIsBounded(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]int{"flags.count * 100": 3, "0 - flags.count": 0, `int(value("score","max"))`: 0} {
		s := load(t, ruleFile(`  - {id: r, when: 'flags.count > 0', queue: main, severity: 5, confidence: '`+expr+`', tier: urgent}`))
		got, err := s.Route(policy.Input{Platform: "synthetic", OpenedAt: openedAt, Flags: policy.FlagSummary{Count: 2}})
		require.NoError(t, err)
		require.Equal(t, want, got.Confidence, expr)
		require.Equal(t, "r", got.Rule)
	}
}

func TestRouteRefuses(t *testing.T) {
	t.Parallel()
	s := load(t, ruleFile(oneRule("flags.count > 1")))
	_, err := s.Route(policy.Input{Platform: "synthetic"})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	_, err = s.Route(policy.Input{Platform: "synthetic", OpenedAt: openedAt, Findings: append(allKnown(), allKnown()[0])})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	rule := func(s string) string { return ruleFile(s) }
	cases := map[string]struct {
		text  string
		field string
		says  string
	}{
		"not yaml":                {"a: [", "", "not YAML"},
		"empty":                   {"", "", "not YAML"},
		"two documents":           {ruleFile("") + "---\na: 1\n", "", "more than one"},
		"a list":                  {"- 1\n", "", "must be a mapping"},
		"other version":           {strings.Replace(ruleFile(""), "version: 1", "version: 2", 1), "version", "line 1"},
		"unknown top field":       {ruleFile("") + "extra: 1\n", "extra", "no such field"},
		"no on_unknown":           {strings.Replace(ruleFile(""), "on_unknown: {queue: doubt, severity: 3, confidence: 0, tier: alert}\n", "", 1), "on_unknown", "required"},
		"unknown rule field":      {rule(`  - {id: r, when: 'flags.count > 1', queue: main, severity: 5, confidence: 1, tier: alert, close: true}`), "rules[0].close", "line 7"},
		"field twice":             {rule(`  - {id: r, id: s, when: 'flags.count > 1', queue: main, severity: 5, confidence: 1, tier: alert}`), "rules[0].id", "twice"},
		"no severity":             {rule(`  - {id: r, when: 'flags.count > 1', queue: main, confidence: 1, tier: alert}`), "rules[0].severity", "required"},
		"severity 8":              {rule(`  - {id: r, when: 'flags.count > 1', queue: main, severity: 8, confidence: 1, tier: alert}`), "rules[0].severity", "0 to 7"},
		"severity as text":        {rule(`  - {id: r, when: 'flags.count > 1', queue: main, severity: "5", confidence: 1, tier: alert}`), "rules[0].severity", "0 to 7"},
		"confidence 4":            {rule(`  - {id: r, when: 'flags.count > 1', queue: main, severity: 5, confidence: 4, tier: alert}`), "rules[0].confidence", "0 to 3"},
		"confidence not a number": {rule(`  - {id: r, when: 'flags.count > 1', queue: main, severity: 5, confidence: 'flags.weight', tier: alert}`), "rules[0].confidence", "double where int"},
		"tier":                    {rule(`  - {id: r, when: 'flags.count > 1', queue: main, severity: 5, confidence: 1, tier: soon}`), "rules[0].tier", "flash"},
		"due":                     {rule(`  - {id: r, when: 'flags.count > 1', queue: main, severity: 5, confidence: 1, tier: alert, due: soon}`), "rules[0].due", "duration"},
		"no such queue":           {rule(`  - {id: r, when: 'flags.count > 1', queue: nowhere, severity: 5, confidence: 1, tier: alert}`), "rules[0].queue", "nowhere"},
		"id twice":                {rule(oneRule("flags.count > 1") + "\n" + oneRule("flags.count > 2")), "rules[1].id", "twice"},
		"id kept":                 {rule(strings.Replace(oneRule("flags.count > 1"), "id: r", "id: on_unknown", 1)), "rules[0].id", "kept"},
		"id with spaces":          {rule(strings.Replace(oneRule("flags.count > 1"), "id: r", "id: a b", 1)), "rules[0].id", "a-z"},
		"matches everything":      {rule(oneRule("true")), "rules[0].when", "no rule after it"},
		"no rule for the rest":    {strings.Replace(ruleFile(""), `when: "true"`, `when: "flags.count > 0"`, 1), "rules[0].when", "everything else"},
		"no rules":                {strings.Split(ruleFile(""), "rules:")[0] + "rules: []\n", "rules", "at least one"},
		"queue twice":             {strings.Replace(ruleFile(""), "name: doubt", "name: main", 1), "queues[1].name", "twice"},
		"service as a role":       {strings.Replace(ruleFile(""), "[reviewer]", "[service]", 1), "queues[0].roles[0]", "role"},
		"syntax":                  {rule(oneRule("flags.count >")), "rules[0].when", "line 7"},
		"type":                    {rule(oneRule("flags.count")), "rules[0].when", "int where bool"},
		"misspelt variable":       {rule(oneRule("flags.wieght > 1.0")), "rules[0].when", "undeclared"},
		"text against number":     {rule(oneRule(`platform > 1`)), "rules[0].when", "no matching overload"},
		"no such finding":         {rule(oneRule(`known("scores")`)), "rules[0].when", `no finding "scores"`},
		"no such value":           {rule(oneRule(`value("score","maximum") > 1.0`)), "rules[0].when", `no value "maximum"`},
		"computed finding":        {rule(oneRule(`known(platform)`)), "rules[0].when", "in quotes"},
		"no such policy code":     {rule(oneRule(`"VE-13" in flags.policies`)), "rules[0].when", "not a policy code"},
		"too long":                {rule(oneRule(strings.Repeat("flags.count > 1 || ", 200) + "false")), "rules[0].when", "limit is 2000"},
		"too costly":              {rule(oneRule(`flags.rules.all(a, flags.rules.all(b, flags.rules.all(c, a + b + c != platform)))`)), "rules[0].when", "steps"},
		"findings by name":        {rule(oneRule("`@findings` == 1")), "rules[0].when", "line 7"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Load(strings.NewReader(c.text), "rules.yaml")
			require.Error(t, err)
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "rules.yaml")
			if c.field == "" {
				return
			}
			var faults casefile.Faults
			require.True(t, errors.As(err, &faults))
			fields := []string{}
			for _, f := range faults {
				fields = append(fields, f.Field)
			}
			require.Contains(t, fields, c.field)
		})
	}
}

func TestLoadTellsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	_, err := policy.Load(strings.NewReader(ruleFile(`
  - {id: a, when: 'flags.wieght > 1.0', queue: main, severity: 5, confidence: 1, tier: alert}
  - {id: b, when: 'known("x")', queue: main, severity: 5, confidence: 'platform', tier: alert}`)), "rules.yaml")
	var faults casefile.Faults
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults, 3)
}

func TestLoadTooLarge(t *testing.T) {
	t.Parallel()
	_, err := policy.Load(strings.NewReader(ruleFile("")+strings.Repeat("# more\n", 200_000)), "rules.yaml")
	require.Equal(t, casefile.CodeTooLarge, casefile.ErrorCode(err))
}

func TestVersionIsOfTheContent(t *testing.T) {
	t.Parallel()
	a := load(t, ruleFile(oneRule("flags.count > 1")))
	commented := load(t, "# a comment\n"+strings.ReplaceAll(ruleFile(oneRule("flags.count > 1")), "{id: rest, when", "{  id: rest,  when"))
	other := load(t, ruleFile(oneRule("flags.count > 2")))
	require.Equal(t, a.Version(), commented.Version())
	require.NotEqual(t, a.Version(), other.Version())
	require.Len(t, a.Version(), 64)
}

func TestQueues(t *testing.T) {
	t.Parallel()
	s := load(t, ruleFile(""))
	require.Equal(t, []policy.Queue{
		{Name: "main", Title: "Main", Deadline: 48 * time.Hour, Roles: []casefile.Role{casefile.RoleReviewer}},
		{Name: "doubt", Title: "Doubt", Deadline: 72 * time.Hour, Team: "night", Roles: []casefile.Role{casefile.RoleSenior, casefile.RoleLead}},
	}, s.Queues())
	s.Queues()[0].Roles[0] = casefile.RoleAdmin
	require.Equal(t, casefile.RoleReviewer, s.Queues()[0].Roles[0], "the caller owns what it gets")
	got, err := s.Route(policy.Input{Platform: "synthetic", OpenedAt: openedAt})
	require.NoError(t, err)
	require.Equal(t, openedAt.Add(48*time.Hour), got.DueAt, "routine falls due at its queue's deadline")

	doubt, ok := s.Queue("doubt")
	require.True(t, ok)
	require.Equal(t, s.Queues()[1], doubt)
	doubt.Roles[0] = casefile.RoleAdmin
	require.Equal(t, casefile.RoleSenior, s.Queues()[1].Roles[0], "the caller owns what it gets")
	_, ok = s.Queue("nowhere")
	require.False(t, ok)
}

// TestFirstTouchAndDecision: a case is first looked at by its tier, decided by its queue's deadline,
// and no default puts the look behind the decision.
func TestFirstTouchAndDecision(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	for name, c := range map[string]struct {
		tier, due, deadline string
		touch, decide       time.Duration
	}{
		"flash":                    {"flash", "", "48h", 15 * time.Minute, 48 * hour},
		"urgent":                   {"urgent", "", "48h", hour, 48 * hour},
		"alert":                    {"alert", "", "48h", 24 * hour, 48 * hour},
		"routine":                  {"routine", "", "48h", 48 * hour, 48 * hour},
		"flash, sooner decision":   {"flash", "", "5m", 5 * time.Minute, 5 * time.Minute},
		"alert, sooner decision":   {"alert", "", "2h", 2 * hour, 2 * hour},
		"a rule's own":             {"alert", "30m", "48h", 30 * time.Minute, 48 * hour},
		"a rule's own, after both": {"alert", "3h", "2h", 3 * hour, 2 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			due := ""
			if c.due != "" {
				due = ", due: " + c.due
			}
			text := ruleFile(`  - {id: r, when: 'flags.count > 0', queue: main, severity: 5, confidence: 1, tier: ` + c.tier + due + `}`)
			got, err := load(t, strings.Replace(text, "deadline: 48h", "deadline: "+c.deadline, 1)).Route(policy.Input{
				OpenedAt: openedAt, Flags: policy.FlagSummary{Count: 1},
			})
			require.NoError(t, err)
			require.Equal(t, openedAt.Add(c.touch), got.DueAt)
			require.Equal(t, openedAt.Add(c.decide), got.DecideBy)
		})
	}
}

// TestOnUnknownIsNoLater: a case that on_unknown lifts is looked at and decided no later than by the
// rule that matched.
func TestOnUnknownIsNoLater(t *testing.T) {
	t.Parallel()
	s := load(t, ruleFile(`
  - {id: grave, when: 'value("score","max") > 0.5', queue: doubt, severity: 6, confidence: 1, tier: urgent}
  - {id: soon, when: 'flags.count == 1', queue: main, severity: 1, confidence: 1, tier: flash}`))
	got, err := s.Route(policy.Input{OpenedAt: openedAt, Flags: policy.FlagSummary{Count: 1}})
	require.NoError(t, err)
	got.Values = nil
	require.Equal(t, casefile.Route{
		Queue: "doubt", Severity: 3, Tier: casefile.TierFlash, DueAt: openedAt.Add(15 * time.Minute), DecideBy: openedAt.Add(48 * time.Hour),
		Rule: policy.OnUnknown, RuleSet: s.Version(),
	}, got)
}

func TestRouteFromManyGoroutines(t *testing.T) {
	t.Parallel()
	s, err := policy.Default()
	require.NoError(t, err)
	in := policy.Input{Platform: "synthetic", OpenedAt: openedAt, Flags: policy.FlagSummary{Policies: []casefile.PolicyCode{"VE-08"}, Weight: 20}, Findings: allKnown()}
	want, err := s.Route(in)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				got, err := s.Route(in)
				if err != nil || got.Rule != want.Rule || len(got.Values) != len(want.Values) {
					t.Errorf("got %+v, %v; want %+v", got, err, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestRouteGolden holds the wire form of a route.
func TestRouteGolden(t *testing.T) {
	t.Parallel()
	s := load(t, ruleFile(oneRule(`value("score","max") > 0.5 && "VE-08" in flags.policies`)))
	got, err := s.Route(policy.Input{Platform: "synthetic", OpenedAt: openedAt, Flags: policy.FlagSummary{Policies: []casefile.PolicyCode{"VE-08"}}, Findings: allKnown()})
	require.NoError(t, err)
	requireGolden(t, "route.json", got)
}

func requireGolden(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	raw = append(raw, '\n')
	path := "testdata/" + name
	if os.Getenv("DOCKET_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, raw, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(raw))
}

func BenchmarkRoute(b *testing.B) {
	s, err := policy.Default()
	require.NoError(b, err)
	in := policy.Input{Platform: "synthetic", OpenedAt: openedAt, Flags: policy.FlagSummary{Policies: []casefile.PolicyCode{"VE-08"}, Weight: 20}, Findings: allKnown()}
	for b.Loop() {
		_, err := s.Route(in)
		require.NoError(b, err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(string(policy.DefaultRules()))
	f.Add(ruleFile(oneRule(`value("score","max") > 0.5`)))
	f.Add("version: 1\nqueues: &a [*a]\n")
	f.Add("<<: {version: 1}\n")
	f.Add(string(examples.Automatic()))
	f.Add(ruleFile("") + "lead_queue: main\nappeals: {team: x}\ndeciding: {two_people: {actions: [L5], policies: [VE-07]}, sample: 0.051}\n")
	f.Add(ruleFile("") + "already_decided: {sample: 1}\nautomatic: {close: [], act: [{id: a, when: 'flags.count > 1', action: L2, policy: VE-09, sample: 0.1}], breaker: {per_hour: 1, share: 0.5, min_cases: 1}}\n")
	f.Add(ruleFile("") + "deciding: {sample: .nan}\nalready_decided: {sample: 0x1p-1}\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := policy.Load(strings.NewReader(text), "fuzz.yaml")
		if err != nil {
			require.NotEqual(t, casefile.CodeInternal, casefile.ErrorCode(err), err)
			return
		}
		r, err := s.Route(policy.Input{Platform: "synthetic", OpenedAt: openedAt})
		require.NoError(t, err)
		require.NotEmpty(t, r.Queue)
		require.True(t, r.Severity >= 0 && r.Severity <= 7 && r.Confidence >= 0 && r.Confidence <= 3)
		require.False(t, r.DecideBy.Before(openedAt))

		d := s.Deciding(999)
		require.Contains(t, d.TwoActions, casefile.L6)
		require.True(t, d.SamplePermille >= 0 && d.SamplePermille <= 1000)
		require.True(t, s.AlreadyDecidedSample() >= 50 && s.AlreadyDecidedSample() <= 1000)
		_, ok := s.Queue(d.LeadQueue)
		require.Equal(t, d.LeadQueue != "", ok)
		_, ok = s.Automatic(policy.Input{OpenedAt: openedAt, Flags: policy.FlagSummary{Count: 1}})
		require.False(t, ok, "nothing is known")
		auto, ok := s.Automatic(policy.Input{OpenedAt: openedAt, Flags: policy.FlagSummary{Count: 1}, Findings: allKnown()})
		if ok {
			require.Empty(t, policy.ValidateAutomatic(auto.Judgement))
			require.True(t, auto.Judgement.Action != casefile.L0 || auto.SamplePermille >= 50)
			require.Positive(t, auto.Breaker.PerHour)
		}
	})
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{
		`"VE-01" in flags.policies`, `value("score","max") >= 0.5 ? true : false`, `flags.policies.exists(p, p in ["VE-01"])`,
		`platform.matches("^a+$")`, `unknown("history") && status("history") == "failed"`, `{"a": 1}["b"] == 1`, `timestamp("x") == timestamp("y")`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, when string) {
		s, err := policy.Load(strings.NewReader(ruleFile(oneRule(when))), "fuzz.yaml")
		if err != nil {
			require.NotEqual(t, casefile.CodeInternal, casefile.ErrorCode(err), err)
			return
		}
		in := policy.Input{Platform: "synthetic", OpenedAt: openedAt, Flags: policy.FlagSummary{Count: 1, Policies: []casefile.PolicyCode{"VE-08"}, Rules: []string{"a"}}, Findings: allKnown()}
		first, err := s.Route(in)
		require.NoError(t, err)
		again, err := s.Route(in)
		require.NoError(t, err)
		require.Equal(t, first, again)
	})
}

func BenchmarkLoadDefault(b *testing.B) {
	for b.Loop() {
		_, err := policy.Default()
		require.NoError(b, err)
	}
}
