// Package raster defines the interface, options and errors of decoders that read an image row by row: packages png,
// tiff, bmp and vp8l. Their callers need not hold a whole picture of twelve megapixels in memory.
package raster

import (
	"encoding/binary"
	"fmt"
)

// Reader reads the rows of a picture from top to bottom. A Reader is not safe for use by several goroutines at once.
type Reader interface {
	// Size returns the picture's width and height in pixels.
	Size() (width, height int)

	// Channels returns the samples of a pixel: 1 gray, 2 gray and alpha, 3 red, green and blue, 4 these and alpha.
	// Colours are not multiplied by alpha.
	Channels() int

	// Depth returns the bits of a sample, 8 or 16.
	Depth() int

	// ReadRow stores the next row in dst, which holds at least RowSize(r) bytes. Samples are interleaved; those of 16
	// bits have their high byte first. Behind the last row the error is io.EOF. Any other error is an
	// *UnsupportedError, a *TruncatedError or a *CorruptError; the rows before it are good.
	ReadRow(dst []byte) error

	// Warnings describes the faults met so far that did not change the picture, a sentence each.
	Warnings() []string
}

// Scattered is a Reader of a file that may hold its pixels in another order than rows do.
type Scattered interface {
	Reader

	// Interlaced reports whether ReadRow holds pixels back until their row is due. Where it is false ReadParts is slower
	// and saves nothing.
	Interlaced() bool

	// ReadParts is called instead of ReadRow. It reads the whole picture and passes pixels to use in the order of the
	// file, so that none are held. It stops at an error, and returns it: that of use, or one of those of ReadRow but
	// io.EOF.
	ReadParts(use func(Part) error) error
}

// Part is pixels of one row, as ReadRow would store them.
type Part struct {
	Y       int    // the row
	X, Step int    // the column of the first pixel, and how many columns further each next is; of a whole row 0 and 1
	Pixels  []byte // use may change them; the next part overwrites them
}

// RowSize returns the bytes of a row.
func RowSize(r Reader) int {
	width, _ := r.Size()
	return width * r.Channels() * r.Depth() / 8
}

// DefaultMaxPixels is the limit if Options.MaxPixels is 0.
const DefaultMaxPixels = 250e6

// Options tell how to read.
type Options struct {
	// MaxPixels is the largest width × height that is read; 0 means DefaultMaxPixels. The header is checked against it
	// before memory is allocated.
	MaxPixels int64

	// AcceptTruncated fills what is missing of a file that was cut short with zeros, instead of returning an error.
	AcceptTruncated bool

	// Narrow asks for samples of 8 bits where the file has 16. Only readers that hold less so do it, and Depth tells
	// whether they did: png, of interlaced files.
	Narrow bool

	// Inks converts pixels of CMYK, 4 bytes each of which 255 is full, to red, green, blue and 255. nil takes each
	// colour as what its ink and black let through.
	Inks func(dst, src []byte)

	// KeepInks asks for pixels of CMYK as they are, where there is no alpha beside them: four samples, of which the
	// largest value is no ink. Only tiff does it, and the Reader's method Inks tells whether it did.
	KeepInks bool

	// Page is the picture that is read of several in a file, 0 for the first.
	Page int
}

// Validate says in a sentence which field cannot be.
func (o Options) Validate() error {
	switch {
	case o.MaxPixels < 0:
		return fmt.Errorf("raster: MaxPixels is %d: it cannot be negative", o.MaxPixels)
	case o.Page < 0:
		return fmt.Errorf("raster: Page is %d: it cannot be negative", o.Page)
	}
	return nil
}

// CheckSize returns an error if a size is not positive or exceeds the limit.
func (o Options) CheckSize(format string, width, height int64) error {
	most := o.MaxPixels
	if most == 0 {
		most = DefaultMaxPixels
	}
	switch {
	case width < 1 || height < 1:
		return Corruptf(format, 0, "the header says %d×%d pixels", width, height)
	case width > most || height > most/width:
		return &TooLargeError{format, width, height, most}
	}
	return nil
}

// Narrow stores samples of 16 bits, high byte first, as 8 bits in dst, which may be the same memory.
func Narrow(dst, src []byte) {
	// v×255/65535, rounded, is (v − v/256 + 127 + v/32768)/256 in whole numbers, which fits 16 bits: four samples at
	// once.
	const low, one = 0x00ff00ff00ff00ff, 0x0001000100010001
	for len(dst) >= 4 && len(src) >= 8 {
		v := binary.BigEndian.Uint64(src)
		v = (v - v>>8&low + 127*one + v>>15&one) >> 8 & low
		v |= v >> 8
		v &= 0x0000ffff0000ffff
		binary.BigEndian.PutUint32(dst, uint32(v>>16|v))
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		v := uint32(src[2*i])<<8 | uint32(src[2*i+1])
		dst[i] = byte((v*255 + 32895) >> 16)
	}
}
