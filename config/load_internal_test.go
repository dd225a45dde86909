package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// FuzzDecode: whatever a file and a variable hold, decoding ends with a configuration or with faults
// that say where they are, and no secret comes out of the file.
func FuzzDecode(f *testing.F) {
	f.Add(example, "DOCKET_RECORDS_SQLITE", "a")
	f.Add([]byte("records: {password: sesame}\nfast: maybe\n"), "DOCKET_CASES_GRACE", "1s")
	f.Add([]byte("platforms:\n- {name: a}\n- 7\ndetect:\n  files: [a, [b]]\n"), "DOCKET_DETECT_FILES", "a,,b")
	f.Add([]byte("a: &a [*a]\n? [x]\n: y\n"), "DOCKET_", "")
	f.Add([]byte("records.sqlite: a\nrecords: {sqlite: b}\n\"\": c\n"), "DOCKET_PORT_1_TCP", "x")
	f.Add([]byte("logging: !!map {level: !!str 7}\n---\n"), "DOCKET_HEALTH_LISTEN", "\x00")
	f.Fuzz(func(t *testing.T, data []byte, name, value string) {
		c, err := decode(Sources{File: "docket.yaml", Environ: []string{"DOCKET_RECORDS_PASSWORD=", name + "=" + value}}, data)
		if err != nil {
			checkFaults(t, err, name)
			return
		}
		if name != "DOCKET_RECORDS_PASSWORD" {
			require.Empty(t, c.Records.Password.Reveal())
		}
		for _, role := range Roles {
			err = c.Check(role)
			if err != nil {
				checkFaults(t, err, name)
			}
		}
	})
}

func checkFaults(t *testing.T, err error, variable string) {
	t.Helper()
	code := casefile.ErrorCode(err)
	require.Contains(t, []casefile.Code{casefile.CodeInvalid, casefile.CodeTooLarge}, code, "%v", err)
	variable, _, _ = strings.Cut(variable, "=")
	var all casefile.Faults
	if !errors.As(err, &all) {
		require.True(t, strings.HasPrefix(err.Error(), "docket.yaml: "), "%v", err)
		return
	}
	for _, f := range all {
		placed := strings.HasPrefix(f.Message, "docket.yaml line ") || strings.HasPrefix(f.Message, variable)
		require.True(t, placed || f.Field != "", "%v", f)
		require.NotEmpty(t, f.Message)
	}
}

// TestVariablesAreApart: no two keys share a variable, and none looks like one that is left alone.
func TestVariablesAreApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, k := range single(schema) {
		require.Empty(t, seen[k.variable()], "%s and %s", k.path, seen[k.variable()])
		seen[k.variable()] = k.path
		require.NotRegexp(t, elsewhere, k.variable())
	}
}

// TestSecretsAreNamedRightly: what looks like a secret is one, and has a file beside it.
func TestSecretsAreNamedRightly(t *testing.T) {
	t.Parallel()
	found := 0
	for _, k := range single(schema) {
		looks := k.name == "password" || k.name == "token" || strings.HasSuffix(k.name, "secret")
		require.Equal(t, looks, k.kind == kindSecret, k.path)
		if looks {
			found++
			_, ok := findPath(k.path + "_file")
			require.True(t, ok, k.path)
		}
	}
	require.Equal(t, 2, found)
}

func findPath(path string) (key, bool) {
	for _, k := range single(schema) {
		if k.path == path {
			return k, true
		}
	}
	return key{}, false
}
