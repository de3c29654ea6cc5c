package vp8l

import (
	"errors"
	"io"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Reader decodes a picture from top to bottom. It implements raster.Reader, with four channels of 8 bits, or for
// opacity with one. It is not safe for use by several goroutines at once.
type Reader struct {
	width, height int
	channels      int
	accept        bool // what is missing is transparent black

	bits       bitReader
	transforms []*transform // in the order in which they were applied
	image      *pixels
	y          int // the next row
	warnings   []string
}

var _ raster.Reader = (*Reader)(nil)

// headerSize is the bytes of a stream's header.
//
//	0x2f:8 width-1:14 height-1:14 alpha:1 version:3
const headerSize = 5

// Size reads the width and height of a stream, in pixels.
func Size(stream []byte) (width, height int, err error) {
	if len(stream) < headerSize {
		return 0, 0, raster.Truncatedf(format, "the header of its picture")
	}
	if stream[0] != 0x2f {
		return 0, 0, raster.Corruptf(format, 0, "the lossless stream has no signature")
	}
	b := bitReader{data: stream[1:headerSize]}
	return b.number(14) + 1, b.number(14) + 1, nil
}

// Open reads what precedes the pixels of a stream: the data of a chunk "VP8L" of a WebP file. It keeps stream, and
// reads from it as rows are asked for. Rows have red, green, blue and alpha, 4 bytes for each pixel. Whether the header
// announces alpha makes no difference.
//
// The error is a *raster.UnsupportedError, a *raster.TruncatedError, a *raster.CorruptError or a *raster.TooLargeError,
// but for options that make no sense. Options.Scale, Inks and Page are not regarded.
func Open(stream []byte, opt raster.Options) (*Reader, error) {
	w, h, err := Size(stream)
	if err != nil {
		return nil, err
	}
	if version := stream[4] >> 5; version != 0 {
		return nil, raster.Unsupportedf(format, "VP8L of version %d", version)
	}
	return open(stream[headerSize:], w, h, 4, opt)
}

// OpenAlpha does the same for the opacity of width×height pixels: the data of a chunk "ALPH" behind its first byte.
// Rows have one byte for each pixel, as it is coded: the filter is the caller's to undo.
func OpenAlpha(stream []byte, width, height int, opt raster.Options) (*Reader, error) {
	return open(stream, width, height, 1, opt)
}

func open(stream []byte, width, height, channels int, opt raster.Options) (*Reader, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	if err := opt.CheckSize(format, int64(width), int64(height)); err != nil {
		return nil, err
	}
	if max(width, height) > maxSide {
		return nil, raster.Unsupportedf(format, "a lossless picture of %d×%d pixels", width, height)
	}
	r := &Reader{width: width, height: height, channels: channels, accept: opt.AcceptTruncated}
	r.bits.data = stream
	transforms, codedWidth, err := readTransforms(&r.bits, width, height)
	if err != nil {
		return nil, err
	}
	m, err := readImage(&r.bits, codedWidth, height, true)
	if err != nil {
		return nil, err
	}
	m.allocate()
	r.transforms, r.image = transforms, m
	return r, nil
}

// maxSide is the largest width and height that a header can hold.
const maxSide = 1 << 14

// Size implements raster.Reader.
func (r *Reader) Size() (width, height int) { return r.width, r.height }

// Channels implements raster.Reader.
func (r *Reader) Channels() int { return r.channels }

// Depth implements raster.Reader.
func (r *Reader) Depth() int { return 8 }

// Warnings implements raster.Reader.
func (r *Reader) Warnings() []string { return r.warnings }

// ReadRow implements raster.Reader.
func (r *Reader) ReadRow(dst []byte) error {
	if r.y == r.height {
		return io.EOF
	}
	dst = dst[:r.width*r.channels]
	row, err := r.image.row(r.y)
	var truncated *raster.TruncatedError
	switch {
	case err != nil && r.accept && errors.As(err, &truncated):
		if len(r.warnings) == 0 {
			r.warnings = append(r.warnings, err.Error())
		}
		clear(dst)
		r.y++
		return nil
	case err != nil:
		return err
	}
	for i := len(r.transforms) - 1; i >= 0; i-- {
		row = r.transforms[i].inverse(row, r.y)
	}
	if r.channels == 1 {
		plainOpacity(dst, row)
	} else {
		samples(dst, row)
	}
	r.y++
	return nil
}
