package vp8

import (
	"io"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Options tell how to read.
type Options struct {
	// MaxPixels is the largest width × height that is read; 0 means raster.DefaultMaxPixels.
	MaxPixels int64

	// Unfiltered leaves out the smoothing of edges between blocks. The picture is exact otherwise: no sample is predicted
	// from a smoothed one.
	Unfiltered bool
}

// Reader decodes a key frame from top to bottom. A Reader is not safe for use by several goroutines at once.
type Reader struct {
	header
	modes  boolReader
	coded  [8]boolReader
	across int // macroblocks in a row
	down   int

	y        int        // the next row of macroblocks
	above    []neighbor // of each macroblock of a row
	planes   [3]plane
	smoothed *smoothed // nil: edges are not smoothed
	coefficients
}

// plane is one row of macroblocks of a component, and one row of samples above it.
type plane struct {
	pix    []byte
	stride int
	zero   int // where the first sample of the first macroblock is
	size   int // of a macroblock: 16 or 8
}

// margin is the room to the left and right of a row of macroblocks: for what is beyond the edges, and so that vectors
// stay within the plane.
const margin = 32

func newPlane(across, size int) plane {
	p := plane{stride: (across*size + 2*margin + 31) &^ 31, size: size}
	p.zero = p.stride + margin
	p.pix = make([]byte, p.stride*(size+1))
	for y := range size + 1 {
		p.pix[p.zero+(y-1)*p.stride-1] = 129
	}
	row := p.pix[margin-1 : p.stride]
	for x := range row {
		row[x] = 127
	}
	return p
}

// next makes the last row of samples the one above.
func (p *plane) next(across int) {
	copy(p.pix[margin:p.stride], p.pix[p.size*p.stride+margin:])
	p.pix[margin-1] = 129
	if p.size == 16 { // what a block at the right edge finds above it, to the right
		end := p.pix[margin+across*16-1:][:5]
		end[1], end[2], end[3], end[4] = end[0], end[0], end[0], end[0]
	}
}

// Open reads the header of a key frame: the data of a chunk "VP8 " of a WebP file. It keeps frame, and reads from it as
// bands are asked for.
//
// The error is a *raster.UnsupportedError, a *raster.TruncatedError, a *raster.CorruptError or a *raster.TooLargeError,
// but for options that make no sense.
func Open(frame []byte, opt Options) (*Reader, error) {
	limit := raster.Options{MaxPixels: opt.MaxPixels}
	if err := limit.Validate(); err != nil {
		return nil, err
	}
	w, h, err := Size(frame)
	if err != nil {
		return nil, err
	}
	if err := limit.CheckSize(format, int64(w), int64(h)); err != nil {
		return nil, err
	}
	r := &Reader{across: (w + 15) / 16, down: (h + 15) / 16}
	r.width, r.height = w, h
	if err := r.readHeader(frame); err != nil {
		return nil, err
	}
	r.above = make([]neighbor, r.across)
	r.planes = [3]plane{newPlane(r.across, 16), newPlane(r.across, 8), newPlane(r.across, 8)}
	if r.kind != noFilter && !opt.Unfiltered {
		r.smoothed = newSmoothed(r)
	}
	return r, nil
}

// Size returns the picture's width and height in pixels. Cb and Cr have half of that, rounded up.
func (r *Reader) Size() (width, height int) { return r.width, r.height }

// Band is some rows of the picture. Its samples are the Reader's, until it reads the next.
type Band struct {
	Y, Cb, Cr        []byte
	YStride, CStride int
	Rows, CRows      int // of Y, and of Cb and Cr; there may be none
}

// Next returns the next rows, at most 24. Behind the last the error is io.EOF. Any other error is a
// *raster.TruncatedError; the rows before it are good.
func (r *Reader) Next() (Band, error) {
	if r.y == r.down {
		return Band{}, io.EOF
	}
	if r.y > 0 {
		for i := range r.planes {
			r.planes[i].next(r.across)
		}
	}
	coded := &r.coded[r.y&(r.partitions-1)]
	left := neighbor{}
	if r.y == 0 {
		clear(r.above)
	}
	var m macroblock
	for x := range r.across {
		if r.modes.prepare() || coded.prepare() {
			return Band{}, r.truncated()
		}
		above := &r.above[x]
		r.readModes(&m, above, &left)
		if m.empty {
			m.coefficients, m.first = 0, 0
			above.luma, above.color, left.luma, left.color = [4]uint8{}, [4]uint8{}, [4]uint8{}, [4]uint8{}
			if m.whole {
				above.second, left.second = 0, 0
			}
		} else {
			r.readCoefficients(coded, &m, above, &left)
		}
		r.reconstruct(x, &m)
		if r.smoothed != nil {
			r.smoothed.note(x, &r.filters[m.segment][one(!m.whole)], !m.whole || !m.empty)
		}
	}
	if r.modes.beyond() || coded.beyond() {
		return Band{}, r.truncated()
	}
	r.y++
	if r.smoothed != nil {
		return r.smoothed.band(r), nil
	}
	top := 16 * (r.y - 1)
	return Band{
		Y: r.planes[0].pix[r.planes[0].zero:], YStride: r.planes[0].stride, Rows: min(16, r.height-top),
		Cb: r.planes[1].pix[r.planes[1].zero:], Cr: r.planes[2].pix[r.planes[2].zero:], CStride: r.planes[1].stride,
		CRows: min(8, (r.height+1)/2-top/2),
	}, nil
}

func (r *Reader) truncated() error {
	return raster.Truncatedf(format, "row %d of %d", 16*r.y, r.height)
}

// reconstruct predicts a macroblock and adds what its coefficients say.
func (r *Reader) reconstruct(x int, m *macroblock) {
	edgeX, edgeY := x == 0, r.y == 0
	luma := &r.planes[0]
	at := luma.zero + 16*x
	if m.whole {
		square(luma.pix, at, luma.stride, 16, m.modes[0], edgeX, edgeY)
		any := m.coefficients | m.first
		for i := 0; i < 16; i += 4 {
			if any>>i&15 != 0 {
				at := at + i*luma.stride
				addFour(luma.pix, at, at+8, luma.stride, (*[4][16]int16)(r.coefficients[i:]))
			}
		}
	} else {
		r.blocks(at, m)
	}
	for i := 1; i < 3; i++ {
		p := &r.planes[i]
		at := p.zero + 8*x
		square(p.pix, at, p.stride, 8, m.color, edgeX, edgeY)
		first := 12 + 4*i
		if m.coefficients>>first&15 != 0 {
			addFour(p.pix, at, at+4*p.stride, p.stride, (*[4][16]int16)(r.coefficients[first:]))
		}
	}
}

// blocks predicts and completes luma block by block.
func (r *Reader) blocks(at int, m *macroblock) {
	p := &r.planes[0]
	// The blocks at the right edge find above them, to the right, what is above the macroblock to the right; what lies
	// there is not yet decoded.
	beyond := p.pix[at-p.stride+16:][:4]
	for y := 3; y < 12; y += 4 {
		copy(p.pix[at+y*p.stride+16:][:4], beyond)
	}
	predictBlocks(p.pix, at, p.stride, &m.modes, (*[16][16]int16)(r.coefficients[:]), m.coefficients)
}
