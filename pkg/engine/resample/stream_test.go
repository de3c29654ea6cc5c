package resample

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Rows that arrive one by one must give what the whole planes give.
func TestAStreamGivesWhatWholePlanesGive(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		w, h, channels := 1+rng.IntN(200), 1+rng.IntN(200), 1+rng.IntN(4)
		pix := make([]byte, w*h*channels)
		for i := range pix {
			pix[i] = byte(rng.Uint32())
		}
		whole := planesOf(channels, w, h)
		box := NewBox(whole, 1, w)
		var r Resampler
		s := NewStream(&r, channels, w, h)
		var got, want [][]*picture.Plane
		var spans [][2]picture.Span
		for range 1 + rng.IntN(3) {
			dw, dh := 1+rng.IntN(w), 1+rng.IntN(h)
			across := span(rng.Float64()*float64(w)/2, float64(w)/2)
			down := span(rng.Float64()*float64(h)/2, float64(h)/2)
			if rng.IntN(2) == 0 {
				across, down = span(0, float64(w)), span(0, float64(h))
			}
			a, b := planesOf(channels, dw, dh), planesOf(channels, dw, dh)
			s.Add(a, across, down)
			got, want = append(got, a), append(want, b)
			spans = append(spans, [2]picture.Span{across, down})
		}
		for y := range h {
			s.Row(pix[y*w*channels:][:w*channels])
			box.Row(pix[y*w*channels:][:w*channels])
		}
		for i := range got {
			for c, p := range whole {
				p.Across, p.Down = spans[i][0], spans[i][1]
				new(Resampler).pass(want[i][c], p, gaussian{}, gaussian{}, vectors)
				if !bytes.Equal(got[i][c].Pix, want[i][c].Pix) {
					t.Fatalf("%d×%d pixels to %d×%d: channel %d differs", w, h, got[i][c].Width, got[i][c].Height, c)
				}
			}
		}
	}
}

func planesOf(channels, w, h int) (planes []*picture.Plane) {
	for range channels {
		p := picture.Whole(make([]byte, w*h), w, h)
		planes = append(planes, &p)
	}
	return planes
}
