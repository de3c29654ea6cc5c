package jpeg

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gen2brain/jpegn"
)

// pictureOf returns an image of w×h pixels, from flat to noise, and its planes.
func pictureOf(w, h, kind int, ratio image.YCbCrSubsampleRatio) (*image.YCbCr, []Plane) {
	img := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
	r := rand.New(rand.NewPCG(uint64(w), uint64(kind)))
	for i, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
		stride := img.YStride
		if i > 0 {
			stride = img.CStride
		}
		for j := range plane {
			x, y := float64(j%stride), float64(j/stride)
			switch kind {
			case 0:
				plane[j] = byte(77 * (i + 1))
			case 1:
				plane[j] = byte(128 + 90*math.Sin(x/float64(5+i))*math.Cos(y/7) + 5*r.Float64())
			case 2:
				plane[j] = byte(r.IntN(256))
			}
		}
	}
	h1, v1 := 1, 1
	switch ratio {
	case image.YCbCrSubsampleRatio420:
		h1, v1 = 2, 2
	case image.YCbCrSubsampleRatio422:
		h1 = 2
	case image.YCbCrSubsampleRatio440:
		v1 = 2
	}
	cw, ch := ceilDiv(w, h1), ceilDiv(h, v1)
	return img, []Plane{
		{Pix: img.Y, Stride: img.YStride, Width: w, Height: h, H: h1, V: v1},
		{Pix: img.Cb, Stride: img.CStride, Width: cw, Height: ch, H: 1, V: 1},
		{Pix: img.Cr, Stride: img.CStride, Width: cw, Height: ch, H: 1, V: 1},
	}
}

