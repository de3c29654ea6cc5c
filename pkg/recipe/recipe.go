// Package recipe says what to make of an image: variants, each a list of operations, and their one canonical text.
//
// A recipe knows nothing of pixels. Parse reads what people type. String prints the canonical text, which is hashed
// into task ids, sent and shown. OutputNames names the outputs:
//
//	r, err := recipe.Parse("thumb=fit:256x256,format:webp", "hero=fill:1200x400:smart")
//	r.String()                     // thumb=fit:256x256,orient:auto,…;hero=fill:1200x400:smart,orient:auto,…
//	r.OutputNames("2024/a.jpeg")   // 2024/a_thumb.webp, 2024/a_hero.jpeg
//	engine.Transform(ctx, data, r.For("2024/a.jpeg"))
//
// Operations come in two kinds. Pixel operations (fit, crop, blur, …) run in the order in which they are written.
// Settings (orient, format, quality, …) hold for the whole variant wherever they stand. Canonical text lists them last,
// in the order of their table, with their defaults filled in.
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
	MaxPage     = 65535 // of a file, from 0
	MaxName     = 64    // bytes of a variant's name, and of an asset's
)

// Recipe is what to make of one image. Parse, ParseSizes, ParseCanonical and Default make recipes; nobody changes one
// afterwards. The zero Recipe makes nothing.
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
	Format     string // one of format.Written, or Same
	Quality    int    // 1–100; 0 where the format has none, or is not known yet and takes its default
	// AutoQuality says that the encoder chooses the quality, so that all pictures look about as good. Quality is 0 then.
	AutoQuality bool
	Strip       string // StripAll, StripKeep, StripCopyright
	ICC         string // ICCToSRGB, ICCKeep
	KeepExt     bool   // the output's name keeps the input's extension: a.png_thumb.jpg
	Linear      bool   // scale in linear light
	Page        int    // which page, frame or picture of the file, from 0
	Coding
}

// Op is one pixel operation. Parsing leaves the fields zero that the operation does not use, so equal operations are
// ==.
type Op struct {
	Word    Word
	W, H    int    // fit, fill, force, pad, crop: pixels, 0 for a side left free; not both 0
	Gravity string // fill, crop, watermark: one of Gravities, watermark not Smart
	Color   Color  // pad
	Asset   string // watermark: a file's name in the directory of assets, case kept, no slash
	// Trim: threshold; rotate: degrees clockwise; blur, sharpen: sigma; brightness …: amount; watermark: opacity
	N float64
}

// The gravities besides the eight directions north, south, east, west, ne, nw, se and sw.
const (
	Center = "center"
	Smart  = "smart" // where the picture has most detail
)

// Gravities returns every gravity.
func Gravities() []string {
	return []string{Center, "north", "south", "east", "west", "ne", "nw", "se", "sw", Smart}
}

// Default returns the recipe of a task that names none: thumbnails that fit in squares of 64, 128 and 256 pixels.
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

// textGuess is enough memory for the text of most variants, in bytes. A worker prints a recipe for each task.
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
	separator := ""
	for _, set := range settings {
		if value := set.print(v); value != "" {
			b.WriteString(separator + set.word + ":" + value)
			separator = ","
		}
	}
}
