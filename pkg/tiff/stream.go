package tiff

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/imagefarm/imagefarm/pkg/inflate"
)

// stream decompresses a strip or a tile. read fills dst with the next row. It returns errShort at the end of the data,
// a fault for corrupt data, or an error of package raster.
type stream interface {
	read(dst []byte) error
}

// stored is a strip that is not compressed.
type stored []byte

func (s *stored) read(dst []byte) error {
	n := copy(dst, *s)
	*s = (*s)[n:]
	if n < len(dst) {
		return errShort
	}
	return nil
}

// packed is a strip compressed by PackBits: a count, and as many bytes, or one to be repeated.
type packed struct {
	data   []byte
	copies int // bytes that are still to be copied
	again  int // how often value is still to be repeated
	value  byte
}

func (s *packed) read(dst []byte) error {
	for len(dst) > 0 {
		switch {
		case s.copies > 0:
			n := copy(dst[:min(s.copies, len(dst))], s.data)
			if n == 0 {
				return errShort
			}
			dst, s.data, s.copies = dst[n:], s.data[n:], s.copies-n
		case s.again > 0:
			n := min(s.again, len(dst))
			for i := range n {
				dst[i] = s.value
			}
			dst, s.again = dst[n:], s.again-n
		case len(s.data) == 0:
			return errShort
		default:
			head := int(int8(s.data[0]))
			s.data = s.data[1:]
			switch {
			case head >= 0:
				s.copies = head + 1
			case head == -128: // nothing
			case len(s.data) == 0:
				return errShort
			default:
				s.again, s.value = 1-head, s.data[0]
				s.data = s.data[1:]
			}
		}
	}
	return nil
}

// deflated is a strip compressed by deflate.
type deflated struct {
	z    *inflate.Reader
	most int
}

func newDeflated(z *inflate.Reader, data []byte, most int) *deflated {
	z.Reset(inflate.Zlib, most, func() []byte {
		piece := data
		data = nil
		return piece
	})
	return &deflated{z, most}
}

func (s *deflated) read(dst []byte) error {
	p, err := s.z.Next(len(dst))
	copy(dst, p)
	var corrupt *inflate.CorruptError
	switch {
	case len(p) == len(dst):
		return nil
	case errors.As(err, &corrupt):
		return fault(corrupt.Reason)
	}
	return errShort
}

// memory holds decompressors, which keep their memory from strip to strip. They are nil until they are needed.
type memory struct {
	inflate *inflate.Reader
	lzw     *lzwReader
	zstd    *zstd.Decoder
}

// again returns what p points to, and makes it first if it is nil.
func again[T any](p **T) *T {
	if *p == nil {
		*p = new(T)
	}
	return *p
}

// zstandard is a strip compressed by zstd.
type zstandard struct {
	*zstd.Decoder
}

func newZstandard(d **zstd.Decoder, data []byte) (zstandard, error) {
	if *d == nil {
		const window = 64 << 20 // more than the zstd levels of libtiff use
		fresh, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(window))
		if err != nil {
			return zstandard{}, fault(err.Error())
		}
		*d = fresh
	}
	if err := (*d).Reset(bytes.NewReader(data)); err != nil {
		return zstandard{}, fault("zstd: " + err.Error())
	}
	return zstandard{*d}, nil
}

func (s zstandard) read(dst []byte) error {
	_, err := io.ReadFull(s.Decoder, dst)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errShort
	}
	return fault("zstd: " + err.Error())
}
