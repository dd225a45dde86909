package classify

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	model := Model{Name: "m", Version: "1"}
	posts := []casefile.Event{{ID: "a", Text: "[words]"}, {ID: "b"}}
	sound := func() Score {
		return Score{
			Platform: "p", Account: "x", Score: 1, Posts: 2, Model: model, Policies: map[casefile.PolicyCode]float64{casefile.VE01: 0},
			Top: []PostScore{{Post: "a", Score: 0.5, Terms: []casefile.Span{{Start: 0, End: 7, Weight: -1}}}},
		}
	}
	require.NoError(t, sound().Check("p", "x", model, posts))
	for name, lie := range map[string]func(*Score){
		"platform":       func(s *Score) { s.Platform = "q" },
		"account":        func(s *Score) { s.Account = "y" },
		"model":          func(s *Score) { s.Model.Version = "2" },
		"no number":      func(s *Score) { s.Score = math.NaN() },
		"above one":      func(s *Score) { s.Score = 1.01 },
		"below zero":     func(s *Score) { s.Score = -0.01 },
		"posts":          func(s *Score) { s.Posts = 3 },
		"fewer posts":    func(s *Score) { s.Posts = -1 },
		"no policy":      func(s *Score) { s.Policies["VE-99"] = 0.1 },
		"infinite share": func(s *Score) { s.Policies[casefile.VE01] = math.Inf(1) },
		"other post":     func(s *Score) { s.Top[0].Post = "c" },
		"post's score":   func(s *Score) { s.Top[0].Score = math.NaN() },
		"place":          func(s *Score) { s.Top[0].Terms[0].End = 8 },
		"backwards":      func(s *Score) { s.Top[0].Terms[0].Start = 8 },
		"before":         func(s *Score) { s.Top[0].Terms[0].Start = -1 },
		"weight":         func(s *Score) { s.Top[0].Terms[0].Weight = math.Inf(-1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sound()
			lie(&s)
			require.Equal(t, casefile.CodeInternal, casefile.ErrorCode(s.Check("p", "x", model, posts)))
		})
	}
}
