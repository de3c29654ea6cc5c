package enginetest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/webp"
)

func testSizes(t *testing.T, s Suite) {
	for _, c := range []struct {
		w, h int
		ops  string
		x, y int
	}{
		{400, 300, "fit:64x64", 64, 48},
		{300, 400, "fit:64x64", 48, 64},
		{333, 250, "fit:64x64", 64, 48},
		{251, 333, "fit:128x128", 96, 128},
		{1001, 333, "fit:64x64", 64, 21},
		{999, 5, "fit:64x64", 64, 1},
		{5, 999, "fit:64x64", 1, 64},
		{257, 257, "fit:256x256", 256, 256},
		{63, 40, "fit:64x64", 63, 40},
		{63, 40, "fit:64x64,enlarge:yes", 64, 41},
		{400, 300, "fit:100x", 100, 75},
		{400, 300, "fit:x100", 133, 100},
		{400, 300, "fill:60x60", 60, 60},
		{40, 300, "fill:60x60", 40, 60},
		{400, 300, "force:60x50", 60, 50},
		{400, 300, "pad:60x60", 60, 60},
		{40, 30, "pad:60x60", 60, 60},
		{400, 300, "crop:500x50", 400, 50},
		{400, 300, "rotate:90,fit:64x64", 48, 64},
		{400, 300, "fit:200x200,crop:50x60:ne,rotate:270", 60, 50},
	} {
		t.Run(fmt.Sprintf("%d×%d/%s", c.w, c.h, c.ops), func(t *testing.T) {
			data := JPEG(Photo(c.w, c.h), JPEGOptions{})
			if got := s.one(t, data, c.ops+",format:jpeg").Rect.Size(); got != image.Pt(c.x, c.y) {
				t.Errorf("%v pixels, want %d×%d", got, c.x, c.y)
			}
		})
	}
}

// oriented are ways in which a file says how it is to be turned.
func oriented() map[string]func(*image.NRGBA, int) []byte {
	return map[string]func(*image.NRGBA, int) []byte{
		"JPEG": func(img *image.NRGBA, o int) []byte {
			return JPEG(Stored(img, o), JPEGOptions{Segments: [][]byte{exifSegment(o)}})
		},
		"JPEG with a signed number": func(img *image.NRGBA, o int) []byte {
			block := tiffLike(binary.LittleEndian, 42, "", []field{num(274, 9, uint32(o))})
			segment := Segment(0xe1, []byte("Exif\x00\x00"), block)
			return JPEG(Stored(img, o), JPEGOptions{Segments: [][]byte{segment}})
		},
		"progressive JPEG": func(img *image.NRGBA, o int) []byte {
			return JPEG(Stored(img, o), JPEGOptions{Progressive: true, Segments: [][]byte{exifSegment(o)}})
		},
		"PNG": func(img *image.NRGBA, o int) []byte {
			return insertChunk(PNG(Stored(img, o)), "eXIf", EXIF(o))
		},
		"WebP": func(img *image.NRGBA, o int) []byte {
			data, err := webp.Embed(WebP(Stored(img, o)), webp.Metadata{EXIF: EXIF(o)})
			must(err)
			return data
		},
		"TIFF": func(img *image.NRGBA, o int) []byte { return orientTIFF(TIFF(Stored(img, o)), o) },
	}
}

// orientTIFF returns a TIFF with another directory, which has an orientation too.
func orientTIFF(data []byte, o int) []byte {
	return retagTIFF(data, 274, 3, 1, uint32(o))
}

// retagTIFF returns a little-endian TIFF with an entry set: its directory is written again, at the end.
func retagTIFF(data []byte, tag, kind uint16, count, value uint32) []byte {
	order := binary.LittleEndian
	dir := int(order.Uint32(data[4:]))
	n := int(order.Uint16(data[dir:]))
	entry := order.AppendUint16(order.AppendUint16(nil, tag), kind)
	entry = order.AppendUint32(order.AppendUint32(entry, count), value)
	entries := [][]byte{entry}
	for k := range n {
		if e := data[dir+2+12*k:][:12]; order.Uint16(e) != tag {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b []byte) int { return cmp.Compare(order.Uint16(a), order.Uint16(b)) })
	out := bytes.Clone(data)
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	order.PutUint32(out[4:], uint32(len(out)))
	out = order.AppendUint16(out, uint16(len(entries)))
	return append(append(out, bytes.Join(entries, nil)...), 0, 0, 0, 0)
}

