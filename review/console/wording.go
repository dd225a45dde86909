package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// moment takes what templates hold times as.
func moment(at any) (time.Time, bool) {
	switch t := at.(type) {
	case time.Time:
		return t, true
	case *time.Time:
		if t != nil {
			return *t, true
		}
	}
	return time.Time{}, false
}

func formatMoment(at any, format func(time.Time) string) (string, error) {
	t, ok := moment(at)
	if !ok {
		return "", fmt.Errorf("not a moment: %T", at)
	}
	return format(t), nil
}

// countOf writes a number that a stream may not have told: unknown is not zero.
func countOf(n *int64) string {
	if n == nil {
		return "not known"
	}
	return strconv.FormatInt(*n, 10)
}

// personOf writes a pseudonym, "you" for the person's own.
func personOf(p casefile.Person, me casefile.Person) string {
	switch {
	case p == "":
		return "automatic"
	case p == me:
		return "you"
	}
	return string(p)
}

// pair is a named value in a fixed order.
type pair struct{ Name, Value string }

// pairs orders named values, numbers or words.
func pairs(m any) []pair {
	var out []pair
	switch values := m.(type) {
	case map[string]float64:
		for name, x := range values {
			out = append(out, pair{name, formatFloat(x)})
		}
	case map[string]string:
		for name, s := range values {
			out = append(out, pair{name, s})
		}
	}
	slices.SortFunc(out, func(a, b pair) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func joinCodes(codes any) string {
	switch list := codes.(type) {
	case []casefile.PolicyCode:
		return joinOf(list)
	case []casefile.Role:
		return joinOf(list)
	case []string:
		return strings.Join(list, ", ")
	}
	return ""
}

func joinOf[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = string(x)
	}
	return strings.Join(parts, ", ")
}

// short is the beginning of a hash, enough to tell versions apart.
func short(s string) string {
	if len(s) > 12 {
		return s[:12]
	}
	return s
}

func sizeOf(n int64) string {
	switch {
	case n <= 0:
		return "size not known"
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

var findingTitles = map[casefile.FindingKind]string{
	casefile.FindingHistory:      "Posts in the history",
	casefile.FindingEarlierCases: "Earlier cases",
	casefile.FindingStrikes:      "Strikes",
	casefile.FindingScore:        "Score of its posts",
	casefile.FindingLookAlike:    "Look-alike handles",
	casefile.FindingMitigations:  "Signs of a legitimate context",
}

func findingTitle(k casefile.FindingKind) string {
	if t, ok := findingTitles[k]; ok {
		return t
	}
	return string(k)
}

// valueLabels are the names of findings' values in plain words.
var valueLabels = map[string]string{
	"posts": "posts", "reposts": "reposts", "replies": "replies", "days": "days covered",
	"closed": "closed", "violations": "with a violation", "highest_action": "highest step of the ladder",
	"live": "not lapsed", "account": "account", "max": "highest post", "accounts": "accounts",
}

// valueLabel writes the name of a value; one of a policy code by its code.
func valueLabel(name string) string {
	if l, ok := valueLabels[name]; ok {
		return l
	}
	if code, ok := strings.CutPrefix(name, "p_"); ok {
		return strings.ToUpper(strings.ReplaceAll(code, "_", "-"))
	}
	return name
}

var stateText = map[casefile.State]string{
	casefile.StateNew:     "findings are being gathered",
	casefile.StateQueued:  "waits in its queue",
	casefile.StateClaimed: "claimed",
	casefile.StateDecided: "decided",
	casefile.StateProven:  "decided and proven",
	casefile.StateClosed:  "closed",
}

func stateWords(s casefile.State) string {
	if t, ok := stateText[s]; ok {
		return t
	}
	return string(s)
}

var decisionText = map[casefile.DecisionState]string{
	casefile.DecisionGrace:     "can still be withdrawn",
	casefile.DecisionWithdrawn: "withdrawn",
	casefile.DecisionRecorded:  "on the ledger and proven",
	casefile.DecisionExecuting: "being carried out",
	casefile.DecisionDone:      "carried out",
	casefile.DecisionUncertain: "an act's outcome could not be established: a person must look",
	casefile.DecisionFailed:    "an act was refused for good",
	casefile.DecisionUndone:    "taken back",
}

func decisionWords(s casefile.DecisionState) string {
	if t, ok := decisionText[s]; ok {
		return t
	}
	return string(s)
}

var actText = map[casefile.ActKind]string{
	casefile.ActWarn: "warn the account", casefile.ActLabel: "label the posts", casefile.ActLimit: "limit features",
	casefile.ActRemovePost: "remove a post", casefile.ActSuspend: "suspend the account",
	casefile.ActTerminate: "terminate the account", casefile.ActBlockIdentifiers: "block its identifiers",
}

func actWords(k casefile.ActKind) string {
	if t, ok := actText[k]; ok {
		return t
	}
	return string(k)
}

// maxTotal is as far as a search counts.
const maxTotal = 10_000

// totalOf says how many cases a search found.
func totalOf(p *review.CasePage) string {
	switch {
	case p.Total == nil:
		return strconv.Itoa(len(p.Cases))
	case *p.Total >= maxTotal:
		return "10,000 or more"
	}
	return strconv.Itoa(*p.Total)
}

// tally says how many findings there are, and how many of them are not known.
func tally(findings []casefile.Finding) string {
	n := map[casefile.FindingStatus]int{}
	for _, f := range findings {
		n[f.Status]++
	}
	out := strconv.Itoa(len(findings))
	for _, s := range []casefile.FindingStatus{casefile.StatusFailed, casefile.StatusUnknown} {
		if n[s] > 0 {
			out += fmt.Sprintf(", %d %s", n[s], s)
		}
	}
	return out
}

// liveStrikes gives the number of strikes that have not lapsed; "" when it is not known.
func liveStrikes(f *casefile.Finding) string {
	n, told := f.Values["live"]
	if f.Status != casefile.StatusKnown || !told {
		return ""
	}
	return formatFloat(n)
}
