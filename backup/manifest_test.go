package backup

import (
	"encoding/json"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func golden(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile("../docs/formats/" + name)
	require.NoError(tb, err)
	return data
}

func TestManifestIsRefused(t *testing.T) {
	t.Parallel()
	good := string(golden(t, "backup-manifest.golden.json"))
	_, err := ParseManifest([]byte(good))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		from, to string
		code     casefile.Code
	}{
		"newer":          {`"format":1`, `"format":2`, casefile.CodeState},
		"older":          {`"format":1`, `"format":0`, casefile.CodeInvalid},
		"no time":        {`"at":"2026-03-02T08:00:00.123456Z",`, ``, casefile.CodeInvalid},
		"unknown field":  {`"format":1`, `"format":1,"more":true`, casefile.CodeInvalid},
		"no root":        {`"root":"6e`, `"root":"`, casefile.CodeInvalid},
		"capitals":       {`"root":"6e`, `"root":"6E`, casefile.CodeInvalid},
		"negative":       {`"bytes":2`, `"bytes":-2`, casefile.CodeInvalid},
		"no files":       {`"files":531`, `"files":0`, casefile.CodeInvalid},
		"something more": {`}` + "\n", `}{}`, casefile.CodeInvalid},
		"of nobody":      {`"vrfxv2hlrw77obvxi7pfgoeas2ufntwv"`, `""`, casefile.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(good, c.from, c.to, 1)
			require.NotEqual(t, good, changed)
			_, err := ParseManifest([]byte(changed))
			require.Equal(t, c.code, casefile.ErrorCode(err), "%v", err)
		})
	}
}

// TestFilePathsStayBelow: no line of the list names anything outside the backup's folder.
func TestFilePathsStayBelow(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	for _, p := range []string{"", ".", "..", "../x", "/etc/x", "a/../../x", "a//b", "a/", "./a", `a\b`, "manifest.json", "files.ndjson"} {
		line, err := json.Marshal(File{Path: p, Hash: hash})
		require.NoError(t, err)
		_, err = ParseFile(line)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), p)
	}
	_, err := ParseFile([]byte(`{"path":"evidence/a/..b","bytes":1,"sha256":"` + hash + `"}`))
	require.NoError(t, err)
}

func FuzzManifest(f *testing.F) {
	f.Add(golden(f, "backup-manifest.golden.json"))
	for line := range strings.Lines(string(golden(f, "backup-file.golden.ndjson"))) {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"path":"../x","bytes":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err == nil {
			again, err := json.Marshal(m)
			require.NoError(t, err)
			same, err := ParseManifest(again)
			require.NoError(t, err)
			require.Equal(t, m.FilesHash, same.FilesHash)
			require.True(t, m.At.Equal(same.At))
		}
		file, err := ParseFile(data)
		if err == nil {
			joined := path.Join("/backup", file.Path)
			require.True(t, strings.HasPrefix(joined, "/backup/"), file.Path)
		}
	})
}
