package enginetest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

const motionXMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/">` +
	`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
	`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"` +
	` xmlns:Camera="http://ns.google.com/photos/1.0/camera/"` +
	` xmlns:Container="http://ns.google.com/photos/1.0/container/"` +
	` xmlns:Item="http://ns.google.com/photos/1.0/container/item/" Camera:MotionPhoto="1"` +
	` Camera:MicroVideoOffset='99'` +
	` dc:format="image/jpeg"><Camera:MicroVideo>1</Camera:MicroVideo><Container:Directory><rdf:Seq>` +
	`<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="MotionPhoto" Item:Length="99"/></rdf:li>` +
	`</rdf:Seq>` +
	`</Container:Directory><dc:rights>Ada</dc:rights></rdf:Description></rdf:RDF></x:xmpmeta>`

const gainXMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/">` +
	`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
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
	segments = append(segments, xmpSegment(gainXMP), Segment(0xe2, []byte(isoSegment+"base")))
	first := JPEG(img, JPEGOptions{Segments: segments})
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
	motion := JPEG(img, JPEGOptions{Segments: [][]byte{xmpSegment(motionXMP)}})
	motion = append(motion, "\x00\x00\x00\x18ftypmp42 and a video"...)
	appleGain := JPEG(halfBright(80, 60), JPEGOptions{Gray: true, Segments: [][]byte{xmpSegment(
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
			`<rdf:Description rdf:about="" xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/"` +
			` apdi:AuxiliaryImageType="urn:com:apple:photo:2020:aux:hdrgainmap"/></rdf:RDF></x:xmpmeta>`)}})
	for name, c := range map[string]struct {
		data    []byte
		dropped []string
	}{
		"motion photo":            {motion, []string{"video", "xmp"}},
		"two pictures":            {withPictures(plain, JPEG(Photo(80, 60), JPEGOptions{})), []string{"pictures"}},
		"gain map":                {ultraHDR(img), []string{"gain-map", "xmp"}},
		"Apple's gain map":        {withPictures(plain, appleGain), []string{"gain-map"}},
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

// picturesOf returns the pictures that the index of a JPEG lists, found without the engine's own reader.
func picturesOf(t *testing.T, data []byte) [][]byte {
	t.Helper()
	be := binary.BigEndian
	at := bytes.Index(data, []byte("MPF\x00MM\x00*"))
	if at < 0 {
		t.Fatal("the output has no index of pictures")
	}
	at += 4
	directory := at + int(be.Uint32(data[at+4:]))
	var all [][]byte
	for i := range int(be.Uint16(data[directory:])) {
		entry := data[directory+2+12*i:]
		if be.Uint16(entry) != 0xb002 {
			continue
		}
		list := data[at+int(be.Uint32(entry[8:])):][:be.Uint32(entry[4:])]
		for ; len(list) > 0; list = list[16:] {
			from := 0
			if offset := int(be.Uint32(list[8:])); offset > 0 {
				from = at + offset
			}
			all = append(all, data[from:from+int(be.Uint32(list[4:]))])
		}
	}
	return all
}

// testGainMaps makes outputs that carry a gain map: the same part as the picture, and turned alike.
func testGainMaps(t *testing.T, s Suite) {
	img := Photo(160, 120)
	data := ultraHDR(img)
	if s.Plain {
		if _, err := s.try(t, data, "x=hdr:keep,format:jpeg"); reasonOf(err) != outcome.Unsupported {
			t.Errorf("%v, want %s", err, outcome.Unsupported)
		}
		s.make(t, JPEG(img, JPEGOptions{}), "x=hdr:keep,format:jpeg")
		return
	}
	turned := withPictures(JPEG(Stored(img, 6), JPEGOptions{Segments: [][]byte{exifSegment(6), xmpSegment(gainXMP)}}),
		JPEG(Stored(halfBright(80, 60), 6), JPEGOptions{Gray: true, Segments: [][]byte{xmpSegment(gainXMP)}}))
	for _, c := range []struct {
		data   []byte
		ops    string
		w, h   int
		bright image.Rectangle // of the gain map
	}{
		{data, "enlarge:no", 160, 120, image.Rect(0, 0, 40, 30)},
		{data, "fit:80x80,strip:keep", 80, 60, image.Rect(0, 0, 20, 15)},
		{data, "rotate:90", 120, 160, image.Rect(30, 0, 60, 40)},
		{data, "crop:80x60:nw", 80, 60, image.Rect(0, 0, 40, 30)},
		{data, "fill:60x60:west,flop", 60, 60, image.Rect(15, 0, 30, 15)},
		{data, "crop:80x60:se,quality:100,progressive:yes", 80, 60, image.Rectangle{}},
		{turned, "fit:80x80", 80, 60, image.Rect(0, 0, 20, 15)},
		{turned, "orient:off", 120, 160, image.Rect(0, 40, 30, 80)},
	} {
		res := s.make(t, c.data, "x=hdr:keep,format:jpeg,"+c.ops)
		out := res.Outputs[0].Data
		all := picturesOf(t, out)
		if len(all) != 2 || len(all[0])+len(all[1]) != len(out) {
			t.Fatalf("%s: %d pictures, which are not the file of %d bytes", c.ops, len(all), len(out))
		}
		if slices.Contains(res.Dropped, "gain-map") {
			t.Errorf("%s: dropped %q", c.ops, res.Dropped)
		}
		first, _, err := Decode(all[0])
		if err != nil || first.Rect.Size() != image.Pt(c.w, c.h) {
			t.Fatalf("%s: the picture has %v pixels (%v)", c.ops, first.Rect.Size(), err)
		}
		plain := s.one(t, c.data, "format:jpeg,"+strings.Replace(c.ops, "strip:keep", "strip:all", 1))
		near(t, c.ops, first, plain, 60)
		gain, err := jpeg.Decode(bytes.NewReader(all[1]))
		if err != nil || gain.Bounds().Size() != image.Pt(c.w/2, c.h/2) {
			t.Fatalf("%s: the gain map has %v pixels (%v)", c.ops, gain.Bounds().Size(), err)
		}
		if _, isGray := gain.(*image.Gray); !isGray {
			t.Errorf("%s: the gain map became a %T", c.ops, gain)
		}
		for y := 3; y < c.h/2; y += 6 {
			for x := 3; x < c.w/2; x += 6 {
				v := color.GrayModel.Convert(gain.At(x, y)).(color.Gray).Y
				inside := image.Pt(x, y).In(c.bright)
				near := image.Pt(x, y).In(c.bright.Inset(-3)) && !image.Pt(x, y).In(c.bright.Inset(3))
				if !near && inside != (v > 120) {
					t.Errorf("%s: the gain map is %d at %d, %d", c.ops, v, x, y)
				}
			}
		}
		info, err := header.Read(out)
		item := `Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="` + strconv.Itoa(len(all[1])) + `"`
		if err != nil || !bytes.Contains(all[1], []byte(`hdrgm:GainMapMax="2.5"`)) ||
			!strings.Contains(string(info.XMP), item) {
			t.Errorf("%s: XMP %s (%v)", c.ops, info.XMP, err)
		}
		iso := bytes.Contains(all[0], []byte(isoSegment+"base")) && bytes.Contains(all[1], []byte(isoSegment+"map"))
		if iso != bytes.Contains(c.data, []byte(isoSegment)) {
			t.Errorf("%s: what ISO 21496-1 says is there: %v", c.ops, iso)
		}
	}
	again := s.make(t, s.make(t, data, "x=hdr:keep,format:jpeg").Outputs[0].Data, "x=fit:40x40,hdr:keep")
	if all := picturesOf(t, again.Outputs[0].Data); len(all) != 2 {
		t.Errorf("made again of an output: %d pictures", len(all))
	}
	damaged := bytes.Clone(data)
	copy(damaged[len(damaged)-40:], bytes.Repeat([]byte{0xff, 0xd9}, 20)) // it ends too early
	res := s.make(t, damaged, "x=hdr:keep,format:jpeg")
	if len(res.Warnings) != 1 || !slices.Contains(res.Dropped, "gain-map") {
		t.Errorf("a damaged gain map: warnings %q, dropped %q", res.Warnings, res.Dropped)
	}
}
