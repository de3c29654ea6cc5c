package pipeline

import (
	"image"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
)

// place plans what depends on the pixels: a smart cut, which looks at a small picture, and a trim, which looks at all.
func (t *transform) place() error {
	if t.frames > 0 {
		return nil // the first frame decides for all
	}
	begun := time.Now()
	defer func() { t.stages.Transform += time.Since(begun) }()
	for _, m := range t.made {
		if !m.searches {
			continue
		}
		in := &searcher{transform: t, variant: m}
		if m.plan = planOf(t.info, m.Variant, in); in.tooLarge != nil {
			return in.tooLarge
		}
	}
	return nil
}

// searcher is the search in what was decoded, for a variant.
type searcher struct {
	*transform
	*variant
	tooLarge error // what the operations after a trim would make
}

func (s *searcher) busiest(so plan, w, h int) image.Point {
	dw, dh := so.displayed()
	small := reference.SearchSize(dw, dh)
	so.scale(small.X, small.Y)
	return reference.Busiest(s.pixels(so), image.Pt(dw, dh), w, h)
}

func (s *searcher) content(so plan, trim int) image.Rectangle {
	if s.tooLarge != nil {
		w, h := so.displayed()
		return image.Rect(0, 0, w, h)
	}
	r := reference.Content(s.pixels(so), s.Ops[trim].N)
	s.tooLarge = s.check(s.variant, r.Dx(), r.Dy(), s.Ops[trim+1:])
	return r
}

// pixels makes what is planned so far.
func (s *searcher) pixels(so plan) *image.NRGBA {
	return s.NRGBA(s.turned(s.resampled(&so, picture.Chroma{}), so.orientation))
}
