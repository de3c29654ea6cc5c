package enginetest

import (
	"encoding/binary"
	"image"
	"image/color"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// testRAW reads the previews of cameras' raw files.
func testRAW(t *testing.T, s Suite) {
	img := Photo(120, 80)
	preview := JPEG(img, JPEGOptions{Sampling: [2]int{1, 1}})
	turned := Stored(img, 8)
	for _, raw := range RAWs(preview, image.Pt(124, 84), 6) {
		t.Run(raw.Kind, func(t *testing.T) {
			want := turned
			if raw.Kind == "raf" {
				want = img // such a file says nothing: its JPEG does
			}
			near(t, "the picture", s.one(t, raw.Data, "format:png"), want, 34)
			w, h := want.Rect.Dx()/2, want.Rect.Dy()/2
			res := s.make(t, raw.Data, "x=fit:60x60")
			if out := res.Outputs[0]; res.Format != "raw" || out.Format != "jpeg" || out.Width != w || out.Height != h {
				t.Errorf("a %s became a %s of %d×%d, want a JPEG of %d×%d", res.Format, out.Format, out.Width, out.Height, w, h)
			}
			if raw.Kind == "raf" {
				return
			}
			info, err := header.Read(s.make(t, raw.Data, "x=fit:60x60,strip:keep").Outputs[0].Data)
			if _, tags := header.Directory(info.EXIF); err != nil || len(tags) < 2 || info.Orientation != 1 {
				t.Errorf("EXIF of %d tags, orientation %d (%v)", len(tags), info.Orientation, err)
			}
		})
	}
	for _, raw := range RAWs(preview, image.Pt(480, 320), 1) {
		t.Run("small preview in "+raw.Kind, func(t *testing.T) {
			for _, ops := range []string{"fit:120x120", "fill:80x80", "trim,fit:100x100", "fit:60x60,crop:40x40",
				"format:png,enlarge:yes", "pad:100x200", "fit:60x60,blur:1", "rotate:90,fit:x100", "force:100x80"} {
				s.make(t, raw.Data, "x="+ops)
			}
			for _, ops := range []string{"fit:200x200", "format:png", "fill:120x120", "trim,fit:300x300", "crop:40x40",
				"pad:200x100", "blur:1,fit:60x60", "force:480x80", "rotate:90", "watermark:mark.png,fit:50x50"} {
				if _, err := s.try(t, raw.Data, "x="+ops); reasonOf(err) != outcome.PreviewTooSmall {
					t.Errorf("%s: %v, want %s", ops, err, outcome.PreviewTooSmall)
				}
			}
		})
	}
	t.Run("preview that is a page", func(t *testing.T) {
		page := Photo(60, 40)
		pixels := make([]byte, 0, 60*40*3)
		for i := 0; i < len(page.Pix); i += 4 {
			pixels = append(pixels, page.Pix[i:i+3]...)
		}
		rgb := []field{num(254, 4, 0), num(256, 4, 60), num(257, 4, 40), num(258, 3, 8, 8, 8), num(259, 3, 1),
			num(262, 3, 2), blob(273, pixels), num(277, 3, 3), num(278, 4, 40), num(279, 4, uint32(len(pixels)))}
		data := tiffLike(binary.BigEndian, 42, "", []field{num(254, 4, 1), num(256, 4, 9), num(257, 4, 9),
			num(262, 3, 2), num(274, 3, 3), num(50706, 1, 1, 4, 0, 0), subs(330, rgb)})
		near(t, "the page", s.one(t, data, "format:png"), Stored(page, 3), 90)
	})
	t.Run("Adobe RGB", func(t *testing.T) {
		green := filled(16, 16, color.NRGBA{40, 200, 40, 255})
		preview := JPEG(green, JPEGOptions{})
		data := tiffLike(binary.LittleEndian, 42, "CR\x02\x00\x00\x00\x00\x00", []field{num(259, 3, 6), blob(273, preview),
			num(279, 4, uint32(len(preview))), subs(34665, []field{num(40961, 3, 65535), num(40962, 4, 16), num(40963, 4, 16),
				subs(40965, []field{text(1, "R03")})})})
		note := "Nikon\x00\x02\x10\x00\x00" + string(tiffLike(binary.BigEndian, 42, "", []field{num(0x1e, 3, 2)}))
		nikon := tiffLike(binary.LittleEndian, 42, "", []field{num(254, 4, 1), num(256, 4, 1), num(257, 4, 1),
			subs(330, []field{blob(513, preview), num(514, 4, uint32(len(preview)))}, []field{num(256, 4, 16),
				num(257, 4, 16), num(262, 3, 32803)}),
			subs(34665, []field{num(40961, 3, 1), {tag: 37500, kind: 7, data: []byte(note)}})})
		for name, data := range map[string][]byte{"EXIF": data, "Nikon's note": nikon} {
			if got := s.one(t, data, "format:png").NRGBAAt(4, 4); got.R > 6 || got.G < 198 || got.G > 204 {
				t.Errorf("told by %s: Adobe's green became %v", name, got)
			}
		}
	})
	t.Run("no preview", func(t *testing.T) {
		for name, data := range map[string][]byte{
			"nothing":       tiffLike(binary.BigEndian, 42, "", []field{num(256, 4, 9), num(257, 4, 9), num(262, 3, 32803)}),
			"lossless JPEG": tiffLike(binary.LittleEndian, 0x4f52, "", []field{blob(513, losslessJPEG()), num(514, 4, 27)}),
		} {
			if _, err := s.try(t, data, "x=fit:9x9"); reasonOf(err) != outcome.Unsupported {
				t.Errorf("%s: %v, want %s", name, err, outcome.Unsupported)
			}
		}
		cut := tiffLike(binary.LittleEndian, 0x4f52, "", []field{num(513, 4, 1000), num(514, 4, 500)})
		if _, err := s.try(t, cut, "x=fit:9x9"); reasonOf(err) != outcome.Truncated {
			t.Errorf("%v, want %s", err, outcome.Truncated)
		}
	})
}
