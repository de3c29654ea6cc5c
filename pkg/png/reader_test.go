package png

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image/color"
	stdpng "image/png"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// picture is a PNG that a test writes.
type picture struct {
	width, height, depth, color int
	interlaced                  bool
	palette, trns               []byte
}

func (p picture) String() string {
	return fmt.Sprintf("%d×%d, colour %d, %d bits, interlaced %v, tRNS %x", p.width, p.height, p.color, p.depth,
		p.interlaced, p.trns)
}

func appendChunk(file []byte, kind string, data []byte) []byte {
	file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
	from := len(file)
	file = append(append(file, kind...), data...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[from:]))
}

func deflated(p []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(p)
	_ = z.Close()
	return b.Bytes()
}

// encode writes random samples, smooth enough that filters matter, each row with a filter of its own.
func (p picture) encode(rng *rand.Rand) []byte {
	h := header{width: p.width, height: p.height, depth: p.depth, color: p.color}
	var raw []byte
	steps := passes[:]
	if !p.interlaced {
		steps = []struct{ x, y, dx, dy int }{{0, 0, 1, 1}}
	}
	for _, s := range steps {
		if s.x >= p.width || s.y >= p.height {
			continue
		}
		size := h.rowBytes((p.width - s.x + s.dx - 1) / s.dx)
		for y := s.y; y < p.height; y += s.dy {
			raw = append(raw, byte(rng.IntN(5)))
			for range size {
				v := byte(rng.IntN(7)) - 3
				if p.color == paletted && len(p.palette) < 3<<p.depth || rng.IntN(20) == 0 {
					v = byte(rng.Uint32())
				}
				raw = append(raw, v)
			}
		}
	}
	ihdr := binary.BigEndian.AppendUint32(nil, uint32(p.width))
	ihdr = binary.BigEndian.AppendUint32(ihdr, uint32(p.height))
	ihdr = append(ihdr, byte(p.depth), byte(p.color), 0, 0, 0)
	if p.interlaced {
		ihdr[12] = 1
	}
	file := appendChunk([]byte(signature), "IHDR", ihdr)
	if p.palette != nil {
		file = appendChunk(file, "PLTE", p.palette)
	}
	if p.trns != nil {
		file = appendChunk(file, "tRNS", p.trns)
	}
	packed := deflated(raw)
	for len(packed) > 0 {
		n := min(len(packed), 1+rng.IntN(300))
		file = appendChunk(file, "IDAT", packed[:n])
		packed = packed[n:]
	}
	return appendChunk(file, "IEND", nil)
}

