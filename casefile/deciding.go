package casefile

import "slices"

// Deciding is what policy says about how a case is decided. It is recorded with each assessment, so
// that a case is held to the rules that it was routed by.
type Deciding struct {
	// TwoActions and TwoPolicies say which opinions take a second person: by their action, or by the
	// code that they rest on. L6 always does.
	TwoActions  []Action     `json:"two_actions,omitempty"`
	TwoPolicies []PolicyCode `json:"two_policies,omitempty"`
	// SamplePermille is the share of all other opinions, in thousandths, that a second person is
	// asked about in the same way; Draw, 0 to 999, was drawn for this case.
	SamplePermille int `json:"sample_permille,omitempty"`
	Draw           int `json:"draw"`
	// LeadQueue is where cases go that only a lead may take: missed deadlines and adjudication.
	LeadQueue string `json:"lead_queue"`
}

// Sampled reports whether the case is one of the share that a second person looks at whatever the first says.
func (d Deciding) Sampled() bool { return d.Draw < d.SamplePermille }

// PeopleDue is how many people must form an opinion before one like j is decided: 1 or 2.
func (d Deciding) PeopleDue(j Judgement) int {
	switch {
	case j.Action.PeopleDue() > 1, slices.Contains(d.TwoActions, j.Action),
		len(j.Policies) > 0 && slices.Contains(d.TwoPolicies, j.Policies[0]), d.Sampled():
		return 2
	}
	return 1
}

// PeopleDue is how many people must stand behind a, whatever policy says.
func (a Action) PeopleDue() int {
	if a == L6 {
		return 2
	}
	return 1
}

// Settlement is what the opinions so far make of a case.
type Settlement struct {
	Next Next
	// By and Standing are set when Next is NextDecided: how it was settled, and the index of the
	// opinion that stands.
	By       DecidedBy
	Standing int
}

// Next is what a case needs after an opinion.
type Next string

// What may come next.
const (
	NextOpinion    Next = "opinion"    // a first opinion
	NextSecond     Next = "second"     // another person's, formed without sight of the first
	NextAdjudicate Next = "adjudicate" // a lead's, who sees both
	NextDecided    Next = "decided"
)

// Settle says what the opinions of one round make of a case. Two who agree on action and policy
// decide it; where their terms differ, the shorter stands. The third opinion stands by itself. It is
// pure.
func Settle(opinions []Opinion, d Deciding) Settlement {
	switch len(opinions) {
	case 0:
		return Settlement{Next: NextOpinion}
	case 1:
		if d.PeopleDue(opinions[0].Judgement) > 1 {
			return Settlement{Next: NextSecond}
		}
		return Settlement{Next: NextDecided, By: ByOneOpinion}
	case 2:
		first, second := opinions[0], opinions[1]
		if first.Person == second.Person || !first.Same(second.Judgement) {
			return Settlement{Next: NextAdjudicate}
		}
		s := Settlement{Next: NextDecided, By: ByTwoOpinions}
		if second.Days < first.Days {
			s.Standing = 1
		}
		return s
	}
	return Settlement{Next: NextDecided, By: ByAdjudication, Standing: 2}
}

// CheckBackers refuses an adjudicator's L6 that neither of the two before them spoke for: an account
// is ended only by two people. Nor does it stand on one opinion that the adjudicator has seen: two are
// formed apart first. The error is CodeNeedsSecond.
func CheckBackers(before []Opinion, j Judgement) error {
	if j.Action != L6 || len(before) == 0 {
		return nil
	}
	if len(before) < 2 {
		return &Error{Code: CodeNeedsSecond, Field: "action", Message: "L6 takes two people who judged without sight of each other, and you have seen the only opinion before yours"}
	}
	if !slices.ContainsFunc(before, func(o Opinion) bool { return o.Action == L6 }) {
		return &Error{Code: CodeNeedsSecond, Field: "action", Message: "L6 takes two people, and neither opinion before yours spoke for it"}
	}
	return nil
}
