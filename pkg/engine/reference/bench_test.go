package reference

import (
	"context"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// BenchmarkDefaultRecipe makes the three thumbnails of a photograph of six megapixels.
func BenchmarkDefaultRecipe(b *testing.B) {
	data := enginetest.JPEG(enginetest.Photo(3000, 2000), enginetest.JPEGOptions{Quality: 90})
	e, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	r := recipe.Default().For("a.jpg")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := e.Transform(context.Background(), data, r); err != nil {
			b.Fatal(err)
		}
	}
}