// Encode makes the coefficients that jpegn makes, in no more bytes.
func TestEncode(t *testing.T) {
	var e Encoder
	var buf bytes.Buffer
	for _, size := range [][2]int{{1, 1}, {8, 8}, {16, 16}, {17, 9}, {33, 31}, {100, 75}, {7, 300}, {256, 171}} {
		for _, ratio := range ratios {
			for kind := range 3 {
				for _, quality := range []int{1, 30, 85, 100} {
					img, planes := pictureOf(size[0], size[1], kind, ratio)
					got, err := e.Encode(planes, EncodeOptions{Quality: quality})
					if err != nil {
						t.Fatal(err)
					}
					buf.Reset()
					if err := jpegn.Encode(&buf, img, &jpegn.EncodeOptions{Quality: quality, OptimizeCoding: true}); err != nil {
						t.Fatal(err)
					}
					if len(got) > buf.Len()+buf.Len()/500+4 {
						t.Errorf("%v %v, kind %d, quality %d: %d bytes, jpegn makes %d", size, ratio, kind, quality, len(got),
							buf.Len())
					}
					samePixels(t, got, buf.Bytes())
				}
			}
		}
	}
	img, planes := pictureOf(61, 47, 1, image.YCbCrSubsampleRatio444)
	got, err := e.Encode(planes[:1], EncodeOptions{Quality: 85})
	if err != nil {
		t.Fatal(err)
	}
	buf.Reset()
	gray := &image.Gray{Pix: img.Y, Stride: img.YStride, Rect: img.Rect}
	if err := jpegn.Encode(&buf, gray, &jpegn.EncodeOptions{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	samePixels(t, got, buf.Bytes())
}

// A picture of more symbols than are kept has the same pixels, whatever is in the part that made the tables.
func TestEncodeKeepsSymbolsWithinBounds(t *testing.T) {
	img, planes := pictureOf(300, 200, 2, image.YCbCrSubsampleRatio420)
	clear(img.Y[:300*64]) // symbols that come later are not counted
	for _, quality := range []int{30, 100} {
		whole, err := new(Encoder).Encode(planes, EncodeOptions{Quality: quality})
		if err != nil {
			t.Fatal(err)
		}
		for _, most := range []int{1, 500, 5000} {
			e := Encoder{most: most}
			for range 2 {
				got, err := e.Encode(planes, EncodeOptions{Quality: quality})
				if err != nil {
					t.Fatal(err)
				}
				samePixels(t, got, whole)
				if cap(e.symbols) > most+2*mostSymbols*e.perRow*6 {
					t.Errorf("%d symbols are kept where %d are allowed", cap(e.symbols), most)
				}
			}
		}
	}
}

// samePixels fails the test where two files decode to other samples, by image/jpeg and by this package.
func samePixels(t *testing.T, a, b []byte) {
	t.Helper()
	x, err := stdjpeg.Decode(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	y, err := stdjpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	switch x := x.(type) {
	case *image.Gray:
		if !bytes.Equal(x.Pix, y.(*image.Gray).Pix) {
			t.Fatalf("gray %v differs", x.Rect)
		}
	case *image.YCbCr:
		y := y.(*image.YCbCr)
		if x.SubsampleRatio != y.SubsampleRatio || !bytes.Equal(x.Y, y.Y) || !bytes.Equal(x.Cb, y.Cb) ||
			!bytes.Equal(x.Cr, y.Cr) {
			t.Fatalf("%v %v differs", x.Rect, x.SubsampleRatio)
		}
	}
	var d Decoder
	if err := d.Decode(new(Planes), a, Options{Scale: Full}); err != nil {
		t.Fatal(err)
	}
}

func TestEncodeRefusesWhatItCannot(t *testing.T) {
	_, good := pictureOf(20, 20, 1, image.YCbCrSubsampleRatio420)
	for what, change := range map[string]func(p []Plane, o *EncodeOptions) []Plane{
		"quality 0":         func(p []Plane, o *EncodeOptions) []Plane { o.Quality = 0; return p },
		"quality 101":       func(p []Plane, o *EncodeOptions) []Plane { o.Quality = 101; return p },
		"no plane":          func(p []Plane, _ *EncodeOptions) []Plane { return nil },
		"two planes":        func(p []Plane, _ *EncodeOptions) []Plane { return p[:2] },
		"coarse gray":       func(p []Plane, _ *EncodeOptions) []Plane { return p[:1] },
		"sampling 3":        func(p []Plane, _ *EncodeOptions) []Plane { p[0].H = 3; return p },
		"coarse luma":       func(p []Plane, _ *EncodeOptions) []Plane { p[1].H = 2; return p },
		"a wide colour":     func(p []Plane, _ *EncodeOptions) []Plane { p[2].Width++; return p },
		"an empty picture":  func(p []Plane, _ *EncodeOptions) []Plane { p[0].Width = 0; return p },
		"too few samples":   func(p []Plane, _ *EncodeOptions) []Plane { p[0].Pix = p[0].Pix[:399]; return p },
		"too small strides": func(p []Plane, _ *EncodeOptions) []Plane { p[0].Stride = 19; return p },
	} {
		options := EncodeOptions{Quality: 85}
		planes := change(append([]Plane(nil), good...), &options)
		if _, err := new(Encoder).Encode(planes, options); err == nil {
			t.Errorf("%s passed", what)
		}
	}
}

// Counts like Fibonacci's numbers make codes that would be much longer than 16 bits.
func TestOptimalSpecOfSteepCounts(t *testing.T) {
	for symbols := range 41 {
		var counts [256]uint32
		a, b := uint32(1), uint32(1)
		for i := range symbols {
			counts[5*i] = a
			a, b = b, a+b
		}
		spec := optimalSpec(&counts)
		n, room := 0, 0.0
		for length, c := range spec.count {
			n += int(c)
			room += float64(c) / float64(uint(1)<<length)
		}
		if n != symbols || len(spec.symbols) != symbols || room >= 1 {
			t.Fatalf("%d symbols: %d codes of %v, %d symbols", symbols, n, spec.count, len(spec.symbols))
		}
		for i := 1; i < len(spec.symbols); i++ {
			if counts[spec.symbols[i]] > counts[spec.symbols[i-1]] {
				t.Fatalf("%d symbols: a rarer symbol has the shorter code", symbols)
			}
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, size := range []int{64, 256, 1280} {
		img, planes := pictureOf(size, size*3/4, 1, image.YCbCrSubsampleRatio420)
		var e Encoder
		b.Run("own", func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Encode(planes, EncodeOptions{Quality: 85}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("jpegn", func(b *testing.B) {
			var buf bytes.Buffer
			for b.Loop() {
				buf.Reset()
				if err := jpegn.Encode(&buf, img, &jpegn.EncodeOptions{Quality: 85}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
