package console

import (
	"slices"
	"strconv"
	"strings"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/review"
)

// comparison lays two opinions that differ side by side, for whoever settles them.
type comparison struct {
	First, Second review.OpinionView // in the order in which they were given
	Rows          []compared
	// Differ names in words what they differ in.
	Differ []string
}

// compared is one field of both.
type compared struct {
	Label, First, Second string
	Differs              bool
}

// compare finds the two opinions of a case that a lead is to settle; nil where there are not two that
// the person may see.
func compare(view review.CaseView) *comparison {
	if view.Stage != casefile.StageAdjudication || view.Decision != nil {
		return nil
	}
	var live []review.OpinionView
	for _, o := range view.Opinions {
		if !o.Void {
			live = append(live, o)
		}
	}
	if len(live) < 2 {
		return nil
	}
	slices.SortStableFunc(live, func(a, b review.OpinionView) int { return a.At.Compare(b.At) })
	c := &comparison{First: live[0], Second: live[1]}
	a, b := c.First, c.Second
	c.row("Action", string(a.Action)+" "+actionName(a.Action), string(b.Action)+" "+actionName(b.Action))
	if a.Days > 0 || b.Days > 0 {
		c.row("Days", daysOf(a.Days), daysOf(b.Days))
	}
	c.row("Code that it rests on", firstCode(a.Policies), firstCode(b.Policies))
	if len(a.Policies) > 1 || len(b.Policies) > 1 {
		c.row("Further codes", furtherCodes(a.Policies), furtherCodes(b.Policies))
	}
	c.row("Entity tier", string(a.EntityTier), string(b.EntityTier))
	for _, m := range policy.Mitigations() {
		c.row(string(m.Mitigation)+" "+m.Name, string(a.Mitigations[m.Mitigation]), string(b.Mitigations[m.Mitigation]))
	}
	c.row("Relies on", reliedWords(a.Relied, view.Evidence), reliedWords(b.Relied, view.Evidence))
	return c
}

func (c *comparison) row(label, first, second string) {
	r := compared{Label: label, First: first, Second: second, Differs: first != second}
	c.Rows = append(c.Rows, r)
	if r.Differs {
		code, _, _ := strings.Cut(label, " ")
		if !casefile.Mitigation(code).Valid() {
			label = strings.ToLower(label[:1]) + label[1:]
		}
		c.Differ = append(c.Differ, label)
	}
}

func daysOf(n int) string {
	if n == 0 {
		return "no number of days"
	}
	return strconv.Itoa(n) + " days"
}

func firstCode(codes []casefile.PolicyCode) string {
	if len(codes) == 0 {
		return "none"
	}
	return string(codes[0])
}

// furtherCodes lists the others in the taxonomy's order, so that two lists of the same read the same.
func furtherCodes(codes []casefile.PolicyCode) string {
	if len(codes) < 2 {
		return "none"
	}
	return joinOf(slices.Sorted(slices.Values(codes[1:])))
}

// reliedWords names what an opinion relies on by the numbers that the posts have on the page.
func reliedWords(relied []string, posts []review.EvidencePost) string {
	var numbers []int
	profile, others := false, 0
	for _, id := range relied {
		i := slices.IndexFunc(posts, func(p review.EvidencePost) bool { return p.Event.ID == id })
		switch {
		case id == casefile.EvidenceProfile:
			profile = true
		case i < 0:
			others++
		default:
			numbers = append(numbers, i+1)
		}
	}
	slices.Sort(numbers)
	var parts []string
	for _, n := range numbers {
		parts = append(parts, "post "+strconv.Itoa(n))
	}
	if profile {
		parts = append(parts, "the profile")
	}
	if others > 0 {
		parts = append(parts, strconv.Itoa(others)+" not shown here")
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
