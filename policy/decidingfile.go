package policy

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/docket-triage/docket/casefile"
)

// defaultLeadQueue is the queue for leads where the file names none, if there is such a queue.
const defaultLeadQueue = "lead"

// leastCloseSample is the least share, in thousandths, of the cases that a rule would close of which
// people look at all the same.
const leastCloseSample = 50

// maxAutoRules bounds each list of automatic rules.
const maxAutoRules = 100

// maxPerHour bounds a breaker's count and its least number of cases.
const maxPerHour = 1_000_000

type decidingSpec struct {
	TwoActions     []casefile.Action     `json:"two_actions"` // L6 among them, whatever the file says
	TwoPolicies    []casefile.PolicyCode `json:"two_policies,omitempty"`
	SamplePermille int                   `json:"sample_permille"`
}

type sampleSpec struct {
	SamplePermille int `json:"sample_permille"`
}

type automaticSpec struct {
	Close   []autoSpec   `json:"close,omitempty"`
	Act     []autoSpec   `json:"act,omitempty"`
	Breaker *breakerSpec `json:"breaker,omitempty"`
}

type autoSpec struct {
	ID             string              `json:"id"`
	When           string              `json:"when"`
	Action         casefile.Action     `json:"action"`
	Policy         casefile.PolicyCode `json:"policy"`
	SamplePermille int                 `json:"sample_permille"`

	whenLine int
}

type breakerSpec struct {
	PerHour       int `json:"per_hour"`
	SharePermille int `json:"share_permille"`
	MinCases      int `json:"min_cases"`
}

// readDeciding reads who decides: the queue for leads, the team of appeals, what takes two people.
func (r *ruleReader) readDeciding(m map[string]*yaml.Node, f *ruleFile) {
	f.LeadQueue = r.leadQueue(m["lead_queue"], f.Queues)
	if n := m["appeals"]; n != nil {
		f.AppealTeam = r.text(r.mapping(n, "appeals", []string{"team"}, nil)["team"], "appeals.team")
	}
	if n := m["deciding"]; n != nil {
		f.Deciding = r.deciding(n)
	}
	if n := m["already_decided"]; n != nil {
		sample := r.mapping(n, "already_decided", []string{"sample"}, nil)["sample"]
		f.AlreadyDecided = &sampleSpec{SamplePermille: r.permille(sample, "already_decided.sample", leastCloseSample)}
	}
}

func (r *ruleReader) leadQueue(n *yaml.Node, queues []queueSpec) string {
	name := r.text(n, "lead_queue")
	if n == nil {
		name = defaultLeadQueue
	}
	i := slices.IndexFunc(queues, func(q queueSpec) bool { return q.Name == name })
	leads := i >= 0 && slices.Equal(queues[i].Roles, []casefile.Role{casefile.RoleLead})
	switch {
	case leads:
		return name
	case n == nil || name == "":
		return "" // a queue that happens to have the name is like any other
	case i < 0:
		r.bad(n, "lead_queue", "there is no queue %q", name)
	default:
		r.bad(n, "lead_queue", "the roles of the queue %q must be [lead] and no other", name)
	}
	return ""
}

func (r *ruleReader) deciding(n *yaml.Node) *decidingSpec {
	m := r.mapping(n, "deciding", nil, []string{"two_people", "sample"})
	spec := &decidingSpec{SamplePermille: r.permille(m["sample"], "deciding.sample", 0)}
	two := map[string]*yaml.Node{}
	if m["two_people"] != nil {
		two = r.mapping(m["two_people"], "deciding.two_people", nil, []string{"actions", "policies"})
	}
	opinions := slices.DeleteFunc(slices.Clone(casefile.Actions), func(a casefile.Action) bool { return a == casefile.LX })
	chosen := oneOfEach(r, two["actions"], "deciding.two_people.actions", opinions)
	// L6 takes two people whatever a file says. The ladder's order, so that the file's makes no version.
	spec.TwoActions = slices.DeleteFunc(opinions, func(a casefile.Action) bool { return a != casefile.L6 && !slices.Contains(chosen, a) })
	spec.TwoPolicies = oneOfEach(r, two["policies"], "deciding.two_people.policies", casefile.PolicyCodes)
	slices.Sort(spec.TwoPolicies)
	return spec
}

