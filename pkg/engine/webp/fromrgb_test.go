package webp

import (
	"image"
	"image/color"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Gray pixels stay gray, and a picture of one colour has that colour.
func TestPlanesOfPixels(t *testing.T) {
	for v := range 256 {
		if got := lightOnce().mean(byte(v), byte(v), byte(v), byte(v)); got < int32(4*v)-1 || got > int32(4*v)+1 {
			t.Errorf("four pixels of %d have the mean %d quarters", v, got)
		}
	}
	for _, c := range []color.NRGBA{
		{0, 0, 0, 255}, {255, 255, 255, 255}, {255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {90, 120, 200, 255},
	} {
		for _, size := range []image.Point{{1, 1}, {2, 3}, {5, 4}} {
			img := image.NewNRGBA(image.Rectangle{Max: size})
			for i := 0; i < len(img.Pix); i += 4 {
				img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = c.R, c.G, c.B, c.A
			}
			p := planesOf(img)
			row, opaque := make([]byte, 4*size.X), make([]byte, size.X)
			for y := range size.Y {
				at := y / 2 * p.CStride
				picture.HalvedRow(row, p.Y[y*p.YStride:][:size.X], p.Cb[at:], p.Cr[at:], opaque, picture.BT601, true)
				for x := range size.X {
					for i, want := range [3]uint8{c.R, c.G, c.B} {
						if d := distance(row[4*x+i], want); d > 3 {
							t.Fatalf("%v at %d,%d of %v became %v", c, x, y, size, row[4*x:4*x+3])
						}
					}
				}
			}
		}
	}
}

// The mean of black and white is lighter than half: half of the light.
func TestColorIsAMeanOfLight(t *testing.T) {
	if got := lightOnce().mean(0, 255, 255, 0); got < 4*100 || got >= 4*127 {
		t.Errorf("black and white have the mean %d quarters", got)
	}
}
