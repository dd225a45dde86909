package policy

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"

	"github.com/docket-triage/docket/casefile"
)

//go:embed rules/routing.yaml
var defaultRules []byte

// DefaultRulesName is the file name of the rule set that Docket ships.
const DefaultRulesName = "routing.yaml"

// OnUnknown is the rule that a route names when the rule set's on_unknown gave it.
const OnUnknown = "on_unknown"

// ValueUndecided is the name in a route's values under which the rules stand, by their ids, that
// could not be decided because a finding was not known.
const ValueUndecided = "undecided"

const (
	maxSeverity   = 7
	maxConfidence = 3
)

// Queue is one queue of a rule set.
type Queue struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Deadline is how long after its opening a case should be decided.
	Deadline time.Duration `json:"deadline"`
	// Team works the queue; "" for everybody. Roles may take cases from it.
	Team  string          `json:"team,omitempty"`
	Roles []casefile.Role `json:"roles"`
}

// RuleSet is a loaded and checked set of routing rules. It never changes; safe for concurrent use.
type RuleSet struct {
	version   string
	canonical []byte
	queues    []Queue
	onUnknown rule
	rules     []rule

	deciding       casefile.Deciding // without a draw
	appealTeam     string
	alreadyDecided int // thousandths
	closes, acts   []autoRule
}

type rule struct {
	id         string
	when       cel.Program // nil for on_unknown
	queue      string
	severity   int
	confidence int
	// confidenceOf computes the confidence where the file gives an expression; nil otherwise.
	confidenceOf cel.Program
	tier         casefile.Tier
	due          time.Duration // to first touch
	deadline     time.Duration // to the decision: the queue's
}

// Default loads the rule set that Docket ships.
func Default() (*RuleSet, error) {
	return Load(bytes.NewReader(defaultRules), DefaultRulesName)
}

// DefaultRules gives the text of the shipped rule file, as a starting point for one's own.
func DefaultRules() []byte { return slices.Clone(defaultRules) }

// Load reads a rule file (docs/formats/routing-rules.md) and checks all of it: fields, names, and
// every expression's syntax, types and cost. Faults come all at once as casefile.Faults of
// CodeInvalid, each with its field, name and line; CodeTooLarge is a file over 1 MiB.
func Load(r io.Reader, name string) (*RuleSet, error) {
	f, rr, err := readRuleFile(r, name)
	if err != nil {
		return nil, err
	}
	env, err := newEnvironment()
	if err != nil {
		return nil, fmt.Errorf("make the language of conditions: %w", err)
	}
	s := &RuleSet{deciding: f.decidingRules(), appealTeam: f.AppealTeam, alreadyDecided: f.alreadyDecided()}
	for _, q := range f.Queues {
		s.queues = append(s.queues, Queue{
			Name: q.Name, Title: q.Title, Deadline: time.Duration(q.DeadlineSeconds) * time.Second, Team: q.Team, Roles: q.Roles,
		})
	}
	s.onUnknown = s.newRule(f.OnUnknown)
	for i, spec := range f.Rules {
		made := s.newRule(spec)
		made.when, err = compile(env, spec.When, cel.BoolType)
		if err != nil {
			rr.badLine(spec.whenLine, fmt.Sprintf("rules[%d].when", i), "%s", err)
		}
		if spec.confidenceLine > 0 {
			made.confidenceOf, err = compile(env, spec.Confidence, cel.IntType)
			if err != nil {
				rr.badLine(spec.confidenceLine, fmt.Sprintf("rules[%d].confidence", i), "%s", err)
			}
		}
		s.rules = append(s.rules, made)
	}
	if f.Automatic != nil {
		s.closes = f.Automatic.compile(f.Automatic.Close, "automatic.close", env, rr)
		s.acts = f.Automatic.compile(f.Automatic.Act, "automatic.act", env, rr)
	}
	err = rr.faults.Err()
	if err != nil {
		return nil, err
	}
	s.canonical, err = casefile.Canonical(f)
	if err != nil {
		return nil, fmt.Errorf("bring %s into canonical form: %w", name, err)
	}
	sum := sha256.Sum256(s.canonical)
	s.version = hex.EncodeToString(sum[:])
	return s, nil
}

func (s *RuleSet) newRule(spec ruleSpec) rule {
	q, _ := s.Queue(spec.Queue) // the reader refused a queue that is not there
	r := rule{
		id: spec.ID, queue: spec.Queue, severity: spec.Severity, tier: spec.Tier,
		due: time.Duration(spec.DueSeconds) * time.Second, deadline: q.Deadline,
	}
	if spec.confidenceLine == 0 {
		r.confidence, _ = strconv.Atoi(spec.Confidence) // the reader wrote it from a number
	}
	return r
}

