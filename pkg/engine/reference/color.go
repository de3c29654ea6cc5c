package reference

import (
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// ProfileOf returns the input's profile, or nil if it has none that can be read and applies to its samples.
func ProfileOf(info header.Info) *icc.Profile {
	if info.ICC == nil {
		return nil
	}
	p, err := icc.Parse(info.ICC)
	if err != nil || info.JPEG.Components == 4 {
		return nil // the engine converts CMYK to RGB without the profile, and no output can carry a CMYK profile
	}
	return p
}

// Color says what becomes of the input's colours in a variant.
type Color struct {
	Profile []byte // the output carries this profile; nil: none
	ForGray bool   // that profile is for gray
	Convert bool   // the engine converts the colours to sRGB
	Used    bool   // the profile was put to use, whether or not that changes a colour
}

// ChooseColor decides for a variant, written in a format, whether the engine converts its colours to sRGB or whether
// the output carries the input's profile p. The profile is lost only if neither is possible. p may be nil.
func ChooseColor(p *icc.Profile, info header.Info, v recipe.Variant, to string) Color {
	if p == nil {
		return Color{}
	}
	carries := format.Of(to).ICC
	if p.Space == icc.Gray { // valid only beside gray samples without alpha
		carries = carries && to != format.WebP && info.Gray && !info.Alpha && !colored(v)
	} else {
		carries = carries && p.Space == icc.RGB
	}
	switch {
	case carries && (v.ICC == recipe.ICCKeep || !p.Usable()):
		return Color{Profile: info.ICC, ForGray: p.Space == icc.Gray}
	case p.Usable():
		return Color{Convert: !p.IsSRGB(), Used: true}
	}
	return Color{}
}

// colored reports whether an operation can bring colour into a gray picture.
func colored(v recipe.Variant) bool {
	for _, o := range v.Ops {
		if o.Word == recipe.Watermark || o.Word == recipe.Pad {
			return true
		}
	}
	return v.Background.R != v.Background.G || v.Background.R != v.Background.B
}

func (t *transform) chooseColor() {
	t.profile = ProfileOf(t.info)
	for _, m := range t.made {
		c := ChooseColor(t.profile, t.info, m.Variant, m.format)
		m.profile, m.grayProfile, m.convert = c.Profile, c.ForGray, c.Convert
		if c.Used {
			m.carried = append(m.carried, "icc")
		}
	}
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
