package local

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify/local/measure"
)

// toys are examples that anything can tell apart, in a vocabulary of nonsense.
func toys(seed uint64, n int) []Example {
	rng := rand.New(rand.NewPCG(seed, 1))
	var out []Example
	for i := range n {
		e := Example{Group: fmt.Sprint("g", i)}
		for range 6 {
			e.Text += fmt.Sprintf("plain%d ", rng.IntN(40))
		}
		switch i % 4 {
		case 0:
			e.Label, e.Text = casefile.VE08, e.Text+"hurrah banner"
		case 1:
			e.Label, e.Text = casefile.VE05, "enlist today "+e.Text
		case 2:
			e.Label = casefile.VE00
		}
		out = append(out, e)
	}
	return out
}

func toyModel(t testing.TB) *Model {
	t.Helper()
	m, err := Train(toys(1, 400), Options{Seed: 3, Bits: 14})
	require.NoError(t, err)
	return m
}

func TestTrainLearnsWhatCanBeLearnt(t *testing.T) {
	t.Parallel()
	m := toyModel(t)
	require.Equal(t, []casefile.PolicyCode{casefile.VE05, casefile.VE08}, m.Policies())
	var yes, no, praise, other []float64
	for _, e := range toys(2, 200) {
		j := m.Judge(e.Text)
		require.True(t, j.OK)
		if e.violates() {
			yes = append(yes, j.Any)
		} else {
			no = append(no, j.Any)
		}
		if e.Label == casefile.VE08 {
			praise = append(praise, j.Policies[casefile.VE08])
		} else {
			other = append(other, j.Policies[casefile.VE08])
		}
	}
	require.Greater(t, measure.AUROC(yes, no), 0.999)
	require.Greater(t, measure.AUROC(praise, other), 0.999)
	require.False(t, m.Judge(" @handle !").OK)
}

func TestTrainIsDeterministic(t *testing.T) {
	t.Parallel()
	a, b := toyModel(t), toyModel(t)
	x, err := a.Encode()
	require.NoError(t, err)
	y, err := b.Encode()
	require.NoError(t, err)
	require.Equal(t, x, y)
	c, err := Train(toys(1, 400), Options{Seed: 4, Bits: 14})
	require.NoError(t, err)
	require.NotEqual(t, a.Model().Version, c.Model().Version, "another seed is another model")
}

func TestTrainRefusesWhatTeachesNothing(t *testing.T) {
	t.Parallel()
	benign := toys(1, 400)
	for i := range benign {
		benign[i].Label = ""
	}
	for name, tc := range map[string]struct {
		examples []Example
		o        Options
	}{
		"no examples": {nil, Options{}}, "too few": {toys(1, 20), Options{}}, "benign only": {benign, Options{}},
		"too many bits": {toys(1, 400), Options{Bits: 40}},
	} {
		_, err := Train(tc.examples, tc.o)
		require.Equal(t, casefile.CodeInvalid, casefile.ErrorCode(err), name)
	}
}

func TestTrainLeavesOutPoliciesThatItHardlySaw(t *testing.T) {
	t.Parallel()
	examples := toys(1, 400)
	for i := range examples[:12] {
		if examples[i].violates() {
			examples[i].Label = casefile.VE06
		}
	}
	m, err := Train(examples, Options{Seed: 3, Bits: 14})
	require.NoError(t, err)
	require.NotContains(t, m.Policies(), casefile.VE06)
	_, known := m.Judge("enlist today").Policies[casefile.VE06]
	require.False(t, known, "unknown is not zero")
}

func TestSplitKeepsGroupsTogether(t *testing.T) {
	t.Parallel()
	var examples []Example
	for i := range 2000 {
		examples = append(examples, Example{Text: fmt.Sprint("t", i), Group: fmt.Sprint("g", i%500)})
	}
	a, b := Split(examples, 7, 0.25)
	require.Len(t, append(a, b...), 2000)
	require.InDelta(t, 500, len(b), 80)
	groups := map[string]bool{}
	for _, e := range a {
		groups[e.Group] = true
	}
	for _, e := range b {
		require.False(t, groups[e.Group])
	}
	_, again := Split(examples, 7, 0.25)
	require.Equal(t, b, again)
	_, other := Split(examples, 8, 0.25)
	require.NotEqual(t, b, other)
}

func TestPlattFindsTheSlope(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	var zs []float64
	var yes []bool
	for range 20_000 {
		z := rng.NormFloat64() * 2
		zs = append(zs, z)
		yes = append(yes, rng.Float64() < sigmoid(1.7*z-0.6))
	}
	a, b := platt(zs, yes)
	require.InDelta(t, 1.7, a, 0.1)
	require.InDelta(t, -0.6, b, 0.1)
}

func TestPlattStaysFiniteAndRising(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		zs  []float64
		yes []bool
	}{
		"nothing":       {nil, nil},
		"one kind":      {[]float64{1, 2, 3}, []bool{true, true, true}},
		"separable":     {[]float64{-50, -40, 40, 50}, []bool{false, false, true, true}},
		"reversed":      {[]float64{-1, -2, 1, 2}, []bool{true, true, false, false}},
		"all one value": {[]float64{1, 1, 1, 1}, []bool{true, false, true, false}},
	} {
		a, b := platt(tc.zs, tc.yes)
		require.False(t, math.IsNaN(a) || math.IsInf(a, 0) || math.IsNaN(b) || math.IsInf(b, 0), name)
		require.GreaterOrEqual(t, a, 0.1, name)
	}
}
