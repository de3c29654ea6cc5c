// Package webp reads and writes WebP: stills and animations, with metadata.
//
// Package vp8 decodes lossy pictures, package vp8l lossless ones and alpha. Pictures are encoded by an installed
// libwebp where the process may use it (see package native). Elsewhere package vp8 encodes lossy pictures without
// alpha, and libwebp in WebAssembly all others. The rest is done here: the container, animations frame by frame in
// bounded memory, and the limited range in which lossy WebP stores its samples.
package webp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/imagefarm/imagefarm/pkg/format"
)

// maxSide is the largest width and height of a picture, pixels.
var maxSide = format.Of(format.WebP).MaxSide

// chunk is one piece of the container.
//
//	"RIFF" size:32 "WEBP"  { kind:4 size:32 data(even) }
type chunk struct {
	kind string
	data []byte
}

var errNotWebP = errors.New("webp: not a WebP container")

// chunks lists the container's chunks. With a chunk cut short the error is io.ErrUnexpectedEOF.
func chunks(data []byte) ([]chunk, error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WEBP" {
		return nil, errNotWebP
	}
	size := int64(binary.LittleEndian.Uint32(data[4:])) + 8
	list, err := split(data[12:max(12, min(size, int64(len(data))))])
	if err == nil && size > int64(len(data)) {
		err = io.ErrUnexpectedEOF
	}
	return list, err
}

func split(p []byte) ([]chunk, error) {
	var list []chunk
	for len(p) > 0 {
		if len(p) < 8 {
			return list, io.ErrUnexpectedEOF
		}
		n := int64(binary.LittleEndian.Uint32(p[4:]))
		if n > int64(len(p)-8) {
			return list, io.ErrUnexpectedEOF
		}
		list = append(list, chunk{string(p[:4]), p[8 : 8+n]})
		p = p[min(8+n+n&1, int64(len(p))):]
	}
	return list, nil
}

func find(list []chunk, kind string) []byte {
	for _, c := range list {
		if c.kind == kind {
			return c.data
		}
	}
	return nil
}

func build(list []chunk) []byte {
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	for _, c := range list {
		out = append(out, c.kind...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(c.data)))
		out = append(out, c.data...)
		if len(c.data)%2 == 1 {
			out = append(out, 0)
		}
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func appendUint24(b []byte, n int) []byte { return append(b, byte(n), byte(n>>8), byte(n>>16)) }

// Flags of the VP8X chunk.
const (
	flagAnimation = 1 << 1
	flagXMP       = 1 << 2
	flagEXIF      = 1 << 3
	flagAlpha     = 1 << 4
	flagICC       = 1 << 5
)

func vp8x(flags byte, width, height int) chunk {
	return chunk{"VP8X", appendUint24(appendUint24([]byte{flags, 0, 0, 0}, width-1), height-1)}
}

// expand returns a copy of img whose samples use the whole range; those of lossy WebP use 16–235 and 16–240.
func expand(img *image.YCbCr) *image.YCbCr {
	var luma, chroma [256]uint8
	for i := range 256 {
		luma[i] = stretch(i-16, 219, 0)
		chroma[i] = stretch(i-128, 224, 128)
	}
	out := *img
	out.Y, out.Cb, out.Cr = mapped(img.Y, &luma), mapped(img.Cb, &chroma), mapped(img.Cr, &chroma)
	return &out
}

// stretch returns n·255/full + zero, rounded and clamped.
func stretch(n, full, zero int) uint8 {
	v := (2*n*255 + full*(2*zero+1)) / (2 * full)
	if 2*n*255+full*(2*zero+1) < 0 {
		return 0
	}
	return uint8(min(v, 255))
}

func mapped(src []uint8, table *[256]uint8) []uint8 {
	dst := make([]uint8, len(src))
	for i, v := range src {
		dst[i] = table[v]
	}
	return dst
}

// checkPlanes makes sure that every sample of planes that are to be encoded is there.
func checkPlanes(img *image.YCbCr) error {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	cw, ch := (w+1)/2, (h+1)/2
	if img.Rect.Min != (image.Point{}) || w < 1 || h < 1 || w > maxSide || h > maxSide ||
		img.SubsampleRatio != image.YCbCrSubsampleRatio420 ||
		img.YStride < w || len(img.Y) < (h-1)*img.YStride+w ||
		img.CStride < cw || min(len(img.Cb), len(img.Cr)) < (ch-1)*img.CStride+cw {
		return fmt.Errorf("webp: planes that cannot be encoded: %v, strides %d and %d", img.Rect, img.YStride, img.CStride)
	}
	return nil
}

// Metadata is what can be put around a picture. Empty parts are left out.
type Metadata struct {
	ICC  []byte
	EXIF []byte // a TIFF block
	XMP  []byte
}

// Embed returns data, a WebP as Encode and EncodeAll make them, with metadata.
func Embed(data []byte, m Metadata) ([]byte, error) {
	if len(m.ICC)+len(m.EXIF)+len(m.XMP) == 0 {
		return data, nil
	}
	list, err := chunks(data)
	if err != nil {
		return nil, err
	}
	var head chunk
	if list[0].kind == "VP8X" {
		head, list = list[0], list[1:]
	} else if head, err = headFor(list); err != nil {
		return nil, err
	}
	head.data = append([]byte(nil), head.data...)
	out := []chunk{head}
	if len(m.ICC) > 0 {
		head.data[0] |= flagICC
		out = append(out, chunk{"ICCP", m.ICC})
	}
	out = append(out, list...)
	if len(m.EXIF) > 0 {
		head.data[0] |= flagEXIF
		out = append(out, chunk{"EXIF", m.EXIF})
	}
	if len(m.XMP) > 0 {
		head.data[0] |= flagXMP
		out = append(out, chunk{"XMP ", m.XMP})
	}
	return build(out), nil
}

// headFor returns the VP8X chunk that a simple file does without.
func headFor(list []chunk) (chunk, error) {
	if p := find(list, "VP8 "); len(p) >= 10 {
		return vp8x(0, int(p[6])|int(p[7]&0x3f)<<8, int(p[8])|int(p[9]&0x3f)<<8), nil
	}
	if p := find(list, "VP8L"); len(p) >= 5 {
		bits := int(binary.LittleEndian.Uint32(p[1:]))
		var flags byte
		if bits>>28&1 == 1 {
			flags = flagAlpha
		}
		return vp8x(flags, bits&0x3fff+1, bits>>14&0x3fff+1), nil
	}
	return chunk{}, errNotWebP
}
