package picture

import (
	"bytes"
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

// What assembly does is what a picture of one pixel at a time has; planes give what interleaved pixels give.
func TestFromRGBIsAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		w, h := 1+r.IntN(150), 1+r.IntN(5)
		img := image.NewNRGBA(image.Rect(0, 0, w, h))
		copy(img.Pix, randomRow(r, len(img.Pix)))
		rgb := Lay(make([]byte, 3*w*h), RGB, w, h, Chroma{})
		for i := 3; i < len(img.Pix); i += 4 {
			img.Pix[i] = 255
			for c := range 3 {
				rgb.Planes[c].Pix[i/4] = img.Pix[i-3+c]
			}
		}
		for _, chroma := range []Chroma{{}, {HalfAcross: true}, Quarter} {
			got, want := FromRGB(rgb, chroma, make([]byte, 3*w*h)), FromNRGBA(img, chroma)
			for i := range got.Planes {
				if !bytes.Equal(got.Planes[i].Pix, want.Planes[i].Pix) {
					t.Fatalf("%d×%d, %v: plane %d differs", w, h, chroma, i)
				}
			}
			across, down := (w+got.Planes[1].Width-1)/got.Planes[1].Width, (h+got.Planes[1].Height-1)/got.Planes[1].Height
			for range 50 {
				x, y := r.IntN(got.Planes[1].Width), r.IntN(got.Planes[1].Height)
				alone := image.NewNRGBA(image.Rect(0, 0, across, down))
				for i := range across * down {
					at := img.PixOffset(min(across*x+i%across, w-1), min(down*y+i/across, h-1))
					copy(alone.Pix[4*i:], img.Pix[at:at+4])
				}
				want := FromNRGBA(alone, chroma)
				for i := range want.Planes {
					c, at := &got.Planes[i], y*got.Planes[i].Stride+x
					if i == 0 {
						at = down*y*c.Stride + across*x
					}
					if c.Pix[at] != want.Planes[i].Pix[0] {
						t.Fatalf("%d×%d, %v: plane %d at %d, %d is %d, want %d", w, h, chroma, i, x, y, c.Pix[at],
							want.Planes[i].Pix[0])
					}
				}
			}
		}
	}
}

func TestChannelsAreSeparated(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		n, w := 1+r.IntN(4), 1+r.IntN(100)
		row := randomRow(r, n*w)
		dst := make([][]byte, n)
		for c := range dst {
			dst[c] = make([]byte, w)
		}
		Separate(dst, row)
		for i, want := range row {
			if got := dst[i%n][i/n]; got != want {
				t.Fatalf("pixel %d of %d with %d channels: channel %d is %d, want %d", i/n, w, n, i%n, got, want)
			}
		}
	}
}
