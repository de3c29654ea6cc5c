package pipeline

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// source is a picture that variants can be made from, and the window of the input that it shows.
type source struct {
	*picture.Picture
	window
}

// little is less than any difference that matters, in pixels, and more than what arithmetic loses.
const little = 1e-6

// sourceOf returns a source without samples that shows the whole input in w×h pixels, for rows that are not kept.
func (t *transform) sourceOf(w, h int) *source {
	plane := picture.Plane{
		Width: w, Height: h, Across: picture.Span{Length: float64(w)}, Down: picture.Span{Length: float64(h)},
	}
	return &source{&picture.Picture{Planes: []picture.Plane{plane}}, t.all()}
}

// best returns the smallest source that is finer than a plan, or else the finest.
func (t *transform) best(p *plan) *source {
	for i := len(t.sources) - 1; i > 0; i-- {
		s := &t.sources[i]
		if p.within(s.window) && s.fineness(p) >= finer-little {
			return s
		}
	}
	return &t.sources[0]
}

// is reports whether the source's first plane is what a plan makes.
func (s *source) is(p *plan) bool {
	return p.window == s.window && s.Width() == p.width && s.Height() == p.height &&
		s.Planes[0].Across.Length == float64(p.width) && s.Planes[0].Down.Length == float64(p.height)
}

// within reports whether all that the plan's filter may read is in a window, or what is not was cut off there.
func (p *plan) within(w window) bool {
	return p.window.same(w) || p.bounds.x >= w.x-little && p.bounds.y >= w.y-little &&
		p.bounds.x+p.bounds.w <= w.x+w.w+little && p.bounds.y+p.bounds.h <= w.y+w.h+little
}

// fineness returns how many samples the source has for each of a plan's, in the worse of the two directions.
func (s *source) fineness(p *plan) float64 {
	across := float64(s.Width()) / s.window.w * p.window.w / float64(p.width)
	down := float64(s.Height()) / s.window.h * p.window.h / float64(p.height)
	return min(across, down)
}

// view returns a plane of the source with the plan's window as its span, and without what is outside of its bounds.
func (s *source) view(c *picture.Plane, p *plan) picture.Plane {
	v := *c
	var first, last int
	v.Across, first, last = viewed(c.Across, c.Width, s.window.x, s.window.w, p.window.x, p.window.w, p.bounds.x,
		p.bounds.w)
	v.Pix, v.Width = v.Pix[first:], last-first
	v.Down, first, last = viewed(c.Down, c.Height, s.window.y, s.window.h, p.window.y, p.window.h, p.bounds.y, p.bounds.h)
	v.Pix, v.Height = v.Pix[first*v.Stride:], last-first
	return v
}

// viewed returns, for one direction, the span of a window among the samples of a plane, of which those from first to
// last are within bounds.
func viewed(span picture.Span, size int, from, length, window, windowLength, bound,
	boundLength float64) (_ picture.Span, first, last int) {
	at := func(x float64) float64 { return span.Begin + (x-from)/length*span.Length }
	first = min(max(int(math.Floor(at(bound)+little)), 0), size-1)
	last = min(max(int(math.Ceil(at(bound+boundLength)-little)), first+1), size)
	begin := at(window) - float64(first)
	if whole := math.Round(begin); math.Abs(begin-whole) < little {
		begin = whole
	}
	return picture.Span{Begin: begin, Length: span.Length * (windowLength / length)}, first, last
}
