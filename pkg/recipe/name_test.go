package recipe

import (
	"strings"
	"testing"
)

func TestOutputNamesAndFormats(t *testing.T) {
	for _, c := range []struct{ format, file, name, detected, output string }{
		{"same", "a.jpg", "a_x.jpg", "jpeg", "jpeg"},
		{"same", "d/a.b.JPEG", "d/a.b_x.JPEG", "jpeg", "jpeg"},
		{"same", "a.jpe", "a_x.jpe", "png", "jpeg"}, // the name decides, not the content
		{"same", "a.jfif", "a_x.jfif", "jpeg", "jpeg"},
		{"same", "a.png", "a_x.png", "jpeg", "png"},
		{"same", "a.gif", "a_x.gif", "gif", "gif"},
		{"same", "a.webp", "a_x.webp", "webp", "webp"},
		{"same", "a.tif", "a_x.tif", "tiff", "tiff"},
		{"same", "a.avif", "a_x.avif", "avif", "avif"},
		{"same", "a.bmp", "a_x.jpg", "bmp", "jpeg"},
		{"same", "a.BMP", "a_x.jpg", "png", "jpeg"},
		{"same", "a.heic", "a_x.jpg", "heic", "jpeg"},
		{"same", "a.HEIF", "a_x.jpg", "heic", "jpeg"},
		{"same", "a", "a_x", "png", "png"},
		{"same", "a", "a_x", "heic", "jpeg"},
		{"same", "a.v2", "a_x.v2", "webp", "webp"},
		{"same", "a.v2", "a_x.v2", "bmp", "jpeg"},
		{"same", "d.jpg/a", "d.jpg/a_x", "png", "png"},
		{"same", ".jpg", ".jpg_x", "jpeg", "jpeg"},
		{"same", "d/.hidden", "d/.hidden_x", "gif", "gif"},
		{"same", "d/.hidden.png", "d/.hidden_x.png", "gif", "png"},
		{"jpeg", "a.jpg", "a_x.jpg", "jpeg", "jpeg"},
		{"jpeg", "a.JPG", "a_x.JPG", "png", "jpeg"},
		{"jpeg", "a.jpeg", "a_x.jpeg", "jpeg", "jpeg"},
		{"jpeg", "a.png", "a_x.jpg", "png", "jpeg"},
		{"jpeg", "a", "a_x.jpg", "png", "jpeg"},
		{"jpeg", "a.v2", "a_x.jpg", "png", "jpeg"},
		{"tiff", "a.tif", "a_x.tif", "tiff", "tiff"},
		{"tiff", "a.jpg", "a_x.tiff", "jpeg", "tiff"},
		{"webp", "a.jpg", "a_x.webp", "jpeg", "webp"},
		{"avif", "a.heic", "a_x.avif", "heic", "avif"},
		{"gif", "a.GIF", "a_x.GIF", "gif", "gif"},
		{"png", "a.bmp", "a_x.png", "bmp", "png"},
	} {
		r := mustParse(t, "x=fit:8x8,format:"+c.format)
		for what, r := range map[string]Recipe{"as parsed": r, "resolved": r.For(c.file)} {
			v := r.Variants[0]
			if got := v.OutputName(c.file); got != c.name {
				t.Errorf("format:%s of %s %s is named %s, want %s", c.format, c.file, what, got, c.name)
			}
			if got := v.OutputFormat(c.file, c.detected); got != c.output {
				t.Errorf("format:%s of %s (%s) %s is %s, want %s", c.format, c.file, c.detected, what, got, c.output)
			}
		}
		// An engine sees the resolved recipe and no name, and must come to the same format.
		if got := r.For(c.file).Variants[0].OutputFormat("", c.detected); got != c.output {
			t.Errorf("format:%s of %s (%s): the engine would write %s, want %s", c.format, c.file, c.detected, got, c.output)
		}
	}
}

func TestForFillsTheQualityOfTheFormat(t *testing.T) {
	r := mustParse(t, "x=fit:8x8")
	for file, want := range map[string]int{"a.jpg": 85, "a.webp": 80, "a.avif": 60, "a.png": 0, "a.bmp": 85, "a": 0} {
		if got := r.For(file).Variants[0].Quality; got != want {
			t.Errorf("%s: quality %d, want %d", file, got, want)
		}
	}
	if r.Variants[0].Format != Same {
		t.Error("For changed the recipe that it was called on")
	}
}

func FuzzOutputNames(f *testing.F) {
	for _, s := range []string{"a.jpg", "d/a.tar.gz", "", ".", "..", "a.", ".jpg", "d/.x", "a.HEIC", "\x00.png",
		"d.jpg/"} {
		f.Add(s)
	}
	r, err := Parse("x=fit:8x8", "y=format:jpeg", "z=format:webp", "x-2=format:png")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file string) {
		names := r.OutputNames(file)
		seen := map[string]bool{file: true}
		resolved := r.For(file)
		for i, n := range names {
			if seen[n] {
				t.Errorf("%q: output name %q is not its own", file, n)
			}
			seen[n] = true
			if strings.Count(n, "/") != strings.Count(file, "/") {
				t.Errorf("%q: %q is in another directory", file, n)
			}
			if again := resolved.Variants[i].OutputName(file); again != n {
				t.Errorf("%q: For changed the name %q to %q", file, n, again)
			}
		}
	})
}

func TestOnlyKeepsTheOrderAndKnowsItsNames(t *testing.T) {
	r := Default()
	only, err := r.Only([]string{"thumbnail256", "thumbnail64"})
	if err != nil || len(only.Variants) != 2 || only.Variants[0].Name != "thumbnail64" {
		t.Errorf("%v, %v", only, err)
	}
	if _, err := r.Only([]string{"thumbnail64", "other"}); err == nil {
		t.Error("a variant that is not there is taken")
	}
}
