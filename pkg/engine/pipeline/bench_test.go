package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
)

// BenchmarkCorpus transforms the photographs of the directory that IMAGEFARM_CORPUS names, one for each turn.
func BenchmarkCorpus(b *testing.B) {
	dir := os.Getenv("IMAGEFARM_CORPUS")
	names, _ := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if dir == "" || len(names) == 0 {
		b.Skip("IMAGEFARM_CORPUS names no directory of photographs")
	}
	var photos [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		photos = append(photos, data)
	}
	e, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"JOB1": "a=fit:256x256;b=fit:128x128;c=fit:64x64", "JOB2": "a=fit:1280x1280",
		"JOB3": "a=fit:1280x1280,format:webp,quality:80",
	} {
		r := recipetest.Parse(b, text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				if _, err := e.Transform(b.Context(), photos[i%len(photos)], r); err != nil {
					b.Fatal(names[i%len(photos)], err)
				}
			}
		})
	}
}
