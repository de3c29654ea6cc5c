package pipeline

import (
	"context"
	"math"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
)

// encodePlanes encodes a variant that stayed planes.
func (t *transform) encodePlanes(m *variant, p *picture.Picture) error {
	begun := time.Now()
	defer func() { t.stages.Encode += time.Since(begun) }()
	encode := t.encodeJPEG
	if m.format == format.WebP {
		encode = t.encodeWebP
	}
	pieces := t.space.given
	return t.choose(m, p.Width(), p.Height(), m.Profile, func(q int) ([]byte, error) {
		t.space.given = pieces // what the try before has used
		return encode(m, p, q)
	}, func() *picture.Plane { return fullRangeLuma(p) })
}

// fullRangeLuma returns the luma of a picture in the full range, in memory of its own where it is not so already.
func fullRangeLuma(p *picture.Picture) *picture.Plane {
	from := &p.Planes[0]
	if !p.Limited {
		return from
	}
	luma := picture.Whole(make([]byte, from.Width*from.Height), from.Width, from.Height)
	for y := range luma.Height {
		for x, v := range from.Pix[y*from.Stride:][:from.Width] {
			luma.Pix[y*luma.Stride+x] = fullLuma[v]
		}
	}
	return &luma
}

// encodePixels encodes a variant whose frames became red, green, blue and alpha.
func (t *transform) encodePixels(m *variant) error {
	begun := time.Now()
	defer func() { t.stages.Encode += time.Since(begun) }()
	out := &reference.Output{
		Format: m.format, Frames: m.frames, Delays: m.delays, Loops: m.loops, Background: m.Background,
		Coding: reference.CodingOf(m.Variant, m.format), Colored: m.Profile != nil && !m.ForGray,
	}
	profile := m.Profile
	if m.ForGray && !out.EncodedGray() {
		profile = nil // it would be beside colours or transparency
	}
	first := m.frames[0]
	m.frames = nil
	return t.choose(m, first.Rect.Dx(), first.Rect.Dy(), profile, func(q int) ([]byte, error) {
		out.Quality = q
		return t.engine.general.Encode(t.ctx, out)
	}, func() *picture.Plane { return reference.LumaOf(first, m.format, m.Background) })
}

// choose encodes a variant of w×h pixels at the quality that it asks for, and puts the metadata into it that it keeps.
// luma returns what is encoded, for the distance to it.
func (t *transform) choose(m *variant, w, h int, profile []byte, encode func(quality int) ([]byte, error),
	luma func() *picture.Plane) error {
	set := metadata.Select(t.info, m.Strip, m.Orient, w, h)
	set.ICC = profile
	if t.keepsHDR(m) {
		var err error
		if set.Gain, err = t.gainMap(m); err != nil {
			return err
		}
		if set.Gain != nil {
			set.ISO = t.info.GainMap.Base
		}
	}
	var carried []string
	var from *picture.Plane
	goal := reference.GoalOf(m.Variant, m.format)
	chosen, err := goal.Choose(func(q int) ([]byte, error) {
		if t.ctx.Err() != nil {
			return nil, context.Cause(t.ctx)
		}
		data, err := encode(q)
		if err != nil {
			return nil, err
		}
		data, carried, err = metadata.Embed(data, m.format, set)
		return data, err
	}, func(data []byte) (float64, error) {
		if from == nil {
			from = luma()
		}
		return t.engine.general.Distance(t.ctx, data, from)
	})
	if err != nil {
		return reference.EncodingFailed(m.Name, m.format, err)
	}
	m.carried = append(m.carried, m.Carried(carried)...)
	m.output = engine.Output{Variant: m.Name, Format: m.format, Width: w, Height: h, Data: chosen.Data}
	if goal.Chooses() {
		m.output.Quality = chosen.Quality
	}
	return nil
}

func (t *transform) encodeJPEG(m *variant, p *picture.Picture, quality int) ([]byte, error) {
	if p.Limited {
		p = t.mapped(p, &fullLuma, &fullChroma)
	}
	return reference.EncodeJPEG(&t.space.encoder, p, reference.CodingOf(m.Variant, m.format), quality)
}

// encodeWebP encodes in the limited range, in which lossy WebP stores samples, and with colour.
func (t *transform) encodeWebP(m *variant, p *picture.Picture, quality int) ([]byte, error) {
	if p.Model == picture.Gray {
		p = t.withNeutralColor(p)
	}
	if !p.Limited {
		p = t.mapped(p, &limitedLuma, &limitedChroma)
	}
	return webp.EncodePlanes(reference.YCbCr(p, m.chroma()), reference.WebPOptions(m.Coding, quality))
}

// withNeutralColor returns a gray picture with planes of colour that are neither red nor blue.
func (t *transform) withNeutralColor(p *picture.Picture) *picture.Picture {
	w, h := p.Width(), p.Height()
	memory := t.space.memory(picture.Bytes(picture.YCbCr, w, h, picture.Quarter))
	out := picture.Lay(memory, picture.YCbCr, w, h, picture.Quarter)
	out.Limited, out.Planes[0] = p.Limited, p.Planes[0]
	for _, c := range out.Planes[1:] {
		for i := range c.Pix {
			c.Pix[i] = 128
		}
	}
	return out
}

// mapped returns a picture whose samples went through tables, one for luma and one for colour differences.
func (t *transform) mapped(p *picture.Picture, luma, chroma *[256]byte) *picture.Picture {
	out := *p
	out.Planes = make([]picture.Plane, len(p.Planes))
	for i := range p.Planes {
		from, table := &p.Planes[i], luma
		if i > 0 {
			table = chroma
		}
		to := picture.Whole(t.space.memory(from.Width*from.Height), from.Width, from.Height)
		for y := range to.Height {
			row := to.Pix[y*to.Stride:][:to.Width]
			for x, v := range from.Pix[y*from.Stride:][:to.Width] {
				row[x] = table[v]
			}
		}
		out.Planes[i] = to
	}
	return &out
}

// The limited range has luma from 16 to 235 and colour differences from 16 to 240; the full range has 0 to 255.
var (
	limitedLuma, limitedChroma = limitedTable(16, 219), limitedTable(16, 224)
	fullLuma, fullChroma       = fullTable(16, 0, 219), fullTable(128, 128, 224)
)

// limitedTable takes 0–255 to low–low+span.
func limitedTable(low, span int) (table [256]byte) {
	for v := range table {
		table[v] = byte(low + (2*v*span+255)/510)
	}
	return table
}

// fullTable takes from to to, and span steps to 255.
func fullTable(from, to, span int) (table [256]byte) {
	for v := range table {
		table[v] = byte(min(max(math.Round(float64(v-from)*255/float64(span))+float64(to), 0), 255))
	}
	return table
}
