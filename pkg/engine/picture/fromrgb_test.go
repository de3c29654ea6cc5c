package picture

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"
)

// Samples are those of image/color, of the mean colour of what they cover, to one level.
func TestFromNRGBA(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][2]int{{1, 1}, {2, 2}, {5, 3}, {16, 9}, {33, 40}} {
		for _, chroma := range []Chroma{{}, {HalfAcross: true}, {HalfDown: true}, Quarter} {
			for _, opaque := range []bool{true, false} {
				img := image.NewNRGBA(image.Rect(0, 0, size[0], size[1]))
				for i := range img.Pix {
					img.Pix[i] = byte(r.IntN(256))
					if opaque && i%4 == 3 {
						img.Pix[i] = 255
					}
				}
				img.Pix[0], img.Pix[1], img.Pix[2] = 0, 0, 255 // the extremes
				compareWithStandard(t, img, FromNRGBA(img, chroma), chroma, opaque)
			}
		}
	}
}

func compareWithStandard(t *testing.T, img *image.NRGBA, p *Picture, chroma Chroma, opaque bool) {
	t.Helper()
	if opaque != (p.Alpha == nil) {
		t.Fatalf("%v, opaque %v: alpha is %v", img.Rect, opaque, p.Alpha)
	}
	across, down := 1, 1
	if chroma.HalfAcross {
		across = 2
	}
	if chroma.HalfDown {
		down = 2
	}
	for i := range p.Planes {
		unitX, unitY := 1, 1
		if i > 0 {
			unitX, unitY = across, down
		}
		c := &p.Planes[i]
		if c.Width != (img.Rect.Dx()+unitX-1)/unitX || c.Height != (img.Rect.Dy()+unitY-1)/unitY {
			t.Fatalf("%v: plane %d has %d×%d samples", img.Rect, i, c.Width, c.Height)
		}
		for y := range c.Height {
			for x := range c.Width {
				var sum [3]int
				for dy := range 2 {
					for dx := range 2 {
						px := img.NRGBAAt(min(unitX*x+dx*(unitX-1), img.Rect.Dx()-1), min(unitY*y+dy*(unitY-1), img.Rect.Dy()-1))
						sum[0], sum[1], sum[2] = sum[0]+int(px.R), sum[1]+int(px.G), sum[2]+int(px.B)
					}
				}
				luma, cb, cr := color.RGBToYCbCr(byte((sum[0]+2)/4), byte((sum[1]+2)/4), byte((sum[2]+2)/4))
				want := [3]byte{luma, cb, cr}[i]
				if got := c.Pix[y*c.Stride+x]; int(got)-int(want) > 1 || int(want)-int(got) > 1 {
					t.Fatalf("%v %v: plane %d at %d, %d is %d, want %d", img.Rect, chroma, i, x, y, got, want)
				}
			}
		}
	}
	if p.Alpha != nil && p.Alpha.Pix[0] != img.Pix[3] {
		t.Fatalf("alpha %d, want %d", p.Alpha.Pix[0], img.Pix[3])
	}
}

func BenchmarkFromNRGBA(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, 1280, 853))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	for b.Loop() {
		FromNRGBA(img, Quarter)
	}
}
