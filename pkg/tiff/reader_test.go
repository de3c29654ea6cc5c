package tiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

func readAll(data []byte, opt raster.Options) (*Reader, [][]byte, error) {
	r, err := Open(data, opt)
	if err != nil {
		return nil, nil, err
	}
	var rows [][]byte
	for {
		row := make([]byte, raster.RowSize(r))
		if err := r.ReadRow(row); err == io.EOF {
			return r, rows, nil
		} else if err != nil {
			return r, rows, err
		}
		rows = append(rows, row)
	}
}

// want returns what a spec's samples are as gray or colours and alpha, of 0 to 1.
func (s spec) want(v []float64) []float64 {
	var out []float64
	colors := 1
	switch s.photometric {
	case minIsWhite:
		out = []float64{1 - v[0]}
	case rgb:
		out, colors = []float64{v[0], v[1], v[2]}, 3
	case separated:
		colors = 4
		for i := range 3 {
			out = append(out, (1-v[i])*(1-v[3]))
		}
	default:
		out = []float64{v[0]}
	}
	if s.samples > colors && (len(s.extra) == 0 || s.extra[0] != 0) {
		a := v[colors]
		if len(s.extra) > 0 && s.extra[0] == 1 && a > 0 {
			for i := range out {
				out[i] = min(1, out[i]/a)
			}
		}
		out = append(out, a)
	}
	return out
}

// check reads what a spec writes and compares each sample.
func (s spec) check(data []byte, sample func(x, y, k int) uint64, value func(uint64) float64) error {
	r, rows, err := readAll(data, raster.Options{})
	if err != nil {
		return err
	}
	if len(rows) != s.height {
		return fmt.Errorf("%d rows of %d", len(rows), s.height)
	}
	top := float64(uint64(1)<<r.Depth() - 1)
	for y, row := range rows {
		for x := range s.width {
			v := make([]float64, s.samples)
			for k := range v {
				v[k] = value(sample(x, y, k))
			}
			want := s.want(v)
			if len(want) != r.Channels() {
				return fmt.Errorf("%d channels, want %d", r.Channels(), len(want))
			}
			for c, w := range want {
				got := float64(row[(x*len(want)+c)*r.Depth()/8])
				if r.Depth() == 16 {
					got = float64(binary.BigEndian.Uint16(row[2*(x*len(want)+c):]))
				}
				tolerance := 1.01
				if s.photometric == separated {
					tolerance += 2 // inks are rounded, and multiplied
				}
				if len(s.extra) > 0 && s.extra[0] == 1 && want[len(want)-1] > 0 {
					tolerance += 1 / want[len(want)-1] // colours were rounded before they are divided by alpha
				}
				if math.Abs(got-w*top) > tolerance {
					return fmt.Errorf("at %d, %d channel %d: %v, want %v", x, y, c, got, w*top)
				}
			}
		}
	}
	return nil
}

func layouts() (all []spec) {
	for _, planar := range []bool{false, true} {
		for _, tiled := range []bool{false, true} {
			for _, bigEndian := range []bool{false, true} {
				for _, rows := range []int{0, 7} {
					if tiled && rows > 0 {
						continue
					}
					all = append(all, spec{
						width: 75, height: 41, planar: planar, tiled: tiled, bigEndian: bigEndian, rows: rows, big: rows == 7 != planar,
					})
				}
			}
		}
	}
	return all
}

