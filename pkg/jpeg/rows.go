package jpeg

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// RowOptions tell how Rows reads.
type RowOptions struct {
	// AcceptTruncated fills what is missing of a file that was cut short with mid-gray, instead of returning an error.
	AcceptTruncated bool

	// Inks converts pixels of CMYK, 4 bytes each of which 255 is full ink, to red, green, blue and 255. It is needed
	// for images of four components.
	Inks func(dst, src []byte)
}

// Rows gives an image of 8 or 12 bits a sample row by row, as gray or as red, green and blue. It is slower than a
// Decoder by far, and as exact as floating point is: colour of half the resolution is interpolated, and nothing is
// rounded before the last step. It holds the coefficients of the whole image, two bytes a sample. Rows is not safe for
// use by several goroutines at once.
type Rows struct {
	parser   *parser
	listed   error
	opt      RowOptions
	parts    []*rowPart
	y        int // next row
	begun    bool
	lines    [4][]float32 // of the components, at the width of the image
	inks     []byte
	warnings []string
}

// rowPart is a component whose blocks are decoded.
type rowPart struct {
	*component
	blocks []block
	middle float32

	bands   [2][]float32 // rows of blocks as samples, by the lowest bit of their numbers
	held    [2]int       // these numbers; -1 for none
	width   int          // of a band in samples, whole blocks
	columns []place      // of each pixel of a row; nil where each has a sample
	line    []float32    // a row of samples, interpolated between two
}

// place is a place between two samples.
type place struct {
	first, second int
	part          float32 // of the second, 0 to 1
}

// OpenRows reads the header of an image and where its scans lie. ReadRow decodes. The error is an *UnsupportedError,
// *TruncatedError or *CorruptError.
func OpenRows(data []byte, opt RowOptions) (*Rows, error) {
	p := newParser(data)
	p.twelve = true
	if err := p.headers(); err != nil {
		return nil, err
	}
	if len(p.frame.components) == 4 && opt.Inks == nil {
		return nil, fmt.Errorf("jpeg: RowOptions.Inks is nil, and the image has inks")
	}
	return &Rows{parser: p, listed: p.all(), opt: opt}, nil
}

// Size returns the image's width and height in pixels.
func (r *Rows) Size() (width, height int) { return r.parser.header.Width, r.parser.header.Height }

// Channels returns the samples of a pixel: 1 of a gray image, else 3.
func (r *Rows) Channels() int {
	if r.parser.header.Color == Gray {
		return 1
	}
	return 3
}

// Depth returns the bits of a sample: 16 where the image has 12, high byte first, of which 65535 is white; else 8.
// Images of inks have 8.
func (r *Rows) Depth() int {
	if r.parser.header.Precision == 12 && len(r.parser.frame.components) < 4 {
		return 16
	}
	return 8
}

// Warnings describes what is missing of an image that was cut short.
func (r *Rows) Warnings() []string { return r.warnings }

// ReadRow stores the next row in dst, from the top. Behind the last row the error is io.EOF. Other errors are a
// *TruncatedError or a *CorruptError, from the first row on: all of the image is decoded before it.
func (r *Rows) ReadRow(dst []byte) error {
	if !r.begun {
		if err := r.decode(); err != nil {
			return err
		}
		r.begun = true
	}
	h := &r.parser.header
	if r.y == h.Height {
		return io.EOF
	}
	for i, p := range r.parts {
		p.row(r.lines[i], r.y, &r.parser.frame)
	}
	r.y++
	r.convert(dst)
	return nil
}

// decode decodes all coefficients.
func (r *Rows) decode() error {
	blocks, err := r.parser.gather(r.listed)
	var truncated *TruncatedError
	switch {
	case errors.As(err, &truncated) && r.opt.AcceptTruncated:
		r.warnings = append(r.warnings, "the JPEG ends before its picture does: what is missing is gray")
	case err != nil:
		return err
	}
	f, h := &r.parser.frame, &r.parser.header
	for i := range f.components {
		c := &f.components[i]
		p := &rowPart{
			component: c, blocks: blocks[i], middle: float32(int(1) << (h.Precision - 1)), held: [2]int{-1, -1},
			width: 8 * c.blocksX, line: make([]float32, 8*c.blocksX),
		}
		if c.H < f.hMax {
			p.columns = make([]place, h.Width)
			for x := range p.columns {
				p.columns[x] = between(x, c.H, f.hMax, c.width)
			}
		}
		r.parts = append(r.parts, p)
		r.lines[i] = make([]float32, h.Width)
	}
	r.inks = make([]byte, 4*h.Width)
	return nil
}

