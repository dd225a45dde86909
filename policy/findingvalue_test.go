package policy_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/classify/mitigation"
	"github.com/docket-triage/docket/policy"
)

// TestScoreValues: rules can read every value that a score gives.
func TestScoreValues(t *testing.T) {
	t.Parallel()
	s := classify.Score{Top: []classify.PostScore{{}}, Policies: map[casefile.PolicyCode]float64{}}
	for _, c := range casefile.PolicyCodes {
		s.Policies[c] = 0.5
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(s.Values())), policy.FindingValues(casefile.FindingScore))
}

// TestMitigationValues: rules can read the counts of the mitigations that are looked for.
func TestMitigationValues(t *testing.T) {
	t.Parallel()
	r := mitigation.Find(casefile.Account{}, nil)
	require.ElementsMatch(t, slices.Collect(maps.Keys(r.Values())), policy.FindingValues(casefile.FindingMitigations))
}

func TestFindingValues(t *testing.T) {
	t.Parallel()
	for _, kind := range []casefile.FindingKind{
		casefile.FindingHistory, casefile.FindingEarlierCases, casefile.FindingStrikes,
		casefile.FindingScore, casefile.FindingLookAlike, casefile.FindingMitigations,
	} {
		require.NotEmpty(t, policy.FindingValues(kind), kind)
	}
	require.Nil(t, policy.FindingValues("horoscope"))
}
