package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/docket-triage/docket/casefile"
)

// maxFileBytes bounds a configuration file.
const maxFileBytes = 1 << 20

// origins says where each value that was given was written, by its key's path.
type origins map[string]string

// reader turns what was written into values by key, and keeps every fault.
type reader struct {
	file    string
	faults  casefile.Faults
	origins origins
}

func (r *reader) bad(path, where, format string, args ...any) {
	r.faults = append(r.faults, fault(path, where, fmt.Sprintf(format, args...)))
}

// fault is one thing wrong with a key; where says where it was written, "" for nowhere.
func fault(path, where, message string) *casefile.Error {
	if where != "" {
		message = where + ": " + message
	}
	return casefile.Invalid(path, "%s", message)
}

func (r *reader) line(n *yaml.Node) string { return r.file + " line " + strconv.Itoa(n.Line) }

// fileParser reads the file's bytes for koanf, with the line of every value.
type fileParser struct{ r *reader }

// Unmarshal gives the values of a file.
func (p fileParser) Unmarshal(data []byte) (map[string]any, error) {
	return p.r.readFile(data)
}

// Marshal is not needed: nothing writes a configuration.
func (p fileParser) Marshal(map[string]any) ([]byte, error) {
	return nil, errors.New("a configuration is not written")
}

func (r *reader) readFile(data []byte) (map[string]any, error) {
	if len(data) > maxFileBytes {
		return nil, casefile.Errorf(casefile.CodeTooLarge, "%s: over %d bytes", r.file, maxFileBytes)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return map[string]any{}, nil
	}
	if err != nil {
		return nil, &casefile.Error{Code: casefile.CodeInvalid, Message: r.file + ": not YAML", Err: err}
	}
	err = dec.Decode(&more)
	if !errors.Is(err, io.EOF) {
		return nil, casefile.Errorf(casefile.CodeInvalid, "%s: more than one YAML document", r.file)
	}
	return r.section(doc.Content[0], schema, ""), nil
}

// section reads a mapping of keys. One without a value is an empty one: its keys may all be commented out.
func (r *reader) section(n *yaml.Node, keys []key, path string) map[string]any {
	out := map[string]any{}
	if isNull(n) {
		return out
	}
	if n.Kind != yaml.MappingNode {
		r.bad(path, r.line(n), "must hold keys: %s", names(keys))
		return out
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		at := join(path, name.Value)
		k, ok := find(keys, name.Value)
		switch {
		case name.Kind != yaml.ScalarNode || !ok:
			r.bad(at, r.line(name), "there is no such key; here stand %s", names(keys))
		case seen[k.name]:
			r.bad(at, r.line(name), "stands twice")
		default:
			seen[k.name] = true
			v, ok := r.value(value, k, at)
			if ok {
				out[k.name] = v
			}
		}
	}
	return out
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// value reads what stands at a key; ok is false where nothing usable does, which was told then.
func (r *reader) value(n *yaml.Node, k key, at string) (v any, ok bool) {
	r.origins[at] = r.line(n)
	switch k.kind {
	case kindSection:
		return r.section(n, k.keys, at), true
	case kindSections:
		return r.sections(n, k, at)
	case kindTexts:
		return r.texts(n, at)
	case kindSecret:
		r.bad(at, r.line(n), "a secret stands in no configuration: name its file with %s_file, or set %s", k.path, k.variable())
		return nil, false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.bad(at, r.line(n), "%s", k.kind.wanted())
		return nil, false
	}
	typed := map[kind]string{kindText: "!!str", kindWhole: "!!int", kindBool: "!!bool", kindDuration: "!!str"}
	if n.Tag != typed[k.kind] {
		r.bad(at, r.line(n), "%s", k.kind.wanted())
		return nil, false
	}
	v, err := k.kind.parse(n.Value)
	if err != nil {
		r.bad(at, r.line(n), "%s", k.kind.wanted())
		return nil, false
	}
	return v, true
}

func (r *reader) sections(n *yaml.Node, k key, at string) (any, bool) {
	if n.Kind != yaml.SequenceNode {
		r.bad(at, r.line(n), "must be a list, each item with %s", names(k.keys))
		return nil, false
	}
	out := []any{}
	for i, item := range n.Content {
		here := fmt.Sprintf("%s[%d]", at, i)
		r.origins[here] = r.line(item)
		out = append(out, r.section(item, k.keys, here))
	}
	return out, true
}

func (r *reader) texts(n *yaml.Node, at string) (any, bool) {
	if n.Kind != yaml.SequenceNode {
		r.bad(at, r.line(n), "%s", kindTexts.wanted())
		return nil, false
	}
	out := []any{}
	for i, item := range n.Content {
		if item.Kind != yaml.ScalarNode || item.Tag != "!!str" {
			r.bad(fmt.Sprintf("%s[%d]", at, i), r.line(item), "%s", kindText.wanted())
			continue
		}
		out = append(out, item.Value)
	}
	return out, true
}

// wanted says what a value of the kind looks like.
func (k kind) wanted() string {
	switch k {
	case kindWhole:
		return "must be a whole number"
	case kindBool:
		return "must be true or false"
	case kindDuration:
		return "must be a duration with its unit, such as 15s or 10m"
	case kindTexts:
		return "must be a list of texts"
	default:
		return "must be text"
	}
}

// parse reads a value as it is written in a file, a variable or a flag.
func (k kind) parse(s string) (any, error) {
	switch k {
	case kindWhole:
		return strconv.Atoi(s)
	case kindBool:
		switch s {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, errors.New("neither true nor false")
	case kindDuration:
		return time.ParseDuration(s)
	default:
		return s, nil
	}
}
