package jpeg

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
)

// smallFile is a sound picture's file.
func smallFile(t testing.TB) []byte {
	t.Helper()
	p := newPicture(rand.New(rand.NewPCG(1, 1)), 33, 17, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
	p.restart = 2
	return p.encode()
}

// inserted returns a file with bytes behind its SOI.
func inserted(file []byte, b ...byte) []byte {
	return append(append(bytes.Clone(file[:2]), b...), file[2:]...)
}

// frameOf returns the place of the frame header's content in a file.
func frameOf(t testing.TB, file []byte) int {
	t.Helper()
	for i := 2; i+4 < len(file); i += 2 + int(file[i+2])<<8 + int(file[i+3]) {
		if m := file[i+1]; m >= markerSOF0 && m <= markerSOF0+2 {
			return i + 4
		}
	}
	t.Fatal("no frame header")
	return 0
}

func TestHeaderTellsWhatTheFrameSays(t *testing.T) {
	h, err := DecodeHeader(smallFile(t))
	if err != nil {
		t.Fatal(err)
	}
	want := Header{
		Width: 33, Height: 17, Precision: 8, Color: YCbCr, RestartInterval: 2, AdobeTransform: -1,
		Components: []Component{{1, 2, 2}, {2, 1, 1}, {3, 1, 1}},
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got  %+v\nwant %+v", h, want)
	}
}

func TestHeaderTellsWhereMetadataIs(t *testing.T) {
	file := smallFile(t)
	var b []byte
	b = segment(b, markerAPP0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
	b = segment(b, 0xE1, []byte("Exif\x00\x00MM\x00*"))
	b = segment(b, 0xE1, []byte("http://ns.adobe.com/xap/1.0/\x00<x/>"))
	b = segment(b, 0xE1, []byte("http://ns.adobe.com/xmp/extension/\x00guid"))
	b = segment(b, 0xE2, []byte("ICC_PROFILE\x00\x01\x01profile"))
	b = segment(b, 0xE2, []byte("MPF\x00"))
	b = segment(b, 0xED, []byte("Photoshop 3.0\x008BIM"))
	b = segment(b, markerCOM, []byte("a comment"))
	b = segment(b, markerCOM, nil)
	file = inserted(file, b...)
	h, err := DecodeHeader(file)
	if err != nil {
		t.Fatal(err)
	}
	type found struct {
		kind    SegmentKind
		content string
	}
	var got []found
	for _, s := range h.Segments {
		got = append(got, found{s.Kind, string(file[s.Offset : s.Offset+s.Length])})
	}
	want := []found{
		{OtherSegment, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"},
		{EXIFSegment, "MM\x00*"}, {XMPSegment, "<x/>"}, {ExtendedXMPSegment, "guid"}, {ICCSegment, "\x01\x01profile"},
		{OtherSegment, "MPF\x00"}, {PhotoshopSegment, "8BIM"}, {CommentSegment, "a comment"}, {CommentSegment, ""},
	}
	if !reflect.DeepEqual(got, want) || !h.JFIF {
		t.Errorf("got  %v\nwant %v (JFIF %v)", got, want, h.JFIF)
	}
}

func TestColorFollowsJFIFThenAdobeThenNames(t *testing.T) {
	jfif := segment(nil, markerAPP0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
	adobe := func(transform byte) []byte {
		return segment(nil, markerAPPE, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), transform))
	}
	for _, c := range []struct {
		name     string
		segments []byte
		ids      string
		want     Color
	}{
		{"nothing said", nil, "\x01\x02\x03", YCbCr},
		{"names nobody knows", nil, "\x07\x08\x09", YCbCr},
		{"names R, G, B", nil, "RGB", RGB},
		{"names R, G, B in JFIF", jfif, "RGB", YCbCr},
		{"Adobe transform 0", adobe(0), "\x01\x02\x03", RGB},
		{"Adobe transform 1", adobe(1), "RGB", YCbCr},
		{"Adobe transform 0 in JFIF", append(bytes.Clone(jfif), adobe(0)...), "\x01\x02\x03", YCbCr},
	} {
		file := smallFile(t)
		frame := frameOf(t, file)
		for i := range 3 {
			file[frame+6+3*i] = c.ids[i]
		}
		h, err := DecodeHeader(inserted(file, c.segments...))
		if err != nil || h.Color != c.want {
			t.Errorf("%s: %v, %v; want %v", c.name, h.Color, err, c.want)
		}
	}
}

// The header's size and components are known even where the image cannot be decoded, so that a caller can say what
// it was.
func TestUnsupportedCodingIsNamed(t *testing.T) {
	file := smallFile(t)
	frame := frameOf(t, file)
	changed := func(change func(f []byte)) []byte {
		b := bytes.Clone(file)
		change(b)
		return b
	}
	for _, c := range []struct {
		want Feature
		file []byte
	}{
		{Precision12, changed(func(f []byte) { f[frame] = 12 })},
		{OddPrecision, changed(func(f []byte) { f[frame] = 16 })},
		{Reserved, changed(func(f []byte) { f[frame-3] = 0xC8 })},
		{Lossless, changed(func(f []byte) { f[frame-3] = 0xC3 })},
		{Hierarchical, changed(func(f []byte) { f[frame-3] = 0xC5 })},
		{HeightAfterScan, changed(func(f []byte) { f[frame+1], f[frame+2] = 0, 0 })},
		{OddComponents, changed(func(f []byte) {
			f[frame-1], f[frame+5] = f[frame-1]-3, 2
			copy(f[frame+12:], segment(nil, markerCOM, nil)[:3])
		})},
	} {
		h, err := DecodeHeader(c.file)
		var unsupported *UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Feature != c.want {
			t.Errorf("DecodeHeader: %v; want %q unsupported", err, c.want)
		}
		if h.Width != 33 || len(h.Components) < 2 {
			t.Errorf("%s: header %+v", c.want, h)
		}
		var planes Planes
		if err := Decode(&planes, c.file, Options{}); !errors.As(err, &unsupported) || len(planes.Y.Pix) != 0 {
			t.Errorf("Decode: %v, %d samples; want %q unsupported", err, len(planes.Y.Pix), c.want)
		}
	}
}

func TestFourComponentsTellTheirColor(t *testing.T) {
	for transform, want := range []Color{CMYK, CMYK, YCCK} {
		p := newPicture(rand.New(rand.NewPCG(1, 1)), 8, 8, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1})
		p.adobe = transform
		if h, err := DecodeHeader(p.encode()); err != nil || h.Color != want {
			t.Errorf("Adobe transform %d: %v, %v; want %v", transform, h.Color, err, want)
		}
	}
}

func TestHeaderOfEveryPrefixIsAnErrorOrTheHeader(t *testing.T) {
	file := smallFile(t)
	whole, err := DecodeHeader(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range file {
		h, err := DecodeHeader(file[:n])
		var truncated *TruncatedError
		sound := err == nil && reflect.DeepEqual(h, whole)
		if !sound && (!errors.As(err, &truncated) || truncated.Offset != n) {
			t.Fatalf("%d bytes: %+v, %v", n, h, err)
		}
	}
}
