package enginetest

import (
	"bytes"
	"encoding/binary"
	"image"
	"slices"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
)

const motionXMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
	`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"` +
	` xmlns:Camera="http://ns.google.com/photos/1.0/camera/" xmlns:Container="http://ns.google.com/photos/1.0/container/"` +
	` xmlns:Item="http://ns.google.com/photos/1.0/container/item/" Camera:MotionPhoto="1" Camera:MicroVideoOffset='99'` +
	` dc:format="image/jpeg"><Camera:MicroVideo>1</Camera:MicroVideo><Container:Directory><rdf:Seq>` +
	`<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="MotionPhoto" Item:Length="99"/></rdf:li></rdf:Seq>` +
	`</Container:Directory><dc:rights>Ada</dc:rights></rdf:Description></rdf:RDF></x:xmpmeta>`

const gainXMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
	`<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"` +
	` hdrgm:GainMapMax="2.5" hdrgm:HDRCapacityMax="2.5"/></rdf:RDF></x:xmpmeta>`

const isoSegment = "urn:iso:std:iso:ts:21496:-1\x00"

func xmpSegment(packet string) []byte {
	return Segment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00"), []byte(packet))
}

// withPictures returns a JPEG with others behind it, and an index of them.
func withPictures(first []byte, others ...[]byte) []byte {
	le := binary.LittleEndian
	index := []byte("MPF\x00II*\x00\x08\x00\x00\x00\x01\x00\x02\xb0\x07\x00")
	index = le.AppendUint32(index, uint32(16*(len(others)+1)))
	index = le.AppendUint32(index, 8+2+12+4)
	index = append(index, 0, 0, 0, 0)
	index = append(index, make([]byte, 16*(len(others)+1))...)
	out := withSegments(first, Segment(0xe2, index))
	at := bytes.Index(out, []byte("MPF\x00")) + 4
	entry := at + 8 + 2 + 12 + 4
	le.PutUint32(out[entry+4:], uint32(len(out)))
	for _, o := range others {
		entry += 16
		le.PutUint32(out[entry+4:], uint32(len(o)))
		le.PutUint32(out[entry+8:], uint32(len(out)-at))
		out = append(out, o...)
	}
	return out
}

// ultraHDR returns a JPEG with a gain map of half its size, and a third picture where that is asked for.
func ultraHDR(img *image.NRGBA, segments ...[]byte) []byte {
	gain := JPEG(halfBright(img.Rect.Dx()/2, img.Rect.Dy()/2), JPEGOptions{
		Gray: true, Segments: [][]byte{xmpSegment(gainXMP), Segment(0xe2, []byte(isoSegment+"map"))},
	})
	first := JPEG(img, JPEGOptions{Segments: append(segments, xmpSegment(gainXMP), Segment(0xe2, []byte(isoSegment+"base")))})
	return withPictures(first, gain)
}

// halfBright is a gain map whose left upper quarter is bright.
func halfBright(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := uint8(20)
			if x < w/2 && y < h/2 {
				v = 220
			}
			copy(img.Pix[img.PixOffset(x, y):], []byte{v, v, v, 255})
		}
	}
	return img
}

// testAttached reads JPEGs behind which something else comes.
func testAttached(t *testing.T, s Suite) {
	img := Photo(160, 120)
	plain := JPEG(img, JPEGOptions{})
	motion := append(JPEG(img, JPEGOptions{Segments: [][]byte{xmpSegment(motionXMP)}}), "\x00\x00\x00\x18ftypmp42 and a video"...)
	for name, c := range map[string]struct {
		data    []byte
		dropped []string
	}{
		"motion photo":            {motion, []string{"video", "xmp"}},
		"two pictures":            {withPictures(plain, JPEG(Photo(80, 60), JPEGOptions{})), []string{"pictures"}},
		"gain map":                {ultraHDR(img), []string{"gain-map", "xmp"}},
		"an index that leads out": {withPictures(plain, nil, plain)[:len(plain)+90], nil},
	} {
		t.Run(name, func(t *testing.T) {
			near(t, "the picture", s.one(t, c.data, "format:png"), s.one(t, plain, "format:png"), 90)
			res := s.make(t, c.data, "x=fit:80x80")
			if !slices.Equal(res.Dropped, c.dropped) {
				t.Errorf("dropped %q, want %q", res.Dropped, c.dropped)
			}
			kept := s.make(t, c.data, "x=fit:80x80,strip:keep,format:jpeg")
			info, err := header.Read(kept.Outputs[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			for _, promise := range []string{"MotionPhoto", "MicroVideo", "Container", "hdr-gain-map", "hdrgm"} {
				if strings.Contains(string(info.XMP), promise) {
					t.Errorf("the XMP that is kept says %s: %s", promise, info.XMP)
				}
			}
			if name == "motion photo" && !strings.Contains(string(info.XMP), "<dc:rights>Ada</dc:rights>") {
				t.Errorf("the XMP lost what is still true: %s", info.XMP)
			}
		})
	}
}
