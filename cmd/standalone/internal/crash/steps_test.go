package crash

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStepsAreThoseOfTheDocument: a step that is added before erasures is killed at as well.
func TestStepsAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "docs", "life-of-a-case.md"))
	require.NoError(t, err)
	before, _, found := strings.Cut(string(text), "An account's erasure is asked for")
	require.True(t, found, "the steps of an erasure follow those of a case")
	rows := regexp.MustCompile(`(?m)^\| ([0-9]+) \| .`).FindAllString(before, -1)
	require.Len(t, rows, Steps)
}

// TestRotation: a long run hits every step three times or more, and short runs of successive seeds do not
// begin at the same steps.
func TestRotation(t *testing.T) {
	t.Parallel()
	play := func(seed uint64, rounds int) map[string]int {
		r := &run{rotation: newRotation(seed, kills(rounds)), rng: newRng(seed, 1)}
		for round := 1; round <= rounds; round++ {
			for _, k := range append([]kind{working}, extra(round)...) {
				at := r.choose(k)
				r.count(k, at, at.step != "")
			}
		}
		return r.rotation.counts()
	}
	long := play(1, 100)
	for n := 1; n <= Steps; n++ {
		require.GreaterOrEqual(t, long[strconv.Itoa(n)], 3, "step %d", n)
	}
	all := map[string]bool{}
	for seed := range uint64(4) {
		for step := range play(seed, 20) {
			all[step] = true
		}
	}
	require.Len(t, all, Steps)
	recovering := 0
	for round := 1; round <= 100; round++ {
		if slices.ContainsFunc(extra(round), func(k kind) bool { return k != anywhen }) {
			recovering++
		}
	}
	require.Equal(t, 50, recovering, "half the rounds kill again during recovery")
}
