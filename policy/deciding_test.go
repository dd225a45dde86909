package policy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/examples"
)

// leadFile is a rule file with a queue for leads and whatever stands below it.
func leadFile(more string) string {
	return strings.Replace(ruleFile(""), "on_unknown:", "  - {name: lead, title: Leads, roles: [lead], deadline: 24h}\non_unknown:", 1) + more
}

func TestDeciding(t *testing.T) {
	t.Parallel()
	l6 := []casefile.Action{casefile.L6}
	for name, c := range map[string]struct {
		text string
		draw int
		want casefile.Deciding
	}{
		"nothing said":           {ruleFile(""), 7, casefile.Deciding{TwoActions: l6, Draw: 7}},
		"a queue named lead":     {leadFile(""), 0, casefile.Deciding{TwoActions: l6, LeadQueue: "lead"}},
		"lead is for others too": {strings.Replace(leadFile(""), "roles: [lead]", "roles: [senior, lead]", 1), 0, casefile.Deciding{TwoActions: l6}},
		"another queue":          {strings.Replace(leadFile("lead_queue: chiefs\n"), "name: lead", "name: chiefs", 1), 0, casefile.Deciding{TwoActions: l6, LeadQueue: "chiefs"}},
		"L6 is always in":        {ruleFile("") + "deciding: {two_people: {actions: [L5]}}\n", 0, casefile.Deciding{TwoActions: []casefile.Action{casefile.L5, casefile.L6}}},
		"in the ladder's order": {
			ruleFile("") + "deciding: {two_people: {actions: [L6, L4, L0], policies: [VE-11, VE-07]}}\n", 0,
			casefile.Deciding{TwoActions: []casefile.Action{casefile.L0, casefile.L4, casefile.L6}, TwoPolicies: []casefile.PolicyCode{casefile.VE07, casefile.VE11}},
		},
		"a share":              {ruleFile("") + "deciding: {sample: 0.051}\n", 999, casefile.Deciding{TwoActions: l6, SamplePermille: 51, Draw: 999}},
		"all":                  {ruleFile("") + "deciding: {sample: 1}\n", 999, casefile.Deciding{TwoActions: l6, SamplePermille: 1000, Draw: 999}},
		"a draw that is none":  {ruleFile("") + "deciding: {sample: 0.001}\n", 1000, casefile.Deciding{TwoActions: l6, SamplePermille: 1}},
		"a draw below nothing": {ruleFile("") + "deciding: {}\n", -1, casefile.Deciding{TwoActions: l6}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := load(t, c.text)
			got := s.Deciding(c.draw)
			require.Equal(t, c.want, got)
			require.Equal(t, c.want.LeadQueue, s.LeadQueue())
			got.TwoActions[0] = casefile.LX
			require.Equal(t, c.want, s.Deciding(c.draw), "the caller owns what it gets")
			require.Equal(t, 2, s.Deciding(999).PeopleDue(judgement(casefile.L6, casefile.VE03)))
		})
	}
}

// TestSampleIsTheShareSaid: of a thousand draws, just the share is asked about.
func TestSampleIsTheShareSaid(t *testing.T) {
	t.Parallel()
	for _, permille := range []int{0, 1, 2, 29, 49, 50, 51, 57, 100, 101, 115, 290, 333, 500, 570, 999, 1000} {
		s := load(t, ruleFile("")+fmt.Sprintf("deciding: {sample: %d.%03d}\n", permille/1000, permille%1000))
		second := 0
		for draw := range 1000 {
			if s.Deciding(draw).PeopleDue(judgement(casefile.L2, casefile.VE12)) == 2 {
				second++
			}
		}
		require.Equal(t, permille, second)
	}
}

func TestShippedDeciding(t *testing.T) {
	t.Parallel()
	s, err := policy.Default()
	require.NoError(t, err)
	require.Equal(t, casefile.Deciding{TwoActions: []casefile.Action{casefile.L6}, SamplePermille: 50, Draw: 3, LeadQueue: "lead"}, s.Deciding(3))
	q, ok := s.Queue("lead")
	require.True(t, ok)
	require.Equal(t, "Missed deadlines and adjudication", q.Title)
	require.Equal(t, []casefile.Role{casefile.RoleLead}, q.Roles)
	require.Equal(t, "review", s.AppealTeam())
	require.Equal(t, 50, s.AlreadyDecidedSample())
}

