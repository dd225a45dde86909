package policy_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
)

func TestRecommend(t *testing.T) {
	t.Parallel()
	n := func(n int) *int { return &n }
	codes := func(c ...casefile.PolicyCode) []casefile.PolicyCode { return c }
	last := func(a ...casefile.Action) []casefile.Action { return a }
	const points = "(1 point for a removal, 2 for a suspension, 3 for a termination)"
	for name, c := range map[string]struct {
		in   policy.RecommendInput
		want policy.Recommendation
	}{
		"first time": {
			policy.RecommendInput{Policies: codes(casefile.VE08), EntityTier: casefile.E1, Strikes: n(0)},
			policy.Recommendation{Action: casefile.L3, Days: 7, Reason: "VE-08 (Glorification) calls for L3 to L5. The account has no strike that has not lapsed: L3 for 7 days. From 1 point on it is L4."},
		},
		"after a removal": {
			policy.RecommendInput{Policies: codes(casefile.VE08), EntityTier: casefile.E1, Strikes: n(1), LastActions: last(casefile.L4)},
			policy.Recommendation{Action: casefile.L4, Sum: 1, Reason: "VE-08 (Glorification) calls for L3 to L5. The account has 1 point " + points + " from 1 strike that has not lapsed: L4. From 3 points on it is L5 for 180 days."},
		},
		"after a removal and a suspension": {
			policy.RecommendInput{Policies: codes(casefile.VE08), EntityTier: casefile.E1, Strikes: n(2), LastActions: last(casefile.L5, casefile.L4)},
			policy.Recommendation{Action: casefile.L5, Days: 180, Sum: 3, Reason: "VE-08 (Glorification) calls for L3 to L5. The account has 3 points " + points + " from 2 strikes that have not lapsed: L5 for 180 days. From 5 points on it is L5 for 365 days."},
		},
		"at the top": {
			policy.RecommendInput{Policies: codes(casefile.VE07), EntityTier: casefile.E0, Strikes: n(3), LastActions: last(casefile.L5, casefile.L5, casefile.L4)},
			policy.Recommendation{Action: casefile.L5, Days: 365, Sum: 5, Reason: "VE-07 (Incitement to violence) calls for L4 to L5. The account has 5 points " + points + " from 3 strikes that have not lapsed: L5 for 365 days. More strikes do not change it."},
		},
		"bounded by its code": {
			policy.RecommendInput{Policies: codes(casefile.VE10), Strikes: n(4)},
			policy.Recommendation{Action: casefile.L4, Sum: 4, Reason: "VE-10 (Violent hateful ideology) calls for L3 to L4. The account has 4 points " + points + " from 4 strikes that have not lapsed: L4. More strikes do not change it."},
		},
		"unclear": {
			policy.RecommendInput{Policies: codes(casefile.VE12), Strikes: n(1), LastActions: last(casefile.L6)},
			policy.Recommendation{Action: casefile.L2, Sum: 3, Reason: "VE-12 (Borderline or unclear reference) calls for L1 to L2, by a person only. The account has 3 points " + points + " from 1 strike that has not lapsed: L2. More strikes do not change it."},
		},
		"strikes unknown": {
			policy.RecommendInput{Policies: codes(casefile.VE08), EntityTier: casefile.E1, LastActions: last(casefile.L5)},
			policy.Recommendation{Action: casefile.L3, Days: 7, Unknown: true, Reason: "VE-08 (Glorification) calls for L3 to L5. The account's strikes are not known, so the floor alone counts: L3 for 7 days."},
		},
		"strikes below nothing": {
			policy.RecommendInput{Policies: codes(casefile.VE12), Strikes: n(-1)},
			policy.Recommendation{Action: casefile.L1, Unknown: true, Reason: "VE-12 (Borderline or unclear reference) calls for L1 to L2, by a person only. The account's strikes are not known, so the floor alone counts: L1."},
		},
		"strikes never end an account": {
			policy.RecommendInput{Policies: codes(casefile.VE05), EntityTier: casefile.E2, Strikes: n(9), LastActions: last(casefile.L6, casefile.L6)},
			policy.Recommendation{Action: casefile.L5, Days: 365, Sum: 13, Reason: "VE-05 (Recruitment or solicitation) calls for L5 to L6. The account has 13 points " + points + " from 9 strikes that have not lapsed: L5 for 365 days. More strikes do not change it. L6 is open to VE-05 too, but strikes alone do not bring it about."},
		},
		"where the floor is L6": {
			policy.RecommendInput{Policies: codes(casefile.VE08, casefile.VE03), EntityTier: casefile.E1, Strikes: n(0)},
			policy.Recommendation{Action: casefile.L6, Reason: "VE-03 (Entity representation) calls for L6. So it is L6, which takes two people, whatever strikes there are."},
		},
		"where the floor is L6, strikes unknown": {
			policy.RecommendInput{Policies: codes(casefile.VE01), EntityTier: casefile.E0},
			policy.Recommendation{Action: casefile.L6, Unknown: true, Reason: "VE-01 (Imminent credible threat) calls for L6, and escalate to the person on call at once. So it is L6, which takes two people, whatever strikes there are. The account's strikes are not known."},
		},
		"an entity that is not designated": {
			policy.RecommendInput{Policies: codes(casefile.VE04), EntityTier: casefile.E3, Strikes: n(0)},
			policy.Recommendation{Action: casefile.L6, Reason: "VE-04 (Material support and fundraising) calls for L6. So it is L6, which takes two people, whatever strikes there are. VE-04 speaks of a designated entity (E1 or E2), and the entity tier here is E3: see whether the code fits."},
		},
		"no entity chosen": {
			policy.RecommendInput{Policies: codes(casefile.VE03), Strikes: n(0)},
			policy.Recommendation{Action: casefile.L6, Reason: "VE-03 (Entity representation) calls for L6. So it is L6, which takes two people, whatever strikes there are. VE-03 speaks of a designated entity (E1 or E2), and the entity tier here is not chosen: see whether the code fits."},
		},
		"no violation": {
			policy.RecommendInput{Policies: codes(casefile.VE00)},
			policy.Recommendation{Action: casefile.L0, Reason: "VE-00 (No violation): nothing is done, whatever strikes there are."},
		},
		"network alone": {
			policy.RecommendInput{Policies: codes(casefile.VE11), Strikes: n(1)},
			policy.Recommendation{Unknown: true, Reason: "VE-11 takes the floor of the account that it continues, which is not known here: look that account up."},
		},
		"network beside": {
			policy.RecommendInput{Policies: codes(casefile.VE11, casefile.VE10), Strikes: n(0)},
			policy.Recommendation{Action: casefile.L3, Days: 7, Unknown: true, Reason: "VE-10 (Violent hateful ideology) calls for L3 to L4. VE-11 takes the floor of the account that it continues, which is not known here: it may be higher. The account has no strike that has not lapsed: L3 for 7 days. From 1 point on it is L4."},
		},
		"no code":      {policy.RecommendInput{Strikes: n(1)}, policy.Recommendation{Reason: "No policy code is chosen yet."}},
		"no such code": {policy.RecommendInput{Policies: codes("VE-13"), Strikes: n(1)}, policy.Recommendation{Reason: `"VE-13" is not a policy code.`}},
		"no violation beside one": {
			policy.RecommendInput{Policies: codes(casefile.VE00, casefile.VE12), Strikes: n(0)},
			policy.Recommendation{Action: casefile.L1, Reason: "VE-12 (Borderline or unclear reference) calls for L1 to L2, by a person only. The account has no strike that has not lapsed: L1. From 1 point on it is L2."},
		},
		"warnings give no points": {
			policy.RecommendInput{Policies: codes(casefile.VE12), Strikes: n(1), LastActions: last(casefile.L1, casefile.L3, casefile.L0, casefile.L5, casefile.L6)},
			policy.Recommendation{Action: casefile.L2, Sum: 2, Reason: "VE-12 (Borderline or unclear reference) calls for L1 to L2, by a person only. The account has 2 points " + points + " from 1 strike that has not lapsed: L2. More strikes do not change it."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, policy.Recommend(c.in))
		})
	}
}

