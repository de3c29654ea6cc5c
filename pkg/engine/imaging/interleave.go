package imaging

import (
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
)

// Interleave returns a picture as red, green, blue and alpha, in the size of its first plane.
func Interleave(p *picture.Picture) *image.NRGBA {
	w, h := p.Width(), p.Height()
	var r resample.Resampler
	out := picture.Lay(make([]byte, picture.Bytes(p.Model, w, h, false)), p.Model, w, h, false)
	out.Matrix, out.Limited, out.Premultiplied = p.Matrix, p.Limited, p.Premultiplied
	for i := range out.Planes {
		r.Lanczos(&out.Planes[i], &p.Planes[i])
	}
	if p.Alpha != nil {
		alpha := picture.Whole(make([]byte, w*h), w, h)
		r.Lanczos(&alpha, p.Alpha)
		out.Alpha = &alpha
	}
	return out.NRGBA()
}
