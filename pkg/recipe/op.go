package recipe

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/format"
)

// settings returns what reads each setting's value. Each sets its field of the variant.
func settings() map[string]func(*Variant, word) error {
	return map[string]func(*Variant, word) error{
		"orient":  func(v *Variant, w word) error { return either(w, &v.Orient, "auto", "off") },
		"enlarge": func(v *Variant, w word) error { return either(w, &v.Enlarge, "yes", "no") },
		"animate": func(v *Variant, w word) error { return either(w, &v.Animate, "yes", "no") },
		"strip":   func(v *Variant, w word) error { return oneOf(w, &v.Strip, StripAll, StripKeep, StripCopyright) },
		"icc":     func(v *Variant, w word) error { return oneOf(w, &v.ICC, ICCToSRGB, ICCKeep) },
		"format": func(v *Variant, w word) error {
			if f := format.OfFile("name." + w.s); f.Written { // its extensions name a format too
				w.s = f.Name
			}
			return oneOf(w, &v.Format, append(format.Written(), Same)...)
		},
		"quality": func(v *Variant, w word) error {
			n, ok := digits(w.s)
			if !ok || n < 1 || n > 100 {
				return w.fail("", "quality %q is not a whole number from 1 to 100", w.s)
			}
			v.Quality = n
			return nil
		},
		"background": func(v *Variant, w word) error { return color(w, &v.Background) },
	}
}

// numeric returns the range of each operation that takes one number.
func numeric() map[Word][2]float64 {
	return map[Word][2]float64{
		Blur: {0.1, 100}, Sharpen: {0.1, 100}, Brightness: {-100, 100}, Contrast: {-100, 100},
		Saturation: {-100, 500}, Gamma: {0.1, 10},
	}
}

// Words lists every word that can begin an operation, in the grammar's order.
func Words() []string {
	return []string{
		"fit", "fill", "force", "pad", "crop", "rotate", "flip", "flop", "blur", "sharpen", "brightness", "contrast",
		"saturation", "gamma", "gray", "invert", "watermark",
		"orient", "enlarge", "background", "animate", "format", "quality", "strip", "icc",
	}
}

// parseOp reads a pixel operation; args[0] is its word.
func parseOp(w word, args []word) (Op, error) {
	o := Op{Word: Word(strings.ToLower(args[0].s))}
	if o.Word == "grey" {
		o.Word = Gray
	}
	arity, known := map[Word][2]int{
		Fit: {1, 1}, Fill: {1, 2}, Force: {1, 1}, Pad: {1, 2}, Crop: {1, 2}, Rotate: {1, 1}, Flip: {0, 0}, Flop: {0, 0},
		Blur: {1, 1}, Sharpen: {1, 1}, Brightness: {1, 1}, Contrast: {1, 1}, Saturation: {1, 1}, Gamma: {1, 1},
		Gray: {0, 0}, Invert: {0, 0}, Watermark: {1, 3},
	}[o.Word]
	if !known {
		hint := suggest(string(o.Word), Words())
		if m := meant()[string(o.Word)]; m != "" {
			hint = "did you mean " + strconv.Quote(m) + "?"
		}
		return o, args[0].fail(hint, "unknown operation %q", args[0].s)
	}
	args = args[1:]
	if len(args) < arity[0] {
		return o, w.fail(usage(o.Word), "%s needs a value", o.Word)
	}
	if len(args) > arity[1] {
		return o, args[arity[1]].fail(usage(o.Word), "%s takes no more than %d values", o.Word, arity[1])
	}
	switch o.Word {
	case Fit, Force:
		return o, parseGeometry(args[0], &o)
	case Fill, Crop:
		o.Gravity = Center
		if len(args) > 1 {
			if err := oneOf(args[1], &o.Gravity, Gravities()...); err != nil {
				return o, err
			}
		}
		return o, parseGeometry(args[0], &o)
	case Pad:
		if len(args) > 1 {
			if err := color(args[1], &o.Color); err != nil {
				return o, err
			}
		}
		return o, parseGeometry(args[0], &o)
	case Rotate:
		n, _ := digits(args[0].s)
		if n != 90 && n != 180 && n != 270 {
			return o, args[0].fail("write rotate:90, rotate:180 or rotate:270", "cannot rotate by %q", args[0].s)
		}
		o.N = float64(n)
	case Watermark:
		return o, parseWatermark(args, &o)
	default:
		if limits, ok := numeric()[o.Word]; ok {
			return o, parseNumber(args[0], string(o.Word), limits, &o.N)
		}
	}
	return o, nil
}

