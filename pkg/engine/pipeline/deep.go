package pipeline

import (
	"context"
	"image"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/raster"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// deepOf returns a test of which variants keep 16 bits a sample: those that ask for it, of an input that has them, in a
// format that holds them and the colours as they are. It warns of those that do not.
func (e *Engine) deepOf(info header.Info, warnings *outcome.Warnings) func(recipe.Variant) bool {
	has := sync.OnceValue(func() bool {
		if !info.ByRows() || info.CMYK {
			return false
		}
		src, err := rows.Open(info.Coding, info.Data, raster.Options{Page: info.Page})
		return err == nil && src.Depth() == 16
	})
	profile := sync.OnceValue(func() *icc.Profile {
		p, _ := e.general.Profile(info)
		return p
	})
	return func(v recipe.Variant) bool {
		to := v.OutputFormat("", info.Format)
		if !v.KeepDepth || to != format.PNG && to != format.TIFF || !has() {
			return false
		}
		if v.ICC = recipe.ICCKeep; reference.ChooseColor(profile(), info, v, to).Convert != nil {
			warnings.Add("variant %s has 8 bits a sample: its colours were converted, "+
				"because no profile is written beside %s", v.Name, strings.ToUpper(to))
			return false
		}
		return true
	}
}

// deepVariants decodes rows of 16 bits and makes all variants while they arrive.
func (t *transform) deepVariants() error {
	begun := time.Now()
	src, err := rows.Open(t.info.Coding, t.data, t.rowOptions())
	if err != nil {
		return err
	}
	w, h := src.Size()
	deep := resample.NewDeep(src.Channels(), w)
	pictures := make([]*resample.DeepPicture, len(t.made))
	all := t.sourceOf(w, h)
	for i, m := range t.made {
		across, down := all.part(&m.plan, 1)
		pictures[i] = deep.Add(m.width, m.height, across, down)
	}
	row := make([]byte, raster.RowSize(src))
	for y := range h {
		if y%64 == 0 && t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		if err := src.ReadRow(row); err != nil {
			return err
		}
		deep.Row(row)
	}
	t.warnings.AddAll(src.Warnings())
	t.stages.Decode += time.Since(begun)
	t.smallest = t.order()[len(t.made)-1]
	for i, m := range t.made {
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		t.look(m, func() *image.NRGBA { return deepGlance(pictures[i]) })
		if err := t.encodeDeep(m, turnedDeep(pictures[i], m.orientation)); err != nil {
			return err
		}
		pictures[i] = nil
	}
	return nil
}

func (t *transform) rowOptions() raster.Options {
	return raster.Options{
		MaxPixels: t.engine.limits.MaxPixels, AcceptTruncated: t.engine.limits.OnTruncated == engine.AcceptTruncated,
		Page: t.info.Page, Inks: reference.Inks(t.profile),
	}
}

func (t *transform) encodeDeep(m *variant, p *resample.DeepPicture) error {
	begun := time.Now()
	defer func() { t.stages.Encode += time.Since(begun) }()
	out := &reference.Output{
		Format: m.format, Coding: m.Coding, Colored: m.Profile != nil && !m.ForGray,
		Deep: &raster.Image{
			Pix: p.Pix, Stride: 2 * p.Channels * p.Width, Width: p.Width, Height: p.Height, Channels: p.Channels,
			Depth: 16,
		},
	}
	return t.choose(m, p.Width, p.Height, m.Profile, func(int) ([]byte, error) {
		return t.engine.general.Encode(t.ctx, out)
	}, nil)
}

// turnedDeep returns a picture as an orientation displays it.
func turnedDeep(p *resample.DeepPicture, o picture.Orientation) *resample.DeepPicture {
	if o.Upright() {
		return p
	}
	w, h := p.Width, p.Height
	if o.Swap {
		w, h = h, w
	}
	size := 2 * p.Channels
	out := &resample.DeepPicture{Pix: make([]byte, 0, len(p.Pix)), Width: w, Height: h, Channels: p.Channels}
	for y := range h {
		for x := range w {
			sx, sy := x, y
			if o.Swap {
				sx, sy = y, x
			}
			if o.FlipX {
				sx = p.Width - 1 - sx
			}
			if o.FlipY {
				sy = p.Height - 1 - sy
			}
			out.Pix = append(out.Pix, p.Pix[size*(sy*p.Width+sx):][:size]...)
		}
	}
	return out
}
