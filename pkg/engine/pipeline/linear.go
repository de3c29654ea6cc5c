package pipeline

import (
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
)

// scales reports whether a plan makes its picture of more or fewer samples.
func (p *plan) scales() bool {
	return float64(p.width) != p.window.w || float64(p.height) != p.window.h
}

// resampledLinear makes the picture of a plan in linear light: gray, or red, green and blue.
func (t *transform) resampledLinear(p *plan) *picture.Picture {
	src := t.best(p)
	w := src.Width()
	channels := 3
	if src.Model == picture.Gray {
		channels = 1
	}
	color := channels
	if src.Alpha != nil {
		channels++
	}
	across, down := src.part(p)
	linear := resample.NewLinear(channels, w, t.curves())
	made := linear.Add(p.width, p.height, across, down)
	row := make([]byte, channels*max(w, p.width))
	src.EachRow(reference.Inks(t.profile), func(_ int, pixels []byte) {
		for x := range w {
			to, from := row[channels*x:][:channels], pixels[4*x:][:4]
			copy(to[:color], from)
			if color < channels {
				to[color] = from[3]
			}
		}
		linear.Row(row)
	})
	out := &picture.Picture{Model: picture.RGB}
	if color == 1 {
		out.Model = picture.Gray
	}
	planes := make([]picture.Plane, channels)
	for i := range planes {
		planes[i] = picture.Whole(t.space.memory(p.width*p.height), p.width, p.height)
	}
	if out.Planes = planes[:color]; color < channels {
		out.Alpha = &planes[color]
	}
	for y := range p.height {
		made.Row(row, y)
		for i := range planes {
			to := planes[i].Pix[y*p.width:][:p.width]
			for x := range to {
				to[x] = row[channels*x+i]
			}
		}
	}
	return out
}

// part returns the stretches of a source's first plane that a plan is made of, across and down.
func (s *source) part(p *plan) (across, down resample.Part) {
	c := &s.Planes[0]
	across.Span, across.First, across.Last = viewed(c.Across, c.Width, s.window.x, s.window.w, p.window.x, p.window.w,
		p.bounds.x, p.bounds.w)
	down.Span, down.First, down.Last = viewed(c.Down, c.Height, s.window.y, s.window.h, p.window.y, p.window.h,
		p.bounds.y, p.bounds.h)
	return across, down
}
