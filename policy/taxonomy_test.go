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

func TestConsequences(t *testing.T) {
	t.Parallel()
	const closes = "The decision goes on the public ledger by codes and commitments, without names or words, and the case closes."
	const told = "The notice shown here is sent to the account, word for word."
	number := func(n int) *int { return &n }
	minor := judgement(casefile.L1, casefile.VE12)
	minor.Mitigations[casefile.M8] = casefile.AnswerYes
	context := judgement(casefile.L0, casefile.VE08)
	context.Mitigations[casefile.M3] = casefile.AnswerYes
	cases := map[string]struct {
		in   policy.Outlook
		want []string
	}{
		"nothing done": {
			policy.Outlook{Judgement: judgement(casefile.L0, casefile.VE00), Strikes: number(0), CanNotify: true},
			[]string{"Nothing is done on the platform.", "No strike is given; the account has 0 strikes.", "No notice is sent.", closes},
		},
		"let be for a mitigation": {
			policy.Outlook{Judgement: context, Strikes: number(1), CanNotify: true},
			[]string{"Nothing is done on the platform.", "No strike is given; the account has 1 strike.", "No notice is sent.", closes},
		},
		"limits": {
			policy.Outlook{Judgement: judgement(casefile.L3, casefile.VE08), Strikes: number(1), CanNotify: true, Grace: 5 * time.Minute},
			[]string{"The account's features are limited for 14 days.", "No strike is given; the account has 1 strike.", told, "The decision can be withdrawn for 5 minutes.", closes},
		},
		"removal, strikes unknown": {
			policy.Outlook{Judgement: judgement(casefile.L4, casefile.VE08), Relied: 1},
			[]string{"1 post is removed.", "Earlier strikes are not known: they could not be read.", "The account gets a strike for 90 days.", "This platform cannot deliver a notice: it is kept on record as undelivered.", closes},
		},
		"removal of nothing": {
			policy.Outlook{Judgement: judgement(casefile.L4, casefile.VE08), Strikes: number(0), CanNotify: true},
			[]string{"No post is removed: the opinion relies on none.", "The account gets a strike for 90 days, its number 1.", told, closes},
		},
		"termination below two people": {
			policy.Outlook{Judgement: judgement(casefile.L6, casefile.VE03), Strikes: number(2), CanNotify: true},
			[]string{"Nothing happens yet: L6 needs 2 people who agree.", "The account is terminated, without an end date.", "Its identifiers are blocked from signing up again.", "The account gets a strike for 180 days, its number 3.", told, closes},
		},
		"threat below its floor": {
			policy.Outlook{Judgement: judgement(casefile.L5, casefile.VE01), Strikes: number(0), CanNotify: true},
			[]string{"The account is suspended for 14 days.", "The account gets a strike for 180 days, its number 1.", "L5 departs from the floor of VE-01 (L6, and escalate to the person on call at once): the rationale must say why.", "VE-01 calls for escalation: tell the person on call now, whatever is decided here.", told, closes},
		},
		"a milder code beside": {
			policy.Outlook{Judgement: judgement(casefile.L6, casefile.VE03, casefile.VE10), Strikes: number(0), CanNotify: true},
			[]string{"Nothing happens yet: L6 needs 2 people who agree.", "The account is terminated, without an end date.", "Its identifiers are blocked from signing up again.", "The account gets a strike for 180 days, its number 1.", told, closes},
		},
		"a minor": {
			policy.Outlook{Judgement: minor, Strikes: number(0), CanNotify: true},
			[]string{"The account is warned; nothing is restricted.", "No strike is given; the account has 0 strikes.", "A minor or a person at risk seems to be concerned: hand the support path on.", told, closes},
		},
		"label": {
			policy.Outlook{Judgement: judgement(casefile.L2, casefile.VE12), Strikes: number(0), CanNotify: true, Grace: 90 * time.Second},
			[]string{"The account's posts are labelled or shown to fewer people.", "No strike is given; the account has 0 strikes.", told, "The decision can be withdrawn for 90 seconds.", closes},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, policy.Consequences(c.in))
		})
	}
}
