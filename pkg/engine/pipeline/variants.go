package pipeline

import (
	"cmp"
	"context"
	"image"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// variants makes the variants, the largest first, each from the smallest picture that is finer.
func (t *transform) variants() error {
	order := t.order()
	t.smallest = order[len(order)-1]
	for _, m := range order {
		if t.frames > 0 && !m.animate {
			continue
		}
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		if err := t.variant(m); err != nil {
			return err
		}
	}
	return nil
}

// order returns the variants, the largest first.
func (t *transform) order() []*variant {
	order := slices.Clone(t.made)
	slices.SortStableFunc(order, func(a, b *variant) int { return cmp.Compare(b.area(), a.area()) })
	return order
}

func (p *plan) area() int64 { return int64(p.width) * int64(p.height) }

// variant makes one variant.
func (t *transform) variant(m *variant) error {
	begun := time.Now()
	planar := !m.animate && t.staysPlanar(m) && !(t.linear && m.scales())
	p := m.streamed
	if p == nil {
		p = t.resampled(&m.plan, m.storedChroma(planar))
		if !m.enlarges {
			t.sources = append(t.sources, source{p, m.window})
		}
	}
	if planar {
		p = t.finishPlanes(m, p)
		t.look(m, func() *image.NRGBA { return glance(p) })
		t.stages.Transform += time.Since(begun)
		return t.encodePlanes(m, p)
	}
	if m.encodesRGB(p) {
		p = t.turned(p, m.orientation)
		t.look(m, func() *image.NRGBA { return glance(p) })
		p = t.ofRGB(m, p)
		t.stages.Transform += time.Since(begun)
		return t.encodePlanes(m, p)
	}
	img, err := t.finishPixels(m, p)
	t.stages.Transform += time.Since(begun)
	if err != nil {
		return err
	}
	t.look(m, func() *image.NRGBA { return reference.Glance(img) })
	if m.frames = append(m.frames, img); m.animate {
		return nil // encoded when all frames are there
	}
	return t.encodePixels(m)
}

// animations encodes the variants that keep all frames.
func (t *transform) animations() error {
	for _, m := range t.made {
		if !m.animate {
			continue
		}
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		if err := t.encodePixels(m); err != nil {
			return err
		}
	}
	return nil
}

// count returns how many frames a variant has.
func (t *transform) count(m *variant) int {
	if m.animate {
		return t.info.Frames
	}
	return 1
}

// staysPlanar reports whether a variant is made and encoded as planes of luma and colour difference.
func (t *transform) staysPlanar(m *variant) bool {
	src := t.sources[0].Picture
	if src.Model != picture.YCbCr && src.Model != picture.Gray || src.Alpha != nil || src.Matrix != picture.BT601 {
		return false
	}
	if m.format != format.JPEG && m.format != format.WebP || m.Convert != nil {
		return false
	}
	if m.format == format.WebP && (m.Lossless || m.SharpYUV) {
		return false // they are made of red, green and blue
	}
	if m.Profile != nil && m.ForGray != (src.Model == picture.Gray) {
		return false // a profile wants as many components as it is for
	}
	for _, o := range m.rest {
		switch o.Word {
		case recipe.Gray, recipe.Blur, recipe.Sharpen:
		default:
			return false
		}
	}
	return true
}

// encodesRGB reports whether a picture is planes of red, green and blue that become those of a JPEG as they are.
func (m *variant) encodesRGB(p *picture.Picture) bool {
	return p.Model == picture.RGB && p.Alpha == nil && m.format == format.JPEG && !m.animate && len(m.rest) == 0 &&
		m.Convert == nil && (m.Profile == nil || !m.ForGray)
}

// ofRGB makes of planes of red, green and blue those that are encoded: one without colour where there is none, unless
// the output carries a profile, which then is for colours.
func (t *transform) ofRGB(m *variant, p *picture.Picture) *picture.Picture {
	if m.Profile == nil && p.IsGray() {
		return &picture.Picture{Model: picture.Gray, Planes: p.Planes[:1]}
	}
	return picture.FromRGB(p, m.chroma(), t.space.memory(picture.Bytes(picture.YCbCr, p.Width(), p.Height(), m.chroma())))
}

// chroma returns the resolution of colour of a variant that stays planes.
func (m *variant) chroma() picture.Chroma {
	if m.format != format.JPEG {
		return picture.Quarter
	}
	return reference.ChromaOf(reference.CodingOf(m.Variant, m.format))
}

// storedChroma returns the resolution of colour at which a variant is resampled, before it is turned.
func (m *variant) storedChroma(planar bool) picture.Chroma {
	switch {
	case !planar:
		return picture.Chroma{}
	case m.orientation.Swap:
		return m.chroma().Swapped()
	}
	return m.chroma()
}

// resampled makes the picture of a plan, as it is stored.
func (t *transform) resampled(p *plan, chroma picture.Chroma) *picture.Picture {
	if t.linear && p.scales() {
		return t.resampledLinear(p)
	}
	src := t.best(p)
	if src.Model != picture.YCbCr {
		if src.is(p) {
			return src.Picture
		}
		chroma = picture.Chroma{}
	}
	memory := t.space.memory(picture.Bytes(src.Model, p.width, p.height, chroma))
	out := picture.Lay(memory, src.Model, p.width, p.height, chroma)
	out.Matrix, out.Limited, out.Premultiplied = src.Matrix, src.Limited, src.Premultiplied
	if chroma != (picture.Chroma{}) {
		out.AlignChroma(p.orientation)
	}
	for i := range out.Planes {
		view := src.view(&src.Planes[i], p)
		t.space.resampler.Lanczos(&out.Planes[i], &view)
	}
	if src.Alpha != nil {
		alpha := picture.Whole(t.space.memory(p.width*p.height), p.width, p.height)
		view := src.view(src.Alpha, p)
		t.space.resampler.Lanczos(&alpha, &view)
		out.Alpha = &alpha
	}
	return out
}

// turned returns a picture as a plan's orientation displays it.
func (t *transform) turned(p *picture.Picture, o picture.Orientation) *picture.Picture {
	if o.Upright() {
		return p
	}
	size := 0
	for i := range p.Planes {
		size += p.Planes[i].Width * p.Planes[i].Height
	}
	if p.Alpha != nil {
		size += p.Alpha.Width * p.Alpha.Height
	}
	return p.Turned(o, t.space.memory(size))
}
