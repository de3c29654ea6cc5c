package pipeline

import (
	"errors"
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// gainQuality is the quality of gain maps: they are small, and a screen makes their faults brighter.
const gainQuality = 92

// keepsHDR reports whether an output carries the gain map of the input.
func (t *transform) keepsHDR(m *variant) bool {
	return m.KeepHDR && m.format == format.JPEG && t.info.GainMap.Data != nil
}

// gainMap makes a variant's gain map: the same part of the input's map, as much smaller as the variant is, and turned
// alike. It returns nil where the map cannot be decoded, and warns.
func (t *transform) gainMap(m *variant) ([]byte, error) {
	from := t.info.GainMap
	info, err := t.engine.limits.Check(from.Data, 0, false)
	if err == nil {
		sub := &transform{engine: t.engine, ctx: t.ctx, data: info.Data, info: info}
		across := float64(info.Width) / float64(t.info.Width)
		down := float64(info.Height) / float64(t.info.Height)
		part := &variant{format: format.JPEG, plan: m.scaledBy(across, down)}
		part.Name, part.Strip, part.Quality = m.Name, recipe.StripAll, gainQuality
		sub.made = []*variant{part}
		if err = sub.alone(); errors.Is(err, errDamaged) {
			part.output.Data, sub.damaged, sub.frames, sub.sources = nil, true, 0, nil
			err = sub.alone()
		}
		if err == nil {
			data, _, err := metadata.Embed(part.output.Data, format.JPEG, metadata.Set{XMP: from.XMP, ISO: from.ISO})
			return data, err
		}
	}
	var rejection *outcome.Rejection
	if errors.As(err, &rejection) {
		t.warnings.Add("the gain map was left out: %v", rejection)
		return nil, nil
	}
	return nil, err
}

// alone decodes a picture and makes its variants, with memory of its own.
func (t *transform) alone() error {
	t.space = t.engine.spaces.Get().(*space)
	err := t.decode()
	if t.space.used(t.need()) {
		t.engine.spaces.Put(t.space)
	}
	return err
}

// scaledBy returns the plan for a picture that shows the same in another size.
func (p *plan) scaledBy(across, down float64) plan {
	scaled := func(w window) window { return window{w.x * across, w.y * down, w.w * across, w.h * down} }
	out := plan{window: scaled(p.window), bounds: scaled(p.bounds), orientation: p.orientation}
	out.width = max(1, int(math.Round(float64(p.width)*across)))
	out.height = max(1, int(math.Round(float64(p.height)*down)))
	out.enlarges = float64(out.width) > out.window.w || float64(out.height) > out.window.h
	return out
}
