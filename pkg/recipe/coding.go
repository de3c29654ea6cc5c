package recipe

import (
	"slices"
	"strconv"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/format"
)

// Coding is what a variant asks of its encoder beside the quality. The zero Coding leaves all to the encoder. Where a
// variant has the format of its input, a setting holds for the formats that know it.
type Coding struct {
	Progressive  string // JPEG: Yes, No, or Auto: where the picture is large enough to become smaller by it; "" is No
	Trellis      bool   // JPEG: choose coefficients by the bits that they cost and by how much the error shows
	Adaptive     bool   // JPEG: leave out the coefficients that are the least visible where they are
	Chroma       string // JPEG, AVIF: Chroma420, Chroma422, Chroma444 or Auto: 444 from quality 90 on; "" is Chroma420
	Lossless     bool   // WebP
	NearLossless Level  // WebP, with Lossless: 0 to 99, how much of the samples is kept
	SharpYUV     bool   // WebP: choose samples of colour for sharp edges
	Effort       Level  // WebP, AVIF: 0 (fast) to the format's most (small)
	Colors       int    // PNG, GIF: 2 to 256, of the palette; 0: as many as the format holds
	Compression  Level  // PNG: 0 (none) to 9
	KeepHDR      bool   // JPEG: with the input's gain map; the operations only scale, cut and turn
	KeepDepth    bool   // PNG, TIFF: 16 bits a sample where the input has them; the operations only scale, cut and turn
	MaxBytes     int64  // what the output's encoded picture may have; 0: as many as it takes
}

// Values of Coding.Progressive and Coding.Chroma.
const (
	Yes       = "yes"
	No        = "no"
	Auto      = "auto"
	Chroma420 = "420" // a sample of colour for four pixels
	Chroma422 = "422" // for two, side by side
	Chroma444 = "444" // for each
)

// Level is a number that a variant may leave to the encoder, which the zero Level does.
type Level struct {
	N     int
	Given bool
}

// Or returns the number, or another where none was given.
func (l Level) Or(otherwise int) int {
	if l.Given {
		return l.N
	}
	return otherwise
}

func (l Level) String() string {
	if !l.Given {
		return ""
	}
	return strconv.Itoa(l.N)
}

// ChromaAt returns the resolution of colour at a quality: Chroma420, Chroma422 or Chroma444.
func (c Coding) ChromaAt(quality int) string {
	switch {
	case c.Chroma == Auto && quality >= fullChromaQuality:
		return Chroma444
	case c.Chroma == Auto || c.Chroma == "":
		return Chroma420
	}
	return c.Chroma
}

// fullChromaQuality is the quality from which chroma:auto keeps all samples of colour, as in libvips.
const fullChromaQuality = 90

// ProgressiveAt reports whether a picture of w×h pixels is coded progressively.
func (c Coding) ProgressiveAt(w, h int) bool {
	return c.Progressive == Yes || c.Progressive == Auto && w*h >= progressivePixels
}

// progressivePixels is from where progressive:auto is progressive. Smaller pictures become larger by it, as each scan
// brings tables of its own.
const progressivePixels = 1 << 17

// DefaultCompression is the level of PNG where none is given.
const DefaultCompression = 6

