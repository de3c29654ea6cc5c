package recipe

import (
	"slices"
	"strings"
	"testing"
)

// Every row of the tables reads what it prints, and says how it is written.
func TestEveryRowIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, u := range Usages() {
		if seen[u.Word] || !strings.HasPrefix(u.Text, "write "+u.Word) || (settingOf(u.Word) != nil) != u.Setting {
			t.Errorf("the row of %s: %+v", u.Word, u)
		}
		seen[u.Word] = true
		if m := meant()[u.Word]; m != "" {
			t.Errorf("%s is a word of recipes, and others are told that it means %s", u.Word, m)
		}
	}
	for other, ours := range meant() {
		if !seen[ours] {
			t.Errorf("%s is said to mean %s, which is no word of recipes", other, ours)
		}
	}
	for _, row := range operations {
		o := row.defaults
		o.Word = row.word
		if row.required > 0 {
			o.W, o.H, o.N, o.Asset = 9, 8, 1, "a.png"
			if row.word == Rotate {
				o.N = 90
			}
		}
		r, err := Parse("x=" + o.String())
		if err != nil {
			t.Errorf("%s: its own text %q does not parse: %v", row.word, o, err)
			continue
		}
		if got := r.Variants[0].Ops[0]; got.String() != o.String() {
			t.Errorf("%s: %q is read as %q", row.word, o, got)
		}
		if row.required > len(row.args) {
			t.Errorf("%s requires %d of %d arguments", row.word, row.required, len(row.args))
		}
	}
	if !slices.Equal(words()[len(operations):], []string{"orient", "enlarge", "background", "animate", "format",
		"quality", "strip", "icc", "ext", "linear", "page", "progressive", "adaptive", "trellis", "chroma", "lossless",
		"near-lossless", "sharp-yuv", "effort", "colors", "compression", "max-bytes", "depth", "hdr"}) {
		t.Error("the order of the settings is part of canonical text and of every id")
	}
}
