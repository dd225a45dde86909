package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
)

// golden is one value of docs/formats.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	values := formatstest.Values(t, "docs/formats/"+name, false)
	require.Len(t, values, 1)
	return values[0]
}

// fromFile decodes what stands in a file of its own.
func fromFile(t *testing.T, name string, decode func(path string) (any, error)) func([]byte) (any, error) {
	return func(data []byte) (any, error) {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return decode(path)
	}
}

func TestCredentialsFitTheirSchema(t *testing.T) {
	t.Parallel()
	formatstest.SameFields(t, "credentials", credentials{}, formatstest.Written)
	r := formatstest.Reader{Schema: "credentials", Decode: fromFile(t, "credentials.json", func(path string) (any, error) {
		return readCredentials(path)
	})}
	r.Agrees(t, golden(t, "credentials.golden.json"))
}

func TestSummaryFitsItsSchema(t *testing.T) {
	t.Parallel()
	formatstest.SameFields(t, "summary", summary{}, formatstest.Written)
	r := formatstest.Reader{Schema: "summary", Decode: func(data []byte) (any, error) { return formatstest.Strict[summary](data) }}
	r.Agrees(t, golden(t, "summary.golden.json"))
}

func TestDataFolderFitsItsSchema(t *testing.T) {
	t.Parallel()
	r := formatstest.Reader{Schema: "data-folder", Validates: true, Decode: fromFile(t, "format.json", func(path string) (any, error) {
		f := folder{dir: filepath.Dir(path)}
		err := f.checkFormat()
		return map[string]int{"format": folderFormat}, err
	})}
	r.Agrees(t, golden(t, "data-folder.golden.json"))

	f := folder{dir: t.TempDir()}
	require.NoError(t, f.checkFormat())
	made, err := os.ReadFile(f.path("format.json"))
	require.NoError(t, err)
	require.NoError(t, formatstest.Check(formatstest.Schema(t, "data-folder"), made))
	var v map[string]any
	require.NoError(t, json.Unmarshal(made, &v))
	require.Len(t, v, 1)
}