// Version is the lower-case hexadecimal SHA-256 of Canonical.
func (s *RuleSet) Version() string { return s.version }

// Canonical is the rule file as canonical JSON: what a publisher keeps, and what Version is the
// hash of. Comments and layout of the file do not count.
func (s *RuleSet) Canonical() []byte { return slices.Clone(s.canonical) }

// Queues lists the queues in the order of the file. The caller owns the result.
func (s *RuleSet) Queues() []Queue {
	out := slices.Clone(s.queues)
	for i := range out {
		out[i].Roles = slices.Clone(out[i].Roles)
	}
	return out
}

// Queue gives the queue of a name; ok is false where the rule set has none. The caller owns the result.
func (s *RuleSet) Queue(name string) (q Queue, ok bool) {
	i := slices.IndexFunc(s.queues, func(q Queue) bool { return q.Name == name })
	if i < 0 {
		return Queue{}, false
	}
	q = s.queues[i]
	q.Roles = slices.Clone(q.Roles)
	return q, true
}

// Route sends a case where the first matching rule says. It is pure: the same input gives the same
// route.
//
// A condition whose truth hangs on a finding that is not known does not match: its rule is
// undecided, which the route's values say. Where an undecided rule would have been more severe than
// the one that matched, the case goes by on_unknown if that is more severe, and no later than by the
// rule that matched: so an unknown never makes a case look harmless. An unknown confidence is 0.
//
// DueAt is the rule's due after the opening, else 15 minutes for flash, an hour for urgent, 24 hours
// for alert and the queue's deadline for routine, never after DecideBy. DecideBy is the opening and
// the queue's deadline.
//
// Errors are CodeInvalid: no opening time, or a kind of finding twice.
func (s *RuleSet) Route(in Input) (casefile.Route, error) {
	if in.OpenedAt.IsZero() {
		return casefile.Route{}, casefile.Invalid("opened_at", "required")
	}
	v, err := newView(&in)
	if err != nil {
		return casefile.Route{}, err
	}
	var undecided []string
	missed := map[string]string{}
	gravest := -1
	for _, r := range s.rules {
		v.reset()
		out, _, err := r.when.Eval(v)
		if err != nil || types.IsUnknown(out) {
			// An expression that ends in an error says as little as one on an unknown finding.
			undecided = append(undecided, r.id)
			gravest = max(gravest, r.severity)
			for k, why := range v.missed {
				missed[k] = why
			}
			continue
		}
		if out != types.True {
			continue
		}
		if gravest > r.severity && s.onUnknown.severity > r.severity {
			r = s.onUnknown.noLaterThan(r)
		}
		return s.route(r, in, v, undecided, missed), nil
	}
	return casefile.Route{}, casefile.Errorf(casefile.CodeInternal, "no rule matched, though the last one matches everything")
}

// tiers orders the tiers, the soonest first.
var tiers = []casefile.Tier{casefile.TierFlash, casefile.TierUrgent, casefile.TierAlert, casefile.TierRoutine}

// noLaterThan is r with the sooner of its times and those of other.
func (r rule) noLaterThan(other rule) rule {
	if slices.Index(tiers, other.tier) < slices.Index(tiers, r.tier) {
		r.tier = other.tier
	}
	r.due, r.deadline = min(r.due, other.due), min(r.deadline, other.deadline)
	return r
}

func (s *RuleSet) route(r rule, in Input, v *view, undecided []string, missed map[string]string) casefile.Route {
	confidence := r.confidence
	if r.confidenceOf != nil {
		out, _, err := r.confidenceOf.Eval(v)
		n, ok := out.(types.Int)
		if err == nil && ok {
			confidence = int(min(max(n, 0), maxConfidence))
		}
	}
	values := missed
	for k, x := range v.read {
		values[k] = x
	}
	if len(undecided) > 0 {
		values[ValueUndecided] = strings.Join(undecided, " ")
	}
	return casefile.Route{
		Queue: r.queue, Severity: r.severity, Confidence: confidence, Tier: r.tier,
		DueAt: in.OpenedAt.UTC().Add(r.due), DecideBy: in.OpenedAt.UTC().Add(r.deadline), Rule: r.id, RuleSet: s.version, Values: values,
	}
}