func TestEveryLayoutAndCompression(t *testing.T) {
	n := 0
	for _, s := range layouts() {
		for _, kind := range []struct {
			photometric photometric
			samples     int
			extra       []int
		}{
			{minIsBlack, 1, nil}, {minIsWhite, 1, nil}, {minIsBlack, 2, []int{2}}, {minIsBlack, 2, []int{0}}, {minIsWhite, 2, []int{1}},
			{rgb, 3, nil}, {rgb, 4, []int{2}}, {rgb, 4, []int{1}}, {rgb, 4, []int{0}}, {rgb, 4, nil}, {rgb, 5, []int{2, 0}},
			{separated, 4, nil}, {separated, 5, []int{2}},
		} {
			s.photometric, s.samples, s.extra = kind.photometric, kind.samples, kind.extra
			for _, s.bits = range []int{1, 2, 4, 6, 8, 12, 14, 16, 24, 32, 64} {
				for _, c := range []compression{noCompression, packBits, lzw, deflate, zstdCompression} {
					if n++; n%7 != 0 { // not all of all
						continue
					}
					s.compression, s.predictor, s.reversed = c, 0, n%3 == 0
					if c.predicts() && n%2 == 0 && s.bits >= 8 && s.bits&(s.bits-1) == 0 {
						s.predictor = 2
					}
					sample := scene(s.bits, uint64(n))
					data := s.encode(sample)
					most := math.Pow(2, float64(s.bits)) - 1
					if err := s.check(data, sample, func(v uint64) float64 { return float64(v) / most }); err != nil {
						t.Fatalf("%v: %v", s, err)
					}
				}
			}
		}
	}
}

func TestFaxOfEveryKind(t *testing.T) {
	for _, f := range []struct {
		compression compression
		t4          int
	}{{faxRLE, 0}, {faxRLEW, 0}, {faxT4, 0}, {faxT4, 4}, {faxT4, 1}, {faxT4, 5}, {faxT4, 8}, {faxT6, 0}} {
		for _, photometric := range []photometric{minIsWhite, minIsBlack} {
			for _, reversed := range []bool{false, true} {
				for _, width := range []int{1, 31, 75, 2700} {
					for _, rows := range []int{0, 9} {
						s := spec{
							width: width, height: 41, bits: 1, samples: 1, photometric: photometric, compression: f.compression,
							t4: f.t4, reversed: reversed, rows: rows,
						}
						noise := scene(1, uint64(width))
						sample := func(x, y, k int) uint64 {
							switch {
							case y%10 == 3:
								return 0
							case y%10 == 4:
								return 1
							case x > 80: // long runs, of which the rows differ a little
								return uint64((x + y%3) / 700 & 1)
							}
							return noise(x, y, k)
						}
						if err := s.check(s.encode(sample), sample, func(v uint64) float64 { return float64(v) }); err != nil {
							t.Fatalf("%v: %v", s, err)
						}
					}
				}
			}
		}
	}
}

