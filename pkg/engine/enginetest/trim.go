package enginetest

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// bordered returns a picture of the quadrants at 60×40 pixels, inside a border of a colour: left 20, top 10, right 5
// and bottom 30 pixels wide.
func bordered(c color.NRGBA) *image.NRGBA {
	img := filled(85, 80, c)
	draw.Draw(img, image.Rect(20, 10, 80, 50), Quadrants(60, 40), image.Point{}, draw.Src)
	return img
}

func testTrim(t *testing.T, s Suite) {
	white, nothing := color.NRGBA{255, 255, 255, 255}, color.NRGBA{}
	noisy := bordered(white)
	for i := 0; i < 85*10; i += 3 {
		noisy.Pix[4*i] -= 9 // within the default threshold
	}
	for _, c := range []struct {
		what string
		data []byte
		ops  string
		w, h int
	}{
		{"a white border", PNG(bordered(white)), "trim", 60, 40},
		{"a transparent border", PNG(bordered(nothing)), "trim", 60, 40},
		{"a noisy border", PNG(noisy), "trim", 60, 40},
		{"a border that is not near enough", PNG(noisy), "trim:8", 85, 80},
		{"a border of a JPEG", JPEG(bordered(white), JPEGOptions{Quality: 95}), "trim:40", 60, 40},
		{"a turned picture", TIFF(bordered(white)), "rotate:90,trim", 40, 60},
		{"a picture of one colour", PNG(filled(30, 20, white)), "trim", 30, 20},
		{"then scaled", PNG(bordered(white)), "trim,fit:30x30", 30, 20},
		{"scaled before", PNG(bordered(white)), "fit:170x160,enlarge:yes,trim:100", 120, 80},
	} {
		img := s.one(t, c.data, c.ops+",format:png")
		if got := img.Rect.Size(); got != image.Pt(c.w, c.h) {
			t.Errorf("%s, %s: %v pixels, want %d×%d", c.what, c.ops, got, c.w, c.h)
		} else if c.w == 60 || c.w == 30 && c.h == 20 && c.ops != "trim" {
			shows(t, c.what, img, [4]int{0, 1, 2, 3})
		}
	}

	// A limit holds for sizes that are known only after the trim.
	thin := filled(400, 400, white)
	for y := range 400 {
		thin.SetNRGBA(200, y, color.NRGBA{0, 0, 0, 255})
	}
	s.rejects(t, "enlarged after a trim", engine.Limits{MaxPixels: 400 * 400, MaxSide: 1000}, PNG(thin),
		outcome.TooManyPixels,
		"x=trim,fit:100x,enlarge:yes,format:png")
	// And a size that the trim mends is no reason to refuse.
	if got := s.one(t, PNG(wide(white)), "trim,format:webp").Rect.Size(); got != image.Pt(40, 10) {
		t.Errorf("a trimmed picture that was too wide for WebP has %v pixels", got)
	}

	// All frames of an animation lose what the first one loses.
	canvas := image.NewPaletted(image.Rect(0, 0, 80, 40), color.Palette{white, red})
	for y := 10; y < 30; y++ {
		for x := 20; x < 60; x++ {
			canvas.SetColorIndex(x, y, 1)
		}
	}
	data := GIF(80, 40, canvas, Flat(image.Rect(0, 0, 30, 20), blue))
	frames, _, _ := framesOf(t, s.make(t, data, "x=trim,animate:yes,format:gif").Outputs[0].Data)
	if len(frames) != 2 {
		t.Fatalf("%d frames", len(frames))
	}
	for i, f := range frames {
		if f.Rect.Size() != image.Pt(40, 20) {
			t.Errorf("frame %d has %v pixels", i, f.Rect.Size())
		}
	}
	if c := frames[1].NRGBAAt(5, 5); far(c, blue, 0) {
		t.Errorf("the second frame is %v in its corner", c)
	}
}

// wide returns a picture that no WebP can hold, most of which is border.
func wide(c color.NRGBA) *image.NRGBA {
	img := filled(17000, 20, c)
	draw.Draw(img, image.Rect(100, 5, 140, 15), image.NewUniform(color.Black), image.Point{}, draw.Src)
	return img
}
