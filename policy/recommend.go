package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// RecommendInput is what the recommended step is worked out from.
type RecommendInput struct {
	// Policies are the codes that apply; the gravest floor among them counts.
	Policies   []casefile.PolicyCode
	EntityTier casefile.EntityTier
	// Strikes is how many strikes of the account have not lapsed; nil (or below zero) where that is not
	// known, never 0 for it.
	Strikes *int
	// LastActions are the actions of the account's last decisions, the newest first. Those that give no
	// strike are passed over; a strike whose action is not among them counts as the lightest.
	LastActions []casefile.Action
}

// Recommendation is the step of the ladder that policy recommends. It decides nothing: a person may
// give another action, and says why.
type Recommendation struct {
	// Action is "" where none can be recommended; Reason says why. Days is above zero for L3 and L5.
	Action casefile.Action
	Days   int
	// Sum are the points of the strikes that have not lapsed; 0 where they are not known.
	Sum int
	// Reason says in plain words how it comes about, and from how many points on it would be another.
	Reason string
	// Unknown says that something that could raise it was not known, so that it is the floor alone.
	Unknown bool
}

// threshold is what the points of an account's strikes add to a floor from that many points on.
type threshold struct {
	points int
	steps  int // steps of the ladder above the floor
	limits int // days of L3
	term   int // days of L5
}

var thresholds = []threshold{
	{points: 0, steps: 0, limits: 7, term: 30},
	{points: 1, steps: 1, limits: 14, term: 90},
	{points: 3, steps: 2, limits: 30, term: 180},
	{points: 5, steps: 2, limits: 30, term: 365},
}

// strikePoints gives the points of the account's live strikes, the newest first.
func strikePoints(strikes int, actions []casefile.Action) int {
	sum := 0
	for _, a := range actions {
		step, ok := LookupStep(a)
		if strikes == 0 || !ok || step.StrikePoints == 0 {
			continue
		}
		sum += step.StrikePoints
		strikes--
	}
	return sum + strikes // those not told, one point each
}

// step gives the action and its days for a code from a threshold on. Strikes never raise it to L6: an
// account is ended for what it did now.
func (t threshold) step(c Code) (a casefile.Action, days int) {
	highest := min(c.Max.Severity(), casefile.L5.Severity())
	a = casefile.Actions[max(c.Min.Severity(), min(c.Min.Severity()+t.steps, highest))]
	switch a {
	case casefile.L3:
		days = t.limits
	case casefile.L5:
		days = t.term
	}
	return a, days
}

// Recommend gives the step that policy recommends: the gravest floor of the codes, raised by the
// strikes that have not lapsed (90 days for L4, 180 for L5 and L6), within what the code allows, and
// to L6 only where that is the floor itself. Where the strikes are not known it is the floor alone,
// and Reason says so. It is pure.
func Recommend(in RecommendInput) Recommendation {
	code, refused := gravest(in.Policies)
	network := slices.Contains(in.Policies, casefile.VE11)
	switch {
	case refused != "":
		return Recommendation{Reason: refused, Unknown: network}
	case code.Code == casefile.VE00:
		return Recommendation{Action: casefile.L0, Reason: "VE-00 (No violation): nothing is done, whatever strikes there are."}
	}
	strikes, known := 0, in.Strikes != nil && *in.Strikes >= 0
	if known {
		strikes = *in.Strikes
	}
	r := Recommendation{Sum: strikePoints(strikes, in.LastActions), Unknown: !known || network}
	at := 0
	for i, t := range thresholds {
		if r.Sum >= t.points {
			at = i
		}
	}
	r.Action, r.Days = thresholds[at].step(code)

	said := []string{fmt.Sprintf("%s (%s) calls for %s.", code.Code, code.Name, strings.TrimSuffix(code.Floor, "."))}
	if network {
		said = append(said, "VE-11 takes the floor of the account that it continues, which is not known here: it may be higher.")
	}
	step := withDays(r.Action, r.Days)
	switch {
	case r.Action == casefile.L6:
		said = append(said, "So it is L6, which takes two people, whatever strikes there are.")
		if !known {
			said = append(said, "The account's strikes are not known.")
		}
	case !known:
		said = append(said, fmt.Sprintf("The account's strikes are not known, so the floor alone counts: %s.", step))
	case strikes == 0:
		said = append(said, fmt.Sprintf("The account has no strike that has not lapsed: %s.", step), nextStep(r, code, at))
	default:
		said = append(said, fmt.Sprintf("The account has %s (1 point for a removal, 2 for a suspension, 3 for a termination) from %s not lapsed: %s.",
			count(r.Sum, "point"), plural(strikes, "strike that has", "strikes that have"), step), nextStep(r, code, at))
	}
	if r.Action != casefile.L6 && code.Max == casefile.L6 && known {
		said = append(said, fmt.Sprintf("L6 is open to %s too, but strikes alone do not bring it about.", code.Code))
	}
	if designated[code.Code] && in.EntityTier != casefile.E1 && in.EntityTier != casefile.E2 {
		tier := string(in.EntityTier)
		if tier == "" {
			tier = "not chosen"
		}
		said = append(said, fmt.Sprintf("%s speaks of a designated entity (E1 or E2), and the entity tier here is %s: see whether the code fits.", code.Code, tier))
	}
	r.Reason = strings.Join(said, " ")
	return r
}

// designated are the codes whose floor of L6 rests on a designated entity.
var designated = map[casefile.PolicyCode]bool{casefile.VE03: true, casefile.VE04: true}

// nextStep says from how many points on the recommendation is another.
func nextStep(r Recommendation, code Code, at int) string {
	for _, t := range thresholds[at+1:] {
		a, days := t.step(code)
		if a != r.Action || days != r.Days {
			return fmt.Sprintf("From %s on it is %s.", count(t.points, "point"), withDays(a, days))
		}
	}
	return "More strikes do not change it."
}

func withDays(a casefile.Action, days int) string {
	if days == 0 {
		return string(a)
	}
	return fmt.Sprintf("%s for %s", a, count(days, "day"))
}

// gravest gives the code with the highest floor, the first of several; refused says why there is none.
func gravest(codes []casefile.PolicyCode) (code Code, refused string) {
	for _, c := range codes {
		next, ok := LookupCode(c)
		switch {
		case !ok:
			return Code{}, fmt.Sprintf("%q is not a policy code.", c)
		case c == casefile.VE00 && len(codes) > 1: // it excludes the others: they count
		case next.Min == "":
			refused = string(c) + " takes the floor of the account that it continues, which is not known here: look that account up."
		case code.Code == "" || next.Min.Severity() > code.Min.Severity():
			code = next
		}
	}
	switch {
	case code.Code != "":
		return code, ""
	case refused != "":
		return Code{}, refused
	}
	return Code{}, "No policy code is chosen yet."
}
