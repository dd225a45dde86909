package verify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestBundleOfEveryEntry(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 300))
	for _, i := range []int{0, 1, 254, 255, 256, 299} {
		e, err := Bundle(l.bundleOf(t, i), l.key.vkey)
		require.NoError(t, err)
		want, err := casefile.ParseEntry(l.entries[i])
		require.NoError(t, err)
		require.Equal(t, want, e)
	}
	only := buildLog(t, l.entries[:1])
	_, err := Bundle(only.bundleOf(t, 0), only.key.vkey)
	require.NoError(t, err)
}

func TestPromise01ATamperedBundleIsRefused(t *testing.T) {
	t.Parallel()
	entries := plainEntries(t, 300)
	l := buildLog(t, entries)
	other := buildLog(t, entries)
	for _, tc := range []struct {
		name   string
		tamper func(b *casefile.Bundle)
		says   string
	}{
		{"another format", func(b *casefile.Bundle) { b.Format = "docket-bundle/2" }, "format"},
		{"an entry byte", func(b *casefile.Bundle) { b.Entry[20] ^= 1 }, "path"},
		{"another entry", func(b *casefile.Bundle) { b.Entry = entries[8] }, "path"},
		{"no entry", func(b *casefile.Bundle) { b.Entry = nil }, "path"},
		{"a node in place of a leaf", func(b *casefile.Bundle) { b.Entry = append([]byte{1}, b.Path[0]...) }, "path"},
		{"another index", func(b *casefile.Bundle) { b.Index++ }, "path"},
		{"an index beyond the log", func(b *casefile.Bundle) { b.Index = 300 }, "covers 300"},
		{"a huge index", func(b *casefile.Bundle) { b.Index = 1<<63 + 7 }, "covers 300"},
		{"a hash of the path", func(b *casefile.Bundle) { b.Path[3][0] ^= 1 }, "path"},
		{"hashes swapped", func(b *casefile.Bundle) { b.Path[0], b.Path[1] = b.Path[1], b.Path[0] }, "path"},
		{"a hash less", func(b *casefile.Bundle) { b.Path = b.Path[1:] }, "path"},
		{"a hash more", func(b *casefile.Bundle) { b.Path = append(b.Path, b.Path[0]) }, "path"},
		{"a short hash", func(b *casefile.Bundle) { b.Path[2] = b.Path[2][:31] }, "hash 2"},
		{"no checkpoint", func(b *casefile.Bundle) { b.Checkpoint = "" }, "not signed"},
		{"the checkpoint's size", func(b *casefile.Bundle) { b.Checkpoint = strings.Replace(b.Checkpoint, "300", "301", 1) }, "not signed"},
		{"another log's checkpoint", func(b *casefile.Bundle) { b.Checkpoint = other.checkpoint(t) }, "not signed"},
		{"a checkpoint of a smaller log", func(b *casefile.Bundle) {
			b.Checkpoint = l.key.sign(t, testOrigin, 7, l.rootOf(7))
		}, "covers 7"},
		{"a checkpoint of another size", func(b *casefile.Bundle) {
			b.Checkpoint = l.key.sign(t, testOrigin, 200, l.rootOf(200))
		}, "path"},
		{"a checkpoint of another origin", func(b *casefile.Bundle) {
			b.Checkpoint = l.key.sign(t, testOrigin+"/other", 300, l.root())
		}, "origin"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := l.bundleOf(t, 7)
			b.Entry = bytes.Clone(b.Entry)
			_, err := Bundle(b, l.key.vkey)
			require.NoError(t, err)
			tc.tamper(&b)
			_, err = Bundle(b, l.key.vkey)
			require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
			require.ErrorContains(t, err, tc.says)
		})
	}
	_, err := Bundle(l.bundleOf(t, 7), other.key.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
	_, err = Bundle(l.bundleOf(t, 7), "no key")
	require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
}

func TestBundleOfAnEntryThatIsNotCanonical(t *testing.T) {
	t.Parallel()
	c := chain{name: "system"}
	l := buildLog(t, [][]byte{append(c.plain(t), ' ')})
	_, err := Bundle(l.bundleOf(t, 0), l.key.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
	require.ErrorContains(t, err, "canonical")
}

func TestParseBundle(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 3))
	want := l.bundleOf(t, 1)
	data, err := json.Marshal(want)
	require.NoError(t, err)
	got, err := ParseBundle(append(data, '\n'))
	require.NoError(t, err)
	require.Equal(t, want, got)
	for name, bad := range map[string][]byte{
		"unknown field": []byte(`{"format":"docket-bundle/1","more":1}`),
		"trailing":      append(slices.Clone(data), data...),
		"cut":           data[:len(data)-1],
		"not base64":    []byte(`{"entry":"*"}`),
		"too long":      []byte(`{"format":"` + strings.Repeat("x", maxBundleBytes) + `"}`),
	} {
		_, err := ParseBundle(bad)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
	}
}

// TestBundleHasOneSpelling: no bit of a bundle's file can be flipped without the proof failing.
func TestBundleHasOneSpelling(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 3))
	data, err := json.MarshalIndent(l.bundleOf(t, 1), "", "  ")
	require.NoError(t, err)
	proves := func(data []byte) bool {
		b, err := ParseBundle(data)
		if err == nil {
			_, err = Bundle(b, l.key.vkey)
		}
		return err == nil
	}
	require.True(t, proves(data))
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			require.False(t, proves(data), "bit %d of byte %d: %s", bit, i, data[max(0, i-10):min(len(data), i+10)])
			data[i] ^= 1 << bit
		}
	}
}

// Base 64 has spare bits at its end: a signature must not be taken in a second spelling.
func TestCheckpointSignatureHasOneSpelling(t *testing.T) {
	t.Parallel()
	l := buildLog(t, plainEntries(t, 3))
	good := l.checkpoint(t)
	_, err := OpenCheckpoint(good, l.key.vkey)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(good, "=\n"))
	at := len(good) - len("=\n") - 1
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	other := alphabet[strings.IndexByte(alphabet, good[at])^1]
	_, err = OpenCheckpoint(good[:at]+string(other)+good[at+1:], l.key.vkey)
	require.Equal(t, casefile.CodeUnproven, casefile.ErrorCode(err))
}
