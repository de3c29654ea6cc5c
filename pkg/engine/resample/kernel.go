package resample

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Filters of 8 bits a sample are separable and work in 16-bit integers: columns first (neighbours in memory stay
// neighbours, which suits vectors), then rows. Weights have weightBits of fraction and sum to exactly one. Between the
// two passes a sample keeps interBits of fraction. All arithmetic is integer and order does not matter, so the vector
// code and the plain code give the same bytes.
const (
	lobes      = 3
	weightBits = 14
	interBits  = 6
)

// kernel is the weights of a resampling from one length to another: output i is the sum over k of
// in[starts[i]+k] × weights[i*taps+k].
type kernel struct {
	taps    int
	starts  []int32
	weights []int16
}

// keepKernels is how many bytes of kernels are kept for pictures of the same sizes: those of some fifty photographs'
// sizes.
const keepKernels = 2 << 20

// kernels makes kernels, and keeps them: the pictures of a camera have few sizes.
type kernels struct {
	made  map[shape]*kernel
	bytes int       // that those in made hold
	exact []float64 // of one output, while its weights are made
}

// shape is what a kernel depends on.
type shape struct {
	size, n  int          // samples there are, and samples to make
	from, to picture.Span // where the picture lies among them
	room     int          // samples that may be read: those after size weigh nothing
	unit     int          // taps are made a multiple of it, with weights of zero, where there is room
	many     int          // outputs likewise
	blur     gaussian     // the zero value: Lanczos
}

// gaussian is a Gaussian filter.
type gaussian struct {
	sigma  float64 // in samples
	coarse bool    // a sample stands for several pixels, as in subsampled chroma
}

// of returns the kernel of a shape, which stays as it is. Taps outside of the samples are left out and their weight
// shared among the others.
func (ks *kernels) of(s shape) *kernel {
	if k, ok := ks.made[s]; ok {
		return k
	}
	k := ks.make(s)
	size := 4*len(k.starts) + 2*len(k.weights)
	if size > keepKernels {
		return k
	}
	if ks.made == nil || ks.bytes+size > keepKernels {
		ks.made, ks.bytes = make(map[shape]*kernel), 0
	}
	ks.made[s] = k
	ks.bytes += size
	return k
}

func (ks *kernels) make(s shape) *kernel {
	f := s.filter()
	k := &kernel{taps: roundUp(f.used, s.unit)}
	if k.taps > s.room {
		k.taps = f.used
	}
	k.starts = make([]int32, roundUp(s.n, s.many))
	k.weights = make([]int16, len(k.starts)*k.taps)
	ks.exact = grow(ks.exact, f.used)
	for i := range s.n {
		first, sum := f.weigh(ks.exact, i)
		start := min(first, s.room-k.taps)
		k.starts[i] = int32(start)
		quantize(k.weights[i*k.taps+first-start:][:f.used], ks.exact, sum)
	}
	return k
}

// filter is the exact filter of a shape.
type filter struct {
	shape
	ratio, radius float64 // samples for one that is made, and that the filter reaches to each side
	used          int     // samples that one output depends on
	weight        func(x float64) float64
}

func (s shape) filter() filter {
	ratio := s.from.Length / s.to.Length
	blur := max(ratio, 1) // shrinking needs a wider filter
	f := filter{shape: s, ratio: ratio, radius: lobes * blur, weight: func(x float64) float64 { return lanczos(x / blur) }}
	if s.blur.sigma > 0 {
		f.radius = math.Ceil(3 * s.blur.sigma)
		f.weight = s.blur.filter()
	}
	f.used = min(int(math.Ceil(2*f.radius))+1, s.size)
	return f
}

// weigh writes what the samples from first on weigh in output i. It returns the sum.
func (f *filter) weigh(weights []float64, i int) (first int, sum float64) {
	center := f.from.Begin + (float64(i)+0.5-f.to.Begin)*f.ratio - 0.5
	first = min(max(int(math.Ceil(center-f.radius)), 0), f.size-f.used)
	for j := range weights {
		weights[j] = f.weight(float64(first+j) - center)
		sum += weights[j]
	}
	return first, sum
}

// threeTaps is the variance below which a Gaussian filter of a coarse plane has three taps of just that variance. A
// sampled Gaussian has less: too little of it lies where samples are.
const threeTaps = 0.3

// filter returns the weight of a sample by its distance.
func (g gaussian) filter() func(x float64) float64 {
	v := g.sigma * g.sigma
	if g.coarse && v < threeTaps {
		return func(x float64) float64 {
			switch at := math.Abs(x); {
			case at < 0.5:
				return 1 - v
			case at < 1.5:
				return v / 2
			}
			return 0
		}
	}
	return func(x float64) float64 { return math.Exp(-x * x / (2 * v)) }
}

// quantize writes exact/sum as integers that sum to exactly 1<<weightBits: what rounding leaves over goes to the
// largest.
func quantize(weights []int16, exact []float64, sum float64) {
	left, largest := 1<<weightBits, 0
	scale := (1 << weightBits) / sum
	for j, e := range exact {
		w := int(math.Floor(e*scale + 0.5))
		weights[j] = int16(w)
		left -= w
		if weights[j] > weights[largest] {
			largest = j
		}
	}
	weights[largest] += int16(left)
}

// lanczos looks the window up: it is wanted for every tap, and sines are slow.
func lanczos(x float64) float64 {
	at := math.Abs(x) * perLobe
	i := int(at)
	if i >= lobes*perLobe {
		return 0
	}
	return window[i] + (at-float64(i))*(window[i+1]-window[i])
}

// perLobe is how many places of a lobe are in the table: enough for weights exact to a tenth of their last bit.
const perLobe = 512

var window = func() (t [lobes*perLobe + 1]float64) {
	t[0] = 1
	for i := 1; i < lobes*perLobe; i++ {
		x := math.Pi * float64(i) / perLobe
		t[i] = lobes * math.Sin(x) * math.Sin(x/lobes) / (x * x)
	}
	return t
}()

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
