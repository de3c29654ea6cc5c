package enginetest

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"math"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// taken is the EXIF of a photograph of which a camera tells everything.
func taken(order binary.ByteOrder) []byte {
	return tiffLike(order, 42, "", []field{
		text(271, "Ada"), text(272, "Ada EOS 1\x00\x00"), text(306, "2024:06:01 00:00:00"),
		subs(34665, []field{text(36867, "2024:05:17 12:30:45"), text(36881, "+02:00")}),
		subs(34853, []field{
			text(1, "S"), num(2, 5, 33, 1, 51, 1, 3550, 100), text(3, "E"), num(4, 5, 151, 1, 1275, 100, 0, 1),
		}),
	})
}

func testFacts(t *testing.T, s Suite) {
	img := filled(120, 90, color.NRGBA{200, 100, 50, 255})
	for name, order := range map[string]binary.ByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
		data := JPEG(img, JPEGOptions{Quality: 100, Segments: [][]byte{Segment(0xe1, []byte("Exif\x00\x00"), taken(order))}})
		f := s.make(t, data, "a=fit:64x64", "b=fit:16x16,format:png").Known
		if f == nil || f.Check() != nil {
			t.Fatalf("%s endian: %+v, %v", name, f, f.Check())
		}
		if f.Captured != "2024-05-17T12:30:45+02:00" || f.Camera != "Ada EOS 1" || f.SHA256 != nil {
			t.Errorf("%s endian: %+v", name, f)
		}
		if l := f.Location; l == nil || math.Abs(l.Latitude+33.85986) > 1e-5 || math.Abs(l.Longitude-151.2125) > 1e-5 {
			t.Errorf("%s endian: the location is %+v", name, l)
		}
	}
	// Most images tell nothing but how they look.
	for name, data := range map[string][]byte{
		"PNG": PNG(img), "JPEG": JPEG(img, JPEGOptions{Quality: 100}), "WebP": WebP(img), "GIF": s.gif(img), "BMP": BMP(img),
	} {
		f := s.make(t, data, "x=fit:40x40,format:png").Known
		if f == nil || f.Camera != "" || f.Captured != "" || f.Location != nil {
			t.Fatalf("%s: %+v", name, f)
		}
		rgb, err := known.RGB(f.Color)
		got := color.NRGBA{rgb[0], rgb[1], rgb[2], 255}
		if err != nil || far(got, color.NRGBA{200, 100, 50, 255}, 6) || len(f.ThumbHash) < 5 {
			t.Errorf("%s: the mean is %s, the hash %x", name, f.Color, f.ThumbHash)
		}
	}
	upright := s.make(t, PNG(Quadrants(160, 120)), "x=fit:64x64").Known.ThumbHash
	turned := s.make(t, PNG(Quadrants(160, 120)), "x=fit:64x64,rotate:180").Known.ThumbHash
	planes := s.make(t, JPEG(Quadrants(160, 120), JPEGOptions{Quality: 95}), "x=fit:64x64,quality:95").Known.ThumbHash
	if bytes.Equal(upright, turned) {
		t.Errorf("upside down it looks the same: %x", upright)
	}
	if !bytes.Equal(upright[:2], planes[:2]) {
		t.Errorf("as planes it looks like %x, as pixels like %x", planes, upright)
	}
	wide := rawPNG(60, 40, 16, 2, false, nil, func(_, _, c int) int { return []int{200, 100, 50}[c] * 257 })
	if res, err := s.try(t, wide, "x=fit:40x40,depth:keep,format:png"); reasonOf(err) != outcome.Unsupported {
		if err != nil || res.Known == nil || res.Known.Color != "c86432" {
			t.Errorf("16 bits: %+v, %v", res, err)
		}
	}
	// Nonsense is left out.
	odd := tiffLike(binary.LittleEndian, 42, "", []field{
		text(272, "\xff\x01\x02"), text(306, "0000:00:00 00:00:00"),
		subs(34853, []field{text(1, "N"), num(2, 5, 91, 1, 0, 1, 0, 1), text(3, "E"), num(4, 5, 1, 0, 0, 1, 0, 1)}),
	})
	f := s.make(t, JPEG(img, JPEGOptions{Segments: [][]byte{Segment(0xe1, []byte("Exif\x00\x00"), odd)}}),
		"x=fit:9x9").Known
	if f.Camera != "" || f.Captured != "" || f.Location != nil {
		t.Errorf("nonsense: %+v, at %+v", f, f.Location)
	}
}
