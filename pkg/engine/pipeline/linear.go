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
	model := picture.RGB
	if src.Model == picture.Gray {
		model = picture.Gray
	}
	color := model.Planes()
	channels := color
	if src.Alpha != nil {
		channels++
	}
	factor := squares(src.fineness(p))
	linear := resample.NewLinear(channels, src.Width(), factor, t.curves())
	out := picture.Lay(t.space.memory(color*p.width*p.height), model, p.width, p.height, picture.Chroma{})
	var planes []*picture.Plane
	for i := range out.Planes {
		planes = append(planes, &out.Planes[i])
	}
	if src.Alpha != nil {
		alpha := picture.Whole(t.space.memory(p.width*p.height), p.width, p.height)
		out.Alpha = &alpha
		planes = append(planes, &alpha)
	}
	across, down := src.part(p, factor)
	linear.Add(planes, across, down)
	src.EachRow(reference.Inks(t.profile), func(_ int, pixels []byte) { linear.NRGBARow(pixels) })
	linear.Close()
	return out
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
	var made []*layout
	var sources []source
	for _, m := range t.order() {
		p, planes := t.layout(src, m.width, m.height)
		m.streamed = &p.Picture
		made, sources = append(made, p), append(sources, source{m.streamed, m.window})
		across, down := all.part(&m.plan, factor)
		linear.Add(planes, across, down)
	}
	opaque, err := t.rows(src, linear)
	if err != nil {
		return nil, err
	}
	linear.Close()
	for _, p := range made {
		p.opaque(opaque)
	}
	return sources, nil
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
