package webp

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"io"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Planes decodes a still: planes of YCbCr in the limited range, and alpha where it has any, or RGB and alpha. width
// and height are what the header announced; a picture of another size is refused before it is decoded. A picture is
// shrunk by an integer factor as far as need allows, a lossy one while it is decoded.
//
// The error is the context's cause where it ended, or says what is wrong with the picture.
func Planes(ctx context.Context, data []byte, width, height int, need picture.Need) (*picture.Picture, error) {
	list, err := chunks(data)
	if err != nil {
		return nil, err
	}
	return decodePicture(ctx, list, width, height, need)
}

// Decode decodes a still as Planes does, to an *image.YCbCr in the full range or an *image.NRGBA.
func Decode(ctx context.Context, data []byte, width, height int) (image.Image, error) {
	p, err := Planes(ctx, data, width, height, picture.Need{Exact: true})
	if err != nil {
		return nil, err
	}
	return imageOf(p), nil
}

// decodePicture decodes the picture among the chunks of a still or of a frame.
func decodePicture(ctx context.Context, list []chunk, width, height int, need picture.Need) (*picture.Picture, error) {
	if frame := find(list, "VP8 "); len(frame) >= 10 {
		return lossy(ctx, frame, find(list, "ALPH"), width, height, need)
	}
	if stream := find(list, "VP8L"); len(stream) >= 5 {
		bits := int(binary.LittleEndian.Uint32(stream[1:]))
		if w, h := bits&0x3fff+1, bits>>14&0x3fff+1; w != width || h != height {
			return nil, otherSize(w, h, width, height)
		}
		return lossless(stream, width, height, need)
	}
	return nil, io.ErrUnexpectedEOF
}

func otherSize(w, h, width, height int) error {
	return fmt.Errorf("webp: a picture of %d×%d pixels, %d×%d were announced", w, h, width, height)
}

// imageOf returns a picture as the standard library holds it.
func imageOf(p *picture.Picture) image.Image {
	w, h := p.Width(), p.Height()
	a, b, c := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	if p.Model == picture.YCbCr {
		img := &image.YCbCr{
			Y: a.Pix, Cb: b.Pix, Cr: c.Pix, YStride: a.Stride, CStride: b.Stride,
			SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, w, h),
		}
		if p.Alpha == nil {
			return expand(img)
		}
		return withAlpha(&image.NYCbCrA{YCbCr: *img, A: p.Alpha.Pix, AStride: p.Alpha.Stride})
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		for x := range w {
			row[4*x], row[4*x+1], row[4*x+2] = a.Pix[y*a.Stride+x], b.Pix[y*b.Stride+x], c.Pix[y*c.Stride+x]
			row[4*x+3] = 255
			if p.Alpha != nil {
				row[4*x+3] = p.Alpha.Pix[y*p.Alpha.Stride+x]
			}
		}
	}
	return img
}
