package notice_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/policy/notice"
)

func ruling(state casefile.AppealState, j casefile.Judgement) notice.RulingData {
	d := notice.RulingData{
		Number: "N-7M2C8-N5V1D", Date: time.Date(2026, 12, 4, 9, 0, 0, 0, time.UTC), Case: "7K2QX-9MDT4", Decision: "d-1",
		Kind: casefile.AppealByAccount, State: state, About: "N-4T9QW-0XK3B",
		DecidedAt: time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC), ComplainedAt: time.Date(2026, 11, 25, 7, 0, 0, 0, time.UTC),
		Service: "Synthetic", Account: casefile.Account{ID: "a-17", Handle: "grey_gull"}, Judgement: j,
		Complaints: "https://synthetic.example/complaints",
	}
	if state == casefile.AppealIncomplete {
		d.NotTakenBack = []casefile.ActKind{casefile.ActRemovePost}
	}
	return d
}

func review(d notice.RulingData) notice.RulingData {
	d.Kind, d.ComplainedAt = casefile.AppealEmergency, time.Time{}
	return d
}

func TestRulingGolden(t *testing.T) {
	t.Parallel()
	weighed := judgement(casefile.L3, casefile.VE09, casefile.VE08)
	weighed.Mitigations[casefile.M1], weighed.Mitigations[casefile.M8] = casefile.AnswerYes, casefile.AnswerYes
	plain := ruling(casefile.AppealUpheld, judgement(casefile.L1, casefile.VE09))
	plain.ComplainedAt, plain.Complaints, plain.Service, plain.Account = time.Time{}, "", "", casefile.Account{}
	for name, d := range map[string]notice.RulingData{
		"ruling-rejected":         ruling(casefile.AppealRejected, judgement(casefile.L4, casefile.VE08)),
		"ruling-rejected-weighed": ruling(casefile.AppealRejected, weighed),
		"ruling-rejected-auto":    ruling(casefile.AppealRejected, automatic(data(judgement(casefile.L2, casefile.VE09))).Judgement),
		"ruling-upheld":           plain,
		"ruling-reinstated":       ruling(casefile.AppealReinstated, judgement(casefile.L6, casefile.VE03)),
		"ruling-incomplete":       ruling(casefile.AppealIncomplete, judgement(casefile.L4, casefile.VE08)),
		"ruling-review-stands":    review(ruling(casefile.AppealRejected, judgement(casefile.L5, casefile.VE01))),
		"ruling-review-falls":     review(ruling(casefile.AppealReinstated, judgement(casefile.L5, casefile.VE01))),
	} {
		for _, lang := range notice.Languages {
			t.Run(name+"."+lang, func(t *testing.T) {
				t.Parallel()
				d := d // the languages run at the same time
				d.Lang = lang
				n, err := notice.RenderRuling(d)
				require.NoError(t, err)
				requireGolden(t, name+"."+lang+".txt", n.Text)
				require.Equal(t, casefile.Notice{Number: d.Number, Decision: "d-1", Case: d.Case, Lang: lang, Text: n.Text}, n)
			})
		}
	}
}

// TestRulingWordsForEverything: every outcome, action, code, mitigation and act has words in every
// language, and no two share them.
func TestRulingWordsForEverything(t *testing.T) {
	t.Parallel()
	for _, lang := range notice.Languages {
		seen := map[string]string{}
		render := func(what string, d notice.RulingData) {
			d.Lang = lang
			n, err := notice.RenderRuling(d)
			require.NoError(t, err, what)
			require.NotContains(t, n.Text, "<no value>")
			require.NotContains(t, n.Text, "\n\n\n", what)
			require.NotContains(t, n.Text, "\t")
			require.Empty(t, seen[n.Text], what)
			seen[n.Text] = what
		}
		for _, a := range casefile.Actions {
			if notice.Due(a) {
				render("stands: "+string(a), ruling(casefile.AppealRejected, judgement(a, casefile.VE08)))
			}
		}
		for _, p := range casefile.PolicyCodes[1:] {
			if p != casefile.VE08 {
				render(string(p), ruling(casefile.AppealRejected, judgement(casefile.L4, p)))
			}
		}
		for _, m := range casefile.Mitigations[:7] {
			j := judgement(casefile.L3, casefile.VE10)
			j.Mitigations[m] = casefile.AnswerYes
			render(string(m), ruling(casefile.AppealRejected, j))
		}
		for _, s := range []casefile.AppealState{casefile.AppealUpheld, casefile.AppealReinstated} {
			render(string(s), ruling(s, judgement(casefile.L5, casefile.VE08)))
			render("review "+string(s), review(ruling(s, judgement(casefile.L5, casefile.VE08))))
		}
		for _, k := range []casefile.ActKind{
			casefile.ActWarn, casefile.ActLabel, casefile.ActLimit, casefile.ActRemovePost, casefile.ActSuspend, casefile.ActTerminate, casefile.ActBlockIdentifiers,
		} {
			d := ruling(casefile.AppealIncomplete, judgement(casefile.L6, casefile.VE03))
			d.NotTakenBack = []casefile.ActKind{k}
			render("not taken back: "+string(k), d)
		}
	}
}

