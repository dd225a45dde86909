package local

import (
	"cmp"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/classify"
)

// Example is a labelled text.
type Example struct {
	Text  string
	Label casefile.PolicyCode // "" or VE-00 where nothing is wrong with it
	Lang  string
	// Group keeps texts that belong together, such as an account's, on one side of every split.
	Group string
}

func (e Example) violates() bool { return e.Label != "" && e.Label != casefile.VE00 }

// Options set the training up. The zero value of a field takes its default.
type Options struct {
	Seed   uint64  // of the order of the examples and of the splits
	Bits   uint    // log2 of the number of buckets; 18
	Epochs int     // 12
	Rate   float64 // learning rate; 0.5
	L2     float64 // weight decay; 1e-4
	// MaxRows bounds the buckets that are kept, those with the largest weights; 24,000.
	MaxRows int
	// MinPositives is how many examples of a policy it takes to learn it, and a quarter of it to
	// calibrate it; 12.
	MinPositives int
}

func (o Options) withDefaults() Options {
	o.Bits = cmp.Or(o.Bits, 18)
	o.Epochs = cmp.Or(o.Epochs, 12)
	o.Rate = cmp.Or(o.Rate, 0.5)
	o.L2 = cmp.Or(o.L2, 1e-4)
	o.MaxRows = cmp.Or(o.MaxRows, 24_000)
	o.MinPositives = cmp.Or(o.MinPositives, 12)
	return o
}

