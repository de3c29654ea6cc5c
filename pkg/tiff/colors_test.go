package tiff

import (
	"bytes"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"math"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

func TestPalettes(t *testing.T) {
	for _, bits := range []int{1, 2, 4, 8} {
		for _, eight := range []bool{false, true} { // as some writers store them
			n := 1 << bits
			colors := make([]uint32, 3*n)
			for i := range colors {
				if colors[i] = uint32(i * 89 % 256); !eight {
					colors[i] *= 257
				}
			}
			s := spec{width: 75, height: 41, bits: bits, samples: 1, photometric: paletted, compression: lzw,
				more: map[uint16][]uint32{tagColorMap: colors}}
			sample := scene(bits, 5)
			r, rows, err := readAll(s.encode(sample), raster.Options{})
			if err != nil || r.Channels() != 3 || r.Depth() != 8 {
				t.Fatalf("%d bits: %v", bits, err)
			}
			for y, row := range rows {
				for i := range s.width * 3 {
					if want := byte((i%3*n + int(sample(i/3, y, 0))) * 89 % 256); row[i] != want {
						t.Fatalf("%d bits, 8-bit colours %v: at %d, %d: %d, want %d", bits, eight, i/3, y, row[i], want)
					}
				}
			}
		}
	}
}

func TestYCbCrWithoutJPEG(t *testing.T) {
	for _, sub := range [][2]int{{1, 1}, {2, 1}, {2, 2}, {4, 2}} {
		for _, c := range []compression{noCompression, lzw} {
			s := spec{width: 60, height: 40, bits: 8, samples: 3, photometric: ycbcr, compression: c, more: map[uint16][]uint32{
				tagSubsampling: {uint32(sub[0]), uint32(sub[1])},
			}}
			at := func(x, y int) color.YCbCr {
				return color.YCbCr{Y: byte(x*4 + y), Cb: byte(x / sub[0] * 3), Cr: byte(200 - y/sub[1]*4)}
			}
			if sub != [2]int{1, 1} { // units instead of pixels
				var units []byte
				for y := 0; y < 40; y += sub[1] {
					for x := 0; x < 60; x += sub[0] {
						for v := range sub[1] {
							for u := range sub[0] {
								units = append(units, at(x+u, y+v).Y)
							}
						}
						units = append(units, at(x, y).Cb, at(x, y).Cr)
					}
				}
				s.pieces = [][]byte{s.compress([][]byte{units}, 0)}
			}
			data := s.encode(func(x, y, k int) uint64 {
				c := at(x, y)
				return uint64([3]byte{c.Y, c.Cb, c.Cr}[k])
			})
			_, rows, err := readAll(data, raster.Options{})
			if err != nil {
				t.Fatalf("%v: %v", s, err)
			}
			for y, row := range rows {
				for x := range 60 {
					r, g, b, _ := at(x, y).RGBA()
					for i, want := range []uint32{r >> 8, g >> 8, b >> 8} {
						if d := int(row[3*x+i]) - int(want); d < -1 || d > 1 {
							t.Fatalf("%v %v: at %d, %d: %v, want %d %d %d", s, sub, x, y, row[3*x:3*x+3], r>>8, g>>8, b>>8)
						}
					}
				}
			}
		}
	}
}

// Colours that littlecms gives for L*a*b*, relative to D50.
func TestLab(t *testing.T) {
	for _, c := range []struct {
		lab [3]int // 8 bits
		rgb [3]int
	}{{[3]int{255, 0, 0}, [3]int{255, 255, 255}}, {[3]int{0, 0, 0}, [3]int{0, 0, 0}},
		{[3]int{137, 0, 0}, [3]int{128, 128, 128}},
		{[3]int{138, 80, 70}, [3]int{255, 0, 0}}, {[3]int{224, -79, 80}, [3]int{0, 255, 0}},
		{[3]int{76, 68, -112}, [3]int{0, 0, 255}}} {
		for _, photometric := range []photometric{cieLab, iccLab} {
			s := spec{width: 1, height: 1, bits: 8, samples: 3, photometric: photometric, compression: noCompression}
			_, rows, err := readAll(s.encode(func(_, _, k int) uint64 {
				if k > 0 && photometric == iccLab {
					return uint64(c.lab[k] + 128)
				}
				return uint64(byte(c.lab[k]))
			}), raster.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				if d := int(rows[0][i]) - c.rgb[i]; d < -16 || d > 16 {
					t.Errorf("L*a*b* %v: %v, want %v", c.lab, rows[0], c.rgb)
					break
				}
			}
		}
	}
}

// coded returns a TIFF whose strips are JPEG data, each with its own tables.
func coded(t testing.TB, s spec, img image.Image) []byte {
	bounds := img.Bounds()
	s.width, s.height, s.bits, s.compression = bounds.Dx(), bounds.Dy(), 8, jpegCompression
	rows := s.rows
	var pieces [][]byte
	for y := 0; y < s.height; y += rows {
		part := img.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(image.Rect(0, y, s.width, min(s.height, y+rows)))
		var b bytes.Buffer
		if err := stdjpeg.Encode(&b, part, &stdjpeg.Options{Quality: 95}); err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, b.Bytes())
	}
	s.pieces = pieces
	return s.encode(func(int, int, int) uint64 { return 0 })
}

