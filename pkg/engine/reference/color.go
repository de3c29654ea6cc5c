package reference

import (
	"image"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Profile returns the input's profile, or nil if it has none that applies to its samples. A warning says why a profile
// is not used: then the colours stay as they are.
func (e *Engine) Profile(info header.Info) (*icc.Profile, outcome.Warnings) {
	if info.ICC == nil {
		return nil, nil
	}
	var w outcome.Warnings
	p, err := e.profiles.Parse(info.ICC)
	switch {
	case err != nil:
		w.Add("its colour profile was not used: %v", err)
		return nil, w
	case !p.Usable():
		w.Add("its colour profile was not used: %s", p.Trouble)
		return nil, w
	}
	is := icc.RGB
	switch {
	case info.CMYK:
		is = icc.CMYK
	case info.Gray:
		is = icc.Gray
	}
	// A gray picture may have a profile for RGB: its samples are red, green and blue at once.
	if (p.Space == icc.CMYK) != info.CMYK || p.Space == icc.Gray && !info.Gray {
		w.Add("its colour profile was not used: it is for %s, and the picture is %s", icc.SpaceName(p.Space),
			icc.SpaceName(is))
		return nil, w
	}
	return p, nil
}

// Color says what becomes of the input's colours in a variant.
type Color struct {
	Profile []byte          // the output carries this profile; nil: none
	ForGray bool            // that profile is for gray
	Made    bool            // that profile is not the input's, but of what the colours were converted to
	Inks    *icc.Conversion // converts samples of CMYK; nil: each colour is what its ink and black let through
	Convert *icc.Conversion // converts all other samples; nil: they stay as they are
	Used    bool            // the input's profile was put to use, whether or not that changes a colour

	// Warning says what of the recipe cannot be done; empty: nothing.
	Warning string
}

// ChooseColor decides for a variant, written in a format, whether the engine converts its colours, to which ones, and
// which profile the output carries. The input's profile p is what [Engine.Profile] returned.
func ChooseColor(p *icc.Profile, info header.Info, v recipe.Variant, to string) (c Color) {
	target := icc.SRGB
	if v.ICC == recipe.ICCP3 && !info.Gray { // gray is the same in both
		if target = icc.DisplayP3; !carriesP3(to) {
			target = icc.SRGB
			c.Warning = "variant " + v.Name + " is sRGB: " + to + " carries no profile of Display P3"
		}
	}
	if target == icc.DisplayP3 {
		c.Profile, c.Made = target.Profile(), true
	}
	if p == nil || p.Space == icc.CMYK { // what is not CMYK is sRGB
		if p != nil {
			c.Inks, c.Used = p.To(target), true
		}
		if target != icc.SRGB {
			c.Convert = icc.FromSRGB(target)
		}
		return c
	}
	carries := format.Of(to).ICC
	if p.Space == icc.Gray { // valid only beside gray samples without alpha
		carries = carries && to != format.WebP && info.Gray && !info.Alpha && !colored(v)
	} else {
		carries = carries && p.Space == icc.RGB
	}
	if carries && v.ICC == recipe.ICCKeep {
		return Color{Profile: info.ICC, ForGray: p.Space == icc.Gray}
	}
	c.Used = true
	if conversion := p.To(target); !conversion.Same() {
		c.Convert = conversion
	}
	return c
}

// Carried returns what an output carries of the input's metadata, of what it carries.
func (c *Color) Carried(names []string) []string {
	if c.Made {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "icc" })
	}
	return names
}

// carriesP3 reports whether an output of a format can say that its colours are those of Display P3. AVIF says it by
// number.
func carriesP3(to string) bool { return format.Of(to).ICC || to == format.AVIF }

// NRGBA converts a picture.
func (c *Color) NRGBA(p *picture.Picture) *image.NRGBA {
	if c.Inks != nil && (p.Model == picture.CMYK || p.Model == picture.YCCK) {
		return p.NRGBAOfInks(c.Inks.Inks)
	}
	img := p.NRGBA()
	c.convert(img)
	return img
}

// convert converts a picture in place whose samples are no inks, or no longer.
func (c *Color) convert(img *image.NRGBA) {
	if c.Convert != nil {
		c.Convert.Image(img)
	}
}

// Inks returns the function by which decoders convert CMYK to sRGB; nil: the profile does not do it.
func Inks(p *icc.Profile) func(dst, src []byte) {
	if p == nil || p.Space != icc.CMYK {
		return nil
	}
	return p.To(icc.SRGB).Inks
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
	p := t.readProfile()
	for _, m := range t.made {
		m.Color = ChooseColor(p, t.info, m.Variant, m.format)
		if m.Used {
			m.carried = append(m.carried, "icc")
		}
		t.warnings.Add("%s", m.Warning)
	}
}

// readProfile reads the profile for the decoders, too.
func (t *transform) readProfile() *icc.Profile {
	p, warnings := t.engine.Profile(t.info)
	t.warnings.AddAll(warnings)
	t.inks, t.curves = Inks(p), Curves(p)
	return p
}

// picture begins a variant with a frame.
func (t *transform) picture(img image.Image, m *made) *canvas {
	p := &canvas{img: img, orient: 1}
	if m.Linear {
		p.linear, p.after = t.curves(), m.CurvesAfter(t.curves)
	}
	if m.Orient {
		p.orient = t.info.Orientation
	}
	if m.Convert != nil {
		p.toSRGB = m.convert
	}
	return p
}
