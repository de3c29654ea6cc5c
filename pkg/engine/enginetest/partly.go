package enginetest

import (
	"image/color"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// A variant's own fault is that variant's: the others are made.
func testPartly(t *testing.T, s Suite) {
	data := PNG(filled(90, 60, color.NRGBA{200, 100, 50, 255}))
	for name, c := range map[string]struct {
		bad    string
		reason outcome.Reason
	}{
		"wider than WebP can be":  {"pad:20000x100,format:webp", outcome.TooManyPixels},
		"larger than may be":      {"fit:900x,enlarge:yes", outcome.TooManyPixels},
		"larger after the search": {"trim,blur:1,fit:900x,enlarge:yes", outcome.TooManyPixels},
		"a page that is not":      {"page:3,fit:8x8", outcome.NoSuchPage},
	} {
		limits := engine.Limits{MaxSide: 30_000, MaxPixels: 2_500_000}
		if c.reason == outcome.TooManyPixels && name != "wider than WebP can be" {
			limits.MaxSide = 500
		}
		input := data
		if name == "larger after the search" {
			input = PNG(bordered(color.NRGBA{255, 255, 255, 255}))
		}
		res, err := s.tryWith(t, limits, input, "a=fit:40x40,format:png", "bad="+c.bad, "b=fit:20x20,format:jpeg")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(res.Outputs) != 3 {
			t.Fatalf("%s: %d outputs", name, len(res.Outputs))
		}
		for i, want := range []string{"a", "bad", "b"} {
			o := res.Outputs[i]
			if o.Variant != want || (o.Refused != nil) != (want == "bad") || (len(o.Data) == 0) != (want == "bad") {
				t.Errorf("%s: output %d is %q with %d bytes, refused: %v", name, i, o.Variant, len(o.Data), o.Refused)
			}
		}
		if why := res.Outputs[1].Refused; why != nil && (why.Reason != c.reason || why.Detail == "") {
			t.Errorf("%s: %v", name, why)
		}
		s.rejects(t, name+", alone", limits, input, c.reason, "bad="+c.bad)
		s.rejects(t, name+", twice", limits, input, c.reason, "bad="+c.bad, "worse="+c.bad)
	}
	// What is the image's fault is that of all.
	s.rejects(t, "a broken image", engine.Limits{}, data[:40], outcome.Truncated, "a=fit:8x8",
		"bad=pad:20000x9,format:webp")
}
