package pipeline

import (
	"image"
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// plan says how a variant comes about: one window of the input, resampled once to width×height, turned, and then the
// rest of the operations on the small picture. Window and size are as the input is stored, before any orientation.
type plan struct {
	window        window
	bounds        window // what may be read: a filter must not see what an operation has cut off before
	width, height int
	orientation   picture.Orientation
	rest          []recipe.Op
	scaled        bool // the first of rest is a pad whose picture is scaled already
	enlarges      bool // the picture is no source for other variants
	searches      bool // where a window is depends on the pixels
}

// window is a rectangle of the input, in pixels of its full size.
type window struct{ x, y, w, h float64 }

// search finds what depends on the pixels of a plan that was made so far, as displayed.
type search interface {
	busiest(so plan, w, h int) image.Point     // where smart gravity cuts w×h out
	content(so plan, trim int) image.Rectangle // what a trim leaves, the variant's operation of that number
}

// planOf collapses the leading geometry of a variant, as far as it goes. Without a search smart gravity cuts in the
// middle, which has the same size, and trim leaves all.
func planOf(info header.Info, v recipe.Variant, in search) plan {
	whole := window{0, 0, float64(info.Width), float64(info.Height)}
	p := plan{window: whole, bounds: whole, width: info.Width, height: info.Height}
	if v.Orient {
		p.orientation = picture.EXIF(info.Orientation)
	}
	for i, o := range v.Ops {
		w, h := p.displayed()
		switch o.Word {
		case recipe.Fit, recipe.Force:
			w, h, _ = o.Size(w, h, v.Enlarge)
			p.scale(w, h)
		case recipe.Fill:
			p.scale(o.Cover(w, h, v.Enlarge))
			p.cut(o, in)
		case recipe.Crop:
			p.cut(o, in)
		case recipe.Trim:
			p.searches = true
			if in != nil {
				r := in.content(p, i)
				p.keep(r.Min.X, r.Min.Y, r.Dx(), r.Dy())
			}
		case recipe.Rotate:
			p.turn(picture.EXIF(map[float64]int{90: 6, 180: 3, 270: 8}[o.N]))
		case recipe.Flip:
			p.turn(picture.EXIF(4))
		case recipe.Flop:
			p.turn(picture.EXIF(2))
		case recipe.Pad:
			p.scale(o.Inner(w, h, v.Enlarge))
			p.rest, p.scaled = v.Ops[i:], true
			return p
		default:
			p.rest = v.Ops[i:]
			return p
		}
	}
	return p
}

// displayed returns the size so far after the orientation.
func (p *plan) displayed() (w, h int) {
	if p.orientation.Swap {
		return p.height, p.width
	}
	return p.width, p.height
}

// scale sets the size, as displayed.
func (p *plan) scale(w, h int) {
	if p.orientation.Swap {
		w, h = h, w
	}
	if w == p.width && h == p.height {
		return
	}
	p.bounds = p.window
	p.width, p.height = w, h
	p.enlarges = float64(w) > p.window.w || float64(h) > p.window.h
}

func (p *plan) turn(next picture.Orientation) { p.orientation = p.orientation.Then(next) }

// cut cuts o's size out at o's gravity.
func (p *plan) cut(o recipe.Op, in search) {
	dw, dh := p.displayed()
	w, h := dw, dh
	if o.W > 0 {
		w = min(w, o.W)
	}
	if o.H > 0 {
		h = min(h, o.H)
	}
	if w == dw && h == dh {
		return
	}
	at := reference.Place(image.Pt(dw, dh), image.Pt(w, h), o.Gravity)
	if o.Gravity == recipe.Smart {
		p.searches = true
		if in != nil {
			at = in.busiest(*p, w, h)
		}
	}
	p.keep(at.X, at.Y, w, h)
}

// keep cuts the rectangle at x, y out, as displayed.
func (p *plan) keep(x, y, w, h int) {
	dw, dh := p.displayed()
	if p.orientation.Swap {
		x, y, w, h, dw, dh = y, x, h, w, dh, dw
	}
	if p.orientation.FlipX {
		x = dw - x - w
	}
	if p.orientation.FlipY {
		y = dh - y - h
	}
	acrossPixel, downPixel := p.window.w/float64(dw), p.window.h/float64(dh)
	p.window = window{
		p.window.x + float64(x)*acrossPixel, p.window.y + float64(y)*downPixel,
		float64(w) * acrossPixel, float64(h) * downPixel,
	}
	p.width, p.height = w, h
}

// same reports whether two windows are the same but for rounding.
func (a window) same(b window) bool {
	const little = 1e-6
	return math.Abs(a.x-b.x) < little && math.Abs(a.y-b.y) < little && math.Abs(a.w-b.w) < little &&
		math.Abs(a.h-b.h) < little
}
