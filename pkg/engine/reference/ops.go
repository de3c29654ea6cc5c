package reference

import (
	"fmt"
	"image"
	"image/color"

	"github.com/disintegration/imaging"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// apply runs the operations of a variant. begin has done the scaling of the first one already.
func (m *made) apply(p *canvas) (*image.NRGBA, error) {
	for i, o := range m.Ops {
		if err := m.step(p, i, o); err != nil {
			return nil, err
		}
	}
	img := p.settle()
	if img.Rect.Empty() || len(img.Pix) < 4*img.Rect.Dx()*img.Rect.Dy() {
		return nil, fmt.Errorf("variant %s came out empty", m.Name)
	}
	return img, nil
}

func (m *made) step(p *canvas, i int, o recipe.Op) error {
	img := p.settle()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	begun := i == 0
	switch o.Word {
	case recipe.Fit, recipe.Force:
		if !begun {
			w, h, _ = o.Size(w, h, m.Enlarge)
			p.scale(w, h)
		}
	case recipe.Fill:
		if !begun {
			p.scale(o.Cover(w, h, m.Enlarge))
		}
		m.cut(p, i, o)
	case recipe.Pad:
		if !begun {
			p.scale(o.Inner(w, h, m.Enlarge))
		}
		p.img = pad(p.settle(), o)
	case recipe.Crop:
		m.cut(p, i, o)
	case recipe.Trim:
		p.img = m.trim(img, i, o.N)
		size := p.settle().Rect.Size()
		return m.checkSizes(size.X, size.Y, m.Ops[i+1:])
	default:
		var err error
		if p.img, err = Apply(img, o, m.Enlarge, p.linear, begun, m.marks[o.Asset]); err != nil {
			return fmt.Errorf("variant %s: %w", m.Name, err)
		}
	}
	return nil
}

// cut cuts o's size out, at o's gravity.
func (m *made) cut(p *canvas, i int, o recipe.Op) {
	img := p.settle()
	size := img.Rect.Size()
	w, h := size.X, size.Y
	if o.W > 0 {
		w = min(w, o.W)
	}
	if o.H > 0 {
		h = min(h, o.H)
	}
	if w == size.X && h == size.Y {
		return
	}
	at := Place(size, image.Pt(w, h), o.Gravity)
	if o.Gravity == recipe.Smart {
		for len(m.cuts) <= i {
			m.cuts = append(m.cuts, image.Pt(-1, -1))
		}
		if m.cuts[i].X < 0 { // the first frame decides for all
			m.cuts[i] = busiest(img, w, h)
		}
		at = m.cuts[i]
	}
	p.img = imaging.Crop(img, image.Rectangle{at, at.Add(image.Pt(w, h))})
}

// Place returns the upper left corner of a rectangle that lies in another one at a gravity. It may be the larger of
// the two.
func Place(outer, inner image.Point, gravity string) image.Point {
	free := outer.Sub(inner)
	at := image.Pt(free.X/2, free.Y/2)
	switch gravity {
	case "north", "ne", "nw":
		at.Y = 0
	case "south", "se", "sw":
		at.Y = free.Y
	}
	switch gravity {
	case "west", "nw", "sw":
		at.X = 0
	case "east", "ne", "se":
		at.X = free.X
	}
	return at
}

// pad puts img in the middle of a canvas of o's size and colour.
func pad(img *image.NRGBA, o recipe.Op) *image.NRGBA {
	size := img.Rect.Size()
	canvas := size
	if o.W > 0 {
		canvas.X = o.W
	}
	if o.H > 0 {
		canvas.Y = o.H
	}
	if canvas == size {
		return img
	}
	return imaging.Paste(imaging.New(canvas.X, canvas.Y, color.NRGBA(o.Color)), img, Place(canvas, size, recipe.Center))
}

// overlay lays mark over img, shrunk where it would not fit.
func overlay(img, mark *image.NRGBA, gravity string, opacity float64) *image.NRGBA {
	out := imaging.Clone(img)
	fit := recipe.Op{Word: recipe.Fit, W: img.Rect.Dx(), H: img.Rect.Dy()}
	w, h, _ := fit.Size(mark.Rect.Dx(), mark.Rect.Dy(), false)
	if w != mark.Rect.Dx() || h != mark.Rect.Dy() {
		mark = imaging.Resize(mark, w, h, imaging.Lanczos)
	}
	at := Place(img.Rect.Size(), image.Pt(w, h), gravity)
	for y := range h {
		src := mark.Pix[y*mark.Stride:][:4*w]
		dst := out.Pix[(at.Y+y)*out.Stride+4*at.X:][:4*w]
		for x := 0; x < 4*w; x += 4 {
			over(dst[x:x+4:x+4], src[x:x+4:x+4], opacity)
		}
	}
	return out
}

// over lays pixel s over pixel d. Neither is multiplied by its alpha.
func over(d, s []uint8, opacity float64) {
	sa := float64(s[3]) / 255 * opacity
	da := float64(d[3]) / 255 * (1 - sa)
	a := sa + da
	if a == 0 {
		return
	}
	for c := range 3 {
		d[c] = uint8((float64(s[c])*sa+float64(d[c])*da)/a + 0.5)
	}
	d[3] = uint8(a*255 + 0.5)
}

// flatten lays img over a colour, so that nothing is transparent. It returns img itself where nothing is.
func flatten(img *image.NRGBA, background recipe.Color) *image.NRGBA {
	if img.Opaque() {
		return img
	}
	out := imaging.Clone(img)
	b := [3]int{int(background.R), int(background.G), int(background.B)}
	for i := 0; i+4 <= len(out.Pix); i += 4 {
		a := int(out.Pix[i+3])
		for c := range 3 {
			out.Pix[i+c] = uint8((int(out.Pix[i+c])*a + b[c]*(255-a) + 127) / 255)
		}
		out.Pix[i+3] = 255
	}
	return out
}
