package enginetest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"testing"

	"golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// slope has samples that 8 bits do not hold: they grow evenly, and so do those of a smaller picture.
func slope(x, y float64) (r, g, b float64) {
	return 1000 + 301.5*x + 7*y, 60_000 - 13.3*x - 101*y, 30_000 + 3*x + 5*y
}

func deepPicture(w, h int, alpha uint16) *image.NRGBA64 {
	img := image.NewNRGBA64(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			r, g, b := slope(float64(x), float64(y))
			img.SetNRGBA64(x, y, color.NRGBA64{R: uint16(r + 0.5), G: uint16(g + 0.5), B: uint16(b + 0.5), A: alpha})
		}
	}
	return img
}

// testDepth makes pictures of 16 bits a sample.
func testDepth(t *testing.T, s Suite) {
	deep := deepPicture(120, 80, 65535)
	if s.Plain {
		if _, err := s.try(t, PNG(deep), "x=format:png,depth:keep"); reasonOf(err) != outcome.Unsupported {
			t.Errorf("%v, want %s", err, outcome.Unsupported)
		}
		s.make(t, PNG(Photo(9, 9)), "x=format:png,depth:keep")
		return
	}
	gray := image.NewGray16(deep.Rect)
	for i := range gray.Pix {
		gray.Pix[i] = byte(i * i >> 3)
	}
	translucent := deepPicture(120, 80, 40_001)
	for name, img := range map[string]image.Image{"RGB": deep, "alpha": translucent, "gray": gray} {
		for format, data := range map[string][]byte{"png": PNG(img), "tiff": TIFF(img)} {
			t.Run(name+" from "+format, func(t *testing.T) {
				for _, to := range []string{"png", "tiff"} {
					got := deepOf(t, s, data, "format:"+to+",depth:keep")
					samePixels(t, "whole as "+to, got, img, func(x, y int) (int, int) { return x, y })
				}
				got := deepOf(t, s, data, "crop:50x40:ne,rotate:90,flop,format:png,depth:keep")
				samePixels(t, "cut and turned", got, img, func(x, y int) (int, int) { return 70 + y, x })
				if eight := deepOf(t, s, data, "format:png"); isDeep(eight) {
					t.Error("without depth:keep it has 16 bits")
				}
			})
		}
	}
	for name, img := range map[string]image.Image{"RGB": deep, "alpha": translucent} {
		for ops, at := range map[string]func(x int) float64{
			"fit:60x60":           func(x int) float64 { return 2*float64(x) + 0.5 },
			"fill:30x20":          func(x int) float64 { return 4*float64(x) + 1.5 },
			"fit:240,enlarge:yes": func(x int) float64 { return float64(x)/2 - 0.25 },
		} {
			got := deepOf(t, s, PNG(img), ops+",format:png,depth:keep")
			for _, p := range []image.Point{{10, 9}, {14, 8}} {
				r, g, _ := slope(at(p.X), at(p.Y))
				c := color.NRGBA64Model.Convert(got.At(p.X, p.Y)).(color.NRGBA64)
				if dr, dg := float64(c.R)-r, float64(c.G)-g; dr*dr > 100 || dg*dg > 100 {
					t.Errorf("%s, %s at %v: %v, want R %.0f and G %.0f", name, ops, p, c, r, g)
				}
			}
		}
	}
	t.Run("fallbacks", func(t *testing.T) {
		if isDeep(deepOf(t, s, PNG(Photo(30, 20)), "format:png,depth:keep")) {
			t.Error("8 bits became 16")
		}
		profiled := insertChunk(PNG(deep), "iCCP", append([]byte("x\x00\x00"), deflated(AdobeRGB())...))
		res := s.make(t, profiled, "a=format:png,depth:keep", "b=format:tiff,depth:keep")
		info, err := header.Read(res.Outputs[0].Data)
		if err != nil || !bytes.Equal(info.ICC, AdobeRGB()) {
			t.Errorf("the PNG carries a profile of %d bytes (%v)", len(info.ICC), err)
		}
		if len(res.Warnings) != 1 {
			t.Errorf("warnings %q, want one of the TIFF's 8 bits", res.Warnings)
		}
	})
}

// deepOf makes a variant and decodes it with other decoders than the engine's, which lose no bits.
func deepOf(t *testing.T, s Suite, data []byte, ops string) image.Image {
	t.Helper()
	out := s.make(t, data, "x="+ops).Outputs[0]
	decode := png.Decode
	if out.Format == "tiff" {
		decode = tiff.Decode
	}
	img, err := decode(bytes.NewReader(out.Data))
	if err != nil {
		t.Fatalf("%s: %v", ops, err)
	}
	return img
}

func isDeep(img image.Image) bool {
	switch img.(type) {
	case *image.Gray16, *image.RGBA64, *image.NRGBA64:
		return true
	}
	return false
}

// samePixels compares each sample with the one of want that from finds.
func samePixels(t *testing.T, what string, got, want image.Image, from func(x, y int) (int, int)) {
	t.Helper()
	if !isDeep(got) {
		t.Errorf("%s: it is a %T", what, got)
	}
	size := got.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			g := fmt.Sprint(color.NRGBA64Model.Convert(got.At(x, y)))
			if w := fmt.Sprint(color.NRGBA64Model.Convert(want.At(from(x, y)))); g != w {
				t.Errorf("%s: %v at %d, %d, want %v", what, g, x, y, w)
				return
			}
		}
	}
}
