package notice_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy/notice"
)

func judgement(a casefile.Action, codes ...casefile.PolicyCode) casefile.Judgement {
	j := casefile.Judgement{Action: a, Policies: codes, EntityTier: casefile.E2, Mitigations: map[casefile.Mitigation]casefile.Answer{}}
	for _, m := range casefile.Mitigations {
		j.Mitigations[m] = casefile.AnswerNo
	}
	if a.Timed() {
		j.Days = 14
	}
	return j
}

func data(j casefile.Judgement) notice.Data {
	return notice.Data{
		Number: "N-4T9QW-0XK3B", Date: time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC), Case: "7K2QX-9MDT4",
		Service: "Synthetic", Account: casefile.Account{ID: "a-17", Handle: "grey_gull"}, Judgement: j,
		Posts: []notice.Post{
			{ID: "p-1", At: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC), Text: "[praise of a designated group]"},
			{ID: "p-2", Text: ""},
		},
		Complaints: "https://synthetic.example/complaints",
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	weighed := judgement(casefile.L3, casefile.VE09, casefile.VE08)
	weighed.Mitigations[casefile.M1], weighed.Mitigations[casefile.M6], weighed.Mitigations[casefile.M8] = casefile.AnswerYes, casefile.AnswerYes, casefile.AnswerYes
	warning := data(judgement(casefile.L1, casefile.VE12))
	warning.Posts, warning.Profile, warning.Service, warning.Complaints = nil, true, "", ""
	warning.Account = casefile.Account{}
	oneDay := data(judgement(casefile.L5, casefile.VE07))
	oneDay.Judgement.Days = 1
	oneDay.Posts = oneDay.Posts[:1]
	oneDay.Profile = true
	oneDay.DecidedBy = casefile.ByAdjudication
	oneDay.DetectedBy = notice.DetectedByPerson
	auto := automatic(data(judgement(casefile.L2, casefile.VE09)))
	emergency := data(judgement(casefile.L5, casefile.VE01))
	emergency.DecidedBy = casefile.ByEmergency
	cases := map[string]notice.Data{
		"L1-profile":   warning,
		"L2":           data(judgement(casefile.L2, casefile.VE12)),
		"L3-weighed":   data(weighed),
		"L4":           data(judgement(casefile.L4, casefile.VE08)),
		"L2-auto":      auto,
		"L5-one-day":   oneDay,
		"L5-emergency": emergency,
		"L6":           data(judgement(casefile.L6, casefile.VE03)),
	}
	for name, d := range cases {
		for _, lang := range notice.Languages {
			t.Run(name+"."+lang, func(t *testing.T) {
				t.Parallel()
				d := d // the languages run at the same time
				d.Lang = lang
				n, err := notice.Render(d)
				require.NoError(t, err)
				requireGolden(t, name+"."+lang+".txt", n.Text)
				require.Equal(t, casefile.Notice{Number: d.Number, Case: d.Case, Lang: lang, Text: n.Text}, n)
			})
		}
	}
}

