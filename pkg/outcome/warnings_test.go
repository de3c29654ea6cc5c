package outcome

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWarningsAreBoundedPlainAndDifferent(t *testing.T) {
	var w Warnings
	w.Add("the file ends within row %d\nof 20\x1b[31m", 7)
	w.Add("the file ends within row 7 of 20 [31m")
	w.Add("")
	w.Add("\xff%s", strings.Repeat("ü", MaxWarning))
	if len(w) != 2 || w[0] != "the file ends within row 7 of 20 [31m" {
		t.Fatalf("%q", w)
	}
	if len(w[1]) > MaxWarning || !utf8.ValidString(w[1]) || !strings.HasSuffix(w[1], "ü…") {
		t.Errorf("%d bytes: %q", len(w[1]), w[1])
	}
	for i := range 2 * MaxWarnings {
		w.AddAll([]string{fmt.Sprint("warning ", i)})
	}
	if len(w) != MaxWarnings || w.Check() != nil {
		t.Errorf("%d warnings, %v", len(w), w.Check())
	}
	for _, bad := range []Warnings{append(w, "one more"), {""}, {strings.Repeat("x", MaxWarning+1)}} {
		if bad.Check() == nil {
			t.Errorf("%.40q may be", bad)
		}
	}
}
