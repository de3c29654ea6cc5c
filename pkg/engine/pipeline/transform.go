package pipeline

import (
	"context"
	"image"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/engine/thumbhash"
	"github.com/imagefarm/imagefarm/pkg/outcome"
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
	made    []*variant              // in the recipe's order
	sources []source                // what variants can be made from, the finest first
	profile *icc.Profile            // the input's; nil: none that applies to its samples
	curves  func() *resample.Curves // says how much light the input's samples stand for
	stages  engine.Stages

	warnings outcome.Warnings // what is wrong with the input though its picture was decoded

	smallest *variant        // whose look is kept
	seen     *thumbhash.Look // how it looks; nil: not made yet

	frames  int  // that were made
	kind         // of the variants
	damaged bool // pkg/jpeg reported damage
}

// variant is a variant while it is made.
type variant struct {
	recipe.Variant
	plan
	format          string // what it is encoded in
	marks           map[string]*image.NRGBA
	reference.Color // what becomes of the input's colours

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
		if err := t.check(m, w, h, v.Ops); err != nil {
			return err
		}
		t.made = append(t.made, m)
	}
	t.chooseColor()
	return nil
}

// check follows the sizes of a variant through operations that begin with w×h pixels.
func (t *transform) check(m *variant, w, h int, ops []recipe.Op) error {
	if err := engine.CheckPreview(t.info, m.Variant, w, h, ops); err != nil {
		return err
	}
	return t.engine.limits.CheckVariant(m.Variant, m.format, t.count(m), w, h, ops)
}

// assets loads the watermarks.
func (t *transform) assets() error {
	var err error
	for _, m := range t.made {
		if m.marks, err = t.engine.assets.LoadFor(m.Variant); err != nil {
			return err
		}
	}
	return nil
}

// chooseColor decides for each variant what becomes of the input's colours.
func (t *transform) chooseColor() {
	var warnings outcome.Warnings
	t.profile, warnings = t.engine.general.Profile(t.info)
	t.curves = reference.Curves(t.profile)
	t.warnings.AddAll(warnings)
	for _, m := range t.made {
		v := m.Variant
		if t.deep || t.keepsHDR(m) { // conversions work with 8 bits, and a gain map belongs to the colours as they are
			v.ICC = recipe.ICCKeep
		}
		m.Color = reference.ChooseColor(t.profile, t.info, v, m.format)
		if m.Used {
			m.carried = append(m.carried, "icc")
		}
		t.warnings.Add("%s", m.Warning)
	}
}

func (t *transform) result() *engine.Result {
	var outputs []engine.Output
	var carried []string
	for _, m := range t.made {
		outputs = append(outputs, m.output)
		carried = append(carried, m.carried...)
	}
	res := reference.ResultOf(t.info, t.seen, outputs, carried)
	res.Stages, res.Warnings = t.stages, t.warnings
	return res
}
