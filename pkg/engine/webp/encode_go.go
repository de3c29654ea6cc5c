//go:build !libwebp

package webp

import (
	"bytes"
	"image"

	"github.com/gen2brain/webp"
)

// Encoder names what encodes in this build.
const Encoder = "libwebp translated to Go"

// method trades speed for size, 0 to 6; libwebp's own default.
const method = 4

// Encode encodes a still, lossy with a lossless alpha plane where anything is transparent.
func Encode(img *image.NRGBA, quality int) ([]byte, error) {
	if img.Stride != 4*img.Rect.Dx() { // the library takes the rows as one
		packed := image.NewNRGBA(image.Rect(0, 0, img.Rect.Dx(), img.Rect.Dy()))
		for y := range img.Rect.Dy() {
			copy(packed.Pix[y*packed.Stride:][:packed.Stride], img.Pix[y*img.Stride:])
		}
		img = packed
	}
	var b bytes.Buffer
	err := webp.Encode(&b, img, webp.Options{Quality: quality, Method: method})
	return b.Bytes(), err
}

// EncodePlanes encodes luma and colour as they are, half the width and height of luma for colour (rounded up), in the
// studio range that lossy WebP stores.
func EncodePlanes(img *image.YCbCr, quality int) ([]byte, error) {
	if err := checkPlanes(img); err != nil {
		return nil, err
	}
	size := img.Rect.Size()
	opaque := bytes.Repeat([]byte{255}, size.X) // one row for all: nothing is transparent, and no alpha is stored
	var b bytes.Buffer
	err := webp.Encode(&b, &image.NYCbCrA{YCbCr: *img, A: opaque}, webp.Options{Quality: quality, Method: method})
	return b.Bytes(), err
}
