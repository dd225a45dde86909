package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
)

// grid are values that findings may hold; the first of each are those that speak neither for nor
// against an account.
var grid = map[casefile.FindingKind][]map[string]float64{
	casefile.FindingHistory:      {{"posts": 12, "days": 3}},
	casefile.FindingEarlierCases: {{"closed": 0, "violations": 0}, {"closed": 2, "violations": 2, "highest_action": 5}},
	casefile.FindingStrikes:      {{"live": 0}, {"live": 2}},
	casefile.FindingScore:        {{"max": 0.6, "posts": 3}, {"max": 0.1, "posts": 9}, {"max": 0.95, "posts": 9}},
	casefile.FindingLookAlike:    {{"accounts": 0}, {"accounts": 1}},
	casefile.FindingMitigations:  {{"M1": 0, "M2": 0, "M3": 0, "M4": 0}, {"M1": 0, "M2": 0, "M3": 5, "M4": 0}},
}

// adverse are the kinds whose values beyond the first speak against an account.
var adverse = []casefile.FindingKind{casefile.FindingEarlierCases, casefile.FindingStrikes, casefile.FindingLookAlike}

var gridKinds = []casefile.FindingKind{
	casefile.FindingHistory, casefile.FindingEarlierCases, casefile.FindingStrikes,
	casefile.FindingScore, casefile.FindingLookAlike, casefile.FindingMitigations,
}

// everyFindings calls each with every combination of the grid, as indices into it.
func everyFindings(each func(at []int)) {
	at := make([]int, len(gridKinds))
	for {
		each(slices.Clone(at))
		i := 0
		for i < len(at) {
			at[i]++
			if at[i] < len(grid[gridKinds[i]]) {
				break
			}
			at[i] = 0
			i++
		}
		if i == len(at) {
			return
		}
	}
}

// findingsAt makes the findings of a combination, those of the set unknown in one way or another.
func findingsAt(at []int, lost int) []casefile.FindingCode {
	var out []casefile.FindingCode
	for i, kind := range gridKinds {
		f := known(kind, grid[kind][at[i]])
		if lost&(1<<i) != 0 {
			switch i % 3 {
			case 0:
				continue // never asked
			case 1:
				f.Status = casefile.StatusFailed // its values must not count
			case 2:
				f.Status, f.Values = casefile.StatusUnknown, nil
			}
		}
		out = append(out, f)
	}
	return out
}

// TestPromise05ShippedRulesNeverLowerForAnUnknown: by the shipped rules, a case with any findings not
// known is at least as severe as the same case with these findings known and without anything against
// the account in them (no strike, no earlier violation, no account with a like handle), whatever they
// say for it: whatever the score, however many signs of a legitimate context. It is looked at and
// decided as soon as the matching rule says.
func TestPromise05ShippedRulesNeverLowerForAnUnknown(t *testing.T) {
	t.Parallel()
	s, err := policy.Default()
	require.NoError(t, err)
	for _, codes := range [][]casefile.PolicyCode{
		{casefile.VE01}, {casefile.VE02}, {casefile.VE05}, {casefile.VE07}, {casefile.VE08}, {casefile.VE12},
	} {
		for _, weight := range []float64{1, 50} {
			route := func(at []int, lost int) casefile.Route {
				r, err := s.Route(policy.Input{
					Platform: "synthetic", OpenedAt: openedAt, Findings: findingsAt(at, lost),
					Flags: policy.FlagSummary{Count: 1, Weight: weight, Policies: codes, Posts: 1},
				})
				require.NoError(t, err)
				return r
			}
			severity := map[string]int{}
			everyFindings(func(at []int) { severity[fmt.Sprint(at)] = route(at, 0).Severity })
			unknown := map[string]int{} // by combination with the lost ones left out, and the set
			everyFindings(func(at []int) {
				for lost := 1; lost < 1<<len(gridKinds); lost++ {
					against := false
					rest := slices.Clone(at)
					for i, kind := range gridKinds {
						if lost&(1<<i) != 0 {
							against = against || at[i] > 0 && slices.Contains(adverse, kind)
							rest[i] = 0
						}
					}
					if against {
						continue
					}
					key := fmt.Sprint(rest, lost)
					if _, ok := unknown[key]; !ok {
						unknown[key] = route(rest, lost).Severity
					}
					require.GreaterOrEqual(t, unknown[key], severity[fmt.Sprint(at)], "%v, weight %v, findings %v, lost %06b", codes, weight, at, lost)
				}
			})
		}
	}
}

