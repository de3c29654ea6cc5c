package jpeg

import "fmt"

// EncodeOptions tell how to encode.
type EncodeOptions struct {
	// Quality is 1 to 100: the tables of T.81 annex K are scaled by it as by libjpeg.
	Quality int
	// Trellis chooses the values of coefficients by the bits that they cost and by how much the error shows, with a
	// quantization table made for that. At the same quality a picture looks about as good and is smaller.
	Trellis bool
	// Progressive makes a progressive JPEG, of the scans that take the fewest bytes.
	Progressive bool
}

// Encoder encodes images one after the other and keeps its memory between them. The zero value is ready. It is not safe
// for use by several goroutines at once.
type Encoder struct {
	components []encoded
	perRow     int // MCUs
	symbols    []symbol
	counts     [4][256]uint32 // of symbols: DC and AC of luma, DC and AC of colour
	most       int            // symbols to keep before the tables are made, for tests; 0 means mostKept
	parts      []scanPart     // of a progressive file, for tests; nil means those that take the fewest bytes
	out        []byte
	writer     scanWriter
}

// mostKept is how many symbols are kept until Huffman tables are made of their counts, 64 MiB of them: those of 100
// megapixels as a rule, of 10 where these are noise. The rest of a larger picture is written with the same tables.
const mostKept = 16 << 20

// encoded is a component while it is encoded.
type encoded struct {
	*Plane
	div     *divisors
	tables  symbol // where its Huffman tables are, in a symbol's bits
	last    int    // the DC coefficient of the block before
	perRow  int    // MCUs
	across  int    // blocks in a row of blocks, those of whole MCUs
	blocks  []int16
	nonzero []uint64

	// What encodeWhole keeps: the coefficients of all rows of MCUs, and of one row those that are to be chosen from.
	whole        []int16
	wholeNonzero []uint64
	raw          []int16 // in halves, not divided by the quantization table
	rawNonzero   []uint64
	lambdas      []int64 // of each block
}

// Encode encodes planes of one image as a JPEG with Huffman tables of its own. There is one plane, gray, or
// there are three, Y, Cb and Cr: H and V of the first are 1 or 2, those of the others 1. The error is about the
// arguments. The result is the caller's.
func (e *Encoder) Encode(planes []Plane, opt EncodeOptions) ([]byte, error) {
	if err := checkPlanes(planes, opt); err != nil {
		return nil, err
	}
	if opt.Trellis || opt.Progressive {
		return e.encodeWhole(planes, opt), nil
	}
	quant := tablesOf(opt)
	e.begin(planes, quant)
	rows := ceilDiv(planes[0].Height, 8*planes[0].V)
	tables := false
	for my := range rows {
		for i := range e.components {
			c := &e.components[i]
			c.transform(my, c.blocks, c.nonzero, c.div)
		}
		e.row()
		if last := my == rows-1; last || tables || len(e.symbols) >= e.most {
			if !tables {
				e.tables(planes, quant, last)
				tables = true
			}
			e.out = e.writer.write(e.out, e.symbols, last)
			e.symbols = e.symbols[:0]
		}
	}
	out := append(e.out, 0xff, 0xd9)
	e.out = nil
	return out, nil
}

// tables makes the Huffman tables and begins the file. Tables that are made before the last symbol is counted have
// codes for all.
func (e *Encoder) tables(planes []Plane, quant [2]*[64]uint8, complete bool) {
	var specs [4]*huffSpec
	for i := range specs {
		if !complete {
			for s := range e.counts[i] {
				if size := s & 15; i&1 == 0 && s < 12 || i&1 == 1 && (size > 0 && size < 11 || s == 0 || s == 0xf0) {
					e.counts[i][s]++
				}
			}
		}
		specs[i] = optimalSpec(&e.counts[i])
	}
	e.out = e.header(planes, quant, &specs)
	e.writer.begin(&specs, false)
}

func checkPlanes(planes []Plane, opt EncodeOptions) error {
	if opt.Quality < 1 || opt.Quality > 100 {
		return fmt.Errorf("jpeg: Quality is %d: it must be 1 to 100", opt.Quality)
	}
	if len(planes) != 1 && len(planes) != 3 {
		return fmt.Errorf("jpeg: %d planes: there must be 1 or 3", len(planes))
	}
	first := &planes[0]
	if first.H < 1 || first.H > 2 || first.V < 1 || first.V > 2 || len(planes) == 1 && first.H*first.V > 1 {
		return fmt.Errorf("jpeg: sampling factors of %d×%d", first.H, first.V)
	}
	for i := range planes {
		p := &planes[i]
		w, h := first.Width, first.Height
		if i > 0 {
			w, h = ceilDiv(w, first.H), ceilDiv(h, first.V)
		}
		if i > 0 && (p.H != 1 || p.V != 1) || p.Width != w || p.Height != h ||
			w < 1 || h < 1 || w > 65535 || h > 65535 {
			return fmt.Errorf("jpeg: plane %d has %d×%d samples", i, p.Width, p.Height)
		}
		if p.Stride < w || len(p.Pix) < (h-1)*p.Stride+w {
			return fmt.Errorf("jpeg: plane %d has %d bytes and a stride of %d, too few", i, len(p.Pix), p.Stride)
		}
	}
	return nil
}

