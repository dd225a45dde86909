package policy

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/docket-triage/docket/casefile"
)

// Limits of a rule file.
const (
	maxRuleFileBytes = 1 << 20
	maxRules         = 1000
	maxQueues        = 100
	maxDue           = 90 * day
)

// ruleFileVersion is the only version of the file format so far.
const ruleFileVersion = 1

// ruleFile is what a rule file says. Its canonical JSON is what the version of a rule set is the
// hash of: comments, order of keys and white space do not count.
type ruleFile struct {
	Version   int         `json:"version"`
	Queues    []queueSpec `json:"queues"`
	OnUnknown ruleSpec    `json:"on_unknown"`
	Rules     []ruleSpec  `json:"rules"`

	// What follows is left out where the file says nothing of it, so that files from before it keep
	// their version.
	LeadQueue      string         `json:"lead_queue,omitempty"`
	AppealTeam     string         `json:"appeal_team,omitempty"`
	Deciding       *decidingSpec  `json:"deciding,omitempty"`
	AlreadyDecided *sampleSpec    `json:"already_decided,omitempty"`
	Automatic      *automaticSpec `json:"automatic,omitempty"`
}

type queueSpec struct {
	Name            string          `json:"name"`
	Title           string          `json:"title"`
	DeadlineSeconds int64           `json:"deadline_seconds"`
	Team            string          `json:"team,omitempty"`
	Roles           []casefile.Role `json:"roles"`
}

type ruleSpec struct {
	ID         string        `json:"id"`
	When       string        `json:"when,omitempty"`
	Queue      string        `json:"queue"`
	Severity   int           `json:"severity"`
	Confidence string        `json:"confidence"` // a number, or a CEL expression
	Tier       casefile.Tier `json:"tier"`
	DueSeconds int64         `json:"due_seconds"`

	whenLine, confidenceLine int
}

// ruleReader decodes a rule file by hand, so that every fault names its field and its line.
type ruleReader struct {
	file   string
	faults casefile.Faults
}

// readRuleFile decodes and checks everything but the expressions.
func readRuleFile(r io.Reader, name string) (ruleFile, *ruleReader, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxRuleFileBytes+1))
	if err != nil {
		return ruleFile{}, nil, fmt.Errorf("read rule file %s: %w", name, err)
	}
	if len(data) > maxRuleFileBytes {
		return ruleFile{}, nil, casefile.Errorf(casefile.CodeTooLarge, "%s: rule file over %d bytes", name, maxRuleFileBytes)
	}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc yaml.Node
	err = dec.Decode(&doc)
	if err != nil {
		return ruleFile{}, nil, &casefile.Error{Code: casefile.CodeInvalid, Message: name + ": not YAML", Err: err}
	}
	var more yaml.Node
	err = dec.Decode(&more)
	if !errors.Is(err, io.EOF) {
		return ruleFile{}, nil, casefile.Errorf(casefile.CodeInvalid, "%s: more than one YAML document", name)
	}
	rr := &ruleReader{file: name}
	f := rr.readFile(doc.Content[0])
	return f, rr, rr.faults.Err()
}

func (r *ruleReader) bad(n *yaml.Node, field, format string, args ...any) {
	r.badLine(n.Line, field, format, args...)
}

func (r *ruleReader) badLine(line int, field, format string, args ...any) {
	r.faults = append(r.faults, casefile.Invalid(field, "%s line %d: %s", r.file, line, fmt.Sprintf(format, args...)))
}

// mapping gives the values of a mapping by key. Keys that are not allowed, stand twice or are
// missing are faults; a missing one that is required gives none.
func (r *ruleReader) mapping(n *yaml.Node, field string, required, optional []string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		r.bad(n, field, "must be a mapping")
		return nil
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := join(field, k.Value)
		switch {
		case k.Kind != yaml.ScalarNode || (!slices.Contains(required, k.Value) && !slices.Contains(optional, k.Value)):
			r.bad(k, name, "there is no such field; the fields are %s", strings.Join(append(slices.Clone(required), optional...), ", "))
		case out[k.Value] != nil:
			r.bad(k, name, "stands twice")
		default:
			out[k.Value] = v
		}
	}
	for _, k := range required {
		if out[k] == nil {
			r.bad(n, join(field, k), "required")
		}
	}
	return out
}

