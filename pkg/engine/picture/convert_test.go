package picture_test

import (
	"image/color"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// sampled returns a picture of one pixel.
func sampled(model picture.Model, values ...byte) *picture.Picture {
	p := &picture.Picture{Model: model}
	for _, v := range values {
		p.Planes = append(p.Planes, picture.Whole([]byte{v}, 1, 1))
	}
	return p
}

func TestMatricesAndRanges(t *testing.T) {
	for _, c := range []struct {
		what    string
		matrix  picture.Matrix
		limited bool
		samples [3]byte
		want    color.NRGBA
	}{
		{"full range, BT.601", picture.BT601, false, [3]byte{76, 85, 255}, color.NRGBA{254, 0, 0, 255}},
		{"limited range, BT.601", picture.BT601, true, [3]byte{81, 90, 240}, color.NRGBA{254, 0, 0, 255}},
		{"limited range, BT.709", picture.BT709, true, [3]byte{63, 102, 240}, color.NRGBA{255, 1, 0, 255}},
		{"full range, BT.709", picture.BT709, false, [3]byte{182, 30, 12}, color.NRGBA{0, 255, 0, 255}},
		{"full range, BT.2020", picture.BT2020, false, [3]byte{15, 255, 117}, color.NRGBA{0, 0, 254, 255}},
	} {
		p := sampled(picture.YCbCr, c.samples[:]...)
		p.Matrix, p.Limited = c.matrix, c.limited
		got := p.NRGBA().NRGBAAt(0, 0)
		for _, d := range []int{int(got.R) - int(c.want.R), int(got.G) - int(c.want.G), int(got.B) - int(c.want.B)} {
			if d < -3 || d > 3 {
				t.Errorf("%s: %v, want %v", c.what, got, c.want)
			}
		}
	}
	gray := sampled(picture.Gray, 16)
	gray.Limited = true
	if got := gray.NRGBA().NRGBAAt(0, 0); got != (color.NRGBA{0, 0, 0, 255}) {
		t.Errorf("black in the limited range: %v", got)
	}
}

func TestAlphaBecomesStraight(t *testing.T) {
	p := sampled(picture.RGB, 100, 50, 0)
	alpha := picture.Whole([]byte{100}, 1, 1)
	p.Alpha, p.Premultiplied = &alpha, true
	if got, want := p.NRGBA().NRGBAAt(0, 0), (color.NRGBA{255, 128, 0, 100}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// Samples of colour that begin half a sample into their plane belong to the pixels that they cover.
func TestSpansPlaceSamples(t *testing.T) {
	p := &picture.Picture{Model: picture.YCbCr, Planes: []picture.Plane{
		picture.Whole([]byte{128, 128, 128}, 3, 1), picture.Whole([]byte{128, 200}, 2, 1), picture.Whole([]byte{128, 128}, 2,
			1),
	}}
	for i := 1; i < 3; i++ {
		p.Planes[i].Across = picture.Span{Begin: 0.5, Length: 1.5}
	}
	img := p.NRGBA()
	if first, second, third := img.NRGBAAt(0, 0), img.NRGBAAt(1, 0), img.NRGBAAt(2, 0); first.B != 128 ||
		second.B < 200 || third != second {
		t.Errorf("%v, %v, %v", first, second, third)
	}
}