func pictures(rng *rand.Rand) (all []picture) {
	random := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		return p
	}
	for _, size := range [][2]int{{1, 1}, {2, 3}, {5, 4}, {7, 9}, {8, 8}, {33, 17}, {67, 41}, {301, 9}} {
		for _, interlaced := range []bool{false, true} {
			for color, depths := range map[int][]int{gray: {1, 2, 4, 8, 16}, rgb: {8, 16}, paletted: {1, 2, 4, 8},
				grayAlpha: {8, 16}, rgbAlpha: {8, 16}} {
				for _, depth := range depths {
					p := picture{width: size[0], height: size[1], depth: depth, color: color, interlaced: interlaced}
					switch color {
					case gray:
						all = append(all, p)
						p.trns = []byte{0, 1}
					case rgb:
						all = append(all, p)
						p.trns = []byte{0, 1, 0, 1, 0, 1}
					case paletted:
						p.palette = random(3 << depth)
						all = append(all, p)
						p.trns = random(1 << depth / 2)
						all = append(all, p)
						p.palette, p.trns = random(3), nil
					}
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// wide returns a sample of the reader's as one of 16 bits.
func wide(row []byte, depth, at int) uint16 {
	if depth == 8 {
		return uint16(row[at]) * 0x101
	}
	return binary.BigEndian.Uint16(row[2*at:])
}

func pixel(row []byte, channels, depth, x int) color.NRGBA64 {
	s := func(c int) uint16 { return wide(row, depth, x*channels+c) }
	switch channels {
	case 1:
		return color.NRGBA64{s(0), s(0), s(0), 0xffff}
	case 2:
		return color.NRGBA64{s(0), s(0), s(0), s(1)}
	case 3:
		return color.NRGBA64{s(0), s(1), s(2), 0xffff}
	}
	return color.NRGBA64{s(0), s(1), s(2), s(3)}
}

// readAll returns all rows of a file.
func readAll(file []byte, opt raster.Options) (*Reader, [][]byte, error) {
	r, err := Open(file, opt)
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

// compare reads a file with this package and with image/png, and returns the first difference.
func compare(file []byte) error {
	want, err := stdpng.Decode(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("image/png: %w", err)
	}
	r, rows, err := readAll(file, raster.Options{})
	if err != nil {
		return err
	}
	size := want.Bounds().Size()
	width, height := r.Size()
	if width != size.X || height != size.Y || len(rows) != height {
		return fmt.Errorf("%d×%d and %d rows of %v", width, height, len(rows), size)
	}
	for y, row := range rows {
		for x := range width {
			got := pixel(row, r.Channels(), r.Depth(), x)
			if want := straight(want.At(x, y)); got != want {
				return fmt.Errorf("at %d, %d: %v, want %v", x, y, got, want)
			}
		}
	}
	return nil
}

// straight converts without a detour by premultiplied colours, which loses bits.
func straight(c color.Color) color.NRGBA64 {
	if c, ok := c.(color.NRGBA); ok {
		return color.NRGBA64{uint16(c.R) * 0x101, uint16(c.G) * 0x101, uint16(c.B) * 0x101, uint16(c.A) * 0x101}
	}
	return color.NRGBA64Model.Convert(c).(color.NRGBA64)
}

func TestEveryKindOfPNG(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, p := range pictures(rng) {
		file := p.encode(rng)
		if err := compare(file); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		if err := compareNarrow(file); err != nil {
			t.Fatalf("%v, with 8 bits: %v", p, err)
		}
		for _, narrow := range []bool{false, true} {
			if err := compareParts(file, raster.Options{Narrow: narrow}); err != nil {
				t.Fatalf("%v, in parts: %v", p, err)
			}
		}
	}
}

// compareParts reads a file by rows and in parts, and returns the first difference.
func compareParts(file []byte, opt raster.Options) error {
	_, want, whyNot := readAll(file, opt)
	r, err := Open(file, opt)
	if err != nil {
		return err
	}
	var rows [][]byte
	for range r.height {
		rows = append(rows, make([]byte, raster.RowSize(r)))
	}
	size := raster.RowSize(r) / r.width
	pixels := 0
	err = r.ReadParts(func(p raster.Part) error {
		for x := p.X; len(p.Pixels) > 0; x += p.Step {
			copy(rows[p.Y][x*size:], p.Pixels[:size])
			p.Pixels = p.Pixels[size:]
			pixels++
		}
		return nil
	})
	switch {
	case whyNot != nil || err != nil:
		if fmt.Sprintf("%T", err) != fmt.Sprintf("%T", whyNot) {
			return fmt.Errorf("%w; by rows: %w", err, whyNot)
		}
		return nil
	case pixels != r.width*r.height:
		return fmt.Errorf("%d pixels", pixels)
	}
	for y, row := range want {
		if !bytes.Equal(rows[y], row) {
			return fmt.Errorf("row %d differs", y)
		}
	}
	return nil
}

// compareNarrow reads a file with Options.Narrow and without, and returns the first difference but for the depth.
func compareNarrow(file []byte) error {
	wide, want, err := readAll(file, raster.Options{})
	if err != nil {
		return err
	}
	r, rows, err := readAll(file, raster.Options{Narrow: true})
	if err != nil {
		return err
	}
	if narrow := wide.interlaced && wide.depth == 16 && !wide.keyed; narrow != (r.Depth() < wide.Depth()) {
		return fmt.Errorf("%d bits of %d", r.Depth(), wide.Depth())
	}
	for y, row := range want {
		if r.Depth() < wide.Depth() {
			raster.Narrow(row[:len(row)/2], row)
			row = row[:len(row)/2]
		}
		if !bytes.Equal(rows[y], row) {
			return fmt.Errorf("row %d differs", y)
		}
	}
	return nil
}

// PngSuite lies beside image/png.
func TestPngSuite(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("there is no go command")
	}
	suite := filepath.Join(strings.TrimSpace(string(root)), "src/image/png/testdata/pngsuite")
	files, err := filepath.Glob(filepath.Join(suite, "*.png"))
	if err != nil || len(files) < 20 {
		t.Skip("the Go installation has no PngSuite")
	}
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := compare(file); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}

func TestUnfilterEqualsThePlainOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, pixel := range []int{1, 2, 3, 4, 6, 8} {
		for n := pixel; n < 200; n += pixel {
			src, prev := make([]byte, n), make([]byte, n)
			for i := range n {
				src[i], prev[i] = byte(rng.Uint32()), byte(rng.Uint32())
			}
			for filter := range byte(5) {
				got, want := make([]byte, n), make([]byte, n)
				unfilter(filter, got, src, prev, pixel)
				plainUnfilter(filter, want, src, prev, pixel, 0)
				if !bytes.Equal(got, want) {
					t.Fatalf("filter %d, %d bytes a pixel, %d bytes: %x, want %x", filter, pixel, n, got, want)
				}
			}
		}
	}
}

func TestRowsAreReadWithoutAllocating(t *testing.T) {
	file := picture{width: 300, height: 400, depth: 8, color: rgb}.encode(rand.New(rand.NewPCG(7, 8)))
	r, err := Open(file, raster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	row := make([]byte, raster.RowSize(r))
	if n := testing.AllocsPerRun(200, func() {
		if err := r.ReadRow(row); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func BenchmarkRead(b *testing.B) {
	name := os.Getenv("PNG")
	file, err := os.ReadFile(name)
	if err != nil {
		b.Skip("PNG names no file")
	}
	var row []byte
	for b.Loop() {
		r, err := Open(file, raster.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if row == nil {
			row = make([]byte, raster.RowSize(r))
			_, height := r.Size()
			b.SetBytes(int64(len(row) * height))
		}
		for err == nil {
			err = r.ReadRow(row)
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}

// FuzzRead compares with image/png, which accepts less: where both read a file, the pixels are the same.
func FuzzRead(f *testing.F) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, p := range pictures(rng) {
		if p.width < 40 {
			f.Add(p.encode(rng))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		opt := raster.Options{MaxPixels: 1 << 16}
		_, _, err := readAll(file, opt)
		for _, narrow := range []bool{false, true} {
			r, rows, err := readAll(file, raster.Options{MaxPixels: 1 << 16, AcceptTruncated: true, Narrow: narrow})
			if err != nil {
				continue
			}
			if _, height := r.Size(); len(rows) != height {
				t.Fatalf("%d rows of %d", len(rows), height)
			}
		}
		if err != nil {
			return
		}
		if err := compare(file); err != nil && !strings.HasPrefix(err.Error(), "image/png") {
			t.Fatal(err)
		}
	})
}
