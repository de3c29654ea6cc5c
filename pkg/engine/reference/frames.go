package reference

import (
	"cmp"
	"context"
	"image"
	"slices"
	"time"

	"github.com/disintegration/imaging"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// frame is one decoded picture at full size.
type frame struct {
	img   image.Image // plain
	delay int         // milliseconds
	loops int         // of the whole animation
}

// makeFrames decodes one frame after the other and makes all variants of it. So it holds only one frame at full size.
func (t *transform) makeFrames(recipe.Recipe) error {
	animate := slices.ContainsFunc(t.made, func(m *made) bool { return m.animate })
	start := time.Now()
	first := true
	err := t.decode(animate, func(f frame) error {
		t.stages.Decode += time.Since(start)
		start = time.Now()
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		if err := t.makeFrame(f, first); err != nil {
			return err
		}
		first = false
		t.stages.Transform += time.Since(start)
		start = time.Now()
		return nil
	})
	t.stages.Decode += time.Since(start)
	return err
}

// base is the picture scaled down and upright, from which smaller variants are made.
type base struct {
	img     *image.NRGBA
	orient  bool
	convert *icc.Conversion
	linear  bool
}

// makeFrame makes every variant of one frame, the largest first.
func (t *transform) makeFrame(f frame, first bool) error {
	order := make([]*made, 0, len(t.made))
	for _, m := range t.made {
		if first || m.animate {
			order = append(order, m)
		}
	}
	slices.SortStableFunc(order, func(a, b *made) int { return cmp.Compare(t.firstArea(b), t.firstArea(a)) })
	var bases []base
	for _, m := range order {
		if t.ctx.Err() != nil {
			return context.Cause(t.ctx)
		}
		img, err := m.apply(t.begin(f, m, &bases))
		if err != nil {
			return err
		}
		if image.Image(img) == f.img && t.info.Frames > 1 {
			img = imaging.Clone(img) // the decoder draws the next frame over this one before anything is encoded
		}
		m.frames, m.delays, m.loops = append(m.frames, img), append(m.delays, f.delay), f.loops
	}
	return nil
}

// firstSize returns the size to which a variant scales first, and whether that is what it does first.
func (t *transform) firstSize(m *made) (w, h int, scales bool) {
	w, h = t.size(m.Variant)
	if len(m.Ops) == 0 {
		return w, h, false
	}
	switch o := m.Ops[0]; o.Word {
	case recipe.Fit, recipe.Force:
		w, h, _ = o.Size(w, h, m.Enlarge)
	case recipe.Fill:
		w, h = o.Cover(w, h, m.Enlarge)
	case recipe.Pad:
		w, h = o.Inner(w, h, m.Enlarge)
	default:
		return w, h, false
	}
	return w, h, true
}

func (t *transform) firstArea(m *made) int64 {
	w, h, _ := t.firstSize(m)
	return int64(w) * int64(h)
}

// begin returns the picture with which a variant's first operation begins. If that operation scales, begin scales the
// smallest base that is at least twice as large as the target, or else the frame. The scaled picture becomes a base for
// smaller variants.
func (t *transform) begin(f frame, m *made, bases *[]base) *canvas {
	p := t.picture(f.img, m)
	w, h, scales := t.firstSize(m)
	if !scales {
		return p
	}
	for _, b := range slices.Backward(*bases) {
		if b.orient == m.Orient && b.convert == m.Convert && b.linear == m.Linear &&
			b.img.Rect.Dx() >= 2*w && b.img.Rect.Dy() >= 2*h {
			p.img, p.orient, p.toSRGB = b.img, 1, nil
			p.linear = p.after
			break
		}
	}
	p.scale(w, h)
	p.settle()
	if m.Ops[0].Word != recipe.Force {
		*bases = append(*bases, base{p.img.(*image.NRGBA), m.Orient, m.Convert, m.Linear})
	}
	return p
}

// canvas is an image and the steps that wait until the image is small: its orientation and its colour conversion.
type canvas struct {
	img    image.Image // plain; an *image.NRGBA once settled
	orient int         // to be applied, 1 for none
	toSRGB func(*image.NRGBA)
	linear *resample.Curves // it is scaled in this light; nil: in its levels
	after  *resample.Curves // linear, once the colours are converted
}

// scale resizes to w×h pixels as displayed.
func (p *canvas) scale(w, h int) {
	if p.orient >= 5 {
		w, h = h, w
	}
	if size := p.img.Bounds().Size(); size.X != w || size.Y != h {
		if p.linear != nil {
			p.img = resizedLinear(imaging.Clone(p.img), w, h, p.linear)
			return
		}
		p.img = imaging.Resize(p.img, w, h, imaging.Lanczos)
	}
}

// settle applies the steps that wait. Afterwards the image is an *image.NRGBA with its origin at 0, 0. Other
// variants may hold the same image, so operations return new ones.
func (p *canvas) settle() *image.NRGBA {
	img, ok := p.img.(*image.NRGBA)
	if !ok || img.Rect.Min != (image.Point{}) {
		img = imaging.Clone(p.img)
	}
	if p.toSRGB != nil {
		if img == p.img {
			img = imaging.Clone(img) // other variants need the frame unchanged
		}
		p.toSRGB(img)
		p.toSRGB, p.linear = nil, p.after
	}
	img = turn(img, p.orient)
	p.orient = 1
	p.img = img
	return img
}

// turn applies an orientation as EXIF numbers them.
func turn(img *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img) // counter-clockwise
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}
