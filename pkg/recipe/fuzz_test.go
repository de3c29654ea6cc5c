package recipe

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"thumb=fit:256x256", "fit:64,format:webp,quality:80", "a=fill:1x1:smart;b=pad:2x2:#fff,background:black",
		"watermark:Logo.png:se:.5", "a=rotate:90,flip,blur:1.25,gamma:2.2", "A = Fit : 1X1 ;", "fti:1x1", "a==;",
		"quality:1",
		"format:jpeg,progressive:auto,chroma:444,adaptive:yes,max-bytes:20k", "trellis:yes,adaptive:yes",
		"format:webp,near-lossless:60,effort:6",
		"quality:auto,effort:4,lossless:yes,colors:256,compression:6,sharp-yuv:no", "format:avif,chroma:auto,effort:1",
		Default().String(),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("%q: %v is no *SyntaxError", text, err)
			}
			if syntax.Offset < 0 || syntax.Offset > len(syntax.Text) || !strings.HasPrefix(syntax.Text[syntax.Offset:],
				syntax.Word) {
				t.Fatalf("%q: offset %d does not point at %q", text, syntax.Offset, syntax.Word)
			}
			_ = syntax.Pointer()
			if len(r.Variants) != 0 {
				t.Fatalf("%q: a recipe beside the error %v", text, err)
			}
			return
		}
		canonical := r.String()
		again, err := ParseCanonical(canonical)
		if err != nil {
			t.Fatalf("%q: canonical text %q does not parse: %v", text, canonical, err)
		}
		if !reflect.DeepEqual(r, again) {
			t.Fatalf("%q: %#v differs from %#v", text, r, again)
		}
		for _, file := range []string{"a.jpg", "a.png", "a.gif", "a.webp", "a.avif", "a.tiff", "a.bmp"} {
			if sent := r.For(file).String(); sent != "" {
				if _, err := ParseCanonical(sent); err != nil {
					t.Fatalf("%q for %s: %q does not parse: %v", text, file, sent, err)
				}
			}
		}
	})
}

// FuzzParseCanonical is the malleability check: whatever passes is the one text of its recipe.
func FuzzParseCanonical(f *testing.F) {
	f.Add(Default().String())
	f.Add("a=fit:1x1")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseCanonical(text)
		if err == nil && r.String() != text {
			t.Fatalf("%q passed, but its text is %q", text, r.String())
		}
		if err != nil && len(r.Variants) != 0 {
			t.Fatalf("%q: a recipe beside the error %v", text, err)
		}
	})
}
