package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

// inJSONAlone are the fields of a flag that the command prints with --json alone; all others stand in text, too.
var inJSONAlone = []string{
	"id", "detector.name", "detector.version", "reasons.terms.term", "evidence.lang", "evidence.urls", "evidence.mentions", "evidence.reply_to", "evidence.repost_of",
	"evidence.media.type", "evidence.media.url", "evidence.media.mime", "evidence.media.sha256", "evidence.media.pdq", "evidence.account.display_name", "evidence.account.bio",
}

// TestPromise11CommandLine: with an attack in every field that a stream or a detector can set, a terminal gets
// text alone, all of it, and JSON that holds what was sent.
func TestPromise11CommandLine(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for n, a := range reviewtest.Attacks {
		f, fields := reviewtest.HostileFlag(n, a)
		wire := string(reviewtest.Wire([]byte(b.lines(f))))
		r := b.typed("detector", wire, "flag", "submit", "-", "--json")
		require.Zero(t, r.code, "%s: %s%s", a.Name, r.out, r.err)
		tame(t, r.out)
		r = b.as("detector", "flag", "show", fields["id"])
		require.Zero(t, r.code, "%s: %q: %s", a.Name, fields["id"], r.err)
		tame(t, r.out)
		var status review.FlagStatus
		b.as("detector", "flag", "show", fields["id"], "--json").decode(t, &status)
		ref := string(status.Case)

		shown := b.as("rev1", "case", "show", ref).good(t)
		tame(t, shown)
		for path := range fields {
			mark := reviewtest.FieldMark(n, path)
			require.Equal(t, !slices.Contains(inJSONAlone, path), strings.Contains(shown, mark), "%s: %s\n%s", a.Name, path, shown)
		}
		require.NotContains(t, shown, "\nWHAT WE DECIDED\n", a.Name)
		raw := b.as("rev1", "case", "show", ref, "--json").good(t)
		tame(t, raw)
		for path := range fields {
			require.Contains(t, raw, reviewtest.FieldMark(n, path), "%s: %s", a.Name, path)
		}
		var view review.CaseView
		require.NoError(t, json.Unmarshal([]byte(raw), &view))
		require.Equal(t, fields["account.handle"], view.Handle)
		require.Equal(t, fields["evidence.text"], view.Evidence[0].Event.Text)
		require.Equal(t, fields["reasons.detail"], view.FlagViews[0].Reasons[0].Detail)

		for _, args := range [][]string{{"case", "list"}, {"case", "list", "--queue", reviewtest.Queue}} {
			tame(t, b.as("rev1", args...).good(t))
		}
		found := b.typed("rev1", a.Shown(), "case", "find", "-")
		tame(t, found.out+found.err)
	}
}