// between returns where a pixel lies among the samples of a component with a sampling factor of the largest.
func between(at, factor, largest, size int) place {
	exact := (float64(at)+0.5)*float64(factor)/float64(largest) - 0.5
	first := math.Floor(exact)
	clamped := func(i int) int { return min(max(i, 0), size-1) }
	return place{clamped(int(first)), clamped(int(first) + 1), float32(exact - first)}
}

// row makes a row of the image out of a component's samples.
func (p *rowPart) row(dst []float32, y int, f *frame) {
	at := place{first: y, second: y}
	if p.V < f.vMax {
		at = between(y, p.V, f.vMax, p.height)
	}
	line := p.samples(at.first)
	if at.second != at.first && at.part > 0 {
		below := p.samples(at.second)
		for x, v := range line {
			p.line[x] = v + (below[x]-v)*at.part
		}
		line = p.line
	}
	if p.columns == nil {
		copy(dst, line)
		return
	}
	for x, c := range p.columns {
		v := line[c.first]
		dst[x] = v + (line[c.second]-v)*c.part
	}
}

// samples returns a row of a component's samples. It is valid until the row of blocks after the next is asked for.
func (p *rowPart) samples(y int) []float32 {
	n := y / 8
	slot := n & 1
	if p.held[slot] != n {
		if p.bands[slot] == nil {
			p.bands[slot] = make([]float32, 8*p.width)
		}
		p.held[slot] = n
		for x := range p.blocksX {
			p.transform(p.bands[slot][8*x:], &p.blocks[n*p.paddedX+x])
		}
	}
	return p.bands[slot][y%8*p.width:][:p.width]
}

// waves are the cosines of the transform: by frequency, what it adds to each of eight samples.
var waves = func() (t [8][8]float32) {
	for u := range t {
		k := 0.5
		if u == 0 {
			k = math.Sqrt(0.125)
		}
		for x := range t[u] {
			t[u][x] = float32(k * math.Cos(float64((2*x+1)*u)*math.Pi/16))
		}
	}
	return t
}()

// transform makes 8×8 samples of a block, limited to those that there are.
func (p *rowPart) transform(dst []float32, b *block) {
	var rows, samples [64]float32
	if p.quant != nil { // else no scan had the component
		for k, v := range b {
			if v == 0 {
				continue
			}
			natural := zigzag[k]
			value := float32(v) * float32(p.quant[k])
			for x, wave := range &waves[natural&7] {
				rows[int(natural>>3)*8+x] += value * wave
			}
		}
	}
	for v := range 8 {
		for y, wave := range &waves[v] {
			for x, value := range rows[8*v:][:8] {
				samples[8*y+x] += value * wave
			}
		}
	}
	for y := range 8 {
		for x, v := range samples[8*y:][:8] {
			dst[y*p.width+x] = min(max(v+p.middle, 0), 2*p.middle-1)
		}
	}
}

// convert writes a row of the image.
func (r *Rows) convert(dst []byte) {
	h := &r.parser.header
	most := float32(int(1)<<h.Precision - 1)
	middle := (most + 1) / 2
	if h.Color == YCbCr || h.Color == YCCK {
		for x, y := range r.lines[0] {
			cb, cr := r.lines[1][x]-middle, r.lines[2][x]-middle
			r.lines[0][x], r.lines[1][x], r.lines[2][x] = y+1.402*cr, y-0.344136286*cb-0.714136286*cr, y+1.772*cb
		}
	}
	if len(r.parts) == 4 {
		for i := range r.parts {
			for x, v := range r.lines[i] {
				if h.Color == CMYK || i == 3 { // 255 is no ink
					v = most - v
				}
				r.inks[4*x+i] = byte(min(max(v, 0), most)*255/most + 0.5)
			}
		}
		r.opt.Inks(r.inks, r.inks)
		for x := range h.Width {
			copy(dst[3*x:3*x+3], r.inks[4*x:])
		}
		return
	}
	channels := r.Channels()
	for i := range channels {
		for x, v := range r.lines[i] {
			v = min(max(v, 0), most)
			if r.Depth() == 8 {
				dst[channels*x+i] = byte(v*255/most + 0.5)
				continue
			}
			v := uint16(v*65535/most + 0.5)
			dst[2*(channels*x+i)], dst[2*(channels*x+i)+1] = byte(v>>8), byte(v)
		}
	}
}