func TestFloatingPoint(t *testing.T) {
	for _, bits := range []int{16, 24, 32, 64} {
		for _, predictor := range []int{0, 3} {
			for _, bigEndian := range []bool{false, true} {
				s := spec{
					width: 75, height: 41, bits: bits, samples: 3, photometric: rgb, compression: deflate, format: floating,
					predictor: predictor, bigEndian: bigEndian,
				}
				value := func(x, y, k int) float64 { return float64((x*7+y*3+k*11)%250) / 249 }
				encode := func(v float64) uint64 {
					switch bits {
					case 32:
						return uint64(math.Float32bits(float32(v)))
					case 64:
						return math.Float64bits(v)
					}
					expBits, fracBits := 5, 10
					if bits == 24 {
						expBits, fracBits = 7, 16
					}
					if v == 0 {
						return 0
					}
					fraction, exponent := math.Frexp(v) // 0.5 to 1
					return uint64(exponent-1+1<<(expBits-1)-1)<<fracBits | uint64((fraction*2-1)*float64(int(1)<<fracBits))
				}
				sample := func(x, y, k int) uint64 { return encode(value(x, y, k)) }
				tolerance := 1.5
				if bits == 16 {
					tolerance = 40
				}
				_, rows, err := readAll(s.encode(sample), raster.Options{})
				if err != nil {
					t.Fatalf("%v: %v", s, err)
				}
				for y, row := range rows {
					for i := range s.width * 3 {
						got, want := float64(binary.BigEndian.Uint16(row[2*i:])), 65535*value(i/3, y, i%3)
						if math.Abs(got-want) > tolerance {
							t.Fatalf("%v: at %d, %d: %v, want %v", s, i/3, y, got, want)
						}
					}
				}
			}
		}
	}
	for v, want := range map[uint16]float64{0x3c00: 1, 0x0001: math.Ldexp(1, -24), 0x7bff: 65504, 0xbc00: -1, 0x7c00: math.Inf(1)} {
		if got := half(v); got != want {
			t.Errorf("half %04x: %v, want %v", v, got, want)
		}
	}
	if !math.IsNaN(half(0x7c01)) {
		t.Error("half 7c01 is a number")
	}
}

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
			s := spec{width: 75, height: 41, bits: bits, samples: 1, photometric: paletted, compression: lzw, more: map[uint16][]uint32{tagColorMap: colors}}
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
	}{{[3]int{255, 0, 0}, [3]int{255, 255, 255}}, {[3]int{0, 0, 0}, [3]int{0, 0, 0}}, {[3]int{137, 0, 0}, [3]int{128, 128, 128}},
		{[3]int{138, 80, 70}, [3]int{255, 0, 0}}, {[3]int{224, -79, 80}, [3]int{0, 255, 0}}, {[3]int{76, 68, -112}, [3]int{0, 0, 255}}} {
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

func TestPages(t *testing.T) {
	s := spec{width: 9, height: 5, bits: 8, samples: 1, photometric: minIsBlack, compression: noCompression, next: true, more: map[uint16][]uint32{tagOrientation: {6}}}
	data := s.encode(scene(8, 1))
	h, err := ReadHeader(data, 1)
	if err != nil || h.Pages != 2 || h.Orientation != 6 || h.Width != 9 || h.Height != 5 || !h.Gray {
		t.Fatalf("%+v, %v", h, err)
	}
	if _, _, err := readAll(data, raster.Options{Page: 1}); err != nil {
		t.Error(err)
	}
	if _, err := Open(data, raster.Options{Page: 2}); !errors.As(err, new(*raster.UnsupportedError)) {
		t.Errorf("a third page: %v", err)
	}
}

func TestWhatIsNotReadIsNamed(t *testing.T) {
	plain := spec{width: 9, height: 5, bits: 8, samples: 1, photometric: minIsBlack, compression: noCompression}
	for want, change := range map[string]func(*spec){
		"compression 34661 (JBIG)":      func(s *spec) { s.compression = 34661 },
		"compression 50001 (WebP)":      func(s *spec) { s.compression = 50001 },
		"compression 34712 (JPEG 2000)": func(s *spec) { s.compression = 34712 },
		"compression 7777":              func(s *spec) { s.compression = 7777 },
		"old-style JPEG data in pieces": func(s *spec) { s.compression = oldJPEG },
		"photometric interpretation 77": func(s *spec) { s.photometric = 77 },
		"a camera's raw data":           func(s *spec) { s.photometric = cfa },
		"of which this page is":         func(s *spec) { s.more = map[uint16][]uint32{tagDNGVersion: {1, 4, 0, 0}} },
		"LogLuv":                        func(s *spec) { s.photometric = logLuv },
		"17 bits a sample":              func(s *spec) { s.more = map[uint16][]uint32{tagBits: {17}} },
		"signed samples":                func(s *spec) { s.format = signed },
		"complex samples":               func(s *spec) { s.format = 5 },
		"inks that are not CMYK":        func(s *spec) { s.photometric, s.more = separated, map[uint16][]uint32{tagInkSet: {2}} },
		"samples of 8 and of 16 bits":   func(s *spec) { s.samples, s.more = 2, map[uint16][]uint32{tagBits: {8, 16}} },
		"predictor 7":                   func(s *spec) { s.compression, s.predictor = lzw, 7 },
		"JPEG data of 16 bits":          func(s *spec) { s.compression, s.bits = jpegCompression, 16 },
	} {
		s := plain
		change(&s)
		_, err := Open(s.encode(scene(8, 1)), raster.Options{})
		var unsupported *raster.UnsupportedError
		if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an UnsupportedError that names %q", err, want)
		}
	}
}

