package nearest

import (
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	known := []string{"slots", "sizes", "size", "out", "rotate", "q", strings.Repeat("long", 10)}
	for typed, want := range map[string]string{
		"slots": "slots", "slot": "slots", "solts": "slots", "slotss": "slots", "sizse": "sizes", "szie": "size",
		"roatet": "rotate", "ott": "out", "k": "q", "zzz": "", "": "", "slotssss": "", "worker": "",
		strings.Repeat("long", 10): strings.Repeat("long", 10), strings.Repeat("long", 11): "", strings.Repeat("x", 1000): "",
	} {
		if got := Word(typed, known); got != want {
			t.Errorf("Word(%q) = %q, want %q", typed, got, want)
		}
	}
	if got := Word("x", nil); got != "" {
		t.Errorf("nothing is known, and %q is near", got)
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "ab", 2}, {"a", "b", 1}, {"ab", "ba", 1}, {"abcd", "acbd", 1}, {"abc", "c", 2},
		{"abcdef", "fedcba", far},
	} {
		if got := edits(c.a, c.b); got != c.want || edits(c.b, c.a) != got {
			t.Errorf("edits(%q, %q) = %d, the other way %d, want %d", c.a, c.b, got, edits(c.b, c.a), c.want)
		}
	}
}
