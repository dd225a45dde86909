package policy

import (
	"slices"

	"github.com/docket-triage/docket/casefile"
)

// maxDraw is how many thousandths there are to draw from.
const maxDraw = 1000

// Deciding is what the rule set says about how a case is decided: which opinions take a second person
// (L6 always among them), the share of all others that a second person is asked about in the same way,
// and the queue for leads, "" where there is none: a case that only a lead may take then stays in the
// queue in which it stands.
//
// draw was drawn for the case at random, once, from 0 to 999; any other number counts as 0, which
// belongs to every sample. The caller owns the result.
func (s *RuleSet) Deciding(draw int) casefile.Deciding {
	if draw < 0 || draw >= maxDraw {
		draw = 0
	}
	d := s.deciding
	d.TwoActions, d.TwoPolicies, d.Draw = slices.Clone(d.TwoActions), slices.Clone(d.TwoPolicies), draw
	return d
}

// LeadQueue names the queue of missed deadlines and of adjudication, "" where there is none. Only
// leads may take cases from it.
func (s *RuleSet) LeadQueue() string { return s.deciding.LeadQueue }

// AppealTeam is the team that looks at appeals (Regulation (EU) 2022/2065, Article 20(6): qualified
// staff), "" for everybody who may.
func (s *RuleSet) AppealTeam() string { return s.appealTeam }

// AlreadyDecidedSample is the share, in thousandths (50 to 1000), of cases with nothing new in them
// that people look at all the same. It is 1000, all of them, where the rule file says nothing about it.
func (s *RuleSet) AlreadyDecidedSample() int { return s.alreadyDecided }

func (f ruleFile) decidingRules() casefile.Deciding {
	d := casefile.Deciding{TwoActions: []casefile.Action{casefile.L6}, LeadQueue: f.LeadQueue}
	if f.Deciding != nil {
		d.TwoActions, d.TwoPolicies, d.SamplePermille = f.Deciding.TwoActions, f.Deciding.TwoPolicies, f.Deciding.SamplePermille
	}
	return d
}

func (f ruleFile) alreadyDecided() int {
	if f.AlreadyDecided == nil {
		return maxDraw
	}
	return f.AlreadyDecided.SamplePermille
}
