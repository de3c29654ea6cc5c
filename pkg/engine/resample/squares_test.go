package resample

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

func TestSquaresAreThoseOfABox(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		w, h, n, factor := 1+rng.IntN(150), 1+rng.IntN(60), 1+rng.IntN(4), 2+rng.IntN(9)
		if rng.IntN(10) == 0 {
			factor = MaxBox
		}
		pix := make([]byte, w*h*n)
		for i := range pix {
			pix[i] = byte(rng.Uint32()) | byte(-(rng.Uint32() & 1))
		}
		lay := func() (planes []*picture.Plane) {
			pw, ph := (w+factor-1)/factor, (h+factor-1)/factor
			for range n {
				p := picture.Whole(make([]byte, pw*ph), pw, ph)
				planes = append(planes, &p)
			}
			return planes
		}
		want, got := lay(), lay()
		b, s := NewBox(want, factor, w), NewSquares(got, factor, w, h)
		for y := range h {
			b.Row(pix[y*w*n:][:w*n])
		}
		b.Close()
		part := func(p raster.Part) {
			for x := p.X; x < w; x += p.Step {
				p.Pixels = append(p.Pixels, pix[(p.Y*w+x)*n:][:n]...)
			}
			s.Part(p)
		}
		step := 2 + rng.IntN(8)
		for _, y := range rng.Perm(h) { // some rows in parts, others whole
			if y%3 == 0 {
				continue
			}
			for x := range min(step, w) {
				part(raster.Part{Y: y, X: x, Step: step})
			}
		}
		for y := 0; y < h; y += 3 {
			part(raster.Part{Y: y, Step: 1})
		}
		s.Close()
		for c := range n {
			if !bytes.Equal(got[c].Pix, want[c].Pix) {
				t.Fatalf("%d×%d pixels of %d samples by %d: plane %d differs", w, h, n, factor, c)
			}
		}
	}
}
