package enginetest

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"slices"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
)

func testColor(t *testing.T, s Suite) {
	img := filled(64, 64, color.NRGBA{40, 200, 40, 255})
	adobe := AdobeRGB()
	withProfile := map[string]func([]byte) []byte{
		"JPEG": func(p []byte) []byte {
			return JPEG(img, JPEGOptions{Quality: 100, Sampling: [2]int{1, 1}, Segments: [][]byte{iccSegment(p)}})
		},
		"PNG": func(p []byte) []byte {
			return insertChunk(PNG(img), "iCCP", append([]byte("x\x00\x00"), deflated(p)...))
		},
		"WebP": func(p []byte) []byte {
			data, err := webp.Embed(WebP(img), webp.Metadata{ICC: p})
			must(err)
			return data
		},
	}
	t.Run("told by EXIF alone", func(t *testing.T) {
		block := tiffLike(binary.BigEndian, 42, "", []field{subs(34665, []field{num(40961, 3, 65535),
			subs(40965, []field{text(1, "R03")})})})
		data := JPEG(img, JPEGOptions{
			Quality: 100, Sampling: [2]int{1, 1}, Segments: [][]byte{Segment(0xe1, []byte("Exif\x00\x00"), block)},
		})
		for _, ops := range []string{"strip:all", "strip:keep"} {
			once := s.make(t, data, "x=format:jpeg,quality:98,"+ops).Outputs[0].Data
			if got := s.one(t, once, "format:png").NRGBAAt(4, 4); far(got, color.NRGBA{0, 201, 0, 255}, 6) {
				t.Errorf("%s: Adobe's green became %v, read again", ops, got)
			}
		}
	})
	for name, encode := range withProfile {
		for _, ops := range []string{"fit:16x16,", "", "fill:8x16,", "crop:10:ne,"} {
			// Without a conversion it would be (40, 200, 40), and the profile gone: the wrong green.
			got := s.one(t, encode(adobe), ops+"format:png").NRGBAAt(4, 4)
			if far(got, color.NRGBA{0, 201, 0, 255}, 4) {
				t.Errorf("%s, %s Adobe's green became %v", name, ops, got)
			}
		}
		for _, f := range []string{"jpeg", "png", "webp"} {
			res := s.make(t, encode(adobe), "x=fit:16x16,icc:keep,format:"+f)
			info, err := header.Read(res.Outputs[0].Data)
			if err != nil || !bytes.Equal(info.ICC, adobe) {
				t.Errorf("%s to %s: the profile is not kept (%v)", name, f, err)
			}
			out, _, _ := Decode(res.Outputs[0].Data)
			if got := out.NRGBAAt(4, 4); far(got, color.NRGBA{40, 200, 40, 255}, 4) {
				t.Errorf("%s to %s, icc:keep: %v", name, f, got)
			}
			if len(res.Dropped) != 0 {
				t.Errorf("%s to %s, icc:keep: dropped %v", name, f, res.Dropped)
			}
		}
		// Where the format carries no profile, keeping means converting.
		got := s.one(t, encode(adobe), "fit:16x16,icc:keep,format:gif").NRGBAAt(4, 4)
		if far(got, color.NRGBA{0, 201, 0, 255}, 4) {
			t.Errorf("%s to GIF, icc:keep: %v", name, got)
		}
	}
	// A profile for four colours fits no picture of three.
	cmyk := withSegments(File("cmyk.jpg"), iccSegment(Profile("CMYK")))
	res := s.make(t, cmyk, "x=fit:16x16,format:jpeg,icc:keep")
	info, err := header.Read(res.Outputs[0].Data)
	if err != nil || info.ICC != nil || !slices.Equal(res.Dropped, []string{"icc"}) {
		t.Errorf("CMYK: profile of %d bytes, dropped %v (%v)", len(info.ICC), res.Dropped, err)
	}
	// A gray profile stays with gray, and is put to use otherwise.
	linear := Profile("GRAY", tag{"kTRC", []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00")})
	gray := JPEG(filled(64, 64, color.NRGBA{55, 55, 55, 255}),
		JPEGOptions{Gray: true, Quality: 100, Segments: [][]byte{iccSegment(linear)}})
	if got := s.one(t, gray, "fit:16x16,format:png").NRGBAAt(4, 4); far(got, color.NRGBA{128, 128, 128, 255}, 2) {
		t.Errorf("linear gray: %v", got)
	}
	res = s.make(t, gray, "x=fit:16x16,format:jpeg,icc:keep", "y=fit:16x16,format:webp,icc:keep")
	if info, _ := header.Read(res.Outputs[0].Data); !bytes.Equal(info.ICC, linear) || !info.Gray {
		t.Errorf("linear gray: kept %d bytes, gray %v", len(info.ICC), info.Gray)
	}
	if info, _ := header.Read(res.Outputs[1].Data); info.ICC != nil {
		t.Error("a gray profile in a WebP")
	}
	// PNG has no gray profile beside transparency: the colours are converted.
	profile := pngChunk("iCCP", append([]byte("p\x00\x00"), deflated(linear)...))
	translucent := rawPNG(16, 16, 8, 4, false, [][]byte{profile}, func(_, _, c int) int { return []int{55, 128}[c] })
	if got := s.one(t, translucent, "format:png,icc:keep").NRGBAAt(4, 4); far(got, color.NRGBA{128, 128, 128, 128}, 2) {
		t.Errorf("translucent linear gray: %v", got)
	}
}

const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" tiff:Orientation="6" photoshop:Credit="Ada Agency">
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">all mine</rdf:li></rdf:Alt></dc:rights>
<dc:description>secret place</dc:description></rdf:Description></rdf:RDF></x:xmpmeta>`

// records are a by-line, a place and a copyright notice.
const records = "\x1c\x02\x50\x00\x03Ada\x1c\x02\x5a\x00\x06secret\x1c\x02\x74\x00\x04mine"

func full() JPEGOptions {
	iptc := binary.BigEndian.AppendUint32([]byte("Photoshop 3.0\x008BIM\x04\x04\x00\x00"), uint32(len(records)))
	return JPEGOptions{Segments: [][]byte{
		exifSegment(6), Segment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00"+packet)),
		Segment(0xed, iptc, []byte(records), make([]byte, len(records)%2)),
	}}
}

func testMetadata(t *testing.T, s Suite) {
	// A scan says whose it is in the picture's own directory.
	scan := retagTIFF(TIFF(Photo(40, 30)), 33432, 2, 4, binary.LittleEndian.Uint32([]byte("Ada\x00")))
	owned := s.make(t, scan, "a=format:jpeg,strip:copyright", "b=format:jpeg,strip:keep", "c=format:jpeg")
	for i, want := range []bool{true, true, false} {
		info, err := header.Read(owned.Outputs[i].Data)
		if err != nil || bytes.Contains(info.EXIF, []byte("Ada")) != want {
			t.Errorf("a TIFF's copyright in output %d: %q, %v", i, info.EXIF, err)
		}
	}
	if res := s.make(t, scan, "x=format:gif,strip:keep"); !slices.Contains(res.Dropped, "exif") {
		t.Errorf("a TIFF's copyright is lost, and dropped is %v", res.Dropped)
	}
	data := JPEG(Photo(90, 60), full())
	all := []string{"exif", "iptc", "xmp"}
	for _, f := range []string{"jpeg", "png", "webp", "gif"} {
		carries := all
		switch f {
		case "png", "webp":
			carries = []string{"exif", "xmp"}
		case "gif":
			carries = nil
		}
		res := s.make(t, data, "x=fit:30x30,format:"+f)
		info, err := header.Read(res.Outputs[0].Data)
		if err != nil || len(info.Metadata()) != 0 || !slices.Equal(res.Dropped, all) {
			t.Errorf("%s, strip:all: carries %v, dropped %v (%v)", f, info.Metadata(), res.Dropped, err)
		}

		res = s.make(t, data, "x=fit:30x30,strip:keep,format:"+f)
		if info, err = header.Read(res.Outputs[0].Data); err != nil || !slices.Equal(info.Metadata(), carries) {
			t.Errorf("%s, strip:keep: carries %v (%v)", f, info.Metadata(), err)
		}
		if info.Orientation != 1 || strings.Contains(string(info.XMP), `Orientation="6"`) {
			t.Errorf("%s, strip:keep: the tag would turn it again: %d, %s", f, info.Orientation, info.XMP)
		}
		if f != "gif" && !bytes.Contains(info.EXIF, []byte("Maker\x00")) {
			t.Errorf("%s, strip:keep: the maker is gone: %q", f, info.EXIF)
		}
		if f == "jpeg" && len(res.Dropped) != 0 {
			t.Errorf("%s, strip:keep: dropped %v", f, res.Dropped)
		}

		res = s.make(t, data, "x=fit:30x30,strip:copyright,format:"+f)
		out := res.Outputs[0].Data
		if info, err = header.Read(out); err != nil || !slices.Equal(info.Metadata(), carries) {
			t.Errorf("%s, strip:copyright: carries %v (%v)", f, info.Metadata(), err)
		}
		for _, private := range []string{"Maker", "secret"} {
			if bytes.Contains(out, []byte(private)) {
				t.Errorf("%s, strip:copyright: %q is still there", f, private)
			}
		}
		if f != "gif" {
			for _, owner := range []string{"Ada Painter\x00", "(c) Ada\x00", "all mine", "Ada Agency"} {
				if !bytes.Contains(out, []byte(owner)) {
					t.Errorf("%s, strip:copyright: %q is gone", f, owner)
				}
			}
		}
	}
	// Not turned, it keeps the tag that says how to.
	res := s.make(t, data, "x=fit:30x30,strip:keep,orient:off,format:jpeg")
	if info, err := header.Read(res.Outputs[0].Data); err != nil || info.Orientation != 6 {
		t.Errorf("orient:off, strip:keep: orientation %d (%v)", info.Orientation, err)
	}
	if res := s.make(t, JPEG(Photo(30, 30), JPEGOptions{}), "x=fit:9x9,format:jpeg"); len(res.Dropped) != 0 {
		t.Errorf("nothing there, and dropped %v", res.Dropped)
	}
}
