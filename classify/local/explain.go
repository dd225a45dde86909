package local

import (
	"cmp"
	"math"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
	"github.com/docket-triage/docket/detector/fold"
)

// maxTerms bounds the terms that explain a score.
const maxTerms = 6

// Explain tells which words of a text gave its probability of any violation: at most six places
// with the most weight towards it, in the order of the text, as bytes of the original. A weight is
// what the word added to the log-odds.
func (m *Model) Explain(text string) []casefile.Span {
	text = readable(text)
	f := fold.String(text)
	list := classify.Words(f)
	by, _ := m.contributions(f, list)
	order := make([]int, 0, len(list))
	for i, c := range by {
		if c > 0 {
			order = append(order, i)
		}
	}
	// What gives less than a tenth of the strongest word explains nothing.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(by[b], by[a]) })
	for i, k := range order {
		if i == maxTerms || by[k] < by[order[0]]/10 {
			order = order[:i]
			break
		}
	}
	slices.Sort(order)
	places := make([]fold.Span, len(order))
	for i, k := range order {
		places[i] = fold.Span{Start: list[k].Start, End: list[k].End}
	}
	spans := []casefile.Span{}
	for i, p := range fold.Spans(text, places) {
		k := order[i]
		spans = append(spans, casefile.Span{Start: p.Start, End: p.End, Term: f[list[k].Start:list[k].End], Weight: round(by[k])})
	}
	return spans
}

// contributions gives what each word adds to the log-odds of any violation, and the base that no
// word gave. A feature over two words counts half for each, one that stands in several places
// counts a part for each.
func (m *Model) contributions(folded string, list []classify.Word) (by []float64, base float64) {
	type place struct{ first, last int }
	places := make(map[uint32][]place)
	features(folded, list, m.bits, func(b uint32, first, last int) { places[b] = append(places[b], place{first, last}) })
	h := m.heads[0]
	by = make([]float64, len(list))
	scale := h.A / math.Sqrt(float64(max(len(places), 1)))
	// In the order of the rows, so that the sums do not depend on the map's.
	buckets := make([]uint32, 0, len(places))
	for b := range places {
		if m.rows[b] >= 0 {
			buckets = append(buckets, b)
		}
	}
	slices.Sort(buckets)
	for _, b := range buckets {
		share := scale * float64(m.weights[int(m.rows[b])*len(m.heads)]) / float64(len(places[b]))
		for _, p := range places[b] {
			for i := p.first; i <= p.last; i++ {
				by[i] += share / float64(p.last-p.first+1)
			}
		}
	}
	return by, h.A*h.Bias + h.B
}

// round keeps four decimals: enough for an eye, and the same on every machine.
func round(x float64) float64 { return math.Round(x*1e4) / 1e4 }
