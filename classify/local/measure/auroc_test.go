package measure

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAUROC(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		positive, negative []float64
		want               float64
	}{
		"perfect":    {[]float64{0.9, 0.8}, []float64{0.1, 0.2}, 1},
		"reversed":   {[]float64{0.1}, []float64{0.2, 0.3}, 0},
		"all alike":  {[]float64{0.5, 0.5}, []float64{0.5}, 0.5},
		"one of two": {[]float64{0.5}, []float64{0.4, 0.6}, 0.5},
		"a tie":      {[]float64{0.5}, []float64{0.4, 0.5}, 0.75},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.InDelta(t, tc.want, AUROC(tc.positive, tc.negative), 1e-12)
		})
	}
	require.True(t, math.IsNaN(AUROC(nil, []float64{1})))
	require.True(t, math.IsNaN(AUROC([]float64{1}, nil)))
}

func TestAUROCAgreesWithCountingPairs(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		p, n := make([]float64, 1+rng.IntN(30)), make([]float64, 1+rng.IntN(30))
		for i := range p {
			p[i] = float64(rng.IntN(10))
		}
		for i := range n {
			n[i] = float64(rng.IntN(8))
		}
		wins := 0.0
		for _, a := range p {
			for _, b := range n {
				if a > b {
					wins++
				} else if a == b {
					wins += 0.5
				}
			}
		}
		require.InDelta(t, wins/float64(len(p)*len(n)), AUROC(p, n), 1e-12)
	}
}
