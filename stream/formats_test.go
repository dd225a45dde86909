package stream

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
)

func TestTokensFitTheirSchema(t *testing.T) {
	t.Parallel()
	formatstest.SameFields(t, "resume-token", filesToken{}, formatstest.Written)
	r := formatstest.Reader{Schema: "resume-token", Decode: func(data []byte) (any, error) {
		files, err := parseFilesToken(Token(data))
		return filesToken{V: tokenVersion, Files: files}, err
	}}
	for _, value := range formatstest.Values(t, "docs/formats/resume-token.golden.json", false) {
		r.Agrees(t, value)
		files, err := parseFilesToken(Token(value))
		require.NoError(t, err)
		again, err := formatFilesToken(files)
		require.NoError(t, err)
		require.Equal(t, string(value), string(again))
	}
}

// TestTwitterFitsItsSchema: what is read of a line, all other fields passed over.
func TestTwitterFitsItsSchema(t *testing.T) {
	t.Parallel()
	formatstest.SameFields(t, "twitter1", tweet1{}, formatstest.Read)
	r := formatstest.Reader{Schema: "twitter1", Validates: true, Decode: func(data []byte) (any, error) {
		_, err := decodeTwitter1(data)
		if err != nil {
			return nil, err
		}
		return json.RawMessage(data), nil // a line is never written again
	}}
	for _, value := range formatstest.Values(t, "stream/testdata/twitter1.ndjson", false) {
		r.Agrees(t, value)
	}
}
