package webp

import (
	"errors"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/vp8"
)

// Options tell how to encode a picture.
type Options struct {
	Quality int // 1 to 100, of a lossy picture
	Effort  int // 0 (fast) to 6 (small)

	// Lossless keeps every sample of what is not wholly transparent.
	Lossless bool
	// Loss, of a lossless picture, is how much of that may be given up for size: 0 (nothing) to 100.
	Loss int
	// SharpYUV, of a lossy picture, chooses samples of colour for sharp edges.
	SharpYUV bool
}

func (o Options) native() native.WebPOptions {
	out := native.WebPOptions{
		Quality: o.Quality, Method: o.Effort, Lossless: o.Lossless, Loss: o.Loss, SharpYUV: o.SharpYUV,
	}
	if o.Lossless {
		out.Quality = losslessQuality
	}
	return out
}

// losslessQuality is how hard a lossless encoder tries within its method: libwebp's own default.
const losslessQuality = 75

// Own reports whether package vp8 encodes a picture, if it is opaque, in a process without libwebp. Pictures that are
// lossless or have alpha are encoded by libwebp in WebAssembly.
func (o Options) Own() bool { return !o.Lossless && !o.SharpYUV }

// Encode encodes a still: lossy with a lossless alpha plane where anything is transparent, or lossless. The error is an
// *outcome.Rejection when this process has no codec for what is asked.
func Encode(img *image.NRGBA, opt Options) ([]byte, error) {
	size := img.Rect.Size()
	if size.X < 1 || size.Y < 1 || len(img.Pix) < (size.Y-1)*img.Stride+4*size.X {
		return nil, errors.New("webp: no picture to encode")
	}
	if lib, err := native.LibWebP(); err == nil {
		return lib.EncodeRGBA(img.Pix, img.Stride, size.X, size.Y, opt.native())
	}
	if opt.Own() && img.Opaque() {
		return encodeOwn(planesOf(img), opt)
	}
	return encodeInSandbox(img, opt)
}

// EncodePlanes encodes luma and colour as they are, half the width and height of luma for colour (rounded up), in the
// limited range that lossy WebP stores. A lossless picture, or one of sharp colour, is made by Encode alone.
func EncodePlanes(img *image.YCbCr, opt Options) ([]byte, error) {
	if err := checkPlanes(img); err != nil {
		return nil, err
	}
	if opt.Lossless || opt.SharpYUV {
		return nil, errors.New("webp: planes of coarse colour can be neither lossless nor sharp")
	}
	if lib, err := native.LibWebP(); err == nil {
		return lib.Encode(pictureOf(img), opt.native())
	}
	return encodeOwn(img, opt)
}

// encodeOwn encodes planes by package vp8.
func encodeOwn(img *image.YCbCr, opt Options) ([]byte, error) {
	frame, err := vp8.Encode(img, vp8.EncodeOptions{Quality: opt.Quality, Effort: opt.Effort})
	if err != nil {
		return nil, err
	}
	return build([]chunk{{"VP8 ", frame}}), nil
}

// pictureOf returns the planes of an image in the limited range, which share its memory.
func pictureOf(img *image.YCbCr) *picture.Picture {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	p := &picture.Picture{Model: picture.YCbCr, Limited: true}
	for i, pix := range [][]byte{img.Y, img.Cb, img.Cr} {
		plane := picture.Plane{Pix: pix, Stride: img.YStride, Width: w, Height: h}
		plane.Across, plane.Down = picture.Span{Length: float64(w)}, picture.Span{Length: float64(h)}
		if i > 0 {
			plane.Stride, plane.Width, plane.Height = img.CStride, (w+1)/2, (h+1)/2
			plane.Across.Length, plane.Down.Length = float64(w)/2, float64(h)/2
		}
		p.Planes = append(p.Planes, plane)
	}
	return p
}