// TestRulingOutcomesAreStates: what a ruling says is a state that the notice has words for.
func TestRulingOutcomesAreStates(t *testing.T) {
	t.Parallel()
	for _, o := range []casefile.AppealOutcome{casefile.OutcomeUpheld, casefile.OutcomeRejected} {
		_, err := notice.RenderRuling(ruling(casefile.AppealState(o), judgement(casefile.L4, casefile.VE08)))
		require.NoError(t, err)
	}
}

// TestRejectionGivesReasonsAndRedress: Regulation (EU) 2022/2065, Articles 20(5) and 21.
func TestRejectionGivesReasonsAndRedress(t *testing.T) {
	t.Parallel()
	n, err := notice.RenderRuling(ruling(casefile.AppealRejected, judgement(casefile.L4, casefile.VE08)))
	require.NoError(t, err)
	for _, part := range []string{
		"rejected", "VE-08  Glorification", "out-of-court dispute settlement body", "Article 20", "Article 21", "go to court",
		"Somebody who took no part", "automated means did not", "N-4T9QW-0XK3B", "N-7M2C8-N5V1D",
	} {
		require.Contains(t, n.Text, part)
	}
}

func TestRenderRulingRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*notice.RulingData)
		field  string
	}{
		"no kind":             {func(d *notice.RulingData) { d.Kind = "" }, "kind"},
		"still open":          {func(d *notice.RulingData) { d.State = casefile.AppealOpen }, "state"},
		"no state":            {func(d *notice.RulingData) { d.State = "" }, "state"},
		"review of a removal": {func(d *notice.RulingData) { d.Kind = casefile.AppealEmergency }, "action"},
		"rest without a rest": {func(d *notice.RulingData) { d.State = casefile.AppealIncomplete }, "not_taken_back"},
		"a rest of nothing":   {func(d *notice.RulingData) { d.NotTakenBack = []casefile.ActKind{casefile.ActWarn} }, "not_taken_back"},
		"no such act": {func(d *notice.RulingData) {
			d.State, d.NotTakenBack = casefile.AppealIncomplete, []casefile.ActKind{"x"}
		}, "not_taken_back[0]"},
		"the same act twice": {func(d *notice.RulingData) {
			d.State, d.NotTakenBack = casefile.AppealIncomplete, []casefile.ActKind{casefile.ActWarn, casefile.ActWarn}
		}, "not_taken_back[1]"},
		"no number":            {func(d *notice.RulingData) { d.Number = "" }, "number"},
		"about nothing":        {func(d *notice.RulingData) { d.About = "" }, "about"},
		"about itself":         {func(d *notice.RulingData) { d.About = d.Number }, "about"},
		"about lines":          {func(d *notice.RulingData) { d.About = "N\n1" }, "about"},
		"no date":              {func(d *notice.RulingData) { d.Date = time.Time{} }, "date"},
		"decided at no time":   {func(d *notice.RulingData) { d.DecidedAt = time.Time{} }, "decided_at"},
		"no case":              {func(d *notice.RulingData) { d.Case = "" }, "case"},
		"no such language":     {func(d *notice.RulingData) { d.Lang = "../en" }, "lang"},
		"a decision of no act": {func(d *notice.RulingData) { d.Judgement.Action = casefile.L0 }, "action"},
		"no code":              {func(d *notice.RulingData) { d.Judgement.Policies = nil }, "policies"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := ruling(casefile.AppealRejected, judgement(casefile.L4, casefile.VE08))
			c.change(&d)
			n, err := notice.RenderRuling(d)
			var e *casefile.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, casefile.CodeInvalid, e.Code)
			if c.field != "case" { // ParseCaseRef names its own
				require.Equal(t, c.field, e.Field)
			}
			require.Empty(t, n.Text)
		})
	}
}

// TestPromise11RulingContentIsData: whatever a handle or a name of a service holds, the lines stay
// the same.
func TestPromise11RulingContentIsData(t *testing.T) {
	t.Parallel()
	for _, state := range []casefile.AppealState{casefile.AppealRejected, casefile.AppealUpheld} {
		d := ruling(state, judgement(casefile.L4, casefile.VE08))
		plain, err := notice.RenderRuling(d)
		require.NoError(t, err)
		for _, h := range []string{"x\n\nWHAT WE DECIDED\n\nNothing.", "{{.Number}} {{template \"stays\" .}}", "\u202ereversed\u2028next\r\n> quote", "\x00\x1b[2J\xff\xfe"} {
			d.Account.Handle, d.Service, d.Complaints = h, h, h
			got, err := notice.RenderRuling(d)
			require.NoError(t, err)
			require.True(t, utf8.ValidString(got.Text))
			require.Equal(t, strings.Count(plain.Text, "\n"), strings.Count(got.Text, "\n"), "%q", h)
			require.NotContains(t, got.Text, "\x1b")
			require.NotContains(t, got.Text, "\u202e")
		}
	}
}
