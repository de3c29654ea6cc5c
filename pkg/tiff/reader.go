// Package tiff reads the pages of TIFF files row by row: in strips or tiles, plain or compressed by LZW, Deflate,
// Zstandard, PackBits, JPEG or the codes of fax machines. It holds no picture, and checks sizes before it allocates
// memory.
package tiff

import (
	"errors"
	"fmt"
	"io"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Reader reads the rows of one page of a TIFF file. It implements raster.Reader.
type Reader struct {
	*page
	opt raster.Options

	y         int      // the row that ReadRow gives next
	row       []byte   // the samples of a row, or of one plane of it, as stored
	streams   []stream // the current strip of each plane
	tile      []byte   // a row of a tile
	band      [][]byte // the decoded rows of the current tiles, a slice for each plane
	memory    []memory // of the decompressors of each plane
	coded     *codedJPEG
	faxTables *faxTables // nil until a fax is read
	mixed     []byte     // scratch space of predictor 3
	color     *converter
	short     bool // the file is truncated, and the remaining rows are zeros
}

var _ raster.Reader = (*Reader)(nil)

// Open reads the directory of a page of a TIFF file, Options.Page counted from 0. It keeps data, and reads pixels
// from it as rows are asked for.
//
// The error is a *raster.UnsupportedError, a *raster.TruncatedError, a *raster.CorruptError or a *raster.TooLargeError,
// but for options that make no sense.
func Open(data []byte, opt raster.Options) (*Reader, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	p, _, err := readPage(data, opt)
	if err != nil {
		return nil, err
	}
	r := &Reader{page: p, opt: opt}
	if p.compression == jpegCompression || p.compression == oldJPEG {
		if r.coded, err = p.newJPEG(); err != nil {
			return nil, err
		}
	}
	if err := r.checkEnough(); err != nil {
		return nil, err
	}
	r.color = p.newConverter()
	r.color.inks = opt.Inks
	if r.Inks() {
		r.color.keepInks()
	}
	r.row = make([]byte, r.fileRow(p.width))
	r.streams, r.memory = make([]stream, p.planes()), make([]memory, p.planes())
	if p.tiled {
		r.tile = make([]byte, r.fileRow(p.tileWidth))
		r.band = make([][]byte, p.planes())
		for i := range r.band {
			r.band[i] = make([]byte, len(r.row)*min(p.tileHeight, p.height))
		}
	}
	return r, nil
}

// checkEnough rejects a file without its first strip or tile before the reader allocates memory for rows.
func (r *Reader) checkEnough() error {
	if r.compression == oldJPEG {
		return nil
	}
	_, err := r.piece(0)
	return err
}

// perPixel returns the number of samples of a pixel that a strip stores together.
func (p *page) perPixel() int {
	if p.planar {
		return 1
	}
	return p.samples
}

// fileRow returns the size of a stored row of width pixels. Subsampled colours count at full resolution.
func (p *page) fileRow(width int) int { return (width*p.perPixel()*p.bits + 7) / 8 }

// Size returns the width and height as stored, before any orientation.
func (r *Reader) Size() (width, height int) { return r.width, r.height }

// Inks reports whether the samples are four inks, of which the largest value is none.
func (r *Reader) Inks() bool {
	return r.opt.KeepInks && r.photometric == separated && r.alpha == noAlpha
}

// Channels returns 1 to 4.
func (r *Reader) Channels() int {
	if r.Inks() {
		return 4
	}
	channels := 3
	if r.photometric == minIsWhite || r.photometric == minIsBlack || r.photometric == mask {
		channels = 1
	}
	if r.alpha != noAlpha {
		channels++
	}
	return channels
}

// Depth returns 8 for samples of up to 8 bits and for palettes, otherwise 16.
func (r *Reader) Depth() int {
	if r.bits <= 8 {
		return 8
	}
	return 16
}

// Warnings describes faults of the file that did not change the picture.
func (r *Reader) Warnings() []string { return r.warnings }

// ReadRow stores the next row in dst.
func (r *Reader) ReadRow(dst []byte) error {
	if r.y >= r.height {
		return io.EOF
	}
	if need := raster.RowSize(r); len(dst) < need {
		return fmt.Errorf("tiff: ReadRow was given %d bytes, and a row has %d", len(dst), need)
	}
	if err := r.readRow(dst); err != nil {
		return err
	}
	r.y++
	return nil
}

func (r *Reader) readRow(dst []byte) error {
	if r.short {
		clear(dst)
		return nil
	}
	for plane := range r.planes() {
		row, err := r.planeRow(plane)
		var truncated *raster.TruncatedError
		if r.opt.AcceptTruncated && r.y > 0 && errors.As(err, &truncated) {
			r.short = true
			r.warnf("the file ends within row %d of %d: what is missing is black or transparent", r.y, r.height)
			clear(dst)
			return nil
		}
		if err != nil {
			return err
		}
		if r.planar {
			r.color.plane(dst, row, plane)
			continue
		}
		r.color.pixels(dst, row)
		return nil
	}
	r.color.mergePlanes(dst)
	return nil
}

// planeRow returns the samples of one plane of the current row, as stored.
func (r *Reader) planeRow(plane int) ([]byte, error) {
	inside := r.y % r.tileHeight
	if r.tiled {
		if inside == 0 {
			if err := r.readBand(plane); err != nil {
				return nil, err
			}
		}
		return r.band[plane][inside*len(r.row):][:len(r.row)], nil
	}
	if inside == 0 {
		s, err := r.begin(plane*r.down+r.y/r.tileHeight, plane, r.width, min(r.tileHeight, r.height-r.y))
		if err != nil {
			return nil, err
		}
		r.streams[plane] = s
	}
	return r.row, r.decode(r.streams[plane], r.row)
}

// readBand decodes one plane of the tiles that begin at the current row.
func (r *Reader) readBand(plane int) error {
	rows, size := min(r.tileHeight, r.height-r.y), len(r.row)
	for x := range r.across {
		index := (plane*r.down+r.y/r.tileHeight)*r.across + x
		s, err := r.begin(index, plane, r.tileWidth, rows)
		if err != nil {
			return err
		}
		at := x * len(r.tile)
		for y := range rows {
			if err := r.decode(s, r.tile); err != nil {
				return err
			}
			copy(r.band[plane][y*size+at:(y+1)*size], r.tile)
		}
	}
	return nil
}

// piece returns the data of a strip or tile. The index counts through all planes.
func (r *Reader) piece(index int) ([]byte, error) {
	offsets, counts := r.offsets(), r.counts()
	at, count := r.at(offsets, index), r.at(counts, index)
	have := int64(len(r.data))
	switch {
	case at == 0 && count == 0:
		return nil, unsupported("strips or tiles that are left out")
	case at < 8:
		return nil, raster.Corruptf(format, 0, "%s begins at byte %d", r.name(index), at)
	case at >= have:
		return nil, raster.Truncatedf(format, "%s", r.name(index))
	case count <= 0, r.compression == noCompression && offsets.count == 1:
		count = have - at // some writers omit the size, or write a wrong one
	}
	p := r.data[at : at+min(count, have-at)]
	if r.reversed && r.compression != jpegCompression {
		p = reverseBits(p)
	}
	return p, nil
}

func (p *page) name(index int) string {
	what := "strip"
	if p.tiled {
		what = "tile"
	}
	return fmt.Sprintf("%s %d of %d", what, index+1, p.across*p.down*p.planes())
}

// begin returns a stream of the rows of a strip or tile of the given size.
func (r *Reader) begin(index, plane, width, rows int) (stream, error) {
	if r.compression == oldJPEG {
		return r.coded.whole()
	}
	data, err := r.piece(index)
	if err != nil {
		return nil, err
	}
	var s stream
	most := max(r.fileRow(width), unitRow(width, r.subX, r.subY))
	switch {
	case r.compression == noCompression:
		p := stored(data)
		s = &p
	case r.compression == packBits:
		s = &packed{data: data}
	case r.compression == lzw:
		s = again(&r.memory[plane].lzw)
		r.memory[plane].lzw.reset(data)
	case r.compression == deflate, r.compression == oldDeflate:
		s = newDeflated(again(&r.memory[plane].inflate), data, most)
	case r.compression == zstdCompression:
		s, err = newZstandard(&r.memory[plane].zstd, data)
	case r.compression == jpegCompression:
		s, err = r.coded.strip(data, plane, width, rows)
	default:
		s = r.newFax(data, width)
	}
	if err != nil {
		return nil, r.explain(err)
	}
	if r.subX > 1 || r.subY > 1 {
		s = newSubsampled(s, width, r.subX, r.subY)
	}
	return s, nil
}

// decode decompresses the next row of a strip or tile, and undoes its predictor.
func (r *Reader) decode(s stream, row []byte) error {
	if err := s.read(row); err != nil {
		return r.explain(err)
	}
	switch r.predictor {
	case 2:
		addLeft(row, r.perPixel(), r.bits, r.order)
	case 3:
		r.row3(row)
	}
	return nil
}

// explain turns the error of a stream into one of package raster.
func (r *Reader) explain(err error) error {
	var damage fault
	switch {
	case errors.Is(err, errShort):
		return raster.Truncatedf(format, "row %d of %d", r.y, r.height)
	case errors.As(err, &damage):
		return raster.Corruptf(format, 0, "row %d of %d: %s", r.y, r.height, string(damage))
	}
	return err
}
