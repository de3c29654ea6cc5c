package bmp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// spec is a BMP file that a test writes.
type spec struct {
	header, width, height, bits, compression int
	masks                                    []uint32
	colors                                   int // of the palette; 0: as many as there can be
	gap                                      int // bytes in front of the pixels
	noOffset, topDown                        bool
	pixels                                   []byte // instead of encoded samples
}

// value returns the bits of a pixel.
func (s spec) value(x, y int) uint32 {
	rng := rand.New(rand.NewPCG(uint64(x), uint64(y)))
	v := rng.Uint32()
	if s.bits < 32 {
		v &= 1<<s.bits - 1
	}
	if s.bits <= 8 && s.colors > 0 {
		v %= uint32(s.colors)
	}
	return v
}

func color(i int) [3]byte { return [3]byte{byte(i * 7), byte(i * 31), byte(255 - i)} }

func (s spec) encode() []byte {
	le := binary.LittleEndian
	height := uint32(s.height)
	if s.topDown {
		height = -height
	}
	p := le.AppendUint32(nil, uint32(s.header))
	if s.header == os2Header {
		p = le.AppendUint16(le.AppendUint16(p, uint16(s.width)), uint16(s.height))
		p = le.AppendUint16(le.AppendUint16(p, 1), uint16(s.bits))
	} else {
		p = le.AppendUint32(le.AppendUint32(p, uint32(s.width)), height)
		p = le.AppendUint16(le.AppendUint16(p, 1), uint16(s.bits))
		p = le.AppendUint32(p, uint32(s.compression))
		p = append(p, make([]byte, 12)...)
		p = append(le.AppendUint32(p, uint32(s.colors)), 0, 0, 0, 0)
		for _, m := range s.masks {
			p = le.AppendUint32(p, m)
		}
		for len(p) < s.header {
			p = append(p, 0)
		}
		if s.header < infoHeader {
			p = p[:s.header]
		}
	}
	if s.bits <= 8 {
		n := s.colors
		if n == 0 || s.header == os2Header {
			n = 1 << s.bits
		}
		for i := range n {
			c := color(i)
			if p = append(p, c[2], c[1], c[0]); s.header != os2Header {
				p = append(p, 0)
			}
		}
	}
	p = append(p, bytes.Repeat([]byte{0xcc}, s.gap)...)
	at := uint32(fileHeader + len(p))
	if s.noOffset {
		at = 0
	}
	head := le.AppendUint32(append(le.AppendUint32([]byte("BM"), 0), 0, 0, 0, 0), at)
	file := append(head, p...)
	if s.pixels != nil {
		return append(file, s.pixels...)
	}
	for i := range s.height {
		y := s.height - 1 - i
		if s.topDown {
			y = i
		}
		var row []byte
		acc, have := uint64(0), 0
		for x := range s.width {
			v := s.value(x, y)
			switch s.bits {
			case 16:
				row = le.AppendUint16(row, uint16(v))
			case 24:
				row = append(row, byte(v), byte(v>>8), byte(v>>16))
			case 32:
				row = le.AppendUint32(row, v)
			default:
				if acc, have = acc<<s.bits|uint64(v), have+s.bits; have == 8 {
					row, acc, have = append(row, byte(acc)), 0, 0
				}
			}
		}
		if have > 0 {
			row = append(row, byte(acc<<(8-have)))
		}
		for len(row)%4 != 0 {
			row = append(row, 0)
		}
		file = append(file, row...)
	}
	return file
}

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

// channel returns a channel of a value by its mask, of 0 to 255.
func channel(v, m uint32) byte {
	if m == 0 {
		return 0
	}
	for m&1 == 0 {
		v, m = v>>1, m>>1
	}
	return byte((uint64(v&m)*255*2 + uint64(m)) / (2 * uint64(m)))
}