func testOrientation(t *testing.T, s Suite) {
	img := Photo(120, 80)
	for name, encode := range oriented() {
		for _, ops := range []string{
			"fit:50x50", "fill:60x70", "fill:90x60:nw", "force:50x90", "pad:100x100", "crop:60x100:se", "rotate:90,fit:70x70",
			"fit:x50,blur:1", "format:jpeg", "fit:80x80,format:png", "fit:150x150,enlarge:yes",
		} {
			t.Run(name+"/"+ops, func(t *testing.T) {
				want := s.one(t, encode(img, 1), ops)
				for o := 2; o <= 8; o++ {
					res := s.make(t, encode(img, o), "x="+ops)
					if res.Width != 120 || res.Height != 80 {
						t.Errorf("orientation %d: the input is said to be displayed at %d×%d", o, res.Width, res.Height)
					}
					got, _, err := Decode(res.Outputs[0].Data)
					if err != nil {
						t.Fatal(err)
					}
					near(t, fmt.Sprintf("orientation %d", o), got, want, 29)
				}
			})
		}
	}
}

func testOrientationOff(t *testing.T, s Suite) {
	img := Photo(240, 160)
	stored := Stored(img, 6)
	data := JPEG(stored, JPEGOptions{Segments: [][]byte{exifSegment(6)}})
	near(t, "as stored", s.one(t, data, "fit:80x80,orient:off,format:jpeg"), Shrunk(stored, 53, 80), 29)
}

// at returns the colour in the middle of a quadrant of img, clockwise from the upper left.
func at(img *image.NRGBA, quadrant int) color.NRGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	x, y := w/4, h/4
	if quadrant == 1 || quadrant == 2 {
		x = 3 * w / 4
	}
	if quadrant >= 2 {
		y = 3 * h / 4
	}
	return img.NRGBAAt(x, y)
}

// shows fails the test unless img shows the quadrants in an order, clockwise from the upper left.
func shows(t *testing.T, what string, img *image.NRGBA, order [4]int) {
	t.Helper()
	for i, q := range order {
		got, want := at(img, i), quadrants[q]
		if far(got, want, 12) {
			t.Errorf("%s: quadrant %d is %v, want %v", what, i, got, want)
		}
	}
}

func far(a, b color.NRGBA, most int) bool {
	d := func(x, y uint8) bool { return int(max(x, y)-min(x, y)) > most }
	return d(a.R, b.R) || d(a.G, b.G) || d(a.B, b.B) || d(a.A, b.A)
}

func testGravity(t *testing.T, s Suite) {
	data := PNG(Quadrants(160, 120))
	for gravity, want := range map[string]int{"nw": 0, "ne": 1, "se": 2, "sw": 3} {
		img := s.one(t, data, "crop:20x20:"+gravity+",format:png")
		for q := range 4 {
			if far(at(img, q), quadrants[want], 0) {
				t.Errorf("%s: %v", gravity, at(img, q))
			}
		}
		img = s.one(t, data, "fill:20x60:"+gravity+",format:png")
		if got := img.NRGBAAt(10, 15); gravity[1] == 'w' && got != quadrants[0] || gravity[1] == 'e' && got != quadrants[1] {
			t.Errorf("fill at %s: %v", gravity, got)
		}
	}
	shows(t, "center", s.one(t, data, "crop:40x40,format:png"), [4]int{0, 1, 2, 3})
	shows(t, "north", s.one(t, data, "crop:40x40:north,format:png"), [4]int{0, 1, 1, 0})
	shows(t, "west", s.one(t, data, "crop:40x40:west,format:png"), [4]int{0, 0, 3, 3})

	// Smart finds the one part of a flat picture that has detail.
	flat := image.NewNRGBA(image.Rect(0, 0, 300, 100))
	for i := range flat.Pix {
		flat.Pix[i] = 200 | uint8(i%4/3*255)
	}
	for y := 30; y < 70; y++ {
		for x := 220; x < 260; x++ {
			flat.SetNRGBA(x, y, color.NRGBA{uint8(x * y), uint8(x * 37), uint8(y * 91), 255})
		}
	}
	img := s.one(t, PNG(flat), "fill:50x50:smart,format:png")
	detail := 0
	for y := range 50 {
		for x := range 50 {
			if far(img.NRGBAAt(x, y), color.NRGBA{200, 200, 200, 255}, 30) {
				detail++
			}
		}
	}
	if detail < 350 { // the detail has 20×20 pixels at this scale
		t.Errorf("smart: %d pixels of detail in the cut", detail)
	}
}

func insertChunk(data []byte, kind string, p []byte) []byte {
	const header = 8 + 25
	out := bytes.Clone(data[:header])
	out = append(out, pngChunk(kind, p)...)
	return append(out, data[header:]...)
}