// TestPromise05AnyRulesNeverLowerForAnUnknown: by any rules that do not themselves ask whether a
// finding is known, with U the route of a case with findings not known, and R that of the same case
// with any values for them that leave no rule undecided:
//
//   - U is no less severe than R, or R's rule is one that U names as undecided;
//   - where an undecided rule is more severe than U, U is at least as severe as on_unknown;
//   - U is no less severe than, and no later than, the route by the rules without the undecided ones.
func TestPromise05AnyRulesNeverLowerForAnUnknown(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(7, 11))
	compared := 0
	for range 40 {
		rules := randomRules(rnd)
		s := load(t, ruleFile(rules.text(nil)))
		for range 8 {
			at := make([]int, len(gridKinds))
			for i, kind := range gridKinds {
				at[i] = rnd.IntN(len(grid[kind]))
			}
			lost := 1 + rnd.IntN(1<<len(gridKinds)-1)
			in := policy.Input{OpenedAt: openedAt, Flags: policy.FlagSummary{Count: 1 + rnd.IntN(2), Weight: float64(rnd.IntN(20))}}
			in.Findings = findingsAt(at, lost)
			u, err := s.Route(in)
			require.NoError(t, err)
			undecided := strings.Fields(u.Values[policy.ValueUndecided])
			told := rules.text(nil) + fmt.Sprintf("\nfindings %v lost %06b undecided %v: %+v", at, lost, undecided, u)

			for range 12 {
				other := slices.Clone(at)
				for i, kind := range gridKinds {
					if lost&(1<<i) != 0 {
						other[i] = rnd.IntN(len(grid[kind]))
					}
				}
				in.Findings = findingsAt(other, 0)
				r, err := s.Route(in)
				require.NoError(t, err)
				if r.Values[policy.ValueUndecided] != "" {
					continue
				}
				compared++
				require.True(t, u.Severity >= r.Severity || slices.Contains(undecided, r.Rule), "%s\nknown: %+v", told, r)
			}
			for _, id := range undecided {
				require.True(t, rules[id].severity <= u.Severity || u.Severity >= 3, told)
			}
			in.Findings = findingsAt(at, lost)
			without, err := load(t, ruleFile(rules.text(undecided))).Route(in)
			require.NoError(t, err)
			require.GreaterOrEqual(t, u.Severity, without.Severity, told)
			require.False(t, u.DueAt.After(without.DueAt), told)
			require.False(t, u.DecideBy.After(without.DecideBy), told)
		}
	}
	require.Greater(t, compared, 500)
}

type randomRule struct {
	order    int
	when     string
	severity int
	tier     casefile.Tier
	queue    string
}

type randomRuleSet map[string]randomRule

func randomRules(rnd *rand.Rand) randomRuleSet {
	pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
	var condition func(depth int) string
	condition = func(depth int) string {
		if depth == 0 || rnd.IntN(3) == 0 {
			return pick(
				`value("score","max") >= 0.5`, `value("score","max") < 0.3`, `value("strikes","live") >= 1.0`, `value("look_alike","accounts") == 0.0`,
				`value("earlier_cases","highest_action") > 3.0`, `value("mitigations","M3") > value("score","posts") / 3.0`,
				`flags.weight > 8.0`, `flags.count == 1`, `1 / (flags.count - 1) == 1`,
			)
		}
		return pick(
			"("+condition(depth-1)+" && "+condition(depth-1)+")", "("+condition(depth-1)+" || "+condition(depth-1)+")",
			"!("+condition(depth-1)+")", "("+condition(depth-1)+" ? "+condition(depth-1)+" : "+condition(depth-1)+")",
		)
	}
	out := randomRuleSet{}
	for i := range 1 + rnd.IntN(6) {
		out[fmt.Sprintf("r%d", i)] = randomRule{
			order: i, when: condition(2), severity: rnd.IntN(8), tier: casefile.Tier(pick("flash", "urgent", "alert", "routine")), queue: pick("main", "doubt"),
		}
	}
	return out
}

// text writes the rules but those left out.
func (s randomRuleSet) text(without []string) string {
	var b strings.Builder
	for i := range len(s) {
		id := fmt.Sprintf("r%d", i)
		if slices.Contains(without, id) {
			continue
		}
		r := s[id]
		fmt.Fprintf(&b, "  - {id: %s, when: '%s', queue: %s, severity: %d, confidence: 1, tier: %s}\n", id, r.when, r.queue, r.severity, r.tier)
	}
	return b.String()
}