// begin lays out memory for a row of MCUs.
func (e *Encoder) begin(planes []Plane, quant [2]*[64]uint8) {
	e.perRow = ceilDiv(planes[0].Width, 8*planes[0].H)
	for len(e.components) < len(planes) {
		e.components = append(e.components, encoded{})
	}
	e.components = e.components[:len(planes)]
	e.symbols, e.counts = e.symbols[:0], [4][256]uint32{}
	if e.most == 0 {
		e.most = mostKept
	}
	divs := [2]*divisors{newDivisors(quant[0]), newDivisors(quant[1])}
	for i := range planes {
		c, second := &e.components[i], min(i, 1)
		c.Plane, c.div, c.tables, c.last = &planes[i], divs[second], symbol(second)<<25, 0
		c.perRow = e.perRow
		c.across = (e.perRow*c.H + 1) &^ 1 // an even number: two blocks are transformed at once
		if n := c.across * c.V; len(c.nonzero) < n {
			c.blocks, c.nonzero = make([]int16, 64*n), make([]uint64, n)
		}
	}
}

// transform transforms the blocks of a row of MCUs and divides their coefficients.
func (c *encoded) transform(my int, blocks []int16, nonzero []uint64, by *divisors) {
	var edge [8 * 16]byte
	for v := range c.V {
		top := 8 * (my*c.V + v)
		for bx := 0; bx < c.across; bx += 2 {
			at := v*c.across + bx
			src, stride := edge[:], 16
			if left := 8 * bx; left+16 <= c.Width && top+8 <= c.Height {
				src, stride = c.Pix[top*c.Stride+left:], c.Stride
			} else {
				c.copyEdge(&edge, left, top)
			}
			forward((*[128]int16)(blocks[64*at:]), (*[2]uint64)(nonzero[at:]), src, stride, by)
		}
	}
}

// copyEdge copies two blocks that stick out of the plane, whose last column and row go on there.
func (c *encoded) copyEdge(edge *[8 * 16]byte, left, top int) {
	for y := range 8 {
		row := c.Pix[min(top+y, c.Height-1)*c.Stride:][:c.Width]
		to := edge[16*y:][:16]
		n := 0
		if left < c.Width {
			n = copy(to, row[left:])
		}
		for ; n < 16; n++ {
			to[n] = row[c.Width-1]
		}
	}
}

// header returns all that comes before the data of the scan.
func (e *Encoder) header(planes []Plane, quant [2]*[64]uint8, specs *[4]*huffSpec) []byte {
	out := e.frameHeader(planes, quant, 0xc0)
	for t, s := range specs[:2*min(len(planes), 2)] {
		out = appendTable(out, s, t&1, t>>1)
	}
	out = append(out, 0xff, 0xda, 0, byte(6+2*len(planes)), byte(len(planes)))
	for i := range planes {
		out = append(out, byte(i+1), byte(min(i, 1)*0x11))
	}
	return append(out, 0, 63, 0)
}

// frameHeader returns what comes before the first scan, but for its Huffman tables.
func (e *Encoder) frameHeader(planes []Plane, quant [2]*[64]uint8, marker byte) []byte {
	const begin = "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
	out := append(make([]byte, 0, 1024+len(e.symbols)), begin...)
	for t := range min(len(planes), 2) {
		out = append(out, 0xff, 0xdb, 0, 67, byte(t))
		for _, natural := range zigzag {
			out = append(out, quant[t][natural])
		}
	}
	w, h := planes[0].Width, planes[0].Height
	out = append(out, 0xff, marker, 0, byte(8+3*len(planes)), 8, byte(h>>8), byte(h), byte(w>>8), byte(w),
		byte(len(planes)))
	for i := range planes {
		out = append(out, byte(i+1), byte(planes[i].H<<4|planes[i].V), byte(min(i, 1)))
	}
	return out
}

// appendTable appends a Huffman table of a class, 0 for DC and 1 for AC, to be kept at a destination.
func appendTable(out []byte, s *huffSpec, class, destination int) []byte {
	out = append(out, 0xff, 0xc4, 0, byte(19+len(s.symbols)), byte(class<<4|destination))
	return append(append(out, s.count[1:]...), s.symbols...)
}

// quantTable returns a table for a quality, in natural order.
func quantTable(base *[64]uint8, quality int) *[64]uint8 {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	t := new([64]uint8)
	for i, v := range base {
		t[i] = uint8(min(max((int(v)*scale+50)/100, 1), 255))
	}
	return t
}

// The tables of T.81 annex K.1, in natural order.
var (
	lumaQuant = [64]uint8{
		16, 11, 10, 16, 24, 40, 51, 61,
		12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56,
		14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77,
		24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101,
		72, 92, 95, 98, 112, 100, 103, 99,
	}
	colorQuant = lowFrequencies([4][4]uint8{
		{17, 18, 24, 47},
		{18, 21, 26, 66},
		{24, 26, 56, 99},
		{47, 66, 99, 99},
	}, 99)
)

// lowFrequencies returns a table in natural order whose values beyond the lowest frequencies are all the same.
func lowFrequencies(low [4][4]uint8, others uint8) (t [64]uint8) {
	fill(t[:], others)
	for y, row := range low {
		copy(t[8*y:], row[:])
	}
	return t
}
