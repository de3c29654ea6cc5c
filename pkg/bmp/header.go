package bmp

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

const format = "BMP"

// fileHeader is the size of what precedes the bitmap header.
//
//	"BM" size:32 0:32 offset of the pixels:32
const fileHeader = 14

// Sizes of bitmap headers.
const (
	os2Header  = 12  // OS/2 1.x and Windows 2: sizes of 16 bits, colours of three bytes
	infoHeader = 40  // Windows 3
	v3Header   = 56  // with masks
	os2v2      = 64  // OS/2 2.x
	v5Header   = 124 // with a profile
)

// Compressions.
const (
	none      = 0
	rle8      = 1
	rle4      = 2
	bitFields = 3 // of OS/2 2.x: Huffman
	jpeg      = 4 // of OS/2 2.x: RLE of 24 bits
	png       = 5
	alphaBits = 6
)

// Header describes a file.
type Header struct {
	Width, Height int
	Alpha         bool
	ICC           []byte // nil where there is none
}

// header holds the headers of a file that uses supported features only.
//
//	size:32 width:32 height:32 planes:16 bits:16 compression:32 image size:32 resolution:2×32 colours:32 important:32
//	red, green and blue mask:3×32  alpha mask:32  …
type header struct {
	width, height int
	topDown       bool
	bits          int // of a pixel
	compression   int
	palette       []byte // colours of entry bytes: blue, green, red
	entry         int
	masks         [4]mask // red, green, blue, alpha
	pixels        int     // where they begin in the file
	icc           []byte
	warnings      []string
}

// mask locates the bits of a channel, and scales them to 8 bits.
type mask struct {
	shift, width uint
	values       [256]byte // of the highest eight bits, or fewer
}

// ReadHeader reads the headers. The error is that of Open.
func ReadHeader(data []byte) (Header, error) {
	var h header
	if err := h.read(data, raster.Options{MaxPixels: math.MaxInt64}); err != nil {
		return Header{}, err
	}
	return Header{Width: h.width, Height: h.height, Alpha: h.masks[3].width > 0, ICC: h.icc}, nil
}

func unsupported(feature string, args ...any) error {
	return raster.Unsupportedf(format, feature, args...)
}

func corrupt(reason string, args ...any) error { return raster.Corruptf(format, 0, reason, args...) }

func (h *header) warnf(text string, args ...any) {
	if len(h.warnings) < 10 {
		h.warnings = append(h.warnings, fmt.Sprintf(text, args...))
	}
}

func (h *header) read(data []byte, opt raster.Options) error {
	le := binary.LittleEndian
	if len(data) < fileHeader+4 {
		return raster.Truncatedf(format, "the header")
	}
	if string(data[:2]) != "BM" {
		return corrupt("it does not begin with BM")
	}
	size := int64(le.Uint32(data[fileHeader:]))
	if size < os2Header || size > os2Header && size < 16 || size > 1<<16 {
		return corrupt("the header has %d bytes", size)
	}
	if fileHeader+size > int64(len(data)) {
		return raster.Truncatedf(format, "the header")
	}
	p := data[fileHeader:][:size]
	width, height := int64(0), int64(0)
	if h.entry = 4; size == os2Header {
		h.entry = 3
		width, height = int64(le.Uint16(p[4:])), int64(le.Uint16(p[6:]))
		h.bits = int(le.Uint16(p[10:]))
	} else {
		width, height = int64(int32(le.Uint32(p[4:]))), int64(int32(le.Uint32(p[8:])))
		h.bits = int(le.Uint16(p[14:]))
	}
	if h.topDown = height < 0; h.topDown {
		height = -height
	}
	if err := opt.CheckSize(format, width, height); err != nil {
		return err
	}
	h.width, h.height = int(width), int(height)
	if size >= 20 {
		h.compression = int(le.Uint32(p[16:]))
	}
	if err := h.check(int(size)); err != nil {
		return err
	}
	at := fileHeader + int(size)
	if h.compression == bitFields || h.compression == alphaBits {
		at = h.readMasks(data, p, at)
	} else {
		h.usualMasks(p)
	}
	if at > len(data) {
		return raster.Truncatedf(format, "the masks")
	}
	h.pixels = int(min(int64(le.Uint32(data[10:])), int64(len(data))))
	if err := h.readPalette(data, p, at); err != nil {
		return err
	}
	h.readProfile(data, p)
	return nil
}

