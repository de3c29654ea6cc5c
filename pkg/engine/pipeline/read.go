package pipeline

import (
	"context"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// feed takes the rows of a picture as they are decoded.
type feed interface{ Row(samples []byte) }

// read makes sources of the rows of a decoder. Where they can be shrunk by an integer factor, and be width×height
// samples at least, a small picture is the only source. Else the variants that need all the rows are made while
// these arrive, so that the picture is never in memory as a whole; they are the sources of the others. The picture
// itself is only kept where a variant needs it at its full size, or searches it.
func (t *transform) read(src engine.RowSource, width, height int) ([]source, error) {
	if t.linear {
		if sources, err := t.readLinear(src); sources != nil || err != nil {
			return sources, err
		}
	}
	w, h := src.Size()
	factor := min(max(min(w/max(width, 1), h/max(height, 1)), 1), resample.MaxBox)
	direct := t.direct()
	if factor > 1 || len(direct) == 0 {
		p, planes := t.layout(src, (w+factor-1)/factor, (h+factor-1)/factor)
		for _, c := range planes {
			c.Across.Length, c.Down.Length = float64(w)/float64(factor), float64(h)/float64(factor)
		}
		opaque, err := t.shrink(src, planes, factor)
		if err != nil {
			return nil, err
		}
		p.opaque(opaque)
		return t.whole(&p.Picture), nil
	}
	stream := resample.NewStream(&t.space.resampler, src.Channels(), w, h)
	var made []*layout
	var sources []source
	for _, m := range direct {
		p, planes := t.layout(src, m.width, m.height)
		m.streamed = &p.Picture
		made, sources = append(made, p), append(sources, source{m.streamed, m.window})
		stream.Add(planes, picture.Span{Begin: m.window.x, Length: m.window.w},
			picture.Span{Begin: m.window.y, Length: m.window.h})
	}
	opaque, err := t.rows(src, stream)
	for _, p := range made {
		p.opaque(opaque)
	}
	return sources, err
}

// leastSquares is the factor from which on the sums of all squares take less memory than what an interlaced file makes
// its reader hold: a quarter of the picture's, not half of it.
const leastSquares = 4

// shrink reads a picture and makes planes of it by an integer factor. It reports whether all pixels are opaque.
func (t *transform) shrink(src engine.RowSource, planes []*picture.Plane, factor int) (opaque bool, err error) {
	w, h := src.Size()
	if s, ok := src.(*rows.Source); ok && s.Interlaced() && factor >= leastSquares {
		squares := resample.NewSquares(planes, factor, w, h)
		opaque, err := t.parts(s, squares)
		squares.Close()
		return opaque, err
	}
	box := resample.NewBox(planes, factor, w)
	opaque, err = t.rows(src, box)
	box.Close()
	return opaque, err
}

// direct returns the variants that are made while rows arrive, the largest first. It returns none where the picture is
// needed as a whole, or where that takes no more memory.
func (t *transform) direct() []*variant {
	if t.linear {
		return nil
	}
	var direct []*variant
	var sources []source
	area := int64(0)
	for _, m := range t.order() {
		if m.searches || m.bounds != t.all() || float64(m.width) > m.window.w || float64(m.height) > m.window.h {
			return nil
		}
		served := false
		for _, s := range sources {
			served = served || m.within(s.window) && s.fineness(&m.plan) >= finer-little
		}
		if !served {
			p := &picture.Picture{Planes: []picture.Plane{{Width: m.width, Height: m.height}}}
			direct, sources, area = append(direct, m), append(sources, source{p, m.window}), area+m.area()
		}
	}
	if area > int64(t.info.Width)*int64(t.info.Height)/2 {
		return nil
	}
	return direct
}

// ofInks reports whether the samples of a source are four inks. They become colours when the picture is small.
func ofInks(src engine.RowSource) bool {
	s, ok := src.(interface{ Inks() bool })
	return ok && s.Inks()
}

// hasAlpha reports whether the last sample of a source's pixels is their opacity.
func hasAlpha(src engine.RowSource) bool { return src.Channels()%2 == 0 && !ofInks(src) }

// layout is a picture that rows are made into.
type layout struct{ picture.Picture }

// layout lays a picture of w×h pixels out for the channels of a source, and returns its planes in their order.
func (t *transform) layout(src engine.RowSource, w, h int) (*layout, []*picture.Plane) {
	p := new(layout)
	switch {
	case ofInks(src):
		p.Model = picture.CMYK
	case src.Channels() > 2:
		p.Model = picture.RGB
	}
	p.Planes = make([]picture.Plane, p.Model.Planes())
	var planes []*picture.Plane
	for i := range p.Planes {
		planes = append(planes, &p.Planes[i])
	}
	if hasAlpha(src) {
		p.Alpha, p.Premultiplied = new(picture.Plane), t.averages()
		planes = append(planes, p.Alpha)
	}
	for _, c := range planes {
		*c = picture.Whole(t.space.memory(w*h), w, h)
	}
	return p, planes
}

// opaque forgets the alpha of a picture that has no transparent pixel.
func (p *layout) opaque(is bool) {
	if is {
		p.Alpha, p.Premultiplied = nil, false
	}
}

// averages reports whether pixels are averaged with others. Where none are, colours are not multiplied by alpha,
// which would round them.
func (t *transform) averages() bool {
	return !t.linear && slices.ContainsFunc(t.made, func(m *variant) bool { return m.scales() || m.searches })
}

// rows decodes all rows and feeds them, as samples of 8 bits, multiplied by alpha where they are averaged. It reports
// whether all pixels are opaque.
func (t *transform) rows(src engine.RowSource, to feed) (opaque bool, err error) {
	w, h := src.Size()
	row := make([]byte, w*src.Channels()*src.Depth()/8)
	opaque = true
	for y := range h {
		if y%64 == 0 && t.ctx.Err() != nil {
			return false, context.Cause(t.ctx)
		}
		if err := src.ReadRow(row); err != nil {
			return false, err
		}
		samples, without := t.samples(src, row)
		opaque = opaque && without
		to.Row(samples)
	}
	return opaque, nil
}

// parts is rows of an interlaced picture, whose pixels are fed in the order of the file.
func (t *transform) parts(src *rows.Source, to *resample.Squares) (opaque bool, err error) {
	opaque = true
	last := 0
	err = src.ReadParts(func(p raster.Part) error {
		if p.Y/64 != last/64 && t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		last = p.Y
		var without bool
		p.Pixels, without = t.samples(src, p.Pixels)
		opaque = opaque && without
		to.Part(p)
		return nil
	})
	return opaque, err
}

// samples makes of some of a source's pixels samples of 8 bits, in the same memory, multiplied by alpha where they are
// averaged. It reports whether all are opaque.
func (t *transform) samples(src engine.RowSource, pixels []byte) (_ []byte, opaque bool) {
	if src.Depth() == 16 {
		raster.Narrow(pixels[:len(pixels)/2], pixels)
		pixels = pixels[:len(pixels)/2]
	}
	return pixels, !hasAlpha(src) || picture.Alpha(pixels, src.Channels(), t.averages())
}