// Split parts examples in two by their groups (an example without one is a group by its text):
// about share of the groups go to the second part, the same ones for the same seed.
func Split(examples []Example, seed uint64, share float64) (first, second []Example) {
	for _, e := range examples {
		h := fnv.New64a()
		_, _ = h.Write([]byte(cmp.Or(e.Group, e.Text))) // a hash does not fail
		if float64(mix(h.Sum64()^mix(seed))>>11)/(1<<53) < share {
			second = append(second, e)
		} else {
			first = append(first, e)
		}
	}
	return first, second
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Train makes a model: logistic regression for any violation and for each policy with enough
// examples, by stochastic gradient descent, calibrated on a fifth of the groups that the weights
// have not seen. The same examples in the same order with the same options give the same model on
// one kind of processor. The error is CodeInvalid where there is nothing to tell apart.
func Train(examples []Example, o Options) (*Model, error) {
	o = o.withDefaults()
	if o.Bits < minBits || o.Bits > maxBits {
		return nil, casefile.Invalid("bits", "must be %d to %d", minBits, maxBits)
	}
	learn, calibrate := Split(examples, o.Seed+1, 0.2)
	heads := headsFor(learn, calibrate, o.MinPositives)
	if heads == nil {
		return nil, casefile.Invalid("examples", "too few with and without a violation: %d each are needed", o.MinPositives)
	}
	t := newTrainer(learn, heads, o)
	for epoch := range o.Epochs {
		t.pass(epoch)
	}
	m := t.model()
	m.calibrate(calibrate)
	var err error
	m.version, err = m.digest()
	if err != nil {
		return nil, err
	}
	return m, nil
}

// headsFor lists what can be learnt: nil if not even any violation can be.
func headsFor(learn, calibrate []Example, least int) []head {
	enough := func(yes func(Example) bool) bool {
		for i, part := range [][]Example{learn, calibrate} {
			n, need := 0, least
			if i == 1 {
				need = max(least/4, 1)
			}
			for _, e := range part {
				if yes(e) {
					n++
				}
			}
			if n < need || len(part)-n < need {
				return false
			}
		}
		return true
	}
	if !enough(Example.violates) {
		return nil
	}
	heads := []head{{}}
	for _, code := range casefile.PolicyCodes[1:] {
		if enough(func(e Example) bool { return e.Label == code }) {
			heads = append(heads, head{Policy: code})
		}
	}
	return heads
}

// sparse is an example as the trainer sees it: its distinct buckets and the answer of each head.
type sparse struct {
	buckets []uint32
	yes     []bool
}

type trainer struct {
	o        Options
	examples []sparse
	heads    []head
	weights  []float64 // by bucket and head
	squares  []float64 // sums of squared gradients, for AdaGrad
	bias     []float64
	biasSq   []float64
	positive []float64 // how much more a positive example counts, by head
}

func newTrainer(examples []Example, heads []head, o Options) *trainer {
	size := len(heads) << o.Bits
	t := &trainer{
		o: o, heads: heads, weights: make([]float64, size), squares: make([]float64, size),
		bias: make([]float64, len(heads)), biasSq: make([]float64, len(heads)), positive: make([]float64, len(heads)),
	}
	s := newMarks(o.Bits)
	counts := make([]float64, len(heads))
	for _, e := range examples {
		f := folded(e.Text)
		list := classify.Words(f)
		if len(list) == 0 {
			continue
		}
		x := sparse{yes: make([]bool, len(heads))}
		s.stamp++
		features(f, list, o.Bits, func(b uint32, _, _ int) {
			if !s.seen(b) {
				x.buckets = append(x.buckets, b)
			}
		})
		for i, h := range heads {
			x.yes[i] = e.violates() && (h.Policy == "" || h.Policy == e.Label)
			if x.yes[i] {
				counts[i]++
			}
		}
		t.examples = append(t.examples, x)
	}
	for i, n := range counts {
		// A rare policy is not drowned by the rest, nor does it drown them.
		t.positive[i] = min(math.Sqrt((float64(len(t.examples))-n)/max(n, 1)), 10)
	}
	return t
}

// pass goes through the examples once, in an order of its own. The conversions around products
// keep the compiler from fusing them with sums, which would round differently by processor.
func (t *trainer) pass(epoch int) {
	rng := rand.New(rand.NewPCG(t.o.Seed, uint64(epoch)))
	for _, k := range rng.Perm(len(t.examples)) {
		x := t.examples[k]
		value := 1 / math.Sqrt(float64(len(x.buckets)))
		for i := range t.heads {
			z := 0.0
			for _, b := range x.buckets {
				z += t.weights[int(b)*len(t.heads)+i]
			}
			z = float64(z*value) + t.bias[i]
			g := sigmoid(z)
			if x.yes[i] {
				g = (g - 1) * t.positive[i]
			}
			t.step(&t.bias[i], &t.biasSq[i], g)
			for _, b := range x.buckets {
				at := int(b)*len(t.heads) + i
				t.step(&t.weights[at], &t.squares[at], float64(g*value)+float64(t.o.L2*t.weights[at]))
			}
		}
	}
}

func (t *trainer) step(w, square *float64, g float64) {
	*square += float64(g * g)
	*w -= float64(t.o.Rate * g / (math.Sqrt(*square) + 1e-6))
}

// model keeps the rows with the largest weights, in the precision of the file, so that what is
// measured and calibrated is what is shipped.
func (t *trainer) model() *Model {
	n := len(t.heads)
	size := func(b uint32) float64 {
		most := 0.0
		for _, w := range t.weights[int(b)*n : int(b+1)*n] {
			most = max(most, math.Abs(w))
		}
		return most
	}
	var buckets []uint32
	for b := range uint32(1) << t.o.Bits {
		if size(b) > 1e-3 {
			buckets = append(buckets, b)
		}
	}
	slices.SortStableFunc(buckets, func(a, b uint32) int { return cmp.Compare(size(b), size(a)) })
	buckets = buckets[:min(len(buckets), t.o.MaxRows)]
	slices.Sort(buckets)
	weights := make([]float32, 0, len(buckets)*n)
	for _, b := range buckets {
		for _, w := range t.weights[int(b)*n : int(b+1)*n] {
			weights = append(weights, fromHalf(toHalf(float32(w))))
		}
	}
	heads := slices.Clone(t.heads)
	for i := range heads {
		heads[i].Bias, heads[i].A = round(t.bias[i]), 1
	}
	return assemble(t.o.Bits, heads, buckets, weights)
}
