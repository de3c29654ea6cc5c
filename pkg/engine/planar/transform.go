package planar

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// finer is how many times a variant's width and height its source must have at least: with less, Lanczos loses detail
// that can be seen.
const finer = 2

// transform is one call of Transform.
type transform struct {
	space   *space
	ctx     context.Context
	info    header.Info
	recipe  recipe.Recipe
	outputs []engine.Output
	carried []string // metadata that an output carries, or that was put to use
	stages  engine.Stages
}

// decode decodes at the smallest scale that is finer than every variant. The error is errDoubtful.
func (t *transform) decode(data []byte) error {
	begun := time.Now()
	defer func() { t.stages.Decode = time.Since(begun) }()
	var w, h int
	for _, v := range t.recipe.Variants {
		vw, vh := stored(t.info, v)
		w, h = max(w, vw), max(h, vh)
	}
	scale := jpeg.Full
	for _, s := range []jpeg.Scale{jpeg.Half, jpeg.Quarter, jpeg.Eighth} {
		if t.info.Width >= finer*w*int(s) && t.info.Height >= finer*h*int(s) {
			scale = s
		}
	}
	d := &t.space.decoded
	err := t.space.decoder.Decode(d, data, jpeg.Options{Scale: scale, SkipRefinement: true})
	if err != nil || d.Color != jpeg.YCbCr && d.Color != jpeg.Gray {
		return errDoubtful
	}
	return nil
}

// make makes the variants, the largest first, each from the smallest picture that is finer.
func (t *transform) make() error {
	order := make([]int, len(t.recipe.Variants))
	for i := range order {
		order[i] = i
	}
	area := func(i int) int { w, h := stored(t.info, t.recipe.Variants[i]); return w * h }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(area(b), area(a)) })

	t.outputs = make([]engine.Output, len(order))
	sources := []*picture{t.source()}
	for _, i := range order {
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		v := t.recipe.Variants[i]
		w, h := stored(t.info, v)
		from := len(sources) - 1
		for from > 0 && (sources[from].width() < finer*w || sources[from].height() < finer*h) {
			from--
		}
		begun := time.Now()
		made := t.space.picture(len(sources)-1, w, h, sources[0].gray())
		if v.Orient {
			made.meant(t.info.Orientation)
		}
		for p := range made.planes {
			t.space.resampler.resample(&made.planes[p], &sources[from].planes[p])
		}
		sources = append(sources, made)
		upright := made
		if v.Orient && t.info.Orientation > 1 {
			t.space.turned = grow(t.space.turned, pictureSize(w, h, made.gray()))
			upright = made.oriented(t.info.Orientation, t.space.turned)
		}
		t.stages.Transform += time.Since(begun)
		if err := t.encode(i, v, upright); err != nil {
			return err
		}
	}
	return nil
}

// source returns what was decoded, each plane with the span that the picture has in it: the decoder rounds sizes up, but
// the picture did not grow. Without that, small variants would be shifted by parts of a pixel.
func (t *transform) source() *picture {
	d := &t.space.decoded
	planes := []*jpeg.Plane{&d.Y, &d.Cb, &d.Cr}
	maxH, maxV := max(d.Y.H, d.Cb.H, d.Cr.H), max(d.Y.V, d.Cb.V, d.Cr.V)
	if d.Color == jpeg.Gray { // one component fills the picture, whatever its factors are
		planes = planes[:1]
	}
	src := new(picture)
	for _, p := range planes {
		src.planes = append(src.planes, plane{
			pix: p.Pix, stride: p.Stride, width: p.Width, height: p.Height,
			across: span{0, float64(t.info.Width*p.H) / float64(maxH*int(d.Scale))},
			down:   span{0, float64(t.info.Height*p.V) / float64(maxV*int(d.Scale))},
		})
	}
	return src
}

func (t *transform) result() *engine.Result {
	res := &engine.Result{Outputs: t.outputs, Format: t.info.Format, Stages: t.stages}
	res.Width, res.Height = t.info.Displayed()
	for _, name := range t.info.Metadata() {
		if !slices.Contains(t.carried, name) {
			res.Dropped = append(res.Dropped, name)
		}
	}
	return res
}
