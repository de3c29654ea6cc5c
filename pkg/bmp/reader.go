// Package bmp reads BMP files row by row, from the top, and holds no picture.
//
// It reads the headers of OS/2 1.x, OS/2 2.x and of Windows from version 2 to 5; pixels of 1, 2, 4 and 8 bits with a
// palette, of 16, 24 and 32 bits with any masks; run lengths; rows from below and from the top; a gap in front of the
// pixels. Pixels of 32 bits are opaque unless the header has a mask for alpha; if all of that is 0, too. Of run lengths
// it notes where each row begins, because rows come from below.
//
// JPEG and PNG data inside, Huffman codes and run lengths of 24 bits (OS/2) are a *raster.UnsupportedError.
package bmp

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Reader reads the rows of a BMP file. It implements raster.Reader.
type Reader struct {
	header
	data    []byte
	opt     raster.Options
	y       int // the row that ReadRow gives next
	row     []byte
	runs    []place // where the run lengths of each row begin, from the bottom row up
	short   bool
	beyond  bool // a pixel had an index beyond the palette
	colors  [256][3]byte
	entries int
}

var _ raster.Reader = (*Reader)(nil)

// Open reads the headers of a BMP file. It keeps data, and reads pixels from it as rows are asked for.
//
// The error is a *raster.UnsupportedError, a *raster.TruncatedError, a *raster.CorruptError or a *raster.TooLargeError,
// but for options that make no sense.
func Open(data []byte, opt raster.Options) (*Reader, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	r := &Reader{data: data, opt: opt}
	if err := r.read(data, opt); err != nil {
		return nil, err
	}
	if r.palette != nil {
		r.entries = min(256, len(r.palette)/r.entry)
		for i := range r.entries {
			c := r.palette[i*r.entry:]
			r.colors[i] = [3]byte{c[2], c[1], c[0]}
		}
	}
	if r.compression == rle8 || r.compression == rle4 {
		return r, r.findRuns()
	}
	have := int64(len(data) - r.pixels)
	if need := r.rowBytes() * int64(r.height); need > have {
		// The padding of the last row may be missing.
		if last := (int64(r.width)*int64(r.bits) + 7) / 8; need-r.rowBytes()+last > have &&
			(!opt.AcceptTruncated || have <= 0) {
			return nil, raster.Truncatedf(format, "its pixels: there are %d bytes of %d", have, need)
		}
	}
	if r.masks[3].width > 0 && r.invisible() {
		r.warnf("all pixels are transparent: they are taken as opaque")
		r.masks[3] = mask{}
	}
	if r.bits <= 8 {
		r.row = make([]byte, r.width)
	}
	return r, nil
}

// Size returns the width and height.
func (r *Reader) Size() (width, height int) { return r.width, r.height }

// Channels returns 3, or 4 where there is alpha.
func (r *Reader) Channels() int {
	if r.masks[3].width > 0 {
		return 4
	}
	return 3
}

// Depth returns 8.
func (r *Reader) Depth() int { return 8 }

// Warnings describes faults of the file that did not change the picture.
func (r *Reader) Warnings() []string { return r.warnings }

// stored returns the bytes of a row, counted from the top. A truncated file may have fewer.
func (r *Reader) stored(y int) []byte {
	if !r.topDown {
		y = r.height - 1 - y
	}
	size := r.rowBytes()
	from := min(int64(r.pixels)+int64(y)*size, int64(len(r.data)))
	return r.data[from:min(from+size, int64(len(r.data)))]
}

// invisible tells whether alpha is 0 everywhere: some writers do not set it.
func (r *Reader) invisible() bool {
	m := uint32(0)
	for i := range r.masks[3].width {
		m |= 1 << (r.masks[3].shift + i)
	}
	step := r.bits / 8
	for y := range r.height {
		row := r.stored(y)
		for ; len(row) >= step; row = row[step:] {
			v := uint32(row[0]) | uint32(row[1])<<8
			if step == 4 {
				v = binary.LittleEndian.Uint32(row)
			}
			if v&m != 0 {
				return false
			}
		}
	}
	return true
}

// ReadRow stores the next row in dst.
func (r *Reader) ReadRow(dst []byte) error {
	if r.y >= r.height {
		return io.EOF
	}
	need := raster.RowSize(r)
	if len(dst) < need {
		return fmt.Errorf("bmp: ReadRow was given %d bytes, and a row has %d", len(dst), need)
	}
	dst = dst[:need]
	if r.runs != nil {
		if err := r.runRow(dst); err != nil {
			return err
		}
		r.y++
		return nil
	}
	row := r.stored(r.y)
	if used := (r.width*r.bits + 7) / 8; len(row) < used { // the file is truncated, and that is accepted
		if !r.short {
			r.short = true
			r.warnf("the file ends early: what is missing is black")
		}
		row = append(make([]byte, 0, used), row...)[:used]
	}
	switch r.bits {
	case 24:
		for i := 0; i+3 <= len(dst); i += 3 {
			dst[i], dst[i+1], dst[i+2] = row[i+2], row[i+1], row[i]
		}
	case 16, 32:
		r.masked(dst, row)
	default:
		r.unpack(row)
		r.paint(dst)
	}
	r.y++
	return nil
}

// masked converts pixels of 16 or 32 bits.
func (r *Reader) masked(dst, row []byte) {
	red, green, blue, alpha := &r.masks[0], &r.masks[1], &r.masks[2], &r.masks[3]
	channels := r.Channels()
	if r.bits == 32 && red.shift == 16 && green.shift == 8 && blue.shift == 0 && red.width == 8 && green.width == 8 &&
		blue.width == 8 &&
		(channels == 3 || alpha.shift == 24 && alpha.width == 8) {
		for ; len(dst) >= channels; dst, row = dst[channels:], row[4:] {
			dst[0], dst[1], dst[2] = row[2], row[1], row[0]
			if channels == 4 {
				dst[3] = row[3]
			}
		}
		return
	}
	step := r.bits / 8
	for ; len(dst) >= channels; dst, row = dst[channels:], row[step:] {
		v := uint32(row[0]) | uint32(row[1])<<8
		if step == 4 {
			v = binary.LittleEndian.Uint32(row)
		}
		dst[0], dst[1], dst[2] = red.of(v), green.of(v), blue.of(v)
		if channels == 4 {
			dst[3] = alpha.of(v)
		}
	}
}

func (m *mask) of(v uint32) byte { return m.values[v>>m.shift&(1<<m.width-1)&255] }

// unpack stores the colours of a row as a byte each.
func (r *Reader) unpack(row []byte) {
	if r.bits == 8 {
		copy(r.row, row)
		return
	}
	each := 8 / r.bits
	most := byte(1)<<r.bits - 1
	for x := range r.row {
		r.row[x] = row[x/each] >> (8 - r.bits*(x%each+1)) & most
	}
}

// paint converts colours of the palette. One beyond it is black.
func (r *Reader) paint(dst []byte) {
	for i, v := range r.row {
		d := dst[3*i : 3*i+3]
		c := &r.colors[v]
		d[0], d[1], d[2] = c[0], c[1], c[2]
		if int(v) >= r.entries && !r.beyond {
			r.beyond = true
			r.warnf("a pixel has colour %d of a palette of %d: it is black", v, r.entries)
		}
	}
}
