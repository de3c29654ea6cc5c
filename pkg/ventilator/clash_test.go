package ventilator

import (
	"fmt"
	"strings"
	"testing"
)

func TestAllImagesThatClashAreNamedAtOnce(t *testing.T) {
	var c clashes
	if err := c.refusal(); err != nil {
		t.Fatalf("%v of no clash", err)
	}
	for i := range maxClashes + 5 {
		c.add(fmt.Sprintf("%d.jpg", i), fmt.Sprintf("%d.png", i), fmt.Sprintf("%d_thumbnail64.jpg", i))
		if i == 0 {
			if err := c.refusal(); err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("one clash is told in a line, not as %v", err)
			}
		}
	}
	text := c.refusal().Error()
	if lines := strings.Count(text, "\n"); lines != maxClashes+1 {
		t.Errorf("%d lines", lines)
	}
	for _, part := range []string{"25 images", `"0.jpg" and "0.png"`, `"19.jpg" and "19.png"`, "and 5 more", "--exclude"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in %s", part, text)
		}
	}
}