func TestAlreadyDecidedSample(t *testing.T) {
	t.Parallel()
	require.Equal(t, 1000, load(t, ruleFile("")).AlreadyDecidedSample(), "a file that says nothing leaves every case to people")
	require.Equal(t, 250, load(t, ruleFile("")+"already_decided: {sample: 0.25}\n").AlreadyDecidedSample())
	require.Empty(t, load(t, ruleFile("")).AppealTeam())
	require.Equal(t, "second line", load(t, ruleFile("")+"appeals: {team: second line}\n").AppealTeam())
}

// TestNewSectionsChangeTheVersion: what decides differently is another rule set; a file from before
// the sections keeps its version (testdata/route.json holds one).
func TestNewSectionsChangeTheVersion(t *testing.T) {
	t.Parallel()
	seen := map[string]string{load(t, leadFile("")).Version(): "nothing more"}
	for _, more := range []string{
		"appeals: {team: x}\n", "deciding: {sample: 0.1}\n", "deciding: {two_people: {actions: [L5]}}\n", "deciding: {two_people: {policies: [VE-07]}}\n",
		"already_decided: {sample: 0.1}\n", autoFile(`{id: a, when: "flags.count > 1", sample: 0.1}`, ""), autoFile(`{id: a, when: "flags.count > 1", sample: 0.2}`, ""),
		autoFile("", `{id: a, when: "flags.count > 1", sample: 0.1, action: L1, policy: VE-09}`),
		strings.Replace(autoFile(`{id: a, when: "flags.count > 1", sample: 0.1}`, ""), "per_hour: 20", "per_hour: 21", 1),
	} {
		version := load(t, leadFile(more)).Version()
		require.Empty(t, seen[version], more)
		seen[version] = more
	}
	require.Equal(t, load(t, leadFile("")).Version(), load(t, leadFile("lead_queue: lead\n")).Version(), "the default said aloud")
	require.Equal(t,
		load(t, leadFile("deciding: {two_people: {actions: [L6, L5]}}\n")).Version(),
		load(t, leadFile("deciding: {two_people: {actions: [L5]}}\n")).Version(), "what is always in")
}

// autoFile makes an automatic section of rules written as flow mappings.
func autoFile(closeRules, actRules string) string {
	return "automatic: {close: [" + closeRules + "], act: [" + actRules + "], breaker: {per_hour: 20, share: 0.1, min_cases: 50}}\n"
}

