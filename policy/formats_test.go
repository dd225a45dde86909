package policy_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/docs/formats/formatstest"
	"github.com/docket-triage/docket/policy"
	"github.com/docket-triage/docket/policy/examples"
)

func asJSON(t *testing.T, text []byte) []byte {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal(text, &v))
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// TestSchemaOfDeciding holds the schema of routing rules and the loader to each other where a file
// says who decides: the rest is a test of the module's root.
func TestSchemaOfDeciding(t *testing.T) {
	t.Parallel()
	load := func(data []byte) error {
		_, err := policy.Load(strings.NewReader(string(data)), "rules.yaml")
		return err
	}
	schema := formatstest.Schema(t, "routing-rules")
	reader := formatstest.Reader{Schema: "routing-rules", Demands: true, Decode: func(data []byte) (any, error) {
		return json.RawMessage(data), load(data)
	}}
	require.NoError(t, formatstest.Check(schema, asJSON(t, policy.DefaultRules())))
	reader.Agrees(t, asJSON(t, examples.Automatic()))

	// The loader names the fields it knows when it meets another.
	fields := func(s *jsonschema.Schema) []string { return slices.Collect(maps.Keys(s.Properties)) }
	of := schema.Properties
	for place, want := range map[string][]string{
		`{"appeals": {"x": 1}}`:                  fields(of["appeals"]),
		`{"deciding": {"x": 1}}`:                 fields(of["deciding"]),
		`{"deciding": {"two_people": {"x": 1}}}`: fields(of["deciding"].Properties["two_people"]),
		`{"already_decided": {"x": 1}}`:          fields(of["already_decided"]),
		`{"automatic": {"x": 1}}`:                fields(of["automatic"]),
		`{"automatic": {"close": [{"x": 1}]}}`:   fields(of["automatic"].Properties["close"].Items2020),
		`{"automatic": {"act": [{"x": 1}]}}`:     fields(of["automatic"].Properties["act"].Items2020),
		`{"automatic": {"breaker": {"x": 1}}}`:   fields(of["automatic"].Properties["breaker"]),
	} {
		var faults casefile.Faults
		require.ErrorAs(t, load([]byte(place)), &faults)
		told := ""
		for _, f := range faults {
			if strings.HasSuffix(f.Field, ".x") {
				_, told, _ = strings.Cut(f.Message, "the fields are ")
			}
		}
		require.ElementsMatch(t, want, strings.Split(told, ", "), place)
	}
}

// TestSchemaRefusesWhatTheLoaderDoes: of values of one field, both take the same.
func TestSchemaRefusesWhatTheLoaderDoes(t *testing.T) {
	t.Parallel()
	schema := formatstest.Schema(t, "routing-rules")
	values := []any{
		0, 1, 2, -1, 0.05, 0.049, 0.001, 0.0005, 0.051, 0.333, 0.3333, 1000, 1e9, true, nil, "", "x", "0.05", "true", "main", "LX", "L0", "L2", "L6", "VE-00", "VE-03", "VE-09", "VE-13",
		[]any{}, []any{"L5"}, []any{"L5", "L5"}, []any{"LX"}, []any{"VE-07"}, []any{"VE-07", "VE-07"}, map[string]any{},
	}
	for _, place := range [][]any{
		{"appeals", "team"}, {"deciding"}, {"deciding", "two_people"}, {"deciding", "two_people", "actions"}, {"deciding", "two_people", "policies"}, {"deciding", "sample"},
		{"already_decided", "sample"}, {"automatic", "close"}, {"automatic", "act"}, {"automatic", "close", 0, "id"}, {"automatic", "close", 0, "when"}, {"automatic", "close", 0, "sample"},
		{"automatic", "act", 0, "action"}, {"automatic", "act", 0, "policy"}, {"automatic", "act", 0, "sample"}, {"automatic", "act", 1, "sample"},
		{"automatic", "breaker", "per_hour"}, {"automatic", "breaker", "share"}, {"automatic", "breaker", "min_cases"},
	} {
		for _, value := range values {
			var tree any
			require.NoError(t, json.Unmarshal(asJSON(t, examples.Automatic()), &tree))
			at := tree
			for _, step := range place[:len(place)-1] {
				switch step := step.(type) {
				case string:
					at = at.(map[string]any)[step]
				case int:
					at = at.([]any)[step]
				}
			}
			at.(map[string]any)[place[len(place)-1].(string)] = value
			data, err := json.Marshal(tree)
			require.NoError(t, err)
			refused := formatstest.Check(schema, data)
			_, err = policy.Load(strings.NewReader(string(data)), "rules.yaml")
			_, text := value.(string)
			switch place[len(place)-1] {
			case "when", "team", "id":
				if !text && err == nil || text && refused == nil {
					continue // a scalar is the text that it is written as, and no schema can tell what an expression says
				}
			}
			require.Equal(t, refused != nil, err != nil, "%v = %v\nschema: %v\nloader: %v", place, value, refused, err)
		}
	}
}
