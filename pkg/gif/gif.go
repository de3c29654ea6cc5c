// Package gif reads the frames of GIF files, one after the other, as they are stored: a rectangle of palette indices.
// What they look like on the screen, the caller composes.
//
// It reads what browsers read: a first frame larger than the screen, which then is as large; later frames that stick
// out of it; a screen of 0×0; data behind a frame's last code. A file that ends before its pixels do is a
// *raster.TruncatedError, or with Options.AcceptTruncated the frame in which it ends is kept if it is the first, and
// left out otherwise.
package gif

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

const format = "GIF"

// Disposals say what a viewer does with a frame before it draws the next.
const (
	Keep       = 1 // the frame stays; 0 and unknown values mean the same
	Background = 2 // its rectangle becomes transparent
	Previous   = 3 // the screen becomes as it was before the frame
)

// Frame is one frame. It is valid until the next call of Next.
type Frame struct {
	X, Y, Width, Height int    // where it lies on the screen; it may stick out
	Pix                 []byte // Width×Height indices of the palette
	Palette             []byte // red, green and blue of each colour
	Transparent         int    // the index that is transparent, −1 for none
	Delay               int    // how long it is shown, in hundredths of a second
	Disposal            int
}

// Header describes a file.
type Header struct {
	Width, Height int // of the screen, and at least of the first frame
	Loops         int // how often an animation is shown, 0 for ever
}

// Reader reads the frames of a file.
//
//	"GIF8xa" width:16 height:16 flags:8 background:8 aspect:8 [palette]
//	{ 21 label { n data } 00  |  2C x y w h:16 flags:8 [palette] code size:8 { n data } 00 }  3B
type Reader struct {
	Header
	data    []byte
	opt     raster.Options
	at      int    // of the next block
	palette []byte // of the file
	frames  int    // that were read

	packed   []byte // the data of a frame without the lengths of its blocks
	pix, row []byte
	pieces   [maxCodes]piece
	warnings []string
	ended    bool // the file ended early, and a warning says so
}

// Open reads the header, and looks at the blocks for the size of the first frame and for the number of loops.
//
// The error is a *raster.TruncatedError, a *raster.CorruptError or a *raster.TooLargeError, but for options that make
// no sense.
func Open(data []byte, opt raster.Options) (*Reader, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	if len(data) < 13 {
		return nil, raster.Truncatedf(format, "the header")
	}
	if string(data[:4]) != "GIF8" {
		return nil, raster.Corruptf(format, 0, "it does not begin with GIF8")
	}
	r := &Reader{data: data, opt: opt}
	r.Width, r.Height, r.Loops = u16(data[6:]), u16(data[8:]), 1
	r.at = 13
	r.palette = r.colors(data[10])
	r.survey()
	return r, opt.CheckSize(format, int64(r.Width), int64(r.Height))
}

// Warnings describes faults met so far that did not change the frames.
func (r *Reader) Warnings() []string { return r.warnings }

func u16(p []byte) int { return int(binary.LittleEndian.Uint16(p)) }

// colors reads a palette, if flags say that there is one. It is shorter where the file ends within.
func (r *Reader) colors(flags byte) []byte {
	if flags&0x80 == 0 {
		return nil
	}
	from := min(r.at, len(r.data))
	r.at += 3 << (flags&7 + 1)
	return r.data[from:min(r.at, len(r.data))]
}

// Labels of extensions.
const (
	graphicControl = 0xf9
	application    = 0xff
)

// survey finds the first frame's size and the number of loops.
func (r *Reader) survey() {
	for at, first := r.at, true; at+10 < len(r.data); {
		switch p := r.data[at:]; p[0] {
		case 0x2c:
			if first {
				r.Width, r.Height = max(r.Width, u16(p[1:])+u16(p[5:])), max(r.Height, u16(p[3:])+u16(p[7:]))
			}
			first = false
			at += 11
			if p[9]&0x80 != 0 {
				at += 3 << (p[9]&7 + 1)
			}
		case 0x21:
			if p[1] == application && len(p) >= 19 && (string(p[3:14]) == "NETSCAPE2.0" || string(p[3:14]) == "ANIMEXTS1.0") &&
				p[14] >= 3 && p[15] == 1 {
				if r.Loops = u16(p[16:]); r.Loops > 0 {
					r.Loops++ // it counts repetitions
				}
			}
			at += 2
		case 0:
			at++ // some writers put a spare terminator between blocks
			continue
		default:
			return
		}
		at = r.skip(at)
	}
}

// skip returns where the blocks of data that begin at an offset end.
func (r *Reader) skip(at int) int {
	for at < len(r.data) && r.data[at] != 0 {
		at += 1 + int(r.data[at])
	}
	return at + 1
}

