package resample

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// floatUnit is what the taps and outputs of filters in floating point are padded to: one vector of float32.
const floatUnit = 8

// Part is a stretch of a row or a column: the samples from First up to Last may be read, and what is made shows Span of
// them, counted from First.
type Part struct {
	First, Last int
	Span        picture.Span
}

// floats makes pictures while rows arrive, with the filter of Lanczos in float32. Each row is filtered across first, so
// that the column pass has few samples. Vector code and plain code give the same bits: they add in the same order, and
// products are rounded before they are added.
type floats struct {
	planes  [][]float32 // samples of the row that arrives, by channel, and floatUnit zeros; colours times their opacity
	y       int
	targets []*floatTarget
}

func newFloats(channels, width int) floats {
	f := floats{planes: make([][]float32, channels)}
	for c := range f.planes {
		f.planes[c] = make([]float32, width+floatUnit)
	}
	return f
}

// add asks for a picture of w×h pixels. write takes its rows from the top, by channel; colours are times their
// opacity. It may change them, and does not keep them.
func (f *floats) add(w, h int, across, down Part, write func(y int, planes [][]float32)) {
	t := &floatTarget{
		height: h, across: across, down: down, write: write,
		rows: newFloatKernel(across, w, floatUnit), columns: newFloatKernel(down, h, 1),
	}
	size := len(t.rows.starts)
	t.row = make([]float32, size)
	t.sums = make([][][]float32, t.columns.overlap())
	for i := range t.sums {
		t.sums[i] = make([][]float32, len(f.planes))
		for c := range f.planes {
			t.sums[i][c] = make([]float32, size)
		}
	}
	f.targets = append(f.targets, t)
}

// take uses the row that is in planes.
func (f *floats) take() {
	for _, t := range f.targets {
		t.take(f.planes, f.y-t.down.First)
	}
	f.y++
}

// floatTarget is one picture that is made.
type floatTarget struct {
	height        int
	across, down  Part
	rows, columns floatKernel
	row           []float32     // of one channel, filtered across
	sums          [][][]float32 // channels of the rows that have begun: of row y, those at y modulo their number
	next          int           // row that is complete next
	write         func(y int, planes [][]float32)
}

// take adds row y, counted from the first that may be read, to the rows of the picture that depend on it.
func (t *floatTarget) take(planes [][]float32, y int) {
	k, end := &t.columns, t.next
	for end < t.height && int(k.starts[end]) <= y {
		end++
	}
	if end == t.next {
		return
	}
	for c, plane := range planes {
		filterFloats(t.row, plane[t.across.First:], t.rows.starts, t.rows.weights, t.rows.taps)
		for out := t.next; out < end; out++ {
			sum, tap := t.sums[out%len(t.sums)][c], y-int(k.starts[out])
			if tap == 0 {
				clear(sum)
			}
			addFloats(sum, t.row, k.weights[out*k.taps+tap])
		}
	}
	for ; t.next < end && y == int(k.starts[t.next])+k.taps-1; t.next++ {
		t.write(t.next, t.sums[t.next%len(t.sums)])
	}
}

// floatKernel is a kernel whose weights are in floating point.
type floatKernel struct {
	taps    int
	starts  []int32
	weights []float32
}

// newFloatKernel returns the kernel that makes n samples of a part. Taps and outputs are made a multiple of unit, with
// weights of zero: up to unit-1 samples after the part are read, and weigh nothing.
func newFloatKernel(p Part, n, unit int) floatKernel {
	f := shape{size: p.Last - p.First, from: p.Span, n: n, to: picture.Span{Length: float64(n)}}.filter()
	k := floatKernel{taps: roundUp(f.used, unit), starts: make([]int32, roundUp(n, unit))}
	k.weights = make([]float32, len(k.starts)*k.taps)
	exact := make([]float64, f.used)
	for i := range n {
		first, sum := f.weigh(exact, i)
		k.starts[i] = int32(first)
		for j, w := range exact {
			k.weights[i*k.taps+j] = float32(w / sum)
		}
	}
	return k
}

// overlap returns how many outputs at most depend on one sample.
func (k *floatKernel) overlap() int {
	most, end := 0, 0
	for i, start := range k.starts {
		for end < len(k.starts) && int(k.starts[end]) < int(start)+k.taps {
			end++
		}
		most = max(most, end-i)
	}
	return most
}

// plainFilter is the row pass in float32: dst[i] = Σ src[starts[i]+k] × weights[i·taps+k]. It adds as vectors do:
// every eighth product to one of eight sums, which are added in pairs at last. The conversions keep the compiler from
// fusing products and sums.
func plainFilter(dst, src []float32, starts []int32, weights []float32, taps int) {
	for i := range dst {
		var a, b, c, d, e, f, g, h float32
		from, by := src[starts[i]:][:taps], weights[i*taps:][:taps]
		for len(from) >= floatUnit && len(by) >= floatUnit {
			a += float32(from[0] * by[0])
			b += float32(from[1] * by[1])
			c += float32(from[2] * by[2])
			d += float32(from[3] * by[3])
			e += float32(from[4] * by[4])
			f += float32(from[5] * by[5])
			g += float32(from[6] * by[6])
			h += float32(from[7] * by[7])
			from, by = from[floatUnit:], by[floatUnit:]
		}
		dst[i] = ((a + b) + (c + d)) + ((e + f) + (g + h))
	}
}

// plainAdd is a step of the column pass in float32: dst[i] += src[i] × weight.
func plainAdd(dst, src []float32, weight float32) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] += float32(v * weight)
	}
}

// straighten divides the colours of a row by their opacity, the last channel, where there is any.
func straighten(planes [][]float32) {
	colors, opacity := planes[:len(planes)-1], planes[len(planes)-1]
	for x, a := range opacity {
		scale := float32(1)
		if a > 0 {
			scale = math.MaxUint16 / min(a, math.MaxUint16)
		}
		for _, plane := range colors {
			plane[x] = max(plane[x], 0) * scale
		}
	}
}

// sixteen rounds a sample to 16 bits.
func sixteen(v float32) uint16 { return uint16(min(max(int32(v+0.5), 0), math.MaxUint16)) }
