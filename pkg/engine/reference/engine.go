// Package reference has the operations on small pictures (Apply), the decoders and encoders of formats that have no
// faster path (Engine.Decode, Engine.Encode), and the reference engine: a slow engine that runs a recipe operation
// by operation, at full size. Tests compare the engine that workers use, package pipeline, with the reference.
//
// disintegration/imaging works in goroutines of its own, where a panic kills the process. So this package checks
// that every sample of an image exists before that library sees it (see plain). It calls decoders by the format that
// the first bytes name, never through image.Decode, because imported packages register themselves there.
package reference

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/engine/thumbhash"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Config configures an Engine.
type Config struct {
	Limits engine.Limits // of inputs and outputs; a zero field means its default
	Assets fs.FS         // the directory of watermarks, which are read once and kept; nil: there are none
	Heavy  int           // HEIC and AVIF pictures that are coded at the same time, up to a gigabyte each; 0 means 2
}

// Validate names the first field whose value is invalid.
func (c Config) Validate() error {
	if c.Heavy < 0 {
		return fmt.Errorf("Heavy is %d: it cannot be negative", c.Heavy)
	}
	return c.Limits.Validate()
}

// Engine transforms images. It is safe for use by several goroutines.
type Engine struct {
	limits   engine.Limits
	assets   *Assets
	heavy    chan struct{} // holds a token for each HEIC and AVIF picture in work
	profiles icc.Cache
	pngs     sync.Pool // of *png.Encoder, which keep their memory
	jpegs    sync.Pool // of *jpeg.Encoder, likewise
}

var _ engine.Engine = (*Engine)(nil)

// New returns an Engine. It reads and starts nothing.
func New(c Config) (*Engine, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Engine{
		limits: c.Limits.WithDefaults(),
		assets: NewAssets(c.Assets, c.Limits),
		heavy:  make(chan struct{}, cmp.Or(c.Heavy, 2)),
	}, nil
}

// Name returns "imaging".
func (e *Engine) Name() string { return "imaging" }

// Transform implements engine.Engine. A decoder that panics makes the image corrupt.
func (e *Engine) Transform(ctx context.Context, data []byte, r recipe.Recipe) (res *engine.Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			res, err = nil, outcome.Reject(outcome.Corrupt, "the transform panicked: %v", p)
		}
	}()
	return engine.Partly(r, func(r recipe.Recipe) (*engine.Result, error) {
		return engine.EachPage(r, func(page int, r recipe.Recipe) (*engine.Result, error) {
			return e.transform(ctx, data, page, r)
		})
	})
}

