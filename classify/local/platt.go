package local

import (
	"math"

	"github.com/docket-triage/docket/classify"
)

// calibrate fits each head's A and B on examples that the weights have not seen.
func (m *Model) calibrate(examples []Example) {
	zs := make([][]float64, len(m.heads))
	yes := make([][]bool, len(m.heads))
	for _, e := range examples {
		f := folded(e.Text)
		list := classify.Words(f)
		if len(list) == 0 {
			continue
		}
		sums, n := m.sums(f, list)
		for i, h := range m.heads {
			zs[i] = append(zs[i], h.Bias+sums[i]/math.Sqrt(float64(n)))
			yes[i] = append(yes[i], e.violates() && (h.Policy == "" || h.Policy == e.Label))
		}
	}
	for i := range m.heads {
		a, b := platt(zs[i], yes[i])
		m.heads[i].A, m.heads[i].B = round(a), round(b)
	}
}

// platt fits 1/(1+exp(-(a*z+b))) to the answers after Platt (1999), with his smoothed targets, by
// Newton's method with a line search (Lin, Lin and Weng, 2007). A slope below zero would say that
// the head has learnt nothing: it is held at a tenth.
func platt(zs []float64, yes []bool) (a, b float64) {
	positives := 0.0
	for _, y := range yes {
		if y {
			positives++
		}
	}
	negatives := float64(len(yes)) - positives
	high, low := (positives+1)/(positives+2), 1/(negatives+2)
	target := func(i int) float64 {
		if yes[i] {
			return high
		}
		return low
	}
	loss := func(a, b float64) float64 {
		sum := 0.0
		for i, z := range zs {
			x := a*z + b
			// log(1+exp(x)) - t*x without overflow.
			sum += max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) - target(i)*x
		}
		return sum
	}
	a, b = 1, math.Log((positives+1)/(negatives+1))
	current := loss(a, b)
	for range 100 {
		var ga, gb float64
		haa, hbb, hab := 1e-10, 1e-10, 0.0
		for i, z := range zs {
			p := sigmoid(a*z + b)
			d, w := p-target(i), p*(1-p)
			ga, gb = ga+d*z, gb+d
			haa, hab, hbb = haa+w*z*z, hab+w*z, hbb+w
		}
		if math.Abs(ga) < 1e-6 && math.Abs(gb) < 1e-6 {
			break
		}
		det := haa*hbb - hab*hab
		if det < 1e-12 {
			break
		}
		da, db := -(hbb*ga-hab*gb)/det, -(haa*gb-hab*ga)/det
		step := 1.0
		for ; step > 1e-8; step /= 2 {
			next := loss(a+step*da, b+step*db)
			if next < current+1e-4*step*(ga*da+gb*db) {
				a, b, current = a+step*da, b+step*db, next
				break
			}
		}
		if step <= 1e-8 {
			break
		}
	}
	return max(a, 0.1), b
}
