package cli

import (
	"strings"
	"testing"
)

func TestLongNameOfARejectMovesItsOwnLineOnly(t *testing.T) {
	var out strings.Builder
	for _, name := range []string{"a.jpg", strings.Repeat("long/", 40) + ".jpg", "b.jpg"} {
		if err := rejectLine(&out, "too-many-pixels", name, "why"); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(out.String(), "\n")
	if a, b := strings.Index(lines[0], "why"), strings.Index(lines[2], "why"); a != b || a > 70 {
		t.Errorf("the details begin in columns %d and %d", a, b)
	}
	if !strings.HasSuffix(lines[1], ".jpg  why") {
		t.Errorf("the long line is %q", lines[1])
	}
}
