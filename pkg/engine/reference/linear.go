package reference

import (
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
)

// Curves returns how much light the samples of a picture with a profile stand for. Without a profile, and where it has
// tables in place of curves, they are those of sRGB. Inks become sRGB before they are resampled.
func Curves(p *icc.Profile) *resample.Curves {
	if p != nil {
		if tables := p.Curves(); tables != nil {
			if c := resample.NewCurves(tables); c != nil {
				return c
			}
		}
	}
	return resample.SRGBCurves()
}

// CurvesAfter is Curves for the samples that have become of the input's.
func (c *Color) CurvesAfter(p *icc.Profile) *resample.Curves {
	if c.Convert != nil || c.Inks != nil {
		return resample.SRGBCurves()
	}
	return Curves(p)
}

// resizedLinear resamples a picture to w×h pixels in linear light.
func resizedLinear(img *image.NRGBA, w, h int, curves *resample.Curves) *image.NRGBA {
	whole := func(n int) resample.Part { return resample.Part{Last: n, Span: picture.Span{Length: float64(n)}} }
	size := img.Rect.Size()
	linear := resample.NewLinear(4, size.X, curves)
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
