package planar

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/imaging"
)

func TestConformance(t *testing.T) {
	enginetest.Suite{New: func(l engine.Limits, assets fs.FS) (engine.Engine, error) {
		behind, err := imaging.New(imaging.Config{Limits: l, Assets: assets})
		if err != nil {
			return nil, err
		}
		e, err := New(Config{Limits: l, Behind: behind})
		if err != nil {
			return nil, err
		}
		return e, nil
	}}.Run(t)
}

// The vector code must give the plain code's bytes, whatever the size.
func TestVectorsAndPlainCodeAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		w, h := 1+rng.IntN(300), 1+rng.IntN(90)
		src := plane{width: w, height: h, stride: w + rng.IntN(20), extentX: float64(w) - rng.Float64()/2, extentY: float64(h)}
		src.pix = make([]byte, src.stride*h)
		for i := range src.pix {
			src.pix[i] = byte(rng.Uint32()) & byte(-(rng.Uint32() & 1)) // with hard edges, so that sums leave the range
			if rng.IntN(3) == 0 {
				src.pix[i] = 255
			}
		}
		dw, dh := 1+rng.IntN(200), 1+rng.IntN(60)
		var got, want resampler
		a := newPicture(dw, dh, true).planes[0]
		b := newPicture(dw, dh, true).planes[0]
		got.resample(&a, &src)
		want.plainly(&b, &src)
		if !bytes.Equal(a.pix, b.pix) {
			t.Fatalf("%d×%d to %d×%d: vectors and plain code differ", w, h, dw, dh)
		}
	}
}

// plainly is resample without vectors.
func (r *resampler) plainly(dst, src *plane) {
	if src.width == dst.width && src.height == dst.height {
		r.resample(dst, src)
		return
	}
	var columns, rows kernel
	columns.reset(src.height, src.extentY, dst.height)
	rows.reset(src.width, src.extentX, dst.width)
	between := make([]int16, src.width)
	for y := range dst.height {
		at := int(columns.starts[y])
		plainColumns(between, src.pix[at*src.stride:], src.stride, columns.weights[y*columns.taps:(y+1)*columns.taps])
		plainRow(dst.pix[y*dst.stride:][:dst.width], between, rows.starts, rows.weights, rows.taps)
	}
}

func TestWeightsSumToOne(t *testing.T) {
	for _, c := range []struct {
		size   int
		extent float64
		n      int
	}{{1, 1, 1}, {1, 0.125, 1}, {10, 9.5, 3}, {1000, 999.25, 64}, {7, 7, 20}, {2, 1.5, 1}} {
		var k kernel
		k.reset(c.size, c.extent, c.n)
		for i := range c.n {
			sum := 0
			for _, w := range k.weights[i*k.taps : (i+1)*k.taps] {
				sum += int(w)
			}
			if sum != 1<<weightBits || int(k.starts[i])+k.taps > c.size {
				t.Errorf("%+v: output %d has weight %d and ends at %d", c, i, sum, int(k.starts[i])+k.taps)
			}
		}
	}
}
