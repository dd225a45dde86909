// Package local is a scorer without any engine: a linear model over hashed words and parts of
// words of the folded text, trained by our own command (classify/local/train). The model that ships
// is a weak signal that was trained on synthetic placeholders: docs/model-card.md says what it is
// good for.
package local

import (
	"math"
	"sync"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
)

// Name is the model's name in scores.
const Name = "local-linear"

// Model is a trained model. It does not change and is safe for concurrent use.
type Model struct {
	version string
	bits    uint // log2 of the number of buckets
	heads   []head
	rows    []int32 // by bucket: the row in weights, -1 for none
	weights []float32
	buckets []uint32 // by row: its bucket, ascending
	scratch sync.Pool
}

// head is one question of the model: any violation at all (Policy is empty), or one policy.
type head struct {
	Policy casefile.PolicyCode `json:"policy"`
	Bias   float64             `json:"bias"`
	// A and B make a probability of the linear sum z: 1/(1+exp(-(A*z+B))).
	A float64 `json:"a"`
	B float64 `json:"b"`
}

func (h head) probability(z float64) float64 { return sigmoid(h.A*z + h.B) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Model implements classify.Scorer.
func (m *Model) Model() classify.Model { return classify.Model{Name: Name, Version: m.version} }

// Policies lists the codes that the model has learnt to tell, in order.
func (m *Model) Policies() []casefile.PolicyCode {
	var codes []casefile.PolicyCode
	for _, h := range m.heads[1:] {
		codes = append(codes, h.Policy)
	}
	return codes
}

// Judgement is what the model makes of one text. OK is false where the text has no words to judge;
// the probabilities are then not there.
type Judgement struct {
	OK       bool
	Any      float64 // probability of any violation
	Policies map[casefile.PolicyCode]float64
}

// Judge judges one text.
func (m *Model) Judge(text string) Judgement {
	p := m.probabilities(folded(text))
	if p == nil {
		return Judgement{}
	}
	j := Judgement{OK: true, Any: p[0], Policies: make(map[casefile.PolicyCode]float64, len(p)-1)}
	for i, h := range m.heads[1:] {
		j.Policies[h.Policy] = p[i+1]
	}
	return j
}

// probabilities gives each head's probability for a folded text, nil if it has no words.
func (m *Model) probabilities(folded string) []float64 {
	list := classify.Words(folded)
	if len(list) == 0 {
		return nil
	}
	sums, n := m.sums(folded, list)
	for i, h := range m.heads {
		sums[i] = h.probability(h.Bias + sums[i]/math.Sqrt(float64(n)))
	}
	return sums
}

// sums adds the weights of the distinct features and counts those features, n: each has the value
// 1/sqrt(n).
func (m *Model) sums(folded string, list []classify.Word) (sums []float64, n int) {
	s := m.take()
	defer m.scratch.Put(s)
	sums = make([]float64, len(m.heads))
	features(folded, list, m.bits, func(b uint32, _, _ int) {
		if s.seen(b) {
			return
		}
		n++
		row := m.rows[b]
		if row < 0 {
			return
		}
		for i, w := range m.weights[int(row)*len(m.heads) : (int(row)+1)*len(m.heads)] {
			sums[i] += float64(w)
		}
	})
	return sums, n
}

// marks remembers which buckets one text has had, without being cleared between texts.
type marks struct {
	stamp  uint32
	stamps []uint32
}

// take gives marks with nothing seen; the caller puts them back.
func (m *Model) take() *marks {
	s, _ := m.scratch.Get().(*marks)
	if s == nil || s.stamp == math.MaxUint32 {
		s = newMarks(m.bits)
	}
	s.stamp++
	return s
}

func newMarks(bits uint) *marks { return &marks{stamps: make([]uint32, 1<<bits)} }

// seen reports whether the bucket was seen before, and marks it.
func (s *marks) seen(b uint32) bool {
	if s.stamps[b] == s.stamp {
		return true
	}
	s.stamps[b] = s.stamp
	return false
}

// assemble builds the table from the rows of weights, which ascend by bucket.
func assemble(bits uint, heads []head, buckets []uint32, weights []float32) *Model {
	m := &Model{bits: bits, heads: heads, rows: make([]int32, 1<<bits), weights: weights, buckets: buckets}
	for i := range m.rows {
		m.rows[i] = -1
	}
	for row, b := range buckets {
		m.rows[b] = int32(row)
	}
	return m
}
