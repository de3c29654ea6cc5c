package webp

import (
	"bytes"
	"image"
	"slices"

	"golang.org/x/image/vp8l"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
)

// interleaved decodes a VP8L stream of w×h pixels and gives it to use: interleaved RGB and alpha, which may be changed
// and are gone when use returns.
func interleaved(stream []byte, w, h int, use func(pix []byte, stride int)) error {
	if lib, err := native.LibWebP(); err == nil {
		if err := lib.Decode(build([]chunk{{"VP8L", stream}}), w, h, use); err == nil {
			return nil
		}
	}
	// Without libwebp, or because it does not say what is wrong.
	img, err := vp8l.Decode(bytes.NewReader(stream))
	if err != nil {
		return err
	}
	pixels := img.(*image.NRGBA)
	use(pixels.Pix, pixels.Stride)
	return nil
}

// lossless decodes a VP8L stream of w×h pixels.
func lossless(stream []byte, w, h int, need picture.Need) (*picture.Picture, error) {
	var p *picture.Picture
	err := interleaved(stream, w, h, func(pix []byte, stride int) {
		factor := factorFor(w, h, need)
		if factor == 1 {
			p = separate(pix, stride, w, h)
			return
		}
		s := newShrinker(w, h, factor)
		for y := range h {
			s.row(pix[y*stride:][:4*w])
		}
		p = s.picture()
	})
	return p, err
}

// factorFor returns by which integer a picture of w×h pixels can be shrunk.
func factorFor(w, h int, need picture.Need) int {
	if need.Width < 1 || need.Height < 1 {
		return 1
	}
	return min(max(min(w/need.Width, h/need.Height), 1), resample.MaxBox)
}

// shrinker shrinks interleaved RGB and alpha, multiplied by alpha: transparent pixels have colours, which must not be
// averaged with others.
type shrinker struct {
	box     *resample.Box
	made    picture.Picture
	visible bool // that some pixel is not opaque
}

func newShrinker(w, h, factor int) *shrinker {
	s := new(shrinker)
	s.made = picture.Picture{Model: picture.RGB, Planes: make([]picture.Plane, 3), Alpha: new(picture.Plane)}
	planes := []*picture.Plane{&s.made.Planes[0], &s.made.Planes[1], &s.made.Planes[2], s.made.Alpha}
	pw, ph := (w+factor-1)/factor, (h+factor-1)/factor
	for _, c := range planes {
		*c = picture.Whole(make([]byte, pw*ph), pw, ph)
		c.Across.Length, c.Down.Length = float64(w)/float64(factor), float64(h)/float64(factor)
	}
	s.box = resample.NewBox(planes, factor, w)
	return s
}

// row takes the next row, and changes it.
func (s *shrinker) row(rgba []byte) {
	s.visible = !picture.Alpha(rgba, 4, true) || s.visible
	s.box.Row(rgba)
}

// picture returns what was made of all rows.
func (s *shrinker) picture() *picture.Picture {
	s.box.Close()
	if s.made.Premultiplied = s.visible; !s.visible {
		s.made.Alpha = nil
	}
	return &s.made
}

// separate returns interleaved samples as planes.
func separate(pix []byte, stride, w, h int) *picture.Picture {
	p := &picture.Picture{Model: picture.RGB}
	for c := range 4 {
		plane := picture.Whole(make([]byte, w*h), w, h)
		for y := range h {
			row := pix[y*stride:][:4*w]
			for x := range w {
				plane.Pix[y*w+x] = row[4*x+c]
			}
		}
		if c < 3 {
			p.Planes = append(p.Planes, plane)
		} else if slices.ContainsFunc(plane.Pix, func(a byte) bool { return a != 255 }) {
			p.Alpha = &plane
		}
	}
	return p
}
