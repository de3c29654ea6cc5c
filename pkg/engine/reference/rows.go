package reference

import (
	"image"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// decodeRows decodes a format that is read by rows to an image of as many bits.
func (t *transform) decodeRows(accept bool) (image.Image, error) {
	src, err := rows.Open(t.info.Coding, t.data, raster.Options{
		MaxPixels: t.engine.limits.MaxPixels, AcceptTruncated: accept, Page: t.info.Page, Inks: t.inks,
	})
	if err != nil {
		return nil, err
	}
	if src.Depth() == 16 && slices.ContainsFunc(t.made, func(m *made) bool { return m.KeepDepth }) {
		return nil, outcome.Reject(outcome.Unsupported, "this engine makes 8 bits a sample, and depth:keep asks for 16")
	}
	img, err := readImage(src)
	t.warnings.AddAll(src.Warnings())
	return img, err
}

func readImage(src engine.RowSource) (image.Image, error) {
	w, h := src.Size()
	rect, bytes := image.Rect(0, 0, w, h), src.Depth()/8
	var img image.Image
	var pix []byte
	var stride int
	channels := src.Channels()
	switch {
	case channels == 1 && bytes == 1:
		p := image.NewGray(rect)
		img, pix, stride = p, p.Pix, p.Stride
	case channels == 1:
		p := image.NewGray16(rect)
		img, pix, stride = p, p.Pix, p.Stride
	case bytes == 1:
		p := image.NewNRGBA(rect)
		img, pix, stride = p, p.Pix, p.Stride
	default:
		p := image.NewNRGBA64(rect)
		img, pix, stride = p, p.Pix, p.Stride
	}
	row := make([]byte, w*channels*bytes)
	for y := range h {
		dst := pix[y*stride:][:stride]
		if channels == 1 || channels == 4 {
			if err := src.ReadRow(dst); err != nil {
				return nil, err
			}
			continue
		}
		if err := src.ReadRow(row); err != nil {
			return nil, err
		}
		widen(dst, row, channels, bytes)
	}
	return img, nil
}

// widen makes pixels of four channels from those of two or three.
func widen(dst, src []byte, channels, bytes int) {
	size := channels * bytes
	for ; len(src) >= size; dst, src = dst[4*bytes:], src[size:] {
		if channels == 2 {
			copy(dst, src[:bytes])
			copy(dst[bytes:], src[:bytes])
			copy(dst[2*bytes:], src[:2*bytes])
			continue
		}
		copy(dst, src[:size])
		for i := range bytes {
			dst[size+i] = 255
		}
	}
}
