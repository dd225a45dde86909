package stream

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestTwitter1Golden(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Files: []string{filepath.Join("testdata", "twitter1.ndjson")}})
	b, err := s.Next(t.Context())
	require.NoError(t, err)
	require.Zero(t, s.Rejected())
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	for _, e := range b.Events {
		require.NoError(t, enc.Encode(e))
	}
	golden := filepath.Join("testdata", "twitter1.golden.ndjson")
	if *update {
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}

func TestTwitter1NamesTheFieldAtFault(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ line, field string }{
		"no user":          {`{"id_str":"1","created_at":"Mon Mar 02 08:00:05 +0000 2026"}`, "user"},
		"no id":            {`{"user":{"id_str":"7"},"created_at":"Mon Mar 02 08:00:05 +0000 2026"}`, "id"},
		"no user id":       {`{"id_str":"1","user":{},"created_at":"Mon Mar 02 08:00:05 +0000 2026"}`, "account.id"},
		"no time":          {`{"id_str":"1","user":{"id_str":"7"}}`, "created_at"},
		"another time":     {`{"id_str":"1","user":{"id_str":"7"},"created_at":"2026-03-02T08:00:00Z"}`, "created_at"},
		"broken user time": {`{"id_str":"1","user":{"id_str":"7","created_at":"x"},"created_at":"Mon Mar 02 08:00:05 +0000 2026"}`, "user.created_at"},
		"text is a number": {`{"id_str":"1","text":52}`, "text"},
		"deletion no time": {`{"delete":{"status":{"id_str":"1","user_id_str":"7"}}}`, "delete.timestamp_ms"},
		"deletion no user": {`{"delete":{"status":{"id_str":"1"},"timestamp_ms":"1772438465123"}}`, "account.id"},
		"not JSON":         {`{`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decodeTwitter1([]byte(tc.line))
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			var e *casefile.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tc.field, e.Field)
			require.NotContains(t, err.Error(), "52", "the error holds something of the line")
		})
	}
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Format{
		eventLine("1", 1):              FormatEvent,
		`{"user":{},"created_at":"x"}`: FormatTwitter1,
		`{"delete":{}}`:                FormatTwitter1,
		`{"platform":"x"}`:             "",
		`[]`:                           "",
		`x`:                            "",
	} {
		require.Equal(t, want, recognise([]byte(line)), line)
	}
}

func FuzzTwitter1(f *testing.F) {
	seeds, err := os.ReadFile(filepath.Join("testdata", "twitter1.ndjson"))
	require.NoError(f, err)
	for line := range bytes.Lines(seeds) {
		f.Add(line)
	}
	f.Add([]byte(`{"delete":{"status":{},"timestamp_ms":"-1"}}`))
	f.Add([]byte(`{"id":1e400,"user":{"id":-0}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := decodeTwitter1(line)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		require.NoError(t, e.Normalize(""))
		require.NotEmpty(t, e.ID)
		require.NotEmpty(t, e.Account.ID)
	})
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(eventLine("1", 1)))
	f.Add([]byte(`{"kind":"account_gone","platform":"x","account":{"id":"1"},"at":"2026-01-01T00:00:00+01:00"}`))
	f.Add([]byte("{\n}\n\xff"))
	f.Fuzz(func(t *testing.T, line []byte) {
		recognise(line)
		e, err := FormatEvent.decode(line)
		if err != nil {
			require.NotEqual(t, casefile.CodeInternal, casefile.ErrorCode(err))
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			return // a year beyond 9999 has no RFC 3339 form
		}
		e2, err := FormatEvent.decode(again)
		require.NoError(t, err)
		require.Equal(t, e.ID, e2.ID)
	})
}

func FuzzToken(f *testing.F) {
	f.Add(`{"v":1,"files":[{"name":"a","head":"00","headOf":1,"size":1,"offset":1,"line":1}]}`)
	f.Add(`{"v":1}`)
	f.Fuzz(func(t *testing.T, token string) {
		files, err := parseFilesToken(Token(token))
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		again, err := formatFilesToken(files)
		require.NoError(t, err)
		back, err := parseFilesToken(again)
		require.NoError(t, err)
		require.Len(t, back, len(files))
	})
}
