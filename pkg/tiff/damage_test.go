package tiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

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
		"LogLuv":                        func(s *spec) { s.photometric = logLuv },
		"17 bits a sample":              func(s *spec) { s.more = map[uint16][]uint32{tagBits: {17}} },
		"tiles of 24 bytes a pixel": func(s *spec) {
			s.samples, s.photometric, s.tiled = 3, rgb, true
			s.more = map[uint16][]uint32{tagBits: {64, 64, 64}}
		},
		"60 samples of 32 bits": func(s *spec) { s.samples, s.more = 60, map[uint16][]uint32{tagBits: {32}} },
		"signed samples":        func(s *spec) { s.format = signed },
		"complex samples":       func(s *spec) { s.format = 5 },
		"inks that are not CMYK": func(s *spec) {
			s.photometric, s.more = separated,
				map[uint16][]uint32{tagInkSet: {2}}
		},
		"samples of 8 and of 16 bits": func(s *spec) { s.samples, s.more = 2, map[uint16][]uint32{tagBits: {8, 16}} },
		"predictor 7":                 func(s *spec) { s.compression, s.predictor = lzw, 7 },
		"JPEG data of 16 bits":        func(s *spec) { s.compression, s.bits = jpegCompression, 16 },
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