// codings is the part of the table of settings that holds for some formats only.
var codings = []setting{
	{
		word: "progressive", values: "no|yes|auto", formats: []string{format.JPEG},
		parse: func(w word, v *Variant) error { return choice(w, &v.Progressive, No, Yes, Auto) },
		print: func(v Variant) string { return v.Progressive },
		reset: func(v *Variant) { v.Progressive = "" },
	},
	flagSetting("adaptive", func(v *Variant) *bool { return &v.Adaptive }, format.JPEG),
	flagSetting("trellis", func(v *Variant) *bool { return &v.Trellis }, format.JPEG),
	{
		word: "chroma", values: "420|422|444|auto", formats: []string{format.JPEG, format.AVIF},
		parse: func(w word, v *Variant) error { return choice(w, &v.Chroma, Chroma420, Chroma422, Chroma444, Auto) },
		print: func(v Variant) string { return v.Chroma },
		reset: func(v *Variant) { v.Chroma = "" },
	},
	flagSetting("lossless", func(v *Variant) *bool { return &v.Lossless }, format.WebP),
	levelSetting("near-lossless", func(v *Variant) *Level { return &v.NearLossless }, 100, 100, format.WebP),
	flagSetting("sharp-yuv", func(v *Variant) *bool { return &v.SharpYUV }, format.WebP),
	levelSetting("effort", func(v *Variant) *Level { return &v.Effort }, 9, -1, format.WebP, format.AVIF),
	{
		word: "colors", values: "NUMBER", formats: []string{format.PNG, format.GIF},
		parse: func(w word, v *Variant) error {
			n, ok := digits(w.s)
			if !ok || n < 2 || n > 256 {
				return w.fail("", "%q is not a number of colours from 2 to 256", w.s)
			}
			v.Colors = n
			return nil
		},
		print: func(v Variant) string { return unlessZero(int64(v.Colors)) },
		reset: func(v *Variant) { v.Colors = 0 },
	},
	levelSetting("compression", func(v *Variant) *Level { return &v.Compression }, 9, DefaultCompression, format.PNG),
	{
		word: "max-bytes", values: "NUMBER",
		parse: func(w word, v *Variant) error { return amount(w, &v.MaxBytes) },
		print: func(v Variant) string { return unlessZero(v.MaxBytes) },
	},
	{
		word: "depth", values: "8|keep", formats: []string{format.PNG, format.TIFF},
		parse: func(w word, v *Variant) error {
			var s string
			err := oneOf(w, &s, "8", "keep")
			v.KeepDepth = s == "keep"
			return err
		},
		print: func(v Variant) string {
			if v.KeepDepth {
				return "keep"
			}
			return ""
		},
		reset: func(v *Variant) { v.KeepDepth = false },
	},
	{
		word: "hdr", values: "drop|keep", formats: []string{format.JPEG},
		parse: func(w word, v *Variant) error {
			var s string
			err := oneOf(w, &s, "drop", "keep")
			v.KeepHDR = s == "keep"
			return err
		},
		print: func(v Variant) string {
			if v.KeepHDR {
				return "keep"
			}
			return ""
		},
		reset: func(v *Variant) { v.KeepHDR = false },
	},
}

// choice is oneOf where the first word is the default, which leaves the field empty.
func choice(w word, field *string, known ...string) error {
	err := oneOf(w, field, known...)
	if *field == known[0] {
		*field = ""
	}
	return err
}

// flagSetting returns a setting of some formats, or of all, that is off unless told.
func flagSetting(name string, field func(*Variant) *bool, formats ...string) setting {
	s := switchSetting(name, Yes, No, field)
	s.values, s.formats = No+"|"+Yes, formats
	s.reset = func(v *Variant) { *field(v) = false }
	printed := s.print
	s.print = func(v Variant) string {
		if !*field(&v) {
			return ""
		}
		return printed(v)
	}
	return s
}

// levelSetting returns a setting of some formats that is a number from 0 to most. The usual number counts as none.
func levelSetting(name string, field func(*Variant) *Level, most, usual int, formats ...string) setting {
	return setting{
		word: name, values: "NUMBER", formats: formats,
		parse: func(w word, v *Variant) error {
			n, ok := digits(w.s)
			if !ok || n > most {
				return w.fail("", "%s %q is not a whole number from 0 to %d", name, w.s, most)
			}
			*field(v) = Level{n, n != usual}
			if n == usual {
				*field(v) = Level{}
			}
			return nil
		},
		print: func(v Variant) string { return field(&v).String() },
		reset: func(v *Variant) { *field(v) = Level{} },
	}
}

func unlessZero(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// maxAmount is the largest value of max-bytes.
const maxAmount = 1 << 30

// amount reads a number of bytes: 20000, 20k, 20kB (1000 bytes each), 20KiB (1024), or the same with M.
func amount(w word, n *int64) error {
	s, factor := strings.ToLower(w.s), int64(1)
	for _, u := range []struct {
		suffix string
		factor int64
	}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"kb", 1e3}, {"mb", 1e6}, {"k", 1e3}, {"m", 1e6}, {"b", 1}} {
		if rest, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = rest, u.factor
			break
		}
	}
	count, err := strconv.ParseInt(s, 10, 64)
	if err != nil || count < 1 || count > maxAmount/factor || s[0] == '+' {
		return w.fail("write bytes, for example max-bytes:20000, or 20k", "%q is not an amount from 1 to %d bytes", w.s,
			maxAmount)
	}
	*n = count * factor
	return nil
}

