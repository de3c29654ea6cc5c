package jpeg

import (
	"os"
	"path/filepath"
	"testing"
)

// corpus returns the photographs under $JPEG_CORPUS/base (baseline) or /prog (progressive).
func corpus(t testing.TB, kind string) map[string][]byte {
	t.Helper()
	dir := os.Getenv("JPEG_CORPUS")
	if dir == "" {
		t.Skip("JPEG_CORPUS names no directory with photographs in base/ and prog/")
	}
	names, err := filepath.Glob(filepath.Join(dir, kind, "*.jpg"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no photographs in %s/%s (%v)", dir, kind, err)
	}
	photos := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		photos[name] = data
	}
	return photos
}

// modes are the ways of decoding that are measured.
var modes = []struct {
	name string
	kind string
	opt  Options
}{
	{"baseline/8", "base", Options{Scale: Eighth}},
	{"baseline/4", "base", Options{Scale: Quarter}},
	{"baseline/2", "base", Options{Scale: Half}},
	{"baseline/1", "base", Options{Scale: Full}},
	{"progressive/8", "prog", Options{Scale: Eighth}},
	{"progressive/4", "prog", Options{Scale: Quarter}},
	{"progressive/4/unrefined", "prog", Options{Scale: Quarter, SkipRefinement: true}},
	{"progressive/2", "prog", Options{Scale: Half}},
	{"progressive/1", "prog", Options{Scale: Full}},
}

func BenchmarkDecode(b *testing.B) {
	for _, mode := range modes {
		photos := corpus(b, mode.kind)
		b.Run(mode.name, func(b *testing.B) {
			var d Decoder
			var p Planes
			for b.Loop() {
				for name, data := range photos {
					if err := d.Decode(&p, data, mode.opt); err != nil {
						b.Fatalf("%s: %v", name, err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(photos)), "µs/photo")
		})
	}
}