// Next returns the next frame. Behind the last the error is io.EOF.
func (r *Reader) Next() (*Frame, error) {
	f := Frame{Transparent: -1}
	for r.at < len(r.data) {
		switch p := r.data[r.at:]; p[0] {
		case 0x3b:
			return nil, r.end()
		case 0:
			r.at++
		case 0x21:
			if len(p) >= 8 && p[1] == graphicControl && p[2] >= 4 {
				f.Disposal, f.Delay, f.Transparent = int(p[3]>>2&7), u16(p[4:]), -1
				if p[3]&1 != 0 {
					f.Transparent = int(p[6])
				}
			}
			r.at = r.skip(r.at + 2)
		case 0x2c:
			err := r.frame(&f)
			if err != nil {
				return nil, err
			}
			r.frames++
			return &f, nil
		default:
			if r.frames > 0 {
				return nil, io.EOF // ignore junk after the last frame
			}
			return nil, raster.Corruptf(format, int64(r.at), "an unknown block %#02x", p[0])
		}
	}
	return nil, r.truncated()
}

func (r *Reader) end() error {
	if r.frames == 0 {
		return raster.Corruptf(format, int64(r.at), "there is no frame")
	}
	return io.EOF
}

// frame reads the frame that begins here.
func (r *Reader) frame(f *Frame) error {
	p := r.data[r.at:]
	if len(p) < 11 {
		return r.truncated()
	}
	f.X, f.Y, f.Width, f.Height = u16(p[1:]), u16(p[3:]), u16(p[5:]), u16(p[7:])
	flags := p[9]
	r.at += 10
	if f.Palette = r.colors(flags); f.Palette == nil {
		f.Palette = r.palette
	}
	switch {
	case r.at >= len(r.data):
		return r.truncated()
	case f.Width == 0 || f.Height == 0:
		return raster.Corruptf(format, int64(r.at), "frame %d has %d×%d pixels", r.frames+1, f.Width, f.Height)
	case len(f.Palette) == 0:
		return raster.Corruptf(format, int64(r.at), "frame %d has no palette", r.frames+1)
	}
	if err := r.opt.CheckSize(format, int64(f.Width), int64(f.Height)); err != nil {
		return err
	}
	width := r.data[r.at]
	if width < 1 || width > 8 {
		return raster.Corruptf(format, int64(r.at), "codes of %d bits", width)
	}
	whole := r.unblock(r.at + 1)
	size := f.Width * f.Height
	// A code of nine bits or more stands for at most maxCodes pixels: what is too small is refused before it costs memory.
	if int64(size) > int64(len(r.packed)+2)*8*maxCodes/2 {
		return r.truncated()
	}
	if cap(r.pix) < size+slack {
		r.pix = make([]byte, size+slack)
	}
	f.Pix = r.pix[:size]
	n, err := r.decode(r.pix[:size+slack], size, int(width))
	switch {
	case err != nil:
		return raster.Corruptf(format, 0, "frame %d: %v", r.frames+1, err)
	case n < size && (!r.opt.AcceptTruncated || r.frames > 0 && !whole):
		return r.truncated()
	case n < size:
		r.warnings = append(r.warnings, "the first frame ends early: what is missing has the first colour, or is transparent")
		clear(f.Pix[n:])
		if f.Transparent >= 0 {
			for i := range f.Pix[n:] {
				f.Pix[n+i] = byte(f.Transparent)
			}
		}
	}
	if flags&0x40 != 0 {
		f.Pix = r.deinterlace(f)
	}
	return nil
}

// truncated returns the error of a file that ends within a frame, or the end where frames before may be kept.
func (r *Reader) truncated() error {
	if r.opt.AcceptTruncated && r.frames > 0 {
		r.at = len(r.data)
		if !r.ended {
			r.ended = true
			r.warnings = append(r.warnings, fmt.Sprintf("the file ends within frame %d: those before it were kept", r.frames+1))
		}
		return io.EOF
	}
	return raster.Truncatedf(format, "frame %d", r.frames+1)
}

// unblock gathers the blocks of data that begin at an offset, and tells whether the file has all of them.
func (r *Reader) unblock(at int) bool {
	size := 0
	for i := at; i < len(r.data) && r.data[i] != 0; i += 1 + int(r.data[i]) {
		size += int(r.data[i])
	}
	if r.packed = r.packed[:0]; cap(r.packed) < size {
		r.packed = make([]byte, 0, size)
	}
	for at < len(r.data) && r.data[at] != 0 {
		n := int(r.data[at])
		r.packed = append(r.packed, r.data[at+1:min(at+1+n, len(r.data))]...)
		at += 1 + n
	}
	r.at = at + 1
	return at < len(r.data)
}

// deinterlace puts the rows of four passes in order.
func (r *Reader) deinterlace(f *Frame) []byte {
	if len(r.row) < len(f.Pix) {
		r.row = make([]byte, len(f.Pix))
	}
	from := f.Pix
	for _, pass := range [4][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}} {
		for y := pass[0]; y < f.Height; y += pass[1] {
			copy(r.row[y*f.Width:][:f.Width], from)
			from = from[f.Width:]
		}
	}
	return r.row[:len(f.Pix)]
}
