// Package formatstest holds Go types and decoders to the JSON Schemas of docs/formats, so that code
// and schemas cannot drift apart. Only tests import it.
package formatstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// Root is the module's root folder, found by its go.mod above the test's own.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		_, err = os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		require.NotEqual(t, dir, up, "no go.mod above the test")
		dir = up
	}
}

// Schema compiles docs/formats/schema/NAME.schema.json. A part of it is named behind a '#':
// "event#/$defs/account".
func Schema(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	file, part, inside := strings.Cut(name, "#")
	if inside {
		part = "#" + part
	}
	return Compile(t, filepath.Join(Root(t), "docs", "formats", "schema", file+".schema.json")+part)
}

// Compile compiles the schema in a file, or a part of one behind a '#'. Formats are checked.
func Compile(t testing.TB, location string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	schema, err := c.Compile(location)
	require.NoError(t, err)
	return schema
}

// Check validates one JSON value.
func Check(schema *jsonschema.Schema, value []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// Values reads the JSON values of a file, one behind the other: one of a .json, the lines of a
// .ndjson. An array of a .json gives its items where each is true.
func Values(t testing.TB, file string, each bool) []json.RawMessage {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Root(t), file))
	require.NoError(t, err)
	var out []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var v json.RawMessage
		err = dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, file)
		out = append(out, v)
	}
	require.NotEmpty(t, out, file)
	if each {
		require.Len(t, out, 1, file)
		var items []json.RawMessage
		require.NoError(t, json.Unmarshal(out[0], &items), file)
		require.NotEmpty(t, items, file)
		return items
	}
	return out
}

// Strict decodes one JSON value into a T and refuses unknown fields and anything behind it: what a
// reader of Docket's own formats is held to where no decoder of its own stands in the code.
func Strict[T any](data []byte) (T, error) {
	var v T
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err := dec.Decode(&v)
	if err != nil {
		return v, err
	}
	_, err = dec.Token()
	if !errors.Is(err, io.EOF) {
		return v, errors.New("something follows the value")
	}
	return v, nil
}
