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
)

// webpDynamic is what makes gen2brain/webp call a libwebp.so that it has loaded as the program started.
//
//go:linkname webpDynamic github.com/gen2brain/webp.dynamic
var webpDynamic bool

// translated keeps that package to its translation of libwebp: package native alone decides where a C library is
// called.
var translated = sync.OnceFunc(func() { set(&webpDynamic, false) })

func set(b *bool, v bool) { *b = v }

// method trades speed for size, 0 to 6; libwebp's own default.
const method = 4

// Encode encodes a still, lossy with a lossless alpha plane where anything is transparent.
func Encode(img *image.NRGBA, quality int) ([]byte, error) {
	size := img.Rect.Size()
	if size.X < 1 || size.Y < 1 || len(img.Pix) < (size.Y-1)*img.Stride+4*size.X {
		return nil, errors.New("webp: no picture to encode")
	}
	if lib, err := native.LibWebP(); err == nil {
		return lib.EncodeRGBA(img.Pix, img.Stride, size.X, size.Y, quality, method)
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
	err := webp.Encode(&b, img, webp.Options{Quality: quality, Method: method})
	return b.Bytes(), err
}

// EncodePlanes encodes luma and colour as they are, half the width and height of luma for colour (rounded up), in the
// limited range that lossy WebP stores.
func EncodePlanes(img *image.YCbCr, quality int) ([]byte, error) {
	if err := checkPlanes(img); err != nil {
		return nil, err
	}
	if lib, err := native.LibWebP(); err == nil {
		return lib.Encode(planesOf(img), quality, method)
	}
	opaque := bytes.Repeat([]byte{255}, img.Rect.Dx()) // one row for all: nothing is transparent, and no alpha is stored
	translated()
	var b bytes.Buffer
	err := webp.Encode(&b, &image.NYCbCrA{YCbCr: *img, A: opaque}, webp.Options{Quality: quality, Method: method})
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