// check rejects features that this package does not support.
func (h *header) check(size int) error {
	os2 := size == os2v2 || size < infoHeader
	switch {
	case h.compression == none:
	case h.compression == rle8 && h.bits == 8, h.compression == rle4 && h.bits == 4:
		if h.topDown {
			return corrupt("run lengths and rows from the top")
		}
	case os2 && h.compression == bitFields:
		return unsupported("Huffman codes of OS/2")
	case os2 && h.compression == jpeg:
		return unsupported("run lengths of 24 bits")
	case h.compression == jpeg:
		return unsupported("JPEG data inside")
	case h.compression == png:
		return unsupported("PNG data inside")
	case (h.compression == bitFields || h.compression == alphaBits) && (h.bits == 16 || h.bits == 32):
	case h.compression == bitFields && h.bits == 24:
		h.compression = none // masks say nothing new there
	case h.compression >= 11 && h.compression <= 13:
		return unsupported("CMYK colours")
	default:
		return unsupported("compression %d of %d bits", h.compression, h.bits)
	}
	switch h.bits {
	case 1, 2, 4, 8, 16, 24, 32:
		return nil
	}
	return unsupported("%d bits a pixel", h.bits)
}

// readMasks reads the masks, which belong to the header or follow one of 40 bytes, and returns where they end.
func (h *header) readMasks(data, p []byte, at int) int {
	list := p[min(len(p), infoHeader):]
	count := 3
	if len(p) >= v3Header || h.compression == alphaBits {
		count = 4
	}
	if len(p) <= infoHeader {
		end := at + 4*count
		if end > len(data) {
			return end
		}
		list, at = data[at:end], end
	}
	for i := range min(count, len(list)/4) {
		h.masks[i] = maskOf(binary.LittleEndian.Uint32(list[4*i:]))
	}
	return at
}

// usualMasks sets the default masks. A header with the usual alpha mask has alpha even if it names no other mask.
func (h *header) usualMasks(p []byte) {
	switch h.bits {
	case 16:
		h.masks = [4]mask{maskOf(0x7c00), maskOf(0x3e0), maskOf(0x1f)}
	case 32:
		h.masks = [4]mask{maskOf(0xff0000), maskOf(0xff00), maskOf(0xff)}
		if len(p) >= v3Header && len(p) != os2v2 && binary.LittleEndian.Uint32(p[52:]) == 0xff000000 {
			h.masks[3] = maskOf(0xff000000)
		}
	}
}

func maskOf(v uint32) mask {
	if v == 0 {
		return mask{}
	}
	m := mask{shift: uint(bits.TrailingZeros32(v))}
	m.width = uint(bits.Len32(v)) - m.shift
	if m.width > 8 { // the highest eight count
		m.shift += m.width - 8
		m.width = 8
	}
	top := 1<<m.width - 1
	for i := range top + 1 {
		m.values[i] = byte((i*255 + top/2) / top)
	}
	return m
}

// readPalette reads the colours that precede the pixels. Some writers omit the offset of the pixels.
func (h *header) readPalette(data, p []byte, at int) error {
	if h.bits > 8 {
		if h.pixels < at {
			h.pixels = at
		}
		return nil
	}
	count := 1 << h.bits
	if len(p) >= infoHeader-4 {
		if used := int64(binary.LittleEndian.Uint32(p[32:])); used > 0 && used < int64(count) {
			count = int(used)
		}
	}
	end := at + count*h.entry
	switch {
	case h.pixels < at+h.entry: // the offset is omitted
		h.pixels = end
	case h.pixels < end: // the pixels begin before the palette ends
		count = (h.pixels - at) / h.entry
		end = at + count*h.entry
	}
	if end > len(data) {
		return raster.Truncatedf(format, "the palette")
	}
	h.palette = data[at:end]
	return nil
}

// readProfile finds the ICC profile of a header of version 5.
func (h *header) readProfile(data, p []byte) {
	const embedded = 'M'<<24 | 'B'<<16 | 'E'<<8 | 'D'
	if len(p) < v5Header || binary.LittleEndian.Uint32(p[56:]) != embedded {
		return
	}
	at, size := int64(binary.LittleEndian.Uint32(p[112:]))+fileHeader, int64(binary.LittleEndian.Uint32(p[116:]))
	if size > 0 && at+size <= int64(len(data)) {
		h.icc = data[at : at+size]
	}
}

// rowBytes returns the bytes of a row in the file, a multiple of four.
func (h *header) rowBytes() int64 { return (int64(h.width)*int64(h.bits) + 31) / 32 * 4 }
