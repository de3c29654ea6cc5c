package reference

import (
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// chooseColor decides for each variant whether the engine converts its colours to sRGB or whether the output carries
// the input's profile. The profile is lost only if neither is possible.
func (t *transform) chooseColor() {
	if t.info.ICC == nil {
		return
	}
	p, err := icc.Parse(t.info.ICC)
	if err != nil || t.info.JPEG.Components == 4 {
		return // the engine converts CMYK to RGB without the profile, and no output can carry a CMYK profile
	}
	t.profile = p
	for _, m := range t.made {
		carries := format.Of(m.format).ICC
		if p.Space == icc.Gray { // valid only beside gray samples without alpha
			carries = carries && m.format != format.WebP && t.info.Gray && !t.info.Alpha && !m.colored()
		} else {
			carries = carries && p.Space == icc.RGB
		}
		switch {
		case carries && (m.ICC == recipe.ICCKeep || !p.Usable()):
			m.profile, m.grayProfile = t.info.ICC, p.Space == icc.Gray
		case p.Usable():
			m.convert = !p.IsSRGB()
			m.carried = append(m.carried, "icc")
		}
	}
}

// colored reports whether an operation can bring colour into a gray picture.
func (m *made) colored() bool {
	for _, o := range m.Ops {
		if o.Word == recipe.Watermark || o.Word == recipe.Pad {
			return true
		}
	}
	return m.Background.R != m.Background.G || m.Background.R != m.Background.B
}

// picture begins a variant with a frame.
func (t *transform) picture(img image.Image, m *made) *canvas {
	p := &canvas{img: img, orient: 1}
	if m.Orient {
		p.orient = t.info.Orientation
	}
	if m.convert {
		p.toSRGB = t.profile.ConvertImage
	}
	return p
}
