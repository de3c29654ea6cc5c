package reference

import (
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
)

// resizedLinear resamples a picture to w×h pixels in linear light.
func resizedLinear(img *image.NRGBA, w, h int) *image.NRGBA {
	whole := func(n int) resample.Part { return resample.Part{Last: n, Span: picture.Span{Length: float64(n)}} }
	size := img.Rect.Size()
	linear := resample.NewLinear(4, size.X)
	made := linear.Add(w, h, whole(size.X), whole(size.Y))
	for y := range size.Y {
		linear.Row(img.Pix[y*img.Stride:][:4*size.X])
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		made.Row(out.Pix[y*out.Stride:], y)
	}
	return out
}