func requireGolden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("DOCKET_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

// automatic makes a decision one of a rule.
func automatic(d notice.Data) notice.Data {
	d.DecidedBy, d.Rule = casefile.ByAutomation, "label-propaganda"
	for m := range d.Judgement.Mitigations {
		d.Judgement.Mitigations[m] = casefile.AnswerNotAssessed
	}
	return d
}

// TestWordsForEverything: every action, code, mitigation and way of deciding has words in every
// language, and no two share them.
func TestWordsForEverything(t *testing.T) {
	t.Parallel()
	for _, lang := range notice.Languages {
		seen := map[string]string{}
		render := func(what string, d notice.Data) {
			d.Lang = lang
			n, err := notice.Render(d)
			require.NoError(t, err, what)
			require.NotContains(t, n.Text, "<no value>")
			require.NotContains(t, n.Text, "\n\n\n", what)
			require.NotContains(t, n.Text, "\t")
			require.Empty(t, seen[n.Text], what)
			seen[n.Text] = what
		}
		for _, a := range casefile.Actions {
			if notice.Due(a) {
				render(string(a), data(judgement(a, casefile.VE08)))
			}
		}
		for _, p := range casefile.PolicyCodes[1:] {
			if p != casefile.VE08 {
				render(string(p), data(judgement(casefile.L4, p)))
			}
		}
		for _, m := range casefile.Mitigations[:7] {
			d := data(judgement(casefile.L3, casefile.VE10))
			d.Judgement.Mitigations[m] = casefile.AnswerYes
			render(string(m), d)
		}
		for _, by := range []casefile.DecidedBy{casefile.ByTwoOpinions, casefile.ByAdjudication} {
			d := data(judgement(casefile.L3, casefile.VE10))
			d.DecidedBy = by
			render(string(by), d)
		}
		render("automation", automatic(data(judgement(casefile.L2, casefile.VE10))))
		emergency := data(judgement(casefile.L5, casefile.VE10))
		emergency.DecidedBy = casefile.ByEmergency
		render("emergency", emergency)
	}
}

// TestPreviewEqualsNotice: the same data gives the same bytes, before and after the decision has an
// id.
func TestPreviewEqualsNotice(t *testing.T) {
	t.Parallel()
	preview, err := notice.Render(data(judgement(casefile.L6, casefile.VE03)))
	require.NoError(t, err)
	d := data(judgement(casefile.L6, casefile.VE03))
	d.Decision, d.DecidedBy, d.Lang = casefile.NewID(), casefile.ByTwoOpinions, "en"
	d.Date = d.Date.Add(-12 * time.Hour)
	sent, err := notice.Render(d)
	require.NoError(t, err)
	require.Equal(t, preview.Text, sent.Text)
	require.Equal(t, d.Decision, sent.Decision)
}

// TestPreviewTellsNothingOfASecondPerson: one opinion's notice is the same bytes whether a second
// person was asked or not, for every action but L6.
func TestPreviewTellsNothingOfASecondPerson(t *testing.T) {
	t.Parallel()
	for _, lang := range notice.Languages {
		for _, a := range casefile.Actions {
			if !notice.Due(a) || a == casefile.L6 {
				continue
			}
			d := data(judgement(a, casefile.VE08))
			d.Lang = lang
			preview, err := notice.Render(d)
			require.NoError(t, err)
			d.DecidedBy = casefile.ByOneOpinion
			settled, err := notice.Render(d)
			require.NoError(t, err)
			require.Equal(t, preview.Text, settled.Text)
			for _, count := range []string{"A person took", "Two people", "Ein Mensch hat diese", "Zwei Menschen"} {
				require.NotContains(t, preview.Text, count)
			}
		}
	}
}

// TestNumberAndWindow: every notice says at its head which number to quote, and until when one can
// complain: as long as the domain says.
func TestNumberAndWindow(t *testing.T) {
	t.Parallel()
	d := data(judgement(casefile.L4, casefile.VE08))
	until := d.Date.Add(casefile.AppealWindow)
	n, err := notice.Render(d)
	require.NoError(t, err)
	lines := strings.SplitN(n.Text, "\n", 3)
	require.Equal(t, "Notice "+d.Number, lines[0])
	require.Equal(t, "Quote this number to complain. You can do so at least until "+until.Format("2 January 2006")+" (UTC).", lines[1])
	require.Contains(t, n.Text, "Quote the number "+d.Number+".")
}

// TestEndIsThatOfTheAct: the day printed is that on which the platform's act ends.
func TestEndIsThatOfTheAct(t *testing.T) {
	t.Parallel()
	for _, a := range []casefile.Action{casefile.L3, casefile.L5} {
		d := data(judgement(a, casefile.VE08))
		n, err := notice.Render(d)
		require.NoError(t, err)
		acts := casefile.PlanActs(casefile.Decision{Judgement: d.Judgement, DecidedAt: d.Date}, 0)
		require.Contains(t, n.Text, "ends by itself on "+acts[0].Until.Format("2 January 2006")+" (UTC)")
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*notice.Data)
		field  string
	}{
		"no action":         {func(d *notice.Data) { d.Judgement.Action = casefile.L0 }, "action"},
		"legal order":       {func(d *notice.Data) { d.Judgement.Action = casefile.LX }, "action"},
		"no such action":    {func(d *notice.Data) { d.Judgement.Action = "L9" }, "action"},
		"no policy":         {func(d *notice.Data) { d.Judgement.Policies = nil }, "policies"},
		"no violation":      {func(d *notice.Data) { d.Judgement.Policies = []casefile.PolicyCode{casefile.VE00} }, "policies[0]"},
		"no number":         {func(d *notice.Data) { d.Number = "" }, "number"},
		"number of lines":   {func(d *notice.Data) { d.Number = "N\n1" }, "number"},
		"no date":           {func(d *notice.Data) { d.Date = time.Time{} }, "date"},
		"no case":           {func(d *notice.Data) { d.Case = "" }, "case"},
		"no such language":  {func(d *notice.Data) { d.Lang = "../en" }, "lang"},
		"other than decide": {func(d *notice.Data) { d.DecidedBy = "coin" }, ""},
		"rule not named":    {func(d *notice.Data) { d.DecidedBy = casefile.ByAutomation }, "rule"},
		"rule of lines":     {func(d *notice.Data) { d.DecidedBy, d.Rule = casefile.ByAutomation, "r\n1" }, "rule"},
		"rule of a person":  {func(d *notice.Data) { d.Rule = "r" }, "rule"},
		"emergency removal": {func(d *notice.Data) { d.DecidedBy = casefile.ByEmergency }, "decided_by"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := data(judgement(casefile.L4, casefile.VE08))
			c.change(&d)
			n, err := notice.Render(d)
			require.Error(t, err)
			require.Empty(t, n.Text)
			if c.field == "" {
				return
			}
			var e *casefile.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, casefile.CodeInvalid, e.Code)
			require.Equal(t, c.field, e.Field)
		})
	}
}