// oneOfEach reads a list of names out of those allowed, none of them twice.
func oneOfEach[T ~string](r *ruleReader, n *yaml.Node, field string, allowed []T) []T {
	var out []T
	for i, x := range r.items(n, field, len(allowed)) {
		at := fmt.Sprintf("%s[%d]", field, i)
		name := T(x.Value)
		switch {
		case x.Kind != yaml.ScalarNode || !slices.Contains(allowed, name):
			r.bad(x, at, "must be one of %s", listed(allowed))
		case slices.Contains(out, name):
			r.bad(x, at, "stands twice")
		default:
			out = append(out, name)
		}
	}
	return out
}

func listed[T ~string](names []T) string {
	parts := make([]string, len(names))
	for i, x := range names {
		parts[i] = string(x)
	}
	return strings.Join(parts, ", ")
}

// automatic reads the automatic rules. ids are the names that are taken.
func (r *ruleReader) automatic(n *yaml.Node, ids map[string]bool) *automaticSpec {
	if n == nil {
		return nil
	}
	m := r.mapping(n, "automatic", nil, []string{"close", "act", "breaker"})
	spec := &automaticSpec{}
	read := func(key string, one func(*yaml.Node, string) autoSpec) (out []autoSpec) {
		for i, x := range r.itemsOrNone(m[key], "automatic."+key, maxAutoRules) {
			field := fmt.Sprintf("automatic.%s[%d]", key, i)
			a := one(x, field)
			if a.ID != "" && ids[a.ID] {
				r.bad(x, field+".id", "the id %q stands twice: one name means one rule", a.ID)
			}
			ids[a.ID] = true
			out = append(out, a)
		}
		return out
	}
	spec.Close = read("close", r.closeRule)
	spec.Act = read("act", r.actRule)
	switch {
	case m["breaker"] != nil:
		spec.Breaker = r.breaker(m["breaker"])
	case len(spec.Close)+len(spec.Act) > 0:
		r.bad(n, "automatic.breaker", "required where there is an automatic rule")
	}
	return spec
}

// autoRule reads what both sorts of automatic rule have.
func (r *ruleReader) autoRule(n *yaml.Node, field string, more ...string) (autoSpec, map[string]*yaml.Node) {
	m := r.mapping(n, field, append([]string{"id", "when", "sample"}, more...), nil)
	a := autoSpec{ID: r.name(m["id"], field+".id"), When: r.text(m["when"], field+".when")}
	if m["when"] != nil {
		a.whenLine = m["when"].Line
	}
	if a.When == "true" {
		r.bad(m["when"], field+".when", "matches everything: a rule that decides by itself must say what")
	}
	return a, m
}

func (r *ruleReader) closeRule(n *yaml.Node, field string) autoSpec {
	a, m := r.autoRule(n, field)
	a.Action, a.Policy = casefile.L0, casefile.VE00
	a.SamplePermille = r.permille(m["sample"], field+".sample", leastCloseSample)
	return a
}

func (r *ruleReader) actRule(n *yaml.Node, field string) autoSpec {
	a, m := r.autoRule(n, field, "action", "policy")
	a.Action = pick(r, m["action"], field+".action", autoActions)
	a.Policy = pick(r, m["policy"], field+".policy", autoPolicies)
	least := 0
	if a.Action == casefile.L2 {
		least = 1 // a restriction: some are always checked
	}
	a.SamplePermille = r.permille(m["sample"], field+".sample", least)
	return a
}

// pick reads one name out of those allowed; "" with a fault for any other.
func pick[T ~string](r *ruleReader, n *yaml.Node, field string, allowed []T) T {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || !slices.Contains(allowed, T(n.Value)) {
		r.bad(n, field, "an automatic rule takes only %s", listed(allowed))
		return ""
	}
	return T(n.Value)
}

func (r *ruleReader) breaker(n *yaml.Node) *breakerSpec {
	m := r.mapping(n, "automatic.breaker", []string{"per_hour", "share", "min_cases"}, nil)
	return &breakerSpec{
		PerHour:       r.integer(m["per_hour"], "automatic.breaker.per_hour", 1, maxPerHour),
		SharePermille: r.permille(m["share"], "automatic.breaker.share", 1),
		MinCases:      r.integer(m["min_cases"], "automatic.breaker.min_cases", 1, maxPerHour),
	}
}