func TestLoadRefusesDeciding(t *testing.T) {
	t.Parallel()
	const closing, acting = `{id: a, when: "flags.count > 1", sample: 0.05}`, `{id: a, when: "flags.count > 1", sample: 0.1, action: L2, policy: VE-09}`
	swap := func(s, from, to string) string { return strings.Replace(s, from, to, 1) }
	for name, c := range map[string]struct{ more, field, says string }{
		"no such lead queue":      {"lead_queue: chiefs\n", "lead_queue", `no queue "chiefs"`},
		"lead queue for all":      {"lead_queue: main\n", "lead_queue", "must be [lead]"},
		"lead queue a list":       {"lead_queue: [lead]\n", "lead_queue", "must be text"},
		"appeals of nobody":       {"appeals: {}\n", "appeals.team", "required"},
		"appeals unknown field":   {"appeals: {team: x, queue: y}\n", "appeals.queue", "no such field"},
		"deciding unknown field":  {"deciding: {people: 2}\n", "deciding.people", "no such field"},
		"two people unknown":      {"deciding: {two_people: {roles: [lead]}}\n", "deciding.two_people.roles", "no such field"},
		"two people of nothing":   {"deciding: {two_people: {actions: []}}\n", "deciding.two_people.actions", "at least one"},
		"action twice":            {"deciding: {two_people: {actions: [L5, L5]}}\n", "deciding.two_people.actions[1]", "twice"},
		"legal order":             {"deciding: {two_people: {actions: [LX]}}\n", "deciding.two_people.actions[0]", "must be one of L0"},
		"no such code":            {"deciding: {two_people: {policies: [VE-13]}}\n", "deciding.two_people.policies[0]", "must be one of VE-00"},
		"sample over all":         {"deciding: {sample: 1.001}\n", "deciding.sample", "from 0 to 1"},
		"sample below nothing":    {"deciding: {sample: -0.001}\n", "deciding.sample", "from 0 to 1"},
		"sample of four decimals": {"deciding: {sample: 0.0505}\n", "deciding.sample", "three decimals"},
		"sample in per cent":      {"deciding: {sample: 5%}\n", "deciding.sample", "share"},
		"sample no number":        {"deciding: {sample: .nan}\n", "deciding.sample", "share"},
		"sample as text":          {"deciding: {sample: \"0.05\"}\n", "deciding.sample", "share"},
		"already decided, no one": {"already_decided: {sample: 0.049}\n", "already_decided.sample", "from 0.05 to 1"},
		"already decided, share":  {"already_decided: {}\n", "already_decided.sample", "required"},

		"automatic unknown field": {"automatic: {release: []}\n", "automatic.release", "no such field"},
		"automatic as a list":     {"automatic: []\n", "automatic", "mapping"},
		"no breaker":              {"automatic: {close: [" + closing + "]}\n", "automatic.breaker", "required"},
		"half a breaker":          {swap(autoFile(closing, ""), ", min_cases: 50", ""), "automatic.breaker.min_cases", "required"},
		"breaker of nothing":      {swap(autoFile(closing, ""), "per_hour: 20", "per_hour: 0"), "automatic.breaker.per_hour", "from 1"},
		"breaker of no share":     {swap(autoFile(closing, ""), "share: 0.1,", "share: 0,"), "automatic.breaker.share", "from 0.001"},
		"close sampled too little": {
			autoFile(swap(closing, "0.05", "0.049"), ""), "automatic.close[0].sample", "from 0.05 to 1"},
		"close not sampled":       {autoFile(swap(closing, ", sample: 0.05", ""), ""), "automatic.close[0].sample", "required"},
		"close with an action":    {autoFile(swap(closing, "}", ", action: L0}"), ""), "automatic.close[0].action", "no such field"},
		"close everything":        {autoFile(swap(closing, "flags.count > 1", "true"), ""), "automatic.close[0].when", "matches everything"},
		"close without condition": {autoFile(`{id: a, sample: 0.1}`, ""), "automatic.close[0].when", "required"},
		"act for longer":          {autoFile("", swap(acting, "L2", "L3")), "automatic.act[0].action", "only L1, L2"},
		"act of removal":          {autoFile("", swap(acting, "L2", "L4")), "automatic.act[0].action", "only L1, L2"},
		"act of nothing":          {autoFile("", swap(acting, "L2", "L0")), "automatic.act[0].action", "only L1, L2"},
		"act on the unclear":      {autoFile("", swap(acting, "VE-09", "VE-12")), "automatic.act[0].policy", "takes only VE-01, VE-02, VE-04"},
		"act on no violation":     {autoFile("", swap(acting, "VE-09", "VE-00")), "automatic.act[0].policy", "takes only"},
		"act on an entity":        {autoFile("", swap(acting, "VE-09", "VE-03")), "automatic.act[0].policy", "takes only"},
		"label not sampled":       {autoFile("", swap(acting, "0.1", "0")), "automatic.act[0].sample", "from 0.001"},
		"condition of no type":    {autoFile("", swap(acting, "flags.count > 1", "flags.count")), "automatic.act[0].when", "int where bool"},
		"condition misspelt":      {autoFile(swap(closing, "flags.count > 1", "known('scores')"), ""), "automatic.close[0].when", `no finding "scores"`},
		"one name, two rules":     {autoFile(closing, acting), "automatic.act[0].id", "twice"},
		"a routing rule's name":   {autoFile(swap(closing, "id: a", "id: rest"), ""), "automatic.close[0].id", "twice"},
		"a name that is kept":     {autoFile(swap(closing, "id: a", "id: on_unknown"), ""), "automatic.close[0].id", "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Load(strings.NewReader(leadFile(c.more)), "rules.yaml")
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "rules.yaml line ")
			var faults casefile.Faults
			require.True(t, errors.As(err, &faults))
			require.Len(t, faults, 1, "%v", faults)
			require.Equal(t, c.field, faults[0].Field)
		})
	}
}

func TestExampleOfAutomaticRulesLoads(t *testing.T) {
	t.Parallel()
	s, err := policy.Load(strings.NewReader(string(examples.Automatic())), "automatic.yaml")
	require.NoError(t, err)
	require.Equal(t, casefile.Deciding{
		TwoActions: []casefile.Action{casefile.L5, casefile.L6}, TwoPolicies: []casefile.PolicyCode{casefile.VE07}, SamplePermille: 50, LeadQueue: "lead",
	}, s.Deciding(0))
	q, ok := s.Queue("grave")
	require.True(t, ok)
	require.Equal(t, "first-line", q.Team)
}
