package enginetest

import (
	"encoding/binary"
	"image"
	"image/color"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

func testJPEGKinds(t *testing.T, s Suite) {
	img := Photo(243, 165) // no side is a multiple of a block
	for name, c := range map[string]struct {
		o    JPEGOptions
		gray bool
	}{
		"4:4:4":             {o: JPEGOptions{Sampling: [2]int{1, 1}}},
		"4:2:2":             {o: JPEGOptions{Sampling: [2]int{2, 1}}},
		"4:2:0":             {o: JPEGOptions{Sampling: [2]int{2, 2}}},
		"4:4:0":             {o: JPEGOptions{Sampling: [2]int{1, 2}}},
		"progressive":       {o: JPEGOptions{Progressive: true}},
		"progressive 4:4:4": {o: JPEGOptions{Progressive: true, Sampling: [2]int{1, 1}}},
		"restart markers":   {o: JPEGOptions{Restart: 3}},
		"gray":              {o: JPEGOptions{Gray: true}, gray: true},
		"gray progressive":  {o: JPEGOptions{Gray: true, Progressive: true}, gray: true},
	} {
		t.Run(name, func(t *testing.T) {
			want := img
			if c.gray {
				want = grayOf(img)
			}
			data := JPEG(img, c.o)
			near(t, "fit", s.one(t, data, "fit:81x81,format:jpeg"), Shrunk(want, 81, 55), 28)
			near(t, "full size", s.one(t, data, "format:jpeg,quality:95"), want, 27)
		})
	}
	for name, file := range map[string]string{"4:1:1": "4-1-1.jpg", "CMYK": "cmyk.jpg"} {
		t.Run(name, func(t *testing.T) {
			near(t, "fit", s.one(t, File(file), "fit:81x81,format:jpeg"), Shrunk(img, 81, 55), 28)
			near(t, "full size", s.one(t, File(file), "format:jpeg,quality:95"), img, 27)
		})
	}
	t.Run("YCCK", func(t *testing.T) {
		got := s.one(t, File("ycck.jpg"), "format:png")
		for i, want := range []color.NRGBA{{0, 255, 255, 255}, {255, 255, 0, 255}, {0, 0, 0, 255}} {
			if c := got.NRGBAAt(16+32*i, 16); far(c, want, 4) {
				t.Errorf("stripe %d is %v, want %v", i, c, want)
			}
		}
	})
	t.Run("CMYK without Adobe's mark", func(t *testing.T) {
		// All other programs take the values for what Adobe's programs store, inverted inks, marked or not.
		data := unmark(File("cmyk.jpg"))
		near(t, "fit", s.one(t, data, "fit:81x81,format:jpeg"), Shrunk(img, 81, 55), 28)
	})
}

// unmark cuts the Adobe segment out of a JPEG.
func unmark(data []byte) []byte {
	for at := 2; at+4 < len(data) && data[at] == 0xff; {
		n := 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if data[at+1] == 0xee {
			return append(append([]byte(nil), data[:at]...), data[at+n:]...)
		}
		at += n
	}
	return data
}

func testPNGKinds(t *testing.T, s Suite) {
	img := Photo(61, 43)
	g := grayOf(img)
	rgb := func(depth int) func(x, y, c int) int {
		return func(x, y, c int) int {
			p := img.NRGBAAt(x, y)
			return int([4]uint8{p.R, p.G, p.B, 255}[c]) * (1<<depth - 1) / 255
		}
	}
	lum := func(depth int) func(x, y, c int) int {
		return func(x, y, c int) int {
			if c == 1 {
				return 1<<depth - 1
			}
			return (int(g.NRGBAAt(x, y).R)*(1<<depth-1) + 127) / 255
		}
	}
	var palette []byte
	for i := range 256 {
		palette = append(palette, byte(i>>5*36), byte(i>>2&7*36), byte(i&3*85))
	}
	plte := [][]byte{pngChunk("PLTE", palette)}
	index := func(x, y, _ int) int {
		p := img.NRGBAAt(x, y)
		return int(p.R)/37<<5 | int(p.G)/37<<2 | int(p.B)/86
	}
	indexed := image.NewNRGBA(img.Rect)
	for y := range 43 {
		for x := range 61 {
			p := palette[3*index(x, y, 0):]
			indexed.SetNRGBA(x, y, color.NRGBA{p[0], p[1], p[2], 255})
		}
	}
	for name, c := range map[string]struct {
		data []byte
		want *image.NRGBA
		near float64
	}{
		"8 bits":                {rawPNG(61, 43, 8, 2, false, nil, rgb(8)), img, 90},
		"16 bits":               {rawPNG(61, 43, 16, 2, false, nil, rgb(16)), img, 90},
		"16 bits with alpha":    {rawPNG(61, 43, 16, 6, false, nil, rgb(16)), img, 90},
		"interlaced":            {rawPNG(61, 43, 8, 2, true, nil, rgb(8)), img, 90},
		"interlaced 16 bits":    {rawPNG(61, 43, 16, 2, true, nil, rgb(16)), img, 90},
		"gray":                  {rawPNG(61, 43, 8, 0, false, nil, lum(8)), g, 90},
		"gray 16 bits":          {rawPNG(61, 43, 16, 0, false, nil, lum(16)), g, 90},
		"gray 4 bits":           {rawPNG(61, 43, 4, 0, false, nil, lum(4)), g, 30},
		"gray 1 bit interlaced": {rawPNG(61, 43, 1, 0, true, nil, lum(1)), g, 6},
		"gray with alpha":       {rawPNG(61, 43, 8, 4, false, nil, lum(8)), g, 90},
		"palette":               {rawPNG(61, 43, 8, 3, false, plte, index), indexed, 90},
		"palette interlaced":    {rawPNG(61, 43, 8, 3, true, plte, index), indexed, 90},
	} {
		t.Run(name, func(t *testing.T) {
			near(t, "full size", s.one(t, c.data, "format:png"), c.want, c.near)
			near(t, "to JPEG", s.one(t, c.data, "fit:30x30,format:jpeg"), Shrunk(c.want, 30, 21), min(24, c.near))
		})
	}
	t.Run("palette with transparent colours", func(t *testing.T) {
		extra := [][]byte{pngChunk("PLTE", []byte{255, 0, 0, 0, 0, 255}), pngChunk("tRNS", []byte{0})}
		data := rawPNG(16, 16, 1, 3, false, extra, func(x, _, _ int) int { return x / 8 })
		out := s.one(t, data, "format:png")
		if a, b := out.NRGBAAt(2, 2), out.NRGBAAt(12, 12); a.A != 0 || b != (color.NRGBA{0, 0, 255, 255}) {
			t.Errorf("%v and %v", a, b)
		}
	})
	t.Run("palette index beyond the palette", func(t *testing.T) {
		data := rawPNG(16, 16, 8, 3, false, [][]byte{pngChunk("PLTE", []byte{9, 9, 9})}, func(x, _, _ int) int { return x })
		if _, err := s.try(t, data, "fit:8x8,format:jpeg"); err != nil && reasonOf(err) != outcome.Corrupt {
			t.Errorf("%v", err) // decoders may take what is beyond for black, and none may panic
		}
	})
}

func testOtherFormats(t *testing.T, s Suite) {
	img := Photo(122, 86)
	sky := color.NRGBA{9, 99, 199, 255}
	alpha := NRGBA(img)
	for i := 3; i < len(alpha.Pix); i += 4 {
		alpha.Pix[i] = uint8(i / 4 % 122 * 2)
	}
	inks := NRGBA(img) // cyan, magenta, yellow, and no black
	for i := range inks.Pix {
		if inks.Pix[i] = ^inks.Pix[i]; i%4 == 3 {
			inks.Pix[i] = 0
		}
	}
	gray16 := image.NewGray16(img.Rect)
	for y := range 86 {
		for x := range 122 {
			gray16.SetGray16(x, y, color.Gray16{uint16(luma(img.Pix[4*(y*122+x):])) * 257})
		}
	}
	for name, c := range map[string]struct {
		data   []byte
		format string
		want   *image.NRGBA
		near   float64
	}{
		"TIFF":              {TIFF(img), "tiff", img, 90},
		"TIFF with alpha":   {TIFF(alpha), "tiff", alpha, 50},
		"TIFF 16 bits":      {TIFF(gray16), "tiff", grayOf(img), 90},
		"BMP":               {BMP(img), "bmp", img, 90},
		"BMP top down":      {topDown(BMP(img)), "bmp", flipped(img), 90},
		"WebP":              {WebP(img), "webp", img, 28},
		"WebP with alpha":   {WebP(alpha), "webp", alpha, 28},
		"GIF":               {GIF(122, 86, Flat(img.Rect, sky)), "gif", filled(122, 86, sky), 90},
		"CMYK TIFF":         {retagTIFF(TIFF(inks), 262, 3, 1, 5), "tiff", img, 50},
		"palette TIFF":      {TIFF(Flat(img.Rect, sky)), "tiff", filled(122, 86, sky), 90},
		"HEIC":              {File("quadrants.heic"), "heic", Quadrants(160, 120), 25},
		"AVIF":              {File("quadrants.avif"), "avif", Quadrants(160, 120), 25},
		"AVIF as RGB":       {File("rgb.avif"), "avif", Quadrants(160, 120), 90},
		"AVIF 10 bits":      {File("ten-bits.avif"), "avif", Quadrants(160, 120), 35},
		"AVIF limited":      {File("limited.avif"), "avif", Quadrants(160, 120), 25},
		"HEIC to be turned": {File("turned.heic"), "heic", Stored(Quadrants(160, 120), 8), 25},
		"AVIF to be turned": {File("turned.avif"), "avif", Stored(Quadrants(160, 120), 8), 25},
	} {
		t.Run(name, func(t *testing.T) {
			near(t, "full size", s.one(t, c.data, "format:png"), c.want, c.near)
			res := s.make(t, c.data, "x=fit:40x40,format:png")
			size := c.want.Rect.Size()
			if res.Format != c.format || res.Width != size.X || res.Height != size.Y {
				t.Errorf("the input is said to be %s of %d×%d", res.Format, res.Width, res.Height)
			}
			small, _, err := Decode(res.Outputs[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "fit", small, Shrunk(c.want, small.Rect.Dx(), small.Rect.Dy()), min(25, c.near))
		})
	}
	for name, data := range map[string][]byte{
		"raw data in TIFF":    retagTIFF(TIFF(img), 262, 3, 1, 32803),
		"TIFF with JPEG 2000": retagTIFF(TIFF(img), 259, 3, 1, 34712),
		"BMP run lengths":     compressedBMP(BMP(img)),
	} {
		s.rejects(t, name, noLimits, data, outcome.Unsupported)
	}
}

func topDown(data []byte) []byte {
	h := int32(binary.LittleEndian.Uint32(data[22:]))
	binary.LittleEndian.PutUint32(data[22:], uint32(-h))
	return data
}

func compressedBMP(data []byte) []byte {
	data[30] = 1
	return data
}

func flipped(img *image.NRGBA) *image.NRGBA { return Stored(img, 4) }

func filled(w, h int, c color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = [4]uint8{c.R, c.G, c.B, c.A}[i%4]
	}
	return img
}

// Lossy WebP stores its samples in the studio range; a decoder that forgets it makes 214 of gray 230.
func testStudioRange(t *testing.T, s Suite) {
	for _, v := range []uint8{0, 16, 128, 230, 255} {
		got := s.one(t, WebP(filled(64, 64, color.NRGBA{v, v, v, 255})), "format:png").NRGBAAt(30, 30)
		if far(got, color.NRGBA{v, v, v, 255}, 2) {
			t.Errorf("gray %d came out as %v", v, got)
		}
	}
	transparent := filled(64, 64, color.NRGBA{230, 230, 230, 128})
	if got := s.one(t, WebP(transparent), "format:png").NRGBAAt(30, 30); far(got, color.NRGBA{230, 230, 230, 128}, 2) {
		t.Errorf("half transparent gray came out as %v", got)
	}
}
