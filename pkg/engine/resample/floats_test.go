package resample

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Vector code gives the bits that plain code gives.
func TestFloatsAreAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	row := make([]float32, 300+floatUnit)
	for i := range row[:300] {
		row[i] = r.Float32() * math.MaxUint16
	}
	for range 300 {
		size := 1 + r.IntN(300)
		n := 1 + r.IntN(size)
		from := r.Float64() * float64(size) / 4
		p := Part{Last: size, Span: picture.Span{Begin: from, Length: float64(size) - from}}
		k := newFloatKernel(p, n, floatUnit)
		got, want := make([]float32, len(k.starts)), make([]float32, len(k.starts))
		filterFloats(got, row, k.starts, k.weights, k.taps)
		plainFilter(want, row, k.starts, k.weights, k.taps)
		if !slices.Equal(got, want) {
			t.Fatalf("%d samples from %d, filtered:\n%v, not\n%v", n, size, got, want)
		}
		weight := r.Float32() - 0.3
		addFloats(got, row[3:], weight)
		plainAdd(want, row[3:], weight)
		if !slices.Equal(got, want) {
			t.Fatalf("%d sums:\n%v, not\n%v", n, got, want)
		}
	}
}

// Pictures of 16 bits are those of a filter in float64, at edges and beside what may not be read, too.
func TestDeepFiltersExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, test := range []struct{ width, height, w, h int }{
		{1, 1, 1, 1}, {5, 3, 1, 2}, {37, 23, 8, 5}, {61, 40, 60, 41}, {19, 33, 50, 70}, {200, 3, 7, 3}, {9, 90, 9, 4},
	} {
		for channels := 1; channels <= 4; channels++ {
			across := Part{First: test.width / 7, Last: test.width - test.width/9}
			down := Part{First: test.height / 5, Last: test.height}
			across.Span = picture.Span{Begin: 0.25 * float64(across.First), Length: float64(across.Last-across.First) - 0.5}
			down.Span = picture.Span{Length: float64(down.Last-down.First) - 0.25}
			d := NewDeep(channels, test.width)
			p := d.Add(test.w, test.h, across, down)
			rows := make([][]uint16, test.height)
			for y := range rows {
				var row []byte
				for range channels * test.width {
					v := uint16(r.Uint32())
					if r.IntN(3) == 0 { // so that opaque and clear pixels are met
						v = uint16(-r.IntN(2))
					}
					rows[y], row = append(rows[y], v), binary.BigEndian.AppendUint16(row, v)
				}
				d.Row(row)
			}
			for i, want := range exactly(rows, channels, test.w, test.h, across, down) {
				got := binary.BigEndian.Uint16(p.Pix[2*i:])
				if math.Abs(float64(got)-want) > 1 {
					t.Fatalf("%v, %d channels: sample %d is %d, not %v", test, channels, i, got, want)
				}
			}
		}
	}
}

// exactly filters rows in float64. Colours of a pixel with little opacity, which amplifies rounding, become NaN.
func exactly(rows [][]uint16, channels, w, h int, across, down Part) (out []float64) {
	shapeOf := func(p Part, n int) filter {
		return shape{size: p.Last - p.First, from: p.Span, n: n, to: picture.Span{Length: float64(n)}}.filter()
	}
	fx, fy := shapeOf(across, w), shapeOf(down, h)
	wx, wy := make([]float64, fx.used), make([]float64, fy.used)
	for y := range h {
		top, sumY := fy.weigh(wy, y)
		for x := range w {
			left, sumX := fx.weigh(wx, x)
			pixel := make([]float64, channels)
			for j, b := range wy {
				for i, a := range wx {
					at := rows[down.First+top+j][channels*(across.First+left+i):][:channels]
					alpha := 1.0
					if channels%2 == 0 {
						alpha = float64(at[channels-1]) / math.MaxUint16
					}
					for c, v := range at {
						if c == channels-1 && channels%2 == 0 {
							alpha = 1
						}
						pixel[c] += a * b / sumX / sumY * alpha * float64(v)
					}
				}
			}
			for c, v := range pixel {
				if channels%2 == 0 && c < channels-1 {
					if a := min(pixel[channels-1], math.MaxUint16); a < 1000 {
						v = math.NaN()
					} else {
						v *= math.MaxUint16 / a
					}
				}
				out = append(out, min(max(v, 0), math.MaxUint16))
			}
		}
	}
	return out
}

// Rows of four samples a pixel give the picture that rows of fewer give, in squares and without.
func TestRowsOfNRGBAAreAlike(t *testing.T) {
	const width, height, w, h = 53, 31, 9, 7
	r := rand.New(rand.NewPCG(9, 10))
	for channels := 1; channels <= 4; channels++ {
		for _, factor := range []int{1, 3} {
			part := func(n int) Part {
				return Part{Last: (n + factor - 1) / factor, Span: picture.Span{Length: float64(n) / float64(factor)}}
			}
			var made [2][]*picture.Plane
			var by [2]*Linear
			for i := range by {
				by[i] = NewLinear(channels, width, factor, SRGBCurves())
				for range channels {
					p := picture.Whole(make([]byte, w*h), w, h)
					made[i] = append(made[i], &p)
				}
				by[i].Add(made[i], part(width), part(height))
			}
			for range height {
				var row, four []byte
				for range width {
					p := [4]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}
					four = append(four, p[:]...)
					row = append(row, p[:channels-1+channels%2]...)
					if channels%2 == 0 {
						row = append(row, p[3])
					}
				}
				by[0].Row(row)
				by[1].NRGBARow(four)
			}
			for i := range by {
				by[i].Close()
			}
			for c := range channels {
				if !slices.Equal(made[0][c].Pix, made[1][c].Pix) {
					t.Errorf("%d channels, factor %d: channel %d differs", channels, factor, c)
				}
				if slices.Max(made[0][c].Pix) == 0 {
					t.Errorf("%d channels, factor %d: channel %d is empty", channels, factor, c)
				}
			}
		}
	}
}
