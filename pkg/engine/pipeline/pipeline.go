// Package pipeline is the engine that workers use: it makes every variant of an image in one pass. It reads the header,
// plans each variant as one window, one scale and one placement, decodes no finer than the largest variant needs,
// resamples once for each variant, does the rest on the small picture, and encodes. Components stay planes from the
// decoder to the encoder wherever that is possible.
//
// What it does not read yet, and every image of which its decoder is not sure, goes to the engine behind it, so that there
// is one verdict on what is damaged.
package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/imaging"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Config configures an Engine.
type Config struct {
	Limits engine.Limits // what is too much; zero fields mean their defaults
	Assets fs.FS         // where watermarks are found; nil: there are none
	Behind engine.Engine // does what this engine does not; required, with the same limits
}

// Validate says in a sentence which field cannot be.
func (c Config) Validate() error {
	if c.Behind == nil {
		return errors.New("pipeline: Behind is nil: an engine is needed for what this one does not do")
	}
	return c.Limits.Validate()
}

// Engine transforms images. It is safe for use by several goroutines.
type Engine struct {
	limits engine.Limits
	assets *imaging.Assets
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
	limits := c.Limits.WithDefaults()
	return &Engine{
		limits: limits, assets: imaging.NewAssets(c.Assets, limits), behind: c.Behind,
		spaces: sync.Pool{New: func() any { return new(space) }},
	}, nil
}

// Name returns "pipeline".
func (e *Engine) Name() string { return "pipeline" }

// Transform implements engine.Engine.
func (e *Engine) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	info, err := e.limits.Check(data, false)
	if err != nil || !reads(info, r) || ctx.Err() != nil {
		return e.behind.Transform(ctx, data, r) // which says what is wrong in its own words
	}
	t := &transform{engine: e, ctx: ctx, data: data, info: info, recipe: r}
	res, err := e.try(t)
	if errors.Is(err, errDoubtful) {
		return e.behind.Transform(ctx, data, r)
	}
	return res, err
}

// errDoubtful means that the image is damaged or unusual, and that another engine is to look at it.
var errDoubtful = errors.New("doubtful")

// try makes the variants. A decoder that panics is in doubt, and leaves its memory to nobody.
func (e *Engine) try(t *transform) (res *engine.Result, err error) {
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
		t.plan,     // one window, one scale, one placement for each variant; within the limits
		t.assets,   // the watermarks
		t.decode,   // no finer than the largest variant needs
		t.place,    // smart gravity looks at a small picture
		t.variants, // resample once each, largest first; the rest on the small picture; encode
	} {
		if t.ctx.Err() != nil {
			err = context.Cause(t.ctx)
		} else {
			err = step()
		}
		if err != nil {
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
