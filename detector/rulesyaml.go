package detector

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/detector/fold"
)

// RulesVersion is the version of the rule file's format.
const RulesVersion = 1

// MaxRulesBytes is the longest rule file that is read.
const MaxRulesBytes = 4 << 20

// LoadRules reads a rule set in YAML (docs/formats/detector-rules.md) strictly: unknown fields and
// bad values are errors. The error is casefile.Faults, all of CodeInvalid, each naming a field and
// its line, or a single *casefile.Error where the file cannot be read as YAML at all.
func LoadRules(r io.Reader) (*Rules, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxRulesBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	if len(raw) > MaxRulesBytes {
		return nil, casefile.Errorf(casefile.CodeTooLarge, "the rules are longer than %d bytes", MaxRulesBytes)
	}
	dec := yaml.NewDecoder(strings.NewReader(string(raw)))
	var doc, second yaml.Node
	err = dec.Decode(&doc)
	if err != nil {
		return nil, casefile.Errorf(casefile.CodeInvalid, "not valid YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	err = dec.Decode(&second)
	if err != io.EOF {
		return nil, casefile.Errorf(casefile.CodeInvalid, "more than one YAML document")
	}
	d := &rulesDecoder{settings: DefaultSettings()}
	if len(doc.Content) != 1 {
		return nil, casefile.Errorf(casefile.CodeInvalid, "an empty YAML document")
	}
	d.file(doc.Content[0])
	d.checkReferences()
	err = d.faults.Err()
	if err != nil {
		return nil, err
	}
	return compile(d.settings, d.rules)
}

// rulesDecoder collects the rules of a file and all its faults.
type rulesDecoder struct {
	faults   casefile.Faults
	settings Settings
	rules    []Rule
	nodes    []*yaml.Node // of rules
	terms    int
	version  bool
}

func (d *rulesDecoder) bad(n *yaml.Node, field, format string, args ...any) {
	d.faults = append(d.faults, casefile.Invalid(field, "line %d: %s", n.Line, fmt.Sprintf(format, args...)))
}

// mapping hands each field of n to its reader; fields without one, repeated ones and anything that
// is not a mapping are faults.
func (d *rulesDecoder) mapping(n *yaml.Node, at string, readers map[string]func(v *yaml.Node, at string)) {
	if n.Kind != yaml.MappingNode {
		d.bad(n, at, "must be a mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		field := k.Value
		if at != "" {
			field = at + "." + k.Value
		}
		read := readers[k.Value]
		switch {
		case read == nil:
			d.bad(k, field, "unknown field")
		case seen[k.Value]:
			d.bad(k, field, "given twice")
		default:
			read(v, field)
		}
		seen[k.Value] = true
	}
}

func (d *rulesDecoder) list(n *yaml.Node, at string, read func(v *yaml.Node, at string)) {
	if n.Kind != yaml.SequenceNode {
		d.bad(n, at, "must be a list")
		return
	}
	for i, v := range n.Content {
		read(v, fmt.Sprintf("%s[%d]", at, i))
	}
}

func (d *rulesDecoder) text(n *yaml.Node, at string) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		d.bad(n, at, "must be a text")
		return ""
	}
	return n.Value
}

func (d *rulesDecoder) boolean(n *yaml.Node, at string) bool {
	var v bool
	err := n.Decode(&v)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || err != nil {
		d.bad(n, at, "must be true or false")
	}
	return v
}

func (d *rulesDecoder) number(n *yaml.Node, at string, least, most float64) float64 {
	var v float64
	err := n.Decode(&v)
	if n.Kind != yaml.ScalarNode || err != nil || math.IsNaN(v) || v < least || v > most {
		d.bad(n, at, "must be a number from %v to %v", least, most)
	}
	return v
}

func (d *rulesDecoder) whole(n *yaml.Node, at string, least, most int) int {
	var v int
	err := n.Decode(&v)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || v < least || v > most {
		d.bad(n, at, "must be a whole number from %d to %d", least, most)
	}
	return v
}

func (d *rulesDecoder) duration(n *yaml.Node, at string, least time.Duration) time.Duration {
	v, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < least {
		d.bad(n, at, "must be a time of at least %v, such as 30m or 24h", least)
	}
	return v
}

func (d *rulesDecoder) file(n *yaml.Node) {
	var rules *yaml.Node
	d.mapping(n, "", map[string]func(*yaml.Node, string){
		"version": func(v *yaml.Node, at string) {
			d.version = true
			d.whole(v, at, RulesVersion, RulesVersion)
		},
		"settings": d.readSettings,
		"rules":    func(v *yaml.Node, _ string) { rules = v },
	})
	if !d.version {
		d.bad(n, "version", "required: %d", RulesVersion)
	}
	if rules == nil {
		d.bad(n, "rules", "required")
		return
	}
	d.list(rules, "rules", d.readRule)
	if len(d.rules) == 0 || len(d.rules) > maxRules {
		d.bad(rules, "rules", "there must be 1 to %d", maxRules)
	}
	if d.terms > maxTerms {
		d.bad(rules, "rules", "%d terms in all; the limit is %d", d.terms, maxTerms)
	}
}

func (d *rulesDecoder) readSettings(n *yaml.Node, at string) {
	s := &d.settings
	d.mapping(n, at, map[string]func(*yaml.Node, string){
		"threshold":     func(v *yaml.Node, at string) { s.Threshold = d.number(v, at, 0.001, maxWeight) },
		"cool_down":     func(v *yaml.Node, at string) { s.CoolDown = d.duration(v, at, 0) },
		"window":        func(v *yaml.Node, at string) { s.Window = d.duration(v, at, time.Minute) },
		"half_life":     func(v *yaml.Node, at string) { s.HalfLife = d.duration(v, at, time.Minute) },
		"max_posts":     func(v *yaml.Node, at string) { s.MaxPosts = d.whole(v, at, 1, casefile.MaxFlagEvidence) },
		"max_accounts":  func(v *yaml.Node, at string) { s.MaxAccounts = d.whole(v, at, 1, 100_000_000) },
		"leet_factor":   func(v *yaml.Node, at string) { s.LeetFactor = d.number(v, at, 0, 1) },
		"repost_factor": func(v *yaml.Node, at string) { s.RepostFactor = d.number(v, at, 0, 1) },
		"watch": func(v *yaml.Node, at string) {
			s.Watch = Watch(d.text(v, at))
			if s.Watch != WatchHits && s.Watch != WatchAll && s.Watch != WatchNone {
				d.bad(v, at, "must be hits, all or none")
			}
		},
	})
}

func (d *rulesDecoder) readRule(n *yaml.Node, at string) {
	r := Rule{Within: WithinPost, MaxPost: maxWeight, MaxTotal: maxWeight}
	weight, whole := 1.0, true
	var terms *yaml.Node
	d.mapping(n, at, map[string]func(*yaml.Node, string){
		"id": func(v *yaml.Node, at string) {
			r.ID = d.text(v, at)
			if !validName(r.ID) {
				d.bad(v, at, "must be 1 to 64 of a-z, 0-9 and '-'")
			}
		},
		"policy": func(v *yaml.Node, at string) {
			r.Policy = casefile.PolicyCode(d.text(v, at))
			if !r.Policy.Valid() {
				d.bad(v, at, "not a policy code VE-00 to VE-12")
			}
		},
		"language": func(v *yaml.Node, at string) {
			r.Language = d.text(v, at)
			if len(r.Language) < 2 || len(r.Language) > 3 || strings.Trim(r.Language, "abcdefghijklmnopqrstuvwxyz") != "" {
				d.bad(v, at, "must be a language of two or three letters, such as en")
			}
		},
		"group": func(v *yaml.Node, at string) { r.Group = d.name(v, at) },
		"where": func(v *yaml.Node, at string) {
			d.list(v, at, func(v *yaml.Node, at string) {
				f := Field(d.text(v, at))
				if !slices.Contains(fields, f) || slices.Contains(r.Where, f) {
					d.bad(v, at, "must be post, handle, display_name or bio, each once")
				}
				r.Where = append(r.Where, f)
			})
		},
		"requires": func(v *yaml.Node, at string) { r.Requires = d.names(v, at) },
		"within": func(v *yaml.Node, at string) {
			r.Within = Within(d.text(v, at))
			if r.Within != WithinPost && r.Within != WithinWindow {
				d.bad(v, at, "must be post or window")
			}
		},
		"unless":    func(v *yaml.Node, at string) { r.Unless = d.names(v, at) },
		"urgent":    func(v *yaml.Node, at string) { r.Urgent = d.boolean(v, at) },
		"weight":    func(v *yaml.Node, at string) { weight = d.number(v, at, 0, maxWeight) },
		"whole":     func(v *yaml.Node, at string) { whole = d.boolean(v, at) },
		"max_post":  func(v *yaml.Node, at string) { r.MaxPost = d.number(v, at, 0, maxWeight) },
		"max_total": func(v *yaml.Node, at string) { r.MaxTotal = d.number(v, at, 0, maxWeight) },
		"terms":     func(v *yaml.Node, _ string) { terms = v },
	})
	if r.ID == "" {
		d.bad(n, at+".id", "required")
	}
	if r.Policy == "" {
		d.bad(n, at+".policy", "required")
	}
	if len(r.Where) == 0 {
		r.Where = []Field{FieldPost}
	}
	slices.Sort(r.Where)
	if r.Policy == casefile.VE00 {
		weight = 0
	}
	if terms == nil {
		d.bad(n, at+".terms", "required")
	} else {
		d.list(terms, at+".terms", func(v *yaml.Node, at string) {
			t := Term{Weight: weight, Whole: whole}
			d.readTerm(v, at, &t)
			if r.Policy == casefile.VE00 && t.Weight != 0 {
				d.bad(v, at+".weight", "a rule of VE-00 is context and has no weight")
			}
			r.Terms = append(r.Terms, t)
		})
		if len(r.Terms) == 0 {
			d.bad(terms, at+".terms", "there must be at least one")
		}
	}
	d.terms += len(r.Terms)
	d.rules = append(d.rules, r)
	d.nodes = append(d.nodes, n)
}

// readTerm reads a term: a text alone, or a mapping of text, weight and whole.
func (d *rulesDecoder) readTerm(n *yaml.Node, at string, t *Term) {
	if n.Kind == yaml.MappingNode {
		d.mapping(n, at, map[string]func(*yaml.Node, string){
			"text":   func(v *yaml.Node, at string) { t.Text = d.text(v, at) },
			"weight": func(v *yaml.Node, at string) { t.Weight = d.number(v, at, 0, maxWeight) },
			"whole":  func(v *yaml.Node, at string) { t.Whole = d.boolean(v, at) },
		})
	} else {
		t.Text = d.text(n, at)
	}
	folded := fold.String(t.Text)
	if len(folded) < 2 || len(t.Text) > maxTermBytes || len(folded) > maxTermBytes {
		d.bad(n, at, "a term has 2 to %d bytes once folded", maxTermBytes)
	}
}

func (d *rulesDecoder) name(n *yaml.Node, at string) string {
	s := d.text(n, at)
	if !validName(s) {
		d.bad(n, at, "must be 1 to 64 of a-z, 0-9 and '-'")
	}
	return s
}

func (d *rulesDecoder) names(n *yaml.Node, at string) []string {
	var out []string
	d.list(n, at, func(v *yaml.Node, at string) { out = append(out, d.name(v, at)) })
	slices.Sort(out)
	return slices.Compact(out)
}

// checkReferences checks what holds between rules.
func (d *rulesDecoder) checkReferences() {
	ids, groups, kept := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, r := range d.rules {
		if ids[r.ID] && r.ID != "" {
			d.bad(d.nodes[i], fmt.Sprintf("rules[%d].id", i), "the id of another rule")
		}
		ids[r.ID] = true
		if r.Group != "" {
			groups[r.Group] = true
			kept[r.Group] = kept[r.Group] || r.Policy != casefile.VE00
		}
	}
	if len(groups) > maxGroups && len(d.nodes) > 0 {
		d.bad(d.nodes[0], "rules", "%d groups; the limit is %d", len(groups), maxGroups)
	}
	for i, r := range d.rules {
		for _, g := range r.Requires {
			if !groups[g] {
				d.bad(d.nodes[i], fmt.Sprintf("rules[%d].requires", i), "no rule has this group")
			} else if r.Within == WithinWindow && !kept[g] {
				d.bad(d.nodes[i], fmt.Sprintf("rules[%d].requires", i), "context (VE-00) is not kept in the window")
			}
		}
		for _, g := range r.Unless {
			if !groups[g] {
				d.bad(d.nodes[i], fmt.Sprintf("rules[%d].unless", i), "no rule has this group")
			}
		}
	}
}

func validName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
