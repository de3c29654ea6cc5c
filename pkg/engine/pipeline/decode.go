package pipeline

import (
	"errors"
	"image"
	"math"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// decode decodes the picture, or each frame that a variant keeps, and makes of it what the variants ask for.
func (t *transform) decode() error {
	if t.info.Coding == format.JPEG && !t.info.ByRows() && !t.damaged {
		w, h := t.needed(reduced)
		return t.decoded(func() ([]source, error) { return t.decodeJPEG(w, h) })
	}
	if t.deep {
		return t.deepVariants()
	}
	w, h := t.needed(finer)
	need := picture.Need{Width: w, Height: h, Exact: t.exact()}
	begun := time.Now()
	src, err := t.openRows(need)
	t.stages.Decode += time.Since(begun)
	switch {
	case err != nil:
		return err
	case src != nil:
		return t.decoded(func() ([]source, error) {
			sources, err := t.read(src, w, h)
			t.warnings.AddAll(src.Warnings())
			return sources, err
		})
	}
	begun = time.Now()
	p, err := t.engine.general.Planes(t.ctx, t.data, t.info, need)
	t.stages.Decode += time.Since(begun)
	switch {
	case err != nil:
		return err
	case p != nil:
		return t.decoded(func() ([]source, error) { return t.premultiplied(p, w, h) })
	}
	return t.decodeFrames(w, h)
}

// openRows opens the picture if its decoder yields rows. It returns nil without an error for another.
func (t *transform) openRows(need picture.Need) (*rows.Source, error) {
	if t.info.ByRows() {
		opt := t.rowOptions()
		opt.KeepInks, opt.Narrow = true, true
		return rows.Open(t.info.Coding, t.data, opt)
	}
	if t.animates() {
		return nil, nil
	}
	return t.engine.general.Rows(t.ctx, t.data, t.info, need)
}

// premultiplied returns a picture whose samples can be averaged: one without alpha, or with samples multiplied by it.
func (t *transform) premultiplied(p *picture.Picture, w, h int) ([]source, error) {
	if p.Alpha == nil || p.Premultiplied && p.Model != picture.YCbCr {
		return t.whole(p), nil
	}
	return t.read(imageRows(p.NRGBA()), w, h)
}

// reduced is how many times a variant's width and height a JPEG must have at least that is decoded at a reduced scale.
// Dropping frequencies, as pkg/jpeg does, is a much better filter than averaging samples: at q85 the difference to a
// full decode is below 0.1 dB. It is taken where the encoder loses more anyway.
const (
	reduced        = 1.5
	reducedQuality = 90
)

// needed returns how fine the source must be, in samples: so many times finer than every variant, or finer times
// where the variant is encoded so well that it shows.
func (t *transform) needed(times float64) (width, height int) {
	if t.linear { // what decoders and boxes average is no light
		return t.info.Width, t.info.Height
	}
	var w, h float64
	for _, m := range t.made {
		if m.trims() { // at full size, where the border ends is seen
			return t.info.Width, t.info.Height
		}
		n := times
		if m.exact() {
			n = finer
		}
		w = max(w, n*float64(m.width)/m.window.w*float64(t.info.Width))
		h = max(h, n*float64(m.height)/m.window.h*float64(t.info.Height))
	}
	return int(math.Ceil(w - little)), int(math.Ceil(h - little))
}

// exact reports whether a variant is encoded so well that what a decoder leaves out shows.
func (t *transform) exact() bool { return slices.ContainsFunc(t.made, (*variant).exact) }

func (m *variant) exact() bool {
	q := reference.QualityOf(m.Variant, m.format)
	return q == 0 || q > reducedQuality
}

// decoded makes a frame of what do decodes.
func (t *transform) decoded(do func() ([]source, error)) error {
	begun := time.Now()
	var err error
	t.sources, err = do()
	t.stages.Decode += time.Since(begun)
	if err != nil {
		return err
	}
	return t.frame()
}

// whole returns a picture of the whole input as the only source.
func (t *transform) whole(p *picture.Picture) []source { return []source{{p, t.all()}} }

// all is the window of the whole input.
func (t *transform) all() window { return window{0, 0, float64(t.info.Width), float64(t.info.Height)} }

// animates reports whether a variant keeps all frames.
func (t *transform) animates() bool {
	return slices.ContainsFunc(t.made, func(m *variant) bool { return m.animate })
}

// decodeFrames decodes with the general decoders.
func (t *transform) decodeFrames(w, h int) error {
	begun := time.Now()
	warnings, err := t.engine.general.Decode(t.ctx, t.data, t.info, t.animates(), func(f reference.Frame) error {
		t.stages.Decode += time.Since(begun)
		if t.frames > 0 {
			t.space.given = 0
		}
		for _, m := range t.made {
			m.delays, m.loops = append(m.delays, f.Delay), f.Loops
		}
		err := t.decoded(func() ([]source, error) { return t.pictureOf(f.Image, w, h) })
		begun = time.Now()
		return err
	})
	t.stages.Decode += time.Since(begun)
	t.warnings.AddAll(warnings)
	return err
}

// pictureOf returns a decoded image as a picture of at least w×h samples, or of all its pixels.
func (t *transform) pictureOf(img image.Image, w, h int) ([]source, error) {
	switch img := img.(type) {
	case *image.YCbCr:
		return t.whole(picture.OfYCbCr(img)), nil
	case *image.Gray:
		size := img.Rect.Size()
		p := picture.Whole(img.Pix[:(size.Y-1)*img.Stride+size.X], size.X, size.Y)
		p.Stride = img.Stride
		return t.whole(&picture.Picture{Model: picture.Gray, Planes: []picture.Plane{p}}), nil
	}
	return t.read(imageRows(img), w, h)
}

// decodeJPEG decodes to at least width×height, or at full size.
func (t *transform) decodeJPEG(width, height int) ([]source, error) {
	scale := jpeg.Eighth
	for scale < jpeg.Full &&
		(t.info.Width*int(scale) < width*int(jpeg.Full) || t.info.Height*int(scale) < height*int(jpeg.Full)) {
		scale++
	}
	d := &t.space.decoded
	err := t.space.decoder.Decode(d, t.data, jpeg.Options{Scale: scale, SkipRefinement: true})
	var corrupt *jpeg.CorruptError
	switch {
	case errors.As(err, &corrupt) && corrupt.Surplus: // image/jpeg does not notice it
		if t.engine.limits.OnTruncated != engine.AcceptTruncated {
			return nil, outcome.Reject(outcome.Corrupt, "the JPEG's picture is damaged: %v", err)
		}
		t.warnings.Add("the picture is damaged: %v", err)
	case err != nil:
		return nil, errDamaged
	}
	return t.whole(reference.JPEGPicture(d, t.info.Width, t.info.Height)), nil
}
