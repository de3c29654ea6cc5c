package pipeline

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine"
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
	factor := squares(src.fineness(p))
	linear := resample.NewLinear(channels, w, factor, t.curves())
	across, down := src.part(p, factor)
	made := linear.Add(p.width, p.height, across, down)
	row := make([]byte, channels*w)
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
	linear.Close()
	return t.ofLight(made, channels, p)
}

// squares returns of how many pixels, across and down, the squares are whose mean light a picture is made of that is so
// many times less fine.
func squares(fineness float64) int {
	return min(max(int(fineness/finer+little), 1), resample.MaxBox)
}

// readLinear makes all variants in linear light while the rows of a decoder arrive, so that the picture is never in
// memory as a whole. They are the sources. It returns none where a variant needs the picture itself.
func (t *transform) readLinear(src engine.RowSource) ([]source, error) {
	if ofInks(src) {
		return nil, nil
	}
	w, h := src.Size()
	all := t.sourceOf(w, h)
	fineness := math.Inf(1)
	for _, m := range t.made {
		if m.searches || !m.scales() {
			return nil, nil
		}
		fineness = min(fineness, all.fineness(&m.plan))
	}
	factor := squares(fineness)
	linear := resample.NewLinear(src.Channels(), w, factor, t.curves())
	made := make([]*resample.LinearPicture, len(t.made))
	order := t.order()
	for i, m := range order {
		across, down := all.part(&m.plan, factor)
		made[i] = linear.Add(m.width, m.height, across, down)
	}
	opaque, err := t.rows(src, linear)
	if err != nil {
		return nil, err
	}
	linear.Close()
	var sources []source
	for i, m := range order {
		m.streamed = t.ofLight(made[i], src.Channels(), &m.plan)
		if opaque {
			m.streamed.Alpha = nil
		}
		sources = append(sources, source{m.streamed, m.window})
	}
	return sources, nil
}

// ofLight returns a picture that was made in linear light as planes of levels. An even number of channels has alpha.
func (t *transform) ofLight(made *resample.LinearPicture, channels int, p *plan) *picture.Picture {
	color := channels - 1 + channels%2
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
	row := make([]byte, channels*p.width)
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

// part returns the stretches of a source's first plane that a plan is made of, across and down, in squares of
// factor×factor samples.
func (s *source) part(p *plan, factor int) (across, down resample.Part) {
	c, f := &s.Planes[0], float64(factor)
	shrunk := func(n picture.Span) picture.Span { return picture.Span{Begin: n.Begin / f, Length: n.Length / f} }
	across.Span, across.First, across.Last = viewed(shrunk(c.Across), (c.Width+factor-1)/factor, s.window.x, s.window.w,
		p.window.x, p.window.w, p.bounds.x, p.bounds.w)
	down.Span, down.First, down.Last = viewed(shrunk(c.Down), (c.Height+factor-1)/factor, s.window.y, s.window.h,
		p.window.y, p.window.h, p.bounds.y, p.bounds.h)
	return across, down
}
