package policy

import (
	"slices"

	"github.com/docket-triage/docket/casefile"
)

// findingValues are the values that each kind of finding may hold, by their fixed names. A rule
// that reads any other is refused when it is loaded, because it could never match.
var findingValues = map[casefile.FindingKind][]string{
	casefile.FindingHistory:      {"posts", "days"},
	casefile.FindingEarlierCases: {"cases", "actioned"},
	casefile.FindingStrikes:      {"count"},
	casefile.FindingScore:        scoreValues(),
	casefile.FindingLookAlike:    {"count"},
	casefile.FindingMitigations:  {"max", "news", "research", "counter_speech"},
}

// scoreValues are the account's score, the number of posts scored and one probability a code.
func scoreValues() []string {
	names := []string{"max", "posts"}
	for _, c := range casefile.PolicyCodes {
		names = append(names, string(c))
	}
	return names
}

// FindingValues lists the names of the values that rules may read of a kind of finding; nil for a
// kind that there is not.
func FindingValues(kind casefile.FindingKind) []string { return slices.Clone(findingValues[kind]) }