func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

// text reads a scalar as it is written; "" when it is absent.
func (r *ruleReader) text(n *yaml.Node, field string) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
		r.bad(n, field, "must be text")
		return ""
	}
	return strings.TrimSpace(n.Value)
}

func (r *ruleReader) name(n *yaml.Node, field string) string {
	s := r.text(n, field)
	if s != "" && (len(s) > 64 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "") {
		r.bad(n, field, "must be 1 to 64 of a-z, 0-9, '-' and '_'")
	}
	return s
}

func (r *ruleReader) integer(n *yaml.Node, field string, low, high int) int {
	if n == nil {
		return low
	}
	x, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || x < low || x > high {
		r.bad(n, field, "must be a whole number from %d to %d", low, high)
		return low
	}
	return x
}

// seconds reads a duration such as 15m or 24h; fallback when it is absent.
func (r *ruleReader) seconds(n *yaml.Node, field string, fallback time.Duration) int64 {
	if n == nil {
		return int64(fallback / time.Second)
	}
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || d < time.Second || d > maxDue || d%time.Second != 0 {
		r.bad(n, field, "must be a duration from 1s to %s in whole seconds, such as 15m or 24h", maxDue)
		return int64(fallback / time.Second)
	}
	return int64(d / time.Second)
}

// permille reads a share of 1 in thousandths, from least to 1000; least when it is absent.
func (r *ruleReader) permille(n *yaml.Node, field string, least int) int {
	if n == nil {
		return least
	}
	x, err := strconv.ParseFloat(n.Value, 64)
	thousandths := math.Round(x * 1000)
	// Three decimals times 1000 differ from a whole number by rounding alone.
	exact := math.Abs(x*1000-thousandths) < 1e-6
	if n.Kind != yaml.ScalarNode || (n.Tag != "!!float" && n.Tag != "!!int") || err != nil || !exact ||
		thousandths < float64(least) || thousandths > 1000 {
		r.bad(n, field, "must be a share from %s to 1, to three decimals", formatNumber(float64(least)/1000))
		return least
	}
	return int(thousandths)
}

func (r *ruleReader) items(n *yaml.Node, field string, most int) []*yaml.Node {
	if n != nil && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.bad(n, field, "must be a list with at least one item")
		return nil
	}
	return r.itemsOrNone(n, field, most)
}

// itemsOrNone is items where a list may be empty.
func (r *ruleReader) itemsOrNone(n *yaml.Node, field string, most int) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.bad(n, field, "must be a list")
		return nil
	}
	if len(n.Content) > most {
		r.bad(n, field, "%d items; the limit is %d", len(n.Content), most)
		return nil
	}
	return n.Content
}

func (r *ruleReader) readFile(n *yaml.Node) ruleFile {
	m := r.mapping(n, "", []string{"version", "queues", "on_unknown", "rules"},
		[]string{"lead_queue", "appeals", "deciding", "already_decided", "automatic"})
	f := ruleFile{Version: r.integer(m["version"], "version", ruleFileVersion, ruleFileVersion)}
	deadlines := map[string]time.Duration{}
	for i, q := range r.items(m["queues"], "queues", maxQueues) {
		field := fmt.Sprintf("queues[%d]", i)
		spec := r.queue(q, field)
		_, twice := deadlines[spec.Name]
		if twice {
			r.bad(q, field+".name", "the queue %q stands twice", spec.Name)
		}
		deadlines[spec.Name] = time.Duration(spec.DeadlineSeconds) * time.Second
		f.Queues = append(f.Queues, spec)
	}
	if m["on_unknown"] != nil {
		f.OnUnknown = r.rule(m["on_unknown"], "on_unknown", deadlines)
	}
	seen := map[string]bool{OnUnknown: true}
	items := r.items(m["rules"], "rules", maxRules)
	for i, n := range items {
		field := fmt.Sprintf("rules[%d]", i)
		spec := r.rule(n, field, deadlines)
		if seen[spec.ID] {
			r.bad(n, field+".id", "the id %q stands twice or is kept for the rule set itself", spec.ID)
		}
		seen[spec.ID] = true
		last := i == len(items)-1
		switch {
		case last && spec.When != "true":
			r.bad(n, field+".when", "the last rule must be the one for everything else: when: \"true\"")
		case !last && spec.When == "true":
			r.bad(n, field+".when", "matches everything: no rule after it would ever be reached")
		}
		f.Rules = append(f.Rules, spec)
	}
	r.readDeciding(m, &f)
	f.Automatic = r.automatic(m["automatic"], seen)
	return f
}

