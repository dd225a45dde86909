package policy

import (
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// findingKinds are all kinds of finding: what must be known before anything is automatic.
var findingKinds = []casefile.FindingKind{
	casefile.FindingHistory, casefile.FindingEarlierCases, casefile.FindingStrikes,
	casefile.FindingScore, casefile.FindingLookAlike, casefile.FindingMitigations,
}

// findingValues are the values that each kind of finding may hold, by their fixed names. A rule
// that reads any other is refused when it is loaded, because it could never match.
var findingValues = map[casefile.FindingKind][]string{
	casefile.FindingHistory:      {"posts", "reposts", "replies", "days"},
	casefile.FindingEarlierCases: {"closed", "violations", "highest_action", "items", "items_new"},
	casefile.FindingStrikes:      {"live"},
	casefile.FindingScore:        scoreValues(),
	casefile.FindingLookAlike:    {"accounts"},
	casefile.FindingMitigations:  {"M1", "M2", "M3", "M4"}, // those that are looked for
}

// scoreValues are the account's score, the highest and the mean of its posts', the number of posts
// scored, and one probability for each policy code ("p_VE_07").
func scoreValues() []string {
	names := []string{"score", "max", "mean", "posts"}
	for _, c := range casefile.PolicyCodes {
		names = append(names, "p_"+strings.ReplaceAll(string(c), "-", "_"))
	}
	return names
}

// FindingValues lists the names of the values that rules may read of a kind of finding; nil for a
// kind that there is not.
func FindingValues(kind casefile.FindingKind) []string { return slices.Clone(findingValues[kind]) }
