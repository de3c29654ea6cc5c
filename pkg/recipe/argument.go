package recipe

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// argument is one value of an operation: how usage calls it, and how it is read and printed.
type argument struct {
	name  string
	parse func(word, *Op) error
	print func(Op) string
}

var (
	geometryArg = argument{"WxH", parseGeometry, func(o Op) string { return geometry(o.W, o.H) }}
	gravityArg  = argument{"GRAVITY", parseGravity(Gravities()), printGravity}
	colorArg    = argument{"COLOR", func(w word, o *Op) error { return color(w, &o.Color) },
		func(o Op) string { return o.Color.String() }}
	anglesArg = argument{"90|180|270", parseAngle, printNumber}
	assetArg  = argument{"ASSET", parseAsset, func(o Op) string { return o.Asset }}

	// markGravityArg lacks smart, which would lay a mark over the very detail that it finds.
	markGravityArg = argument{"GRAVITY", parseGravity(Gravities()[:9]), printGravity}
)

// numberArg returns an argument that is a number from low to high, and sets Op.N.
func numberArg(name string, low, high float64) argument {
	return argument{name, func(w word, o *Op) error { return parseNumber(w, strings.ToLower(name), low, high, &o.N) },
		printNumber}
}

func printGravity(o Op) string { return o.Gravity }
func printNumber(o Op) string  { return number(o.N) }

func parseGravity(known []string) func(word, *Op) error {
	return func(w word, o *Op) error { return oneOf(w, &o.Gravity, known...) }
}

func parseAngle(w word, o *Op) error {
	n, _ := digits(w.s)
	if n != 90 && n != 180 && n != 270 {
		return w.fail("write rotate:90, rotate:180 or rotate:270", "cannot rotate by %q", w.s)
	}
	o.N = float64(n)
	return nil
}

func parseAsset(w word, o *Op) error {
	if !validAsset(w.s) {
		return w.fail("name a file of the directory of assets, without directories", "%q cannot be an asset", w.s)
	}
	o.Asset = w.s
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

// parseNumber reads a decimal number and keeps three places of it.
func parseNumber(w word, what string, low, high float64, n *float64) error {
	plain := w.s != "" && len(w.s) <= 20 && strings.Trim(w.s, "+-.0123456789") == ""
	f, err := strconv.ParseFloat(w.s, 64)
	f = math.Round(f*1000) / 1000
	if !plain || err != nil || f < low || f > high {
		return w.fail("", "%s %q is not a number from %s to %s", what, w.s, number(low), number(high))
	}
	*n = f + 0 // no negative zero
	return nil
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// digits reads a decimal number without sign and without leading zeros.
func digits(s string) (int, bool) {
	if s == "" || len(s) > 6 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = 10*n + int(s[i]-'0')
	}
	return n, true
}

func color(w word, c *Color) error {
	got, ok := parseColor(w.s)
	if !ok {
		return w.fail("write rrggbb, rrggbbaa, or a name like white or transparent", "%q is not a colour", w.s)
	}
	*c = got
	return nil
}

// oneOf reads one of the known words, in lower or upper case.
func oneOf(w word, field *string, known ...string) error {
	s := strings.ToLower(w.s)
	if !slices.Contains(known, s) {
		return w.fail(suggest(s, known), "unknown value %q", w.s)
	}
	*field = s
	return nil
}
