package policy

import (
	"time"

	"github.com/docket-triage/docket/casefile"
)

// Input is what routing rules see of a case: codes, counts and findings, nobody's words.
type Input struct {
	Platform string
	OpenedAt time.Time
	Flags    FlagSummary
	Findings []casefile.FindingCode
}

// FlagSummary sums the case's flags up.
type FlagSummary struct {
	Count    int                   // flags in the case
	Weight   float64               // highest total weight of one flag
	Policies []casefile.PolicyCode // of the flags' reasons, without repeats, in order
	Rules    []string              // of the flags' reasons, without repeats, sorted
	Posts    int                   // different evidence posts
	// Lost is how many flags of the case could not be opened. Conditions do not see it; nothing is
	// automatic where it is above zero.
	Lost int
}
