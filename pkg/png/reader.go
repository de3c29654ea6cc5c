package png

import (
	"errors"
	"fmt"
	"io"

	"github.com/imagefarm/imagefarm/pkg/inflate"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Reader reads the rows of a PNG file. It implements raster.Reader.
type Reader struct {
	header
	file     []byte
	opt      raster.Options
	warnings []string

	z        inflate.Reader
	at       int   // where the next IDAT chunk is expected
	pieceErr error // the fault for which nextPiece stopped
	missing  bool  // the file is truncated, and the remaining samples are zeros
	begun    bool  // at least one byte of pixels was read

	narrow    bool // samples of 16 bits are given as 8
	y         int  // the row that ReadRow gives next
	row, prev []byte
	unpacked  []byte // a row with a byte for each sample that is not stored so
	table     *[256][4]byte
	lace      *lace
	beyond    bool // a pixel had an index beyond the palette
}

var _ raster.Reader = (*Reader)(nil)

// Open reads the header of a PNG file. It keeps file, and reads pixels from it as rows are asked for.
//
// The error is a *raster.UnsupportedError, a *raster.TruncatedError, a *raster.CorruptError or a *raster.TooLargeError,
// but for options that make no sense.
func Open(file []byte, opt raster.Options) (*Reader, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	r := &Reader{file: file, opt: opt}
	if err := r.readHeader(); err != nil {
		return nil, err
	}
	r.narrow = opt.Narrow && r.interlaced && r.depth == 16 && !r.keyed
	if err := r.checkEnough(); err != nil {
		return nil, err
	}
	r.at = r.pixels
	size := r.rowBytes(r.width)
	r.row, r.prev = make([]byte, size), make([]byte, size)
	r.z.Reset(inflate.Zlib, size+1, r.nextPiece)
	if r.color == paletted {
		r.table = r.colors()
	}
	if r.depth < 8 || r.narrow {
		r.unpacked = make([]byte, r.width*r.stored())
	}
	return r, nil
}

// checkEnough rejects a file that is too small for its picture: deflate makes at most 1032 bytes of one. Otherwise a
// small interlaced file could make the reader allocate memory for a large picture.
func (r *Reader) checkEnough() error {
	if r.opt.AcceptTruncated {
		return nil
	}
	if need := int64(r.rowBytes(r.width)) * int64(r.height); need/1032 > int64(len(r.file)) {
		return raster.Truncatedf(format, "its pixels: %d bytes cannot hold %d×%d", len(r.file), r.width, r.height)
	}
	return nil
}

// Size returns the width and height of the picture.
func (r *Reader) Size() (width, height int) { return r.width, r.height }

// Channels returns 1 to 4. A palette gives 3 channels, or 4 where it has transparent colours.
func (r *Reader) Channels() int {
	switch {
	case r.color == paletted && r.alpha != nil, r.color == rgb && r.keyed:
		return 4
	case r.color == paletted:
		return 3
	case r.color == gray && r.keyed:
		return 2
	}
	return r.stored()
}

// Depth returns 16 where the file has 16 bits a sample, but for interlaced ones with Options.Narrow. Otherwise it is 8.
func (r *Reader) Depth() int {
	if r.narrow {
		return 8
	}
	return max(8, r.depth)
}

// Warnings describes faults of the file that did not change the picture.
func (r *Reader) Warnings() []string { return r.warnings }

func (r *Reader) warnf(text string, args ...any) {
	if len(r.warnings) < 10 {
		r.warnings = append(r.warnings, fmt.Sprintf(text, args...))
	}
}

// ReadRow stores the next row in dst.
func (r *Reader) ReadRow(dst []byte) error {
	if r.y >= r.height {
		return io.EOF
	}
	if need := raster.RowSize(r); len(dst) < need {
		return fmt.Errorf("png: ReadRow was given %d bytes, and a row has %d", len(dst), need)
	}
	samples := []byte(nil)
	var err error
	if r.interlaced {
		samples, err = r.lacedRow()
	} else {
		samples, err = r.samples(r.width)
	}
	if err != nil {
		return err
	}
	r.expand(dst, samples, r.width)
	r.y++
	if r.y == r.height {
		return r.finish()
	}
	return nil
}

// samples reads a row of so many pixels, and returns its samples with at least a byte each.
func (r *Reader) samples(width int) ([]byte, error) {
	if err := r.filtered(width); err != nil {
		return nil, err
	}
	switch {
	case r.narrow:
		row := r.unpacked[:width*r.stored()]
		raster.Narrow(row, r.prev)
		return row, nil
	case r.depth >= 8:
		return r.prev[:r.rowBytes(width)], nil // where filtered left it
	}
	unpack(r.unpacked[:width], r.prev, r.depth)
	return r.unpacked[:width], nil
}

// filtered reads a row of so many pixels, undoes its filter, and leaves it in prev.
func (r *Reader) filtered(width int) error {
	size := r.rowBytes(width)
	p, err := r.next(size + 1)
	if err != nil {
		return err
	}
	if p[0] > 4 {
		return raster.Corruptf(format, 0, "row %d has the filter %d", r.y, p[0])
	}
	unfilter(p[0], r.row[:size], p[1:], r.prev[:size], r.pixelBytes())
	r.row, r.prev = r.prev, r.row
	return nil
}

// next returns the next n bytes of the inflated pixels.
func (r *Reader) next(n int) ([]byte, error) {
	if r.missing {
		return make([]byte, n), nil
	}
	p, err := r.z.Next(n)
	r.begun = r.begun || len(p) > 0
	if len(p) == n {
		return p, nil
	}
	var corrupt *inflate.CorruptError
	switch {
	case r.pieceErr != nil:
		return nil, r.pieceErr
	case errors.As(err, &corrupt):
		return nil, raster.Corruptf(format, 0, "row %d of %d: %s", r.y, r.height, corrupt.Reason)
	case !r.opt.AcceptTruncated:
		return nil, raster.Truncatedf(format, "row %d of %d", r.y, r.height)
	case !r.begun:
		return nil, raster.Truncatedf(format, "its first row")
	}
	r.missing = true
	r.warnf("the file ends within row %d of %d: what is missing is black or transparent", r.y, r.height)
	return append(append(make([]byte, 0, n), p...), make([]byte, n-len(p))...), nil
}

// nextPiece returns the data of the next IDAT chunk, or nil behind the last.
func (r *Reader) nextPiece() []byte {
	c, ok, err := chunkAt(r.file, r.at)
	switch {
	case err != nil:
		r.pieceErr = err
		return nil
	case !ok || string(c.kind) != "IDAT":
		return nil
	case !c.cut && !c.sum:
		r.pieceErr = raster.Corruptf(format, int64(r.at), "the CRC of IDAT is wrong")
		return nil
	}
	r.at = c.end
	return c.data
}

// finish reads the rest of the stream, and verifies its checksum.
func (r *Reader) finish() error {
	if r.missing {
		return nil
	}
	const surplus = 64 << 10
	err := r.z.Close(surplus)
	var corrupt *inflate.CorruptError
	switch {
	case r.pieceErr != nil:
		return r.pieceErr
	case errors.As(err, &corrupt):
		return raster.Corruptf(format, 0, "behind the last row: %s", corrupt.Reason)
	case err != nil && !r.opt.AcceptTruncated:
		return raster.Truncatedf(format, "the last row")
	case err != nil:
		r.warnf("the file ends within the checksum of its pixels")
	}
	return nil
}
