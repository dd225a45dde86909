package classify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
)

func TestValues(t *testing.T) {
	t.Parallel()
	s := Score{Score: 0.6, Posts: 7, Policies: map[casefile.PolicyCode]float64{casefile.VE05: 0.1}, Top: []PostScore{{Score: 0.8}, {Score: 0.4}}}
	v := s.Values()
	require.InDelta(t, 0.6, v["mean"], 1e-9)
	delete(v, "mean")
	require.Equal(t, map[string]float64{"score": 0.6, "max": 0.8, "posts": 7, "p_VE_05": 0.1}, v)
}
