package policy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
)

func TestTaxonomyIsWhole(t *testing.T) {
	t.Parallel()
	var codes []casefile.PolicyCode
	for _, c := range policy.Taxonomy() {
		codes = append(codes, c.Code)
		require.NotEmpty(t, c.Name, c.Code)
		require.NotEmpty(t, c.Definition, c.Code)
		require.NotEmpty(t, c.Floor, c.Code)
		require.Equal(t, c.Code == casefile.VE00, len(c.DSA) == 0, c.Code)
		if c.Code != casefile.VE11 {
			require.True(t, c.Min.Valid() && c.Max.Valid() && c.Min.Severity() <= c.Max.Severity(), c.Code)
		}
	}
	require.Equal(t, casefile.PolicyCodes, codes)

	var tiers []casefile.EntityTier
	for _, e := range policy.EntityTiers() {
		require.NotEmpty(t, e.Name)
		tiers = append(tiers, e.Tier)
	}
	require.Equal(t, casefile.EntityTiers, tiers)

	var mitigations []casefile.Mitigation
	for _, m := range policy.Mitigations() {
		require.NotEmpty(t, m.Name)
		require.NotEmpty(t, m.Question)
		mitigations = append(mitigations, m.Mitigation)
	}
	require.Equal(t, casefile.Mitigations, mitigations)

	var actions []casefile.Action
	for _, s := range policy.Ladder() {
		require.NotEmpty(t, s.Name)
		require.NotEmpty(t, s.Effect)
		require.NotEmpty(t, s.HumanRule)
		require.Equal(t, s.Action.Timed(), s.MaxDays > 0, s.Action)
		require.Equal(t, s.StrikeDays > 0, s.StrikePoints > 0, s.Action)
		actions = append(actions, s.Action)
	}
	require.Equal(t, casefile.Actions, actions)
}

// TestLadderAgreesWithTheDomain: the texts name the lengths that an opinion may take.
func TestLadderAgreesWithTheDomain(t *testing.T) {
	t.Parallel()
	for _, s := range policy.Ladder() {
		if !s.Action.Timed() {
			continue
		}
		for days, ok := range map[int]bool{s.MinDays - 1: false, s.MinDays: true, s.MaxDays: true, s.MaxDays + 1: false} {
			j := judgement(s.Action, casefile.VE08)
			j.Days = days
			require.Equal(t, ok, j.Validate().Err() == nil, "%s for %d days", s.Action, days)
		}
	}
}

func TestTaxonomyIsACopy(t *testing.T) {
	t.Parallel()
	policy.Taxonomy()[1].DSA[0].Category = "changed"
	policy.Ladder()[3].StatementFields[0] = "changed"
	c, ok := policy.LookupCode(casefile.VE01)
	require.True(t, ok)
	require.Equal(t, "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY", c.DSA[0].Category)
	s, ok := policy.LookupStep(casefile.L3)
	require.True(t, ok)
	require.Equal(t, []string{"decision_provision", "end_date_service_restriction"}, s.StatementFields)
}

func TestLookupOfWhatThereIsNot(t *testing.T) {
	t.Parallel()
	_, ok := policy.LookupCode("VE-13")
	require.False(t, ok)
	_, ok = policy.LookupStep("L9")
	require.False(t, ok)
}

func TestFits(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		code casefile.PolicyCode
		fits []casefile.Action
	}{
		"no violation":   {casefile.VE00, []casefile.Action{casefile.L0}},
		"threat":         {casefile.VE01, []casefile.Action{casefile.L6}},
		"recruitment":    {casefile.VE05, []casefile.Action{casefile.L5, casefile.L6}},
		"glorification":  {casefile.VE08, []casefile.Action{casefile.L3, casefile.L4, casefile.L5}},
		"hate":           {casefile.VE10, []casefile.Action{casefile.L3, casefile.L4}},
		"as its parent":  {casefile.VE11, casefile.Actions[:7]},
		"unclear, human": {casefile.VE12, []casefile.Action{casefile.L1, casefile.L2}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, ok := policy.LookupCode(c.code)
			require.True(t, ok)
			for _, a := range casefile.Actions {
				require.Equal(t, slices.Contains(c.fits, a), code.Fits(a), a)
			}
		})
	}
}

func TestStrikeFor(t *testing.T) {
	t.Parallel()
	want := map[casefile.Action]time.Duration{casefile.L4: 90 * 24 * time.Hour, casefile.L5: 180 * 24 * time.Hour, casefile.L6: 180 * 24 * time.Hour}
	for _, a := range casefile.Actions {
		lasts, strikes := policy.StrikeFor(casefile.Decision{Judgement: casefile.Judgement{Action: a}})
		require.Equal(t, want[a], lasts, a)
		require.Equal(t, want[a] > 0, strikes, a)
	}
}

func judgement(a casefile.Action, codes ...casefile.PolicyCode) casefile.Judgement {
	j := casefile.Judgement{Action: a, Policies: codes, EntityTier: casefile.E2, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
	for _, m := range casefile.Mitigations {
		j.Mitigations[m] = casefile.AnswerNo
	}
	if a.Timed() {
		j.Days = 14
	}
	return j
}
