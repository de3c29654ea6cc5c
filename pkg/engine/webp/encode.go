package webp

import (
	"bytes"
	"errors"
	"image"
	"sync"
	_ "unsafe" // for go:linkname

	"github.com/gen2brain/webp"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// webpDynamic is what makes gen2brain/webp call a libwebp.so that it has loaded as the program started.
//
//go:linkname webpDynamic github.com/gen2brain/webp.dynamic
var webpDynamic bool

// translated keeps that package to its translation of libwebp: package native alone decides where a C library is
// called.
var translated = sync.OnceFunc(func() { set(&webpDynamic, false) })

func set(b *bool, v bool) { *b = v }

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

func (o Options) translated() (webp.Options, error) {
	const without = "the codec that this process uses (gen2brain/webp, libwebp translated to Go) has no %s; an " +
		"installed libwebp has"
	switch {
	case o.Loss > 0:
		return webp.Options{}, outcome.Reject(outcome.Unsupported, without, "near-lossless")
	case o.SharpYUV:
		return webp.Options{}, outcome.Reject(outcome.Unsupported, without, "sharp-yuv")
	}
	n := o.native()
	return webp.Options{Quality: n.Quality, Method: n.Method, Lossless: n.Lossless}, nil
}

// losslessQuality is how hard a lossless encoder tries within its method: libwebp's own default.
const losslessQuality = 75

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
	options, err := opt.translated()
	if err != nil {
		return nil, err
	}
	if img.Stride != 4*size.X { // the library takes the rows as one
		packed := image.NewNRGBA(image.Rect(0, 0, size.X, size.Y))
		for y := range size.Y {
			copy(packed.Pix[y*packed.Stride:][:packed.Stride], img.Pix[y*img.Stride:])
		}
		img = packed
	}
	translated()
	var b bytes.Buffer
	err = webp.Encode(&b, img, options)
	return b.Bytes(), err
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
		return lib.Encode(planesOf(img), opt.native())
	}
	options, err := opt.translated()
	if err != nil {
		return nil, err
	}
	opaque := bytes.Repeat([]byte{255}, img.Rect.Dx()) // one row for all: nothing is transparent, and no alpha is stored
	translated()
	var b bytes.Buffer
	err = webp.Encode(&b, &image.NYCbCrA{YCbCr: *img, A: opaque}, options)
	return b.Bytes(), err
}

// planesOf returns the planes of an image in the limited range, which share its memory.
func planesOf(img *image.YCbCr) *picture.Picture {
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
