package crash

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Steps are the steps of docs/life-of-a-case.md that a run passes: those of cases, takedowns and appeals,
// which are numbered first. Those of an erasure follow and are not driven here.
const Steps = 41

// atStart are steps that only reading a stream passes: they are hit right after a start that is given
// one, so during recovery.
var atStart = []string{"1", "2", "8"}

// rotation chooses the steps to be killed at: those that were hit least come first, and each seed begins
// at another.
type rotation struct {
	order []string
	hits  map[string]int
	fails map[string]int // times that a step was not passed in time
}

// newRotation begins at another step for each seed; kills is how many a run holds, so that successive
// seeds follow on.
func newRotation(seed uint64, kills int) *rotation {
	r := &rotation{hits: map[string]int{}, fails: map[string]int{}}
	// The order is mixed once and for all, so that neighbours in the document are not always hit together.
	mixed := rand.New(rand.NewPCG(41, 41)).Perm(Steps)
	first := int(seed * uint64(kills) % Steps)
	for i := range Steps {
		r.order = append(r.order, strconv.Itoa(mixed[(first+i)%Steps]+1))
	}
	return r
}

// next gives the step that was hit least, of those that reading a stream passes or of the others.
func (r *rotation) next(start bool) string {
	best := ""
	for _, step := range r.order {
		if slices.Contains(atStart, step) != start {
			continue
		}
		if best == "" || r.hits[step]+r.fails[step] < r.hits[best]+r.fails[best] {
			best = step
		}
	}
	return best
}

// least is how often the step was hit that was hit least.
func (r *rotation) least(steps []string) int {
	least := -1
	for _, step := range steps {
		if least < 0 || r.hits[step] < least {
			least = r.hits[step]
		}
	}
	return least
}

// others are the steps that reading a stream does not pass.
func others() []string {
	var out []string
	for n := 1; n <= Steps; n++ {
		if step := strconv.Itoa(n); !slices.Contains(atStart, step) {
			out = append(out, step)
		}
	}
	return out
}

// counts are the kills by step, of those that were hit at all.
func (r *rotation) counts() map[string]int { return maps.Clone(r.hits) }