func TestDamage(t *testing.T) {
	for _, c := range []compression{noCompression, packBits, lzw, deflate, zstdCompression, faxT4, faxT6} {
		s := spec{width: 75, height: 60, bits: 8, samples: 1, photometric: minIsBlack, compression: c, rows: 10}
		if c.fax() {
			s.bits = 1
		}
		data := s.encode(scene(s.bits, 1))
		_, want, err := readAll(data, raster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		first := int(binary.LittleEndian.Uint32(data[4:])) // the directory lies behind the strips
		for cut := 8; cut < first; cut += 13 {
			p := bytes.Clone(data)
			for i := cut; i < first; i++ {
				p[i] = 0xa5 // damage
			}
			r, rows, err := readAll(p, raster.Options{AcceptTruncated: true})
			if err != nil && !errors.As(err, new(*raster.CorruptError)) && !errors.As(err, new(*raster.TruncatedError)) {
				t.Fatalf("%v, damaged from %d of %d: %v", c, cut, first, err)
			}
			if err == nil && len(rows) != s.height {
				t.Fatalf("%v: %d rows", c, len(rows))
			}
			if c == noCompression && r != nil && !bytes.Equal(rows[0], want[0]) && cut > 100 {
				t.Fatalf("%v: the first row is wrong", c)
			}
		}
		for cut := range 60 {
			if _, _, err := readAll(data[:first+cut], raster.Options{}); !errors.As(err, new(*raster.TruncatedError)) {
				t.Fatalf("%v, cut at %d of %d: %v", c, first+cut, len(data), err)
			}
		}
	}
	s := spec{width: 70000, height: 70000, bits: 8, samples: 3, photometric: rgb, compression: deflate}
	small := s
	small.width, small.height = 10, 10
	small.more = map[uint16][]uint32{tagWidth: {70000}, tagHeight: {70000}}
	if _, err := Open(small.encode(scene(8, 1)), raster.Options{}); !errors.As(err, new(*raster.TooLargeError)) {
		t.Errorf("70000×70000 pixels: %v", err)
	}
}

func BenchmarkRead(b *testing.B) {
	data, err := os.ReadFile(os.Getenv("TIFF"))
	if err != nil {
		b.Skip("TIFF names no file")
	}
	var row []byte
	for b.Loop() {
		r, err := Open(data, raster.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if row == nil {
			row = make([]byte, raster.RowSize(r))
			b.SetBytes(int64(len(row) * r.height))
		}
		for err == nil {
			err = r.ReadRow(row)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
}

// FuzzRead reads what is no proper file: it must come to an end, in rows or in an error of the known kinds.
func FuzzRead(f *testing.F) {
	for i, s := range layouts() {
		s.width, s.height = 11, 9
		for j, c := range []compression{noCompression, packBits, lzw, deflate, zstdCompression, faxRLE, faxT4, faxT6} {
			s.compression, s.bits, s.samples, s.photometric = c, []int{8, 16, 4, 12, 32}[(i+j)%5], 1+2*(j&1), minIsBlack
			if s.samples == 3 {
				s.photometric = []photometric{rgb, ycbcr, cieLab}[i%3]
			}
			if c.fax() {
				s.bits, s.samples, s.photometric, s.planar, s.t4 = 1, 1, minIsWhite, false, i&5
			}
			f.Add(s.encode(scene(s.bits, uint64(i))))
		}
	}
	f.Add(coded(f, spec{samples: 1, photometric: minIsBlack, rows: 16}, image.NewGray(image.Rect(0, 0, 20, 20))))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, opt := range []raster.Options{{MaxPixels: 1 << 16}, {MaxPixels: 1 << 16, AcceptTruncated: true, Page: 1}} {
			r, rows, err := readAll(data, opt)
			if err == nil {
				if _, height := r.Size(); len(rows) != height {
					t.Fatalf("%d rows of %d", len(rows), height)
				}
				continue
			}
			if !errors.As(err, new(*raster.UnsupportedError)) && !errors.As(err, new(*raster.TruncatedError)) &&
				!errors.As(err, new(*raster.CorruptError)) && !errors.As(err, new(*raster.TooLargeError)) {
				t.Fatalf("%v is of no known kind", err)
			}
		}
	})
}