func TestEveryKind(t *testing.T) {
	five, six, four := []uint32{0x7c00, 0x3e0, 0x1f}, []uint32{0xf800, 0x7e0, 0x1f}, []uint32{0xf00, 0xf0, 0xf, 0xf000}
	usual, odd := []uint32{0xff0000, 0xff00, 0xff}, []uint32{0xff, 0x3ff00, 0x3c0000}
	alpha := []uint32{0xff0000, 0xff00, 0xff, 0xff000000}
	for _, s := range []spec{
		{header: os2Header, bits: 1}, {header: os2Header, bits: 4}, {header: os2Header, bits: 8},
		{header: os2Header, bits: 24},
		{header: os2v2, bits: 8}, {header: 16, bits: 24}, {header: 20, bits: 4}, {header: os2v2, bits: 24},
		{header: infoHeader, bits: 1}, {header: infoHeader, bits: 2}, {header: infoHeader, bits: 4},
		{header: infoHeader, bits: 8},
		{header: infoHeader, bits: 8, colors: 77}, {header: infoHeader, bits: 16}, {header: infoHeader, bits: 24},
		{header: infoHeader, bits: 32},
		{header: infoHeader, bits: 16, compression: bitFields, masks: six},
		{header: infoHeader, bits: 16, compression: bitFields, masks: five},
		{header: infoHeader, bits: 32, compression: bitFields, masks: odd},
		{header: infoHeader, bits: 32, compression: alphaBits, masks: alpha},
		{header: 52, bits: 16, compression: bitFields, masks: six},
		{header: v3Header, bits: 16, compression: bitFields, masks: four},
		{header: 108, bits: 32, compression: bitFields, masks: alpha},
		{header: v5Header, bits: 32, compression: bitFields, masks: usual},
		{header: v5Header, bits: 32}, {header: 108, bits: 24}, {header: v5Header, bits: 8},
		{header: v5Header, bits: 32, masks: alpha},
	} {
		for _, s.width = range []int{1, 7, 33} {
			for _, s.gap = range []int{0, 22} {
				for _, s.topDown = range []bool{false, true} {
					if s.height = 5; s.topDown && s.header == os2Header {
						continue
					}
					if s.noOffset = s.gap == 0 && s.width == 7; s.noOffset && s.header == os2Header && s.colors > 0 {
						continue
					}
					r, rows, err := readAll(s.encode(), raster.Options{})
					if err != nil || len(rows) != s.height {
						t.Fatalf("%+v: %d rows, %v", s, len(rows), err)
					}
					masks := s.masks
					if s.compression == none {
						masks = map[int][]uint32{16: five, 24: usual, 32: usual}[s.bits]
						if len(s.masks) == 4 {
							masks = alpha
						}
					}
					if want := max(3, len(masks)); r.Channels() != want {
						t.Fatalf("%+v: %d channels, want %d", s, r.Channels(), want)
					}
					for y, row := range rows {
						for x := range s.width {
							v := s.value(x, y)
							c := color(int(v))
							want := c[:]
							if s.bits > 8 {
								want = nil
								for _, m := range masks {
									want = append(want, channel(v, m))
								}
							}
							got := row[x*len(want):][:len(want)]
							for i := range want {
								if d := int(got[i]) - int(want[i]); d < -1 || d > 1 {
									t.Fatalf("%+v: at %d, %d: %v, want %v", s, x, y, got, want)
								}
							}
						}
					}
				}
			}
		}
	}
}

