package pipeline

import (
	"fmt"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// finishPlanes does the rest on planes: what works on each of them alone. The picture itself stays as it is, since
// smaller variants may be made from it.
func (t *transform) finishPlanes(m *variant, p *picture.Picture) *picture.Picture {
	for _, o := range m.rest {
		switch o.Word {
		case recipe.Gray:
			p = t.withoutColor(p, m.Profile == nil || m.ForGray)
		case recipe.Blur:
			p = t.filtered(p, o.N, false)
		case recipe.Sharpen:
			p = t.filtered(p, o.N, true)
		}
	}
	return t.turned(p, m.orientation)
}

// withoutColor returns the luma alone, or, where an output must have three components, with neutral colour.
func (t *transform) withoutColor(p *picture.Picture, single bool) *picture.Picture {
	if p.Model == picture.Gray {
		return p
	}
	if single {
		return &picture.Picture{Model: picture.Gray, Planes: p.Planes[:1], Limited: p.Limited}
	}
	out := *p
	out.Planes = []picture.Plane{p.Planes[0], p.Planes[1], p.Planes[2]}
	neutral := t.space.memory(p.Planes[1].Width * p.Planes[1].Height)
	for i := range neutral {
		neutral[i] = 128
	}
	for i := 1; i < 3; i++ {
		out.Planes[i].Pix, out.Planes[i].Stride = neutral, p.Planes[i].Width
	}
	return &out
}

// filtered returns a picture blurred, or sharpened by what the blur takes away. sigma is in pixels of the picture.
func (t *transform) filtered(p *picture.Picture, sigma float64, sharpen bool) *picture.Picture {
	out := *p
	out.Planes = make([]picture.Plane, len(p.Planes))
	for i := range p.Planes {
		c := &p.Planes[i]
		soft := picture.Whole(t.space.memory(c.Width*c.Height), c.Width, c.Height)
		soft.Across, soft.Down = c.Across, c.Down
		across, down := c.Across.Length/float64(p.Width()), c.Down.Length/float64(p.Height())
		t.space.resampler.Gauss(&soft, c, sigma, across, down)
		if sharpen {
			for y := range c.Height {
				unsharp(soft.Pix[y*soft.Stride:][:c.Width], c.Pix[y*c.Stride:][:c.Width])
			}
		}
		out.Planes[i] = soft
	}
	return &out
}

// unsharp replaces the blurred samples by the sharp ones plus what the blur took from them.
func unsharp(soft, sharp []byte) {
	sharp = sharp[:len(soft)]
	for i, s := range soft {
		soft[i] = byte(min(max(2*int(sharp[i])-int(s), 0), 255))
	}
}

// finishPixels does the rest on red, green, blue and alpha.
func (t *transform) finishPixels(m *variant, p *picture.Picture) (*image.NRGBA, error) {
	img := m.NRGBA(t.turned(p, m.orientation))
	var linear *resample.Curves
	if m.Linear {
		linear = m.CurvesAfter(t.curves)
	}
	for i, o := range m.rest {
		var err error
		if img, err = reference.Apply(img, o, m.Enlarge, linear, m.scaled && i == 0, m.marks[o.Asset]); err != nil {
			return nil, fmt.Errorf("variant %s: %w", m.Name, err)
		}
	}
	if img.Rect.Empty() {
		return nil, fmt.Errorf("variant %s came out empty", m.Name)
	}
	return img, nil
}
