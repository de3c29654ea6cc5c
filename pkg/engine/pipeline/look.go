package pipeline

import (
	"image"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
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

// deepGlance is glance of a picture of 16 bits a sample.
func deepGlance(p *resample.DeepPicture) *image.NRGBA {
	size := reference.GlanceSize(p.Width, p.Height)
	out := image.NewNRGBA(image.Rectangle{Max: size})
	columns := reference.Spots(p.Width, size.X)
	for y, ys := range reference.Spots(p.Height, size.Y) {
		for x, xs := range columns {
			at := 2 * p.Channels * (ys[len(ys)/2]*p.Width + xs[len(xs)/2]) // one pixel is enough for blots
			pixel := [4]byte{3: 255}
			for c := range p.Channels {
				pixel[c] = p.Pix[at+2*c]
			}
			switch p.Channels {
			case 1:
				pixel[1], pixel[2] = pixel[0], pixel[0]
			case 2:
				pixel[3], pixel[1], pixel[2] = pixel[1], pixel[0], pixel[0]
			}
			copy(out.Pix[y*out.Stride+4*x:], pixel[:])
		}
	}
	return out
}
