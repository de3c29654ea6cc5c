package png

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

func sample() ([]byte, *rand.Rand) {
	rng := rand.New(rand.NewPCG(5, 6))
	return picture{width: 60, height: 50, depth: 8, color: rgb}.encode(rng), rng
}

func TestAFileThatEndsEarly(t *testing.T) {
	for _, interlaced := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(5, 6))
		file := picture{width: 60, height: 50, depth: 8, color: rgb, interlaced: interlaced}.encode(rng)
		_, want, err := readAll(file, raster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		const end = 12 + 4 // IEND, and the CRC of the last IDAT
		for cut := range len(file) - end - 1 {
			_, rows, err := readAll(file[:cut], raster.Options{})
			var truncated *raster.TruncatedError
			if cut > 0 && !errors.As(err, &truncated) {
				t.Fatalf("cut at %d of %d: %v, want a TruncatedError", cut, len(file), err)
			}
			for y, row := range rows {
				if !bytes.Equal(row, want[y]) {
					t.Fatalf("cut at %d of %d: row %d is wrong", cut, len(file), y)
				}
			}
			r, rows, err := readAll(file[:cut], raster.Options{AcceptTruncated: true})
			if err != nil {
				if !errors.As(err, &truncated) && cut > 0 || cut > 200 {
					t.Fatalf("cut at %d of %d, accepted: %v", cut, len(file), err)
				}
				continue
			}
			for _, accept := range []bool{false, true} {
				if cut%9 > 0 {
					break
				}
				if err := compareParts(file[:cut], raster.Options{AcceptTruncated: accept}); err != nil {
					t.Fatalf("cut at %d of %d, accepted: %v, in parts: %v", cut, len(file), accept, err)
				}
			}
			if len(rows) != 50 || len(r.Warnings()) == 0 {
				t.Fatalf("cut at %d of %d, accepted: %d rows, warnings %q", cut, len(file), len(rows), r.Warnings())
			}
		}
		if _, _, err := readAll(file[:len(file)-12], raster.Options{}); err != nil {
			t.Errorf("without IEND: %v", err)
		}
	}
}

func TestDamage(t *testing.T) {
	file, _ := sample()
	at := func(kind string) int { return bytes.Index(file, []byte(kind)) }
	with := func(i int, v byte) []byte {
		p := bytes.Clone(file)
		p[i] ^= v
		return p
	}
	afterIHDR := at("IHDR") + 4 + 13 + 4
	insert := func(chunks ...[]byte) []byte {
		p := bytes.Clone(file[:afterIHDR])
		for _, c := range chunks {
			p = append(p, c...)
		}
		return append(p, file[afterIHDR:]...)
	}
	raw := func(depth, color byte, data []byte) []byte {
		ihdr := []byte{0, 0, 0, 2, 0, 0, 0, 2, depth, color, 0, 0, 0}
		p := appendChunk([]byte(signature), "IHDR", ihdr)
		return appendChunk(appendChunk(p, "IDAT", deflated(data)), "IEND", nil)
	}
	for name, p := range map[string][]byte{
		"no signature":             with(1, 1),
		"a wrong CRC of IHDR":      with(at("IHDR")+4+13, 1),
		"a wrong CRC of IDAT":      with(at("IDAT")+4+2, 1),
		"depth 3":                  raw(3, 0, make([]byte, 100)),
		"colour 1":                 raw(8, 1, make([]byte, 100)),
		"a palette with 16 bits":   raw(16, 3, make([]byte, 100)),
		"no palette":               raw(8, 3, make([]byte, 100)),
		"filter 5":                 raw(8, 0, []byte{5, 0, 0, 0, 0, 0}),
		"a second IHDR":            insert(appendChunk(nil, "IHDR", make([]byte, 13))),
		"a chunk without end":      insert([]byte("\xff\xff\xff\xfftEXt")),
		"no IHDR":                  append([]byte(signature), appendChunk(nil, "IDAT", nil)...),
		"no pixels, by the header": append([]byte(signature), appendChunk(nil, "IHDR", make([]byte, 13))...),
		"pixels that are no zlib": append(bytes.Clone(file[:afterIHDR]),
			appendChunk(nil, "IDAT", []byte("no zlib stream"))...),
		"a wrong checksum of zlib": append(bytes.Clone(file[:afterIHDR]),
			appendChunk(nil, "IDAT", append(deflated(make([]byte, 50*181))[:20], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
				15, 16))...),
	} {
		_, _, err := readAll(p, raster.Options{AcceptTruncated: true})
		var corrupt *raster.CorruptError
		if !errors.As(err, &corrupt) {
			t.Errorf("%s: %v, want a CorruptError", name, err)
		}
	}
	for name, p := range map[string][]byte{
		"Apple's variant":           append([]byte(signature), appendChunk(nil, "CgBI", nil)...),
		"an unknown critical chunk": insert(appendChunk(nil, "FOOB", nil)),
	} {
		_, _, err := readAll(p, raster.Options{})
		var unsupported *raster.UnsupportedError
		if !errors.As(err, &unsupported) {
			t.Errorf("%s: %v, want an UnsupportedError", name, err)
		}
	}
	broken := appendChunk(nil, "iCCP", []byte("a profile"))
	broken[len(broken)-1] ^= 1
	for name, p := range map[string][]byte{
		"a wrong CRC of iCCP":    insert(broken),
		"tRNS that does not fit": insert(appendChunk(nil, "tRNS", []byte{1})),
	} {
		r, rows, err := readAll(p, raster.Options{})
		if err != nil || len(rows) != 50 || len(r.Warnings()) != 1 {
			t.Errorf("%s: %d rows, %v; want all and a warning", name, len(rows), err)
		}
	}
	if _, err := Open(file, raster.Options{MaxPixels: 2999}); !errors.As(err, new(*raster.TooLargeError)) {
		t.Errorf("3000 pixels of 2999: %v", err)
	}
	huge := bytes.Clone(file)
	copy(huge[16:], "\x00\x00\x3a\x98\x00\x00\x3a\x98")
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	if _, err := Open(huge, raster.Options{}); !errors.As(err, new(*raster.TruncatedError)) ||
		!strings.Contains(err.Error(), "cannot hold") {
		t.Errorf("15000×15000 pixels in %d bytes: %v", len(huge), err)
	}
}