// checkCoding refuses settings that the format of the variant does not know, and those that contradict each other.
// given are the values that the user wrote, by the word of their setting.
func (v *Variant) checkCoding(given map[string]word) error {
	for i := range settings {
		set := &settings[i]
		w, there := given[set.word]
		if there && v.Format == format.AVIF && set.word == "depth" {
			return w.fail("write format:png or format:tiff, or leave depth out",
				"AVIF is written with 8 bits a sample: the encoder that comes with imagefarm takes no more")
		}
		if there && v.Format != Same && !set.knownTo(v.Format) {
			return w.fail("write format:"+strings.Join(set.formats, " or format:")+", or leave "+set.word+" out",
				"%s is a setting of %s, and the format is %s", set.word, strings.Join(set.formats, " and "), v.Format)
		}
	}
	if v.KeepDepth {
		if err := v.checkDepth(given); err != nil {
			return err
		}
	}
	if v.KeepHDR {
		if err := v.checkHDR(given); err != nil {
			return err
		}
	}
	if most := v.mostEffort(); v.Effort.N > most {
		return given["effort"].fail("", "effort %d is more than %d, the most of %s", v.Effort.N, most, v.Format)
	}
	if w, there := given["lossless"]; there && !v.Lossless && v.NearLossless.Given {
		return w.fail("leave lossless:no out", "near-lossless is a kind of lossless")
	}
	if !v.Lossless && !v.NearLossless.Given {
		return nil
	}
	if v.SharpYUV {
		return given["sharp-yuv"].fail("leave it out", "sharp-yuv is for lossy pictures, and this one is lossless")
	}
	if w, there := given["quality"]; there && v.Format != Same {
		return w.fail("leave it out; effort trades time for size", "a lossless picture has no quality")
	}
	return nil
}

// checkDepth refuses what works on samples of 8 bits.
func (v *Variant) checkDepth(given map[string]word) error {
	if w, there := given["colors"]; there {
		return w.fail("leave it out", "a palette has colours of 8 bits, and depth:keep asks for 16")
	}
	if v.Linear {
		return given["linear"].fail("leave it out", "linear light has samples of 8 bits, and depth:keep asks for 16")
	}
	if v.ICC == ICCP3 {
		return given["icc"].fail("leave it out", "colours are converted with 8 bits, and depth:keep asks for 16")
	}
	for _, o := range v.Ops {
		if o.Gravity == Smart || o.Word == Trim || !o.moves() {
			return given["depth"].fail("leave it out", "%s works with 8 bits a sample; fit, fill, force, crop, "+
				"rotate, flip and flop keep more, without smart gravity", o.Word)
		}
	}
	return nil
}

// checkHDR refuses what a gain map does not follow.
func (v *Variant) checkHDR(given map[string]word) error {
	if v.ICC == ICCP3 {
		return given["icc"].fail("leave it out", "a gain map belongs to the colours of the image, which icc:p3 changes")
	}
	for _, o := range v.Ops {
		if !o.moves() {
			return given["hdr"].fail("leave it out", "a gain map does not follow %s, but fit, fill, force, crop, "+
				"trim, rotate, flip and flop", o.Word)
		}
	}
	return nil
}

// moves reports whether an operation only scales, cuts and turns.
func (o Op) moves() bool {
	switch o.Word {
	case Fit, Fill, Force, Crop, Trim, Rotate, Flip, Flop:
		return true
	}
	return false
}

// knownTo reports whether a format knows the setting.
func (s *setting) knownTo(to string) bool { return s.formats == nil || slices.Contains(s.formats, to) }

// mostEffort is the largest effort of the variant. One of the input's format may become WebP.
func (v *Variant) mostEffort() int {
	if v.Format == Same {
		return format.Of(format.WebP).MaxEffort
	}
	return format.Of(v.Format).MaxEffort
}

// settle brings the settings of the encoder into the one form that canonical text has: nothing that the format does not
// know, and nothing that is its default anyway.
func (v *Variant) settle() {
	v.Lossless = v.Lossless || v.NearLossless.Given
	v.Adaptive = v.Adaptive && !v.Trellis // which does as much, and more
	v.Quality = quality(v.Format, v.Quality)
	if v.Format != Same {
		for i := range settings {
			if set := &settings[i]; !set.knownTo(v.Format) {
				set.reset(v)
			}
		}
		if f := format.Of(v.Format); v.Effort.N == f.Effort {
			v.Effort = Level{}
		}
		v.AutoQuality = v.AutoQuality && v.Quality != 0 && !v.Lossless
		if v.Lossless {
			v.Quality = 0
		}
	}
	if v.AutoQuality {
		v.Quality = 0
	}
	if v.Format == format.GIF && v.Colors == 256 {
		v.Colors = 0
	}
}
