package enginetest

import (
	"encoding/binary"
	"image"
	"image/color"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// pagesTIFF returns a TIFF of a page for each picture.
func pagesTIFF(pictures ...*image.NRGBA) []byte {
	var chain [][]field
	for _, img := range pictures {
		w, h := uint32(img.Rect.Dx()), uint32(img.Rect.Dy())
		pixels := make([]byte, 0, 3*w*h)
		for i := 0; i < len(img.Pix); i += 4 {
			pixels = append(pixels, img.Pix[i:i+3]...)
		}
		chain = append(chain, []field{num(256, 4, w), num(257, 4, h), num(258, 3, 8, 8, 8), num(259, 3, 1), num(262, 3, 2),
			blob(273, pixels), num(277, 3, 3), num(278, 4, h), num(279, 4, uint32(len(pixels)))})
	}
	return tiffLike(binary.BigEndian, 42, "", chain...)
}

// testPages makes variants of other pages than the first, of several pages at once, and of pages that are not there.
func testPages(t *testing.T, s Suite) {
	sizes := []image.Point{{40, 30}, {64, 48}, {30, 20}}
	var pictures []*image.NRGBA
	for _, p := range sizes {
		pictures = append(pictures, Photo(p.X, p.Y))
	}
	data := pagesTIFF(pictures...)
	t.Run("TIFF", func(t *testing.T) {
		res := s.make(t, data, "a=page:2,format:png", "b=format:png", "c=page:1,format:png", "d=page:2,fit:15x15,format:png")
		for i, want := range []*image.NRGBA{pictures[2], pictures[0], pictures[1], Shrunk(pictures[2], 15, 10)} {
			img, _, err := Decode(res.Outputs[i].Data)
			if err != nil || res.Outputs[i].Variant != string(rune('a'+i)) {
				t.Fatalf("output %d is %s (%v)", i, res.Outputs[i].Variant, err)
			}
			near(t, res.Outputs[i].Variant, img, want, 25)
		}
		if res.Width != 30 || res.Height != 20 {
			t.Errorf("the input is said to have %d×%d pixels, and the first variant is of 30×20", res.Width, res.Height)
		}
	})
	for name, data := range map[string][]byte{"GIF": animation(), "WebP": webpAnimation()} {
		t.Run(name, func(t *testing.T) {
			for page, scene := range scenes {
				img := s.one(t, data, "format:png,page:"+string(rune('0'+page)))
				if far(img.NRGBAAt(20, 20), scene[0], 6) || far(img.NRGBAAt(60, 20), scene[1], 6) {
					t.Errorf("page %d: %v, %v", page, img.NRGBAAt(20, 20), img.NRGBAAt(60, 20))
				}
			}
			res := s.make(t, data, "a=page:1,format:png", "b=animate:yes,format:gif")
			if img, _, err := Decode(res.Outputs[0].Data); err != nil || far(img.NRGBAAt(60, 20), blue, 6) {
				t.Errorf("a frame beside the animation: %v, %v", img.NRGBAAt(60, 20), err)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		for name, data := range map[string][]byte{
			"TIFF": data, "GIF": animation(), "WebP": webpAnimation(), "HEIC": File("quadrants.heic"),
			"JPEG": JPEG(filled(9, 9, color.NRGBA{A: 255}), JPEGOptions{}),
			"RAW":  RAWs(JPEG(pictures[0], JPEGOptions{}), sizes[0], 1)[0].Data,
		} {
			s.rejects(t, name, engine.Limits{}, data, outcome.NoSuchPage, "b=page:3,format:png")
			res := s.make(t, data, "a=format:png", "b=page:3,format:png")
			if why := res.Outputs[1].Refused; why == nil || why.Reason != outcome.NoSuchPage {
				t.Errorf("%s: %v, want %s", name, why, outcome.NoSuchPage)
			}
		}
	})
}
