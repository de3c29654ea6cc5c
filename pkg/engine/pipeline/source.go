package pipeline

import (
	"image"
	"math"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine/imaging"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
)

// source is a picture that variants can be made from, and the window of the input that it shows.
type source struct {
	*picture.Picture
	window
}

// decode decodes at the smallest scale that is finer than every variant. The error is errDoubtful.
func (t *transform) decode() error {
	begun := time.Now()
	defer func() { t.stages.Decode = time.Since(begun) }()
	var w, h float64
	for _, m := range t.made {
		if m.trims() { // at full size, where the border ends is seen
			w, h = float64(t.info.Width), float64(t.info.Height)
		}
		w = max(w, float64(m.width)/m.window.w*float64(t.info.Width))
		h = max(h, float64(m.height)/m.window.h*float64(t.info.Height))
	}
	p, err := t.decodeJPEG(int(math.Ceil(finer*w-little)), int(math.Ceil(finer*h-little)))
	if err != nil {
		return err
	}
	t.sources = append(t.sources, source{p, window{0, 0, float64(t.info.Width), float64(t.info.Height)}})
	return nil
}

// little is less than any difference that matters, in pixels, and more than what arithmetic loses.
const little = 1e-6

// decodeJPEG decodes to at least width×height, or at full size.
func (t *transform) decodeJPEG(width, height int) (*picture.Picture, error) {
	scale := jpeg.Full
	for _, s := range []jpeg.Scale{jpeg.Half, jpeg.Quarter, jpeg.Eighth} {
		if t.info.Width >= width*int(s) && t.info.Height >= height*int(s) {
			scale = s
		}
	}
	d := &t.space.decoded
	if err := t.space.decoder.Decode(d, t.data, jpeg.Options{Scale: scale, SkipRefinement: true}); err != nil {
		return nil, errDoubtful
	}
	return t.planes(d), nil
}

var models = [...]picture.Model{
	jpeg.Gray: picture.Gray, jpeg.YCbCr: picture.YCbCr, jpeg.RGB: picture.RGB, jpeg.CMYK: picture.CMYK, jpeg.YCCK: picture.YCCK,
}

// planes returns what was decoded, each plane with the span that the picture has in it: the decoder rounds sizes up, but
// the picture did not grow. Without that, small variants would be shifted by parts of a pixel.
func (t *transform) planes(d *jpeg.Planes) *picture.Picture {
	p := &picture.Picture{Model: models[d.Color]}
	planes := d.Components()
	maxH, maxV := 1, 1
	for _, c := range planes {
		maxH, maxV = max(maxH, c.H), max(maxV, c.V)
	}
	if d.Color == jpeg.Gray { // one component fills the picture, whatever its factors are
		maxH, maxV = planes[0].H, planes[0].V
	}
	for _, c := range planes {
		p.Planes = append(p.Planes, picture.Plane{
			Pix: c.Pix, Stride: c.Stride, Width: c.Width, Height: c.Height,
			Across: picture.Span{Length: float64(t.info.Width*c.H) / float64(maxH*int(d.Scale))},
			Down:   picture.Span{Length: float64(t.info.Height*c.V) / float64(maxV*int(d.Scale))},
		})
	}
	return p
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
	v.Across, first, last = viewed(c.Across, c.Width, s.window.x, s.window.w, p.window.x, p.window.w, p.bounds.x, p.bounds.w)
	v.Pix, v.Width = v.Pix[first:], last-first
	v.Down, first, last = viewed(c.Down, c.Height, s.window.y, s.window.h, p.window.y, p.window.h, p.bounds.y, p.bounds.h)
	v.Pix, v.Height = v.Pix[first*v.Stride:], last-first
	return v
}

// viewed returns, for one direction, the span of a window among the samples of a plane, of which those from first to last
// are within bounds.
func viewed(span picture.Span, size int, from, length, window, windowLength, bound, boundLength float64) (_ picture.Span, first, last int) {
	at := func(x float64) float64 { return span.Begin + (x-from)/length*span.Length }
	first = min(max(int(math.Floor(at(bound)+little)), 0), size-1)
	last = min(max(int(math.Ceil(at(bound+boundLength)-little)), first+1), size)
	begin := at(window) - float64(first)
	if whole := math.Round(begin); math.Abs(begin-whole) < little {
		begin = whole
	}
	return picture.Span{Begin: begin, Length: span.Length * (windowLength / length)}, first, last
}

// place plans what depends on the pixels: a smart cut, which looks at a small picture, and a trim, which looks at all.
func (t *transform) place() error {
	begun := time.Now()
	defer func() { t.stages.Transform += time.Since(begun) }()
	for _, m := range t.made {
		if !m.searches {
			continue
		}
		in := &searcher{transform: t, variant: m}
		if m.plan = planOf(t.info, m.Variant, in); in.tooLarge != nil {
			return in.tooLarge
		}
	}
	return nil
}

// searcher is the search in what was decoded, for a variant.
type searcher struct {
	*transform
	*variant
	tooLarge error // what the operations after a trim would make
}

func (s *searcher) busiest(so plan, w, h int) image.Point {
	dw, dh := so.displayed()
	small := imaging.SearchSize(dw, dh)
	so.scale(small.X, small.Y)
	return imaging.Busiest(s.pixels(so), image.Pt(dw, dh), w, h)
}

func (s *searcher) content(so plan, trim int) image.Rectangle {
	if s.tooLarge != nil {
		w, h := so.displayed()
		return image.Rect(0, 0, w, h)
	}
	r := imaging.Content(s.pixels(so), s.Ops[trim].N)
	s.tooLarge = s.engine.limits.CheckVariant(s.Variant, s.format, 1, r.Dx(), r.Dy(), s.Ops[trim+1:])
	return r
}

// pixels makes what is planned so far.
func (s *searcher) pixels(so plan) *image.NRGBA {
	img := s.turned(s.resampled(&so, false), so.orientation).NRGBA()
	if s.convert {
		s.transform.profile.ConvertImage(img)
	}
	return img
}
