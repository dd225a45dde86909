package formatstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Reader is a decoder held to a schema.
type Reader struct {
	// Schema names it.
	Schema string
	// Decode reads one value and gives what it read, for encoding again.
	Decode func([]byte) (any, error)
	// Validates says that Decode refuses a value that lacks a required field, not only one of a wrong
	// type. Then a missing field is refused by both or by none.
	Validates bool
	// Demands says that Decode asks for more than a schema can say (a name that stands in another
	// field), so that it may refuse what lacks a field and the schema takes, never the other way.
	Demands bool
	// Skip are places, by their fields joined with dots, below which the decoder does not look.
	Skip []string
}

// Agrees holds a decoder and its schema to each other by one good value: both take it, and encoded
// again it is the same. Then every change of one place is made by itself: an unknown field in every
// object, a wrong type in every field, every field left out. What one refuses, so does the other.
func (r Reader) Agrees(t testing.TB, value []byte) {
	t.Helper()
	schema := Schema(t, r.Schema)
	require.NoError(t, Check(schema, value), "the schema refuses a good value")
	read, err := r.Decode(value)
	require.NoError(t, err, "the decoder refuses a good value")
	back, err := json.Marshal(read)
	require.NoError(t, err)
	require.JSONEq(t, string(value), string(back), "encoded again it is another value")
	require.NoError(t, Check(schema, back))

	for _, c := range r.changes(t, value) {
		refused := Check(schema, c.value) != nil
		_, err = r.Decode(c.value)
		switch {
		case c.strict || r.Validates:
			require.Equal(t, refused, err != nil, "%s: refused by the schema, and by the decoder (%v)", c.what, err)
		case r.Demands:
			require.False(t, refused && err == nil, "%s: the schema refuses it, the decoder does not", c.what)
		case !refused:
			require.NoError(t, err, "%s: the schema takes it, the decoder does not", c.what)
		}
	}
}

type change struct {
	what   string
	value  []byte
	strict bool // the verdicts must be the same whether or not the decoder validates
}

func (r Reader) changes(t testing.TB, value []byte) []change {
	t.Helper()
	var tree any
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber() // a digest of 64 bits is no float
	require.NoError(t, dec.Decode(&tree))
	var out []change
	add := func(strict bool, what string, args ...any) {
		data, err := json.Marshal(tree)
		require.NoError(t, err)
		out = append(out, change{what: fmt.Sprintf(what, args...), value: data, strict: strict})
	}
	var visit func(at string, v any)
	visit = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for i, item := range v {
				visit(fmt.Sprintf("%s[%d]", at, i), item)
			}
		case map[string]any:
			v["unknown_field"] = true
			add(true, "an unknown field in %q", at)
			delete(v, "unknown_field")
			for name, member := range v {
				field := name
				if at != "" {
					field = at + "." + name
				}
				if slices.Contains(r.Skip, field) {
					continue
				}
				visit(field, member)
				v[name] = []any{[]any{true}}
				add(true, "a list of lists in %s", field)
				delete(v, name)
				add(false, "%s left out", field)
				v[name] = member
			}
		}
	}
	visit("", tree)
	return out
}
