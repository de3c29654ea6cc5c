// Package pipeline is the engine that workers use: it makes every variant of an image in one pass. It reads the header,
// plans each variant as one window, one scale and one placement, decodes no finer than the largest variant needs,
// resamples once for each variant, does the rest on the small picture, and encodes. Components stay planes from the
// decoder to the encoder wherever that is possible.
//
// Where pkg/jpeg reports damage, image/jpeg decodes the image again, so that one decoder judges what is damaged.
package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Config configures an Engine.
type Config struct {
	Limits engine.Limits // of inputs and outputs; a zero field means its default
	Assets fs.FS         // the directory of watermarks; nil: there are none
	Heavy  int           // HEIC and AVIF pictures that are coded at the same time, up to a gigabyte each; 0 means 2
}

// Validate names the first field whose value is invalid.
func (c Config) Validate() error { return c.general().Validate() }

func (c Config) general() reference.Config {
	return reference.Config{Limits: c.Limits, Assets: c.Assets, Heavy: c.Heavy}
}

// codecs are the decoders and encoders beside pkg/jpeg and the readers of rows. reference.Engine implements them.
type codecs interface {
	Decode(
		ctx context.Context, data []byte, info header.Info, animate bool, use func(reference.Frame) error,
	) (outcome.Warnings, error)
	Rows(ctx context.Context, data []byte, info header.Info, need picture.Need) (*rows.Source, error)
	Planes(ctx context.Context, data []byte, info header.Info, need picture.Need) (*picture.Picture, error)
	Encode(ctx context.Context, o *reference.Output) ([]byte, error)
	Distance(ctx context.Context, data []byte, from *picture.Plane) (float64, error)
	Profile(info header.Info) (*icc.Profile, outcome.Warnings)
}

// Engine transforms images. It is safe for use by several goroutines.
type Engine struct {
	limits  engine.Limits
	assets  *reference.Assets
	general codecs
	spaces  sync.Pool // of *space
	panics  bool      // let panics through, for fuzz tests
}

var _ engine.Engine = (*Engine)(nil)

// New returns an Engine. It reads and starts nothing.
func New(c Config) (*Engine, error) {
	general, err := reference.New(c.general())
	if err != nil {
		return nil, err
	}
	limits := c.Limits.WithDefaults()
	return &Engine{
		limits: limits, assets: reference.NewAssets(c.Assets, limits), general: general,
		spaces: sync.Pool{New: func() any { return new(space) }},
	}, nil
}

// Name returns "pipeline".
func (e *Engine) Name() string { return "pipeline" }

// Transform implements engine.Engine. A decoder that panics makes the image corrupt.
func (e *Engine) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	return engine.Partly(r, func(r recipe.Recipe) (*engine.Result, error) {
		return engine.EachPage(r, func(page int, r recipe.Recipe) (*engine.Result, error) {
			return e.transform(ctx, data, page, r)
		})
	})
}

// transform makes the variants of a page.
func (e *Engine) transform(ctx context.Context, data []byte, page int, r recipe.Recipe) (*engine.Result, error) {
	animate := slices.ContainsFunc(r.Variants, func(v recipe.Variant) bool { return animates(v, format.Detect(data)) })
	info, err := e.limits.Check(data, page, animate)
	if err != nil {
		return nil, err
	}
	var warnings outcome.Warnings
	deep := e.deepOf(info, &warnings)
	kindOf := func(v recipe.Variant) kind { return kind{deep: deep(v), linear: v.Linear} }
	res, err := engine.Each(r, kindOf, func(k kind, r recipe.Recipe) (*engine.Result, error) {
		t := transform{engine: e, ctx: ctx, data: info.Data, info: info, recipe: r, kind: k}
		again := t
		res, err := e.try(&t)
		if errors.Is(err, errDamaged) {
			again.damaged = true
			return e.try(&again)
		}
		return res, err
	})
	if err == nil {
		res.Warnings.AddAll(warnings)
	}
	return res, err
}

// kind is how variants are made that are made together.
type kind struct {
	deep   bool // they keep 16 bits a sample
	linear bool // they are resampled in linear light
}

// errDamaged means that pkg/jpeg reports damage, or panicked, and that image/jpeg is to judge the image.
var errDamaged = errors.New("damaged")

// try makes the variants. After a panic it does not use the transform's memory again.
func (e *Engine) try(t *transform) (res *engine.Result, err error) {
	defer func() {
		if e.panics {
			return
		}
		if p := recover(); p != nil {
			res, err = nil, outcome.Reject(outcome.Corrupt, "the transform panicked: %v", p)
			if t.info.Coding == format.JPEG && !t.damaged {
				err = errDamaged
			}
		}
	}()
	t.space = e.spaces.Get().(*space)
	for _, step := range []func() error{
		t.plan,       // one window, one scale, one placement for each variant; within the limits
		t.assets,     // the watermarks
		t.decode,     // no finer than the largest variant needs; each frame goes through frame
		t.animations, // encode the variants that keep all frames
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

// frame makes every variant of a decoded frame. A still has one frame.
func (t *transform) frame() error {
	for _, step := range []func() error{
		t.place,    // smart gravity and trim look at the pixels
		t.variants, // resample once each, largest first; the rest on the small picture; encode
	} {
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		if err := step(); err != nil {
			return err
		}
	}
	t.frames++
	return nil
}

// animates reports whether a variant keeps all frames of an animation.
func animates(v recipe.Variant, input string) bool {
	return v.Animate && format.Of(v.OutputFormat("", input)).Animates
}
