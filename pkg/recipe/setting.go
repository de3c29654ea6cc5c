package recipe

import (
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/format"
)

// Values of Variant.Strip and Variant.ICC.
const (
	StripAll       = "all"       // no metadata but what shows the picture right
	StripKeep      = "keep"      // all that the output format can carry
	StripCopyright = "copyright" // who made it and who owns it
	ICCToSRGB      = "srgb"      // convert to sRGB, drop the profile
	ICCKeep        = "keep"      // leave the values, carry the profile
	ICCP3          = "p3"        // convert to Display P3, carry its profile
)

// setting is a row of the table of settings: words that take one value and hold for the whole variant.
type setting struct {
	word   string
	values string // how usage calls the value
	parse  func(word, *Variant) error
	print  func(Variant) string // "" leaves the setting out of canonical text

	formats []string       // that know the setting; nil: all
	reset   func(*Variant) // to the default; nil where formats is
}

func (s setting) usage() string { return "write " + s.word + ":" + s.values }

// settings is the table, in the order of canonical text.
var settings = slices.Concat(generals, codings)

// generals is the part of the table that holds for all formats.
var generals = []setting{
	switchSetting("orient", "auto", "off", func(v *Variant) *bool { return &v.Orient }),
	switchSetting("enlarge", "yes", "no", func(v *Variant) *bool { return &v.Enlarge }),
	{
		word: "background", values: "COLOR",
		parse: func(w word, v *Variant) error { return color(w, &v.Background) },
		print: func(v Variant) string { return v.Background.String() },
	},
	switchSetting("animate", "yes", "no", func(v *Variant) *bool { return &v.Animate }),
	{
		word: "format", values: strings.Join(formats(), "|"),
		parse: parseFormat,
		print: func(v Variant) string { return v.Format },
	},
	{
		word: "quality", values: "NUMBER|auto",
		parse: parseQuality,
		print: func(v Variant) string {
			if v.AutoQuality {
				return Auto
			}
			return unlessZero(int64(v.Quality))
		},
	},
	choiceSetting("strip", func(v *Variant) *string { return &v.Strip }, StripAll, StripKeep, StripCopyright),
	choiceSetting("icc", func(v *Variant) *string { return &v.ICC }, ICCToSRGB, ICCKeep, ICCP3),
	{
		word: "ext", values: "replace|keep",
		parse: func(w word, v *Variant) error {
			var s string
			err := oneOf(w, &s, "replace", "keep")
			v.KeepExt = s == "keep"
			return err
		},
		print: func(v Variant) string {
			if v.KeepExt {
				return "keep"
			}
			return "" // the default stands in no text, so that the ids of tasks stay what they were before this word existed
		},
	},
	flagSetting("linear", func(v *Variant) *bool { return &v.Linear }), // known to all formats
	{
		word: "page", values: "NUMBER",
		parse: parsePage,
		print: func(v Variant) string { return unlessZero(int64(v.Page)) },
	},
}

// settingOf returns the row of a word, or nil where the word is none.
func settingOf(s string) *setting {
	for i := range settings {
		if settings[i].word == s {
			return &settings[i]
		}
	}
	return nil
}

// switchSetting returns a setting that is on or off.
func switchSetting(name, on, off string, field func(*Variant) *bool) setting {
	return setting{
		word: name, values: on + "|" + off,
		parse: func(w word, v *Variant) error {
			var s string
			err := oneOf(w, &s, on, off)
			*field(v) = s == on
			return err
		},
		print: func(v Variant) string {
			if *field(&v) {
				return on
			}
			return off
		},
	}
}

// choiceSetting returns a setting that is one of the known words.
func choiceSetting(name string, field func(*Variant) *string, known ...string) setting {
	return setting{
		word: name, values: strings.Join(known, "|"),
		parse: func(w word, v *Variant) error { return oneOf(w, field(v), known...) },
		print: func(v Variant) string { return *field(&v) },
	}
}

// formats lists what the setting format takes.
func formats() []string { return append(format.Written(), Same) }

// parseFormat reads a format by its name or one of its extensions.
func parseFormat(w word, v *Variant) error {
	if f := format.OfFile("name." + w.s); f.Written {
		w.s = f.Name
	}
	return oneOf(w, &v.Format, formats()...)
}

func parsePage(w word, v *Variant) error {
	n, ok := digits(w.s)
	if !ok || n > MaxPage {
		return w.fail("the first is page:0", "page %q is not a whole number from 0 to %d", w.s, MaxPage)
	}
	v.Page = n
	return nil
}

func parseQuality(w word, v *Variant) error {
	if strings.EqualFold(w.s, Auto) {
		v.AutoQuality = true
		return nil
	}
	n, ok := digits(w.s)
	if !ok || n < 1 || n > 100 {
		return w.fail("", "quality %q is not a whole number from 1 to 100, or auto", w.s)
	}
	v.Quality = n
	return nil
}
