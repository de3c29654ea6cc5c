// Package planar is the engine for what is asked most: photographs in JPEG made smaller, in JPEG. It decodes only as many
// samples as the largest variant needs, resamples luma and colour as the planes they are, and encodes those: no pixel ever
// becomes red, green and blue. Whatever else a recipe asks goes to the engine behind it.
package planar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"sync"
	"time"

	"github.com/gen2brain/jpegn"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
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
		return errors.New("planar: no engine behind it")
	}
	return c.Limits.Validate()
}

// Engine transforms images. It is safe for use by several goroutines.
type Engine struct {
	limits engine.Limits
	behind engine.Engine
	spaces sync.Pool // of *space
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

// space is the memory of one transform, used again by the next.
type space struct {
	decoder   jpeg.Decoder
	decoded   jpeg.Planes
	resampler resampler
	buffer    bytes.Buffer
}

// Transform implements engine.Engine.
func (e *Engine) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	info, err := e.limits.Check(data, false)
	if err != nil || !suits(info, r) {
		return e.behind.Transform(ctx, data, r) // which says what is wrong in its own words
	}
	s := e.spaces.Get().(*space)
	defer e.spaces.Put(s)
	t := &transform{space: s, info: info, ctx: ctx}
	if !t.decode(data, r) {
		return e.behind.Transform(ctx, data, r) // damaged or unusual: that engine's verdict, so that there is one
	}
	if err := t.make(r); err != nil {
		return nil, err
	}
	return t.result(), nil
}

// suits reports whether r makes of the image nothing but smaller JPEGs whose colours stay as they are.
func suits(info header.Info, r recipe.Recipe) bool {
	if !engine.OnlyScales(info, r) {
		return false
	}
	for _, v := range r.Variants {
		if v.Enlarge {
			return false
		}
	}
	if info.ICC == nil {
		return true
	}
	p, err := icc.Parse(info.ICC)
	return err == nil && p.Space == icc.RGB && info.JPEG.Components == 3
}

// transform is one call of Transform.
type transform struct {
	*space
	info    header.Info
	ctx     context.Context
	outputs []engine.Output
	carried []string
	stages  engine.Stages
}

// decode decodes at the smallest scale that leaves every variant twice its size to be made from. It reports whether that
// went without any doubt.
func (t *transform) decode(data []byte, r recipe.Recipe) bool {
	begun := time.Now()
	defer func() { t.stages.Decode = time.Since(begun) }()
	w, h := t.largest(r)
	scale := jpeg.Full
	for _, s := range []jpeg.Scale{jpeg.Half, jpeg.Quarter, jpeg.Eighth} {
		if t.info.Width >= 2*w*int(s) && t.info.Height >= 2*h*int(s) {
			scale = s
		}
	}
	err := t.decoder.Decode(&t.decoded, data, jpeg.Options{Scale: scale, SkipRefinement: true})
	return err == nil && (t.decoded.Color == jpeg.YCbCr || t.decoded.Color == jpeg.Gray)
}

// stored returns the size of a variant as the planes lie, before the orientation is applied.
func (t *transform) stored(v recipe.Variant) (w, h int) {
	if !v.Orient || t.info.Orientation < 5 {
		return v.Size(t.info.Width, t.info.Height)
	}
	h, w = v.Size(t.info.Displayed())
	return w, h
}

func (t *transform) largest(r recipe.Recipe) (w, h int) {
	for _, v := range r.Variants {
		vw, vh := t.stored(v)
		w, h = max(w, vw), max(h, vh)
	}
	return w, h
}

// make makes the variants, the largest first, so that small ones can be made from larger ones.
func (t *transform) make(r recipe.Recipe) error {
	order := make([]int, len(r.Variants))
	for i := range order {
		order[i] = i
	}
	area := func(i int) int { w, h := t.stored(r.Variants[i]); return w * h }
	slices.SortStableFunc(order, func(a, b int) int { return area(b) - area(a) })

	t.outputs = make([]engine.Output, len(r.Variants))
	source := t.source()
	for _, i := range order {
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		v := r.Variants[i]
		begun := time.Now()
		w, h := t.stored(v)
		made := newPicture(w, h, source.gray())
		for p := range made.planes {
			t.resampler.resample(&made.planes[p], &source.planes[p])
		}
		upright := made
		if v.Orient {
			upright = made.oriented(t.info.Orientation)
		}
		t.stages.Transform += time.Since(begun)
		if err := t.encode(i, v, upright); err != nil {
			return err
		}
		if next := largestAfter(t, r, order, i); next.X > 0 && w >= 2*next.X && h >= 2*next.Y {
			source = made
		}
	}
	return nil
}

// largestAfter returns the size of the variant that is made after number i, the zero Point when there is none.
func largestAfter(t *transform, r recipe.Recipe, order []int, i int) image.Point {
	at := slices.Index(order, i) + 1
	if at == len(order) {
		return image.Point{}
	}
	w, h := t.stored(r.Variants[order[at]])
	return image.Point{X: w, Y: h}
}

// encode writes a variant's planes as a JPEG with the metadata that the variant keeps.
func (t *transform) encode(i int, v recipe.Variant, p *picture) error {
	begun := time.Now()
	defer func() { t.stages.Encode += time.Since(begun) }()
	quality := v.Quality
	if quality == 0 {
		quality = recipe.DefaultQuality(recipe.JPEG)
	}
	options := jpegn.EncodeOptions{Quality: quality, Subsampling: jpegn.Subsample420}
	if p.gray() {
		options.Subsampling = jpegn.SubsampleGray
	}
	t.buffer.Reset()
	if err := jpegn.Encode(&t.buffer, p.image(), &options); err != nil {
		return fmt.Errorf("variant %s: encoding: %w", v.Name, err)
	}
	w, h := p.planes[0].width, p.planes[0].height
	set := metadata.Select(t.info, v.Strip, v.Orient, w, h)
	if t.info.ICC != nil {
		if v.ICC == recipe.ICCKeep {
			set.ICC = t.info.ICC
		} else {
			t.carried = append(t.carried, "icc") // sRGB's: what it says is said by its absence
		}
	}
	data, carried, err := metadata.Embed(bytes.Clone(t.buffer.Bytes()), recipe.JPEG, set)
	if err != nil {
		return fmt.Errorf("variant %s: metadata: %w", v.Name, err)
	}
	t.carried = append(t.carried, carried...)
	t.outputs[i] = engine.Output{Variant: v.Name, Format: recipe.JPEG, Width: w, Height: h, Data: data}
	return nil
}

func (t *transform) result() *engine.Result {
	res := &engine.Result{Outputs: t.outputs, Format: t.info.Format, Stages: t.stages}
	res.Width, res.Height = t.info.Displayed()
	res.Pixels = int64(t.info.Width) * int64(t.info.Height)
	for _, name := range t.info.Metadata() {
		if !slices.Contains(t.carried, name) {
			res.Dropped = append(res.Dropped, name)
		}
	}
	return res
}