// TestRecommendHoldsToTheTaxonomy: whatever the strikes, the step lies within the code's floor, is one
// that a person can give, and no strike lowers it; L6 comes from the floor alone; what is not known
// gives the floor.
func TestRecommendHoldsToTheTaxonomy(t *testing.T) {
	t.Parallel()
	for _, code := range policy.Taxonomy() {
		if code.Min == "" {
			continue
		}
		before := policy.Recommend(policy.RecommendInput{Policies: []casefile.PolicyCode{code.Code}})
		require.Equal(t, code.Min, before.Action, code.Code)
		for strikes := range 12 {
			for _, a := range []casefile.Action{casefile.L4, casefile.L5, casefile.L6} {
				got := policy.Recommend(policy.RecommendInput{Policies: []casefile.PolicyCode{code.Code}, Strikes: &strikes, LastActions: slices.Repeat([]casefile.Action{a}, strikes)})
				require.True(t, code.Fits(got.Action), "%s after %d: %s", code.Code, strikes, got.Action)
				require.Equal(t, code.Min == casefile.L6, got.Action == casefile.L6)
				require.False(t, got.Unknown)
				j := judgement(got.Action, code.Code)
				j.Days = got.Days
				require.Empty(t, j.Validate(), "%s after %d", code.Code, strikes)
				if a == casefile.L4 {
					require.GreaterOrEqual(t, got.Action.Severity(), before.Action.Severity())
					require.True(t, got.Action != before.Action || got.Days >= before.Days)
					before = got
				}
			}
		}
	}
}
