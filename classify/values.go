package classify

import (
	"strings"

	"github.com/docket-triage/docket/casefile"
)

// Values gives a score as the values of a score finding (docs/formats/finding.md): score, max and
// mean (over Top), posts, and p_VE_nn for each policy that the model knows.
func (s Score) Values() map[string]float64 {
	v := map[string]float64{"score": s.Score, "posts": float64(s.Posts)}
	for i, p := range s.Top {
		if i == 0 || p.Score > v["max"] {
			v["max"] = p.Score
		}
		v["mean"] += p.Score / float64(len(s.Top))
	}
	for code, p := range s.Policies {
		v[PolicyValue(code)] = p
	}
	return v
}

// PolicyValue is the name of a policy's probability among the values: "p_VE_05" for VE-05.
func PolicyValue(code casefile.PolicyCode) string {
	return "p_" + strings.ReplaceAll(string(code), "-", "_")
}
