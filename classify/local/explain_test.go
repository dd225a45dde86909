package local

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/classify"
)

func TestExplainNamesTheWordsThatCount(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	text := "Plain1 plain2 — HURRAH Ваnnеr! plain3"
	spans := m.Explain(text)
	require.NotEmpty(t, spans)
	terms := map[string]string{}
	for i, s := range spans {
		terms[s.Term] = text[s.Start:s.End]
		require.Positive(t, s.Weight)
		if i > 0 {
			require.GreaterOrEqual(t, s.Start, spans[i-1].End, "in the order of the text")
		}
	}
	require.Equal(t, "HURRAH", terms["hurrah"])
	require.Equal(t, "Ваnnеr", terms["banner"], "the place is the one in the original")
	require.LessOrEqual(t, len(spans), maxTerms)
	require.Empty(t, m.Explain("!!"))
}

func TestExplainReachesAcrossWhatIsNotRead(t *testing.T) {
	t.Parallel()
	text := "@someone https://example.org/x hurrah @other banner"
	for _, s := range toyModel(t).Explain(text) {
		require.Equal(t, s.Term, text[s.Start:s.End])
	}
}

// TestContributionsAddUp: base and all words together are the log-odds of the score.
func TestContributionsAddUp(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	for _, e := range append(toys(4, 40), Example{Text: "enlist enlist enlist today, today"}) {
		f := folded(e.Text)
		by, sum := m.contributions(f, classify.Words(f))
		for _, c := range by {
			sum += c
		}
		p := m.Judge(e.Text).Any
		require.InDelta(t, math.Log(p/(1-p)), sum, 1e-6, e.Text)
	}
}

func FuzzExplain(f *testing.F) {
	m := toyModel(f)
	for _, s := range []string{"hurrah banner", "HURRAH\u0301 \u200bbanner", "\xffhurrah", "enlist🔥today", "@a hurrah https://x", "ﷺ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		j := m.Judge(text)
		spans := m.Explain(text)
		if !j.OK {
			require.Empty(t, spans)
		}
		for _, s := range spans {
			require.True(t, 0 <= s.Start && s.Start < s.End && s.End <= len(text))
		}
	})
}
