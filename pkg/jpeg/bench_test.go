package jpeg

import (
	"os"
	"path/filepath"
	"testing"
)

// corpus returns the photographs in the directory $JPEG_CORPUS that are progressive, or those that are not.
func corpus(t testing.TB, progressive bool) map[string][]byte {
	t.Helper()
	dir := os.Getenv("JPEG_CORPUS")
	if dir == "" {
		t.Skip("JPEG_CORPUS names no directory with photographs, such as bench/corpus makes")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	photos := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		h, err := DecodeHeader(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if h.Progressive == progressive {
			photos[name] = data
		}
	}
	if len(photos) == 0 {
		t.Fatalf("%s has no photographs whose being progressive is %v", dir, progressive)
	}
	return photos
}

// modes are the ways of decoding that are measured.
var modes = []struct {
	name        string
	progressive bool
	opt         Options
}{
	{"baseline/8", false, Options{Scale: Eighth}},
	{"baseline/4", false, Options{Scale: Quarter}},
	{"baseline/2", false, Options{Scale: Half}},
	{"baseline/1", false, Options{Scale: Full}},
	{"progressive/8", true, Options{Scale: Eighth}},
	{"progressive/4", true, Options{Scale: Quarter}},
	{"progressive/4/unrefined", true, Options{Scale: Quarter, SkipRefinement: true}},
	{"progressive/2", true, Options{Scale: Half}},
	{"progressive/1", true, Options{Scale: Full}},
}

func BenchmarkDecode(b *testing.B) {
	for _, mode := range modes {
		photos := corpus(b, mode.progressive)
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
