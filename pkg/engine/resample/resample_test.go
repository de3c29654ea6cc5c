package resample

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// blank is a plane of its own.
func blank(w, h int) picture.Plane {
	return picture.Whole(make([]byte, w*h), w, h)
}

func span(begin, length float64) picture.Span { return picture.Span{Begin: begin, Length: length} }

// The vector code must give the plain code's bytes, whatever the size.
func TestVectorsAndPlainCodeAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		w, h := 1+rng.IntN(300), 1+rng.IntN(90)
		if rng.IntN(5) == 0 {
			w, h = 1+rng.IntN(40), 1+rng.IntN(5)
		}
		src := picture.Plane{Width: w, Height: h, Stride: w + rng.IntN(20)}
		src.Across, src.Down = span(0, float64(w)-rng.Float64()/2), span(rng.Float64()/2, float64(h)-0.5)
		src.Pix = make([]byte, src.Stride*(h-1)+w) // not a byte more than there must be
		for i := range src.Pix {
			src.Pix[i] = byte(rng.Uint32()) & byte(-(rng.Uint32() & 1)) // with hard edges, so that sums leave the range
			if rng.IntN(3) == 0 {
				src.Pix[i] = 255
			}
		}
		dw, dh := 1+rng.IntN(200), 1+rng.IntN(60)
		var got, want Resampler
		a, b := blank(dw, dh), blank(dw, dh)
		got.Lanczos(&a, &src)
		want.pass(&b, &src, gaussian{}, gaussian{}, plain)
		if !bytes.Equal(a.Pix, b.Pix) {
			t.Fatalf("%d×%d to %d×%d: vectors and plain code differ", w, h, dw, dh)
		}
	}
}

func shapes() []shape {
	list := []shape{
		{size: 1, from: span(0, 1), n: 1}, {size: 1, from: span(0, 0.125), n: 1}, {size: 2, from: span(0.5, 1.5), n: 1},
		{size: 3, from: span(0, 3), n: 2}, {size: 10, from: span(0, 9.5), n: 3}, {size: 1000, from: span(0, 999.25), n: 64},
		{size: 7, from: span(0, 7), n: 20},
	}
	for i := range list {
		list[i].room, list[i].unit, list[i].many, list[i].to = list[i].size, columnTaps, 1, span(0, float64(list[i].n))
	}
	for _, s := range list {
		s.room, s.unit, s.many, s.to = s.size+rowTaps, rowTaps, rowPixels, span(0.5, float64(s.n)-0.5)
		list = append(list, s)
	}
	return list
}

func TestWeightsSumToOne(t *testing.T) {
	for _, s := range shapes() {
		k := new(kernels).of(s)
		for i := range s.n {
			sum := 0
			for _, w := range k.weights[i*k.taps : (i+1)*k.taps] {
				sum += int(w)
			}
			if sum != 1<<weightBits || k.starts[i] < 0 || int(k.starts[i])+k.taps > s.room {
				t.Errorf("%+v: output %d has weight %d and reads %d to %d", s, i, sum, k.starts[i], int(k.starts[i])+k.taps)
			}
		}
		if len(k.starts)%s.many != 0 || len(k.weights) != len(k.starts)*k.taps {
			t.Errorf("%+v: %d outputs with %d weights", s, len(k.starts), len(k.weights))
		}
	}
}

// Kernels that are kept stay what they were, whatever was made since, and do not become ever more.
func TestAKernelIsTheSameWhateverIsKept(t *testing.T) {
	var kept kernels
	for range 2 {
		for _, s := range shapes() {
			fresh, again := new(kernels).of(s), kept.of(s)
			if fresh.taps != again.taps || !slices.Equal(fresh.starts, again.starts) ||
				!slices.Equal(fresh.weights, again.weights) {
				t.Fatalf("%+v: not the same kernel after others", s)
			}
		}
	}
	if len(kept.made) == 0 || len(kept.made) > len(shapes()) {
		t.Fatalf("%d kernels are kept of %d shapes", len(kept.made), len(shapes()))
	}
	most := 0
	for n := 1000; n < 1200; n++ {
		kept.of(shape{size: 4 * n, from: span(0, float64(4*n)), n: n, to: span(0, float64(n)), room: 4 * n, unit: columnTaps,
			many: 1})
		sum := 0
		for _, k := range kept.made {
			sum += 4*len(k.starts) + 2*len(k.weights)
		}
		if sum != kept.bytes || sum > keepKernels {
			t.Fatalf("%d bytes of kernels are kept, counted as %d, the limit is %d", sum, kept.bytes, keepKernels)
		}
		most = max(most, sum)
	}
	if most < keepKernels/2 {
		t.Errorf("at most %d bytes of kernels were kept", most)
	}
}

func TestTheWindowIsExactToATenthOfAWeight(t *testing.T) {
	for x := -3.5; x < 3.5; x += 0.00137 {
		want := 0.0
		if math.Abs(x) < lobes {
			want = lobes * math.Sin(math.Pi*x) * math.Sin(math.Pi*x/lobes) / (math.Pi * math.Pi * x * x)
		}
		if d := math.Abs(lanczos(x) - want); d > 0.1/(1<<weightBits) {
			t.Fatalf("at %v: %v, off by %v", x, lanczos(x), d)
		}
	}
	if lanczos(0) != 1 {
		t.Errorf("at 0: %v", lanczos(0))
	}
}

// What is not scaled is copied, which gives what the filter gives.
func TestAPartIsACopy(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	src := blank(50, 40)
	for i := range src.Pix {
		src.Pix[i] = byte(rng.Uint32())
	}
	for range 100 {
		w, h := 1+rng.IntN(50), 1+rng.IntN(40)
		a, b := blank(w, h), blank(w, h)
		src.Across, src.Down = span(float64(rng.IntN(51-w)), float64(w)), span(float64(rng.IntN(41-h)), float64(h))
		new(Resampler).Lanczos(&a, &src)
		new(Resampler).pass(&b, &src, gaussian{}, gaussian{}, plain)
		if !bytes.Equal(a.Pix, b.Pix) {
			t.Fatalf("%d×%d at %v, %v: not the same", w, h, src.Across, src.Down)
		}
	}
}

// A ramp must stay where it is: position in the result is position in the picture, also where sizes were rounded up.
func TestNothingShifts(t *testing.T) {
	for _, c := range []struct {
		size, n  int
		from, to picture.Span
	}{
		{512, 64, span(0, 511.125), span(0, 64)},
		{100, 43, span(0, 99.5), span(0, 42.5)},
		{100, 43, span(0, 99.5), span(0.5, 42.5)},
		{43, 10, span(0.5, 42.5), span(0, 10)},
		{101, 20, span(0, 101), span(0, 20)},
	} {
		src, dst := blank(c.size, c.size), blank(c.n, c.n)
		src.Across, src.Down, dst.Across, dst.Down = c.from, c.from, c.to, c.to
		for i := range src.Pix {
			src.Pix[i] = byte(60 + 128*(i%c.size)/c.size)
		}
		var r Resampler
		r.Lanczos(&dst, &src)
		for x := 3; x < c.n-3; x++ {
			at := c.from.Begin + (float64(x)+0.5-c.to.Begin)*c.from.Length/c.to.Length - 0.5
			want := 59.5 + 128*at/float64(c.size)
			if got := float64(dst.Pix[c.n*(c.n/2)+x]); math.Abs(got-want) > 1.1 {
				t.Errorf("%+v: sample %d is %v, want %.1f", c, x, got, want)
			}
		}
	}
}
