package pipeline

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
)

// FuzzTransform gives the engine what is no proper image. It must come to an end, in a result whose sizes are right,
// in a rejection, or with the general decoders, and never by a panic.
func FuzzTransform(f *testing.F) {
	files, _ := filepath.Glob("../../../testdata/hostile/*.jp*g")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) < 16<<10 {
			f.Add(data)
		}
	}
	img := enginetest.Photo(70, 53)
	for _, progressive := range []bool{false, true} {
		f.Add(enginetest.JPEG(img, enginetest.JPEGOptions{Progressive: progressive, Quality: 50}))
		f.Add(turned(img, 7, enginetest.JPEGOptions{Progressive: progressive, Restart: 2, Quality: 50}))
	}
	f.Add(grayJPEG(f, grayPhoto(70, 53)))
	f.Add(enginetest.PNG(img))
	f.Add(enginetest.TIFF(img))
	f.Add(enginetest.BMP(img))
	var recipes []recipe.Recipe
	for _, text := range []string{
		"a=fit:4x4", "a=fit:9x9;b=fit:3x3,format:webp", "a=fit:17x17,strip:keep,icc:keep",
		"a=fit:40x40,orient:off;b=fit:39x7",
		"a=fill:9x5:smart,format:jpeg;b=crop:7x7:se,fit:20x20,enlarge:yes,format:png",
		"a=trim,rotate:90,fit:20x20,sharpen:1,format:jpeg",
	} {
		r := recipetest.Parse(f, text)
		recipes = append(recipes, r)
	}
	e, err := New(Config{Limits: engine.Limits{MaxPixels: 100_000}})
	if err != nil {
		f.Fatal(err)
	}
	e.general = nobody{e.general}
	e.panics = true
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range recipes {
			res, err := e.Transform(t.Context(), data, r)
			var rejection *outcome.Rejection
			if errors.Is(err, errNobody) || errors.As(err, &rejection) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range res.Outputs {
				got, _, err := enginetest.Decode(o.Data)
				if err != nil {
					t.Fatalf("%s: an output does not decode: %v", r, err)
				}
				if got.Rect.Size() != image.Pt(o.Width, o.Height) || o.Variant != r.Variants[i].Name {
					t.Fatalf("%s: output %d is %q of %v, said %d×%d", r, i, o.Variant, got.Rect.Size(), o.Width, o.Height)
				}
			}
		}
	})
}
