package pipeline

import (
	"image"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/thumbhash"
)

// look notes how the smallest variant looks, of an animation its first frame.
func (t *transform) look(m *variant, glance func() *image.NRGBA) {
	if m != t.smallest || t.seen != nil {
		return
	}
	begun := time.Now()
	defer func() { t.stages.Transform += time.Since(begun) }()
	seen := thumbhash.Of(glance())
	t.seen = &seen
}

// glance returns a picture at the size of a glance. Planes are made small before they become red, green and blue.
func glance(p *picture.Picture) *image.NRGBA {
	small := *p
	small.Planes = make([]picture.Plane, len(p.Planes))
	size := reference.GlanceSize(p.Width(), p.Height())
	for i, c := range p.Planes {
		to := picture.Whole(make([]byte, size.X*size.Y), size.X, size.Y)
		columns, rows := reference.Spots(c.Width, size.X), reference.Spots(c.Height, size.Y)
		for y, ys := range rows {
			for x, xs := range columns {
				sum := 0
				for _, sy := range ys {
					row := c.Pix[sy*c.Stride:]
					for _, sx := range xs {
						sum += int(row[sx])
					}
				}
				to.Pix[y*to.Stride+x] = byte(sum / (len(xs) * len(ys)))
			}
		}
		small.Planes[i] = to
	}
	return small.NRGBA()
}
