// Package measure says how well scores tell two kinds apart.
package measure

import (
	"cmp"
	"math"
	"slices"
)

// AUROC is the chance that a random positive has a higher score than a random negative, ties
// counting half: 0.5 is a coin, 1 is perfect. It is NaN unless there are both.
func AUROC(positive, negative []float64) float64 {
	type point struct {
		score    float64
		positive bool
	}
	points := make([]point, 0, len(positive)+len(negative))
	for _, s := range positive {
		points = append(points, point{s, true})
	}
	for _, s := range negative {
		points = append(points, point{s, false})
	}
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.score, b.score) })
	wins, below := 0.0, 0.0
	for i := 0; i < len(points); {
		var pos, neg float64
		j := i
		for ; j < len(points) && points[j].score == points[i].score; j++ {
			if points[j].positive {
				pos++
			} else {
				neg++
			}
		}
		wins += pos * (below + neg/2)
		below += neg
		i = j
	}
	if len(positive) == 0 || len(negative) == 0 {
		return math.NaN()
	}
	return wins / (float64(len(positive)) * float64(len(negative)))
}
