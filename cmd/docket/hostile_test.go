package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
	"github.com/docket-triage/docket/review/reviewtest"
)

// hostile moves the cursor, sets the window's title, switches colours by one byte, turns text around,
// hides a word, and pretends to be lines of ours.
const hostile = "\x1b[2J\x1b]0;owned\a\u009b31m\u202eback\u2066\u200b\U000e0041\u2028\r\n\nDecision\n  L0: done\tend"

// tame requires that nothing in a text can act on a terminal.
func tame(t testing.TB, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
			require.Fail(t, "unprintable", "%U in %q", r, text)
		}
	}
}

// TestHostileContent: whatever a detector, an account or a colleague wrote reaches no terminal as it
// is, neither as text nor as JSON, which still holds all of it.
func TestHostileContent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Workflows.Findings = []casefile.Finding{
		{Kind: casefile.FindingHistory, Source: "s", Version: "1", Status: casefile.StatusFailed, Why: "why" + hostile},
		{Kind: casefile.FindingScore, Source: "s", Version: "1", Status: casefile.StatusKnown, Values: map[string]float64{"v" + hostile: 1}},
	}
	post := b.Post(1, "post"+hostile, "text"+hostile)
	f := b.Flag(1, "flag\u009b31m\u202e", post)
	f.Account.Handle, f.Account.DisplayName, f.Account.Bio = "handle"+hostile, "name"+hostile, "bio"+hostile
	f.Detector = casefile.Detector{Name: "detector" + hostile, Version: "v" + hostile}
	f.Reasons[0].Rule, f.Reasons[0].Detail = "rule"+hostile, "detail"+hostile
	in := b.lines(f) + "{\"" + strings.ReplaceAll(hostile, "\n", "") + "\":1}\n"
	for _, args := range [][]string{{"flag", "submit", "-"}, {"flag", "submit", "-", "--json"}} {
		r := b.typed("detector", in, args...)
		require.Equal(t, 1, r.code)
		require.Contains(t, r.out, "flag")
		tame(t, r.out+r.err)
	}
	r := b.as("detector", "flag", "show", f.ID)
	tame(t, r.good(t))
	var status review.FlagStatus
	b.as("detector", "flag", "show", f.ID, "--json").decode(t, &status)
	require.Equal(t, f.ID, status.ID)
	ref := string(status.Case)

	b.as("rev1", "case", "claim", ref).good(t)
	b.typed("rev1", "comment"+hostile, "case", "comment", ref).good(t)
	b.typed("rev1", "reason"+hostile, "case", "hand-over", ref, "--queue", reviewtest.Queue).good(t)
	b.as("rev1", "case", "claim", ref).good(t)
	form := reviewtest.Form(casefile.L5, post.ID)
	form.Rationale = "rationale" + hostile
	path := b.write("form.json", b.JSON(form))
	preview := b.as("rev1", "case", "opinion", ref, "--file", path, "--preview").good(t)
	tame(t, preview)
	require.Contains(t, preview, "  | ")
	b.as("rev1", "case", "opinion", ref, "--file", path, "--evidence-revision", "1").good(t)

	shown := b.as("rev1", "case", "show", ref).good(t)
	tame(t, shown)
	for _, part := range []string{"handle", "name", "bio", "rule", "detail", "post", "text", "why", "v", "comment", "reason", "rationale"} {
		require.Contains(t, shown, part+"<U+001B>[2J", "%s is shown, and made plain", part)
	}
	require.Equal(t, 1, strings.Count(shown, "\nDecision\n"), "no content passes for a line of ours")

	raw := b.as("rev1", "case", "show", ref, "--json").good(t)
	tame(t, raw)
	var view review.CaseView
	require.NoError(t, json.Unmarshal([]byte(raw), &view))
	require.Equal(t, "handle"+hostile, view.Handle)
	require.Equal(t, "text"+hostile, view.Evidence[0].Event.Text)
	require.Equal(t, "rule"+hostile, view.FlagViews[0].Reasons[0].Rule)
	require.Equal(t, "comment"+hostile, view.Comments[0].Text)

	for _, args := range [][]string{
		{"case", "show", "x" + hostile}, {"case", "next", "x" + hostile}, {"case", "list", "--queue", "x" + hostile}, {"case", "list", "--cursor", "x" + hostile},
		{"bogus" + hostile}, {"case", "list", "--bogus" + hostile}, {"flag", "submit", b.data + "/" + hostile}, {"case", "find", "handle" + hostile},
		{"audit", "verify", "--log", "http://127.0.0.1:1/" + hostile, "--key", "a+b+c"},
	} {
		for _, more := range [][]string{nil, {"--json"}} {
			r := b.as("rev1", append(more, args...)...)
			tame(t, r.out+r.err)
		}
	}
	path = b.write("form.json", []byte(`{"`+strings.NewReplacer("\x1b", "", "\a", "", "\r", "", "\n", "", "\t", "").Replace(hostile)+`":1}`))
	tame(t, b.as("rev1", "case", "opinion", ref, "--file", path, "--preview").bad(t))
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"words, Wörter, слова, كلمات, 言葉 🙂": "words, Wörter, слова, كلمات, 言葉 🙂",
		"a\x1b[31mb":                "a<U+001B>[31mb",
		"a\u009bb\u202ec\U000e0041": "a<U+009B>b<U+202E>c<U+E0041>",
		"one\ntwo":                  "one ⏎ two",
		"bad \xff byte":             "bad <U+FFFD> byte",
		"":                          "",
	} {
		require.Equal(t, want, plain(in))
	}
	require.Equal(t, "  | one\n  | \n  | two<U+001B>\n", quoted("one\r\n\ntwo\x1b"))
}

