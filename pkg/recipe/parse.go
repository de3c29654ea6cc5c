package recipe

import (
	"strconv"
	"strings"
)

// Parse reads variants as people write them: each 'NAME=OPS' or 'OPS', several in one text separated by ';'.
// Parse names a variant that has no name after its first sizing operation (fit256x256), else its format, else v1, v2, …
//
// The error is a *SyntaxError for the first word that is wrong.
func Parse(variants ...string) (Recipe, error) {
	var r Recipe
	var names []word
	for _, text := range variants {
		for _, w := range (word{text, text, 0}).split(";") {
			if w.s == "" {
				if strings.TrimSpace(text) == "" {
					return Recipe{}, w.fail("write NAME=OPS, for example thumb=fit:256x256", "empty variant")
				}
				continue // a separator at the end
			}
			v, name, err := parseVariant(w)
			if err != nil {
				return Recipe{}, err
			}
			if len(r.Variants) == MaxVariants {
				return Recipe{}, w.fail("", "more than %d variants", MaxVariants)
			}
			r.Variants, names = append(r.Variants, v), append(names, name)
		}
	}
	if len(r.Variants) == 0 {
		return Recipe{}, word{}.fail("write NAME=OPS, for example thumb=fit:256x256", "no variant")
	}
	if err := nameVariants(r.Variants, names); err != nil {
		return Recipe{}, err
	}
	if n := len(r.String()); n > MaxText {
		return Recipe{}, names[len(names)-1].fail("", "the recipe's canonical text has %d bytes, more than %d", n, MaxText)
	}
	return r, nil
}

// ParseSizes reads a list of sizes like "64,128,256". The recipe makes a thumbnail for each size, which fits in a
// square of so many pixels; the variants are named thumbnail64, thumbnail128, …
func ParseSizes(s string) (Recipe, error) {
	var list []int
	seen := map[int]bool{}
	for _, w := range (word{s, s, 0}).split(",") {
		n, ok := digits(w.s)
		switch {
		case !ok || n < 1 || n > MaxSide:
			return Recipe{}, w.fail("for example 64,128,256", "size %q is not a number of pixels from 1 to %d",
				w.s, MaxSide)
		case seen[n]:
			return Recipe{}, w.fail("", "size %d is given twice", n)
		case len(list) == MaxVariants:
			return Recipe{}, w.fail("", "more than %d sizes", MaxVariants)
		}
		seen[n] = true
		list = append(list, n)
	}
	return sizes(list), nil
}

// ParseCanonical reads canonical text, which String returns. It refuses any other text, even if Parse would read it,
// so that a recipe has one text and one hash.
func ParseCanonical(text string) (Recipe, error) {
	if len(text) > MaxText {
		return Recipe{}, word{"", "", 0}.fail("", "the text has %d bytes, more than %d", len(text), MaxText)
	}
	r, err := Parse(text)
	if err != nil {
		return Recipe{}, err
	}
	if canonical := r.String(); canonical != text {
		at := 0
		for at < len(text) && at < len(canonical) && text[at] == canonical[at] {
			at++
		}
		return Recipe{}, word{text, "", at}.fail("", "not canonical text")
	}
	return r, nil
}

// parseVariant reads one variant. name is the word that names it, or the whole text where no word does.
func parseVariant(w word) (v Variant, name word, err error) {
	v = defaults()
	ops := w
	name = w
	if i := strings.IndexByte(w.s, '='); i >= 0 {
		name = word{w.text, w.s[:i], w.offset}.trim()
		ops = word{w.text, w.s[i+1:], w.offset + i + 1}.trim()
		v.Name = strings.ToLower(name.s)
		if !validName(v.Name) {
			return v, name, name.fail("use letters a-z, digits, '_', '-' and '@', at most 64, the first a letter or digit",
				"%q cannot name a variant", name.s)
		}
	}
	given := map[string]word{}
	var unpainted []int // pads without a colour, which take the background's
	for _, w := range ops.split(",") {
		if w.s == "" {
			return v, name, w.fail("for example fit:256x256", "an operation is missing")
		}
		args := w.split(":")
		op := strings.ToLower(args[0].s)
		if set := settingOf(op); set != nil {
			if _, twice := given[op]; twice {
				return v, name, args[0].fail("", "%s is given twice", op)
			}
			if len(args) != 2 {
				return v, name, w.fail(set.usage(), "%s takes one value, not %d", op, len(args)-1)
			}
			given[op] = w
			if err := set.parse(args[1], &v); err != nil {
				return v, name, err
			}
			continue
		}
		o, err := parseOp(w, args)
		if err != nil {
			return v, name, err
		}
		if len(v.Ops) == MaxOps {
			return v, name, w.fail("", "more than %d pixel operations in one variant", MaxOps)
		}
		if o.Word == Pad && len(args) == 2 {
			unpainted = append(unpainted, len(v.Ops))
		}
		v.Ops = append(v.Ops, o)
	}
	if v.Animate && v.Page > 0 {
		return v, name, w.fail("leave one of them out", "page takes one frame, and animate:yes keeps all")
	}
	for _, i := range unpainted {
		v.Ops[i].Color = v.Background
	}
	if err := v.checkCoding(given); err != nil {
		return v, name, err
	}
	v.settle()
	return v, name, nil
}

// nameVariants gives a name to each variant that has none, and refuses two variants of one name.
func nameVariants(variants []Variant, words []word) error {
	taken := map[string]bool{}
	for i, v := range variants {
		if v.Name == "" {
			continue
		}
		if taken[v.Name] {
			return words[i].fail("", "two variants are called %q", v.Name)
		}
		taken[v.Name] = true
	}
	for i := range variants {
		v := &variants[i]
		if v.Name != "" {
			continue
		}
		base := derivedName(*v)
		name := base
		if base == "" {
			base, name = "v", "v"+strconv.Itoa(i+1)
		}
		for n := 2; taken[name]; n++ {
			name = base + "-" + strconv.Itoa(n)
		}
		taken[name] = true
		v.Name = name
	}
	return nil
}

func derivedName(v Variant) string {
	for _, o := range v.Ops {
		if o.W > 0 || o.H > 0 {
			return string(o.Word) + geometry(o.W, o.H)
		}
	}
	if v.Format != Same {
		return v.Format
	}
	return ""
}

func validName(s string) bool {
	if s == "" || len(s) > MaxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case i > 0 && (c == '_' || c == '-' || c == '@'):
		default:
			return false
		}
	}
	return true
}

// parseOp reads a pixel operation; args[0] is its word.
func parseOp(w word, args []word) (Op, error) {
	name := strings.ToLower(args[0].s)
	if name == "grey" {
		name = string(Gray)
	}
	row := operationOf(Word(name))
	if row == nil {
		hint := suggest(name, words())
		if m := meant()[name]; m != "" {
			hint = "did you mean " + strconv.Quote(m) + "?"
		}
		return Op{}, args[0].fail(hint, "unknown operation %q", args[0].s)
	}
	return row.parse(w, args[1:])
}