func TestJPEGInside(t *testing.T) {
	colors := image.NewRGBA(image.Rect(0, 0, 75, 48))
	grays := image.NewGray(colors.Rect)
	for y := range 48 {
		for x := range 75 {
			colors.SetRGBA(x, y, color.RGBA{byte(x * 3), byte(y * 5), byte(200 - x - y), 255})
			grays.SetGray(x, y, color.Gray{byte(x + 3*y)})
		}
	}
	for name, c := range map[string]struct {
		spec spec
		img  image.Image
	}{
		"YCbCr": {spec{samples: 3, photometric: ycbcr, rows: 16}, colors},
		"gray":  {spec{samples: 1, photometric: minIsBlack, rows: 16}, grays},
	} {
		_, rows, err := readAll(coded(t, c.spec, c.img), raster.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sum := 0.0
		for y, row := range rows {
			for x := range 75 {
				r, g, b, _ := c.img.At(x, y).RGBA()
				for i, w := range []uint32{r, g, b}[:c.spec.samples] {
					sum += math.Abs(float64(row[c.spec.samples*x+i]) - float64(w>>8))
				}
			}
		}
		if mean := sum / float64(75*48*c.spec.samples); mean > 3 {
			t.Errorf("%s: the mean difference is %.1f", name, mean)
		}
	}
}

func TestOldStyleJPEGThatIsAFile(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 40, 24))
	for i := range img.Pix {
		img.Pix[i] = byte(i / 4)
	}
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, img, &stdjpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	s := spec{
		width: 40, height: 24, bits: 8, samples: 1, photometric: minIsBlack, compression: oldJPEG,
		pieces: [][]byte{b.Bytes()},
	}
	inStrip := s.encode(scene(8, 1))
	s.more = map[uint16][]uint32{tagInterchange: {8}, tagStripOffsets: {300}}
	for name, data := range map[string][]byte{"in its strip": inStrip, "named by its own tag": s.encode(scene(8, 1))} {
		_, rows, err := readAll(data, raster.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for y, row := range rows {
			for x, v := range row {
				if d := int(v) - int(img.GrayAt(x, y).Y); d < -12 || d > 12 {
					t.Fatalf("%s: at %d, %d: %d, want %d", name, x, y, v, img.GrayAt(x, y).Y)
				}
			}
		}
	}
}

// Inks stay inks where that is asked for, but for those with alpha beside them.
func TestKeptInks(t *testing.T) {
	for _, bits := range []int{8, 16} {
		for _, planar := range []bool{false, true} {
			s := spec{width: 31, height: 17, bits: bits, samples: 4, photometric: separated, compression: lzw, planar: planar}
			sample := scene(bits, 6)
			r, rows, err := readAll(s.encode(sample), raster.Options{KeepInks: true})
			if err != nil || !r.Inks() || r.Channels() != 4 || r.Depth() != bits {
				t.Fatalf("%d bits, planar %v: %v", bits, planar, err)
			}
			top := 1<<bits - 1
			for y, row := range rows {
				for i := range s.width * 4 {
					got := int(row[i*bits/8])
					if bits == 16 {
						got = got<<8 | int(row[2*i+1])
					}
					if want := top - int(sample(i/4, y, i%4)); got != want {
						t.Fatalf("%d bits, planar %v, at %d, %d: %d, want %d", bits, planar, i/4, y, got, want)
					}
				}
			}
		}
	}
	s := spec{width: 31, height: 17, bits: 8, samples: 5, photometric: separated, compression: lzw,
		more: map[uint16][]uint32{tagExtraSamples: {2}}}
	r, _, err := readAll(s.encode(scene(8, 6)), raster.Options{KeepInks: true})
	if err != nil || r.Inks() || r.Channels() != 4 {
		t.Errorf("beside alpha they are kept: %v", err)
	}
}
