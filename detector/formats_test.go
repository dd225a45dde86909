package detector

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/docs/formats/formatstest"
)

// TestSnapshotGolden holds the documented snapshot to what this detector writes, byte for byte, and
// to its schema.
func TestSnapshotGolden(t *testing.T) {
	t.Parallel()
	rules := load(t, smallRules)
	d := New(rules)
	first := event("p1", "s1", 0, strong)
	second := event("p2", "s2", 1, "The Grey Banner")
	second.Account.Handle, second.Account.Bio = "grey_gull", "Friend of the Grey Banner"
	edit := event("p2", "s2", 2, "The Gr3y Banner, [placeholder]")
	edit.Kind = "edit"
	repost := event("p3", "s2", 3, medium)
	repost.RepostOf = "p1"
	require.NotEmpty(t, process(d, first, second, edit, repost))

	got := snapshot(t, d, "token of the stream")
	path := filepath.Join("testdata", "snapshot.golden.ndjson")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "an old snapshot must stay readable: a change takes a new SnapshotVersion")

	again := New(rules)
	_, err = again.Restore(bytes.NewReader(want))
	require.NoError(t, err)
	require.Equal(t, string(want), string(snapshot(t, again, "token of the stream")))

	formatstest.SameFields(t, "detector-snapshot#/$defs/header", snapshotHeader{}, formatstest.Written)
	formatstest.SameFields(t, "detector-snapshot#/$defs/line", snapshotLine{}, formatstest.Read)
	values := formatstest.Values(t, "detector/testdata/snapshot.golden.ndjson", false)
	for i, value := range values {
		require.NoError(t, formatstest.Check(formatstest.Schema(t, "detector-snapshot"), value), "line %d", i)
	}
	require.Len(t, values, 4, "a header, two accounts, a footer")
	for _, value := range values[1:] {
		line := formatstest.Reader{Schema: "detector-snapshot#/$defs/line", Decode: decodeSnapshotLine}
		// An event's own schema is open, for what other programs send.
		line.Skip = []string{"account.account", "account.profile.event"}
		for i := range 3 {
			line.Skip = append(line.Skip, strings.ReplaceAll("account.posts[#].event", "#", string(rune('0'+i))))
		}
		line.Agrees(t, value)
	}
}

func decodeSnapshotLine(data []byte) (any, error) {
	var line snapshotLine
	err := strictJSON(data, &line)
	return line, err
}
