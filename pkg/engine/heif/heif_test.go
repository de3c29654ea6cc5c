package heif

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/isobmff"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// pattern is what the files of testdata show, coded without loss.
func pattern(x, y int) byte { return byte(x*7 + y*13 + x*y/5) }

func decode(t *testing.T, data []byte, w, h int) *picture.Picture {
	t.Helper()
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Planes(context.Background(), picture.Need{Width: w, Height: h, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shows fails the test unless a plane has w×h samples, and sample x, y is want(x, y).
func shows(t *testing.T, what string, p *picture.Plane, w, h int, want func(x, y int) byte) {
	t.Helper()
	if p.Width != w || p.Height != h {
		t.Fatalf("%s: %d×%d samples, want %d×%d", what, p.Width, p.Height, w, h)
	}
	for y := range h {
		for x := range w {
			if got := p.Pix[y*p.Stride+x]; got != want(x, y) {
				t.Fatalf("%s: sample %d, %d is %d, want %d", what, x, y, got, want(x, y))
			}
		}
	}
}

func TestEverySampleIsTheCoders(t *testing.T) {
	for name, size := range map[string][2]int{
		"gray-200x130.heic": {200, 130}, "gray-34x22.heic": {34, 22}, "color-200x130.heic": {200, 130},
		"gray-10-bits.heic": {200, 130}, "gray-12-bits.heic": {200, 130}, "gray-200x130.avif": {200, 130},
	} {
		t.Run(name, func(t *testing.T) {
			p := decode(t, readFile(t, name), 0, 0)
			shows(t, "luma", &p.Planes[0], size[0], size[1], pattern)
			if p.Limited {
				t.Error("the range is said to be limited")
			}
			if len(p.Planes) == 3 && p.Model == picture.YCbCr {
				c := func(int, int) byte { return 128 }
				shows(t, "Cb", &p.Planes[1], (size[0]+1)/2, (size[1]+1)/2, c)
				shows(t, "Cr", &p.Planes[2], (size[0]+1)/2, (size[1]+1)/2, c)
			}
		})
	}
}

func TestGridsAreDecodedTileByTile(t *testing.T) {
	tiles := []int{2, 3, 4, 5}
	parts := []part{grid(1, 2, 2, 120, 70, tiles...)}
	for _, id := range tiles {
		parts = append(parts, codedPart(t, "gray-64x64.heic", id))
	}
	p := decode(t, build(parts...), 0, 0)
	shows(t, "grid", &p.Planes[0], 120, 70, func(x, y int) byte { return pattern(x%64, y%64) })

	parts[0].properties = append(parts[0].properties, clap(20, 10, 5, -3))
	p = decode(t, build(parts...), 0, 0)
	shows(t, "cropped grid", &p.Planes[0], 20, 10, func(x, y int) byte { return pattern(x+55-(x+55)/64*64, y+27) })

	for what, data := range map[string][]byte{
		"a tile too few":        build(append([]part{grid(1, 2, 2, 120, 70, 2, 3, 4)}, parts[1:]...)...),
		"a missing tile":        build(append([]part{grid(1, 2, 2, 120, 70, 2, 3, 4, 9)}, parts[1:]...)...),
		"a tile of a gigapixel": build(grid(1, 1, 1, 9, 9, 2), codedPart(t, "gray-64x64.heic", 2).sized(40000, 40000)),
		"tiles beyond the size": build(append([]part{grid(1, 2, 2, 30, 70, tiles...)}, parts[1:]...)...),
	} {
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		var r *outcome.Rejection
		if _, err := f.Planes(t.Context(), picture.Need{Exact: true}); !errors.As(err, &r) {
			t.Errorf("%s: %v, want a rejection", what, err)
		}
	}
}

func TestCropBetweenSamplesOfColor(t *testing.T) {
	data := build(codedPart(t, "color-200x130.heic", 1).with(clap(101, 51, 0, 0)))
	p := decode(t, data, 0, 0)
	shows(t, "luma", &p.Planes[0], 101, 51, func(x, y int) byte { return pattern(x+49, y+39) })
	cb := p.Planes[1]
	if cb.Across != (picture.Span{Begin: 0.5, Length: 50.5}) || cb.Down != (picture.Span{Begin: 0.5, Length: 25.5}) {
		t.Errorf("colour spans %v and %v", cb.Across, cb.Down)
	}
	if cb.Width != 51 || cb.Height != 26 {
		t.Errorf("%d×%d samples of colour", cb.Width, cb.Height)
	}
	f, _ := Parse(data)
	if img, err := f.Image(); err != nil || img.Width != 101 || img.Height != 51 {
		t.Errorf("said to have %d×%d pixels, %v", img.Width, img.Height, err)
	}
	f, _ = Parse(build(codedPart(t, "color-200x130.heic", 1).with(clap(201, 51, 0, 0))))
	if _, err := f.Image(); err == nil {
		t.Error("a window larger than the picture passed")
	}
}

func TestOpacityIsAnItemOfItsOwn(t *testing.T) {
	alpha := codedPart(t, "gray-200x130.heic", 2).with(alphaKind())
	alpha.refs = map[string][]int{"auxl": {1}}
	main := codedPart(t, "color-200x130.heic", 1)
	p := decode(t, build(main, alpha), 0, 0)
	if p.Alpha == nil || p.Premultiplied {
		t.Fatalf("alpha %v, premultiplied %v", p.Alpha, p.Premultiplied)
	}
	shows(t, "alpha", p.Alpha, 200, 130, pattern)
	main.refs = map[string][]int{"prem": {2}}
	if p := decode(t, build(main, alpha), 0, 0); !p.Premultiplied {
		t.Error("the picture is not said to be premultiplied")
	}
	alpha = alpha.sized(201, 130)
	f, _ := Parse(build(main, alpha))
	if _, err := f.Planes(t.Context(), picture.Need{Exact: true}); err == nil {
		t.Error("opacity larger than the picture passed")
	}
	alpha = alpha.sized(200, 130)
	f, _ = Parse(build(main, alpha))
	if img, err := f.Image(); err != nil || !img.Alpha {
		t.Errorf("no alpha is said: %v", err)
	}
}

func TestThumbnailServesWhereItIsLargeEnough(t *testing.T) {
	small := codedPart(t, "gray-64x64.heic", 2)
	small.refs = map[string][]int{"thmb": {1}}
	tile := codedPart(t, "gray-64x64.heic", 3)
	tiles := []int{3, 3, 3, 3, 3, 3, 3, 3, 3}
	large := grid(1, 3, 3, 192, 192, tiles...)
	data := build(large, small, tile)
	for _, c := range []struct{ ask, get int }{{0, 192}, {20, 64}, {64, 64}, {65, 192}} {
		if p := decode(t, data, c.ask, c.ask); p.Width() != c.get {
			t.Errorf("asked for %d, decoded %d pixels", c.ask, p.Width())
		}
	}
	other := grid(1, 3, 3, 192, 144, tiles...) // letterboxes look like this
	if p := decode(t, build(other, small, tile), 20, 10); p.Width() != 192 {
		t.Error("a thumbnail of other proportions served")
	}
	turned := small.with(isobmff.Box{Kind: "irot", Data: []byte{1}})
	if p := decode(t, build(large, turned, tile), 20, 10); p.Width() != 192 {
		t.Error("a thumbnail turned another way served")
	}
}

// Range and matrix are the container's if it says any, else those of the codec's own header.
func TestColorsWithoutAColrBox(t *testing.T) {
	avif := codedPart(t, "gray-200x130.avif", 1)
	sequence := append([]byte{0x81, 0, 0, 0}, limitedSequence()...)
	avif.properties = []isobmff.Box{ispe(200, 130), {Kind: "av1C", Data: sequence}}
	for name, p := range map[string]part{"HEIC": codedPart(t, "limited-bt709.heic", 1), "AVIF": avif} {
		f, err := Parse(build(p))
		if err != nil {
			t.Fatal(err)
		}
		c := f.colorOf(f.primary, f.primary)
		if c.full || c.matrix != 1 || c.primaries != 1 || c.gray {
			t.Errorf("%s: %+v, want the limited range of BT.709", name, c)
		}
		full := isobmff.Box{Kind: "colr", Data: []byte("nclx\x00\x0c\x00\x0d\x00\x06\x80")}
		f, err = Parse(build(p.with(full)))
		if err != nil {
			t.Fatal(err)
		}
		if c := f.colorOf(f.primary, f.primary); !c.full || c.matrix != 6 || c.primaries != 12 {
			t.Errorf("%s with colr: %+v, want what that says", name, c)
		}
	}
}

// limitedSequence returns a sequence header of AV1 in the short form, of the limited range of BT.709.
func limitedSequence() []byte {
	var unit []byte
	at := 0
	write := func(value, n int) {
		for i := n - 1; i >= 0; i-- {
			if at%8 == 0 {
				unit = append(unit, 0)
			}
			unit[at/8] |= byte(value>>i&1) << (7 - at%8)
			at++
		}
	}
	write(0, 3) // profile
	write(3, 2) // a still picture, in the short form
	write(0, 5) // level
	write(7, 4) // bits of the width
	write(7, 4) // and of the height
	write(199, 8)
	write(129, 8)
	write(0, 6) // tools
	write(0, 2) // 8 bits, with colours
	write(1, 1)
	write(1, 8)
	write(1, 8)
	write(1, 8)
	write(0, 1) // the limited range
	return append([]byte{1<<3 | 2, byte(len(unit))}, unit...)
}

func TestPrimariesBecomeAProfile(t *testing.T) {
	srgb := color{primaries: 1, transfer: 13}
	p3 := color{primaries: 12, transfer: 13}
	if srgb.profile() != nil {
		t.Error("sRGB has a profile")
	}
	data := p3.profile()
	p, err := icc.Parse(data)
	if err != nil || !p.Usable() || p.To(icc.SRGB).Same() {
		t.Fatalf("the profile of Display P3: %v", err)
	}
	if c := p.To(icc.SRGB).Color(128, 128, 128); max(c[0], c[1], c[2]) > 129 || min(c[0], c[1], c[2]) < 127 {
		t.Errorf("gray becomes %v", c)
	}
	if c := p.To(icc.SRGB).Color(200, 100, 100); c[0] <= 200 || c[1] >= 100 {
		t.Errorf("a red becomes %v: no more saturated than in Display P3", c)
	}
	own := color{primaries: 12, icc: []byte("the file's")}
	if string(own.profile()) != "the file's" {
		t.Error("the file's own profile is not used")
	}
	if (&color{primaries: 9, transfer: transferPQ}).profile() != nil {
		t.Error("a profile for high dynamic range")
	}
}

// The matrix 0 of H.273: luma is green, and the others are blue and red.
func TestPlanesOfRGB(t *testing.T) {
	p := &picture.Picture{Model: picture.YCbCr}
	for _, v := range []byte{10, 20, 30} {
		p.Planes = append(p.Planes, picture.Whole([]byte{v}, 1, 1))
	}
	(&color{matrix: 0, full: true}).describe(p)
	if r, g, b := p.Planes[0].Pix[0], p.Planes[1].Pix[0], p.Planes[2].Pix[0]; p.Model != picture.RGB || r != 30 ||
		g != 10 || b != 20 {
		t.Errorf("model %d: %d, %d, %d", p.Model, r, g, b)
	}
}

func TestDerivedPicturesAreDecoded(t *testing.T) {
	same := part{id: 1, kind: "iden", properties: []isobmff.Box{ispe(200, 130), clap(20, 10, 0, 0)},
		refs: map[string][]int{"dimg": {2}}}
	p := decode(t, build(same, codedPart(t, "gray-200x130.heic", 2)), 0, 0)
	shows(t, "luma", &p.Planes[0], 20, 10, func(x, y int) byte { return pattern(x+90, y+60) })
	overlay := part{id: 1, kind: "iovl", properties: []isobmff.Box{ispe(200, 130)}}
	f, err := Parse(build(overlay))
	if err != nil {
		t.Fatal(err)
	}
	var r *outcome.Rejection
	if _, err := f.Image(); !errors.As(err, &r) || r.Reason != outcome.Unsupported {
		t.Errorf("an overlay: %v, want a rejection as unsupported", err)
	}
}

// A damaged picture is rejected by every codec, and by the one that stands in for another.
func TestDamagedPicturesAreRejected(t *testing.T) {
	whole := codedPart(t, "gray-200x130.heic", 1)
	for n := range 6 {
		p := whole
		p.data = bytes.Clone(whole.data)
		for i := 40 * n; i < len(p.data); i += 97 {
			p.data[i] ^= byte(1 << n)
		}
		f, err := Parse(build(p))
		if err != nil {
			t.Fatal(err)
		}
		var r *outcome.Rejection
		if _, err := f.Planes(t.Context(), picture.Need{Exact: true}); err != nil && !errors.As(err, &r) {
			t.Errorf("damage %d: %v is no rejection", n, err)
		}
	}
}

func TestPicturesCutShortAreSaidToBe(t *testing.T) {
	data := readFile(t, "gray-200x130.heic")
	f, err := Parse(data[:len(data)-100])
	if err != nil {
		t.Fatal(err)
	}
	if img, err := f.Image(); err != nil || !img.Truncated {
		t.Errorf("%+v, %v", img, err)
	}
	var r *outcome.Rejection
	if _, err := f.Planes(t.Context(), picture.Need{Exact: true}); !errors.As(err, &r) || r.Reason != outcome.Truncated {
		t.Errorf("%v, want a rejection as truncated", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(readFile(f, "gray-34x22.heic"))
	f.Add(readFile(f, "gray-200x130.avif"))
	f.Add(build(grid(1, 2, 2, 120, 70, 2, 2, 2, 2).with(clap(20, 10, 5, -3)), codedPart(f, "gray-64x64.heic", 2)))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		var r *outcome.Rejection
		img, err := file.Image()
		if err != nil {
			if !errors.As(err, &r) {
				t.Fatalf("%v is no rejection", err)
			}
			return
		}
		if img.Width < 1 || img.Height < 1 || img.Orientation < 1 || img.Orientation > 8 {
			t.Fatalf("%+v", img)
		}
		file.thumbnailOf(file.primary, 10, 10)
		if coded, err := file.coded(file.primary); err == nil {
			single := coded.single(file.colorOf(file.primary, coded))
			again, err := Parse(single)
			if err != nil || !bytes.Equal(again.primary.bytes(), coded.bytes()) {
				t.Fatalf("the file for the codec: %v", err)
			}
		}
	})
}

// Thumbnails, tiles and hidden items are no pages. The primary picture is the first.
func TestPages(t *testing.T) {
	primary := codedPart(t, "gray-64x64.heic", 5)
	thumbnail := codedPart(t, "gray-64x64.heic", 2)
	thumbnail.refs = map[string][]int{"thmb": {5}}
	tile := codedPart(t, "gray-64x64.heic", 3)
	large := grid(4, 1, 2, 128, 64, 3, 3)
	f, err := Parse(build(primary, thumbnail, tile, large))
	if err != nil {
		t.Fatal(err)
	}
	if n := f.Pages(); n != 2 {
		t.Fatalf("%d pages, want 2", n)
	}
	for page, want := range []int{64, 128} {
		f.Select(page)
		img, err := f.Image()
		if err != nil || img.Width != want {
			t.Errorf("page %d is %d pixels wide, want %d (%v)", page, img.Width, want, err)
		}
		if p, err := f.Planes(t.Context(), picture.Need{Exact: true}); err != nil || p.Width() != want {
			t.Errorf("page %d is not decoded: %v", page, err)
		}
	}
}
