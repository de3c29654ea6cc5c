package reference

import (
	"image"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
)

// Curves returns a function that says how much light the samples of a picture with a profile stand for. Without a
// profile, and where it has tables in place of curves, they are those of sRGB. Inks become sRGB before they are
// resampled. The first call computes the curves; later ones return them again.
func Curves(p *icc.Profile) func() *resample.Curves {
	return sync.OnceValue(func() *resample.Curves {
		if p != nil {
			if tables := p.Curves(); tables != nil {
				if c := resample.NewCurves(tables); c != nil {
					return c
				}
			}
		}
		return resample.SRGBCurves()
	})
}

// CurvesAfter returns the curves of the samples that the input's become in a variant. input returns those of the
// input's.
func (c *Color) CurvesAfter(input func() *resample.Curves) *resample.Curves {
	if c.Convert != nil || c.Inks != nil {
		return resample.SRGBCurves()
	}
	return input()
}

// resizedLinear resamples a picture to w×h pixels in linear light.
func resizedLinear(img *image.NRGBA, w, h int, curves *resample.Curves) *image.NRGBA {
	whole := func(n int) resample.Part { return resample.Part{Last: n, Span: picture.Span{Length: float64(n)}} }
	size := img.Rect.Size()
	linear := resample.NewLinear(4, size.X, 1, curves)
	var planes [4]picture.Plane
	var all []*picture.Plane
	for c := range planes {
		planes[c] = picture.Whole(make([]byte, w*h), w, h)
		all = append(all, &planes[c])
	}
	linear.Add(all, whole(size.X), whole(size.Y))
	for y := range size.Y {
		linear.Row(img.Pix[y*img.Stride:][:4*size.X])
	}
	p := picture.Picture{Model: picture.RGB, Planes: planes[:3], Alpha: &planes[3]}
	return p.NRGBA()
}
