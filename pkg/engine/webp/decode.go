package webp

import (
	"context"
	"fmt"
	"image"
	"io"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/raster"
	"github.com/imagefarm/imagefarm/pkg/vp8l"
)

// Planes decodes a lossy still without alpha: planes of YCbCr in the limited range. It returns nil without an error for
// another still, which Rows reads. width and height are what the header announced; a picture of another size is refused
// before it is decoded. The picture is shrunk by an integer factor as far as need allows, while it is decoded.
//
// The error is the context's cause where it ended, or says what is wrong with the picture.
func Planes(ctx context.Context, data []byte, width, height int, need picture.Need) (*picture.Picture, error) {
	s, err := read(data)
	if err != nil || !s.planar() {
		return nil, err
	}
	return s.planes(ctx, width, height, need)
}

// Rows opens a still that is lossless or has alpha: rows of red, green, blue and alpha. It returns nil without an error
// for another still, of which Planes makes less. Options and errors are those of Planes.
func Rows(data []byte, width, height int, need picture.Need) (raster.Reader, error) {
	s, err := read(data)
	if err != nil || s.planar() {
		return nil, err
	}
	return s.rows(width, height, need)
}

// Decode decodes a still to an *image.YCbCr in the full range or an *image.NRGBA. Its errors are those of Planes.
func Decode(ctx context.Context, data []byte, width, height int) (image.Image, error) {
	s, err := read(data)
	if err != nil {
		return nil, err
	}
	if !s.planar() {
		return s.decode(ctx, width, height)
	}
	p, err := s.planes(ctx, width, height, picture.Need{Exact: true})
	if err != nil {
		return nil, err
	}
	return expand(&image.YCbCr{
		Y: p.Planes[0].Pix, Cb: p.Planes[1].Pix, Cr: p.Planes[2].Pix, YStride: p.Planes[0].Stride,
		CStride: p.Planes[1].Stride, SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, width, height),
	}), nil
}

// still is the coded picture of a file or of a frame: a lossy one, which may have alpha, or a lossless one.
type still struct{ lossy, alpha, lossless []byte }

// read finds the picture of a file.
func read(data []byte) (still, error) {
	list, err := chunks(data)
	if err != nil {
		return still{}, err
	}
	return stillOf(list)
}

// stillOf finds the picture among the chunks of a file or of a frame.
func stillOf(list []chunk) (still, error) {
	if frame := find(list, "VP8 "); len(frame) >= 10 {
		return still{lossy: frame, alpha: find(list, "ALPH")}, nil
	}
	if stream := find(list, "VP8L"); len(stream) >= 5 {
		return still{lossless: stream}, nil
	}
	return still{}, io.ErrUnexpectedEOF
}

// planar reports whether the picture has no other samples than those of YCbCr.
func (s *still) planar() bool { return s.lossy != nil && s.alpha == nil }

// rows opens the picture as rows of red, green, blue and alpha.
func (s *still) rows(width, height int, need picture.Need) (raster.Reader, error) {
	if s.lossy != nil {
		return s.blended(width, height, need)
	}
	w, h, err := vp8l.Size(s.lossless)
	if err != nil {
		return nil, err
	}
	if w != width || h != height {
		return nil, otherSize(w, h, width, height)
	}
	return vp8l.Open(s.lossless, raster.Options{MaxPixels: int64(width) * int64(height)})
}

// decode decodes the picture as a whole.
func (s *still) decode(ctx context.Context, width, height int) (*image.NRGBA, error) {
	r, err := s.rows(width, height, picture.Need{Exact: true})
	if err != nil {
		return nil, err
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := r.ReadRow(img.Pix[y*img.Stride:][:img.Stride]); err != nil {
			return nil, err
		}
	}
	return img, nil
}

func otherSize(w, h, width, height int) error {
	return fmt.Errorf("webp: a picture of %d×%d pixels, %d×%d were announced", w, h, width, height)
}