func FuzzPlain(f *testing.F) {
	f.Add(hostile)
	f.Add("bad \xff byte")
	f.Fuzz(func(t *testing.T, s string) {
		out := plain(s)
		tame(t, out)
		require.NotContains(t, out, "\n")
		tame(t, quoted(s))
		for line := range strings.Lines(quoted(s)) {
			require.True(t, strings.HasPrefix(line, "  | "))
		}
	})
}

func FuzzPrintJSON(f *testing.F) {
	f.Add(hostile, "  ")
	f.Add("<&>\u2029\x7f", "")
	f.Fuzz(func(t *testing.T, s, indent string) {
		if strings.Trim(indent, " ") != "" {
			t.Skip("an indent is made of spaces")
		}
		var out strings.Builder
		require.NoError(t, printJSON(&out, map[string]any{s: []string{s}}, indent))
		tame(t, out.String())
		want, err := json.Marshal(map[string]any{s: []string{s}})
		require.NoError(t, err)
		require.JSONEq(t, string(want), out.String())
	})
}

func FuzzParseForm(f *testing.F) {
	form, err := json.Marshal(reviewtest.Form(casefile.L5, "post-1"))
	require.NoError(f, err)
	f.Add(form)
	f.Add([]byte(`{"rationle":"x"}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		form, err := parseForm(data)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		again, err := json.Marshal(form)
		require.NoError(t, err)
		same, err := parseForm(again)
		require.NoError(t, err)
		require.Equal(t, string(again), func() string { d, _ := json.Marshal(same); return string(d) }())
	})
}

// TestHostileWordsOfDeciding: reasons, complaints, rationales and staff's names reach no terminal as they are.
func TestHostileWordsOfDeciding(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	one, post := b.Open(1)
	ref := string(one)
	b.as("admin", "people", "add", "odd1", "--name", "name"+hostile, "--role", "reviewer", "--team", "team"+hostile).good(t)
	listed := b.as("admin", "people", "list").good(t)
	require.Contains(t, listed, "name<U+001B>[2J")
	require.Contains(t, listed, "team<U+001B>[2J")
	tame(t, listed)
	b.typed("admin", "reason"+hostile, "acts", "pause").good(t)
	paused := b.as("lead", "automation", "show").good(t)
	require.Contains(t, paused, "reason<U+001B>[2J")
	tame(t, paused)
	b.typed("admin", "[why]", "acts", "resume").good(t)
	b.typed("policy", "glass that is broken"+hostile, "glass", "open", ref).good(t)
	glass := b.as("lead", "glass", "list").good(t)
	require.Contains(t, glass, "broken<U+001B>[2J")
	tame(t, glass)

	b.as("rev1", "case", "claim", ref).good(t)
	b.typed("rev1", "note"+hostile, "case", "refer", ref, "--to", "legal").good(t)
	b.as("rev1", "case", "opinion", ref, "--file", b.form(casefile.L5, post), "--evidence-revision", "1").good(t)
	require.NoError(t, b.Workflows.CarryOut(t.Context(), one))
	var view review.CaseView
	b.as("rev2", "case", "show", ref, "--json").decode(t, &view)
	require.Equal(t, "note"+hostile, view.Referrals[0].Words)
	var opened review.AppealOpened
	b.typed("detector", "complaint"+hostile, "appeal", "open", view.Decision.NoticeNo, "--json").decode(t, &opened)
	b.as("rev2", "appeal", "claim", opened.Appeal).good(t)
	b.typed("rev2", "rationale"+hostile, "appeal", "rule", opened.Appeal, "--outcome", "rejected").good(t)
	shown := b.as("rev3", "appeal", "show", opened.Appeal).good(t)
	for _, part := range []string{"note", "complaint", "rationale"} {
		require.Contains(t, shown, part+"<U+001B>[2J", part)
	}
	require.Equal(t, 1, strings.Count(shown, "\nDecision\n"), "no words pass for a line of ours")
	tame(t, shown)
	tame(t, b.as("rev3", "appeal", "show", opened.Appeal, "--json").good(t))
}
