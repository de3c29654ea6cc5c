package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
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
		if err := r.ReadRow(row); errors.Is(err, io.EOF) {
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
			{minIsBlack, 1, nil}, {minIsWhite, 1, nil}, {minIsBlack, 2, []int{2}}, {minIsBlack, 2, []int{0}},
			{minIsWhite, 2, []int{1}},
			{rgb, 3, nil}, {rgb, 4, []int{2}}, {rgb, 4, []int{1}}, {rgb, 4, []int{0}}, {rgb, 4, nil}, {rgb, 5, []int{2, 0}},
			{separated, 4, nil}, {separated, 5, []int{2}},
		} {
			s.photometric, s.samples, s.extra = kind.photometric, kind.samples, kind.extra
			for _, s.bits = range []int{1, 2, 4, 6, 8, 12, 14, 16, 24, 32, 64} {
				for _, c := range []compression{noCompression, packBits, lzw, deflate, zstdCompression} {
					if n++; n%7 != 0 || s.tiled && s.samples*s.bits > 128 { // not all of all
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
	for v, want := range map[uint16]float64{0x3c00: 1, 0x0001: math.Ldexp(1, -24), 0x7bff: 65504, 0xbc00: -1,
		0x7c00: math.Inf(1)} {
		if got := half(v); got != want {
			t.Errorf("half %04x: %v, want %v", v, got, want)
		}
	}
	if !math.IsNaN(half(0x7c01)) {
		t.Error("half 7c01 is a number")
	}
}

func TestPages(t *testing.T) {
	s := spec{width: 9, height: 5, bits: 8, samples: 1, photometric: minIsBlack, compression: noCompression, next: true,
		more: map[uint16][]uint32{tagOrientation: {6}}}
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

func TestRowsAreReadWithoutAllocating(t *testing.T) {
	for _, s := range []spec{
		{bits: 8, samples: 3, photometric: rgb, planar: true}, {bits: 16, samples: 3, photometric: rgb, planar: true},
		{bits: 8, samples: 4, photometric: separated}, {bits: 8, samples: 1, photometric: minIsWhite},
	} {
		s.width, s.height, s.compression = 300, 150, noCompression
		r, err := Open(s.encode(scene(s.bits, 1)), raster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		row := make([]byte, raster.RowSize(r))
		if n := testing.AllocsPerRun(100, func() {
			if err := r.ReadRow(row); err != nil {
				t.Fatal(err)
			}
		}); n > 4 { // a row's own, and those of a strip that begins
			t.Errorf("%v: %v allocations a row", s, n)
		}
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
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