func (r *ruleReader) queue(n *yaml.Node, field string) queueSpec {
	m := r.mapping(n, field, []string{"name", "title", "roles"}, []string{"deadline", "team"})
	q := queueSpec{
		Name:            r.name(m["name"], field+".name"),
		Title:           r.text(m["title"], field+".title"),
		DeadlineSeconds: r.seconds(m["deadline"], field+".deadline", defaultDeadline),
		Team:            r.text(m["team"], field+".team"),
	}
	for i, x := range r.items(m["roles"], field+".roles", len(casefile.Roles)) {
		role := casefile.Role(x.Value)
		if x.Kind != yaml.ScalarNode || !role.Valid() || role == casefile.RoleService {
			r.bad(x, fmt.Sprintf("%s.roles[%d]", field, i), "not a role that a person may hold")
			continue
		}
		q.Roles = append(q.Roles, role)
	}
	return q
}

// rule reads a rule, or the route of on_unknown, which has no id and no condition.
func (r *ruleReader) rule(n *yaml.Node, field string, deadlines map[string]time.Duration) ruleSpec {
	required := []string{"queue", "severity", "confidence", "tier"}
	fallback := field == OnUnknown
	if !fallback {
		required = append([]string{"id", "when"}, required...)
	}
	m := r.mapping(n, field, required, []string{"due"})
	spec := ruleSpec{ID: OnUnknown, Queue: r.text(m["queue"], field+".queue")}
	if !fallback {
		spec.ID = r.name(m["id"], field+".id")
		spec.When = r.text(m["when"], field+".when")
		if m["when"] != nil {
			spec.whenLine = m["when"].Line
		}
	}
	deadline, ok := deadlines[spec.Queue]
	if !ok && spec.Queue != "" {
		r.bad(m["queue"], field+".queue", "there is no queue %q", spec.Queue)
	}
	spec.Severity = r.integer(m["severity"], field+".severity", 0, maxSeverity)
	c := m["confidence"]
	switch {
	case c == nil:
	case c.Tag == "!!int" || fallback:
		spec.Confidence = strconv.Itoa(r.integer(c, field+".confidence", 0, maxConfidence))
	default:
		spec.Confidence = r.text(c, field+".confidence")
		spec.confidenceLine = c.Line
	}
	spec.Tier = casefile.Tier(r.text(m["tier"], field+".tier"))
	if m["tier"] != nil && !spec.Tier.Valid() {
		r.bad(m["tier"], field+".tier", "must be flash, urgent, alert or routine")
	}
	// A rule may say that a case is first looked at after it should be decided; no default does.
	due := defaultDue(spec.Tier, deadline)
	if ok {
		due = min(due, deadline)
	}
	spec.DueSeconds = r.seconds(m["due"], field+".due", due)
	return spec
}

// defaultDeadline is a queue's decision deadline where its file names none.
const defaultDeadline = 72 * time.Hour

// defaultDue is how long after its opening a case of the tier is first looked at where its rule says
// nothing.
func defaultDue(t casefile.Tier, deadline time.Duration) time.Duration {
	switch t {
	case casefile.TierFlash:
		return 15 * time.Minute
	case casefile.TierUrgent:
		return time.Hour
	case casefile.TierAlert:
		return day
	}
	return deadline
}
