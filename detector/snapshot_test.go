package detector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

// talk is a stream in which accounts post, repost, edit, change their profiles and go.
func talk() []casefile.Event {
	var out []casefile.Event
	for i := range 200 {
		account := fmt.Sprint("a", i*7%9)
		text := []string{"Good morning", "The Grey Banner nr " + fmt.Sprint(i), medium + fmt.Sprint(" nr ", i), "send money", strong + fmt.Sprint(i)}[i*3%5]
		ev := event(fmt.Sprint("p", i), account, i*11, text)
		switch i % 23 {
		case 5:
			ev.RepostOf = "p1"
		case 7:
			ev.Kind, ev.ID = casefile.EventEdit, fmt.Sprint("p", i-9)
		case 11:
			ev.Account.Bio = "Official account of the Grey Banner"
		case 17:
			ev.Kind, ev.ID, ev.Text = casefile.EventDelete, fmt.Sprint("p", i-18), ""
		case 19:
			ev.Kind, ev.ID, ev.Text = casefile.EventAccountGone, "", ""
		}
		out = append(out, ev)
	}
	return out
}

func snapshot(t testing.TB, d *Detector, token string) []byte {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, d.Snapshot(&buf, token))
	return buf.Bytes()
}

func TestARestoredDetectorGivesTheSameFlags(t *testing.T) {
	t.Parallel()
	events := talk()
	rules := load(t, smallRules)
	want, err := json.Marshal(process(New(rules), events...))
	require.NoError(t, err)
	whole := New(rules)
	process(whole, events...)
	require.Positive(t, whole.Stats().Flags)
	require.Positive(t, whole.Stats().Evicted)
	for cut := 0; cut <= len(events); cut += 13 {
		first := New(rules)
		flags := process(first, events[:cut]...)
		second := New(rules)
		restored, err := second.Restore(bytes.NewReader(snapshot(t, first, fmt.Sprint("at ", cut))))
		require.NoError(t, err)
		require.Equal(t, Restored{Token: fmt.Sprint("at ", cut), Windows: true}, restored)
		require.Equal(t, first.Stats(), second.Stats())
		flags = append(flags, process(second, events[cut:]...)...)
		got, err := json.Marshal(flags)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "cut at %d", cut)
		require.Equal(t, whole.Stats(), second.Stats())
	}
}

func TestTheSameStreamGivesTheSameFlags(t *testing.T) {
	t.Parallel()
	rules := load(t, smallRules)
	a, err := json.Marshal(process(New(rules), talk()...))
	require.NoError(t, err)
	b, err := json.Marshal(process(New(rules), talk()...))
	require.NoError(t, err)
	require.Equal(t, string(a), string(b))
}

func TestRestoreUnderOtherRulesKeepsTheTokenAlone(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules))
	process(d, talk()...)
	other := New(load(t, strings.Replace(smallRules, "threshold: 4", "threshold: 4.5", 1)))
	restored, err := other.Restore(bytes.NewReader(snapshot(t, d, "here")))
	require.NoError(t, err)
	require.Equal(t, Restored{Token: "here"}, restored)
	require.Zero(t, other.Stats().Accounts)
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	d := New(load(t, smallRules))
	process(d, talk()...)
	good := string(snapshot(t, d, "here"))
	lines := strings.SplitAfter(good, "\n")
	for name, text := range map[string]string{
		"nothing":             "",
		"something else":      "{}\n",
		"a newer version":     strings.Replace(good, `"version":1`, `"version":2`, 1),
		"cut short":           strings.Join(lines[:len(lines)-2], ""),
		"a byte flipped":      strings.Replace(good, "Glory", "Glorx", 1),
		"a line left out":     strings.Join(append(append([]string{}, lines[0]), lines[2:]...), ""),
		"a line too many":     good + lines[1],
		"an unknown field":    strings.Replace(good, `"digest"`, `"dgst"`, 1),
		"another token":       strings.Replace(good, `"token":"here"`, `"token":"there"`, 1),
		"an empty line of it": lines[0] + "{}\n",
		"a rule out of range": lines[0] + strings.Replace(lines[1], `"r":`, `"r":9`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NotEqual(t, good, text)
			into := New(load(t, smallRules))
			process(into, event("p1", "a1", 0, medium))
			_, err := into.Restore(strings.NewReader(text))
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "%v", err)
			require.Len(t, process(into, event("p2", "a1", 1, medium+" two")), 1, "a failed restore has changed the detector")
		})
	}
}

// backwards is a sealer that anyone can open.
type backwards struct{ fail bool }

func (b backwards) Seal(p []byte) ([]byte, error) {
	if b.fail {
		return nil, errors.New("no key")
	}
	out := bytes.Clone(p)
	for i := range out {
		out[i] ^= 0xFF
	}
	return out, nil
}

func (b backwards) Open(p []byte) ([]byte, error) { return b.Seal(p) }

func TestSnapshotFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "detector.snapshot")
	rules := load(t, smallRules)
	d := New(rules)
	_, found, err := d.LoadFile(path, backwards{})
	require.NoError(t, err)
	require.False(t, found)

	process(d, talk()...)
	require.NoError(t, os.WriteFile(path+".tmp", []byte("left by a crash, and longer than what follows"), 0o600))
	require.NoError(t, d.SaveFile(path, "one", backwards{}))
	require.NoError(t, d.SaveFile(path, "two", backwards{}))
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "Grey Banner", "people's words stand open on the disk")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, err = os.Stat(path + ".tmp")
	require.ErrorIs(t, err, os.ErrNotExist)

	again := New(rules)
	restored, found, err := again.LoadFile(path, backwards{})
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "two", restored.Token)
	require.Equal(t, d.Stats(), again.Stats())

	require.Error(t, d.SaveFile(path, "three", backwards{fail: true}))
	_, _, err = again.LoadFile(path, backwards{fail: true})
	require.Error(t, err)
	_, _, err = again.LoadFile(path, nil)
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), "opened without its key")
	require.Error(t, d.SaveFile(filepath.Join(t.TempDir(), "missing", "x"), "t", nil))
}

func FuzzRestore(f *testing.F) {
	rules := load(f, smallRules)
	d := New(rules)
	process(d, talk()[:3]...) // small seeds: the fuzzer shortens what it finds
	good := snapshot(f, d, "here")
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(`{"format":"docket-detector-snapshot","version":1}` + "\n" + `{"footer":{"accounts":0,"sha256":""}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := New(rules)
		_, err := d.Restore(bytes.NewReader(data))
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
		}
		process(d, talk()[:20]...)
	})
}

// FuzzRestoreAccount skips the digest, so that unsound accounts reach the checks.
func FuzzRestoreAccount(f *testing.F) {
	rules := load(f, smallRules)
	d := New(rules)
	process(d, talk()[:60]...)
	for line := range bytes.Lines(snapshot(f, d, "")) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var l snapshotLine
		if strictJSON(line, &l) != nil || l.Account == nil {
			t.Skip()
		}
		d := New(rules)
		err := d.restoreAccount(l.Account)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		a := l.Account.Account.ID
		for i, text := range []string{"Good morning", medium, strong, "we will attack", "send money"} {
			ev := event(fmt.Sprint("p", i), a, i, text)
			ev.Platform = l.Account.Platform
			d.Process(&ev)
		}
	})
}
