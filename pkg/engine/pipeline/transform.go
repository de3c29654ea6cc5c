package pipeline

import (
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// finer is how many times a variant's width and height its source must have at least: with less, Lanczos loses detail
// that can be seen.
const finer = 2

// transform is one call of Transform.
type transform struct {
	engine  *Engine
	space   *space
	ctx     context.Context
	data    []byte
	info    header.Info
	recipe  recipe.Recipe
	made    []*variant // in the recipe's order
	sources []source   // what variants can be made from, the finest first
	profile *icc.Profile
	stages  engine.Stages

	frames  int  // that were made
	damaged bool // pkg/jpeg reported damage
}

// variant is a variant while it is made.
type variant struct {
	recipe.Variant
	plan
	format  string // what it is encoded in
	marks   map[string]*image.NRGBA
	convert bool   // the colours are converted to sRGB
	profile []byte // the input's profile, which the output carries; nil: none
	forGray bool   // profile is for gray

	streamed *picture.Picture // was made while rows arrived

	animate bool // it keeps all frames
	frames  []*image.NRGBA
	delays  []int // of each frame, milliseconds
	loops   int   // how often the animation is shown, 0 for ever

	carried []string // metadata that the output carries, or that the engine applied
	output  engine.Output
}

// trims reports whether a border is to be found.
func (m *variant) trims() bool {
	return slices.ContainsFunc(m.Ops, func(o recipe.Op) bool { return o.Word == recipe.Trim })
}

// plan plans each variant and rejects what would become too large.
func (t *transform) plan() error {
	for _, v := range t.recipe.Variants {
		m := &variant{Variant: v, format: v.OutputFormat("", t.info.Format), plan: planOf(t.info, v, nil)}
		m.animate = t.info.Frames > 1 && animates(v, t.info.Format)
		w, h := t.info.Width, t.info.Height
		if v.Orient {
			w, h = t.info.Displayed()
		}
		if err := t.engine.limits.CheckVariant(v, m.format, t.count(m), w, h, v.Ops); err != nil {
			return err
		}
		t.made = append(t.made, m)
	}
	t.chooseColor()
	return nil
}

// assets loads the watermarks.
func (t *transform) assets() error {
	for _, m := range t.made {
		for _, o := range m.Ops {
			if o.Word != recipe.Watermark {
				continue
			}
			mark, err := t.engine.assets.Load(o.Asset)
			if err != nil {
				return fmt.Errorf("variant %s: %w", m.Name, err)
			}
			if m.marks == nil {
				m.marks = map[string]*image.NRGBA{}
			}
			m.marks[o.Asset] = mark
		}
	}
	return nil
}

// chooseColor decides for each variant whether the engine converts its colours to sRGB or whether the output carries
// the input's profile. The profile is lost only if neither is possible.
func (t *transform) chooseColor() {
	if t.info.ICC == nil {
		return
	}
	p, err := icc.Parse(t.info.ICC)
	if err != nil || t.info.JPEG.Components == 4 {
		return // the engine converts CMYK to RGB without the profile, and no output can carry a CMYK profile
	}
	t.profile = p
	for _, m := range t.made {
		carries := format.Of(m.format).ICC
		if p.Space == icc.Gray { // valid only beside gray samples without alpha
			carries = carries && m.format != format.WebP && t.info.Gray && !t.info.Alpha && !m.colored()
		} else {
			carries = carries && p.Space == icc.RGB
		}
		switch {
		case carries && (m.ICC == recipe.ICCKeep || !p.Usable()):
			m.profile, m.forGray = t.info.ICC, p.Space == icc.Gray
		case p.Usable():
			m.convert = !p.IsSRGB()
			m.carried = append(m.carried, "icc")
		}
	}
}

// colored reports whether an operation can bring colour into a gray picture.
func (m *variant) colored() bool {
	for _, o := range m.Ops {
		if o.Word == recipe.Watermark || o.Word == recipe.Pad {
			return true
		}
	}
	return m.Background.R != m.Background.G || m.Background.R != m.Background.B
}

func (t *transform) result() *engine.Result {
	res := &engine.Result{Format: t.info.Format, Stages: t.stages}
	res.Width, res.Height = t.info.Displayed()
	var carried []string
	for _, m := range t.made {
		res.Outputs = append(res.Outputs, m.output)
		carried = append(carried, m.carried...)
	}
	for _, name := range t.info.Metadata() {
		if !slices.Contains(carried, name) {
			res.Dropped = append(res.Dropped, name)
		}
	}
	return res
}
