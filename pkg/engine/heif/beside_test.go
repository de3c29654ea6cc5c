package heif

import (
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/isobmff"
)

// Gain maps, depth and the like are no pages, but listed. Metadata of theirs is not the picture's.
func TestWhatIsBesideAPicture(t *testing.T) {
	primary := codedPart(t, "gray-64x64.heic", 9)
	about := func(id int, kind, urn string) part {
		p := codedPart(t, "gray-64x64.heic", id)
		p.refs = map[string][]int{kind: {9}}
		return p.with(isobmff.Box{Kind: "auxC", Data: []byte("\x00\x00\x00\x00" + urn + "\x00")})
	}
	gain := codedPart(t, "gray-64x64.heic", 2)
	apple := about(1, "auxl", "urn:com:apple:photo:2020:aux:hdrgainmap")
	others := part{id: 1, kind: "hvc1", refs: map[string][]int{"auxl": {2}}}
	tone := part{id: 3, kind: "tmap", refs: map[string][]int{"dimg": {9, 2}}, data: []byte{0}}
	xmp := func(id, of int, packet string) part {
		return part{
			id: id, kind: "mime\x00application/rdf+xml", refs: map[string][]int{"cdsc": {of}}, data: []byte(packet),
		}
	}
	for name, c := range map[string]struct {
		parts []part
		more  []byte
		want  []string
	}{
		"nothing":         {[]part{primary}, nil, nil},
		"opacity":         {[]part{primary, about(1, "auxl", "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha")}, nil, nil},
		"Apple's map":     {[]part{primary, apple}, nil, []string{GainMap}},
		"that of ISO":     {[]part{primary, gain, tone}, nil, []string{GainMap}},
		"depth":           {[]part{primary, about(1, "auxl", "urn:mpeg:hevc:2015:auxid:2")}, nil, []string{Depth}},
		"of a motion":     {[]part{primary}, appendBox(nil, "mpvd", []byte("a video")), []string{Video}},
		"another's depth": {[]part{primary, gain, others}, nil, nil},
		"portrait": {
			[]part{
				primary, about(1, "auxl", "urn:com:apple:photo:2018:aux:portraiteffectsmatte"),
				about(2, "auxl", "urn:com:apple:photo:2019:aux:semanticskinmatte"),
				about(3, "auxl", "urn:com:apple:photo:2030:aux:smell"), about(4, "auxl", "urn:mpeg:hevc:2015:auxid:2"),
			}, nil, []string{Depth, Matte, Pictures},
		},
	} {
		parts := append(c.parts, xmp(5, 1, "of another"), xmp(6, 9, "its own"))
		f, err := Parse(append(build(parts...), c.more...))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := f.Image()
		if err != nil || !slices.Equal(img.Beside, c.want) {
			t.Errorf("%s: %q, want %q (%v)", name, img.Beside, c.want, err)
		}
		if string(img.XMP) != "its own" {
			t.Errorf("%s: XMP is %q", name, img.XMP)
		}
		if pages := f.Pages(); pages != 1 && name != "another's depth" {
			t.Errorf("%s: %d pages", name, pages)
		}
	}
}