// TestPromise11ContentIsData: whatever stands in a post or a handle, the lines of the notice stay
// the same but for the quotation.
func TestPromise11ContentIsData(t *testing.T) {
	t.Parallel()
	d := data(judgement(casefile.L4, casefile.VE08))
	plain, err := notice.Render(d)
	require.NoError(t, err)
	hostile := []string{
		"x\n\nWHAT WE DECIDED\n\nNothing. You win.",
		"{{.Number}} {{template \"measure\" .}} {{define \"x\"}}",
		"\u202ereversed\u2066 hidden\u200b\u2028next\u0085line\r\n> quote",
		"\x00\x1b[2J\xff\xfe",
		strings.Repeat("long ", 1000),
		"<script>alert(1)</script>",
	}
	for _, h := range hostile {
		d.Posts[0].Text, d.Posts[0].ID, d.Account.Handle, d.Service = h, h, h, h
		got, err := notice.Render(d)
		require.NoError(t, err)
		require.True(t, utf8.ValidString(got.Text))
		require.Equal(t, strings.Count(plain.Text, "\n"), strings.Count(got.Text, "\n"), "%q", h)
		require.NotContains(t, got.Text, "\u202e")
		require.NotContains(t, got.Text, "\u2028")
		require.NotContains(t, got.Text, "\x1b")
		require.Less(t, len(got.Text), len(plain.Text)+2000)
		if strings.Contains(h, "{{") {
			require.Contains(t, got.Text, "> "+h)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	posts := func(langs ...string) []casefile.Event {
		var out []casefile.Event
		for _, l := range langs {
			out = append(out, casefile.Event{Lang: l})
		}
		return out
	}
	cases := map[string]struct {
		langs []string
		want  string
	}{
		"none":             {nil, "en"},
		"unknown":          {[]string{"", "und"}, "en"},
		"German":           {[]string{"de", "de-AT", "en"}, "de"},
		"German, mostly":   {[]string{"DE_de", "", "und"}, "de"},
		"half":             {[]string{"de", "en"}, "en"},
		"not supported":    {[]string{"ar", "ar", "de"}, "en"},
		"German a quarter": {[]string{"de", "ru", "ar", "fr"}, "en"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, notice.Language(posts(c.langs...)))
		})
	}
}

// TestTemplateVersion: a change of any wording needs a new version, and this record of it.
func TestTemplateVersion(t *testing.T) {
	t.Parallel()
	sum := sha256.New()
	for _, lang := range notice.Languages {
		for _, name := range []string{lang, "ruling." + lang} {
			raw, err := os.ReadFile("templates/" + name + ".tmpl")
			require.NoError(t, err)
			fmt.Fprintf(sum, "%s %d\n", name, len(raw))
			sum.Write(raw)
		}
	}
	const path = "testdata/template-version.txt"
	got := notice.TemplateVersion + " " + hex.EncodeToString(sum.Sum(nil)) + "\n"
	if os.Getenv("DOCKET_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func FuzzRender(f *testing.F) {
	f.Add("[praise of a designated group]", "grey_gull", "N-1", "de")
	f.Add("\u202e\n> ", "{{.}}", "", "en")
	f.Fuzz(func(t *testing.T, text, handle, number, lang string) {
		d := data(judgement(casefile.L4, casefile.VE08))
		plain, err := notice.Render(d)
		require.NoError(t, err)
		d.Posts[0].Text, d.Account.Handle, d.Number, d.Lang = text, handle, number, lang
		n, err := notice.Render(d)
		if err != nil {
			require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err))
			return
		}
		require.True(t, utf8.ValidString(n.Text))
		require.Equal(t, strings.Count(plain.Text, "\n"), strings.Count(n.Text, "\n"))
	})
}
