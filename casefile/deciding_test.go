package casefile_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

const (
	anna = casefile.Person("p-anna0000")
	bert = casefile.Person("p-bert0000")
	cleo = casefile.Person("p-cleo0000")
)

func by(p casefile.Person, a casefile.Action, codes ...casefile.PolicyCode) casefile.Opinion {
	j := judgement(a)
	if len(codes) > 0 {
		j.Policies = codes
	}
	return casefile.Opinion{Person: p, Judgement: j}
}

func days(o casefile.Opinion, n int) casefile.Opinion {
	o.Days = n
	return o
}

func TestPromise04Settle(t *testing.T) {
	t.Parallel()
	otherTier := by(bert, casefile.L6)
	otherTier.EntityTier, otherTier.Mitigations = casefile.E1, answers(casefile.M1)
	rules := casefile.Deciding{TwoActions: []casefile.Action{casefile.L2}, TwoPolicies: []casefile.PolicyCode{casefile.VE02}, SamplePermille: 50, Draw: 50}
	sampled := rules
	sampled.Draw = 49
	decided := func(how casefile.DecidedBy, standing int) casefile.Settlement {
		return casefile.Settlement{Next: casefile.NextDecided, By: how, Standing: standing}
	}
	second, adjudicate := casefile.Settlement{Next: casefile.NextSecond}, casefile.Settlement{Next: casefile.NextAdjudicate}
	cases := map[string]struct {
		opinions []casefile.Opinion
		rules    casefile.Deciding
		want     casefile.Settlement
	}{
		"none":                             {nil, rules, casefile.Settlement{Next: casefile.NextOpinion}},
		"one":                              {[]casefile.Opinion{by(anna, casefile.L5)}, rules, decided(casefile.ByOneOpinion, 0)},
		"one for nothing":                  {[]casefile.Opinion{by(anna, casefile.L0)}, rules, decided(casefile.ByOneOpinion, 0)},
		"one of the share":                 {[]casefile.Opinion{by(anna, casefile.L0)}, sampled, second},
		"one whose action takes two":       {[]casefile.Opinion{by(anna, casefile.L2)}, rules, second},
		"one whose code takes two":         {[]casefile.Opinion{by(anna, casefile.L5, casefile.VE02)}, rules, second},
		"one whose further code does":      {[]casefile.Opinion{by(anna, casefile.L5, casefile.VE08, casefile.VE02)}, rules, decided(casefile.ByOneOpinion, 0)},
		"one for the end":                  {[]casefile.Opinion{by(anna, casefile.L6)}, casefile.Deciding{}, second},
		"two for the end":                  {[]casefile.Opinion{by(anna, casefile.L6), by(bert, casefile.L6)}, rules, decided(casefile.ByTwoOpinions, 0)},
		"the same person twice":            {[]casefile.Opinion{by(anna, casefile.L6), by(anna, casefile.L6)}, rules, adjudicate},
		"two who differ on the action":     {[]casefile.Opinion{by(anna, casefile.L6), by(bert, casefile.L5)}, rules, adjudicate},
		"two who differ on the policy":     {[]casefile.Opinion{by(anna, casefile.L6), by(bert, casefile.L6, casefile.VE03)}, rules, adjudicate},
		"two, the second's term shorter":   {[]casefile.Opinion{days(by(anna, casefile.L5), 30), days(by(bert, casefile.L5), 7)}, rules, decided(casefile.ByTwoOpinions, 1)},
		"two, the second's term longer":    {[]casefile.Opinion{days(by(anna, casefile.L5), 7), days(by(bert, casefile.L5), 30)}, rules, decided(casefile.ByTwoOpinions, 0)},
		"two who differ on further codes":  {[]casefile.Opinion{by(anna, casefile.L6), by(bert, casefile.L6, casefile.VE08)}, rules, decided(casefile.ByTwoOpinions, 0)},
		"two who differ on tier, answers":  {[]casefile.Opinion{by(anna, casefile.L6), otherTier}, rules, decided(casefile.ByTwoOpinions, 0)},
		"two of whom one names no policy":  {[]casefile.Opinion{by(anna, casefile.L6), {Person: bert, Judgement: casefile.Judgement{Action: casefile.L6}}}, rules, adjudicate},
		"two, neither of whom names a one": {[]casefile.Opinion{{Person: anna}, {Person: bert}}, rules, adjudicate},
		"a third":                          {[]casefile.Opinion{by(anna, casefile.L6), by(bert, casefile.L5), by(cleo, casefile.L1)}, rules, decided(casefile.ByAdjudication, 2)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, err := json.Marshal(c.opinions)
			require.NoError(t, err)
			require.Equal(t, c.want, casefile.Settle(c.opinions, c.rules))
			after, err := json.Marshal(c.opinions)
			require.NoError(t, err)
			require.JSONEq(t, string(before), string(after))
		})
	}
}

func TestPromise04CheckBackers(t *testing.T) {
	t.Parallel()
	end, less := by(anna, casefile.L6), by(bert, casefile.L5)
	require.NoError(t, casefile.CheckBackers([]casefile.Opinion{end, less}, judgement(casefile.L6)))
	require.NoError(t, casefile.CheckBackers([]casefile.Opinion{less, less}, judgement(casefile.L5)))
	require.NoError(t, casefile.CheckBackers(nil, judgement(casefile.L6)), "a first opinion waits for a second anyway")
	err := casefile.CheckBackers([]casefile.Opinion{less, by(cleo, casefile.L4)}, judgement(casefile.L6))
	require.Equal(t, casefile.CodeNeedsSecond, casefile.ErrorCode(err))
}

func TestReplaces(t *testing.T) {
	t.Parallel()
	early, late := then, then.AddDate(0, 0, 1)
	act := func(k casefile.ActKind) casefile.Act { return casefile.Act{Kind: k} }
	limit := func(u *casefile.Act) casefile.Act { return *u }
	a, b := casefile.Act{Kind: casefile.ActSuspend, Until: &early}, casefile.Act{Kind: casefile.ActSuspend, Until: &late}
	for name, c := range map[string]struct {
		newer, older casefile.Act
		want         bool
	}{
		"termination over suspension": {act(casefile.ActTerminate), a, true},
		"suspension over limit":       {act(casefile.ActSuspend), act(casefile.ActLimit), true},
		"limit over suspension":       {act(casefile.ActLimit), act(casefile.ActSuspend), false},
		"a later end":                 {b, a, true},
		"an earlier end":              {a, b, false},
		"no end":                      {act(casefile.ActSuspend), a, true},
		"the same":                    {limit(&a), a, false},
		"a removed post":              {act(casefile.ActRemovePost), a, false},
		"a warning":                   {act(casefile.ActTerminate), act(casefile.ActWarn), false},
	} {
		require.Equal(t, c.want, c.newer.Replaces(c.older), name)
	}
}
