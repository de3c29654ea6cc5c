// Package planar is the engine for what is asked most: photographs in JPEG made smaller, in JPEG or WebP. It decodes
// only as many samples as the largest variant needs, resamples luma and colour as the planes they are, and encodes
// those: no pixel ever becomes red, green and blue. Whatever else a recipe asks, and every image of which the decoder
// is not sure, goes to the engine behind it, so that there is one verdict on what is damaged.
package planar

import (
	"context"
	"errors"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Config configures an Engine.
type Config struct {
	Limits engine.Limits // what is too much; zero fields mean their defaults
	Behind engine.Engine // does what this engine does not; required, with the same limits
}

// Validate says in a sentence which field cannot be.
func (c Config) Validate() error {
	if c.Behind == nil {
		return errors.New("planar: Behind is nil: an engine is needed for what this one does not do")
	}
	return c.Limits.Validate()
}

// Engine transforms images. It is safe for use by several goroutines.
type Engine struct {
	limits engine.Limits
	behind engine.Engine
	spaces sync.Pool // of *space
	panics bool      // panics are not recovered from, so that tests find them
}

var _ engine.Engine = (*Engine)(nil)

// New returns an Engine. It reads and starts nothing.
func New(c Config) (*Engine, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Engine{
		limits: c.Limits.WithDefaults(), behind: c.Behind,
		spaces: sync.Pool{New: func() any { return new(space) }},
	}, nil
}

// Name returns "planar".
func (e *Engine) Name() string { return "planar" }

// Transform implements engine.Engine.
func (e *Engine) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	info, err := e.limits.Check(data, false)
	if err != nil || !suits(info, r) || ctx.Err() != nil {
		return e.behind.Transform(ctx, data, r) // which says what is wrong in its own words
	}
	t := &transform{ctx: ctx, info: info, recipe: r}
	res, err := e.try(t, data)
	if errors.Is(err, errDoubtful) {
		return e.behind.Transform(ctx, data, r)
	}
	return res, err
}

// errDoubtful means that the image is damaged or unusual, and that another engine is to look at it.
var errDoubtful = errors.New("doubtful")

// try makes the variants. A decoder that panics is in doubt, and leaves its memory to nobody.
func (e *Engine) try(t *transform, data []byte) (res *engine.Result, err error) {
	defer func() {
		if e.panics {
			return
		}
		if p := recover(); p != nil {
			res, err = nil, errDoubtful
		}
	}()
	t.space = e.spaces.Get().(*space)
	for _, step := range []func() error{
		func() error { return t.decode(data) },
		t.make, // the largest first, small ones from larger ones
	} {
		if err = step(); err != nil {
			break
		}
	}
	if t.space.used(t.need()) {
		e.spaces.Put(t.space)
	}
	if err != nil {
		return nil, err
	}
	return t.result(), nil
}

// suits reports whether r makes of the image nothing but smaller pictures whose colours stay as they are.
func suits(info header.Info, r recipe.Recipe) bool {
	if !engine.OnlyScales(info, r) {
		return false
	}
	for _, v := range r.Variants {
		w, h := stored(info, v)
		if to := format.Of(v.OutputFormat("", info.Format)); v.Enlarge || max(w, h) > to.MaxSide {
			return false
		}
	}
	if info.ICC == nil {
		return true
	}
	p, err := icc.Parse(info.ICC)
	return err == nil && p.Space == icc.RGB && info.JPEG.Components == 3
}

// stored returns the size of a variant as the planes lie, before the orientation is applied.
func stored(info header.Info, v recipe.Variant) (w, h int) {
	if !v.Orient || info.Orientation < 5 {
		w, h, _ = v.Size(info.Width, info.Height)
		return w, h
	}
	h, w, _ = v.Size(info.Displayed())
	return w, h
}
