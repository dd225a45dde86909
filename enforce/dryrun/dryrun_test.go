package dryrun

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/enforce"
	"github.com/docket-triage/docket/enforce/enforcetest"
)

var testNow = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func openTest(t *testing.T, path string) *Platform {
	t.Helper()
	p, err := OpenWith(path, Options{Now: func() time.Time { return testNow }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}

func TestExercise(t *testing.T) {
	t.Parallel()
	enforcetest.Exercise(t, func(t *testing.T) enforcetest.Subject {
		path := filepath.Join(t.TempDir(), "dryrun.ndjson")
		p := openTest(t, path)
		return enforcetest.Subject{
			Platform: p,
			SetDown:  p.SetDown,
			Reopen: func(t *testing.T) enforce.Platform {
				require.NoError(t, p.Close())
				return openTest(t, path)
			},
			Count: func(t *testing.T) int { return strings.Count(readFile(t, path), "\n") },
		}
	})
}

// TestCapabilities: the suite asks for keys kept apart only where that is stated.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	c := openTest(t, filepath.Join(t.TempDir(), "dryrun.ndjson")).Capabilities()
	require.Equal(t, c.Acts, c.Undo)
	require.True(t, c.Idempotent && c.Lookup && c.Notify)
}

func TestState(t *testing.T) {
	t.Parallel()
	p := openTest(t, filepath.Join(t.TempDir(), "dryrun.ndjson"))
	account := casefile.AccountRef{Platform: "synthetic", ID: "a-17"}
	require.Empty(t, p.State(account))
	for _, kind := range p.Capabilities().Acts {
		_, err := p.Do(t.Context(), enforcetest.Request("D-"+string(kind), kind))
		require.NoError(t, err)
	}
	require.Equal(t, map[string]string{
		"warned": "true", "labelled": "true", "limited_until": "2027-01-31T12:00:00Z", "post_removed:p-1": "true",
		"suspended_until": "2027-01-31T12:00:00Z", "terminated": "true", "identifiers_blocked": "true",
	}, p.State(account))
	require.Empty(t, p.State(casefile.AccountRef{Platform: "other", ID: "a-17"}))
}

func TestLongerSuspensionStands(t *testing.T) {
	t.Parallel()
	p := openTest(t, filepath.Join(t.TempDir(), "dryrun.ndjson"))
	for i, months := range []int{3, 1} {
		r := enforcetest.Request(string(rune('A'+i)), casefile.ActSuspend)
		end := testNow.AddDate(0, months, 0)
		r.Until = &end
		_, err := p.Do(t.Context(), r)
		require.NoError(t, err)
	}
	require.Equal(t, "2027-02-23T10:00:00Z", p.State(casefile.AccountRef{Platform: "synthetic", ID: "a-17"})["suspended_until"])
}

// TestPrepareAfterTheAct: preparing again, after a crash that lost the first answer, still gives
// the state before the act.
func TestPrepareAfterTheAct(t *testing.T) {
	t.Parallel()
	p := openTest(t, filepath.Join(t.TempDir(), "dryrun.ndjson"))
	r := enforcetest.Request("D-1", casefile.ActSuspend)
	first, err := p.Prepare(t.Context(), r)
	require.NoError(t, err)
	_, err = p.Do(t.Context(), r)
	require.NoError(t, err)
	again, err := p.Prepare(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, first, again)
}

func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dryrun.ndjson")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	openTest(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// TestTornEnd: what a crash left of a line, wherever it cut, is dropped, and the act can be done.
func TestTornEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "whole.ndjson")
	p := openTest(t, path)
	_, err := p.Do(t.Context(), enforcetest.Request("D-1", casefile.ActWarn))
	require.NoError(t, err)
	first := readFile(t, path)
	_, err = p.Do(t.Context(), enforcetest.Request("D-2", casefile.ActTerminate))
	require.NoError(t, err)
	whole := readFile(t, path)
	for cut := len(first); cut < len(whole); cut += 7 {
		path := filepath.Join(t.TempDir(), "torn.ndjson")
		require.NoError(t, os.WriteFile(path, []byte(whole[:cut]), 0o600))
		p := openTest(t, path)
		require.Equal(t, first, readFile(t, path))
		done, _, err := p.Lookup(t.Context(), enforcetest.Request("D-1", casefile.ActWarn))
		require.NoError(t, err)
		require.True(t, done)
		done, _, err = p.Lookup(t.Context(), enforcetest.Request("D-2", casefile.ActTerminate))
		require.NoError(t, err)
		require.False(t, done)
		_, err = p.Do(t.Context(), enforcetest.Request("D-2", casefile.ActTerminate))
		require.NoError(t, err)
		require.Equal(t, 2, strings.Count(readFile(t, path), "\n"))
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "good.ndjson")
	p := openTest(t, path)
	r := enforcetest.Request("D-1", casefile.ActSuspend)
	u, err := p.Prepare(t.Context(), r)
	require.NoError(t, err)
	_, err = p.Do(t.Context(), r)
	require.NoError(t, err)
	_, err = p.Undo(t.Context(), enforcetest.Reverse("D-1", r), u)
	require.NoError(t, err)
	require.NoError(t, p.Notify(t.Context(), r.Account, casefile.Notice{Number: "N-1", Case: "7K2QX-9MDT4", Lang: "en", Text: "[text]"}))
	good := readFile(t, path)
	lines := strings.SplitAfter(strings.TrimSuffix(good, "\n"), "\n")
	cases := map[string]struct{ text, says string }{
		"not JSON":                 {"x\n" + good, "line 1"},
		"an empty line":            {lines[0] + "\n" + lines[1], "line 2"},
		"unknown version":          {strings.Replace(good, `"v":1`, `"v":2`, 1), "version"},
		"unknown op":               {strings.Replace(good, `"op":"do"`, `"op":"redo"`, 1), "op"},
		"unknown field":            {strings.Replace(good, `"v":1`, `"v":1,"w":1`, 1), "line 1"},
		"a key twice":              {good + lines[0], "twice"},
		"taken back before done":   {lines[1] + lines[0], "line 1"},
		"op and key differ":        {strings.Replace(good, "D-1/1/do", "D-1/1/undo", 1), "line 1"},
		"a notice altered":         {strings.Replace(good, "[text]", "[test]", 1), "sha256"},
		"a suspension for ever":    {strings.Replace(good, `"until":"2027-01-31T12:00:00Z",`, "", 1), "until"},
		"two objects on a line":    {strings.Replace(good, "}\n", "}{}\n", 1), "line 1"},
		"longer than a line may":   {strings.Repeat(" ", maxLineBytes+5000) + "\n", "line 1"},
		"an act without a kind":    {strings.Replace(good, `"kind":"suspend"`, `"kind":""`, 1), "kind"},
		"an act without reference": {strings.Replace(good, `"reference":"`, `"reference":"","x":"`, 1), "line 1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "bad.ndjson")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			_, err := Open(path)
			require.ErrorContains(t, err, c.says)
			require.Contains(t, []casefile.Code{casefile.CodeInvalid, casefile.CodeTooLarge}, casefile.ErrorCode(err))
			require.Equal(t, c.text, readFile(t, path), "a file that is refused is left as it is")
		})
	}
	_, err = Open(filepath.Join(t.TempDir(), "no", "such", "folder"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestTextThatTheFileWouldChange: a text that JSON cannot hold as it is would come back as another
// after a restart, and its key with it.
func TestTextThatTheFileWouldChange(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dryrun.ndjson")
	p := openTest(t, path)
	r := enforcetest.Request("D-1", casefile.ActWarn)
	r.Account.ID = "a\xff"
	_, err := p.Do(t.Context(), r)
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	err = p.Notify(t.Context(), casefile.AccountRef{Platform: "synthetic", ID: "a"}, casefile.Notice{Number: "N-1", Text: "\xff"})
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
	hostile := casefile.Notice{Number: "N-2/do", Text: "</script>\u2028\x00\n{\"v\":1}\n[text] \U0001F54A"}
	require.NoError(t, p.Notify(t.Context(), casefile.AccountRef{Platform: "synthetic", ID: "a"}, hostile))
	require.Equal(t, 1, strings.Count(readFile(t, path), "\n"))
	require.NoError(t, p.Close())
	p = openTest(t, path)
	require.NoError(t, p.Notify(t.Context(), casefile.AccountRef{Platform: "synthetic", ID: "a"}, hostile))
	require.Equal(t, 1, strings.Count(readFile(t, path), "\n"))
}

func TestClosed(t *testing.T) {
	t.Parallel()
	p, err := Open(filepath.Join(t.TempDir(), "dryrun.ndjson"))
	require.NoError(t, err)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	_, err = p.Do(t.Context(), enforcetest.Request("D-1", casefile.ActWarn))
	require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
}

// TestFailedWrite: an act whose line did not reach the disk did not happen, and the file goes on
// only where it is known what it holds.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dryrun.ndjson")
	p, err := Open(path)
	require.NoError(t, err)
	_, err = p.Do(t.Context(), enforcetest.Request("D-1", casefile.ActWarn))
	require.NoError(t, err)
	require.NoError(t, p.file.f.Close()) // the disk goes away under it
	for range 2 {
		_, err = p.Do(t.Context(), enforcetest.Request("D-2", casefile.ActLabel))
		require.Equal(t, casefile.CodeUnavailable, casefile.ErrorCode(err))
	}
	require.True(t, p.file.broken)
	require.NotContains(t, p.State(casefile.AccountRef{Platform: "synthetic", ID: "a-17"}), "labelled")
	p = openTest(t, path)
	done, _, err := p.Lookup(t.Context(), enforcetest.Request("D-2", casefile.ActLabel))
	require.NoError(t, err)
	require.False(t, done)
}

// TestGolden holds the lines of the file: the same requests always give the same lines but for the
// references, which are random.
func TestGolden(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dryrun.ndjson")
	p := openTest(t, path)
	r := enforcetest.Request("DECISION-1", casefile.ActSuspend)
	u, err := p.Prepare(t.Context(), r)
	require.NoError(t, err)
	_, err = p.Do(t.Context(), r)
	require.NoError(t, err)
	_, err = p.Undo(t.Context(), enforcetest.Reverse("DECISION-1", r), u)
	require.NoError(t, err)
	_, err = p.Do(t.Context(), enforcetest.Request("DECISION-2", casefile.ActRemovePost))
	require.NoError(t, err)
	require.NoError(t, p.Notify(t.Context(), r.Account, casefile.Notice{Number: "N-4T9QW-0XK3B", Case: "7K2QX-9MDT4", Lang: "en", Text: "Notice N-4T9QW-0XK3B\n"}))
	var got bytes.Buffer
	for i, text := range strings.Split(strings.TrimSuffix(readFile(t, path), "\n"), "\n") {
		l, err := decodeLine([]byte(text))
		require.NoError(t, err)
		require.Len(t, l.Reference, 26)
		l.Reference = "REFERENCE-" + string(rune('1'+i))
		raw, err := json.Marshal(l)
		require.NoError(t, err)
		got.Write(append(raw, '\n'))
	}
	const golden = "testdata/dryrun.ndjson"
	if os.Getenv("DOCKET_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
	}
	require.Equal(t, readFile(t, golden), got.String())
}

func FuzzReadFile(f *testing.F) {
	raw, err := os.ReadFile("testdata/dryrun.ndjson")
	if err == nil {
		f.Add(raw)
		f.Add(raw[:len(raw)-9])
	}
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"v":1,"op":"undo","key":"D/1/undo","reference":"R","account":{"platform":"s","id":"a"},"act":{"kind":"warn"}}` + "\n"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &Platform{done: map[doneKey]done{}, accounts: map[casefile.AccountRef]measures{}}
		size, err := readLines(bytes.NewReader(data), p.replay)
		if err != nil {
			require.Contains(t, []casefile.Code{casefile.CodeInvalid, casefile.CodeTooLarge}, casefile.ErrorCode(err))
			return
		}
		require.Equal(t, int64(bytes.LastIndexByte(data, '\n')+1), size)
		require.Equal(t, bytes.Count(data, []byte("\n")), len(p.done))
		for account := range p.accounts {
			for name, value := range p.accounts[account].state() {
				require.NotEmpty(t, value, name)
			}
		}
	})
}
