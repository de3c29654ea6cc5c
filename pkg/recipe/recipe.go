// Package recipe says what to make of an image: variants, each a list of operations, and their one canonical text.
//
// A recipe knows nothing of pixels. It is parsed from what people type, printed as canonical text (which is hashed,
// sent and shown), and it names the outputs:
//
//	r, err := recipe.Parse("thumb=fit:256x256,format:webp", "hero=fill:1200x400:smart")
//	r.String()                     // thumb=fit:256x256,orient:auto,…;hero=fill:1200x400:smart,orient:auto,…
//	r.OutputNames("2024/a.jpeg")   // 2024/a_thumb.webp, 2024/a_hero.jpeg
//	engine.Transform(ctx, data, r.For("2024/a.jpeg"))
//
// Operations come in two kinds. Pixel operations (fit, crop, blur, …) run in the order in which they are written.
// Settings (orient, enlarge, background, animate, format, quality, strip, icc) hold for the whole variant wherever
// they stand; canonical text lists them last, in that order, with their defaults filled in.
package recipe

import (
	"strconv"
	"strings"
)

// Limits of a recipe. Beyond them, parsing fails.
const (
	MaxText     = 64 << 10 // bytes of canonical text
	MaxVariants = 64
	MaxOps      = 32    // pixel operations of one variant
	MaxSide     = 65535 // pixels, of a geometry
	MaxName     = 64    // bytes of a variant's name, and of an asset's
)

// Recipe is what to make of one image. It is made by Parse, ParseSizes, ParseCanonical or Default, and then only
// read. The zero Recipe makes nothing.
type Recipe struct {
	Variants []Variant
}

// Variant is one requested output.
type Variant struct {
	Name string // letters a–z, digits, '_', '-', '@'; unique in its recipe
	Ops  []Op   // pixel operations, in the order in which they run

	Orient     bool   // apply the input's orientation tag before the first operation
	Enlarge    bool   // operations may make the picture larger
	Background Color  // under transparent pixels where the output format has no transparency
	Animate    bool   // keep all frames where the output format can; else the first
	Format     string // one of Formats, or Same
	Quality    int    // 1–100; 0 where the format has none, or is not known yet and takes its default
	Strip      string // StripAll, StripKeep, StripCopyright
	ICC        string // ICCToSRGB, ICCKeep
}

// Op is one pixel operation. Fields that its word does not use are zero, so equal operations compare equal.
type Op struct {
	Word    Word
	W, H    int     // fit, fill, force, pad, crop: pixels, 0 for a side left free; not both 0
	Gravity string  // fill, crop, watermark: one of Gravities, watermark not Smart
	Color   Color   // pad
	Asset   string  // watermark: a file's name in the directory of assets, case kept, no slash
	N       float64 // rotate: degrees clockwise; blur, sharpen: sigma; brightness …: amount; watermark: opacity
}

// Word names a pixel operation.
type Word string

// The pixel operations.
const (
	Fit        Word = "fit"        // largest size inside W×H, proportions kept
	Fill       Word = "fill"       // smallest size that covers W×H, the rest cut off
	Force      Word = "force"      // exactly W×H, proportions not kept
	Pad        Word = "pad"        // fit, then a border up to W×H
	Crop       Word = "crop"       // cut W×H out, without scaling
	Rotate     Word = "rotate"     // clockwise by 90, 180 or 270 degrees
	Flip       Word = "flip"       // upside down
	Flop       Word = "flop"       // left to right
	Blur       Word = "blur"       // Gaussian, N is sigma in pixels
	Sharpen    Word = "sharpen"    // unsharp mask, N is sigma in pixels
	Brightness Word = "brightness" // N per cent, −100 black, 100 white
	Contrast   Word = "contrast"   // N per cent, −100 gray
	Saturation Word = "saturation" // N per cent, −100 gray
	Gamma      Word = "gamma"      // N above 1 lightens
	Gray       Word = "gray"
	Invert     Word = "invert"
	Watermark  Word = "watermark" // an asset laid over the picture
)

// Values of Variant.Strip and Variant.ICC.
const (
	StripAll       = "all"       // no metadata but what shows the picture right
	StripKeep      = "keep"      // all that the output format can carry
	StripCopyright = "copyright" // who made it and who owns it
	ICCToSRGB      = "srgb"      // convert to sRGB, drop the profile
	ICCKeep        = "keep"      // leave the values, carry the profile
)

// Values of Op.Gravity besides the eight directions, which are north, south, east, west, ne, nw, se and sw.
const (
	Center = "center"
	Smart  = "smart" // where the picture has most detail
)

// Gravities returns every gravity.
func Gravities() []string {
	return []string{Center, "north", "south", "east", "west", "ne", "nw", "se", "sw", Smart}
}

// Default returns the recipe of a task that brings none: thumbnails that fit in 64, 128 and 256 pixels.
func Default() Recipe {
	return sizes([]int{64, 128, 256})
}

func sizes(sizes []int) Recipe {
	r := Recipe{}
	for _, n := range sizes {
		v := defaults()
		v.Name = "thumbnail" + strconv.Itoa(n)
		v.Ops = []Op{{Word: Fit, W: n, H: n}}
		r.Variants = append(r.Variants, v)
	}
	return r
}

// defaults returns a variant without name and operations.
func defaults() Variant {
	return Variant{Orient: true, Background: White, Format: Same, Strip: StripAll, ICC: ICCToSRGB}
}

// String returns the canonical text of r: its variants joined by ';'.
func (r Recipe) String() string {
	var b strings.Builder
	b.Grow(textGuess * len(r.Variants))
	for i, v := range r.Variants {
		if i > 0 {
			b.WriteByte(';')
		}
		v.write(&b)
	}
	return b.String()
}

// textGuess is how many bytes the text of most variants has room in. A worker makes a recipe's text for each task.
const textGuess = 192

// String returns the canonical text of v.
func (v Variant) String() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}

func (v Variant) write(b *strings.Builder) {
	b.WriteString(v.Name)
	b.WriteByte('=')
	for _, o := range v.Ops {
		b.WriteString(o.String())
		b.WriteByte(',')
	}
	b.WriteString("orient:" + choose(v.Orient, "auto", "off"))
	b.WriteString(",enlarge:" + choose(v.Enlarge, "yes", "no"))
	b.WriteString(",background:" + v.Background.String())
	b.WriteString(",animate:" + choose(v.Animate, "yes", "no"))
	b.WriteString(",format:" + v.Format)
	if v.Quality != 0 {
		b.WriteString(",quality:" + strconv.Itoa(v.Quality))
	}
	b.WriteString(",strip:" + v.Strip + ",icc:" + v.ICC)
}

// String returns the canonical text of o.
func (o Op) String() string {
	s := string(o.Word)
	switch o.Word {
	case Fit, Force:
		s += ":" + geometry(o.W, o.H)
	case Fill, Crop:
		s += ":" + geometry(o.W, o.H) + ":" + o.Gravity
	case Pad:
		s += ":" + geometry(o.W, o.H) + ":" + o.Color.String()
	case Watermark:
		s += ":" + o.Asset + ":" + o.Gravity + ":" + number(o.N)
	case Rotate, Blur, Sharpen, Brightness, Contrast, Saturation, Gamma:
		s += ":" + number(o.N)
	}
	return s
}

func geometry(w, h int) string {
	s := "x"
	if w > 0 {
		s = strconv.Itoa(w) + s
	}
	if h > 0 {
		s += strconv.Itoa(h)
	}
	return s
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func choose(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}
