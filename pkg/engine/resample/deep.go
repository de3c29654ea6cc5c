package resample

import (
	"encoding/binary"
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Deep makes pictures of 16 bits a sample while rows arrive, with the filter of Lanczos in floating point. It is slower
// than Stream, and keeps what 8 bits lose.
type Deep struct {
	width, channels int
	y               int
	samples         []float32 // of the row
	multiplied      []float32 // the same by their alpha; samples where there is none
	targets         []*deepTarget
}

// NewDeep returns a Deep for rows of interleaved samples. An even number of channels has alpha last.
func NewDeep(channels, width int) *Deep {
	d := &Deep{width: width, channels: channels, samples: make([]float32, channels*width)}
	d.multiplied = d.samples
	if channels%2 == 0 {
		d.multiplied = make([]float32, channels*width)
	}
	return d
}

// Part is a stretch of a row or a column: the samples from First up to Last may be read, and what is made shows Span of
// them, counted from First.
type Part struct {
	First, Last int
	Span        picture.Span
}

// DeepPicture is an interleaved picture, as PNG stores it: samples have their high byte first.
type DeepPicture struct {
	Pix                     []byte
	Width, Height, Channels int
}

// deepTarget is one picture that is made.
type deepTarget struct {
	*DeepPicture
	across, down  Part
	columns, rows deepKernel
	x, y          int  // of the upper left, where the picture is nothing but a part
	copies        bool // it is
	next          int  // row that is finished next
	row           []float32
	sums          map[int][]float32 // of rows that have begun
	channels      int
}

// deepKernel is the weights of a resampling from one length to another.
type deepKernel struct {
	taps    int
	starts  []int
	weights []float32
}

func newDeepKernel(p Part, n int) deepKernel {
	f := shape{size: p.Last - p.First, from: p.Span, n: n, to: picture.Span{Length: float64(n)}}.filter()
	k := deepKernel{taps: f.used, starts: make([]int, n), weights: make([]float32, n*f.used)}
	exact := make([]float64, f.used)
	for i := range n {
		var sum float64
		k.starts[i], sum = f.weigh(exact, i)
		for j, w := range exact {
			k.weights[i*f.used+j] = float32(w / sum)
		}
	}
	return k
}

// Add asks for a picture of w×h pixels. It is called before the first row; the picture is complete after the last.
func (d *Deep) Add(w, h int, across, down Part) *DeepPicture {
	p := &DeepPicture{Pix: make([]byte, 2*d.channels*w*h), Width: w, Height: h, Channels: d.channels}
	t := &deepTarget{DeepPicture: p, across: across, down: down, channels: d.channels}
	x, wide := shift(picture.Span{Length: float64(w)}, across.Span, w, across.Last-across.First)
	y, high := shift(picture.Span{Length: float64(h)}, down.Span, h, down.Last-down.First)
	if wide && high {
		t.copies, t.x, t.y = true, x+across.First, y+down.First
	} else {
		t.rows, t.columns = newDeepKernel(across, w), newDeepKernel(down, h)
		t.row, t.sums = make([]float32, d.channels*w), make(map[int][]float32)
	}
	d.targets = append(d.targets, t)
	return p
}

// Row takes the next row, samples of which have their high byte first.
func (d *Deep) Row(row []byte) {
	for i := range d.samples {
		d.samples[i] = float32(binary.BigEndian.Uint16(row[2*i:]))
	}
	if n := d.channels; n%2 == 0 {
		for i := 0; i < len(d.samples); i += n {
			alpha := d.samples[i+n-1]
			for c := range n - 1 {
				d.multiplied[i+c] = d.samples[i+c] * (alpha / math.MaxUint16)
			}
			d.multiplied[i+n-1] = alpha
		}
	}
	d.take(row)
}

// take takes the next row from multiplied. row has the same samples as they are stored, for parts that are copied.
func (d *Deep) take(row []byte) {
	for _, t := range d.targets {
		switch {
		case !t.copies:
			t.take(d.multiplied, d.y-t.down.First)
		case d.y >= t.y && d.y < t.y+t.Height:
			size := 2 * t.channels
			copy(t.Pix[(d.y-t.y)*size*t.Width:][:size*t.Width], row[size*t.x:])
		}
	}
	d.y++
}

// take adds row y, counted from the first that may be read, to the rows of the picture that depend on it.
func (t *deepTarget) take(samples []float32, y int) {
	k := &t.columns
	if t.next == t.Height || y < k.starts[t.next] {
		return
	}
	t.resampleRow(samples[t.across.First*t.channels:])
	for out := t.next; out < t.Height && k.starts[out] <= y; out++ {
		sum := t.sums[out]
		if sum == nil {
			sum = make([]float32, len(t.row))
			t.sums[out] = sum
		}
		weight := k.weights[out*k.taps+y-k.starts[out]]
		for i, v := range t.row {
			sum[i] += weight * v
		}
		if y == k.starts[out]+k.taps-1 {
			t.finish(out, sum)
			delete(t.sums, out)
			t.next++
		}
	}
}

// resampleRow makes t.row of a row of samples.
func (t *deepTarget) resampleRow(samples []float32) {
	k, n := &t.rows, t.channels
	for x := range t.Width {
		from, weights := samples[n*k.starts[x]:], k.weights[x*k.taps:][:k.taps]
		for c := range n {
			sum := float32(0)
			for j, w := range weights {
				sum += w * from[n*j+c]
			}
			t.row[n*x+c] = sum
		}
	}
}

// finish writes a row.
func (t *deepTarget) finish(y int, sum []float32) {
	n := t.channels
	out := t.Pix[2*len(sum)*y:]
	for i, v := range sum {
		if alpha := sum[i-i%n+n-1]; n%2 == 0 && i%n < n-1 {
			if v = max(v, 0); alpha > 0 {
				v *= math.MaxUint16 / min(alpha, math.MaxUint16)
			}
		}
		binary.BigEndian.PutUint16(out[2*i:], uint16(min(max(v+0.5, 0), math.MaxUint16)))
	}
}