func TestAlphaThatIsZeroEverywhereIsNone(t *testing.T) {
	s := spec{header: v5Header, width: 3, height: 2, bits: 32, compression: bitFields,
		masks: []uint32{0xff0000, 0xff00, 0xff, 0xff000000}}
	s.pixels = bytes.Repeat([]byte{1, 2, 3, 0}, 6)
	r, rows, err := readAll(s.encode(), raster.Options{})
	if err != nil || r.Channels() != 3 || len(r.Warnings()) != 1 || !bytes.Equal(rows[0][:3], []byte{3, 2, 1}) {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestRunLengths(t *testing.T) {
	// Five pixels and three rows, from below: a run and an end of row; a delta over a row; pixels as they are.
	eight := []byte{5, 1, 0, 0, 1, 2, 0, 2, 2, 1, 2, 3, 0, 0}
	four := []byte{5, 0x12, 0, 0, 1, 0x20, 0, 2, 2, 1, 2, 0x33, 0, 0}
	literal := []byte{0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0, 3, 6, 7, 8, 0, 0, 0, 5, 9, 0, 1}
	literal4 := []byte{0, 5, 0x12, 0x34, 0x50, 0, 0, 0, 0, 3, 0x67, 0x80, 0, 0, 5, 0x99, 0, 1}
	for _, c := range []struct {
		compression, bits int
		pixels            []byte
		want              [3]string // colours of the rows from the top
	}{
		{rle8, 8, eight, [3]string{"00033", "20000", "11111"}}, {rle4, 4, four, [3]string{"00033", "20000", "12121"}},
		{rle8, 8, literal, [3]string{"99999", "67800", "12345"}}, {rle4, 4, literal4, [3]string{"99999", "67800", "12345"}},
		{rle8, 8, []byte{9, 1, 0, 0, 0, 1}, [3]string{"00000", "00000", "11111"}}, // beyond the row, and an early end
	} {
		s := spec{header: infoHeader, width: 5, height: 3, bits: c.bits, compression: c.compression, pixels: c.pixels}
		s.want(t, c.want)
	}
	s := spec{header: infoHeader, width: 5, height: 3, bits: 8, compression: rle8, pixels: literal[:10]}
	if _, _, err := readAll(s.encode(), raster.Options{}); !errors.As(err, new(*raster.TruncatedError)) {
		t.Errorf("cut: %v", err)
	}
	if _, rows, err := readAll(s.encode(), raster.Options{AcceptTruncated: true}); err != nil || len(rows) != 3 {
		t.Errorf("cut and accepted: %v", err)
	}
}

func (s spec) want(t *testing.T, want [3]string) {
	t.Helper()
	_, rows, err := readAll(s.encode(), raster.Options{})
	if err != nil {
		t.Errorf("%x: %v", s.pixels, err)
		return
	}
	for y, row := range rows {
		for x := range s.width {
			if c := color(int(want[y][x] - '0')); [3]byte(row[3*x:]) != c {
				t.Errorf("%x: at %d, %d: %v, want %v", s.pixels, x, y, row[3*x:][:3], c)
			}
		}
	}
}

func TestWhatIsNotReadIsNamed(t *testing.T) {
	for want, s := range map[string]spec{
		"JPEG data":           {header: infoHeader, bits: 24, compression: jpeg},
		"PNG data":            {header: infoHeader, bits: 24, compression: png},
		"Huffman":             {header: os2v2, bits: 1, compression: bitFields},
		"run lengths of 24":   {header: os2v2, bits: 24, compression: jpeg},
		"CMYK":                {header: infoHeader, bits: 32, compression: 11},
		"3 bits":              {header: infoHeader, bits: 3},
		"compression 9 of 24": {header: infoHeader, bits: 24, compression: 9},
		"compression 1 of 24": {header: infoHeader, bits: 24, compression: rle8},
	} {
		s.width, s.height, s.pixels = 5, 5, make([]byte, 1000)
		_, err := Open(s.encode(), raster.Options{})
		if !errors.As(err, new(*raster.UnsupportedError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an UnsupportedError that names %q", err, want)
		}
	}
}

func TestAFileThatEndsEarly(t *testing.T) {
	for _, bits := range []int{8, 24} {
		s := spec{header: infoHeader, width: 6, height: 5, bits: bits}
		data := s.encode()
		_, whole, err := readAll(data, raster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		padding := 2 // of the last row: 8 and 20 bytes for 6 and 18
		for cut := 2; cut < len(data)-padding; cut++ {
			if _, _, err := readAll(data[:cut], raster.Options{}); !errors.As(err, new(*raster.TruncatedError)) {
				t.Fatalf("%d bits, cut at %d of %d: %v", bits, cut, len(data), err)
			}
		}
		if _, _, err := readAll(data[:len(data)-padding], raster.Options{}); err != nil {
			t.Errorf("%d bits, without padding at the end: %v", bits, err)
		}
		_, rows, err := readAll(data[:len(data)-30], raster.Options{AcceptTruncated: true})
		if err != nil || len(rows) != 5 || !bytes.Equal(rows[4], whole[4]) {
			t.Errorf("%d bits, accepted: %d rows, %v", bits, len(rows), err)
		}
	}
	big := spec{header: infoHeader, width: 1 << 30, height: 1 << 30, bits: 1, pixels: []byte{}}
	if _, err := Open(big.encode(), raster.Options{}); !errors.As(err, new(*raster.TooLargeError)) {
		t.Errorf("%v, want a TooLargeError", err)
	}
}

// FuzzRead reads what is no proper file: it must come to an end, in rows or in an error of the known kinds.
func FuzzRead(f *testing.F) {
	for _, s := range []spec{
		{header: os2Header, bits: 4}, {header: infoHeader, bits: 8, colors: 9},
		{header: infoHeader, bits: 16, compression: bitFields, masks: []uint32{0xf800, 0x7e0, 0x1f}},
		{header: v5Header, bits: 32}, {header: infoHeader, bits: 24, topDown: true}, {header: os2v2, bits: 1},
		{header: infoHeader, bits: 8, compression: rle8, pixels: []byte{5, 1, 0, 0, 1, 2, 0, 2, 2, 1, 2, 3, 0, 0}},
		{header: infoHeader, bits: 4, compression: rle4,
			pixels: []byte{0, 5, 0x12, 0x34, 0x50, 0, 0, 0, 0, 3, 0x67, 0x80, 0, 0, 5, 0x99, 0, 1}},
	} {
		s.width, s.height = 5, 4
		f.Add(s.encode())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, opt := range []raster.Options{{MaxPixels: 1 << 16}, {MaxPixels: 1 << 16, AcceptTruncated: true}} {
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