func parseWatermark(args []word, o *Op) error {
	o.Asset, o.Gravity, o.N = args[0].s, "se", 1
	if !validAsset(o.Asset) {
		return args[0].fail("name a file of the directory of assets, without directories", "%q cannot be an asset", o.Asset)
	}
	if len(args) > 1 {
		// Smart would put a mark on the very thing one wants to see.
		if err := oneOf(args[1], &o.Gravity, Gravities()[:9]...); err != nil {
			return err
		}
	}
	if len(args) > 2 {
		return parseNumber(args[2], "opacity", [2]float64{0, 1}, &o.N)
	}
	return nil
}

// parseGeometry reads WxH, W (a square), Wx or xH.
func parseGeometry(w word, o *Op) error {
	ws, hs, both := strings.Cut(strings.ToLower(w.s), "x")
	if !both {
		hs = ws
	}
	wn, wok := digits(ws)
	hn, hok := digits(hs)
	wok = wok && 1 <= wn && wn <= MaxSide || ws == ""
	hok = hok && 1 <= hn && hn <= MaxSide || hs == ""
	if !wok || !hok || ws == "" && hs == "" {
		return w.fail("write WxH, W, Wx or xH, for example 256x256", "%q is not a size with sides from 1 to %d pixels",
			w.s, MaxSide)
	}
	o.W, o.H = wn, hn
	return nil
}

// parseNumber reads a decimal number and keeps three places of it.
func parseNumber(w word, what string, limits [2]float64, n *float64) error {
	plain := w.s != "" && len(w.s) <= 20 && strings.Trim(w.s, "+-.0123456789") == ""
	f, err := strconv.ParseFloat(w.s, 64)
	f = math.Round(f*1000) / 1000
	if !plain || err != nil || f < limits[0] || f > limits[1] {
		return w.fail("", "%s %q is not a number from %s to %s", what, w.s, number(limits[0]), number(limits[1]))
	}
	*n = f + 0 // no negative zero
	return nil
}

func validAsset(s string) bool {
	if s == "" || len(s) > MaxName || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || strings.IndexByte("._-", s[i]) >= 0) {
			return false
		}
	}
	return true
}

func color(w word, c *Color) error {
	got, ok := parseColor(w.s)
	if !ok {
		return w.fail("write rrggbb, rrggbbaa, or a name like white or transparent", "%q is not a colour", w.s)
	}
	*c = got
	return nil
}

func either(w word, b *bool, yes, no string) error {
	var s string
	err := oneOf(w, &s, yes, no)
	*b = s == yes
	return err
}

func oneOf(w word, field *string, known ...string) error {
	s := strings.ToLower(w.s)
	if !slices.Contains(known, s) {
		return w.fail(suggest(s, known), "unknown value %q", w.s)
	}
	*field = s
	return nil
}

func usage(o Word) string {
	switch o {
	case Fit, Force:
		return "write " + string(o) + ":WxH"
	case Fill, Crop:
		return "write " + string(o) + ":WxH or " + string(o) + ":WxH:GRAVITY"
	case Pad:
		return "write pad:WxH or pad:WxH:COLOR"
	case Watermark:
		return "write watermark:ASSET, watermark:ASSET:GRAVITY or watermark:ASSET:GRAVITY:OPACITY"
	case Rotate:
		return "write rotate:90, rotate:180 or rotate:270"
	case Flip, Flop, Gray, Invert:
		return "write " + string(o)
	}
	return "write " + string(o) + ":NUMBER"
}
