package metadata_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

func TestKeptEXIFIsTheOutputs(t *testing.T) {
	info := header.Info{Format: "jpeg", EXIF: enginetest.EXIF(6), Orientation: 6}
	before := bytes.Clone(info.EXIF)
	for upright, want := range map[bool]int{true: 1, false: 6} {
		s := metadata.Select(info, recipe.StripKeep, upright, 64, 48)
		if got := header.Orientation(s.EXIF); got != want {
			t.Errorf("upright %v: orientation %d", upright, got)
		}
		order, list := header.Directory(s.EXIF)
		for _, e := range list {
			if e.Tag == header.TagExif {
				for _, e := range header.DirectoryAt(s.EXIF, order, e.Int(order)) {
					if e.Tag == header.TagPixelX && e.Int(order) != 64 {
						t.Errorf("PixelXDimension is %d", e.Int(order))
					}
				}
			}
		}
		if next := order.Uint32(s.EXIF[8+2+12*len(list):]); next != 0 {
			t.Errorf("the thumbnail's directory is still at %d", next)
		}
	}
	if !bytes.Equal(before, info.EXIF) {
		t.Error("the input's block was changed")
	}
}

// The thumbnail of a camera shows what was cut off.
func TestKeptEXIFHasNotTheOldPicture(t *testing.T) {
	const old = "\xff\xd8OLD-PICTURE\xff\xd9"
	order := binary.LittleEndian
	for _, behind := range []string{"", "something behind it"} {
		block := []byte("II*\x00\x08\x00\x00\x00")
		entry := func(tag, kind uint16, value uint32) {
			block = order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(block, tag), kind), 1), value)
		}
		block = order.AppendUint16(block, 1)
		entry(header.TagOrientation, 3, 6)
		block = order.AppendUint32(block, 26) // the next directory
		block = order.AppendUint16(block, 2)
		entry(513, 4, 56)
		entry(514, 4, uint32(len(old)))
		block = append(append(order.AppendUint32(block, 0), old...), behind...)
		s := metadata.Select(header.Info{Format: "jpeg", EXIF: block, Orientation: 6}, recipe.StripKeep, false, 9, 9)
		if bytes.Contains(s.EXIF, []byte("OLD-PICTURE")) || !bytes.HasSuffix(s.EXIF, []byte(behind)) ||
			header.Orientation(s.EXIF) != 6 {
			t.Errorf("kept %q", s.EXIF)
		}
	}
	xmp := []byte("<x><xmp:Thumbnails><rdf:li>\n/9j/OLD</rdf:li></xmp:Thumbnails><dc:rights>mine</dc:rights></x>")
	s := metadata.Select(header.Info{Format: "jpeg", XMP: xmp}, recipe.StripKeep, true, 9, 9)
	if string(s.XMP) != "<x><dc:rights>mine</dc:rights></x>" {
		t.Errorf("kept %q", s.XMP)
	}
}

// HEIC and AVIF turn by their container; an orientation in their EXIF says nothing, and must not say anything later.
func TestOrientationOfHEICIsNotItsEXIFs(t *testing.T) {
	info := header.Info{Format: "heic", EXIF: enginetest.EXIF(6), Orientation: 1}
	if s := metadata.Select(info, recipe.StripKeep, false, 9, 9); header.Orientation(s.EXIF) != 1 {
		t.Errorf("orientation %d", header.Orientation(s.EXIF))
	}
}

func TestLargeProfilesTakeSeveralSegments(t *testing.T) {
	jpeg := enginetest.JPEG(enginetest.Photo(16, 16), enginetest.JPEGOptions{})
	for _, n := range []int{1, 65519, 65520, 200_000} {
		profile := bytes.Repeat([]byte("0123456789"), n/10+1)[:n]
		out, carried, err := metadata.Embed(jpeg, format.JPEG, metadata.Set{ICC: profile})
		if err != nil || !slices.Equal(carried, []string{"icc"}) {
			t.Fatalf("%d bytes: %v, %v", n, carried, err)
		}
		if info, err := header.Read(out); err != nil || !bytes.Equal(info.ICC, profile) {
			t.Errorf("%d bytes: %d read back, %v", n, len(info.ICC), err)
		}
	}
}

func TestWhatDoesNotFitIsSaidNotToBeCarried(t *testing.T) {
	jpeg := enginetest.JPEG(enginetest.Photo(16, 16), enginetest.JPEGOptions{})
	big := make([]byte, 70_000)
	out, carried, err := metadata.Embed(jpeg, format.JPEG, metadata.Set{EXIF: big, XMP: big, IPTC: big})
	if err != nil || len(carried) != 0 || !bytes.Equal(out, jpeg) {
		t.Errorf("%v, %v, %d bytes", carried, err, len(out))
	}
}

func FuzzSelectAndEmbed(f *testing.F) {
	f.Add(enginetest.EXIF(6), []byte(`<dc:rights>x</dc:rights>`), []byte("\x1c\x02\x50\x00\x03Ada"))
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x3b\x01\x02\x00\x03\x00\x00\x00abc\x00"),
		[]byte(`photoshop:Credit="a"`), []byte{0x1c})
	jpeg := enginetest.JPEG(enginetest.Photo(16, 16), enginetest.JPEGOptions{})
	png := enginetest.PNG(enginetest.Photo(16, 16))
	f.Fuzz(func(t *testing.T, exif, xmp, iptc []byte) {
		info := header.Info{Format: "jpeg", EXIF: exif, XMP: xmp, IPTC: iptc, Orientation: header.Orientation(exif)}
		for _, strip := range []string{recipe.StripKeep, recipe.StripCopyright} {
			s := metadata.Select(info, strip, true, 16, 16)
			if header.Orientation(s.EXIF) != 1 {
				t.Fatalf("orientation %d after %s", header.Orientation(s.EXIF), strip)
			}
			for format, data := range map[string][]byte{format.JPEG: jpeg, format.PNG: png} {
				out, _, err := metadata.Embed(data, format, s)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := header.Read(out); err != nil {
					t.Fatalf("%s: %v", format, err)
				}
			}
		}
	})
}