// transform makes the variants of a page.
func (e *Engine) transform(ctx context.Context, data []byte, page int, r recipe.Recipe) (*engine.Result, error) {
	t := &transform{engine: e, ctx: ctx, data: data, info: header.Info{Page: page}}
	for _, step := range []func(recipe.Recipe) error{
		t.checkInput,  // reject an image whose header exceeds the limits
		t.checkOutput, // reject a variant that would exceed the limits
		t.loadAssets,
		t.makeFrames, // decode once, largest variant first, frame by frame
		t.encode,
	} {
		if err := step(r); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return t.result(), nil
}

// transform is one call of Transform.
type transform struct {
	engine *Engine
	ctx    context.Context
	data   []byte
	info   header.Info
	made   []*made // in the recipe's order
	stages engine.Stages
	inks   func(dst, src []byte)   // converts CMYK by the input's profile; nil: there is none
	curves func() *resample.Curves // says how much light the input's samples stand for

	seen     *thumbhash.Look  // how the smallest variant looks
	warnings outcome.Warnings // what is wrong with the input though it was decoded
}

// made is a variant while it is made.
type made struct {
	recipe.Variant
	format  string // what it is encoded in
	animate bool   // it keeps all frames
	marks   map[string]*image.NRGBA
	limits  engine.Limits
	info    *header.Info      // of the input
	cuts    []image.Point     // by operation: where smart gravity cut the first frame, which holds for all frames
	windows []image.Rectangle // by operation: what trim left of the first frame, which holds for all frames

	Color   // what becomes of the input's colours
	frames  []*image.NRGBA
	delays  []int    // of each frame, milliseconds
	loops   int      // 0 for ever
	carried []string // metadata that the output carries, or that the engine applied
	output  engine.Output
}

func (t *transform) checkInput(r recipe.Recipe) error {
	animate := false
	for _, v := range r.Variants {
		known := v.Format != recipe.Same && v.Format != ""
		animate = animate || v.Animate && (!known || format.Of(v.Format).Animates)
	}
	info, err := t.engine.limits.Check(t.data, t.info.Page, animate)
	if err != nil {
		return err
	}
	t.info, t.data = info, info.Data
	for _, v := range r.Variants {
		m := &made{Variant: v, format: v.OutputFormat("", info.Format), limits: t.engine.limits, info: &t.info}
		m.animate = v.Animate && info.Frames > 1 && format.Of(m.format).Animates
		if m.KeepHDR && m.format == format.JPEG && info.GainMap.Data != nil {
			return outcome.Reject(outcome.Unsupported, "this engine makes no gain maps, and hdr:keep asks for one")
		}
		t.made = append(t.made, m)
	}
	t.chooseColor()
	return nil
}

// checkOutput follows the sizes through every variant.
func (t *transform) checkOutput(recipe.Recipe) error {
	for _, m := range t.made {
		w, h := t.size(m.Variant)
		if err := m.checkSizes(w, h, m.Ops); err != nil {
			return err
		}
	}
	return nil
}

// checkSizes follows the sizes through operations that begin with w×h pixels.
func (m *made) checkSizes(w, h int, ops []recipe.Op) error {
	if err := engine.CheckPreview(*m.info, m.Variant, w, h, ops); err != nil {
		return err
	}
	frames := 1
	if m.animate {
		frames = m.info.Frames
	}
	return m.limits.CheckVariant(m.Variant, m.format, frames, w, h, ops)
}

// size returns the size of the input as a variant sees it.
func (t *transform) size(v recipe.Variant) (w, h int) {
	if v.Orient {
		return t.info.Displayed()
	}
	return t.info.Width, t.info.Height
}

func (t *transform) loadAssets(recipe.Recipe) error {
	var err error
	for _, m := range t.made {
		if m.marks, err = t.engine.assets.LoadFor(m.Variant); err != nil {
			return err
		}
	}
	return nil
}

func (t *transform) encode(recipe.Recipe) error {
	t.look()
	start := time.Now()
	defer func() { t.stages.Encode = time.Since(start) }()
	for _, m := range t.made {
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		if err := t.encodeMade(m); err != nil {
			return err
		}
		m.frames = nil
	}
	return nil
}

func (t *transform) result() *engine.Result {
	var outputs []engine.Output
	var carried []string
	for _, m := range t.made {
		outputs = append(outputs, m.output)
		carried = append(carried, m.carried...)
	}
	res := ResultOf(t.info, t.seen, outputs, carried)
	res.Stages, res.Warnings = t.stages, t.warnings
	return res
}

// ResultOf returns the result of an image whose header is info, without stages and warnings. seen is how the image
// looks, and may be nil. carried names the metadata that an output carries or an engine has applied, in any order and
// with repeats; the input's other metadata counts as dropped.
func ResultOf(info header.Info, seen *thumbhash.Look, outputs []engine.Output, carried []string) *engine.Result {
	res := &engine.Result{Format: info.Format, Outputs: outputs, Known: Facts(info, seen)}
	res.Width, res.Height = info.Displayed()
	for _, name := range info.Metadata() {
		if !slices.Contains(carried, name) {
			res.Dropped = append(res.Dropped, name)
		}
	}
	return res
}
