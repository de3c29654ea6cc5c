package png

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// drawn returns a picture whose pixels come from a function of place and channel.
func drawn(width, height, channels, depth int, sample func(x, y, c int) int) raster.Image {
	img := raster.Image{Width: width, Height: height, Channels: channels, Depth: depth, Stride: width*channels*depth/8 + 5}
	img.Pix = make([]byte, img.Stride*height)
	for y := range height {
		for x := range width {
			for c := range channels {
				v := sample(x, y, c)
				if at := y*img.Stride + (x*channels+c)*depth/8; depth == 16 {
					img.Pix[at], img.Pix[at+1] = byte(v>>8), byte(v)
				} else {
					img.Pix[at] = byte(v)
				}
			}
		}
	}
	return img
}

func TestPicturesAreWrittenInTheFewestBits(t *testing.T) {
	noise := func(x, y, c int) int { return rand.New(rand.NewPCG(uint64(x*977+c), uint64(y))).IntN(1 << 16) }
	opaque := func(channels, top int, sample func(x, y, c int) int) func(x, y, c int) int {
		return func(x, y, c int) int {
			if c == channels-1 {
				return top
			}
			return sample(x, y, c)
		}
	}
	grays := func(sample func(x, y, c int) int) func(x, y, c int) int {
		return func(x, y, c int) int { return sample(x, y, 0) }
	}
	few := func(n int) func(x, y, c int) int {
		return func(x, y, c int) int { return (noise(x, y, 0) % n * (37 + 50*c)) & 255 }
	}
	var e Encoder
	for name, c := range map[string]struct {
		channels, depth int
		sample          func(x, y, c int) int
		opt             EncodeOptions
		color, bits     int
	}{
		"gray": {1, 8, noise, EncodeOptions{}, gray, 8},
		"gray of two levels": {1, 8, func(x, y, c int) int { return 255 * (noise(x, y, c) & 1) }, EncodeOptions{},
			gray, 1},
		"gray of four levels": {1, 8, func(x, y, c int) int { return 85 * (noise(x, y, c) & 3) }, EncodeOptions{},
			gray, 2},
		"gray of sixteen levels": {3, 8, grays(func(x, y, c int) int { return 17 * (noise(x, y, c) & 15) }),
			EncodeOptions{}, gray, 4},
		"gray and alpha":            {2, 8, noise, EncodeOptions{}, grayAlpha, 8},
		"gray and alpha, opaque":    {2, 8, opaque(2, 255, noise), EncodeOptions{}, gray, 8},
		"colours":                   {3, 8, noise, EncodeOptions{}, rgb, 8},
		"colours that are gray":     {3, 8, grays(noise), EncodeOptions{}, gray, 8},
		"gray, kept as colours":     {3, 8, grays(noise), EncodeOptions{KeepColors: true}, paletted, 8},
		"colours and alpha":         {4, 8, noise, EncodeOptions{Level: 1}, rgbAlpha, 8},
		"colours and alpha, opaque": {4, 8, opaque(4, 255, noise), EncodeOptions{}, rgb, 8},
		"gray in four channels":     {4, 8, grays(noise), EncodeOptions{}, paletted, 8},
		"two colours":               {3, 8, few(2), EncodeOptions{}, paletted, 1},
		"three colours":             {4, 8, opaque(4, 255, few(3)), EncodeOptions{}, paletted, 2},
		"seven colours and alpha":   {4, 8, few(7), EncodeOptions{}, paletted, 4},
		"200 colours":               {3, 8, few(200), EncodeOptions{}, paletted, 8},
		"16 bits gray":              {1, 16, noise, EncodeOptions{}, gray, 16},
		"16 bits that are gray":     {4, 16, opaque(4, 0xffff, grays(noise)), EncodeOptions{}, gray, 16},
		"16 bits gray and alpha":    {4, 16, grays(noise), EncodeOptions{}, grayAlpha, 16},
		"16 bits":                   {3, 16, noise, EncodeOptions{}, rgb, 16},
		"16 bits, opaque":           {4, 16, opaque(4, 0xffff, noise), EncodeOptions{}, rgb, 16},
		"16 bits and alpha":         {4, 16, noise, EncodeOptions{Level: 9}, rgbAlpha, 16},
	} {
		for _, size := range [][2]int{{1, 1}, {7, 5}, {61, 43}, {130, 33}} {
			if size[0] < 61 && c.color == paletted {
				continue // too small for a palette
			}
			img := drawn(size[0], size[1], c.channels, c.depth, c.sample)
			file, err := e.Encode(img, c.opt)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			r, rows, err := readAll(file, raster.Options{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if size[0] >= 61 && (r.color != c.color || r.depth != c.bits) {
				t.Errorf("%s: colour type %d of %d bits, want %d of %d", name, r.color, r.depth, c.color, c.bits)
			}
			if err := compare(file); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for y, row := range rows {
				for x := range size[0] {
					got, want := pixel(row, r.Channels(), r.Depth(), x), pixel(img.Row(y), c.channels, c.depth, x)
					if got != want {
						t.Fatalf("%s, %v: at %d, %d: %v, want %v", name, size, x, y, got, want)
					}
				}
			}
		}
	}
}

func TestFilterRowEqualsThePlainOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, pixel := range []int{1, 2, 3, 4, 6, 8} {
		for n := 1; n < 200; n += 7 {
			row, above := make([]byte, 8+n), make([]byte, 8+n)
			for i := 8; i < 8+n; i++ {
				row[i], above[i] = byte(rng.Uint32()), byte(rng.Uint32())
				if i%3 == 0 {
					above[i] = row[i] + byte(rng.IntN(3)) - 1 // ties
				}
			}
			var got, want [5]uint64
			var out, outWant [4][]byte
			for i := range out {
				out[i], outWant[i] = make([]byte, n), make([]byte, n)
			}
			filterRow(&got, out, row, above, 8, pixel)
			plainFilterRow(&want, outWant, row, above, 8, pixel, 0)
			if got != want {
				t.Fatalf("%d bytes, %d a pixel: sums %v, want %v", n, pixel, got, want)
			}
			for i := range out {
				if !bytes.Equal(out[i], outWant[i]) {
					t.Fatalf("%d bytes, %d a pixel: filter %d: %x, want %x", n, pixel, i+1, out[i], outWant[i])
				}
			}
		}
	}
}

func TestPicturesThatAreNone(t *testing.T) {
	good := drawn(4, 4, 3, 8, func(int, int, int) int { return 7 })
	for name, change := range map[string]func(*raster.Image){
		"no channels": func(i *raster.Image) { i.Channels = 0 }, "five channels": func(i *raster.Image) { i.Channels = 5 },
		"depth 4": func(i *raster.Image) { i.Depth = 4 }, "no rows": func(i *raster.Image) { i.Height = 0 },
		"too short":      func(i *raster.Image) { i.Pix = i.Pix[:len(i.Pix)-10] },
		"a short stride": func(i *raster.Image) { i.Stride = 11 },
	} {
		img := good
		change(&img)
		if _, err := new(Encoder).Encode(img, EncodeOptions{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := new(Encoder).Encode(good, EncodeOptions{Level: 10}); err == nil {
		t.Error("level 10: no error")
	}
}

func BenchmarkEncode(b *testing.B) {
	file, err := os.ReadFile(os.Getenv("PNG"))
	if err != nil {
		b.Skip("PNG names no file")
	}
	r, rows, err := readAll(file, raster.Options{})
	if err != nil {
		b.Fatal(err)
	}
	img := raster.Image{
		Width: r.width, Height: r.height, Channels: r.Channels(), Depth: r.Depth(), Stride: raster.RowSize(r),
		Pix: bytes.Join(rows, nil),
	}
	for level := 1; level <= 9; level++ {
		b.Run(fmt.Sprint(level), func(b *testing.B) {
			var e Encoder
			size := 0
			for b.Loop() {
				out, err := e.Encode(img, EncodeOptions{Level: level})
				if err != nil {
					b.Fatal(err)
				}
				size = len(out)
			}
			b.SetBytes(int64(len(img.Pix)))
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
